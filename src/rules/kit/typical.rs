//! The file that a question about "an edit of a source file" names.

use super::DockerfileCx;
use super::words::code;
use crate::context::{Entry, has_wildcards, path};
use crate::graph::{StepId, StepKind};

/// Endings of source files by ecosystem of the tools, and a file that a project of that kind has.
const KINDS: &[(&str, &[&str], &str)] = &[
    (
        "javascript",
        &["js", "ts", "jsx", "tsx", "mjs", "cjs", "mts", "vue", "svelte", "astro"],
        "src/index.js",
    ),
    ("python", &["py", "pyx", "pyi"], "app.py"),
    ("go", &["go"], "main.go"),
    ("rust", &["rs"], "src/main.rs"),
    ("jvm", &["java", "kt", "scala", "groovy", "clj", "kts"], "src/main/java/App.java"),
    ("dotnet", &["cs", "fs", "vb", "cshtml", "razor"], "Program.cs"),
    ("ruby", &["rb", "erb", "haml"], "app.rb"),
    ("php", &["php", "twig"], "index.php"),
    ("elixir", &["ex", "eex", "heex"], "lib/app.ex"),
    ("erlang", &["erl", "hrl"], "src/app.erl"),
    ("cpp", &["c", "cc", "cpp", "cxx", "h", "hpp"], "src/main.c"),
    ("dart", &["dart"], "lib/main.dart"),
    ("swift", &["swift"], "Sources/main.swift"),
    ("haskell", &["hs"], "app/Main.hs"),
    ("ocaml", &["ml", "mli"], "bin/main.ml"),
    ("perl", &["pl", "pm"], "app.pl"),
    ("r", &["r", "rmd"], "app.R"),
    ("julia", &["jl"], "src/App.jl"),
    ("elm", &["elm"], "src/Main.elm"),
    ("gleam", &["gleam"], "src/app.gleam"),
    ("crystal", &["cr"], "src/app.cr"),
    ("nim", &["nim"], "src/app.nim"),
    ("zig", &["zig"], "src/main.zig"),
    ("lua", &["lua"], "app.lua"),
];

/// Files of a site or service that people edit all the same.
const OTHERS: &[&str] =
    &["html", "css", "scss", "sass", "less", "sql", "graphql", "proto", "md", "mdx", "sh", "tf", "j2"];

/// Directories that hold sources by their name, as far as a Dockerfile without a context tells.
const SOURCES: &[&str] = &[
    "src", "app", "apps", "lib", "libs", "server", "client", "cmd", "pkg", "internal", "web", "api",
    "source", "main", "packages", "frontend", "backend", "services", "www", "website",
];

/// A file that is edited in the daily work on the project and that the COPY, ADD or mounts of `step` take: a source of
/// the ecosystem if there is one, else of another, shallow ones first. `skip` leaves files out. With an unknown context
/// it is a name that such projects have, where the step takes so much that it is sure to take something like it.
pub fn edited(
    cx: &DockerfileCx<'_>,
    step: StepId,
    ecosystem: Option<&str>,
    skip: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let model = cx.model();
    if is_unknown(cx, step) {
        return None;
    }
    let Some(files) = model.taken_files(step) else { return named(cx, step, ecosystem) };
    let roots = directories(cx, step);
    let whole = roots.iter().any(String::is_empty);
    let rank = |file: &String| {
        let ending = ending(path::base(file));
        let own = ecosystem.is_some_and(|name| endings(name).contains(&ending.as_str()));
        let any = KINDS.iter().any(|(_, endings, _)| endings.contains(&ending.as_str()));
        let rank = match (own, any) {
            (true, _) => 0,
            (_, true) => 1,
            _ if !roots.is_empty() && OTHERS.contains(&ending.as_str()) => 2,
            _ => return None,
        };
        // What is copied by the name of its directory is what the project is about, even if it is its tests.
        let inner = roots.iter().find_map(|root| file.strip_prefix(root.as_str())).unwrap_or(file);
        let aside = is_aside(inner) || is_hidden(file);
        let depth = file.bytes().filter(|byte| *byte == b'/').count();
        (whole || !aside).then(|| (rank, aside, depth, file.clone()))
    };
    let wanted = files.iter().filter(|file| !skip(file) && !is_configuration(file));
    wanted.filter_map(rank).min().map(|(.., file)| file)
}

/// Whether a source of the COPY is a variable of which no value is known: expanded to nothing it would be the whole context.
#[must_use]
pub fn is_unknown(cx: &DockerfileCx<'_>, step: StepId) -> bool {
    let Some(StepKind::Copy(copy)) = cx.graph().step(step).map(|step| &step.kind) else { return false };
    copy.sources
        .iter()
        .any(|source| source.text.trim_matches('/').is_empty() && source.span.of(cx.text()).contains('$'))
}

/// "an edit of `src/main.rs`", of a file that is there or, with an unknown context, of one that such projects have.
#[must_use]
pub fn edit_of(cx: &DockerfileCx<'_>, file: &str) -> String {
    match cx.model().context() {
        Some(_) => format!("an edit of {}", code(file, 40)),
        None => format!("an edit of a source, {} perhaps,", code(file, 40)),
    }
}

/// Whether the step takes the whole context, so that nearly every commit changes what it takes.
#[must_use]
pub fn takes_all(cx: &DockerfileCx<'_>, step: StepId) -> bool {
    let sources = cx.model().selections(step).into_iter().flat_map(|selection| selection.sources);
    let mut names = sources.map(|source| path::below_root(&source));
    !is_unknown(cx, step) && names.any(|source| matches!(source.as_str(), "" | "*" | "**"))
}

/// Whether a file is a source of the ecosystem by its ending.
#[must_use]
pub fn is_source(file: &str, ecosystem: &str) -> bool {
    endings(ecosystem).contains(&ending(path::base(file)).as_str())
}

fn endings(ecosystem: &str) -> &'static [&'static str] {
    KINDS.iter().find(|(name, ..)| *name == ecosystem).map_or(&[], |(_, endings, _)| endings)
}

fn ending(name: &str) -> String {
    name.rsplit_once('.')
        .filter(|(stem, _)| !stem.is_empty())
        .map_or(String::new(), |(_, end)| end.to_lowercase())
}

/// Tests, documentation, tools and generated files are edited too, but are no good example.
fn is_aside(file: &str) -> bool {
    const ASIDE: [&str; 18] = [
        "test",
        "tests",
        "__tests__",
        "spec",
        "specs",
        "e2e",
        "docs",
        "doc",
        "examples",
        "example",
        "scripts",
        "tools",
        "node_modules",
        "vendor",
        "third_party",
        "migrations",
        "dist",
        "build",
    ];
    let name = path::base(file);
    path::parent(file).split('/').any(|part| ASIDE.contains(&part))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains("_test.")
        || name.starts_with("test_")
        || name.contains(".min.")
        || name == "__init__.py"
}

/// Files of the machinery around a project.
fn is_hidden(file: &str) -> bool {
    const AROUND: [&str; 9] =
        ["docker", "rootfs", "deploy", "deployment", "ci", "hack", "etc", "k8s", "helm"];
    file.split('/').any(|part| part.starts_with('.') || AROUND.contains(&part))
}

/// Files of the build and its tools: seldom edited.
fn is_configuration(file: &str) -> bool {
    let name = path::base(file);
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let apart = |part: &str| matches!(part, "config" | "conf" | "configs" | "settings");
    path::parent(file).split('/').any(apart)
        || name.starts_with('.')
        || name.contains(".config.")
        || name.contains(".conf.")
        || name.ends_with(".d.ts")
        || name.contains("rc.")
        || matches!(
            stem.as_str(),
            "gulpfile"
                | "gruntfile"
                | "karma"
                | "webpack"
                | "setup"
                | "conftest"
                | "noxfile"
                | "manage"
                | "wsgi"
                | "gunicorn"
                | "rakefile"
                | "build"
                | "makefile"
                | "readme"
                | "changelog"
                | "license"
                | "contributing"
                | "dockerfile"
                | "code_of_conduct"
                | "security"
        )
}

/// The directories of the context that the step takes whole, with a slash at the end; the root is the empty text.
fn directories(cx: &DockerfileCx<'_>, step: StepId) -> Vec<String> {
    let Some(tree) = cx.model().context().map(|context| context.visible()) else { return Vec::new() };
    let sources = cx.model().selections(step).into_iter().flat_map(|selection| selection.sources);
    let sources = sources.map(|source| path::below_root(&source.replacen("/./", "/", 1)));
    let directory = |source: String| match source.as_str() {
        "" | "*" | "**" => Some(String::new()),
        _ if has_wildcards(&source) => {
            let parent = path::parent(&source);
            (!has_wildcards(parent) && !path::base(&source).contains('.') && !parent.is_empty())
                .then(|| format!("{parent}/"))
        }
        _ => {
            let place = tree.resolve(&source, true)?;
            matches!(tree.get(&place), Some(Entry::Directory { .. })).then(|| format!("{source}/"))
        }
    };
    sources.filter_map(directory).collect()
}

/// With an unknown context: what a project of that kind has, if the step takes the whole context or a directory whose
/// name says that it holds sources.
fn named(cx: &DockerfileCx<'_>, step: StepId, ecosystem: Option<&str>) -> Option<String> {
    let typical = ecosystem.and_then(|name| KINDS.iter().find(|(kind, ..)| *kind == name));
    let (endings, typical) =
        typical.map_or((&[] as &[&str], "src/main.c"), |(_, endings, file)| (*endings, *file));
    for selection in cx.model().selections(step) {
        for source in &selection.sources {
            let text = path::below_root(&source.replacen("/./", "/", 1));
            if text.is_empty() || text == "*" || text == "**" {
                return Some(typical.to_owned());
            }
            if endings.contains(&ending(path::base(&text)).as_str())
                && !is_configuration(&text)
                && !has_wildcards(&text)
            {
                return Some(text);
            }
            let directory = text.strip_suffix("/*").or(text.strip_suffix("/**")).unwrap_or(&text);
            if SOURCES.contains(&path::base(directory)) && !has_wildcards(directory) {
                return Some(format!("{directory}/{}", path::base(typical)));
            }
        }
    }
    None
}
