//! Whether a Dockerfile, or a file that it takes, has a use for something: what cannot be told counts as a use.

use super::candidates::{Candidate, Group, is_candidate};
use crate::context::{go_match, has_wildcards, path};
use crate::dockerfile::Kind;
use crate::graph::{StepId, StepKind};
use crate::rules::DockerfileCx;
use crate::shell::{Command, Cwd};
use crate::source::Span;
use std::collections::BTreeSet;

/// Texts of builds that ask git: versions made of tags and commits, and programs that look at what changed.
const ASKS_GIT: &[&str] = &[
    "git describe",
    "git rev-parse",
    "git rev-list",
    "git log",
    "git ls-files",
    "git show",
    "git status",
    "git diff",
    "git branch",
    "git tag",
    "git submodule",
    "git archive",
    "\"rev-parse\"",
    "'rev-parse'",
    "\"describe\"",
    "'describe'",
    "(\"git\"",
    "('git'",
    "(\"git ",
    "('git ",
    "(`git ",
    "[\"git\"",
    "['git'",
    "setuptools_scm",
    "setuptools-scm",
    "hatch-vcs",
    "hatch_vcs",
    "versioneer",
    "versioningit",
    "dunamai",
    "poetry-dynamic-versioning",
    "uv-dynamic-versioning",
    "flit_scm",
    "flit-scm",
    "[pbr]",
    "pbr=True",
    "'pbr'",
    "\"pbr",
    "source = \"scm\"",
    "vergen",
    "git2 =",
    "gix =",
    "shadow-rs",
    "shadow_rs",
    "git_version",
    "git-version",
    "built = {",
    "ReadBuildInfo",
    "vcs.revision",
    "-buildvcs=true",
    "GitVersion",
    "gitversion",
    "MinVer",
    "Nerdbank",
    "nbgv",
    "git-commit-id",
    "gitProperties",
    "gradle-git",
    "git-properties",
    "jgit",
    "nebula.release",
    "axion-release",
    "sbt-git",
    "dynver",
    "buildnumber-maven",
    "git-revision",
    "git-rev",
    "git-last-commit",
    "git-describe",
    "isomorphic-git",
    "simple-git",
    "nodegit",
    "showLastUpdate",
    "enableGitInfo",
    "find_package(Git",
    "GetGitRevision",
    "nx affected",
    "--affected",
    ".git/HEAD",
    ".git/refs",
    ".git/logs",
    "GIT_DIR",
];

/// Texts after which anything of the directory may end up in a program.
const TAKES_ALL: &[&str] = &[
    "go:embed *",
    "go:embed all:*",
    "go:embed .",
    "include_dir!(\".\"",
    "include_dir!(\"$CARGO_MANIFEST_DIR\")",
];

/// Programs that make a site of the prose that lies there.
const RENDERS: &[&str] = &[
    "@11ty/eleventy",
    "@docusaurus/",
    "@nuxt/content",
    "\"astro\"",
    "\"gatsby\"",
    "\"hexo\"",
    "\"honkit\"",
    "contentlayer",
    "docsify",
    "github-pages",
    "jekyll",
    "mkdocs",
    "nextra",
    "vitepress",
    "vuepress",
];

/// Which of `candidates` the Dockerfile needs, in their order.
pub(super) fn needed(cx: &DockerfileCx<'_>, candidates: &[Candidate]) -> Vec<bool> {
    candidates
        .iter()
        .map(|candidate| {
            taken_back(cx, candidate)
                || selected(cx, candidate)
                || run(cx, candidate)
                || not_made(cx, candidate)
        })
        .collect()
}

/// Whether the ignore file takes it back by its name, so that it is wanted.
fn taken_back(cx: &DockerfileCx<'_>, candidate: &Candidate) -> bool {
    cx.model().context().is_some_and(|context| {
        let mut patterns = context.ignore().patterns.iter().map(|entry| &entry.pattern);
        patterns.any(|pattern| {
            pattern.negated()
                && candidate.files.iter().chain([&candidate.path]).any(|file| pattern.matches(file))
        })
    })
}

/// Whether a COPY, ADD or mount of any stage names it, or something in it, as what it is.
fn selected(cx: &DockerfileCx<'_>, candidate: &Candidate) -> bool {
    let names = |source: &str| {
        let source = path::below_root(&source.replacen("/./", "/", 1));
        match source.as_str() {
            "" | "*" | "**" => false,
            glob if has_wildcards(glob) => {
                let matches = |place: &str| go_match(glob, place).unwrap_or(true);
                // All of a directory is no name.
                let all = matches!(path::base(glob), "*" | "**") && !has_wildcards(path::parent(glob));
                let inside = candidate.holds(path::parent(glob));
                inside
                    || (!all
                        && (matches(&candidate.path) || candidate.files.iter().any(|file| matches(file))))
            }
            plain => candidate.holds(plain),
        }
    };
    let steps = cx.graph().all_steps();
    let mut selections = steps.flat_map(|(id, _)| cx.model().selections(id));
    selections.any(|selection| selection.sources.iter().any(|source| names(source)))
}

/// Whether an instruction that runs something names it, or a command asks for it otherwise.
fn run(cx: &DockerfileCx<'_>, candidate: &Candidate) -> bool {
    let name = candidate.name();
    let by_text = cx.syntax.instructions().any(|instruction| {
        let runs = matches!(
            instruction.kind,
            Kind::Run(_) | Kind::Cmd(_) | Kind::Entrypoint(_) | Kind::Healthcheck(_) | Kind::Onbuild(_)
        );
        runs && count(instruction.span.of(cx.text()), name) > removed(cx, instruction.span, name)
    });
    let by_command = || {
        cx.graph().all_steps().filter(|(_, step)| matches!(step.kind, StepKind::Run(_))).any(|(id, _)| {
            match candidate.group {
                Group::Git => asks_git(cx, id),
                Group::Prose => packs(cx, id),
                Group::Tests => !only_builds_go(cx, id),
                _ => false,
            }
        })
    };
    by_text || by_command()
}

/// How often a `rm -f` of the instruction names it: what is not there need not be removed.
fn removed(cx: &DockerfileCx<'_>, span: Span, name: &str) -> usize {
    let own = cx.graph().all_steps().filter(|(_, step)| step.instruction.span == span);
    let removes = |command: &&Command<'_>| {
        let force = |word: &crate::shell::Word<'_>| word.text.starts_with('-') && word.text.contains('f');
        command.program() == Some("rm") && command.args().iter().any(force)
    };
    let commands = own.flat_map(|(id, _)| cx.facts.script(id).commands.iter()).filter(removes);
    commands.map(|command| count(command.span.of(cx.text()), name)).sum()
}

/// How often `name` stands in `text` as a path or a part of one.
fn count(text: &str, name: &str) -> usize {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let whole = |(at, _): &(usize, &str)| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        let after = text.as_bytes().get(at + name.len());
        !before.is_some_and(|byte| is_word(*byte) || *byte == b'.')
            && !after.is_some_and(|byte| is_word(*byte))
    };
    text.match_indices(name).filter(whole).count()
}

/// Whether the RUN makes a package, which takes the README along though nothing names it.
fn packs(cx: &DockerfileCx<'_>, id: StepId) -> bool {
    cx.facts.script(id).commands.iter().any(|command| {
        let packer =
            matches!(command.program(), Some("npm" | "yarn" | "pnpm" | "bun" | "lerna" | "npx" | "vsce"));
        packer && command.args().iter().any(|word| matches!(&*word.text, "pack" | "publish" | "package"))
    })
}

/// Whether a command of the RUN works on a repository that it does not make itself.
fn asks_git(cx: &DockerfileCx<'_>, id: StepId) -> bool {
    let mut own = false;
    cx.facts.script(id).commands.iter().any(|command| {
        if command.program() != Some("git") {
            return command.args().iter().any(|word| word.text.contains("-buildvcs=true"));
        }
        let verb = command.args().iter().map(|word| &*word.text).find(|word| !word.starts_with('-'));
        match verb {
            Some("clone" | "init") => {
                own = true;
                false
            }
            Some("config" | "lfs" | "ls-remote" | "version" | "credential") | None => false,
            Some(_) => !own && matches!(command.cwd, Cwd::Start),
        }
    })
}

/// Whether all that the RUN does with the sources is to build with go, which leaves tests out.
fn only_builds_go(cx: &DockerfileCx<'_>, id: StepId) -> bool {
    cx.is_known(id)
        && cx.facts.script(id).commands.iter().all(|command| {
            let words: Vec<&str> = command.args().iter().map(|word| &*word.text).collect();
            command.program() != Some("go")
                || matches!(
                    words.first().copied(),
                    Some("build" | "mod" | "env" | "version" | "install" | "clean")
                )
        })
}

/// Whether the Dockerfile takes a result of tools that it does not use, so that it is meant to be taken.
fn not_made(cx: &DockerfileCx<'_>, candidate: &Candidate) -> bool {
    let Group::Results(ecosystems) = candidate.group else { return false };
    let taken = || {
        let steps = cx.graph().all_steps();
        steps.into_iter().any(|(id, _)| candidate.files.iter().any(|file| cx.model().takes(id, file)))
    };
    let made = cx.run_uses().flat_map(|(.., uses)| &uses.tools).any(|used| {
        let works = used.kind.downloads() || used.kind.compiles();
        works && ecosystems.split(' ').any(|own| own == used.tool.ecosystem)
    });
    !ecosystems.is_empty() && !made && taken()
}

/// What the files that are taken speak of.
pub(super) struct Mentioned {
    /// Whether each candidate is spoken of, in their order.
    pub(super) candidates: Vec<bool>,
    /// Whether something asks git, so that every tracked file matters: one that is left out counts as deleted.
    pub(super) git: bool,
}

/// Looks for `candidates` in the files `taken`.
pub(super) fn mentioned(cx: &DockerfileCx<'_>, taken: &[String], candidates: &[Candidate]) -> Mentioned {
    let place = |file: &String| match cx.facts.directory.as_deref() {
        None | Some("") => file.clone(),
        Some(directory) => format!("{directory}/{file}"),
    };
    // The same files for every Dockerfile of the context, so that the answer is known the next time.
    let scripts = cx.facts.runs().any(|(id, ..)| !cx.is_known(id));
    let texts = || taken.iter().filter(|file| !is_candidate(file)).filter(|file| scripts || !is_script(file));
    // Code first, so that one search tells what stands in code and what stands anywhere.
    let (code, others): (Vec<&String>, Vec<&String>) = texts().partition(|file| is_code(file));
    let others = others.into_iter().filter(|file| is_manifest(file) || is_script(file));
    let files: Vec<String> = code.iter().copied().chain(others).map(place).collect();
    if files.is_empty() {
        return Mentioned { candidates: vec![false; candidates.len()], git: false };
    }
    let of =
        |group: fn(&Candidate) -> bool| candidates.iter().filter(move |one| group(one)).flat_map(needles);
    let mut wanted: Vec<String> =
        ASKS_GIT.iter().chain(TAKES_ALL).chain(RENDERS).map(|text| (*text).to_owned()).collect();
    wanted.extend(of(|one| one.group != Group::Builds));
    let anywhere: BTreeSet<String> = wanted.iter().cloned().collect();
    wanted.extend(of(|one| one.group == Group::Builds));
    wanted.sort();
    wanted.dedup();
    let (mut everywhere, mut in_code): (Vec<String>, Vec<String>) = Default::default();
    for (text, first) in wanted.iter().zip(cx.around.mentions(&files, &wanted)) {
        if first.is_some_and(|first| first < code.len()) {
            in_code.push(text.clone());
        }
        if first.is_some() && anywhere.contains(text) {
            everywhere.push(text.clone());
        }
    }
    let has = |list: &[&str]| list.iter().any(|text| everywhere.iter().any(|found| found == text));
    let git = has(ASKS_GIT);
    let named = |candidate: &Candidate| match candidate.group {
        Group::Git => git,
        Group::Builds => needles(candidate).iter().any(|text| in_code.contains(text)),
        Group::Prose => {
            has(TAKES_ALL) || has(RENDERS) || needles(candidate).iter().any(|text| everywhere.contains(text))
        }
        Group::Tests => needles(candidate).iter().any(|text| everywhere.contains(text)),
        Group::Results(_) | Group::Editor => false,
    };
    Mentioned { candidates: candidates.iter().map(named).collect(), git }
}

/// Texts that speak of a candidate.
fn needles(candidate: &Candidate) -> Vec<String> {
    let name = candidate.name();
    match candidate.group {
        Group::Builds => vec![name.to_owned()],
        Group::Tests => vec!["_test.go".to_owned()],
        Group::Prose if candidate.files.contains(&candidate.path) => {
            let stem = name.split('.').next().unwrap_or(name);
            vec![
                name.to_owned(),
                format!("{stem}*"),
                format!("{stem}."),
                "\"*.md\"".to_owned(),
                "'*.md'".to_owned(),
            ]
        }
        Group::Prose => ["{}/", "\"{}\"", "'{}'", "/{}\"", "/{}'", "include {}", "-r {}"]
            .map(|form| form.replace("{}", name))
            .to_vec(),
        Group::Git | Group::Results(_) | Group::Editor => Vec::new(),
    }
}

/// Whether a command of any stage asks git about the files of the context.
pub(super) fn uses_git(cx: &DockerfileCx<'_>) -> bool {
    cx.graph().all_steps().any(|(id, step)| matches!(step.kind, StepKind::Run(_)) && asks_git(cx, id))
}

fn is_script(file: &str) -> bool {
    const PLACES: [&str; 6] = ["scripts", "script", "hack", "bin", "ci", "tools"];
    let name = path::base(file).to_ascii_lowercase();
    // A script need not say by its name that it is one.
    let placed = !name.contains('.') && PLACES.contains(&path::base(path::parent(file)));
    placed
        || matches!(name.as_str(), "makefile" | "gnumakefile" | "justfile" | "rakefile")
        || ending(file).is_some_and(|end| matches!(end.as_str(), "sh" | "bash" | "mk"))
}

/// Sources of programs.
fn is_code(file: &str) -> bool {
    const ENDS: &[&str] = &[
        "astro", "c", "cc", "clj", "cpp", "cr", "cs", "cxx", "dart", "erl", "ex", "exs", "fs", "go",
        "groovy", "h", "hpp", "hs", "java", "jl", "js", "jsx", "kt", "lua", "mjs", "cjs", "ml", "mts", "nim",
        "php", "pl", "pm", "py", "pyx", "r", "rb", "rs", "scala", "svelte", "swift", "ts", "tsx", "vb",
        "vue", "zig",
    ];
    ending(file).is_some_and(|end| ENDS.contains(&end.as_str()))
}

/// What says how programs are built and packed.
fn is_manifest(file: &str) -> bool {
    const ENDS: &[&str] = &[
        "bazel",
        "bzl",
        "cabal",
        "cfg",
        "cmake",
        "csproj",
        "dockerfile",
        "fsproj",
        "gemspec",
        "gradle",
        "in",
        "ini",
        "json",
        "json5",
        "kts",
        "mk",
        "nimble",
        "nix",
        "proj",
        "props",
        "rake",
        "rockspec",
        "sbt",
        "sh",
        "bash",
        "targets",
        "toml",
        "txt",
        "vbproj",
        "xml",
        "yaml",
        "yml",
    ];
    const NAMES: &[&str] =
        &["makefile", "gnumakefile", "rakefile", "gemfile", "justfile", "build", "workspace", "setup"];
    let name = path::base(file).to_ascii_lowercase();
    let lock = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "composer.lock"]
        .contains(&name.as_str());
    !lock && (NAMES.contains(&name.as_str()) || ending(file).is_some_and(|end| ENDS.contains(&end.as_str())))
}

fn ending(file: &str) -> Option<String> {
    path::base(file).rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase())
}
