//! `legacy-builder`: settings of BuildKit for a build without BuildKit.

use super::versions::{self, BUILDKIT_BY_DEFAULT};
use super::{BuildCx, Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Driver, Front};
use crate::graph::StepKind;
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "legacy-builder",
    category: Category::Builder,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/legacy-builder.md"),
};

/// See the page.
pub(super) struct LegacyBuilder;

impl Rule for LegacyBuilder {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what the old builder does not know is a table (facts §6).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds {
            let Some(lost) = lost(build) else { continue };
            let help = "drop `DOCKER_BUILDKIT=0`: with BuildKit, which Docker uses by default since 23.0, all of it works";
            if let Some(off) = build.build.builder.legacy {
                let place = build.place(off);
                if seen.insert(place.clone()) {
                    out.report_at(place, format!("BuildKit is switched off here: {lost}")).help(help);
                }
                continue;
            }
            // Switched on where nobody sees it, or here.
            let decided = memchr::memmem::find(build.file.text.as_bytes(), b"DOCKER_BUILDKIT").is_some();
            let plain =
                build.build.front == Front::DockerBuild && build.build.builder.driver == Driver::Docker;
            let old = build.build.builder.versions.iter().find(|(name, _)| name == "engine");
            let Some((_, old)) = old.filter(|_| plain && !decided) else { continue };
            if versions::of(build, "engine").is_none_or(|version| version >= BUILDKIT_BY_DEFAULT) {
                continue;
            }
            let place = build.place_of(old);
            if seen.insert(place.clone()) {
                out.report_at(
                    place,
                    format!("Docker {} builds without BuildKit unless it is told to: {lost}", old.value),
                )
                .severity(Severity::Warning)
                .help("move to Docker 23 or newer, or set `DOCKER_BUILDKIT=1`");
            }
        }
    }
}

/// What the old builder does not do of what the build asks for.
fn lost(build: &BuildCx<'_>) -> Option<String> {
    if matches!(build.build.front, Front::Kaniko | Front::Buildah | Front::Buildctl) {
        return None;
    }
    let mount = build.model.and_then(|model| {
        let graph = &model.graph;
        let reached = |stage: usize| graph.reachable.get(stage).copied().unwrap_or(false);
        let mut steps = graph.all_steps().filter(|(_, step)| reached(step.stage));
        steps.find_map(|(_, step)| match &step.kind {
            StepKind::Run(run) if !run.mounts.is_empty() => Some(step.instruction.span),
            _ => None,
        })
    });
    if let (Some(span), Some(cx)) = (mount, build.dockerfile) {
        return Some(format!("the build fails at {} line {}, `RUN --mount`", cx.path(), cx.line(span.start)));
    }
    let inline = build.build.args.iter().any(|(name, _)| name == "BUILDKIT_INLINE_CACHE");
    if inline {
        return Some("`BUILDKIT_INLINE_CACHE` is ignored, and the image carries no cache".into());
    }
    if !build.build.cache_to.is_empty() {
        return Some("it does not know `--cache-to`, and nothing is exported".into());
    }
    let typed = build.build.cache_from.iter().any(|spec| !spec.value.bare);
    typed.then(|| "`--cache-from type=…` names no image, and nothing is imported".into())
}
