//! Where the nodes of the picture stand: a column for everything whose longest way from outside has the same length.

use crate::engine::StageGraph;
use std::collections::BTreeMap;

/// Half pixels of a character, with some air for fonts that are wider than others.
const HALF_CHARACTER: usize = 15;
/// Pixels of a line, of the space in a box, between boxes and between columns.
pub(super) const LINE: usize = 16;
pub(super) const PADDING: usize = 10;
const GAP: usize = 24;
const COLUMN_GAP: usize = 120;

/// A box.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    /// The lines in it; the first is the name.
    pub(super) lines: Vec<String>,
}

/// The places of the nodes, in their order, and the size of the picture.
pub(super) fn places(
    graph: &StageGraph,
    lines: impl Fn(usize) -> Vec<String>,
) -> (Vec<Place>, (usize, usize)) {
    let index: BTreeMap<&str, usize> =
        graph.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
    // Stages take from earlier stages only, but for mistakes, which one pass in file order survives as well.
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for edge in &graph.edges {
        if let (Some(from), Some(to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str()))
            && let Some(list) = before.get_mut(*to)
        {
            list.push(*from);
        }
    }
    let mut depth = vec![0usize; graph.nodes.len()];
    for (node, before) in before.iter().enumerate() {
        let deepest = before.iter().filter_map(|from| depth.get(*from)).max().map_or(0, |depth| depth + 1);
        if let Some(depth) = depth.get_mut(node) {
            *depth = deepest;
        }
    }
    let mut places: Vec<Place> = Vec::with_capacity(depth.len());
    let mut columns: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (node, depth) in depth.iter().enumerate() {
        let lines = lines(node);
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) * HALF_CHARACTER / 2
            + 2 * PADDING;
        let height = lines.len() * LINE + 2 * PADDING;
        let (widest, y) = columns.entry(*depth).or_insert((0, GAP));
        places.push(Place { x: 0, y: *y, width, height, lines });
        *widest = (*widest).max(width);
        *y += height + GAP;
    }
    let mut x = GAP;
    let mut starts: BTreeMap<usize, usize> = BTreeMap::new();
    for (depth, (widest, _)) in &columns {
        starts.insert(*depth, x);
        x += widest + COLUMN_GAP;
    }
    for (place, depth) in places.iter_mut().zip(&depth) {
        place.x = starts.get(depth).copied().unwrap_or(GAP);
    }
    let height = columns.values().map(|(_, y)| *y).max().unwrap_or(GAP);
    (places, ((x + GAP).saturating_sub(COLUMN_GAP), height))
}
