//! What is in force at a place in a stage: environment in order, working directory, user, shell.

use super::env::Env;
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
    /// Variables of a RUN.
    pub env: Env<'a>,
    /// The variables that are in the image's configuration (ENV, not ARG), which a child stage applies again.
    pub image_env: Env<'a>,
    /// Working directory, absolute and clean.
    pub cwd: Cow<'a, str>,
    /// The same as a RUN is given it: an absolute WORKDIR stays as it is written.
    pub cwd_text: Cow<'a, str>,
    /// USER as written after expansion; empty where nothing set it.
    pub user: Cow<'a, str>,
    /// SHELL in force.
    pub shell: Arc<[Cow<'a, str>]>,
}

impl Default for State<'_> {
    fn default() -> Self {
        Self {
            env: Env::default(),
            image_env: Env::default(),
            cwd: Cow::Borrowed("/"),
            cwd_text: Cow::Borrowed("/"),
            user: Cow::Borrowed(""),
            shell: default_shell(),
        }
    }
}

/// `["/bin/sh", "-c"]`.
#[must_use]
pub fn default_shell() -> Arc<[Cow<'static, str>]> {
    static SHELL: std::sync::OnceLock<Arc<[Cow<'static, str>]>> = std::sync::OnceLock::new();
    SHELL.get_or_init(|| ["/bin/sh".into(), "-c".into()].into()).clone()
}

impl<'a> State<'a> {
    /// The value of a variable in force.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable<'a>> {
        self.env.get(name)
    }

    /// Sets a variable for later RUNs: it moves to the end of the list.
    pub fn set(&mut self, name: Cow<'a, str>, value: Cow<'a, str>, origin: Origin) {
        if !matches!(origin, Origin::Arg(_)) {
            self.image_env.replace(Variable { name: name.clone(), value: value.clone(), origin });
        }
        self.env.set(name, value, origin);
    }

    /// What a stage does with the image configuration that it starts from: every ENV of it is applied again, so it wins over
    /// an ARG of the same name in the parent (BuildKit: `dispatchStages`).
    pub(super) fn begin_stage(&mut self) {
        if self.image_env.get("PATH").is_none() {
            self.set(Cow::Borrowed("PATH"), Cow::Borrowed(DEFAULT_PATH), Origin::Base);
        }
        // Every ENV is in both; what is only in the first are ARGs.
        let mut env = Env::default();
        if self.env.len() > self.image_env.len() {
            for variable in self.env.iter().filter(|variable| self.image_env.get(&variable.name).is_none()) {
                env.set(variable.name.clone(), variable.value.clone(), variable.origin);
            }
        }
        if env.is_empty() {
            self.env = self.image_env.clone();
            return;
        }
        for variable in self.image_env.iter() {
            env.set(variable.name.clone(), variable.value.clone(), variable.origin);
        }
        self.env = env;
    }
}
