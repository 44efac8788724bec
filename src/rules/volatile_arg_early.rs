//! `volatile-arg-early`: an ARG that is another one in every build, above installs that have no use for it.

use super::scope::{Reach, names, reach};
use super::volatile::{self, Named, Why};
use super::words::{code, count, lines};
use super::work::text;
use super::{Category, DockerfileCx, Fix, Fixable, MAX_QUESTIONS, Meta, Rule, Safety, Severity, Sink};
use crate::builds::Volatility;
use crate::cache::{Answer, Change};
use crate::dockerfile::{ArgDecl, Keyword, Kind};
use crate::fix::{apply, select};
use crate::graph::{StepId, StepKind};

static META: Meta = Meta {
    name: "volatile-arg-early",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/volatile-arg-early.md"),
};

/// The time stamp of what WORKDIR makes, so that it re-runs more than RUNs (facts §1.4).
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// See the page.
pub(super) struct VolatileArgEarly;

impl Rule for VolatileArgEarly {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let mut early: Vec<Early<'_>> = Vec::new();
        let stages = cx.syntax.instructions().skip_while(|one| one.keyword != Keyword::From);
        for instruction in stages {
            let Kind::Arg(decls) = &instruction.kind else { continue };
            // Another rule tells of those that are there for nothing else.
            for decl in
                decls.iter().filter(|decl| !volatile::is_buster(&decl.name.text) && !only_busts(cx, decl))
            {
                if early.len() == MAX_QUESTIONS {
                    break;
                }
                let why = volatile::why(cx, &decl.name.text).filter(|why| is_own(cx, decl, why));
                early.extend(why.and_then(|why| Early::new(cx, instruction.span.start, decl, why)));
            }
        }
        // A build passes one value to all stages that declare the name.
        early.sort_by_key(|one| one.name());
        for same in early.chunk_by(|a, b| a.name() == b.name()) {
            tell(cx, same, out);
        }
    }
}

/// Whether it is a time that nothing in the file names: what runs again for it is meant to.
fn only_busts(cx: &DockerfileCx<'_>, decl: &ArgDecl<'_>) -> bool {
    let name = &*decl.name.text;
    let named = |kind: &Kind<'_>, text: &str| !matches!(kind, Kind::Arg(_)) && names(text, name);
    name.eq_ignore_ascii_case("TIMESTAMP")
        && !cx.syntax.instructions().any(|one| named(&one.kind, one.span.of(cx.text())))
}

/// A declaration that may stand too early.
struct Early<'a> {
    decl: &'a ArgDecl<'a>,
    why: Why,
    reach: Reach,
    /// The declaration moved.
    fix: Option<Fix>,
}

impl<'a> Early<'a> {
    fn new(cx: &DockerfileCx<'_>, start: u32, decl: &'a ArgDecl<'a>, why: Why) -> Option<Self> {
        let name = &*decl.name.text;
        let reach = reach(cx, start, name);
        if name == EPOCH {
            return matches!(why, Why::Passed(..)).then_some(Self { decl, why, reach, fix: None });
        }
        if reach.idle.is_empty() {
            return None;
        }
        let place = match reach.first_use.filter(|_| reach.is_named) {
            Some(at) => format!("move `{name}` to just above its first use in line {}", cx.line(at)),
            None => format!("move `{name}` below what has no use for it"),
        };
        let fix = reach.fix(cx, start, place);
        Some(Self { decl, why, reach, fix })
    }

    fn name(&self) -> &'a str {
        &self.decl.name.text
    }
}

/// Tells of declarations of one name.
fn tell(cx: &DockerfileCx<'_>, same: &[Early<'_>], out: &mut Sink) {
    let Some(name) = same.first().map(Early::name) else { return };
    let change = [Change::Arg(name.to_owned(), None)];
    let answer = cx.model().after(&change);
    let again = |step: &StepId| answer.runs_again(*step);
    let mut idle: Vec<Vec<StepId>> =
        same.iter().map(|one| one.reach.idle.iter().copied().filter(again).collect()).collect();
    for (one, steps) in same.iter().zip(&mut idle) {
        volatile::without_rerun(cx, one.decl.name.span.start, steps);
    }
    if name == EPOCH {
        let costly = |step: &StepId| matches!(cx.graph().step(*step), Some(found) if matches!(found.kind, StepKind::Run(_)));
        let found: Vec<StepId> =
            answer.reruns().filter(costly).filter(|step| cx.costly(*step).is_some()).collect();
        idle.fill(found);
    }
    // What stays when a declaration is moved. Moves that cannot matter to each other are asked about at once.
    let moves: Vec<(&Fix, &mut Vec<StepId>)> = same
        .iter()
        .zip(&mut idle)
        .filter(|(_, idle)| !idle.is_empty())
        .filter_map(|(one, idle)| Some((one.fix.as_ref()?, idle)))
        .collect();
    let stage_of = |idle: &[StepId]| cx.graph().step(*idle.first()?).map(|step| step.stage);
    let stages: Vec<Option<usize>> = moves.iter().map(|(_, idle)| stage_of(idle)).collect();
    let stands_alone = |at: usize| {
        let needs = |other: &Option<usize>| match (stages.get(at), other) {
            (Some(Some(own)), Some(other)) => cx.graph().needs_stage(*own, *other),
            _ => true,
        };
        stages.iter().enumerate().all(|(other_at, other)| other_at == at || !needs(other))
    };
    let (apart, others): (Vec<_>, Vec<_>) =
        moves.into_iter().enumerate().partition(|(at, _)| stands_alone(*at));
    let groups = std::iter::once(apart).chain(others.into_iter().map(|one| vec![one]));
    for group in groups.filter(|group| !group.is_empty()) {
        let mut now: Vec<_> = group.into_iter().map(|(_, one)| one).collect();
        let selection = select(now.iter().map(|(fix, _)| *fix), Safety::Safe);
        let moved = apply(cx.text(), selection.edits.get(cx.path()).map_or(&[], Vec::as_slice));
        cx.model().with_text(&moved, |model| {
            let then = model.after(&change);
            let stays = |step: &StepId| {
                model.counterpart(cx.graph(), *step).is_some_and(|there| !then.runs_again(there))
            };
            now.iter_mut().for_each(|(_, idle)| idle.retain(stays));
        });
    }
    for (one, idle) in same.iter().zip(&idle) {
        report(cx, one, idle, &answer, out);
    }
}

/// Whether it is a value of the project, and no pin of something that is downloaded. What a build passes speaks for itself.
fn is_own(cx: &DockerfileCx<'_>, decl: &ArgDecl<'_>, why: &Why) -> bool {
    let Why::Named(named) = why else { return true };
    let name = &*decl.name.text;
    let default = decl.default.as_ref().map(|word| &*word.text);
    // A version that stands in the file is bumped there, and is as likely that of something else.
    if *named == Named::OwnVersion && !default.is_none_or(volatile::stands_in) {
        return false;
    }
    !volatile::pins(cx, name)
}

fn report(
    cx: &DockerfileCx<'_>,
    early: &Early<'_>,
    idle: &[StepId],
    answer: &Answer<'_, '_>,
    out: &mut Sink,
) {
    let Early { decl, why, reach, fix } = early;
    let name = early.name();
    let Some(first) = idle.first() else { return };
    let command = cx.costly(*first).map_or_else(|| "RUN".into(), text);
    let numbers: Vec<u32> = idle.iter().map(|step| cx.line_of(*step)).collect();
    let total = count(answer.reruns().count(), "step");
    let how = match why {
        Why::Passed(_, _, Volatility::PerRun) => "every run",
        Why::Passed(..) | Why::Named(Named::Moving) => "every commit",
        Why::Named(_) => "every release",
    };
    let message = if name == EPOCH {
        format!(
            "{how} has another `{name}`, the time of what WORKDIR makes: it runs {} again; {total} in all",
            code(&command, 40)
        )
    } else {
        format!(
            "{how} has another `{name}`, which runs {} ({}) again without using it; {total} in all",
            code(&command, 40),
            lines(&numbers)
        )
    };
    let help = match reach.first_use.filter(|_| reach.is_named) {
        _ if name == EPOCH => {
            "pass one that stays (the last release's), or pass it to release builds only".to_owned()
        }
        Some(at) => format!("declare `{name}` just above line {}, its first use", cx.line(at)),
        None => format!("declare `{name}` below {}, where it is needed", lines(&numbers)),
    };
    let mut draft = out.report(decl.name.span, message).help(help);
    if let Why::Passed(place, value, _) = why {
        draft = draft.cause_at(place.clone(), format!("passes {}", code(&format!("{name}={value}"), 60)));
    }
    draft.causes(cx.causes(answer.because(*first))).fix(fix.clone());
}
