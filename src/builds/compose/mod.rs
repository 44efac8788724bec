//! Compose files: `build.*` of every service, `extends`, `include`, several files merged (facts §7.3; compose-go).

mod layers;
mod section;

pub(crate) use section::bake_extension;

use super::{Build, Files, Front, ReadError, Setting, System, Trigger, Value, Vars, join, parent, yaml};
use crate::source::Span;
use layers::{Layer, Loaded};
use std::sync::Arc;

/// Names under which `docker compose` finds its files, each with the name of the override that it takes in beside it.
const DEFAULTS: &[(&str, &[&str])] = &[
    ("compose.yaml", &["compose.override.yaml", "compose.override.yml"]),
    ("compose.yml", &["compose.override.yml", "compose.override.yaml"]),
    ("docker-compose.yml", &["docker-compose.override.yml", "docker-compose.override.yaml"]),
    ("docker-compose.yaml", &["docker-compose.override.yaml", "docker-compose.override.yml"]),
];

/// What is asked of Compose.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The files in the order in which they are merged, relative to the project's root.
    pub files: Vec<String>,
    /// The directory to which the paths in them are relative; that of the first file where it is not given.
    pub directory: Option<String>,
    /// The services to build; all that have a `build` and need no profile, or whose profile is on, if empty.
    pub services: Vec<String>,
    /// Profiles that are on.
    pub profiles: Vec<String>,
    /// What the environment is known to hold.
    pub vars: Vars,
    /// Whether bake reads the files: `x-bake` counts then.
    pub bake: bool,
}

/// The builds that a Compose file defines, merged with the files that belong to it by their names.
///
/// # Errors
/// Where the file is not YAML.
pub fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    let (directory, name) = (parent(path), path.rsplit('/').next().unwrap_or(path));
    let there = |name: &&str| join(directory, name).filter(|path| files(path).is_some());
    let mut request = Request { files: vec![path.to_owned()], ..Request::default() };
    if let Some((_, overrides)) = DEFAULTS.iter().find(|(base, _)| *base == name) {
        request.files.extend(overrides.iter().find_map(there));
    } else {
        let bases = DEFAULTS.iter();
        let base = bases.clone().find(|(base, overrides)| overrides.contains(&name) && there(base).is_some());
        if base.is_some() {
            // It is read with the file that it belongs to.
            return yaml::parse(text).map(|_| Vec::new()).map_err(ReadError::from);
        }
        // `docker-compose.prod.yml` is merged over the base by hand, and says little without it.
        if let Some(base) = DEFAULTS.iter().find_map(|(base, _)| there(base))
            && needs_base(text)
        {
            request.files.insert(0, base);
        }
    }
    // The text at hand counts, not what the lookup has of it.
    let files = |wanted: &str| if wanted == path { Some(text) } else { files(wanted) };
    let mut builds = builds(&request, &files)?;
    if request.files.first().is_some_and(|first| first != path) {
        // Only what this file has a say in: the base is read on its own.
        builds.retain(|build| &*build.path == path);
    }
    Ok(builds)
}

/// Whether a service's `build` has no context of its own.
fn needs_base(text: &str) -> bool {
    let Ok(Some(root)) = yaml::parse(text) else { return false };
    let services = root.get("services").map(|services| services.entries()).unwrap_or_default();
    services.iter().filter_map(|service| service.value.get("build")).any(|build| {
        build.is_map() && build.get("context").is_none() && build.get("dockerfile_inline").is_none()
    })
}

/// The files that `docker compose` takes in `directory` when it is given none, or those of the nearest directory above.
#[must_use]
pub fn default_files(directory: &str, files: Files<'_>) -> Vec<String> {
    let mut directory = directory;
    loop {
        for (base, overrides) in DEFAULTS {
            let there = |name: &&str| join(directory, name).filter(|path| files(path).is_some());
            if let Some(base) = there(base) {
                return std::iter::once(base).chain(overrides.iter().find_map(there)).collect();
            }
        }
        if directory.is_empty() {
            return Vec::new();
        }
        directory = parent(directory);
    }
}

/// The builds that Compose would run. Each stands in the last of the files that has a say in its `build`.
///
/// # Errors
/// Where one of the files is not YAML. Files that are not there are left out.
pub fn builds(request: &Request, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    let loaded = Loaded::read(request, files)?;
    let mut out = Vec::new();
    for (name, layers) in loaded.services() {
        if !wanted(request, name, &layers) {
            continue;
        }
        let Some(home) = layers.iter().rev().find(|layer| layer.node.get("build").is_some()) else {
            continue;
        };
        let span = home.node.entry("build").map_or(home.span, yaml::Entry::span);
        let mut build = Build::new(home.file.clone(), span, System::Compose, Front::Compose);
        build.name = vec![name.to_owned()];
        build.job = home.file.to_string();
        build.trigger = Trigger { unknown: true, ..Trigger::default() };
        section::fill(&mut build, &layers, &loaded.vars, files);
        if request.bake {
            bake_extension(&mut build, &layers, &loaded.vars);
        }
        out.push(build);
    }
    Ok(out)
}

/// Whether a service is asked for: by name, or because nothing is named and no profile keeps it away.
fn wanted(request: &Request, name: &str, layers: &[Layer<'_>]) -> bool {
    if !request.services.is_empty() {
        return request.services.iter().any(|wanted| wanted == name);
    }
    // A file that is read on its own shows all that it defines.
    if request.profiles.is_empty() {
        return true;
    }
    let mut profiles =
        layers.iter().filter_map(|layer| layer.node.get("profiles")).flat_map(|node| node.strings());
    let mut any = false;
    let on = profiles.any(|(profile, _)| {
        any = true;
        request.profiles.iter().any(|on| on == profile || on == "*")
    });
    on || !any
}

/// A value with its place in the file of its layer.
fn setting<T>(value: T, span: Span, file: &Arc<str>, build: &Build) -> Setting<T> {
    let path = (*file != build.path).then(|| file.clone());
    Setting { value, span, path }
}

/// `$$` is Compose's literal dollar: nothing after it is a variable.
fn value_of(text: &str) -> Value {
    if text.contains("$$") && !text.replace("$$", "").contains('$') {
        return Value::Known(text.replace("$$", "$"));
    }
    Value::of(text)
}

#[cfg(test)]
mod tests;
