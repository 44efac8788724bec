//! What is analyzed together: the files below some paths, and the configuration that holds for them. The command line
//! and the language server open it in the same way.

use crate::project::{self, Configuration, Found, Project};
use crate::rules;
use crate::settings::{ConfigError, ConfigFile, Flags, Settings};
use std::path::{Path, PathBuf};

/// What was found and read.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The directory that the project's paths are relative to.
    pub root: PathBuf,
    /// The files.
    pub project: Project,
    /// The configuration, without the files in [`Self::broken`].
    pub settings: Settings,
    /// The configuration files that cannot be used; their paths are the project's.
    pub broken: Vec<ConfigError>,
}

/// What to open.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The directory that the project's paths are relative to: [`project::root_for`].
    pub root: &'a Path,
    /// The files and directories to look at, absolute.
    pub paths: &'a [PathBuf],
    /// Whether files are looked for there. Without it the configuration is found all the same.
    pub search: bool,
    /// This configuration instead of the files that are found.
    pub config: Option<&'a Configuration>,
    /// The last layer of the settings.
    pub flags: &'a Flags,
}

impl Workspace {
    /// Finds and reads.
    #[must_use]
    pub fn open(request: &Request<'_>) -> Self {
        Self::open_with(request, |found| found)
    }

    /// [`Workspace::open`] with other texts for some configuration files.
    #[must_use]
    pub fn open_with(
        request: &Request<'_>,
        configured: impl FnOnce(Vec<Configuration>) -> Vec<Configuration>,
    ) -> Self {
        let Request { root, paths, flags, .. } = *request;
        let mut found = if request.search { project::discover(root, paths) } else { Found::default() };
        let files = match request.config {
            Some(config) => vec![config.clone()],
            None => configured(project::configurations(root, paths, &found)),
        };
        let (settings, broken) = settings(files, flags);
        let mut around = project::discover_around(root, paths);
        let own =
            |list: &mut Found| list.files.retain(|file| file.explicit || !settings.excludes(&file.path));
        own(&mut found);
        own(&mut around);
        // What was found is not read twice.
        around.files.retain(|file| found.files.binary_search_by(|own| own.path.cmp(&file.path)).is_err());
        let project = project::load(root, found).surrounded(project::load(root, around));
        Self { root: root.to_path_buf(), project, settings, broken }
    }
}

/// The settings that the usable ones of `files` make, and what is wrong with the others.
fn settings(files: Vec<Configuration>, flags: &Flags) -> (Settings, Vec<ConfigError>) {
    let selectors: Vec<&str> = rules::selectors().collect();
    let mut broken = Vec::new();
    let mut usable = Vec::new();
    for file in files {
        let path = file.path.to_string();
        let parsed = match file.text {
            Ok(text) => ConfigFile::parse(&text, &path, &selectors),
            Err(error) => Err(ConfigError { path: path.clone(), position: None, message: error.to_string() }),
        };
        let checked = parsed.and_then(|parsed| {
            Settings::new(vec![(file.directory.clone(), path.clone(), parsed.clone())], flags)?;
            Ok((file.directory, path, parsed))
        });
        match checked {
            Ok(file) => usable.push(file),
            Err(error) => broken.push(error),
        }
    }
    match Settings::new(usable, flags) {
        Ok(settings) => (settings, broken),
        Err(error) => {
            broken.push(error);
            (Settings::default(), broken)
        }
    }
}
