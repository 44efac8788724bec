//! What a rule sees.

use super::Place;
use crate::dockerfile::Dockerfile;
use crate::settings::Scope;
use crate::source::{SourceFile, Span};
use std::sync::Arc;

/// One Dockerfile and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct DockerfileCx<'a> {
    /// Path, text and line index.
    pub file: &'a SourceFile,
    /// Its syntax.
    pub syntax: &'a Dockerfile<'a>,
    /// The configuration that holds for it.
    pub settings: &'a Scope,
}

impl<'a> DockerfileCx<'a> {
    /// The path, as edits and places name it.
    #[must_use]
    pub fn path(&self) -> &'a Arc<str> {
        &self.file.path
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

/// Everything at once.
#[derive(Clone, Copy, Debug)]
pub struct ProjectCx<'a> {
    /// Every Dockerfile, sorted by path.
    pub dockerfiles: &'a [DockerfileCx<'a>],
}
