//! `export-on-untrusted`: pull requests export to a cache that is not theirs.

use super::refs::{self, CacheRef, Refs};
use super::{Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::{System, Value};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "export-on-untrusted",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/export-on-untrusted.md"),
};

/// See the page.
pub(super) struct ExportOnUntrusted;

impl Rule for ExportOnUntrusted {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: who may write where is a matter of GitHub's tokens.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for export in refs.exports.iter().filter(|export| export.build.build.system == System::GithubActions)
        {
            let place = export.build.place_of(export.spec);
            if seen.contains(&place) || mentions_forks(&export.build.file.text) {
                continue;
            }
            if let Some(reader) = poisoned(export, &refs) {
                seen.insert(place.clone());
                out.report_at(
                    place,
                    format!(
                        "whoever opens a pull request writes to {}, which other builds import",
                        refs::shown(&export.name)
                    ),
                )
                .cause_at(reader.build.place_of(reader.spec), format!("{} imports it", reader.build.title()))
                .help("let pull requests only import: put the export under a condition on the event");
            } else if fails(export) {
                seen.insert(place.clone());
                out.report_at(
                    place,
                    format!("a pull request from a fork may not write to {}: its build fails at the export", refs::shown(&export.name)),
                )
                .help("add `ignore-error=true`, or put the export under a condition on the event, as the push is");
            }
        }
    }
}

/// Whether the file tells pull requests of forks from others.
fn mentions_forks(text: &str) -> bool {
    ["head.repo", "author_association", "head_repository"]
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// The build that imports what `pull_request_target`, which runs strangers' code with the repository's rights, exports.
fn poisoned<'r, 'c, 'a>(export: &CacheRef<'_, '_>, refs: &'r Refs<'c, 'a>) -> Option<&'r CacheRef<'c, 'a>> {
    let build = export.build.build;
    if !build.trigger.pull_request_target || build.conditional_export {
        return None;
    }
    refs.imports.iter().find(|import| {
        let trigger = &import.build.build.trigger;
        import.name == export.name && (trigger.release || trigger.default_branch)
    })
}

/// Whether the export is in force for pull requests, whose image is not pushed, and an error in it counts.
fn fails(export: &CacheRef<'_, '_>) -> bool {
    let build = export.build.build;
    let spec = &export.spec.value;
    let pushed =
        matches!(build.push.as_ref().map(|push| &push.value), Some(Value::Known(text)) if text == "true");
    let ignored = spec.attr("ignore-error").is_some_and(|ignored| ignored.value.known() != Some("false"));
    build.trigger.pull_request
        && spec.kind() == Some("registry")
        && !pushed
        && !ignored
        && !build.conditional_export
}
