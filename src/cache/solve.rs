//! The solver: BuildKit's `solver/edge.go`, demand-driven and one request at a time instead of concurrently.
//!
//! The target is asked for its result; an operation whose record with a result is found asks for nothing more, any other asks
//! its inputs, first for their keys by definition, then for keys by content, then for their results.

use super::build::{Build, Files};
use super::definition::{Action, Definition, Vertex, VertexId};
use super::digest::Digest;
use super::few::Few;
use super::records::{Key, Link, Loadable, Records};
use super::result::{Made, Outputs, ResultId};
use super::setting::is_directory;
use super::world::{Builder, World};
use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};
use std::rc::Rc;
use std::sync::Arc;

/// Index of a key in [`Solve::keys`].
pub(super) type KeyIndex = usize;

/// Keys that lead to an input, with what is taken of it.
type LeadingKeys = SmallVec<[(KeyIndex, Digest); 2]>;

/// Per input of an operation, keys that lead to it.
type KeyInputs = Rc<[LeadingKeys]>;

/// Links from keys of an input to records, with the import to which a key is bound.
type Links = SmallVec<[(Link, Option<usize>); 2]>;

/// Results that are known, by cache.
type Loadables = SmallVec<[(usize, Loadable); 1]>;

/// A key with how it was come by, as an exporter needs it (BuildKit: `ExportableCacheKey`).
#[derive(Clone, Debug)]
pub(super) struct SolveKey {
    /// The identities under which caches know it, this builder's first.
    pub(super) ids: SmallVec<[Key; 2]>,
    pub(super) operation: Digest,
    /// Per input the keys that lead to it.
    pub(super) inputs: KeyInputs,
    /// The results known when the key was found, by cache.
    pub(super) records: Loadables,
    /// The import that answered first, where several know the record: what stands on it is looked up there and in the
    /// builder's own cache only (facts §11).
    pub(super) only: Option<usize>,
}

/// How far an operation is (BuildKit: `edgeStatusType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    #[default]
    Initial,
    Fast,
    Slow,
    Complete,
}

#[derive(Clone, Debug, Default)]
struct Dependency {
    status: Status,
    keys: SmallVec<[KeyIndex; 2]>,
    /// Records that a key of this input leads to, by cache.
    matches: Few<(usize, Key)>,
    slow_key: Option<KeyIndex>,
    slow_complete: bool,
    slow_found: bool,
    asked: bool,
    /// Keys of the input's result, once it has one.
    result: Option<SmallVec<[KeyIndex; 2]>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    status: Status,
    started: bool,
    /// Whether its inputs have come further since it was last seen how far it is.
    stale: bool,
    pub(super) keys: SmallVec<[KeyIndex; 2]>,
    matches: Few<(usize, Key)>,
    records: SmallVec<[(usize, KeyIndex, Loadable); 1]>,
    deps: Vec<Dependency>,
    no_match_possible: bool,
    all_fast: bool,
    all_slow: bool,
    all_complete: bool,
    pub(super) result: Option<ResultId>,
    pub(super) result_keys: SmallVec<[KeyIndex; 2]>,
    /// Whether it ran (a source: was fetched).
    pub(super) executed: bool,
    /// Whether a record was known before it ran.
    pub(super) known: bool,
}

/// A build on its way through the solver.
pub(super) struct Solve<'b> {
    definition: &'b Definition,
    build: &'b Build<'b>,
    pub(super) world: &'b mut World,
    pub(super) builder: Builder,
    pub(super) imports: Vec<Arc<Records>>,
    /// Their names.
    import_names: Vec<&'b str>,
    pub(super) keys: Vec<SolveKey>,
    pub(super) edges: Vec<Edge>,
    session: u64,
    /// The import that answers first wherever several know a record; `None` lets all answer.
    pub(super) first_answer: Option<usize>,
    pub(super) failed: bool,
    /// Records that links led to so far.
    followed: usize,
}

/// Records that are followed for each operation, on average, before a build counts as too large. BuildKit follows them all:
/// n copies of the same content lead to n records each.
const FOLLOWED_EACH: usize = 64;
/// Records that are followed in a build of any size.
const FOLLOWED: usize = 1 << 19;

/// What an operation does next when it is asked.
enum Next {
    Done,
    Ask(usize, Status),
}

impl<'b> Solve<'b> {
    pub(super) fn new(build: &'b Build<'b>, world: &'b mut World) -> Self {
        let builder = world.builders.remove(build.builder).unwrap_or_default();
        let (import_names, imports) = build
            .imports
            .iter()
            .filter_map(|name| Some((name.as_str(), world.refs.get(name.as_str())?.clone())))
            .unzip();
        world.sessions += 1;
        let edges = vec![Edge::default(); build.definition.vertices.len()];
        let session = world.sessions;
        Self {
            definition: build.definition,
            build,
            world,
            builder,
            imports,
            import_names,
            keys: Vec::new(),
            edges,
            session,
            first_answer: None,
            failed: false,
            followed: 0,
        }
    }

    pub(super) fn cache(&self, index: usize) -> Option<&Records> {
        match index.checked_sub(1) {
            None => Some(&self.builder.records),
            Some(import) => self.imports.get(import).map(|records| &**records),
        }
    }

    pub(super) fn caches(&self) -> usize {
        self.imports.len() + 1
    }

    /// Runs the build: asks the target for its result.
    pub(super) fn run(&mut self) {
        let Some(target) = self.definition.target else { return };
        let mut open: Vec<(VertexId, Status, usize)> = vec![(target, Status::Complete, 0)];
        while let Some((vertex, desired, seen)) = open.last().copied() {
            match self.poll(vertex, desired, seen) {
                _ if self.failed || self.too_many() => return,
                Next::Done => {
                    open.pop();
                }
                Next::Ask(dep, desired) => {
                    let Some(input) = self.vertex(vertex).and_then(|vertex| vertex.inputs.get(dep)) else {
                        return;
                    };
                    let input = input.vertex;
                    let seen = self.dep(vertex, dep).map_or(0, |dep| dep.keys.len());
                    self.dep_mut(vertex, dep, |dep| dep.asked = true);
                    open.push((input, desired, seen));
                }
            }
        }
    }

    /// Whether it was given up, since its steps lead to more records than can be followed in linear time.
    pub(super) fn too_many(&self) -> bool {
        self.followed > FOLLOWED + FOLLOWED_EACH * self.edges.len()
    }

    fn vertex(&self, vertex: VertexId) -> Option<&'b Vertex> {
        self.definition.vertices.get(vertex)
    }

    fn dep(&self, vertex: VertexId, dep: usize) -> Option<&Dependency> {
        self.edges.get(vertex).and_then(|edge| edge.deps.get(dep))
    }

    fn dep_mut<R>(
        &mut self,
        vertex: VertexId,
        dep: usize,
        change: impl FnOnce(&mut Dependency) -> R,
    ) -> Option<R> {
        self.edges.get_mut(vertex).and_then(|edge| edge.deps.get_mut(dep)).map(change)
    }

    /// Brings an operation as far as it can be brought without another input (BuildKit: `unpark`).
    fn poll(&mut self, at: VertexId, desired: Status, seen: usize) -> Next {
        let Some(vertex) = self.vertex(at) else { return Next::Done };
        self.start(at, vertex);
        loop {
            self.take_updates(at, vertex);
            let Some(edge) = self.edges.get(at) else { return Next::Done };
            if edge.status >= desired || (desired < Status::Complete && edge.keys.len() > seen) {
                return Next::Done;
            }
            if desired == Status::Complete && self.finish(at, vertex) {
                continue;
            }
            if self.failed {
                return Next::Done;
            }
            if let Some(ask) = self.next_ask(at, vertex, desired, false) {
                return ask;
            }
            if self.compute_content(at, vertex) {
                continue;
            }
            match self.next_ask(at, vertex, desired, true) {
                Some(ask) => return ask,
                None => return Next::Done,
            }
        }
    }

    fn start(&mut self, at: VertexId, vertex: &Vertex) {
        let Some(edge) = self.edges.get_mut(at) else { return };
        if std::mem::replace(&mut edge.started, true) {
            return;
        }
        edge.deps = vec![Dependency::default(); vertex.inputs.len()];
        edge.stale = true;
        if !vertex.inputs.is_empty() {
            return;
        }
        for digest in self.root_digests(vertex) {
            let known: SmallVec<[usize; 2]> = (0..self.caches())
                .filter(|index| {
                    !vertex.ignore_cache && self.cache(*index).is_some_and(|cache| cache.is_known(digest))
                })
                .collect();
            if known.is_empty() {
                continue;
            }
            let records = self.records_of(&known, digest);
            let key = self.add_key(SolveKey {
                ids: smallvec![digest],
                operation: digest,
                inputs: Rc::default(),
                records,
                only: None,
            });
            self.offer(at, key);
            if self.edges.get(at).is_some_and(|edge| !edge.records.is_empty()) {
                break;
            }
        }
        if let Some(edge) = self.edges.get_mut(at) {
            edge.status = Status::Slow;
            edge.all_complete = true;
        }
    }

    fn records_of(&self, caches: &[usize], key: Key) -> Loadables {
        let of = |index: &usize| self.cache(*index).map(|cache| (*index, cache.results(key)));
        caches
            .iter()
            .filter_map(of)
            .flat_map(|(index, results)| results.map(move |loadable| (index, loadable)))
            .filter(|(index, loadable)| *index != 0 || self.is_here(loadable.result))
            .collect()
    }

    /// Whether the builder has the layers of one of its own results. It has not where they came from an import that this
    /// build does not name and nothing needed their files so far (BuildKit: `checkLazyProviders`).
    fn is_here(&self, result: ResultId) -> bool {
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
    fn fetch(&mut self, result: ResultId) {
        let builder = &mut self.builder;
        if builder.absent.is_empty() {
            return;
        }
        for layer in self.world.results.layers_above(result, |layer| builder.present.contains(&layer)) {
            builder.absent.remove(&layer);
            builder.present.insert(layer);
        }
    }

    fn add_key(&mut self, key: SolveKey) -> KeyIndex {
        self.keys.push(key);
        self.keys.len() - 1
    }

    fn offer(&mut self, at: VertexId, key: KeyIndex) {
        let records = self.keys.get(key).map(|key| key.records.clone()).unwrap_or_default();
        if let Some(edge) = self.edges.get_mut(at) {
            edge.records.extend(records.into_iter().map(|(cache, loadable)| (cache, key, loadable)));
            edge.keys.push(key);
        }
    }

    /// The digests under which a source is known (facts §0.2, §1.1, §1.10).
    fn root_digests(&self, vertex: &Vertex) -> SmallVec<[Digest; 2]> {
        match &vertex.action {
            Action::Image(reference, platform) => {
                let image = self.world.image(reference);
                smallvec![
                    Digest::of("manifest", &[&image.digest.bytes(), platform.as_bytes()]),
                    Digest::of("chain", &[&image.chain.bytes()]),
                ]
            }
            // New for every build: a context counts by content only.
            Action::Context(_) => {
                smallvec![Digest::of("session", &[&vertex.digest.bytes(), &self.session.to_le_bytes()])]
            }
            Action::Http(url, checksum) => {
                let name = super::key::http_name(url);
                let remote = self.build.remote(url);
                let identity = checksum
                    .clone()
                    .map_or(remote.content, |checksum| Digest::of("checksum", &[checksum.as_bytes()]));
                smallvec![Digest::of(
                    "http",
                    &[name.as_bytes(), &identity.bytes(), remote.modified.as_bytes()]
                )]
            }
            Action::Git(url) => {
                let remote = self.build.remote(url);
                smallvec![Digest::of("git", &[&vertex.digest.bytes(), &remote.content.bytes()])]
            }
            _ => smallvec![vertex.digest],
        }
    }

    /// Takes what asked inputs have come to (BuildKit: `processDepReq`).
    fn take_updates(&mut self, at: VertexId, vertex: &Vertex) {
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

    fn touch(&mut self, at: VertexId) {
        if let Some(edge) = self.edges.get_mut(at) {
            edge.stale = true;
        }
    }

    /// Asks every cache which records these keys of an input lead to (BuildKit: `probeCache`, `cacheManager.Query`).
    fn probe(&mut self, at: VertexId, vertex: &Vertex, dep: usize, keys: &[(KeyIndex, Digest)]) -> bool {
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
    fn links(&self, vertex: &Vertex, dep: usize, keys: &[(KeyIndex, Digest)]) -> Links {
        let of = |(key, selector): &(KeyIndex, Digest)| {
            let found = self.keys.get(*key);
            let only = found.and_then(|key| key.only);
            let (operation, selector) = (vertex.digest, *selector);
            let ids = found.into_iter().flat_map(|key| &key.ids);
            ids.map(move |from| (Link { from: *from, input: dep, operation, selector }, only))
        };
        keys.iter().flat_map(of).collect()
    }

    fn check_match_possible(&mut self, at: VertexId, vertex: &Vertex, dep: usize) {
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
    fn recalculate(&mut self, at: VertexId, vertex: &Vertex) {
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
    fn takes_context(&self, vertex: &Vertex) -> bool {
        vertex.inputs.iter().any(|input| {
            self.vertex(input.vertex).is_some_and(|vertex| matches!(vertex.action, Action::Context(_)))
        })
    }

    /// The keys of the inputs, as a record found or made now is linked to them.
    fn key_inputs(&self, at: VertexId, vertex: &Vertex) -> KeyInputs {
        let Some(edge) = self.edges.get(at) else { return KeyInputs::default() };
        let of = |(dep, input): (&Dependency, &super::definition::Input)| {
            let keys = dep.result.as_ref().unwrap_or(&dep.keys);
            let mut keys: LeadingKeys = keys.iter().map(|key| (*key, input.selector)).collect();
            if dep.result.is_some() {
                keys.extend(dep.slow_key.map(|key| (key, Digest::NONE)));
            }
            keys
        };
        edge.deps.iter().zip(&vertex.inputs).map(of).collect()
    }

    /// The input to ask next, and how far it has to come (BuildKit: `createInputRequests`, `desiredStateDep`).
    fn next_ask(&self, at: VertexId, vertex: &Vertex, desired: Status, force: bool) -> Option<Next> {
        let edge = self.edges.get(at)?;
        let wanted = |(index, (dep, input)): (usize, (&Dependency, &super::definition::Input))| {
            let wanted = edge.desired(dep, vertex, input.content.is_some(), desired, force);
            (dep.status < wanted).then_some(Next::Ask(index, wanted))
        };
        edge.deps.iter().zip(&vertex.inputs).enumerate().find_map(wanted)
    }

    /// Hashes the content of inputs that have a result (BuildKit: `computeCacheKeyFromDep`, `processDepSlowCacheReq`).
    fn compute_content(&mut self, at: VertexId, vertex: &Vertex) -> bool {
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

    fn connect(&mut self, vertex: &Vertex, dep: usize, keys: &[(KeyIndex, Digest)]) {
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

    /// Loads or executes, if there is enough to do so.
    fn finish(&mut self, at: VertexId, vertex: &Vertex) -> bool {
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

    fn load(&mut self, at: VertexId, cache: usize, key: KeyIndex, loadable: Loadable) {
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
    fn copy_from_import(&mut self, cache: usize, key: KeyIndex, result: ResultId) {
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

    fn execute(&mut self, at: VertexId, vertex: &Vertex) {
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
        let digests =
            if vertex.inputs.is_empty() { self.root_digests(vertex) } else { smallvec![vertex.digest] };
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

    fn made(&self, vertex: &Vertex, inputs: Vec<ResultId>) -> Made {
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
                let of = |(input, result): (&super::definition::Input, &ResultId)| {
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
    fn own_id(&self, vertex: &Vertex, inputs: &[LeadingKeys]) -> Option<Key> {
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
    fn new_id(&self, vertex: &Vertex, inputs: &[LeadingKeys]) -> Key {
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
    fn persist(&mut self, key: KeyIndex) {
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

impl Edge {
    /// How far an input has to come (BuildKit: `desiredStateDep`).
    fn desired(
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
    fn raise_if_exhausted(&mut self, vertex: &Vertex) {
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

impl Solve<'_> {
    pub(super) fn build_vertex(&self, at: VertexId) -> Option<&Vertex> {
        self.definition.vertices.get(at)
    }

    /// The first input that leads to no record although it is there.
    pub(super) fn missing_input(&self, at: VertexId) -> Option<super::simulate::Reason> {
        use super::simulate::Reason;
        let (edge, vertex) = (self.edges.get(at)?, self.definition.vertices.get(at)?);
        let mut inputs = edge.deps.iter().zip(&vertex.inputs).filter(|(dep, _)| dep.matches.is_empty());
        let (_, input) = inputs.next()?;
        let source = self.edges.get(input.vertex)?;
        match &input.content {
            Some(_) => Some(Reason::Content(input.vertex)),
            None if source.executed && !source.known => Some(Reason::Base(input.vertex)),
            None => None,
        }
    }
}
