//! The choice: of the settings that never run more than those in use, the one that runs least; of equals the one that
//! changes least.

use super::candidates::{Candidate, Guard, candidates};
use super::place::{self, Place};
use super::subject::Subject;
use super::used::{Used, used};
use super::world::{Args, Count, Taken, TypicalChange, World};
use crate::builds::{System, Value};
use crate::cache::{self, Export, ExportMode, Setting};
use std::collections::BTreeMap;

/// How often the choice is looked at again because another build's changed.
const MAX_ROUNDS: usize = 4;

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
