//! `gha-cache-limits`: what GitHub's cache does not do: keep images apart that share a scope, answer to its old interface.

use super::versions::{self, GHA_API_V2};
use super::{BuildCx, Category, Fix, Fixable, Meta, Place, ProjectCx, Rule, Safety, Severity, Sink};
use crate::builds::{CacheSpec, Driver, Front, Setting, System};
use crate::source::{Edit, Span};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "gha-cache-limits",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/gha-cache-limits.md"),
};

/// See the page.
pub(super) struct GhaCacheLimits;

impl Rule for GhaCacheLimits {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: one scope for several images, and a table of versions (facts §5.3).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        let started = |build: &&BuildCx<'_>| {
            build.build.system == System::GithubActions && build.build.gha_token != Some(false)
        };
        let builds: Vec<&BuildCx<'_>> =
            cx.builds.iter().filter(started).filter(|build| gha(&build.build.cache_to).is_some()).collect();
        // Where the model knows all of them it tells what each loses, by another rule.
        let unscoped = builds.iter().filter(|build| gha(&build.build.cache_to).is_some_and(is_unscoped));
        let unscoped: Vec<&&BuildCx<'_>> = unscoped.collect();
        let images: BTreeSet<String> = unscoped.iter().map(|build| image(build)).collect();
        let known = unscoped.iter().all(|build| build.model.is_some());
        for build in unscoped.iter().filter(|_| images.len() > 1 && !known) {
            let Some(export) = gha(&build.build.cache_to) else { continue };
            let place = build.place_of(export);
            if seen.insert(place.clone()) {
                out.report_at(
                    place,
                    format!(
                        "{} images share GitHub's default scope `buildkit`: each export replaces the others'",
                        images.len()
                    ),
                )
                .help("add a `scope` for each image, to the export and to the import")
                .fix(scope(build, export, &builds));
            }
        }
        for build in &builds {
            for (component, since) in relevant(build) {
                let Some((_, version)) =
                    build.build.builder.versions.iter().find(|(name, _)| name == component)
                else {
                    continue;
                };
                let old = versions::parse(&version.value).is_some_and(|version| version < since);
                let place = build.place_of(version);
                if old && seen.insert(place.clone()) {
                    out.report_at(
                        place,
                        format!(
                            "{component} {} speaks an interface of GitHub's cache that was switched off in April 2025",
                            version.value
                        ),
                    )
                    .help("move to buildx 0.21, BuildKit 0.20, Compose 2.33.1 or Engine 28.0, or newer");
                }
            }
        }
    }
}

fn gha(specs: &[Setting<CacheSpec>]) -> Option<&Setting<CacheSpec>> {
    specs.iter().find(|spec| spec.value.kind() == Some("gha"))
}

fn is_unscoped(spec: &Setting<CacheSpec>) -> bool {
    spec.value.attr("scope").is_none()
}

/// What tells one image from another, as far as the settings say.
fn image(build: &BuildCx<'_>) -> String {
    let build = build.build;
    let target = build.target.as_ref().map(|target| target.value.text());
    let dockerfile = build.dockerfile.as_ref().map(|path| &path.value);
    format!("{dockerfile:?} {:?} {target:?}", build.context.value)
}

/// The components whose version matters to the build's cache.
fn relevant(build: &BuildCx<'_>) -> impl Iterator<Item = (&'static str, versions::Version)> {
    let (driver, front) = (build.build.builder.driver, build.build.front);
    GHA_API_V2.into_iter().filter(move |(component, _)| match *component {
        "engine" => driver == Driver::Docker,
        "compose" => front == Front::Compose,
        _ => driver != Driver::Docker,
    })
}

/// A scope with the name of the job, where no other build has that name.
fn scope(build: &BuildCx<'_>, export: &Setting<CacheSpec>, all: &[&BuildCx<'_>]) -> Option<Fix> {
    let job = |build: &BuildCx<'_>| {
        build.build.name.first().filter(|_| build.build.matrix.is_empty()).map(|name| slug(name))
    };
    let name = job(build).filter(|name| !name.is_empty())?;
    if all.iter().filter(|other| job(other).as_ref() == Some(&name)).count() != 1 {
        return None;
    }
    let import = gha(&build.build.cache_from).filter(|import| is_unscoped(import));
    let edits = std::iter::once(export).chain(import).map(|spec| {
        let place = build.place_of(spec);
        let text = if *place.path == *build.file.path { spec.span.of(&build.file.text) } else { "" };
        let end = spec.span.end as usize;
        let edit = Edit { span: Span::new(end, end), text: format!(",scope={name}") };
        text.starts_with("type=gha").then_some((place.path, edit))
    });
    let edits = edits.collect::<Option<Vec<_>>>()?;
    Some(Fix { title: format!("use the scope {name}"), safety: Safety::Safe, edits })
}

fn slug(name: &str) -> String {
    let plain = |ch: char| if ch.is_ascii_alphanumeric() { ch.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(plain).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
