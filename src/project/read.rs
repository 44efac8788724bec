//! Reading files that may be anything.

use crate::source::MAX_FILE_BYTES;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Why a file's text cannot be had; the text is what people read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing is there, or no longer.
    #[error("does not exist")]
    Missing,
    /// A directory.
    #[error("is a directory")]
    Directory,
    /// A device, a pipe or a socket: reading it might never end.
    #[error("is not a regular file")]
    Special,
    /// Over [`MAX_FILE_BYTES`].
    #[error("is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge,
    /// Not text; the first byte that is none, counted from 0.
    #[error("is not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// What the operating system says.
    #[error("cannot be read: {0}")]
    Io(String),
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing,
            ErrorKind::IsADirectory => Self::Directory,
            ErrorKind::PermissionDenied => Self::Io("permission denied".into()),
            _ => Self::Io(error.to_string()),
        }
    }
}

/// The text of the file at `path`; links are followed.
///
/// # Errors
///
/// [`ReadError`]; nothing but a regular file is opened, so that no pipe can block.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    utf8(read_bytes(path)?)
}

/// As [`read_text`], for a path that was seen to be a regular file.
pub(super) fn read_regular(path: &Path) -> Result<String, ReadError> {
    utf8(open(path)?)
}

fn utf8(bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8(error.utf8_error().valid_up_to()))
}

/// The bytes of the file at `path`; links are followed.
///
/// # Errors
///
/// As [`read_text`].
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    read_known(path, &fs::metadata(path)?)
}

/// As [`read_bytes`], for a file whose metadata is at hand.
pub(super) fn read_known(path: &Path, metadata: &fs::Metadata) -> Result<Vec<u8>, ReadError> {
    regular(metadata)?;
    open(path)
}

fn open(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = File::open(path)?;
    // What was opened may be another by now.
    let metadata = file.metadata()?;
    regular(&metadata)?;
    if metadata.len() > MAX_FILE_BYTES as u64 {
        return Err(ReadError::TooLarge);
    }
    let size = usize::try_from(metadata.len()).unwrap_or(0);
    let mut bytes = vec![0; size + 1];
    let read = match (&file).read(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::Interrupted => 0,
        read => read?,
    };
    bytes.truncate(read);
    // A regular file gives less than was asked for at its end; one that is another by now, or that does not know its size,
    // is read until it says so.
    if read != size || size == 0 {
        file.take((MAX_FILE_BYTES + 1).saturating_sub(read) as u64).read_to_end(&mut bytes)?;
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

fn regular(metadata: &fs::Metadata) -> Result<(), ReadError> {
    match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(ReadError::Directory),
        _ => Err(ReadError::Special),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_to_their_end() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!(read_text(&own).unwrap(), fs::read_to_string(own).unwrap());
        // What the kernel makes up while it is read says that it has no size.
        let status = Path::new("/proc/self/status");
        if status.exists() {
            assert_eq!(fs::metadata(status).unwrap().len(), 0);
            assert!(read_text(status).unwrap().starts_with("Name:"));
        }
    }
}
