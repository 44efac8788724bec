//! Reading the files of CI systems.

use super::{
    Build, Files, ReadError, System, azure, bitbucket, buildkite, circleci, cloudbuild, drone, github,
    gitlab, jenkins,
};
use crate::source::Span;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Reads a file of a CI system; files of anything else give nothing. Builds in a file that others call are read there as
/// templates and once more from each caller ([`called`] leaves only what is needed).
///
/// # Errors
/// Where the file does not parse.
pub fn read<'f>(
    system: System,
    path: &str,
    text: &'f str,
    files: Files<'f>,
) -> Result<Vec<Build>, ReadError> {
    match system {
        System::GithubActions => github::read(path, text, files),
        System::GitlabCi => gitlab::read(path, text, files),
        System::Buildkite => buildkite::read(path, text, files),
        System::CircleCi => circleci::read(path, text, files),
        System::AzurePipelines => azure::read(path, text, files),
        System::Jenkins => Ok(jenkins::read(path, text, files)),
        System::Bitbucket => bitbucket::read(path, text, files),
        System::Drone | System::Woodpecker => drone::read(system, path, text, files),
        System::CloudBuild => cloudbuild::read(path, text, files),
        _ => Ok(Vec::new()),
    }
}

/// Drops the templates that some caller in the same project has filled in.
#[must_use]
pub fn called(mut builds: Vec<Build>) -> Vec<Build> {
    let place = |build: &Build| (build.path.clone(), build.span);
    let filled: FxHashSet<(Arc<str>, Span)> =
        builds.iter().filter(|build| !build.template).map(place).collect();
    builds.retain(|build| !build.template || !filled.contains(&place(build)));
    builds
}
