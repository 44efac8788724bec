//! `work-after-copy`: a costly step that needs nothing of the project stands below a COPY of it.

use super::typical;
use super::words::{code, count, lines};
use super::work::{self, text};
use super::{
    Category, DockerfileCx, Fix, Fixable, MAX_QUESTIONS, Meta, Rule, Safety, Severity, Sink, ToolUse,
};
use crate::cache::{Answer, Change, Verdict};
use crate::dockerfile::{Instruction, Keyword, Kind};
use crate::fix::{apply, select};
use crate::graph::{Source, Step, StepId, StepKind};
use crate::shell::{Command, Cwd};
use crate::tools::{Needs, is_within};

static META: Meta = Meta {
    name: "work-after-copy",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/work-after-copy.md"),
};

/// See the page.
pub(super) struct WorkAfterCopy;

impl Rule for WorkAfterCopy {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let mut works: Vec<StepId> = cx
            .facts
            .runs()
            .filter(|(id, step, _)| {
                !step.onbuild && first_copy(cx, step.stage) < Some(*id) && work::needs_nothing(cx, *id, step)
            })
            .map(|(id, ..)| id)
            .collect();
        let Some(last) = works.last().copied() else { return };
        let all = works.clone();
        let takers: Vec<StepId> = cx
            .graph()
            .all_steps()
            .map(|(id, _)| id)
            .filter(|id| *id < last && !cx.model().selections(*id).is_empty())
            .collect();
        for taker in takers.into_iter().take(MAX_QUESTIONS) {
            let Some(file) = typical::edited(cx, taker, None, &|_| false) else { continue };
            let answer = cx.model().after(&[Change::Edit(vec![file.clone()])]);
            let reached = |id: &StepId| matches!(answer.verdict(*id), Verdict::Reruns | Verdict::Depends);
            let again: Vec<StepId> = works.iter().copied().filter(reached).collect();
            for id in &again {
                report(cx, *id, &all, &file, &answer, out);
            }
            works.retain(|id| !again.contains(id));
            if works.is_empty() {
                return;
            }
        }
    }
}

/// The first COPY or ADD of a stage; `None` is smaller than any step, so a stage without one has nothing below it.
fn first_copy(cx: &DockerfileCx<'_>, stage: usize) -> Option<StepId> {
    let mut steps = cx.graph().steps_of(stage);
    let found = steps.find(|(_, step)| matches!(step.kind, StepKind::Copy(_))).map(|(id, _)| id);
    found.or(Some(StepId(u32::MAX)))
}

fn report(
    cx: &DockerfileCx<'_>,
    id: StepId,
    works: &[StepId],
    file: &str,
    answer: &Answer<'_, '_>,
    out: &mut Sink,
) {
    let graph = cx.graph();
    let Some(step) = graph.step(id) else { return };
    // The first step of the stage that is not found in the cache has to be the COPY to move above.
    let changed = |other: &StepId| matches!(answer.verdict(*other), Verdict::Reruns | Verdict::Depends);
    let Some((copy, blocker)) = graph.steps_of(step.stage).find(|(other, _)| changed(other)) else { return };
    if !matches!(blocker.kind, StepKind::Copy(_)) || copy >= id || blocker.onbuild {
        return;
    }
    let crossed: Vec<StepId> =
        cx.facts.runs().map(|(run, ..)| run).filter(|run| copy < *run && *run < id).collect();
    // What an unknown command between them made may be what it needs.
    if crossed.iter().any(|run| cx.uses(*run).opaque || !is_built_by_tools(cx, *run)) {
        return;
    }
    // A program that is installed between them, and stays there, may be the one that it runs.
    let installs = |run: &StepId| !works.contains(run) && cx.uses(*run).tools.iter().any(ToolUse::is_free);
    if !is_system(cx, id) && crossed.iter().any(installs) {
        return;
    }
    let sure = answer.runs_again(id);
    if !sure && !brings_output(cx, blocker, answer) {
        return;
    }
    let command = cx.costly(id).map_or_else(|| "RUN".to_owned(), text);
    let total = answer.reruns().count();
    let verb = if sure { "runs" } else { "may run" };
    let message = format!(
        "{} {verb} {} again, which needs no file of the project; {} in all",
        typical::edit_of(cx, file),
        code(&command, 44),
        count(total, "step")
    );
    // What it may need of them goes before it; one that stays must not have made the place it works in.
    let goes =
        |run: &&StepId| works.contains(run) || cx.uses(**run).tools.is_empty() && is_loose(cx, copy, **run);
    let (along, stays): (Vec<&StepId>, Vec<&StepId>) = crossed.iter().partition(goes);
    if stays.iter().any(|run| makes_place(cx, **run, id, step)) {
        return;
    }
    let keyword = blocker.instruction.keyword.name();
    let along: Vec<u32> = along.into_iter().map(|run| cx.line_of(*run)).collect();
    let along = if along.is_empty() { String::new() } else { format!(", after {}", lines(&along)) };
    let help = format!("move it above line {} (`{keyword}`){along}", cx.line_of(copy));
    let free = !crossed.iter().any(|run| works.contains(run));
    let fix = fix(cx, id, step, copy, blocker, &crossed, file).filter(|_| sure && free);
    let severity = if sure { Severity::Warning } else { Severity::Info };
    out.report(step.instruction.span, message)
        .help(help)
        .severity(severity)
        .causes(cx.causes(answer.because(id)))
        .fix(fix);
}

/// Whether a COPY takes from a stage in which sources are compiled again: other bytes, as good as always.
fn brings_output(cx: &DockerfileCx<'_>, blocker: &Step<'_>, answer: &Answer<'_, '_>) -> bool {
    let StepKind::Copy(copy) = &blocker.kind else { return false };
    let Source::Stage(stage) = copy.from else { return false };
    let compiles = |used: &ToolUse<'_>| used.kind.compiles() && used.needs == Needs::Sources;
    cx.graph().steps_of(stage).any(|(id, _)| answer.runs_again(id) && cx.uses(id).tools.iter().any(compiles))
}

/// Whether the RUN installs packages of the system and nothing else.
fn is_system(cx: &DockerfileCx<'_>, id: StepId) -> bool {
    cx.uses(id).tools.iter().all(|used| used.tool.ecosystem.starts_with("os-"))
}

/// Whether every command of the RUN is one of a tool or a small program: what it writes has nothing to do with packages.
fn is_built_by_tools(cx: &DockerfileCx<'_>, run: StepId) -> bool {
    let script = cx.facts.script(run);
    let uses = cx.uses(run);
    script.commands.iter().enumerate().all(|(number, command)| {
        uses.tools.iter().any(|used| used.command == number) || work::is_plain(command)
    })
}

fn fix(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    copy: StepId,
    blocker: &Step<'_>,
    crossed: &[StepId],
    file: &str,
) -> Option<Fix> {
    let (start, end) = (blocker.instruction.span.start, step.instruction.span.start);
    let between = || cx.syntax.instructions().filter(|one| start < one.span.start && one.span.start < end);
    // What is set between them is in force for it.
    let sets = |keyword: Keyword| {
        matches!(keyword, Keyword::Env | Keyword::Arg | Keyword::User | Keyword::Shell | Keyword::From)
    };
    if between().any(|one| sets(one.keyword)) {
        return None;
    }
    let safety = if crossed.is_empty() { Safety::Safe } else { Safety::Unsafe };
    let fix = if between().any(|one| one.keyword == Keyword::Workdir) {
        // It stays in its directory, and the COPY goes below it.
        let told = |one: &Instruction<'_>| {
            matches!(one.keyword, Keyword::Workdir | Keyword::Label | Keyword::Expose)
        };
        if !between().all(told) || !is_placed(blocker) {
            return None;
        }
        Fix::new(format!("move the {} below it", blocker.instruction.keyword.name()), safety).move_below(
            cx.path(),
            cx.syntax,
            &[start],
            end,
        )?
    } else {
        let mut moved = prepared(cx, copy, crossed)?;
        moved.push(end);
        Fix::new(format!("move it above line {}", cx.line_of(copy)), safety).move_up_to(
            cx.path(),
            cx.syntax,
            &moved,
            start,
        )?
    };
    let selection = select([&fix], Safety::Unsafe);
    let moved = apply(cx.text(), selection.edits.get(cx.path())?);
    let better = cx.model().with_text(&moved, |model| {
        let answer = model.after(&[Change::Edit(vec![file.to_owned()])]);
        model.counterpart(cx.graph(), id).is_some_and(|there| !answer.runs_again(there))
    });
    better.then_some(fix)
}

/// The RUNs between the two that set something up (a directory, a setting) and so go with the step; `None` where one of them
/// may need what the COPY or a tool before it made.
fn prepared(cx: &DockerfileCx<'_>, copy: StepId, crossed: &[StepId]) -> Option<Vec<u32>> {
    let sets_up = |run: &&StepId| cx.uses(**run).tools.is_empty();
    if !crossed.iter().any(|run| sets_up(&run)) {
        return Some(Vec::new());
    }
    let goes = |run: &StepId| sets_up(&run) && is_loose(cx, copy, *run);
    if !crossed.iter().all(goes) {
        return None;
    }
    crossed.iter().map(|run| Some(cx.graph().step(*run)?.instruction.span.start)).collect()
}

/// Whether a RUN below `copy` is known and has nothing to do with what that COPY and those after it wrote.
fn is_loose(cx: &DockerfileCx<'_>, copy: StepId, run: StepId) -> bool {
    let mut copies = cx
        .graph()
        .all_steps()
        .filter(|(id, step)| copy <= *id && *id < run && matches!(step.kind, StepKind::Copy(_)));
    cx.is_known(run) && !copies.any(|(copy, _)| work::touches(cx, run, copy))
}

/// Whether a RUN makes a directory in which `step` works or to which it writes.
fn makes_place(cx: &DockerfileCx<'_>, run: StepId, id: StepId, step: &Step<'_>) -> bool {
    let makes =
        |command: &&Command<'_>| matches!(command.program(), Some("mkdir" | "install" | "ln" | "mv" | "cp"));
    let made = cx.facts.script(run).commands.iter().filter(makes).flat_map(Command::args);
    let made: Vec<&str> = made.map(|word| &*word.text).filter(|text| text.starts_with('/')).collect();
    let script = cx.facts.script(id);
    let words = script.commands.iter().flat_map(|command| {
        let there = match &command.cwd {
            Cwd::Path(there) => Some(&**there),
            _ => None,
        };
        let redirects = command.redirects.iter().map(|redirect| &*redirect.target.text);
        command.args().iter().map(|word| &*word.text).chain(redirects).chain(there)
    });
    words.chain([&*step.state.cwd]).any(|word| made.iter().any(|made| *made != "/" && is_within(word, made)))
}

/// Whether a COPY puts the same at the same place whatever the working directory is, and for root, who makes it too.
fn is_placed(copy: &Step<'_>) -> bool {
    let Kind::Copy(syntax) = &copy.instruction.kind else { return false };
    syntax.dest.text.starts_with('/')
        && !syntax.dest.text.contains('$')
        && matches!(&*copy.state.user, "" | "root" | "0")
}
