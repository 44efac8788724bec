//! The contexts of a project, listed when first asked for and once only.

use super::history::History;
use super::listing::{self, MAX_ENTRIES, Unknown};
use super::mentions::Mentions;
use super::read::{ReadError, read_text};
use crate::context::{Context, Digest, Entry, Ignore, Tree};
use crate::source::SourceFile;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where the files of contexts come from.
#[derive(Clone, Debug, Default)]
pub enum Files {
    /// From nowhere: no context is known.
    #[default]
    None,
    /// From the work tree below this directory.
    Disk(PathBuf),
    /// From a tree at hand, which is that of the project's root.
    Tree(Tree),
}

/// Directory and digest of the ignore file's text: what a listing depends on.
type Key = (String, Digest);

type Slot = Arc<OnceLock<Result<Arc<Context>, Unknown>>>;

/// The listings made so far, shared by all states of a project (with and without unsaved texts).
#[derive(Debug, Default)]
pub struct Contexts {
    files: Files,
    listed: Mutex<HashMap<Key, Slot>>,
    real_root: OnceLock<Option<PathBuf>>,
    mentions: Mentions,
    history: OnceLock<Option<Arc<History>>>,
}

impl Contexts {
    /// Contexts that come from `files`.
    #[must_use]
    pub fn new(files: Files) -> Self {
        Self { files, ..Self::default() }
    }

    /// Where they come from.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The context at `directory` (clean, relative to the root) under an ignore file's text.
    ///
    /// # Errors
    ///
    /// Why it is unknown.
    pub fn get(&self, directory: &str, ignore: &str) -> Result<Arc<Context>, Unknown> {
        let key = (directory.to_owned(), Digest::of("ignore", &[ignore.as_bytes()]));
        let slot = {
            let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(listed.entry(key).or_default())
        };
        slot.get_or_init(|| self.list(directory, ignore)).clone()
    }

    /// For each of `texts` the first of `files` (relative to the root) in which it stands.
    #[must_use]
    pub fn mentions(&self, files: &[String], texts: &[String]) -> Vec<Option<usize>> {
        self.mentions.find(self, files, texts)
    }

    /// What the last commits changed, asked once; `None` where there is no repository.
    #[must_use]
    pub fn history(&self) -> Option<Arc<History>> {
        let ask = || match &self.files {
            Files::Disk(root) => History::of(root).map(Arc::new),
            Files::None | Files::Tree(_) => None,
        };
        self.history.get_or_init(ask).clone()
    }

    /// Whether something stands at `path` (clean, relative to the root), a link included.
    #[must_use]
    pub fn may_have(&self, path: &str) -> bool {
        match &self.files {
            Files::None => false,
            Files::Tree(tree) => tree.get(path).is_some(),
            Files::Disk(root) => fs::symlink_metadata(root.join(path)).is_ok(),
        }
    }

    fn list(&self, directory: &str, ignore: &str) -> Result<Arc<Context>, Unknown> {
        let ignore = Ignore::parse(ignore);
        if let Some(error) = ignore.errors.first() {
            return Err(format!("line {} of its ignore file is broken: {}", error.line, error.reason).into());
        }
        let tree = match &self.files {
            Files::None => return Err("its files are not at hand".into()),
            Files::Tree(tree) => tree.subtree(directory).ok_or_else(missing)?,
            Files::Disk(root) => listing::list(&self.inside(root, directory)?, &ignore, MAX_ENTRIES)?,
        };
        Ok(Arc::new(Context::new(tree, ignore)))
    }

    /// The text of the file at `path`; `None` where there is no file.
    ///
    /// # Errors
    ///
    /// Why a file that is there cannot be read.
    pub fn text(&self, path: &str) -> Result<Option<Arc<SourceFile>>, ReadError> {
        let text = match &self.files {
            Files::None => return Ok(None),
            Files::Tree(tree) => match tree.get(path) {
                Some(Entry::File(file)) => file.text.map(|text| text.to_string()),
                _ => None,
            },
            Files::Disk(root) => {
                let place = root.join(path);
                // Most of what is asked for is not there, and that is told soonest.
                if fs::symlink_metadata(&place).is_err() || !self.is_inside(&place) {
                    return Ok(None);
                }
                match read_text(&place) {
                    Ok(text) => Some(text),
                    Err(ReadError::Missing | ReadError::Directory) => None,
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(text.map(|text| Arc::new(SourceFile::new(path, text))))
    }

    /// Whether a path, behind its links, is in the project.
    fn is_inside(&self, path: &Path) -> bool {
        match (fs::canonicalize(path), self.real_root()) {
            (Ok(path), Some(root)) => path.starts_with(root),
            _ => false,
        }
    }

    /// The root behind its links.
    fn real_root(&self) -> Option<&Path> {
        let Files::Disk(root) = &self.files else { return None };
        self.real_root.get_or_init(|| fs::canonicalize(root).ok()).as_deref()
    }

    /// The directory on the disk, unless it, or a link on the way, leads out of the root.
    fn inside(&self, root: &Path, directory: &str) -> Result<PathBuf, Unknown> {
        if directory.split('/').any(|part| part == "..") {
            return Err("it is outside the project".into());
        }
        let path = fs::canonicalize(root.join(directory)).map_err(|_| missing())?;
        match (self.real_root().is_some_and(|root| path.starts_with(root)), path.is_dir()) {
            (true, true) => Ok(path),
            (true, false) => Err(missing()),
            (false, _) => Err("it is outside the project".into()),
        }
    }

    /// The context with its files' bytes read, where they come from the disk.
    #[must_use]
    pub fn hashed(&self, directory: &str, context: &Context) -> Context {
        match &self.files {
            Files::Disk(root) => listing::hashed(&root.join(directory), context),
            Files::None | Files::Tree(_) => context.clone(),
        }
    }
}

fn missing() -> Unknown {
    "there is no such directory".into()
}
