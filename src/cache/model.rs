//! Questions to the model about one Dockerfile: what runs again after a change, and why.

use super::answer::{Answer, Answered, Exported};
use super::build::{Build, Export, Files, Remote};
use super::definition::{Action, Definition, NoCache};
use super::digest::Digest;
use super::result::{self, Outputs, Taking};
use super::simulate::{Outcome, Store, ask_courses, first_course};
use super::world::World;
use super::written::Written;
use crate::context::{Change as FileChange, Context, CopySelection, select};
use crate::dockerfile::Dockerfile;
use crate::graph::{CopySourceKind, Graph, MountKind, Options, Source, Step, StepId, StepKind};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// What differs between two builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Context files are edited; paths relative to the context. A path that is not in a known context is a new file.
    Edit(Vec<String>),
    /// A build arg has another value; `None` is one that it never had.
    Arg(String, Option<String>),
    /// An image is another one: its reference, or all that stages stand on.
    Base(Option<String>),
    /// A download or repository gives something else: its address, or all of them.
    Remote(Option<String>),
    /// The cache mounts are gone.
    PruneMounts,
}

/// Where the build after the change runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Whether it is a fresh builder that has only what it imports.
    pub fresh: bool,
    /// What the build before exported.
    pub exports: Vec<Export>,
    /// What the build after imports.
    pub imports: Vec<String>,
    /// Whether the image is pushed.
    pub pushed: bool,
}

/// A Dockerfile as a build sees it.
#[derive(Debug)]
pub struct Model<'a> {
    /// Its stages and steps.
    pub graph: Graph<'a>,
    /// Its operations, lowered when first asked for.
    definition: OnceLock<Definition>,
    options: Options,
    context: Option<Arc<Context>>,
    /// The caches after one build on a persistent builder, course by course.
    built: [OnceLock<World>; 3],
    answered: Answered,
    exported: Exported,
    /// One edit for each step that takes files of the context.
    edits: OnceLock<Vec<(StepId, String)>>,
    /// What each step takes of the context by name, without those that take nothing.
    takers: OnceLock<Vec<Vec<Taking>>>,
    /// What each step writes, if it is a COPY or ADD.
    pub(super) written: OnceLock<Vec<Vec<Written>>>,
    /// Steps that questions have walked over so far.
    visited: AtomicUsize,
}

/// Steps that all questions to a model may walk over, for each step and for a file of any size: a question that every step
/// asks of every other would take the square of their number.
const VISITS: (usize, usize) = (256, 1 << 20);

impl<'a> Model<'a> {
    /// The model of `dockerfile` under `options`, with the files of its context where they are known.
    #[must_use]
    pub fn new(dockerfile: &'a Dockerfile<'a>, options: Options, context: Option<Arc<Context>>) -> Self {
        Self::of_graph(Graph::new(dockerfile, &options), options, context)
    }

    /// The model of a graph that was made under `options`.
    pub(super) fn of_graph(graph: Graph<'a>, options: Options, context: Option<Arc<Context>>) -> Self {
        Self {
            graph,
            definition: OnceLock::new(),
            options,
            context,
            built: Default::default(),
            answered: Answered::default(),
            exported: Exported::default(),
            edits: OnceLock::new(),
            takers: OnceLock::new(),
            written: OnceLock::new(),
            visited: AtomicUsize::new(0),
        }
    }

    /// The same build with these files as its context.
    #[must_use]
    pub fn with_context(self, context: Arc<Context>) -> Self {
        Self::of_graph(self.graph, self.options, Some(context))
    }

    /// Its operations.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        self.definition.get_or_init(|| Definition::new(&self.graph, &self.options, &NoCache::Never))
    }

    /// Notes that a question walks over so many steps. False once the questions have walked further than a file of this size
    /// allows: the answer is then not known.
    pub fn visit(&self, steps: usize) -> bool {
        let (each, any) = VISITS;
        self.visited.fetch_add(steps, Ordering::Relaxed) <= any + each * self.graph.steps.len()
    }

    /// Whether any reachable step has the build context among its inputs.
    #[must_use]
    pub fn takes_context(&self) -> bool {
        let reached = |stage: usize| self.graph.reachable.get(stage).copied().unwrap_or(false);
        let takes = |step: &Step<'_>| match &step.kind {
            StepKind::Copy(copy) => copy.from == Source::Context,
            StepKind::Run(run) => run.mounts.iter().any(|mount| {
                mount.from == Source::Context && matches!(mount.kind, MountKind::Bind | MountKind::Cache)
            }),
            StepKind::From | StepKind::Workdir(_) => false,
        };
        self.graph.all_steps().any(|(_, step)| reached(step.stage) && takes(step))
    }

    /// The build's options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The context, where its files are known.
    #[must_use]
    pub fn context(&self) -> Option<&Arc<Context>> {
        self.context.as_ref()
    }

    /// What happens in a build on the same builder after `changes`.
    #[must_use]
    pub fn after(&self, changes: &[Change]) -> Answer<'_, 'a> {
        self.after_in(changes, &Setting::default())
    }

    /// What happens in the place that `setting` describes after `changes`.
    #[must_use]
    pub fn after_in(&self, changes: &[Change], setting: &Setting) -> Answer<'_, 'a> {
        let same = !setting.fresh && setting.exports.is_empty() && setting.imports.is_empty();
        let (changed, edited) = (self.changed(changes), edited_paths(changes));
        let ask = || match same {
            true => Arc::new(self.ask_on_same_builder(changed.as_ref(), changes)),
            false => Arc::new(self.ask_in(self.built_in(setting), changed.as_ref(), changes, setting)),
        };
        let outcome = match &changed {
            None => self.answered.get_or_ask(changes, setting, ask),
            Some(_) => ask(),
        };
        Answer { model: self, changed, outcome, edited, fresh: setting.fresh }
    }

    fn ask_on_same_builder(&self, changed: Option<&(Graph<'a>, Definition)>, changes: &[Change]) -> Outcome {
        let (graph, definition) = match changed {
            Some((graph, definition)) => (graph, definition),
            None => (&self.graph, self.definition()),
        };
        let build = self.build_after(definition, "first", changes);
        ask_courses(&build, |outputs| {
            let mut world = self.built(outputs).clone();
            change_world(&mut world, graph, definition, changes);
            world
        })
    }

    /// What happens in this build after `changes` on the builder that built `before`, or on a fresh one that imports what
    /// that exported; `edited` names the context files that are others than before.
    #[must_use]
    pub fn since<'m>(
        &'m self,
        before: &Model<'_>,
        edited: Vec<String>,
        changes: &[Change],
        setting: &Setting,
    ) -> Answer<'m, 'a> {
        let changed = self.changed(changes);
        let outcome = self.ask_in(before.built_in(setting), changed.as_ref(), changes, setting);
        let edited = edited.into_iter().chain(edited_paths(changes)).collect();
        Answer { model: self, changed, outcome: Arc::new(outcome), edited, fresh: setting.fresh }
    }

    /// The store after one build that exports as `setting` says.
    fn built_in(&self, setting: &Setting) -> Store {
        self.exported.get_or_build(setting, || {
            let mut store = Store::new();
            let (exports, pushed) = (setting.exports.clone(), setting.pushed);
            store.simulate(&Build { exports, pushed, ..self.build("first") });
            store
        })
    }

    /// What happens after `changes` to the caches `store`, whose operations are then `changed`.
    fn ask_in(
        &self,
        mut store: Store,
        changed: Option<&(Graph<'a>, Definition)>,
        changes: &[Change],
        setting: &Setting,
    ) -> Outcome {
        let (graph, definition) = match changed {
            Some((graph, definition)) => (graph, definition),
            None => (&self.graph, self.definition()),
        };
        change_store(&mut store, graph, definition, changes);
        let builder = if setting.fresh { "fresh" } else { "first" };
        let imports = setting.imports.clone();
        store.ask(&Build { imports, ..self.build_after(definition, builder, changes) })
    }

    /// The typical edits of the build: one for each step that takes files of the context.
    #[must_use]
    pub fn typical_edits(&self) -> &[(StepId, String)] {
        self.edits.get_or_init(|| {
            let reached = |step: &Step<'_>| self.graph.reachable.get(step.stage).copied().unwrap_or(false);
            let steps = self.graph.all_steps().filter(|(_, step)| reached(step));
            let mut edits: Vec<(StepId, String)> =
                steps.filter_map(|(id, _)| Some((id, self.edit_for(id)?))).collect();
            edits.dedup_by(|a, b| a.1 == b.1);
            edits
        })
    }

    /// The graph and operations after `changes`; `None` where they stay as they are.
    pub(super) fn changed(&self, changes: &[Change]) -> Option<(Graph<'a>, Definition)> {
        changed_options(&self.options, changes).map(|options| {
            let graph = Graph::new(self.graph.dockerfile, &options);
            let definition = Definition::new(&graph, &options, &NoCache::Never);
            (graph, definition)
        })
    }

    /// The build after `changes`, with the operations that they leave.
    pub(super) fn build_after<'b>(
        &self,
        definition: &'b Definition,
        builder: &'b str,
        changes: &[Change],
    ) -> Build<'b> {
        let mut build = Build { context: self.files(), ..Build::new(definition, builder) };
        for change in changes {
            match change {
                Change::Edit(paths) => build.context = self.edited(paths),
                Change::Remote(url) => build.remotes.extend(changed_remotes(definition, url.as_deref())),
                Change::Base(_) | Change::PruneMounts | Change::Arg(..) => {}
            }
        }
        build
    }

    pub(super) fn build<'b>(&'b self, builder: &'b str) -> Build<'b> {
        Build { context: self.files(), ..Build::new(self.definition(), builder) }
    }

    /// The caches after one build, if commands write what `outputs` says.
    fn built(&self, outputs: Outputs) -> &World {
        let [differing, equal, presumed] = &self.built;
        let course = match outputs {
            Outputs::Differ => differing,
            Outputs::Equal => equal,
            Outputs::Presumed => presumed,
        };
        course.get_or_init(|| first_course(&self.build("first"), outputs))
    }

    fn files(&self) -> Files {
        match &self.context {
            Some(context) => Files::Known(Arc::new(context.visible().clone())),
            None => Files::default(),
        }
    }

    pub(super) fn edited(&self, paths: &[String]) -> Files {
        let Some(context) = &self.context else { return Files::Unknown { edits: paths.into() } };
        let change = |path: &String| match context.tree().get(path) {
            Some(_) => FileChange::Edit(path.clone()),
            None => {
                let content = crate::context::ContentId::of_stamp(path, 0);
                FileChange::Write(path.clone(), crate::context::Entry::file(content, false))
            }
        };
        let changes: Vec<_> = paths.iter().map(change).collect();
        Files::Known(Arc::new(context.changed(&changes).visible().clone()))
    }

    /// What a COPY, ADD or bind mount of the step takes from the build context.
    #[must_use]
    pub fn selections(&self, step: StepId) -> Vec<CopySelection> {
        match self.graph.step(step).map(|step| &step.kind) {
            Some(StepKind::Copy(copy)) if copy.from == Source::Context => {
                let plain = copy.sources.iter().filter(|source| source.kind == CopySourceKind::Path);
                let of = |source: &crate::graph::CopySource<'_>| CopySelection {
                    sources: vec![source.text.to_string()],
                    parents: copy.parents,
                    exclude: copy.exclude.iter().map(ToString::to_string).collect(),
                    literal: false,
                };
                plain.map(of).collect()
            }
            Some(StepKind::Run(run)) => {
                let mounts = run
                    .mounts
                    .iter()
                    .filter(|mount| mount.kind == MountKind::Bind && mount.from == Source::Context);
                let of = |mount: &crate::graph::MountStep<'_>| CopySelection {
                    sources: vec![mount.source.clone()],
                    literal: true,
                    ..CopySelection::default()
                };
                mounts.map(of).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A context file whose edit reaches this step and as few others as possible; `None` where it takes nothing of the context.
    /// Where the files are not known, a path below what it copies.
    #[must_use]
    pub fn edit_for(&self, step: StepId) -> Option<String> {
        let all = self.takers.get_or_init(|| {
            let of = |(id, _)| self.selections(id).iter().map(Taking::new).collect();
            self.graph.all_steps().map(of).filter(|takings: &Vec<Taking>| !takings.is_empty()).collect()
        });
        let takers = |path: &String| {
            let path = crate::context::path::below_root(path);
            all.iter().filter(|takings| takings.iter().any(|taking| taking.takes(&path))).count()
        };
        if let Some(files) = self.taken_files(step) {
            // Enough to choose from; every one is asked of every step. What is edited day by day is a program's source, and
            // neither hidden nor prose.
            let (rare, daily): (Vec<String>, Vec<String>) = files.into_iter().partition(|path| is_rare(path));
            let (sources, others): (Vec<String>, Vec<String>) =
                daily.into_iter().partition(|path| is_source(path));
            let files = sources.into_iter().chain(others).chain(rare).take(64);
            return files
                .min_by_key(|path| (takers(path), is_rare(path), !is_source(path), path.contains("test")));
        }
        let selections = self.selections(step);
        let source = selections
            .iter()
            .flat_map(|selection| &selection.sources)
            .find(|source| !crate::context::has_wildcards(source))?;
        let source = crate::context::path::below_root(source);
        Some(if source.is_empty() { "src/main".into() } else { source })
    }

    /// Whether the step takes the context path, judged by the files where they are known and by names otherwise.
    #[must_use]
    pub fn takes(&self, step: StepId, path: &str) -> bool {
        if self.context.as_ref().is_some_and(|context| context.ignore().decide(path).ignored) {
            return false;
        }
        self.selections(step).iter().any(|selection| result::takes(selection, path))
    }

    /// The context files that the step takes; `None` where the context is not known.
    #[must_use]
    pub fn taken_files(&self, step: StepId) -> Option<Vec<String>> {
        let tree = self.context.as_ref()?.visible();
        let mut files: Vec<String> = Vec::new();
        for selection in self.selections(step) {
            for source in &selection.sources {
                files.extend(select::files(tree, &selection, source).unwrap_or_default());
            }
        }
        files.sort();
        files.dedup();
        Some(files)
    }
}

/// Endings of programs' sources.
const SOURCES: [&str; 40] = [
    "c", "cc", "clj", "cpp", "cs", "css", "cxx", "dart", "erl", "ex", "exs", "fs", "go", "h", "hs", "html",
    "java", "jl", "js", "jsx", "kt", "lua", "ml", "mjs", "php", "pl", "proto", "py", "r", "rb", "rs",
    "scala", "scss", "sql", "svelte", "swift", "ts", "tsx", "vue", "zig",
];

/// Whether a file is the source of a program.
fn is_source(path: &str) -> bool {
    let name = crate::context::path::base(path);
    name.rsplit_once('.').is_some_and(|(_, end)| SOURCES.binary_search(&end).is_ok())
}

/// Whether a file is hidden, prose, a list that is seldom edited, or says how the image is built.
fn is_rare(path: &str) -> bool {
    let name = crate::context::path::base(path);
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("dockerfile")
        || lower.starts_with("containerfile")
        || lower.ends_with(".dockerfile")
        || lower.starts_with("docker-bake.")
        || lower.starts_with("docker-compose")
        || lower.starts_with("compose.")
    {
        return true;
    }
    let prose = match name.rsplit_once('.') {
        Some((_, end)) => matches!(end, "md" | "txt" | "rst" | "adoc" | "svg" | "png"),
        None => !name.ends_with("file") && name.chars().any(char::is_uppercase),
    };
    prose || path.starts_with('.') || path.contains("/.")
}

/// The options after `changes`; `None` where they stay as they are.
fn changed_options(options: &Options, changes: &[Change]) -> Option<Options> {
    let mut changed: Option<Options> = None;
    for change in changes {
        if let Change::Arg(name, value) = change {
            let value = value.clone().unwrap_or_else(|| "\u{1}another value".into());
            changed.get_or_insert_with(|| options.clone()).args.push((name.clone(), value));
        }
    }
    changed
}

/// What `changes` do to the caches and images themselves.
pub(super) fn change_store(
    store: &mut Store,
    graph: &Graph<'_>,
    definition: &Definition,
    changes: &[Change],
) {
    store.change(|world| change_world(world, graph, definition, changes));
}

/// The same in one course. Cache mounts are in no key, so that nothing happens where they are gone.
fn change_world(world: &mut World, graph: &Graph<'_>, definition: &Definition, changes: &[Change]) {
    for change in changes {
        if let Change::Base(reference) = change {
            change_images(world, graph, definition, reference.as_deref());
        }
    }
}

/// The context files that `changes` edit.
pub(super) fn edited_paths(changes: &[Change]) -> Vec<String> {
    let paths = changes.iter().filter_map(|change| match change {
        Change::Edit(paths) => Some(paths),
        _ => None,
    });
    paths.flatten().cloned().collect()
}

/// The images that stages stand on; one that is named may also be one that files are copied from.
fn change_images(world: &mut World, graph: &Graph<'_>, definition: &Definition, reference: Option<&str>) {
    let bases = (0..graph.stages.len()).filter_map(|stage| graph.base_image(stage));
    let named = definition.vertices.iter().filter_map(|vertex| match &vertex.action {
        Action::Image(image, _) if reference == Some(image) => Some(image.as_str()),
        _ => None,
    });
    for image in bases.chain(named).filter(|known| reference.is_none_or(|wanted| wanted == *known)) {
        let another = Digest::of("another image", &[image.as_bytes()]);
        world.set_image(image, another, another);
    }
}

fn changed_remotes(definition: &Definition, url: Option<&str>) -> BTreeMap<String, Remote> {
    let urls = definition.vertices.iter().filter_map(|vertex| match &vertex.action {
        Action::Http(url, _) | Action::Git(url) => Some(url.clone()),
        _ => None,
    });
    urls.filter(|known| url.is_none_or(|wanted| wanted == known))
        .map(|known| {
            let content = Digest::of("another download", &[known.as_bytes()]);
            (known, Remote { content, modified: "later".into() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Verdict;
    use crate::dockerfile::parse;

    #[test]
    fn what_would_take_the_square_of_a_file_is_left_open() {
        for (pairs, verdict) in [(50, Verdict::Cached), (3_000, Verdict::Depends)] {
            let text = format!("FROM a\n{}", "COPY . .\nRUN install\n".repeat(pairs));
            let dockerfile = parse(&text);
            let model = Model::new(&dockerfile, Options::default(), None);
            let last = model.graph.all_steps().next_back().unwrap().0;
            let answer = model.after(&[]);
            assert_eq!(answer.verdict(last), verdict, "{pairs}");
            assert_eq!(answer.because(last).is_empty(), verdict == Verdict::Cached);
        }
    }
}
