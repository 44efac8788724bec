//! Jenkinsfiles: `sh` steps, `docker.build(…)`, and agents that are built from a Dockerfile.

mod groovy;
mod walk;

use super::{Build, Files};

/// The builds of a Jenkinsfile. Any text can be read: what is not understood is stepped over.
pub(super) fn read(path: &str, text: &str, files: Files<'_>) -> Vec<Build> {
    if !super::command::may_build(text) {
        return Vec::new();
    }
    walk::read(path, text, files)
}
