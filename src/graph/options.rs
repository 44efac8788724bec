//! What a build is asked with, as far as it shapes the graph.

use std::collections::BTreeMap;

/// Everything beside the Dockerfile's text that decides what the steps are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--target`, a stage name in any case. `None` builds the last stage.
    pub target: Option<String>,
    /// Build args in order; the last of a name wins.
    pub args: Vec<(String, String)>,
    /// Named contexts (`--build-context`): they replace stages and images of that name.
    pub contexts: BTreeMap<String, NamedContext>,
    /// The platform that is built for, `os/arch[/variant]`.
    pub platform: String,
    /// The platform of the builder.
    pub build_platform: String,
    /// What is known of base images' configuration, by reference as written after expansion.
    pub images: BTreeMap<String, ImageConfig>,
    /// `BUILDKIT_SANDBOX_HOSTNAME` or `--hostname` of the build; part of every RUN key (facts §1.2).
    pub hostname: Option<String>,
    /// Network mode of the whole build (`--network`), empty for the default.
    pub network: String,
    /// Everything else of the build that is in every RUN key: ulimits, shm size, cgroup parent, names (not addresses) of
    /// extra hosts (facts §1.5).
    pub run_meta: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: None,
            args: Vec::new(),
            contexts: BTreeMap::new(),
            platform: "linux/amd64".into(),
            build_platform: "linux/amd64".into(),
            images: BTreeMap::new(),
            hostname: None,
            network: String::new(),
            run_meta: Vec::new(),
        }
    }
}

impl Options {
    /// The value passed for a build arg.
    #[must_use]
    pub fn arg(&self, name: &str) -> Option<&str> {
        self.args.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The configuration of an image; one without a tag is the one with `latest`.
    #[must_use]
    pub fn image(&self, reference: &str) -> Option<&ImageConfig> {
        self.images.get(reference).or_else(|| self.images.get(&format!("{reference}:latest")))
    }

    /// A named context, by name in any case.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<(&str, &NamedContext)> {
        self.contexts
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(key, value)| (key.as_str(), value))
    }
}

/// What a named context is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedContext {
    /// A local directory.
    Directory,
    /// `docker-image://…`.
    Image(String),
    /// Anything whose content cannot be known here (git, http, another target).
    Other(String),
}

/// An image's configuration, as far as steps inherit it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// ENV in order.
    pub env: Vec<(String, String)>,
    /// WORKDIR.
    pub cwd: Option<String>,
    /// USER.
    pub user: Option<String>,
    /// SHELL.
    pub shell: Option<Vec<String>>,
}
