//! The nodes that trees are made of: directories that are shared until they change, with their digests.

use super::digest::Digest;
use super::tree::{DEFAULT_DIRECTORY_MODE, Entry, File};
use std::sync::{Arc, OnceLock};

/// A tree in the making, from the leaves up.
#[derive(Clone, Debug)]
pub enum Branch {
    /// A directory: its mode and what is in it, in any order, names without slashes and unlike each other.
    Directory(u32, Vec<(Arc<str>, Branch)>),
    /// A file.
    File(File),
    /// A link and its text.
    Symlink(Arc<str>),
}

#[derive(Debug)]
pub(super) struct Directory {
    pub(super) mode: u32,
    /// Sorted by name, bytewise.
    pub(super) children: Vec<(Arc<str>, Node)>,
    digest: OnceLock<Digest>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Directory(Arc<Directory>),
    File(File),
    Symlink(Arc<str>),
}

impl Clone for Directory {
    /// A copy is made to be changed, so it forgets the digest.
    fn clone(&self) -> Self {
        Self::new(self.mode, self.children.clone())
    }
}

impl Directory {
    pub(super) fn new(mode: u32, children: Vec<(Arc<str>, Node)>) -> Self {
        Self { mode, children, digest: OnceLock::new() }
    }

    pub(super) fn of(mode: u32, children: Vec<(Arc<str>, Branch)>, depth: usize) -> Self {
        let node = |(name, branch)| {
            let node = match branch {
                Branch::Directory(mode, children) => {
                    Node::Directory(Arc::new(Self::of(mode, children, depth.checked_sub(1)?)))
                }
                Branch::File(file) => Node::File(file),
                Branch::Symlink(target) => Node::Symlink(target),
            };
            Some((name, node))
        };
        let mut children: Vec<(Arc<str>, Node)> = children.into_iter().filter_map(node).collect();
        children.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        children.dedup_by(|a, b| a.0 == b.0);
        Self::new(mode, children)
    }

    /// To be called before a change.
    pub(super) fn changed(&mut self) -> &mut Self {
        self.digest = OnceLock::new();
        self
    }

    pub(super) fn find(&self, name: &str) -> Result<usize, usize> {
        // Listings come in order, so the place is nearly always the end.
        if self.children.last().is_some_and(|(last, _)| &**last < name) {
            return Err(self.children.len());
        }
        self.children.binary_search_by(|(own, _)| (**own).cmp(name))
    }

    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.get(self.find(name).ok()?).map(|(_, node)| node)
    }

    /// The directory `name`, made where it is missing or something else.
    pub(super) fn enter(&mut self, name: &str) -> Option<&mut Self> {
        let empty = || Node::Directory(Arc::new(Self::new(DEFAULT_DIRECTORY_MODE, Vec::new())));
        let at = match self.find(name) {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(at, (name.into(), empty()));
                at
            }
        };
        if let Some((_, node)) = self.children.get_mut(at)
            && !matches!(node, Node::Directory(_))
        {
            *node = empty();
        }
        match self.children.get_mut(at) {
            Some((_, Node::Directory(inner))) => Some(Arc::make_mut(inner).changed()),
            _ => None,
        }
    }

    pub(super) fn put(&mut self, name: &str, entry: Entry) {
        let found = self.find(name);
        let node = match entry {
            Entry::File(file) => Node::File(file),
            Entry::Symlink { target } => Node::Symlink(target),
            Entry::Directory { mode } => match found.ok().and_then(|at| self.children.get_mut(at)) {
                Some((_, Node::Directory(inner))) => {
                    Arc::make_mut(inner).changed().mode = mode;
                    return;
                }
                _ => Node::Directory(Arc::new(Self::new(mode, Vec::new()))),
            },
        };
        match found {
            Ok(at) => {
                if let Some(place) = self.children.get_mut(at) {
                    place.1 = node;
                }
            }
            Err(at) => self.children.insert(at, (name.into(), node)),
        }
    }

    /// The same with every entry changed; what is a directory stays one.
    pub(super) fn mapped(&self, change: &impl Fn(Entry) -> Entry) -> Self {
        let map = |(name, node): &(Arc<str>, Node)| {
            let node = match (change(node.entry()), node) {
                (Entry::Directory { mode }, Node::Directory(inner)) => {
                    Node::Directory(Arc::new(Self { mode, ..inner.mapped(change) }))
                }
                (Entry::Directory { .. }, other) => other.clone(),
                (Entry::File(file), _) => Node::File(file),
                (Entry::Symlink { target }, _) => Node::Symlink(target),
            };
            (Arc::clone(name), node)
        };
        Self::new(self.mode, self.children.iter().map(map).collect())
    }

    pub(super) fn walk(&self, path: &mut String, visit: &mut impl FnMut(&str, Entry) -> bool) {
        let len = path.len();
        for (name, node) in &self.children {
            if len > 0 {
                path.push('/');
            }
            path.push_str(name);
            let enter = visit(path, node.entry());
            if let Node::Directory(inner) = node
                && enter
            {
                inner.walk(path, visit);
            }
            path.truncate(len);
        }
    }

    /// BuildKit's digest of a directory's header alone: its mode (checksum.go, `CacheRecordTypeDirHeader`).
    pub(super) fn header(&self) -> Digest {
        Digest::of("directory", &[&self.mode.to_le_bytes()])
    }

    /// The recursive digest of what is in it, without its header.
    pub(super) fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            let digests: Vec<Digest> = self.children.iter().map(|(_, node)| node.digest()).collect();
            let mut parts: Vec<&[u8]> = Vec::with_capacity(digests.len() * 2);
            for ((name, _), digest) in self.children.iter().zip(&digests) {
                parts.extend([name.as_bytes(), digest.as_bytes()]);
            }
            Digest::of("list", &parts)
        })
    }
}

impl Node {
    pub(super) fn entry(&self) -> Entry {
        match self {
            Self::Directory(directory) => Entry::Directory { mode: directory.mode },
            Self::File(file) => Entry::File(file.clone()),
            Self::Symlink(target) => Entry::Symlink { target: Arc::clone(target) },
        }
    }

    /// BuildKit's digest of an entry with all below it: a directory's is its header and its list (checksum.go,
    /// `checksum`), a link's its text.
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Directory(directory) => {
                Digest::of("tree", &[directory.header().as_bytes(), directory.digest().as_bytes()])
            }
            Self::File(file) => Digest::of("file", &[&file.mode.to_le_bytes(), file.content.as_ref()]),
            Self::Symlink(target) => Digest::of("link", &[target.as_bytes()]),
        }
    }
}
