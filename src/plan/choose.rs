//! The choice: of the settings that never run more than those in use, the one that runs least; of equals the one that
//! changes least.

use super::Kind;
use super::place::{self, Backend, Place};
use super::subject::{Subject, only_pull_requests, only_releases};
use super::used::{Used, spec_text, used};
use super::world::{Args, Count, Taken, TypicalChange, World, runs_before};
use crate::builds::{System, Value};
use crate::cache::{self, Export, ExportMode, Setting};
use std::collections::BTreeMap;

/// How often the choice is looked at again because another build's changed.
const MAX_ROUNDS: usize = 4;

/// A setting that may be recommended.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    pub(super) setting: Setting,
    /// What the default branch has written, where that is imported beside the own cache.
    pub(super) main: Vec<Export>,
    /// As for `--cache-from`.
    pub(super) from: Vec<String>,
    /// As for `--cache-to`.
    pub(super) to: Vec<String>,
    /// What is imported while the own reference does not exist.
    pub(super) fallback: Option<String>,
    /// When alone the export may run. Of what is in use: that it must not stay as it is.
    pub(super) guard: Guard,
    /// Whether no file tells the registry.
    pub(super) placeholder: bool,
}

impl Candidate {
    fn taken(&self) -> Taken {
        Taken { setting: self.setting.clone(), main: self.main.clone() }
    }
}

/// When alone a cache may be exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Guard {
    /// Always.
    #[default]
    None,
    /// Not for pull requests.
    PullRequests,
    /// For the default branch.
    DefaultBranch,
}

/// What was decided for a build, with what was asked for it.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) used: Used,
    pub(super) changes: Vec<TypicalChange>,
    /// Under the settings in use, by change and stage.
    pub(super) before: Vec<Vec<Count>>,
    pub(super) chosen: Candidate,
    /// Under what was chosen, everybody following the recommendations.
    pub(super) after: Vec<Vec<Count>>,
    /// Without any cache, inline, `min` and `max`.
    pub(super) asked: [Vec<Vec<Count>>; 4],
    pub(super) place: Place,
    pub(super) unavailable: Unavailable,
}

/// Why some kinds of caches cannot be had.
#[derive(Clone, Debug, Default)]
pub(super) struct Unavailable {
    pub(super) inline: Option<String>,
    pub(super) gha: Option<String>,
    pub(super) local: Option<String>,
}

pub(super) fn choose(subjects: &[Subject<'_>]) -> Vec<Decided> {
    let places = place::places(subjects);
    let in_use: Vec<Used> = subjects.iter().map(|subject| used(subjects, subject)).collect();
    let settings: Vec<Taken> =
        in_use.iter().map(|used| Taken { setting: used.setting.clone(), main: used.main.clone() }).collect();
    let world = World::new(subjects);
    let before: Vec<Vec<Vec<Count>>> =
        (0..subjects.len()).map(|at| world.costs(&settings, at, Args::Other)).collect();
    let offers: Vec<Vec<Candidate>> =
        (0..subjects.len()).map(|at| candidates(subjects, &in_use, &places, at)).collect();
    let mut now = settings.clone();
    let mut chosen: Vec<usize> = vec![0; subjects.len()];
    let limit = |at: usize| before.get(at).cloned().unwrap_or_default();
    let groups = groups(subjects);
    for _ in 0..MAX_ROUNDS {
        let mut moved = false;
        for group in &groups {
            let best = best(&world, &offers, &mut now, group, &before);
            for at in group {
                if let (Some(slot), Some(index), Some(offer)) = (
                    now.get_mut(*at),
                    chosen.get_mut(*at),
                    offers.get(*at).and_then(|offers| offers.get(best)),
                ) {
                    moved |= *index != best;
                    *index = best;
                    *slot = offer.taken();
                }
            }
        }
        if !moved {
            break;
        }
    }
    settle(&world, &settings, &mut now, &mut chosen, &before);
    let mut decided = Vec::with_capacity(subjects.len());
    for (at, subject) in subjects.iter().enumerate() {
        let candidate = offers.get(at).zip(chosen.get(at)).and_then(|(offers, index)| offers.get(*index));
        let (Some(chosen), Some(used), Some(place)) = (candidate, in_use.get(at), places.get(at)) else {
            continue;
        };
        decided.push(Decided {
            used: used.clone(),
            changes: world.changes(at).to_vec(),
            before: limit(at),
            after: world.costs(&now, at, Args::Other),
            chosen: chosen.clone(),
            asked: alternatives(&world, &settings, at),
            place: place.clone(),
            unavailable: unavailable(subject),
        });
    }
    decided
}

/// Whoever would run more than before, since it lived on what another build wrote, keeps what it has, and so do all that it
/// shares a cache with.
fn settle(
    world: &World<'_>,
    settings: &[Taken],
    now: &mut [Taken],
    chosen: &mut [usize],
    before: &[Vec<Vec<Count>>],
) {
    let subjects = world.subjects;
    for _ in 0..=subjects.len() {
        let worse = (0..subjects.len()).find(|at| {
            before.get(*at).is_some_and(|limit| !never_more(&world.costs(now, *at, Args::Other), limit))
        });
        let Some(worse) = worse else { return };
        let touches = |at: usize| {
            let of = |at: usize| settings.get(at).map(|taken| &taken.setting);
            let (Some(own), Some(other)) = (of(worse), of(at)) else { return false };
            at == worse
                || other.exports.iter().any(|export| own.imports.contains(&export.to))
                || own.exports.iter().any(|export| other.imports.contains(&export.to))
                || own.exports.iter().any(|export| other.exports.iter().any(|to| to.to == export.to))
                || subjects.get(at).map(|subject| &subject.build.job)
                    == subjects.get(worse).map(|subject| &subject.build.job)
        };
        let moved: Vec<usize> = (0..subjects.len())
            .filter(|at| touches(*at) && chosen.get(*at).is_some_and(|index| *index != 0))
            .collect();
        let all: Vec<usize> = if moved.is_empty() { (0..subjects.len()).collect() } else { moved };
        for at in all {
            if let (Some(slot), Some(index), Some(setting)) =
                (now.get_mut(at), chosen.get_mut(at), settings.get(at))
            {
                *slot = setting.clone();
                // The first offer is what is there.
                *index = 0;
            }
        }
    }
}

/// Builds by index; the legs of a matrix, which are one text, together.
fn groups(subjects: &[Subject<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut of_text: BTreeMap<(&str, u32), usize> = BTreeMap::new();
    for (at, subject) in subjects.iter().enumerate() {
        let build = subject.build;
        let text = (&*build.path, build.span.start);
        match of_text.get(&text).filter(|_| !build.matrix.is_empty()).and_then(|group| groups.get_mut(*group))
        {
            Some(group) => group.push(at),
            None => {
                of_text.insert(text, groups.len());
                groups.push(vec![at]);
            }
        }
    }
    groups
}

/// The index of the best offer to all builds of a group, everything else being as in `now`.
fn best(
    world: &World<'_>,
    offers: &[Vec<Candidate>],
    now: &mut [Taken],
    group: &[usize],
    limits: &[Vec<Vec<Count>>],
) -> usize {
    let kept: Vec<Option<Taken>> = group.iter().map(|at| now.get(*at).cloned()).collect();
    let mut best: Option<(u32, usize)> = None;
    let number = group.iter().filter_map(|at| offers.get(*at)).map(Vec::len).min().unwrap_or(0);
    for index in 0..number {
        let of = |at: &usize| offers.get(*at).and_then(|offers| offers.get(index));
        let mut kinds = group.iter().filter_map(of).map(|offer| offer.kind);
        let first = kinds.next();
        if kinds.any(|kind| Some(kind) != first) {
            continue;
        }
        for at in group {
            if let (Some(slot), Some(offer)) = (now.get_mut(*at), of(at)) {
                *slot = offer.taken();
            }
        }
        // What must not stay comes last, however little it runs.
        let must_go = index == 0 && group.iter().filter_map(of).any(|offer| offer.guard != Guard::None);
        let mut cost = if must_go { Some(u32::MAX) } else { Some(0u32) };
        for at in group {
            let Some(limit) = limits.get(*at) else { continue };
            let counts = world.costs(now, *at, Args::Other);
            if !never_more(&counts, limit) {
                cost = None;
                break;
            }
            let calm = match world.subjects.get(*at).is_some_and(Subject::tells_the_commit) {
                true => world.costs(now, *at, Args::Same),
                false => counts.clone(),
            };
            cost = cost.map(|cost| cost.saturating_add(weight(&counts)).saturating_add(weight(&calm)));
        }
        if let Some(cost) = cost
            && best.is_none_or(|(least, _)| cost < least)
        {
            best = Some((cost, index));
        }
    }
    for (at, setting) in group.iter().zip(kept) {
        if let (Some(slot), Some(setting)) = (now.get_mut(*at), setting) {
            *slot = setting;
        }
    }
    best.map_or(0, |(_, index)| index)
}

/// What counts when offers are compared: commands, those that only may run by a race for less.
fn weight(counts: &[Vec<Count>]) -> u32 {
    counts.iter().flatten().map(|count| 4 * count.commands.saturating_sub(count.races) + count.races).sum()
}

/// Whether after every change at most as many steps run.
pub(super) fn never_more(counts: &[Vec<Count>], limit: &[Vec<Count>]) -> bool {
    counts.iter().zip(limit).all(|(counts, limit)| Count::sum(counts).total() <= Count::sum(limit).total())
}

/// What may be recommended for a build, what changes least first. The first is what is in use; it is guarded where it must
/// not stay.
fn candidates(subjects: &[Subject<'_>], in_use: &[Used], places: &[Place], at: usize) -> Vec<Candidate> {
    let (Some(subject), Some(used), Some(place)) = (subjects.get(at), in_use.get(at), places.get(at)) else {
        return Vec::new();
    };
    let build = subject.build;
    let open = is_open_to_pull_requests(subjects, subject);
    let keep = Candidate {
        kind: Kind::Keep,
        setting: used.setting.clone(),
        main: used.main.clone(),
        from: build.cache_from.iter().map(|spec| spec_text(subject, spec)).collect(),
        to: build.cache_to.iter().map(|spec| spec_text(subject, spec)).collect(),
        fallback: None,
        guard: if used.broken || used.needs_builder || open { Guard::PullRequests } else { Guard::None },
        placeholder: false,
    };
    let branches = guard(subject);
    let open_guard = if open { branches } else { Guard::None };
    let mut all = vec![keep.clone()];
    if !subject.is_fresh() || subject.is_by_hand() {
        return all;
    }
    let base = Setting { fresh: true, pushed: used.setting.pushed, ..Setting::default() };
    let named = used.intended.exports.iter().any(|export| export.mode != ExportMode::Inline);
    let sound = !used.broken || used.needs_builder;
    if used.needs_builder && named {
        all.push(Candidate {
            kind: Kind::Builder,
            setting: used.intended.clone(),
            guard: open_guard,
            ..keep.clone()
        });
    }
    // The same place with all of it.
    if sound && named {
        let mut setting = used.intended.clone();
        for export in setting.exports.iter_mut().filter(|export| export.mode != ExportMode::Inline) {
            export.mode = ExportMode::Max;
        }
        // A tag's run sees nothing of another tag's in GitHub's cache, whatever it imports.
        let seen = |export: &&Export| !(export.to.starts_with("gha:") && only_releases(&build.trigger));
        if build.cache_from.is_empty() {
            let first = setting.exports.iter().find(seen).map(|export| export.to.clone());
            setting.imports.extend(first);
        }
        let to: Vec<String> = build.cache_to.iter().map(|spec| with_max(&spec_text(subject, spec))).collect();
        let from = if keep.from.is_empty() {
            to.iter().map(|to| import_of(to)).collect()
        } else {
            keep.from.clone()
        };
        all.push(Candidate { kind: Kind::Max, setting, from, to, guard: open_guard, ..keep.clone() });
    }
    if let Some(tag) =
        place::steady_tag(subject).filter(|_| build.platforms.len() < 2 || build.cache_to.is_empty())
    {
        let to = format!("inline {}", place.model);
        all.push(Candidate {
            kind: Kind::Inline,
            setting: Setting {
                imports: vec![to.clone()],
                exports: vec![Export { to, mode: ExportMode::Inline }],
                ..base.clone()
            },
            main: Vec::new(),
            from: vec![format!("type=registry,ref={tag}")],
            to: vec!["type=inline".to_owned()],
            guard: Guard::None,
            ..keep.clone()
        });
    }
    let writes = writes(subjects, at);
    let kind = match place.backend {
        Backend::Registry => Kind::Registry,
        Backend::Gha => Kind::Gha,
    };
    let exports =
        if writes { vec![Export { to: place.model.clone(), mode: ExportMode::Max }] } else { Vec::new() };
    let to = if writes { vec![place.export(needs_manifest(subject, place))] } else { Vec::new() };
    let own = Candidate {
        kind,
        setting: Setting { imports: vec![place.model.clone()], exports, ..base },
        main: Vec::new(),
        from: vec![place.import()],
        to,
        fallback: place.fallback.as_ref().map(|name| format!("type=registry,ref={name}")),
        guard: if writes && place.backend == Backend::Registry { branches } else { Guard::None },
        placeholder: place.placeholder,
    };
    all.push(own.clone());
    let earlier = earlier(subjects, in_use, at);
    if !earlier.is_empty() {
        // What the earlier builds write now, or their own places.
        for theirs in [false, true] {
            let mut chain = own.clone();
            for index in earlier.iter().rev() {
                let (Some(place), Some(used), Some(other)) =
                    (places.get(*index), in_use.get(*index), subjects.get(*index))
                else {
                    continue;
                };
                let written = other.build.cache_to.first().map(|to| import_of(&spec_text(other, to)));
                let (name, text) = match (theirs, used.setting.exports.last(), written) {
                    (false, Some(export), Some(text)) => (export.to.clone(), text),
                    _ => (place.model.clone(), place.import()),
                };
                chain.setting.imports.insert(0, name);
                chain.from.insert(0, text);
            }
            all.push(chain);
        }
    }
    all
}

/// When alone a build may write a reference that other runs of it read: branches and pull requests read the default
/// branch's. Elsewhere than on GitHub a branch's name is in the reference, or no condition can be written.
fn guard(subject: &Subject<'_>) -> Guard {
    let build = subject.build;
    let trigger = &build.trigger;
    match build.system {
        System::GithubActions if trigger.any_branch => Guard::DefaultBranch,
        System::GithubActions if trigger.pull_request || trigger.pull_request_target => Guard::PullRequests,
        _ => Guard::None,
    }
}

/// Whether pull requests write a cache that a build of a branch or release reads.
fn is_open_to_pull_requests(subjects: &[Subject<'_>], subject: &Subject<'_>) -> bool {
    let build = subject.build;
    let pull_request = build.trigger.pull_request || build.trigger.pull_request_target;
    if build.system != System::GithubActions || !pull_request || build.conditional_export {
        return false;
    }
    build.cache_to.iter().any(|spec| {
        let apart = match spec.value.kind() {
            Some("inline" | "local") => true,
            // A pull request writes to a scope that nobody else reads, unless it runs with the rights of the base.
            Some("gha") => !build.trigger.pull_request_target,
            _ => false,
        };
        let name = cache::ref_of(&spec.value);
        let reads = |other: &Subject<'_>| {
            let trigger = &other.build.trigger;
            (trigger.release || trigger.default_branch)
                && cache::is_pushed(other.build)
                && other.build.cache_from.iter().any(|from| cache::ref_of(&from.value) == name)
        };
        !apart && name.is_some() && subjects.iter().any(reads)
    })
}

/// Whether a build writes the cache of its image: pull requests and releases leave that to the build of a branch.
fn writes(subjects: &[Subject<'_>], at: usize) -> bool {
    let Some(subject) = subjects.get(at) else { return false };
    let identity = subject.identity();
    let apart = |trigger: &crate::builds::Trigger| only_pull_requests(trigger) || only_releases(trigger);
    let of_branch = subjects.iter().any(|other| !apart(&other.build.trigger) && other.identity() == identity);
    !of_branch || !apart(&subject.build.trigger)
}

/// The builds that run before this one, elsewhere, from the same Dockerfile, and whose cache this one reads today.
fn earlier(subjects: &[Subject<'_>], in_use: &[Used], at: usize) -> Vec<usize> {
    let (Some(subject), Some(used)) = (subjects.get(at), in_use.get(at)) else { return Vec::new() };
    let identity = subject.identity();
    let reads = |(index, (other, setting)): (usize, (&Subject<'_>, &Used))| {
        let same = other.dockerfile.path == subject.dockerfile.path && other.identity() != identity;
        let elsewhere = other.build.job != subject.build.job && runs_before(subjects, index, at);
        let written = setting.setting.exports.iter().any(|export| used.setting.imports.contains(&export.to));
        (same && elsewhere && written).then_some(index)
    };
    subjects.iter().zip(in_use).enumerate().filter_map(reads).collect()
}

/// Whether the registry takes a cache only as an image's manifest, and the builder may be too old to write it by itself
/// (facts §5.2, §5.4).
fn needs_manifest(subject: &Subject<'_>, place: &Place) -> bool {
    let host = place.name.to_ascii_lowercase();
    let refuses = [".ecr.", "public.ecr.aws", "gcr.io/", "quay.io/", "jfrog.io/", "artifactory", "harbor"];
    if place.backend != Backend::Registry || !refuses.iter().any(|part| host.contains(part)) {
        return false;
    }
    let versions = &subject.build.builder.versions;
    let version =
        versions.iter().find(|(name, _)| name == "buildkit").map(|(_, version)| version.value.as_str());
    let minor = version.and_then(|version| {
        let mut parts = version.trim_start_matches('v').split('.');
        let (major, minor) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
        Some(if major > 0 { u32::MAX } else { minor })
    });
    match (minor, version) {
        (Some(minor), _) => minor < 21,
        (None, Some(_)) => false,
        // A container without a version is today's.
        (None, None) => subject.build.builder.driver != crate::builds::Driver::DockerContainer,
    }
}

/// The same export with `mode=max`, and without what makes it fail the build.
fn with_max(export: &str) -> String {
    let mut parts: Vec<&str> = export.split(',').filter(|part| !part.starts_with("mode=")).collect();
    if export == "type=inline" || !export.starts_with("type=") {
        return export.to_owned();
    }
    parts.push("mode=max");
    parts.join(",")
}

/// The import that reads what an export writes.
fn import_of(export: &str) -> String {
    let keep = |part: &&str| {
        let key = part.split('=').next().unwrap_or("");
        !matches!(
            key,
            "mode"
                | "ignore-error"
                | "image-manifest"
                | "oci-mediatypes"
                | "compression"
                | "compression-level"
                | "force-compression"
                | "tag"
                | "reset"
                | "push"
        )
    };
    export.split(',').filter(keep).map(|part| part.replace("dest=", "src=")).collect::<Vec<_>>().join(",")
}

fn alternatives(world: &World<'_>, settings: &[Taken], at: usize) -> [Vec<Vec<Count>>; 4] {
    let pushed = settings.get(at).is_some_and(|own| own.setting.pushed);
    let with = |mode: Option<ExportMode>| {
        let mut settings = settings.to_vec();
        if let Some(slot) = settings.get_mut(at) {
            let to = "\u{1}alternative".to_owned();
            slot.main.clear();
            slot.setting = Setting {
                fresh: true,
                pushed,
                imports: mode.map(|_| to.clone()).into_iter().collect(),
                exports: mode.map(|mode| Export { to, mode }).into_iter().collect(),
            };
        }
        world.costs(&settings, at, Args::Other)
    };
    [with(None), with(Some(ExportMode::Inline)), with(Some(ExportMode::Min)), with(Some(ExportMode::Max))]
}

fn unavailable(subject: &Subject<'_>) -> Unavailable {
    let build = subject.build;
    let mut unavailable = Unavailable::default();
    if !cache::is_pushed(build) {
        unavailable.inline = Some("the image is not pushed".to_owned());
    } else if place::steady_tag(subject).is_none() {
        unavailable.inline = Some("no tag of the image is the same in the next run".to_owned());
    }
    if build.system != System::GithubActions {
        unavailable.gha = Some("only in GitHub Actions".to_owned());
    } else if build.gha_token == Some(false) {
        unavailable.gha = Some("a run step has no token for it".to_owned());
    }
    let kept = build.kept.iter().any(|kept| matches!(&kept.value, Value::Known(_) | Value::Symbolic { .. }));
    if build.builder.persistent == Some(false) && !kept {
        unavailable.local = Some("nothing keeps a directory between the runs of this job".to_owned());
    }
    unavailable
}
