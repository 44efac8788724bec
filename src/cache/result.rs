//! What steps produce, as far as it can be told apart without running anything: the content of a path is known where
//! only COPYs and WORKDIRs made it, and is the output of one particular execution where a RUN could have written it.

use super::definition::CopyPart;
use super::digest::Digest;
use super::layered::Layered;
use super::plain::Plain;
use crate::context::{CopySelection, Entry, Tree, path, select};
use std::sync::{Arc, OnceLock};

/// A snapshot: what one execution of one operation left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultId(u32);

/// How far a chain of layers is followed to find what a path holds. Beyond it the content counts as unknown.
const MAX_LAYERS: usize = 512;
/// How deep `COPY --from` of `COPY --from` … is followed.
const MAX_NESTING: usize = 32;

/// What made a snapshot.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// An image with these layers; what it was built from where that is known.
    Image { chain: Digest, inside: Option<ResultId> },
    /// A build context of which the files are known.
    Files(Arc<Tree>),
    /// A build context of which nothing is known but which of its paths were edited.
    UnknownFiles { edits: Arc<[String]>, seed: Digest },
    /// Bytes of known identity, all of them.
    Bytes(Digest),
    /// Something of which only the whole's identity is known (a git checkout at a commit).
    Whole(Digest),
    /// A command's output: what it stands on, the command with the variables that it names, and what it was given by mounts.
    Run { base: Option<ResultId>, command: Digest, taken: Vec<Digest>, plain: Option<Arc<Plain>> },
    /// A directory.
    Mkdir { base: Option<ResultId>, path: String, owner: Digest },
    /// A copy.
    Copy { base: Option<ResultId>, inputs: Vec<ResultId>, parts: Arc<Vec<CopyPart>>, dest: Arc<str> },
    /// One layer on another.
    Merge { lower: ResultId, upper: ResultId },
}

/// What is taken for the content that commands write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Outputs {
    /// Every execution writes something new.
    #[default]
    Differ,
    /// Every execution writes what any other wrote at that path.
    Equal,
    /// Commands are functions: the same text on the same files with the same values of the variables that it names writes
    /// the same. They leave the files alone that were copied before, and plain ones those that they do not name.
    Presumed,
}

/// All snapshots of one world.
#[derive(Clone, Debug, Default)]
pub(super) struct Results {
    made: Vec<Arc<Made>>,
    /// What each snapshot is presumed to hold as a whole; filled for [`Outputs::Presumed`] only.
    presumed: Vec<Digest>,
    /// How outputs are told apart.
    pub(super) outputs: Outputs,
    /// What is known of the files of each, once somebody asked.
    layered: Vec<OnceLock<Option<Arc<Layered>>>>,
}

/// What a selection holds in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing there.
    Nothing,
    /// Content that hides whatever is below.
    All(Digest),
    /// Content that adds to whatever is below.
    Some(Digest),
}

impl Results {
    pub(super) fn add(&mut self, made: Made) -> ResultId {
        self.push(Arc::new(made))
    }

    fn push(&mut self, made: Arc<Made>) -> ResultId {
        if self.outputs == Outputs::Presumed {
            self.presumed.resize(self.made.len(), Digest::NONE);
            let presumed = self.presume(&made);
            self.presumed.push(presumed);
        }
        self.made.push(made);
        self.layered.push(OnceLock::new());
        ResultId(u32::try_from(self.made.len() - 1).unwrap_or(u32::MAX))
    }

    pub(super) fn made(&self, id: ResultId) -> Option<&Made> {
        self.made.get(id.0 as usize).map(|made| &**made)
    }

    pub(super) fn layered_of(&self, id: ResultId) -> Option<&OnceLock<Option<Arc<Layered>>>> {
        self.layered.get(id.0 as usize)
    }

    /// The same snapshots under another assumption.
    pub(super) fn under(&self, outputs: Outputs) -> Self {
        let mut results = Self { outputs, ..Self::default() };
        for made in &self.made {
            results.push(Arc::clone(made));
        }
        results
    }

    /// What a snapshot is presumed to hold as a whole.
    fn presume(&self, made: &Made) -> Digest {
        let of = |id: &ResultId| self.presumed.get(id.0 as usize).copied().unwrap_or_default();
        let base = |base: &Option<ResultId>| base.as_ref().map_or(Digest::NONE, of);
        match made {
            Made::Image { chain, .. } => *chain,
            // A context is never taken whole; what is taken of it is in the copies.
            Made::Files(_) | Made::UnknownFiles { .. } => Digest::NONE,
            Made::Bytes(digest) | Made::Whole(digest) => *digest,
            Made::Run { base: below, command, taken, .. } => {
                Digest::combine("run", &[base(below), *command, Digest::combine("taken", taken)])
            }
            Made::Mkdir { base: below, path, owner } => {
                Digest::combine("mkdir", &[base(below), Digest::of("path", &[path.as_bytes()]), *owner])
            }
            Made::Copy { base: below, inputs, parts, dest } => {
                let mut all = vec![base(below), Digest::of("dest", &[dest.as_bytes()])];
                for part in parts.iter() {
                    let content = inputs.get(part.input).map(|input| self.content(*input, &part.selection));
                    all.extend([content.unwrap_or_default(), part.flags]);
                }
                Digest::combine("copy", &all)
            }
            Made::Merge { lower, upper } => Digest::combine("merge", &[of(lower), of(upper)]),
        }
    }

    /// The snapshots that make up a result, top first.
    pub(super) fn layers(&self, id: ResultId) -> Vec<ResultId> {
        self.layers_above(id, |_| false)
    }

    /// The same without those at and below the ones that `ends` names.
    pub(super) fn layers_above(&self, id: ResultId, ends: impl Fn(ResultId) -> bool) -> Vec<ResultId> {
        let mut layers = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match self.made(id) {
                Some(Made::Merge { lower, upper }) => open.extend([*lower, *upper]),
                Some(_) if ends(id) => {}
                Some(Made::Run { base, .. } | Made::Mkdir { base, .. } | Made::Copy { base, .. }) => {
                    layers.push(id);
                    open.extend(base);
                }
                Some(_) => layers.push(id),
                None => {}
            }
        }
        layers
    }

    /// The digest of what `selection` takes of a snapshot. Equal digests are equal content, in so far as [`Self::outputs`]
    /// is right.
    pub(super) fn content(&self, id: ResultId, selection: &CopySelection) -> Digest {
        // Source by source: what one of them takes is often known where all together are not.
        if selection.sources.len() > 1 {
            let one = |source: &String| CopySelection { sources: vec![source.clone()], ..selection.clone() };
            let parts = selection.sources.iter().map(|source| self.content(id, &one(source)));
            return Digest::combine("sources", &parts.collect::<Vec<_>>());
        }
        let presumed = self.outputs == Outputs::Presumed;
        let left_alone = presumed.then(|| self.left_alone(id, selection)).flatten();
        match left_alone.or_else(|| self.known(id, selection)).unwrap_or_else(|| self.held(id, selection, 0))
        {
            Held::Nothing => Digest::of("nothing", &[]),
            Held::All(digest) | Held::Some(digest) => digest,
        }
    }

    /// An identity for content that only running can tell.
    fn unknown(&self, id: ResultId, selection: &CopySelection) -> Held {
        let sources: Vec<_> = selection.sources.iter().map(String::as_bytes).collect();
        let place = Digest::of("output", &sources);
        Held::All(match self.outputs {
            Outputs::Equal => place,
            Outputs::Differ => Digest::of("output of", &[&id.0.to_le_bytes(), &place.bytes()]),
            Outputs::Presumed => {
                let whole = self.presumed.get(id.0 as usize).copied().unwrap_or_default();
                Digest::combine("presumed", &[whole, place])
            }
        })
    }

    pub(super) fn held(&self, id: ResultId, selection: &CopySelection, nesting: usize) -> Held {
        let mut above: Vec<Digest> = Vec::new();
        let mut at = Some(id);
        let mut seen = 0;
        let bottom = loop {
            let Some(here) = at else { break Held::Nothing };
            seen += 1;
            if seen > MAX_LAYERS || nesting > MAX_NESTING {
                break self.unknown(here, selection);
            }
            let Some(made) = self.made(here) else { break Held::Nothing };
            let held = match made {
                Made::Image { inside: Some(inside), .. } => {
                    at = Some(*inside);
                    continue;
                }
                Made::Image { .. } if self.outputs == Outputs::Equal => break self.unknown(here, selection),
                Made::Image { chain, .. } => break Held::All(of_whole(*chain, selection)),
                Made::Files(tree) => break in_tree(tree, selection),
                Made::UnknownFiles { edits, seed } => break in_unknown(edits, *seed, selection),
                Made::Bytes(digest) => break Held::All(*digest),
                Made::Whole(_) if self.outputs == Outputs::Equal => break self.unknown(here, selection),
                Made::Whole(digest) => break Held::All(of_whole(*digest, selection)),
                Made::Run { base, plain: Some(plain), .. }
                    if self.outputs == Outputs::Presumed && plain.leaves_alone(selection) =>
                {
                    at = *base;
                    continue;
                }
                Made::Run { .. } => break self.unknown(here, selection),
                Made::Mkdir { base, path, owner } => {
                    at = *base;
                    let touched = selection.sources.iter().any(|source| is_below_or_at(path, source));
                    if touched {
                        Held::Some(Digest::of("mkdir", &[path.as_bytes(), &owner.bytes()]))
                    } else {
                        Held::Nothing
                    }
                }
                Made::Copy { base, inputs, parts, dest } => {
                    at = *base;
                    self.copied(inputs, parts, dest, selection, nesting)
                }
                Made::Merge { lower, upper } => {
                    at = Some(*lower);
                    self.held(*upper, selection, nesting + 1)
                }
            };
            match held {
                Held::Nothing => {}
                Held::Some(digest) => above.push(digest),
                Held::All(_) => break held,
            }
        };
        match (above.is_empty(), bottom) {
            (true, bottom) => bottom,
            (false, Held::Nothing) => Held::Some(Digest::combine("layers", &above)),
            (false, Held::All(digest)) => {
                above.push(digest);
                Held::All(Digest::combine("layers", &above))
            }
            (false, Held::Some(digest)) => {
                above.push(digest);
                Held::Some(Digest::combine("layers", &above))
            }
        }
    }

    /// What a copy put where `selection` looks.
    fn copied(
        &self,
        inputs: &[ResultId],
        parts: &[CopyPart],
        dest: &str,
        selection: &CopySelection,
        nesting: usize,
    ) -> Held {
        let mut above: Vec<Digest> = Vec::new();
        for part in parts.iter().rev() {
            let Some(input) = inputs.get(part.input).copied() else { continue };
            match self.copied_part(input, part, parts.len() > 1, dest, selection, nesting) {
                Held::Nothing => {}
                Held::Some(digest) => above.push(Digest::combine("copied", &[digest, part.flags])),
                Held::All(digest) => {
                    above.push(Digest::combine("copied", &[digest, part.flags]));
                    return Held::All(Digest::combine("parts", &above));
                }
            }
        }
        if above.is_empty() { Held::Nothing } else { Held::Some(Digest::combine("parts", &above)) }
    }

    fn copied_part(
        &self,
        input: ResultId,
        part: &CopyPart,
        several: bool,
        dest: &str,
        selection: &CopySelection,
        nesting: usize,
    ) -> Held {
        let whole = |this: &Self| match this.held(input, &part.selection, nesting + 1) {
            Held::All(digest) | Held::Some(digest) => Held::Some(digest),
            Held::Nothing => Held::Nothing,
        };
        let (Some(wanted), Some(source)) = (selection.sources.first(), part.selection.sources.first()) else {
            return Held::Nothing;
        };
        let simple = selection.sources.len() == 1 && !selection.parents && selection.exclude.is_empty();
        let glob = crate::context::has_wildcards(wanted) && !selection.literal;
        let folder = path::clean(dest);
        let related = |wanted: &String| is_below_or_at(&folder, wanted) || is_below_or_at(wanted, &folder);
        if !selection.sources.iter().any(related)
            && !selection.sources.iter().any(|wanted| crate::context::has_wildcards(wanted))
        {
            return Held::Nothing;
        }
        let plain = !part.selection.parents
            && part.selection.exclude.is_empty()
            && !crate::context::has_wildcards(source);
        let Some(Made::Files(tree)) = self.made(input).filter(|_| simple && plain) else {
            return whole(self);
        };
        let wanted = path::clean(&format!("/{wanted}"));
        let Some(place) = tree.resolve(&path::below_root(source), true) else { return whole(self) };
        if glob {
            // A glob below a directory that was copied asks the same of the directory in the context.
            let is_directory = matches!(tree.get(&place), Some(Entry::Directory { .. }));
            let Some(rest) = below(&wanted, &folder).filter(|_| is_directory) else { return whole(self) };
            let inner = path::below_root(&format!("{place}/{rest}"));
            if crate::context::has_wildcards(&place) {
                return whole(self);
            }
            return match in_tree(tree, &CopySelection::of(&inner)) {
                Held::Some(digest) | Held::All(digest) => Held::Some(digest),
                Held::Nothing => Held::Nothing,
            };
        }
        match tree.get(&place) {
            None if !place.is_empty() => Held::Nothing,
            Some(Entry::File(_)) => {
                let inside =
                    format!("{}/{}", folder.trim_end_matches('/'), path::base(&path::below_root(source)));
                let lands = if several || dest.ends_with('/') { inside.as_str() } else { folder.as_str() };
                // Without a slash it lands in a directory of that name, if there is one.
                let may_land_inside = !dest.ends_with('/') && wanted == inside;
                if wanted == lands {
                    match self.held(input, &part.selection, nesting + 1) {
                        Held::Some(digest) | Held::All(digest) => Held::All(digest),
                        Held::Nothing => Held::Nothing,
                    }
                } else if is_below_or_at(lands, &wanted) || may_land_inside {
                    whole(self)
                } else {
                    Held::Nothing
                }
            }
            _ => {
                let Some(rest) = below(&wanted, &folder) else { return whole(self) };
                let inner = format!("{place}/{rest}");
                let inner = path::below_root(&inner);
                match tree.get(&inner) {
                    None if !inner.is_empty() => Held::Nothing,
                    Some(Entry::File(_)) => match in_tree(tree, &CopySelection::of(&inner)) {
                        Held::Some(digest) | Held::All(digest) => Held::All(digest),
                        Held::Nothing => Held::Nothing,
                    },
                    _ => match in_tree(tree, &CopySelection::of(&inner)) {
                        Held::Some(digest) | Held::All(digest) => Held::Some(digest),
                        Held::Nothing => Held::Nothing,
                    },
                }
            }
        }
    }
}

/// Content of something that is told apart only as a whole.
fn of_whole(whole: Digest, selection: &CopySelection) -> Digest {
    let mut parts: Vec<&[u8]> = selection.sources.iter().map(String::as_bytes).collect();
    let bytes = whole.bytes();
    parts.push(&bytes);
    Digest::of("of", &parts)
}

pub(super) fn in_tree(tree: &Tree, selection: &CopySelection) -> Held {
    match select::digest(tree, selection) {
        Ok(digest) => Held::All(Digest::of("files", &[digest.as_bytes()])),
        Err(_) => Held::Nothing,
    }
}

/// A context that was not listed: what a source takes is told apart by the edits that fall into it.
fn in_unknown(edits: &[String], seed: Digest, selection: &CopySelection) -> Held {
    let mut parts: Vec<&[u8]> = selection.sources.iter().map(String::as_bytes).collect();
    let taken: Vec<&[u8]> =
        edits.iter().filter(|edit| takes(selection, edit)).map(|edit| edit.as_bytes()).collect();
    parts.push(b"\0edited");
    parts.extend(taken);
    let seed = seed.bytes();
    parts.push(&seed);
    Held::All(Digest::of("unknown files", &parts))
}

/// Whether a source of `selection` takes the context path `file`, judged by the names alone.
pub(super) fn takes(selection: &CopySelection, file: &str) -> bool {
    Taking::new(selection).takes(&path::below_root(file))
}

/// A selection by its names alone, made ready to be asked often.
#[derive(Debug)]
pub(super) struct Taking {
    /// The sources below the context's root, and whether they are patterns.
    sources: Vec<(String, bool)>,
}

impl Taking {
    pub(super) fn new(selection: &CopySelection) -> Self {
        let source = |source: &String| {
            let source = path::below_root(&source.replacen("/./", "/", usize::from(selection.parents)));
            let pattern = crate::context::has_wildcards(&source) && !selection.literal;
            (source, pattern)
        };
        Self { sources: selection.sources.iter().map(source).collect() }
    }

    /// Whether it takes `file`, a clean path below the context's root.
    pub(super) fn takes(&self, file: &str) -> bool {
        self.sources.iter().any(|(source, pattern)| {
            if *pattern {
                // A match on a directory takes everything below it.
                let parents = file.match_indices('/').filter_map(|(at, _)| file.get(..at));
                return std::iter::once(file)
                    .chain(parents)
                    .any(|candidate| crate::context::go_match(source, candidate).unwrap_or(false));
            }
            source.is_empty() || is_below_or_at(file, source)
        })
    }
}

/// Whether `path` is `other` or below it.
fn is_below_or_at(path: &str, other: &str) -> bool {
    let (path, other) = (path.trim_matches('/'), other.trim_matches('/'));
    other.is_empty()
        || other == "."
        || path == other
        || path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

/// The rest of `path` below `folder`.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder == "/" {
        return path.strip_prefix('/');
    }
    if path == folder {
        return Some("");
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}
