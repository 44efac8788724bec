//! `local-cache-grows`: a local cache that is exported to the directory it is imported from.

use super::{Category, Fixable, Meta, ProjectCx, Rule, Severity, Sink};
use crate::cache;

static META: Meta = Meta {
    name: "local-cache-grows",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/local-cache-grows.md"),
};

/// See the page.
pub(super) struct LocalCacheGrows;

impl Rule for LocalCacheGrows {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: that a directory only grows is a fact of the exporter (facts §5.2).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for build in cx.builds {
            let supported = |spec: &&_| {
                matches!(cache::support(build.build, &spec_of(spec).value), cache::Support::Works)
            };
            for export in build.build.cache_to.iter().filter(supported) {
                let spec = &export.value;
                if spec.kind() != Some("local") || spec.attr("reset").is_some() {
                    continue;
                }
                let to = cache::ref_of(spec);
                if to.is_none()
                    || !build.build.cache_from.iter().any(|import| cache::ref_of(&import.value) == to)
                {
                    continue;
                }
                let directory = spec.attr("dest").map_or("", |dest| cache::text(&dest.value));
                out.report_at(
                    build.place_of(export),
                    format!("nothing is ever deleted from `{directory}`: every export adds its layers to the old ones"),
                )
                .help(
                    "add `reset=true` (BuildKit 0.31), or export to another directory and move it over the old one after the \
                     build",
                );
            }
        }
    }
}

fn spec_of<'s>(
    spec: &&'s crate::builds::Setting<crate::builds::CacheSpec>,
) -> &'s crate::builds::Setting<crate::builds::CacheSpec> {
    spec
}
