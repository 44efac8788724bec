//! Shell scripts.

use super::command::{ScriptEnv, ScriptText, names_builder, read_script};
use super::{Build, Files, System, parent};
use crate::shell::Dialect;
use crate::source::{Joined, Span};

/// The builds that a script starts. Where it is started from is not written in it: the directory counts from which most of
/// its Dockerfiles are found, its own before the project's root before those between.
#[must_use]
pub fn read(path: &str, text: &str, files: Files<'_>) -> Vec<Build> {
    if !names_builder(text) {
        return Vec::new();
    }
    let mut best: Option<(usize, Vec<Build>)> = None;
    for cwd in starts(parent(path)) {
        let mut env = ScriptEnv::new(path, System::Shell);
        env.cwd = Some(cwd.clone());
        let mut builds = Vec::new();
        run(path, text, &mut env, files, &mut builds);
        let there = |build: &&Build| match &build.dockerfile {
            Some(file) => files(&file.value).is_some(),
            None => build.dockerfile_inline.is_some(),
        };
        let found = builds.iter().filter(there).count();
        let all = found == builds.len();
        // Nothing found anywhere: the project's root is as good a guess as any.
        let better = best.as_ref().is_none_or(|(most, _)| found > *most || *most == 0 && cwd.is_empty());
        if better {
            best = Some((found, builds));
        }
        if all {
            break;
        }
    }
    best.map(|(_, builds)| builds).unwrap_or_default()
}

/// Reads a script as one that runs in `env`.
pub(super) fn run(path: &str, text: &str, env: &mut ScriptEnv, files: Files<'_>, out: &mut Vec<Build>) {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let dialect = match interpreter(text) {
        Some(line) => Dialect::of_shell(line.split_whitespace()),
        None => Dialect::Posix,
    };
    debug_assert!(*env.path == *path);
    let joined = Joined::whole(text, Span::new(start, text.len()));
    read_script(&ScriptText { source: text, joined: &joined, dialect }, env, files, out);
}

/// Whether a file is a shell script: by its name, or by its first line.
pub(super) fn is_script(path: &str, text: &str) -> bool {
    match interpreter(text) {
        Some(line) => Dialect::of_shell(line.split_whitespace()) != Dialect::Opaque,
        None => [".sh", ".bash"].iter().any(|extension| path.ends_with(extension)),
    }
}

/// What stands after `#!`.
fn interpreter(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').next().and_then(|line| line.strip_prefix("#!"))
}

/// Directories from which a script in `directory` may be started: its own where the Dockerfile is beside it, the root,
/// those between, the nearest first.
fn starts(directory: &str) -> Vec<String> {
    let mut all = vec![directory.to_owned()];
    if !directory.is_empty() {
        all.push(String::new());
        let mut rest = parent(directory);
        while !rest.is_empty() && all.len() < 6 {
            all.push(rest.to_owned());
            rest = parent(rest);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::ContextSource;

    fn of(path: &str, text: &str, there: &[&str]) -> Vec<Build> {
        read(path, text, &|path| there.contains(&path).then_some("FROM x"))
    }

    #[test]
    fn where_a_script_is_started_is_told_by_what_it_finds() {
        let context = |builds: &[Build]| builds[0].context.value.clone();
        let text = "#!/bin/sh\ndocker build -f docker/Dockerfile .\n";
        assert_eq!(
            context(&of("a/b/x.sh", text, &["docker/Dockerfile"])),
            ContextSource::Path(String::new())
        );
        assert_eq!(context(&of("a/b/x.sh", text, &["a/docker/Dockerfile"])), ContextSource::Path("a".into()));
        let text = "docker build .\n";
        assert_eq!(
            context(&of("a/x.sh", text, &["Dockerfile", "a/Dockerfile"])),
            ContextSource::Path("a".into())
        );
        let text = "pushd ..\ndocker build . -f docker/Dockerfile\n";
        assert_eq!(
            context(&of("docker/x.sh", text, &["docker/Dockerfile"])),
            ContextSource::Path(String::new())
        );
        assert!(of("x.sh", "#!/usr/bin/env python3\ndocker build .\n", &[]).is_empty());
    }
}
