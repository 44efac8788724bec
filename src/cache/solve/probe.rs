//! Which records the inputs of an operation lead to.

use super::super::definition::{Action, Input, Vertex, VertexId};
use super::super::digest::Digest;
use super::super::few::Few;
use super::super::records::{Key, Link};
use super::{Dependency, KeyIndex, KeyInputs, LeadingKeys, Links, Loadables, Solve, SolveKey, Status};
use smallvec::{SmallVec, smallvec};
use std::rc::Rc;

impl Solve<'_> {
    /// Takes what asked inputs have come to (BuildKit: `processDepReq`).
    pub(super) fn take_updates(&mut self, at: VertexId, vertex: &Vertex) {
        for (index, input) in vertex.inputs.iter().enumerate() {
            let Some(dep) = self.dep(at, index).filter(|dep| dep.asked) else { continue };
            let Some(source) = self.edges.get(input.vertex) else { continue };
            let (old, status) = (dep.keys.len(), source.status);
            // Keys are only ever added.
            let new: LeadingKeys = source.keys.iter().skip(old).map(|key| (*key, input.selector)).collect();
            let result = source.result.filter(|_| dep.result.is_none()).map(|_| source.result_keys.clone());
            self.probe(at, vertex, index, &new);
            self.dep_mut(at, index, |dep| {
                dep.keys.extend(new.iter().map(|(key, _)| *key));
                dep.status = status;
                dep.result = result.or(dep.result.take());
                dep.asked = false;
            });
            self.check_match_possible(at, vertex, index);
            self.touch(at);
        }
        if self.edges.get_mut(at).is_some_and(|edge| std::mem::take(&mut edge.stale)) {
            self.recalculate(at, vertex);
        }
    }

    pub(super) fn touch(&mut self, at: VertexId) {
        if let Some(edge) = self.edges.get_mut(at) {
            edge.stale = true;
        }
    }

    /// Asks every cache which records these keys of an input lead to (BuildKit: `probeCache`, `cacheManager.Query`).
    pub(super) fn probe(
        &mut self,
        at: VertexId,
        vertex: &Vertex,
        dep: usize,
        keys: &[(KeyIndex, Digest)],
    ) -> bool {
        if keys.is_empty() || vertex.ignore_cache {
            return false;
        }
        let links = self.links(vertex, dep, keys);
        let mut found: Few<(usize, Key)> = Few::default();
        for index in 0..self.caches() {
            let Some(cache) = self.cache(index) else { continue };
            let asked = |only: Option<usize>| index == 0 || only.is_none_or(|only| only == index);
            for (link, _) in links.iter().filter(|(_, only)| asked(*only)) {
                for key in cache.reached(link) {
                    found.insert((index, key));
                }
            }
        }
        self.followed += found.len() * links.len();
        // What one of the keys leads to, the others lead to from now on; a ref stays as it is.
        for (_, key) in found.iter().filter(|(index, _)| *index == 0) {
            for (link, _) in &links {
                self.builder.records.link(*link, key);
            }
        }
        self.dep_mut(at, dep, |dep| {
            let before = dep.matches.len();
            for record in found.iter() {
                dep.matches.insert(record);
            }
            dep.matches.len() > before
        })
        .unwrap_or(false)
    }

    /// The links from keys of an input to records of the operation, with the import to which a key is bound.
    pub(super) fn links(&self, vertex: &Vertex, dep: usize, keys: &[(KeyIndex, Digest)]) -> Links {
        let of = |(key, selector): &(KeyIndex, Digest)| {
            let found = self.keys.get(*key);
            let only = found.and_then(|key| key.only);
            let (operation, selector) = (vertex.digest, *selector);
            let ids = found.into_iter().flat_map(|key| &key.ids);
            ids.map(move |from| (Link { from: *from, input: dep, operation, selector }, only))
        };
        keys.iter().flat_map(of).collect()
    }

    pub(super) fn check_match_possible(&mut self, at: VertexId, vertex: &Vertex, dep: usize) {
        let by_content = vertex.inputs.get(dep).is_some_and(|input| input.content.is_some());
        let Some(state) = self.dep(at, dep) else { return };
        let exhausted =
            if by_content { state.slow_complete && !state.slow_found } else { state.status >= Status::Slow };
        if exhausted
            && state.matches.is_empty()
            && let Some(edge) = self.edges.get_mut(at)
        {
            edge.no_match_possible = true;
        }
    }

    /// Finds the records that all inputs lead to, and how far the operation is (BuildKit: `recalcCurrentState`).
    pub(super) fn recalculate(&mut self, at: VertexId, vertex: &Vertex) {
        if vertex.inputs.is_empty() {
            return;
        }
        let Some(edge) = self.edges.get(at) else { return };
        let fewest = edge.deps.iter().min_by_key(|dep| dep.matches.len());
        let mut new: SmallVec<[(usize, Key); 2]> =
            fewest.map(|dep| dep.matches.iter().collect()).unwrap_or_default();
        new.retain(|found| {
            !edge.matches.contains(found) && edge.deps.iter().all(|dep| dep.matches.contains(found))
        });
        new.sort_unstable();
        let bound = self.takes_context(vertex);
        let contended = |id: Key| new.iter().filter(|(cache, other)| *other == id && *cache > 0).count() > 1;
        let first = self.first_answer.filter(|_| bound);
        let answering = |(cache, id): &(usize, Key)| match first {
            Some(first) if *cache > 0 && new.contains(&(first, *id)) => *cache == first,
            _ => true,
        };
        for (cache, id) in new.iter().copied() {
            if let Some(edge) = self.edges.get_mut(at).filter(|_| !answering(&(cache, id))) {
                edge.matches.insert((cache, id));
                continue;
            }
            let inputs = self.key_inputs(at, vertex);
            let records = self.records_of(&[cache], id);
            let inherited = inputs.iter().flatten().find_map(|(key, _)| self.keys.get(*key)?.only);
            // Content can lead back into an import from an input that only another cache knows.
            let inherited = inherited.map(|only| if cache > 0 { cache } else { only });
            let only = first.filter(|first| cache == *first && contended(id)).or(inherited);
            let key = self.add_key(SolveKey {
                ids: smallvec![id],
                operation: vertex.digest,
                inputs,
                records,
                only,
            });
            if let Some(edge) = self.edges.get_mut(at) {
                edge.matches.insert((cache, id));
            }
            self.offer(at, key);
        }
        let Some(edge) = self.edges.get_mut(at) else { return };
        let (mut low, mut high) = (Status::Initial, Status::Slow);
        (edge.all_fast, edge.all_slow, edge.all_complete) = (true, true, true);
        let mut all_at_slow = true;
        for (dep, input) in edge.deps.iter().zip(&vertex.inputs) {
            let incomplete = input.content.is_some()
                && (dep.status == Status::Slow || (dep.status == Status::Complete && !dep.slow_complete));
            if dep.status > low && dep.matches.is_empty() && !incomplete {
                low = dep.status.min(Status::Slow);
            }
            high = high.min(if incomplete { Status::Fast } else { dep.status });
            edge.all_complete &= !incomplete && dep.status == Status::Complete;
            edge.all_fast &= dep.status >= Status::Fast;
            edge.all_slow &= !incomplete && dep.status >= Status::Slow;
            all_at_slow &= dep.status >= Status::Slow || !dep.matches.is_empty();
        }
        if edge.status < Status::Complete {
            edge.status = edge.status.max(low).max(high);
        }
        if all_at_slow && !edge.records.is_empty() && edge.status == Status::Fast {
            edge.raise_if_exhausted(vertex);
        }
    }

    /// Whether a build's context is among the inputs. Its key is new in every build, so that a record which hangs on it is not
    /// found again in another cache than the one that gave it (BuildKit: `getIDFromDeps`).
    pub(super) fn takes_context(&self, vertex: &Vertex) -> bool {
        vertex.inputs.iter().any(|input| {
            self.vertex(input.vertex).is_some_and(|vertex| matches!(vertex.action, Action::Context(_)))
        })
    }

    /// The keys of the inputs, as a record found or made now is linked to them.
    pub(super) fn key_inputs(&self, at: VertexId, vertex: &Vertex) -> KeyInputs {
        let Some(edge) = self.edges.get(at) else { return KeyInputs::default() };
        let of = |(dep, input): (&Dependency, &Input)| {
            let keys = dep.result.as_ref().unwrap_or(&dep.keys);
            let mut keys: LeadingKeys = keys.iter().map(|key| (*key, input.selector)).collect();
            if dep.result.is_some() {
                keys.extend(dep.slow_key.map(|key| (key, Digest::NONE)));
            }
            keys
        };
        edge.deps.iter().zip(&vertex.inputs).map(of).collect()
    }

    /// Hashes the content of inputs that have a result (BuildKit: `computeCacheKeyFromDep`, `processDepSlowCacheReq`).
    pub(super) fn compute_content(&mut self, at: VertexId, vertex: &Vertex) -> bool {
        let mut computed = false;
        for (index, input) in vertex.inputs.iter().enumerate() {
            let Some(dep) = self.dep(at, index) else { continue };
            let (Some(selection), Status::Complete, false) = (&input.content, dep.status, dep.slow_complete)
            else {
                continue;
            };
            let Some(result) = self.edges.get(input.vertex).and_then(|edge| edge.result) else { continue };
            let results = dep.result.clone().unwrap_or_default();
            self.fetch(result);
            let digest = Digest::combine("content", &[self.world.results.content(result, selection)]);
            let mut keys: LeadingKeys = results.into_iter().map(|key| (key, input.selector)).collect();
            let key = self.add_key(SolveKey {
                ids: smallvec![digest],
                operation: digest,
                inputs: Rc::default(),
                records: Loadables::new(),
                only: None,
            });
            let found = self.probe(at, vertex, index, &[(key, Digest::NONE)]);
            // From now on the keys by definition lead where the content leads.
            keys.push((key, Digest::NONE));
            if !vertex.ignore_cache {
                self.connect(vertex, index, &keys);
            }
            self.dep_mut(at, index, |dep| {
                dep.slow_key = Some(key);
                dep.slow_found = found;
                dep.slow_complete = true;
            });
            self.check_match_possible(at, vertex, index);
            self.touch(at);
            computed = true;
        }
        computed
    }

    pub(super) fn connect(&mut self, vertex: &Vertex, dep: usize, keys: &[(KeyIndex, Digest)]) {
        let links = self.links(vertex, dep, keys);
        let reached = links.iter().flat_map(|(link, _)| self.builder.records.reached(link));
        let mut reached: SmallVec<[Key; 2]> = reached.collect();
        reached.sort_unstable();
        reached.dedup();
        for key in reached {
            for (link, _) in &links {
                self.builder.records.link(*link, key);
            }
        }
    }
}
