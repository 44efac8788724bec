//! Finding the files to look at.

use super::kind::{FileKind, classify};
use super::read::{ReadError, read_bytes};
use super::{FileError, kind};
use crate::builds::System;
use crate::context::path::is_plain;
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What was found below the given paths.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The files, sorted by path; none twice.
    pub files: Vec<FoundFile>,
    /// What could not be looked at, sorted.
    pub errors: Vec<FileError>,
}

/// A file that is worth reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Relative to the project's root, with `/`; outside the root it begins with `..`.
    pub path: Arc<str>,
    /// What it is. A file named explicitly whose name says nothing is a Dockerfile.
    pub kind: FileKind,
    /// Whether it was named, not found.
    pub explicit: bool,
    /// Whether it was seen to be a regular file, which can be opened without a second look: it is no pipe that would block.
    pub is_regular: bool,
}

/// The directory that paths are relative to: the nearest one at or above `directory` with `.git`, else the nearest with
/// a `hitrate.toml`, else `directory` itself. `directory` is absolute.
#[must_use]
pub fn root_of(directory: &Path) -> PathBuf {
    let holding = |name: &str| directory.ancestors().find(|above| above.join(name).exists());
    holding(".git").or_else(|| holding(crate::settings::FILE_NAME)).unwrap_or(directory).to_path_buf()
}

/// What stands at the root of a repository whose pipelines it holds.
const PIPELINES: [&str; 5] =
    [".gitlab-ci.yml", ".buildkite", ".circleci", "bitbucket-pipelines.yml", ".drone.yml"];

/// The root for a run in `directory` on `paths` (all absolute): the repository that holds all the paths; where there is
/// none, the root of `directory` if it holds them, else that of the directory which they share.
#[must_use]
pub fn root_for(directory: &Path, paths: &[PathBuf]) -> PathBuf {
    let holder = |path: &PathBuf| if path.is_dir() { path.clone() } else { above(path) };
    let mut shared = paths.first().map_or_else(|| directory.to_path_buf(), holder);
    while !paths.iter().all(|path| path.starts_with(&shared)) {
        shared = above(&shared);
    }
    // Workflows count only at a repository's root: a directory that has some is one of its own, an example for instance.
    let is_root = |above: &&Path| above.join(".git").exists() || above.join(".github/workflows").is_dir();
    if let Some(repository) = shared.ancestors().find(is_root) {
        // So do the files of these systems, unless the repository's own includes them.
        let has = |above: &Path, name: &&str| above.join(name).exists();
        let own = |above: &&Path| PIPELINES.iter().any(|name| has(above, name) && !has(repository, name));
        let below = shared.ancestors().take_while(|above| *above != repository);
        return below.into_iter().find(own).unwrap_or(repository).to_path_buf();
    }
    let root = root_of(directory);
    if shared.starts_with(&root) { root } else { root_of(&shared) }
}

fn above(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_path_buf()
}

/// Looks for files at and below `paths` (absolute). What `.gitignore` names is left out, hidden directories are not,
/// except `.git`; links to directories, links out of `root` and links to files that are found anyway are not followed.
/// A path that is a file is taken whatever it is called.
#[must_use]
pub fn discover(root: &Path, paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let real_root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(root, &real_root, path, &mut found),
            Ok(_) => {
                let path = relative(root, path);
                let kind = classify(&path).unwrap_or(FileKind::Dockerfile);
                found.files.push(FoundFile { path: path.into(), kind, explicit: true, is_regular: false });
            }
            Err(error) => found.errors.push(FileError {
                path: relative(root, path).into(),
                message: ReadError::from(error).to_string(),
            }),
        }
    }
    // Of a file both named and found, the named one stays.
    found.files.sort_by(|a, b| a.path.cmp(&b.path).then(b.explicit.cmp(&a.explicit)));
    found.files.dedup_by(|a, b| a.path == b.path);
    found.errors.sort();
    found.errors.dedup();
    found
}

fn walk(root: &Path, real_root: &Path, directory: &Path, found: &mut Found) {
    let shared: Mutex<(Vec<FoundFile>, Vec<PathBuf>, Vec<FileError>)> = Mutex::default();
    let walker = WalkBuilder::new(directory)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .require_git(false)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git")
        .threads(std::thread::available_parallelism().map_or(1, usize::from).min(4))
        .build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            let seen = match entry {
                Ok(entry) => look(root, &entry),
                Err(error) => Seen::Failed(walk_error(root, &error)),
            };
            if matches!(seen, Seen::Nothing) {
                return WalkState::Continue;
            }
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            match seen {
                Seen::File(file) => shared.0.push(file),
                Seen::Link(path) => shared.1.push(path),
                Seen::Failed(error) => shared.2.push(error),
                Seen::Nothing => {}
            }
            WalkState::Continue
        })
    });
    let (files, mut links, errors) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.files.extend(files);
    found.errors.extend(errors);
    links.sort();
    for link in links {
        let Ok(target) = fs::canonicalize(&link) else { continue };
        let path = relative(root, &link);
        if let Some(kind) = classify(&path)
            && target.starts_with(real_root)
            && target.is_file()
            && classify(&relative(real_root, &target)) != Some(kind)
        {
            found.files.push(FoundFile { path: path.into(), kind, explicit: false, is_regular: true });
        }
    }
}

enum Seen {
    Nothing,
    File(FoundFile),
    Link(PathBuf),
    Failed(FileError),
}

fn look(root: &Path, entry: &DirEntry) -> Seen {
    let Some(file_type) = entry.file_type().filter(|kind| !kind.is_dir()) else { return Seen::Nothing };
    let path = entry.path();
    let name = entry.file_name().to_string_lossy();
    // The name decides nearly always; the places that the kind depends on need the whole path.
    let below = relative(root, path);
    let kind = classify(&below);
    if file_type.is_symlink() {
        return if kind.is_some() { Seen::Link(path.to_path_buf()) } else { Seen::Nothing };
    }
    let kind = match kind {
        Some(kind) => kind,
        None if !name.contains('.') && file_type.is_file() && is_executable_script(entry) => {
            FileKind::Build(System::Shell)
        }
        None => return Seen::Nothing,
    };
    Seen::File(FoundFile { path: below.into(), kind, explicit: false, is_regular: file_type.is_file() })
}

/// Whether a file without an extension is a shell script that may be run.
fn is_executable_script(entry: &DirEntry) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let small = |metadata: fs::Metadata| {
            metadata.len() < 256 * 1024 && metadata.permissions().mode() & 0o111 != 0
        };
        if !entry.metadata().is_ok_and(small) {
            return false;
        }
        let bytes = read_bytes(entry.path()).unwrap_or_default();
        let head = bytes.get(..bytes.len().min(256)).unwrap_or_default();
        kind::is_shell_script(&String::from_utf8_lossy(head))
    }
    #[cfg(not(unix))]
    {
        let _ = entry;
        false
    }
}

fn walk_error(root: &Path, error: &ignore::Error) -> FileError {
    let mut inner = error;
    let mut path = String::new();
    loop {
        match inner {
            ignore::Error::WithPath { path: own, err } => {
                path = relative(root, own);
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => inner = err,
            _ => break,
        }
    }
    let message = match inner.io_error() {
        Some(error) => format!("cannot be listed: {error}"),
        None => inner.to_string(),
    };
    FileError { path: path.into(), message }
}

/// `path`, as given on a command line in `directory`, in full and without `.` and `..`.
#[must_use]
pub fn absolute(directory: &Path, path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

/// `path` relative to `root`, with `/`; with `..` where it lies outside. Both are absolute.
#[must_use]
pub fn relative(root: &Path, path: &Path) -> String {
    // Nearly always the one begins with the other, letter for letter.
    if cfg!(not(windows))
        && let (Some(root), Some(path)) = (root.to_str(), path.to_str())
        && let Some(below) = path.strip_prefix(root).and_then(|below| below.strip_prefix('/'))
        && is_plain(below)
    {
        return below.to_owned();
    }
    let parts = |path: &Path| -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
                Component::ParentDir => {
                    parts.pop();
                }
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        parts
    };
    if let Ok(below) = path.strip_prefix(root)
        && below.components().all(|part| matches!(part, Component::Normal(_)))
    {
        let below = below.to_string_lossy();
        return if cfg!(windows) { below.replace('\\', "/") } else { below.into_owned() };
    }
    let (root, path) = (parts(root), parts(path));
    let common = root.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", root.len() - common);
    let down = path.iter().skip(common).map(String::as_str);
    up.chain(down).collect::<Vec<_>>().join("/")
}
