//! `broad-copy-before-install`: an edit of a source file runs an install again that reads only manifests.

use super::manifests::{self, Manifest, Reads};
use super::typical;
use super::words::{code, count, lines, list};
use super::work::text;
use super::{Category, DockerfileCx, Fixable, MAX_QUESTIONS, Meta, Rule, Safety, Severity, Sink, ToolUse};
use crate::cache::{Answer, Change, Standing};
use crate::graph::{Source, StepId, StepKind};
use crate::source::Span;
use crate::tools::Needs;

mod split;

static META: Meta = Meta {
    name: "broad-copy-before-install",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/broad-copy-before-install.md"),
};

/// More installs than people write into one file are not looked at.
const MAX_INSTALLS: usize = 64;

/// See the page.
pub(super) struct BroadCopyBeforeInstall;

impl Rule for BroadCopyBeforeInstall {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let installs = installs(cx);
        let Some(last) = installs.last().map(|install| install.step) else { return };
        let takers: Vec<StepId> = cx
            .graph()
            .all_steps()
            .map(|(id, _)| id)
            .filter(|id| *id <= last && !cx.model().selections(*id).is_empty())
            .collect();
        let mut told: Vec<usize> = Vec::new();
        for taker in takers.into_iter().take(MAX_QUESTIONS) {
            let below: Vec<usize> = (0..installs.len())
                .filter(|at| {
                    !told.contains(at)
                        && installs.get(*at).is_some_and(|install| is_below(cx, install, taker))
                })
                .collect();
            let Some(first) = below.first().and_then(|at| installs.get(*at)) else { continue };
            let jobs = below.iter().filter_map(|at| installs.get(*at)).map(|install| install.job);
            let reads = Reads::of(jobs);
            let ecosystem = first.job.tool.ecosystem.as_str();
            let Some(file) = typical::edited(cx, taker, Some(ecosystem), &|file| reads.covers(file)) else {
                continue;
            };
            let answer = cx.model().after(&[Change::Edit(vec![file.clone()])]);
            let again: Vec<usize> = below
                .into_iter()
                .filter(|at| {
                    installs.get(*at).is_some_and(|install| {
                        // What it takes itself is not to be blamed on an earlier step.
                        match cx.model().takes(install.step, &file) {
                            true => install.step == taker && answer.runs_again(taker),
                            false => comes_from(&answer, install.step, taker),
                        }
                    })
                })
                .collect();
            let hit: Vec<&Install<'_>> = again.iter().filter_map(|at| installs.get(*at)).collect();
            if !hit.is_empty() {
                report(cx, taker, &hit, &file, &answer, out);
                told.extend(again);
            }
        }
    }
}

/// Whether an install can run again because of `taker`: another stage's steps say nothing of it, and cost a question.
fn is_below(cx: &DockerfileCx<'_>, install: &Install<'_>, taker: StepId) -> bool {
    let stage = |step| cx.graph().step(step).map(|step| step.stage);
    let (Some(own), Some(other)) = (stage(install.step), stage(taker)) else { return false };
    install.step >= taker && cx.graph().needs_stage(own, other)
}

/// A RUN that installs what manifests name.
struct Install<'a> {
    step: StepId,
    job: &'a ToolUse<'a>,
}

/// The installs that read manifests only, the first of each RUN.
fn installs<'a>(cx: &DockerfileCx<'a>) -> Vec<Install<'a>> {
    let mut installs: Vec<Install<'a>> = Vec::new();
    for (step, ..) in cx.facts.runs() {
        if installs.len() == MAX_INSTALLS {
            break;
        }
        let uses = cx.uses(step);
        // What stands before it in the RUN may have made what it reads.
        let unread = |job: &&ToolUse<'_>| job.needs == Needs::Sources;
        let before = uses.tools.iter().position(|job| unread(&job)).unwrap_or(uses.tools.len());
        let found = uses.tools.iter().take(before).find(|job| {
            job.needs == Needs::Manifests
                && job.kind.downloads()
                && reads_only_manifests(cx, step, job)
                && plain_before(cx, step, job)
        });
        installs.extend(found.map(|job| Install { step, job }));
    }
    // After a first install the second is there to link or to finish it, and finds everything.
    let mut kept: Vec<Install<'a>> = Vec::new();
    for install in installs {
        let stage = |step| cx.graph().step(step).map(|step| step.stage);
        let same = |other: &Install<'a>| {
            other.job.tool.ecosystem == install.job.tool.ecosystem
                && other.job.directory == install.job.directory
                && stage(other.step) == stage(install.step)
        };
        if !kept.iter().any(same) {
            kept.push(install);
        }
    }
    kept
}

/// `go get` reads the sources to know what to get, unless it is told; and what has no manifest reads none.
fn reads_only_manifests(cx: &DockerfileCx<'_>, step: StepId, job: &ToolUse<'_>) -> bool {
    let Some(command) = cx.command(step, job) else { return false };
    let words = || command.args().iter().map(|word| &*word.text).filter(|word| !word.starts_with('-'));
    if job.tool.ecosystem == "go" && words().next() == Some("get") {
        let local = |word: &str| word.starts_with('.') || word.ends_with("/...") || word == "all";
        if words().count() < 2 || words().any(local) {
            return false;
        }
    }
    !manifests::has_none(cx, step, job)
        && !manifests::has_local_dependencies(cx, step, job)
        && !is_made(cx, step, job)
}

/// Whether a file that the command names comes from no COPY: a RUN made it.
fn is_made(cx: &DockerfileCx<'_>, step: StepId, job: &ToolUse<'_>) -> bool {
    cx.model().context().is_some()
        && job.named.iter().filter(|name| !name.contains(['$', '*', '?', '`'])).any(|name| {
            job.directory.is_some()
                && !matches!(manifests::standing(cx, step, job, name), Standing::Context(_))
        })
}

/// Whether everything before the job in its RUN is known and reads no sources.
fn plain_before(cx: &DockerfileCx<'_>, step: StepId, job: &ToolUse<'_>) -> bool {
    let script = cx.facts.script(step);
    let known = |number: usize| cx.uses(step).tools.iter().any(|other| other.command == number);
    script.opaque.is_empty()
        && script
            .commands
            .iter()
            .take(job.command)
            .enumerate()
            .all(|(number, command)| known(number) || super::work::is_plain(command))
}

/// Whether `install` runs again for sure, and because `taker` takes the edited file.
fn comes_from(answer: &Answer<'_, '_>, install: StepId, taker: StepId) -> bool {
    if !answer.runs_again(install) {
        return false;
    }
    let because = answer.because(install);
    let taken = because.iter().any(|because| because.path.is_some());
    let last = because.iter().filter_map(|because| because.step).next_back().unwrap_or(install);
    taken && last == taker
}

fn report(
    cx: &DockerfileCx<'_>,
    taker: StepId,
    installs: &[&Install<'_>],
    file: &str,
    answer: &Answer<'_, '_>,
    out: &mut Sink,
) {
    let (Some(step), Some(first)) = (cx.graph().step(taker), installs.first()) else { return };
    let (job, install) = (first.job, first.step);
    let name = cx.command(install, job).map_or_else(|| job.tool.name.clone(), text);
    let numbers: Vec<u32> = installs.iter().map(|install| cx.line_of(install.step)).collect();
    let total = answer.reruns().count();
    let message = format!(
        "{} runs {} ({}) again, which reads only manifests; {} in all",
        typical::edit_of(cx, file),
        code(&name, 36),
        lines(&numbers),
        count(total, "step")
    );
    let scripts = installs.iter().flat_map(|install| install.job.scripts.iter().flatten()).next();
    let between = obscured(cx, taker, install);
    let copied =
        manifests::copied(cx, taker, install, job).map(|found| manifests::without(cx, taker, job, found));
    // Nothing of it is needed only where the manifests are seen to come from elsewhere.
    if copied.as_ref().is_some_and(Vec::is_empty) && !manifests::has_some(cx, install, job) {
        return;
    }
    let sure = scripts.is_none() && !between;
    let fix = copied
        .as_ref()
        .filter(|_| sure && installs.len() == 1)
        .and_then(|found| split::fix(cx, taker, first.step, job, found, file));
    let help = match (scripts, copied.as_deref()) {
        (Some(script), _) => format!(
            "copy the manifests first, with what its `{script}` script reads, then install, then copy the rest"
        ),
        (None, Some(found)) if !found.is_empty() && job.tool.name == "cargo" => {
            "cargo takes no manifest without its sources: let cargo-chef make stand-ins (`cargo chef prepare`, `cargo chef cook`)"
                .to_owned()
        }
        (None, Some([])) if taker == install => {
            format!("mount only the manifests ({}) into this RUN", known(job))
        }
        (None, Some([])) if is_needed_between(cx, taker, install) => {
            format!("move the install above line {}: it needs nothing of it", cx.line_of(taker))
        }
        (None, Some([])) => {
            format!("move this below line {}: the install needs nothing of it", cx.line_of(install))
        }
        (None, Some(found)) => format!("copy {} first, then install, then copy the rest", names(found)),
        (None, None) => {
            format!("copy the manifests ({}) first, then install, then copy the rest", known(job))
        }
    };
    let severity = if sure { Severity::Warning } else { Severity::Info };
    out.report(place(cx, taker, file).unwrap_or(step.instruction.span), message)
        .help(help)
        .severity(severity)
        .causes(cx.causes(answer.because(install)))
        .fix(fix);
}

/// The bind mount that takes the file, where the RUN itself takes it.
fn place(cx: &DockerfileCx<'_>, taker: StepId, file: &str) -> Option<Span> {
    let StepKind::Run(run) = &cx.graph().step(taker)?.kind else { return None };
    let mounts = run
        .mounts
        .iter()
        .filter(|mount| mount.kind == crate::graph::MountKind::Bind && mount.from == Source::Context);
    let takes = |source: &str| {
        let source = crate::context::path::below_root(source);
        source.is_empty()
            || file == source
            || file.strip_prefix(&source).is_some_and(|rest| rest.starts_with('/'))
    };
    mounts.into_iter().find(|mount| takes(&mount.source)).map(|mount| mount.syntax.span)
}

/// Whether a RUN between the two may have a use for what the copy brings.
fn is_needed_between(cx: &DockerfileCx<'_>, taker: StepId, install: StepId) -> bool {
    let runs = cx.facts.runs().filter(|(id, ..)| taker < *id && *id < install);
    let reads = |job: &ToolUse<'_>| job.needs != Needs::None;
    runs.into_iter().any(|(id, ..)| {
        !cx.is_known(id) || cx.uses(id).tools.iter().any(reads) || super::work::touches(cx, id, taker)
    })
}

/// Whether a RUN between the two may make what the install reads.
fn obscured(cx: &DockerfileCx<'_>, taker: StepId, install: StepId) -> bool {
    let runs = cx.facts.runs().filter(|(id, ..)| taker < *id && *id < install);
    let reads = |job: &ToolUse<'_>| job.needs == Needs::Sources;
    runs.into_iter().any(|(id, ..)| !cx.is_known(id) || cx.uses(id).tools.iter().any(reads))
}

/// The manifests as a list of names for people.
fn names(found: &[Manifest]) -> String {
    list(&found.iter().map(|one| code(&one.file, 40)).collect::<Vec<_>>())
}

/// What the tool reads, by its data.
fn known(job: &ToolUse<'_>) -> String {
    if !job.named.is_empty() {
        return list(&job.named.iter().map(|name| code(name, 40)).collect::<Vec<_>>());
    }
    let plain = [&job.tool.manifests, &job.tool.lockfiles].into_iter().flatten();
    let names: Vec<String> =
        plain.filter(|name| !name.contains("**")).take(3).map(|name| code(name, 40)).collect();
    list(&names)
}
