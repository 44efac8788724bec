//! Shell scripts.

use super::command::{ScriptEnv, ScriptText, read_script};
use super::{Build, Files, System, parent};
use crate::shell::Dialect;
use crate::source::{Joined, Span};

/// The builds that a script starts. It is taken to be started from the project's root, or from its own directory where
/// only that finds the Dockerfile.
#[must_use]
pub fn read(path: &str, text: &str, files: Files<'_>) -> Vec<Build> {
    if !mentions_builder(text) {
        return Vec::new();
    }
    let start = text.strip_prefix('\u{feff}').map_or(0, |rest| text.len() - rest.len());
    let first = text.get(start..).and_then(|text| text.split('\n').next()).unwrap_or("");
    let dialect = match first.strip_prefix("#!") {
        Some(line) => Dialect::of_shell(line.split_whitespace()),
        None => Dialect::Posix,
    };
    let joined = Joined::whole(text, Span::new(start, text.len()));
    let mut env = ScriptEnv::new(path, System::Shell);
    env.cwd_guesses = guesses(parent(path));
    let mut out = Vec::new();
    read_script(&ScriptText { source: text, joined: &joined, dialect }, &mut env, files, &mut out);
    out
}

/// The script's directory and those above it, the nearest first.
fn guesses(directory: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = directory;
    while !rest.is_empty() && all.len() < 8 {
        all.push(rest.to_owned());
        rest = parent(rest);
    }
    all
}

/// Whether a text can start a build at all: it names a program that does.
pub(super) fn mentions_builder(text: &str) -> bool {
    ["docker", "podman", "buildah", "buildctl", "buildx", "kaniko", "nerdctl", "compose"]
        .iter()
        .any(|name| memchr::memmem::find(text.as_bytes(), name.as_bytes()).is_some())
}
