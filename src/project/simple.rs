//! Reading the Dockerfiles below some paths.

use super::{FileError, Project};
use crate::source::{MAX_FILE_BYTES, SourceFile};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Reads the Dockerfiles below `paths`, which are relative to the working directory. Files named are always taken.
#[must_use]
pub fn read(paths: &[String]) -> Project {
    let mut project = Project::default();
    for path in paths {
        let is_dir = fs::metadata(path).is_ok_and(|data| data.is_dir());
        if !is_dir {
            take(&mut project, path);
            continue;
        }
        for entry in ignore::WalkBuilder::new(path).hidden(false).require_git(false).build() {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name().to_string_lossy();
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if is_file && is_dockerfile(&name) && !entry.path().components().any(|c| c.as_os_str() == ".git")
            {
                take(&mut project, &entry.path().to_string_lossy());
            }
        }
    }
    project.dockerfiles.sort_by(|a, b| a.path.cmp(&b.path));
    project.dockerfiles.dedup_by(|a, b| a.path == b.path);
    project
}

fn is_dockerfile(name: &str) -> bool {
    (name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile"))
        || name.starts_with("Containerfile")
}

fn take(project: &mut Project, path: &str) {
    let name = path.strip_prefix("./").unwrap_or(path);
    match read_text(Path::new(path)) {
        Ok(text) => project.dockerfiles.push(Arc::new(SourceFile::new(name, text))),
        Err(message) => project.errors.push(FileError { path: Arc::from(name), message }),
    }
}

/// The text of a file, or why there is none.
pub fn read_text(path: &Path) -> Result<String, String> {
    let data = fs::metadata(path).map_err(|error| error.to_string())?;
    if !data.is_file() {
        return Err("not a regular file".to_owned());
    }
    if data.len() > MAX_FILE_BYTES as u64 {
        return Err("larger than 4 MiB".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}
