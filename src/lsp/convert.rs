//! Places here to places there.

use super::uri;
use crate::source::{Encoding, SourceFile, Span};
use gen_lsp_types::{Location, Position, Range, Uri};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How to say where something is.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) encoding: Encoding,
    /// The directory that paths are relative to.
    pub(super) root: &'a Path,
    /// How the editor spells the addresses of open documents.
    pub(super) open: &'a BTreeMap<PathBuf, Uri>,
}

impl Places<'_> {
    /// A span of `file`.
    pub(super) fn range(&self, file: &SourceFile, span: Span) -> Range {
        range(file, span, self.encoding)
    }

    /// The address of a path of the project.
    pub(super) fn uri(&self, path: &str) -> Uri {
        let whole = crate::project::absolute(self.root, path);
        self.open.get(&whole).cloned().unwrap_or_else(|| uri::of_path(&whole))
    }

    /// A span of `file` and where that is.
    pub(super) fn location(&self, file: &SourceFile, span: Span) -> Location {
        Location { uri: self.uri(&file.path), range: self.range(file, span) }
    }
}

/// A span of `file` in lines and columns.
pub(super) fn range(file: &SourceFile, span: Span, encoding: Encoding) -> Range {
    let at = |offset| {
        let (line, character) = file.lines().column(&file.text, offset, encoding);
        Position { line, character }
    };
    Range { start: at(span.start), end: at(span.end) }
}

/// The byte of `file` at a position.
pub(super) fn offset(file: &SourceFile, position: Position, encoding: Encoding) -> u32 {
    file.lines().offset(&file.text, position.line, position.character, encoding)
}
