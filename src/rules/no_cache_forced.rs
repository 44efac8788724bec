//! `no-cache-forced`: a build that is told to run everything again.

use super::words::code;
use super::{BuildCx, Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink, refs};
use crate::builds::{Condition, Front, System};
use crate::cache;
use crate::graph::{Graph, MountKind, Source, StepKind};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "no-cache-forced",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/no-cache-forced.md"),
};

/// See the page.
pub(super) struct NoCacheForced;

impl Rule for NoCacheForced {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: a switch. What it does to mounts and stages is recorded (facts §9, truth/gc).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds {
            // On a builder that starts empty and imports nothing there is nothing to lose.
            let nothing = cache::is_fresh(build.build) && build.build.cache_from.is_empty();
            if nothing || !is_routine(build) || is_chosen(build) || refs::is_other(build) {
                continue;
            }
            if let Some(forced) = build.build.no_cache.as_ref().filter(|value| refs::is_true(Some(value))) {
                let place = build.place_of(forced);
                if seen.insert(place.clone()) {
                    let also = match (has_mounts(build), build.build.cache_from.is_empty()) {
                        (true, _) => ", and the cache mounts of its RUNs are emptied, for other builds too",
                        (false, false) => ", whatever the imported cache holds",
                        (false, true) => "",
                    };
                    // With the newest base image too it is what an image is refreshed with.
                    let refreshed = refs::is_true(build.build.pull.as_ref());
                    let severity = if refreshed { Severity::Info } else { Severity::Warning };
                    out.report_at(place, format!("every step runs again in every build{also}"))
                        .severity(severity)
                        .help(help(build.build.front));
                }
            }
            for filter in &build.build.no_cache_filter {
                let (Some(name), Some(model)) = (filter.value.known(), build.model) else { continue };
                let place = build.place_of(filter);
                for name in name.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                    if let Some(message) = filtered(&model.graph, name)
                        && seen.insert(place.clone())
                    {
                        out.report_at(place.clone(), message)
                            .help("change what the stage reads instead (an ARG above its first step, `ADD` of what it fetches)");
                    }
                }
            }
        }
    }
}

fn help(front: Front) -> &'static str {
    match front {
        Front::BuildPushAction => {
            "drop it; where old packages are the worry, leave it to a schedule: `no-cache: ${{ github.event_name == 'schedule' }}`"
        }
        _ => "drop it, and build without a cache by a schedule where old packages are the worry",
    }
}

/// Whether the build runs day by day: for pushes or pull requests, or whenever its file is used.
fn is_routine(build: &BuildCx<'_>) -> bool {
    let trigger = &build.build.trigger;
    let file = matches!(build.build.system, System::Compose | System::Bake | System::Devcontainer);
    let names = build.build.name.iter().chain(build.build.matrix.iter().map(|(_, value)| value));
    let meant = names.map(String::as_str).chain([&*build.build.path]).any(|name| {
        let name = name.to_ascii_lowercase();
        ["no-cache", "nocache", "no_cache", "clean", "fresh", "rebuild", "nightly", "release"]
            .iter()
            .any(|word| name.contains(word))
    });
    !meant && (file || trigger.default_branch || trigger.any_branch || trigger.pull_request)
}

/// Whether a branch of a script decides for it: the branch is there because the cache is meant to be used else.
fn is_chosen(build: &BuildCx<'_>) -> bool {
    build.build.condition.as_ref().is_some_and(|condition| condition.value == Condition::Script)
}

fn has_mounts(build: &BuildCx<'_>) -> bool {
    let Some(model) = build.model else { return false };
    model.graph.steps.iter().any(|step| match &step.kind {
        StepKind::Run(run) => run.mounts.iter().any(|mount| mount.kind == MountKind::Cache),
        _ => false,
    })
}

/// What is wrong with naming that stage to `--no-cache-filter`.
fn filtered(graph: &Graph<'_>, name: &str) -> Option<String> {
    let of = |stage: usize| graph.stages.get(stage).and_then(|stage| stage.name.as_deref());
    let found = (0..graph.stages.len()).find(|stage| {
        of(*stage).is_some_and(|own| own.eq_ignore_ascii_case(name)) || stage.to_string() == name
    });
    let Some(stage) = found else {
        return Some(format!("there is no stage {}: this filters nothing, without a word", code(name, 60)));
    };
    let taken = graph.all_steps().find_map(|(id, step)| match &step.kind {
        StepKind::Copy(copy) if copy.from == Source::Stage(stage) => Some((id, step.stage)),
        _ => None,
    });
    let (copy, reader) = taken?;
    let after = graph.steps_of(reader).any(|(id, step)| id > copy && matches!(step.kind, StepKind::Run(_)));
    after.then(|| {
        format!(
            "{} runs again, but steps after the `COPY --from` of it may still be found in the cache: the image can be stale",
            code(name, 40)
        )
    })
}
