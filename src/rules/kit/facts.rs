//! What is worked out once per Dockerfile, when first asked for.

use super::RunUses;
use crate::builds::Build;
use crate::cache::Model;
use crate::dockerfile::{Command, Kind};
use crate::graph::{State, Step, StepId, StepKind};
use crate::shell::{self, Dialect, Script};
use std::borrow::Cow;
use std::sync::OnceLock;

/// The model of a Dockerfile and the commands of its RUNs.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The build of the last stage with no build args, unless a build that was found says otherwise.
    pub model: Model<'a>,
    /// The context's directory relative to the project's root, where it is known.
    pub directory: Option<String>,
    /// The builds that build it, as far as they were found.
    pub builds: Vec<&'a Build>,
    scripts: Vec<OnceLock<Script<'a>>>,
    uses: OnceLock<Vec<RunUses<'a>>>,
}

impl<'a> Facts<'a> {
    /// Facts from a model; `directory` is where its context is, `builds` what builds it.
    #[must_use]
    pub fn new(model: Model<'a>, directory: Option<String>, builds: Vec<&'a Build>) -> Self {
        let scripts = model.graph.steps.iter().map(|_| OnceLock::new()).collect();
        Self { model, directory, builds, scripts, uses: OnceLock::new() }
    }

    /// The commands of a RUN; none for any other step. A shell that is not known makes the text opaque.
    #[must_use]
    pub fn script(&self, step: StepId) -> &Script<'a> {
        static NONE: Script<'static> =
            Script { commands: Vec::new(), opaque: Vec::new(), bindings: Vec::new(), guards: Vec::new() };
        let graph = &self.model.graph;
        match (graph.step(step), self.scripts.get(step.index())) {
            (Some(found), Some(slot)) => slot.get_or_init(|| script(graph.dockerfile.source, found)),
            _ => &NONE,
        }
    }

    /// What the commands of every step do with tools, worked out by `compute` when first asked for.
    pub(super) fn uses(&self, compute: impl FnOnce() -> Vec<RunUses<'a>>) -> &[RunUses<'a>] {
        self.uses.get_or_init(compute)
    }

    /// Every RUN that the target reaches, with its commands, in file order.
    pub fn runs(&self) -> impl Iterator<Item = (StepId, &Step<'a>, &Script<'a>)> {
        let graph = &self.model.graph;
        let reached = |step: &Step<'a>| graph.reachable.get(step.stage).copied().unwrap_or(false);
        graph
            .all_steps()
            .filter(move |(_, step)| matches!(step.kind, StepKind::Run(_)) && reached(step))
            .map(|(id, step)| (id, step, self.script(id)))
    }
}

fn script<'a>(source: &'a str, step: &Step<'a>) -> Script<'a> {
    let Kind::Run(run) = &step.instruction.kind else { return Script::default() };
    let state: &State<'a> = &step.state;
    let dialect = match &run.command {
        Command::Exec(_) => Dialect::Posix,
        Command::Shell(_) => Dialect::of_shell(state.shell.iter().map(|word| &**word)),
    };
    let variables = |name: &str| state.get(name).map(|variable| Cow::Owned(variable.value.to_string()));
    let options =
        shell::Options { source, heredocs: &step.instruction.heredocs, dialect, variables: Some(&variables) };
    shell::from_command(&run.command, &options)
}
