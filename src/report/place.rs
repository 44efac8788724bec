//! Places as readers see them: path, lines and columns.

use super::View;
use crate::rules::Place;
use crate::source::{Position, Span};

/// A place with positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The path as it is written for the reader.
    pub path: String,
    /// The first character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

impl View<'_> {
    /// `place` as readers see it. A file that does not exist yet has only its start.
    #[must_use]
    pub fn shown(&self, place: &Place) -> Shown {
        self.shown_span(&place.path, place.span)
    }

    /// The bytes of `span` in `path` as readers see them.
    #[must_use]
    pub fn shown_span(&self, path: &str, span: Span) -> Shown {
        let start = Position { line: 1, column: 1 };
        let (start, end) = match self.report.sources.get(path) {
            Some(file) => (file.position(span.start), file.position(span.end)),
            None => (start, start),
        };
        Shown { path: (self.show)(path), start, end }
    }
}
