//! Whether two texts with variables in them may come to the same.

use super::expand::{Piece, pieces};

/// Longest text that is compared letter by letter; longer ones may be anything.
const LONGEST: usize = 512;

/// Whether two texts may be the same once their variables and expressions have values: every one of those may stand for any
/// text. Texts without them are compared as they are.
#[must_use]
pub fn may_be_same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (letters(a), letters(b));
    if a.len() > LONGEST || b.len() > LONGEST {
        return true;
    }
    // Most that differ do so before the first variable, or after the last.
    if differ(a.iter().zip(&b)) || differ(a.iter().rev().zip(b.iter().rev())) {
        return false;
    }
    // Row by row: whether the rest of `a` from here on may be the rest of `b` from each of its letters on.
    let open = |rest: &[Option<char>]| rest.iter().all(Option::is_none);
    let mut below: Vec<bool> = (0..=b.len()).map(|at| b.get(at..).is_some_and(open)).collect();
    for (index, letter) in a.iter().enumerate().rev() {
        let mut row = vec![false; b.len() + 1];
        for at in (0..=b.len()).rev() {
            let next = |row: &[bool], at: usize| row.get(at).copied().unwrap_or(false);
            let fits = match (letter, b.get(at)) {
                (None, None) => a.get(index..).is_some_and(open),
                (Some(_), None) => false,
                (Some(own), Some(Some(other))) => own == other && next(&below, at + 1),
                (_, Some(_)) => next(&below, at) || next(&row, at + 1),
            };
            if let Some(slot) = row.get_mut(at) {
                *slot = fits;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or(false)
}

/// Whether two letters differ before a variable stands in one of the texts.
fn differ<'t>(mut pairs: impl Iterator<Item = (&'t Option<char>, &'t Option<char>)>) -> bool {
    matches!(pairs.find(|(a, b)| a != b || a.is_none()), Some((Some(_), Some(_))))
}

/// The letters; `None` for a variable or expression.
fn letters(text: &str) -> Vec<Option<char>> {
    let mut letters = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => letters.extend(text.chars().take(LONGEST + 1).map(Some)),
            _ if letters.last() == Some(&None) => {}
            _ => letters.push(None),
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::may_be_same;

    #[test]
    fn variables_may_be_anything() {
        for (a, b) in [
            ("app:cache", "app:cache"),
            ("app:cache-$CI_COMMIT_REF_SLUG", "app:cache-main"),
            ("app:cache-main", "app:cache-${CI_COMMIT_REF_SLUG}"),
            ("app:$A-x", "app:cache-$B"),
            ("${{ env.TO }}", "${{ env.FROM }}"),
            ("$IMAGE:cache", "registry.example.com/app:cache"),
            ("$A", ""),
        ] {
            assert!(may_be_same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("app:cache", "app:caches"),
            ("app:cache-$CI_COMMIT_REF_SLUG", "app:main"),
            ("gha:api-$A", "gha:worker-$B"),
            ("$A-api", "$A-worker"),
            ("", "x"),
        ] {
            assert!(!may_be_same(a, b), "{a} {b}");
        }
    }
}
