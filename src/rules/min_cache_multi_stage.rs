//! `min-cache-multi-stage`: an export without `mode=max` of a build with stages that are not in its image.

use super::lost_stage::{causes, cost, export_of, lost};
use super::{BuildCx, Category, Fix, Fixable, Meta, ProjectCx, Rule, Safety, Severity, Sink};
use crate::builds::{CacheSpec, Front, Setting as Written, Value};
use crate::cache::{self, ExportMode};
use crate::source::{Edit, Span};

static META: Meta = Meta {
    name: "min-cache-multi-stage",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/min-cache-multi-stage.md"),
};

/// See the page.
pub(super) struct MinCacheMultiStage;

impl Rule for MinCacheMultiStage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for build in cx.builds {
            let Some(export) = export_of(build, ExportMode::Min) else { continue };
            let Some((model, loss)) = lost(build) else { continue };
            let mode = export.value.attr("mode");
            let what = match mode.map(|mode| cache::text(&mode.value)) {
                None => "without `mode=max` this export".to_owned(),
                Some("min") => "`mode=min`".to_owned(),
                Some(other) => format!("`mode={other}` means `min`: it"),
            };
            let message = format!("{what} keeps no build stage: {}", cost(build, model, &loss));
            let help = match build.build.front {
                Front::GithubBuilder => {
                    "set `cache-mode: max`: it keeps the result of every step, not only the final image's layers"
                }
                _ => "add `mode=max`: it keeps the result of every step, not only the final image's layers",
            };
            let draft =
                out.report_at(build.place_of(export), message).help(help).causes(causes(build, model, &loss));
            if let Some(fix) = add_max(build, export, mode) {
                draft.fix(fix);
            }
        }
    }
}

/// `,mode=max` at the end of the setting, or in the place of its mode.
fn add_max(build: &BuildCx<'_>, export: &Written<CacheSpec>, mode: Option<&Written<Value>>) -> Option<Fix> {
    let place = build.place_of(export);
    let text = if *place.path == *build.file.path { export.span.of(&build.file.text) } else { "" };
    let edit = match mode {
        // An input of its own.
        Some(mode) if build.build.front == Front::GithubBuilder => {
            let written = mode.span.of(&build.file.text).trim_matches(['"', '\'']);
            if Some(written) != mode.value.known() {
                return None;
            }
            Edit { span: mode.span, text: "max".into() }
        }
        Some(mode) => Edit { span: mode.span, text: "mode=max".into() },
        // Only where the setting stands there as one text of key-value pairs.
        None if text.starts_with("type=") || text.contains(",type=") => {
            let end = export.span.end as usize;
            Edit { span: Span::new(end, end), text: ",mode=max".into() }
        }
        None => return None,
    };
    Some(Fix { title: "export with mode=max".into(), safety: Safety::Safe, edits: vec![(place.path, edit)] })
}
