//! What a rule reports: plain data, independent of any output format.

use crate::fix::Fix;
use crate::settings::Severity;
use crate::source::Span;
use std::sync::Arc;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// What re-runs because of where it stands.
    Order,
    /// Cache mounts.
    Mount,
    /// What a COPY takes that it need not.
    Context,
    /// Remote caches.
    Export,
    /// Where the cache lives.
    Builder,
    /// hitrate itself: suppressions that suppress nothing, and rules that failed.
    Hitrate,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 6] =
        [Self::Order, Self::Mount, Self::Context, Self::Export, Self::Builder, Self::Hitrate];

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Mount => "mount",
            Self::Context => "context",
            Self::Export => "export",
            Self::Builder => "builder",
            Self::Hitrate => "hitrate",
        }
    }
}

/// A place in a file of the project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path relative to the project's root, with `/`.
    pub path: Arc<str>,
    /// Bytes in that file.
    pub span: Span,
}

/// One rule's report.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// The rule's category.
    pub category: Category,
    /// Severity after configuration.
    pub severity: Severity,
    /// The concrete cost in this file.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The text that has to change.
    pub place: Place,
    /// The chain of causes, nearest first.
    pub causes: Vec<Cause>,
    /// The edits that mend it.
    pub fix: Option<Fix>,
}

/// One link of a cause chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Where; `None` for a cause outside any file that was read.
    pub place: Option<Place>,
    /// What happens there.
    pub message: String,
}
