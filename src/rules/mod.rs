//! The rules: one file each, a registry, and nothing shared that is not a question to the model.
//!
//! To add one: write its page `rules/NAME.md` (`rules/README.md` tells its form) with examples of what is bad and what
//! is good, run `cargo test --test rules`, which tells what is missing, write `src/rules/NAME.rs`, and add it to [`ALL`].

mod chmod_after_copy;
mod copy_without_link;
pub(crate) mod internal_error;
mod kit;
mod mutable_base;
mod mutable_download;
pub(crate) mod unused_suppression;

pub use kit::*;

/// Every rule, sorted by name. The order has no meaning; findings are sorted by place.
pub static ALL: &[&dyn Rule] = &[
    &chmod_after_copy::ChmodAfterCopy,
    &copy_without_link::CopyWithoutLink,
    &internal_error::InternalError,
    &mutable_base::MutableBase,
    &mutable_download::MutableDownload,
    &unused_suppression::UnusedSuppression,
];

/// The rule of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Rule> {
    ALL.iter().copied().find(|rule| rule.meta().name == name)
}

/// The names of all rules, in the order of [`ALL`].
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|rule| rule.meta().name)
}

/// Everything that selects rules: their names and the names of the categories.
pub fn selectors() -> impl Iterator<Item = &'static str> {
    names().chain(Category::ALL.iter().map(|category| category.name()))
}
