//! Where and how scripts run.

use super::followed::Followed;
use crate::builds::make::Makefiles;
use crate::builds::{Build, Builder, Front, Setting, System, Trigger, Value, Vars, parent};
use crate::source::Span;
use std::sync::Arc;

/// Where and how a script runs. What its commands change (variables, builders, pulls) is still there for the next script
/// of the same job; [`ScriptEnv::cwd`] is not changed.
#[derive(Clone, Debug)]
pub struct ScriptEnv {
    /// The file in which it stands, relative to the project's root.
    pub path: Arc<str>,
    /// What the builds found are called, see [`Build::name`].
    pub name: Vec<String>,
    /// See [`Build::matrix`].
    pub matrix: Vec<(String, String)>,
    /// The kind of file.
    pub system: System,
    /// See [`Build::trigger`].
    pub trigger: Trigger,
    /// See [`Build::job`].
    pub job: String,
    /// The directory in which it starts, relative to the project's root; `None` where that is not known.
    pub cwd: Option<String>,
    /// Directories to try where the Dockerfile is not found from `cwd`: that of a script that may be started anywhere.
    pub cwd_guesses: Vec<String>,
    /// The directory that "here" means in a path (`$(dirname "$0")`, `$(CURDIR)`), where it is not that of the file.
    pub here: Option<String>,
    /// Variables that are known.
    pub vars: Vars,
    /// The builder in use so far.
    pub builder: Builder,
    /// The engine's own builder, which `docker build` uses whichever is in use (docs.docker.com, "Builders", difference
    /// between `docker build` and `docker buildx build`).
    pub engine: Builder,
    /// Whether `docker build` is an alias of `docker buildx build` (`docker buildx install`).
    pub alias: bool,
    /// Builders by name that were created and are not in use.
    pub builders: Vec<(String, Builder)>,
    /// Images pulled so far.
    pub pulled: Vec<Setting<Value>>,
    /// See [`Build::kept`].
    pub kept: Vec<Setting<Value>>,
    /// See [`Build::gha_token`].
    pub gha_token: Option<bool>,
    /// How many scripts and recipes deep it is, so that those that call each other end.
    pub depth: u32,
    /// Whether something was built so far, or a command may have changed the builder or what was pulled.
    pub is_touched: bool,
    /// The scripts that were followed so far. Whoever starts several scripts of one pipeline passes them on.
    pub followed: Followed,
    /// The Makefiles that were read so far. Whoever starts several scripts of one pipeline passes them on.
    pub makefiles: Makefiles,
}

impl ScriptEnv {
    /// A script that starts in the project's root, of which nothing more is known.
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>, system: System) -> Self {
        let path = path.into();
        let home = home(system, &path).to_owned();
        Self {
            job: path.to_string(),
            path,
            name: Vec::new(),
            matrix: Vec::new(),
            system,
            trigger: Trigger { unknown: true, ..Trigger::default() },
            cwd: Some(String::new()),
            cwd_guesses: (!home.is_empty()).then_some(home).into_iter().collect(),
            here: None,
            vars: Vars::default(),
            builder: Builder::default(),
            engine: Builder::default(),
            alias: false,
            builders: Vec::new(),
            pulled: Vec::new(),
            kept: Vec::new(),
            gha_token: None,
            depth: 0,
            is_touched: false,
            followed: Followed::default(),
            makefiles: Makefiles::default(),
        }
    }

    /// A build of this job at `span`.
    #[must_use]
    pub fn build(&self, span: Span, front: Front) -> Build {
        Build {
            name: self.name.clone(),
            matrix: self.matrix.clone(),
            trigger: self.trigger.clone(),
            job: self.job.clone(),
            builder: self.builder.clone(),
            pulled_before: self.pulled.clone(),
            kept: self.kept.clone(),
            gha_token: self.gha_token,
            ..Build::new(self.path.clone(), span, self.system, front)
        }
    }

    pub(super) fn here(&self) -> &str {
        self.here.as_deref().unwrap_or_else(|| parent(&self.path))
    }
}

/// The root of the project that a pipeline was written for, where its file has been moved into another one: a
/// `bitbucket-pipelines.yml` of a former repository that is a directory now.
fn home(system: System, path: &str) -> &str {
    let directory = parent(path);
    match system {
        System::Bitbucket | System::GitlabCi | System::Jenkins | System::Drone => directory,
        System::CircleCi | System::Woodpecker | System::Buildkite => {
            if directory.rsplit('/').next().is_some_and(|name| name.starts_with('.')) {
                parent(directory)
            } else {
                directory
            }
        }
        _ => "",
    }
}
