//! `hitrate check`.

use super::args::CheckArgs;
use super::output::Output;
use super::{Exit, complain};
use crate::report::{self, View};
use crate::settings::Settings;
use crate::{engine, project, rules};
use anyhow::Context;

pub(super) fn run(args: &CheckArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let flags = args.rules.layer();
    let selectors: Vec<&str> = rules::selectors().collect();
    Settings::check_flags(&flags, &selectors).map_err(anyhow::Error::msg)?;
    let settings = Settings::new(Vec::new(), &flags)?;
    let directory = std::env::current_dir().context("the working directory cannot be found")?;
    let paths: Vec<_> = args.paths.iter().map(|path| project::absolute(&directory, path)).collect();
    let root = project::root_for(&directory, &paths);
    let project = project::load(&root, project::discover(&root, &paths));
    let report = engine::analyze(&project, &settings);
    let show = |path: &str| project::relative(&directory, &root.join(path));
    let view = View { report: &report, show: &show, color: out.color() };
    report::write(args.format, &view, out)?;
    for error in &report.errors {
        complain(&format!("{}: {}", show(&error.path), error.message));
    }
    Ok(match () {
        () if !report.errors.is_empty() => Exit::Failed,
        () if args.fail_on.fails(report.worst()) => Exit::Findings,
        () => Exit::Clean,
    })
}
