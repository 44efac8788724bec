//! `cache-mount-sharing`: concurrent builds corrupt a cache mount, or wait for each other without need.

use super::mounting::{cache_mounts, touches};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, RunUses, Safety, Severity, Sink};
use crate::graph::{MountStep, Sharing as Shared, StepKind};
use crate::tools::{CacheDir, Holds, Sharing};

static META: Meta = Meta {
    name: "cache-mount-sharing",
    category: Category::Mount,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-mount-sharing.md"),
};

/// See the page.
pub(super) struct CacheMountSharing;

impl Rule for CacheMountSharing {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches: whether a tool's cache can be shared is data.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        for (_, step, _, uses) in cx.run_uses() {
            let StepKind::Run(run) = &step.kind else { continue };
            if step.onbuild {
                continue;
            }
            for mount in cache_mounts(run) {
                let dirs = dirs_of(uses, mount);
                let locked = dirs.iter().find(|dir| dir.sharing().0 == Sharing::Locked);
                match (mount.sharing, locked) {
                    (Shared::Shared, Some(dir)) => {
                        let (_, why) = dir.sharing();
                        let tool = &dir.owner.name;
                        out.report(
                            mount.syntax.span,
                            format!(
                                "two builds that run {tool} at once share `{}` and break each other",
                                mount.target
                            ),
                        )
                        .help(format!("add `sharing=locked`: {}", reason(dir, why)))
                        .fix(lock(cx, mount));
                    }
                    (Shared::Locked, None) if !dirs.is_empty() && !uses.opaque && is_sure(uses) => {
                        let tool = dirs.first().map_or("", |dir| dir.owner.name.as_str());
                        let message = format!(
                            "builds wait for each other at `{}`, though {tool} can share it: `sharing=locked` is not needed",
                            mount.target
                        );
                        out.report(mount.syntax.span, message)
                            .severity(Severity::Info)
                            .help("leave `sharing` at its default")
                            .fix(set(cx, mount, "shared"));
                    }
                    _ => {}
                }
            }
        }
    }
}

fn dirs_of<'u, 'a>(uses: &'u RunUses<'a>, mount: &MountStep<'_>) -> Vec<&'u CacheDir<'a>> {
    let sure = uses.tools.iter().filter(|used| used.sure);
    sure.flat_map(|used| &used.caches).filter(|dir| dir.sure && touches(dir, &mount.target)).collect()
}

fn is_sure(uses: &RunUses<'_>) -> bool {
    uses.tools.iter().all(|used| used.sure && used.inner.is_empty() && !used.row.script)
}

/// Why one at a time: what the data says is of what the tool downloads, and what is built goes into one directory.
fn reason<'t>(dir: &CacheDir<'_>, why: &'t str) -> &'t str {
    if dir.holds() == Holds::Compiled && dir.needed_later().is_some() {
        return "each writes what it builds over what the other builds";
    }
    why.trim_end_matches('.')
}

fn lock(cx: &DockerfileCx<'_>, mount: &MountStep<'_>) -> Option<Fix> {
    if mount.syntax.option(&["sharing"]).is_some() {
        return set(cx, mount, "locked");
    }
    let span = mount.syntax.span;
    let plain = !span.of(cx.text()).ends_with(['"', '\'']);
    plain.then(|| {
        Fix::safe("Lock the mount while it is in use").insert(cx.path(), span.end, ",sharing=locked")
    })
}

fn set(cx: &DockerfileCx<'_>, mount: &MountStep<'_>, value: &str) -> Option<Fix> {
    let word = mount.syntax.option(&["sharing"])?.value.as_ref()?;
    let plain = word.span.of(cx.text()) == word.text;
    plain.then(|| Fix::safe(format!("Set `sharing={value}`")).replace(cx.path(), word.span, value))
}
