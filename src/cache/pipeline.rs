//! Several builds one after the other, as the jobs of a pipeline run them.

use super::answer::Answer;
use super::build::Build;
use super::model::{Change, Model, Setting, change_store, edited_paths};
use super::simulate::{Reason, Store, Verdict};
use crate::graph::StepId;
use std::sync::Arc;

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

/// The caches after one run of the builds in order. A builder that is not fresh ([`Setting::fresh`]) is one for all.
#[must_use]
pub fn first_run(builds: &[PipelineBuild<'_, '_>]) -> Store {
    run_before(Store::new(), 1, builds, &[])
}

/// The caches after another run of the builds in order, on `store`, after `changes` (by build). Runs are told apart by `number`,
/// which is not 2: that is the run that [`next_run`] asks about.
#[must_use]
pub fn run_before(
    mut store: Store,
    number: u32,
    builds: &[PipelineBuild<'_, '_>],
    changes: &[Vec<Change>],
) -> Store {
    for (index, build) in builds.iter().enumerate() {
        let changes = changes.get(index).map_or(&[] as &[Change], Vec::as_slice);
        let changed = build.model.changed(changes);
        let definition =
            changed.as_ref().map_or_else(|| build.model.definition(), |(_, definition)| definition);
        let builder = builder_of(build, number);
        store.simulate(&Build {
            imports: build.setting.imports.clone(),
            exports: build.setting.exports.clone(),
            pushed: build.setting.pushed,
            ..build.model.build_after(definition, &builder, changes)
        });
    }
    store
}

/// What happens to the build at index `at` in the next run, after `changes` (by build; those that lack any change nothing). What
/// runs before it in the pipeline has left its exports; `store` is what [`first_run`] gave.
#[must_use]
pub fn next_run<'m, 'a>(
    store: &Store,
    builds: &[PipelineBuild<'m, 'a>],
    changes: &[Vec<Change>],
    at: usize,
) -> Option<Answer<'m, 'a>> {
    let mut store = store.clone();
    let of = |index: usize| changes.get(index).map_or(&[] as &[Change], Vec::as_slice);
    for (index, build) in builds.iter().enumerate().take(at + 1) {
        change_store(&mut store, &build.model.graph, build.model.definition(), of(index));
    }
    for (index, build) in builds.iter().enumerate().take(at + 1) {
        let model = build.model;
        let changed = model.changed(of(index));
        let definition = changed.as_ref().map_or_else(|| model.definition(), |(_, definition)| definition);
        let builder = builder_of(build, 2);
        let request = Build {
            imports: build.setting.imports.clone(),
            exports: build.setting.exports.clone(),
            pushed: build.setting.pushed,
            ..model.build_after(definition, &builder, of(index))
        };
        if index == at {
            let outcome = store.ask(&request);
            let (edited, fresh) = (edited_paths(of(index)), build.setting.fresh);
            return Some(Answer { model, changed, outcome: Arc::new(outcome), edited, fresh });
        }
        store.simulate(&request);
    }
    None
}

fn builder_of(build: &PipelineBuild<'_, '_>, run: u32) -> String {
    if build.setting.fresh { format!("run {run} {}", build.job) } else { "kept".to_owned() }
}
