//! Builds and the Dockerfiles that they build.

use super::place;
use super::texts::Texts;
use crate::builds::{self, Build, ContextSource, ReadError, Value};
use crate::cache::Model;
use crate::context::Context;
use crate::dockerfile::Dockerfile;
use crate::graph::{NamedContext, Options};
use crate::project::{FileError, FileKind, Project, classify_text};
use crate::source::SourceFile;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The builds of a project, in the order of their files and places, and the files that could not be read.
pub(super) fn builds_of(project: &Project) -> (Vec<Build>, Vec<FileError>) {
    let read: Vec<Result<Vec<Build>, FileError>> = project
        .others
        .par_iter()
        .chain(&project.around)
        // What is vendored starts no builds here.
        .filter(|file| !file.path.split('/').any(|part| matches!(part, "vendor" | "node_modules")))
        .filter_map(|file| match classify_text(&file.path, &file.text) {
            Some(FileKind::Build(system)) => Some(read(project, system, file).map_err(|error| {
                let line = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
                FileError { path: file.path.clone(), message: format!("{line}{}", error.message) }
            })),
            _ => None,
        })
        .collect();
    let (mut builds, mut errors) = (Vec::new(), Vec::new());
    for result in read {
        match result {
            Ok(found) => builds.extend(found),
            // Nobody asked about what stands around.
            Err(error) if project.is_asked(&error.path) => errors.push(error),
            Err(_) => {}
        }
    }
    let mut builds = builds::ci::called(builds);
    builds.sort_by(|a, b| (&a.path, a.span, &a.matrix, &a.name).cmp(&(&b.path, b.span, &b.matrix, &b.name)));
    (builds, errors)
}

/// Reads one file; other files that it names are looked up as they come up.
fn read(project: &Project, system: builds::System, file: &SourceFile) -> Result<Vec<Build>, ReadError> {
    let texts = Texts::new(project);
    builds::read(system, &file.path, &file.text, &|path| texts.get(path))
}

/// The Dockerfile that a build names, relative to the project's root; `None` where that is not known.
pub(super) fn dockerfile_of(build: &Build) -> Option<String> {
    if build.dockerfile_inline.is_some() {
        return None;
    }
    if let Some(path) = &build.dockerfile {
        return Some(path.value.clone());
    }
    match &build.context.value {
        ContextSource::Path(directory) | ContextSource::Git { own: true, subdir: directory } => {
            Some(if directory.is_empty() { "Dockerfile".into() } else { format!("{directory}/Dockerfile") })
        }
        _ => None,
    }
}

/// A Dockerfile with the builds that build it.
pub(super) struct Built<'b> {
    pub(super) file: Arc<SourceFile>,
    pub(super) builds: Vec<&'b Build>,
}

/// The Dockerfiles that builds name, by path; among them may be some of other names or places than those that were found.
pub(super) fn built<'b>(project: &Project, builds: &'b [Build]) -> BTreeMap<Arc<str>, Built<'b>> {
    let mut built: BTreeMap<Arc<str>, Built<'b>> = BTreeMap::new();
    let mut absent: BTreeSet<String> = BTreeSet::new();
    for build in builds {
        let Some(path) = dockerfile_of(build).filter(|path| !absent.contains(path)) else { continue };
        if let Some(known) = built.get_mut(path.as_str()) {
            known.builds.push(build);
            continue;
        }
        match project.dockerfile(&path).cloned().or_else(|| project.text(&path)) {
            Some(file) => {
                built.insert(file.path.clone(), Built { file, builds: vec![build] });
            }
            None => {
                absent.insert(path);
            }
        }
    }
    built
}

/// The directory of a build's context, relative to the project's root.
fn directory_of(build: &Build) -> Option<&str> {
    match &build.context.value {
        ContextSource::Path(directory) | ContextSource::Git { own: true, subdir: directory } => {
            Some(directory)
        }
        _ => None,
    }
}

/// What a build passes: target, args, named contexts. What is not known counts as one fixed value.
fn options_of(build: &Build) -> Options {
    let text = |value: &Value| match value {
        Value::Known(text) | Value::Symbolic { text, .. } => text.clone(),
    };
    let context = |source: &ContextSource| match source {
        ContextSource::Path(_) => NamedContext::Directory,
        ContextSource::Image(reference) => NamedContext::Image(reference.clone()),
        ContextSource::Git { .. } | ContextSource::Target(_) | ContextSource::Unknown(_) => {
            NamedContext::Other(String::new())
        }
    };
    let known = |value: &Value| matches!(value, Value::Known(_));
    Options {
        target: build.target.as_ref().filter(|target| known(&target.value)).map(|target| text(&target.value)),
        args: build.args.iter().map(|(name, value)| (name.clone(), text(&value.value))).collect(),
        contexts: build
            .contexts
            .iter()
            .map(|(name, source)| (name.clone(), context(&source.value)))
            .collect(),
        platform: match build.platforms.first().map(|platform| &platform.value) {
            Some(Value::Known(platform)) if platform.starts_with("linux/") => platform.clone(),
            _ => Options::default().platform,
        },
        ..Options::default()
    }
}

/// What all the builds of a Dockerfile have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreed {
    /// The context's directory, relative to the project's root.
    pub(super) directory: Option<String>,
    /// Target, build args, named contexts and platform.
    pub(super) options: Options,
}

/// What the builds that are found in `project` agree on about the Dockerfile at `path`.
pub(super) fn agreed(project: &Project, path: &str) -> Agreed {
    let (builds, _) = builds_of(project);
    let mut own = builds.iter().filter(|build| dockerfile_of(build).is_some_and(|named| named == path));
    let Some(first) = own.next() else { return Agreed::default() };
    let is_there = |directory: &&str| {
        project.context(directory, Some(path)).is_ok_and(|context| !context.tree().is_empty())
    };
    let mut directory = directory_of(first).filter(is_there);
    let mut options = options_of(first);
    for build in own {
        let other = options_of(build);
        directory = directory.filter(|own| directory_of(build) == Some(own));
        options.target = options.target.filter(|own| other.target.as_ref() == Some(own));
        options.args.retain(|arg| other.args.contains(arg));
        options.contexts.retain(|name, context| other.contexts.get(name) == Some(context));
        if options.platform != other.platform {
            options.platform = Options::default().platform;
        }
    }
    Agreed { directory: directory.map(str::to_owned), options }
}

/// Builds by what their models depend on.
pub(super) struct Alike<'b> {
    /// The first build of each group.
    pub(super) first: Vec<&'b Build>,
    /// The group of each build.
    pub(super) of: Vec<usize>,
}

/// Groups builds whose models are the same: of one Dockerfile, with the same options and files.
pub(super) fn alike(builds: &[Build]) -> Alike<'_> {
    type Seen<'b> = (Options, Option<&'b str>, bool);
    let mut groups: BTreeMap<Option<String>, Vec<(Seen<'_>, usize)>> = BTreeMap::new();
    let mut alike = Alike { first: Vec::new(), of: Vec::with_capacity(builds.len()) };
    for build in builds {
        let is_git = matches!(build.context.value, ContextSource::Git { .. });
        let seen: Seen<'_> = (options_of(build), directory_of(build), is_git);
        let known = groups.entry(dockerfile_of(build)).or_default();
        let group = match known.iter().take(MAX_ALIKE).find(|(other, _)| *other == seen) {
            Some((_, group)) => *group,
            None => {
                alike.first.push(build);
                known.push((seen, alike.first.len() - 1));
                alike.first.len() - 1
            }
        };
        alike.of.push(group);
    }
    alike
}

/// Ways to build one Dockerfile among which equal ones are looked for.
const MAX_ALIKE: usize = 64;

/// The model of a Dockerfile as `build` builds it. A target that the file does not have gives the last stage.
pub(super) fn model_of<'a>(
    project: &Project,
    path: &str,
    syntax: &'a Dockerfile<'a>,
    build: &Build,
) -> (Model<'a>, Option<String>) {
    let mut model = Model::new(syntax, options_of(build), None);
    if model.graph.target.is_none() {
        model = Model::new(syntax, Options { target: None, ..options_of(build) }, None);
    }
    if !model.takes_context() {
        return (model, directory_of(build).map(str::to_owned));
    }
    match context_of(project, path, build) {
        Some((directory, context)) => (model.with_context(context), Some(directory)),
        None => (model, None),
    }
}

/// The context of a build, as it sees it, and its directory; `None` where that is not known.
fn context_of(project: &Project, path: &str, build: &Build) -> Option<(String, Arc<Context>)> {
    let directory = directory_of(build)?;
    let context = match build.context.value {
        ContextSource::Git { .. } => project.git_context(directory),
        _ => project.context(directory, Some(path)),
    };
    // A context that is made by earlier steps of the job (a download, a checkout elsewhere) is not the one at hand.
    let context = context.ok().filter(|context| !context.tree().is_empty())?;
    Some((directory.to_owned(), context))
}

/// The model of a Dockerfile as far as no single build matters: its last stage and no build args, with the context of the
/// builds that name it, else the one that has what it copies.
pub(super) fn own_model<'a>(
    project: &Project,
    path: &str,
    syntax: &'a Dockerfile<'a>,
    builds: &[&Build],
) -> (Model<'a>, Option<String>) {
    let model = Model::new(syntax, Options::default(), None);
    // A git context lacks what git does not have; where both are built from, the work tree tells more.
    let is_git = |build: &&&Build| matches!(build.context.value, ContextSource::Git { .. });
    let (git, local): (Vec<&&Build>, Vec<&&Build>) = builds.iter().partition(is_git);
    let of_build = local.into_iter().chain(git).filter_map(|build| context_of(project, path, build));
    let found = match of_build.into_iter().next() {
        Some(found) => Some(found),
        None => place::context_of(project, path, &model).map(|place| (place.directory, place.context)),
    };
    match found {
        Some((directory, context)) if model.takes_context() => (model.with_context(context), Some(directory)),
        Some((directory, _)) => (model, Some(directory)),
        None => (model, None),
    }
}
