//! `unused-suppression`: a comment that suppresses nothing. The engine reports it, since only it knows what was found.

use super::{Category, Fixable, Meta, Rule, Safety, Severity};

/// What the engine reports with.
pub(crate) static META: Meta = Meta {
    name: "unused-suppression",
    category: Category::Hitrate,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Always(Safety::Safe),
    docs: include_str!("../../rules/unused-suppression.md"),
};

/// See the page.
pub(super) struct UnusedSuppression;

impl Rule for UnusedSuppression {
    fn meta(&self) -> &'static Meta {
        &META
    }
}
