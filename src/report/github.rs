//! `github`: workflow commands, which GitHub shows as annotations on the changed lines.
//!
//! GitHub keeps ten annotations of each level from a step. When there are more findings, those of one file share an
//! annotation; when there are still too many, the last one counts the rest. The log always has all of them.

use super::View;
use super::color::plain;
use super::full::summary;
use crate::rules::{Finding, Severity};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Annotations of one level that GitHub keeps from one step.
const LIMIT: usize = 10;

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = &view.report.findings;
    if !findings.is_empty() {
        writeln!(out, "::group::hitrate: {}", data(&summary(view.report)))?;
        for finding in findings {
            let place = view.shown(&finding.place);
            // The severity stands first, so that no path can begin a command; `##[` begins one of the old kind anywhere.
            let (severity, message) = (finding.severity.name(), plain(&finding.message));
            let line = format!(
                "{severity}[{}] {}:{}: {message}",
                finding.rule,
                plain(&place.path),
                place.start.line
            );
            writeln!(out, "{}", line.replace("##[", "# #["))?;
        }
        writeln!(out, "::endgroup::")?;
    }
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let level: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == severity).collect();
        annotate(view, severity, &level, out)?;
    }
    writeln!(out, "{}", summary(view.report))
}

fn annotate(
    view: &View<'_>,
    severity: Severity,
    findings: &[&Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut groups: Vec<Vec<&Finding>> = findings.iter().map(|finding| vec![*finding]).collect();
    if groups.len() > LIMIT {
        let mut files: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            files.entry(&finding.place.path).or_default().push(finding);
        }
        groups = files.into_values().collect();
    }
    let rest = if groups.len() > LIMIT { groups.split_off(LIMIT - 1) } else { Vec::new() };
    for group in &groups {
        let [first, others @ ..] = group.as_slice() else { continue };
        command(view, severity, first, others, out)?;
    }
    if let Some(first) = rest.first().and_then(|group| group.first()) {
        let (count, files) = (rest.iter().map(Vec::len).sum::<usize>(), rest.len());
        let text = format!("{count} more findings in {files} files; the step's log has them all");
        let file = property(&(view.show)(&first.place.path));
        writeln!(out, "::{} file={file},line=1,title=hitrate::{}", level(severity), data(&text))?;
    }
    Ok(())
}

fn command(
    view: &View<'_>,
    severity: Severity,
    first: &Finding,
    others: &[&Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let place = view.shown(&first.place);
    write!(out, "::{} file={},line={}", level(severity), property(&place.path), place.start.line)?;
    // GitHub takes columns only where the finding ends in the line in which it starts.
    if place.start.line == place.end.line {
        write!(out, ",endLine={},col={},endColumn={}", place.end.line, place.start.column, place.end.column)?;
    } else {
        write!(out, ",endLine={}", place.end.line)?;
    }
    let mut text = first.message.clone();
    for cause in &first.causes {
        let at = cause.place.as_ref().map(|place| view.shown(place));
        let at = at.map(|at| format!("{}:{}: ", at.path, at.start.line)).unwrap_or_default();
        text.push_str(&format!("\n{at}{}", cause.message));
    }
    if !first.help.is_empty() {
        text.push_str(&format!("\nhelp: {}", first.help));
    }
    for other in others {
        let line = view.shown(&other.place).start.line;
        text.push_str(&format!("\nline {line}: {} ({})", other.message, other.rule));
    }
    let title = format!("hitrate: {}", first.rule);
    writeln!(out, ",title={}::{}", property(&title), data(&text))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    }
}

/// A command's text, escaped as actions/toolkit does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
