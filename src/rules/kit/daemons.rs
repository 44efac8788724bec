//! The configuration of builders: `buildkitd.toml` and `daemon.json`.

use super::ProjectCx;
use crate::builds::daemon::{self, Daemon, Limits, Size};
use crate::project::{FileKind, classify};
use crate::source::SourceFile;
use std::sync::Arc;

/// A daemon's configuration and the file in which it stands.
#[derive(Debug)]
pub struct Configured<'a> {
    /// The file.
    pub file: &'a Arc<SourceFile>,
    /// What it says.
    pub daemon: Daemon,
}

/// The daemons that are configured in the project and outlive a job.
#[must_use]
pub fn all<'a>(cx: &ProjectCx<'a>) -> Vec<Configured<'a>> {
    let read = |file: &'a Arc<SourceFile>| {
        let daemon = match classify(&file.path)? {
            FileKind::Buildkitd => daemon::read_buildkitd(&file.text).ok()?,
            FileKind::DockerDaemon => daemon::read_dockerd(&file.text).ok()?,
            _ => return None,
        };
        Some(Configured { file, daemon })
    };
    cx.others.iter().filter_map(read).filter(|found| !is_short_lived(cx, &found.file.path)).collect()
}

/// Whether only builders use it that end with their job: all builds whose file names it.
fn is_short_lived(cx: &ProjectCx<'_>, path: &str) -> bool {
    let mut naming = cx.builds.iter().filter(|build| names(&build.file.text, path)).peekable();
    naming.peek().is_some() && naming.all(|build| build.build.builder.persistent == Some(false))
}

/// Whether a text names a path, whole or from `./` on.
fn names(text: &str, path: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), path.as_bytes()).any(|at| {
        let before = text.get(..at).unwrap_or("");
        let before = before.strip_suffix("./").unwrap_or(before);
        !before.ends_with(|ch: char| ch.is_alphanumeric() || matches!(ch, '/' | '.' | '-' | '_'))
    })
}

/// How many bytes of cache a policy leaves alone, as far as that is known: `Some(0)` where it leaves nothing, `None` where it turns
/// on the disk (BuildKit's `cache/manager.go`, `calculateKeepBytes`). `disk` is the disk's size.
#[must_use]
pub fn left_alone(limits: &Limits, disk: Option<u64>) -> Option<u64> {
    let bytes = |size: Option<Size>| match size? {
        Size::Bytes(bytes) => Some(bytes),
        Size::Percent(percent) => Some(disk? / 100 * percent),
    };
    let value = |limit: &Option<daemon::Limit>| limit.as_ref().map(|limit| bytes(limit.value));
    match (value(&limits.max_used), value(&limits.reserved), &limits.min_free) {
        (None, None, None) => Some(0),
        // As long as enough is free.
        (None, _, Some(_)) => None,
        (max, reserved, _) => Some(max.unwrap_or(Some(0))?.max(reserved.unwrap_or(Some(0))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(policy: &str, disk: Option<u64>) -> Option<u64> {
        let text = format!("[[worker.oci.gcpolicy]]\n{policy}\n");
        left_alone(&daemon::read_buildkitd(&text).unwrap().workers[0].policies[0].limits, disk)
    }

    #[test]
    fn what_a_policy_leaves_alone() {
        assert_eq!(left("keepDuration = \"48h\"", None), Some(0));
        assert_eq!(left("maxUsedSpace = 512", None), Some(512));
        assert_eq!(left("maxUsedSpace = 512\nreservedSpace = 1024", None), Some(1024));
        assert_eq!(left("minFreeSpace = \"20%\"", Some(1000)), None);
        assert_eq!(left("keepBytes = \"10%\"", None), None);
        assert_eq!(left("keepBytes = \"10%\"", Some(1000)), Some(100));
    }
}
