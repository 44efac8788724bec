//! `gc-disabled`: a builder that never collects garbage.

use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink, daemons, versions};
use crate::builds::daemon::DaemonKind;
use crate::source::Span;

static META: Meta = Meta {
    name: "gc-disabled",
    category: Category::Builder,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/gc-disabled.md"),
};

/// See the page.
pub(super) struct GcDisabled;

impl Rule for GcDisabled {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a daemon does by default is a table (facts §4).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for found in daemons::all(cx) {
            let place = |span| Place { path: found.file.path.clone(), span };
            for worker in &found.daemon.workers {
                let off = worker.gc.as_ref().filter(|gc| !gc.value);
                let on = worker.enabled.as_ref().is_none_or(|enabled| enabled.value);
                let Some(off) = off.filter(|_| on) else { continue };
                let beside = match worker.policies.is_empty() {
                    true => "",
                    false => "; the policies below are never applied",
                };
                out.report_at(
                    place(off.span),
                    format!("nothing is ever removed from the build cache: the disk fills up{beside}"),
                )
                .help("remove it: collection is on by default; set `maxUsedSpace` and `minFreeSpace` to the disk instead");
            }
            let engine = versions::configured(cx.settings.at(&found.file.path), "engine");
            let never = found.daemon.kind == DaemonKind::Dockerd
                && found.daemon.workers.iter().all(|worker| worker.gc.is_none())
                && engine.is_some_and(|engine| engine < versions::ENGINE_COLLECTS);
            if never {
                let end = found.file.text.trim_end().len();
                out.report_at(
                    place(Span::new(0, end)),
                    "an Engine before 28.2 removes nothing from the build cache unless it is told to",
                )
                .help("set `\"builder\": {\"gc\": {\"enabled\": true, \"defaultKeepStorage\": \"50GB\"}}`");
            }
        }
    }
}
