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
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// With more Dockerfiles in one context they are not looked at one by one.
const MAX_SHARING: usize = 48;

/// The rest of a project.
pub(super) struct Rest<'p> {
    project: &'p Project,
    settings: &'p Settings,
    builds: &'p [Build],
    places: OnceLock<Places>,
    /// The Dockerfiles that asked for others.
    asked: Mutex<BTreeSet<Arc<str>>>,
}

/// The Dockerfiles of the project and their contexts.
#[derive(Default)]
struct Places {
    /// Sorted by path.
    all: Vec<Place>,
    /// By directory, those whose builds name it as their context.
    named: BTreeMap<String, Vec<usize>>,
}

/// A Dockerfile, and whose ignore file may be in force for it.
struct Place {
    file: Arc<SourceFile>,
    /// Whether builds name its context.
    is_named: bool,
    /// Worked out when first asked for: most are never asked.
    ignored_by: OnceLock<IgnoredBy>,
}

/// Whose ignore file may be in force for a Dockerfile.
enum IgnoredBy {
    /// Its own.
    Itself,
    /// That of any directory that may be its context.
    Any,
    /// That of this directory.
    Directory(String),
}

impl<'p> Rest<'p> {
    pub(super) fn new(project: &'p Project, settings: &'p Settings, builds: &'p [Build]) -> Self {
        Self { project, settings, builds, places: OnceLock::new(), asked: Mutex::default() }
    }

    /// The Dockerfiles of which something was said that rests on others.
    pub(super) fn asked(&self) -> BTreeSet<Arc<str>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn places(&self) -> &Places {
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
            let mut places = Places::default();
            for (number, (path, file)) in files.into_iter().enumerate() {
                let builds = built.get(path).map_or(&[] as &[&Build], |built| &built.builds);
                let named = builds.iter().filter_map(|build| match &build.context.value {
                    ContextSource::Path(directory) => Some(directory),
                    _ => None,
                });
                let mut is_named = false;
                for directory in named {
                    is_named = true;
                    places.named.entry(directory.clone()).or_default().push(number);
                }
                places.all.push(Place { file, is_named, ignored_by: OnceLock::new() });
            }
            places
        })
    }

    /// The Dockerfiles for which the ignore file of the context at `directory` may be in force, in the order of their paths.
    fn sharing(&self, directory: &str) -> impl Iterator<Item = &Place> {
        let Places { all, named } = self.places();
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let first = all.partition_point(|place| *place.file.path < *prefix);
        let below = all.iter().enumerate().skip(first);
        // A context that nothing names is the Dockerfile's own directory or one above.
        let mut numbers: Vec<usize> = below
            .take_while(|(_, place)| place.file.path.starts_with(&prefix))
            .filter(|(_, place)| !place.is_named)
            .map(|(number, _)| number)
            .chain(named.get(directory).into_iter().flatten().copied())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().filter_map(|number| all.get(number)).filter(move |place| {
            match place.ignored_by.get_or_init(|| self.ignored_by(place)) {
                IgnoredBy::Itself => false,
                IgnoredBy::Any => true,
                IgnoredBy::Directory(own) => own == directory,
            }
        })
    }

    fn ignored_by(&self, place: &Place) -> IgnoredBy {
        if self.project.text(&own_ignore_file(&place.file.path)).is_some() {
            return IgnoredBy::Itself;
        }
        let known = (!place.is_named).then(|| super::place::context_directory_of(self.project, &place.file));
        known.flatten().map_or(IgnoredBy::Any, IgnoredBy::Directory)
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
        let others = self.sharing(directory).filter(|place| *place.file.path != *path);
        let sharing: Vec<&Place> = others.take(MAX_SHARING + 1).collect();
        if sharing.len() > MAX_SHARING {
            return false;
        }
        sharing.into_iter().for_each(|place| self.show(&place.file, directory, visit));
        true
    }

    fn mentions(&self, files: &[String], texts: &[String]) -> Vec<Option<usize>> {
        if files.len() > MAX_SEARCHED {
            return vec![Some(0); texts.len()];
        }
        self.project.mentions(files, texts)
    }

    fn context(&self, path: &str, directory: &str) -> Option<Arc<Context>> {
        self.project.context(directory, Some(path)).ok()
    }

    fn has(&self, path: &str) -> bool {
        self.project.may_have(path)
    }

    fn is_git_ignored(&self, path: &str) -> bool {
        self.project.is_git_ignored(path)
    }

    fn is_named_in_builds(&self, path: &str) -> bool {
        let project = self.project;
        let name = crate::context::path::base(path);
        let known = project.others.iter().chain(&project.around);
        let mut builds =
            known.filter(|file| matches!(classify_text(&file.path, &file.text), Some(FileKind::Build(_))));
        let within = |line: &str| {
            let place = line.trim().strip_prefix("path")?.trim_start().strip_prefix('=')?.trim();
            Some(path.strip_prefix(place)?.starts_with('/'))
        };
        let modules = project.text(".gitmodules").is_some_and(|file| {
            file.text.contains(name) || file.text.lines().any(|line| within(line) == Some(true))
        });
        modules || builds.any(|file| file.text.contains(name))
    }

    fn history(&self) -> Option<Arc<History>> {
        self.project.history()
    }
}
