//! `no-fallback-import`: a cache per branch, and nothing for a branch's first build.

use super::refs::{self, Refs};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::Volatility;
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "no-fallback-import",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/no-fallback-import.md"),
};

/// See the page.
pub(super) struct NoFallbackImport;

impl Rule for NoFallbackImport {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: which refs a branch has is a matter of names.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for export in &refs.exports {
            let build = export.build.build;
            let trigger = &build.trigger;
            let branches = trigger.any_branch || trigger.pull_request;
            // A ref's name is one of a release in the run of a tag.
            let pace = refs::pace(&export.spec.value);
            let per_branch =
                pace == Volatility::PerBranch || pace == Volatility::PerRelease && trigger.any_branch;
            if !per_branch || !branches {
                continue;
            }
            // Whatever else is imported may serve as one.
            let own: Vec<_> =
                refs.imports.iter().filter(|import| std::ptr::eq(import.build, export.build)).collect();
            let [import] = own.as_slice() else { continue };
            if import.name != export.name || build.builder.persistent == Some(true) {
                continue;
            }
            let place = import.build.place_of(import.spec);
            if seen.insert(place.clone()) {
                out.report_at(
                    place,
                    format!(
                        "the first build of every branch starts from nothing: {} is all that it imports",
                        refs::shown(&import.name)
                    ),
                )
                .help(
                    "import the default branch's ref too, listed before the branch's own (where both hold a step, the last \
                     one loses least)",
                );
            }
        }
    }
}
