//! `concise`: one line a finding, as compilers write them.

use super::View;
use super::color::{paint, plain};
use super::full::{SEVERITY_STYLES, summary};
use std::io::{self, Write};

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in &view.report.findings {
        let place = view.shown(&finding.place);
        let severity = paint(view.color, SEVERITY_STYLES[finding.severity as usize], finding.severity.name());
        let (path, start) = (plain(&place.path), place.start);
        let message = plain(&finding.message);
        writeln!(out, "{path}:{}:{}: {severity}[{}]: {message}", start.line, start.column, finding.rule)?;
    }
    writeln!(out, "{}", summary(view.report))
}
