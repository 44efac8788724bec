//! `explain`: which steps of one Dockerfile run again after a change, and why.

use super::explanation::{ExplainedStep, Explanation, Reason};
use super::join::{self, Agreed};
use super::place;
use crate::builds::{Placed, Vars, cachespec};
use crate::cache::{self, Answer, Change, Export, ExportMode, Model, Setting};
use crate::context::{
    Change as FileChange, ContentId, Context, Entry, go_match, has_wildcards, own_ignore_file, path,
};
use crate::dockerfile;
use crate::graph::{Graph, Source, StepKind};
use crate::project::Project;
use crate::source::{LineIndex, Span};
use std::borrow::Borrow;
use std::sync::Arc;

/// What `explain` is asked.
#[derive(Clone, Debug, Default)]
pub struct ExplainRequest {
    /// The Dockerfile, relative to the project's root.
    pub dockerfile: String,
    /// The context's directory relative to the project's root; `None` takes that of the builds that are found, else looks
    /// for the one that has what is copied.
    pub context: Option<String>,
    /// Edited paths and globs.
    pub edits: Vec<EditedPath>,
    /// Build args that get another value: the value before is the default, or the one of `=VALUE` before another one.
    pub args: Vec<(String, Option<String>)>,
    /// A base image is another one: its reference, or all.
    pub base: Option<Option<String>>,
    /// A download gives something else: its address, or all.
    pub remote: Option<Option<String>>,
    /// The cache mounts are gone.
    pub prune_mounts: bool,
    /// What the build was at a revision.
    pub since: Option<Since>,
    /// The stage that is built; `None` takes the one that all builds ask for that are found, else the last.
    pub target: Option<String>,
    /// Whether every build has a fresh builder.
    pub ephemeral: bool,
    /// `--cache-to` values.
    pub cache_to: Vec<String>,
    /// `--cache-from` values.
    pub cache_from: Vec<String>,
}

/// A path or glob of edited files, as a person names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditedPath {
    /// As given: relative to the context.
    pub given: String,
    /// Relative to the project's root, if it is taken from where the command runs: what counts where the context has nothing
    /// of that name.
    pub from_here: String,
}

/// The state at a revision, as far as it differs from the work tree.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// The revision as the user wrote it.
    pub revision: String,
    /// The Dockerfile's text then; `None` where it did not exist.
    pub dockerfile: Option<String>,
    /// The text of the ignore file in force then; `None` where there was none.
    pub ignore: Option<String>,
    /// Context paths that are new since.
    pub added: Vec<String>,
    /// Context paths that are gone since.
    pub deleted: Vec<String>,
    /// Context paths that changed since.
    pub modified: Vec<String>,
}

/// Why there is no explanation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The Dockerfile is not in the project.
    #[error("{0}: no such Dockerfile")]
    NoDockerfile(String),
    /// The Dockerfile did not exist then.
    #[error("{0} did not exist at {1}")]
    NotThen(String, String),
    /// No stage has that name.
    #[error("there is no stage {0:?} in {1}{2}")]
    NoTarget(String, String, String),
    /// The file has no stage at all.
    #[error("{0} has no FROM, so there is nothing to build")]
    NoStage(String),
    /// The context cannot be listed.
    #[error("the context {0:?} is unknown: {1}")]
    NoContext(String, String),
    /// An edited path is not in the context.
    #[error("--edit {0}: nothing in the context {1:?} matches it; paths are relative to the context")]
    NoSuchFile(String, String),
    /// No stage stands on that image, and none copies from it.
    #[error("--base {0}: the Dockerfile does not use that image{1}")]
    NoSuchImage(String, String),
    /// No ARG has that name.
    #[error("--build-arg {0}: the Dockerfile has no ARG of that name, so it changes nothing")]
    NoSuchArg(String),
    /// A cache setting that cannot be read.
    #[error("{0}")]
    CacheSetting(String),
    /// Nothing was said to change.
    #[error("nothing changes: give --edit, --build-arg, --base, --remote, --prune-mounts or --from-git")]
    NoChange,
}

impl ExplainError {
    /// The stage that `graph` is built for, or what is wrong with the one that was `asked` for.
    pub(super) fn target_of(graph: &Graph<'_>, dockerfile: &str, asked: Option<&str>) -> Result<usize, Self> {
        if graph.stages.is_empty() {
            return Err(Self::NoStage(dockerfile.to_owned()));
        }
        graph.target.ok_or_else(|| {
            let names: Vec<_> = graph.stages.iter().filter_map(|stage| stage.name.clone()).collect();
            Self::NoTarget(asked.unwrap_or_default().to_owned(), dockerfile.to_owned(), it_has(&names))
        })
    }
}

/// What there is instead of the name that was given.
fn it_has<S: Borrow<str>>(known: &[S]) -> String {
    if known.is_empty() { String::new() } else { format!("; it has {}", known.join(", ")) }
}

/// Answers `request` on `project`.
///
/// # Errors
///
/// [`ExplainError`], with what the user can do about it.
pub fn explain(project: &Project, request: &ExplainRequest) -> Result<Explanation, ExplainError> {
    let file = project
        .dockerfile(&request.dockerfile)
        .cloned()
        .or_else(|| project.text(&request.dockerfile))
        .ok_or_else(|| ExplainError::NoDockerfile(request.dockerfile.clone()))?;
    let syntax = dockerfile::parse(&file.text);
    let agreed = join::agreed(project, &request.dockerfile);
    let mut options = agreed.options.clone();
    if request.target.is_some() {
        options.target.clone_from(&request.target);
    }
    let mut model = Model::new(&syntax, options.clone(), None);
    if request.target.is_none() && model.graph.target.is_none() {
        // The builds ask for a stage that is gone.
        options.target = None;
        model = Model::new(&syntax, options.clone(), None);
    }
    let target = ExplainError::target_of(&model.graph, &request.dockerfile, request.target.as_deref())?;
    let directory = directory(project, request, &agreed, &model);
    let context = directory.as_deref().map(|directory| listed(project, request, directory)).transpose()?;
    let model = match &context {
        Some(context) => model.with_context(Arc::clone(context)),
        None => model,
    };
    let setting = setting_of(&request.cache_to, &request.cache_from, request.ephemeral)?;
    let mut changes = Vec::new();
    let mut said = Vec::new();
    if !request.edits.is_empty() {
        let paths = edited(&request.edits, context.as_deref(), directory.as_deref().unwrap_or(""))?;
        said.push(edit_sentence(&request.edits, &paths, context.as_deref()));
        changes.push(Change::Edit(paths));
    }
    for (name, value) in &request.args {
        if !declares(&syntax, name) {
            return Err(ExplainError::NoSuchArg(name.clone()));
        }
        said.push(match value {
            Some(value) => format!("{name} became {value:?}"),
            None => format!("{name} got another value"),
        });
        changes.push(Change::Arg(name.clone(), value.clone()));
    }
    if let Some(base) = &request.base {
        if let Some(image) = base {
            uses_image(&model.graph, image)?;
        }
        said.push(base.as_ref().map_or("new base images".into(), |base| format!("a new {base}")));
        changes.push(Change::Base(base.clone()));
    }
    if let Some(remote) = &request.remote {
        said.push(
            remote.as_ref().map_or("other downloads".into(), |url| format!("another content of {url}")),
        );
        changes.push(Change::Remote(remote.clone()));
    }
    if request.prune_mounts {
        said.push("its cache mounts were emptied".into());
        changes.push(Change::PruneMounts);
    }
    let explanation = |answer: &Answer<'_, '_>, said: Vec<String>| Explanation {
        dockerfile: request.dockerfile.clone(),
        target: model.graph.stage_name(target).into_owned(),
        change: said.join(" and ") + if request.ephemeral { ", on a fresh builder" } else { "" },
        steps: steps(answer, &LineIndex::new(&file.text)),
    };
    if let Some(since) = &request.since {
        let before = since
            .dockerfile
            .as_deref()
            .ok_or_else(|| ExplainError::NotThen(request.dockerfile.clone(), since.revision.clone()))?;
        let before = dockerfile::parse(before);
        let mut old = Model::new(&before, options, None);
        if let Some(directory) = &directory {
            let project = with_ignore_file(project, request, directory, since)?;
            old = old.with_context(Arc::new(earlier(&*listed(&project, request, directory)?, since)));
        }
        let edited = [since.modified.clone(), since.added.clone(), since.deleted.clone()].concat();
        said.insert(0, format!("what changed since {}", since.revision));
        return Ok(explanation(&model.since(&old, edited, &changes, &setting), said));
    }
    if changes.is_empty() && !request.ephemeral {
        return Err(ExplainError::NoChange);
    }
    if said.is_empty() {
        said.push("no change".into());
    }
    Ok(explanation(&model.after_in(&changes, &setting), said))
}

/// Says what images there are, where `image` is none of them.
fn uses_image(graph: &Graph<'_>, image: &str) -> Result<(), ExplainError> {
    let mut known: Vec<&str> = (0..graph.stages.len()).filter_map(|stage| graph.base_image(stage)).collect();
    for (_, step) in graph.all_steps() {
        let sources: Vec<&Source> = match &step.kind {
            StepKind::Copy(copy) => vec![&copy.from],
            StepKind::Run(run) => run.mounts.iter().map(|mount| &mount.from).collect(),
            _ => Vec::new(),
        };
        known.extend(sources.into_iter().filter_map(|source| match source {
            Source::Image(image) => Some(image.as_str()),
            _ => None,
        }));
    }
    if known.contains(&image) {
        return Ok(());
    }
    known.sort_unstable();
    known.dedup();
    Err(ExplainError::NoSuchImage(image.to_owned(), it_has(&known)))
}

/// The context's directory; `None` where no step takes files of it, or where it is not certain.
fn directory(
    project: &Project,
    request: &ExplainRequest,
    agreed: &Agreed,
    model: &Model<'_>,
) -> Option<String> {
    if !model.takes_context() {
        return None;
    }
    let found = || place::context_of(project, &request.dockerfile, model).map(|place| place.directory);
    request.context.clone().or_else(|| agreed.directory.clone()).or_else(found)
}

fn listed(
    project: &Project,
    request: &ExplainRequest,
    directory: &str,
) -> Result<Arc<Context>, ExplainError> {
    let context = project.hashed_context(directory, Some(&request.dockerfile));
    context.map(Arc::new).map_err(|why| ExplainError::NoContext(directory.to_owned(), why.to_string()))
}

/// The project with the ignore file as it was.
fn with_ignore_file(
    project: &Project,
    request: &ExplainRequest,
    directory: &str,
    since: &Since,
) -> Result<Project, ExplainError> {
    let now = project
        .ignore_file(directory, Some(&request.dockerfile))
        .map_err(|why| ExplainError::NoContext(directory.to_owned(), why.to_string()))?;
    let (then, now_text) =
        (since.ignore.as_deref().unwrap_or(""), now.as_ref().map_or("", |file| &file.text));
    if then == now_text {
        return Ok(project.clone());
    }
    let place = match &now {
        Some(file) => file.path.to_string(),
        None => own_ignore_file(&request.dockerfile),
    };
    Ok(project.with_texts([(place.as_str(), then)], None))
}

/// The context as it was: what is new taken away, what is gone put back, what changed with another content.
fn earlier(context: &Context, since: &Since) -> Context {
    let gone = since
        .deleted
        .iter()
        .map(|path| FileChange::Write(path.clone(), Entry::file(ContentId::of_stamp(path, 0), false)));
    let changes: Vec<_> = since
        .added
        .iter()
        .map(|path| FileChange::Remove(path.clone()))
        .chain(gone)
        .chain(since.modified.iter().map(|path| FileChange::Edit(path.clone())))
        .collect();
    context.changed(&changes)
}

fn declares(syntax: &dockerfile::Dockerfile<'_>, name: &str) -> bool {
    let platform = ["TARGET", "BUILD"].iter().any(|prefix| name.starts_with(prefix));
    let predefined =
        matches!(name, "SOURCE_DATE_EPOCH" | "BUILDKIT_CACHE_MOUNT_NS" | "BUILDKIT_SANDBOX_HOSTNAME");
    platform
        || predefined
        || syntax.instructions().any(|instruction| match &instruction.kind {
            dockerfile::Kind::Arg(decls) => decls.iter().any(|decl| decl.name.text == name),
            _ => false,
        })
}

/// The context files that the globs match; a path that matches nothing in a known context is an error. `directory` is the
/// context's, relative to the root.
fn edited(
    edits: &[EditedPath],
    context: Option<&Context>,
    directory: &str,
) -> Result<Vec<String>, ExplainError> {
    let mut paths = Vec::new();
    for edit in edits {
        let wanted = path::below_root(&edit.given);
        let Some(context) = context else {
            paths.push(wanted);
            continue;
        };
        let directory = if directory == "." { "" } else { directory };
        let from_here = match directory {
            "" => Some(edit.from_here.as_str()),
            _ => edit.from_here.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')),
        };
        let names = [Some(wanted.as_str()), from_here.filter(|name| !name.is_empty())];
        let found =
            names.into_iter().flatten().map(|name| matching(context, name)).find(|found| !found.is_empty());
        match found {
            Some(found) => paths.extend(found),
            None => {
                let directory = if directory.is_empty() { "." } else { directory };
                return Err(ExplainError::NoSuchFile(edit.given.clone(), directory.to_owned()));
            }
        }
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The files of the context that a path or glob names; the path itself where the ignore file leaves it out, for no step can
/// see it, which is an answer.
fn matching(context: &Context, wanted: &str) -> Vec<String> {
    let tree = context.tree();
    let found = if has_wildcards(wanted) {
        let matches = |file: &String| go_match(wanted, file).unwrap_or(false) || matches_deep(wanted, file);
        tree.files("").into_iter().filter(matches).collect()
    } else {
        tree.files(wanted)
    };
    if found.is_empty() && context.ignore().decide(wanted).ignored { vec![wanted.to_owned()] } else { found }
}

/// `**` in a glob of the command line stands for any directories, as in `.dockerignore`.
fn matches_deep(glob: &str, file: &str) -> bool {
    glob.contains("**")
        && crate::context::Pattern::new(glob).ok().flatten().is_some_and(|pattern| pattern.matches(file))
}

fn edit_sentence(edits: &[EditedPath], paths: &[String], context: Option<&Context>) -> String {
    let ignored = |path: &String| context.is_some_and(|context| context.ignore().decide(path).ignored);
    match (edits, paths) {
        ([one], [path]) if ignored(path) => {
            format!("an edit of {}, which .dockerignore leaves out", one.given)
        }
        ([one], [_]) => format!("an edit of {}", one.given),
        _ => {
            let given: Vec<&str> = edits.iter().map(|edit| edit.given.as_str()).collect();
            format!("an edit of {} ({} files)", given.join(", "), paths.len())
        }
    }
}

/// Where the build runs. An inline export is in the image, which every registry import may name.
pub(super) fn setting_of(
    cache_to: &[String],
    cache_from: &[String],
    ephemeral: bool,
) -> Result<Setting, ExplainError> {
    let parse = |text: &String| {
        let specs = cachespec::parse(&Placed::exact(text.as_str(), 0), &Vars::default());
        match specs.specs.into_iter().next() {
            Some(spec) => Ok(spec.value),
            None => Err(ExplainError::CacheSetting(format!("{text:?} is no cache setting"))),
        }
    };
    let mut setting = Setting { fresh: ephemeral, pushed: true, ..Setting::default() };
    let mut inline = false;
    for text in cache_from {
        setting.imports.push(cache::ref_of(&parse(text)?).ok_or_else(|| no_ref(text))?);
    }
    for text in cache_to {
        let spec = parse(text)?;
        if spec.kind() == Some("inline") {
            inline = true;
            continue;
        }
        let to = cache::ref_of(&spec).ok_or_else(|| no_ref(text))?;
        setting.exports.push(Export { to, mode: cache::mode_of(&spec) });
    }
    if inline {
        let images: Vec<_> = setting.imports.clone();
        setting.exports.extend(images.into_iter().map(|to| Export { to, mode: ExportMode::Inline }));
    }
    Ok(setting)
}

fn no_ref(text: &str) -> ExplainError {
    ExplainError::CacheSetting(format!(
        "{text:?} names no place: type=registry needs ref=, type=local needs dest= or src="
    ))
}

fn steps(answer: &Answer<'_, '_>, lines: &LineIndex) -> Vec<ExplainedStep> {
    let graph = answer.graph();
    let line = |offset: u32| lines.line(offset);
    let step = |(id, step): (crate::graph::StepId, &crate::graph::Step<'_>)| {
        let instruction = step.instruction;
        let because = answer.because(id).into_iter().map(|because| Reason {
            line: because.span.map(|span: Span| line(span.start)),
            message: because.message(line),
            path: because.path,
        });
        ExplainedStep {
            line: line(instruction.span.start),
            stage: graph.stages.get(step.stage).and_then(|stage| stage.name.clone()),
            stage_index: step.stage,
            instruction: instruction.keyword.name(),
            text: one_line(graph.dockerfile.source, instruction),
            verdict: answer.verdict(id),
            because: because.collect(),
        }
    };
    graph.all_steps().map(step).collect()
}

/// The instruction without its keyword, in one line.
pub(super) fn one_line(source: &str, instruction: &dockerfile::Instruction<'_>) -> String {
    let mut words = vec![instruction.keyword.name().to_owned()];
    words.extend(instruction.flags.iter().map(|flag| flag.span.of(source).to_owned()));
    words.extend(instruction.args.text.split_whitespace().map(str::to_owned));
    words.join(" ")
}
