//! Makefiles: recipes as scripts, with the variables of the file.

use super::command::{ScriptEnv, ScriptText, may_build, read_script, vars};
use super::{Build, Files, Placed, System, Var, Vars, join, name_volatility, parent};
use crate::builds::Volatility;
use crate::shell::Dialect;
use crate::source::{Joined, Span};
use rustc_hash::FxHashSet;

/// How many files one Makefile may include.
const MAX_INCLUDES: usize = 32;
/// Variables may be used before they are defined: so often all definitions are gone through.
const ROUNDS: usize = 3;

/// The builds that the recipes of a Makefile start. It is run in its own directory.
#[must_use]
pub fn read(path: &str, text: &str, files: Files<'_>) -> Vec<Build> {
    if !may_build(text) && !text.contains("include") {
        return Vec::new();
    }
    let own = parse(text);
    if own.recipes.is_empty() {
        return Vec::new();
    }
    let directory = parent(path);
    let vars = variables(&own, directory, files);
    let mut env = ScriptEnv::new(path, System::Make);
    env.cwd = Some(directory.to_owned());
    // An included file is run from where the including one is.
    if !directory.is_empty() {
        env.cwd_guesses.push(String::new());
    }
    env.vars = vars;
    let mut out = Vec::new();
    for recipe in &own.recipes {
        let raw = recipe.span.of(text);
        // `$(DOCKER) build`, `${BUILD_CMD}`: the program may be in a variable.
        if !may_build(raw) && !raw.contains("$(") && !raw.contains("${") {
            continue;
        }
        let mut line = env.clone();
        line.name = vec![recipe.target.clone()];
        line.job = format!("{path}:{}", recipe.target);
        line.vars.set_foreign("@", &recipe.target);
        let joined = Joined::whole(text, recipe.span);
        let text = ScriptText { source: text, joined: &joined, dialect: Dialect::Make };
        read_script(&text, &mut line, files, &mut out);
        // A builder that one line creates is there for the next; directories and variables are not.
        (env.builder, env.builders, env.pulled) = (line.builder, line.builders, line.pulled);
    }
    out
}

struct Makefile {
    definitions: Vec<Definition>,
    recipes: Vec<Recipe>,
    includes: Vec<String>,
}

struct Definition {
    name: String,
    /// `=`, `:=`, `+=`, `?=`, `!=`
    operator: &'static str,
    value: Placed,
    /// Not inside of `ifeq` and the like.
    certain: bool,
}

/// One line of a recipe, or all of it where `.ONESHELL` is on.
struct Recipe {
    target: String,
    span: Span,
}

/// The variables of a Makefile and of what it includes.
fn variables(own: &Makefile, directory: &str, files: Files<'_>) -> Vars {
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
    for _ in 0..ROUNDS {
        let mut defined = FxHashSet::default();
        let foreign = included.iter().flat_map(|file| &file.definitions).map(|definition| (definition, true));
        let all = foreign.chain(own.definitions.iter().map(|definition| (definition, false)));
        for (definition, foreign) in all {
            define(definition, foreign, &mut defined, &mut vars);
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

fn parse(text: &str) -> Makefile {
    let mut makefile = Makefile { definitions: Vec::new(), recipes: Vec::new(), includes: Vec::new() };
    let mut target: Option<String> = None;
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
                makefile.definitions.push(Definition {
                    name: name.clone(),
                    operator: "=",
                    value,
                    certain: depth == 0,
                });
                defining = None;
            } else if line.starts_with('\t') {
                makefile.recipes.push(recipe(text, span, name));
            }
            continue;
        }
        if line.starts_with('\t') && target.is_some() {
            let target = target.clone().unwrap_or_default();
            let recipe = recipe(text, span, &target);
            match makefile.recipes.last_mut() {
                Some(last) if one_shell && last.target == recipe.target => last.span.end = recipe.span.end,
                _ => makefile.recipes.push(recipe),
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
                defining = Some((name, next));
                target = None;
                continue;
            }
            _ => {}
        }
        let offset = start + (line.len() - bare.len());
        if let Some(definition) = definition(text, offset, span.end as usize, depth == 0) {
            makefile.definitions.push(definition);
            // Inside of a rule only a tab makes a recipe.
            target = None;
        } else if let Some((names, rest)) = bare.split_once(':') {
            let name = names.trim();
            one_shell |= name == ".ONESHELL";
            target = Some(name.to_owned());
            // `target: ; command`
            if let Some(inline) = rest.find(';') {
                let from = span.end as usize - (rest.len() - inline - 1);
                let span = Span::new(from.min(span.end as usize), span.end as usize);
                makefile.recipes.push(recipe(text, span, name));
            }
        } else {
            target = None;
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
fn recipe(text: &str, span: Span, target: &str) -> Recipe {
    let line = span.of(text);
    let command = line.trim_start_matches(['\t', ' ', '@', '-', '+']);
    let start = span.end as usize - command.len();
    Recipe { target: target.to_owned(), span: Span::new(start, span.end as usize) }
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
