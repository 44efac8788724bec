//! The store of all caches, and what a build does with it.

use super::build::Build;
use super::definition::{Action, Definition, VertexId};
use super::digest::Digest;
use super::result::{Outputs, Results};
use super::solve::Solve;
use super::world::{Image, World};
use crate::graph::StepId;
use std::sync::Arc;

/// What the model says of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It need not run.
    Cached,
    /// It runs.
    Reruns,
    /// Whether it runs turns on content that only running can tell.
    Depends,
    /// The target does not reach it.
    Skipped,
}

/// Why a step runs, as far as the solver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It does not run.
    None,
    /// The cache was not asked (`--no-cache`).
    Ignored,
    /// No record of this operation exists although all its inputs are known: it is new or changed.
    Operation,
    /// What it stands on runs or changed; the operation below.
    Base(usize),
    /// What it takes by content is not what any record has; the input's operation.
    Content(usize),
    /// A record is known, but its result is in no cache.
    NoResult,
    /// Several imports know what it stands on, and whether it hits turns on which answers first (facts §11).
    Race,
    /// Thousands of equal steps lead to each other's records: following them all would take the square of their number.
    TooMany,
}

/// What happened in a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// By operation ([`Definition::vertices`]).
    pub vertices: Vec<(Verdict, Reason)>,
    of_step: Vec<Option<VertexId>>,
}

impl Outcome {
    /// The outcome of a build that is too large to be followed: everything is open.
    fn open(definition: &Definition) -> Self {
        let vertices = vec![(Verdict::Depends, Reason::TooMany); definition.vertices.len()];
        Self { vertices, of_step: definition.of_step.clone() }
    }

    /// The verdict on a step; [`Verdict::Skipped`] for one without an operation of its own.
    #[must_use]
    pub fn verdict(&self, step: StepId) -> Verdict {
        self.vertex_of(step).map_or(Verdict::Skipped, |vertex| self.at(vertex).0)
    }

    /// The solver's reason for a step's verdict.
    #[must_use]
    pub fn reason(&self, step: StepId) -> Reason {
        self.vertex_of(step).map_or(Reason::None, |vertex| self.at(vertex).1)
    }

    fn vertex_of(&self, step: StepId) -> Option<VertexId> {
        self.of_step.get(step.index()).copied().flatten()
    }

    fn reruns(&self, vertex: VertexId) -> bool {
        self.at(vertex).0 == Verdict::Reruns
    }

    fn at(&self, vertex: VertexId) -> (Verdict, Reason) {
        self.vertices.get(vertex).copied().unwrap_or((Verdict::Skipped, Reason::None))
    }
}

/// What a prune removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// Layers and cache mounts.
    All,
    /// Layers only: no cache mount.
    Layers,
    /// Cache mounts only, which are in no key.
    Mounts,
}

/// All caches: those of builders, and what refs hold. Builds change it.
///
/// Where a build's course turns on the content that a command writes, several courses are followed: in one every execution
/// writes something new, in another what any execution wrote there before. A verdict on which they differ is
/// [`Verdict::Depends`] below such content. Elsewhere (another branch that is needed only if the content differs) it
/// is that of a third course, in which commands are presumed to be functions of what they are given.
///
/// A copy costs nothing until a build changes it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    differing: Arc<World>,
    /// The other courses, equal and presumed; `None` until a build could tell them apart.
    others: Option<[Arc<World>; 2]>,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a build: gives the verdicts and leaves its records in the builder's cache and its exports in their refs.
    pub fn simulate(&mut self, build: &Build<'_>) -> Outcome {
        let raced = self.race(build);
        let outcome = self.simulate_courses(build, false);
        open_races(outcome, &raced, build.imports.len())
    }

    /// The verdicts of a build after which nothing is asked: courses that cannot matter to it are not followed.
    #[must_use]
    pub fn ask(mut self, build: &Build<'_>) -> Outcome {
        let raced = self.race(build);
        let outcome = self.simulate_courses(build, true);
        open_races(outcome, &raced, build.imports.len())
    }

    /// What happens in each of the cases that one import answers first wherever several know a record; empty where fewer than
    /// two of the refs exist, or where it makes no command run (facts §11).
    fn race(&self, build: &Build<'_>) -> Vec<(usize, Outcome)> {
        let exist = build.imports.iter().filter(|name| self.has_ref(name)).count();
        if exist < 2 {
            return Vec::new();
        }
        let of = |world: &World, first: Option<usize>| simulate_in(&mut World::clone(world), build, first);
        // A COPY alone that runs while its reader hits again was never seen.
        let costs = |ideal: &Outcome, raced: &Outcome| {
            build.definition.vertices.iter().enumerate().any(|(at, vertex)| {
                matches!(vertex.action, Action::Exec(..))
                    && raced.at(at).0 == Verdict::Reruns
                    && ideal.at(at).0 == Verdict::Cached
            })
        };
        let races = |world: &World| -> Vec<(usize, Outcome)> {
            let ideal = of(world, None);
            let raced = (1..=exist).map(|first| (first, of(world, Some(first))));
            raced.filter(|(_, raced)| costs(&ideal, raced)).collect()
        };
        let raced = races(&self.differing);
        // What only differing content brings into one import and not into another is no race.
        let presumed = self.others.as_ref().filter(|_| !raced.is_empty());
        let Some([_, presumed]) = presumed else { return raced };
        let in_presumed = races(presumed);
        raced.into_iter().filter(|(first, _)| in_presumed.iter().any(|(other, _)| other == first)).collect()
    }

    fn simulate_courses(&mut self, build: &Build<'_>, last: bool) -> Outcome {
        let definition = build.definition;
        let before = Arc::clone(&self.differing);
        let differing = simulate_in(Arc::make_mut(&mut self.differing), build, None);
        let told_apart = |at: VertexId| reads_output(definition, at) && (!last || differing.reruns(at));
        // An import may hold a result in one course and not in another, whatever is taken by content now.
        let is_one = self.others.is_none() || (last && build.imports.is_empty());
        if is_one && !(0..definition.vertices.len()).any(told_apart) {
            return differing;
        }
        let [equal, presumed] = self.others.get_or_insert_with(|| {
            let of = |outputs| World { results: before.results.under(outputs), ..World::clone(&before) };
            [Outputs::Equal, Outputs::Presumed].map(|outputs| Arc::new(of(outputs)))
        });
        joined(definition, differing, last, |outputs| {
            let course = if outputs == Outputs::Equal { &mut *equal } else { &mut *presumed };
            simulate_in(Arc::make_mut(course), build, None)
        })
    }

    /// Gives a reference another image: new layers and a new digest, or only a new digest.
    pub fn set_image(&mut self, reference: &str, digest: Digest, chain: Digest) {
        for world in self.worlds() {
            world.set_image(reference, digest, chain);
        }
    }

    /// Makes `reference` the image that `build` builds: equal builds are equal images, layer for layer.
    pub fn push_image(&mut self, reference: &str, digest: Digest, build: &Build<'_>) {
        for world in self.worlds() {
            push_image_in(world, reference, digest, build);
        }
    }

    /// Removes from a builder's cache what `what` names.
    pub fn prune(&mut self, builder: &str, what: Prune) {
        if what == Prune::Mounts {
            return;
        }
        for world in self.worlds() {
            world.builders.remove(builder);
        }
    }

    /// Changes every course alike.
    pub(super) fn change(&mut self, change: impl Fn(&mut World)) {
        self.worlds().for_each(change);
    }

    /// Makes a ref hold nothing (deleted, or overwritten by something that is no cache).
    pub fn remove_ref(&mut self, name: &str) {
        for world in self.worlds() {
            world.refs.remove(name);
        }
    }

    /// Whether a ref holds a cache.
    #[must_use]
    pub fn has_ref(&self, name: &str) -> bool {
        self.differing.refs.contains_key(name)
    }

    fn worlds(&mut self) -> impl Iterator<Item = &mut World> {
        std::iter::once(&mut self.differing).chain(self.others.iter_mut().flatten()).map(Arc::make_mut)
    }
}

/// The course after one build on an empty builder, when commands write what `outputs` says.
pub(super) fn first_course(build: &Build<'_>, outputs: Outputs) -> World {
    let mut world = World { results: Results::default().under(outputs), ..World::default() };
    simulate_in(&mut world, build, None);
    world
}

/// The verdicts of a build without imports after which nothing is asked. `course` gives the caches before it in each course;
/// those that cannot matter are not asked for.
pub(super) fn ask_courses(build: &Build<'_>, course: impl Fn(Outputs) -> World) -> Outcome {
    let definition = build.definition;
    let run = |outputs| simulate_in(&mut course(outputs), build, None);
    let differing = run(Outputs::Differ);
    let told_apart = |at| reads_output(definition, at) && differing.reruns(at);
    if (0..definition.vertices.len()).any(told_apart) {
        joined(definition, differing, true, run)
    } else {
        differing
    }
}

/// The verdicts that come of all courses; `run` gives those of another course than `differing`.
fn joined(
    definition: &Definition,
    differing: Outcome,
    last: bool,
    mut run: impl FnMut(Outputs) -> Outcome,
) -> Outcome {
    let all = || 0..definition.vertices.len();
    let equal = run(Outputs::Equal);
    let told_apart = |at: VertexId| match differing.at(at) {
        (Verdict::Reruns, Reason::Content(from)) => !equal.reruns(at) && is_written(definition, from),
        _ => false,
    };
    let open = below_outputs(definition, &|at| equal.reruns(at) || differing.reruns(at), &told_apart);
    let is_open = |at: VertexId| open.get(at).copied().unwrap_or(false);
    // What is copied out of a stage whose commands stand in another place now differs in both.
    let moved = |at| is_open(at) && matches!(equal.at(at), (Verdict::Reruns, Reason::Content(_)));
    let undecided = |at| moved(at) || (equal.at(at).0 != differing.at(at).0 && !is_open(at));
    let needed = !last || all().any(undecided);
    let presumed = needed.then(|| run(Outputs::Presumed));
    let hits = |at| presumed.as_ref().is_some_and(|presumed| presumed.at(at).0 == Verdict::Cached);
    let of = |at: VertexId| {
        let (in_differing, in_equal) = (differing.at(at), equal.at(at));
        match (in_differing.0, is_open(at)) {
            (Verdict::Reruns, true) if hits(at) => (Verdict::Depends, in_differing.1),
            (verdict, _) if verdict == in_equal.0 => in_differing,
            (Verdict::Reruns, true) => (Verdict::Depends, in_differing.1),
            (_, true) => (Verdict::Depends, in_equal.1),
            (_, false) => presumed.as_ref().map_or(in_differing, |presumed| presumed.at(at)),
        }
    };
    Outcome { vertices: all().map(of).collect(), of_step: differing.of_step }
}

/// For every operation, whether it stands below content that only running can tell: what a RUN wrote which ran again, or
/// what is `told_apart` by nothing but the content that commands wrote elsewhere (in an image's own build, on the builder
/// that an import is of).
fn below_outputs(
    definition: &Definition,
    ran: &dyn Fn(VertexId) -> bool,
    told_apart: &dyn Fn(VertexId) -> bool,
) -> Vec<bool> {
    // Whether an operation's result holds such output, and whether it stands below some.
    let mut known: Vec<(bool, bool)> = Vec::with_capacity(definition.vertices.len());
    for (at, vertex) in definition.vertices.iter().enumerate() {
        let (mut output, mut below) = (false, told_apart(at));
        for input in &vertex.inputs {
            let (of_input, below_input) = known.get(input.vertex).copied().unwrap_or_default();
            output |= of_input;
            below |= below_input || (of_input && input.content.is_some());
        }
        if matches!(vertex.action, Action::Exec(..)) {
            output |= below || ran(at);
        }
        known.push((output, below));
    }
    known.into_iter().map(|(_, below)| below).collect()
}

/// Whether an operation takes by content what another operation than a context wrote.
fn reads_output(definition: &Definition, at: VertexId) -> bool {
    definition.vertices.get(at).is_some_and(|vertex| {
        vertex.inputs.iter().any(|input| input.content.is_some() && is_written(definition, input.vertex))
    })
}

/// Whether an operation leaves content that a command may have written, here or where an image was built.
fn is_written(definition: &Definition, at: VertexId) -> bool {
    let action = definition.vertices.get(at).map(|vertex| &vertex.action);
    !matches!(action, Some(Action::Context(_) | Action::Mkfile(..) | Action::Http(..)))
}

/// Where the order of answers decides, the verdict is open. Not where an import that lacks a result would have to answer
/// before two that hold it: in the recordings that never happened (truth: pipeline/inline-push-every-stage).
fn open_races(mut outcome: Outcome, raced: &[(usize, Outcome)], imports: usize) -> Outcome {
    for (index, (verdict, reason)) in outcome.vertices.iter_mut().enumerate() {
        let runs: Vec<Reason> = raced
            .iter()
            .map(|(_, raced)| raced.at(index))
            .filter(|(raced, _)| *raced == Verdict::Reruns)
            .map(|(_, reason)| reason)
            .collect();
        let outnumbered = runs.as_slice() == [Reason::NoResult] && imports > 2;
        if *verdict == Verdict::Cached && !runs.is_empty() && !outnumbered {
            (*verdict, *reason) = (Verdict::Depends, Reason::Race);
        }
    }
    outcome
}

fn simulate_in(world: &mut World, build: &Build<'_>, first_answer: Option<usize>) -> Outcome {
    if world.too_many {
        return Outcome::open(build.definition);
    }
    let mut solve = Solve::new(build, world);
    solve.first_answer = first_answer;
    solve.run();
    if !solve.failed
        && let Some(target) = build.definition.target
    {
        solve.export(target, &build.exports, build.pushed);
    }
    let vertices = (0..build.definition.vertices.len()).map(|vertex| solve.verdict(vertex)).collect();
    let outcome = Outcome { vertices, of_step: build.definition.of_step.clone() };
    let builder = std::mem::take(&mut solve.builder);
    let too_many = solve.too_many();
    world.builders.insert(build.builder.into(), builder);
    world.too_many |= too_many;
    if too_many { Outcome::open(build.definition) } else { outcome }
}

fn push_image_in(world: &mut World, reference: &str, digest: Digest, build: &Build<'_>) {
    let fresh = Build { builder: "\0image", imports: Vec::new(), exports: Vec::new(), ..build.clone() };
    world.builders.remove("\0image");
    let mut solve = Solve::new(&fresh, world);
    solve.run();
    let target = build.definition.target.and_then(|target| solve.edges.get(target));
    let found = target.and_then(|edge| Some((edge.result?, *edge.result_keys.first()?)));
    let found = found.and_then(|(result, key)| Some((result, *solve.keys.get(key)?.ids.first()?)));
    let Some((result, chain)) = found else { return };
    // Settings alone add no layer.
    let base = build.definition.target.and_then(|target| build.definition.vertices.get(target));
    let chain = match base.map(|vertex| &vertex.action) {
        Some(Action::Image(reference, _)) => world.image(reference).chain,
        _ => chain,
    };
    // The first image of these layers stands for all: equal layers have equal content.
    let known = world.images.values().find(|image| image.chain == chain && image.inside.is_some());
    let inside = known.map_or(Some(result), |image| image.inside);
    world.images.insert(reference.to_owned(), Image { digest, chain, inside });
}

impl Solve<'_> {
    fn verdict(&self, at: usize) -> (Verdict, Reason) {
        let (Some(edge), Some(vertex)) = (self.edges.get(at), self.build_vertex(at)) else {
            return (Verdict::Skipped, Reason::None);
        };
        if !edge.executed || (matches!(vertex.action, Action::Image(..)) && edge.known) {
            return (Verdict::Cached, Reason::None);
        }
        let reason = if vertex.ignore_cache {
            Reason::Ignored
        } else if edge.known {
            Reason::NoResult
        } else {
            self.missing_input(at).unwrap_or(Reason::Operation)
        };
        (Verdict::Reruns, reason)
    }
}
