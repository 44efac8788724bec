//! Fixing until nothing is left to fix: choose, apply, analyze again.

use super::{Fix, Safety, apply, select};
use std::collections::BTreeMap;
use std::sync::Arc;

/// After so many rounds fixing stops; what is left then is two fixes that undo each other. Dockerfiles that share an ignore
/// file write into it one after the other, a round each.
pub const MAX_ROUNDS: usize = 40;

/// The texts of files by path. What is not in it does not exist.
pub type Texts = BTreeMap<Arc<str>, String>;

/// What fixing came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The new text of every file that changed or came to be.
    pub changed: Texts,
    /// The titles of the fixes applied, in order.
    pub applied: Vec<String>,
    /// Whether it ended because nothing was left to apply, and not at [`MAX_ROUNDS`].
    pub converged: bool,
}

/// Applies fixes that are at least `allow` until none is left. `original` gives the text of a file as it is; `analyze`
/// is given the files that have changed so far, over the originals, and answers with the fixes of every finding, in the
/// order in which they should be tried.
pub fn run(
    mut original: impl FnMut(&str) -> Option<String>,
    allow: Safety,
    mut analyze: impl FnMut(&Texts) -> Vec<Fix>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut before: Texts = Texts::new();
    for _ in 0..MAX_ROUNDS {
        let selection = select(&analyze(&outcome.changed), allow);
        let mut moved = false;
        for (path, edits) in selection.edits {
            if !before.contains_key(&path) {
                before.insert(path.clone(), original(&path).unwrap_or_default());
            }
            let old = outcome.changed.get(&path).or_else(|| before.get(&path)).map_or("", String::as_str);
            let new = apply(old, &edits);
            moved |= new != old;
            outcome.changed.insert(path, new);
        }
        if !moved {
            outcome.converged = true;
            break;
        }
        outcome.applied.extend(selection.taken);
    }
    outcome.changed.retain(|path, text| before.get(path) != Some(text));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    /// Turns each `a` into `b`, one fix per letter, all in each other's way.
    fn letters(text: &str) -> Vec<Fix> {
        let path: Arc<str> = Arc::from("f");
        let whole = Span::new(0, text.len());
        text.match_indices('a')
            .map(|_| Fix::safe("b for a").replace(&path, whole, text.replacen('a', "b", 1)))
            .collect()
    }

    #[test]
    fn fixes_in_each_others_way_are_retried_until_none_is_left() {
        let outcome = run(
            |_| Some("banana".into()),
            Safety::Safe,
            |texts| letters(texts.get("f").map_or("banana", String::as_str)),
        );
        assert_eq!(outcome.changed.get("f").map(String::as_str), Some("bbnbnb"));
        assert_eq!(outcome.applied.len(), 3);
        assert!(outcome.converged);
    }

    #[test]
    fn two_fixes_that_undo_each_other_end() {
        let path: Arc<str> = Arc::from("f");
        let outcome = run(
            |_| Some("x".into()),
            Safety::Safe,
            |texts| {
                let text = texts.get("f").map_or("x", String::as_str);
                let other = if text == "x" { "y" } else { "x" };
                vec![Fix::safe("turn").replace(&path, Span::new(0, 1), other)]
            },
        );
        assert!(!outcome.converged);
        assert_eq!(outcome.applied.len(), MAX_ROUNDS);
    }

    #[test]
    fn a_file_comes_to_be() {
        let path: Arc<str> = Arc::from(".dockerignore");
        let outcome = run(
            |_| None,
            Safety::Safe,
            |texts| match texts.get(".dockerignore") {
                Some(_) => Vec::new(),
                None => vec![Fix::safe("ignore").insert(&path, 0, ".git\n")],
            },
        );
        assert_eq!(outcome.changed.get(".dockerignore").map(String::as_str), Some(".git\n"));
    }
}
