//! Answers to questions about one Dockerfile.

use super::build::Export;
use super::cause::Because;
use super::definition::{Definition, VertexId};
use super::model::{Change, Model, Setting};
use super::simulate::{Outcome, Reason, Store, Verdict};
use crate::graph::{Base, Graph, StepId, StepKind};
use std::sync::{Arc, Mutex, PoisonError};

/// The outcomes of the first questions that were asked: several rules ask for the same change.
#[derive(Debug, Default)]
pub(super) struct Answered(Mutex<Vec<(Question, Arc<Outcome>)>>);

/// At most one change, and where the build after it runs.
type Question = (Option<Change>, Setting);

/// More questions than rules and builds have in common.
const MAX_KEPT: usize = 32;

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
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |(own, place): &Question| own.as_ref() == change && place == setting;
        let same = known().iter().find(|(asked, _)| is_same(asked)).map(|(_, outcome)| Arc::clone(outcome));
        same.unwrap_or_else(|| {
            let outcome = ask();
            let mut known = known();
            if known.len() < MAX_KEPT {
                known.push(((change.cloned(), setting.clone()), Arc::clone(&outcome)));
            }
            outcome
        })
    }
}

/// The caches after one build that exported so: several questions start from the same.
#[derive(Debug, Default)]
pub(super) struct Exported(Mutex<Vec<(Vec<Export>, bool, Store)>>);

/// More ways to export than questions are asked about.
const MAX_EXPORTED: usize = 8;

impl Exported {
    pub(super) fn get_or_build(&self, setting: &Setting, build: impl FnOnce() -> Store) -> Store {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |(exports, pushed, _): &&(Vec<Export>, bool, Store)| {
            *exports == setting.exports && *pushed == setting.pushed
        };
        let same = known().iter().find(is_same).map(|(.., store)| store.clone());
        same.unwrap_or_else(|| {
            let store = build();
            let mut known = known();
            if known.len() < MAX_EXPORTED {
                known.push((setting.exports.clone(), setting.pushed, store.clone()));
            }
            store
        })
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
