//! Where a Dockerfile's context is when nothing tells: its own directory or one above, whichever has what it copies.

use crate::cache::Model;
use crate::context::{Context, has_wildcards, path};
use crate::graph::Options;
use crate::project::Project;
use crate::source::SourceFile;
use std::sync::Arc;

/// Folder names that hold Dockerfiles apart from what they build: without a named source as evidence, their context is not known.
const APART: [&str; 12] = [
    "docker",
    ".docker",
    "dockerfiles",
    "build",
    "ci",
    ".ci",
    "deploy",
    "deployment",
    "packaging",
    "containers",
    ".devcontainer",
    "images",
];

/// A context that was found.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Directory, relative to the project's root; `""` is the root.
    pub(super) directory: String,
    /// Its files.
    pub(super) context: Arc<Context>,
}

/// The directory of the context of a Dockerfile, relative to the project's root: that of the builds that are found, else
/// the one that has what is copied; `None` where it is not certain.
#[must_use]
pub fn context_directory(project: &Project, dockerfile: &str) -> Option<String> {
    let file = project.dockerfile(dockerfile)?;
    if let Some(directory) = super::join::agreed(project, dockerfile).directory {
        return Some(directory);
    }
    context_directory_of(project, file)
}

/// The directory of the context of a Dockerfile that no build is known of; `None` where it is not certain.
pub(super) fn context_directory_of(project: &Project, file: &SourceFile) -> Option<String> {
    let syntax = crate::dockerfile::parse(&file.text);
    let model = Model::new(&syntax, Options::default(), None);
    context_of(project, &file.path, &model).map(|place| place.directory)
}

/// The context of the Dockerfile at `dockerfile`, or `None` where it is not certain.
pub(super) fn context_of(project: &Project, dockerfile: &str, model: &Model<'_>) -> Option<Place> {
    if !model.takes_context() {
        return None;
    }
    let sources = plain_sources(model);
    let own = path::parent(dockerfile);
    if sources.is_empty() {
        let apart = APART.contains(&path::base(own).to_ascii_lowercase().as_str());
        let context = (!apart).then(|| project.context(own, Some(dockerfile)).ok()).flatten()?;
        return Some(Place { directory: own.to_owned(), context });
    }
    let mut directory = own;
    loop {
        // Listing a directory high up is costly, and most have not even the first part of what is copied.
        if sources.iter().all(|source| project.may_have(&first_part(directory, source))) {
            let context = project.context(directory, Some(dockerfile)).ok()?;
            if sources.iter().all(|source| exists(&context, source)) {
                return Some(Place { directory: directory.to_owned(), context });
            }
        }
        if directory.is_empty() {
            return None;
        }
        directory = path::parent(directory);
    }
}

/// The sources that name something: no globs, not the whole context.
fn plain_sources(model: &Model<'_>) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for (id, _) in model.graph.all_steps() {
        for selection in model.selections(id) {
            let named =
                selection.sources.iter().map(|source| path::below_root(&source.replacen("/./", "/", 1)));
            sources.extend(named.filter(|source| !source.is_empty() && !has_wildcards(source)));
        }
    }
    sources.sort();
    sources.dedup();
    sources
}

/// The first part of a source, from the project's root.
fn first_part(directory: &str, source: &str) -> String {
    let first = source.split_once('/').map_or(source, |(first, _)| first);
    if directory.is_empty() { first.to_owned() } else { format!("{directory}/{first}") }
}

fn exists(context: &Context, source: &str) -> bool {
    let tree = context.tree();
    tree.resolve(source, true).is_some_and(|place| tree.get(&place).is_some())
}
