//! Graphviz: <https://graphviz.org/doc/info/lang.html>.

use super::{label, short};
use crate::engine::{EdgeKind, NodeKind, StageGraph, StageNode};
use crate::report::color::plain;
use std::io::{self, Write};

pub(super) fn write(graph: &StageGraph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph {} {{", quoted(&graph.dockerfile))?;
    writeln!(out, "  rankdir=LR;\n  node [fontname=\"monospace\", fontsize=10];\n  edge [fontsize=9];")?;
    for node in &graph.nodes {
        let mut attributes = format!("label={}", text(node));
        attributes.push_str(match node.kind {
            NodeKind::Stage => ", shape=box",
            NodeKind::Context | NodeKind::NamedContext => ", shape=folder",
            NodeKind::Image => ", shape=cylinder",
            NodeKind::Remote => ", shape=note",
        });
        if node.id == graph.target {
            attributes.push_str(", penwidth=2");
        }
        if !node.needed {
            attributes.push_str(", style=dashed, fontcolor=gray, color=gray");
        }
        writeln!(out, "  {} [{attributes}];", quoted(&node.id))?;
    }
    for edge in &graph.edges {
        let style = if edge.kind == EdgeKind::From { "style=bold" } else { "style=dashed" };
        let label = label(edge);
        let label = if label.is_empty() { String::new() } else { format!(", label={}", quoted(&label)) };
        writeln!(out, "  {} -> {} [{style}{label}];", quoted(&edge.from), quoted(&edge.to))?;
    }
    writeln!(out, "}}")
}

/// A label with its lines at the left: `\l` ends a line so.
fn text(node: &StageNode) -> String {
    if node.steps.is_empty() {
        return quoted(&plain(&node.name));
    }
    let mut text = format!("\"{}\\l", escaped(&plain(&node.name)));
    for step in &node.steps {
        text.push_str(&format!("{:>4}  {}\\l", step.line, escaped(&short(&plain(&step.text), 60))));
    }
    text + "\""
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// `\` begins an escape in a label, and `"` ends it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
