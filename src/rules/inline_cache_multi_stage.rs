//! `inline-cache-multi-stage`: an inline cache of a build with stages that are not in its image.

use super::lost_stage::{causes, cost, export_of, lost};
use super::{Category, Fixable, Meta, ProjectCx, Rule, Severity, Sink};
use crate::cache::ExportMode;

static META: Meta = Meta {
    name: "inline-cache-multi-stage",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/inline-cache-multi-stage.md"),
};

/// See the page.
pub(super) struct InlineCacheMultiStage;

impl Rule for InlineCacheMultiStage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for build in cx.builds {
            let Some(export) = export_of(build, ExportMode::Inline) else { continue };
            let Some((model, loss)) = lost(build) else { continue };
            let message = format!("an inline cache keeps no build stage: {}", cost(build, model, &loss));
            out.report_at(build.place_of(export), message)
                .help(
                    "export to a ref of its own instead: `type=registry,ref=IMAGE:cache,mode=max`, and import that ref; \
                     it needs a docker-container builder or containerd's image store",
                )
                .causes(causes(build, model, &loss));
        }
    }
}
