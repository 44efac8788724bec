//! `jsonl`: one finding a line, as in `json`, for streams; a file that could not be read is a line with `error`.

use super::View;
use serde_json::json;
use std::io::{self, Write};

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in &view.report.findings {
        serde_json::to_writer(&mut *out, &view.json(finding))?;
        writeln!(out)?;
    }
    for error in &view.report.errors {
        let line = json!({"error": {"path": (view.show)(&error.path), "message": error.message}});
        writeln!(out, "{line}")?;
    }
    Ok(())
}
