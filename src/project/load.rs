//! Reading what was found.

use super::kind::{FileKind, mentions_builder};
use super::read::{ReadError, read_regular, read_text};
use super::{Contexts, FileError, Files, Found, FoundFile, Project, relative};
use crate::builds::System;
use crate::settings::FILE_NAME;
use crate::source::SourceFile;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the files of `found`, whose paths are relative to `root`. Scripts and recipes that name no builder are not
/// kept, configuration files are not read here.
#[must_use]
pub fn load(root: &Path, found: Found) -> Project {
    let mut project = Project { errors: found.errors, ..Project::default() };
    let read = |file: FoundFile| {
        let path = root.join(&*file.path);
        let text = if file.is_regular { read_regular(&path) } else { read_text(&path) };
        (file, text)
    };
    let read: Vec<_> =
        found.files.into_par_iter().filter(|file| file.kind != FileKind::Config).map(read).collect();
    for (file, text) in read {
        match text {
            Ok(text) if file.explicit || !is_recipe(file.kind) || mentions_builder(&text) => {
                let dockerfile = file.kind == FileKind::Dockerfile;
                let list = if dockerfile { &mut project.dockerfiles } else { &mut project.others };
                list.push(Arc::new(SourceFile::new(file.path, text)));
            }
            Ok(_) => {}
            // Of these, most are no build files at all, and nobody asked for them.
            Err(_) if !file.explicit && is_recipe(file.kind) => {}
            Err(error) => {
                project.errors.push(FileError { path: file.path, message: error.to_string() });
            }
        }
    }
    project.dockerfiles.sort_by(|a, b| a.path.cmp(&b.path));
    project.others.sort_by(|a, b| a.path.cmp(&b.path));
    project.errors.sort();
    project.contexts = Arc::new(Contexts::new(Files::Disk(root.to_path_buf())));
    project
}

/// Scripts and recipes: files that nearly always do something else.
pub(super) fn is_recipe(kind: FileKind) -> bool {
    use System::{Just, Make, PackageJson, Shell, Task};
    matches!(kind, FileKind::Build(Shell | Make | Just | Task | PackageJson))
}

/// A configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The directory it holds for, relative to the root; `""` for the root.
    pub directory: String,
    /// Its path, as in findings.
    pub path: Arc<str>,
    /// Its text, or why there is none.
    pub text: Result<String, ReadError>,
}

/// The configuration files that concern the files found and the paths asked for: those below the paths, and those in
/// the directories from there up to the root. Sorted by path.
#[must_use]
pub fn configurations(root: &Path, paths: &[PathBuf], found: &Found) -> Vec<Configuration> {
    let mut files: Vec<String> = found
        .files
        .iter()
        .filter(|file| file.kind == FileKind::Config)
        .map(|file| file.path.to_string())
        .collect();
    let above = paths.iter().flat_map(|path| path.ancestors().take_while(|above| above.starts_with(root)));
    files.extend(
        above
            .map(|above| above.join(FILE_NAME))
            .filter(|file| file.exists())
            .map(|file| relative(root, &file)),
    );
    files.sort();
    files.dedup();
    files
        .into_iter()
        .map(|path| Configuration {
            directory: crate::context::path::parent(&path).to_owned(),
            text: read_text(&root.join(&path)),
            path: path.into(),
        })
        .collect()
}
