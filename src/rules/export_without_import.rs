//! `export-without-import`: a cache that no build of the project imports.

use super::refs::{self, Refs};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::cache::{self, ExportMode, Support};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "export-without-import",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/export-without-import.md"),
};

/// See the page.
pub(super) struct ExportWithoutImport;

impl Rule for ExportWithoutImport {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: who imports what is a matter of names.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for export in &refs.exports {
            let works = matches!(cache::support(export.build.build, &export.spec.value), Support::Works);
            let place = export.build.place_of(export.spec);
            if !works || refs.is_imported(&export.name) || !seen.insert(place.clone()) {
                continue;
            }
            let beside = match export.build.build.cache_from.is_empty() {
                true => "",
                false => ", and this build imports another",
            };
            let kind = export.spec.value.kind().unwrap_or("registry");
            out.report_at(
                place,
                format!(
                    "no build here imports {}: it is written for nothing{beside}",
                    refs::shown(&export.name)
                ),
            )
            .help(match kind {
                "gha" | "s3" | "azblob" => {
                    format!("add a `cache-from` with `type={kind}` and the same name, or drop the export")
                }
                _ => "add a `cache-from` with the same type and place, or drop the export".to_owned(),
            });
        }
        for build in cx.builds.iter().filter(|build| !refs::is_other(build)) {
            let inline =
                build.build.cache_to.iter().find(|spec| cache::mode_of(&spec.value) == ExportMode::Inline);
            let alone = build.build.cache_from.is_empty() && build.build.cache_to.len() == 1;
            let images: Vec<String> =
                build.build.tags.iter().map(|tag| cache::image_ref(&tag.value)).collect();
            let Some(inline) = inline.filter(|_| {
                alone
                    && cache::is_fresh(build.build)
                    && cache::is_pushed(build.build)
                    && !images.is_empty()
                    && !images.iter().any(|image| refs.is_imported(image))
            }) else {
                continue;
            };
            let place = build.place_of(inline);
            if seen.insert(place.clone()) {
                out.report_at(place, "the image carries an inline cache that no build here imports")
                    .help("import the image that the last run pushed: `cache-from` with `type=registry,ref=IMAGE:TAG`");
            }
        }
    }
}
