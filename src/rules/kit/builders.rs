//! Whether the builders of a Dockerfile keep cache mounts.

use super::DockerfileCx;
use crate::builds::Build;
use crate::settings::Scope;

/// Whether the build's cache mounts are empty every time: its builder is gone after the job, by what its files or else the
/// configuration tell, and nothing saves them.
#[must_use]
pub fn forgets(build: &Build, settings: &Scope) -> bool {
    let persistent = build.builder.persistent.or(settings.builder.persistent);
    persistent == Some(false) && build.mounts_kept.is_none()
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
