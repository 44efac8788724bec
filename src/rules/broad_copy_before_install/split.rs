//! The fix: the manifests first, then the install, then the rest.

use crate::cache::Change;
use crate::context::path;
use crate::dockerfile::{Command, Keyword, Kind};
use crate::fix::instructions::{block, line_end, lines, whole_lines};
use crate::fix::{apply, select};
use crate::graph::{CopyStep, Source, StepId, StepKind};
use crate::rules::ToolUse;
use crate::rules::manifests::Manifest;
use crate::rules::work::{command_touches, is_plain};
use crate::rules::{DockerfileCx, Fix, Safety};
use crate::shell::{Cwd, Link};
use crate::tools::Needs;

/// With more directories than this, copying manifests one by one is no help.
const MAX_DIRECTORIES: usize = 12;

/// Directories that installs fill: a copy after the install must not bring those of the context over them.
const RESULTS: &[(&str, &str)] = &[
    ("javascript", "node_modules"),
    ("php", "vendor"),
    ("ruby", "vendor/bundle"),
    ("python", ".venv"),
    ("elixir", "deps"),
];

/// The edits, where it is certain that they leave the build as it is; `file` is the edit that has to cost less afterwards.
pub(super) fn fix(
    cx: &DockerfileCx<'_>,
    taker: StepId,
    install: StepId,
    job: &ToolUse<'_>,
    manifests: &[Manifest],
    file: &str,
) -> Option<Fix> {
    let graph = cx.graph();
    let (from, to) = (graph.step(taker)?, graph.step(install)?);
    let StepKind::Copy(copy) = &from.kind else { return None };
    let Kind::Copy(syntax) = &from.instruction.kind else { return None };
    if from.stage != to.stage || from.onbuild || to.onbuild || copy.from != Source::Context || syntax.json {
        return None;
    }
    let has = |names: &[String]| {
        let name = |text: &String| path::base(text).to_owned();
        names.iter().any(|pattern| manifests.iter().any(|one| name(pattern) == path::base(&one.below)))
    };
    let complete = manifests.is_empty() || has(&job.tool.manifests) || !job.named.is_empty();
    if !complete
        || job.tool.name == "cargo"
        || brings_results(cx, taker, job)
        || !can_move(cx, taker, install)
    {
        return None;
    }
    let end = line_end(cx.text());
    let copies = if manifests.is_empty() { Vec::new() } else { copies(cx, taker, copy, job, manifests)? };
    let mut lines_before = String::new();
    for line in copies {
        lines_before.push_str(&line);
        lines_before.push_str(end);
    }
    let moved = block(cx.syntax, from.instruction.span.start)?;
    let rest = whole_lines(cx.text(), moved);
    let mut fix = Fix::needs_a_look("copy the manifests first, the rest after the install").replace(
        cx.path(),
        moved,
        lines_before,
    );
    fix = match cut(cx, taker, install, job)? {
        Cut::Whole => {
            let after = lines(cx.syntax, to.instruction.span.start)?;
            let ends = cx.text().get(..after.end as usize)?.ends_with('\n');
            let text = if ends { rest } else { format!("{end}{}", rest.trim_end_matches(['\r', '\n'])) };
            fix.insert(cx.path(), after.end, text)
        }
        Cut::Between(joiner, run) => fix.replace(cx.path(), joiner, format!("{end}{rest}{run}")),
    };
    let selection = select([&fix], Safety::Unsafe);
    let text = apply(cx.text(), selection.edits.get(cx.path())?);
    let edit = [Change::Edit(vec![file.to_owned()])];
    let better = cx.model().with_text(&text, |model| {
        let answer = model.after(&edit);
        // The install is the RUN that stands where it stood among its stage's RUNs.
        let runs = |graph: &crate::graph::Graph<'_>, before: Option<StepId>| {
            let runs = graph.steps_of(from.stage).filter(|(_, step)| matches!(step.kind, StepKind::Run(_)));
            runs.filter(|(id, _)| before.is_none_or(|before| *id < before))
                .map(|(id, _)| id)
                .collect::<Vec<_>>()
        };
        let place = runs(graph, Some(install)).len();
        runs(&model.graph, None).get(place).is_some_and(|id| !answer.runs_again(*id))
    });
    better.then_some(fix)
}

/// Whether the copy takes a directory that the install fills.
fn brings_results(cx: &DockerfileCx<'_>, taker: StepId, job: &ToolUse<'_>) -> bool {
    let result =
        RESULTS.iter().find(|(ecosystem, _)| job.tool.ecosystem == *ecosystem).map(|(_, result)| *result);
    let Some(files) = cx.model().taken_files(taker) else { return true };
    result.is_some_and(|result| {
        let (inside, below) = (format!("/{result}/"), format!("{result}/"));
        files.iter().any(|file| file.starts_with(&below) || file.contains(&inside))
    })
}

/// Whether the copy means the same below the install, and nothing between them needs it.
fn can_move(cx: &DockerfileCx<'_>, taker: StepId, install: StepId) -> bool {
    let graph = cx.graph();
    let Some(from) = graph.step(taker) else { return false };
    let Kind::Copy(syntax) = &from.instruction.kind else { return false };
    let (start, end) = (
        from.instruction.span.end,
        graph.step(install).map_or(from.instruction.span.end, |step| step.instruction.span.start),
    );
    let variables = from.instruction.args.text.contains('$')
        || from
            .instruction
            .flags
            .iter()
            .any(|flag| flag.value.as_ref().is_some_and(|value| value.text.contains('$')));
    let relative = !syntax.dest.text.starts_with('/');
    let between = cx.syntax.instructions().filter(|one| start <= one.span.start && one.span.start < end);
    for instruction in between {
        let fine = match instruction.keyword {
            Keyword::Env | Keyword::Arg => !variables,
            Keyword::Workdir => !relative,
            Keyword::Copy | Keyword::Add | Keyword::From | Keyword::Onbuild => false,
            _ => true,
        };
        if !fine {
            return false;
        }
    }
    let runs =
        cx.facts.runs().filter(|(id, step, _)| taker < *id && *id < install && step.stage == from.stage);
    runs.into_iter().all(|(id, step, _)| is_free(cx, id, taker, step))
}

/// Whether a RUN reads nothing of what the copy brought.
fn is_free(cx: &DockerfileCx<'_>, run: StepId, taker: StepId, step: &crate::graph::Step<'_>) -> bool {
    let uses = cx.uses(run);
    let StepKind::Run(details) = &step.kind else { return false };
    details.mounts.iter().all(|mount| mount.from != Source::Context)
        && cx.is_known(run)
        && uses.tools.iter().all(|job| job.needs == Needs::None)
        && !super::super::work::touches(cx, run, taker)
}

/// Where the install ends in its RUN.
enum Cut {
    /// With it.
    Whole,
    /// At the span between two commands; the text that starts the rest as a RUN of its own.
    Between(crate::source::Span, String),
}

fn cut(cx: &DockerfileCx<'_>, taker: StepId, install: StepId, job: &ToolUse<'_>) -> Option<Cut> {
    let step = cx.graph().step(install)?;
    let script = cx.facts.script(install);
    let uses = cx.uses(install);
    let reads = |number: usize| match uses.tools.iter().find(|job| job.command == number) {
        Some(job) => job.needs == Needs::Sources || job.kind == crate::tools::Kind::Run,
        // What is removed need not be there; what is copied, moved or changed has to be.
        None => script.commands.get(number).is_none_or(|command| {
            let removes = matches!(command.program(), Some("rm" | "rmdir"));
            !is_plain(command) || !removes && command_touches(cx, install, command, taker)
        }),
    };
    let Some(first) = (job.command + 1..script.commands.len()).find(|number| reads(*number)) else {
        return Some(Cut::Whole);
    };
    let Kind::Run(run) = &step.instruction.kind else { return None };
    if !matches!(run.command, Command::Shell(_)) || !step.instruction.heredocs.is_empty() {
        return None;
    }
    let own = |number: usize| {
        script.commands.get(number).filter(|command| command.depth == 0 && !command.substitution)
    };
    // What a shell keeps from one command to the next would be lost.
    let stateless = (0..script.commands.len()).all(|number| {
        own(number).is_some_and(|command| {
            command.cwd == Cwd::Start
                && !command.argv.is_empty()
                && command.bindings == 0
                && !matches!(
                    command.program(),
                    Some("set" | "export" | "cd" | "umask" | "shopt" | "." | "source")
                )
        })
    });
    let (before, after) = (own(first.checked_sub(1)?)?, own(first)?);
    if !stateless || after.link != Link::And {
        return None;
    }
    let joiner = crate::source::Span { start: before.span.end, end: after.span.start };
    if joiner.of(cx.text()).contains('#') || !joiner.of(cx.text()).contains("&&") {
        return None;
    }
    let flags = step.instruction.flags.iter().map(|flag| format!("{} ", flag.span.of(cx.text())));
    let keyword = step.instruction.keyword_span.of(cx.text());
    Some(Cut::Between(joiner, format!("{keyword} {}", flags.collect::<String>())))
}

/// The COPYs of the manifests.
fn copies(
    cx: &DockerfileCx<'_>,
    taker: StepId,
    copy: &CopyStep<'_>,
    job: &ToolUse<'_>,
    manifests: &[Manifest],
) -> Option<Vec<String>> {
    let step = cx.graph().step(taker)?;
    let directory = job.directory.as_deref()?;
    let blank = |manifest: &Manifest| manifest.file.contains(char::is_whitespace);
    if manifests.iter().any(blank) {
        return None;
    }
    let kept =
        step.instruction.flags.iter().filter(|flag| !matches!(&*flag.name, "exclude" | "parents" | "unpack"));
    let flags: String = kept.map(|flag| format!(" {}", flag.span.of(cx.text()))).collect();
    let base = match directory {
        _ if directory == step.state.cwd => "./".to_owned(),
        _ => format!("{}/", directory.trim_end_matches('/')),
    };
    let mut groups: Vec<(&str, Vec<&Manifest>)> = Vec::new();
    for manifest in manifests {
        let inner = path::parent(&manifest.below);
        match groups.iter_mut().find(|(other, _)| *other == inner) {
            Some((_, group)) => group.push(manifest),
            None => groups.push((inner, vec![manifest])),
        }
    }
    let line = |inner: &str, group: &[&Manifest]| {
        let files: Vec<&str> = group.iter().map(|one| one.file.as_str()).collect();
        let dest = if inner.is_empty() {
            base.clone()
        } else {
            format!("{}{inner}/", base.trim_start_matches("./"))
        };
        format!("COPY{flags} {} {dest}", files.join(" "))
    };
    if groups.len() <= 2 {
        return Some(groups.iter().map(|(inner, group)| line(inner, group)).collect());
    }
    if groups.len() > MAX_DIRECTORIES {
        return None;
    }
    let whole = copy.sources.iter().all(|source| path::below_root(&source.text).is_empty());
    if whole
        && takes_parents(cx)
        && cx.model().writes(taker).first().is_some_and(|written| written.path == directory)
    {
        let files: Vec<&str> = manifests.iter().map(|one| one.file.as_str()).collect();
        return Some(vec![format!("COPY --parents{flags} {} {base}", files.join(" "))]);
    }
    Some(groups.iter().map(|(inner, group)| line(inner, group)).collect())
}

/// Whether the frontend that the file asks for knows `COPY --parents` (stable from 1.20, before in labs from 1.7).
fn takes_parents(cx: &DockerfileCx<'_>) -> bool {
    let syntax = cx.syntax.directives.iter().find(|directive| directive.name.eq_ignore_ascii_case("syntax"));
    let Some(tag) = syntax.and_then(|directive| {
        let reference = directive.value.split('@').next()?;
        let (name, tag) = reference.rsplit_once(':')?;
        name.ends_with("docker/dockerfile").then_some(tag)
    }) else {
        return false;
    };
    let (version, labs) =
        tag.split_once('-').map_or((tag, false), |(version, rest)| (version, rest == "labs"));
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(1)), None) => true,
        (Some(Ok(1)), Some(Ok(minor))) => minor >= if labs { 7 } else { 20 },
        _ => tag == "labs" || tag == "latest",
    }
}
