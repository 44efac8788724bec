//! `gc-evicts-mounts`: garbage collection that takes the cache mounts first.

use super::versions::{self, DEFAULT_EVICTS_MOUNTS, ENGINE_EVICTS_MOUNTS};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink, daemons};
use crate::builds::daemon::{DaemonKind, Policy, Size, Worker};
use crate::graph::{MountKind, StepKind};

static META: Meta = Meta {
    name: "gc-evicts-mounts",
    category: Category::Builder,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/gc-evicts-mounts.md"),
};

/// A weekend, from the last build of one week to the first of the next, in seconds.
const WEEKEND: u64 = 72 * 3600;
/// A cache of this size is reached at once: the smallest that the default policies leave in any case (facts §4.1).
const SMALL: u64 = 10_000_000_000;
/// The same as a share of a disk whose size is not known.
const SMALL_PERCENT: u64 = 5;

/// See the page.
pub(super) struct GcEvictsMounts;

impl Rule for GcEvictsMounts {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a policy removes is a matter of its limits (facts §4).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for found in daemons::all(cx) {
            let settings = cx.settings.at(&found.file.path);
            let disk = settings.builder.disk.map(|disk| disk.0);
            for worker in &found.daemon.workers {
                let collects = worker.gc.as_ref().is_none_or(|gc| gc.value)
                    && worker.enabled.as_ref().is_none_or(|enabled| enabled.value);
                if !collects {
                    continue;
                }
                let place = |span| Place { path: found.file.path.clone(), span };
                for policy in worker.policies.iter().filter(|policy| is_early(policy, disk)) {
                    out.report_at(place(policy.span), format!("{}: on Monday every build starts with empty ones", told(policy)))
                        .help(
                            "leave cache mounts to the policies for everything, or give them a `keepDuration` of weeks and \
                             space for what they hold",
                        );
                }
                if !worker.policies.is_empty() {
                    continue;
                }
                let (component, since) = match found.daemon.kind {
                    DaemonKind::Buildkitd => ("buildkit", DEFAULT_EVICTS_MOUNTS),
                    DaemonKind::Dockerd => ("engine", ENGINE_EVICTS_MOUNTS),
                };
                let version = versions::configured(settings, component);
                let applies = match version {
                    Some(version) => version >= since,
                    None => is_configured(worker) || uses_mounts(cx),
                };
                if applies {
                    let product = if component == "engine" { "Engine" } else { "BuildKit" };
                    out.report_at(
                        place(worker.span),
                        format!(
                            "the default policy of {product} {}.{} and later drops cache mounts that were not used for 48 hours",
                            since.0, since.1
                        ),
                    )
                    .help("write policies of your own, sized to the disk, that do not name `exec.cachemount`");
                }
            }
        }
    }
}

/// Whether a policy takes cache mounts that rest over a weekend, however little there is.
fn is_early(policy: &Policy, disk: Option<u64>) -> bool {
    let named = policy
        .filters
        .iter()
        .any(|filter| filter.value.ends_with("exec.cachemount") && !filter.value.contains(','));
    // dockerd's ages are filters, too.
    let all = !policy.filters.iter().any(|filter| filter.value.starts_with("type"));
    let kept = match &policy.keep_duration {
        Some(stated) => match stated.value {
            Some(seconds) => Some(seconds),
            None => return false,
        },
        None => None,
    };
    if !(named || all && kept.is_some()) || kept.is_some_and(|seconds| seconds >= WEEKEND) {
        return false;
    }
    match daemons::left_alone(&policy.limits, disk) {
        Some(bytes) => bytes < SMALL,
        None => [&policy.limits.max_used, &policy.limits.reserved].iter().any(|limit| {
            let value = limit.as_ref().and_then(|limit| limit.value);
            matches!(value, Some(Size::Percent(percent)) if percent < SMALL_PERCENT)
        }),
    }
}

fn told(policy: &Policy) -> String {
    let hours = policy.keep_duration.as_ref().and_then(|stated| stated.value).map(|seconds| seconds / 3600);
    let after = match hours {
        Some(hours) if hours > 0 => format!("cache mounts go {hours} hours after their last use"),
        _ => "cache mounts go as soon as they are not in use".to_owned(),
    };
    let limit = policy.limits.max_used.as_ref().or(policy.limits.reserved.as_ref());
    match limit.and_then(|limit| limit.value) {
        Some(Size::Bytes(bytes)) if bytes >= 1 << 30 => {
            format!("{after} once the whole cache is above {} GB", bytes >> 30)
        }
        Some(Size::Bytes(bytes)) => format!("{after} once the whole cache is above {} MB", bytes / 1_000_000),
        Some(Size::Percent(percent)) => {
            format!("{after} once the whole cache is above {percent} % of the disk")
        }
        None => after,
    }
}

/// Whether somebody thought of garbage collection here.
fn is_configured(worker: &Worker) -> bool {
    let limits = &worker.limits;
    worker.gc.is_some() || limits.max_used.is_some() || limits.min_free.is_some() || limits.reserved.is_some()
}

fn uses_mounts(cx: &ProjectCx<'_>) -> bool {
    cx.dockerfiles.iter().any(|dockerfile| {
        dockerfile.graph().steps.iter().any(|step| match &step.kind {
            StepKind::Run(run) => run.mounts.iter().any(|mount| mount.kind == MountKind::Cache),
            _ => false,
        })
    })
}
