//! `cache-in-other-registry`: the cache is exported to another registry than the image.

use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink, refs};
use crate::cache;
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "cache-in-other-registry",
    category: Category::Export,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/cache-in-other-registry.md"),
};

/// See the page.
pub(super) struct CacheInOtherRegistry;

impl Rule for CacheInOtherRegistry {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: where layers are uploaded is a matter of names.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| !refs::is_other(build)) {
            let images: Option<Vec<String>> =
                build.build.tags.iter().map(|tag| host(&cache::image_ref(&tag.value))).collect();
            let Some(images) = images.filter(|images| !images.is_empty()) else { continue };
            if !refs::is_true(build.build.push.as_ref()) {
                continue;
            }
            for export in &build.build.cache_to {
                let registry = export.value.kind() == Some("registry");
                let of = cache::ref_of(&export.value).filter(|_| registry).and_then(|name| host(&name));
                let Some(of) = of.filter(|of| !images.contains(of)) else { continue };
                let place = build.place_of(export);
                if seen.insert(place.clone()) {
                    let image = images.first().map_or("", String::as_str);
                    out.report_at(
                        place,
                        format!("the cache goes to {of}, the image to {image}: the layers of both are uploaded twice"),
                    )
                    .help("keep the cache in a repository of the image's registry: layers that are there need not be uploaded");
                }
            }
        }
    }
}

/// The registry of a reference; `None` where a variable stands for it.
fn host(name: &str) -> Option<String> {
    let Some((first, _)) = name.split_once('/') else {
        return (!name.contains(['$', '{', '<', '%', '('])).then(|| "docker.io".to_owned());
    };
    if first.contains(['$', '{', '<', '%', '(']) {
        return None;
    }
    let is_host = first.contains(['.', ':']) || first == "localhost";
    Some(if is_host { first.to_owned() } else { "docker.io".to_owned() })
}
