//! `cache-buster`: a step that is made to run in every build, above work that need not.

use super::scope::names;
use super::volatile::{self, Why};
use super::words::{code, count, lines};
use super::work::text;
use super::{Category, DockerfileCx, Fixable, MAX_QUESTIONS, Meta, Rule, Severity, Sink};
use crate::cache::{Answer, Change};
use crate::dockerfile::{ArgDecl, Keyword, Kind};
use crate::graph::{CopySourceKind, Step, StepId, StepKind};
use crate::shell::Command;

static META: Meta = Meta {
    name: "cache-buster",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/cache-buster.md"),
};

/// Addresses that answer with something else every time.
const RANDOM: [&str; 6] =
    ["random.org/", "worldtimeapi.org/", "timeapi.io/", "/uuid", "uuidgenerator", "uuidtools.com/"];

/// See the page.
pub(super) struct CacheBuster;

impl Rule for CacheBuster {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches names: that a variable is there to be another one every time is in what it is called. What runs again because
    // of it is asked of the model.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let mut questions = 0;
        let stages = cx.syntax.instructions().skip_while(|one| one.keyword != Keyword::From);
        for instruction in stages {
            let Kind::Arg(decls) = &instruction.kind else { continue };
            for decl in decls.iter().filter(|decl| volatile::is_buster(&decl.name.text)) {
                questions += 1;
                if questions <= MAX_QUESTIONS {
                    variable(cx, instruction.span.start, decl, out);
                }
            }
        }
        for (id, step) in cx.graph().all_steps() {
            match &step.kind {
                StepKind::Copy(copy) if copy.checksum.is_none() => {
                    let random = copy.sources.iter().find(|source| {
                        source.kind == CopySourceKind::Http
                            && RANDOM.iter().any(|part| source.text.contains(part))
                    });
                    if let Some(source) = random {
                        questions += 1;
                        if questions <= MAX_QUESTIONS {
                            address(cx, id, step, &source.text, out);
                        }
                    }
                }
                StepKind::Run(_) if !step.onbuild => useless(cx, id, out),
                _ => {}
            }
        }
    }
}

/// An ARG that is passed anew to have something run again.
fn variable(cx: &DockerfileCx<'_>, start: u32, decl: &ArgDecl<'_>, out: &mut Sink) {
    let name = &*decl.name.text;
    // Where the builds are known, one of them has to pass it.
    let Some(why) = volatile::why(cx, name) else { return };
    let answer = cx.model().after(&[Change::Arg(name.to_owned(), None)]);
    let stage = cx.graph().stages.iter().rposition(|stage| stage.from.span.start < start);
    let uses = |step: &Step<'_>| names(step.instruction.span.of(cx.text()), name);
    let runs: Vec<(StepId, bool)> = cx
        .facts
        .runs()
        .filter(|(id, step, _)| {
            Some(step.stage) == stage && step.instruction.span.start > start && answer.runs_again(*id)
        })
        .map(|(id, step, _)| (id, uses(step)))
        .collect();
    // What it is for: the RUNs that name it, if they do anything, else the first one below that does.
    let works = |id: StepId| cx.costly(id).is_some() || !cx.is_known(id);
    let mut working = runs.iter().filter(|(id, _)| works(*id));
    let meant = working.clone().find(|(_, named)| *named).or(working.next()).map(|(id, _)| *id);
    if meant.is_some_and(|meant| installs_packages(cx, meant)) {
        return;
    }
    let needless: Vec<StepId> = runs
        .iter()
        .filter(|(id, uses)| Some(*id) != meant && !uses && is_free(cx, *id))
        .map(|(id, _)| *id)
        .collect();
    let Some(first) = needless.first() else { return };
    let numbers: Vec<u32> = needless.iter().map(|id| cx.line_of(*id)).collect();
    let command = cx.costly(*first).map_or_else(|| "RUN".to_owned(), text);
    let message = format!(
        "every build with another `{name}` runs {} ({}) again, which has no use for it; {} in all",
        code(&command, 40),
        lines(&numbers),
        count(answer.reruns().count(), "step")
    );
    let help = match meant {
        Some(step) if step < *first => format!(
            "put what has to be fresh (line {}) with `{name}` below {}, or let `ADD` fetch it, whose key is the content",
            cx.line_of(step),
            lines(&numbers)
        ),
        Some(step) => format!("declare `{name}` just above line {}, which has to be fresh", cx.line_of(step)),
        None => format!("drop `{name}`, and run the build that has to be fresh with `--no-cache-filter`"),
    };
    let mut draft = out.report(decl.name.span, message).help(help);
    if let Why::Passed(place, value, _) = why {
        draft = draft.cause_at(place, format!("passes {}", code(&format!("{name}={value}"), 60)));
    }
    draft.causes(cx.causes(answer.because(*first)));
}

/// An ADD whose content is never the same.
fn address(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>, url: &str, out: &mut Sink) {
    let answer: Answer<'_, '_> = cx.model().after(&[Change::Remote(Some(url.to_owned()))]);
    let below: Vec<StepId> =
        cx.facts.runs().map(|(run, ..)| run).filter(|run| *run > id && answer.runs_again(*run)).collect();
    let works = |id: &StepId| cx.costly(*id).is_some() || !cx.is_known(*id);
    let meant = below.iter().copied().find(works);
    if meant.is_some_and(|meant| installs_packages(cx, meant)) {
        return;
    }
    let needless: Vec<StepId> =
        below.into_iter().filter(|run| Some(*run) != meant && is_free(cx, *run)).collect();
    let Some(first) = needless.first() else { return };
    let numbers: Vec<u32> = needless.iter().map(|id| cx.line_of(*id)).collect();
    let command = cx.costly(*first).map_or_else(|| "RUN".to_owned(), text);
    let message = format!(
        "{} is never the same: every build runs {} ({}) again; {} in all",
        code(url, 40),
        code(&command, 36),
        lines(&numbers),
        count(answer.reruns().count(), "step")
    );
    out.report(step.instruction.span, message)
        .help("let `ADD` fetch what has to be fresh, whose key is the content, or use `--no-cache-filter`")
        .causes(cx.causes(answer.because(*first)));
}

/// A RUN that is there to be another one every time, and is not: it is cached by its text.
fn useless(cx: &DockerfileCx<'_>, id: StepId, out: &mut Sink) {
    let script = cx.facts.script(id);
    let asks = |command: &&Command<'_>| {
        matches!(command.program(), Some("date" | "uuidgen")) && !command.args().iter().any(is_fixed)
            || command.args().iter().any(|word| word.text.contains("$RANDOM"))
    };
    if !script.opaque.is_empty() || !script.commands.iter().all(is_idle) {
        return;
    }
    let Some(command) = script.commands.iter().find(asks) else { return };
    let line = cx.line_of(id);
    let message = format!(
        "line {line} does not run in every build: it is cached by its text, so {} is that of some earlier build",
        code(&text(command), 40)
    );
    out.report(command.span, message).help(
        "pass the value as a build arg where it is needed; to have a step run again, use `--no-cache-filter STAGE`",
    );
}

/// `date -d @0`, `date -r file`, `date -s …`: a time that is told.
fn is_fixed(word: &crate::shell::Word<'_>) -> bool {
    ["-d", "--date", "-r", "--reference", "-s", "--set"].iter().any(|option| word.text.starts_with(option))
}

/// Whether a command does nothing but tell: what there is to run it for is that it runs.
fn is_idle(command: &Command<'_>) -> bool {
    matches!(
        command.program(),
        Some("date" | "echo" | "printf" | "uuidgen" | "true" | ":" | "set" | "test" | "[")
    ) || (command.argv.is_empty() && command.opaque.is_none())
}

/// Whether the RUN installs packages of the system: what stands below it is built with them.
fn installs_packages(cx: &DockerfileCx<'_>, id: StepId) -> bool {
    cx.uses(id).tools.iter().any(|used| used.tool.ecosystem.starts_with("os-"))
}

/// Whether the RUN certainly does nothing but work that depends on no file and no other download.
fn is_free(cx: &DockerfileCx<'_>, id: StepId) -> bool {
    cx.is_known(id)
        && cx.costly(id).is_some()
        && cx.uses(id).tools.iter().all(|used| used.is_free() && used.tool.ecosystem != "vcs")
}
