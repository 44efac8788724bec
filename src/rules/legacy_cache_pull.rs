//! `legacy-cache-pull`: an image is pulled so that `--cache-from` may use it.

use super::builders::is_legacy;
use super::{BuildCx, Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::Front;
use crate::cache::{ExportMode, mode_of};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "legacy-cache-pull",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/legacy-cache-pull.md"),
};

/// See the page.
pub(super) struct LegacyCachePull;

impl Rule for LegacyCachePull {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches commands: a pull before the build is a matter of how the pipeline is written.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| !is_legacy(build) && !is_old_plugin(build)) {
            for pulled in &build.build.pulled_before {
                let name = crate::cache::text(&pulled.value);
                let imported = build.build.cache_from.iter().any(|spec| {
                    spec.value.attr("ref").is_some_and(|image| crate::cache::text(&image.value) == name)
                });
                if !imported || !seen.insert(build.place_of(pulled)) {
                    continue;
                }
                let inline =
                    build.build.cache_to.iter().any(|spec| mode_of(&spec.value) == ExportMode::Inline);
                let also = if inline {
                    ""
                } else {
                    ", and nothing writes an inline cache into it, so the import finds none"
                };
                out.report_at(
                    build.place_of(pulled),
                    format!("BuildKit does not use an image that was pulled before{also}"),
                )
                .help(
                    "drop the pull; export `type=registry,ref=IMAGE:cache,mode=max` to a ref of its own and import that, or \
                     build with `BUILDKIT_INLINE_CACHE=1` and push",
                );
            }
        }
    }
}

/// Whether the plugin pulls by itself, which a rule of its own tells: without `buildkit: true` it is the legacy builder.
fn is_old_plugin(build: &BuildCx<'_>) -> bool {
    build.build.front == Front::BuildkitePlugin
}
