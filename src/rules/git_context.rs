//! `git-context`: a build from a git context, for which no `.dockerignore` holds and which has no files of earlier steps.

use super::words::{code, count, list};
use super::{
    BuildCx, Category, DockerfileCx, Fix, Fixable, Meta, Place, ProjectCx, Rule, Safety, Severity, Sink,
};
use crate::builds::{ContextSource, Front, System};
use crate::cache::Model;
use crate::context::{DOCKERIGNORE, Ignore, own_ignore_file, path};
use crate::graph::Base;
use crate::source::Span;
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "git-context",
    category: Category::Context,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/git-context.md"),
};

/// See the page.
pub(super) struct GitContext;

impl Rule for GitContext {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a git context is without is a fact (facts §2), what comes of it is asked of the context.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds {
            let ContextSource::Git { own: true, subdir } = &build.build.context.value else { continue };
            // Where it is asked for by name it is meant.
            let by_default = build.build.context.span == build.build.span || is_uses(build);
            let Some(dockerfile) = build.dockerfile.filter(|_| by_default && !build.build.template) else {
                continue;
            };
            let place = build.place_of(&build.build.context);
            if *place.path != *build.file.path || seen.contains(&place) {
                continue;
            }
            let Some(found) = what(build, dockerfile, subdir) else { continue };
            seen.insert(place.clone());
            let name = dockerfile.path();
            let (message, severity) = match &found {
                Found::Ignored(file, files, line) => (
                    format!(
                        "the context is a git clone, where {} does not hold: line {line} of {} takes {} that it names",
                        code(file, 40),
                        code(name, 40),
                        match files.as_slice() {
                            [one] => code(one, 40),
                            many => count(many.len(), "file"),
                        }
                    ),
                    // Settings of tools that hardly change cost next to nothing.
                    if files.iter().all(|file| path::base(file).starts_with('.')) {
                        Severity::Info
                    } else {
                        Severity::Warning
                    },
                ),
                Found::Missing(source, line) => (
                    format!(
                        "the context is a git clone, which has no {}: what earlier steps made for line {line} of {} is not in it",
                        code(source, 40),
                        code(name, 40)
                    ),
                    Severity::Warning,
                ),
                Found::Whole(line) => (
                    format!(
                        "the context is a git clone, where no `.dockerignore` holds: line {line} of {} takes all of it",
                        code(name, 40)
                    ),
                    Severity::Info,
                ),
            };
            let key = if build.build.front == Front::Bake { "source" } else { "context" };
            let help =
                format!("say `{key}: .` to build from the files of the job, as `.dockerignore` leaves them");
            let mut draft = out.report_at(place, message).severity(severity).help(help);
            if let Found::Ignored(_, files, _) = &found {
                let names: Vec<String> = files.iter().take(4).map(|file| code(file, 40)).collect();
                draft = draft.cause_elsewhere(format!("among them {}", list(&names)));
            }
            draft.fix(fix(build, key, subdir, same_image(build, dockerfile, &found)));
        }
    }
}

/// Whether the setting is the action itself: none says what the context is.
fn is_uses(build: &BuildCx<'_>) -> bool {
    let text = build.build.context.span.of(&build.file.text);
    text.contains("build-push-action@") || text.contains("bake-action@")
}

/// What a build has of the git context that it would not have of the work tree, or the other way round.
enum Found {
    /// Files that the named ignore file leaves out, taken by the instruction in that line.
    Ignored(String, Vec<String>, u32),
    /// A source that git does not have.
    Missing(String, u32),
    /// Everything, by the instruction in that line.
    Whole(u32),
}

fn what(build: &BuildCx<'_>, dockerfile: &DockerfileCx<'_>, subdir: &str) -> Option<Found> {
    let model = build.model?;
    let tree = model.context()?.visible();
    let shared = if subdir.is_empty() { DOCKERIGNORE.to_owned() } else { format!("{subdir}/{DOCKERIGNORE}") };
    let own = own_ignore_file(dockerfile.path());
    let ignore = [own, shared].into_iter().find_map(|file| {
        let text = (dockerfile.files)(&file)?;
        Some((file, Ignore::parse(&text.text)))
    });
    let reached = |stage: usize| model.graph.reachable.get(stage).copied().unwrap_or(false);
    let mut whole = None;
    for (id, step) in model.graph.all_steps().filter(|(_, step)| reached(step.stage) && !step.onbuild) {
        let line = dockerfile.line(step.instruction.span.start);
        for selection in model.selections(id) {
            for source in &selection.sources {
                let text = path::below_root(&source.replacen("/./", "/", 1));
                let plain =
                    !text.is_empty() && !crate::context::has_wildcards(&text) && !source.contains('$');
                if plain && tree.get(&text).is_none() && is_made(&text) {
                    return Some(Found::Missing(text, line));
                }
                whole = whole.or((text.is_empty()).then_some(line));
            }
        }
        let files = model.taken_files(id).unwrap_or_default();
        if let Some((file, ignore)) = &ignore {
            let mut ignored: Vec<String> =
                files.into_iter().filter(|file| ignore.decide(file).ignored).collect();
            // What the build reads for itself is no loss worth a word.
            ignored.retain(|file| {
                let name = path::base(file).to_ascii_lowercase();
                !name.ends_with(DOCKERIGNORE)
                    && !name.starts_with("dockerfile")
                    && !name.ends_with(".dockerfile")
            });
            if !ignored.is_empty() {
                return Some(Found::Ignored(file.clone(), ignored, line));
            }
        }
    }
    whole.map(Found::Whole)
}

/// Whether the image is the same when it is built from the work tree: there is a `.git` in it, which a COPY of everything takes
/// along unless the ignore file names it, and what that file leaves out is missing where it was taken into the image.
fn same_image(build: &BuildCx<'_>, dockerfile: &DockerfileCx<'_>, found: &Found) -> bool {
    let Some(model) = build.model else { return false };
    let ignore = [own_ignore_file(dockerfile.path()), DOCKERIGNORE.to_owned()]
        .into_iter()
        .find_map(|file| (dockerfile.files)(&file))
        .map(|text| Ignore::parse(&text.text));
    let without_git = ignore.is_some_and(|ignore| ignore.decide(".git").ignored);
    let everything = model.graph.all_steps().any(|(id, _)| {
        let mut sources = model.selections(id).into_iter().flat_map(|selection| selection.sources);
        sources.any(|source| path::below_root(&source.replacen("/./", "/", 1)).is_empty())
    });
    let taken = matches!(found, Found::Ignored(_, _, line) if in_image(dockerfile, model, *line));
    (without_git || !everything) && !taken
}

/// Whether the instruction in `line` writes into the image itself, not into a stage that is copied from.
fn in_image(dockerfile: &DockerfileCx<'_>, model: &Model<'_>, line: u32) -> bool {
    let mut steps = model.graph.all_steps();
    let own = steps.find(|(_, step)| dockerfile.line(step.instruction.span.start) == line);
    let mut at = model.graph.target;
    while let Some(stage) = at {
        if own.is_none_or(|(_, step)| step.stage == stage) {
            return true;
        }
        at = match model.graph.stages.get(stage).map(|stage| &stage.base) {
            Some(Base::Stage(parent)) if *parent < stage => Some(*parent),
            _ => None,
        };
    }
    false
}

/// Whether a path looks like what earlier steps of a job make.
fn is_made(source: &str) -> bool {
    const MADE: &[&str] = &[
        "dist",
        "build",
        "target",
        "out",
        "bin",
        "public",
        "node_modules",
        "vendor",
        "artifacts",
        "publish",
    ];
    source.split('/').any(|part| MADE.contains(&part)) || source.ends_with(".jar") || source.ends_with(".war")
}

/// The line that says the context, where the job has the repository.
fn fix(build: &BuildCx<'_>, key: &str, subdir: &str, same: bool) -> Option<Fix> {
    let new = |title: String| if same { Fix::safe(title) } else { Fix::needs_a_look(title) };
    if build.build.system != System::GithubActions || !build.build.checked_out || !subdir.is_empty() {
        return None;
    }
    let text = &build.file.text;
    let uses = build.build.context.span;
    let step = Span { start: uses.start, end: build.build.span.end.max(uses.end) };
    let end = crate::fix::instructions::line_end(text);
    // The column of the step's keys is that of `uses`.
    let line_start = text.get(..uses.start as usize)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(line_start..)?.lines().next()?;
    let column = line.find("uses")?;
    let before = line.get(..column)?;
    if !before.chars().all(|c| c == ' ' || c == '-') {
        return None;
    }
    let indent = " ".repeat(column);
    let first_end = line_start + text.get(line_start..)?.split_inclusive('\n').next()?.len();
    let rest = text.get(first_end..(step.end as usize).max(first_end))?;
    let mut at = first_end;
    let mut lines = rest.split_inclusive('\n').peekable();
    // Keys may stand above `uses`, too; then nothing is done.
    while let Some(own) = lines.next() {
        at += own.len();
        let key_text = own.trim_end();
        if key_text.strip_prefix(indent.as_str()) == Some("with:") {
            let inner = lines.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
            let depth = inner.len() - inner.trim_start().len();
            if depth <= column {
                return None;
            }
            let place = u32::try_from(at).ok()?;
            let title = format!("say `{key}: .`");
            return Some(new(title).insert(
                &build.file.path,
                place,
                format!("{}{key}: .{end}", " ".repeat(depth)),
            ));
        }
        if own.trim_start().starts_with("with:") {
            return None;
        }
    }
    let above = text.get(build.build.span.start as usize..line_start).unwrap_or("");
    if above.contains("with:") || !text.get(..first_end)?.ends_with('\n') {
        return None;
    }
    let place = u32::try_from(first_end).ok()?;
    let added = format!("{indent}with:{end}{indent}  {key}: .{end}");
    Some(new(format!("say `{key}: .`")).insert(&build.file.path, place, added))
}
