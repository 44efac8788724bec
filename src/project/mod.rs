//! The only room that touches the disk: discovery, reading, git, the work tree. What it hands on is plain data.

mod simple;

pub use simple::{read, read_text};

use crate::source::SourceFile;
use std::sync::Arc;

/// Everything that is analyzed together.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The Dockerfiles, sorted by path.
    pub dockerfiles: Vec<Arc<SourceFile>>,
    /// The other files that were read (what starts builds, `.dockerignore`), sorted by path.
    pub others: Vec<Arc<SourceFile>>,
    /// What could not be read.
    pub errors: Vec<FileError>,
}

/// A file that could not be analyzed; the others are all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileError {
    /// Its path, as in findings.
    pub path: Arc<str>,
    /// Why, in one line.
    pub message: String,
}

impl Project {
    /// The file of that path, if it was read.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&Arc<SourceFile>> {
        let find = |files: &'_ [Arc<SourceFile>]| files.binary_search_by(|file| (*file.path).cmp(path)).ok();
        let dockerfile = find(&self.dockerfiles).and_then(|i| self.dockerfiles.get(i));
        dockerfile.or_else(|| find(&self.others).and_then(|i| self.others.get(i)))
    }
}
