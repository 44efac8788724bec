//! Google Cloud Build: `cloudbuild.yaml` or `.json`. All steps share one engine on a machine that is new for every build.

use super::lines::{Scripts, command_line, end_to_end};
use super::yaml::{self, Node};
use super::{Build, Driver, Files, Placed, ReadError, Setting, System, Value};
use crate::builds::command::ScriptEnv;
use crate::builds::template::{self, Holes};
use crate::shell::Dialect;
use crate::source::Joined;
use std::ops::Range;

/// The builds of a configuration.
///
/// # Errors
/// Where the file is not YAML.
pub(super) fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let mut env = ScriptEnv::new(path, System::CloudBuild);
    env.here = Some(String::new());
    env.engine.driver = Driver::Docker;
    env.engine.persistent = Some(false);
    env.builder = env.engine.clone();
    for entry in root.get("substitutions").map_or(&[][..], |map| map.entries()) {
        if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
            env.vars.set(name, &Placed::joined(text));
        }
    }
    let options = root.at(&["options", "env"]);
    let mut scripts = Scripts::new(text, env, files);
    for (index, step) in root.get("steps").map_or(&[][..], |steps| steps.items()).iter().enumerate() {
        one(&mut scripts, step, index, options);
    }
    let mut builds = scripts.finish();
    pushed(&mut builds, &root);
    Ok(builds)
}

fn one(scripts: &mut Scripts<'_, '_>, step: &Node<'_>, index: usize, options: Option<&Node<'_>>) {
    let text = |key: &str| step.get(key).and_then(|node| node.str());
    let image = text("name").unwrap_or("");
    let name = text("id").map_or_else(|| format!("step {}", index + 1), str::to_owned);
    scripts.env.name = vec![name];
    let directory = scripts.env.vars.value(text("dir").unwrap_or(""));
    let directory = directory.known();
    scripts.env.cwd = directory.and_then(|directory| super::join("", directory));
    // The configuration of one image is often submitted from its own directory.
    let own = super::parent(&scripts.env.path);
    let guess = directory.filter(|_| !own.is_empty()).and_then(|directory| super::join(own, directory));
    scripts.env.cwd_guesses = guess.into_iter().collect();
    let outer = scripts.env.vars.clone();
    for list in [options, step.get("env").map(|env| &**env)].into_iter().flatten() {
        let items = if list.is_seq() { list.items().to_vec() } else { Vec::new() };
        let single = list.text().into_iter();
        for joined in single.chain(items.iter().filter_map(|item| item.text())) {
            let placed = Placed::joined(&substituted(joined, &mut scripts.holes));
            if let Some((name, value)) = placed.text.split_once('=') {
                let value = placed.slice(name.len() + 1..name.len() + 1 + value.len());
                scripts.env.vars.set(name, &value);
            }
        }
    }
    if let Some(script) = step.get("script").and_then(|script| script.text()) {
        scripts.run(script, Dialect::Posix);
    } else if let Some(program) = program(image, text("entrypoint")) {
        arguments(scripts, step, program);
    }
    scripts.env.vars = outer;
}

/// What runs: the entrypoint, or the builder image's own.
fn program<'s>(image: &str, entrypoint: Option<&'s str>) -> Option<&'s str> {
    if let Some(entrypoint) = entrypoint {
        return Some(entrypoint.rsplit('/').next().unwrap_or(entrypoint));
    }
    let image = image.split('@').next().unwrap_or(image);
    let path = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(image, |(path, _)| path);
    if path.contains("kaniko") {
        return Some("/kaniko/executor");
    }
    Some(match path.rsplit('/').next().unwrap_or(path) {
        "docker" => "docker",
        "docker-compose" => "docker-compose",
        // docker/compose
        "compose" => "docker-compose",
        "buildx" => "buildx",
        "buildah" => "buildah",
        "podman" => "podman",
        "bash" => "bash",
        _ => return None,
    })
}

fn arguments(scripts: &mut Scripts<'_, '_>, step: &Node<'_>, program: &str) {
    let Some(args) = step.get("args") else { return };
    let items: Vec<&Joined<'_>> = match args.text() {
        Some(text) => vec![text],
        None => args.items().iter().filter_map(|item| item.text()).collect(),
    };
    let filled: Vec<Joined<'static>> =
        items.iter().map(|text| substituted(text, &mut scripts.holes)).collect();
    if matches!(program, "bash" | "sh" | "ash" | "busybox") {
        // `-c TEXT`, `-eEuo pipefail -c TEXT`
        let script = filled.iter().position(|text| text.text.starts_with('-') && text.text.ends_with('c'));
        if let Some(script) = script.and_then(|at| filled.get(at + 1)) {
            scripts.run(script, Dialect::Posix);
        }
        return;
    }
    let line = command_line(program, filled.iter());
    let before = scripts.builds.len();
    scripts.run(&line, Dialect::Posix);
    for build in scripts.builds.iter_mut().skip(before) {
        build.span = step.span;
    }
}

/// `$$` is a dollar that is left for the shell; what Cloud Build replaces itself stays as a variable.
fn substituted(text: &Joined<'_>, holes: &mut Holes) -> Joined<'static> {
    end_to_end(std::iter::once(&template::fill(text, holes, &dollars, &mut |_, _| "$".to_owned())))
}

fn dollars(text: &str, from: usize) -> Option<Range<usize>> {
    let at = from + memchr::memmem::find(text.as_bytes().get(from..)?, b"$$")?;
    Some(at..at + 2)
}

/// `images:` are pushed when all steps are done.
fn pushed(builds: &mut [Build], root: &Node<'_>) {
    let Some(images) = root.get("images") else { return };
    for (image, span) in images.strings() {
        let image = image.trim_end_matches(":latest").replace("${", "$").replace('}', "");
        for build in builds.iter_mut().filter(|build| build.push.is_none()) {
            let same = |tag: &Setting<Value>| {
                let tag = tag.value.text().replace("${", "$").replace('}', "");
                tag == image
                    || tag.trim_end_matches(":latest") == image
                    || tag.split_once(':').is_some_and(|(name, _)| name == image)
            };
            if build.tags.iter().any(same) {
                build.push = Some(Setting::new(Value::Known("true".into()), span));
            }
        }
    }
}
