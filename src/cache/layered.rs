//! Snapshots of which the files are known: those that COPYs and WORKDIRs put on something, down to where a command ran or an
//! image begins.

use super::definition::CopyPart;
use super::digest::Digest;
use super::result::{Held, Made, ResultId, Results, in_tree};
use crate::context::{ContentId, CopySelection, Entry, Tree, go_match, has_wildcards, path, place, select};
use std::sync::Arc;

/// How many layers are put on each other, and how deep `COPY --from` of `COPY --from` … is followed.
const MAX_LAYERS: usize = 512;
const MAX_NESTING: usize = 16;

/// What is known of a snapshot's files.
#[derive(Clone, Debug, Default)]
pub(super) struct Layered {
    /// What was put there, over what is at the bottom.
    tree: Tree,
    /// The snapshot below of which nothing is known; `None` where there is none.
    bottom: Option<ResultId>,
    /// Where something was put of which nothing is known.
    opaque: Vec<String>,
    /// Where a file is instead if what is at the bottom has a directory of its name.
    instead: Vec<String>,
}

impl Layered {
    /// Whether something of which nothing is known may be what the path or pattern `wanted` leads to.
    fn is_open(&self, wanted: &str) -> bool {
        let below = |place: &String| {
            wanted.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.opaque.iter().any(|place| may_meet(wanted, place)) || self.instead.iter().any(below)
    }
}

impl Results {
    /// What `selection`, of one source, takes of a snapshot; `None` where its files are not known.
    pub(super) fn known(&self, id: ResultId, selection: &CopySelection) -> Option<Held> {
        let layered = self.layered(id, 0)?;
        let source = selection.sources.first()?;
        if layered.tree.is_empty() && layered.opaque.is_empty() {
            return None;
        }
        let wanted = path::below_root(&source.replacen("/./", "/", usize::from(selection.parents)));
        if layered.is_open(&wanted) {
            return None;
        }
        let pattern = !selection.literal && has_wildcards(&wanted);
        if !pattern && layered.tree.resolve(&wanted, true).as_deref() != Some(wanted.as_str()) {
            return None;
        }
        let nothing =
            || pattern && select::files(&layered.tree, selection, source).is_ok_and(|files| files.is_empty());
        let top = if nothing() { Held::Nothing } else { in_tree(&layered.tree, selection) };
        let Some(bottom) = layered.bottom else { return Some(top) };
        let whole = !pattern && matches!(layered.tree.get(&wanted), Some(Entry::File(_)));
        Some(match (top, self.held(bottom, selection, 0)) {
            (Held::All(top), _) if whole => Held::All(top),
            (Held::Nothing, below) => below,
            (top, Held::Nothing) => top,
            (Held::All(top) | Held::Some(top), Held::All(below) | Held::Some(below)) => {
                Held::All(Digest::combine("layered", &[top, below]))
            }
        })
    }

    /// What a snapshot holds of a single file that a COPY put there and that no command since is presumed to have changed.
    pub(super) fn left_alone(&self, id: ResultId, selection: &CopySelection) -> Option<Held> {
        let source = selection.sources.first()?;
        let wanted = path::below_root(source);
        if selection.parents || (!selection.literal && has_wildcards(&wanted)) {
            return None;
        }
        let mut at = id;
        for _ in 0..MAX_LAYERS {
            if let Some(Made::Run { base, .. }) = self.made(at) {
                at = (*base)?;
                continue;
            }
            let layered = self.layered(at, 0)?;
            if layered.is_open(&wanted) {
                return None;
            }
            match layered.tree.get(&wanted) {
                Some(Entry::File(_)) => return Some(in_tree(&layered.tree, selection)),
                Some(_) => return None,
                None => at = layered.bottom.filter(|bottom| *bottom != at)?,
            }
        }
        None
    }

    /// The files of a snapshot as far as they are known; nothing is computed twice.
    fn layered(&self, id: ResultId, nesting: usize) -> Option<Arc<Layered>> {
        let mut chain = Vec::new();
        let mut at = Some(id);
        let mut layered = loop {
            let Some(here) = at else { break Arc::default() };
            if let Some(known) = self.layered_of(here).and_then(|place| place.get()) {
                break known.clone()?;
            }
            if chain.len() > MAX_LAYERS || nesting > MAX_NESTING {
                return None;
            }
            match self.made(here)? {
                Made::Image { inside: Some(inside), .. } => at = Some(*inside),
                Made::Files(tree) => {
                    break Arc::new(Layered { tree: Tree::clone(tree), ..Layered::default() });
                }
                Made::Mkdir { base, .. } | Made::Copy { base, .. } => {
                    chain.push(here);
                    at = *base;
                }
                Made::Merge { lower, .. } => {
                    chain.push(here);
                    at = Some(*lower);
                }
                _ => break Arc::new(Layered { bottom: Some(here), ..Layered::default() }),
            }
        };
        for here in chain.into_iter().rev() {
            let mut next = Layered::clone(&layered);
            let known = self.put_on(&mut next, here, nesting).then(|| Arc::new(next));
            if let Some(place) = self.layered_of(here) {
                // Another nesting may have been cut short: what is known stays.
                let _ = place.set(known.clone());
            }
            layered = known?;
        }
        Some(layered)
    }

    fn put_on(&self, layered: &mut Layered, id: ResultId, nesting: usize) -> bool {
        match self.made(id) {
            Some(Made::Mkdir { path, owner, .. }) => {
                layered.make_directory(path, *owner);
                true
            }
            Some(Made::Copy { inputs, parts, dest, .. }) => {
                for part in parts.iter() {
                    let Some(input) = inputs.get(part.input) else { return false };
                    self.put(layered, *input, part, dest, nesting);
                }
                true
            }
            Some(Made::Merge { upper, .. }) => match self.layered(*upper, nesting + 1) {
                Some(upper) if upper.bottom.is_none() => {
                    layered.opaque.extend(upper.opaque.iter().cloned());
                    layered.tree.unite("", &upper.tree, "")
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Puts what one part of a copy takes on `layered`; what is not known is noted as such.
    fn put(&self, layered: &mut Layered, input: ResultId, part: &CopyPart, dest: &str, nesting: usize) {
        let folder = path::below_root(dest);
        let single = CopySelection::of(part.selection.sources.first().map_or("", String::as_str));
        let (tree, selection) = match self.made(input) {
            Some(Made::Bytes(digest)) => {
                let name = path::base(&single.sources.concat()).to_owned();
                let content = ContentId::of_bytes(&digest.bytes());
                (
                    Some([(name.as_str(), Entry::file(content, false))].into_iter().collect()),
                    CopySelection::of(&name),
                )
            }
            _ => {
                let source = self.layered(input, nesting + 1);
                let tree = source.filter(|source| source.bottom.is_none() && source.opaque.is_empty());
                (tree.map(|source| source.tree.clone()), part.selection.clone())
            }
        };
        let tree = tree.filter(|_| !part.unpack).map(|tree: Tree| part.changed(&tree));
        let mut next = layered.tree.clone();
        if let Some(tree) = tree
            && place::place(&mut next, &tree, &selection, dest)
        {
            // Where the bottom has a directory of that name, a file lands in it.
            if layered.bottom.is_some()
                && !dest.ends_with('/')
                && matches!(next.get(&folder), Some(Entry::File(_)))
            {
                let name = path::base(selection.sources.first().map_or("", String::as_str));
                layered.instead.push(format!("{folder}/{name}"));
            }
            layered.tree = next;
        } else {
            layered.opaque.push(folder);
        }
    }
}

impl Layered {
    /// Makes a directory and those above it. One that is there stays as it is.
    fn make_directory(&mut self, path: &str, owner: Digest) {
        let path = path::below_root(path);
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for directory in ends.filter_map(|end| path.get(..end)) {
            if self.tree.get(directory).is_none() {
                self.tree.insert(directory, Entry::Directory { mode: marked(0o755, owner) });
            }
        }
    }
}

impl CopyPart {
    /// The files as they arrive: with the owner and mode of the flags.
    fn changed(&self, tree: &Tree) -> Tree {
        if self.plain {
            return tree.clone();
        }
        let change = |entry| match entry {
            Entry::File(mut file) => {
                file.content = file.content.with(&self.flags.bytes());
                Entry::File(file)
            }
            Entry::Directory { mode } => Entry::Directory { mode: marked(mode, self.flags) },
            link => link,
        };
        // Most builds that are asked of take the same files.
        let (first, arrived) = self.arrived.get_or_init(|| (tree.clone(), tree.mapped(change)));
        if first.is_same(tree) { arrived.clone() } else { tree.mapped(change) }
    }
}

/// A mode that stands for an owner too, in the bits that no mode has.
fn marked(mode: u32, owner: Digest) -> u32 {
    let [a, b, c, ..] = owner.bytes();
    (mode & 0o7777) | (u32::from_le_bytes([0, a, b, c]) << 4)
}

/// Whether the path or pattern `wanted` can lead to `place`, to something below it or to a directory above it.
fn may_meet(wanted: &str, place: &str) -> bool {
    let elements =
        |path: &'_ str| path.split('/').filter(|element| !element.is_empty()).map(str::to_owned).collect();
    let (wanted, place): (Vec<String>, Vec<String>) = (elements(wanted), elements(place));
    wanted
        .iter()
        .zip(&place)
        .all(|(wanted, place)| wanted == "**" || wanted == place || go_match(wanted, place) != Ok(false))
        || wanted.iter().any(|element| element == "**")
}
