//! Reading one file, whatever it is.

use super::{
    Build, Files, ReadError, System, bake, ci, compose, devcontainer, just, make, package, shell, skaffold,
    task,
};
use crate::dockerfile;

/// The builds that a file of this kind starts; none in the template of such a file.
///
/// # Errors
/// Where the file does not parse.
pub fn read<'f>(
    system: System,
    path: &str,
    text: &'f str,
    files: Files<'f>,
) -> Result<Vec<Build>, ReadError> {
    let builds = match system {
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
    };
    match builds {
        Err(_) if is_template(text) => Ok(Vec::new()),
        builds => builds,
    }
}

/// Whether a text that does not parse is the template of one that may: a line begins as the tags of Jinja, Mustache, Go's
/// templates and ERB do.
fn is_template(text: &str) -> bool {
    let begins = |line: &str| dockerfile::TEMPLATE_TAGS.iter().any(|tag| line.trim_start().starts_with(tag));
    text.lines().any(begins)
}
