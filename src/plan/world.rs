//! Two runs of everything that shares a cache with a build: what the second runs again.

use super::subject::{EditKind, Subject, meet};
use crate::builds::{Value, Volatility};
use crate::cache::{Change, PipelineBuild, Setting, Verdict, first_run, next_run};
use crate::context::path;
use crate::graph::StepKind;
use serde::Serialize;

/// How many steps run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// For sure.
    pub reruns: u32,
    /// If what an earlier step writes differs.
    pub depends: u32,
    /// If overlapping imports answer in an unlucky order (facts §11).
    pub races: u32,
    /// How many of all these are RUNs.
    #[serde(skip)]
    pub commands: u32,
}

impl Count {
    /// All of them: what may run counts as if it did.
    #[must_use]
    pub fn total(self) -> u32 {
        self.reruns + self.depends + self.races
    }

    fn add(&mut self, other: Self) {
        self.reruns += other.reruns;
        self.depends += other.depends;
        self.races += other.races;
        self.commands += other.commands;
    }

    /// The sum over stages.
    #[must_use]
    pub fn sum(counts: &[Self]) -> Self {
        let mut sum = Self::default();
        counts.iter().for_each(|count| sum.add(*count));
        sum
    }
}

/// A change that happens all the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypicalChange {
    /// What happens.
    pub kind: TypicalKind,
    /// The edited file, relative to the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What happens all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypicalKind {
    /// Another run of the same commit.
    Nothing,
    /// A source is edited.
    SourceEdit,
    /// What an install reads is edited.
    ManifestEdit,
    /// Another file that a step takes is edited.
    OtherEdit,
    /// The base images are new ones.
    NewBase,
}

/// The typical changes of a build: nothing, an edit for each step that takes files, new bases.
pub(super) fn changes_of(subject: &Subject<'_>) -> Vec<TypicalChange> {
    let edit = |edit: &super::Edit| TypicalChange {
        kind: match edit.kind {
            EditKind::Source => TypicalKind::SourceEdit,
            EditKind::Manifest => TypicalKind::ManifestEdit,
            EditKind::Other => TypicalKind::OtherEdit,
        },
        file: Some(edit.file.clone()),
    };
    let mut changes = vec![TypicalChange { kind: TypicalKind::Nothing, file: None }];
    changes.extend(subject.edits.iter().map(edit));
    let graph = &subject.model.graph;
    let reached = |stage: &usize| graph.reachable.get(*stage).copied().unwrap_or(false);
    if (0..graph.stages.len()).filter(reached).any(|stage| graph.base_image(stage).is_some()) {
        changes.push(TypicalChange { kind: TypicalKind::NewBase, file: None });
    }
    changes
}

/// Whether another commit brings other values of the args that tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Args {
    /// It does.
    Other,
    /// As if it did not: what would be after the Dockerfile is mended.
    Same,
}

/// What changes in the build `of` when `change` happens to `subject`.
fn changes_in(subject: &Subject<'_>, change: &TypicalChange, of: &Subject<'_>, args: Args) -> Vec<Change> {
    let mut changes = Vec::new();
    let commit = change.file.is_some();
    let least = if commit { Volatility::PerCommit } else { Volatility::PerRun };
    for (name, value) in &of.build.args {
        if args == Args::Other
            && matches!(&value.value, Value::Symbolic { volatility, .. } if *volatility >= least)
        {
            changes.push(Change::Arg(name.clone(), None));
        }
    }
    match (&change.file, change.kind) {
        (Some(file), _) => changes.extend(seen_by(subject, file, of).map(|file| Change::Edit(vec![file]))),
        (None, TypicalKind::NewBase) => changes.push(Change::Base(None)),
        (None, _) => {}
    }
    changes
}

/// A file of the context of `subject` as that of `of` has it.
fn seen_by(subject: &Subject<'_>, file: &str, of: &Subject<'_>) -> Option<String> {
    match (&subject.directory, &of.directory) {
        (Some(own), Some(other)) if own == other => Some(file.to_owned()),
        (Some(own), Some(other)) => {
            let whole = if own.is_empty() { file.to_owned() } else { format!("{own}/{file}") };
            if other.is_empty() {
                Some(whole)
            } else {
                Some(whole.strip_prefix(other.as_str())?.strip_prefix('/')?.to_owned())
            }
        }
        _ if subject.dockerfile.path == of.dockerfile.path => Some(path::below_root(file)),
        _ => None,
    }
}

/// By change and by stage, what the second run of the build at `at` runs again while every build has its one of `settings`.
pub(super) fn costs(
    subjects: &[Subject<'_>],
    settings: &[Setting],
    at: usize,
    changes: &[TypicalChange],
) -> Vec<Vec<Count>> {
    costs_of(subjects, settings, at, changes, Args::Other)
}

/// As [`costs`], with or without other values of the args that tell of a commit.
pub(super) fn costs_of(
    subjects: &[Subject<'_>],
    settings: &[Setting],
    at: usize,
    changes: &[TypicalChange],
    args: Args,
) -> Vec<Vec<Count>> {
    let Some(subject) = subjects.get(at) else { return Vec::new() };
    let related = related(subjects, settings, at);
    let pipeline: Vec<PipelineBuild<'_, '_>> = related
        .iter()
        .filter_map(|index| {
            let (subject, setting) = (subjects.get(*index)?, settings.get(*index)?);
            Some(PipelineBuild { model: subject.model, job: &subject.build.job, setting: setting.clone() })
        })
        .collect();
    let own = related.iter().position(|index| *index == at).unwrap_or(0);
    let store = first_run(&pipeline);
    let count = |change: &TypicalChange| {
        let of_all: Vec<Vec<Change>> = related
            .iter()
            .filter_map(|index| Some(changes_in(subject, change, subjects.get(*index)?, args)))
            .collect();
        let mut counts = vec![Count::default(); subject.model.graph.stages.len()];
        let Some(answer) = next_run(&store, &pipeline, &of_all, own) else { return counts };
        for (id, step) in answer.graph().all_steps() {
            if matches!(step.kind, StepKind::From) || !answer.is_operation(id) {
                continue;
            }
            let Some(count) = counts.get_mut(step.stage) else { continue };
            match answer.verdict(id) {
                Verdict::Reruns => count.reruns += 1,
                Verdict::Depends if answer.races(id) => count.races += 1,
                Verdict::Depends => count.depends += 1,
                Verdict::Cached | Verdict::Skipped => continue,
            }
            count.commands += u32::from(matches!(step.kind, StepKind::Run(_)));
        }
        counts
    };
    changes.iter().map(count).collect()
}

/// The builds whose caches matter to the one at `at`, itself included: those that write what it imports or exports, and
/// those before it on the same builder. First those that have ended when it starts, then itself, then the others: they may
/// run at the same time, or between two runs, so that what they write is there and nothing that they have just built.
fn related(subjects: &[Subject<'_>], settings: &[Setting], at: usize) -> Vec<usize> {
    let (Some(subject), Some(own)) = (subjects.get(at), settings.get(at)) else { return Vec::new() };
    let matters = |(index, (other, setting)): (usize, (&Subject<'_>, &Setting))| {
        let writes = setting.exports.iter().any(|export| {
            own.imports.contains(&export.to) || own.exports.iter().any(|exported| exported.to == export.to)
        });
        let same_builder = other.build.job == subject.build.job && runs_before(subjects, index, at);
        (index == at || writes || same_builder).then_some(index)
    };
    let mut related: Vec<usize> = subjects.iter().zip(settings).enumerate().filter_map(matters).collect();
    related.sort_by_key(|index| match *index {
        index if runs_before(subjects, index, at) => 0,
        index if index == at => 1,
        _ => 2,
    });
    related
}

/// Whether the build at `other` has ended in the same run when the one at `at` starts.
pub(super) fn runs_before(subjects: &[Subject<'_>], other: usize, at: usize) -> bool {
    let (Some(first), Some(then)) = (subjects.get(other), subjects.get(at)) else { return false };
    let (first, then) = (first.build, then.build);
    if other == at || !meet(&first.trigger, &then.trigger) {
        return false;
    }
    if first.job == then.job {
        return other < at;
    }
    let is_of = |job: &String| {
        first
            .job
            .strip_prefix(job.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ' ']))
    };
    then.after.iter().any(is_of)
}
