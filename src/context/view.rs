//! A build context as a build sees it, and as it would be after a change.

use super::directory::{Directory, Node};
use super::ignore::{Above, Ignore};
use super::path;
use super::pattern::slashes;
use super::tree::{Entry, Tree};
use std::sync::Arc;

/// The files of a context, its ignore file, and what is left when the one is applied to the other.
#[derive(Clone, Debug)]
pub struct Context {
    tree: Tree,
    ignore: Arc<Ignore>,
    visible: Tree,
}

/// What a pattern does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Entries that it matches by itself, whether or not another pattern has its way.
    pub matches: usize,
    /// Entries whose fate it decides: it is the one that [`super::Decision::pattern`] names.
    pub decides: usize,
    /// The first of those.
    pub example: Option<String>,
}

/// A change to one path of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file's bytes become others.
    Edit(String),
    /// A new entry, or another in its place.
    Write(String, Entry),
    /// The entry goes, with all below it.
    Remove(String),
    /// The mode becomes another.
    Chmod(String, u32),
    /// The entry moves, with all below it.
    Rename(String, String),
}

impl Context {
    /// A context of `tree` under `ignore`.
    #[must_use]
    pub fn new(tree: Tree, ignore: Ignore) -> Self {
        let visible = visible(&tree, &ignore);
        Self { tree, ignore: Arc::new(ignore), visible }
    }

    /// All files, ignored ones too.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The ignore file.
    #[must_use]
    pub fn ignore(&self) -> &Ignore {
        &self.ignore
    }

    /// What the builder is sent: the files that are not ignored, and the directories above them.
    #[must_use]
    pub fn visible(&self) -> &Tree {
        &self.visible
    }

    /// The context after `changes`, in order. A change of a path that does not exist changes nothing.
    #[must_use]
    pub fn changed(&self, changes: &[Change]) -> Self {
        let mut next = self.clone();
        let mut filter_again = false;
        for change in changes {
            match change {
                Change::Edit(path) => {
                    next.tree.edit(path);
                    next.visible.edit(path);
                }
                Change::Chmod(path, mode) => {
                    next.tree.chmod(path, *mode);
                    next.visible.chmod(path, *mode);
                }
                Change::Write(path, entry) => {
                    // Replacing an entry by one of its kind cannot show or hide another.
                    let same_kind = next
                        .tree
                        .get(path)
                        .is_some_and(|old| std::mem::discriminant(&old) == std::mem::discriminant(entry));
                    next.tree.insert(path, entry.clone());
                    if same_kind && next.visible.get(path).is_some() {
                        next.visible.insert(path, entry.clone());
                    }
                    filter_again |= !same_kind;
                }
                Change::Remove(path) => filter_again |= next.tree.remove(path),
                Change::Rename(from, to) => filter_again |= next.tree.rename(from, to),
            }
        }
        if filter_again {
            next.visible = visible(&next.tree, &next.ignore);
        }
        next
    }

    /// Whether the build sees `path`; links on the way are not followed.
    #[must_use]
    pub fn sees(&self, path: &str) -> bool {
        self.visible.get(&path::below_root(path)).is_some()
    }

    /// What each pattern of the ignore file does to the tree's entries, in the order of the patterns. Entries below an
    /// ignored directory count only where a negation reaches into it; they would tell nothing new.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        let mut usage = vec![Usage::default(); self.ignore.patterns.len()];
        self.use_in(&self.tree.root, None, &mut String::new(), &mut usage);
        usage
    }

    fn use_in(&self, directory: &Directory, above: Option<&Above>, path: &mut String, usage: &mut [Usage]) {
        let len = path.len();
        for (name, node) in &directory.children {
            if len > 0 {
                path.push('/');
            }
            path.push_str(name);
            let (decision, own) = self.ignore.decide_below(above, path);
            let slashes = slashes(path);
            for (entry, usage) in self.ignore.patterns.iter().zip(usage.iter_mut()) {
                usage.matches += usize::from(entry.pattern.matches_at(path, slashes));
            }
            if let Some(usage) = decision.pattern.and_then(|index| usage.get_mut(index)) {
                usage.decides += 1;
                usage.example.get_or_insert_with(|| path.clone());
            }
            if let Node::Directory(inner) = node
                && self.ignore.enters(&decision, path)
            {
                self.use_in(inner, Some(&own), path, usage);
            }
            path.truncate(len);
        }
    }

    /// The same files under another ignore file.
    #[must_use]
    pub fn with_ignore(&self, ignore: Ignore) -> Self {
        Self::new(self.tree.clone(), ignore)
    }
}

/// What is left of `tree`: entries that are not ignored, and ignored directories with such entries below them
/// (fsutil, filter.go: `Walk`). Directories that lose nothing are shared.
fn visible(tree: &Tree, ignore: &Ignore) -> Tree {
    if ignore.patterns.is_empty() {
        return tree.clone();
    }
    let children = kept(&tree.root, ignore, None, &mut String::new());
    match children {
        Some(children) => Tree { root: Arc::new(Directory::new(tree.root.mode, children)) },
        None => tree.clone(),
    }
}

/// What is left in a directory; `None` for everything.
fn kept(
    directory: &Directory,
    ignore: &Ignore,
    above: Option<&Above>,
    path: &mut String,
) -> Option<Vec<(Arc<str>, Node)>> {
    let mut left = Vec::new();
    let mut lost = false;
    let len = path.len();
    for (name, node) in &directory.children {
        if len > 0 {
            path.push('/');
        }
        path.push_str(name);
        let (decision, own) = ignore.decide_below(above, path);
        match node {
            Node::Directory(inner) if ignore.enters(&decision, path) => {
                let children = kept(inner, ignore, Some(&own), path);
                let remains = children.as_ref().map_or(inner.children.len(), Vec::len);
                if decision.ignored && remains == 0 {
                    lost = true;
                } else if let Some(children) = children {
                    let inner = Directory::new(inner.mode, children);
                    left.push((Arc::clone(name), Node::Directory(Arc::new(inner))));
                    lost = true;
                } else {
                    left.push((Arc::clone(name), node.clone()));
                }
            }
            _ if decision.ignored => lost = true,
            _ => left.push((Arc::clone(name), node.clone())),
        }
        path.truncate(len);
    }
    lost.then_some(left)
}

#[cfg(test)]
mod tests {
    use super::super::digest::ContentId;
    use super::*;

    fn context(ignore: &str) -> Context {
        let files = ["a.txt", "logs/x.log", "logs/keep.log", "logs/old/y.log", "docs/r.md", "src/m.c"];
        let mut tree: Tree = files
            .iter()
            .map(|path| (*path, Entry::file(ContentId::of_bytes(path.as_bytes()), false)))
            .collect();
        tree.insert("logs/empty", Entry::Directory { mode: 0o755 });
        Context::new(tree, Ignore::parse(ignore))
    }

    #[test]
    fn ignored_directories_show_only_above_what_is_taken_back() {
        let visible = |ignore: &str| {
            let mut paths = Vec::new();
            context(ignore).visible().walk("", |path, _| {
                paths.push(path.to_owned());
                true
            });
            paths
        };
        assert_eq!(visible("*\n!logs/keep.log"), ["logs", "logs/keep.log"]);
        assert_eq!(visible("logs\ndocs"), ["a.txt", "src", "src/m.c"]);
        assert_eq!(visible("**/*.*"), ["docs", "logs", "logs/empty", "logs/old", "src"]);
        assert_eq!(visible("*\n!**/y.log"), ["logs", "logs/old", "logs/old/y.log"]);
    }

    #[test]
    fn patterns_without_use_are_known() {
        let usage = context("logs\n*.md\n!logs/keep.log\nDocs\n!a.txt\n**/*.c\n").usage();
        let counts: Vec<_> = usage.iter().map(|usage| (usage.matches, usage.decides)).collect();
        // `*.md` and `Docs` match nothing, `!a.txt` matches what nothing ignores.
        assert_eq!(counts, [(1, 4), (0, 0), (1, 1), (0, 0), (1, 0), (1, 1)]);
        assert_eq!(usage[2].example.as_deref(), Some("logs/keep.log"));
    }

    #[test]
    fn a_change_of_ignored_files_changes_nothing_visible() {
        let context = context("logs\n!logs/keep.log\n");
        let same = |change: Change| context.changed(&[change]).visible() == context.visible();
        let new = || Entry::file(ContentId::of_bytes(b"new"), false);
        assert!(same(Change::Edit("logs/x.log".into())));
        assert!(!same(Change::Edit("logs/keep.log".into())));
        assert!(
            same(Change::Write("logs/new".into(), new())) && !same(Change::Write("src/new".into(), new()))
        );
        assert!(same(Change::Remove("logs/x.log".into())) && !same(Change::Remove("logs/keep.log".into())));
        assert!(same(Change::Rename("logs/x.log".into(), "logs/z.log".into())));
        assert!(same(Change::Edit("missing".into())));
        let gone = context.changed(&[Change::Remove("logs/keep.log".into())]);
        assert!(!gone.sees("logs") && gone.sees("./src/m.c"));
    }
}
