//! What a plan is made of: a build, what it builds, and what people change in it.

use crate::builds::{Build, System, Trigger, Value, Volatility};
use crate::cache::{Model, text};
use crate::source::SourceFile;

/// A build with what it builds.
#[derive(Debug)]
pub struct Subject<'p> {
    /// The build; what no file tells of its builder is filled in from the configuration.
    pub build: &'p Build,
    /// The file in which it stands.
    pub file: &'p SourceFile,
    /// The Dockerfile with this build's target, args and context.
    pub model: &'p Model<'p>,
    /// The Dockerfile.
    pub dockerfile: &'p SourceFile,
    /// The context's directory relative to the project's root, where it is known.
    pub directory: Option<String>,
    /// Typical edits of files of the context.
    pub edits: Vec<Edit>,
    /// Size of the disk that holds the builder's cache, in bytes, where it is configured.
    pub disk: Option<u64>,
}

/// An edited file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Relative to the context.
    pub file: String,
    /// What kind of file it is.
    pub kind: EditKind,
}

/// What people edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditKind {
    /// A source.
    Source,
    /// What an install reads.
    Manifest,
    /// Something else that a step takes.
    Other,
}

impl Subject<'_> {
    /// Whether the build starts with an empty local cache; what nothing tells is taken to.
    pub(super) fn is_fresh(&self) -> bool {
        self.build.builder.persistent != Some(true)
    }

    /// Whether people start it, on a machine of theirs, as far as the files tell: nothing that runs by itself does, and
    /// it has no cache settings that say otherwise.
    pub(super) fn is_by_hand(&self) -> bool {
        let build = self.build;
        !is_ci(build.system)
            && build.builder.persistent.is_none()
            && build.cache_from.is_empty()
            && build.cache_to.is_empty()
    }

    /// Whether it passes an arg that is another one in every commit or run.
    pub(super) fn tells_the_commit(&self) -> bool {
        self.build.args.iter().any(|(_, value)| {
            matches!(&value.value, Value::Symbolic { volatility, .. } if *volatility >= Volatility::PerCommit)
        })
    }

    /// What makes the image another one: builds in which all of this is equal may share a cache.
    pub(super) fn identity(&self) -> String {
        let build = self.build;
        let mut parts = vec![
            self.dockerfile.path.to_string(),
            self.directory.clone().unwrap_or_default(),
            build.target.as_ref().map(|target| text(&target.value).to_owned()).unwrap_or_default(),
        ];
        parts.extend(build.platforms.iter().map(|platform| text(&platform.value).to_owned()));
        parts.extend(build.contexts.iter().map(|(name, _)| name.clone()));
        parts.extend(build.args.iter().map(|(name, value)| format!("{name}={}", text(&value.value))));
        parts.join("\0")
    }

    /// The text of a setting as it is written, if it stands in the build's own file as one word; else its value.
    pub(super) fn written(&self, setting: &crate::builds::Setting<Value>) -> String {
        let own = setting.path.as_deref().is_none_or(|path| *path == *self.file.path);
        let raw = if own { setting.span.of(&self.file.text) } else { "" };
        let value = text(&setting.value);
        // The same words with variables for their values: at its end both are equal, or the value has no variable.
        let is_word = !raw.is_empty()
            && raw.contains('$')
            && !raw.contains(['\n', '"', '\'', '\\', ','])
            && !raw.starts_with('-')
            && words(raw) == 1;
        if is_word { raw.to_owned() } else { value.to_owned() }
    }
}

/// Whether a system runs builds by itself.
pub(super) fn is_ci(system: System) -> bool {
    use System::{Bake, Compose, Devcontainer, Just, Make, PackageJson, Shell, Skaffold, Task};
    !matches!(system, Bake | Compose | Devcontainer | Just | Make | PackageJson | Shell | Skaffold | Task)
}

/// Words of a text; expressions in braces are part of one.
fn words(text: &str) -> usize {
    let (mut depth, mut words, mut inside) = (0usize, 0usize, false);
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let blank = c.is_whitespace() && depth == 0;
        if !blank && !inside {
            words += 1;
        }
        inside = !blank;
    }
    words
}

/// Whether a build runs for releases and for nothing else.
pub(super) fn only_releases(trigger: &Trigger) -> bool {
    trigger.release
        && !trigger.default_branch
        && !trigger.any_branch
        && !trigger.pull_request
        && !trigger.pull_request_target
        && !trigger.schedule
        && !trigger.manual
        && !trigger.unknown
}

/// Whether a build runs for pull requests and for nothing else.
pub(super) fn only_pull_requests(trigger: &Trigger) -> bool {
    (trigger.pull_request || trigger.pull_request_target)
        && !trigger.default_branch
        && !trigger.any_branch
        && !trigger.release
        && !trigger.schedule
        && !trigger.manual
        && !trigger.unknown
}

/// Whether there is an event that runs both.
pub(super) fn meet(a: &Trigger, b: &Trigger) -> bool {
    let pairs = [
        (a.pull_request, b.pull_request),
        (a.pull_request_target, b.pull_request_target),
        (a.any_branch, b.any_branch),
        (a.default_branch, b.default_branch),
        (a.release, b.release),
        (a.schedule, b.schedule),
        (a.manual, b.manual),
        (a.unknown, b.unknown),
    ];
    pairs.iter().any(|(a, b)| *a && *b)
}
