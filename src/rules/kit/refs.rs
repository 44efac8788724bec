//! Who writes which cache and who reads it, over all builds of the project.

use super::{BuildCx, ProjectCx};
use crate::builds::{CacheSpec, Front, Setting, Value, Volatility, may_be_same};
use crate::cache::{self, ExportMode, mode_of};

/// A cache that a build writes or reads.
#[derive(Debug)]
pub struct CacheRef<'c, 'a> {
    /// The build.
    pub build: &'c BuildCx<'a>,
    /// The setting.
    pub spec: &'a Setting<CacheSpec>,
    /// Where it is, as the model names it ([`cache::ref_of`]).
    pub name: String,
}

/// The caches of a project. Those of kaniko and buildah are none of BuildKit's.
#[derive(Debug, Default)]
pub struct Refs<'c, 'a> {
    /// Exports to a place of their own.
    pub exports: Vec<CacheRef<'c, 'a>>,
    /// Inline exports, by each image that carries one.
    pub inline: Vec<CacheRef<'c, 'a>>,
    /// Imports.
    pub imports: Vec<CacheRef<'c, 'a>>,
    /// Whether some export says only at run time what it is.
    pub open_exports: bool,
    /// Whether some import does.
    pub open_imports: bool,
    /// Whether workflows of other repositories run here, which may use GitHub's cache.
    elsewhere: bool,
}

impl<'c, 'a> Refs<'c, 'a> {
    /// The caches of the project's builds.
    #[must_use]
    pub fn of(cx: &ProjectCx<'a>) -> Refs<'a, 'a> {
        let mut refs = Refs { elsewhere: calls_workflows_of_others(cx), ..Refs::default() };
        for build in cx.builds.iter().filter(|build| !is_other(build)) {
            for spec in &build.build.cache_to {
                if mode_of(&spec.value) == ExportMode::Inline {
                    let images = build.build.tags.iter().map(|tag| cache::image_ref(&tag.value));
                    refs.inline.extend(images.map(|name| CacheRef { build, spec, name }));
                    // Tags that nobody reads may be any.
                    refs.open_exports |= build.build.tags.is_empty();
                } else if let Some(name) = cache::ref_of(&spec.value) {
                    refs.exports.push(CacheRef { build, spec, name });
                } else {
                    refs.open_exports |= spec.value.kind().is_none();
                }
            }
            for spec in &build.build.cache_from {
                match cache::ref_of(&spec.value) {
                    Some(name) => refs.imports.push(CacheRef { build, spec, name }),
                    None => refs.open_imports |= spec.value.kind().is_none(),
                }
            }
        }
        refs
    }

    /// Whether some build may import what is exported to `name`.
    #[must_use]
    pub fn is_imported(&self, name: &str) -> bool {
        let elsewhere = self.elsewhere && name.starts_with("gha:");
        elsewhere
            || self.open_imports
            || self.imports.iter().any(|import| may_be_same_ref(&import.name, name))
    }

    /// Whether some build may export to `name`, be it inline.
    #[must_use]
    pub fn is_exported(&self, name: &str) -> bool {
        let elsewhere = self.elsewhere && name.starts_with("gha:");
        // Another tag of an image may be given to it after the build (`imagetools create`).
        let image = |inline: &CacheRef<'_, '_>| may_be_same(repository(&inline.name), repository(name));
        elsewhere
            || self.open_exports
            || self.exports.iter().any(|export| may_be_same_ref(&export.name, name))
            || self.inline.iter().any(image)
    }
}

/// Whether some workflow calls one that stands in another repository: `uses: owner/repository/.github/workflows/…`.
fn calls_workflows_of_others(cx: &ProjectCx<'_>) -> bool {
    const WORKFLOWS: &str = "/.github/workflows/";
    let calls = |text: &str| {
        memchr::memmem::find_iter(text.as_bytes(), WORKFLOWS.as_bytes()).any(|at| {
            let line =
                text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or("").trim_start();
            let called = line
                .trim_start_matches("- ")
                .strip_prefix("uses:")
                .map(|called| called.trim_matches([' ', '"', '\'']));
            // Docker's own are read.
            let read =
                |called: &str| called.starts_with(['.', '$']) || called.starts_with("docker/github-builder/");
            called.is_some_and(|called| !read(called) && !called.is_empty())
        })
    };
    cx.others.iter().filter(|file| file.path.starts_with(".github/")).any(|file| calls(&file.text))
}

/// Whether two names may be the same cache. A directory may be moved to where another is by a step between the builds.
#[must_use]
pub fn may_be_same_ref(a: &str, b: &str) -> bool {
    a.starts_with("local:") && b.starts_with("local:") || may_be_same(a, b)
}

/// Whether the builder has caches of another kind than BuildKit's, or none.
#[must_use]
pub fn is_other(build: &BuildCx<'_>) -> bool {
    matches!(build.build.front, Front::Kaniko | Front::Buildah) || build.build.builder.legacy.is_some()
}

/// How often the place changes that a spec names.
#[must_use]
pub fn pace(spec: &CacheSpec) -> Volatility {
    let place = ["ref", "scope", "dest", "src", "name", "tag", "prefix", "manifests_prefix"];
    let named = spec.attrs.iter().filter(|(key, _)| place.contains(&key.as_str()));
    named.map(|(_, value)| value.value.volatility()).max().unwrap_or(Volatility::Fixed)
}

/// What people call the cache: `` `app:cache` ``, ``the gha scope `api` ``.
#[must_use]
pub fn shown(name: &str) -> String {
    let code = |text: &str| super::words::code(text, 64);
    match name.split_once(':') {
        Some(("gha", scope)) => format!("the gha scope {}", code(scope)),
        Some(("local", directory)) => {
            format!("the directory {}", code(directory.strip_suffix(":latest").unwrap_or(directory)))
        }
        Some(("s3" | "azblob", _)) => format!("the bucket {}", code(name)),
        _ => code(name),
    }
}

/// An image's or cache's repository: its reference without the tag or digest.
#[must_use]
pub fn repository(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    match name.rfind(':') {
        Some(at) if !name.get(at..).is_some_and(|tail| tail.contains(['/', '}'])) => {
            name.get(..at).unwrap_or(name)
        }
        _ => name,
    }
}

/// Whether a setting says `true` for certain.
#[must_use]
pub fn is_true(setting: Option<&Setting<Value>>) -> bool {
    matches!(setting.map(|setting| &setting.value), Some(Value::Known(text)) if text == "true")
}
