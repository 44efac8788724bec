//! Reading one file, whatever it is.

use super::{
    Build, Files, ReadError, System, bake, ci, compose, devcontainer, just, make, package, shell, skaffold,
    task,
};

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
        System::Devcontainer => devcontainer::read(path, text, files),
        System::Just => Ok(just::read(path, text, files)),
        System::PackageJson => package::read(path, text, files),
        System::Skaffold => skaffold::read(path, text, files),
        System::Task => task::read(path, text, files),
        System::Make => Ok(make::read(path, text, files)),
        System::Shell => Ok(shell::read(path, text, files)),
        _ => ci::read(system, path, text, files),
    }
}
