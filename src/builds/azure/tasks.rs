//! The tasks that build images or run scripts: Docker@0 to @2, DockerCompose, Bash, CmdLine, AzureCLI.

use super::scope::Scope;
use super::walk::{File, script};
use crate::builds::command::{self, Base, ScriptEnv};
use crate::builds::compose::{self, Request};
use crate::builds::lines::{self, Scripts};
use crate::builds::template::Holes;
use crate::builds::yaml::Node;
use crate::builds::{
    Build, ContextSource, Files, Front, Placed, Setting, Value, Vars, Volatility, join, parent,
};
use crate::shell::Dialect;
use crate::source::Joined;
use std::sync::Arc;

/// The builds of one task.
pub(super) fn task(
    files: Files<'_>,
    file: &File<'_>,
    step: &Node<'_>,
    task: &str,
    scope: &Scope,
    env: &mut ScriptEnv,
) -> Vec<Build> {
    let (name, version) = task.split_once('@').unwrap_or((task, ""));
    let name = name.rsplit('.').next().unwrap_or(name);
    let Some(inputs) = step.get("inputs") else { return Vec::new() };
    let mut run = |key: &str| {
        let text = input(inputs, key).and_then(|node| node.text());
        let directory = ["workingDirectory", "cwd"].iter().find_map(|key| input(inputs, key)?.text());
        text.map(|text| script(files, file, step, text, directory, Dialect::Posix, scope, env))
            .unwrap_or_default()
    };
    match name.to_ascii_lowercase().as_str() {
        "bash" | "cmdline" | "powershell" => run("script"),
        "azurecli" => run("inlineScript"),
        "cache" => {
            let path = input(inputs, "path").and_then(|node| node.text());
            if let Some(text) = path {
                let mut holes = Holes::default();
                let filled = Placed::joined(&scope.fill(text, &mut holes));
                if !holes.has(&filled.text) {
                    env.kept.push(Setting::new(Value::of(filled.text.as_str()), filled.full_span()));
                }
            }
            Vec::new()
        }
        "docker" => {
            let mut holes = Holes::default();
            let inputs = Inputs { inputs, scope, holes: &mut holes };
            let mut builds = docker(files, file, step, version, inputs, env);
            builds.iter_mut().for_each(|build| holes.restore(build));
            builds
        }
        "dockercompose" => {
            let mut holes = Holes::default();
            let inputs = Inputs { inputs, scope, holes: &mut holes };
            let mut builds = docker_compose(files, file, step, inputs, env);
            builds.iter_mut().for_each(|build| holes.restore(build));
            builds
        }
        _ => Vec::new(),
    }
}

/// Inputs have no case.
fn input<'n, 'a>(inputs: &'n Node<'a>, name: &str) -> Option<&'n Node<'a>> {
    let entries = inputs.entries();
    entries
        .iter()
        .rev()
        .find(|entry| entry.name().is_some_and(|own| own.eq_ignore_ascii_case(name)))
        .map(|entry| &*entry.value)
}

struct Inputs<'s, 'a> {
    inputs: &'s Node<'a>,
    scope: &'s Scope,
    holes: &'s mut Holes,
}

impl Inputs<'_, '_> {
    fn text(&mut self, names: &[&str]) -> Option<Placed> {
        let text = names.iter().find_map(|name| input(self.inputs, name)?.text())?;
        let placed = Placed::joined(&self.scope.fill(text, self.holes));
        let end = placed.text.trim_end().len();
        (end > 0).then(|| placed.slice(0..end))
    }
}

fn docker(
    files: Files<'_>,
    file: &File<'_>,
    step: &Node<'_>,
    version: &str,
    mut inputs: Inputs<'_, '_>,
    env: &ScriptEnv,
) -> Vec<Build> {
    let command =
        inputs.text(&["command", "action"]).map_or_else(|| "buildAndPush".to_owned(), |text| text.text);
    let command = command.to_ascii_lowercase();
    let (builds, pushes) = match command.as_str() {
        "buildandpush" => (true, true),
        "build" | "build an image" => (true, false),
        "build image" => (true, false),
        _ => (false, false),
    };
    if !builds
        || matches!(version, "0" | "1") && command == "buildandpush" && inputs.text(&["imageName"]).is_none()
    {
        return Vec::new();
    }
    // `arguments` go to the command line as they are; buildAndPush ignores them.
    let given =
        ["arguments", "additionalBuildArguments"].iter().find_map(|name| input(inputs.inputs, name)?.text());
    let line = match given.filter(|_| !pushes) {
        Some(text) => {
            let filled = inputs.scope.fill(text, inputs.holes);
            let flat = Joined::decoded(
                filled.text.replace('\n', " ").into(),
                filled.segments().collect(),
                filled.full_span().end,
            );
            lines::around("docker build ", &flat, " .")
        }
        None => lines::at("docker build .", step.span),
    };
    let mut step_env = env.clone();
    step_env.path = Arc::clone(&file.path);
    let name = step.get("displayName").and_then(|name| name.str());
    step_env.name.extend(name.map(|name| inputs.scope.text(name).to_text()));
    let mut scripts = Scripts::new(file.text, step_env, files);
    scripts.run(&line, Dialect::Posix);
    let mut found = scripts.finish();
    let Some(build) = found.first_mut() else { return found };
    build.span = step.span;
    build.front = Front::DockerBuild;
    place(build, files, &mut inputs);
    for text in inputs.text(&["buildArguments"]).iter().flat_map(Placed::lines) {
        if let Some((name, value)) = text.text.split_once('=') {
            build.args.push((name.to_owned(), Setting::new(Value::of(value), text.full_span())));
        }
    }
    tags(build, &mut inputs);
    build.push = Some(Setting::new(Value::Known(pushes.to_string()), step.span));
    if !pushes {
        build.push = None;
    }
    found.truncate(1);
    found
}

/// Dockerfile and context: `**/Dockerfile` is the first that is found, `**` its directory.
fn place(build: &mut Build, files: Files<'_>, inputs: &mut Inputs<'_, '_>) {
    let base = Base { cwd: Some(""), here: "" };
    let file = inputs.text(&["Dockerfile", "dockerFile"]);
    let span = file.as_ref().map_or(build.span, Placed::full_span);
    let path = match file.as_ref().map(|file| file.text.as_str()) {
        None => files("Dockerfile").map(|_| "Dockerfile".to_owned()),
        Some(text) if text.contains('*') => {
            let name = text
                .rsplit_once("**/")
                .map_or_else(|| text.rsplit('/').next().unwrap_or(text), |(_, name)| name);
            let start = text.split("**").next().unwrap_or("");
            let start = command::resolve(if start.is_empty() { "." } else { start }, base);
            start
                .and_then(|start| join(&start, name))
                .filter(|path| !path.contains('*') && files(path).is_some())
        }
        Some(text) => command::resolve(text, base),
    };
    build.dockerfile = path.map(|path| Setting::new(path, span));
    let context = inputs.text(&["buildContext", "context"]).filter(|text| text.text != "**");
    build.context = match context {
        None => {
            let directory = build.dockerfile.as_ref().map(|path| parent(&path.value).to_owned());
            let source = directory.map_or_else(|| ContextSource::Unknown("**".into()), ContextSource::Path);
            Setting::new(source, span)
        }
        Some(text) => {
            let source = command::context_source(&text.text, |path| command::resolve(path, base));
            Setting::new(source, text.full_span())
        }
    };
}

fn tags(build: &mut Build, inputs: &mut Inputs<'_, '_>) {
    let Some(repository) = inputs.text(&["repository", "imageName"]) else { return };
    // The connection's name says nothing of the registry's address.
    let registry = inputs.text(&["containerRegistry"]).map_or(String::new(), |registry| {
        let text = format!("$(containerRegistry {})", registry.text);
        format!("{}/", inputs.holes.stand_in(text, Volatility::Fixed))
    });
    if repository.text.contains(':') {
        build.tags.push(Setting::new(Value::of(repository.text.as_str()), repository.full_span()));
        return;
    }
    let tags = inputs.text(&["tags"]);
    let Some(tags) = tags else {
        let text = format!("{registry}{}:$(Build.BuildId)", repository.text);
        build.tags.push(Setting::new(Value::of(text), repository.full_span()));
        return;
    };
    for tag in tags.split(|ch| ch == '\n' || ch == ',') {
        let text = format!("{registry}{}:{}", repository.text, tag.text);
        build.tags.push(Setting::new(Value::of(text), tag.full_span()));
    }
}

fn docker_compose(
    files: Files<'_>,
    file: &File<'_>,
    step: &Node<'_>,
    mut inputs: Inputs<'_, '_>,
    env: &ScriptEnv,
) -> Vec<Build> {
    let action = inputs.text(&["action"]).map_or(String::new(), |text| text.text.to_ascii_lowercase());
    let command = inputs.text(&["dockerComposeCommand"]).map_or(String::new(), |text| text.text);
    let builds = action.contains("build")
        || action.contains("command") && (command.starts_with("build") || command.contains("--build"));
    if !builds {
        return Vec::new();
    }
    let base = Base { cwd: Some(""), here: "" };
    let resolve = |text: &str| {
        if let Some(name) = text.strip_prefix("**/") {
            return files(name).map(|_| name.to_owned());
        }
        command::resolve(text, base)
    };
    let main = inputs
        .text(&["dockerComposeFile"])
        .map_or_else(|| "**/docker-compose.yml".to_owned(), |text| text.text);
    let Some(main) = resolve(&main) else { return Vec::new() };
    let directory = parent(&main).to_owned();
    let mut request = Request { files: vec![main], vars: Vars::default(), ..Request::default() };
    for extra in inputs.text(&["additionalDockerComposeFiles"]).iter().flat_map(Placed::lines) {
        // Relative to the first file (the task's documentation).
        request.files.extend(join(&directory, &extra.text));
    }
    for line in inputs.text(&["dockerComposeFileArgs"]).iter().flat_map(Placed::lines) {
        if let Some((name, value)) = line.text.split_once('=') {
            request.vars.set_foreign(name, value);
        }
    }
    let words = command.split_whitespace().skip(1);
    request.services = words.filter(|word| !word.starts_with('-')).map(str::to_owned).collect();
    let mut step_env = env.clone();
    step_env.path = Arc::clone(&file.path);
    step_env.name.extend(step.get("displayName").and_then(|name| name.str()).map(str::to_owned));
    let starter = step_env.build(step.span, Front::Compose);
    let made = compose::builds(&request, files).unwrap_or_default();
    made.into_iter().map(|build| build.started_by(&starter)).collect()
}
