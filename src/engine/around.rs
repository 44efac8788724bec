//! What rules for one Dockerfile may ask about the rest of the project.

use super::join;
use crate::builds::{Build, ContextSource};
use crate::cache::Model;
use crate::context::{Context, own_ignore_file};
use crate::dockerfile;
use crate::graph::Options;
use crate::project::{FileKind, History, MAX_SEARCHED, Project, classify_text};
use crate::rules::{Around, DockerfileCx, Facts};
use crate::settings::Settings;
use crate::source::SourceFile;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// With more Dockerfiles in one context they are not looked at one by one.
const MAX_SHARING: usize = 48;

/// The rest of a project.
pub(super) struct Rest<'p> {
    project: &'p Project,
    settings: &'p Settings,
    builds: &'p [Build],
    places: OnceLock<Vec<Place>>,
    /// The Dockerfiles that asked for others.
    asked: Mutex<BTreeSet<Arc<str>>>,
}

/// A Dockerfile without an ignore file of its own, and where its context may be.
struct Place {
    file: Arc<SourceFile>,
    directories: Vec<String>,
}

impl<'p> Rest<'p> {
    pub(super) fn new(project: &'p Project, settings: &'p Settings, builds: &'p [Build]) -> Self {
        Self { project, settings, builds, places: OnceLock::new(), asked: Mutex::default() }
    }

    /// The Dockerfiles of which something was said that rests on others.
    pub(super) fn asked(&self) -> BTreeSet<Arc<str>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn places(&self) -> &[Place] {
        self.places.get_or_init(|| {
            let project = self.project;
            let mut files: BTreeMap<&str, Arc<SourceFile>> = BTreeMap::new();
            let is_dockerfile =
                |file: &&Arc<SourceFile>| classify_text(&file.path, &file.text) == Some(FileKind::Dockerfile);
            for file in project.dockerfiles.iter().chain(project.around.iter().filter(is_dockerfile)) {
                files.insert(&file.path, Arc::clone(file));
            }
            let built = join::built(project, self.builds);
            for (path, built) in &built {
                files.entry(path).or_insert_with(|| Arc::clone(&built.file));
            }
            let place = |(path, file): (&str, Arc<SourceFile>)| {
                if project.text(&own_ignore_file(path)).is_some() {
                    return None;
                }
                let builds = built.get(path).map_or(&[] as &[&Build], |built| &built.builds);
                let named = builds.iter().filter_map(|build| match &build.context.value {
                    ContextSource::Path(directory) => Some(directory.clone()),
                    _ => None,
                });
                let mut directories: Vec<String> = named.collect();
                if directories.is_empty() {
                    directories.extend(super::place::context_directory_of(project, &file));
                }
                Some(Place { file, directories })
            };
            files.into_par_iter().filter_map(place).collect()
        })
    }

    fn show(&self, file: &SourceFile, directory: &str, visit: &mut dyn FnMut(&DockerfileCx<'_>)) {
        let syntax = dockerfile::parse(&file.text);
        let mut model = Model::new(&syntax, Options::default(), None);
        if let Ok(context) = self.project.context(directory, Some(&file.path)) {
            model = model.with_context(context);
        }
        let facts = Facts::new(model, Some(directory.to_owned()), Vec::new());
        let files = |path: &str| self.project.text(path);
        let settings = self.settings.at(&file.path);
        visit(&DockerfileCx { file, syntax: &syntax, settings, facts: &facts, files: &files, around: self });
    }
}

impl Around for Rest<'_> {
    fn sharing(&self, path: &str, directory: &str, visit: &mut dyn FnMut(&DockerfileCx<'_>)) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into());
        let below = |file: &SourceFile| {
            directory.is_empty()
                || file.path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
        };
        let shares = |place: &&Place| {
            *place.file.path != *path
                && match place.directories.as_slice() {
                    [] => below(&place.file),
                    known => known.iter().any(|known| known == directory),
                }
        };
        let sharing: Vec<&Place> = self.places().iter().filter(shares).take(MAX_SHARING + 1).collect();
        if sharing.len() > MAX_SHARING {
            return false;
        }
        sharing.into_iter().for_each(|place| self.show(&place.file, directory, visit));
        true
    }

    fn mentions(&self, files: &[String], texts: &[String]) -> Vec<bool> {
        if files.len() > MAX_SEARCHED {
            return vec![true; texts.len()];
        }
        self.project.mentions(files, texts)
    }

    fn context(&self, path: &str, directory: &str) -> Option<Arc<Context>> {
        self.project.context(directory, Some(path)).ok()
    }

    fn is_git_ignored(&self, path: &str) -> bool {
        self.project.is_git_ignored(path)
    }

    fn is_named_in_builds(&self, name: &str) -> bool {
        let project = self.project;
        let known = project.others.iter().chain(&project.around);
        let mut builds =
            known.filter(|file| matches!(classify_text(&file.path, &file.text), Some(FileKind::Build(_))));
        let modules = project.text(".gitmodules").is_some_and(|file| file.text.contains(name));
        modules || builds.any(|file| file.text.contains(name))
    }

    fn history(&self) -> Option<Arc<History>> {
        self.project.history()
    }
}
