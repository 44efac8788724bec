//! What is analyzed together: a workspace folder, or a single file.

use super::document::Document;
use super::options::Options;
use crate::engine::{self, Memory, Report};
use crate::project::{self, Configuration, FileKind, Project, classify};
use crate::settings::{ConfigError, Settings};
use crate::source::{MAX_FILE_BYTES, SourceFile};
use crate::workspace::{Request, Workspace};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// A workspace folder.
    Folder(PathBuf),
    /// A file in no workspace folder.
    File(PathBuf),
    /// A text that is not saved, by its address.
    Text(String),
}

impl Scope {
    /// Whether a document belongs to it.
    pub(super) fn holds(&self, document: &Document) -> bool {
        match self {
            Self::Folder(folder) => document.path.as_ref().is_some_and(|path| path.starts_with(folder)),
            Self::File(file) => document.path.as_ref() == Some(file),
            Self::Text(uri) => document.path.is_none() && document.uri.0 == *uri,
        }
    }

    /// How near it is to what it holds: the nearest of several folders has the say.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Folder(folder) => folder.components().count(),
            Self::File(_) | Self::Text(_) => usize::MAX,
        }
    }

    /// The path of an unsaved text stands for itself.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) | Self::File(path) => Some(path),
            Self::Text(_) => None,
        }
    }
}

/// What is known of a [`Scope`].
#[derive(Debug)]
pub(super) struct Folder {
    /// Tells the answers of several readings apart.
    pub(super) id: u32,
    pub(super) scope: Scope,
    /// The directory that the project's paths are relative to.
    pub(super) root: PathBuf,
    /// Configuration files that cannot be used.
    pub(super) broken: Vec<ConfigError>,
    pub(super) settings: Arc<Settings>,
    /// The files with the texts of the open documents over them.
    pub(super) project: Project,
    /// Without them.
    disk: Project,
    pub(super) memory: Memory,
    report: Option<Arc<Report>>,
    /// How often it was to be read, counted from 1.
    pub(super) wanted: u64,
    /// Which of them began last.
    begun: u64,
    /// Which of them was taken last; 0 where it was never read.
    pub(super) done: u64,
}

/// What reading gave.
#[derive(Debug)]
pub(super) struct Read {
    /// How long it took.
    pub(super) took: Duration,
    workspace: Workspace,
    settings: Arc<Settings>,
    project: Project,
    /// The documents whose texts are in it.
    open: Vec<PathBuf>,
    memory: Memory,
}

/// What a reading needs to know; it happens on a thread of its own.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: u32,
    /// The count of the readings that were wanted when it began: what happens later it may not see.
    pub(super) count: u64,
    scope: Scope,
    options: Options,
    texts: Vec<Overlay>,
}

/// The text of an open document.
#[derive(Clone, Debug)]
struct Overlay {
    whole: PathBuf,
    text: String,
    dockerfile: bool,
}

impl Folder {
    pub(super) fn new(id: u32, scope: Scope) -> Self {
        let root = root_of(&scope);
        // There is nothing on the disk to wait for.
        let done = u64::from(matches!(scope, Scope::Text(_)));
        Self {
            id,
            scope,
            root,
            broken: Vec::new(),
            settings: Arc::default(),
            project: Project::default(),
            disk: Project::default(),
            memory: Memory::default(),
            report: None,
            wanted: done,
            begun: done,
            done,
        }
    }

    /// The path that the project knows a document by.
    pub(super) fn path_of(&self, document: &Document) -> String {
        match (&self.scope, &document.path) {
            (Scope::Text(uri), _) => uri.clone(),
            (_, Some(path)) => project::relative(&self.root, path),
            (_, None) => document.uri.0.clone(),
        }
    }

    /// Whether it was read at all.
    pub(super) fn is_ready(&self) -> bool {
        self.done > 0
    }

    /// Takes the settings of the editor, for a text that no configuration file holds for.
    pub(super) fn configure(&mut self, options: &Options) {
        self.settings = Arc::new(Settings::new(Vec::new(), &options.flags()).unwrap_or_default());
        self.report = None;
    }

    /// What reading it takes, with the texts that are open in it now; `None` where it is being read, or need not be.
    pub(super) fn job<'d>(
        &mut self,
        options: &Options,
        documents: impl Iterator<Item = &'d Document>,
    ) -> Option<Job> {
        self.scope.path()?;
        if self.begun > self.done || self.wanted == self.done {
            return None;
        }
        self.begun = self.wanted;
        let texts = documents.filter_map(Overlay::new).collect();
        let (scope, options) = (self.scope.clone(), options.clone());
        Some(Job { id: self.id, count: self.begun, scope, options, texts })
    }

    /// Takes what was read; the texts that are open now come over it. Where reading failed everything stays as it is.
    pub(super) fn take(&mut self, count: u64, read: Option<Read>, documents: &[Document]) {
        self.done = count;
        if let Some(read) = read {
            self.broken = read.workspace.broken;
            self.settings = read.settings;
            self.disk = read.workspace.project;
            self.memory = read.memory;
            // With the texts of then: where they are those of now, what is known of them holds. One that was closed
            // meanwhile counts no more.
            let is_open = |path: &PathBuf| documents.iter().any(|own| own.path.as_ref() == Some(path));
            self.project = if read.open.iter().all(is_open) { read.project } else { self.disk.clone() };
        }
        self.report = None;
        for document in documents {
            self.overlay(document);
        }
    }

    /// Puts an open document over what is on the disk.
    pub(super) fn overlay(&mut self, document: &Document) {
        let path = self.path_of(document);
        if !analyzed(&path, &self.scope, &self.settings) || too_large(&document.text) {
            return;
        }
        let known = self.project.file(&path).map(|file| &file.text);
        if known == Some(&document.text) {
            return;
        }
        let named = document.dockerfile.then_some(path.as_str());
        self.project = self.project.with_texts([(path.as_str(), document.text.as_str())], named);
        self.report = None;
    }

    /// A document was closed: what is on the disk holds again, with the documents that are still open over it.
    pub(super) fn uncover<'d>(&mut self, documents: impl Iterator<Item = &'d Document>) {
        self.project = self.disk.clone();
        self.report = None;
        for document in documents {
            self.overlay(document);
        }
    }

    /// The findings of now.
    pub(super) fn report(&mut self) -> Arc<Report> {
        let (project, settings, memory) = (&self.project, &self.settings, &mut self.memory);
        let report =
            self.report.get_or_insert_with(|| Arc::new(engine::analyze_again(project, settings, memory)));
        Arc::clone(report)
    }

    /// The text of a file as it is analyzed.
    pub(super) fn file(&self, path: &str) -> Option<Arc<SourceFile>> {
        self.project.file(path).cloned()
    }
}

impl Job {
    /// Finds, reads and analyzes.
    pub(super) fn run(self) -> Read {
        let begun = Instant::now();
        let flags = self.options.flags();
        let root = root_of(&self.scope);
        let paths: Vec<PathBuf> = self.scope.path().map(Path::to_path_buf).into_iter().collect();
        let directory = match &self.scope {
            Scope::Folder(folder) => folder.as_path(),
            _ => root.as_path(),
        };
        let config = self.options.configuration.as_ref().map(|path| Configuration {
            directory: String::new(),
            text: project::read_text(&project::absolute(directory, path)),
            path: project::relative(&root, &project::absolute(directory, path)).into(),
        });
        let request =
            Request { root: &root, paths: &paths, search: true, config: config.as_ref(), flags: &flags };
        let workspace = Workspace::open_with(&request, |files| self.configured(&root, files));
        let settings = Arc::new(workspace.settings.clone());
        let texts = self.texts.iter().map(|overlay| (project::relative(&root, &overlay.whole), overlay));
        let texts: Vec<_> = texts.filter(|(path, _)| analyzed(path, &self.scope, &settings)).collect();
        let mut project = workspace.project.clone();
        for (path, overlay) in &texts {
            let named = overlay.dockerfile.then_some(path.as_str());
            project = project.with_texts([(path.as_str(), overlay.text.as_str())], named);
        }
        // The contexts are listed here, not under the fingers of somebody who types.
        let mut memory = Memory::default();
        let _ = engine::analyze_again(&project, &settings, &mut memory);
        let open = self.texts.into_iter().map(|overlay| overlay.whole).collect();
        Read { took: begun.elapsed(), workspace, settings, project, open, memory }
    }

    /// The configuration files with the texts that are open in the editor.
    fn configured(&self, root: &Path, mut files: Vec<Configuration>) -> Vec<Configuration> {
        for overlay in &self.texts {
            let path = project::relative(root, &overlay.whole);
            if classify(&path) != Some(FileKind::Config) {
                continue;
            }
            match files.iter_mut().find(|file| *file.path == *path) {
                Some(file) => file.text = Ok(overlay.text.clone()),
                None => files.push(Configuration {
                    directory: crate::context::path::parent(&path).to_owned(),
                    text: Ok(overlay.text.clone()),
                    path: path.into(),
                }),
            }
        }
        files
    }
}

impl Overlay {
    fn new(document: &Document) -> Option<Self> {
        let whole = document.path.clone().filter(|_| !too_large(&document.text))?;
        Some(Self { whole, text: document.text.clone(), dockerfile: document.dockerfile })
    }
}

/// Whether an open document is one of the files that are analyzed, or that they are analyzed with.
fn analyzed(path: &str, scope: &Scope, settings: &Settings) -> bool {
    let excluded = matches!(scope, Scope::Folder(_)) && settings.excludes(path);
    !excluded && classify(path) != Some(FileKind::Config)
}

pub(super) fn too_large(text: &str) -> bool {
    text.len() > MAX_FILE_BYTES
}

fn root_of(scope: &Scope) -> PathBuf {
    match scope {
        Scope::Folder(folder) => project::root_for(folder, std::slice::from_ref(folder)),
        Scope::File(file) => {
            let directory = file.parent().unwrap_or(file);
            project::root_for(directory, std::slice::from_ref(file))
        }
        Scope::Text(_) => PathBuf::new(),
    }
}
