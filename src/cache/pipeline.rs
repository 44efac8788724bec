//! Several builds one after the other, as the jobs of a pipeline run them.

use super::build::Build;
use super::model::{Model, Setting};
use super::simulate::{Reason, Store, Verdict};
use crate::graph::StepId;

/// A build of a pipeline.
#[derive(Clone, Debug)]
pub struct PipelineBuild<'m, 'a> {
    /// What it builds.
    pub model: &'m Model<'a>,
    /// The job it runs in: builds of one job share a builder within a run.
    pub job: &'m str,
    /// What it imports and exports.
    pub setting: Setting,
}

/// One run of a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r, 'm, 'a> {
    /// What it builds, in order.
    pub builds: &'r [PipelineBuild<'m, 'a>],
    /// The context files that are others than in the project as it is.
    pub edited: &'r [String],
}

/// A step that runs in the second of two equal runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// The step.
    pub step: StepId,
    /// Whether it runs only if imports answer in an unlucky order (facts §11).
    pub race: bool,
}

/// What each build runs again in the second of two runs in which nothing changes, by build. Builders are fresh in each run.
#[must_use]
pub fn second_run(builds: &[PipelineBuild<'_, '_>]) -> Vec<Vec<Rerun>> {
    let same = Run { builds, edited: &[] };
    last_run(&[same, same])
}

/// What each build of the last of several runs does not find in a cache, by build. Builders are fresh in each run.
#[must_use]
pub fn last_run(runs: &[Run<'_, '_, '_>]) -> Vec<Vec<Rerun>> {
    let mut store = Store::new();
    let mut last = Vec::new();
    for (number, one) in runs.iter().enumerate() {
        last = run(one, &mut store, number);
    }
    last
}

fn run(run: &Run<'_, '_, '_>, store: &mut Store, number: usize) -> Vec<Vec<Rerun>> {
    let one = |build: &PipelineBuild<'_, '_>| {
        let builder = format!("run {number} {}", build.job);
        let mut request = Build {
            imports: build.setting.imports.clone(),
            exports: build.setting.exports.clone(),
            pushed: build.setting.pushed,
            ..build.model.build(&builder)
        };
        if !run.edited.is_empty() {
            request.context = build.model.edited(run.edited);
        }
        let outcome = store.simulate(&request);
        let steps = build.model.graph.all_steps().map(|(id, _)| id);
        steps
            .filter_map(|step| match (outcome.verdict(step), outcome.reason(step)) {
                (Verdict::Reruns, _) => Some(Rerun { step, race: false }),
                (Verdict::Depends, Reason::Race) => Some(Rerun { step, race: true }),
                _ => None,
            })
            .collect()
    };
    run.builds.iter().map(one).collect()
}
