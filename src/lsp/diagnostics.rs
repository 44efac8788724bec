//! Findings as diagnostics.

use super::client::Client;
use super::convert::Places;
use crate::engine::Report;
use crate::rules::{self, Finding, Severity};
use crate::settings::ConfigError;
use crate::source::{SourceFile, Span};
use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Message, Uri,
};

/// The name that editors show beside a message.
pub(super) const SOURCE: &str = "hitrate";

/// Everything that is to be said of one file.
pub(super) fn of_file(
    report: &Report,
    broken: &[ConfigError],
    file: &SourceFile,
    places: &Places<'_>,
    client: &Client,
) -> Vec<Diagnostic> {
    let findings = in_file(report, &file.path).iter();
    let mut diagnostics: Vec<Diagnostic> =
        findings.map(|finding| of_finding(report, finding, file, places, client)).collect();
    let errors = report.errors.iter().filter(|error| error.path == file.path);
    let broken = broken.iter().filter(|error| *error.path == *file.path);
    diagnostics.extend(errors.map(|error| problem(file, Span::at(0), &error.message, places)));
    diagnostics.extend(broken.map(|error| {
        let at = error.position.map_or(0, |position| {
            let column = position.column.saturating_sub(1);
            file.lines().offset(
                &file.text,
                position.line.saturating_sub(1),
                column,
                crate::source::Encoding::Utf32,
            )
        });
        problem(file, Span { start: at, end: at }, &error.message, places)
    }));
    diagnostics
}

/// The findings of one file: they are sorted by path.
pub(super) fn in_file<'r>(report: &'r Report, path: &str) -> &'r [Finding] {
    let findings = &report.findings;
    let start = findings.partition_point(|finding| *finding.place.path < *path);
    let end = findings.partition_point(|finding| *finding.place.path <= *path);
    findings.get(start..end).unwrap_or(&[])
}

pub(super) fn of_finding(
    report: &Report,
    finding: &Finding,
    file: &SourceFile,
    places: &Places<'_>,
    client: &Client,
) -> Diagnostic {
    let range = places.range(file, finding.place.span);
    let related = finding.causes.iter().filter_map(|cause| {
        let location = match &cause.place {
            Some(place) => {
                let other = report.sources.get(&place.path)?;
                places.location(other, place.span)
            }
            // What stands in no file is shown where its effect is.
            None => places.location(file, finding.place.span),
        };
        Some(DiagnosticRelatedInformation { location, message: cause.message.clone() })
    });
    let related = client.related_information.then(|| related.collect::<Vec<_>>());
    Diagnostic {
        range,
        severity: Some(severity(finding.severity)),
        code: Some(Code::String(finding.rule.to_owned())),
        code_description: Some(CodeDescription { href: Uri(rules::url(finding.rule)) }),
        source: Some(SOURCE.to_owned()),
        message: Message::String(message(finding)),
        tags: tag(finding.rule).map(|tag| vec![tag]),
        related_information: related.filter(|related| !related.is_empty()),
        data: None,
    }
}

/// What it costs, and below it what to write instead.
pub(super) fn message(finding: &Finding) -> String {
    match finding.help.as_str() {
        "" => finding.message.clone(),
        help => format!("{}\nhelp: {help}", finding.message),
    }
}

fn problem(file: &SourceFile, span: Span, message: &str, places: &Places<'_>) -> Diagnostic {
    Diagnostic {
        range: places.range(file, span),
        severity: Some(DiagnosticSeverity::Error),
        source: Some(SOURCE.to_owned()),
        message: Message::String(message.to_owned()),
        ..Diagnostic::default()
    }
}

/// What is said of a document that is not analyzed for its size.
pub(super) fn too_large() -> Diagnostic {
    Diagnostic {
        severity: Some(DiagnosticSeverity::Error),
        source: Some(SOURCE.to_owned()),
        message: Message::String(crate::project::ReadError::TooLarge.to_string()),
        ..Diagnostic::default()
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Info => DiagnosticSeverity::Information,
    }
}

/// Text without effect is greyed out, what is out of date is struck through.
fn tag(rule: &str) -> Option<DiagnosticTag> {
    match rule {
        "unused-suppression" | "dockerignore-ineffective" => Some(DiagnosticTag::Unnecessary),
        "legacy-builder" | "legacy-cache-pull" | "plugin-outdated" => Some(DiagnosticTag::Deprecated),
        _ => None,
    }
}
