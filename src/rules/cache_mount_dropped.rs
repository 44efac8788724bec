//! `cache-mount-dropped`: a later RUN lacks the mount that an earlier one of the same tool filled.

use super::mounting::{certain_path, content, is_mounted, option_place};
use super::places::{before, cache_over, needed_outside};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink, ToolUse};
use crate::dockerfile::Mount as MountSyntax;
use crate::graph::{MountKind, MountStep, RunStep, Step, StepId, StepKind};
use crate::tools::{CacheDir, Holds, Mount, Needs, Sharing, is_within, normalize};

static META: Meta = Meta {
    name: "cache-mount-dropped",
    category: Category::Mount,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-mount-dropped.md"),
};

/// See the page.
pub(super) struct CacheMountDropped;

impl Rule for CacheMountDropped {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        for found in dropped(cx) {
            let Some(step) = cx.graph().step(found.step) else { continue };
            let (tool, target) = (&found.used.tool.name, &found.mount.target);
            let line = cx.line_of(found.filled);
            let command = cx.facts.script(found.step).commands.get(found.used.command);
            let span = command.map_or(step.instruction.span, |command| command.span);
            let what = match found.dir.holds() {
                Holds::Compiled => "compiles everything again",
                _ if found.used.kind.downloads() => "downloads everything again",
                _ => "does not find what it needs",
            };
            let message = format!(
                "{tool} {what}: `{target}` is filled under a cache mount in line {line}, which this RUN lacks"
            );
            let why = found.dir.needed_later().unwrap_or("the cache is in no layer");
            out.report(span, message)
                .severity(if found.needed { Severity::Error } else { Severity::Warning })
                .cause(
                    found.mount.syntax.span,
                    format!(
                        "{} stays in the mount and comes into no layer: {why}",
                        content(found.dir.holds())
                    ),
                )
                .help(format!("give this RUN the same mount: `{}`", found.mount.syntax.span.of(cx.text())))
                .fix(fix(cx, step, &found));
        }
    }
}

/// A RUN that lacks a mount.
pub(super) struct Dropped<'a> {
    /// The RUN.
    pub(super) step: StepId,
    used: &'a ToolUse<'a>,
    dir: &'a CacheDir<'a>,
    filled: StepId,
    mount: &'a MountStep<'a>,
    mounts: Vec<&'a MountStep<'a>>,
    needed: bool,
}

/// Steps that are looked back for one directory.
const MAX_BACK: usize = 256;

/// Every RUN that lacks a mount which an earlier one of the same tool has.
pub(super) fn dropped<'a>(cx: &DockerfileCx<'a>) -> Vec<Dropped<'a>> {
    let mut found: Vec<Dropped<'a>> = Vec::new();
    if !cx.facts.runs().any(|(_, step, _)| has_cache(step)) {
        return found;
    }
    for (id, step, script, uses) in cx.run_uses() {
        let StepKind::Run(run) = &step.kind else { continue };
        for used in &uses.tools {
            let certain = script.commands.get(used.command).is_some_and(|command| command.certain);
            if step.onbuild || !certain || !used.sure {
                continue;
            }
            let mut own: Option<Dropped<'a>> = None;
            for dir in &used.caches {
                // A tool that puts its result elsewhere needs the cache only where it installs.
                let later = dir.needed_later().is_some() && dir.mount != Mount::No;
                let Some(path) = certain_path(dir).filter(|_| later && !is_mounted(run, dir)) else {
                    continue;
                };
                let Some((filled, mount, needs)) = filler(cx, id, step, dir, path) else { continue };
                let needed =
                    dir.needed_later().is_some() && needs != Needs::None && used.needs != Needs::None;
                match &mut own {
                    None => {
                        let mounts = vec![mount];
                        own = Some(Dropped { step: id, used, dir, filled, mount, mounts, needed });
                    }
                    Some(own) => {
                        own.needed |= needed;
                        if own.mounts.iter().all(|other| other.target != mount.target) {
                            own.mounts.push(mount);
                        }
                    }
                }
            }
            let new = |own: &Dropped<'_>| {
                found.iter().all(|other| other.step != own.step || other.mount.target != own.mount.target)
            };
            if let Some(own) = own.filter(new) {
                found.push(own);
            }
        }
    }
    found
}

fn has_cache(step: &Step<'_>) -> bool {
    matches!(&step.kind, StepKind::Run(run) if run.mounts.iter().any(|mount| mount.kind == MountKind::Cache))
}

/// The nearest RUN before that filled the directory under a mount, unless its content came into a layer since.
fn filler<'a>(
    cx: &DockerfileCx<'a>,
    id: StepId,
    step: &Step<'a>,
    dir: &CacheDir<'a>,
    path: &str,
) -> Option<(StepId, &'a MountStep<'a>, Needs)> {
    let mut copied: Vec<&str> = Vec::new();
    for (at, earlier) in before(cx, step.stage, Some(id)).take(MAX_BACK) {
        let run = match &earlier.kind {
            StepKind::Copy(copy) if is_within(&normalize(&copy.dest), path) => return None,
            StepKind::Run(run) => run,
            _ => continue,
        };
        for mount in run.mounts.iter().filter(|mount| mount.kind == MountKind::Cache) {
            if copies_out(cx, at, earlier, mount) {
                copied.push(&mount.id);
            }
        }
        let Some(mount) = cache_over(run, path) else { continue };
        let same = |used: &&ToolUse<'_>| {
            used.caches
                .iter()
                .any(|own| own.owner.name == dir.owner.name && own.path.as_deref() == Some(path))
        };
        let Some(filling) = cx.uses(at).tools.iter().find(same) else { continue };
        return (!copied.contains(&&*mount.id)).then_some((at, mount, filling.needs));
    }
    None
}

/// Whether a command of the RUN takes files out of the mount, or may.
fn copies_out(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>, mount: &MountStep<'_>) -> bool {
    let script = cx.facts.script(id);
    script.commands.iter().any(|command| {
        let takes =
            matches!(command.program(), Some("cp" | "mv" | "rsync" | "tar" | "install" | "ln" | "find"));
        let within = |text: &str| {
            let text = text.strip_suffix("/.").unwrap_or(text);
            let path = match text.strip_prefix("$HOME").or_else(|| text.strip_prefix('~')) {
                Some(rest) => return mount.target.ends_with(rest.trim_end_matches('/')),
                None if text.starts_with('/') => normalize(text),
                None => normalize(&format!("{}/{text}", step.state.cwd)),
            };
            is_within(&path, &mount.target)
        };
        takes && command.args().iter().any(|word| within(&word.text))
    })
}

/// The same mounts on the RUN, where they mean the same there.
fn fix(cx: &DockerfileCx<'_>, step: &Step<'_>, found: &Dropped<'_>) -> Option<Fix> {
    let filled = cx.graph().step(found.filled)?;
    if filled.state.user != step.state.user || matches!(found.dir.holds(), Holds::Compiled | Holds::Output) {
        return None;
    }
    let mut text = String::new();
    for mount in &found.mounts {
        let MountSyntax { span, .. } = mount.syntax;
        let words = span.of(cx.text());
        let plain = !words.contains(['$', '\n', '\\', '`', '"', '\'']);
        let same = mount.target_text.starts_with('/') || filled.state.cwd == step.state.cwd;
        if !plain || !same || needed_outside(cx, found.step, &mount.target) || hides(step, &mount.target) {
            return None;
        }
        text.push(' ');
        text.push_str(words);
        if found.dir.sharing().0 == Sharing::Locked && mount.syntax.option(&["sharing"]).is_none() {
            text.push_str(",sharing=locked");
        }
    }
    let title = format!("Give the RUN the mount of line {}", cx.line_of(found.filled));
    Some(Fix::safe(title).insert(cx.path(), option_place(step.instruction), text))
}

/// Whether another mount of the RUN is at the place already.
fn hides(step: &Step<'_>, target: &str) -> bool {
    let StepKind::Run(RunStep { mounts, .. }) = &step.kind else { return true };
    mounts.iter().any(|mount| is_within(&mount.target, target) && !mount.target.is_empty())
}
