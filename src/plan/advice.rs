//! What is said of a build: its table, the reasons for what was chosen, and what goes with it.

use super::candidates::Guard;
use super::choose::Decided;
use super::subject::Subject;
use super::world::{Count, TypicalChange, TypicalKind};
use super::{Alternative, BuildPlan, InUse, Kind, Recommendation, StagePlan, mend, snippet};
use crate::builds::daemon::DaemonKind;
use crate::builds::{System, Value, Volatility};
use crate::cache::{self, Change, Setting, Verdict, text};
use crate::graph::{MountKind, StepKind};

/// The plan of the build at `at`.
pub(super) fn plan_of(
    subjects: &[Subject<'_>],
    at: usize,
    subject: &Subject<'_>,
    decided: &Decided,
) -> BuildPlan {
    let build = subject.build;
    let stages = stages(subject);
    let shown = shown(decided);
    let of = |counts: &[Vec<Count>]| -> Vec<Vec<Count>> {
        let by_stage = |index: &usize| {
            let counts = counts.get(*index);
            let at = |stage: &StagePlan| counts.and_then(|counts| counts.get(stage.stage_index)).copied();
            stages.iter().map(|stage| at(stage).unwrap_or_default()).collect()
        };
        shown.iter().map(by_stage).collect()
    };
    let [none, inline, min, max] = &decided.asked;
    let unavailable = &decided.unavailable;
    let alternative = |name, counts: &[Vec<Count>], unavailable: Option<String>| Alternative {
        name,
        unavailable,
        counts: of(counts),
    };
    let alternatives = vec![
        alternative("none", none, None),
        alternative("inline", inline, unavailable.inline.clone()),
        alternative("registry-min", min, None),
        alternative("registry-max", max, None),
        alternative("gha", max, unavailable.gha.clone()),
        alternative("local", max, unavailable.local.clone()),
        alternative("s3", max, None),
    ];
    let chosen = &decided.chosen;
    let is_leg = |other: &Subject<'_>| (&other.build.path, other.build.span) == (&build.path, build.span);
    let legs = subjects.iter().filter(|other| is_leg(other)).count();
    BuildPlan {
        path: subject.file.path.clone(),
        line: snippet::line(subject),
        system: build.system,
        front: build.front,
        name: build.name.clone(),
        legs: if legs > 1 { vec![build.matrix.clone()] } else { Vec::new() },
        dockerfile: subject.dockerfile.path.clone(),
        target: build.target.as_ref().map(|target| text(&target.value).to_owned()),
        fresh: build.builder.persistent.map(|persistent| !persistent),
        by_hand: subject.is_by_hand(),
        changes: shown.iter().filter_map(|index| decided.changes.get(*index).cloned()).collect(),
        in_use: InUse {
            title: decided.used.title.clone(),
            counts: of(&decided.before),
            problems: decided.used.problems.clone(),
        },
        alternatives,
        recommendation: Recommendation {
            kind: chosen.kind,
            title: title(subject, decided),
            reasons: reasons(subjects, at, subject, decided),
            cache_from: if chosen.kind == Kind::Keep { Vec::new() } else { chosen.from.clone() },
            cache_to: if chosen.kind == Kind::Keep { Vec::new() } else { chosen.to.clone() },
            counts: of(&decided.after),
            snippets: with_gc(subject, snippet::snippets(subject, decided)),
            notes: notes(subject, decided),
            fix: mend::fix(subject, decided),
        },
        stages,
    }
}

/// The stages that take part, with steps.
fn stages(subject: &Subject<'_>) -> Vec<StagePlan> {
    let model = subject.model;
    let graph = &model.graph;
    let answer = model.after(&[]);
    let steps = |stage: usize| {
        let counts = |step: &crate::graph::StepId| {
            let kind = graph.step(*step).map(|step| &step.kind);
            !matches!(kind, Some(StepKind::From) | None) && answer.is_operation(*step)
        };
        graph.steps_of(stage).map(|(id, _)| id).filter(counts).count()
    };
    (0..graph.stages.len())
        .filter(|stage| graph.reachable.get(*stage).copied().unwrap_or(false))
        .map(|stage| StagePlan {
            stage: graph.stage_name(stage).into_owned(),
            stage_index: stage,
            steps: steps(stage),
        })
        .filter(|stage| stage.steps > 0)
        .collect()
}

/// The changes that are shown, by index: nothing, the edits that cost most today, new bases.
fn shown(decided: &Decided) -> Vec<usize> {
    let costs = |index: usize| {
        let of = |counts: &[Vec<Count>]| counts.get(index).map_or(0, |counts| Count::sum(counts).total());
        (of(&decided.asked[3]), of(&decided.before))
    };
    let most = |kinds: &[TypicalKind]| {
        let own = decided.changes.iter().enumerate().filter(|(_, change)| kinds.contains(&change.kind));
        own.map(|(index, _)| index).max_by_key(|index| (costs(*index), std::cmp::Reverse(*index)))
    };
    let source = most(&[TypicalKind::SourceEdit]).or_else(|| most(&[TypicalKind::OtherEdit]));
    let all = [
        most(&[TypicalKind::Nothing]),
        source,
        most(&[TypicalKind::ManifestEdit]),
        most(&[TypicalKind::NewBase]),
    ];
    all.into_iter().flatten().collect()
}

/// "an edit of `src/a.ts`".
pub(super) fn words(change: &TypicalChange) -> String {
    match (&change.file, change.kind) {
        (Some(file), _) => format!("an edit of `{file}`"),
        (None, TypicalKind::NewBase) => "new base images".to_owned(),
        (None, _) => "no change".to_owned(),
    }
}

fn title(subject: &Subject<'_>, decided: &Decided) -> String {
    let chosen = &decided.chosen;
    match chosen.kind {
        Kind::Keep if !subject.is_fresh() => "keep the builder's own cache".to_owned(),
        Kind::Keep if subject.build.cache_from.is_empty() && subject.build.cache_to.is_empty() => {
            "no cache".to_owned()
        }
        Kind::Keep => "keep these settings".to_owned(),
        Kind::Builder => "these settings, on a builder that can export them".to_owned(),
        Kind::Max => "the same cache with `mode=max`".to_owned(),
        Kind::Inline => "an inline cache, in the image itself".to_owned(),
        Kind::Registry if chosen.to.is_empty() => {
            format!("the registry cache that another build of this image writes, `{}`", decided.place.name)
        }
        Kind::Registry => format!("a registry cache of its own with `mode=max`, `{}`", decided.place.name),
        Kind::Gha if chosen.to.is_empty() => {
            format!("the gha cache that another build of this image writes, scope `{}`", decided.place.name)
        }
        Kind::Gha => format!("a gha cache of its own with `mode=max`, scope `{}`", decided.place.name),
    }
}

fn total(counts: &[Vec<Count>], index: usize) -> u32 {
    counts.get(index).map_or(0, |counts| Count::sum(counts).total())
}

fn reasons(subjects: &[Subject<'_>], at: usize, subject: &Subject<'_>, decided: &Decided) -> Vec<String> {
    let chosen = &decided.chosen;
    let build = subject.build;
    let mut reasons = Vec::new();
    if chosen.kind == Kind::Keep {
        reasons.push(keep_reason(subjects, at, subject, decided));
        reasons.extend(race_reason(decided));
        return reasons;
    }
    // What is gained after an edit of a source, else where most commands are.
    let shown = shown(decided);
    let gain = |index: usize| {
        let commands =
            |counts: &[Vec<Count>]| counts.get(index).map_or(0, |counts| Count::sum(counts).commands);
        let gained = commands(&decided.before).saturating_sub(commands(&decided.after));
        let source = decided.changes.get(index).is_some_and(|change| change.kind == TypicalKind::SourceEdit);
        let steps = total(&decided.before, index).saturating_sub(total(&decided.after, index));
        (source && gained > 0, gained, steps)
    };
    let gains = shown.iter().copied().filter(|index| gain(*index).2 > 0);
    if let Some(index) = gains.max_by_key(|index| (gain(*index), std::cmp::Reverse(*index)))
        && let Some(change) = decided.changes.get(index)
    {
        reasons.push(format!(
            "after {} a fresh builder runs {} of {} steps; with it {}",
            words(change),
            total(&decided.before, index),
            sum_of_steps(subject),
            total(&decided.after, index),
        ));
    }
    let [_, inline, min, max] = &decided.asked;
    // Where `mode=max` keeps most that the others lose.
    let lost = |index: &usize| total(inline, *index).saturating_sub(total(max, *index));
    let most = shown.iter().copied().filter(|index| lost(index) > 0);
    let most = most.max_by_key(|index| (lost(index), std::cmp::Reverse(*index)));
    match chosen.kind {
        Kind::Inline => reasons.push(
            "inline suffices: after every typical change it keeps what `mode=max` would keep, and needs neither a place of its own nor \
             another builder"
                .to_owned(),
        ),
        _ if !chosen.to.is_empty() => {
            if let Some(index) = most
                && let Some(change) = decided.changes.get(index)
            {
                let (inline, min, max) = (total(inline, index), total(min, index), total(max, index));
                let both = if inline == min {
                    format!("inline and `mode=min` run {inline}")
                } else {
                    format!("inline runs {inline}, `mode=min` {min}")
                };
                reasons.push(format!(
                    "`mode=max`, as the others keep only the image's own layers: after {} {both}, `mode=max` {max}",
                    words(change)
                ));
            }
        }
        _ => {}
    }
    reasons.extend(race_reason(decided));
    for spec in &build.cache_to {
        let Some(name) = cache::ref_of(&spec.value) else { continue };
        let others = subjects.iter().enumerate().filter(|(other, subject)| {
            *other != at
                && subject.identity() != build_identity(subjects, at)
                && subject.build.cache_to.iter().any(|to| cache::ref_of(&to.value).as_deref() == Some(&name))
        });
        let others = others.count();
        if others > 0 && matches!(chosen.kind, Kind::Registry | Kind::Gha) {
            let shown = name
                .strip_prefix("gha:")
                .map_or_else(|| format!("`{name}`"), |scope| format!("the gha scope `{scope}`"));
            reasons.push(format!(
                "{shown} is written by {} of other images too, each export over the last: a place for each",
                if others == 1 { "a build".to_owned() } else { format!("{others} builds") }
            ));
        }
    }
    match chosen.guard {
        Guard::None => {}
        Guard::PullRequests => reasons.push(
            "exported only outside pull requests: what they can write, a build of the default branch or a release must not read"
                .to_owned(),
        ),
        Guard::DefaultBranch => reasons.push(
            "exported only by the default branch: one ref holds one build, and what any branch or pull request can write, the default \
             branch or a release must not read"
                .to_owned(),
        ),
    }
    if chosen.kind == Kind::Gha && (build.trigger.pull_request || build.trigger.any_branch) {
        reasons.push(
            "GitHub gives each branch and pull request a cache of its own and falls back to the default branch's: no second import \
             that could race, and nothing that a pull request writes is read by others"
                .to_owned(),
        );
    }
    if chosen.kind == Kind::Registry && super::subject::only_releases(&build.trigger) {
        reasons.push("in a registry, as GitHub shows the cache of a tag to no later tag".to_owned());
    }
    reasons
}

/// What overlapping imports come to (facts §11).
fn race_reason(decided: &Decided) -> Option<String> {
    let races = |counts: &[Vec<Count>]| counts.iter().any(|counts| Count::sum(counts).races > 0);
    let several = decided.chosen.setting.imports.len() > 1;
    if several && races(&decided.after) {
        let keep = decided.chosen.kind == Kind::Keep;
        let order = if keep { "Leave the build's own last" } else { "So the build's own comes last" };
        return Some(format!(
            "these imports overlap, and BuildKit follows whichever answers first (moby/buildkit#6418): in recordings without any \
             change, the steps that only the wanted one holds ran again in 32 of 144 runs with it listed last, in 33 of 48 with it \
             first. {order}; imported alone it never missed, but then what an earlier job has just built is built again"
        ));
    }
    races(&decided.before).then(|| {
        "one import that holds all: imports that overlap race, BuildKit follows whichever answers first (moby/buildkit#6418; in \
         recordings without any change steps ran again in 65 of 192 runs, with one import in none)"
            .to_owned()
    })
}

fn build_identity(subjects: &[Subject<'_>], at: usize) -> String {
    subjects.get(at).map(Subject::identity).unwrap_or_default()
}

fn keep_reason(subjects: &[Subject<'_>], at: usize, subject: &Subject<'_>, decided: &Decided) -> String {
    let build = subject.build;
    if subject.is_by_hand() {
        return "nothing that runs by itself starts this build, and people's machines keep their builder's cache".to_owned();
    }
    if sum_of_steps(subject) == 0 {
        return "it has no step that a cache could keep".to_owned();
    }
    if !subject.is_fresh() {
        return "the builder keeps its cache between jobs; a remote one would only be read when a builder is new".to_owned();
    }
    let earlier = subjects
        .iter()
        .take(at)
        .rev()
        .find(|other| other.build.job == build.job && other.dockerfile.path == subject.dockerfile.path);
    if let Some(earlier) = earlier.filter(|_| total(&decided.asked[0], 0) < sum_of_steps(subject)) {
        return format!(
            "the build at line {} of the same job leaves its steps on the builder, so nothing has to be imported for this one",
            snippet::line(earlier)
        );
    }
    let [none, .., max] = &decided.asked;
    let same = (0..decided.changes.len()).all(|index| total(none, index) == total(max, index));
    if same && build.cache_from.is_empty() && build.cache_to.is_empty() {
        return "no cache would save a step after any typical change".to_owned();
    }
    "no other setting saves a command after any typical change".to_owned()
}

fn sum_of_steps(subject: &Subject<'_>) -> u32 {
    stages(subject).iter().map(|stage| u32::try_from(stage.steps).unwrap_or(u32::MAX)).sum()
}

fn with_gc(subject: &Subject<'_>, mut snippets: Vec<super::Snippet>) -> Vec<super::Snippet> {
    if !subject.is_fresh() && subject.build.builder.driver != crate::builds::Driver::None {
        let docker = subject.build.builder.driver == crate::builds::Driver::Docker;
        let kind = if docker { DaemonKind::Dockerd } else { DaemonKind::Buildkitd };
        snippets.push(super::daemon::snippet(kind, subject.disk));
    }
    snippets
}

fn notes(subject: &Subject<'_>, decided: &Decided) -> Vec<String> {
    let chosen = &decided.chosen;
    let build = subject.build;
    let mut notes = Vec::new();
    if chosen.placeholder {
        notes.push(
            "put the repository of your image in the place of REGISTRY/IMAGE, one that the job may push to"
                .to_owned(),
        );
    }
    if let Some(fallback) = &chosen.fallback {
        let name = fallback.trim_start_matches("type=registry,ref=");
        notes.push(format!(
            "`{name}` is imported only while the branch has no cache of its own: imports that overlap race in BuildKit \
             (moby/buildkit#6418)"
        ));
    }
    if build.builder.persistent.is_none() && chosen.kind != Kind::Keep {
        notes.push(
            "nothing here tells whether the builder keeps its cache between jobs; if it does, put `persistent = true` under \
             `[builder]` in hitrate.toml"
                .to_owned(),
        );
    }
    notes.extend(driver_note(subject, decided));
    notes.extend(retention(subject, decided));
    let new = chosen.kind != Kind::Keep;
    if new && chosen.to.iter().any(|to| to.contains("ignore-error=true")) {
        notes.push("`ignore-error=true`: without it a failed export of the cache fails the build".to_owned());
    }
    if new && chosen.to.iter().any(|to| to.contains("image-manifest=true")) {
        notes.push(
            "`image-manifest=true`: this registry refuses the index that BuildKit before 0.21 writes"
                .to_owned(),
        );
    }
    let remote = |to: &String| ["type=registry", "type=gha", "type=s3"].iter().any(|kind| to.contains(kind));
    if chosen.to.iter().any(|to| remote(to) && !to.contains("ignore-error")) {
        notes.push(
            "`ignore-error=true` on the export would keep a failed upload from failing the build".to_owned(),
        );
    }
    notes.extend(args(subject));
    notes.extend(mounts(subject, decided));
    notes
}

fn driver_note(subject: &Subject<'_>, decided: &Decided) -> Option<String> {
    if !snippet::needs_driver(subject, &decided.chosen) {
        return None;
    }
    let load = match snippet::leaves_image(subject) {
        true => "; the image stays in it unless `--load` (`load: true`) or `--push` is there",
        false => "",
    };
    Some(format!(
        "the docker driver exports inline caches only (others with containerd's image store), so the build needs a docker-container \
         builder{load}"
    ))
}

fn retention(subject: &Subject<'_>, decided: &Decided) -> Option<String> {
    let chosen = &decided.chosen;
    if chosen.to.is_empty() {
        return None;
    }
    match chosen.kind {
        Kind::Gha => Some(
            "GitHub deletes what was not read for 7 days, and the least recently used beyond the repository's limit (10 GB unless raised)"
                .to_owned(),
        ),
        Kind::Registry => {
            let name = decided.place.name.to_ascii_lowercase();
            let branches = if chosen.fallback.is_some() { ", and delete a branch's tag when it is merged" } else { "" };
            let how = if name.contains(".ecr.") {
                "a lifecycle rule that expires untagged images after 7 days; a repository with immutable tags refuses the second export"
            } else if name.contains("ghcr.io") {
                "delete untagged versions of the package from time to time"
            } else if subject.build.system == System::GitlabCi {
                "let the registry's cleanup policy remove the cache tags that are older than 14 days"
            } else if name.contains("gcr.io") || name.contains("pkg.dev") {
                "a cleanup policy that deletes untagged images after 7 days"
            } else {
                "let the registry delete untagged manifests after some days"
            };
            Some(format!("every export replaces the tag and leaves the old layers untagged: {how}{branches}"))
        }
        _ => None,
    }
}

/// Build args that differ in every commit and run steps again whatever the cache.
fn args(subject: &Subject<'_>) -> Vec<String> {
    let model = subject.model;
    let volatile = subject.build.args.iter().filter(|(_, value)| {
        matches!(&value.value, Value::Symbolic { volatility, .. } if *volatility >= Volatility::PerCommit)
    });
    let mut notes = Vec::new();
    for (name, value) in volatile {
        let answer = model.after_in(&[Change::Arg(name.clone(), None)], &Setting::default());
        let runs = |step: &crate::graph::StepId| {
            matches!(answer.graph().step(*step).map(|step| &step.kind), Some(StepKind::Run(_)))
        };
        let ran: Vec<_> = answer.reruns().filter(runs).collect();
        let Some(first) = ran.first().and_then(|step| answer.graph().step(*step)) else { continue };
        notes.push(format!(
            "no cache helps against the build arg {name}: `{}` is another value in every {}, and {} run again for it, first {} line {}",
            text(&value.value),
            if matches!(&value.value, Value::Symbolic { volatility: Volatility::PerRun, .. }) { "run" } else { "commit" },
            if ran.len() == 1 { "a command has to".to_owned() } else { format!("{} commands", ran.len()) },
            subject.dockerfile.path,
            subject.dockerfile.line(first.instruction.span.start)
        ));
    }
    notes
}

/// What cache mounts are worth on a builder that starts empty.
fn mounts(subject: &Subject<'_>, decided: &Decided) -> Option<String> {
    let build = subject.build;
    let graph = &subject.model.graph;
    if build.builder.persistent != Some(false) || build.mounts_kept.is_some() {
        return None;
    }
    let mounted: Vec<_> = graph
        .all_steps()
        .filter(|(_, step)| graph.reachable.get(step.stage).copied().unwrap_or(false))
        .filter(|(_, step)| {
            matches!(&step.kind, StepKind::Run(run) if run.mounts.iter().any(|mount| mount.kind == MountKind::Cache))
        })
        .collect();
    let (_, first) = mounted.first()?;
    let edit = decided.changes.iter().find(|change| change.kind == TypicalKind::SourceEdit);
    let after_edit =
        edit.and_then(|edit| edit.file.clone()).map(|file| subject.model.after(&[Change::Edit(vec![file])]));
    let again = after_edit
        .map_or(0, |answer| mounted.iter().filter(|(id, _)| answer.verdict(*id) == Verdict::Reruns).count());
    let line = subject.dockerfile.line(first.instruction.span.start);
    let place = format!("{} line {line}", subject.dockerfile.path);
    let many = if mounted.len() == 1 {
        format!("the cache mount at {place} is")
    } else {
        format!("the cache mounts of {} RUNs (first at {place}) are", mounted.len())
    };
    let what = match (again, build.system) {
        (0, _) => "no harm: the layers keep what those RUNs install until a manifest changes".to_owned(),
        (_, System::GithubActions) => {
            "exporters leave them out. reproducible-containers/buildkit-cache-dance with actions/cache keeps them between runs, or a builder that persists"
                .to_owned()
        }
        _ => "exporters leave them out. Only a builder that persists (a remote buildkitd, a volume for its state) keeps them".to_owned(),
    };
    Some(format!("{many} empty in every run; {what}"))
}
