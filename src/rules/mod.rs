//! The rules: one file each, a registry, and nothing shared that is not a question to the model.

mod finding;

pub use finding::*;
