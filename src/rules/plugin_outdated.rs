//! `plugin-outdated`: cache settings of a plugin version that does not do with them what they say.

use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::Front;
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "plugin-outdated",
    category: Category::Builder,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/plugin-outdated.md"),
};

/// The plugin of Buildkite as versions are recorded under.
const BUILDKITE: &str = "docker-compose-buildkite-plugin";

/// See the page.
pub(super) struct PluginOutdated;

impl Rule for PluginOutdated {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a version does is a table (facts §7.5).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| build.build.front == Front::BuildkitePlugin) {
            let version = build.build.builder.versions.iter().find(|(name, _)| name == BUILDKITE);
            let Some((_, version)) = version else { continue };
            let number = version.value.trim_start_matches('v');
            let major = number.split('.').next().and_then(|major| major.parse::<u32>().ok());
            let uses_cache = !build.build.cache_from.is_empty() || !build.build.pulled_before.is_empty();
            if major.is_none_or(|major| major >= 5) || !uses_cache || !seen.insert(build.place_of(version)) {
                continue;
            }
            out.report_at(
                build.place_of(version),
                format!(
                    "version {number} of the plugin turns `cache-from` into `docker pull`, which helps the legacy builder alone, and \
                     knows no `cache-to`"
                ),
            )
            .help("move to v5: `cache-from`/`cache-to: \"SERVICE:type=registry,ref=…,mode=max\"` and a `builder` with `use: true`");
        }
    }
}
