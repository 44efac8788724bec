//! Several builds one after the other, as the jobs of a pipeline run them.

use super::build::Build;
use super::model::{Model, Setting};
use super::simulate::{Reason, Store, Verdict};
use crate::graph::StepId;

/// A build of a pipeline.
#[derive(Debug)]
pub struct PipelineBuild<'m, 'a> {
    /// What it builds.
    pub model: &'m Model<'a>,
    /// The job it runs in: builds of one job share a builder within a run.
    pub job: &'m str,
    /// What it imports and exports.
    pub setting: Setting,
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
    let mut store = Store::new();
    run(builds, &mut store, 1);
    run(builds, &mut store, 2)
}

fn run(builds: &[PipelineBuild<'_, '_>], store: &mut Store, number: u32) -> Vec<Vec<Rerun>> {
    let one = |build: &PipelineBuild<'_, '_>| {
        let builder = format!("run {number} {}", build.job);
        let request = Build {
            imports: build.setting.imports.clone(),
            exports: build.setting.exports.clone(),
            pushed: build.setting.pushed,
            ..build.model.build(&builder)
        };
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
    builds.iter().map(one).collect()
}
