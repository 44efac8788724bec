//! The work tree of a build context, as plain data.

use crate::context::{Above, Branch, ContentId, Context, File, Ignore, Tree};
use rayon::prelude::*;
use std::fs::{self, DirEntry, Metadata};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A context with more entries than this is not looked at.
pub const MAX_ENTRIES: usize = 200_000;

/// A directory this deep is taken as empty, as a [`Tree`] takes it.
const MAX_DEPTH: usize = 256;

/// Why a context is unknown, in one line.
pub type Unknown = Arc<str>;

/// Lists the context at `root` under `ignore`. Nothing is read: contents are stamps (path and length), so that equal
/// files at different paths count as different. What `ignore` leaves out is listed as far as the walk of BuildKit goes:
/// an ignored directory into which no negation reaches is there, and empty.
///
/// # Errors
///
/// The reason, where a directory cannot be read or there are more than `max` entries.
pub(super) fn list(root: &Path, ignore: &Ignore, max: usize) -> Result<Tree, Unknown> {
    let lister = Lister { ignore, count: AtomicUsize::new(0), max };
    let mut path = root.to_path_buf();
    Ok(Tree::of(lister.directory(&mut path, "", None, 0)?))
}

struct Lister<'a> {
    ignore: &'a Ignore,
    count: AtomicUsize,
    max: usize,
}

/// An entry that `read_dir` found: a leaf, or a directory that is still to be entered.
enum Found {
    Leaf(Branch),
    Directory { mode: u32, above: Above },
}

impl Lister<'_> {
    fn directory(
        &self,
        disk: &mut std::path::PathBuf,
        path: &str,
        above: Option<&Above>,
        depth: usize,
    ) -> Result<Vec<(Arc<str>, Branch)>, Unknown> {
        let unreadable = |error: std::io::Error| -> Unknown {
            let place = if path.is_empty() { "the context" } else { path };
            format!("{place} cannot be listed: {error}").into()
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&*disk).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name: Arc<str> = entry.file_name().to_string_lossy().into();
            let below = if path.is_empty() { name.to_string() } else { format!("{path}/{name}") };
            let (decision, own) = self.ignore.decide_below(above, &below);
            // What vanishes while we look was not there.
            let Ok(metadata) = entry.metadata() else { continue };
            let kind = if metadata.is_dir() {
                if !self.ignore.enters(&decision, &below) {
                    Found::Leaf(Branch::Directory(mode(&metadata), Vec::new()))
                } else {
                    Found::Directory { mode: mode(&metadata), above: own }
                }
            } else {
                Found::Leaf(leaf(&entry, &metadata, &below))
            };
            found.push((name, below, kind));
        }
        let count = self.count.fetch_add(found.len(), Ordering::Relaxed) + found.len();
        if count > self.max {
            return Err(format!("it has more than {} entries", self.max).into());
        }
        // Directory streams come in no order; the children are sorted when the tree is made.
        let disk = &*disk;
        let enter = |(name, below, kind): (Arc<str>, String, Found)| match kind {
            Found::Leaf(branch) => Ok((name, branch)),
            Found::Directory { mode, above } => {
                let mut inner = disk.join(&*name);
                let children = if depth < MAX_DEPTH {
                    self.directory(&mut inner, &below, Some(&above), depth + 1)?
                } else {
                    Vec::new()
                };
                Ok((name, Branch::Directory(mode, children)))
            }
        };
        // Below the first levels there is work for all threads already, and recursion without joins needs little stack.
        if depth < 4 {
            found.into_par_iter().map(enter).collect()
        } else {
            found.into_iter().map(enter).collect()
        }
    }
}

fn leaf(entry: &DirEntry, metadata: &Metadata, path: &str) -> Branch {
    if metadata.is_symlink() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        return Branch::Symlink(target.to_string_lossy().into());
    }
    // A pipe or device is a file that never changes.
    let len = if metadata.is_file() { metadata.len() } else { 0 };
    Branch::File(File { mode: mode(metadata), content: ContentId::of_stamp(path, len), text: None })
}

/// The permission bits that BuildKit's client sends.
#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

/// From Windows everything comes as executable (fsutil, stat.go).
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0o755
}

/// The context with its files' real contents, read from the work tree at `root`: what a question about moved files
/// needs. A file that cannot be read keeps its stamp.
#[must_use]
pub(super) fn hashed(root: &Path, context: &Context) -> Context {
    let files = context.visible().files("");
    let hashes: Vec<(String, Option<ContentId>)> = files
        .into_par_iter()
        .map(|path| {
            let disk = root.join(&path);
            let regular = fs::symlink_metadata(&disk).is_ok_and(|metadata| metadata.is_file());
            let content = regular.then(|| hash(&disk)).flatten();
            (path, content)
        })
        .collect();
    let mut tree = context.tree().clone();
    for (path, content) in hashes {
        if let Some(content) = content {
            tree.change_file(&path, |file| file.content = content);
        }
    }
    Context::new(tree, context.ignore().clone())
}

fn hash(path: &Path) -> Option<ContentId> {
    ContentId::of_reader(fs::File::open(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_entries_are_said_and_ignored_ones_do_not_count() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["a", "b"] {
            fs::create_dir(root.path().join(directory)).unwrap();
            for name in 0..10 {
                fs::write(root.path().join(directory).join(name.to_string()), "").unwrap();
            }
        }
        assert!(list(root.path(), &Ignore::default(), 22).is_ok());
        let error = list(root.path(), &Ignore::default(), 21).unwrap_err();
        assert_eq!(&*error, "it has more than 21 entries");
        assert!(list(root.path(), &Ignore::parse("b"), 12).is_ok());
    }

    #[test]
    fn a_deep_tree_is_survived() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("d/".repeat(300));
        fs::create_dir_all(&deep).unwrap();
        let tree = list(root.path(), &Ignore::default(), 1000).unwrap();
        let mut count = 0;
        tree.walk("", |_, _| {
            count += 1;
            true
        });
        assert!(count > 200);
    }
}
