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

/// Drops the templates that some caller in the same project has filled in, and the builds of scripts that pipelines run: those
/// are read there, with the builder and the variables that the pipeline gives them.
#[must_use]
pub fn called(mut builds: Vec<Build>) -> Vec<Build> {
    let place = |build: &Build| (build.path.clone(), build.span);
    let filled: FxHashSet<(Arc<str>, Span)> =
        builds.iter().filter(|build| !build.template).map(place).collect();
    let run: FxHashSet<(Arc<str>, Span)> = builds
        .iter()
        .filter(|build| !build.template && !is_script(build.system))
        .filter_map(|build| build.defined.clone())
        .collect();
    builds.retain(|build| !build.template || !filled.contains(&place(build)));
    builds.retain(|build| !is_script(build.system) || !run.contains(&place(build)));
    builds
}

/// Whether a file is run by people and by pipelines.
fn is_script(system: System) -> bool {
    matches!(system, System::Shell | System::Make | System::Just | System::Task | System::PackageJson)
}
