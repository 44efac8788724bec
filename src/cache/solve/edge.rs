//! How far an operation's inputs have to come.

use super::super::definition::Vertex;
use super::{Dependency, Edge, Key, Status};
use rustc_hash::FxHashSet;

impl Edge {
    /// How far an input has to come (BuildKit: `desiredStateDep`).
    pub(super) fn desired(
        &self,
        dep: &Dependency,
        vertex: &Vertex,
        by_content: bool,
        desired: Status,
        force: bool,
    ) -> Status {
        if self.no_match_possible || force {
            return Status::Complete;
        }
        match dep.status {
            Status::Initial if desired > dep.status => Status::Fast,
            Status::Fast if desired > dep.status => {
                let matched = self
                    .deps
                    .iter()
                    .all(|dep| !dep.matches.is_empty() || dep.slow_key.is_some() || dep.result.is_some());
                let turn = (self.all_fast && self.keys.is_empty()) || dep.matches.is_empty() || matched;
                if turn && !self.skips_fast(dep, vertex) { Status::Slow } else { dep.status }
            }
            Status::Slow if desired == Status::Complete => {
                let turn =
                    dep.matches.is_empty() || self.all_slow || (!self.skips_fast(dep, vertex) && by_content);
                let free = dep.matches.is_empty() || !self.skips_slow(dep, vertex, by_content);
                if turn && self.records.is_empty() && free { Status::Complete } else { dep.status }
            }
            Status::Slow if by_content && desired == Status::Slow => {
                if dep.matches.is_empty() || !self.skips_slow(dep, vertex, by_content) {
                    Status::Complete
                } else {
                    dep.status
                }
            }
            status => status,
        }
    }

    /// Inputs that match nothing by definition come first (BuildKit: `skipPhase2SlowCache`).
    fn skips_slow(&self, dep: &Dependency, vertex: &Vertex, by_content: bool) -> bool {
        let first_phase = self.deps.iter().zip(&vertex.inputs).any(|(dep, input)| {
            dep.matches.is_empty()
                && ((!dep.slow_complete && input.content.is_some()) || dep.status < Status::Slow)
        });
        first_phase && !dep.slow_complete && by_content && !dep.matches.is_empty()
    }

    /// The same for keys by definition (BuildKit: `skipPhase2FastCache`).
    fn skips_fast(&self, dep: &Dependency, vertex: &Vertex) -> bool {
        let first_phase = self.deps.iter().zip(&vertex.inputs).any(|(dep, input)| {
            let by_content = input.content.is_some();
            dep.matches.is_empty()
                && ((!dep.slow_complete && by_content) || (dep.status < Status::Complete && !by_content))
        });
        first_phase && !dep.matches.is_empty()
    }

    /// Nothing that is still open could lead to another record (end of BuildKit's `recalcCurrentState`).
    pub(super) fn raise_if_exhausted(&mut self, vertex: &Vertex) {
        let mut open: FxHashSet<(usize, Key)> = FxHashSet::default();
        for (dep, input) in self.deps.iter().zip(&vertex.inputs) {
            let incomplete = input.content.is_some()
                && (dep.status == Status::Slow || (dep.status == Status::Complete && !dep.slow_complete));
            if incomplete {
                continue;
            }
            let own: FxHashSet<_> =
                dep.matches.iter().filter(|record| !self.matches.contains(record)).collect();
            if open.is_empty() {
                open = own;
            } else {
                open.retain(|key| own.contains(key));
            }
            if open.is_empty() {
                self.status = Status::Slow;
            }
        }
    }
}
