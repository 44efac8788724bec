//! `json`: the contract for programs. Field names are stable; `version` changes when one of them does.

use super::View;
use crate::rules::{self, Cause, Finding};
use crate::source::Position;
use serde::Serialize;
use std::io::{self, Write};

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = view.report;
    let errors = report.errors.iter();
    let document = Document {
        version: 1,
        findings: report.findings.iter().map(|finding| view.json(finding)).collect(),
        errors: errors
            .map(|error| JsonError { path: (view.show)(&error.path), message: &error.message })
            .collect(),
        files: report.files,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<JsonFinding<'a>>,
    errors: Vec<JsonError<'a>>,
    files: usize,
}

#[derive(Serialize)]
struct JsonError<'a> {
    path: String,
    message: &'a str,
}

/// A finding as JSON has it.
#[derive(Serialize)]
pub(super) struct JsonFinding<'a> {
    rule: &'a str,
    category: &'static str,
    severity: &'static str,
    message: &'a str,
    help: &'a str,
    path: String,
    start: JsonPosition,
    end: JsonPosition,
    causes: Vec<JsonCause<'a>>,
    fix: Option<JsonFix<'a>>,
    url: String,
}

#[derive(Serialize)]
struct JsonPosition {
    line: u32,
    column: u32,
}

/// A cause outside any file has no path and no positions.
#[derive(Serialize)]
struct JsonCause<'a> {
    path: Option<String>,
    start: Option<JsonPosition>,
    end: Option<JsonPosition>,
    message: &'a str,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    safety: &'static str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    path: String,
    start: JsonPosition,
    end: JsonPosition,
    text: &'a str,
}

impl From<Position> for JsonPosition {
    fn from(position: Position) -> Self {
        Self { line: position.line, column: position.column }
    }
}

impl View<'_> {
    /// The finding as JSON has it.
    pub(super) fn json<'f>(&self, finding: &'f Finding) -> JsonFinding<'f> {
        let place = self.shown(&finding.place);
        let cause = |cause: &'f Cause| {
            let place = cause.place.as_ref().map(|place| self.shown(place));
            JsonCause {
                start: place.as_ref().map(|place| place.start.into()),
                end: place.as_ref().map(|place| place.end.into()),
                path: place.map(|place| place.path),
                message: &cause.message,
            }
        };
        let fix = finding.fix.as_ref().map(|fix| JsonFix {
            title: &fix.title,
            safety: fix.safety.name(),
            edits: fix
                .edits
                .iter()
                .map(|(path, edit)| {
                    let place = self.shown_span(path, edit.span);
                    let (start, end) = (place.start.into(), place.end.into());
                    JsonEdit { path: place.path, start, end, text: &edit.text }
                })
                .collect(),
        });
        JsonFinding {
            rule: finding.rule,
            category: finding.category.name(),
            severity: finding.severity.name(),
            message: &finding.message,
            help: &finding.help,
            path: place.path,
            start: place.start.into(),
            end: place.end.into(),
            causes: finding.causes.iter().map(cause).collect(),
            fix,
            url: rules::url(finding.rule),
        }
    }
}
