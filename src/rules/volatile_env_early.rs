//! `volatile-env-early`: an ENV that every release bumps, above installs that have no use for it.

use super::scope::reach;
use super::volatile::{self, Named};
use super::words::{code, count, lines};
use super::work::text;
use super::{Category, DockerfileCx, Fixable, MAX_QUESTIONS, Meta, Rule, Safety, Severity, Sink};
use crate::dockerfile::{Keyword, Kind, Pair};
use crate::fix::{apply, select};
use crate::graph::StepId;
use crate::source::Edit;

static META: Meta = Meta {
    name: "volatile-env-early",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/volatile-env-early.md"),
};

/// See the page.
pub(super) struct VolatileEnvEarly;

impl Rule for VolatileEnvEarly {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let mut questions = 0;
        let stages = cx.syntax.instructions().skip_while(|one| one.keyword != Keyword::From);
        for instruction in stages {
            let Kind::Env(pairs) = &instruction.kind else { continue };
            for pair in pairs {
                let named = volatile::named(&pair.key.text, &cx.settings.order.volatile_args)
                    .filter(|named| *named != Named::Buster);
                let bumped = is_bumped(&pair.value.text, named == Some(Named::OwnVersion));
                if named.is_some() && bumped && !volatile::pins(cx, &pair.key.text) {
                    questions += 1;
                    if questions <= MAX_QUESTIONS {
                        report(cx, instruction.span.start, pair, out);
                    }
                }
            }
        }
    }
}

/// A version, a date, a hash, a long number: literal text with a digit. A short one is a switch (`RELEASE=1`), or a counter
/// that somebody moves by hand to have everything below it run again (`BUILD_REVISION=9`).
fn is_bumped(value: &str, version: bool) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let short = digits == value.len() && digits < 3;
    !value.contains(['$', '`', '/', ' ']) && !short && digits >= if version { 2 } else { 1 }
}

fn report(cx: &DockerfileCx<'_>, start: u32, pair: &Pair<'_>, out: &mut Sink) {
    let name = &*pair.key.text;
    let reach = reach(cx, start, name);
    if reach.idle.is_empty() {
        return;
    }
    let bump = Edit { span: pair.value.span, text: "0-another-value".to_owned() };
    let again = cx.model().rerun_by(&apply(cx.text(), std::slice::from_ref(&bump)));
    let reruns = |step: &StepId| again.get(step.index()).copied().unwrap_or(false);
    let mut idle: Vec<StepId> = reach.idle.iter().copied().filter(reruns).collect();
    volatile::without_rerun(cx, start, &mut idle);
    let title = match reach.first_use.filter(|_| reach.is_named) {
        Some(at) => format!("move `{name}` to just above its first use in line {}", cx.line(at)),
        None => format!("move `{name}` below what has no use for it"),
    };
    let fix = reach.fix(cx, start, title);
    if let Some(fix) = &fix {
        let selection = select([fix], Safety::Safe);
        let moved = apply(cx.text(), selection.edits.get(cx.path()).map_or(&[], Vec::as_slice));
        let own = pair.key.span.cover(pair.value.span).of(cx.text());
        let bumped = moved.replacen(own, &format!("{name}=0-another-value"), 1);
        cx.model().with_text(&moved, |model| {
            let then = model.rerun_by(&bumped);
            let stays = |step: &StepId| {
                model
                    .counterpart(cx.graph(), *step)
                    .is_some_and(|there| then.get(there.index()) == Some(&false))
            };
            idle.retain(stays);
        });
    }
    let Some(first) = idle.first() else { return };
    let command = cx.costly(*first).map_or_else(|| "RUN".into(), text);
    let numbers: Vec<u32> = idle.iter().map(|step| cx.line_of(*step)).collect();
    let total = again.iter().filter(|again| **again).count();
    let message = format!(
        "a release with another `{name}` runs {} ({}) again, which does not use it; {} in all",
        code(&command, 40),
        lines(&numbers),
        count(total, "step")
    );
    let help = match reach.first_use.filter(|_| reach.is_named) {
        Some(at) => format!("set `{name}` just above line {}, its first use", cx.line(at)),
        None => format!("set `{name}` below {}", lines(&numbers)),
    };
    let cause = format!("ENV `{name}` is in the environment of every RUN below it");
    out.report(pair.key.span.cover(pair.value.span), message).help(help).cause(pair.key.span, cause).fix(fix);
}
