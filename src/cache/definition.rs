//! A graph lowered to what BuildKit's solver sees: operations and their inputs, identical ones once.

use super::digest::Digest;
use super::key;
use super::plain::Plain;
use crate::context::{CopySelection, Tree};
use crate::graph::{
    Base, CopySourceKind, CopyStep, Graph, MountKind, MountStep, Options, RunStep, Source, Step, StepId,
    StepKind,
};
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// Index of an operation in [`Definition::vertices`].
pub type VertexId = usize;

/// An operation with its inputs.
#[derive(Clone, Debug)]
pub struct Vertex {
    /// Digest over what BuildKit hashes for the operation, inputs left out.
    pub digest: Digest,
    /// What it does, as far as the model has to know.
    pub action: Action,
    /// Its inputs, each operation once.
    pub inputs: Vec<Input>,
    /// Whether the first input is what the result stands on.
    pub on_base: bool,
    /// Whether the cache may not be asked for it (`--no-cache`, `--no-cache-filter`).
    pub ignore_cache: bool,
    /// The steps that it executes: several where steps are identical.
    pub steps: Vec<StepId>,
}

/// One input of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    /// The operation whose output it is.
    pub vertex: VertexId,
    /// Digest of the paths that are taken, part of a match by definition.
    pub selector: Digest,
    /// What is hashed of it by content; `None` for an input that counts by definition only.
    pub content: Option<Arc<CopySelection>>,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Takes an image, by reference and platform.
    Image(String, String),
    /// Takes the build context, or the named one.
    Context(Option<String>),
    /// Downloads; the address, and the checksum that is asked for.
    Http(String, Option<String>),
    /// Takes a git repository at a commit.
    Git(String),
    /// Runs a command; its text with the values of the variables that it names, and what it can write where that is plain.
    Exec(Digest, Option<Arc<Plain>>),
    /// Makes the directory; what of it can be seen afterwards (owner, mode).
    Mkdir(String, Digest),
    /// Writes a file that stands in the Dockerfile.
    Mkfile(String, Digest),
    /// Copies; for each part the input it takes from, what, and the flags that change what arrives.
    Copy(Arc<Vec<CopyPart>>, Arc<str>),
    /// Puts a layer on another (`--link`): inputs 0 and 1.
    Merge,
}

/// One part of a copy.
#[derive(Clone, Debug)]
pub struct CopyPart {
    /// Index into the operation's inputs.
    pub input: usize,
    /// The single source it takes.
    pub selection: CopySelection,
    /// Digest of the flags that change what arrives (owner, mode, unpacking).
    pub flags: Digest,
    /// Whether none of them is given.
    pub plain: bool,
    /// Whether archives are unpacked.
    pub unpack: bool,
    /// The first files that were asked about, and how they arrive.
    pub(super) arrived: OnceLock<(Tree, Tree)>,
}

/// The operations of a build.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Operations; inputs stand before what uses them.
    pub vertices: Vec<Vertex>,
    /// The operation of each step, by step index; `None` for steps without one (unreachable stages, FROM of a stage,
    /// `WORKDIR /`).
    pub of_step: Vec<Option<VertexId>>,
    /// The merge that a linked COPY adds, by step index.
    pub merge_of_step: Vec<Option<VertexId>>,
    /// What the build asks for; `None` for an empty image.
    pub target: Option<VertexId>,
}

/// Which steps may not use the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NoCache {
    /// None.
    #[default]
    Never,
    /// All RUN, COPY and ADD steps.
    All,
    /// Those of the named stages, in any case.
    Stages(Vec<String>),
}

impl Definition {
    /// A step that the operation belongs to: one that it executes, or the COPY whose layer it puts on the others.
    #[must_use]
    pub fn step_of(&self, vertex: VertexId) -> Option<StepId> {
        let own = self.vertices.get(vertex)?.steps.first().copied();
        own.or_else(|| {
            let index = self.merge_of_step.iter().position(|merge| *merge == Some(vertex))?;
            u32::try_from(index).ok().map(StepId)
        })
    }

    /// Lowers the reachable stages of `graph`.
    #[must_use]
    pub fn new(graph: &Graph<'_>, options: &Options, no_cache: &NoCache) -> Self {
        let mut lowering = Lowering {
            graph,
            options,
            no_cache,
            definition: Self {
                vertices: Vec::with_capacity(graph.steps.len()),
                of_step: vec![None; graph.steps.len()],
                merge_of_step: vec![None; graph.steps.len()],
                target: None,
            },
            known: FxHashMap::default(),
            ends: vec![None; graph.stages.len()],
        };
        for (index, _) in graph.stages.iter().enumerate() {
            if graph.reachable.get(index).copied().unwrap_or(false) {
                lowering.stage(index);
            }
        }
        let target = graph.target.and_then(|target| lowering.ends.get(target).copied().flatten());
        Self { target, ..lowering.definition }
    }
}

struct Lowering<'g, 'a> {
    graph: &'g Graph<'a>,
    options: &'g Options,
    no_cache: &'g NoCache,
    definition: Definition,
    /// Operations by digest and inputs.
    known: FxHashMap<(Digest, Vec<Input>), VertexId>,
    /// The last operation of each stage; `None` for an empty one.
    ends: Vec<Option<VertexId>>,
}

impl<'a> Lowering<'_, 'a> {
    fn add(
        &mut self,
        digest: Digest,
        action: Action,
        inputs: Vec<Input>,
        based: bool,
        ignore_cache: bool,
    ) -> VertexId {
        let vertices = &mut self.definition.vertices;
        let at = *self.known.entry((digest, inputs.clone())).or_insert_with(|| {
            let on_base = match &action {
                Action::Mkdir(..) | Action::Merge => !inputs.is_empty(),
                _ => based,
            };
            vertices.push(Vertex { digest, action, inputs, on_base, ignore_cache, steps: Vec::new() });
            vertices.len() - 1
        });
        // Equal operations are one, and one that ignores the cache makes all ignore it (BuildKit: `mergeMetadata`).
        if let Some(vertex) = vertices.get_mut(at) {
            vertex.ignore_cache |= ignore_cache;
        }
        at
    }

    fn stage(&mut self, index: usize) {
        let graph = self.graph;
        let Some(stage) = graph.stages.get(index) else { return };
        let mut state = match &stage.base {
            Base::Scratch | Base::Invalid => None,
            Base::Stage(parent) => self.ends.get(*parent).copied().flatten(),
            Base::Image(reference) => {
                let vertex = self.image(reference, stage.platform.as_deref());
                self.note(StepId(u32::try_from(stage.steps.start).unwrap_or(u32::MAX)), vertex);
                Some(vertex)
            }
            Base::Named(name) => Some(self.context(Some(name))),
        };
        let ignore = match self.no_cache {
            NoCache::Never => false,
            NoCache::All => true,
            NoCache::Stages(names) => names
                .iter()
                .any(|name| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))),
        };
        for (id, step) in graph.steps_of(index) {
            state = match &step.kind {
                StepKind::From => state,
                StepKind::Workdir(path) if path == "/" => state,
                StepKind::Workdir(path) => {
                    let digest = key::mkdir(path, &step.state.user, self.epoch());
                    let vertex = self.add(
                        digest,
                        Action::Mkdir(path.to_string(), Digest::of("owner", &[step.state.user.as_bytes()])),
                        by_definition(state),
                        true,
                        false,
                    );
                    self.note(id, vertex);
                    Some(vertex)
                }
                StepKind::Run(run) => Some(self.run(id, step, run, state, ignore)),
                StepKind::Copy(copy) => Some(self.copy(id, step, copy, state, ignore)),
            };
        }
        if let Some(end) = self.ends.get_mut(index) {
            *end = state;
        }
    }

    fn note(&mut self, id: StepId, vertex: VertexId) {
        if let Some(slot) = self.definition.of_step.get_mut(id.index()) {
            *slot = Some(vertex);
        }
        if let Some(vertex) = self.definition.vertices.get_mut(vertex) {
            vertex.steps.push(id);
        }
    }

    fn epoch(&self) -> Option<&str> {
        self.options.arg("SOURCE_DATE_EPOCH").filter(|epoch| !epoch.is_empty())
    }

    fn image(&mut self, reference: &str, platform: Option<&str>) -> VertexId {
        let platform = platform.unwrap_or(&self.options.platform);
        let digest = Digest::of("image", &[reference.as_bytes(), platform.as_bytes()]);
        self.add(digest, Action::Image(reference.to_owned(), platform.to_owned()), Vec::new(), false, false)
    }

    fn context(&mut self, name: Option<&str>) -> VertexId {
        let digest = Digest::of("context", &[name.unwrap_or("").as_bytes(), &[u8::from(name.is_some())]]);
        self.add(digest, Action::Context(name.map(str::to_owned)), Vec::new(), false, false)
    }

    /// The operation that a source stands for; `None` for nothing.
    fn source(&mut self, source: &Source, stage: usize) -> Option<VertexId> {
        match source {
            Source::Context => Some(self.context(None)),
            Source::Named(name) => Some(self.context(Some(name))),
            Source::Stage(index) => self.ends.get(*index).copied().flatten(),
            Source::Image(reference) => {
                let platform = self.graph.stages.get(stage).and_then(|stage| stage.platform.clone());
                Some(self.image(reference, platform.as_deref()))
            }
            Source::Empty | Source::Invalid => None,
        }
    }

    fn run(
        &mut self,
        id: StepId,
        step: &Step<'a>,
        run: &RunStep<'a>,
        state: Option<VertexId>,
        ignore: bool,
    ) -> VertexId {
        let mut inputs = by_definition(state);
        let mut indices = Vec::with_capacity(run.mounts.len());
        // The order in which mounts are written is not in the key (BuildKit sorts them by target), but that of secrets is.
        let mut mounts: Vec<&MountStep<'a>> = run.mounts.iter().collect();
        let place = |mount: &MountStep<'a>| match mount.kind {
            MountKind::Bind | MountKind::Cache | MountKind::Tmpfs => (0, mount.target.clone()),
            MountKind::Secret => (1, String::new()),
            MountKind::Ssh => (2, String::new()),
        };
        mounts.sort_by_cached_key(|mount| place(mount));
        for mount in &mounts {
            let source = self.mount_source(mount, step.stage);
            let index = source.map(|(vertex, path)| add_selected(&mut inputs, state, vertex, &path));
            indices.push(index);
        }
        if let Some(script) = &run.script {
            let digest = Digest::of("script", &[script.as_bytes()]);
            let vertex = self.add(digest, Action::Mkfile("script".into(), digest), Vec::new(), false, false);
            add_selected(&mut inputs, state, vertex, "/");
        }
        let platform = self.graph.stages.get(step.stage).and_then(|stage| stage.platform.clone());
        let options = key::ExecOptions {
            platform: platform.as_deref().unwrap_or(&self.options.platform),
            hostname: self.options.arg("BUILDKIT_SANDBOX_HOSTNAME").or(self.options.hostname.as_deref()),
            network: &self.options.network,
            namespace: self.options.arg("BUILDKIT_CACHE_MOUNT_NS").unwrap_or(""),
            meta: &self.options.run_meta,
        };
        let digest = key::exec(run, &step.state, &mounts, &indices, options);
        let command =
            Action::Exec(key::command(run, &step.state), Plain::of(run, &step.state.cwd).map(Arc::new));
        let vertex = self.add(digest, command, inputs, state.is_some(), ignore);
        self.note(id, vertex);
        vertex
    }

    /// The operation and path that a mount takes its files from (facts §1.6).
    fn mount_source(&mut self, mount: &MountStep<'a>, stage: usize) -> Option<(VertexId, String)> {
        match mount.kind {
            MountKind::Bind => Some((self.source(&mount.from, stage)?, mount.source.clone())),
            MountKind::Cache => {
                let from = self.source(&mount.from, stage);
                let owned = mount.uid.is_some() || mount.gid.is_some() || mount.mode.is_some();
                if owned && mount.source == "/" {
                    let digest = key::mount_owner(mount);
                    let vertex = self.add(
                        digest,
                        Action::Mkdir("/cache".into(), digest),
                        by_definition(from),
                        true,
                        false,
                    );
                    return Some((vertex, "/cache".into()));
                }
                Some((from?, mount.source.clone()))
            }
            MountKind::Tmpfs | MountKind::Secret | MountKind::Ssh => None,
        }
    }

    fn copy(
        &mut self,
        id: StepId,
        step: &Step<'a>,
        copy: &CopyStep<'a>,
        state: Option<VertexId>,
        ignore: bool,
    ) -> VertexId {
        let base = if copy.links() { None } else { state };
        let mut inputs = by_definition(base);
        let mut indices = Vec::with_capacity(copy.sources.len() + copy.inline.len());
        let mut parts = Vec::with_capacity(indices.capacity());
        let flags = Digest::of(
            "flags",
            &[
                copy.chown.as_deref().unwrap_or("").as_bytes(),
                copy.chmod.as_deref().unwrap_or("").as_bytes(),
                &[u8::from(copy.unpack)],
            ],
        );
        let from = self.source(&copy.from, step.stage);
        let mut taken: Vec<(VertexId, Vec<CopySelection>)> = Vec::new();
        let mut selected: Vec<(VertexId, CopySelection)> = Vec::new();
        for source in &copy.sources {
            let exclude = copy.exclude.iter().map(ToString::to_string).collect();
            let path = |text: &str| CopySelection {
                sources: vec![text.to_owned()],
                exclude,
                ..CopySelection::default()
            };
            match source.kind {
                CopySourceKind::Path => {
                    let Some(vertex) = from else { continue };
                    selected.push((vertex, CopySelection { parents: copy.parents, ..path(&source.text) }));
                }
                CopySourceKind::Http => {
                    let checksum = copy.checksum.as_ref().map(ToString::to_string);
                    let digest = Digest::of(
                        "http",
                        &[source.text.as_bytes(), checksum.as_deref().unwrap_or("").as_bytes()],
                    );
                    let action = Action::Http(source.text.to_string(), checksum);
                    let vertex = self.add(digest, action, Vec::new(), false, false);
                    selected.push((vertex, path(&key::http_name(&source.text))));
                }
                CopySourceKind::Git => {
                    let digest = Digest::of("git", &[source.text.as_bytes(), &[u8::from(copy.keep_git_dir)]]);
                    let vertex =
                        self.add(digest, Action::Git(source.text.to_string()), Vec::new(), false, false);
                    selected.push((vertex, path("/")));
                }
            }
        }
        for (name, body) in &copy.inline {
            let digest = Digest::of("inline", &[name.as_bytes(), body.as_bytes()]);
            let vertex = self.add(digest, Action::Mkfile(name.to_string(), digest), Vec::new(), false, false);
            selected.push((vertex, CopySelection::of(name)));
        }
        for (vertex, selection) in selected {
            match taken.iter_mut().find(|(other, _)| *other == vertex) {
                Some((_, selections)) => selections.push(selection.clone()),
                None => taken.push((vertex, vec![selection.clone()])),
            }
            let input = input_index(&mut inputs, vertex);
            indices.push(input);
            let plain = copy.chown.is_none() && copy.chmod.is_none();
            parts.push(CopyPart {
                input,
                selection,
                flags,
                plain,
                unpack: copy.unpack || copy.unpack_remote,
                arrived: OnceLock::new(),
            });
        }
        for (vertex, selections) in taken {
            // The destination's own operation counts by definition, even as a source (BuildKit: `markInvalid`).
            if Some(vertex) == base {
                continue;
            }
            let selection = joined(&selections);
            if let Some(input) = inputs.iter_mut().find(|input| input.vertex == vertex) {
                input.selector = paths_digest(&selection.sources);
                input.content = Some(Arc::new(selection));
            }
        }
        let digest = key::copy(copy, base.is_some(), &indices);
        let vertex = self.add(
            digest,
            Action::Copy(Arc::new(parts), copy.dest.as_str().into()),
            inputs,
            base.is_some(),
            ignore,
        );
        self.note(id, vertex);
        match state.filter(|_| copy.links()) {
            None => vertex,
            Some(state) => {
                let inputs =
                    [state, vertex].map(|vertex| Input { vertex, selector: Digest::NONE, content: None });
                let merge = self.add(Digest::of("merge", &[]), Action::Merge, inputs.to_vec(), true, ignore);
                if let Some(slot) = self.definition.merge_of_step.get_mut(id.index()) {
                    *slot = Some(merge);
                }
                merge
            }
        }
    }
}

fn by_definition(vertex: Option<VertexId>) -> Vec<Input> {
    vertex.into_iter().map(|vertex| Input { vertex, selector: Digest::NONE, content: None }).collect()
}

fn input_index(inputs: &mut Vec<Input>, vertex: VertexId) -> usize {
    if let Some(index) = inputs.iter().position(|input| input.vertex == vertex) {
        return index;
    }
    inputs.push(Input { vertex, selector: Digest::NONE, content: None });
    inputs.len() - 1
}

/// Adds a mounted path of `vertex` to the inputs. The root file system is hashed by content only where something of it is
/// mounted too, and then all of it (BuildKit: `getMountDeps`).
fn add_selected(inputs: &mut Vec<Input>, root: Option<VertexId>, vertex: VertexId, path: &str) -> usize {
    let index = input_index(inputs, vertex);
    if let Some(input) = inputs.get_mut(index) {
        let first = || if Some(vertex) == root { vec!["/".to_owned()] } else { Vec::new() };
        let mut sources = input.content.as_ref().map_or_else(first, |selection| selection.sources.clone());
        sources.push(path.to_owned());
        input.selector = paths_digest(&sources);
        input.content = Some(Arc::new(CopySelection { sources, literal: true, ..CopySelection::default() }));
    }
    index
}

fn joined(selections: &[CopySelection]) -> CopySelection {
    let first = selections.first().cloned().unwrap_or_default();
    CopySelection {
        sources: selections.iter().flat_map(|selection| selection.sources.clone()).collect(),
        ..first
    }
}

fn paths_digest(paths: &[String]) -> Digest {
    let mut parts: Vec<_> =
        paths.iter().map(|path| crate::context::path::clean(&format!("/{path}"))).collect();
    parts.sort();
    Digest::of("paths", &parts.iter().map(String::as_bytes).collect::<Vec<_>>())
}
