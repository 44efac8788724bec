//! `hitrate check`.

use super::args::CheckArgs;
use super::output::Output;
use super::{Exit, complain};
use crate::report::{self, View};
use crate::settings::Settings;
use crate::{engine, project, rules};

pub(super) fn run(args: &CheckArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let flags = args.rules.layer();
    let selectors: Vec<&str> = rules::selectors().collect();
    Settings::check_flags(&flags, &selectors).map_err(anyhow::Error::msg)?;
    let settings = Settings::new(Vec::new(), &flags)?;
    let project = project::read(&args.paths);
    let report = engine::analyze(&project, &settings);
    let view = View { report: &report, show: &str::to_owned, color: out.color() };
    report::write(args.format, &view, out)?;
    for error in &report.errors {
        complain(&format!("{}: {}", error.path, error.message));
    }
    Ok(match () {
        () if !report.errors.is_empty() => Exit::Failed,
        () if args.fail_on.fails(report.worst()) => Exit::Findings,
        () => Exit::Clean,
    })
}
