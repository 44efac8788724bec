//! `gha-outside-action`: `type=gha` where its token is not.

use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Front, System};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "gha-outside-action",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/gha-outside-action.md"),
};

/// See the page.
pub(super) struct GhaOutsideAction;

impl Rule for GhaOutsideAction {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: who has the token is a fact of GitHub's runner (facts §5.3).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds {
            let elsewhere = build.build.system.is_ci() && build.build.system != System::GithubActions;
            if build.build.gha_token != Some(false) && !elsewhere {
                continue;
            }
            let gha = |spec: &&crate::builds::Setting<crate::builds::CacheSpec>| {
                spec.value.kind().is_some_and(|kind| kind.eq_ignore_ascii_case("gha"))
                    && spec.value.attr("token").is_none()
            };
            // One cache, one finding: at the export where there is one.
            let specs = build.build.cache_to.iter().find(gha).or(build.build.cache_from.iter().find(gha));
            let Some(spec) = specs else { continue };
            let place = build.place_of(spec);
            if !seen.insert(place.clone()) {
                continue;
            }
            let (message, help) = if elsewhere && build.build.gha_token != Some(false) {
                (
                    "`type=gha` is GitHub's cache, and this does not run there: it is dropped without a word",
                    "use `type=registry` with a ref beside the image",
                )
            } else if build.build.front == Front::Buildctl {
                (
                    "the build fails: a run step does not have the token that `type=gha` needs",
                    "run crazy-max/ghaction-github-runtime before it, or build with docker/build-push-action",
                )
            } else {
                (
                    "nothing is cached: a run step does not have the token that `type=gha` needs, and buildx drops it silently",
                    "build with docker/build-push-action or docker/bake-action, or run crazy-max/ghaction-github-runtime before",
                )
            };
            out.report_at(place, message).help(help);
        }
    }
}
