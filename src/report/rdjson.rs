//! `rdjson`: the Reviewdog Diagnostic Format (reviewdog's `proto/rdf/reviewdog.proto`).

use super::View;
use crate::rules::{self, Place, Severity};
use crate::source::Span;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics = view.report.findings.iter().map(|finding| {
        let mut message = finding.message.clone();
        if !finding.help.is_empty() {
            message.push_str(&format!("\nhelp: {}", finding.help));
        }
        let causes = finding.causes.iter().filter_map(|cause| Some((cause.place.as_ref()?, &cause.message)));
        let related =
            causes.map(|(place, message)| json!({"message": message, "location": location(view, place)}));
        // A suggestion is one edit in the file itself: reviewdog applies each on its own, and a part of a fix is none.
        let edits = finding.fix.as_ref().map_or(&[][..], |fix| &fix.edits);
        let suggestions: Vec<Value> = match edits {
            [(path, edit)] if *path == finding.place.path => {
                vec![json!({"range": range(view, path, edit.span), "text": edit.text})]
            }
            _ => Vec::new(),
        };
        json!({
            "message": message,
            "location": location(view, &finding.place),
            "severity": match finding.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Info => "INFO",
            },
            "code": { "value": finding.rule, "url": rules::url(finding.rule) },
            "suggestions": suggestions,
            "relatedLocations": related.collect::<Vec<_>>(),
        })
    });
    let document = json!({
        "source": { "name": "hitrate", "url": env!("CARGO_PKG_REPOSITORY") },
        "diagnostics": diagnostics.collect::<Vec<_>>(),
    });
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

fn location(view: &View<'_>, place: &Place) -> Value {
    json!({ "path": (view.show)(&place.path), "range": range(view, &place.path, place.span) })
}

/// Columns count bytes here, from 1.
fn range(view: &View<'_>, path: &str, span: Span) -> Value {
    let position = |offset: u32| match view.report.sources.get(path) {
        Some(file) => {
            let line = file.line(offset);
            json!({ "line": line, "column": offset.saturating_sub(file.lines().start(line)) + 1 })
        }
        None => json!({ "line": 1, "column": 1 }),
    };
    json!({ "start": position(span.start), "end": position(span.end) })
}
