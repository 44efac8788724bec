//! Answers to questions about one Dockerfile.

use super::build::Export;
use super::cause::Because;
use super::definition::{Definition, VertexId};
use super::model::{Change, Model, Setting};
use super::simulate::{Outcome, Reason, Store, Verdict};
use crate::graph::{Base, Graph, StepId, StepKind};
use std::sync::{Arc, Mutex, PoisonError};

/// What was worked out for the first few questions: others ask the same.
#[derive(Debug)]
pub(super) struct Kept<K, V>(Mutex<Vec<(K, V)>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// More questions than rules and builds have in common.
const MAX_ANSWERED: usize = 32;
/// More ways to export than questions are asked about.
const MAX_EXPORTED: usize = 8;

impl<K, V: Clone> Kept<K, V> {
    /// The value whose key `is_same`, else what `make` gives, which is then kept under `key` if it is among the first `most`.
    fn get_or(
        &self,
        most: usize,
        is_same: impl Fn(&K) -> bool,
        key: impl FnOnce() -> K,
        make: impl FnOnce() -> V,
    ) -> V {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known().iter().find(|(own, _)| is_same(own)).map(|(_, value)| value.clone());
        same.unwrap_or_else(|| {
            let value = make();
            let mut known = known();
            if known.len() < most {
                known.push((key(), value.clone()));
            }
            value
        })
    }
}

/// Outcomes by question: at most one change, and where the build after it runs.
pub(super) type Answered = Kept<(Option<Change>, Setting), Arc<Outcome>>;

impl Answered {
    pub(super) fn get_or_ask(
        &self,
        changes: &[Change],
        setting: &Setting,
        ask: impl FnOnce() -> Arc<Outcome>,
    ) -> Arc<Outcome> {
        let change = match changes {
            [] => None,
            [change] => Some(change),
            _ => return ask(),
        };
        self.get_or(
            MAX_ANSWERED,
            |(own, place)| own.as_ref() == change && place == setting,
            || (change.cloned(), setting.clone()),
            ask,
        )
    }
}

/// The caches after one build, by what it exported and whether it was pushed.
pub(super) type Exported = Kept<(Vec<Export>, bool), Store>;

impl Exported {
    pub(super) fn get_or_build(&self, setting: &Setting, build: impl FnOnce() -> Store) -> Store {
        self.get_or(
            MAX_EXPORTED,
            |(exports, pushed)| *exports == setting.exports && *pushed == setting.pushed,
            || (setting.exports.clone(), setting.pushed),
            build,
        )
    }
}

/// What happens to each step, and why.
#[derive(Debug)]
pub struct Answer<'m, 'a> {
    pub(super) model: &'m Model<'a>,
    /// Graph and operations, where the change made others of them.
    pub(super) changed: Option<(Graph<'a>, Definition)>,
    pub(super) outcome: Arc<Outcome>,
    pub(super) edited: Vec<String>,
    pub(super) fresh: bool,
}

impl<'m, 'a> Answer<'m, 'a> {
    /// The graph that was built.
    #[must_use]
    pub fn graph(&self) -> &Graph<'a> {
        self.changed.as_ref().map_or(&self.model.graph, |(graph, _)| graph)
    }

    pub(super) fn definition(&self) -> &Definition {
        self.changed.as_ref().map_or_else(|| self.model.definition(), |(_, definition)| definition)
    }

    /// The model that was asked.
    #[must_use]
    pub fn model(&self) -> &'m Model<'a> {
        self.model
    }

    /// The verdict on a step. A FROM of a stage has that of the stage's last step; a step that needs no operation is
    /// cached.
    #[must_use]
    pub fn verdict(&self, step: StepId) -> Verdict {
        match self.definition().of_step.get(step.index()).copied().flatten() {
            Some(_) => self.outcome.verdict(step),
            None => self.verdict_without_operation(step),
        }
    }

    fn verdict_without_operation(&self, step: StepId) -> Verdict {
        let graph = self.graph();
        let Some(found) = graph.step(step) else { return Verdict::Skipped };
        if !graph.reachable.get(found.stage).copied().unwrap_or(false) {
            return Verdict::Skipped;
        }
        match (&found.kind, graph.stages.get(found.stage).map(|stage| &stage.base)) {
            (StepKind::From, Some(Base::Stage(parent))) => {
                let last = graph.steps_of(*parent).next_back().map(|(id, _)| id);
                last.filter(|last| *last < step).map_or(Verdict::Cached, |last| self.verdict(last))
            }
            _ => Verdict::Cached,
        }
    }

    /// Whether the step has an operation of its own (a FROM of a stage and `WORKDIR /` have none).
    #[must_use]
    pub fn is_operation(&self, step: StepId) -> bool {
        self.definition().of_step.get(step.index()).is_some_and(Option::is_some)
    }

    /// The steps that run again for sure, in file order.
    pub fn reruns(&self) -> impl Iterator<Item = StepId> {
        self.graph()
            .all_steps()
            .map(|(id, _)| id)
            .filter(|id| self.is_operation(*id) && self.outcome.verdict(*id) == Verdict::Reruns)
    }

    /// Whether it turns on which import answers first (facts §11).
    #[must_use]
    pub fn races(&self, step: StepId) -> bool {
        self.outcome.reason(step) == Reason::Race && self.outcome.verdict(step) == Verdict::Depends
    }

    /// Whether the step runs again for sure.
    #[must_use]
    pub fn runs_again(&self, step: StepId) -> bool {
        self.is_operation(step) && self.outcome.verdict(step) == Verdict::Reruns
    }

    /// Why the step runs again, nearest cause first. Empty for a step that does not.
    #[must_use]
    pub fn because(&self, step: StepId) -> Vec<Because> {
        super::cause::chain(self, step)
    }

    /// The operation and solver's reason behind a step's verdict.
    pub(super) fn reason(&self, vertex: VertexId) -> (Verdict, Reason) {
        self.outcome.vertices.get(vertex).copied().unwrap_or((Verdict::Skipped, Reason::None))
    }
}
