//! Actions that build images: docker/build-push-action and those that take its place.

use super::inputs::Inputs;
use super::state::State;
use crate::builds::{Build, CacheSpec, ContextSource, Driver, Front, Placed, Setting, Value, command, join};
use crate::source::Span;

/// A `uses: owner/name/path@ref`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uses {
    /// `owner/name/path`, lower case.
    pub name: String,
    /// The version: the ref without `v`, or what a comment beside a commit id says.
    pub version: Option<String>,
    /// The value's bytes.
    pub span: Span,
}

impl Uses {
    /// Reads the value of `uses:`; `source` is the file, for a comment behind it.
    pub(super) fn new(text: &str, span: Span, source: &str) -> Self {
        let (name, reference) = text.split_once('@').unwrap_or((text, ""));
        let number = |text: &str| {
            let text = text.trim().trim_start_matches('v');
            text.starts_with(|ch: char| ch.is_ascii_digit()).then(|| text.to_owned())
        };
        let id = reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        let version = if id {
            let line = source.get(span.end as usize..).unwrap_or("").lines().next().unwrap_or("");
            let comment = line.split_once('#').map_or("", |(_, comment)| comment);
            comment.split_whitespace().find_map(|word| number(word.rsplit('@').next().unwrap_or(word)))
        } else {
            number(reference)
        };
        Self { name: name.to_ascii_lowercase(), version, span }
    }

    /// The major version.
    pub(super) fn major(&self) -> Option<u32> {
        self.version.as_deref()?.split('.').next()?.parse().ok()
    }

    /// As an entry of [`crate::builds::Builder::versions`].
    pub(super) fn component(&self, name: &str) -> Option<(String, Setting<String>)> {
        Some((name.to_owned(), Setting::new(self.version.clone()?, self.span)))
    }
}

/// Whose build-push-action it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    /// Docker's.
    Docker,
    /// Depot's, which builds on Depot's machines.
    Depot,
    /// Blacksmith's, which keeps the builder's disk.
    Blacksmith,
    /// WarpBuild's, which builds on machines of WarpBuild.
    Warp,
}

/// docker/build-push-action from version 2, and its forks with the same inputs.
pub(super) fn build_push(
    build: &mut Build,
    vendor: Vendor,
    uses: &Uses,
    state: &State,
    inputs: &mut Inputs<'_, '_, '_>,
) {
    build.front = if vendor == Vendor::Docker { Front::BuildPushAction } else { Front::Other };
    build.gha_token = Some(true);
    context(build, uses, state, inputs);
    build.target = inputs.value("target");
    build.args = inputs.args("build-args");
    build.contexts = inputs
        .lines("build-contexts")
        .iter()
        .filter_map(|line| {
            let (name, _) = line.text.split_once('=')?;
            let value = line.slice(name.len() + 1..line.text.len());
            let source = named_context(&value.text, state);
            Some((name.trim().to_owned(), Setting::new(source, line.full_span())))
        })
        .collect();
    build.cache_from = inputs.specs("cache-from");
    inputs.conditional = false;
    build.cache_to = inputs.specs("cache-to");
    build.conditional_export = inputs.conditional;
    build.declined = inputs.emptied("cache-to").map(|span| Setting::new((), span));
    inline_by_arg(build);
    build.tags = inputs.list("tags");
    build.platforms = inputs.list("platforms");
    build.no_cache_filter = inputs.list("no-cache-filters");
    build.no_cache = inputs.value("no-cache");
    build.pull = inputs.value("pull");
    build.push = inputs.value("push");
    build.load = inputs.value("load");
    build.outputs = inputs.specs("outputs");
    for output in build.outputs.clone() {
        command::pushed_by(build, &output);
    }
    let named = inputs.text("builder");
    build.builder = match (&named, vendor) {
        (Some(name), _) => state.named(&name.text, inputs.written("builder")),
        (None, Vendor::Docker) => state.current(),
        (None, Vendor::Depot | Vendor::Blacksmith | Vendor::Warp) => crate::builds::Builder {
            driver: Driver::Remote,
            set_by: Some(uses.span),
            persistent: Some(true),
            ..state.engine.clone()
        },
    };
    if vendor == Vendor::Docker {
        build.builder.versions.extend(uses.component("build-push-action"));
    }
}

/// `BUILDKIT_INLINE_CACHE=1` among the build args is an export, too (`bx:build/opt.go:261-269`).
pub(super) fn inline_by_arg(build: &mut Build) {
    let set = |(name, value): &&(String, Setting<Value>)| {
        name == "BUILDKIT_INLINE_CACHE" && value.value.known().is_some_and(command::go_true)
    };
    if let Some((_, value)) = build.args.iter().find(set) {
        let kind = value.with(Value::Known("inline".to_owned()));
        let spec = value.with(CacheSpec { kind, attrs: Vec::new(), bare: false });
        build.cache_to.push(spec);
    }
}

/// Context and Dockerfile: the commit's git context where none is given (facts §7.4), else a path.
fn context(build: &mut Build, uses: &Uses, state: &State, inputs: &mut Inputs<'_, '_, '_>) {
    let given = inputs.text("context");
    let source = match &given {
        None => ContextSource::Git { own: true, subdir: String::new() },
        Some(text) => context_source(&text.text, state),
    };
    let span = given.as_ref().map_or(uses.span, Placed::full_span);
    let file = inputs.text("file");
    build.dockerfile = dockerfile(&source, file.as_ref(), span, state);
    build.context = Setting::new(source, span);
}

/// The Dockerfile's path in the project. Relative to the context for git, to the workspace for a path.
pub(super) fn dockerfile(
    context: &ContextSource,
    file: Option<&Placed>,
    span: Span,
    state: &State,
) -> Option<Setting<String>> {
    let path = match (context, file) {
        (ContextSource::Path(directory), None) => join(directory, "Dockerfile"),
        (ContextSource::Path(_), Some(file)) => workspace(&file.text).and_then(|file| state.locate(file)),
        (ContextSource::Git { own: true, subdir }, file) => {
            join(subdir, file.map_or("Dockerfile", |file| file.text.as_str()))
        }
        // A file of this repository may be used with a context from elsewhere.
        (ContextSource::Unknown(_), Some(file)) => workspace(&file.text).and_then(|file| state.locate(file)),
        _ => None,
    }?;
    Some(Setting::new(path, file.map_or(span, Placed::full_span)))
}

/// A path without the workspace in front.
fn workspace(path: &str) -> Option<&str> {
    let path = path.strip_prefix(super::WORKSPACE).map_or(path, |rest| rest.trim_start_matches('/'));
    (!path.starts_with(['/', '~', '$'])).then_some(path)
}

/// A context as the Docker actions read it.
pub(super) fn context_source(text: &str, state: &State) -> ContextSource {
    if let Some(rest) = text.strip_prefix("{{defaultContext}}") {
        let subdir = rest.strip_prefix(':').and_then(|subdir| join("", subdir));
        return match (rest.is_empty(), subdir) {
            (true, _) => ContextSource::Git { own: true, subdir: String::new() },
            (false, Some(subdir)) => ContextSource::Git { own: true, subdir },
            (false, None) => ContextSource::Unknown(text.to_owned()),
        };
    }
    let remote = ["http://", "https://", "git://", "git@", "ssh://", "github.com/"];
    if remote.iter().any(|start| text.starts_with(start)) {
        let git = text.contains(".git") || text.starts_with("git") || text.starts_with("ssh://");
        if git {
            let subdir =
                text.split_once('#').and_then(|(_, rest)| rest.split_once(':')).map_or("", |(_, sub)| sub);
            return ContextSource::Git { own: false, subdir: subdir.to_owned() };
        }
        return ContextSource::Unknown(text.to_owned());
    }
    match workspace(text).and_then(|path| state.locate(path)) {
        Some(path) => ContextSource::Path(path),
        None => ContextSource::Unknown(text.to_owned()),
    }
}

/// A named context.
pub(super) fn named_context(text: &str, state: &State) -> ContextSource {
    if let Some(image) = text.strip_prefix("docker-image://") {
        return ContextSource::Image(image.to_owned());
    }
    if let Some(target) = text.strip_prefix("target:") {
        return ContextSource::Target(target.to_owned());
    }
    if text.contains("://") && !text.contains(".git") {
        return ContextSource::Unknown(text.to_owned());
    }
    context_source(text, state)
}
