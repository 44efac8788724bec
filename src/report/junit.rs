//! `junit`: one test suite a file with findings, one failed case a finding.

use super::View;
use crate::rules::Finding;
use std::collections::BTreeMap;
use std::io::{self, Write};

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = view.report;
    let mut suites: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        suites.entry(&finding.place.path).or_default().push(finding);
    }
    let (failures, errors) = (report.findings.len(), report.errors.len());
    let tests = (failures + errors).max(1);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"hitrate\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    )?;
    for (path, findings) in suites {
        let (name, n) = (escape(&(view.show)(path)), findings.len());
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{n}\" failures=\"{n}\" errors=\"0\" skipped=\"0\">"
        )?;
        for finding in findings {
            let place = view.shown(&finding.place);
            let (line, column) = (place.start.line, place.start.column);
            let class = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
            writeln!(out, "    <testcase name=\"{}:{line}:{column}\" classname=\"{class}\">", finding.rule)?;
            let message = escape(&finding.message);
            writeln!(out, "      <failure type=\"{}\" message=\"{message}\">", finding.severity.name())?;
            let mut text = format!("{}:{line}:{column}: {}", place.path, finding.message);
            for cause in &finding.causes {
                let at = cause.place.as_ref().map(|place| view.shown(place));
                let at = at.map(|at| format!("{}:{}: ", at.path, at.start.line)).unwrap_or_default();
                text.push_str(&format!("\n{at}{}", cause.message));
            }
            if !finding.help.is_empty() {
                text.push_str(&format!("\nhelp: {}", finding.help));
            }
            writeln!(out, "{}</failure>\n    </testcase>", escape(&text))?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    for error in &report.errors {
        let (name, message) = (escape(&(view.show)(&error.path)), escape(&error.message));
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">")?;
        writeln!(out, "    <testcase name=\"read\" classname=\"{name}\">")?;
        writeln!(
            out,
            "      <error type=\"unreadable\" message=\"{message}\"/>\n    </testcase>\n  </testsuite>"
        )?;
    }
    // Viewers take a report without any case for a broken one.
    if failures + errors == 0 {
        writeln!(
            out,
            "  <testsuite name=\"hitrate\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">"
        )?;
        writeln!(
            out,
            "    <testcase name=\"{} files\" classname=\"hitrate\"/>\n  </testsuite>",
            report.files
        )?;
    }
    writeln!(out, "</testsuites>")
}

/// Text for XML 1.0, which has no place for most control characters, escaped or not.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
