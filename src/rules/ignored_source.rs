//! `ignored-source`: a COPY, ADD or bind mount of something that the context does not have.

use super::words::code;
use super::{BuildCx, Category, DockerfileCx, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::ContextSource;
use crate::cache::Model;
use crate::context::{Context, DOCKERIGNORE, Entry, has_wildcards, own_ignore_file, path};
use crate::graph::{CopySourceKind, MountKind, Source, Step, StepKind};
use crate::source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

static META: Meta = Meta {
    name: "ignored-source",
    category: Category::Context,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/ignored-source.md"),
};

/// See the page.
pub(super) struct IgnoredSource;

impl Rule for IgnoredSource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Without builds the context is the Dockerfile's own directory, if that has an ignore file or the rest of what is
    /// copied.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        if !cx.facts.builds.is_empty() || cx.is_foreign() {
            return;
        }
        let wanted = wanted(cx, cx.model());
        if wanted.is_empty() {
            return;
        }
        let own = path::parent(cx.path());
        let known = cx.model().context().zip(cx.facts.directory.as_deref());
        let directory = known.map_or(own, |(_, directory)| directory);
        let has_file = |file: String| (cx.files)(&file).is_some();
        let ignores = has_file(own_ignore_file(cx.path())) || has_file(ignore_path(directory));
        let context = match known {
            Some((context, _)) => Arc::clone(context),
            // Listing a directory costs, and most have nothing of what is copied.
            None if !ignores
                && !wanted.iter().any(|one| !one.glob && cx.around.has(&below(own, &one.path))) =>
            {
                return;
            }
            None => match cx.around.context(cx.path(), own) {
                Some(context) => context,
                None => return,
            },
        };
        let there = |one: &Wanted| !one.glob && context.tree().get(&one.path).is_some();
        let evidence = directory != own || wanted.iter().any(there);
        for one in &wanted {
            let place = World { cx, context: &context, directory };
            if ignores && let Some(found) = place.ignored(one) {
                place.report_ignored(one, found, out);
            } else if evidence
                && let Some(instead) = place.missing(one)
                && !has_elsewhere(cx, own, one)
            {
                place.report_missing(one, &instead, out);
            }
        }
    }

    /// With builds that were found the contexts are theirs; it has to be wrong in all of them.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut of: BTreeMap<&str, Vec<&BuildCx<'_>>> = BTreeMap::new();
        for build in cx.builds {
            if let Some(dockerfile) = build.dockerfile {
                of.entry(dockerfile.path()).or_default().push(build);
            }
        }
        for builds in of.into_values() {
            let Some(dockerfile) = builds.first().and_then(|build| build.dockerfile) else { continue };
            // A script that writes the ignore file, or takes it away.
            let writes = |build: &&BuildCx<'_>| build.file.text.contains("dockerignore");
            if dockerfile.is_foreign() || builds.iter().any(writes) {
                continue;
            }
            let known = builds.iter().map(|build| {
                let ContextSource::Path(directory) = &build.build.context.value else { return None };
                let model = build.model?;
                Some((model, model.context()?, directory.as_str()))
            });
            let Some(known) = known.collect::<Option<Vec<_>>>() else { continue };
            let mut all: Vec<Wanted> =
                known.iter().flat_map(|(model, ..)| wanted(dockerfile, model)).collect();
            all.sort_by_key(|one| (one.span.start, one.path.clone()));
            all.dedup_by(|a, b| a.span == b.span && a.path == b.path);
            for one in &all {
                let worlds: Vec<World<'_, '_>> = known
                    .iter()
                    .map(|(_, context, directory)| World { cx: dockerfile, context, directory })
                    .collect();
                let Some(first) = worlds.first() else { continue };
                let ignored: Option<Vec<u32>> = worlds.iter().map(|world| world.ignored(one)).collect();
                let missing: Option<Vec<Instead>> = worlds.iter().map(|world| world.missing(one)).collect();
                if let Some(line) = ignored.and_then(|lines| lines.first().copied()) {
                    first.report_ignored(one, line, out);
                } else if let Some(instead) = missing.and_then(|found| found.into_iter().next()) {
                    first.report_missing(one, &instead, out);
                }
            }
        }
    }
}

fn ignore_path(directory: &str) -> String {
    below(directory, DOCKERIGNORE)
}

fn below(directory: &str, path: &str) -> String {
    if directory.is_empty() { path.to_owned() } else { format!("{directory}/{path}") }
}

/// A source as it is written.
#[derive(Clone, Debug)]
struct Wanted {
    /// In the context; of a glob the directories before its first wildcard.
    path: String,
    glob: bool,
    span: Span,
}

/// The sources of every step that the target reaches, whose names are certain.
fn wanted(cx: &DockerfileCx<'_>, model: &Model<'_>) -> Vec<Wanted> {
    let reached = |step: &Step<'_>| model.graph.reachable.get(step.stage).copied().unwrap_or(false);
    let mut found = Vec::new();
    for (_, step) in model.graph.all_steps().filter(|(_, step)| reached(step) && !step.onbuild) {
        match &step.kind {
            StepKind::Copy(copy)
                if copy.from == Source::Context && !copy.parents && copy.exclude.is_empty() =>
            {
                let only = copy.sources.len() + copy.inline.len() == 1;
                for source in copy.sources.iter().filter(|source| source.kind == CopySourceKind::Path) {
                    if source.span.of(cx.text()).contains('$') {
                        continue;
                    }
                    let text = path::below_root(&source.text);
                    if !has_wildcards(&text) {
                        found.push(Wanted { path: text, glob: false, span: source.span });
                    } else if only {
                        let plain = text
                            .split('/')
                            .take_while(|part| !has_wildcards(part))
                            .collect::<Vec<_>>()
                            .join("/");
                        found.push(Wanted { path: plain, glob: true, span: source.span });
                    }
                }
            }
            StepKind::Run(run) => {
                let bound = run
                    .mounts
                    .iter()
                    .filter(|mount| mount.kind == MountKind::Bind && mount.from == Source::Context);
                for mount in bound.filter(|mount| !mount.syntax.span.of(cx.text()).contains('$')) {
                    found.push(Wanted {
                        path: path::below_root(&mount.source),
                        glob: false,
                        span: mount.syntax.span,
                    });
                }
            }
            _ => {}
        }
    }
    found.retain(|one| !one.path.is_empty());
    found
}

/// Whether a directory above has it: then the context may be that one.
fn has_elsewhere(cx: &DockerfileCx<'_>, own: &str, one: &Wanted) -> bool {
    let mut at = own;
    while !at.is_empty() {
        at = path::parent(at);
        if cx.around.context(cx.path(), at).is_none_or(|context| context.tree().get(&one.path).is_some()) {
            return true;
        }
    }
    false
}

/// What stands there that may be meant.
enum Instead {
    /// A file of nearly that name.
    Near(String),
    /// The same path below the Dockerfile's own directory.
    Beside(String),
    /// Nothing.
    Nothing,
}

/// A Dockerfile with a context.
struct World<'s, 'a> {
    cx: &'s DockerfileCx<'a>,
    context: &'s Context,
    directory: &'s str,
}

impl World<'_, '_> {
    /// The line of the ignore file that leaves it out, with all below it.
    fn ignored(&self, one: &Wanted) -> Option<u32> {
        let ignore = self.context.ignore();
        let decision = ignore.decide(&one.path);
        // A link on the way may lead elsewhere.
        let direct = self.context.tree().resolve(&one.path, true).is_none_or(|place| place == one.path);
        if !decision.ignored || !direct || self.context.visible().get(&one.path).is_some() {
            return None;
        }
        let known = self.context.tree().get(&one.path);
        let gone = match known {
            // What is in it was listed as far as a negation reaches into it.
            Some(Entry::Directory { .. }) if !one.glob => true,
            Some(_) => true,
            None => !ignore.may_keep_below(&one.path),
        };
        if !gone || (one.glob && ignore.may_keep_below(&one.path)) {
            return None;
        }
        ignore.patterns.get(decision.pattern?).map(|entry| entry.line)
    }

    fn report_ignored(&self, one: &Wanted, line: u32, out: &mut Sink) {
        let own = own_ignore_file(self.cx.path());
        let shared = ignore_path(self.directory);
        let file = [own, shared].into_iter().find_map(|file| (self.cx.files)(&file));
        let Some(file) = file else { return };
        let pattern = self.context.ignore().patterns.iter().find(|entry| entry.line == line);
        let what = if one.glob { "nothing is copied" } else { "the build fails" };
        let message = format!(
            "{} is not in the context: line {line} of {} leaves it out, so {what}",
            code(&one.path, 50),
            code(&file.path, 50)
        );
        let place = Place { path: self.cx.path().clone(), span: one.span };
        let mut draft =
            out.report_at(place, message).help(format!("take the pattern back for it: `!{}`", one.path));
        if let Some(entry) = pattern {
            draft = draft.cause_at(Place { path: file.path.clone(), span: entry.span }, "left out here");
        }
        let _ = draft;
    }

    /// What may be meant, if it is certain that the path does not exist and that nothing makes it.
    fn missing(&self, one: &Wanted) -> Option<Instead> {
        let tree = self.context.tree();
        if one.glob
            || tree.get(&one.path).is_some()
            || tree.resolve(&one.path, true).is_none_or(|place| place != one.path)
        {
            return None;
        }
        let ending = path::base(&one.path)
            .rsplit_once('.')
            .filter(|(stem, _)| !stem.is_empty())
            .map(|(_, end)| end.to_ascii_lowercase());
        let written = ending.is_some_and(|ending| WRITTEN.contains(&ending.as_str()));
        let parent = path::parent(&one.path);
        let made = one.path.split('/').any(|part| MADE.contains(&part) || part.starts_with('.'));
        let beside = matches!(tree.get(parent), Some(Entry::Directory { .. }));
        let whole = if self.directory.is_empty() {
            one.path.clone()
        } else {
            format!("{}/{}", self.directory, one.path)
        };
        if !written
            || made
            || !beside
            || self.cx.around.is_git_ignored(&whole)
            || self.cx.around.is_named_in_builds(&whole)
            || self.is_in_scripts(path::base(&one.path))
        {
            return None;
        }
        if let Some(near) = self.near(&one.path) {
            return Some(Instead::Near(near));
        }
        let own = path::parent(self.cx.path());
        let own = if self.directory.is_empty() {
            Some(own)
        } else {
            own.strip_prefix(self.directory).map(|own| own.trim_start_matches('/'))
        };
        let inside = own.filter(|own| !own.is_empty()).map(|own| format!("{own}/{}", one.path));
        match inside.filter(|inside| tree.get(inside).is_some()) {
            Some(inside) => Some(Instead::Beside(inside)),
            None => Some(Instead::Nothing),
        }
    }

    /// Whether a script of the context has the file's name, so that it may make the file.
    fn is_in_scripts(&self, name: &str) -> bool {
        let place = |file: String| match self.directory {
            "" => file,
            directory => format!("{directory}/{file}"),
        };
        let scripts: Vec<String> =
            self.context.tree().files("").into_iter().filter(|file| is_script(file)).map(place).collect();
        self.cx.around.mentions(&scripts, &[name.to_owned()]).iter().any(Option::is_some)
    }

    /// A file of the same directory that differs in case or in two letters.
    fn near(&self, wanted: &str) -> Option<String> {
        let (parent, name) = (path::parent(wanted), path::base(wanted));
        let tree = self.context.tree();
        let distance = |other: &str| {
            if other.eq_ignore_ascii_case(name) {
                0
            } else {
                strsim::damerau_levenshtein(&other.to_lowercase(), &name.to_lowercase())
            }
        };
        let long = name.len() >= 6;
        let near = tree.names(parent).into_iter().map(|other| (distance(&other), other));
        let (_, best) = near.filter(|(distance, _)| *distance <= if long { 2 } else { 0 }).min()?;
        Some(if parent.is_empty() { best.to_string() } else { format!("{parent}/{best}") })
    }

    fn report_missing(&self, one: &Wanted, instead: &Instead, out: &mut Sink) {
        let context = if self.directory.is_empty() {
            "the context".to_owned()
        } else {
            format!("the context {}", code(self.directory, 40))
        };
        let (message, help) = match instead {
            Instead::Near(near) => (
                format!(
                    "{context} has no {}, so the build fails; it has {}",
                    code(&one.path, 50),
                    code(near, 50)
                ),
                format!("copy {}", code(near, 60)),
            ),
            Instead::Beside(inside) => (
                format!(
                    "{context} has no {}, so the build fails; it has {}",
                    code(&one.path, 50),
                    code(inside, 50)
                ),
                format!(
                    "paths start at the root of the context, not at the Dockerfile: copy {}",
                    code(inside, 60)
                ),
            ),
            Instead::Nothing => (
                format!(
                    "{context} has no {}, and nothing was found that makes it: the build fails",
                    code(&one.path, 50)
                ),
                "add the file, or copy what is there".to_owned(),
            ),
        };
        let place = Place { path: self.cx.path().clone(), span: one.span };
        out.report_at(place, message).help(help);
    }
}

/// Whether a file is there to be run by hand or by a job: a shell script, a recipe, or what stands with them.
fn is_script(file: &str) -> bool {
    let name = path::base(file);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(ending, "sh" | "bash" | "ps1" | "bat" | "cmd" | "mk")
        || name.starts_with("Makefile")
        || name == "justfile"
        || path::parent(file)
            .split('/')
            .any(|part| matches!(part, "scripts" | "script" | "ci" | "hack" | "tools"))
}

/// Endings of files that people write.
const WRITTEN: &[&str] = &[
    "c",
    "cc",
    "cfg",
    "conf",
    "cpp",
    "cs",
    "csproj",
    "css",
    "ex",
    "exs",
    "go",
    "gradle",
    "h",
    "html",
    "ini",
    "java",
    "js",
    "jsx",
    "kt",
    "kts",
    "mjs",
    "cjs",
    "mod",
    "php",
    "pl",
    "py",
    "r",
    "rb",
    "rs",
    "scala",
    "sh",
    "sln",
    "sql",
    "swift",
    "toml",
    "ts",
    "tsx",
    "txt",
    "xml",
    "yaml",
    "yml",
    "json",
    "bash",
    "j2",
    "tmpl",
    "template",
    "properties",
    "md",
];

/// Parts of paths of what builds make, and of what is put there by hand because it is secret or large.
const MADE: &[&str] = &[
    "dist",
    "build",
    "target",
    "out",
    "bin",
    "obj",
    "public",
    "vendor",
    "node_modules",
    "artifacts",
    "publish",
    "release",
    "generated",
    "gen",
    "output",
    "tmp",
    "temp",
    "cache",
    "secrets",
    "secret",
    "certs",
    "ssl",
    "keys",
    "data",
    "models",
    "dump",
    "assets",
    "static",
    "coverage",
    "_build",
    "deps",
    "deb",
    "rpm",
    "wheels",
    "wheelhouse",
    "packages",
    "credentials.json",
    "service-account.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "composer.lock",
    "env",
    "config.json",
    "version.txt",
];
