//! `markdown`: a table, for pull request comments and GitHub's step summary.

use super::View;
use super::color::plain;
use super::full::summary;
use crate::rules;
use std::io::{self, Write};

/// GitHub refuses step summaries of more than 1 MiB; the table ends well before.
const MAX_BYTES: usize = 900 * 1024;

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(table(view).as_bytes())
}

/// The whole document.
pub(super) fn table(view: &View<'_>) -> String {
    let report = view.report;
    let mut text = format!("### hitrate\n\n{}\n", escape(&summary(report)));
    if !report.findings.is_empty() {
        text.push_str("\n| | place | finding | rule |\n| --- | --- | --- | --- |\n");
    }
    for (index, finding) in report.findings.iter().enumerate() {
        if text.len() > MAX_BYTES {
            text.push_str(&format!("\n… and {} more\n", report.findings.len() - index));
            break;
        }
        let place = view.shown(&finding.place);
        let at = format!("`{}:{}`", place.path.replace(['`', '|'], "_"), place.start.line);
        let (severity, message) = (finding.severity.name(), escape(&finding.message));
        let help =
            if finding.help.is_empty() { String::new() } else { format!("<br>{}", escape(&finding.help)) };
        let (rule, url) = (finding.rule, rules::url(finding.rule));
        text.push_str(&format!("| {severity} | {} | {message}{help} | [{rule}]({url}) |\n", plain(&at)));
    }
    for error in &report.errors {
        text.push_str(&format!(
            "\n**not analyzed**: {}: {}\n",
            escape(&(view.show)(&error.path)),
            escape(&error.message)
        ));
    }
    text
}

/// Text for a table's cell: code spans stay, everything else is neither markup nor the end of the cell.
pub(super) fn escape(text: &str) -> String {
    let balanced = text.matches('`').count().is_multiple_of(2);
    let mut code = false;
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '`' if balanced => {
                code = !code;
                out.push(c);
            }
            '|' => out.push_str("\\|"),
            '<' if !code => out.push_str("&lt;"),
            '`' | '*' | '_' | '[' | ']' | '\\' if !code => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn only_code_spans_are_markup() {
        assert_eq!(escape("`a<b|c` <x> *y* p|q"), "`a<b\\|c` &lt;x> \\*y\\* p\\|q");
        assert_eq!(escape("a ` b\nc"), "a \\` b c");
    }
}
