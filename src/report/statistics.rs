//! `--statistics`: how many findings each rule has.

use super::color::paint;
use super::full::SEVERITY_STYLES;
use crate::engine::Report;
use crate::rules::Severity;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes a line a rule, the most frequent first: how many findings, how many of them with a fix, severity and name.
/// The counts of one rule with several severities are added up, under the gravest.
pub fn write_statistics(report: &Report, as_json: bool, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: BTreeMap<&str, (usize, usize, Severity)> = BTreeMap::new();
    for finding in &report.findings {
        let entry = counts.entry(finding.rule).or_insert((0, 0, finding.severity));
        entry.0 += 1;
        entry.1 += usize::from(finding.fix.is_some());
        entry.2 = entry.2.max(finding.severity);
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    if as_json {
        let rows = rows.iter().map(|(rule, (count, fixable, severity))| {
            json!({ "rule": rule, "severity": severity.name(), "count": count, "fixable": fixable })
        });
        let document = json!({ "version": 1, "statistics": rows.collect::<Vec<_>>(), "files": report.files });
        serde_json::to_writer_pretty(&mut *out, &document)?;
        return writeln!(out);
    }
    let digits = rows.iter().map(|(_, (count, ..))| count.to_string().len()).max().unwrap_or(1);
    for (rule, (count, fixable, severity)) in rows {
        let style = SEVERITY_STYLES.get(severity as usize).copied().unwrap_or("0");
        let severity = paint(color, style, &format!("{:7}", severity.name()));
        let fixable = if fixable > 0 { format!("  ({fixable} with a fix)") } else { String::new() };
        writeln!(out, "{count:digits$}  {severity}  {rule}{fixable}")?;
    }
    writeln!(out, "{}", super::full::summary(report))
}
