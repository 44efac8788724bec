//! Makefiles: recipes as scripts, with the variables of the file.

use super::command::{ScriptEnv, ScriptText, names_builder, read_script, vars};
use super::{Build, Files, Placed, System, Var, Vars, join, name_volatility, parent};
use crate::builds::Volatility;
use crate::shell::Dialect;
use crate::source::{Joined, Span};
use rustc_hash::FxHashSet;

/// How many files one Makefile may include.
const MAX_INCLUDES: usize = 32;
/// Variables may be used before they are defined: so often all definitions are gone through.
const ROUNDS: usize = 3;

/// The builds that the recipes of a Makefile start. It is run in its own directory, or in the root where it is included
/// from there.
#[must_use]
pub fn read(path: &str, text: &str, files: Files<'_>) -> Vec<Build> {
    if !names_builder(text) && !text.contains("include") {
        return Vec::new();
    }
    let own = parse(text);
    if own.rules.iter().all(|rule| rule.lines.is_empty()) {
        return Vec::new();
    }
    let directory = parent(path);
    let mut env = ScriptEnv::new(path, System::Make);
    env.cwd = Some(directory.to_owned());
    if !directory.is_empty() {
        env.cwd_guesses.push(String::new());
    }
    env.vars = variables(&own, directory, &[], &Vars::default(), files);
    let mut out = Vec::new();
    for rule in &own.rules {
        run(rule, &rule.name, None, path, text, &mut env, files, &mut out);
    }
    out
}

/// The builds that `make TARGET…` starts: those of the targets and of what they need, in the order in which make runs
/// them. `given` are variables of the command line, which win over those of the file.
pub(super) fn targets(
    path: &str,
    text: &str,
    targets: &[String],
    given: &[(String, String)],
    mut env: ScriptEnv,
    files: Files<'_>,
) -> Vec<Build> {
    let own = parse(text);
    let directory = env.cwd.clone().unwrap_or_default();
    env.vars = variables(&own, &directory, given, &env.vars, files);
    let mut wanted: Vec<String> = targets.to_vec();
    if wanted.is_empty() {
        let goal = own.goal.clone();
        let first =
            || own.rules.iter().flat_map(|rule| &rule.targets).find(|name| !name.starts_with('.')).cloned();
        wanted.extend(goal.or_else(first));
    }
    let mut order: Vec<(usize, String)> = Vec::new();
    let mut seen = FxHashSet::default();
    for name in &wanted {
        needed(&own, name, &env.vars, &mut seen, &mut order, 0);
    }
    let mut out = Vec::new();
    for (index, name) in order {
        if let Some(rule) = own.rules.get(index) {
            let stem = rule.targets.iter().find_map(|pattern| stem(pattern, &name));
            run(rule, &name, stem, path, text, &mut env, files, &mut out);
        }
    }
    out
}

/// Appends the rules that a target needs, and its own after them.
fn needed(
    own: &Makefile,
    name: &str,
    vars: &Vars,
    seen: &mut FxHashSet<String>,
    order: &mut Vec<(usize, String)>,
    depth: u32,
) {
    if depth > 32 || order.len() > 512 || !seen.insert(name.to_owned()) {
        return;
    }
    let exact = |rule: &Rule| rule.targets.iter().any(|target| target == name);
    let by_pattern = |rule: &Rule| rule.targets.iter().any(|target| stem(target, name).is_some());
    let mut rules: Vec<usize> =
        (0..own.rules.len()).filter(|index| own.rules.get(*index).is_some_and(exact)).collect();
    if rules.is_empty() {
        rules = (0..own.rules.len())
            .filter(|index| own.rules.get(*index).is_some_and(by_pattern))
            .take(1)
            .collect();
    }
    for index in &rules {
        let Some(rule) = own.rules.get(*index) else { continue };
        let stem = rule.targets.iter().find_map(|pattern| stem(pattern, name));
        for need in &rule.needs {
            let need = match stem {
                Some(stem) => need.replacen('%', stem, 1),
                None => need.clone(),
            };
            let need = vars.value(&need);
            for need in need.known().unwrap_or("").split_whitespace() {
                needed(own, need, vars, seen, order, depth + 1);
            }
        }
    }
    order.extend(rules.into_iter().map(|index| (index, name.to_owned())));
}

/// What `%` stands for in a pattern that a name matches.
fn stem<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let (before, after) = pattern.split_once('%')?;
    name.strip_prefix(before)?.strip_suffix(after).filter(|stem| !stem.is_empty())
}

/// Runs the recipe of a rule.
#[allow(clippy::too_many_arguments)] // a rule, its name, where it stands, and what it changes
fn run(
    rule: &Rule,
    name: &str,
    stem: Option<&str>,
    path: &str,
    text: &str,
    env: &mut ScriptEnv,
    files: Files<'_>,
    out: &mut Vec<Build>,
) {
    for span in &rule.lines {
        let raw = span.of(text);
        // `$(DOCKER) build`, `${BUILD_CMD}`: the program may be in a variable; `./build.sh`, `make x`: in another file.
        if !names_builder(raw)
            && !raw.contains("$(")
            && !raw.contains("${")
            && !raw.contains('/')
            && !raw.contains("make")
        {
            continue;
        }
        let mut line = env.clone();
        if env.depth == 0 {
            line.name = vec![name.to_owned()];
            line.job = format!("{path}:{name}");
        }
        line.vars.set_foreign("@", name);
        if let Some(stem) = stem {
            line.vars.set_foreign("*", stem);
        }
        let joined = Joined::whole(text, *span);
        let script = ScriptText { source: text, joined: &joined, dialect: Dialect::Make };
        read_script(&script, &mut line, files, out);
        // A builder that one line creates is there for the next; directories and variables are not.
        (env.builder, env.builders, env.pulled) = (line.builder, line.builders, line.pulled);
    }
}

struct Makefile {
    definitions: Vec<Definition>,
    rules: Vec<Rule>,
    includes: Vec<String>,
    /// `.DEFAULT_GOAL`
    goal: Option<String>,
}

/// Targets with what they need and their recipe; or a `define`, whose lines are recipes of whoever calls it.
struct Rule {
    /// As written.
    name: String,
    targets: Vec<String>,
    needs: Vec<String>,
    /// The lines of the recipe, or all of it as one where `.ONESHELL` is on.
    lines: Vec<Span>,
}

struct Definition {
    name: String,
    /// `=`, `:=`, `+=`, `?=`, `!=`
    operator: &'static str,
    value: Placed,
    /// Not inside of `ifeq` and the like.
    certain: bool,
}

/// The variables of a Makefile and of what it includes. Those of the environment give way, except to `?=`.
fn variables(
    own: &Makefile,
    directory: &str,
    given: &[(String, String)],
    environment: &Vars,
    files: Files<'_>,
) -> Vars {
    let mut included = Vec::new();
    let mut queue: Vec<String> = own.includes.clone();
    let mut seen: FxHashSet<String> = FxHashSet::default();
    while let Some(name) = queue.pop() {
        let Some(path) = join(directory, &name).filter(|path| seen.insert(path.clone())) else { continue };
        if included.len() >= MAX_INCLUDES {
            break;
        }
        if let Some(text) = files(&path) {
            let more = parse(text);
            queue.extend(more.includes.iter().cloned());
            included.push(more);
        }
    }
    let mut vars = Vars::default();
    for (name, value) in given {
        vars.set_foreign(name, value);
    }
    for _ in 0..ROUNDS {
        let mut defined = FxHashSet::default();
        let foreign = included.iter().flat_map(|file| &file.definitions).map(|definition| (definition, true));
        let all = foreign.chain(own.definitions.iter().map(|definition| (definition, false)));
        for (definition, foreign) in all {
            let name = definition.name.as_str();
            let kept = given.iter().any(|(given, _)| given == name)
                || definition.operator == "?=" && environment.get(name).is_some();
            if !kept {
                define(definition, foreign, &mut defined, &mut vars);
            }
        }
    }
    vars.complete(environment);
    vars
}

fn define<'d>(definition: &'d Definition, foreign: bool, defined: &mut FxHashSet<&'d str>, vars: &mut Vars) {
    let name = definition.name.as_str();
    let first = defined.insert(name);
    if definition.operator == "?=" {
        if !first {
            return;
        }
        // What CI sets in every run is not what the file says.
        let literal = super::Value::of(definition.value.text.as_str()).known().is_some();
        if literal && name_volatility(name) > Volatility::Unknown {
            return;
        }
    }
    let own = if first { Var::default() } else { vars.get(name).cloned().unwrap_or_default() };
    vars.unset(name);
    let mut var = Var { foreign, ..vars.var(&definition.value) };
    if foreign {
        var.text = var.text.moved(Span::default());
    }
    if !first || definition.operator == "+=" {
        vars.put(name, own);
    }
    if definition.operator == "+=" && vars.get(name).is_some_and(|old| !old.text.text.is_empty()) {
        // Make puts a blank between the parts.
        let mut spaced = Placed::whole(" ", var.text.full_span());
        let length = var.text.text.len();
        spaced.push(&var.text, 0..length);
        var.text = spaced;
    }
    vars::merge(name, var, definition.certain, definition.operator == "+=", vars);
}

fn parse(text: &str) -> Makefile {
    let mut makefile =
        Makefile { definitions: Vec::new(), rules: Vec::new(), includes: Vec::new(), goal: None };
    // Whether a tab begins a line of the last rule's recipe.
    let mut open = false;
    let (mut depth, mut one_shell, mut defining) = (0_u32, false, None::<(String, usize)>);
    let mut at = 0;
    while at < text.len() {
        let span = logical_line(text, at);
        let line = span.of(text);
        let next = span.end as usize + 1;
        let start = std::mem::replace(&mut at, next);
        let bare = line.trim_start();
        let word = bare.split([' ', '\t', '(', '\n', '\r']).next().unwrap_or("");
        if let Some((name, from)) = &defining {
            if word == "endef" {
                let value = value(text, *from, start);
                let certain = depth == 0;
                makefile.definitions.push(Definition { name: name.clone(), operator: "=", value, certain });
                defining = None;
            } else if line.starts_with('\t')
                && let Some(rule) = makefile.rules.last_mut()
            {
                rule.lines.push(recipe(text, span));
            }
            continue;
        }
        if line.starts_with('\t')
            && open
            && let Some(rule) = makefile.rules.last_mut()
        {
            let recipe = recipe(text, span);
            match rule.lines.last_mut() {
                Some(last) if one_shell => last.end = recipe.end,
                _ => rule.lines.push(recipe),
            }
            continue;
        }
        match word {
            "" => continue,
            _ if word.starts_with('#') => continue,
            "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
                depth = depth.saturating_add(1);
                continue;
            }
            "endif" => {
                depth = depth.saturating_sub(1);
                continue;
            }
            "else" => continue,
            "include" | "-include" | "sinclude" => {
                let names = bare.split_whitespace().skip(1).take_while(|name| !name.starts_with('#'));
                makefile.includes.extend(names.filter(|name| !name.contains('$')).map(str::to_owned));
                continue;
            }
            "define" => {
                let name =
                    bare.split_whitespace().nth(1).unwrap_or("").trim_end_matches(['=', ':']).to_owned();
                makefile.rules.push(Rule {
                    name: name.clone(),
                    targets: Vec::new(),
                    needs: Vec::new(),
                    lines: Vec::new(),
                });
                defining = Some((name, next));
                open = false;
                continue;
            }
            _ => {}
        }
        let offset = start + (line.len() - bare.len());
        if let Some(definition) = definition(text, offset, span.end as usize, depth == 0) {
            if definition.name == ".DEFAULT_GOAL" {
                makefile.goal = Some(definition.value.text.clone());
            }
            makefile.definitions.push(definition);
            // Inside of a rule only a tab makes a recipe.
            open = false;
        } else if let Some((names, rest)) = bare.split_once(':') {
            let name = names.trim();
            one_shell |= name == ".ONESHELL";
            let inline = rest.find(';');
            let needs = rest.get(..inline.unwrap_or(rest.len())).unwrap_or("");
            let needs = needs.trim_start_matches(':').split(" #").next().unwrap_or("");
            // `target: NAME = value` sets a variable for the target alone.
            let needs = if needs.contains('=') { "" } else { needs };
            makefile.rules.push(Rule {
                name: name.to_owned(),
                targets: name.split_whitespace().map(str::to_owned).collect(),
                needs: needs
                    .split_whitespace()
                    .filter(|need| *need != "|" && *need != "\\")
                    .map(str::to_owned)
                    .collect(),
                lines: Vec::new(),
            });
            open = true;
            // `target: ; command`
            if let Some(inline) = inline
                && let Some(rule) = makefile.rules.last_mut()
            {
                let end = span.end as usize;
                let from = end - (rest.len() - inline - 1);
                rule.lines.push(recipe(text, Span::new(from.min(end), end)));
            }
        } else {
            open = false;
        }
    }
    makefile
}

/// The line at `at` with those that a backslash joins to it, without its end.
fn logical_line(text: &str, at: usize) -> Span {
    let bytes = text.as_bytes();
    let mut end = at;
    loop {
        let rest = bytes.get(end..).unwrap_or(b"");
        let Some(newline) = memchr::memchr(b'\n', rest) else { return Span::new(at, text.len()) };
        end += newline;
        let before = bytes.get(at..end).unwrap_or(b"");
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Span::new(at, end);
        }
        end += 1;
    }
}

/// A line of a recipe without the tab and the marks before the command.
fn recipe(text: &str, span: Span) -> Span {
    let command = span.of(text).trim_start_matches(['\t', ' ', '@', '-', '+']);
    Span::new(span.end as usize - command.len(), span.end as usize)
}

/// `[export|override] NAME operator value`.
fn definition(text: &str, start: usize, end: usize, certain: bool) -> Option<Definition> {
    let line = text.get(start..end)?;
    let mut rest = line;
    for modifier in ["export", "override", "private"] {
        if let Some(after) = rest.strip_prefix(modifier).filter(|after| after.starts_with([' ', '\t'])) {
            rest = after.trim_start();
        }
    }
    let length =
        rest.find(|ch: char| ch.is_whitespace() || matches!(ch, '=' | ':' | '+' | '?' | '!' | '#'))?;
    let name = rest.get(..length).filter(|name| !name.is_empty())?;
    let after = rest.get(length..)?.trim_start();
    let operators = [":::=", "::=", ":=", "?=", "+=", "!=", "="];
    let operator = operators.into_iter().find(|operator| after.starts_with(operator))?;
    let from = end - (after.len() - operator.len());
    let value = value(text, from, end);
    let value = if operator == "!=" {
        let mut command = Placed::whole("$(shell ", value.full_span());
        command.push(&value, 0..value.text.len());
        command.push_whole(")", value.full_span());
        command
    } else {
        value
    };
    Some(Definition { name: name.to_owned(), operator, value, certain })
}

/// The text between two offsets: comments cut, blanks and the ends of joined lines made one blank.
fn value(text: &str, from: usize, to: usize) -> Placed {
    let raw = text.get(from..to).unwrap_or("");
    let whole = Placed::exact(raw, u32::try_from(from).unwrap_or(u32::MAX));
    let mut end = raw.len();
    let mut before = ' ';
    for (at, ch) in raw.char_indices() {
        if ch == '#' && before != '\\' && before.is_whitespace() {
            end = at;
            break;
        }
        before = ch;
    }
    let range = super::placed::trimmed(raw, 0..end);
    let mut out = Placed::default();
    let mut at = range.start;
    let kept = raw.get(..range.end).unwrap_or("");
    // The backslash of a joined line is no part of the value.
    for (found, _) in kept.match_indices('\\').filter(|(found, _)| {
        kept.get(found + 1..).is_some_and(|rest| rest.starts_with('\n') || rest.starts_with("\r\n"))
    }) {
        if found >= at {
            out.push(&whole, at..found);
            at = found + 1;
        }
    }
    out.push(&whole, at..range.end);
    // What is the shell's dollar where the value is used.
    let out = super::command::make_dollars(&out);
    if out.text.is_empty() { Placed::whole("", Span::new(from, from)) } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::{ContextSource, Driver, Value};

    fn of(text: &str) -> Vec<Build> {
        read("a/Makefile", text, &|_| None)
    }

    #[test]
    fn recipes_with_variables_stand_where_they_are_written() {
        let text = "REGISTRY ?= r\nIMAGE = $(REGISTRY)/app\nVERSION ?= dev\nFLAGS := --cache-from $(IMAGE):c \\\n\t--target run # note\nFLAGS += --pull\nDOCKER := docker\n\nbuild: deps ## help\n\t@echo build\n\t@$(DOCKER) build $(FLAGS) -t $(IMAGE):$(VERSION) \\\n\t  --build-arg D=$$(date) -f docker/$@.Dockerfile .\n\n.PHONY: build\n";
        let builds = of(text);
        assert_eq!(builds.len(), 1);
        let build = &builds[0];
        assert_eq!(build.name, ["build"]);
        assert_eq!(build.context.value, ContextSource::Path("a".into()));
        assert_eq!(build.dockerfile.as_ref().unwrap().value, "a/docker/build.Dockerfile");
        assert_eq!(build.cache_from[0].value.attr("ref").unwrap().value, Value::Known("r/app:c".into()));
        assert_eq!(build.cache_from[0].span.of(text), "$(IMAGE):c");
        assert_eq!(build.target.as_ref().unwrap().span.of(text), "run");
        assert!(build.pull.is_some());
        let tag = &build.tags[0].value;
        assert_eq!((tag.text(), tag.volatility()), ("r/app:$(VERSION)", Volatility::PerRelease));
        assert_eq!(build.args[0].1.value.volatility(), Volatility::PerRun);
        assert_eq!(build.args[0].1.span.of(text), "D=$$(date)");
    }

    #[test]
    fn conditions_defines_and_builders() {
        let text = "ifeq ($(CI),true)\nBUILD := DOCKER_BUILDKIT=1 docker buildx build --cache-to type=inline\nelse\nBUILD := docker build\nendif\nifdef X\nEXTRA = --cache-to type=gha\nendif\ndefine run\n\t@docker build d\nendef\nsetup:\n\tdocker buildx create --use\none: setup ; docker buildx build i\ntwo:\n\t$(BUILD) $(EXTRA) x\n\tcd sub && docker build .\n";
        let builds = of(text);
        let names: Vec<_> = builds.iter().map(|build| build.name.join("")).collect();
        assert_eq!(names, ["run", "one", "two", "two"]);
        assert_eq!(builds[1].builder.driver, Driver::DockerContainer);
        assert_eq!(builds[2].cache_to.len(), 2);
        assert!(builds[2].conditional_export);
        assert_eq!(builds[3].context.value, ContextSource::Path("a/sub".into()));
    }

    #[test]
    fn a_variable_that_is_sudo_or_nothing_stands_before_the_command() {
        let text = "SUDO := $(shell docker info >/dev/null 2>&1 || echo \"sudo -E\")\na:\n\t$(SUDO) docker build -t a .\nb:\n\t$(WITH_SUDO) docker build -t b .\n";
        let tags: Vec<_> = of(text).iter().map(|build| build.tags[0].value.text().to_owned()).collect();
        assert_eq!(tags, ["a", "b"]);
    }

    #[test]
    fn a_variable_beside_the_context_holds_options() {
        let text = "a:\n\tdocker build images/x $(DOCKER_BUILD_ARGS) -f images/Dockerfile\nb:\n\tdocker build $(CONTEXT)\n";
        let contexts: Vec<_> = of(text).iter().map(|build| build.context.value.clone()).collect();
        assert_eq!(contexts[0], ContextSource::Path("a/images/x".into()));
        assert!(matches!(contexts[1], ContextSource::Unknown(_)));
    }

    #[test]
    fn one_shell_and_includes() {
        let text = "include common.mk\n.ONESHELL:\nb:\n\tcd x\n\tdocker build -t $(IMAGE) .\n";
        let files = |path: &str| (path == "a/common.mk").then_some("IMAGE := r/x\n");
        let builds = read("a/Makefile", text, &files);
        assert_eq!(builds[0].context.value, ContextSource::Path("a/x".into()));
        assert_eq!(builds[0].tags[0].value, Value::Known("r/x".into()));
        assert_eq!(builds[0].tags[0].span.of(text), "$(IMAGE)");
    }

    #[test]
    fn any_text_gives_something() {
        for text in [
            "a:\n\tdocker build $(",
            "define x\n\tdocker",
            "= docker",
            "A = $(A) docker\nb:\n\t$(A) build .",
            "\\\ndocker",
            "a: docker \\",
        ] {
            let _ = of(text);
        }
        let mut deep = String::new();
        for i in 0..200 {
            deep.push_str(&format!("V{i} = $(V{0}) $(V{0}) docker\n", i + 1));
        }
        let _ = of(&format!("{deep}a:\n\t$(V0) build .\n"));
    }
}
