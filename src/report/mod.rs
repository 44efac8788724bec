//! Output formats, one file each. Nothing else in the program knows how its results are written.

mod color;
mod concise;
mod diff;
mod explain;
mod full;
mod github;
mod gitlab;
mod graph;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod place;
mod plan;
mod plan_json;
mod plan_markdown;
mod rdjson;
mod replay;
mod sarif;
mod statistics;
#[cfg(test)]
mod tests;

pub use color::Color;
pub use diff::unified;
pub use explain::{ExplainFormat, write_explanation};
pub use graph::{GraphFormat, write_graph};
pub use place::Shown;
pub use plan::{PlanFormat, PlanView, write_plan};
pub use replay::write_replay;
pub use statistics::write_statistics;

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
    /// One JSON object a finding, a line each.
    Jsonl,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitLab's code quality report.
    Gitlab,
    /// Reviewdog's diagnostic format.
    Rdjson,
    /// JUnit XML.
    Junit,
    /// A table.
    Markdown,
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
        Format::Jsonl => jsonl::write(view, out),
        Format::Github => github::write(view, out),
        Format::Sarif => sarif::write(view, out),
        Format::Gitlab => gitlab::write(view, out),
        Format::Rdjson => rdjson::write(view, out),
        Format::Junit => junit::write(view, out),
        Format::Markdown => markdown::write(view, out),
    }
}

/// The Markdown that goes into GitHub's step summary beside the annotations.
#[must_use]
pub fn step_summary(view: &View<'_>) -> String {
    markdown::table(view)
}
