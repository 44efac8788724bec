//! The only room that touches the disk: discovery, reading, git, the work tree. What it hands on is plain data.

mod around;
mod contexts;
mod discover;
pub mod git;
mod history;
mod index;
mod kind;
mod listing;
mod load;
mod mentions;
mod read;
mod write;

pub use around::discover_around;
pub use contexts::{Contexts, Files};
pub use discover::{Found, FoundFile, absolute, discover, relative, root_for, root_of};
pub use history::History;
pub use kind::{FileKind, classify, classify_text, is_shell_script};
pub use listing::{MAX_ENTRIES, Unknown};
pub use load::{Configuration, configurations, load};
pub use mentions::MAX_SEARCHED;
pub use read::{ReadError, read_bytes, read_text};
pub use write::{WriteError, append_text, write_text};

use crate::context::{Change, ContentId, Context, DOCKERIGNORE, Entry, Tree, own_ignore_file, path};
use crate::source::SourceFile;
use ignore::gitignore::GitignoreBuilder;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// What git reads.
const GITIGNORE: &str = ".gitignore";

/// Everything that is analyzed together. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The Dockerfiles, sorted by path.
    pub dockerfiles: Vec<Arc<SourceFile>>,
    /// The other files that were read (what starts builds, `.dockerignore`), sorted by path. [`classify_text`] tells
    /// what they are.
    pub others: Vec<Arc<SourceFile>>,
    /// Files that tell how those are built and that nobody asked about (other Dockerfiles among them), sorted by path.
    pub around: Vec<Arc<SourceFile>>,
    /// What could not be read.
    pub errors: Vec<FileError>,
    contexts: Arc<Contexts>,
    /// Files read on demand, and those that are not there.
    read: Arc<Mutex<HashMap<String, ReadOnce>>>,
    /// Texts that are not (yet) those on the disk.
    overlay: Arc<BTreeMap<Arc<str>, Arc<SourceFile>>>,
    index: index::Index,
}

type ReadOnce = Result<Option<Arc<SourceFile>>, ReadError>;

/// A file that could not be analyzed; the others are all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileError {
    /// Its path, as in findings.
    pub path: Arc<str>,
    /// Why, in one line.
    pub message: String,
}

impl Project {
    /// A project without a disk: its files are those given, and so are its contexts'.
    #[must_use]
    pub fn in_memory(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut project = Self::default();
        let mut tree = Tree::default();
        for (path, text) in files {
            let executable = is_shell_script(&text);
            tree.insert(&path, Entry::file(ContentId::of_bytes(text.as_bytes()), executable));
            let text: Arc<str> = text.into();
            tree.change_file(&path, |file| file.text = Some(Arc::clone(&text)));
            project.put(SourceFile::new(path, &*text));
        }
        project.contexts = Arc::new(Contexts::new(Files::Tree(tree)));
        project
    }

    /// Puts a file where its kind belongs; one of no kind, or that can start no build, goes nowhere, and is there no more.
    fn put(&mut self, file: SourceFile) {
        let kind = classify_text(&file.path, &file.text);
        let kind = kind.filter(|kind| !load::is_recipe(*kind) || kind::mentions_builder(&file.text));
        let list = match kind {
            _ if self.dockerfile(&file.path).is_some() => &mut self.dockerfiles,
            Some(FileKind::Dockerfile) => &mut self.dockerfiles,
            Some(_) => &mut self.others,
            None => return self.others.retain(|own| own.path != file.path),
        };
        match list.binary_search_by(|own| own.path.cmp(&file.path)) {
            Ok(at) => {
                if let Some(place) = list.get_mut(at) {
                    *place = Arc::new(file);
                }
            }
            Err(at) => list.insert(at, Arc::new(file)),
        }
    }

    /// The same project with other texts for some files: unsaved ones, or fixed ones. A path that is new is a new file;
    /// it is a Dockerfile if its name says so or `dockerfile` names it.
    #[must_use]
    pub fn with_texts<'t>(
        &self,
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
        dockerfile: Option<&str>,
    ) -> Self {
        let mut project = self.clone();
        let mut overlay = (*self.overlay).clone();
        for (path, text) in texts {
            let file = Arc::new(SourceFile::new(path, text));
            overlay.insert(Arc::clone(&file.path), Arc::clone(&file));
            project.errors.retain(|error| *error.path != *path);
            if dockerfile == Some(path) && project.dockerfile(path).is_none() {
                project.around.retain(|own| *own.path != *path);
                let at = project.dockerfiles.partition_point(|own| *own.path < *path);
                project.dockerfiles.insert(at, file);
            } else {
                project.put((*file).clone());
            }
        }
        project.overlay = Arc::new(overlay);
        project
    }

    /// Whether everything but the texts of the Dockerfiles is the same in both: what rules see of one Dockerfile beside
    /// its text.
    #[must_use]
    pub fn has_surroundings_of(&self, other: &Self) -> bool {
        let same = |(a, b): (&Arc<SourceFile>, &Arc<SourceFile>)| {
            Arc::ptr_eq(a, b) || a.path == b.path && a.text == b.text
        };
        // A file that is analyzed in both is compared as such; if only one has it from an editor, it is on the disk.
        let elsewhere = |project: &Self| -> Vec<Arc<SourceFile>> {
            let files = project.overlay.values().filter(|file| project.file(&file.path).is_none());
            files.cloned().collect()
        };
        let (overlay, other_overlay) = (elsewhere(self), elsewhere(other));
        Arc::ptr_eq(&self.contexts, &other.contexts)
            && Arc::ptr_eq(&self.read, &other.read)
            && self
                .dockerfiles
                .iter()
                .map(|file| &file.path)
                .eq(other.dockerfiles.iter().map(|file| &file.path))
            && self.others.len() == other.others.len()
            && self.others.iter().zip(&other.others).all(same)
            && self.around.len() == other.around.len()
            && self.around.iter().zip(&other.around).all(same)
            && overlay.len() == other_overlay.len()
            && overlay.iter().zip(&other_overlay).all(same)
    }

    /// The file of that path, if it is one of those that are analyzed or stand around them.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&Arc<SourceFile>> {
        self.index.get(path, [&self.dockerfiles, &self.others, &self.around])
    }

    /// With what `around` found and read: it is known and not reported on.
    #[must_use]
    pub fn surrounded(self, around: Self) -> Self {
        let files = around.dockerfiles.into_iter().chain(around.others);
        let mut files: Vec<_> = files.filter(|file| self.file(&file.path).is_none()).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { around: files, index: index::Index::default(), ..self }
    }

    /// Whether findings in the file at `path` are to be shown: all of them, unless only a part of a project was asked for.
    #[must_use]
    pub fn is_asked(&self, path: &str) -> bool {
        self.around.is_empty()
            || self.dockerfile(path).is_some()
            || find(&self.others, path).is_some()
            || classify(path) == Some(FileKind::IgnoreFile)
    }

    /// The Dockerfile of that path.
    #[must_use]
    pub fn dockerfile(&self, path: &str) -> Option<&Arc<SourceFile>> {
        find(&self.dockerfiles, path)
    }

    /// The text of any file of the project (a manifest, a lock file), read when first asked for; `None` where there is
    /// no such file, or none that can be read.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<Arc<SourceFile>> {
        self.lookup(path).ok().flatten()
    }

    /// Whether anything was read from the file at `path`, or was to be read from it had it been there.
    #[must_use]
    pub fn has_read(&self, path: &str) -> bool {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.file(path).is_some() || read.contains_key(path) || classify(path) == Some(FileKind::Config)
    }

    fn lookup(&self, path: &str) -> ReadOnce {
        if let Some(file) = self.file(path).or_else(|| self.overlay.get(path)) {
            return Ok(Some(Arc::clone(file)));
        }
        let read = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read().get(path) {
            return known.clone();
        }
        // Not under the lock: others need not wait for the disk. Whoever answers first is believed by all.
        let answer = self.contexts.text(path);
        read().entry(path.to_owned()).or_insert(answer).clone()
    }

    /// The ignore file in force for a build of `dockerfile` (its path; `None` where it has none of its own) with the
    /// context at `directory`: `<dockerfile>.dockerignore` if there is one, else the one at the context's root.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn ignore_file(
        &self,
        directory: &str,
        dockerfile: Option<&str>,
    ) -> Result<Option<Arc<SourceFile>>, Unknown> {
        let own = dockerfile.map(own_ignore_file);
        let shared = if directory.is_empty() {
            DOCKERIGNORE.to_owned()
        } else {
            format!("{directory}/{DOCKERIGNORE}")
        };
        for path in own.into_iter().chain([shared]) {
            match self.lookup(&path) {
                Ok(None) => {}
                Ok(Some(file)) => return Ok(Some(file)),
                Err(error) => return Err(format!("{path} {error}").into()),
            }
        }
        Ok(None)
    }

    /// Whether something stands at `path`, a link included; nothing is listed or read to tell.
    #[must_use]
    pub fn may_have(&self, path: &str) -> bool {
        let below = |own: &Arc<str>| {
            own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.contexts.may_have(path) || self.overlay.keys().any(below)
    }

    /// The context at `directory` (relative to the root, `""` is the root) as a build of `dockerfile` sees it. Listed when
    /// first asked for, and once.
    ///
    /// # Errors
    ///
    /// Why the context is unknown, in a few words that follow "the context is unknown:".
    pub fn context(&self, directory: &str, dockerfile: Option<&str>) -> Result<Arc<Context>, Unknown> {
        let directory = clean_directory(directory);
        let ignore = self.ignore_file(&directory, dockerfile)?;
        let context = self.contexts.get(&directory, ignore.as_ref().map_or("", |file| &file.text))?;
        let new = self.overlay.iter().filter_map(|(path, file)| {
            let path = match directory.as_str() {
                "" => path,
                directory => path.strip_prefix(directory)?.strip_prefix('/')?,
            };
            let entry = || Entry::file(ContentId::of_bytes(file.text.as_bytes()), false);
            let is_new = context.tree().get(path).is_none() && !context.ignore().is_pruned(path);
            is_new.then(|| Change::Write(path.to_owned(), entry()))
        });
        let new: Vec<Change> = new.collect();
        Ok(if new.is_empty() { context } else { Arc::new(context.changed(&new)) })
    }

    /// Whether the `.gitignore` files from the root down to the path leave it out.
    #[must_use]
    pub fn is_git_ignored(&self, path: &str) -> bool {
        let mut ignored = false;
        let ends = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at));
        for end in ends {
            let directory = path.get(..end).unwrap_or_default();
            let file =
                if directory.is_empty() { GITIGNORE.to_owned() } else { format!("{directory}/{GITIGNORE}") };
            let Some(text) = self.text(&file) else { continue };
            let mut builder = GitignoreBuilder::new(format!("/{directory}"));
            for line in text.text.lines() {
                // A line that git cannot read either leaves nothing out.
                let _ = builder.add_line(None, line);
            }
            let Ok(rules) = builder.build() else { continue };
            match rules.matched_path_or_any_parents(format!("/{path}"), false) {
                ignore::Match::Ignore(_) => ignored = true,
                ignore::Match::Whitelist(_) => ignored = false,
                ignore::Match::None => {}
            }
        }
        ignored
    }

    /// For each of `texts` the first of `files` in which it stands; they are read and forgotten. Long files are not looked into.
    #[must_use]
    pub fn mentions(&self, files: &[String], texts: &[String]) -> Vec<Option<usize>> {
        // An open text stands for its file.
        let is_open =
            |number: &usize| files.get(*number).is_some_and(|path| self.overlay.contains_key(path.as_str()));
        let (open, closed): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(is_open);
        let mut found = if open.is_empty() {
            self.contexts.mentions(files, texts)
        } else {
            let rest: Vec<String> = closed.iter().filter_map(|number| files.get(*number).cloned()).collect();
            let found = self.contexts.mentions(&rest, texts);
            found.into_iter().map(|first| closed.get(first?).copied()).collect()
        };
        for number in open {
            let Some(file) = files.get(number).and_then(|path| self.overlay.get(path.as_str())) else {
                continue;
            };
            for (text, found) in texts.iter().zip(&mut found) {
                if found.is_none_or(|first| number < first) && file.text.contains(text.as_str()) {
                    *found = Some(number);
                }
            }
        }
        found
    }

    /// What the last commits changed; `None` where there is no git history.
    #[must_use]
    pub fn history(&self) -> Option<Arc<History>> {
        self.contexts.history()
    }

    /// The context at `directory` as a git context: no ignore file holds, and `.git` is not in it (facts §2). What git does
    /// not track is in it all the same.
    ///
    /// # Errors
    ///
    /// As [`Project::context`].
    pub fn git_context(&self, directory: &str) -> Result<Arc<Context>, Unknown> {
        let context = self.contexts.get(&clean_directory(directory), "")?;
        if context.tree().get(".git").is_none() {
            return Ok(context);
        }
        Ok(Arc::new(context.changed(&[Change::Remove(".git".to_owned())])))
    }

    /// [`Project::context`] with the files' bytes read and hashed, for questions about content that moves from one path
    /// to another. Without it, files at different paths never have equal contents.
    ///
    /// # Errors
    ///
    /// As [`Project::context`].
    pub fn hashed_context(&self, directory: &str, dockerfile: Option<&str>) -> Result<Context, Unknown> {
        let context = self.context(directory, dockerfile)?;
        Ok(self.contexts.hashed(&clean_directory(directory), &context))
    }
}

/// `.` and `./a/` as the contexts are keyed; what leads out of the root keeps its `..`.
fn clean_directory(directory: &str) -> String {
    match path::clean(directory) {
        cleaned if cleaned == "." => String::new(),
        cleaned => cleaned,
    }
}

fn find<'f>(files: &'f [Arc<SourceFile>], path: &str) -> Option<&'f Arc<SourceFile>> {
    files.binary_search_by(|file| (*file.path).cmp(path)).ok().and_then(|at| files.get(at))
}
