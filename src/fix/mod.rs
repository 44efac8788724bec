//! Fixes: what they are, which are taken, and how edits become text.

mod apply;
pub mod instructions;
mod rounds;

pub use apply::{Selection, apply, select};
pub use rounds::{MAX_ROUNDS, Outcome, Texts, run};

use crate::source::{Edit, Span};
use std::sync::Arc;

/// Whether a fix may be applied without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// The user should look.
    Unsafe,
    /// The image's contents stay as they were; comments survive.
    Safe,
}

impl Safety {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe",
            Self::Safe => "safe",
        }
    }
}

/// A set of edits, applied all or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an imperative sentence without a full stop.
    pub title: String,
    /// Whether it may be applied unseen.
    pub safety: Safety,
    /// The edits, by file. A path that does not exist yet is created, its span being empty at 0.
    pub edits: Vec<(Arc<str>, Edit)>,
}

impl Fix {
    /// A fix that changes nothing yet.
    #[must_use]
    pub fn new(title: impl Into<String>, safety: Safety) -> Self {
        Self { title: title.into(), safety, edits: Vec::new() }
    }

    /// A fix that leaves the image's contents as they were.
    #[must_use]
    pub fn safe(title: impl Into<String>) -> Self {
        Self::new(title, Safety::Safe)
    }

    /// A fix that the user should look at.
    #[must_use]
    pub fn needs_a_look(title: impl Into<String>) -> Self {
        Self::new(title, Safety::Unsafe)
    }

    /// With the bytes of `span` in `path` replaced by `text`.
    #[must_use]
    pub fn replace(mut self, path: &Arc<str>, span: Span, text: impl Into<String>) -> Self {
        self.edits.push((path.clone(), Edit { span, text: text.into() }));
        self
    }

    /// With `text` inserted at byte `at` of `path`.
    #[must_use]
    pub fn insert(self, path: &Arc<str>, at: u32, text: impl Into<String>) -> Self {
        self.replace(path, Span { start: at, end: at }, text)
    }

    /// With the bytes of `span` in `path` removed.
    #[must_use]
    pub fn delete(self, path: &Arc<str>, span: Span) -> Self {
        self.replace(path, span, "")
    }
}
