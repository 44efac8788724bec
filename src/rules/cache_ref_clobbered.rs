//! `cache-ref-clobbered`: several builds export to one ref, and each overwrites what the other wrote.

use super::{BuildCx, Category, Cause, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink, words};
use crate::builds::{Value, Volatility};
use crate::cache::{self, PipelineBuild, Rerun, second_run};
use crate::graph::StepKind;
use std::collections::BTreeMap;

static META: Meta = Meta {
    name: "cache-ref-clobbered",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/cache-ref-clobbered.md"),
};

/// How many of the other builds a finding names.
const MAX_WRITERS: usize = 6;

/// See the page.
pub(super) struct CacheRefClobbered;

impl Rule for CacheRefClobbered {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        // One setting may stand for a ref of each platform.
        let mut places: BTreeMap<Place, Vec<Clobbered>> = BTreeMap::new();
        for (name, builds) in sharing(cx) {
            let pipeline: Vec<PipelineBuild<'_, '_>> =
                builds.iter().filter_map(|build| in_pipeline(build)).collect();
            if pipeline.len() < 2 || pipeline.len() != builds.len() {
                continue;
            }
            let reruns = second_run(&pipeline);
            let alone: Vec<Vec<Rerun>> = pipeline
                .iter()
                .map(|build| {
                    let own =
                        PipelineBuild { model: build.model, job: build.job, setting: build.setting.clone() };
                    second_run(&[own]).pop().unwrap_or_default()
                })
                .collect();
            let lost = builds.iter().zip(&reruns).zip(&alone).map(|((build, together), alone)| {
                let more = together.iter().filter(|rerun| !rerun.race && !alone.contains(rerun));
                let commands = more.filter(|rerun| is_run(build, **rerun));
                commands.copied().collect::<Vec<Rerun>>()
            });
            let lost: Vec<Vec<Rerun>> = lost.collect();
            if let Some((place, found)) = found(&name, &builds, &lost) {
                places.entry(place).or_default().push(found);
            }
        }
        for (place, mut found) in places {
            let Some(worst) = (0..found.len()).max_by_key(|index| found.get(*index).map(|one| one.reruns))
            else {
                continue;
            };
            let mut worst = found.swap_remove(worst);
            if !found.is_empty() {
                let message =
                    format!("the same of {} that this setting names", words::count(found.len(), "more ref"));
                worst.causes.push(Cause { place: None, message });
            }
            out.report_at(place, worst.message)
                .severity(worst.severity)
                .help(
                    "give every job, target and matrix leg a ref (or gha scope) of its own, and import the one that the build \
                     itself wrote",
                )
                .causes(worst.causes);
        }
    }
}

/// What comes of one ref.
struct Clobbered {
    /// How many commands run again.
    reruns: usize,
    message: String,
    severity: Severity,
    causes: Vec<Cause>,
}

/// What comes of the ref `name`, told at the export of the build that loses most.
fn found(name: &str, builds: &[&BuildCx<'_>], lost: &[Vec<Rerun>]) -> Option<(Place, Clobbered)> {
    let worst = (0..lost.len()).max_by_key(|index| (lost.get(*index).map_or(0, Vec::len), *index))?;
    let (build, reruns) = (builds.get(worst)?, lost.get(worst).filter(|lost| !lost.is_empty())?);
    let export =
        build.build.cache_to.iter().find(|spec| cache::ref_of(&spec.value).as_deref() == Some(name))?;
    let steps = if reruns.len() == 1 { "a command".to_owned() } else { format!("{} commands", reruns.len()) };
    let first = reruns.first().and_then(|rerun| build.model?.graph.step(rerun.step));
    let line = first.and_then(|step| Some((build.dockerfile?, step.instruction.span)));
    let at = line
        .map(|(cx, span)| format!(", first at {} line {}", cx.path(), cx.line(span.start)))
        .unwrap_or_default();
    let shown = name
        .strip_prefix("gha:")
        .map_or_else(|| format!("`{name}`"), |scope| format!("the gha scope `{scope}`"));
    let sometimes = |build: &BuildCx<'_>| build.build.condition.is_some() || build.build.conditional_export;
    let sometimes = builds.iter().any(|build| sometimes(build));
    let when = if sometimes { "once another has written" } else { "in every run" };
    let message = format!(
        "{} builds export to {shown}, each over the other: this one runs {steps} again {when}{at}",
        builds.len()
    );
    let mut causes: Vec<Cause> = builds
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != worst)
        .filter_map(|(_, other)| {
            let spec = other
                .build
                .cache_to
                .iter()
                .find(|spec| cache::ref_of(&spec.value).as_deref() == Some(name))?;
            let place = other.place_of(spec);
            (place != build.place_of(export))
                .then(|| Cause { place: Some(place), message: format!("{} writes there too", other.title()) })
        })
        .collect();
    let more = causes.len().saturating_sub(MAX_WRITERS);
    causes.truncate(MAX_WRITERS);
    if more > 0 {
        causes.push(Cause { place: None, message: format!("{more} more write there") });
    }
    causes.extend(line.map(|(cx, span)| Cause {
        place: Some(cx.place(span)),
        message: "runs again although nothing changed, since the ref holds another build's records".into(),
    }));
    let severity = if sometimes { Severity::Warning } else { Severity::Error };
    let reruns = reruns.len();
    Some((build.place_of(export), Clobbered { reruns, message, severity, causes }))
}

fn is_run(build: &BuildCx<'_>, rerun: Rerun) -> bool {
    let step = build.model.and_then(|model| model.graph.step(rerun.step));
    matches!(step.map(|step| &step.kind), Some(StepKind::Run(_)))
}

/// The refs that several builds export to, with those builds in order. A ref that is new for every commit or run is not shared.
fn sharing<'c, 'a>(cx: &'c ProjectCx<'a>) -> BTreeMap<String, Vec<&'c BuildCx<'a>>> {
    let mut sharing: BTreeMap<String, Vec<&BuildCx<'a>>> = BTreeMap::new();
    for build in cx.builds.iter().filter(|build| build.build.builder.persistent != Some(true)) {
        for spec in &build.build.cache_to {
            let lasting = spec.value.attrs.iter().all(|(_, value)| match &value.value {
                Value::Known(_) => true,
                Value::Symbolic { volatility, .. } => {
                    *volatility < Volatility::PerRelease && *volatility != Volatility::Unknown
                }
            });
            if let Some(name) = cache::ref_of(&spec.value).filter(|_| lasting) {
                sharing.entry(name).or_default().push(build);
            }
        }
    }
    for builds in sharing.values_mut() {
        builds.dedup_by(|a, b| std::ptr::eq(*a, *b));
    }
    for (name, builds) in &mut sharing {
        apart(name, builds);
        together(name, builds);
    }
    sharing.retain(|_, builds| builds.len() > 1);
    sharing
}

/// Of the legs of a matrix leaves one where the ref is what an earlier step computes, since that may be another for each leg.
fn apart(name: &str, builds: &mut Vec<&BuildCx<'_>>) {
    if !["{{ env.", "{{ steps.", "{{ needs."].iter().any(|computed| name.contains(computed)) {
        return;
    }
    let mut kept: Vec<&BuildCx<'_>> = Vec::new();
    builds.retain(|build| {
        let leg = |other: &&&BuildCx<'_>| {
            (&other.build.path, other.build.span) == (&build.build.path, build.build.span)
                && other.build.matrix != build.build.matrix
        };
        let alone = kept.iter().find(leg).is_none();
        if alone {
            kept.push(build);
        }
        alone
    });
}

/// The kinds of events of a trigger.
const EVENTS: usize = 7;

/// Leaves those that may run for the same event: one step under two events is two builds that never meet, and GitHub keeps the
/// caches of pull requests, branches and tags apart.
fn together(name: &str, builds: &mut Vec<&BuildCx<'_>>) {
    let flags = |build: &BuildCx<'_>| {
        let trigger = &build.build.trigger;
        [
            trigger.default_branch,
            trigger.any_branch,
            trigger.pull_request,
            trigger.pull_request_target,
            trigger.release,
            trigger.schedule,
            trigger.manual,
        ]
    };
    let meets = |build: &BuildCx<'_>, event: usize| {
        let flags = flags(build);
        // Of a build of which nothing is known.
        build.build.trigger.unknown || !flags.contains(&true) || flags.get(event).copied().unwrap_or(false)
    };
    if name.starts_with("gha:") {
        let most =
            (0..EVENTS).rev().max_by_key(|event| builds.iter().filter(|build| meets(build, *event)).count());
        builds.retain(|build| most.is_none_or(|event| meets(build, event)));
        return;
    }
    let mut kept: Vec<&BuildCx<'_>> = Vec::new();
    builds.retain(|build| {
        let disjoint = |other: &&&BuildCx<'_>| {
            (&other.build.path, other.build.span) == (&build.build.path, build.build.span)
                && !(0..EVENTS).any(|event| meets(other, event) && meets(build, event))
        };
        let alone = kept.iter().find(disjoint).is_none();
        if alone {
            kept.push(build);
        }
        alone
    });
}

fn in_pipeline<'c, 'a>(build: &&'c BuildCx<'a>) -> Option<PipelineBuild<'c, 'a>> {
    Some(PipelineBuild {
        model: build.model?,
        job: &build.build.job,
        setting: cache::setting_of(build.build),
    })
}
