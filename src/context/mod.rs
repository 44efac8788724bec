//! Build contexts: `.dockerignore` with BuildKit's exact semantics, the files of a context as plain data, and what a
//! COPY, ADD or bind mount takes of them, with the digest that enters the cache key.
//!
//! Nothing here touches the disk; `project` fills a [`Tree`] from a work tree or a git tree.

mod digest;
mod directory;
mod expression;
mod glob;
mod go_match;
mod ignore;
pub mod path;
mod pattern;
pub mod place;
pub mod select;
mod tree;
mod view;

pub use digest::{ContentId, Digest};
pub use directory::Branch;
pub use go_match::{BadPattern, go_match, has_wildcards};
pub use ignore::{
    Above, DOCKERIGNORE, Decision, Ignore, IgnoreError, IgnoreErrorReason, IgnorePattern, own_ignore_file,
};
pub use pattern::{Pattern, PatternError, Variant, slashes};
pub use select::{CopySelection, SelectError};
pub use tree::{DEFAULT_DIRECTORY_MODE, Entry, File, Tree};
pub use view::{Change, Context, Usage};
