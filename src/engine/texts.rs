//! The files that a reader of builds asks for, read when they are asked for and kept while it reads.

use crate::project::Project;
use crate::source::SourceFile;
use rustc_hash::FxHasher;
use std::cell::{Cell, OnceCell};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Lists among which the files are spread.
const LISTS: usize = 64;
/// Paths that one reader may ask for; it asks for places where a Dockerfile might be too.
const MAX_PATHS: usize = 16_384;

/// Texts that live as long as this does: a reader borrows from all of them.
pub(super) struct Texts<'p> {
    project: &'p Project,
    lists: [List; LISTS],
    count: Cell<usize>,
}

/// What was asked for, in order. It only grows, so that what it lends stays.
type List = OnceCell<Box<Asked>>;

struct Asked {
    path: String,
    file: Option<Arc<SourceFile>>,
    next: List,
}

impl<'p> Texts<'p> {
    /// Nothing is read yet.
    pub(super) fn new(project: &'p Project) -> Self {
        Self { project, lists: [const { OnceCell::new() }; LISTS], count: Cell::new(0) }
    }

    /// The text of a file of the project.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        let mut hasher = FxHasher::default();
        path.hash(&mut hasher);
        let mut list = self.lists.get(usize::try_from(hasher.finish() >> 58).unwrap_or(0))?;
        loop {
            let asked = match list.get() {
                Some(asked) => asked,
                None if self.count.get() >= MAX_PATHS => return None,
                None => {
                    self.count.set(self.count.get() + 1);
                    let file = self.project.text(path);
                    list.get_or_init(|| {
                        Box::new(Asked { path: path.to_owned(), file, next: OnceCell::new() })
                    })
                }
            };
            if asked.path == path {
                return asked.file.as_ref().map(|file| &*file.text);
            }
            list = &asked.next;
        }
    }
}
