//! A picture that needs no program to draw it.

use super::layout::{LINE, PADDING, places};
use super::{label, short};
use crate::engine::{EdgeKind, NodeKind, StageGraph};
use crate::report::color::plain;
use std::collections::BTreeMap;
use std::io::{self, Write};

pub(super) fn write(graph: &StageGraph, out: &mut dyn Write) -> io::Result<()> {
    let lines = |node: usize| {
        let Some(node) = graph.nodes.get(node) else { return Vec::new() };
        let name = match node.kind {
            NodeKind::Stage => node.name.clone(),
            NodeKind::Context => "the context".to_owned(),
            NodeKind::NamedContext => format!("context {}", node.name),
            NodeKind::Image | NodeKind::Remote => node.name.clone(),
        };
        let steps =
            node.steps.iter().map(|step| format!("{:>3}  {}", step.line, short(&plain(&step.text), 60)));
        std::iter::once(short(&plain(&name), 60)).chain(steps).collect()
    };
    let (places, (width, height)) = places(graph, lines);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, monospace\" font-size=\"12\">"
    )?;
    writeln!(out, "<title>{}</title>", escaped(&graph.dockerfile))?;
    writeln!(
        out,
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#57606a\"/></marker></defs>"
    )?;
    writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>")?;
    let index: BTreeMap<&str, usize> =
        graph.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
    for edge in &graph.edges {
        let (Some(from), Some(to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) else {
            continue;
        };
        let (Some(start), Some(end), Some(taker)) =
            (places.get(*from), places.get(*to), graph.nodes.get(*to))
        else {
            continue;
        };
        // It ends at the first step that takes something.
        let first = edge.lines.first();
        let step = taker.steps.iter().position(|step| Some(&step.line) == first).unwrap_or(0);
        let (x1, y1) = (start.x + start.width, start.y + start.height / 2);
        let (x2, y2) = (end.x, end.y + PADDING + (step + 1) * LINE + LINE / 2);
        let middle = x1.midpoint(x2);
        let style = if edge.kind == EdgeKind::From { "" } else { " stroke-dasharray=\"4 3\"" };
        writeln!(
            out,
            "<path d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#57606a\"{style} \
             marker-end=\"url(#arrow)\"/>"
        )?;
        let label = label(edge);
        if !label.is_empty() {
            let (x, y) = (x2.saturating_sub(12), y2.saturating_sub(4));
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" font-size=\"10\" fill=\"#57606a\">{}</text>",
                escaped(&label)
            )?;
        }
    }
    for (node, place) in graph.nodes.iter().zip(&places) {
        let (ink, paper) = match (node.needed, node.kind) {
            (false, _) => ("#8c959f", "#ffffff"),
            (true, NodeKind::Stage) => ("#1f2328", "#f6f8fa"),
            (true, _) => ("#0550ae", "#ddf4ff"),
        };
        let stroke = if node.id == graph.target { 2 } else { 1 };
        writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{paper}\" stroke=\"{ink}\" \
             stroke-width=\"{stroke}\"/>",
            place.x, place.y, place.width, place.height
        )?;
        for (number, line) in place.lines.iter().enumerate() {
            let (x, y) = (place.x + PADDING, place.y + PADDING + number * LINE + 12);
            let bold = if number == 0 { " font-weight=\"bold\"" } else { "" };
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" fill=\"{ink}\" xml:space=\"preserve\"{bold}>{}</text>",
                escaped(line)
            )?;
        }
    }
    writeln!(out, "</svg>")
}

fn escaped(text: &str) -> String {
    plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
