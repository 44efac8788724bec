//! What a command works on: the files below its paths, and the configuration that holds for them.

use crate::context::path::is_plain;
use crate::project::{self, Configuration, FileError, Project};
use crate::rules;
use crate::settings::{Flags, Settings};
use crate::source::MAX_FILE_BYTES;
use crate::workspace;
use anyhow::Context;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a command works on.
pub(super) struct Workspace {
    /// The directory that the project's paths are relative to.
    pub(super) root: PathBuf,
    /// The directory that the command was started in.
    directory: PathBuf,
    pub(super) project: Project,
    pub(super) settings: Settings,
}

/// What the arguments say.
#[derive(Default)]
pub(super) struct Request<'a> {
    /// Files and directories.
    pub(super) paths: &'a [String],
    /// The Dockerfile comes from the standard input and stands for this path.
    pub(super) stdin: Option<&'a str>,
    /// A configuration file instead of those that are found.
    pub(super) config: Option<&'a str>,
    pub(super) flags: Flags,
}

impl Workspace {
    /// Finds and reads.
    pub(super) fn open(request: &Request<'_>) -> anyhow::Result<Self> {
        let selectors: Vec<&str> = rules::selectors().collect();
        Settings::check_flags(&request.flags, &selectors).map_err(anyhow::Error::msg)?;
        let directory = std::env::current_dir().context("the working directory cannot be found")?;
        let arguments = request.stdin.into_iter().chain(request.paths.iter().map(String::as_str));
        let paths: Vec<PathBuf> = arguments.map(|path| project::absolute(&directory, path)).collect();
        let root = project::root_for(&directory, &paths);
        let config = request.config.map(|path| Configuration {
            directory: String::new(),
            text: project::read_text(&project::absolute(&directory, path)),
            path: Arc::from(path),
        });
        let opened = workspace::Workspace::open(&workspace::Request {
            root: &root,
            paths: &paths,
            search: request.stdin.is_none(),
            config: config.as_ref(),
            flags: &request.flags,
        });
        if let Some(mut error) = opened.broken.into_iter().next() {
            if config.is_none() {
                error.path = shown(&directory, &root, &error.path);
            }
            return Err(error.into());
        }
        let workspace::Workspace { mut project, settings, .. } = opened;
        if request.stdin.is_some()
            && let Some(path) = paths.first()
        {
            let path = project::relative(&root, path);
            match standard_input() {
                Ok(text) => project = project.with_texts([(&*path, &*text)], Some(&path)),
                Err(message) => project.errors.push(FileError { path: Arc::from(path), message }),
            }
        }
        Ok(Self { root, directory, project, settings })
    }

    /// A path of the project as the reader sees it: relative to the working directory where it lies below or in the same
    /// project, else in full.
    pub(super) fn show(&self, path: &str) -> String {
        shown(&self.directory, &self.root, path)
    }

    /// A path of the project relative to the directory `base`, as services have it that show findings at the files of a
    /// checkout, wherever in it the command was started. Files that are not below it are shown as to other readers.
    pub(super) fn show_below(&self, base: Option<&Path>, path: &str) -> String {
        let Some(base) = base else { return self.show(path) };
        let whole = project::absolute(&self.root, path);
        if whole.starts_with(base) { project::relative(base, &whole) } else { self.show(path) }
    }

    /// The absolute path of an argument.
    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        project::absolute(&self.directory, path)
    }
}

fn shown(directory: &Path, root: &Path, path: &str) -> String {
    if directory.as_os_str() == root.as_os_str() && is_plain(path) {
        return path.to_owned();
    }
    let whole = project::absolute(root, path);
    if whole.starts_with(directory) || directory.starts_with(root) {
        return project::relative(directory, &whole);
    }
    whole.to_string_lossy().into_owned()
}

/// The standard input as a file would be read.
fn standard_input() -> Result<String, String> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64 + 1;
    std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(project::ReadError::TooLarge.to_string());
    }
    String::from_utf8(bytes)
        .map_err(|error| project::ReadError::NotUtf8(error.utf8_error().valid_up_to()).to_string())
}
