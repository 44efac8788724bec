//! `hitrate plan`.

use super::args::PlanArgs;
use super::output::Output;
use super::workspace::{Request, Workspace};
use super::{Exit, complain, fixing};
use crate::engine;
use crate::fix::{self, Safety, Texts};
use crate::report::{self, PlanView};

pub(super) fn run(args: &PlanArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let request = Request { paths: &args.paths, config: args.config.as_deref(), ..Request::default() };
    let workspace = Workspace::open(&request)?;
    let mut report = engine::plan(&workspace.project, &workspace.settings);
    let mut exit = Exit::Clean;
    if args.fix || args.diff {
        let plan = |changed: &Texts| {
            let texts = changed.iter().map(|(path, text)| (&**path, text.as_str()));
            let report = engine::plan(&workspace.project.with_texts(texts, None), &workspace.settings);
            report.plans.into_iter().filter_map(|plan| plan.recommendation.fix).collect()
        };
        let original = |path: &str| workspace.project.text(path).map(|file| file.text.clone());
        let outcome = fix::run(original, Safety::Safe, plan);
        if !outcome.converged {
            complain("some edits undo each other; they were applied as far as they could be");
        }
        if args.diff {
            fixing::print_diff(&workspace, &outcome, out)?;
            return Ok(finish(&workspace, &report, exit));
        }
        exit = fixing::write(&workspace, &outcome);
        if exit == Exit::Clean {
            let texts = outcome.changed.iter().map(|(path, text)| (&**path, text.as_str()));
            report = engine::plan(&workspace.project.with_texts(texts, None), &workspace.settings);
        }
    }
    let show = |path: &str| workspace.show(path);
    let view = PlanView { report: &report, show: &show, color: out.color() };
    report::write_plan(args.format, &view, out)?;
    Ok(finish(&workspace, &report, exit))
}

fn finish(workspace: &Workspace, report: &engine::PlanReport, exit: Exit) -> Exit {
    for error in &report.errors {
        complain(&format!("{}: {}", workspace.show(&error.path), error.message));
    }
    if exit == Exit::Clean && !report.errors.is_empty() { Exit::Failed } else { exit }
}
