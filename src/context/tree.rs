//! The files of a context as plain data: a persistent tree, so that a changed copy costs the changed directories only
//! and keeps the digests of all others.

use super::digest::ContentId;
use super::directory::{Branch, Directory, Node};
use super::pattern::Pattern;
use std::sync::Arc;

/// Mode of directories that nobody described: what a checkout under the usual umask has.
pub const DEFAULT_DIRECTORY_MODE: u32 = 0o755;

/// Paths of more elements are not taken; it bounds every recursion over a tree.
const MAX_DEPTH: usize = 256;

/// Longer paths lead nowhere (twice Linux' `PATH_MAX`: a link's text and what follows it).
const MAX_PATH: usize = 8192;

/// Symbolic links followed for one path before BuildKit gives up (cache/contenthash/path.go).
const MAX_LINKS: usize = 255;

/// A regular file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Permission bits, with setuid, setgid and sticky (`0o7777`).
    pub mode: u32,
    /// What it contains.
    pub content: ContentId,
    /// Its text, for the few files that somebody asked to have at hand (manifests).
    pub text: Option<Arc<str>>,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File(File),
    /// A directory; what is in it are entries of their own.
    Directory {
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link.
    Symlink {
        /// The text of the link.
        target: Arc<str>,
    },
}

impl Entry {
    /// A file of mode 0644, or 0755 where `executable`.
    #[must_use]
    pub fn file(content: ContentId, executable: bool) -> Self {
        Self::File(File { mode: if executable { 0o755 } else { 0o644 }, content, text: None })
    }
}

/// The files below a root. Paths are clean, relative, with slashes; the root is the empty path. The root's own mode
/// is in no digest, so it has none.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) root: Arc<Directory>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { root: Arc::new(Directory::new(DEFAULT_DIRECTORY_MODE, Vec::new())) }
    }
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root) || self.root.digest() == other.root.digest()
    }
}

impl<P: AsRef<str>> FromIterator<(P, Entry)> for Tree {
    /// Entries in any order; directories that are not listed get the default mode.
    fn from_iter<I: IntoIterator<Item = (P, Entry)>>(entries: I) -> Self {
        let mut tree = Self::default();
        for (path, entry) in entries {
            tree.insert(path.as_ref(), entry);
        }
        tree
    }
}

impl Tree {
    /// A tree of what is in its root, in any order. What lies more than 256 elements deep is left out.
    #[must_use]
    pub fn of(children: Vec<(Arc<str>, Branch)>) -> Self {
        Self { root: Arc::new(Directory::of(DEFAULT_DIRECTORY_MODE, children, MAX_DEPTH)) }
    }

    /// What is below `path`, as a tree of its own; `None` where there is no directory.
    #[must_use]
    pub fn subtree(&self, path: &str) -> Option<Self> {
        if path.is_empty() {
            return Some(self.clone());
        }
        self.directory(path).map(|root| Self { root: Arc::clone(root) })
    }

    /// The same tree with every entry changed; what is a directory stays one.
    #[must_use]
    pub fn mapped(&self, change: impl Fn(Entry) -> Entry) -> Self {
        Self { root: Arc::new(self.root.mapped(&change)) }
    }

    /// Whether both are one and the same tree, which is told at once; equal ones need not be.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }

    /// Puts `entry` at `path`, with the directories that lead there. A directory that exists keeps what is in it and
    /// gets the new mode; a file in the way is replaced. False for the root and for paths of more than 256 elements.
    pub fn insert(&mut self, path: &str, entry: Entry) -> bool {
        if path.is_empty() || path.bytes().filter(|byte| *byte == b'/').count() >= MAX_DEPTH {
            return false;
        }
        let (parent, name) = split(path);
        self.descend(parent).map(|directory| directory.put(name, entry)).is_some()
    }

    /// Puts what `other` has at `from` and below to `to`: directories are united, anything else replaces what is there.
    /// False where `other` has nothing there.
    pub fn unite(&mut self, to: &str, other: &Self, from: &str) -> bool {
        if from.is_empty() {
            if !to.is_empty() && !matches!(self.node(to), Some(Node::Directory(_))) {
                self.insert(to, Entry::Directory { mode: other.root.mode });
            }
            for (name, _) in &other.root.children {
                self.unite(&super::path::below_root(&format!("{to}/{name}")), other, name);
            }
            return true;
        }
        let Some(node) = other.node(from) else { return false };
        match (self.node(to), node) {
            (Some(Node::Directory(_)), Node::Directory(directory)) => {
                for (name, _) in &directory.children {
                    self.unite(&format!("{to}/{name}"), other, &format!("{from}/{name}"));
                }
                true
            }
            _ if to.is_empty() => match node {
                Node::Directory(directory) => {
                    for (name, _) in &directory.children {
                        self.unite(name, other, &format!("{from}/{name}"));
                    }
                    true
                }
                _ => false,
            },
            _ => {
                self.insert(to, Entry::Symlink { target: "".into() })
                    && self.change(to, |place| *place = node.clone())
            }
        }
    }

    /// Takes away what is at `path` and below. False where nothing is.
    pub fn remove(&mut self, path: &str) -> bool {
        self.take(path).is_some()
    }

    /// Moves what is at `from` and below to `to`. False where nothing is at `from`.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(node) = self.take(from) else { return false };
        self.insert(to, Entry::Symlink { target: "".into() });
        self.change(to, |place| *place = node)
    }

    /// Gives the file at `path` another content. False where no file is.
    pub fn edit(&mut self, path: &str) -> bool {
        self.change_file(path, |file| {
            file.content = file.content.edited();
            file.text = None;
        })
    }

    /// Changes the file at `path`. False where no file is.
    pub fn change_file(&mut self, path: &str, change: impl FnOnce(&mut File)) -> bool {
        if !matches!(self.node(path), Some(Node::File(_))) {
            return false;
        }
        self.change(path, |node| {
            if let Node::File(file) = node {
                change(file);
            }
        })
    }

    /// Sets the mode of the file or directory at `path`. False where there is none, or a link.
    pub fn chmod(&mut self, path: &str, mode: u32) -> bool {
        match self.node(path) {
            None | Some(Node::Symlink(_)) => false,
            Some(_) => self.change(path, |node| match node {
                Node::File(file) => file.mode = mode,
                Node::Directory(directory) => Arc::make_mut(directory).changed().mode = mode,
                Node::Symlink(_) => {}
            }),
        }
    }

    /// What is at `path`; links are not followed.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Entry> {
        if path.is_empty() {
            return Some(Entry::Directory { mode: self.root.mode });
        }
        self.node(path).map(Node::entry)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.children.is_empty()
    }

    /// Calls `visit` with every entry below `path`, parents before what is in them, names in byte order. What `visit`
    /// returns says whether to go into a directory.
    pub fn walk(&self, path: &str, mut visit: impl FnMut(&str, Entry) -> bool) {
        let start = if path.is_empty() { Some(&self.root) } else { self.directory(path) };
        if let Some(directory) = start {
            directory.walk(&mut path.to_owned(), &mut visit);
        }
    }

    /// The paths of all files and links below `path`, itself included, in order.
    #[must_use]
    pub fn files(&self, path: &str) -> Vec<String> {
        let mut files = Vec::new();
        match self.node(path) {
            Some(Node::File(_) | Node::Symlink(_)) => files.push(path.to_owned()),
            _ => self.walk(path, |path, entry| {
                if !matches!(entry, Entry::Directory { .. }) {
                    files.push(path.to_owned());
                }
                true
            }),
        }
        files
    }

    /// The files and links that `pattern` matches, itself or by a directory above them: what `src`, `src/**` or `**/*.rs`
    /// on a command line stand for.
    #[must_use]
    pub fn matching(&self, pattern: &Pattern) -> Vec<String> {
        let mut files = self.files("");
        files.retain(|path| pattern.covers(path));
        files
    }

    /// The names in the directory at `path`, in order; empty where there is no directory.
    #[must_use]
    pub fn names(&self, path: &str) -> Vec<Arc<str>> {
        let directory = if path.is_empty() { Some(&self.root) } else { self.directory(path) };
        directory.map_or_else(Vec::new, |directory| {
            directory.children.iter().map(|(name, _)| Arc::clone(name)).collect()
        })
    }

    /// The path that `path` leads to when the links on the way are followed, the last element's too where
    /// `follow_last`; links cannot leave the tree, and what does not exist is taken as it stands. `None` for a loop.
    #[must_use]
    pub fn resolve(&self, path: &str, follow_last: bool) -> Option<String> {
        let mut at = String::new();
        let mut rest = path.to_owned();
        let mut links = 0;
        while !rest.is_empty() {
            let (part, tail) = match rest.split_once('/') {
                Some((part, tail)) => (part, tail),
                None => (rest.as_str(), ""),
            };
            let next = super::path::below_root(&format!("{at}/{part}"));
            match self.node(&next) {
                Some(Node::Symlink(target)) if follow_last || !tail.is_empty() => {
                    links += 1;
                    if links > MAX_LINKS || target.len() + tail.len() > MAX_PATH {
                        return None;
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    rest = format!("{target}/{tail}");
                }
                _ => {
                    at = next;
                    rest = tail.to_owned();
                }
            }
        }
        Some(at)
    }

    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        let mut directory = &self.root;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let child = directory.child(part)?;
            if parts.peek().is_none() {
                return Some(child);
            }
            match child {
                Node::Directory(inner) => directory = inner,
                _ => return None,
            }
        }
        None
    }

    fn directory(&self, path: &str) -> Option<&Arc<Directory>> {
        match self.node(path) {
            Some(Node::Directory(directory)) => Some(directory),
            _ => None,
        }
    }

    fn take(&mut self, path: &str) -> Option<Node> {
        self.node(path)?;
        let (parent, name) = split(path);
        let directory = self.descend(parent)?;
        let at = directory.find(name).ok()?;
        Some(directory.children.remove(at).1)
    }

    /// Applies `change` to the node at `path`, which has to exist; the directories above it forget their digests.
    fn change(&mut self, path: &str, change: impl FnOnce(&mut Node)) -> bool {
        if self.node(path).is_none() {
            return false;
        }
        let (parent, name) = split(path);
        let Some(directory) = self.descend(parent) else { return false };
        let place = directory.find(name).ok().and_then(|at| directory.children.get_mut(at));
        place.map(|(_, node)| change(node)).is_some()
    }

    /// The directory at `path`, made where it is missing, to be changed.
    fn descend(&mut self, path: &str) -> Option<&mut Directory> {
        let mut directory = Arc::make_mut(&mut self.root).changed();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            directory = directory.enter(part)?;
        }
        Some(directory)
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Entry {
        Entry::file(ContentId::of_bytes(text.as_bytes()), false)
    }

    fn link(target: &str) -> Entry {
        Entry::Symlink { target: target.into() }
    }

    fn sample() -> Tree {
        [("b", file("1")), ("a/x", file("2")), ("a-b", file("3")), ("a/y/z", file("4"))].into_iter().collect()
    }

    #[test]
    fn entries_come_in_the_order_of_a_walk() {
        let mut paths = Vec::new();
        sample().walk("", |path, _| {
            paths.push(path.to_owned());
            true
        });
        assert_eq!(paths, ["a", "a/x", "a/y", "a/y/z", "a-b", "b"]);
        assert_eq!(sample().files("a"), ["a/x", "a/y/z"]);
        assert_eq!(sample().files("b"), ["b"]);
        let matching = |text| sample().matching(&Pattern::new(text).unwrap().unwrap());
        assert_eq!(matching("./a/"), ["a/x", "a/y/z"]);
        assert_eq!(matching("**/z"), ["a/y/z"]);
        assert_eq!(matching("*"), ["a/x", "a/y/z", "a-b", "b"]);
    }

    #[test]
    fn a_changed_copy_leaves_the_original_as_it_was() {
        let tree = sample();
        let mut copy = tree.clone();
        assert!(copy == tree);
        assert!(copy.edit("a/y/z") && !copy.edit("a/y") && !copy.edit("missing"));
        assert!(copy != tree);
        assert_eq!(tree.get("a/y/z"), Some(file("4")));
        let mut back = copy.clone();
        assert!(back.insert("a/y/z", file("4")));
        assert!(back == tree);
    }

    #[test]
    fn every_kind_of_change_is_seen() {
        let tree = sample();
        let changed = |change: fn(&mut Tree) -> bool| {
            let mut copy = tree.clone();
            assert!(change(&mut copy));
            copy != tree
        };
        assert!(changed(|tree| tree.chmod("b", 0o600)));
        assert!(changed(|tree| tree.chmod("a", 0o700)));
        assert!(changed(|tree| tree.remove("a/y")));
        assert!(changed(|tree| tree.rename("a/y", "c")));
        assert!(changed(|tree| tree.insert("a/new", file(""))));
        assert!(changed(|tree| tree.insert("empty", Entry::Directory { mode: 0o755 })));
        assert!(!changed(|tree| tree.chmod("b", 0o644)));
        assert!(!changed(|tree| tree.rename("a/y", "c") && tree.rename("c", "a/y")));
    }

    #[test]
    fn links_are_followed_inside_the_tree() {
        let tree: Tree = [
            ("dir/f", file("1")),
            ("rel", link("dir")),
            ("deep/abs", link("/dir")),
            ("out", link("../../dir/f")),
            ("loop", link("loop")),
            ("dangling", link("nowhere")),
        ]
        .into_iter()
        .collect();
        let resolve = |path, follow| tree.resolve(path, follow);
        assert_eq!(resolve("rel/f", false).as_deref(), Some("dir/f"));
        assert_eq!(resolve("rel", false).as_deref(), Some("rel"));
        assert_eq!(resolve("rel", true).as_deref(), Some("dir"));
        assert_eq!(resolve("deep/abs/f", true).as_deref(), Some("dir/f"));
        assert_eq!(resolve("out", true).as_deref(), Some("dir/f"));
        assert_eq!(resolve("loop", true), None);
        assert_eq!(resolve("dangling/x", true).as_deref(), Some("nowhere/x"));
    }

    #[test]
    fn odd_insertions_are_survived() {
        let mut tree = sample();
        assert!(!tree.insert("", file("")) && !tree.insert(&"x/".repeat(3000), file("")));
        assert!(tree.insert("b/inside", file("")));
        assert_eq!(tree.get("b"), Some(Entry::Directory { mode: 0o755 }));
        assert!(tree.insert("a", file("now a file")) && tree.get("a/x").is_none());
    }
}
