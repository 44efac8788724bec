//! `cache-mount-defeated`: something empties or bypasses a cache mount.

use super::mounting::{
    cache_mounts, is_official, meant_for, touches, unmounted_installs, without_command, without_word,
};
use super::places::descends;
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, RunUses, Safety, Severity, Sink, ToolUse};
use crate::graph::{MountStep, Step, StepId, StepKind};
use crate::shell::{Link, Script};
use crate::source::Span;
use crate::tools::{Clearing, Defeat, Hit, Holds, Mount, is_within};

static META: Meta = Meta {
    name: "cache-mount-defeated",
    category: Category::Mount,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-mount-defeated.md"),
};

/// See the page.
pub(super) struct CacheMountDefeated;

impl Rule for CacheMountDefeated {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches: options, variables and commands that the tools' data names.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let mut hooks: Vec<(usize, &str)> = Vec::new();
        for (id, step, script, uses) in cx.run_uses() {
            let StepKind::Run(run) = &step.kind else { continue };
            let mounts: Vec<&MountStep<'_>> = cache_mounts(run).collect();
            if step.onbuild || mounts.is_empty() {
                continue;
            }
            by_settings(cx, id, step, uses, &mounts, &mut hooks, out);
            by_clearing(cx, script, uses, &mounts, out);
        }
    }
}

/// The mount of a command, or what is meant as one.
fn mount_of<'m, 'a>(used: &ToolUse<'_>, mounts: &[&'m MountStep<'a>]) -> Option<&'m MountStep<'a>> {
    let at = |mount: &&&MountStep<'_>| used.caches.iter().any(|dir| touches(dir, &mount.target));
    let meant = |mount: &&&MountStep<'_>| meant_for(used, &mount.target).is_some();
    mounts.iter().find(at).or_else(|| mounts.iter().find(meant)).copied()
}

/// `hooks` are the stages in which the image's own files have been told of: to remove one once mends every RUN that
/// follows, those of stages built from it too.
fn by_settings<'a>(
    cx: &DockerfileCx<'a>,
    id: StepId,
    step: &Step<'_>,
    uses: &RunUses<'a>,
    mounts: &[&MountStep<'_>],
    hooks: &mut Vec<(usize, &'a str)>,
    out: &mut Sink,
) {
    for used in uses.tools.iter().filter(|used| used.sure) {
        let Some(mount) = mount_of(used, mounts) else { continue };
        let tool = &used.tool.name;
        let target = &mount.target;
        let command = cx.facts.script(id).commands.get(used.command);
        let span = command.map_or(mount.syntax.span, |command| command.span);
        for defeat in &used.defeats {
            match defeat {
                Defeat::Flag { name, span } => {
                    let word = span.of(cx.text());
                    let whole =
                        word == name && !step.instruction.heredocs.iter().any(|doc| doc.body.contains(*span));
                    let gone = without_word(cx.text(), *span).filter(|_| whole);
                    out.report(*span, format!("`{name}` makes {tool} bypass the cache mount on `{target}`"))
                        .help(format!("leave out `{name}`: what is in a mount is in no layer"))
                        .fix(gone.map(|gone| Fix::safe(format!("Remove `{name}`")).delete(cx.path(), gone)));
                }
                Defeat::Variable { name, value, span: own } => {
                    out.report(
                        own.unwrap_or(span),
                        format!("`{name}={value}` makes {tool} bypass the cache mount on `{target}`"),
                    )
                    .help(format!("leave out `{name}` for this RUN"));
                }
                Defeat::Setting { key } => {
                    out.report(
                        span,
                        format!("the setting `{key}` makes {tool} bypass the cache mount on `{target}`"),
                    )
                    .help(format!("set `{key}` only where there is no mount"));
                }
                Defeat::File { path } => {
                    let stage = step.stage;
                    let shipped = cx.graph().base_image(stage).is_some_and(is_official);
                    let told = |path: &&str| {
                        hooks.iter().any(|(at, known)| known == path && descends(cx, stage, *at))
                    };
                    let archives = used.caches.iter().find(|dir| dir.holds() == Holds::Downloads);
                    let over = archives.and_then(|dir| {
                        mounts.iter().find(|mount| {
                            dir.path.as_deref().is_some_and(|path| is_within(path, &mount.target))
                        })
                    });
                    let Some(over) = over.filter(|_| shipped && used.kind.downloads() && !told(path)) else {
                        continue;
                    };
                    hooks.push((stage, *path));
                    let plain = command.filter(|command| {
                        let own = command.span.of(cx.text());
                        command.depth == 0 && command.certain && command.link != Link::Pipe && !own.is_empty()
                    });
                    let shell = matches!(&step.instruction.kind, crate::dockerfile::Kind::Run(run)
                        if matches!(run.command, crate::dockerfile::Command::Shell(_)));
                    let alone = unmounted_installs(cx, id, stage, tool).next().is_none();
                    let fix = plain.filter(|_| shell && alone).map(|command| {
                        Fix::safe(format!("Remove `{path}` first")).insert(
                            cx.path(),
                            command.span.start,
                            format!("rm -f {path} && "),
                        )
                    });
                    out.report(
                        over.syntax.span,
                        format!("the image's `{path}` empties `{}` after every {tool} command", over.target),
                    )
                    .help(format!("`rm -f {path}` before the first {tool} command"))
                    .fix(fix);
                }
            }
        }
    }
}

fn by_clearing(
    cx: &DockerfileCx<'_>,
    script: &Script<'_>,
    uses: &RunUses<'_>,
    mounts: &[&MountStep<'_>],
    out: &mut Sink,
) {
    for (number, clearing) in &uses.cleared {
        let Some(command) = script.commands.get(*number) else { continue };
        let Some((mount, whole, busy)) = emptied(clearing, uses, mounts) else { continue };
        let text = command.span.of(cx.text());
        let short: String = text.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
        let short = short.chars().take(60).collect::<String>();
        let end = if busy {
            "and fails, since a mount point cannot be removed"
        } else {
            "so that the next build starts anew"
        };
        let gone: Option<Span> = without_command(cx.text(), script, *number).filter(|_| whole);
        out.report(command.span, format!("`{short}` empties the cache mount on `{}`, {end}", mount.target))
            .help(
                "leave it out: what is in a mount is in no layer, so that it does not make the image larger",
            )
            .fix(gone.map(|gone| Fix::safe(format!("Remove `{short}`")).delete(cx.path(), gone)));
    }
}

/// The mount that a command empties, whether it removes nothing else, and whether it fails.
fn emptied<'m, 'a>(
    clearing: &Clearing<'_>,
    uses: &RunUses<'_>,
    mounts: &[&'m MountStep<'a>],
) -> Option<(&'m MountStep<'a>, bool, bool)> {
    let dirs = || uses.tools.iter().flat_map(|used| &used.caches).filter(|dir| dir.mount != Mount::No);
    match clearing {
        Clearing::Tool(tool) => {
            let own = || dirs().filter(|dir| dir.owner.name == tool.name && dir.holds() != Holds::Index);
            let mount = mounts.iter().find(|mount| own().any(|dir| touches(dir, &mount.target)))?;
            let all = own().filter_map(|dir| dir.path.as_deref()).all(|path| {
                mounts.iter().any(|mount| is_within(path, &mount.target) || is_within(&mount.target, path))
            });
            Some((mount, all, false))
        }
        Clearing::Paths(removals) => {
            let hit = |removal: &crate::tools::Removal| {
                mounts.iter().find_map(|mount| {
                    let used = dirs().any(|dir| touches(dir, &mount.target));
                    match removal.hits(&mount.target)? {
                        Hit::Busy if used => Some((*mount, true)),
                        Hit::Empty if used => Some((*mount, false)),
                        // A part counts where it is a directory of the tool.
                        Hit::Part
                            if dirs().any(|dir| {
                                dir.path.as_deref().is_some_and(|path| is_within(path, &removal.path))
                            }) =>
                        {
                            Some((*mount, false))
                        }
                        _ => None,
                    }
                })
            };
            let (mount, busy) = removals.iter().find_map(hit)?;
            let inside = |removal: &crate::tools::Removal| {
                mounts.iter().any(|mount| is_within(&removal.path, &mount.target))
            };
            Some((mount, removals.iter().all(inside), busy))
        }
    }
}
