//! Text as BuildKit sees it after it joined continuation lines, with the way back to the file.

use super::Span;
use std::borrow::Cow;

/// One stretch of a joined text that stands in the source as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Byte offset in the joined text where the stretch starts.
    pub joined: u32,
    /// Byte offset in the source where it starts.
    pub source: u32,
}

/// A text put together from stretches of the source (continuations removed, comment lines dropped). Borrowed while it
/// is one stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined<'a> {
    /// The joined text.
    pub text: Cow<'a, str>,
    /// The stretches in order; empty for the empty text. A single stretch costs no allocation beyond this list.
    pub segments: Vec<Segment>,
    /// Where the last stretch ends in the source.
    pub source_end: u32,
}

impl<'a> Joined<'a> {
    /// A joined text of one stretch, `span` of `source`.
    #[must_use]
    pub fn whole(source: &'a str, span: Span) -> Self {
        let segments = vec![Segment { joined: 0, source: span.start }];
        Self { text: Cow::Borrowed(span.of(source)), segments, source_end: span.end }
    }

    /// The source span of the joined bytes `start..end`. A span that crosses a continuation covers it.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        if start >= end {
            let at = self.offset(start);
            return Span { start: at, end: at };
        }
        let first = self.offset(start);
        let last = self.offset(end - 1).saturating_add(1);
        Span { start: first, end: last.max(first) }
    }

    /// The source offset of one joined byte; the end of the last stretch for offsets past it.
    #[must_use]
    pub fn offset(&self, at: usize) -> u32 {
        if at >= self.text.len() {
            return self.source_end;
        }
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let index = self.segments.partition_point(|segment| segment.joined <= at);
        match index.checked_sub(1).and_then(|i| self.segments.get(i)) {
            Some(segment) => segment.source + (at - segment.joined),
            None => self.source_end,
        }
    }

    /// The span of the whole text in the source.
    #[must_use]
    pub fn full_span(&self) -> Span {
        let start = self.segments.first().map_or(self.source_end, |segment| segment.source);
        Span { start, end: self.source_end.max(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_map_back_across_a_continuation() {
        let joined = Joined {
            text: Cow::Owned("ab cd".into()),
            segments: vec![Segment { joined: 0, source: 10 }, Segment { joined: 3, source: 20 }],
            source_end: 22,
        };
        assert_eq!(joined.span(0, 2), Span::new(10, 12));
        assert_eq!(joined.span(3, 5), Span::new(20, 22));
        assert_eq!(joined.span(1, 4), Span::new(11, 21));
        assert_eq!(joined.full_span(), Span::new(10, 22));
    }
}
