//! The edits that make one text out of another.

use crate::source::{Edit, Span};
use similar::{DiffOp, TextDiff};

/// The lines of `old` that are to be replaced, and by what, so that it becomes `new`.
#[must_use]
pub fn line_edits(old: &str, new: &str) -> Vec<Edit> {
    let starts = |text: &str| -> Vec<usize> {
        let mut starts = vec![0];
        starts.extend(text.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        }));
        starts
    };
    let (old_starts, new_starts) = (starts(old), starts(new));
    let bytes = |starts: &[usize], index: usize, len: usize| {
        let end = starts.last().copied().unwrap_or(0);
        let at = |index: usize| starts.get(index).copied().unwrap_or(end);
        at(index)..at(index + len)
    };
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&lines(old), &lines(new));
    let edits = diff.ops().iter().filter_map(|op| {
        let (old_at, old_len, new_at, new_len) = match *op {
            DiffOp::Equal { .. } => return None,
            DiffOp::Delete { old_index, old_len, new_index } => (old_index, old_len, new_index, 0),
            DiffOp::Insert { old_index, new_index, new_len } => (old_index, 0, new_index, new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                (old_index, old_len, new_index, new_len)
            }
        };
        let span = bytes(&old_starts, old_at, old_len);
        let text = new.get(bytes(&new_starts, new_at, new_len)).unwrap_or("").to_owned();
        Some(Edit { span: Span::new(span.start, span.end), text })
    });
    edits.collect()
}

/// The lines with their ends; only `\n` ends one.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::line_edits;
    use crate::fix::apply;

    #[test]
    fn the_edits_make_the_new_text_and_touch_only_the_lines_that_differ() {
        for (old, new, count) in [
            ("a\nb\nc\n", "a\nX\nc\n", 1),
            ("a\nb\nc\nd\n", "b\nc\nY\nd\n", 2),
            ("a\r\nb", "a\r\nb\r\n", 1),
            ("", "new\n", 1),
            ("gone\n", "", 1),
            ("same\rsame\n", "same\rsame\n", 0),
        ] {
            let edits = line_edits(old, new);
            assert_eq!(apply(old, &edits), new);
            assert_eq!(edits.len(), count, "{old:?} {new:?}");
        }
    }
}
