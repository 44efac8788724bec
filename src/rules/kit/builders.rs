//! Whether the builders of a Dockerfile keep cache mounts.

use super::{BuildCx, DockerfileCx, versions};
use crate::builds::{Build, Driver, Front};
use crate::settings::Scope;

/// Whether the build's cache mounts are empty every time: its builder is gone after the job, by what its files or else the
/// configuration tell, and nothing saves them.
#[must_use]
pub fn forgets(build: &Build, settings: &Scope) -> bool {
    let persistent = build.builder.persistent.or(settings.builder.persistent);
    persistent == Some(false) && build.mounts_kept.is_none()
}

/// Whether `docker build` runs without BuildKit: it is switched off, or the Docker in use is older than its default.
#[must_use]
pub fn is_legacy(build: &BuildCx<'_>) -> bool {
    if build.build.builder.legacy.is_some() {
        return true;
    }
    let decided = memchr::memmem::find(build.file.text.as_bytes(), b"DOCKER_BUILDKIT").is_some();
    let plain = matches!(build.build.front, Front::DockerBuild | Front::ComposeClassic)
        && matches!(build.build.builder.driver, Driver::Docker | Driver::Unknown);
    let version = versions::of(build, "cli").or_else(|| versions::of(build, "engine"));
    plain && !decided && version.is_some_and(|version| version < versions::BUILDKIT_BY_DEFAULT)
}

/// Whether cache mounts are empty in every build of the Dockerfile that was found, or by configuration where none was. A
/// file that others call is judged by its callers, where there are any.
#[must_use]
pub fn all_forget(cx: &DockerfileCx<'_>) -> bool {
    let builds = &cx.facts.builds;
    if builds.is_empty() {
        return cx.settings.builder.persistent == Some(false);
    }
    let started = builds.iter().any(|build| !build.template);
    builds.iter().filter(|build| !started || !build.template).all(|build| forgets(build, cx.settings))
}
