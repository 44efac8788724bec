//! Makefiles: recipes as scripts, with the variables of the file.

use super::command::{ScriptEnv, ScriptText, names_builder, read_script, vars};
use super::{Build, Files, Placed, System, Var, Vars, join, name_volatility, parent};
use crate::builds::Volatility;
use crate::shell::Dialect;
use crate::source::{Joined, Span};
pub use read_once::Makefiles;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use syntax::{Definition, Makefile, Rule, parse};

mod read_once;
mod syntax;

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
    let included = included(&own, directory, files, &|_, text| Arc::new(parse(text)));
    env.vars = variables(&own, &included, &[], &Vars::default());
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
    let makefiles = env.makefiles.clone();
    let own = makefiles.parsed(path, text);
    let directory = env.cwd.clone().unwrap_or_default();
    let mut vars = makefiles.variables(path, &own, &directory, given, &env.vars, files);
    vars.complete(&env.vars);
    env.vars = vars;
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

/// What a Makefile includes.
fn included(
    own: &Makefile,
    directory: &str,
    files: Files<'_>,
    parsed: &dyn Fn(&str, &str) -> Arc<Makefile>,
) -> Vec<Arc<Makefile>> {
    let mut included = Vec::new();
    let mut queue: Vec<String> = own.includes.clone();
    let mut seen: FxHashSet<String> = FxHashSet::default();
    while let Some(name) = queue.pop() {
        let Some(path) = join(directory, &name).filter(|path| seen.insert(path.clone())) else { continue };
        if included.len() >= MAX_INCLUDES {
            break;
        }
        if let Some(text) = files(&path) {
            let more = parsed(&path, text);
            queue.extend(more.includes.iter().cloned());
            included.push(more);
        }
    }
    included
}

/// The variables of a Makefile and of what it includes. Those of the environment give way, except to `?=`.
fn variables(
    own: &Makefile,
    included: &[Arc<Makefile>],
    given: &[(String, String)],
    environment: &Vars,
) -> Vars {
    let mut vars = Vars::default();
    for (name, value) in given {
        vars.set_foreign(name, value);
    }
    for _ in 0..ROUNDS {
        let before = vars.clone();
        let mut defined = FxHashSet::default();
        let foreign = included.iter().flat_map(|file| &file.definitions).map(|definition| (definition, true));
        let all = foreign.chain(own.definitions.iter().map(|definition| (definition, false)));
        for (definition, foreign) in all {
            let name = definition.name.as_str();
            if given.iter().any(|(given, _)| given == name) {
                continue;
            }
            match environment.get(name).filter(|_| definition.operator == "?=") {
                Some(set) => vars.put(name, set.clone()),
                None => define(definition, foreign, &mut defined, &mut vars),
            }
        }
        // From here on every round does the same.
        if vars == before {
            break;
        }
    }
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
