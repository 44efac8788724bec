//! `graph`: what the stages of a Dockerfile take from each other, from images and from the context.

use super::explain::{ExplainError, one_line};
use super::join;
use crate::dockerfile;
use crate::graph::{Base, CopySourceKind, Graph, Source, StepKind};
use crate::project::Project;
use crate::source::LineIndex;
use serde::Serialize;
use std::collections::BTreeMap;

/// The stage graph of one Dockerfile: what is built, from what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageGraph {
    /// The Dockerfile, as the reader names it.
    pub dockerfile: String,
    /// The id of the stage that is built.
    pub target: String,
    /// The stages in file order, then what they take things from, by kind and name.
    pub nodes: Vec<StageNode>,
    /// What takes things from what, in the order of the nodes.
    pub edges: Vec<StageEdge>,
}

/// A stage, or something outside the Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageNode {
    /// `stage-0`, `image-0` and so on: letters, digits and `-`.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// The stage's name or `stage-N`, the image's reference, the address, the named context's name.
    pub name: String,
    /// Whether the target needs it.
    pub needed: bool,
    /// The line of a stage's FROM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The steps of a stage, FROM first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StageStep>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A stage.
    Stage,
    /// The build context.
    Context,
    /// An image.
    Image,
    /// A named context.
    NamedContext,
    /// What ADD downloads: an http address or a git repository.
    Remote,
}

/// A step of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageStep {
    /// The 1-based line at which the instruction starts.
    pub line: u32,
    /// The keyword in capitals.
    pub instruction: &'static str,
    /// The instruction in one line, continuations joined.
    pub text: String,
}

/// One node takes something from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageEdge {
    /// The id of what is taken from.
    pub from: String,
    /// The id of the stage that takes.
    pub to: String,
    /// How.
    pub kind: EdgeKind,
    /// The lines of the instructions that do it.
    pub lines: Vec<u32>,
}

/// How a stage takes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// It starts from it.
    From,
    /// COPY or ADD.
    Copy,
    /// `RUN --mount`.
    Mount,
}

impl EdgeKind {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Copy => "copy",
            Self::Mount => "mount",
        }
    }
}

/// A node before it has an id: the kind, and the stage's index or the name.
type Key = (NodeKind, usize, String);

/// The stage graph of `dockerfile` (relative to the project's root), built for `target`, else for the stage that all
/// builds ask for that are found, else for the last.
///
/// # Errors
///
/// [`ExplainError`]: no such Dockerfile, no such stage.
pub fn stage_graph(
    project: &Project,
    dockerfile: &str,
    target: Option<&str>,
) -> Result<StageGraph, ExplainError> {
    let file = project
        .dockerfile(dockerfile)
        .cloned()
        .or_else(|| project.text(dockerfile))
        .ok_or_else(|| ExplainError::NoDockerfile(dockerfile.to_owned()))?;
    let syntax = dockerfile::parse(&file.text);
    let mut options = join::agreed(project, dockerfile).options;
    if let Some(target) = target {
        options.target = Some(target.to_owned());
    }
    let mut graph = Graph::new(&syntax, &options);
    if target.is_none() && graph.target.is_none() {
        // The builds ask for a stage that is gone.
        options.target = None;
        graph = Graph::new(&syntax, &options);
    }
    let goal = ExplainError::target_of(&graph, dockerfile, target)?;
    let lines = LineIndex::new(&file.text);
    let edges = edges(&graph, &lines);
    let mut nodes: BTreeMap<Key, StageNode> = BTreeMap::new();
    for (index, stage) in graph.stages.iter().enumerate() {
        let steps = graph.steps_of(index).map(|(_, step)| StageStep {
            line: lines.line(step.instruction.span.start),
            instruction: step.instruction.keyword.name(),
            text: one_line(&file.text, step.instruction),
        });
        let node = StageNode {
            id: format!("stage-{index}"),
            kind: NodeKind::Stage,
            name: graph.stage_name(index).into_owned(),
            needed: graph.reachable.get(index).copied().unwrap_or(false),
            line: Some(lines.line(stage.from.span.start)),
            steps: steps.collect(),
        };
        nodes.insert((NodeKind::Stage, index, String::new()), node);
    }
    let mut counts: BTreeMap<NodeKind, usize> = BTreeMap::new();
    // Whether a stage that the target needs takes from it.
    let mut outside: BTreeMap<&Key, bool> = BTreeMap::new();
    for (from, to, _) in edges.keys().filter(|(from, ..)| from.0 != NodeKind::Stage) {
        *outside.entry(from).or_default() |= graph.reachable.get(*to).copied().unwrap_or(false);
    }
    for (key, needed) in outside {
        let (kind, _, name) = key;
        let count = counts.entry(*kind).or_default();
        let id = match kind {
            NodeKind::Context => "context".to_owned(),
            NodeKind::Image => format!("image-{count}"),
            NodeKind::NamedContext => format!("named-{count}"),
            NodeKind::Remote | NodeKind::Stage => format!("remote-{count}"),
        };
        *count += 1;
        nodes.insert(
            key.clone(),
            StageNode { id, kind: *kind, name: name.clone(), needed, line: None, steps: Vec::new() },
        );
    }
    let edges = edges.into_iter().filter_map(|((from, to, kind), lines)| {
        let from = nodes.get(&from)?.id.clone();
        Some(StageEdge { from, to: format!("stage-{to}"), kind, lines })
    });
    Ok(StageGraph {
        dockerfile: dockerfile.to_owned(),
        target: format!("stage-{goal}"),
        edges: edges.collect(),
        nodes: nodes.into_values().collect(),
    })
}

/// What each stage takes, with the lines that do it.
fn edges(graph: &Graph<'_>, lines: &LineIndex) -> BTreeMap<(Key, usize, EdgeKind), Vec<u32>> {
    let mut edges: BTreeMap<(Key, usize, EdgeKind), Vec<u32>> = BTreeMap::new();
    let mut add = |from: Option<Key>, to: usize, kind: EdgeKind, line: u32| {
        let Some(from) = from else { return };
        let lines = edges.entry((from, to, kind)).or_default();
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    };
    for (_, step) in graph.all_steps() {
        let line = lines.line(step.instruction.span.start);
        match &step.kind {
            StepKind::From => {
                let base = graph.stages.get(step.stage).map(|stage| &stage.base);
                add(base.and_then(base_key), step.stage, EdgeKind::From, line);
            }
            StepKind::Copy(copy) => {
                for source in &copy.sources {
                    let from = match source.kind {
                        CopySourceKind::Path => source_key(&copy.from),
                        CopySourceKind::Http | CopySourceKind::Git => {
                            Some((NodeKind::Remote, 0, source.text.to_string()))
                        }
                    };
                    add(from, step.stage, EdgeKind::Copy, line);
                }
            }
            StepKind::Run(run) => {
                for mount in &run.mounts {
                    let files =
                        matches!(mount.kind, crate::graph::MountKind::Bind | crate::graph::MountKind::Cache);
                    add(source_key(&mount.from).filter(|_| files), step.stage, EdgeKind::Mount, line);
                }
            }
            StepKind::Workdir(_) => {}
        }
    }
    edges
}

fn base_key(base: &Base) -> Option<Key> {
    match base {
        Base::Stage(index) => Some((NodeKind::Stage, *index, String::new())),
        Base::Image(reference) => Some((NodeKind::Image, 0, reference.clone())),
        Base::Named(name) => Some((NodeKind::NamedContext, 0, name.clone())),
        Base::Scratch | Base::Invalid => None,
    }
}

fn source_key(source: &Source) -> Option<Key> {
    match source {
        Source::Context => Some((NodeKind::Context, 0, "context".to_owned())),
        Source::Stage(index) => Some((NodeKind::Stage, *index, String::new())),
        Source::Image(reference) => Some((NodeKind::Image, 0, reference.clone())),
        Source::Named(name) => Some((NodeKind::NamedContext, 0, name.clone())),
        Source::Empty | Source::Invalid => None,
    }
}
