//! `import-without-export`: a build imports a cache that no build of the project writes.

use super::builders::is_legacy;
use super::refs::{self, CacheRef, Refs};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Build, System, Volatility, join, may_be_same, parent};
use crate::cache::{self, ExportMode, mode_of};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "import-without-export",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/import-without-export.md"),
};

/// See the page.
pub(super) struct ImportWithoutExport;

impl Rule for ImportWithoutExport {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: who exports what is a matter of names.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let tagged = |of: &dyn Fn(&Build) -> bool| -> BTreeSet<String> {
            let builds = cx.builds.iter().filter(|build| of(build.build));
            builds.flat_map(|build| &build.build.tags).map(|tag| cache::image_ref(&tag.value)).collect()
        };
        let images = Images { tagged: tagged(&|_| true), pushed: tagged(&cache::is_pushed) };
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for import in &refs.imports {
            if refs.is_exported(&import.name)
                || told_elsewhere(import)
                || is_legacy(import.build)
                || has_inline_env(cx, import.build.build)
            {
                continue;
            }
            let Some(why) = why_empty(import, &refs, &images) else { continue };
            let place = import.build.place_of(import.spec);
            if seen.insert(place.clone()) {
                out.report_at(place, format!("{}: this import finds nothing", why))
                    .help("add a `cache-to` with the same type and place to the build that is to fill it, or drop the import");
            }
        }
    }
}

/// The images that builds of the project make.
struct Images {
    tagged: BTreeSet<String>,
    /// Those of them that are known to be pushed.
    pushed: BTreeSet<String>,
}

/// Whether an environment file beside the Compose file switches inline caches on, for whatever starts a build that nothing
/// here starts.
fn has_inline_env(cx: &ProjectCx<'_>, build: &Build) -> bool {
    let own = build.system == System::Compose && build.defined.is_none();
    let file = || (cx.files)(&join(parent(&build.path), ".env")?);
    own && file().is_some_and(|file| file.text.contains("BUILDKIT_INLINE_CACHE"))
}

/// Whether other rules say it: pulled images, and inline caches that lie under another name than they are imported by.
fn told_elsewhere(import: &CacheRef<'_, '_>) -> bool {
    let build = import.build.build;
    let pulled = build.pulled_before.iter().any(|image| cache::image_ref(&image.value) == import.name);
    pulled || build.cache_to.iter().any(|spec| mode_of(&spec.value) == ExportMode::Inline)
}

/// Why nothing can be there. What others may write outside the project is not known.
fn why_empty(import: &CacheRef<'_, '_>, refs: &Refs<'_, '_>, images: &Images) -> Option<String> {
    let shown = refs::shown(&import.name);
    // A variable that has no value here has one elsewhere.
    let open = refs::pace(&import.spec.value) == Volatility::Unknown || import.name.starts_with(['/', ':']);
    match import.spec.value.kind()? {
        "gha" if !open => Some(format!("no build here exports to {shown}")),
        "local" if !open && cache::is_fresh(import.build.build) => {
            Some(format!("no build here exports to {shown}"))
        }
        "registry" if !open && images.pushed.contains(&import.name) => {
            Some(format!("{shown} is pushed without an inline cache"))
        }
        "registry" if !open && is_own(&import.name, refs, &images.tagged) => {
            Some(format!("no build here exports a cache to {shown}"))
        }
        _ => None,
    }
}

/// Whether a reference is in a repository of the project's own: one that a build here writes to, or one that the CI system gives
/// it.
fn is_own(name: &str, refs: &Refs<'_, '_>, tagged: &BTreeSet<String>) -> bool {
    let repository = refs::repository(name);
    let literal = |text: &&str| !text.starts_with('$');
    let written = tagged.iter().chain(refs.exports.iter().map(|export| &export.name));
    ["CI_REGISTRY_IMAGE", "github.repository }"].iter().any(|own| repository.contains(own))
        || written
            .map(|image| refs::repository(image))
            .filter(literal)
            .any(|image| image == repository || may_be_same(image, repository))
}
