//! What a rule sees.

use super::words::code;
use super::{Cause, Facts, Place};
use crate::builds::{Build, Setting};
use crate::cache::{Because, Model};
use crate::context::Context;
use crate::dockerfile::Dockerfile;
use crate::graph::{Graph, StepId};
use crate::project::History;
use crate::settings::{Scope, Settings};
use crate::source::{SourceFile, Span};
use std::sync::Arc;

/// One Dockerfile and what is known of it.
#[derive(Clone, Copy)]
pub struct DockerfileCx<'a> {
    /// Path, text and line index.
    pub file: &'a SourceFile,
    /// Its syntax.
    pub syntax: &'a Dockerfile<'a>,
    /// The configuration that holds for it.
    pub settings: &'a Scope,
    /// What is worked out once per Dockerfile.
    pub facts: &'a Facts<'a>,
    /// The text of any file of the project by path, `None` where there is none.
    pub files: &'a (dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync),
    /// What stands around it.
    pub around: &'a dyn Around,
}

/// The rest of the project, as far as rules for one Dockerfile ask for it.
pub trait Around: Sync {
    /// Shows `visit` every other Dockerfile for which the ignore file of the context at `directory` may be in force, with
    /// that context. `false` where there are too many to look at.
    fn sharing(&self, path: &str, directory: &str, visit: &mut dyn FnMut(&DockerfileCx<'_>)) -> bool;

    /// For each of `texts` the first of `files`, paths of the project, in which it stands; the very first for all of them where
    /// there are too many to look at.
    fn mentions(&self, files: &[String], texts: &[String]) -> Vec<Option<usize>>;

    /// The context at `directory` as a build of the Dockerfile at `path` sees it; `None` where it cannot be listed.
    fn context(&self, path: &str, directory: &str) -> Option<Arc<Context>>;

    /// Whether something stands at the path of the project; nothing is listed or read to tell.
    fn has(&self, path: &str) -> bool;

    /// Whether a `.gitignore` leaves the path of the project out, so that something may make it.
    fn is_git_ignored(&self, path: &str) -> bool;

    /// Whether a CI file, script or recipe of the project has the name of the file at `path`, or a submodule brings it.
    fn is_named_in_builds(&self, path: &str) -> bool;

    /// What the last commits changed; `None` where there is no git history.
    fn history(&self) -> Option<Arc<History>>;
}

impl std::fmt::Debug for DockerfileCx<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("DockerfileCx").field("path", &self.file.path).finish_non_exhaustive()
    }
}

impl<'a> DockerfileCx<'a> {
    /// The path, as edits and places name it.
    #[must_use]
    pub fn path(&self) -> &'a Arc<str> {
        &self.file.path
    }

    /// The model: what runs again after a change, and why.
    #[must_use]
    pub fn model(&self) -> &'a Model<'a> {
        &self.facts.model
    }

    /// Stages and steps.
    #[must_use]
    pub fn graph(&self) -> &'a Graph<'a> {
        &self.facts.model.graph
    }

    /// Whether it belongs to somebody else's project that is kept here.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.file.path.split('/').any(|part| matches!(part, "vendor" | "third_party" | "node_modules"))
    }

    /// The 1-based line where the instruction of `step` starts.
    #[must_use]
    pub fn line_of(&self, step: StepId) -> u32 {
        self.graph().step(step).map_or(0, |step| self.line(step.instruction.span.start))
    }

    /// The text of a file of the build context, `None` where the context or the file is not known.
    #[must_use]
    pub fn context_text(&self, path: &str) -> Option<Arc<SourceFile>> {
        match self.facts.directory.as_deref()? {
            "" => (self.files)(path),
            directory => (self.files)(&format!("{directory}/{path}")),
        }
    }

    /// The model's causes as a finding shows them.
    pub fn causes(&self, because: impl IntoIterator<Item = Because>) -> Vec<Cause> {
        let cause = |because: Because| Cause {
            place: because.span.map(|span| self.place(span)),
            message: because.message(|offset| self.line(offset)),
        };
        because.into_iter().map(cause).collect()
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        &self.file.text
    }

    /// The 1-based line of byte `offset`, for messages.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        self.file.line(offset)
    }

    /// `span` as a place.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        Place { path: self.file.path.clone(), span }
    }
}

/// One build, with what it builds.
#[derive(Debug)]
pub struct BuildCx<'a> {
    /// The build.
    pub build: &'a Build,
    /// The file in which it stands.
    pub file: &'a SourceFile,
    /// The configuration that holds for that file.
    pub settings: &'a Scope,
    /// The Dockerfile that it builds, where that is in the project.
    pub dockerfile: Option<&'a DockerfileCx<'a>>,
    /// That Dockerfile with this build's target, args and context.
    pub model: Option<&'a Model<'a>>,
}

impl BuildCx<'_> {
    /// A span of the build's own file as a place.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        Place { path: self.file.path.clone(), span }
    }

    /// What people call it: its job or step with the matrix leg.
    #[must_use]
    pub fn title(&self) -> String {
        let mut title = self.build.name.join(" / ");
        if title.is_empty() {
            title = format!("the build in {}", self.file.path);
        }
        // A leg may hold whole lists, in lines of their own.
        let values = self.build.matrix.iter().map(|(_, value)| code(value, 40));
        let leg: Vec<String> = values.map(|value| value.trim_matches('`').to_owned()).collect();
        if leg.is_empty() { title } else { format!("{title} ({})", leg.join(", ")) }
    }

    /// Where a setting stands, which may be another file than the build's own.
    #[must_use]
    pub fn place_of<T>(&self, setting: &Setting<T>) -> Place {
        Place { path: setting.path.clone().unwrap_or_else(|| self.file.path.clone()), span: setting.span }
    }
}

/// Everything at once.
#[derive(Clone, Copy)]
pub struct ProjectCx<'a> {
    /// Every Dockerfile, sorted by path.
    pub dockerfiles: &'a [DockerfileCx<'a>],
    /// Every build, sorted by file and place.
    pub builds: &'a [BuildCx<'a>],
    /// Every other file that was read, sorted by path.
    pub others: &'a [Arc<SourceFile>],
    /// The configuration that holds for a path.
    pub settings: &'a Settings,
    /// The text of any file of the project by path, `None` where there is none.
    pub files: &'a (dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync),
}

impl std::fmt::Debug for ProjectCx<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ProjectCx").field("builds", &self.builds).finish_non_exhaustive()
    }
}
