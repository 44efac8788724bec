//! What the rules about cache mounts ask of a RUN, and the edits that they make.

use super::places::{cache_over, descends};
use super::{DockerfileCx, ToolUse};
use crate::dockerfile::Instruction;
use crate::graph::{MountKind, MountStep, RunStep, Source, StepId, StepKind};
use crate::shell::Script;
use crate::source::Span;
use crate::tools::{Cache, CacheDir, Clearing, Holds, Mount, is_same, is_within};

/// The cache mounts of a RUN that it can write to and that begin empty.
pub fn cache_mounts<'r, 'a>(run: &'r RunStep<'a>) -> impl Iterator<Item = &'r MountStep<'a>> {
    run.mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Cache && !mount.readonly && mount.from == Source::Empty)
}

/// The directory's path, if it is certain.
#[must_use]
pub fn certain_path<'d>(dir: &'d CacheDir<'_>) -> Option<&'d str> {
    dir.path.as_deref().filter(|path| dir.sure && !path.contains('*'))
}

/// Whether a mount on `target` holds the directory or a part of it.
#[must_use]
pub fn touches(dir: &CacheDir<'_>, target: &str) -> bool {
    let overlaps = |path: &str| is_within(path, target) || is_within(target, path);
    dir.mount != Mount::No && dir.path.as_deref().is_some_and(overlaps)
}

/// The directories of a command on which a mount is good and which are certain.
pub fn good_dirs<'u, 'a>(used: &'u ToolUse<'a>) -> impl Iterator<Item = (&'u CacheDir<'a>, &'u str)> {
    let good = used.caches.iter().filter(|dir| dir.mount == Mount::Yes);
    good.filter_map(|dir| Some((dir, certain_path(dir)?)))
}

/// What `target` looks like among the places of the command's tool: `Some(Some(_))` a cache directory of it for some user
/// or version, `Some(None)` a place that people mistake for one.
#[must_use]
pub fn meant_for<'a>(used: &ToolUse<'a>, target: &str) -> Option<Option<&'a Cache>> {
    let own = used.tool.caches.iter().filter(|cache| cache.of.is_none());
    let lent = used.caches.iter().map(|dir| dir.cache);
    let mut entries = lent.chain(own).filter(|cache| cache.mount != Some(Mount::No));
    let found = entries.find(|cache| cache.path.iter().any(|template| looks_like(template, target)));
    let mistaken = || used.tool.mistaken.iter().any(|template| looks_like(template, target));
    found.map(Some).or_else(|| mistaken().then_some(None))
}

fn looks_like(template: &str, target: &str) -> bool {
    match template.strip_prefix("~/") {
        Some(rest) => target.strip_suffix(rest).is_some_and(|before| before.ends_with('/')),
        None => template.starts_with('/') && !template.contains('$') && is_same(template, target),
    }
}

/// Whether the RUN has a cache mount over the directory or over a part of it.
#[must_use]
pub fn is_mounted(run: &RunStep<'_>, dir: &CacheDir<'_>) -> bool {
    let over = dir.path.as_deref().is_some_and(|path| cache_over(run, path).is_some());
    over || cache_mounts(run).any(|mount| touches(dir, &mount.target))
}

/// What is in a directory, for messages.
#[must_use]
pub fn content(holds: Holds) -> &'static str {
    match holds {
        Holds::Compiled => "what it compiled",
        Holds::Index => "the package index",
        _ => "what it downloaded",
    }
}

/// Whether an image is one of those that ship the hooks which the data names.
#[must_use]
pub fn is_official(image: &str) -> bool {
    let name = ["docker.io/", "public.ecr.aws/docker/", "mcr.microsoft.com/"]
        .iter()
        .find_map(|prefix| image.strip_prefix(prefix))
        .unwrap_or(image);
    image.starts_with("mcr.microsoft.com/") || !name.strip_prefix("library/").unwrap_or(name).contains('/')
}

/// The RUNs after `step` in its stage and in those built from it that install with the tool `name` and have no mount over
/// its archives, nor empty them: what they download stays in the layer once the image's hook is gone.
pub fn unmounted_installs<'a>(
    cx: &DockerfileCx<'a>,
    step: StepId,
    stage: usize,
    name: &str,
) -> impl Iterator<Item = StepId> {
    cx.run_uses().filter(move |(id, ..)| *id > step).filter_map(move |(id, later, _, uses)| {
        let StepKind::Run(run) = &later.kind else { return None };
        let installs =
            |used: &&ToolUse<'_>| used.tool.name == name && used.kind.downloads() && !used.row.index;
        let used = uses.tools.iter().find(installs)?;
        let archives: Vec<&CacheDir<'_>> =
            used.caches.iter().filter(|dir| dir.holds() == Holds::Downloads).collect();
        let emptied = uses.cleared.iter().any(|(_, clearing)| match clearing {
            Clearing::Tool(tool) => tool.name == name,
            Clearing::Paths(removals) => removals.iter().any(|removal| {
                archives
                    .iter()
                    .any(|dir| dir.path.as_deref().is_some_and(|path| removal.hits(path).is_some()))
            }),
        });
        let held = archives.iter().any(|dir| is_mounted(run, dir));
        (!emptied && !held && descends(cx, later.stage, stage)).then_some(id)
    })
}

/// Where another option of the RUN is inserted, with the blank that it needs before it.
#[must_use]
pub fn option_place(instruction: &Instruction<'_>) -> u32 {
    instruction.keyword_span.end
}

/// The bytes to remove so that the word at `span` is gone and nothing else; `None` where it stands alone in its line.
#[must_use]
pub fn without_word(text: &str, span: Span) -> Option<Span> {
    let before = text.get(..span.start as usize)?;
    let kept = before.trim_end_matches([' ', '\t']);
    let blanks = u32::try_from(before.len() - kept.len()).ok()?;
    (blanks > 0 && !kept.ends_with('\n')).then_some(Span { start: span.start - blanks, end: span.end })
}

/// The bytes to remove so that a command and what joins it to the one before are gone; `None` where it is not a plain
/// link of an `&&` chain or of a list.
#[must_use]
pub fn without_command(text: &str, script: &Script<'_>, number: usize) -> Option<Span> {
    let command = script.commands.get(number)?;
    let before = script.commands.get(number.checked_sub(1)?)?;
    let plain = [before, command]
        .iter()
        .all(|command| command.depth == 0 && command.certain && !command.substitution && !command.in_loop);
    let joint = text.get(before.span.end as usize..command.span.start as usize)?;
    let joint: String = joint.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '`')).collect();
    if !plain || !matches!(&*joint, "&&" | ";") {
        return None;
    }
    if let Some(next) = script.commands.get(number + 1) {
        let joint = text.get(command.span.end as usize..next.span.start as usize)?;
        let joint = joint.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\\' | '`'));
        if !joint.starts_with("&&") && !joint.starts_with(';') {
            return None;
        }
    }
    Some(Span { start: before.span.end, end: command.span.end })
}
