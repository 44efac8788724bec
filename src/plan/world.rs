//! Two runs of everything that shares a cache with a build: what the second runs again.

use super::subject::{EditKind, Subject, meet};
use crate::builds::{Value, Volatility};
use crate::cache::{Change, Export, PipelineBuild, Setting, Store, Verdict, next_run, run_before};
use crate::context::path;
use crate::graph::{StepId, StepKind};
use serde::Serialize;
use std::cell::RefCell;

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
fn changes_of(subject: &Subject<'_>) -> Vec<TypicalChange> {
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

/// The settings of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// What it imports and exports.
    pub(super) setting: Setting,
    /// What the same build of the default branch has written, whose cache a branch reads beside its own.
    pub(super) main: Vec<Export>,
}

/// What the default branch has built: the same with other sources, and of another commit. `change` is what will happen to
/// `subject`, and is not in it.
fn changes_on_main(subject: &Subject<'_>, change: &TypicalChange, of: &Subject<'_>) -> Vec<Change> {
    let coming = change.file.as_deref().and_then(|file| seen_by(subject, file, of));
    let sources = of.edits.iter().filter(|edit| edit.kind != EditKind::Manifest);
    let others = sources.map(|edit| edit.file.clone()).filter(|file| Some(file) != coming.as_ref());
    let mut changes = vec![Change::Edit(others.collect())];
    for (name, value) in &of.build.args {
        if matches!(&value.value, Value::Symbolic { volatility, .. } if *volatility >= Volatility::PerCommit)
        {
            changes.push(Change::Arg(name.clone(), Some("\u{1}the default branch's".to_owned())));
        }
    }
    changes
}

fn in_pipeline<'p>(subject: &'p Subject<'p>, setting: Setting) -> PipelineBuild<'p, 'p> {
    PipelineBuild { model: subject.model, job: &subject.build.job, setting }
}

/// All builds, and what was asked about them.
pub(super) struct World<'p> {
    pub(super) subjects: &'p [Subject<'p>],
    /// By build.
    pub(super) changes: Vec<Vec<TypicalChange>>,
    /// By build: under which settings, and the answer.
    known: RefCell<Vec<Vec<Known>>>,
}

/// Whether the args are others, the settings of the builds that matter, and by change and stage what runs again.
type Known = (Args, Vec<(usize, Taken)>, Vec<Vec<Count>>);

impl<'p> World<'p> {
    pub(super) fn new(subjects: &'p [Subject<'p>]) -> Self {
        let known = RefCell::new(vec![Vec::new(); subjects.len()]);
        Self { subjects, changes: subjects.iter().map(changes_of).collect(), known }
    }

    /// The typical changes of the build at `at`.
    pub(super) fn changes(&self, at: usize) -> &[TypicalChange] {
        self.changes.get(at).map_or(&[], Vec::as_slice)
    }

    /// By change and by stage, what the second run of the build at `at` runs again while every build has its one of
    /// `settings`.
    pub(super) fn costs(&self, settings: &[Taken], at: usize, args: Args) -> Vec<Vec<Count>> {
        let related = related(self.subjects, settings, at);
        let taken = renamed(
            related.iter().filter_map(|index| Some((*index, settings.get(*index)?.clone()))).collect(),
        );
        let known = |known: &Known| (known.0 == args && known.1 == taken).then(|| known.2.clone());
        if let Some(counts) = self.known.borrow().get(at).and_then(|all| all.iter().find_map(known)) {
            return counts;
        }
        let counts = costs(self.subjects, settings, &related, at, self.changes(at), args);
        if let Some(all) = self.known.borrow_mut().get_mut(at) {
            all.push((args, taken, counts.clone()));
        }
        counts
    }
}

/// The same settings with numbers for the names of references: what they are called makes no difference.
fn renamed(mut taken: Vec<(usize, Taken)>) -> Vec<(usize, Taken)> {
    let mut names: Vec<String> = Vec::new();
    let mut number = |name: &mut String| {
        let known = names.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        *name = index.to_string();
    };
    for (_, taken) in &mut taken {
        taken.setting.imports.iter_mut().for_each(&mut number);
        taken.setting.exports.iter_mut().for_each(|export| number(&mut export.to));
        taken.main.iter_mut().for_each(|export| number(&mut export.to));
    }
    taken
}

fn costs(
    subjects: &[Subject<'_>],
    settings: &[Taken],
    related: &[usize],
    at: usize,
    changes: &[TypicalChange],
    args: Args,
) -> Vec<Vec<Count>> {
    let Some(subject) = subjects.get(at) else { return Vec::new() };
    let taken = || related.iter().filter_map(|index| Some((subjects.get(*index)?, settings.get(*index)?)));
    let pipeline: Vec<_> =
        taken().map(|(subject, taken)| in_pipeline(subject, taken.setting.clone())).collect();
    let of_main =
        |taken: &Taken| Setting { exports: taken.main.clone(), imports: Vec::new(), ..taken.setting.clone() };
    let main: Vec<_> = taken().map(|(subject, taken)| in_pipeline(subject, of_main(taken))).collect();
    let own = related.iter().position(|index| *index == at).unwrap_or(0);
    let by_main = main.iter().any(|build| !build.setting.exports.is_empty());
    let plain = run_before(Store::new(), 1, &pipeline, &[]);
    let count = |change: &TypicalChange| {
        let of_all: Vec<Vec<Change>> = related
            .iter()
            .filter_map(|index| Some(changes_in(subject, change, subjects.get(*index)?, args)))
            .collect();
        let mut counts = vec![Count::default(); subject.model.graph.stages.len()];
        let store = if by_main {
            let others: Vec<_> = taken().map(|(of, _)| changes_on_main(subject, change, of)).collect();
            run_before(run_before(Store::new(), 0, &main, &others), 1, &pipeline, &[])
        } else {
            plain.clone()
        };
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
    // Of a build by itself, edits that the same steps take are the same change.
    let takers = |change: &TypicalChange| -> Vec<StepId> {
        let file = change.file.as_deref().unwrap_or("");
        let steps = subject.model.graph.all_steps().map(|(id, _)| id);
        steps.filter(|step| change.file.is_some() && subject.model.takes(*step, file)).collect()
    };
    let mut known: Vec<(Vec<StepId>, Vec<Count>)> = Vec::new();
    let mut all = Vec::with_capacity(changes.len());
    for change in changes {
        let key = if change.file.is_some() && related.len() == 1 { takers(change) } else { Vec::new() };
        let counts = match known.iter().find(|(steps, _)| !key.is_empty() && *steps == key) {
            Some((_, counts)) => counts.clone(),
            None => count(change),
        };
        if !key.is_empty() {
            known.push((key, counts.clone()));
        }
        all.push(counts);
    }
    all
}

/// The builds whose caches matter to the one at `at`, itself included: those that write what it imports or exports, and
/// those before it on the same builder. First those that have ended when it starts, then itself, then the others: they may
/// run at the same time, or between two runs, so that what they write is there and nothing that they have just built.
fn related(subjects: &[Subject<'_>], settings: &[Taken], at: usize) -> Vec<usize> {
    let (Some(subject), Some(own)) = (subjects.get(at), settings.get(at)) else { return Vec::new() };
    let own = &own.setting;
    let matters = |(index, (other, taken)): (usize, (&Subject<'_>, &Taken))| {
        let writes = taken.setting.exports.iter().chain(&taken.main).any(|export| {
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
    // Of the others only the last to write a reference matters: an export replaces what was there.
    let mut written: Vec<&str> = Vec::new();
    let mut kept: Vec<usize> = Vec::new();
    for index in related.into_iter().rev() {
        if index == at || runs_before(subjects, index, at) {
            kept.push(index);
            continue;
        }
        let exports = settings.get(index).map(|taken| taken.setting.exports.iter().chain(&taken.main));
        let new: Vec<&str> = exports
            .into_iter()
            .flatten()
            .map(|export| export.to.as_str())
            .filter(|to| !written.contains(to))
            .collect();
        if !new.is_empty() {
            kept.push(index);
            written.extend(new);
        }
    }
    kept.reverse();
    kept
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
