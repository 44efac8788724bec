//! Garbage collection of a builder that keeps its cache, sized to its disk (facts §4).

use super::Snippet;
use crate::builds::daemon::{Daemon, DaemonKind};
use std::sync::Arc;

/// The plan of a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonPlan {
    /// Its file.
    pub path: Arc<str>,
    /// Why something should change, a sentence each.
    pub reasons: Vec<String>,
    /// What to paste.
    pub snippet: Snippet,
}

const GB: u64 = 1_000_000_000;

/// The plan of a daemon; `None` where its policies are sound.
pub(super) fn plan(path: &Arc<str>, daemon: &Daemon, disk: Option<u64>) -> Option<DaemonPlan> {
    let mut reasons = Vec::new();
    for worker in &daemon.workers {
        if worker.enabled.as_ref().is_some_and(|enabled| !enabled.value) {
            continue;
        }
        let name = &worker.name;
        if worker.gc.as_ref().is_some_and(|gc| !gc.value) {
            reasons.push(format!(
                "worker {name}: `gc = false`: nothing is ever deleted, until the disk is full"
            ));
        }
        let limits =
            std::iter::once(&worker.limits).chain(worker.policies.iter().map(|policy| &policy.limits));
        for limits in limits {
            let all = [&limits.reserved, &limits.max_used, &limits.min_free];
            reasons.extend(all.into_iter().flatten().filter(|limit| limit.old).map(|limit| {
                format!(
                    "worker {name}: `{}` is the old name of reservedSpace: space that is kept, not a limit",
                    limit.key
                )
            }));
        }
        let ends = worker.policies.last();
        if ends.is_some_and(|last| !last.filters.is_empty()) {
            reasons.push(format!(
                "worker {name}: no policy takes everything, so what the filters leave out stays for ever"
            ));
        }
        let limited =
            |limits: &crate::builds::daemon::Limits| limits.max_used.is_some() || limits.min_free.is_some();
        if !worker.policies.is_empty() && !worker.policies.iter().any(|policy| limited(&policy.limits)) {
            reasons.push(format!(
                "worker {name}: no policy has maxUsedSpace or minFreeSpace, so the cache may fill the disk"
            ));
        }
    }
    reasons.dedup();
    (!reasons.is_empty()).then(|| DaemonPlan {
        path: path.clone(),
        reasons,
        snippet: snippet(daemon.kind, disk),
    })
}

/// Policies for a disk of that size, or in parts of it: layers go first, cache mounts that are in use last. One filter a policy:
/// before BuildKit 0.31 several had to hold all at once (facts §4.1).
pub(super) fn snippet(kind: DaemonKind, disk: Option<u64>) -> Snippet {
    let buildkitd = kind == DaemonKind::Buildkitd;
    let size = |percent: u64| match (disk, buildkitd) {
        (Some(bytes), _) => format!("{}GB", (bytes / 100 * percent).div_ceil(GB)),
        (None, true) => format!("{percent}%"),
        // dockerd's file has sizes only.
        (None, false) => format!("{percent}GB"),
    };
    let (mounts, reserved, max, free) = (size(20), size(10), size(75), size(15));
    let of = match (disk, buildkitd) {
        (Some(bytes), _) => format!("for a disk of {} GB", bytes / GB),
        (None, true) => "in parts of the disk".to_owned(),
        (None, false) => "for a disk of 100 GB".to_owned(),
    };
    if buildkitd {
        let text = format!(
            "[worker.oci]
  gc = true

  # cache mounts that nobody used for two weeks
  [[worker.oci.gcpolicy]]
    filters = [\"type==exec.cachemount\"]
    keepDuration = \"336h\"
    maxUsedSpace = \"{mounts}\"

  # everything, what was used least recently first
  [[worker.oci.gcpolicy]]
    all = true
    reservedSpace = \"{reserved}\"
    maxUsedSpace = \"{max}\"
    minFreeSpace = \"{free}\"
"
        );
        return Snippet {
            title: format!("buildkitd.toml of BuildKit 0.17 or later, {of}"),
            language: "toml",
            text,
        };
    }
    let text = format!(
        "{{
  \"builder\": {{
    \"gc\": {{
      \"enabled\": true,
      \"policy\": [
        {{ \"filter\": [\"type=exec.cachemount\", \"unused-for=336h\"], \"maxUsedSpace\": \"{mounts}\" }},
        {{ \"all\": true, \"reservedSpace\": \"{reserved}\", \"maxUsedSpace\": \"{max}\", \"minFreeSpace\": \"{free}\" }}
      ]
    }}
  }}
}}
"
    );
    Snippet { title: format!("daemon.json of Engine 28 or later, {of}"), language: "json", text }
}
