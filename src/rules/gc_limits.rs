//! `gc-limits`: limits of garbage collection that contradict each other, or are of the old schema.

use super::versions::{self, NEW_LIMITS};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink, daemons};
use crate::builds::daemon::{DaemonKind, Limit, Limits, Size};
use crate::source::{SourceFile, Span};

static META: Meta = Meta {
    name: "gc-limits",
    category: Category::Builder,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/gc-limits.md"),
};

/// See the page.
pub(super) struct GcLimits;

/// The file that is looked at, and where findings go.
struct Look<'l> {
    file: &'l SourceFile,
    kind: DaemonKind,
    disk: Option<u64>,
    /// Whether the new keys are known to be missing.
    before_new: bool,
    out: &'l mut Sink,
}

impl Rule for GcLimits {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a limit means is a table (facts §4.2, §4.3).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for found in daemons::all(cx) {
            let settings = cx.settings.at(&found.file.path);
            let buildkit = match found.daemon.kind {
                DaemonKind::Buildkitd => versions::configured(settings, "buildkit"),
                DaemonKind::Dockerd => {
                    versions::configured(settings, "engine").and_then(versions::buildkit_of_engine)
                }
            };
            let mut look = Look {
                file: found.file,
                kind: found.daemon.kind,
                disk: settings.builder.disk.map(|disk| disk.0),
                before_new: buildkit.is_some_and(|version| version < NEW_LIMITS),
                out,
            };
            for worker in &found.daemon.workers {
                look.limits(&worker.limits);
                for policy in &worker.policies {
                    look.limits(&policy.limits);
                    for filter in
                        policy.filters.iter().filter(|filter| filter.value.matches("type==").count() > 1)
                    {
                        look.report(filter.span, "no record is of two types: this filter takes nothing, and the policy with it".into())
                            .help("write each type as a filter of its own: they are alternatives from BuildKit 0.31 on");
                    }
                    if let Some(kept) = policy.keep_duration.as_ref().filter(|kept| kept.value.is_none()) {
                        look.report(kept.span, "this is no duration: the daemon does not start".into())
                            .severity(Severity::Error)
                            .help("write hours, minutes and seconds, as in `48h`, or a number of seconds");
                    }
                }
                if worker.policies.is_empty() {
                    continue;
                }
                let limits = &worker.limits;
                for limit in [&limits.reserved, &limits.max_used, &limits.min_free].into_iter().flatten() {
                    look.report(
                        limit.span,
                        format!(
                            "`{}` has no effect: it is for the default policies, and these are replaced",
                            limit.key
                        ),
                    )
                    .help("move the limit into the policies, or drop the policies");
                }
            }
        }
    }
}

impl Look<'_> {
    fn report(&mut self, span: Span, message: String) -> super::Draft<'_> {
        self.out.report_at(Place { path: self.file.path.clone(), span }, message)
    }

    fn limits(&mut self, limits: &Limits) {
        let all = [&limits.reserved, &limits.max_used, &limits.min_free];
        for limit in all.into_iter().flatten() {
            self.one(limit);
        }
        let value = |limit: &Option<Limit>| limit.as_ref().and_then(|limit| limit.value);
        let [reserved, max_used, min_free] = all.map(value);
        let more = match (reserved, max_used) {
            (Some(Size::Bytes(reserved)), Some(Size::Bytes(max))) => max > 0 && reserved > max,
            (Some(Size::Percent(reserved)), Some(Size::Percent(max))) => max > 0 && reserved > max,
            _ => false,
        };
        if let (Some(limit), true) = (&limits.max_used, more) {
            self.report(
                limit.span,
                "less than is reserved: the cache grows to the reserved size all the same".into(),
            )
            .help(
                "`maxUsedSpace` is the most that the cache may take, `reservedSpace` what it may always take",
            );
        }
        let too_much = match (reserved, min_free, self.disk) {
            (Some(Size::Percent(reserved)), Some(Size::Percent(free)), _) => reserved + free > 100,
            (Some(Size::Bytes(reserved)), Some(Size::Bytes(free)), Some(disk)) => {
                reserved.saturating_add(free) > disk
            }
            _ => false,
        };
        if let (Some(limit), true) = (&limits.min_free, too_much) {
            self.report(
                limit.span,
                "this cannot be kept free: together with what is reserved it is more than the disk".into(),
            )
            .help("the reserved space wins; lower one of the two");
        }
    }

    fn one(&mut self, limit: &Limit) {
        let new = if self.kind == DaemonKind::Dockerd && limit.key.to_ascii_lowercase().starts_with("default")
        {
            "defaultReservedSpace"
        } else {
            "reservedSpace"
        };
        match limit.value {
            None => {
                self.report(limit.span, format!("`{}` is no size: the daemon does not start", limit.key))
                    .severity(Severity::Error)
                    .help("write a number of bytes, a size as in `20GB`, or a share of the disk as in `10%`");
            }
            Some(Size::Percent(percent)) if percent > 100 => {
                self.report(limit.span, format!("{percent} % is more than the disk"))
                    .help("write at most `100%`");
            }
            Some(Size::Bytes(bytes)) if self.disk.is_some_and(|disk| bytes > disk) => {
                self.report(
                    limit.span,
                    format!("`{}` is more than the disk: it never comes to bear", limit.key),
                )
                .help("size it to the disk, or write a share of it as in `80%`");
            }
            _ if limit.old && !self.before_new => {
                self.report(limit.span, format!("`{}` is of the old schema: since BuildKit 0.17 it means `{new}`", limit.key))
                    .help(format!(
                        "write `{new}` for what the cache may always take, `maxUsedSpace` for the most, `minFreeSpace` for what \
                         others need; none of them counts inodes",
                    ));
            }
            _ => {}
        }
    }
}
