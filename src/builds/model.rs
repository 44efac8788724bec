//! One invocation of a builder, wherever it is written. Every system gives the same [`Build`].

use crate::source::Span;
use std::sync::Arc;

/// A value with the place where it is written, so that a finding can point at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The bytes that set it, in the file that [`Setting::path`] names.
    pub span: Span,
    /// The file that sets it, where that is another than the build's own ([`Build::path`]): a bake or Compose file that a
    /// workflow builds, an included pipeline.
    pub path: Option<Arc<str>>,
}

impl<T> Setting<T> {
    /// A setting in the build's own file.
    #[must_use]
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span, path: None }
    }

    /// Another value that the same text sets.
    #[must_use]
    pub fn with<U>(&self, value: U) -> Setting<U> {
        Setting { value, span: self.span, path: self.path.clone() }
    }
}

/// One build.
#[derive(Clone, Debug)]
pub struct Build {
    /// File that starts it, relative to the project's root.
    pub path: Arc<str>,
    /// The text that stands for the whole build: the step, the service, the command.
    pub span: Span,
    /// What kind of file or system it is written in.
    pub system: System,
    /// What executes the command line or settings.
    pub front: Front,
    /// Names for people: workflow job, pipeline step, bake target, compose service; outermost first.
    pub name: Vec<String>,
    /// Matrix values that distinguish this leg from its siblings, in order of their keys.
    pub matrix: Vec<(String, String)>,
    /// Dockerfile path relative to the project's root, where it is known.
    pub dockerfile: Option<Setting<String>>,
    /// Dockerfile text written in the build itself (`dockerfile_inline`, `-f -` with a heredoc).
    pub dockerfile_inline: Option<Setting<String>>,
    /// The context.
    pub context: Setting<ContextSource>,
    /// Named contexts, `name → value`.
    pub contexts: Vec<(String, Setting<ContextSource>)>,
    /// `--target`.
    pub target: Option<Setting<Value>>,
    /// Build args in order. A name without a value takes it from the environment ([`Value::Volatile`] if unknown).
    pub args: Vec<(String, Setting<Value>)>,
    /// Cache imports in order.
    pub cache_from: Vec<Setting<CacheSpec>>,
    /// Cache exports in order.
    pub cache_to: Vec<Setting<CacheSpec>>,
    /// Where it is written that no cache is exported (`cache-to: ''`), which is a decision.
    pub declined: Option<Setting<()>>,
    /// Tags of the image.
    pub tags: Vec<Setting<Value>>,
    /// Whether the image is pushed, where that is known.
    pub push: Option<Setting<Value>>,
    /// Whether the image is loaded into the engine.
    pub load: Option<Setting<Value>>,
    /// `--platform` values.
    pub platforms: Vec<Setting<Value>>,
    /// `--no-cache`.
    pub no_cache: Option<Setting<Value>>,
    /// `--no-cache-filter` stages.
    pub no_cache_filter: Vec<Setting<Value>>,
    /// `--pull`.
    pub pull: Option<Setting<Value>>,
    /// The builder it runs on.
    pub builder: Builder,
    /// Images pulled for the cache before the build, in the same job (`docker pull X || true`).
    pub pulled_before: Vec<Setting<Value>>,
    /// When it runs.
    pub trigger: Trigger,
    /// What must hold for it to run under its trigger, where no file tells whether it does. The build's own span where that
    /// is not one text.
    pub condition: Option<Setting<Condition>>,
    /// Key of the job it runs in; builds with equal keys share one builder and run in order.
    pub job: String,
    /// Keys of the jobs that have ended when its job starts, without the legs of their matrices, as far as the file tells
    /// (`needs`, stages, `wait`). Jobs that are not among them may run at the same time.
    pub after: Vec<String>,
    /// Only when these are true is the cache export in force (an `if:` or a shell variable that may be empty).
    pub conditional_export: bool,
    /// `--output` values. The attributes are those of an exporter (`push=true`, `dest=…`); a bare one is a directory.
    pub outputs: Vec<Setting<CacheSpec>>,
    /// Directories that the job restores before and saves after (actions/cache, `cache:` of GitLab, `save_cache` of
    /// CircleCI): where a `type=local` cache outlives an ephemeral runner.
    pub kept: Vec<Setting<Value>>,
    /// What saves the contents of cache mounts between jobs (buildkit-cache-dance).
    pub mounts_kept: Option<Span>,
    /// Whether `type=gha` finds its token: always in Docker's actions, in a `run:` step only after a step that exports it.
    /// `None` where that cannot be told.
    pub gha_token: Option<bool>,
    /// Where it is defined, if that is another place than the one that starts it: the bake target or Compose service that a
    /// workflow or script builds. The build of that path and span says the same without what the starter adds.
    pub defined: Option<(Arc<str>, Span)>,
    /// Whether nothing starts it by itself: it stands in a file that others call (a reusable workflow, a composite
    /// action, an included template) and was read with what that file alone tells. A build of the same `path` and `span`
    /// that is none says the same with what a caller passes.
    pub template: bool,
    /// Whether the job has this repository's files in its working directory before it builds, as far as its steps tell.
    pub checked_out: bool,
}

impl Build {
    /// A build of which nothing but its place is known: the context is the project's root, at the build's own span.
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>, span: Span, system: System, front: Front) -> Self {
        Self {
            path: path.into(),
            span,
            system,
            front,
            name: Vec::new(),
            matrix: Vec::new(),
            dockerfile: None,
            dockerfile_inline: None,
            context: Setting::new(ContextSource::Path(String::new()), span),
            contexts: Vec::new(),
            target: None,
            args: Vec::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            declined: None,
            tags: Vec::new(),
            push: None,
            load: None,
            platforms: Vec::new(),
            no_cache: None,
            no_cache_filter: Vec::new(),
            pull: None,
            builder: Builder::default(),
            pulled_before: Vec::new(),
            trigger: Trigger::default(),
            condition: None,
            job: String::new(),
            after: Vec::new(),
            conditional_export: false,
            outputs: Vec::new(),
            kept: Vec::new(),
            mounts_kept: None,
            gha_token: None,
            defined: None,
            template: false,
            checked_out: false,
        }
    }
}

/// The kind of file a build is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the systems'
pub enum System {
    GithubActions,
    GitlabCi,
    Buildkite,
    CloudBuild,
    CircleCi,
    AzurePipelines,
    Bitbucket,
    Jenkins,
    Drone,
    Woodpecker,
    Skaffold,
    Bake,
    Compose,
    Devcontainer,
    Shell,
    Make,
    Just,
    Task,
    PackageJson,
}

impl System {
    /// Whether it is a service that builds by itself, and not a file for people and services alike.
    #[must_use]
    pub fn is_ci(self) -> bool {
        !matches!(
            self,
            Self::Compose
                | Self::Devcontainer
                | Self::PackageJson
                | Self::Make
                | Self::Just
                | Self::Task
                | Self::Shell
                | Self::Bake
                | Self::Skaffold
        )
    }
}

/// What reads the settings and talks to the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Front {
    /// `docker build`.
    DockerBuild,
    /// `docker buildx build`.
    Buildx,
    /// bake, by command or action.
    Bake,
    /// `docker compose build` or `up --build`.
    Compose,
    /// The old `docker-compose` program.
    ComposeClassic,
    /// docker/build-push-action.
    BuildPushAction,
    /// The reusable workflows of docker/github-builder.
    GithubBuilder,
    /// The docker-compose plugin of Buildkite.
    BuildkitePlugin,
    /// `buildctl`, `buildctl-daemonless.sh`.
    Buildctl,
    /// The kaniko executor.
    Kaniko,
    /// `buildah` or `podman build`.
    Buildah,
    /// skaffold.
    Skaffold,
    /// Anything else that builds an image.
    Other,
}

/// A setting's value as far as the file tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Literal text after plain variables were followed.
    Known(String),
    /// Symbolic: the text as written, with what its variable parts change with.
    Symbolic {
        /// As written, expressions included.
        text: String,
        /// The fastest-changing part of it.
        volatility: Volatility,
    },
}

/// How often a symbolic value changes. Ordered from slow to fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Volatility {
    /// The same in every run (a repository's name, a constant that was not followed).
    Fixed,
    /// Nothing is known of it.
    Unknown,
    /// One value per branch.
    PerBranch,
    /// One value per release or tag.
    PerRelease,
    /// One value per commit.
    PerCommit,
    /// One value per run (run numbers, dates, random values).
    PerRun,
}

/// Where the context comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextSource {
    /// A directory relative to the project's root.
    Path(String),
    /// A git context: `.dockerignore` is not applied. With the subdirectory, relative to the project's root, where it is
    /// this repository.
    Git {
        /// `true` when it is the repository that is analyzed.
        own: bool,
        /// Subdirectory, `""` for the root.
        subdir: String,
    },
    /// An image (`docker-image://…`), for named contexts.
    Image(String),
    /// Another bake target's result (`target:x`).
    Target(String),
    /// A tar from standard input, an http address, or text with unknown parts.
    Unknown(String),
}

/// `type=…,k=v` of a cache import or export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSpec {
    /// The type as written, `registry` for a bare reference.
    pub kind: Setting<Value>,
    /// All attributes as written, `type` left out, in order; keys lower-cased.
    pub attrs: Vec<(String, Setting<Value>)>,
    /// Whether it was a bare reference without `key=`.
    pub bare: bool,
}

impl CacheSpec {
    /// The literal type, if known.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        match &self.kind.value {
            Value::Known(kind) => Some(kind),
            Value::Symbolic { .. } => None,
        }
    }

    /// An attribute by key; the last wins, as in buildx.
    #[must_use]
    pub fn attr(&self, key: &str) -> Option<&Setting<Value>> {
        self.attrs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

/// The builder as far as the files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builder {
    /// The driver.
    pub driver: Driver,
    /// What sets the driver (`setup-buildx-action`, `buildx create`), in the build's own file.
    pub set_by: Option<Span>,
    /// Whether the local cache outlives the job; `None` where nothing tells.
    pub persistent: Option<bool>,
    /// Whether the Engine uses the containerd image store; `None` where nothing tells.
    pub containerd_store: Option<bool>,
    /// Whether BuildKit is switched off (`DOCKER_BUILDKIT=0`).
    pub legacy: Option<Span>,
    /// Versions found, by component: `buildkit`, `buildx`, `engine`, `compose`, `build-push-action`, `bake-action`,
    /// `setup-buildx-action`, `docker-compose-buildkite-plugin`, … with the text that says so.
    pub versions: Vec<(String, Setting<String>)>,
}

/// A buildx driver.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// The Engine's built-in builder.
    Docker,
    /// BuildKit in a container.
    DockerContainer,
    /// BuildKit in a cluster.
    Kubernetes,
    /// A buildkitd that is run by somebody else, reached by address; `buildctl` too.
    Remote,
    /// Docker Build Cloud.
    Cloud,
    /// No BuildKit at all (kaniko, buildah, the legacy builder).
    None,
    /// Nothing tells.
    #[default]
    Unknown,
}

/// What decides whether a build runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A branch of a script: `if`, `case`, `&&` behind a test, a function that is called only there.
    Script,
    /// The pipeline: `if:`, `rules:`, somebody who starts the job.
    Pipeline,
}

/// When a build runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// For pull requests.
    pub pull_request: bool,
    /// For pull requests with the base repository's rights (`pull_request_target`).
    pub pull_request_target: bool,
    /// For pushes to several branches.
    pub any_branch: bool,
    /// For pushes to the default branch.
    pub default_branch: bool,
    /// For tags or releases.
    pub release: bool,
    /// By schedule.
    pub schedule: bool,
    /// By hand (`workflow_dispatch`).
    pub manual: bool,
    /// Nothing is known (a script that somebody starts).
    pub unknown: bool,
}
