//! `gitlab`: the code quality report (docs.gitlab.com, "Code Quality", custom tools).

use super::View;
use crate::rules::Severity;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let fingerprints = view.report.fingerprints();
    let entries = view.report.findings.iter().zip(fingerprints).map(|(finding, fingerprint)| {
        let place = view.shown(&finding.place);
        let help = if finding.help.is_empty() { String::new() } else { format!("; {}", finding.help) };
        json!({
            "type": "issue",
            "description": format!("{}{help}", finding.message),
            "check_name": finding.rule,
            "categories": ["Performance"],
            "fingerprint": fingerprint,
            "severity": match finding.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            "location": {
                // GitLab shows nothing for a path that begins with `./`.
                "path": place.path.trim_start_matches("./"),
                "lines": { "begin": place.start.line, "end": place.end.line },
            },
        })
    });
    serde_json::to_writer_pretty(&mut *out, &Value::Array(entries.collect()))?;
    writeln!(out)
}
