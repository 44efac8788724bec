//! Which stage needs which, and what a target reaches.

use super::stage::{Base, Stage};
use super::step::{Source, Step, StepId, StepKind};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

/// Why a stage needs another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// `FROM stage`: by definition.
    From,
    /// `COPY --from`: by content.
    Copy,
    /// `RUN --mount from=`: by content.
    Mount,
}

/// The edges from every stage to those that it needs.
pub(super) fn needs(stages: &[Stage<'_>], steps: &[Step<'_>]) -> DiGraph<usize, (EdgeKind, StepId)> {
    let mut graph = DiGraph::with_capacity(stages.len(), stages.len());
    for index in 0..stages.len() {
        graph.add_node(index);
    }
    let mut add = |from: usize, to: usize, kind, step| {
        if to < stages.len() {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), (kind, step));
        }
    };
    for (index, step) in steps.iter().enumerate() {
        let Ok(id) = u32::try_from(index).map(StepId) else { break };
        match &step.kind {
            StepKind::From => {
                if let Some(Base::Stage(parent)) = stages.get(step.stage).map(|stage| &stage.base) {
                    add(step.stage, *parent, EdgeKind::From, id);
                }
            }
            StepKind::Copy(copy) => {
                if let Source::Stage(from) = copy.from {
                    add(step.stage, from, EdgeKind::Copy, id);
                }
            }
            StepKind::Run(run) => {
                for mount in &run.mounts {
                    if let Source::Stage(from) = mount.from {
                        add(step.stage, from, EdgeKind::Mount, id);
                    }
                }
            }
            StepKind::Workdir(_) => {}
        }
    }
    graph
}

/// For each stage, whether the target needs it (facts §3: reachability).
pub(super) fn reachable(
    needs: &DiGraph<usize, (EdgeKind, StepId)>,
    target: Option<usize>,
    stages: usize,
) -> Vec<bool> {
    let mut reached = vec![false; stages];
    let Some(target) = target.filter(|target| *target < stages) else { return reached };
    let mut search = Dfs::new(needs, NodeIndex::new(target));
    while let Some(node) = search.next(needs) {
        if let Some(flag) = reached.get_mut(node.index()) {
            *flag = true;
        }
    }
    reached
}
