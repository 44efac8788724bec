//! `split-package-index`: an index of packages that is older than what is installed from it.

use super::places::mount_over;
use super::words::{code, lines};
use super::work::{is_plain, text};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink, ToolUse};
use crate::dockerfile::{self, Kind};
use crate::graph::{Base, MountKind, Step, StepId, StepKind};
use crate::shell::{Command, Link};
use crate::tools::{Clearing, Holds};
use std::collections::BTreeMap;

static META: Meta = Meta {
    name: "split-package-index",
    category: Category::Order,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/split-package-index.md"),
};

/// Package managers that look at the age of their index and refresh it before they install.
const REFRESH: [&str; 7] = ["apk", "dnf", "yum", "microdnf", "tdnf", "zypper", "micro-dnf"];

/// See the page.
pub(super) struct SplitPackageIndex;

impl Rule for SplitPackageIndex {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches commands: which RUN refreshes and which installs is in what they say.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let graph = cx.graph();
        let mut found: BTreeMap<StepId, Found<'_>> = BTreeMap::new();
        let mut ends: Vec<BTreeMap<&str, StepId>> = Vec::with_capacity(graph.stages.len());
        for (index, stage) in graph.stages.iter().enumerate() {
            let mut indexes = match &stage.base {
                Base::Stage(parent) => ends.get(*parent).cloned().unwrap_or_default(),
                _ => BTreeMap::new(),
            };
            for (id, step) in graph.steps_of(index) {
                follow(cx, id, step, &mut indexes, &mut found);
            }
            ends.push(indexes);
        }
        for (index, found) in &found {
            report(cx, *index, found, out);
        }
    }
}

/// What is done with the index that one RUN made.
#[derive(Default)]
struct Found<'a> {
    /// The first installation of each RUN that certainly installs from it.
    installs: Vec<Install<'a>>,
    /// Whether others may.
    others: bool,
}

/// An installation from an index of an earlier RUN.
struct Install<'a> {
    step: StepId,
    used: &'a ToolUse<'a>,
    command: &'a Command<'a>,
}

/// Goes through the commands of a RUN in order.
fn follow<'a>(
    cx: &DockerfileCx<'a>,
    id: StepId,
    step: &Step<'_>,
    indexes: &mut BTreeMap<&'a str, StepId>,
    found: &mut BTreeMap<StepId, Found<'a>>,
) {
    if !matches!(step.kind, StepKind::Run(_)) {
        return;
    }
    let (uses, script) = (cx.uses(id), cx.facts.script(id));
    let unknown = unknown(cx, id);
    let mut tools = uses.tools.iter().peekable();
    for number in 0..script.commands.len() {
        if unknown.is_some_and(|first| first <= number) {
            break;
        }
        let Some(used) = tools.next_if(|used| used.command == number) else { continue };
        let (Some(command), true) = (cx.command(id, used), used.tool.ecosystem.starts_with("os-")) else {
            continue;
        };
        let family = used.tool.ecosystem.as_str();
        if used.row.index {
            if command.certain {
                indexes.insert(family, id);
            } else {
                indexes.remove(family);
            }
        } else if used.kind.downloads()
            && let Some(index) = indexes.get(family).filter(|index| **index != id)
        {
            let found = found.entry(*index).or_default();
            if !command.certain {
                found.others = true;
            } else if found.installs.last().is_none_or(|last| last.step != id) {
                found.installs.push(Install { step: id, used, command });
            }
        }
    }
    // What was removed is not old: a later installation fails at once. What is not known may refresh it, or live on it.
    let lists = |path: &str| {
        ["/var/lib/apt", "/var/cache/apk", "/var/lib/pacman"].iter().any(|at| path.starts_with(at))
    };
    let removed = |(_, clearing): &(usize, Clearing<'_>)| match clearing {
        Clearing::Paths(removals) => removals.iter().any(|removal| lists(&removal.path)),
        Clearing::Tool(_) => false,
    };
    if unknown.is_some() {
        for index in indexes.values() {
            // Below an install that will refresh it, it is fresh.
            let found = found.entry(*index).or_default();
            let stage = |step: StepId| cx.graph().step(step).map(|step| step.stage);
            found.others |= !found.installs.iter().any(|install| stage(install.step) == Some(step.stage));
        }
    }
    if uses.cleared.iter().any(removed) || unknown.is_some() {
        indexes.clear();
    }
}

/// The first command of a RUN that may refresh the index unseen: a script, or a tool that refreshes it by the way.
fn unknown(cx: &DockerfileCx<'_>, id: StepId) -> Option<usize> {
    let script = cx.facts.script(id);
    let start = script.opaque.iter().map(|span| span.start).min();
    let refreshes = |command: &Command<'_>| {
        let by_path = command.argv.first().is_some_and(|word| {
            word.text.contains('/')
                && !["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"].iter().any(|at| word.text.starts_with(at))
        });
        by_path
            || command.program().is_some_and(|name| name == "add-apt-repository" || name.starts_with("xx-ap"))
    };
    script
        .commands
        .iter()
        .position(|command| {
            command.opaque.is_some()
                || refreshes(command)
                || start.is_some_and(|start| start <= command.span.start)
        })
        .or(start.map(|_| script.commands.len()))
}

fn report(cx: &DockerfileCx<'_>, index: StepId, found: &Found<'_>, out: &mut Sink) {
    let installs = found.installs.as_slice();
    let Some(first) = installs.first() else { return };
    let uses = cx.uses(index);
    let refresh =
        uses.tools.iter().find(|used| used.row.index && used.tool.ecosystem == first.used.tool.ecosystem);
    let Some((refresh, command)) = refresh.and_then(|used| Some((used, cx.command(index, used)?))) else {
        return;
    };
    let own = |used: &ToolUse<'_>| {
        used.tool.ecosystem == refresh.tool.ecosystem && !used.row.index && used.kind.downloads()
    };
    let joined = uses.tools.iter().any(own);
    let by_itself = REFRESH.contains(&refresh.tool.name.as_str());
    if by_itself && joined {
        return;
    }
    let (line, name) = (cx.line_of(index), text(command));
    let numbers: Vec<u32> = installs.iter().map(|install| cx.line_of(install.step)).collect();
    let installing = text(first.command);
    let refresh_text = source(cx, command);
    if joined {
        // The first RUN is right; those that live on its index are not.
        for install in installs {
            let number = cx.line_of(install.step);
            let message = format!(
                "{} uses the package index of line {line}: when only line {number} changes, the index is an old one",
                code(&text(install.command), 50)
            );
            let fix = insertable(cx, install)
                .then(|| Fix::needs_a_look("refresh the index in the same RUN"))
                .map(|fix| {
                    fix.insert(cx.path(), install.command.span.start, before(cx, install, &refresh_text))
                });
            out.report(install.command.span, message)
                .help(format!(
                    "write {} in front of it, or install it in line {line}",
                    code(&refresh_text, 40)
                ))
                .cause(command.span, format!("{} ran when line {line} was built", code(&name, 40)))
                .severity(Severity::Warning)
                .fix(fix);
        }
        return;
    }
    let message = if by_itself {
        format!(
            "{} is a step for nothing: {} refreshes an old index by itself",
            code(&name, 40),
            code(&first.used.tool.name, 16)
        )
    } else {
        match in_mounts(cx, index, refresh, first) {
            Some(Mounted::Refresh) => format!(
                "the index of {} stays in a cache mount that {} ({}) does not have",
                code(&name, 40),
                code(&installing, 40),
                lines(&numbers)
            ),
            Some(Mounted::Install) => format!(
                "the cache mount of {} ({}) hides the index of {}",
                code(&installing, 40),
                lines(&numbers),
                code(&name, 40)
            ),
            Some(Mounted::Both) => format!(
                "the index of {} is in a cache mount: once that is pruned, {} ({}) finds none",
                code(&name, 40),
                code(&installing, 40),
                lines(&numbers)
            ),
            None => format!(
                "the index of {} is cached: {} ({}) installs from an old one, and fails when packages are gone",
                code(&name, 36),
                code(&installing, 36),
                lines(&numbers)
            ),
        }
    };
    let severity = if by_itself { Severity::Info } else { Severity::Error };
    let help = match by_itself {
        true => "drop it".to_owned(),
        false => format!("join it with the install: {}", code(&format!("RUN {name} && {installing}"), 80)),
    };
    let mut draft = out.report(command.span, message).help(help).severity(severity);
    for install in installs {
        let message = format!("{} does not refresh the index", code(&text(install.command), 60));
        draft = draft.cause(install.command.span, message);
    }
    draft.fix(fix(cx, index, installs, &refresh_text, by_itself).filter(|_| !found.others));
}

/// Which of the two RUNs has its index in a cache mount.
enum Mounted {
    Refresh,
    Install,
    Both,
}

fn in_mounts(
    cx: &DockerfileCx<'_>,
    index: StepId,
    refresh: &ToolUse<'_>,
    install: &Install<'_>,
) -> Option<Mounted> {
    let has = |step: StepId, used: &ToolUse<'_>| {
        let Some(StepKind::Run(run)) = cx.graph().step(step).map(|step| &step.kind) else { return false };
        let indexes = used.caches.iter().filter(|cache| cache.cache.holds == Holds::Index);
        let mut paths = indexes.filter_map(|cache| cache.path.as_deref());
        paths.any(|path| mount_over(run, path).is_some_and(|mount| mount.kind == MountKind::Cache))
    };
    match (has(index, refresh), has(install.step, install.used)) {
        (true, true) => Some(Mounted::Both),
        (true, false) => Some(Mounted::Refresh),
        (false, true) => Some(Mounted::Install),
        (false, false) => None,
    }
}

/// The command as it is written, in one line.
fn source(cx: &DockerfileCx<'_>, command: &Command<'_>) -> String {
    let written = command.span.of(cx.text());
    if written.contains('\n') { text(command) } else { written.to_owned() }
}

/// The refresh as it is written in front of the install. In a list, `set -e` does not see what fails before `&&`.
fn before(cx: &DockerfileCx<'_>, install: &Install<'_>, refresh: &str) -> String {
    let commands = &cx.facts.script(install.step).commands;
    let list = commands.iter().skip(1).any(|command| command.depth == 0 && command.link == Link::Then);
    format!("{refresh}{} ", if list { ";" } else { " &&" })
}

/// Whether `A && ` may be written in front of the command.
fn insertable(cx: &DockerfileCx<'_>, install: &Install<'_>) -> bool {
    let Some(step) = cx.graph().step(install.step) else { return false };
    let Kind::Run(run) = &step.instruction.kind else { return false };
    matches!(run.command, dockerfile::Command::Shell(_))
        && !step.onbuild
        && install.command.depth == 0
        && !install.command.substitution
        && matches!(install.command.link, Link::Then | Link::And)
}

fn fix(
    cx: &DockerfileCx<'_>,
    index: StepId,
    installs: &[Install<'_>],
    update: &str,
    by_itself: bool,
) -> Option<Fix> {
    let step = cx.graph().step(index)?;
    let uses = cx.uses(index);
    let script = cx.facts.script(index);
    let alone = script.commands.iter().enumerate().all(|(number, command)| {
        match uses.tools.iter().find(|used| used.command == number) {
            Some(used) => used.row.index,
            None => is_plain(command) && command.program() == Some("set"),
        }
    });
    let plain = step.instruction.comments.is_empty() && !step.onbuild;
    if !alone || !plain || !installs.iter().all(|install| insertable(cx, install)) {
        return None;
    }
    // Its mounts go with it: an index in a mount and an install without it must not be left.
    let StepKind::Run(run) = &step.kind else { return None };
    let caches = run.mounts.iter().filter(|mount| mount.kind == MountKind::Cache).count();
    if caches != step.instruction.flags.len() {
        return None;
    }
    let flags: String =
        step.instruction.flags.iter().map(|flag| format!(" {}", flag.span.of(cx.text()))).collect();
    let title = if by_itself { "drop the refresh" } else { "join the refresh with the install" };
    let mut fix = Fix::needs_a_look(title).remove(cx.path(), cx.syntax, step.instruction.span.start)?;
    if !by_itself {
        for install in installs {
            let own = cx.graph().step(install.step)?;
            let StepKind::Run(there) = &own.kind else { return None };
            fix = fix.insert(cx.path(), install.command.span.start, before(cx, install, update));
            if own.instruction.flags.is_empty() {
                fix = fix.insert(cx.path(), own.instruction.keyword_span.end, flags.as_str());
            } else if !run.mounts.iter().all(|mount| there.mounts.iter().any(|it| it.target == mount.target))
            {
                return None;
            }
        }
    }
    Some(fix)
}
