//! `exporter-unsupported`: a cache export that the builder in use cannot make.

use super::{Category, Fixable, Meta, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Driver, System};
use crate::cache::{Support, support};

static META: Meta = Meta {
    name: "exporter-unsupported",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/exporter-unsupported.md"),
};

/// See the page.
pub(super) struct ExporterUnsupported;

impl Rule for ExporterUnsupported {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a driver can export is a table (facts §6).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for build in cx.builds {
            // A bake or Compose file says nothing of the builder; what starts it does.
            if matches!(build.build.system, System::Bake | System::Compose | System::Devcontainer) {
                continue;
            }
            // A script whose caller is not seen, and that wants what the default builder cannot do, runs on another one.
            let unseen = !build.build.system.is_ci() && build.build.builder.driver == Driver::Unknown;
            let several = build.build.platforms.len() > 1;
            for export in &build.build.cache_to {
                let gha = export.value.kind().is_some_and(|kind| kind.eq_ignore_ascii_case("gha"));
                let (message, severity) = match support(build.build, &export.value) {
                    Support::Works => continue,
                    Support::Turns(_) if unseen && (gha || several) => continue,
                    // A rule of its own tells of the token.
                    Support::Dropped(_) if gha => continue,
                    Support::Refused(why) => (format!("the build fails: {why}"), Severity::Error),
                    Support::Dropped(why) => (format!("nothing is exported: {why}"), Severity::Error),
                    Support::Turns(why) => (why, Severity::Warning),
                };
                out.report_at(build.place_of(export), message).severity(severity).help(
                    "create a builder that can: `docker buildx create --use --driver docker-container`, or in a workflow \
                     docker/setup-buildx-action",
                );
            }
        }
    }
}
