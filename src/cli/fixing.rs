//! `--fix`, `--unsafe-fixes` and `--diff`.

use super::output::Output;
use super::workspace::Workspace;
use super::{Exit, complain};
use crate::engine::{self, Report};
use crate::fix::{self, Outcome, Safety, Texts};
use crate::project;
use crate::report;
use std::io::Write;

/// Applies fixes to the texts until none is left; nothing is written. `keep` says which findings are mended.
pub(super) fn mend(
    workspace: &Workspace,
    allow: Safety,
    keep: &dyn Fn(&mut Report),
    only: Option<&str>,
) -> Outcome {
    let analyze = |changed: &Texts| {
        let texts = changed.iter().map(|(path, text)| (&**path, text.as_str()));
        let mut report = engine::analyze(&workspace.project.with_texts(texts, None), &workspace.settings);
        keep(&mut report);
        let fixes = report.findings.into_iter().filter_map(|finding| finding.fix);
        // A text from the standard input has no files beside it that could be written.
        fixes
            .filter(|fix| only.is_none_or(|only| fix.edits.iter().all(|(path, _)| **path == *only)))
            .collect()
    };
    fix::run(|path| original(workspace, path), allow, analyze)
}

fn original(workspace: &Workspace, path: &str) -> Option<String> {
    workspace.project.text(path).map(|file| file.text.clone())
}

/// Prints the changes as a patch.
pub(super) fn print_diff(workspace: &Workspace, outcome: &Outcome, out: &mut Output) -> anyhow::Result<()> {
    for (path, text) in &outcome.changed {
        let old = original(workspace, path);
        write!(out, "{}", report::unified(&workspace.show(path), old.as_deref(), text))?;
    }
    Ok(())
}

/// Writes the changed files. Before the first is written, all are looked at: a fix over several files is written whole or
/// not at all, as far as can be known.
pub(super) fn write(workspace: &Workspace, outcome: &Outcome) -> Exit {
    let mut exit = Exit::Clean;
    let mut fail = |path: &str, why: &dyn std::fmt::Display| {
        complain(&format!("{}: {why}", workspace.show(path)));
        exit = Exit::Failed;
    };
    for path in outcome.changed.keys() {
        let before = original(workspace, path);
        let now = project::read_text(&workspace.root.join(&**path)).ok();
        if now != before {
            fail(path, &"changed since it was read");
        }
    }
    if exit == Exit::Failed {
        return exit;
    }
    let mut fail = |path: &str, why: &dyn std::fmt::Display| {
        complain(&format!("{}: {why}", workspace.show(path)));
        exit = Exit::Failed;
    };
    for (path, text) in &outcome.changed {
        let before = original(workspace, path);
        let whole = workspace.root.join(&**path);
        if let Err(error) = project::write_text(&workspace.root, &whole, before.as_deref(), text) {
            fail(path, &error);
        }
    }
    exit
}
