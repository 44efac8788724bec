//! Reading one file, whatever it is.

use super::{Build, Files, ReadError, System, bake, ci, compose, shell};

/// The builds that a file of this kind starts.
///
/// # Errors
/// Where the file does not parse.
pub fn read<'f>(
    system: System,
    path: &str,
    text: &'f str,
    files: Files<'f>,
) -> Result<Vec<Build>, ReadError> {
    match system {
        System::Bake => bake::read(path, text, files),
        System::Compose => compose::read(path, text, files),
        System::Shell => Ok(shell::read(path, text, files)),
        _ => ci::read(system, path, text, files),
    }
}
