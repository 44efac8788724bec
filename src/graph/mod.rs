//! The graph of a build: stages and steps, what each step inherits, and what depends on what.

mod build;
mod edges;
mod env;
mod mount;
mod options;
mod stage;
mod state;
mod step;

pub use edges::EdgeKind;
pub use env::Env;
pub use options::{ImageConfig, NamedContext, Options};
pub use stage::{Base, Stage};
pub use state::{Origin, State, Variable, default_shell};
pub use step::{
    CopySource, CopySourceKind, CopyStep, MountKind, MountStep, RunStep, Sharing, Source, Step, StepId,
    StepKind,
};

use crate::dockerfile::{Dockerfile, From, Instruction, Kind, Problem, Word, expand};
use build::Builder;
use petgraph::algo::has_path_connecting;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// A Dockerfile under one set of build options.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    /// The syntax.
    pub dockerfile: &'a Dockerfile<'a>,
    /// Stages in file order.
    pub stages: Vec<Stage<'a>>,
    /// Steps in file order, those of unreachable stages included.
    pub steps: Vec<Step<'a>>,
    /// Stage → stage that it needs, with the step that needs it. Node indices are stage indices.
    pub needs: DiGraph<usize, (EdgeKind, StepId)>,
    /// The stage that the build asks for; `None` where there is no such stage.
    pub target: Option<usize>,
    /// Whether the target reaches a stage, by stage index.
    pub reachable: Vec<bool>,
    /// What BuildKit would refuse in the file as a whole.
    pub problems: Vec<Problem>,
}

impl<'a> Graph<'a> {
    /// Builds the graph of `dockerfile` under `options`. Never fails: what BuildKit would refuse is in
    /// [`Graph::problems`].
    #[must_use]
    pub fn new(dockerfile: &'a Dockerfile<'a>, options: &Options) -> Self {
        let mut builder = Builder {
            dockerfile,
            options,
            globals: platform_globals(options),
            stages: Vec::new(),
            steps: Vec::new(),
            problems: Vec::new(),
            last_of_name: FxHashMap::default(),
        };
        let bodies = builder.declare_stages();
        for (index, body) in bodies.iter().enumerate() {
            let start = builder.steps.len();
            if let Some(stage) = builder.stages.get_mut(index) {
                stage.steps = start..start;
            }
            builder.dispatch_stage(index, body);
        }
        let Builder { stages, steps, problems, last_of_name, .. } = builder;
        let target = match &options.target {
            None => stages.len().checked_sub(1),
            Some(name) => last_of_name.get(&name.to_ascii_lowercase()).copied(),
        };
        let needs = edges::needs(&stages, &steps);
        let reachable = edges::reachable(&needs, target, stages.len());
        Self { dockerfile, stages, steps, needs, target, reachable, problems }
    }

    /// Whether a build of `stage` needs `other`: the same one, or one that it stands on, copies from or mounts, directly or
    /// through others.
    #[must_use]
    pub fn needs_stage(&self, stage: usize, other: usize) -> bool {
        let known = |stage: usize| stage < self.needs.node_count();
        known(stage)
            && known(other)
            && has_path_connecting(&self.needs, NodeIndex::new(stage), NodeIndex::new(other), None)
    }

    /// A step by id.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&Step<'a>> {
        self.steps.get(id.index())
    }

    /// The steps of a stage, FROM first.
    pub fn steps_of(&self, stage: usize) -> impl DoubleEndedIterator<Item = (StepId, &Step<'a>)> {
        let range = self.stages.get(stage).map(|stage| stage.steps.clone()).unwrap_or_default();
        range.filter_map(|index| {
            let id = StepId(u32::try_from(index).ok()?);
            self.steps.get(index).map(|step| (id, step))
        })
    }

    /// Every step with its id, in file order.
    pub fn all_steps(&self) -> impl DoubleEndedIterator<Item = (StepId, &Step<'a>)> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(index, step)| Some((StepId(u32::try_from(index).ok()?), step)))
    }

    /// The image at the bottom of a stage, through the stages that it is built from.
    #[must_use]
    pub fn base_image(&self, stage: usize) -> Option<&str> {
        let mut at = stage;
        // A stage starts only from an earlier one, so this ends.
        loop {
            match &self.stages.get(at)?.base {
                Base::Image(reference) => return Some(reference),
                Base::Stage(parent) if *parent < at => at = *parent,
                _ => return None,
            }
        }
    }

    /// The name of a stage as people know it: its name, or `stage-N`.
    #[must_use]
    pub fn stage_name(&self, stage: usize) -> Cow<'_, str> {
        match self.stages.get(stage).and_then(|stage| stage.name.as_deref()) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("stage-{stage}")),
        }
    }
}

/// The platform arguments that every Dockerfile has in its global scope (facts §1.2).
fn platform_globals<'a>(options: &Options) -> build::Globals<'a> {
    /// Most builds are for these, and nothing has to be copied for them.
    fn value(text: &str) -> Cow<'static, str> {
        match text {
            "" => Cow::Borrowed(""),
            "linux" => Cow::Borrowed("linux"),
            "amd64" => Cow::Borrowed("amd64"),
            "linux/amd64" => Cow::Borrowed("linux/amd64"),
            _ => Cow::Owned(text.to_owned()),
        }
    }
    const NAMES: [[&str; 5]; 2] = [
        ["BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT"],
        ["TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT"],
    ];
    let mut globals = Vec::with_capacity(13);
    for (names, platform) in NAMES.into_iter().zip([&options.build_platform, &options.platform]) {
        let mut parts = platform.splitn(3, '/');
        let mut part = || parts.next().unwrap_or("");
        let (os, arch, variant) = (part(), part(), part());
        let values = [platform.as_str(), os, "", arch, variant];
        globals.extend(names.into_iter().zip(values).map(|(name, text)| (Cow::Borrowed(name), value(text))));
    }
    let target = match &options.target {
        Some(target) => Cow::Owned(target.clone()),
        None => Cow::Borrowed("default"),
    };
    globals.push((Cow::Borrowed("TARGETSTAGE"), target));
    globals
}

impl<'a> Builder<'a, '_> {
    /// Reads the global scope and every FROM; gives each stage's instructions.
    fn declare_stages(&mut self) -> Vec<Vec<&'a Instruction<'a>>> {
        let mut bodies: Vec<Vec<&'a Instruction<'a>>> = Vec::new();
        let dockerfile = self.dockerfile;
        let mut by_base_name: FxHashMap<String, usize> = FxHashMap::default();
        for instruction in dockerfile.instructions() {
            match (&instruction.kind, bodies.last_mut()) {
                (Kind::From(from), _) => {
                    self.declare(instruction, from, &mut by_base_name);
                    bodies.push(Vec::new());
                }
                (_, Some(body)) => body.push(instruction),
                (Kind::Arg(decls), None) => {
                    for decl in decls {
                        let passed =
                            self.options.arg(&decl.name.text).map(|value| Cow::Owned(value.to_owned()));
                        let default = || decl.default.as_ref().map(|word| self.expand_global(word));
                        if let Some(value) = passed.or_else(default) {
                            self.globals.push((decl.name.text.clone(), value));
                        }
                    }
                }
                _ => {}
            }
        }
        bodies
    }

    fn declare(
        &mut self,
        instruction: &'a Instruction<'a>,
        from: &'a From<'a>,
        by_base_name: &mut FxHashMap<String, usize>,
    ) {
        let index = self.stages.len();
        let image = self.expand_global(&from.image);
        let name = from.name.as_ref().map(|name| name.text.to_ascii_lowercase());
        let context = name
            .as_deref()
            .and_then(|name| self.options.context(name))
            .or_else(|| self.options.context(&image));
        let base = match context {
            Some((_, NamedContext::Image(reference))) => Base::Image(reference.clone()),
            Some((key, _)) => Base::Named(key.to_owned()),
            // The names are kept in lower case and looked up as written: `FROM Builder` does not find `builder`.
            None => match by_base_name.get(image.as_ref()) {
                Some(parent) => Base::Stage(*parent),
                None if image == "scratch" => Base::Scratch,
                None if image.is_empty() => Base::Invalid,
                None => Base::Image(image.into_owned()),
            },
        };
        if let Some(name) = &name {
            by_base_name.insert(name.clone(), index);
            self.last_of_name.insert(name.clone(), index);
        }
        let platform = from.platform.as_ref().map(|word| self.expand_global(word).into_owned());
        self.stages.push(Stage {
            from: instruction,
            name,
            base,
            platform,
            steps: 0..0,
            state: Arc::default(),
            onbuild: Vec::new(),
        });
    }

    /// Expands a word of the global scope; where BuildKit would refuse it the text stays.
    fn expand_global(&self, word: &'a Word<'a>) -> Cow<'a, str> {
        expand::word(&word.text, self.dockerfile.escape, &|name| self.global(name))
            .unwrap_or_else(|_| word.text.clone())
    }
}
