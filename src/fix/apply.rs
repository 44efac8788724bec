//! Choosing the fixes that do not stand in each other's way, and applying their edits.

use super::{Fix, Safety};
use crate::source::Edit;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The fixes taken in one round.
#[derive(Debug, Default)]
pub struct Selection {
    /// The edits by file, each list sorted and disjoint.
    pub edits: BTreeMap<Arc<str>, Vec<Edit>>,
    /// The titles of the fixes taken, in order.
    pub taken: Vec<String>,
    /// How many were held back because they touch what another one edits; the next round sees whether they still stand.
    pub held_back: usize,
}

/// Takes every fix that is at least `allow` and whose edits touch no edit taken before it; all edits of a fix or none.
/// The earlier of two that collide wins, so the order of `fixes` decides.
pub fn select<'a>(fixes: impl IntoIterator<Item = &'a Fix>, allow: Safety) -> Selection {
    let mut selection = Selection::default();
    // Start → end, by file. Taken edits are disjoint, so that only the neighbours of a new edit can collide with it.
    let mut taken: BTreeMap<Arc<str>, BTreeMap<u32, u32>> = BTreeMap::new();
    for fix in fixes {
        if fix.safety < allow || fix.edits.is_empty() {
            continue;
        }
        let Some(own) = by_file(fix) else { continue };
        let free = own.iter().all(|(path, edits)| {
            taken.get(path).is_none_or(|spans| edits.iter().all(|edit| is_free(spans, edit)))
        });
        if !free {
            selection.held_back += 1;
            continue;
        }
        for (path, edits) in own {
            let spans = taken.entry(path.clone()).or_default();
            for edit in &edits {
                let end = spans.entry(edit.span.start).or_insert(edit.span.end);
                *end = edit.span.end.max(*end);
            }
            selection.edits.entry(path).or_default().extend(edits);
        }
        selection.taken.push(fix.title.clone());
    }
    for edits in selection.edits.values_mut() {
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    }
    selection
}

/// The fix's edits by file, sorted; `None` where two of its own edits overlap, which no fix should have.
fn by_file(fix: &Fix) -> Option<BTreeMap<Arc<str>, Vec<Edit>>> {
    let mut files: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for (path, edit) in &fix.edits {
        files.entry(path.clone()).or_default().push(edit.clone());
    }
    for edits in files.values_mut() {
        // Stable: insertions of one fix at one place keep their order.
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut pairs = edits.iter().zip(edits.iter().skip(1));
        if pairs.any(|(before, after)| before.span.end > after.span.start) {
            return None;
        }
    }
    Some(files)
}

/// Whether `edit` touches none of the taken spans. An insertion at the edge of another edit counts as touching: which
/// of the two texts comes first would be anybody's guess.
fn is_free(taken: &BTreeMap<u32, u32>, edit: &Edit) -> bool {
    let span = edit.span;
    let before = taken.range(..=span.start).next_back();
    let after = taken.range(span.start..).next();
    let clear = |(start, end): (u32, u32)| {
        let gap = start >= span.end || end <= span.start;
        let insertion = span.is_empty() || start == end;
        gap && !(insertion && (start == span.end || end == span.start))
    };
    before.into_iter().chain(after).all(|(start, end)| clear((*start, *end)))
}

/// `text` with `edits` applied. Edits that overlap an earlier one, run past the end or cut a character are skipped; a
/// selection holds none of the first kind, and no rule makes the others.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut done = 0usize;
    for edit in sorted {
        let range = edit.span.range();
        let (Some(before), Some(_)) = (text.get(done..range.start), text.get(range.clone())) else {
            continue;
        };
        out.push_str(before);
        out.push_str(&edit.text);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn fix(safety: Safety, edits: &[(&str, usize, usize, &str)]) -> Fix {
        edits.iter().fold(Fix::new("x", safety), |fix, (path, start, end, text)| {
            fix.replace(&Arc::from(*path), Span::new(*start, *end), *text)
        })
    }

    fn applied(text: &str, fixes: &[Fix], allow: Safety) -> (String, usize, usize) {
        let selection = select(fixes, allow);
        let edits = selection.edits.get("f").cloned().unwrap_or_default();
        (apply(text, &edits), selection.taken.len(), selection.held_back)
    }

    #[test]
    fn an_overlapping_fix_is_held_back_whole() {
        let fixes = [
            fix(Safety::Safe, &[("f", 0, 2, "AB")]),
            fix(Safety::Safe, &[("f", 4, 5, "E"), ("f", 1, 3, "xx")]),
            fix(Safety::Safe, &[("f", 5, 6, "F")]),
        ];
        assert_eq!(applied("abcdef", &fixes, Safety::Safe), ("ABcdeF".into(), 2, 1));
    }

    #[test]
    fn two_insertions_at_one_place_wait_for_each_other_but_those_of_one_fix_keep_their_order() {
        let one = fix(Safety::Safe, &[("f", 1, 1, "1"), ("f", 1, 1, "2")]);
        let other = fix(Safety::Safe, &[("f", 1, 1, "3")]);
        assert_eq!(applied("ab", &[one, other], Safety::Safe), ("a12b".into(), 1, 1));
    }

    #[test]
    fn an_insertion_at_the_edge_of_a_replacement_waits() {
        let replacement = fix(Safety::Safe, &[("f", 1, 3, "X")]);
        for at in [1, 3] {
            let insertion = fix(Safety::Safe, &[("f", at, at, "+")]);
            let both = [replacement.clone(), insertion.clone()];
            assert_eq!(applied("abcd", &both, Safety::Safe), ("aXd".into(), 1, 1), "at {at}");
            let turned = [insertion, replacement.clone()];
            assert_eq!(select(&turned, Safety::Safe).held_back, 1, "at {at}");
        }
    }

    #[test]
    fn unsafe_fixes_need_leave() {
        let fixes = [fix(Safety::Unsafe, &[("f", 0, 1, "A")])];
        assert_eq!(applied("ab", &fixes, Safety::Safe).0, "ab");
        assert_eq!(applied("ab", &fixes, Safety::Unsafe).0, "Ab");
    }

    #[test]
    fn a_fix_over_several_files_is_all_or_nothing() {
        let fixes = [
            fix(Safety::Safe, &[("f", 0, 1, "A")]),
            fix(Safety::Safe, &[("g", 0, 0, "new\n"), ("f", 0, 1, "B")]),
        ];
        let selection = select(&fixes, Safety::Safe);
        assert_eq!(selection.edits.keys().map(|path| &**path).collect::<Vec<_>>(), ["f"]);
    }

    #[test]
    fn an_edit_that_does_not_fit_is_skipped() {
        let cut = Edit { span: Span::new(1, 2), text: "x".into() };
        let past = Edit { span: Span::new(9, 12), text: "x".into() };
        assert_eq!(apply("é", &[cut, past]), "é");
    }
}
