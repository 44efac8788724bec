//! `no-remote-cache`: a build on a builder that starts empty, without any cache setting.

use super::{BuildCx, Category, Fixable, Meta, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Front, System};
use crate::cache;
use crate::graph::StepKind;

static META: Meta = Meta {
    name: "no-remote-cache",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/no-remote-cache.md"),
};

/// See the page.
pub(super) struct NoRemoteCache;

impl Rule for NoRemoteCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for (at, build) in cx.builds.iter().enumerate() {
            // What the same job has built before is in its builder.
            let same = |other: &BuildCx<'_>| {
                let (own, other) = (build.build, other.build);
                !own.job.is_empty()
                    && (&own.job, &own.matrix) == (&other.job, &other.matrix)
                    && (own.span != other.span)
            };
            let again = |other: &BuildCx<'_>| {
                same(other)
                    && other.dockerfile.map(|cx| cx.path()) == build.dockerfile.map(|cx| cx.path())
                    && other.build.target.as_ref().map(|target| &target.value)
                        == build.build.target.as_ref().map(|target| &target.value)
            };
            if build.dockerfile.is_some() && cx.builds.iter().take(at).any(again) {
                continue;
            }
            let plain = build.build.cache_from.is_empty() && build.build.cache_to.is_empty();
            let known =
                !matches!(build.build.front, Front::Kaniko | Front::Buildah | Front::Other | Front::Skaffold);
            let started =
                !matches!(build.build.system, System::Bake | System::Compose | System::Devcontainer);
            if !plain || !known || !started || !cache::is_fresh(build.build) || build.build.no_cache.is_some()
            {
                continue;
            }
            let (Some(model), Some(cx)) = (build.model, build.dockerfile) else { continue };
            // Windows images are built without BuildKit.
            let windows =
                |image: &str| ["windows", "nanoserver", "servercore"].iter().any(|name| image.contains(name));
            if (0..model.graph.stages.len()).filter_map(|stage| model.graph.base_image(stage)).any(windows) {
                continue;
            }
            let answer = model.after_in(&[], &cache::Setting { fresh: true, ..cache::Setting::default() });
            let commands: Vec<_> = answer
                .reruns()
                .filter(|step| {
                    matches!(model.graph.step(*step).map(|step| &step.kind), Some(StepKind::Run(_)))
                })
                .collect();
            // One short command is not worth a cache.
            let [first, _, ..] = commands.as_slice() else { continue };
            let message = format!(
                "every run starts on an empty builder and imports no cache: all {} commands of {} run every time",
                commands.len(),
                cx.path()
            );
            let first = model.graph.step(*first).map(|step| step.instruction.span);
            out.report_at(build.place(build.build.span), message).help(help(build.build.system)).causes(
                first.map(|span| super::Cause {
                    place: Some(cx.place(span)),
                    message: "the first command that runs again although nothing changed".into(),
                }),
            );
        }
    }
}

fn help(system: System) -> &'static str {
    match system {
        System::GithubActions => {
            "add `cache-from: type=gha,scope=NAME` and `cache-to: type=gha,mode=max,scope=NAME` with docker/setup-buildx-action, \
             or a registry cache"
        }
        _ => {
            "create a docker-container builder and add `--cache-from type=registry,ref=IMAGE:cache --cache-to \
             type=registry,ref=IMAGE:cache,mode=max`"
        }
    }
}
