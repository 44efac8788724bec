//! Which findings concern lines that were changed.

use super::Report;
use crate::rules::Place;
use similar::{DiffOp, TextDiff};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The 1-based lines of a text that differ from an older one, as sorted, disjoint, inclusive ranges. Where lines were
/// removed, the line that took their place counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchedLines(Vec<(u32, u32)>);

impl TouchedLines {
    /// Compares by lines; `None` is a file that did not exist, all of whose lines are new.
    #[must_use]
    pub fn between(old: Option<&str>, new: &str) -> Self {
        let Some(old) = old else { return Self(vec![(1, u32::MAX)]) };
        let line = |index: usize| u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        let ranges = TextDiff::from_lines(old, new).ops().to_vec().into_iter().filter_map(|op| match op {
            DiffOp::Equal { .. } => None,
            DiffOp::Delete { new_index, .. } => Some((line(new_index), line(new_index))),
            DiffOp::Insert { new_index, new_len, .. } | DiffOp::Replace { new_index, new_len, .. } => {
                Some((line(new_index), line(new_index + new_len.max(1) - 1)))
            }
        });
        Self(ranges.collect())
    }

    /// Whether any of the lines `first..=last` was touched.
    #[must_use]
    pub fn any(&self, first: u32, last: u32) -> bool {
        self.0.iter().any(|(start, end)| *start <= last && first <= *end)
    }
}

impl Report {
    /// Keeps the findings whose place, or one of whose causes, has a touched line. `touched` is asked once a file.
    pub fn keep_touched<E>(
        &mut self,
        mut touched: impl FnMut(&str) -> Result<TouchedLines, E>,
    ) -> Result<(), E> {
        let mut files: BTreeMap<Arc<str>, TouchedLines> = BTreeMap::new();
        for finding in &self.findings {
            let causes = finding.causes.iter().filter_map(|cause| cause.place.as_ref());
            for place in std::iter::once(&finding.place).chain(causes) {
                if !files.contains_key(&place.path) {
                    files.insert(place.path.clone(), touched(&place.path)?);
                }
            }
        }
        let sources = &self.sources;
        let hit = |place: &Place| {
            let lines = sources.get(&place.path).map(|file| {
                let last = place.span.end.saturating_sub(1).max(place.span.start);
                (file.line(place.span.start), file.line(last))
            });
            let (first, last) = lines.unwrap_or((1, 1));
            files.get(&place.path).is_some_and(|touched| touched.any(first, last))
        };
        self.findings.retain(|finding| {
            hit(&finding.place) || finding.causes.iter().filter_map(|cause| cause.place.as_ref()).any(hit)
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::TouchedLines;

    #[test]
    fn lines_that_differ() {
        let touched = |old: Option<&str>, new: &str| TouchedLines::between(old, new).0;
        assert_eq!(touched(Some("a\nb\nc\n"), "a\nX\nc\n"), [(2, 2)]);
        assert_eq!(touched(Some("a\nb\nc\n"), "a\nc\n"), [(2, 2)]);
        assert_eq!(touched(Some("a\n"), "a\nb\nc\n"), [(2, 3)]);
        assert_eq!(touched(Some("a\n"), "a\n"), []);
        assert!(TouchedLines::between(None, "a\n").any(1, 1));
        assert!(!TouchedLines::between(Some("a\nb\nc\nd\n"), "a\nb\nX\nd\n").any(1, 2));
    }
}
