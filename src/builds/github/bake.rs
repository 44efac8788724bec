//! docker/bake-action (facts §7.4).

use super::actions::Uses;
use super::inputs::Inputs;
use super::state::State;
use crate::builds::bake::{self, Override, Request};
use crate::builds::{
    Build, Builder, CacheSpec, ContextSource, Driver, Files, Front, Setting, Value, Vars, Volatility, join,
};

/// The first version whose default source is the commit's git context.
const GIT_FROM: u32 = 6;

/// The builds of one bake step. `starter` is what the job says; `vars` is the environment of the step.
pub(super) fn read(
    mut starter: Build,
    uses: &Uses,
    state: &State,
    inputs: &mut Inputs<'_, '_, '_>,
    vars: Vars,
    files: Files<'_>,
) -> Vec<Build> {
    let depot = uses.name.starts_with("depot/");
    starter.front = if depot { Front::Other } else { Front::Bake };
    starter.gha_token = Some(true);
    starter.push = inputs.value("push").filter(|push| push.value.known() != Some("false"));
    starter.load = inputs.value("load");
    starter.pull = inputs.value("pull");
    starter.no_cache = inputs.value("no-cache");
    starter.builder = match inputs.text("builder") {
        Some(name) => state.named(&name.text, inputs.written("builder")),
        None if depot => Builder {
            driver: Driver::Remote,
            set_by: Some(uses.span),
            persistent: Some(true),
            ..state.engine.clone()
        },
        None => state.current(),
    };
    if !depot {
        starter.builder.versions.extend(uses.component("bake-action"));
    }
    let source = inputs.text("source").map(|source| source.text);
    let (git, subdir) = match source.as_deref() {
        None => (!depot && uses.major().is_none_or(|major| major >= GIT_FROM), String::new()),
        Some(text) => match text.strip_prefix("{{defaultContext}}") {
            Some(rest) => (true, rest.trim_start_matches(':').to_owned()),
            None if text.contains("://") || text.starts_with("git@") => {
                return vec![unknown(starter, inputs)];
            }
            None => (false, text.to_owned()),
        },
    };
    let workdir = inputs.text("workdir").map_or_else(String::new, |text| text.text);
    let base = if git { subdir } else { workdir };
    let cwd = if git { join("", &base) } else { state.locate(&base) };
    let Some(cwd) = cwd.filter(|_| !inputs.has_hole(&base)) else { return vec![unknown(starter, inputs)] };
    let mut paths = Vec::new();
    for file in inputs.list("files") {
        let text = file.value.text();
        let path = text.strip_prefix("cwd://").unwrap_or(text);
        // What another action writes is not there to be read.
        if !inputs.has_hole(path) {
            paths.extend(join(&cwd, path.trim_start_matches("./")));
        }
    }
    if inputs.span("files").is_none() {
        paths = bake::default_files(&cwd, files);
    }
    let targets = inputs.list("targets");
    if targets.iter().any(|target| inputs.has_hole(target.value.text())) {
        return vec![unknown(starter, inputs)];
    }
    let mut vars = vars;
    for line in inputs.lines("vars") {
        if let Some((name, value)) = line.text.split_once('=') {
            vars.set_foreign(name, value);
        }
    }
    let targets = targets.iter().map(|target| target.value.text().to_owned()).collect();
    let request = Request { files: paths, cwd: Some(cwd.clone()), targets, vars };
    let found = bake::builds(&request, files).unwrap_or_default();
    if found.is_empty() {
        return vec![unknown(starter, inputs)];
    }
    let mut builds: Vec<Build> = found.into_iter().map(|build| build.started_by(&starter)).collect();
    let overrides: Vec<Override> = inputs.lines("set").iter().filter_map(Override::parse).collect();
    bake::apply(&overrides, &mut builds, Some(&cwd));
    // What another step computes may set anything, caches too.
    for line in inputs.lines("set") {
        if Override::parse(&line).is_none() && inputs.has_hole(&line.text) {
            let value = Value::Symbolic { text: line.text.clone(), volatility: Volatility::Unknown };
            let span = line.full_span();
            let spec = CacheSpec { kind: Setting::new(value, span), attrs: Vec::new(), bare: false };
            for build in &mut builds {
                build.cache_from.push(Setting::new(spec.clone(), span));
                build.cache_to.push(Setting::new(spec.clone(), span));
            }
        }
    }
    if git {
        builds.iter_mut().for_each(|build| remote(&mut build.context));
        for build in &mut builds {
            build.contexts.iter_mut().for_each(|(_, context)| remote(context));
        }
    }
    builds
}

/// A step of which no target is known.
fn unknown(mut starter: Build, inputs: &mut Inputs<'_, '_, '_>) -> Build {
    let span = starter.span;
    starter.context = Setting::new(ContextSource::Unknown(String::new()), span);
    starter.name.extend(inputs.list("targets").iter().map(|target| target.value.text().to_owned()));
    starter
}

/// Paths of a definition that is read from git are paths in that repository.
pub(super) fn remote(context: &mut Setting<ContextSource>) {
    if let ContextSource::Path(path) = &context.value {
        context.value = ContextSource::Git { own: true, subdir: path.clone() };
    }
}
