//! `cache-mount-owner`: the user of the RUN cannot write to the cache mount.

use super::mounting::{cache_mounts, touches};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink};
use crate::graph::{MountStep, StepKind};
use crate::tools::User;

static META: Meta = Meta {
    name: "cache-mount-owner",
    category: Category::Mount,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-mount-owner.md"),
};

/// What BuildKit makes a cache mount's directory with (facts §1.6; BuildKit: `convert_runmount.go`).
const DEFAULT_MODE: u32 = 0o755;

/// See the page.
pub(super) struct CacheMountOwner;

impl Rule for CacheMountOwner {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        for (_, step, _, uses) in cx.run_uses() {
            let StepKind::Run(run) = &step.kind else { continue };
            if step.onbuild || uses.opaque {
                continue;
            }
            for mount in cache_mounts(run) {
                let mut of_mount = uses.tools.iter().filter(|used| {
                    used.sure && used.caches.iter().any(|dir| dir.sure && touches(dir, &mount.target))
                });
                let Some(used) = of_mount.find(|used| !may_write(&used.user, mount)) else { continue };
                let owner = mount.uid.map_or("root".to_owned(), |uid| format!("user {uid}"));
                let (user, tool) = (&used.user.name, &used.tool.name);
                out.report(
                    mount.syntax.span,
                    format!(
                        "{tool} runs as `{user}` and cannot write to `{}`, which belongs to {owner}",
                        mount.target
                    ),
                )
                .help(format!("give the mount the number of `{user}`: `uid=…,gid=…`"))
                .fix(fix(cx, &used.user, mount));
            }
        }
    }
}

/// Whether the user can write to the mount, or nobody knows.
fn may_write(user: &User, mount: &MountStep<'_>) -> bool {
    let mode = mount.mode.unwrap_or(DEFAULT_MODE);
    let group = mode & 0o020 != 0 && (user.gid.is_none() || user.gid == Some(mount.gid.unwrap_or(0)));
    if user.is_root() != Some(false) || mode & 0o002 != 0 || group {
        return true;
    }
    match (user.uid, mount.uid) {
        (Some(own), uid) => own == uid.unwrap_or(0),
        (None, uid) => uid.is_some_and(|uid| uid != 0),
    }
}

fn fix(cx: &DockerfileCx<'_>, user: &User, mount: &MountStep<'_>) -> Option<Fix> {
    let uid = user.uid.filter(|_| mount.uid.is_none() && mount.mode.is_none())?;
    let gid = user.gid.filter(|_| mount.gid.is_none()).map(|gid| format!(",gid={gid}")).unwrap_or_default();
    let span = mount.syntax.span;
    let plain = !span.of(cx.text()).ends_with(['"', '\'']);
    plain.then(|| {
        Fix::safe(format!("Give the mount to `{}`", user.name)).insert(
            cx.path(),
            span.end,
            format!(",uid={uid}{gid}"),
        )
    })
}
