//! docker/github-builder: reusable workflows that build an image or a bake target on machines of their own, each platform on
//! one (its README and workflows, v1).

use super::actions::Uses;
use super::context::Context;
use super::event::{self, Kind};
use super::inputs::Inputs;
use super::runner;
use super::workflow::{File, Reader};
use crate::builds::bake::{self, Override, Request};
use crate::builds::expr::Val;
use crate::builds::yaml::Node;
use crate::builds::{
    Build, CacheSpec, ContextSource, Driver, Front, Placed, Setting, System, Value, Vars, Volatility, join,
};
use crate::source::Span;

const WORKFLOWS: &str = "docker/github-builder/.github/workflows/";

/// As many platforms as the workflows take.
const MAX_PLATFORMS: usize = 20;

/// A job that may call one of the workflows.
pub(super) struct Caller<'c, 'a> {
    /// The file of the job.
    pub file: &'c File<'c>,
    /// The job.
    pub job: &'c Node<'a>,
    /// Its `uses`.
    pub uses: &'c Node<'a>,
    /// See [`Build::name`].
    pub names: &'c [String],
    /// See [`Build::job`].
    pub key: &'c str,
    /// See [`Build::matrix`].
    pub leg: &'c [(String, String)],
}

/// Reads a job that calls one of the workflows; `false` where it calls something else.
pub(super) fn called(reader: &mut Reader<'_>, caller: &Caller<'_, '_>, context: &Context<'_>) -> bool {
    let Some(text) = caller.uses.str() else { return false };
    let uses = Uses::new(text, caller.uses.span, caller.file.text);
    let files = reader.files;
    let mut inputs = Inputs::new(caller.job, context, &mut reader.holes);
    let starter = starter(caller, &uses, context, &mut inputs);
    let builds = match uses.name.strip_prefix(WORKFLOWS) {
        Some("build.yml") => vec![dockerfile(starter, &uses, context, &mut inputs)],
        Some("bake.yml") => target(starter, &uses, &mut inputs, files),
        // The others build nothing.
        other => return other.is_some(),
    };
    let distributed = inputs.known("distribute").is_none_or(|value| value.value != "false");
    let cache = Cache::of(&mut inputs);
    let mut found = Vec::new();
    for build in builds {
        found.extend(on_machines(build, distributed, &cache));
    }
    for mut build in found {
        reader.holes.restore(&mut build);
        build.at_home();
        reader.builds.push(build);
    }
    true
}

/// What both workflows do with every build.
fn starter(
    caller: &Caller<'_, '_>,
    uses: &Uses,
    context: &Context<'_>,
    inputs: &mut Inputs<'_, '_, '_>,
) -> Build {
    let path = caller.file.path.clone();
    let mut build = Build::new(path, caller.job.span, System::GithubActions, Front::GithubBuilder);
    build.name = caller.names.to_vec();
    build.matrix = caller.leg.to_vec();
    build.job = caller.key.to_owned();
    build.trigger = event::trigger([context.event]);
    build.template = context.event.kind == Kind::Called;
    build.gha_token = Some(true);
    build.push = inputs.value("push");
    build.builder.driver = Driver::DockerContainer;
    build.builder.set_by = Some(uses.span);
    build.builder.persistent = machines(inputs);
    let unknown = |image: &Setting<Value>| {
        let text = format!("{}:${{meta-tags}}", image.value.text());
        image.with(Value::Symbolic { text, volatility: Volatility::Unknown })
    };
    build.tags = inputs.list("meta-images").iter().map(unknown).collect();
    build
}

/// Whether the machines outlive the job: GitHub's own, unless `runner` names others, for all platforms or for some
/// (`linux/arm64=LABEL`).
fn machines(inputs: &mut Inputs<'_, '_, '_>) -> Option<bool> {
    let fresh = |line: &Placed| {
        let label = line.text.rsplit('=').next().unwrap_or("").trim().to_owned();
        // What earlier versions called those of GitHub.
        if matches!(label.as_str(), "auto" | "amd64" | "arm64") {
            return true;
        }
        runner::persistent(&Val::Str(label)) == Some(false)
    };
    inputs.lines("runner").iter().all(fresh).then_some(false)
}

/// `build.yml`: a Dockerfile of the commit.
fn dockerfile(
    mut build: Build,
    uses: &Uses,
    context: &Context<'_>,
    inputs: &mut Inputs<'_, '_, '_>,
) -> Build {
    let (subdir, span) = source(uses, inputs);
    let file = inputs.text("file");
    let name = file.as_ref().map_or("Dockerfile", |file| file.text.as_str());
    let path = subdir.as_ref().and_then(|subdir| join(subdir, name));
    build.dockerfile = path.map(|path| Setting::new(path, file.as_ref().map_or(span, Placed::full_span)));
    let source = match subdir {
        Some(subdir) => ContextSource::Git { own: true, subdir },
        None => ContextSource::Unknown(String::new()),
    };
    build.context = Setting::new(source, span);
    build.target = inputs.value("target");
    build.platforms = inputs.list("platforms");
    build.args = inputs.args("build-args");
    // `{{meta.version}}` is the branch or the release.
    let volatility = match context.event.kind {
        Kind::PushDefault | Kind::Schedule => Volatility::Fixed,
        Kind::PushTag | Kind::Release => Volatility::PerRelease,
        _ => Volatility::PerBranch,
    };
    for (_, value) in &mut build.args {
        if let Value::Known(text) = &value.value
            && text.contains("{{")
        {
            value.value = Value::Symbolic { text: text.clone(), volatility };
        }
    }
    build
}

/// `bake.yml`: one target of a bake file of the commit.
fn target(
    starter: Build,
    uses: &Uses,
    inputs: &mut Inputs<'_, '_, '_>,
    files: crate::builds::Files<'_>,
) -> Vec<Build> {
    let (subdir, span) = source(uses, inputs);
    let target = inputs.text("target").map_or_else(|| "default".to_owned(), |target| target.text);
    let mut unknown = starter.clone();
    unknown.name.push(target.clone());
    unknown.context = Setting::new(ContextSource::Unknown(String::new()), span);
    let Some(cwd) = subdir.filter(|_| !inputs.has_hole(&target)) else { return vec![unknown] };
    let mut paths: Vec<String> =
        inputs.list("files").iter().filter_map(|file| join(&cwd, file.value.text())).collect();
    if paths.is_empty() {
        paths.extend(join(&cwd, "docker-bake.hcl"));
    }
    let mut vars = Vars::default();
    for line in inputs.lines("vars") {
        if let Some((name, value)) = line.text.split_once('=') {
            vars.set_foreign(name, value);
        }
    }
    let request = Request { files: paths, cwd: Some(cwd.clone()), targets: vec![target], vars };
    let tags = starter.tags.clone();
    let found = bake::builds(&request, files).unwrap_or_default();
    if found.is_empty() {
        return vec![unknown];
    }
    let mut builds: Vec<Build> = found.into_iter().map(|build| build.started_by(&starter)).collect();
    let overrides: Vec<Override> = inputs.lines("set").iter().filter_map(Override::parse).collect();
    bake::apply(&overrides, &mut builds, Some(&cwd));
    for build in &mut builds {
        build.tags.clone_from(&tags);
        super::bake::remote(&mut build.context);
        build.contexts.iter_mut().for_each(|(_, context)| super::bake::remote(context));
    }
    builds
}

/// The subdirectory of the commit that `context` names, `None` where it is not known; and where that is written.
fn source(uses: &Uses, inputs: &mut Inputs<'_, '_, '_>) -> (Option<String>, Span) {
    let Some(text) = inputs.text("context") else { return (Some(String::new()), uses.span) };
    let subdir = if inputs.has_hole(&text.text) { None } else { join("", &text.text) };
    (subdir, text.full_span())
}

/// The inputs of the cache, which is GitHub's or none.
struct Cache {
    /// `cache`, unless it is left out.
    on: Option<Setting<Value>>,
    /// Whether it is on only sometimes.
    conditional: bool,
    /// `cache-scope`
    scope: Option<Setting<Value>>,
    /// `cache-mode`
    mode: Option<Setting<Value>>,
}

impl Cache {
    fn of(inputs: &mut Inputs<'_, '_, '_>) -> Self {
        let on = inputs.value("cache");
        let conditional = on.as_ref().is_some_and(|on| inputs.has_hole(on.value.text()));
        Self { on, conditional, scope: inputs.value("cache-scope"), mode: inputs.value("cache-mode") }
    }

    /// Gives a build for `platform` its caches.
    fn apply(&self, build: &mut Build, platform: Option<&str>) {
        let Some(on) = &self.on else { return };
        if !self.conditional && !on.value.text().eq_ignore_ascii_case("true") {
            build.declined = Some(on.with(()));
            return;
        }
        let target = match build.front {
            _ if build.defined.is_some() => build.name.last().map(String::as_str),
            _ => build.target.as_ref().map(|target| target.value.text()),
        };
        let scope = self.scope.as_ref().map(|scope| scope.value.text()).or(target).unwrap_or("buildkit");
        let suffix = platform.map(|platform| format!("-{}", platform.replace('/', "-"))).unwrap_or_default();
        let scope = self.scope.as_ref().unwrap_or(on).with(Value::Known(format!("{scope}{suffix}")));
        let attrs = vec![("scope".to_owned(), scope)];
        let import = CacheSpec { kind: on.with(Value::Known("gha".into())), attrs, bare: false };
        let mut export = import.clone();
        export.attrs.extend(self.mode.iter().map(|mode| ("mode".to_owned(), mode.clone())));
        export.attrs.push(("ignore-error".to_owned(), on.with(Value::Known("true".into()))));
        build.cache_from = vec![on.with(import)];
        build.cache_to = vec![on.with(export)];
        build.conditional_export = self.conditional;
    }
}

/// The build on each of the machines on which it runs: one for every platform, unless they are not distributed.
fn on_machines(build: Build, distributed: bool, cache: &Cache) -> Vec<Build> {
    let platforms = if distributed { build.platforms.clone() } else { Vec::new() };
    if platforms.is_empty() {
        let mut build = build;
        cache.apply(&mut build, None);
        return vec![build];
    }
    let on = |platform: &Setting<Value>| {
        let name = platform.value.text().to_owned();
        let mut build = build.clone();
        cache.apply(&mut build, Some(&name));
        build.job = format!("{} > {name}", build.job);
        build.matrix.push(("platform".to_owned(), name));
        build.platforms = vec![platform.clone()];
        build
    };
    platforms.iter().take(MAX_PLATFORMS).map(on).collect()
}
