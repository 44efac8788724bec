//! `cache-mount-wrong-path`: a cache mount where the tool does not cache here.

use super::mounting::{cache_mounts, certain_path, good_dirs, meant_for, touches};
use super::places::cache_over;
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, RunUses, Safety, Severity, Sink, ToolUse};
use crate::graph::{MountStep, RunStep, StepKind};
use crate::tools::CacheDir;

static META: Meta = Meta {
    name: "cache-mount-wrong-path",
    category: Category::Mount,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-mount-wrong-path.md"),
};

/// See the page.
pub(super) struct CacheMountWrongPath;

impl Rule for CacheMountWrongPath {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches: where a tool caches is data, in force for the user and the environment of the RUN.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        for (_, step, _, uses) in cx.run_uses() {
            let StepKind::Run(run) = &step.kind else { continue };
            if step.onbuild || uses.opaque {
                continue;
            }
            for mount in cache_mounts(run) {
                let Some((used, path)) = misplaced(run, uses, mount) else { continue };
                let tool = &used.tool.name;
                let who = if used.user.is_root() == Some(true) {
                    String::new()
                } else {
                    format!(" as `{}`", used.user.name)
                };
                out.report(
                    mount.syntax.span,
                    format!(
                        "{tool}{who} caches in `{path}`, not in `{}`: the mount stays empty",
                        mount.target
                    ),
                )
                .help(format!("mount `{path}`"))
                .fix(fix(cx, used, mount, path));
            }
        }
    }
}

/// The command that the mount is meant for and where that caches, if the mount is not there.
fn misplaced<'u, 'a>(
    run: &RunStep<'_>,
    uses: &'u RunUses<'a>,
    mount: &MountStep<'_>,
) -> Option<(&'u ToolUse<'a>, &'u str)> {
    let known = |used: &ToolUse<'_>| {
        let dirs = used.caches.iter().chain(used.inner.iter().flat_map(|inner| &inner.caches));
        used.sure && dirs.into_iter().all(|dir| dir.path.is_some() && !touches(dir, &mount.target))
    };
    // The image's own user may be another one, whose home that is.
    let elsewhere = |used: &ToolUse<'_>| used.user.assumed && mount.target.starts_with("/home/");
    if !uses.tools.iter().all(known) || uses.tools.iter().any(elsewhere) {
        return None;
    }
    uses.tools.iter().find_map(|used| {
        let cache = meant_for(used, &mount.target)?;
        let dir = used.caches.iter().find(|dir| cache.is_some_and(|cache| std::ptr::eq(dir.cache, cache)));
        let path = match dir {
            Some(dir) => certain_path(dir)?,
            None => {
                let like = |dir: &CacheDir<'_>| cache.is_none_or(|cache| cache.holds == dir.holds());
                good_dirs(used).find(|(dir, _)| like(dir))?.1
            }
        };
        cache_over(run, path).is_none().then_some((used, path))
    })
}

fn fix(cx: &DockerfileCx<'_>, used: &ToolUse<'_>, mount: &MountStep<'_>, path: &str) -> Option<Fix> {
    let option = mount.syntax.option(&["target", "dst", "destination"])?;
    let value = option.value.as_ref()?;
    let plain = value.span.of(cx.text()) == value.text && !value.text.contains('$');
    // Another user's mount needs an owner too, which only its number can name.
    let owner = match (used.user.is_root(), used.user.uid) {
        (Some(true), _) => String::new(),
        (_, Some(uid)) if mount.uid.is_none() && mount.gid.is_none() => {
            let gid = used.user.gid.map(|gid| format!(",gid={gid}")).unwrap_or_default();
            format!(",uid={uid}{gid}")
        }
        _ => return None,
    };
    let plain_path = !path.contains([' ', ',', '"', '\'', '$', '\\', '`']);
    (plain && plain_path).then(|| {
        Fix::safe(format!("Mount `{path}`")).replace(cx.path(), value.span, format!("{path}{owner}"))
    })
}
