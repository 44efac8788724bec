//! `missing-cache-mount`: a tool downloads or compiles anew every time its RUN runs.

use super::mounting::{
    good_dirs, is_mounted, is_official, option_place, unmounted_installs, without_command, without_word,
};
use super::places::{before, descends, needed_outside};
use super::words::list;
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, RunUses, Safety, Severity, Sink, ToolUse};
use crate::dockerfile::{Command as Form, Kind as Instruction};
use crate::graph::{MountKind, RunStep, Step, StepId, StepKind};
use crate::tools::{CacheDir, Clearing, Defeat, Holds, Kind, Needs, Sharing, is_within, normalize};

static META: Meta = Meta {
    name: "missing-cache-mount",
    category: Category::Mount,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/missing-cache-mount.md"),
};

/// See the page.
pub(super) struct MissingCacheMount;

impl Rule for MissingCacheMount {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches: which commands download or compile, and where they cache, is data.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let ephemeral = super::builders::all_forget(cx);
        let hooked = hooked(cx);
        for (id, step, script, uses) in cx.run_uses() {
            let StepKind::Run(run) = &step.kind else { continue };
            if step.onbuild || uses.opaque {
                continue;
            }
            let mut told: Vec<&str> = Vec::new();
            for used in &uses.tools {
                let tool = used.tool.name.as_str();
                if told.contains(&tool) || !wants_mount(cx, id, step, run, used) {
                    continue;
                }
                told.push(tool);
                // What is built in a directory of that kind would have to be copied out of the mount.
                let built =
                    |dir: &CacheDir<'_>| dir.holds() == Holds::Compiled && dir.needed_later().is_some();
                let only = good_dirs(used).all(|(dir, _)| built(dir));
                let index = |dir: &CacheDir<'_>| dir.holds() == Holds::Index;
                let layered = good_dirs(used).any(|(dir, _)| index(dir))
                    && good_dirs(used).any(|(dir, _)| !index(dir))
                    && needs_index(cx, id, step, uses, used);
                let dirs: Vec<_> = good_dirs(used)
                    .filter(|(dir, _)| (only || !built(dir)) && !(layered && index(dir)))
                    .collect();
                let paths: Vec<String> = dirs.iter().map(|(_, path)| format!("`{path}`")).collect();
                let Some(command) = script.commands.get(used.command) else { continue };
                let compiled = dirs.iter().all(|(dir, _)| dir.holds() == Holds::Compiled);
                let what = if used.kind.downloads() && !compiled { "downloads" } else { "compiles" };
                let message = format!(
                    "{tool} {what} everything again whenever this RUN runs: its cache is not in a mount"
                );
                let mount = format!("mount {} with `--mount=type=cache,target=…`", list(&paths));
                out.report(command.span, message)
                    .severity(if ephemeral { Severity::Info } else { Severity::Warning })
                    .help(if ephemeral {
                        format!("{mount}, and keep mounts from job to job: the builders of CI here do not")
                    } else {
                        mount
                    })
                    // On a builder that is gone after the job a mount is empty every time.
                    .fix(if ephemeral { None } else { fix(cx, id, step, uses, used, &hooked) });
            }
        }
    }
}

/// Whether the index that `used` installs from has to be in the layer: this RUN does not refresh it, or one that comes after
/// it installs from it and does not.
fn needs_index(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    uses: &RunUses<'_>,
    used: &ToolUse<'_>,
) -> bool {
    let has = |uses: &RunUses<'_>, index: bool| {
        uses.tools.iter().any(|other| other.tool.name == used.tool.name && other.row.index == index)
    };
    let lends = |other: StepId, later: &Step<'_>, uses: &RunUses<'_>| {
        other > id && has(uses, false) && !has(uses, true) && descends(cx, later.stage, step.stage)
    };
    used.tool.commands.iter().any(|row| row.index)
        && (!has(uses, true) || cx.run_uses().any(|(other, later, _, uses)| lends(other, later, uses)))
}

/// Steps that are looked back.
const MAX_BACK: usize = 256;

fn wants_mount(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    run: &RunStep<'_>,
    used: &ToolUse<'_>,
) -> bool {
    let works = used.kind.downloads() || used.kind.compiles();
    if !used.sure
        || is_offline(cx, id, used)
        || !works
        || used.row.index
        || used.row.no_mount.is_some()
        || good_dirs(used).next().is_none()
    {
        return false;
    }
    let tools = cx.settings.tools();
    let meant = |run: &RunStep<'_>| {
        let mut caches = run.mounts.iter().filter(|mount| mount.kind == MountKind::Cache);
        caches.any(|mount| tools.is_meant_for(used.tool, &mount.target))
            || good_dirs(used).any(|(dir, _)| is_mounted(run, dir))
    };
    if meant(run)
        || run.mounts.iter().any(|mount| good_dirs(used).any(|(_, path)| is_within(path, &mount.target)))
    {
        return false;
    }
    if good_dirs(used).any(|(_, path)| is_copied(cx, id, step, path)) {
        return false;
    }
    if good_dirs(used).any(|(_, path)| is_filled(cx, id, step, used, path)) {
        return false;
    }
    // Where the cache is all that there is, another rule has told of a RUN before that has the mount, and one that filled
    // the layer is told of once: what comes after it finds everything there.
    let lasts = |dir: &CacheDir<'_>| dir.needed_later().is_some() || dir.holds() == Holds::Compiled;
    if !good_dirs(used).any(|(dir, _)| lasts(dir)) {
        return true;
    }
    !before(cx, step.stage, Some(id)).take(MAX_BACK).any(|(at, earlier)| {
        let StepKind::Run(run) = &earlier.kind else { return false };
        let fills = |other: &ToolUse<'_>| {
            other.tool.name == used.tool.name
                && (other.kind.downloads() || other.kind.compiles())
                && other.row.no_mount.is_none()
        };
        meant(run) || cx.uses(at).tools.iter().any(fills)
    })
}

/// Whether it is told not to download: it finds its packages where an earlier step has put them.
fn is_offline(cx: &DockerfileCx<'_>, id: StepId, used: &ToolUse<'_>) -> bool {
    let told = |word: &str| matches!(word, "--offline" | "--no-index");
    cx.command(id, used).is_some_and(|command| command.args().iter().any(|word| told(&word.text)))
}

/// Whether an earlier RUN has filled the directory in a layer: it is told of, and a mount would hide what it has put there.
/// It did nothing else (`pnpm fetch`), or the same for the same manifests, and left its downloads there.
fn is_filled(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>, used: &ToolUse<'_>, path: &str) -> bool {
    before(cx, step.stage, Some(id)).take(MAX_BACK).any(|(at, earlier)| {
        let StepKind::Run(run) = &earlier.kind else { return false };
        cx.uses(at).tools.iter().any(|other| {
            let same = other.tool.name == used.tool.name && !other.row.index;
            let fetches = other.kind == Kind::Fetch || installs_for(cx, at, other, used, path);
            same && fetches && good_dirs(other).any(|(dir, own)| own == path && !is_mounted(run, dir))
        })
    })
}

/// Whether `other` downloads what `used` wants, and what it downloads is left at `path`.
fn installs_for(
    cx: &DockerfileCx<'_>,
    at: StepId,
    other: &ToolUse<'_>,
    used: &ToolUse<'_>,
    path: &str,
) -> bool {
    let reads = |used: &ToolUse<'_>| used.kind == Kind::Install && used.needs == Needs::Manifests;
    let clears = |clearing: &Clearing<'_>| match clearing {
        Clearing::Tool(_) => true,
        Clearing::Paths(removals) => removals.iter().any(|removal| removal.hits(path).is_some()),
    };
    reads(other)
        && reads(used)
        && other.directory.is_some()
        && other.directory == used.directory
        && other.named == used.named
        && other.defeats.is_empty()
        && cx.command(at, other).is_some_and(|command| command.certain)
        && !cx.uses(at).cleared.iter().any(|(_, clearing)| clears(clearing))
}

/// Whether a COPY has put a cache there that a mount would hide: into the directory, or into a hidden one above it (`COPY
/// .local /root/.local`).
fn is_copied(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>, path: &str) -> bool {
    before(cx, step.stage, Some(id)).take(MAX_BACK).any(|(_, earlier)| {
        let StepKind::Copy(copy) = &earlier.kind else { return false };
        let dest = normalize(&copy.dest);
        let hidden = dest.split('/').any(|part| part.starts_with('.'));
        is_within(&dest, path) || hidden && is_within(path, &dest)
    })
}

/// What becomes of the image's own file that defeats the mount (apt's hook).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hook {
    /// This RUN removes it.
    Remove,
    /// It is gone.
    Gone,
    /// It has to stay: a later RUN that installs counts on it.
    Stays,
}

/// A RUN that installs under such a file.
struct Hooked<'a> {
    step: StepId,
    stage: usize,
    /// Whether the RUN may be without the file: it gets a mount.
    mended: bool,
    /// Whether it removes the file when it gets its mount.
    removes: bool,
    used: &'a ToolUse<'a>,
    mounts: Option<Mounts<'a>>,
}

/// RUNs that install with such a tool without a mount, in file order. Where there are more, none is mended.
const MAX_HOOKED: usize = 64;

fn hooked<'a>(cx: &DockerfileCx<'a>) -> Vec<Hooked<'a>> {
    let mut found: Vec<Hooked<'a>> = Vec::new();
    for (id, step, _, uses) in cx.run_uses() {
        let StepKind::Run(run) = &step.kind else { continue };
        let files = |used: &&ToolUse<'_>| {
            used.kind.downloads() && used.defeats.iter().any(|defeat| matches!(defeat, Defeat::File { .. }))
        };
        let Some(used) = uses.tools.iter().filter(files).find(|used| wants_mount(cx, id, step, run, used))
        else {
            continue;
        };
        let mounts = if step.onbuild || uses.opaque { None } else { mounts(cx, id, step, uses, used) };
        let with =
            |hook| mounts.as_ref().is_some_and(|own| undefeated(cx, id, step, uses, own, hook).is_some());
        let mended = with(Hook::Gone);
        let removes = mended && with(Hook::Remove);
        found.push(Hooked { step: id, stage: step.stage, mended, removes, used, mounts });
        if found.len() > MAX_HOOKED {
            return Vec::new();
        }
    }
    // Whether those after it are mended too.
    let alone: Vec<bool> = found
        .iter()
        .map(|hooked| {
            unmounted_installs(cx, hooked.step, hooked.stage, &hooked.used.tool.name)
                .all(|later| found.iter().any(|other| other.step == later && other.mended))
        })
        .collect();
    for (hooked, alone) in found.iter_mut().zip(alone) {
        hooked.removes &= alone;
    }
    found
}

/// The first RUN of a chain that can removes the file; the others get their mounts when it is gone.
fn hook_at(cx: &DockerfileCx<'_>, hooked: &[Hooked<'_>], id: StepId, step: &Step<'_>) -> Hook {
    let earlier =
        |other: &Hooked<'_>| other.removes && other.step < id && descends(cx, step.stage, other.stage);
    let own = hooked.iter().any(|other| other.step == id && other.removes);
    if own && !hooked.iter().any(earlier) { Hook::Remove } else { Hook::Stays }
}

/// The mounts with all that they need, where it is certain that nothing else changes.
fn fix(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    uses: &RunUses<'_>,
    used: &ToolUse<'_>,
    hooked: &[Hooked<'_>],
) -> Option<Fix> {
    let hook = hook_at(cx, hooked, id, step);
    match hooked.iter().find(|other| std::ptr::eq(other.used, used)) {
        Some(known) => undefeated(cx, id, step, uses, known.mounts.as_ref()?, hook),
        None => undefeated(cx, id, step, uses, &mounts(cx, id, step, uses, used)?, hook),
    }
}

/// Mounts for the caches of a command.
struct Mounts<'a> {
    fix: Fix,
    targets: Vec<&'a str>,
}

/// The mounts alone, where nothing but what may defeat them speaks against them.
fn mounts<'a>(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    uses: &RunUses<'_>,
    used: &'a ToolUse<'_>,
) -> Option<Mounts<'a>> {
    let Instruction::Run(run) = &step.instruction.kind else { return None };
    let same = |other: &&ToolUse<'_>| other.tool.name == used.tool.name;
    let root = used.user.is_root() == Some(true);
    let shell = matches!(run.command, Form::Shell(_)) && step.instruction.heredocs.is_empty();
    if !root || !shell || !uses.tools.iter().all(|other| other.tool.name == used.tool.name && other.sure) {
        return None;
    }
    // What a later RUN takes without downloading has to be in the layer.
    let takes = |other: StepId, later: &ToolUse<'_>| {
        is_offline(cx, other, later)
            || good_dirs(used).any(|(_, path)| installs_for(cx, id, used, later, path))
    };
    let taken = cx.run_uses().any(|(other, later, _, uses)| {
        other > id
            && uses.tools.iter().filter(same).any(|used| takes(other, used))
            && descends(cx, later.stage, step.stage)
    });
    if taken {
        return None;
    }
    if used.kind == Kind::Fetch || needs_index(cx, id, step, uses, used) {
        return None;
    }
    let mut options: Vec<String> = Vec::new();
    let mut targets: Vec<&str> = Vec::new();
    for (dir, path) in good_dirs(used) {
        let plain = path.starts_with('/') && !path.contains([' ', ',', '"', '\'', '$', '\\', '`']);
        let output = dir.needed_later().is_some() || matches!(dir.holds(), Holds::Output | Holds::Compiled);
        if !plain || output || needed_outside(cx, id, path) {
            return None;
        }
        let lock = if dir.sharing().0 == Sharing::Locked { ",sharing=locked" } else { "" };
        options.push(format!("--mount=type=cache,target={path}{lock}"));
        targets.push(path);
    }
    // Several mounts stand in lines of their own, as people write them.
    let end = if cx.text().contains("\r\n") { "\r\n" } else { "\n" };
    let escape = cx.syntax.escape;
    let text = match options.as_slice() {
        [one] => format!(" {one}"),
        several => format!(" {} {escape}{end}   ", several.join(&format!(" {escape}{end}    "))),
    };
    let mut fix = Fix::safe(format!("Mount the cache of {}", used.tool.name));
    fix = fix.insert(cx.path(), option_place(step.instruction), text);
    Some(Mounts { fix, targets })
}

/// The fix with the removal of what would defeat the mounts; `None` where that is not all possible.
fn undefeated(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    uses: &RunUses<'_>,
    mounts: &Mounts<'_>,
    hook: Hook,
) -> Option<Fix> {
    let (mut fix, targets) = (mounts.fix.clone(), &mounts.targets);
    let script = cx.facts.script(id);
    let mut hooks: Vec<&str> = Vec::new();
    for used in &uses.tools {
        let command = script.commands.get(used.command)?;
        for defeat in &used.defeats {
            match defeat {
                Defeat::Flag { name, span } if span.of(cx.text()) == name => {
                    fix = fix.delete(cx.path(), without_word(cx.text(), *span)?);
                }
                Defeat::File { path } if hooks.contains(path) => {}
                Defeat::File { path } if hook == Hook::Gone => hooks.push(path),
                Defeat::File { path } => {
                    let official = cx.graph().base_image(step.stage).is_some_and(is_official);
                    if hook == Hook::Stays || !official || command.depth != 0 || !command.certain {
                        return None;
                    }
                    hooks.push(path);
                    fix = fix.insert(cx.path(), command.span.start, format!("rm -f {path} && "));
                }
                _ => return None,
            }
        }
        let other = |missing: &&crate::tools::Missing<'_>| {
            let removes =
                missing.companion.command.as_deref().and_then(|command| command.strip_prefix("rm -f "));
            !missing.companion.cosmetic && !removes.is_some_and(|path| hooks.contains(&path))
        };
        if used.missing.iter().any(|missing| other(&missing)) {
            return None;
        }
    }
    for (number, clearing) in &uses.cleared {
        match clearing {
            Clearing::Tool(_) => fix = fix.delete(cx.path(), without_command(cx.text(), script, *number)?),
            Clearing::Paths(removals) => {
                let hits = |removal: &crate::tools::Removal| {
                    targets.iter().any(|target| removal.hits(target).is_some())
                };
                let inside = |removal: &crate::tools::Removal| {
                    targets.iter().any(|target| is_within(&removal.path, target))
                };
                if removals.iter().any(hits) {
                    if !removals.iter().all(inside) {
                        return None;
                    }
                    fix = fix.delete(cx.path(), without_command(cx.text(), script, *number)?);
                }
            }
        }
    }
    Some(fix)
}
