//! What the commands about one Dockerfile work on: the file, with the builds of its repository around it.

use crate::project::{self, FileKind, Found, FoundFile, Project};
use std::path::{Path, PathBuf};

/// One Dockerfile in its project.
pub(super) struct Single {
    /// The directory that the project's paths are relative to.
    pub(super) root: PathBuf,
    /// The Dockerfile, relative to the root.
    pub(super) path: String,
    pub(super) project: Project,
}

impl Single {
    /// Reads the Dockerfile `named` by an argument, relative to `directory`; a directory stands for the one that is in it.
    /// A `context` is an absolute path.
    pub(super) fn open(directory: &Path, named: &str, context: Option<PathBuf>) -> anyhow::Result<Self> {
        let mut dockerfile = project::absolute(directory, named);
        if dockerfile.is_dir() {
            let mut inside = ["Dockerfile", "Containerfile"].map(|name| dockerfile.join(name)).into_iter();
            let Some(found) = inside.find(|file| file.is_file()) else {
                anyhow::bail!("{named}: the directory has no Dockerfile; name the one that is meant");
            };
            dockerfile = found;
        }
        let paths: Vec<_> = std::iter::once(dockerfile.clone()).chain(context).collect();
        let root = project::root_for(directory, &paths);
        let path = project::relative(&root, &dockerfile);
        let project = project::load(
            &root,
            Found {
                files: vec![FoundFile {
                    path: path.as_str().into(),
                    kind: FileKind::Dockerfile,
                    explicit: true,
                    is_regular: false,
                }],
                ..Found::default()
            },
        );
        let around = project::discover_around(&root, &paths);
        let project = project.surrounded(project::load(&root, around));
        if let Some(error) = project.errors.first() {
            anyhow::bail!("{named}: {}", error.message);
        }
        Ok(Self { root, path, project })
    }
}
