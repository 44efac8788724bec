//! One build, as the model is asked about it.

use super::definition::Definition;
use super::digest::Digest;
use crate::context::Tree;
use crate::graph::StepId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The files of a build context as the builder sees them (ignored ones left out).
#[derive(Clone, Debug)]
pub enum Files {
    /// All of them.
    Known(Arc<Tree>),
    /// Nothing is known but which paths were edited since the store's first build.
    Unknown {
        /// Edited paths, relative to the context.
        edits: Arc<[String]>,
    },
}

impl Default for Files {
    fn default() -> Self {
        Self::Unknown { edits: Arc::new([]) }
    }
}

/// What a download or a repository gives at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Identity of the bytes, or of the commit.
    pub content: Digest,
    /// `Last-Modified`, empty where the server sends none.
    pub modified: String,
}

/// A build.
#[derive(Clone, Debug)]
pub struct Build<'b> {
    /// Its operations.
    pub definition: &'b Definition,
    /// The builder's name. A name that did not occur before is a fresh builder with an empty cache.
    pub builder: &'b str,
    /// The build context.
    pub context: Files,
    /// Named contexts that are directories.
    pub contexts: BTreeMap<String, Files>,
    /// Downloads and repositories, by address. Others are told apart by their address.
    pub remotes: BTreeMap<String, Remote>,
    /// Refs to import.
    pub imports: Vec<String>,
    /// What is exported after it.
    pub exports: Vec<Export>,
    /// Whether the image is pushed, so that its layers exist compressed when caches are exported.
    pub pushed: bool,
    /// The step at which it fails, for a build that is known to. What ran before stays cached, nothing is exported.
    pub fails_at: Option<StepId>,
}

impl<'b> Build<'b> {
    /// A build on `builder` without imports, exports or known files.
    #[must_use]
    pub fn new(definition: &'b Definition, builder: &'b str) -> Self {
        Self {
            definition,
            builder,
            context: Files::default(),
            contexts: BTreeMap::new(),
            remotes: BTreeMap::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            pushed: false,
            fails_at: None,
        }
    }

    pub(super) fn files(&self, name: Option<&str>) -> Files {
        match name {
            None => self.context.clone(),
            Some(name) => self.contexts.get(name).cloned().unwrap_or_default(),
        }
    }

    pub(super) fn remote(&self, url: &str) -> Remote {
        let unknown = || Remote { content: Digest::of("remote", &[url.as_bytes()]), modified: String::new() };
        self.remotes.get(url).cloned().unwrap_or_else(unknown)
    }
}

/// A cache export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The ref that it replaces: a registry reference, a directory, a gha scope, for inline the pushed image.
    pub to: String,
    /// What it holds.
    pub mode: ExportMode,
}

/// Which results an export holds. All keys are in every one (facts §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportMode {
    /// Those whose layers are in the image.
    Inline,
    /// The image's layers, and what is compressed already.
    Min,
    /// All.
    Max,
}
