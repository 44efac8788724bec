//! What a rule reports: plain data, independent of any output format.

use crate::source::{Edit, Span};
use std::sync::Arc;

/// How much a finding matters.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An opportunity.
    Info,
    /// Time is lost on typical changes.
    Warning,
    /// The build is wrong or loses data, or caching silently does nothing.
    Error,
}

impl Severity {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

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
}

impl Category {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Mount => "mount",
            Self::Context => "context",
            Self::Export => "export",
            Self::Builder => "builder",
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

/// Whether a fix may be applied without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// The user should look.
    Unsafe,
    /// The image's contents stay as they were; comments survive.
    Safe,
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
