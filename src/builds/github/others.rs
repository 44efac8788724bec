//! Actions of others that build images, with what is known of their inputs.

use super::actions::{self, Uses, context_source};
use super::inputs::Inputs;
use super::state::State;
use crate::builds::{Build, CacheSpec, Driver, Front, Setting, Value};

/// docker/build-push-action, version 1: `docker build` in the workspace.
pub(super) fn build_push_v1(build: &mut Build, uses: &Uses, state: &State, inputs: &mut Inputs<'_, '_, '_>) {
    path_context(build, uses, state, inputs, "path", "dockerfile");
    build.target = inputs.value("target");
    build.args = inputs.args("build_args");
    build.cache_from = references(inputs.list("cache_froms"));
    build.pull = inputs.value("always_pull");
    build.push = inputs.value("push");
    let repository = inputs.value("repository");
    if let (Some(repository), Value::Known(name)) =
        (&repository, repository.as_ref().map_or(Value::Known(String::new()), |r| r.value.clone()))
    {
        let registry =
            inputs.text("registry").map_or(String::new(), |registry| format!("{}/", registry.text));
        build.tags = inputs
            .list("tags")
            .into_iter()
            .map(|tag| {
                let text = format!("{registry}{name}:{}", tag.value.text());
                tag.with(Value::Known(text))
            })
            .collect();
        if build.tags.is_empty() {
            build.tags.push(repository.with(Value::Known(format!("{registry}{name}"))));
        }
    }
    build.builder = state.engine_builder();
    build.builder.versions.extend(uses.component("build-push-action"));
}

/// Any other action; `false` where it builds no image as far as is known.
pub(super) fn read(build: &mut Build, uses: &Uses, state: &State, inputs: &mut Inputs<'_, '_, '_>) -> bool {
    match uses.name.as_str() {
        "redhat-actions/buildah-build" => buildah(build, uses, state, inputs),
        "aevea/action-kaniko" | "int128/kaniko-action" | "outillage/kaniko-action" => {
            kaniko(build, uses, state, inputs)
        }
        "whoan/docker-build-with-cache-action" => {
            path_context(build, uses, state, inputs, "context", "dockerfile");
            build.front = Front::DockerBuild;
            build.builder = state.engine_builder();
            build.args = inputs.args("build_extra_args_lines");
            build.push = inputs.value("push_image_and_stages");
        }
        "mr-smithers-excellent/docker-build-push" => {
            path_context(build, uses, state, inputs, "directory", "dockerfile");
            build.front = Front::DockerBuild;
            build.builder = state.engine_builder();
            build.target = inputs.value("target");
            build.platforms = inputs.list("platform");
            build.args = comma_args(inputs, "buildArgs");
            build.tags = tagged(inputs, "image", "tags");
        }
        "elgohr/publish-docker-github-action" | "elgohr/publish-docker-action" => {
            path_context(build, uses, state, inputs, "context", "dockerfile");
            build.front = Front::DockerBuild;
            build.builder = state.engine_builder();
            build.target = inputs.value("target");
            build.platforms = inputs.list("platforms");
            build.push = Some(Setting::new(Value::Known("true".into()), uses.span));
            build.tags = tagged(inputs, "name", "tags");
        }
        _ => return false,
    }
    true
}

/// Context and Dockerfile of an action that works in the workspace.
fn path_context(
    build: &mut Build,
    uses: &Uses,
    state: &State,
    inputs: &mut Inputs<'_, '_, '_>,
    context: &str,
    file: &str,
) {
    let given = inputs.text(context);
    let span = given.as_ref().map_or(uses.span, |text| text.full_span());
    let source = context_source(given.as_ref().map_or(".", |text| text.text.as_str()), state);
    let file = inputs.text(file);
    build.dockerfile = actions::dockerfile(&source, file.as_ref(), span, state);
    build.context = Setting::new(source, span);
}

/// redhat-actions/buildah-build
fn buildah(build: &mut Build, uses: &Uses, state: &State, inputs: &mut Inputs<'_, '_, '_>) {
    path_context(build, uses, state, inputs, "context", "containerfiles");
    if inputs.span("containerfiles").is_none() && inputs.span("dockerfiles").is_some() {
        path_context(build, uses, state, inputs, "context", "dockerfiles");
    }
    build.front = Front::Buildah;
    build.args = inputs.args("build-args");
    build.platforms = inputs.list("platforms");
    build.tags = tagged(inputs, "image", "tags");
    build.builder.driver = Driver::None;
    build.builder.persistent = state.machine;
}

/// int128/kaniko-action and its kind.
fn kaniko(build: &mut Build, uses: &Uses, state: &State, inputs: &mut Inputs<'_, '_, '_>) {
    let file = if inputs.span("file").is_some() { "file" } else { "build_file" };
    let context = if inputs.span("context").is_some() { "context" } else { "path" };
    path_context(build, uses, state, inputs, context, file);
    build.front = Front::Kaniko;
    build.target = inputs.value("target");
    build.args = inputs.args("build-args");
    build.tags = inputs.list("tags");
    build.push = inputs.value("push");
    build.builder.driver = Driver::None;
    build.builder.persistent = state.machine;
    if inputs.is_true("cache")
        && let Some(repository) = inputs.value("cache-repository").or_else(|| inputs.value("cache_registry"))
    {
        // As [`crate::builds::command`] has it.
        let kind = repository.with(Value::Known("kaniko".into()));
        let spec = CacheSpec { kind, attrs: vec![("ref".into(), repository.clone())], bare: false };
        build.cache_from = vec![repository.with(spec.clone())];
        build.cache_to = vec![repository.with(spec)];
    }
}

/// Bare references as imports.
fn references(list: Vec<Setting<Value>>) -> Vec<Setting<CacheSpec>> {
    list.into_iter()
        .map(|item| {
            let kind = item.with(Value::Known("registry".into()));
            let spec = CacheSpec { kind, attrs: vec![("ref".into(), item.clone())], bare: true };
            item.with(spec)
        })
        .collect()
}

/// `image` with each of `tags`.
fn tagged(inputs: &mut Inputs<'_, '_, '_>, image: &str, tags: &str) -> Vec<Setting<Value>> {
    let Some(image) = inputs.value(image) else { return inputs.list(tags) };
    let tags = inputs.list(tags);
    if tags.is_empty() {
        return vec![image];
    }
    let full =
        |tag: &Setting<Value>| tag.with(Value::Known(format!("{}:{}", image.value.text(), tag.value.text())));
    tags.iter().map(full).collect()
}

fn comma_args(inputs: &mut Inputs<'_, '_, '_>, name: &str) -> Vec<(String, Setting<Value>)> {
    inputs
        .list(name)
        .into_iter()
        .filter_map(|item| {
            let (name, value) = item.value.text().split_once('=')?;
            let value = item.with(Value::Known(value.to_owned()));
            Some((name.to_owned(), value))
        })
        .collect()
}
