//! `stage-pushed-for-cache`: stages are built and pushed one by one so that later builds may take them as caches.

use super::builders::is_legacy;
use super::{BuildCx, Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::cache::{self, is_pushed};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "stage-pushed-for-cache",
    category: Category::Export,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/stage-pushed-for-cache.md"),
};

/// See the page.
pub(super) struct StagePushedForCache;

impl Rule for StagePushedForCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: a target whose image another build of the same Dockerfile imports.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx
            .builds
            .iter()
            .filter(|build| build.build.target.is_some() && is_pushed(build.build) && !is_legacy(build))
        {
            let own = (&build.build.path, build.build.span, &build.build.matrix);
            let others = cx
                .builds
                .iter()
                .filter(|other| (&other.build.path, other.build.span, &other.build.matrix) != own);
            let Some(reader) =
                others.into_iter().find(|other| same_dockerfile(other, build) && imports(other, build))
            else {
                continue;
            };
            let place = build
                .build
                .target
                .as_ref()
                .map_or_else(|| build.place(build.build.span), |target| build.place_of(target));
            if !seen.insert(place.clone()) {
                continue;
            }
            out.report_at(place, format!("this stage is built and pushed so that {} can import it as a cache", reader.title()))
                .help("one `mode=max` export of the last build keeps every stage; this build is not needed for that");
        }
    }
}

fn same_dockerfile(a: &BuildCx<'_>, b: &BuildCx<'_>) -> bool {
    match (a.dockerfile, b.dockerfile) {
        (Some(a), Some(b)) => a.path() == b.path(),
        _ => false,
    }
}

/// Whether `reader` imports an image that `build` pushes. A build whose image has no name in sight is told by what it pulls
/// itself, to go on from where its last run ended.
fn imports(reader: &BuildCx<'_>, build: &BuildCx<'_>) -> bool {
    let tags = build.build.tags.iter().map(|tag| cache::text(&tag.value));
    let own = build.build.pulled_before.iter().filter(|_| build.build.tags.is_empty());
    let images: Vec<&str> = tags.chain(own.map(|image| cache::text(&image.value))).collect();
    let imported = reader.build.cache_from.iter().filter_map(|spec| spec.value.attr("ref"));
    imported.into_iter().any(|image| images.contains(&cache::text(&image.value)))
}
