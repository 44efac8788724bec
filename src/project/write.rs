//! Writing a file whole or not at all.

use super::read::{ReadError, read_bytes};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why a file was not written; it is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Its contents are not those that the new text was made from.
    #[error("changed since it was read")]
    Changed,
    /// It is to be created, and is there.
    #[error("exists already")]
    Exists,
    /// Nobody may write it.
    #[error("is read-only")]
    ReadOnly,
    /// It is a link to a place outside the project.
    #[error("is a link out of the project")]
    Outside,
    /// It can no longer be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the operating system says.
    #[error("cannot be written: {0}")]
    Io(String),
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied => Self::Io("permission denied".into()),
            _ => Self::Io(error.to_string()),
        }
    }
}

/// Replaces the text `before` of the file at `path` by `after`, or creates the file where `before` is `None`: a new file
/// in the same directory, with the same mode, takes the old one's name. Of a link inside `root`, what it points to is
/// replaced.
///
/// # Errors
///
/// [`WriteError`], with nothing changed.
pub fn write_text(root: &Path, path: &Path, before: Option<&str>, after: &str) -> Result<(), WriteError> {
    let Some(before) = before else { return create(path, after) };
    let target = fs::canonicalize(path).map_err(ReadError::from)?;
    if !target.starts_with(fs::canonicalize(root)?) {
        return Err(WriteError::Outside);
    }
    if read_bytes(&target)? != before.as_bytes() {
        return Err(WriteError::Changed);
    }
    let permissions = fs::metadata(&target)?.permissions();
    if permissions.readonly() {
        return Err(WriteError::ReadOnly);
    }
    let temporary = Temporary::new(&target, after)?;
    fs::set_permissions(&temporary.0, permissions)?;
    fs::rename(&temporary.0, &target)?;
    Ok(())
}

/// Adds `text` to the end of the file at `path`, which is created where it is missing. For files that other programs add
/// to as well, such as a CI system's step summary.
///
/// # Errors
///
/// [`WriteError`].
pub fn append_text(path: &Path, text: &str) -> Result<(), WriteError> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A link to the finished file fails where the name is taken, which a rename would not.
fn create(path: &Path, text: &str) -> Result<(), WriteError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(WriteError::Exists);
    }
    let temporary = Temporary::new(path, text)?;
    match fs::hard_link(&temporary.0, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(WriteError::Exists),
        // A file system without hard links.
        Err(_) => Ok(fs::rename(&temporary.0, path)?),
    }
}

/// A file beside another; removed when dropped, unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    fn new(beside: &Path, text: &str) -> Result<Self, WriteError> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = beside.file_name().unwrap_or_default().to_string_lossy();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = beside.with_file_name(format!(".{name}.hitrate-{}-{count}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let temporary = Self(path);
                    file.write_all(text.as_bytes())?;
                    return Ok(temporary);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.0);
    }
}
