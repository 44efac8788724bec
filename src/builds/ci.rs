//! Which CI system a file belongs to, by its path, and reading it.

use super::{Build, Files, ReadError, System, github, gitlab};
use crate::source::Span;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The CI system whose file this is, as its path tells; `None` for all other files.
#[must_use]
pub fn system(path: &str) -> Option<System> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if matches!(name, "action.yml" | "action.yaml") || yaml && directory.ends_with(".github/workflows") {
        return Some(System::GithubActions);
    }
    if yaml && (name.ends_with(".gitlab-ci.yml") || name.ends_with(".gitlab-ci.yaml")) {
        return Some(System::GitlabCi);
    }
    None
}

/// Reads a file of a CI system; `None` for all other files. Builds in a file that others call are read there as templates
/// and once more from each caller ([`called`] leaves only what is needed).
pub fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Option<Result<Vec<Build>, ReadError>> {
    match system(path)? {
        System::GithubActions => Some(github::read(path, text, files)),
        System::GitlabCi => Some(gitlab::read(path, text, files)),
        _ => None,
    }
}

/// Drops the templates that some caller in the same project has filled in, and of equal readings all but one.
#[must_use]
pub fn called(mut builds: Vec<Build>) -> Vec<Build> {
    let place = |build: &Build| (build.path.clone(), build.span);
    let filled: FxHashSet<(Arc<str>, Span)> =
        builds.iter().filter(|build| !build.template).map(place).collect();
    builds.retain(|build| !build.template || !filled.contains(&place(build)));
    builds
}
