//! Justfiles: recipes as scripts, with the variables of the file.

use super::command::{ScriptEnv, may_build, names_builder};
use super::{Build, Files, Placed, System, Vars, braces, join, lines, name_volatility, parent};
use crate::builds::Volatility;
use crate::shell::Dialect;
use crate::source::{Joined, Span};

/// The builds that the recipes of a justfile start. Recipes run in the justfile's directory.
#[must_use]
pub fn read(path: &str, text: &str, files: Files<'_>) -> Vec<Build> {
    if !names_builder(text) {
        return Vec::new();
    }
    let mut env = ScriptEnv::new(path, System::Just);
    env.cwd = Some(parent(path).to_owned());
    let mut vars = Vars::default();
    let recipes = parse(text, &mut vars, &mut env.vars);
    let mut out = Vec::new();
    for recipe in recipes {
        env.job = format!("{path}:{}", recipe.name);
        run(&recipe, &[], text, &vars, &mut env, files, &mut out);
    }
    out
}

/// The builds that `just RECIPE ARGUMENT…` starts: those of the recipe and of what it needs.
pub(super) fn called(
    path: &str,
    text: &str,
    words: &[String],
    mut env: ScriptEnv,
    files: Files<'_>,
) -> Vec<Build> {
    let mut vars = Vars::default();
    let recipes = parse(text, &mut vars, &mut env.vars);
    let (name, args) = match words.split_first() {
        Some((name, args)) => (name.as_str(), args),
        None => (recipes.first().map_or("", |recipe| recipe.name.as_str()), &[][..]),
    };
    let mut order = Vec::new();
    needed(&recipes, name, &mut order, 0);
    env.cwd = Some(parent(path).to_owned());
    let mut out = Vec::new();
    for recipe in order.iter().filter_map(|index| recipes.get(*index)) {
        let args = if recipe.name == name { args } else { &[] };
        run(recipe, args, text, &vars, &mut env, files, &mut out);
    }
    out
}

/// Appends the recipes that one needs, and itself after them.
fn needed(recipes: &[Recipe], name: &str, order: &mut Vec<usize>, depth: u32) {
    let Some(index) = recipes.iter().position(|recipe| recipe.name == name) else { return };
    if depth > 32 || order.contains(&index) {
        return;
    }
    for need in recipes.get(index).map_or(&[][..], |recipe| recipe.needs.as_slice()) {
        needed(recipes, need, order, depth + 1);
    }
    if !order.contains(&index) {
        order.push(index);
    }
}

/// Runs one recipe in `env`, which keeps the builders that it makes.
fn run(
    recipe: &Recipe,
    args: &[String],
    text: &str,
    vars: &Vars,
    env: &mut ScriptEnv,
    files: Files<'_>,
    out: &mut Vec<Build>,
) {
    let mut own = vars.clone();
    for (index, (name, default)) in recipe.params.iter().enumerate() {
        match (args.get(index), default) {
            (Some(given), _) => own.set_foreign(name, given),
            (None, Some(default)) if name_volatility(name) <= Volatility::Unknown => {
                own.set_foreign(name, default)
            }
            _ => own.unset(name),
        }
    }
    let mut scripts = recipe.lines.clone();
    if recipe.whole {
        let shebang = scripts.first().map_or("", |line| line.of(text));
        let shell = shebang.strip_prefix("#!").unwrap_or("").split_whitespace();
        if Dialect::of_shell(shell) == Dialect::Opaque {
            return;
        }
        let all = scripts.first().zip(scripts.last()).map(|(first, last)| first.cover(*last));
        scripts = all.into_iter().collect();
    }
    for span in scripts {
        let raw = span.of(text);
        if !may_build(raw) && !raw.contains("{{") {
            continue;
        }
        let mut line = env.clone();
        line.name = vec![recipe.name.clone()];
        if let Some(directory) = &recipe.directory {
            line.cwd = env.cwd.as_ref().and_then(|cwd| join(cwd, directory));
        }
        let joined = Joined::whole(text, span);
        braces::read(text, &joined, &own, &mut line, files, out);
        (env.builder, env.builders, env.pulled) = (line.builder, line.builders, line.pulled);
    }
}

struct Recipe {
    name: String,
    params: Vec<(String, Option<String>)>,
    /// The recipes that run before it.
    needs: Vec<String>,
    directory: Option<String>,
    lines: Vec<Span>,
    /// Whether it begins with `#!`: one script then.
    whole: bool,
}

/// Recipes; variables go to `vars`, those that are exported to `exported` as well.
fn parse(text: &str, vars: &mut Vars, exported: &mut Vars) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut directory: Option<String> = None;
    let mut current: Option<Recipe> = None;
    let mut at = 0;
    while at < text.len() {
        let span = lines::logical(text, at, |line| line.ends_with(b"\\"));
        let whole = span.of(text);
        let start = std::mem::replace(&mut at, span.end as usize + 1);
        if whole.trim().is_empty() {
            continue;
        }
        if whole.starts_with([' ', '\t']) {
            if let Some(recipe) = &mut current {
                let body = whole.trim_start();
                let from = start + (whole.len() - body.len());
                recipe.whole |= recipe.lines.is_empty() && body.starts_with("#!");
                let marks = if recipe.whole { body } else { body.trim_start_matches(['@', '-']) };
                let from = from + (body.len() - marks.len());
                recipe.lines.push(Span::new(from, start + whole.trim_end().len()));
            }
            continue;
        }
        recipes.extend(current.take());
        if let Some(attribute) = whole.strip_prefix('[') {
            let value = attribute
                .strip_prefix("working-directory:")
                .or_else(|| attribute.strip_prefix("working-directory("));
            if let Some(value) = value {
                directory = Some(value.trim_matches([' ', '\'', '"', ']', ')']).to_owned());
            }
            continue;
        }
        if whole.starts_with('#') {
            continue;
        }
        if let Some((head, value)) = assignment(whole) {
            let (export, name) = match head.strip_prefix("export ") {
                Some(name) => (true, name.trim()),
                None => (false, head),
            };
            if !name.contains(char::is_whitespace) {
                let offset = start + (whole.len() - value.len());
                let value = expression(value, offset);
                vars.set(name, &value);
                if export {
                    exported.set(name, &vars.expand(&value));
                }
            }
            continue;
        }
        let first = whole.split_whitespace().next().unwrap_or("");
        if matches!(first, "set" | "alias" | "import" | "import?" | "mod" | "mod?") {
            continue;
        }
        if let Some((head, needs)) = whole.split_once(':') {
            let mut words = head.split_whitespace();
            let name = words.next().unwrap_or("").trim_start_matches('@').to_owned();
            let params = words.map(param).collect();
            let directory = directory.take();
            let needs = needs.split('#').next().unwrap_or("").split_whitespace();
            let needs = needs.map(|need| need.trim_matches(['(', ')']).to_owned()).collect();
            current = Some(Recipe { name, params, needs, directory, lines: Vec::new(), whole: false });
        }
    }
    recipes.extend(current);
    recipes
}

/// `name := value`, as long as the `:=` stands before anything quoted.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let at = line.find(":=")?;
    let head = line.get(..at)?.trim();
    (!head.contains(['\'', '"', ':'])).then_some((head, line.get(at + 2..)?))
}

/// A parameter: `name`, `+name`, `$name`, `name='default'`.
fn param(word: &str) -> (String, Option<String>) {
    let word = word.trim_start_matches(['+', '*', '$']);
    match word.split_once('=') {
        Some((name, default)) => {
            let quoted =
                default.starts_with(['\'', '"']) && default.ends_with(['\'', '"']) && default.len() > 1;
            (name.to_owned(), quoted.then(|| default.trim_matches(['\'', '"']).to_owned()))
        }
        None => (word.to_owned(), None),
    }
}

/// An expression as text: strings as they are, names as `{{name}}`, commands in backticks, `env('X', 'd')` as `${X:-d}`,
/// everything else as `{{…}}`.
fn expression(text: &str, offset: usize) -> Placed {
    let range = super::placed::trimmed(text, 0..text.len());
    let raw = Placed::exact(text, u32::try_from(offset).unwrap_or(u32::MAX));
    let mut out = Placed::default();
    let mut at = range.start;
    while at < range.end {
        let rest = text.get(at..range.end).unwrap_or("");
        let Some(ch) = rest.chars().next() else { break };
        let length = match ch {
            '#' => break,
            '\'' | '"' => {
                let marks = rest.chars().take_while(|mark| *mark == ch).count();
                let mark = if marks >= 3 { 3 } else { 1 };
                let inner = rest.get(mark..).unwrap_or("");
                let close = if mark == 3 { rest.get(..3) } else { rest.get(..1) }.unwrap_or("");
                let end = inner.find(close).unwrap_or(inner.len());
                out.push(&raw, at + mark..at + mark + end);
                mark + end + mark
            }
            '`' => {
                let inner = rest.get(1..).unwrap_or("");
                let end = inner.find('`').map_or(rest.len(), |end| end + 2);
                out.push(&raw, at..(at + end).min(range.end));
                end
            }
            ch if ch.is_alphabetic() || ch == '_' => {
                let end = rest
                    .find(|ch: char| !ch.is_alphanumeric() && ch != '_' && ch != '-')
                    .unwrap_or(rest.len());
                let call = rest.get(end..).is_some_and(|tail| tail.starts_with('('));
                let end = if call {
                    end + rest.get(end..).and_then(|tail| tail.find(')')).map_or(0, |at| at + 1)
                } else {
                    end
                };
                let name = rest.get(..end).unwrap_or("");
                let span = raw.span(at..at + end);
                out.push_whole(&environment(name).unwrap_or_else(|| format!("{{{{{name}}}}}")), span);
                end.max(1)
            }
            // Blanks, `+`, `/` between parts; a `/` joins paths.
            '/' => {
                out.push(&raw, at..at + 1);
                1
            }
            ch => ch.len_utf8(),
        };
        at += length.max(1);
    }
    if out.text.is_empty() { Placed::whole("", raw.full_span()) } else { out }
}

/// `env('X')`, `env_var('X')`, `env('X', 'd')`, `env_var_or_default('X', 'd')`.
fn environment(call: &str) -> Option<String> {
    let inside =
        ["env(", "env_var(", "env_var_or_default("].iter().find_map(|name| call.strip_prefix(name))?;
    let inside = inside.strip_suffix(')')?;
    let mut args = inside.split(',').map(|arg| arg.trim().trim_matches(['\'', '"']));
    let name = args.next()?;
    Some(match args.next() {
        Some(default) => format!("${{{name}:-{default}}}"),
        None => format!("${{{name}}}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::{ContextSource, Value};

    #[test]
    fn recipes_variables_and_defaults() {
        let text = "set shell := ['bash', '-c']\nregistry := \"r\"\nimage := registry + '/app' # c\nsha := `git rev-parse HEAD`\nexport TAG := env('TAG', 'x')\n\n# help\nbuild target='run' $extra='': lint\n  @echo {{image}}\n  docker build --target {{target}} -t {{ image }}:{{sha}} \\\n    -t {{image}}:$TAG {{justfile_directory()}}/ctx\n\n[working-directory: 'sub']\npush:\n    #!/usr/bin/env bash\n    set -e\n    cd x\n    docker buildx build --push .\n\npy:\n    #!/usr/bin/env python3\n    docker build .\n";
        let builds = read("d/justfile", text, &|_| None);
        assert_eq!(builds.len(), 2);
        let build = &builds[0];
        assert_eq!(build.name, ["build"]);
        assert_eq!(build.target.as_ref().unwrap().value, Value::Known("run".into()));
        assert_eq!(build.target.as_ref().unwrap().span.of(text), "{{target}}");
        let tags: Vec<_> = build.tags.iter().map(|tag| (tag.value.text(), tag.value.volatility())).collect();
        assert_eq!(
            tags,
            [("r/app:`git rev-parse HEAD`", Volatility::PerCommit), ("r/app:${TAG:-x}", Volatility::Unknown)]
        );
        assert_eq!(build.context.value, ContextSource::Path("d/ctx".into()));
        assert_eq!(builds[1].context.value, ContextSource::Path("d/sub/x".into()));
        assert!(builds[1].span.of(text).starts_with("docker buildx build --push"));
    }

    #[test]
    fn any_text_gives_something() {
        for text in [
            "a := 'docker",
            "a := `docker",
            "docker:\n docker build {{",
            "a b='c: docker\n x",
            "x := env('docker",
        ] {
            let _ = read("justfile", text, &|_| None);
        }
    }
}
