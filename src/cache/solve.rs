//! The solver: BuildKit's `solver/edge.go`, demand-driven and one request at a time instead of concurrently.
//!
//! The target is asked for its result; an operation whose record with a result is found asks for nothing more, any other asks
//! its inputs, first for their keys by definition, then for keys by content, then for their results.

mod edge;
mod execute;
mod probe;

use super::build::Build;
use super::definition::{Action, Definition, Vertex, VertexId};
use super::digest::Digest;
use super::few::Few;
use super::records::{Key, Link, Loadable, Records};
use super::result::ResultId;
use super::world::{Builder, World};
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
    /// The digests under which a source is known, once it was asked.
    roots: SmallVec<[Digest; 2]>,
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
        let operations = build.definition.vertices.len();
        let builder = world.builders.remove(build.builder).unwrap_or_else(|| Builder::with_room(operations));
        let (import_names, imports) = build
            .imports
            .iter()
            .filter_map(|name| Some((name.as_str(), world.refs.get(name.as_str())?.clone())))
            .unzip();
        world.sessions += 1;
        let edges = std::iter::repeat_with(Edge::default).take(operations).collect();
        let session = world.sessions;
        Self {
            definition: build.definition,
            build,
            world,
            builder,
            imports,
            import_names,
            keys: Vec::with_capacity(2 * operations),
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
        edge.deps = vertex.inputs.iter().map(|_| Dependency::default()).collect();
        edge.stale = true;
        if !vertex.inputs.is_empty() {
            return;
        }
        let roots = self.root_digests(vertex);
        if let Some(edge) = self.edges.get_mut(at) {
            edge.roots = roots.clone();
        }
        for digest in roots {
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

    /// The input to ask next, and how far it has to come (BuildKit: `createInputRequests`, `desiredStateDep`).
    fn next_ask(&self, at: VertexId, vertex: &Vertex, desired: Status, force: bool) -> Option<Next> {
        let edge = self.edges.get(at)?;
        let wanted = |(index, (dep, input)): (usize, (&Dependency, &super::definition::Input))| {
            let wanted = edge.desired(dep, vertex, input.content.is_some(), desired, force);
            (dep.status < wanted).then_some(Next::Ask(index, wanted))
        };
        edge.deps.iter().zip(&vertex.inputs).enumerate().find_map(wanted)
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
