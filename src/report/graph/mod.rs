//! `hitrate graph`: the stages as a drawing, for programs that draw or as a picture.

mod dot;
mod layout;
mod mermaid;
mod svg;

use crate::engine::{EdgeKind, StageEdge, StageGraph};
use serde::Serialize;
use std::io::{self, Write};

/// The formats of `hitrate graph`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GraphFormat {
    /// Graphviz.
    #[default]
    Dot,
    /// A Mermaid flowchart, which GitHub and GitLab draw in Markdown.
    Mermaid,
    /// One JSON object.
    Json,
    /// A picture.
    Svg,
}

/// Writes the graph.
pub fn write_graph(format: GraphFormat, graph: &StageGraph, out: &mut dyn Write) -> io::Result<()> {
    match format {
        GraphFormat::Dot => dot::write(graph, out),
        GraphFormat::Mermaid => mermaid::write(graph, out),
        GraphFormat::Json => json(graph, out),
        GraphFormat::Svg => svg::write(graph, out),
    }
}

fn json(graph: &StageGraph, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        #[serde(flatten)]
        graph: &'a StageGraph,
    }
    serde_json::to_writer_pretty(&mut *out, &Document { version: 1, graph })?;
    writeln!(out)
}

/// What stands at an edge; nothing at one that says itself what it is.
fn label(edge: &StageEdge) -> String {
    let lines: Vec<String> = edge.lines.iter().map(u32::to_string).collect();
    match edge.kind {
        EdgeKind::From => String::new(),
        kind => format!("{} {}", kind.name(), lines.join(", ")),
    }
}

/// A text of at most `max` characters.
fn short(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}
