//! Mermaid's flowcharts: <https://mermaid.js.org/syntax/flowchart.html>.

use super::{label, short};
use crate::engine::{EdgeKind, NodeKind, StageGraph};
use crate::report::color::plain;
use std::io::{self, Write};

pub(super) fn write(graph: &StageGraph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for node in &graph.nodes {
        let mut text = escaped(&node.name);
        for step in &node.steps {
            text.push_str(&format!("<br/>{} {}", step.line, escaped(&short(&step.text, 60))));
        }
        let (open, close) = match node.kind {
            NodeKind::Stage => ("[", "]"),
            NodeKind::Context | NodeKind::NamedContext => ("[/", "/]"),
            NodeKind::Image => ("[(", ")]"),
            NodeKind::Remote => (">", "]"),
        };
        writeln!(out, "  {}{open}\"{text}\"{close}", node.id)?;
    }
    for edge in &graph.edges {
        let label = label(edge);
        let label = if label.is_empty() { String::new() } else { format!("|\"{label}\"|") };
        let arrow = if edge.kind == EdgeKind::From { "==>" } else { "-.->" };
        writeln!(out, "  {} {arrow}{label} {}", edge.from, edge.to)?;
    }
    writeln!(out, "  style {} stroke-width:3px", graph.target)?;
    for node in graph.nodes.iter().filter(|node| !node.needed) {
        writeln!(out, "  style {} stroke-dasharray:4,color:gray", node.id)?;
    }
    Ok(())
}

/// Text for a quoted label: everything that means something there, or in Markdown, as an entity.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '*' | '_' | '\\' | ';' => {
                out.push_str(&format!("#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}
