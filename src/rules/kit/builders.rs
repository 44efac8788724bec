//! Whether the builders of a Dockerfile keep cache mounts.

use super::DockerfileCx;
use crate::builds::Build;

/// Whether the build's cache mounts are empty every time: its builder is gone after the job and nothing saves them.
#[must_use]
pub fn forgets(build: &Build) -> bool {
    build.builder.persistent == Some(false) && build.mounts_kept.is_none()
}

/// Whether cache mounts are empty in every build of the Dockerfile that was found. A file that others call is judged by
/// its callers, where there are any.
#[must_use]
pub fn all_forget(cx: &DockerfileCx<'_>) -> bool {
    let builds = &cx.facts.builds;
    let started = builds.iter().any(|build| !build.template);
    let mut asked = builds.iter().filter(|build| !started || !build.template).peekable();
    asked.peek().is_some() && asked.all(|build| forgets(build))
}
