//! `cache-ref-is-image`: the cache is exported to the tag of an image.

use super::{BuildCx, Category, Fix, Fixable, Meta, Place, ProjectCx, Rule, Safety, Severity, Sink, refs};
use crate::builds::{CacheSpec, Setting, Volatility};
use crate::cache;
use crate::source::{Edit, Span};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "cache-ref-is-image",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-ref-is-image.md"),
};

/// See the page.
pub(super) struct CacheRefIsImage;

impl Rule for CacheRefIsImage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: one name for two things.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| !refs::is_other(build)) {
            for export in build.build.cache_to.iter().filter(|spec| spec.value.kind() == Some("registry")) {
                let Some(name) = cache::ref_of(&export.value) else { continue };
                // Nothing is known of a name that is a variable alone.
                if refs::pace(&export.value) == Volatility::Unknown && refs::repository(&name) == name {
                    continue;
                }
                let tag = build.build.tags.iter().find(|tag| cache::image_ref(&tag.value) == name);
                let place = build.place_of(export);
                let Some(tag) = tag.filter(|_| seen.insert(place.clone())) else { continue };
                out.report_at(
                    place,
                    format!(
                        "the cache and the image are both written to {}, each over the other",
                        refs::shown(&name)
                    ),
                )
                .help(
                    "export to a tag of its own, `IMAGE:buildcache`, and import that: nobody can run a cache",
                )
                .cause_at(build.place_of(tag), "the image's tag")
                .fix(fix(build, export, &name));
            }
        }
    }
}

/// Another tag for the cache, in the export and in what imports it.
fn fix(build: &BuildCx<'_>, export: &Setting<CacheSpec>, name: &str) -> Option<Fix> {
    let imports =
        build.build.cache_from.iter().filter(|spec| cache::ref_of(&spec.value).as_deref() == Some(name));
    let edits = std::iter::once(export).chain(imports).map(|spec| {
        let value = spec.value.attr("ref")?;
        let place = build.place_of(value);
        let text = if *place.path == *build.file.path { value.span.of(&build.file.text) } else { "" };
        let (start, written) = match text.strip_prefix("ref=") {
            Some(written) => (value.span.start as usize + 4, written),
            None => (value.span.start as usize, text),
        };
        if written != value.value.text() {
            return None;
        }
        let tag = Span::new(start + refs::repository(written).len(), value.span.end as usize);
        Some((place.path, Edit { span: tag, text: ":buildcache".into() }))
    });
    let edits = edits.collect::<Option<Vec<_>>>()?;
    Some(Fix { title: "export the cache to a tag of its own".into(), safety: Safety::Safe, edits })
}
