//! What a build's cache settings come to in the place where it runs (facts §5, §6).

use super::build::{Export, ExportMode};
use super::model::Setting;
use super::setting::{mode_of, ref_of, tagged};
use crate::builds::{Build, CacheSpec, Driver, Front, Setting as Written, Value};

/// Whether the builder in use can export a cache of that type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It can.
    Works,
    /// The build fails, and why.
    Refused(String),
    /// The front end drops the export without a word, and why.
    Dropped(String),
    /// It turns on something that the files do not tell: what.
    Turns(String),
}

/// The engine's version in which new installations keep images in containerd's store, which can export caches (facts §6).
const CONTAINERD_DEFAULT: u32 = 29;

/// Whether `build` can export `spec`.
#[must_use]
pub fn support(build: &Build, spec: &CacheSpec) -> Support {
    let kind = spec.kind().unwrap_or("").to_ascii_lowercase();
    if build.front == Front::ComposeClassic {
        return Support::Dropped("the old docker-compose knows no cache exports".into());
    }
    if kind == "gha" && build.gha_token == Some(false) && build.front != Front::Buildctl {
        return Support::Dropped("a run step does not have the token that type=gha needs".into());
    }
    if kind == "inline" || kind.is_empty() {
        return Support::Works;
    }
    if build.builder.driver == Driver::Unknown
        && build.builder.set_by.is_none()
        && matches!(build.front, Front::DockerBuild | Front::Buildx | Front::Compose)
    {
        return Support::Turns(format!(
            "nothing here creates a builder, and the default docker driver exports type={kind} only with containerd's image \
             store"
        ));
    }
    if build.builder.driver != Driver::Docker {
        return Support::Works;
    }
    let classic = || {
        Support::Refused(format!(
            "the docker driver with the classic image store exports type=inline only, not type={kind}"
        ))
    };
    match build.builder.containerd_store.or_else(|| engine(build).map(|major| major >= CONTAINERD_DEFAULT)) {
        Some(true) if matches!(kind.as_str(), "s3" | "azblob") => {
            Support::Refused(format!("the docker driver does not export type={kind}"))
        }
        Some(true) => Support::Works,
        Some(false) => classic(),
        None => Support::Turns(format!(
            "the docker driver exports type={kind} only with containerd's image store, the default of new installations from \
             Engine {CONTAINERD_DEFAULT} on"
        )),
    }
}

/// The engine's major version, where a file names it.
fn engine(build: &Build) -> Option<u32> {
    let (_, version) = build.builder.versions.iter().find(|(name, _)| name == "engine")?;
    version.value.split(['.', '-']).next()?.parse().ok()
}

/// Whether the build starts with an empty local cache.
#[must_use]
pub fn is_fresh(build: &Build) -> bool {
    build.builder.persistent == Some(false)
}

/// Where the build runs as its settings say, taking every exporter to work. An inline cache is in the pushed image, so what the
/// build imports from a registry is taken to be that image.
#[must_use]
pub fn setting_of(build: &Build) -> Setting {
    let mut setting = Setting { fresh: true, pushed: is_pushed(build), ..Setting::default() };
    setting.imports = build.cache_from.iter().filter_map(|spec| ref_of(&spec.value)).collect();
    for spec in &build.cache_to {
        if mode_of(&spec.value) == ExportMode::Inline {
            let images = build
                .tags
                .iter()
                .map(|tag| tagged(text(&tag.value)).into_owned())
                .chain(setting.imports.iter().cloned());
            setting.exports.extend(images.map(|to| Export { to, mode: ExportMode::Inline }));
        } else if let Some(to) = ref_of(&spec.value) {
            setting.exports.push(Export { to, mode: mode_of(&spec.value) });
        }
    }
    setting.exports.dedup();
    setting
}

/// The setting with imports that read what it exports. What one build exports in one mode holds the same wherever it is
/// written (an inline cache in every tag): one of them is enough.
#[must_use]
pub fn read_back(mut setting: Setting) -> Setting {
    let mut told = Vec::new();
    setting.exports.retain(|export| {
        let new = !told.contains(&export.mode);
        told.push(export.mode);
        new
    });
    setting.imports = setting.exports.iter().map(|export| export.to.clone()).collect();
    setting
}

/// The same place with every export as `mode`, written where it is written now, or for inline to what is imported.
#[must_use]
pub fn with_mode(setting: &Setting, mode: ExportMode) -> Setting {
    let mut changed = setting.clone();
    for export in &mut changed.exports {
        export.mode = mode;
    }
    changed
}

/// Whether the image is pushed; an expression counts, since it holds in some runs.
#[must_use]
pub fn is_pushed(build: &Build) -> bool {
    let yes = |setting: &Written<Value>| !matches!(&setting.value, Value::Known(text) if text == "false");
    build.push.as_ref().is_some_and(yes)
}

/// The text of a value, known or symbolic.
#[must_use]
pub fn text(value: &Value) -> &str {
    match value {
        Value::Known(text) | Value::Symbolic { text, .. } => text,
    }
}
