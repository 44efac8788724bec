//! `volatile-arg-early`: an ARG that is another one in every build, above installs that have no use for it.

use super::scope::reach;
use super::volatile::{self, Named, Why};
use super::words::{code, count, lines};
use super::work::text;
use super::{Category, DockerfileCx, Fixable, MAX_QUESTIONS, Meta, Rule, Safety, Severity, Sink};
use crate::builds::Volatility;
use crate::cache::Change;
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
        let mut questions = 0;
        let stages = cx.syntax.instructions().skip_while(|one| one.keyword != Keyword::From);
        for instruction in stages {
            let Kind::Arg(decls) = &instruction.kind else { continue };
            // Another rule tells of those that are there for nothing else.
            for decl in decls.iter().filter(|decl| !volatile::is_buster(&decl.name.text)) {
                let Some(why) = volatile::why(cx, &decl.name.text).filter(|why| is_own(cx, decl, why)) else {
                    continue;
                };
                questions += 1;
                if questions <= MAX_QUESTIONS {
                    report(cx, instruction.span.start, decl, &why, out);
                }
            }
        }
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

fn report(cx: &DockerfileCx<'_>, start: u32, decl: &ArgDecl<'_>, why: &Why, out: &mut Sink) {
    let name = &*decl.name.text;
    let reach = reach(cx, start, name);
    let answer = cx.model().after(&[Change::Arg(name.to_owned(), None)]);
    let mut idle: Vec<StepId> = reach.idle.iter().copied().filter(|step| answer.runs_again(*step)).collect();
    let mut fix = None;
    if name == EPOCH {
        if !matches!(why, Why::Passed(..)) {
            return;
        }
        let costly = |step: &StepId| matches!(cx.graph().step(*step), Some(found) if matches!(found.kind, StepKind::Run(_)));
        idle = answer.reruns().filter(costly).filter(|step| cx.costly(*step).is_some()).collect();
    } else {
        let place = match reach.first_use.filter(|_| reach.is_named) {
            Some(at) => format!("move `{name}` to just above its first use in line {}", cx.line(at)),
            None => format!("move `{name}` below what has no use for it"),
        };
        fix = reach.fix(cx, start, place);
        if let Some(fix) = &fix {
            let selection = select([fix], Safety::Safe);
            let moved = apply(cx.text(), selection.edits.get(cx.path()).map_or(&[], Vec::as_slice));
            cx.model().with_text(&moved, |model| {
                let then = model.after(&[Change::Arg(name.to_owned(), None)]);
                let stays = |step: &StepId| {
                    model.counterpart(cx.graph(), *step).is_some_and(|there| !then.runs_again(there))
                };
                idle.retain(stays);
            });
        }
    }
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
    draft.causes(cx.causes(answer.because(*first))).fix(fix);
}
