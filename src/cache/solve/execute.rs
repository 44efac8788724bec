//! Loading a result, or making one and its record.

use super::super::build::Files;
use super::super::definition::{Action, Input, Vertex, VertexId};
use super::super::digest::Digest;
use super::super::records::{Key, Link, Loadable};
use super::super::result::{Made, Outputs, ResultId};
use super::super::setting::is_directory;
use super::{KeyIndex, LeadingKeys, Solve, SolveKey, Status};
use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};

impl Solve<'_> {
    /// Whether the builder has the layers of one of its own results. It has not where they came from an import that this
    /// build does not name and nothing needed their files so far (BuildKit: `checkLazyProviders`).
    pub(super) fn is_here(&self, result: ResultId) -> bool {
        let builder = &self.builder;
        builder.absent.is_empty()
            || !self
                .world
                .results
                .layers_above(result, |layer| builder.present.contains(&layer))
                .iter()
                .any(|layer| builder.absent.contains(layer))
    }

    /// Downloads what is missing of a result whose files are needed.
    pub(super) fn fetch(&mut self, result: ResultId) {
        let builder = &mut self.builder;
        if builder.absent.is_empty() {
            return;
        }
        for layer in self.world.results.layers_above(result, |layer| builder.present.contains(&layer)) {
            builder.absent.remove(&layer);
            builder.present.insert(layer);
        }
    }

    /// Loads or executes, if there is enough to do so.
    pub(super) fn finish(&mut self, at: VertexId, vertex: &Vertex) -> bool {
        let Some(edge) = self.edges.get(at) else { return false };
        // The newest; between equals a remote one, which is how BuildKit orders them.
        let best = edge.records.iter().max_by_key(|(cache, _, loadable)| (loadable.created, *cache)).copied();
        if let Some((cache, key, loadable)) = best {
            self.load(at, cache, key, loadable);
            return true;
        }
        if edge.all_complete {
            self.execute(at, vertex);
            return !self.failed;
        }
        false
    }

    pub(super) fn load(&mut self, at: VertexId, cache: usize, key: KeyIndex, loadable: Loadable) {
        if cache != 0 {
            self.copy_from_import(cache, key, loadable.result);
        }
        let Some(found) = self.keys.get(key).cloned() else { return };
        let loaded = self.add_key(SolveKey { records: smallvec![(cache, loadable)], ..found });
        if let Some(edge) = self.edges.get_mut(at) {
            edge.result = Some(loadable.result);
            edge.result_keys = smallvec![loaded];
            edge.known = true;
            edge.status = Status::Complete;
        }
    }

    /// A remote hit is copied into the builder's own cache, with the results that it stands on (BuildKit:
    /// `LoadWithParents`): those whose layers are the lowest of its own, not those that it took files from.
    pub(super) fn copy_from_import(&mut self, cache: usize, key: KeyIndex, result: ResultId) {
        let Some(index) = cache.checked_sub(1) else { return };
        let Some(import) = self.imports.get(index).cloned() else { return };
        let at_once = self.import_names.get(index).is_some_and(|name| is_directory(name));
        let own = self.world.results.layers(result);
        let mut open = vec![key];
        let mut seen = FxHashSet::default();
        while let Some(key) = open.pop() {
            if !seen.insert(key) {
                continue;
            }
            let Some(found) = self.keys.get(key) else { continue };
            open.extend(found.inputs.iter().flatten().map(|(key, _)| *key));
            for id in found.ids.clone() {
                for loadable in import.results(id) {
                    let layers = self.world.results.layers(loadable.result);
                    if !own.ends_with(&layers) {
                        continue;
                    }
                    self.builder.records.save(id, loadable);
                    self.builder.offered(&layers, at_once);
                    self.builder.blobs.extend(layers);
                }
            }
        }
        self.persist(key);
    }

    pub(super) fn execute(&mut self, at: VertexId, vertex: &Vertex) {
        if self.build.fails_at.is_some_and(|step| vertex.steps.contains(&step)) {
            self.failed = true;
            return;
        }
        let inputs: Vec<ResultId> = vertex
            .inputs
            .iter()
            .filter_map(|input| self.edges.get(input.vertex).and_then(|edge| edge.result))
            .collect();
        // A merge only puts layers on each other.
        if !matches!(vertex.action, Action::Merge) {
            inputs.iter().for_each(|input| self.fetch(*input));
        }
        let made = self.made(vertex, inputs);
        let result = self.world.results.add(made);
        self.builder.present.insert(result);
        self.world.clock += 1;
        let loadable = Loadable { result, created: self.world.clock };
        let key_inputs = self.key_inputs(at, vertex);
        let matched: SmallVec<[Key; 2]> = self
            .edges
            .get(at)
            .map(|edge| {
                edge.keys
                    .iter()
                    .filter_map(|key| self.keys.get(*key))
                    .flat_map(|key| key.ids.clone())
                    .collect()
            })
            .unwrap_or_default();
        let digests = match self.edges.get_mut(at) {
            Some(edge) if vertex.inputs.is_empty() => std::mem::take(&mut edge.roots),
            _ => smallvec![vertex.digest],
        };
        let mut result_keys: SmallVec<[KeyIndex; 2]> = SmallVec::new();
        for digest in digests {
            let mut ids: SmallVec<[Key; 2]> = if vertex.inputs.is_empty() {
                smallvec![digest]
            } else {
                smallvec![
                    self.own_id(vertex, &key_inputs)
                        .or(matched.first().copied())
                        .unwrap_or_else(|| self.new_id(vertex, &key_inputs)),
                ]
            };
            if let Some(id) = ids.first().copied() {
                self.builder.records.save(id, loadable);
            }
            if !vertex.inputs.is_empty() {
                ids.extend(matched.iter().copied());
                ids.dedup();
            }
            let key = self.add_key(SolveKey {
                ids,
                operation: digest,
                inputs: key_inputs.clone(),
                records: smallvec![(0, loadable)],
                only: self.takes_context(vertex).then_some(0),
            });
            self.persist(key);
            result_keys.push(key);
        }
        let Some(edge) = self.edges.get_mut(at) else { return };
        edge.known = !edge.keys.is_empty();
        if !vertex.ignore_cache {
            edge.keys.extend_from_slice(&result_keys);
        }
        edge.result = Some(result);
        edge.result_keys = result_keys;
        edge.executed = true;
        edge.status = Status::Complete;
    }

    pub(super) fn made(&self, vertex: &Vertex, inputs: Vec<ResultId>) -> Made {
        let base = inputs.first().copied().filter(|_| vertex.on_base);
        match &vertex.action {
            Action::Image(reference, _) => {
                let image = self.world.image(reference);
                Made::Image { chain: image.chain, inside: image.inside }
            }
            Action::Context(name) => match self.build.files(name.as_deref()) {
                Files::Known(tree) => Made::Files(tree.clone()),
                Files::Unknown { edits } => Made::UnknownFiles { edits: edits.clone(), seed: vertex.digest },
            },
            Action::Http(url, _) => Made::Bytes(self.build.remote(url).content),
            Action::Git(url) => Made::Whole(self.build.remote(url).content),
            Action::Exec(command, plain) => {
                let of = |(input, result): (&Input, &ResultId)| {
                    let selection = input.content.as_ref()?;
                    Some(self.world.results.content(*result, selection))
                };
                let presumed = self.world.results.outputs == Outputs::Presumed;
                let taken = vertex.inputs.iter().zip(&inputs).filter(|_| presumed).filter_map(of).collect();
                Made::Run { base, command: *command, taken, plain: plain.clone() }
            }
            Action::Mkdir(path, owner) => Made::Mkdir { base, path: path.clone(), owner: *owner },
            Action::Mkfile(_, digest) => Made::Bytes(*digest),
            Action::Copy(parts, dest) => {
                Made::Copy { base, inputs, parts: parts.clone(), dest: dest.clone() }
            }
            Action::Merge => match (inputs.first(), inputs.get(1)) {
                (Some(lower), Some(upper)) => Made::Merge { lower: *lower, upper: *upper },
                _ => Made::Whole(vertex.digest),
            },
        }
    }

    /// The record of this builder that all inputs lead to, if there is one (BuildKit: `getIDFromDeps`).
    pub(super) fn own_id(&self, vertex: &Vertex, inputs: &[LeadingKeys]) -> Option<Key> {
        let mut common: Option<SmallVec<[Key; 2]>> = None;
        for (index, keys) in inputs.iter().enumerate() {
            let links = keys.iter().flat_map(|(key, selector)| {
                let ids = self.keys.get(*key).map(|key| key.ids.as_slice()).unwrap_or_default();
                ids.iter().map(|from| Link {
                    from: *from,
                    input: index,
                    operation: vertex.digest,
                    selector: *selector,
                })
            });
            let mut reached: SmallVec<[Key; 2]> = SmallVec::new();
            for link in links {
                reached.extend(self.builder.records.reached(&link));
            }
            common = Some(match common {
                None => reached,
                Some(common) => common.into_iter().filter(|key| reached.contains(key)).collect(),
            });
        }
        common?.into_iter().min()
    }

    /// A new record's identity: the operation over the first lasting key of every input.
    pub(super) fn new_id(&self, vertex: &Vertex, inputs: &[LeadingKeys]) -> Key {
        let mut parts: SmallVec<[Digest; 8]> = smallvec![vertex.digest];
        for (keys, input) in inputs.iter().zip(&vertex.inputs) {
            // A context's key by definition is new in every build, its content is not.
            let session =
                self.vertex(input.vertex).is_some_and(|vertex| matches!(vertex.action, Action::Context(_)));
            let key = if session { keys.last() } else { keys.first() };
            let id = key.and_then(|(key, _)| self.keys.get(*key)).and_then(|key| key.ids.first().copied());
            parts.extend([id.unwrap_or(Digest::NONE), key.map_or(Digest::NONE, |(_, selector)| *selector)]);
        }
        Digest::combine("record", &parts)
    }

    /// Links a key, and those that lead to it, in the builder's own cache (BuildKit: `ensurePersistentKey`).
    pub(super) fn persist(&mut self, key: KeyIndex) {
        let mut open = vec![key];
        while let Some(key) = open.pop() {
            let Some(found) = self.keys.get(key) else { continue };
            let Some(id) = found.ids.first().copied() else { continue };
            let operation = found.operation;
            if found.inputs.is_empty() {
                self.builder.records.know(id);
                continue;
            }
            for (input, keys) in found.inputs.clone().iter().enumerate() {
                for (from_key, selector) in keys.iter().copied() {
                    let Some(from) = self.keys.get(from_key).and_then(|key| key.ids.first().copied()) else {
                        continue;
                    };
                    if self.builder.records.link(Link { from, input, operation, selector }, id) {
                        open.push(from_key);
                    }
                }
            }
        }
    }
}
