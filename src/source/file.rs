//! One file's text with its path and line index.

use super::{LineIndex, Position, Span};
use std::sync::{Arc, OnceLock};

/// A text that is analyzed.
#[derive(Debug)]
pub struct SourceFile {
    /// Path relative to the project's root, with `/`.
    pub path: Arc<str>,
    /// The whole text, at most [`super::MAX_FILE_BYTES`].
    pub text: String,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    /// A file of this path and text.
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), lines: OnceLock::new() }
    }

    /// The line index, made on first use: files without findings never pay for it.
    #[must_use]
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// The 1-based line of byte `offset`.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        self.lines().line(offset)
    }

    /// The position of byte `offset`, columns in characters.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        self.lines().position(&self.text, offset)
    }

    /// The text of the 1-based `line` without its line end.
    #[must_use]
    pub fn line_text(&self, line: u32) -> &str {
        let lines = self.lines();
        let text = self.text.get(lines.start(line) as usize..lines.start(line.saturating_add(1)) as usize);
        text.unwrap_or("").trim_end_matches(['\n', '\r'])
    }

    /// The text under `span`.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        span.of(&self.text)
    }
}

impl Clone for SourceFile {
    fn clone(&self) -> Self {
        Self::new(self.path.clone(), self.text.clone())
    }
}
