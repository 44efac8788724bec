//! `shared-branch-ref`: all branches export to one ref.

use super::refs::{self, Refs};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::Volatility;
use crate::cache::{self, Support};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "shared-branch-ref",
    category: Category::Export,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/shared-branch-ref.md"),
};

/// See the page.
pub(super) struct SharedBranchRef;

impl Rule for SharedBranchRef {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: which branch writes where is a matter of names.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for export in &refs.exports {
            let build = export.build.build;
            // GitHub keeps the branches' caches apart by itself, and directories are the machine's.
            let common = matches!(export.spec.value.kind(), Some("registry" | "s3" | "azblob"));
            let branches = build.trigger.any_branch || build.trigger.pull_request;
            let one = refs::pace(&export.spec.value) == Volatility::Fixed;
            let read = refs
                .imports
                .iter()
                .any(|import| std::ptr::eq(import.build, export.build) && import.name == export.name);
            let works = matches!(cache::support(build, &export.spec.value), Support::Works);
            if !common || !branches || !one || !read || !works || build.conditional_export {
                continue;
            }
            let place = export.build.place_of(export.spec);
            if seen.insert(place.clone()) {
                out.report_at(
                    place,
                    format!("every branch exports to {}, and finds what the last one left", refs::shown(&export.name)),
                )
                .help(
                    "a ref per branch (`cache-BRANCH`) with the default branch's as fallback, or an export from the default \
                     branch alone",
                );
            }
        }
    }
}
