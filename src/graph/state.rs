//! What is in force at a place in a stage: environment in order, working directory, user, shell.

use crate::source::Span;
use std::borrow::Cow;
use std::sync::Arc;

/// `PATH` of an image that sets none (BuildKit: `system.DefaultPathEnvUnix`).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a variable in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The base image, or BuildKit's default `PATH`.
    Base,
    /// An ARG of this stage or of one that it is built from; the span is its name in the file.
    Arg(Span),
    /// An ENV; the span is its key.
    Env(Span),
}

/// One variable in force. ARG values count: BuildKit puts them into the environment of every later RUN (facts §1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable<'a> {
    /// Name.
    pub name: Cow<'a, str>,
    /// Value after expansion.
    pub value: Cow<'a, str>,
    /// What set it last.
    pub origin: Origin,
}

/// What a step finds in force. Shared between steps until something changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<'a> {
    /// Variables in the order in which BuildKit lists them for a RUN: a reassigned one moves to the end (facts §1.3).
    pub env: Vec<Variable<'a>>,
    /// The variables that are in the image's configuration (ENV, not ARG), which a child stage applies again.
    pub image_env: Vec<Variable<'a>>,
    /// Working directory, absolute and clean.
    pub cwd: Cow<'a, str>,
    /// USER as written after expansion; empty where nothing set it.
    pub user: Cow<'a, str>,
    /// SHELL in force.
    pub shell: Arc<[String]>,
}

impl Default for State<'_> {
    fn default() -> Self {
        Self {
            env: Vec::new(),
            image_env: Vec::new(),
            cwd: Cow::Borrowed("/"),
            user: Cow::Borrowed(""),
            shell: default_shell(),
        }
    }
}

/// `["/bin/sh", "-c"]`.
#[must_use]
pub fn default_shell() -> Arc<[String]> {
    static SHELL: std::sync::OnceLock<Arc<[String]>> = std::sync::OnceLock::new();
    SHELL.get_or_init(|| ["/bin/sh".to_owned(), "-c".to_owned()].into()).clone()
}

impl<'a> State<'a> {
    /// The value of a variable in force.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable<'a>> {
        self.env.iter().rev().find(|variable| variable.name == name)
    }

    /// Sets a variable for later RUNs: it moves to the end of the list.
    pub fn set(&mut self, name: Cow<'a, str>, value: Cow<'a, str>, origin: Origin) {
        if !matches!(origin, Origin::Arg(_)) {
            replace(&mut self.image_env, Variable { name: name.clone(), value: value.clone(), origin });
        }
        self.env.retain(|variable| variable.name != name);
        self.env.push(Variable { name, value, origin });
    }

    /// What a stage does with the image configuration that it starts from: every ENV of it is applied again, so it wins over
    /// an ARG of the same name in the parent (BuildKit: `dispatchStages`).
    pub(super) fn begin_stage(&mut self) {
        if !self.image_env.iter().any(|variable| variable.name == "PATH") {
            self.set(Cow::Borrowed("PATH"), Cow::Borrowed(DEFAULT_PATH), Origin::Base);
            return self.reapply();
        }
        self.reapply();
    }

    fn reapply(&mut self) {
        let image_env = std::mem::take(&mut self.image_env);
        self.env.retain(|variable| !image_env.iter().any(|other| other.name == variable.name));
        self.env.extend(image_env.iter().cloned());
        self.image_env = image_env;
    }
}

/// In the image's configuration a reassigned variable keeps its place (BuildKit: `addEnv`).
fn replace<'a>(list: &mut Vec<Variable<'a>>, variable: Variable<'a>) {
    match list.iter_mut().find(|other| other.name == variable.name) {
        Some(other) => *other = variable,
        None => list.push(variable),
    }
}
