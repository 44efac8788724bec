//! What stands under the cursor, in words.

use super::dispatch::is_configuration;
use super::names::{Means, Names};
use super::server::{Failure, Server};
use super::specs::{Spec, narrow};
use super::{configuration, convert};
use crate::cache::{Verdict, reference};
use crate::dockerfile::{Instruction, ItemKind, Kind};
use crate::engine;
use crate::graph::{Base, EdgeKind, StepId, StepKind};
use crate::rules::{self, DockerfileCx, words};
use crate::settings::Suppression;
use crate::source::{SourceFile, Span};
use gen_lsp_types::{Contents, Hover, HoverParams, MarkupContent, MarkupKind};

impl Server {
    /// `textDocument/hover`.
    pub(super) fn hover(&mut self, params: &HoverParams) -> Result<Option<Hover>, Failure> {
        let at = &params.text_document_position_params;
        let address = &at.text_document.uri.0;
        let Some(index) = self.folder_at(address) else { return Ok(None) };
        let Some(folder) = self.folders.get(index) else { return Ok(None) };
        let Some(file) = self.file_at(folder, address) else { return Ok(None) };
        let offset = convert::offset(&file, at.position, self.client.encoding);
        let found = on_rule(&file, offset).or_else(|| {
            if is_configuration(address) {
                return configuration::meaning(&file, offset);
            }
            if folder.project.dockerfile(&file.path).is_none() {
                return on_setting(&file, offset);
            }
            let hover = |cx: &DockerfileCx<'_>| on_dockerfile(cx, offset);
            engine::look(&folder.project, &folder.settings, &folder.memory, &file.path, hover).flatten()
        });
        Ok(found.map(|(span, text)| Hover {
            contents: Contents::MarkupContent(MarkupContent {
                kind: if self.client.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText },
                value: text,
            }),
            range: Some(convert::range(&file, span, self.client.encoding)),
        }))
    }
}

type Found = Option<(Span, String)>;

/// The page of a rule that a suppression names.
fn on_rule(file: &SourceFile, offset: u32) -> Found {
    let line = file.line(offset);
    let span = Span { start: file.lines().start(line), end: file.lines().start(line.saturating_add(1)) };
    let text = span.of(&file.text);
    let sign = text.find("hitrate:")?;
    let comment = text.get(..sign)?.rfind(['#', '/'])?;
    let comment = Span { start: span.start + u32::try_from(comment).ok()?, end: span.end };
    let rules = Suppression::parse(&file.text, comment)?.rules;
    let named = rules.into_iter().find(|rule| rule.span.start <= offset && offset <= rule.span.end)?;
    let rule = rules::find(named.name)?;
    Some((named.span, rule.meta().docs.to_owned()))
}

/// A setting that decides about the cache, or an attribute of a cache, in a workflow, a bake or Compose file, a script.
fn on_setting(file: &SourceFile, offset: u32) -> Found {
    if let Some(field) = Spec::at(file, offset).and_then(|spec| Some((spec, spec.field(offset)?))) {
        let (spec, field) = field;
        if let (Some((kind, span)), "type") = (field.value, field.key) {
            let entry = reference::CACHE_TYPES.iter().find(|entry| entry.name == kind)?;
            let span = Span { start: field.key_span.start, end: span.end };
            return Some((span, format!("**type={kind}**\n\n{}", entry.facts)));
        }
        let attributes = reference::cache_attributes(spec.kind()?, spec.export);
        let entry = attributes.iter().find(|entry| entry.name == field.key)?;
        let end = field.value.map_or(field.key_span.end, |(_, span)| span.end);
        let span = Span { start: field.key_span.start, end };
        return Some((
            span,
            format!("**{}** (cache of type {})\n\n{}", entry.name, spec.kind()?, entry.facts),
        ));
    }
    let line = file.line(offset);
    let (start, text) = (file.lines().start(line), file.line_text(line));
    let column = (offset - start) as usize;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let first = text.get(..column)?.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
    let rest = text.get(first..)?;
    let word = rest.get(..rest.find(|c| !is_word(c)).unwrap_or(rest.len()))?;
    let entry = reference::setting(word)?;
    // A word of a text is no setting.
    let after = rest.get(word.len()..)?.trim_start();
    (word.starts_with("--") || after.starts_with([':', '=', '"', '\''])).then_some(())?;
    let span = Span { start: start + narrow(first), end: start + narrow(first + word.len()) };
    Some((span, format!("**{word}**\n\n{}", entry.facts)))
}

fn on_dockerfile(cx: &DockerfileCx<'_>, offset: u32) -> Found {
    let item =
        cx.syntax.items.iter().find(|item| item.span.start <= offset && offset < item.span.end.max(1))?;
    let ItemKind::Instruction(instruction) = &item.kind else { return None };
    let instruction = match &instruction.kind {
        Kind::Onbuild(inner) if inner.span.start <= offset => inner,
        _ => instruction,
    };
    if let Some(name) = Names::new(cx.syntax).at(offset).filter(|name| name.span != instruction.keyword_span)
    {
        return Some((
            name.span,
            match name.means {
                Means::Stage(stage) => of_stage(cx, stage),
                Means::Variable(declared) => of_variable(cx, declared),
            },
        ));
    }
    on_flag(instruction, offset).or_else(|| on_instruction(cx, instruction, offset))
}

/// A flag or an option of a mount: its facts.
fn on_flag(instruction: &Instruction<'_>, offset: u32) -> Found {
    let holds = |span: Span| span.start <= offset && offset <= span.end;
    let flag = instruction.flags.iter().find(|flag| holds(flag.span))?;
    let mounts = match &instruction.kind {
        Kind::Run(run) => run.mounts.as_slice(),
        _ => &[],
    };
    let mount = mounts.iter().find(|mount| mount.span == flag.span);
    if let Some(option) = mount.and_then(|mount| mount.options.iter().find(|option| holds(option.span))) {
        let kind = mount.and_then(|mount| mount.option(&["type"])).and_then(|option| option.value.as_ref());
        let kind = kind.map_or("bind", |kind| &*kind.text);
        let key = option.key.to_ascii_lowercase();
        let options = reference::mount_options(kind).iter();
        let entry = options.into_iter().find(|entry| entry.name == reference::canonical(&key))?;
        let mut text = format!("**{}** ({kind} mount)\n\n{}", entry.name, entry.facts);
        let of_type = reference::MOUNT_TYPES.iter().find(|entry| key == "type" && entry.name == kind);
        if let Some(of_type) = of_type {
            text = format!("**type={kind}**\n\n{}", of_type.facts);
        }
        return Some((option.span, text));
    }
    let entry = reference::flags(instruction.keyword).iter().find(|entry| entry.name == flag.name)?;
    Some((flag.span, format!("**--{}**\n\n{}", entry.name, entry.facts)))
}

/// An instruction: what its key turns on, and what runs it again.
fn on_instruction(cx: &DockerfileCx<'_>, instruction: &Instruction<'_>, offset: u32) -> Found {
    // In a long text the hover would be everywhere; the keyword is where it is looked for, and the rest of its line.
    let first = cx.line(instruction.span.start);
    let heredoc = instruction.heredocs.iter().any(|heredoc| heredoc.body.start <= offset);
    if heredoc {
        return None;
    }
    let keyword = instruction.keyword;
    let mut text = format!("**{}** {}\n", keyword.name(), reference::keyword(keyword));
    let step = cx.graph().all_steps().find(|(_, step)| step.instruction.span == instruction.span);
    match step {
        Some((id, _)) => of_step(cx, id, &mut text),
        None => of_metadata(cx, instruction, &mut text),
    }
    let end = cx.file.lines().start(first.saturating_add(1)).max(instruction.keyword_span.end);
    let line = Span { start: instruction.span.start, end: end.min(instruction.span.end) };
    let span = if line.start <= offset && offset <= line.end { line } else { instruction.span };
    Some((span, text))
}

fn of_step(cx: &DockerfileCx<'_>, id: StepId, text: &mut String) {
    let model = cx.model();
    let line = |offset| cx.line(offset);
    let ingredients = model.ingredients(id);
    if !ingredients.is_empty() {
        text.push_str("\nIts cache key turns on\n\n");
        for ingredient in ingredients {
            text.push_str(&format!("- {}\n", ingredient.name(line)));
        }
    }
    if cx.graph().step(id).is_some_and(|step| !is_reached(cx, step.stage)) {
        text.push_str("\nThe last stage does not need it: it is not built.\n");
        return;
    }
    let mut by_verdict: [(Verdict, &str, Vec<String>); 3] = [
        (Verdict::Reruns, "Runs again after", Vec::new()),
        (Verdict::Depends, "May run again, if what is written above it differs, after", Vec::new()),
        (Verdict::Cached, "Stays cached after", Vec::new()),
    ];
    for question in engine::questions(cx) {
        let answer = model.after(std::slice::from_ref(&question.change));
        let verdict = answer.verdict(id);
        let because = answer.because(id).into_iter().next().map(|because| because.message(line));
        if let Some((.., list)) = by_verdict.iter_mut().find(|(known, ..)| *known == verdict) {
            list.push(match because {
                Some(because) => format!("{}: {because}", question.words),
                None => question.words,
            });
        }
    }
    for (_, title, list) in by_verdict.iter().filter(|(.., list)| !list.is_empty()) {
        text.push_str(&format!("\n{title}\n\n"));
        for item in list {
            text.push_str(&format!("- {item}\n"));
        }
    }
}

fn is_reached(cx: &DockerfileCx<'_>, stage: usize) -> bool {
    cx.graph().reachable.get(stage).copied().unwrap_or(false)
}

/// What is no step: the RUNs that have it in their keys.
fn of_metadata(cx: &DockerfileCx<'_>, instruction: &Instruction<'_>, text: &mut String) {
    let declared: Vec<Span> = match &instruction.kind {
        Kind::Arg(decls) => decls.iter().map(|decl| decl.name.span).collect(),
        Kind::Env(pairs) => pairs.iter().map(|pair| pair.key.span).collect(),
        _ => return,
    };
    let runs = with_variable(cx, |span| declared.contains(&span));
    text.push_str(&match runs.as_slice() {
        [] => "\nNo RUN has it in its key.\n".to_owned(),
        runs => format!("\nIn the key of the RUN in {}.\n", words::lines(runs)),
    });
}

/// The lines of the RUNs with a variable in their keys that is declared at such a place.
fn with_variable(cx: &DockerfileCx<'_>, declared: impl Fn(Span) -> bool) -> Vec<u32> {
    let runs = cx.graph().all_steps().filter(|(_, step)| matches!(step.kind, StepKind::Run(_)));
    let has = |id: StepId| {
        let ingredients = cx.model().ingredients(id);
        ingredients.iter().any(|ingredient| ingredient.span.is_some_and(&declared))
    };
    runs.filter(|(id, _)| has(*id)).map(|(id, _)| cx.line_of(id)).collect()
}

fn of_variable(cx: &DockerfileCx<'_>, declared: Span) -> String {
    let source = cx.text();
    let names = Names::new(cx.syntax);
    // An ARG that hands on a global one is declared in its own place too.
    let places: Vec<Span> = names.places(Means::Variable(declared)).map(|name| name.span).collect();
    let runs = with_variable(cx, |span| places.contains(&span));
    let keys = match runs.as_slice() {
        [] => "No RUN has it in its key.".to_owned(),
        runs => format!("In the key of the RUN in {}.", words::lines(runs)),
    };
    format!("**{}**, declared in line {}\n\n{keys}", declared.of(source), cx.line(declared.start))
}

/// A stage: what it is made of and who needs it.
fn of_stage(cx: &DockerfileCx<'_>, stage: usize) -> String {
    let graph = cx.graph();
    let Some(found) = graph.stages.get(stage) else { return String::new() };
    let base = match &found.base {
        Base::Image(reference) => format!("from the image `{reference}`"),
        Base::Stage(parent) => format!("from stage `{}`", graph.stage_name(*parent)),
        Base::Named(name) => format!("from the context `{name}`"),
        Base::Scratch => "from nothing".to_owned(),
        Base::Invalid => "from something that BuildKit refuses".to_owned(),
    };
    let mut counts = [("RUN", 0), ("COPY", 0), ("WORKDIR", 0)];
    for (_, step) in graph.steps_of(stage) {
        let name = match step.kind {
            StepKind::Run(_) => "RUN",
            StepKind::Copy(_) => "COPY",
            StepKind::Workdir(_) => "WORKDIR",
            StepKind::From => continue,
        };
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == name) {
            *count += 1;
        }
    }
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(name, count)| format!("{count} {name}")).collect();
    let steps = if counts.is_empty() { "no steps of its own".to_owned() } else { words::list(&counts) };
    let mut text = format!(
        "**stage `{}`** {base}, line {}: {steps}\n",
        graph.stage_name(stage),
        cx.line(found.from.span.start)
    );
    let mut users: Vec<(u32, EdgeKind)> = Vec::new();
    for edge in graph.needs.raw_edges().iter().filter(|edge| edge.target().index() == stage) {
        let (kind, step) = edge.weight;
        users.push((cx.line_of(step), kind));
    }
    users.sort_unstable();
    users.dedup();
    for (line, kind) in &users {
        text.push_str(&match kind {
            EdgeKind::From => format!("\n- line {line} builds on it: by what its steps are"),
            EdgeKind::Copy => format!("\n- line {line} copies from it: by content"),
            EdgeKind::Mount => format!("\n- line {line} mounts it: by content"),
        });
    }
    if !users.is_empty() {
        text.push('\n');
    }
    if graph.target == Some(stage) {
        text.push_str("\nIt is what is built.\n");
    } else if !is_reached(cx, stage) {
        text.push_str("\nThe last stage does not need it: it is not built.\n");
    }
    for question in engine::questions(cx).into_iter().filter(|_| is_reached(cx, stage)) {
        let answer = cx.model().after(std::slice::from_ref(&question.change));
        let again = graph.steps_of(stage).filter(|(id, _)| answer.runs_again(*id)).count();
        if again > 0 {
            text.push_str(&format!("\n- after {}: {}", question.words, words::count(again, "step")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rule_in_a_suppression_has_its_page() {
        let text = "# hitrate: ignore[mutable-base, nonsense] mutable-base\nFROM alpine # mutable-base\n";
        let file = SourceFile::new("Dockerfile", text);
        let at = |needle: &str, nth: usize| {
            let offset = text.match_indices(needle).nth(nth).unwrap().0;
            on_rule(&file, u32::try_from(offset).unwrap() + 1)
                .map(|(span, page)| (span.of(text).to_owned(), page))
        };
        let (name, page) = at("mutable-base", 0).unwrap();
        assert_eq!(name, "mutable-base");
        assert!(page.starts_with("# mutable-base"));
        assert_eq!(at("mutable-base", 1), None, "a reason");
        assert_eq!(at("mutable-base", 2), None, "no comment");
        assert_eq!(at("nonsense", 0), None, "no rule");
    }
}
