//! `hitrate check`.

use super::args::CheckArgs;
use super::output::Output;
use super::workspace::{Request, Workspace};
use super::{Exit, baseline, complain, fixing};
use crate::engine::{self, Report, TouchedLines};
use crate::fix::Safety;
use crate::project::{self, git::Git};
use crate::report::{self, Format, View};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

pub(super) fn run(args: &CheckArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let stdin = stdin_path(args)?;
    let request = Request {
        paths: if stdin.is_some() { &[] } else { &args.paths },
        stdin,
        config: args.config.as_deref(),
        flags: args.rules.layer(),
    };
    let workspace = Workspace::open(&request)?;
    let known = match &args.baseline {
        Some(path) if !args.write_baseline => read_baseline(&workspace, path)?,
        _ => BTreeSet::new(),
    };
    let keep = |report: &mut Report| {
        if !known.is_empty() {
            baseline::forget_known(report, &known);
        }
    };
    let mut report = engine::analyze(&workspace.project, &workspace.settings);
    if args.write_baseline
        && let Some(path) = &args.baseline
    {
        return write_baseline(&workspace, path, &report);
    }
    keep(&mut report);
    if let Some(revision) = &args.changed_since {
        keep_changed(&workspace, revision, &mut report)?;
    }
    let allow = if args.unsafe_fixes { Safety::Unsafe } else { Safety::Safe };
    let mut exit = Exit::Clean;
    if args.fix || args.unsafe_fixes || args.diff {
        let only = stdin.and_then(|_| workspace.project.dockerfiles.first()).map(|file| file.path.clone());
        let outcome = fixing::mend(&workspace, allow, &keep, only.as_deref());
        if !outcome.converged {
            complain("some fixes undo each other; they were applied as far as they could be");
        }
        if args.diff {
            fixing::print_diff(&workspace, &outcome, out)?;
            return Ok(finish(args, &workspace, &report, exit));
        }
        if stdin.is_none() {
            exit = fixing::write(&workspace, &outcome);
        }
        if exit == Exit::Clean {
            let texts = outcome.changed.iter().map(|(path, text)| (&**path, text.as_str()));
            let fixed = workspace.project.with_texts(texts, None);
            report = engine::analyze(&fixed, &workspace.settings);
            keep(&mut report);
            if let Some(only) = only {
                let text = fixed.dockerfile(&only).map_or("", |file| file.text.as_str());
                write!(out, "{text}")?;
                return Ok(finish(args, &workspace, &report, exit));
            }
        }
    }
    write_report(args, &workspace, &report, out)?;
    Ok(finish(args, &workspace, &report, exit))
}

/// The path that the standard input stands for.
fn stdin_path(args: &CheckArgs) -> anyhow::Result<Option<&str>> {
    let dash = args.paths.iter().any(|path| path == "-");
    let named = args.paths.iter().filter(|path| *path != "-" && *path != ".").count();
    if (dash || args.stdin_filename.is_some()) && named > 0 {
        bail!("the standard input and paths cannot be checked in one run");
    }
    Ok(match &args.stdin_filename {
        Some(path) => Some(path),
        None if dash => Some("Dockerfile"),
        None => None,
    })
}

fn read_baseline(workspace: &Workspace, path: &str) -> anyhow::Result<BTreeSet<String>> {
    let text =
        project::read_text(&workspace.absolute(path)).map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
    baseline::read(&text).with_context(|| path.to_owned())
}

fn write_baseline(workspace: &Workspace, path: &str, report: &Report) -> anyhow::Result<Exit> {
    let whole = workspace.absolute(path);
    let before = project::read_text(&whole).ok();
    let directory = whole.parent().unwrap_or(&whole);
    let result = project::write_text(directory, &whole, before.as_deref(), &baseline::write(report)?);
    result.map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
    complain_errors(workspace, report);
    Ok(if report.errors.is_empty() { Exit::Clean } else { Exit::Failed })
}

fn keep_changed(workspace: &Workspace, revision: &str, report: &mut Report) -> anyhow::Result<()> {
    let git = Git::open(&workspace.root)?;
    report.keep_touched(|path| {
        let whole = project::absolute(&workspace.root, path);
        let old = git.read(revision, &project::relative(git.root(), &whole))?;
        let new = workspace.project.text(path);
        anyhow::Ok(TouchedLines::between(old.as_deref(), new.as_ref().map_or("", |file| &file.text)))
    })
}

fn write_report(
    args: &CheckArgs,
    workspace: &Workspace,
    report: &Report,
    out: &mut Output,
) -> anyhow::Result<()> {
    let checkout = checkout_variable(args.format).and_then(super::variable).map(PathBuf::from);
    let show = |path: &str| workspace.show_below(checkout.as_deref(), path);
    let view = View { report, show: &show, color: out.color() };
    if args.statistics {
        let as_json = match args.format {
            Format::Json => true,
            Format::Full | Format::Concise => false,
            _ => bail!("`--statistics` comes as `full`, `concise` or `json`"),
        };
        report::write_statistics(report, as_json, view.color, out)?;
        return Ok(());
    }
    report::write(args.format, &view, out)?;
    if args.format == Format::Github
        && let Some(path) = super::variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
        && let Err(error) = project::append_text(&workspace.absolute(&path), &report::step_summary(&view))
    {
        // The annotations are out; a missing summary is no reason to fail the step.
        complain(&format!("{path}: {error}"));
    }
    Ok(())
}

/// The environment variable that holds the root of the checkout for the service that reads this format.
fn checkout_variable(format: Format) -> Option<&'static str> {
    match format {
        Format::Github | Format::Sarif => Some("GITHUB_WORKSPACE"),
        Format::Gitlab => Some("CI_PROJECT_DIR"),
        _ => None,
    }
}

fn complain_errors(workspace: &Workspace, report: &Report) {
    for error in &report.errors {
        complain(&format!("{}: {}", workspace.show(&error.path), error.message));
    }
}

fn finish(args: &CheckArgs, workspace: &Workspace, report: &Report, exit: Exit) -> Exit {
    complain_errors(workspace, report);
    match exit {
        Exit::Clean if !report.errors.is_empty() => Exit::Failed,
        Exit::Clean if args.fail_on.fails(report.worst()) => Exit::Findings,
        exit => exit,
    }
}
