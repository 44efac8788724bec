//! Output formats, one file each. Nothing else in the program knows how its results are written.

mod color;
mod concise;
mod diff;
mod full;
mod json;
mod place;

pub use color::Color;
pub use diff::unified;
pub use place::Shown;

use crate::engine::Report;
use std::io::{self, Write};

/// The formats of `hitrate check`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Source, causes and suggested edits, for people.
    #[default]
    Full,
    /// One line a finding.
    Concise,
    /// One JSON object.
    Json,
}

/// What the formats need besides the report.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What was found.
    pub report: &'a Report,
    /// How a path of the project is written for the reader.
    pub show: &'a dyn Fn(&str) -> String,
    /// Whether colours may be used.
    pub color: bool,
}

/// Writes the report in `format`.
pub fn write(format: Format, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Full => full::write(view, out),
        Format::Concise => concise::write(view, out),
        Format::Json => json::write(view, out),
    }
}
