//! `internal-error`: a rule that failed. The engine reports it.

use super::{Category, Fixable, Meta, Rule, Severity};

/// What the engine reports with when a rule panics.
pub(crate) static META: Meta = Meta {
    name: "internal-error",
    category: Category::Hitrate,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/internal-error.md"),
};

/// See the page.
pub(super) struct InternalError;

impl Rule for InternalError {
    fn meta(&self) -> &'static Meta {
        &META
    }
}
