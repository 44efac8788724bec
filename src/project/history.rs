//! What commits changed.

use super::git::Git;
use std::path::Path;

/// How many commits are looked at.
const MAX_COMMITS: usize = 200;

/// The last commits of a repository, merges left out, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The paths that each changed, relative to the root.
    pub commits: Vec<Vec<String>>,
}

impl History {
    /// The history of the repository whose root is `root`; `None` where there is none.
    pub(super) fn of(root: &Path) -> Option<Self> {
        if !root.join(".git").exists() {
            return None;
        }
        let commits = Git::open(root).ok()?.changed_paths(MAX_COMMITS).ok()?;
        (!commits.is_empty()).then_some(Self { commits })
    }
}
