//! Text as BuildKit sees it after it joined continuation lines, with the way back to the file.

use super::Span;
use std::borrow::Cow;
use std::ops::Range;

/// One stretch of a joined text that stands in the source as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Byte offset in the joined text where the stretch starts.
    pub joined: u32,
    /// Byte offset in the source where it starts.
    pub source: u32,
}

/// A text put together from stretches of the source (continuations removed, comment lines dropped). Borrowed, and
/// without any allocation, while it is one stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined<'a> {
    /// The joined text.
    pub text: Cow<'a, str>,
    /// Where the first stretch starts in the source.
    first: u32,
    /// The stretches after the first.
    rest: Vec<Segment>,
    /// Where the last stretch ends in the source.
    source_end: u32,
    /// Whether every stretch is what stands in the source, byte for byte.
    is_exact: bool,
}

impl<'a> Joined<'a> {
    /// A joined text of one stretch, `span` of `source`.
    #[must_use]
    pub fn whole(source: &'a str, span: Span) -> Self {
        Self {
            text: Cow::Borrowed(span.of(source)),
            first: span.start,
            rest: Vec::new(),
            source_end: span.end.max(span.start),
            is_exact: true,
        }
    }

    /// The text of several stretches of `source`, in order; empty ones are dropped.
    #[must_use]
    pub fn pieces(source: &'a str, pieces: &[Span]) -> Self {
        let mut filled = pieces.iter().filter(|piece| !piece.is_empty());
        let Some(first) = filled.next() else {
            let at = pieces.first().map_or(0, |piece| piece.start);
            return Self::whole(source, Span { start: at, end: at });
        };
        let Some(second) = filled.next() else {
            return Self::whole(source, *first);
        };
        let mut text = String::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
        text.push_str(first.of(source));
        let mut rest = Vec::with_capacity(pieces.len().saturating_sub(1));
        let mut source_end = first.end;
        for piece in std::iter::once(second).chain(filled) {
            rest.push(Segment { joined: narrow(text.len()), source: piece.start });
            text.push_str(piece.of(source));
            source_end = piece.end;
        }
        Self { text: Cow::Owned(text), first: first.start, rest, source_end, is_exact: true }
    }

    /// A decoded text (escapes, folded lines) whose bytes are led back by `segments`, in order; within one, bytes advance
    /// together. Unlike [`Joined::pieces`] a stretch may differ from the source, as an escape does.
    #[must_use]
    pub fn decoded(text: Cow<'a, str>, segments: Vec<Segment>, source_end: u32) -> Self {
        let mut rest = segments;
        let first = if rest.is_empty() { source_end } else { rest.remove(0).source };
        Self { text, first, rest, source_end, is_exact: false }
    }

    /// The stretches in order; none for the empty text.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let first = (!self.text.is_empty()).then_some(Segment { joined: 0, source: self.first });
        first.into_iter().chain(self.rest.iter().copied())
    }

    /// The stretches that begin inside the joined bytes `range`, after its first byte.
    #[must_use]
    pub fn breaks(&self, range: Range<usize>) -> &[Segment] {
        let first = self.rest.partition_point(|segment| segment.joined as usize <= range.start);
        let rest = self.rest.get(first..).unwrap_or(&[]);
        rest.get(..rest.partition_point(|segment| (segment.joined as usize) < range.end)).unwrap_or(&[])
    }

    /// The source span of the joined bytes `start..end`. A span that crosses a continuation covers it.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        if start >= end {
            let at = self.offset(start);
            return Span { start: at, end: at };
        }
        let (segment, ends) = self.stretch(start);
        if start < self.text.len() && end <= ends {
            let first = segment.source.saturating_add(narrow(start) - segment.joined);
            return Span { start: first, end: first.saturating_add(narrow(end - start)) };
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
        let (segment, _) = self.stretch(at);
        segment.source.saturating_add(narrow(at) - segment.joined)
    }

    /// The joined offset of source byte `at`; `None` where that byte is in no stretch.
    #[must_use]
    pub fn position(&self, at: u32) -> Option<usize> {
        let index = self.rest.partition_point(|segment| segment.source <= at);
        let first = Segment { joined: 0, source: self.first };
        let segment = index.checked_sub(1).and_then(|i| self.rest.get(i)).copied().unwrap_or(first);
        let end = self.rest.get(index).map_or(self.text.len(), |next| next.joined as usize);
        let position = segment.joined as usize + at.checked_sub(segment.source)? as usize;
        (position < end).then_some(position)
    }

    /// The span of the whole text in the source.
    #[must_use]
    pub fn full_span(&self) -> Span {
        Span { start: self.first, end: self.source_end.max(self.first) }
    }

    /// The text of the joined bytes `range`, borrowed from `source` (the text that this was joined from) where it
    /// lies in one stretch. Empty where the range does not fit.
    #[must_use]
    pub fn part(&self, source: &'a str, range: Range<usize>) -> Cow<'a, str> {
        match &self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or("")),
            Cow::Owned(text) => {
                let (segment, end) = self.stretch(range.start);
                let start = (segment.source as usize) + (range.start - segment.joined as usize);
                if range.end > end {
                    return Cow::Owned(text.get(range).unwrap_or("").to_owned());
                }
                self.lying(source, range.clone(), start..start + range.len())
            }
        }
    }

    /// The text of the joined bytes `range`, which lie at `there` in `source`.
    fn lying(&self, source: &'a str, range: Range<usize>, there: Range<usize>) -> Cow<'a, str> {
        let text = match &self.text {
            Cow::Borrowed(text) => return Cow::Borrowed(text.get(range).unwrap_or("")),
            Cow::Owned(text) => text.get(range).unwrap_or(""),
        };
        match source.get(there) {
            Some(there) if self.is_exact => {
                debug_assert_eq!(text, there, "joined from another text");
                Cow::Borrowed(there)
            }
            there => same(text, there),
        }
    }

    /// [`Joined::part`] and [`Joined::span`] in one. `near` is where the last one was found, for those who read on from
    /// there: 0 at first.
    #[must_use]
    pub fn placed(&self, source: &'a str, range: Range<usize>, near: &mut usize) -> (Cow<'a, str>, Span) {
        *near = self.index_near(range.start, *near);
        let (segment, end) = self.numbered(*near);
        if range.is_empty() || range.end > end {
            return (self.part(source, range.clone()), self.span(range.start, range.end));
        }
        let start = (segment.source as usize) + (range.start - segment.joined as usize);
        let there = start..start + range.len();
        let span = Span { start: narrow(there.start), end: narrow(there.end) };
        (self.lying(source, range, there), span)
    }

    /// The joined bytes `range` as a joined text of their own. `source` is the text that this was joined from.
    #[must_use]
    pub fn slice(&self, source: &'a str, range: Range<usize>) -> Self {
        let span = self.span(range.start, range.end);
        let rest = self
            .breaks(range.clone())
            .iter()
            .map(|segment| Segment { joined: segment.joined - narrow(range.start), source: segment.source })
            .collect();
        let text = self.part(source, range);
        Self { text, first: span.start, rest, source_end: span.end, is_exact: self.is_exact }
    }

    /// As [`Joined::slice`], without a copy.
    #[must_use]
    pub fn into_slice(mut self, source: &'a str, range: Range<usize>) -> Self {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        if let Cow::Borrowed(text) = self.text
            && self.rest.is_empty()
            && self.is_exact
        {
            let place = self.span(start, end);
            let text = Cow::Borrowed(text.get(start..end).unwrap_or(""));
            return Self {
                text,
                first: place.start,
                rest: Vec::new(),
                source_end: place.end,
                is_exact: true,
            };
        }
        let one = self.stretch(start).1 >= end;
        let span = self.span(start, end);
        match &mut self.text {
            Cow::Owned(text) if !one && text.is_char_boundary(start) && text.is_char_boundary(end) => {
                text.truncate(end);
                text.drain(..start);
            }
            _ => return self.slice(source, start..end),
        }
        self.rest.retain_mut(|segment| {
            let at = segment.joined as usize;
            segment.joined = segment.joined.saturating_sub(narrow(start));
            start < at && at < end
        });
        Self { first: span.start, source_end: span.end, ..self }
    }

    /// The stretch that holds joined byte `at`, and the joined offset where it ends.
    fn stretch(&self, at: usize) -> (Segment, usize) {
        self.numbered(self.rest.partition_point(|segment| segment.joined as usize <= at))
    }

    /// The stretch of that number, counted from 0, and the joined offset where it ends.
    fn numbered(&self, index: usize) -> (Segment, usize) {
        let end = self.rest.get(index).map_or(self.text.len(), |segment| segment.joined as usize);
        let first = Segment { joined: 0, source: self.first };
        (index.checked_sub(1).and_then(|i| self.rest.get(i)).copied().unwrap_or(first), end)
    }

    /// The number of the stretch that holds joined byte `at`: often `near` or the next one.
    fn index_near(&self, at: usize, near: usize) -> usize {
        let begins =
            |index: usize| index.checked_sub(1).map_or(Some(0), |i| Some(self.rest.get(i)?.joined as usize));
        let ends = |index: usize| self.rest.get(index).map_or(usize::MAX, |next| next.joined as usize);
        let holds = |index: usize| begins(index).is_some_and(|start| start <= at) && at < ends(index);
        match near {
            near if holds(near) => near,
            near if holds(near + 1) => near + 1,
            _ => self.rest.partition_point(|segment| segment.joined as usize <= at),
        }
    }
}

/// `text`, borrowed from the source if that is what stands there: it is unless the text was decoded.
fn same<'a>(text: &str, there: Option<&'a str>) -> Cow<'a, str> {
    match there.filter(|there| *there == text) {
        Some(there) => Cow::Borrowed(there),
        None => Cow::Owned(text.to_owned()),
    }
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "RUN ab \\\n  # note\n  cd\n";

    fn joined() -> Joined<'static> {
        Joined::pieces(SOURCE, &[Span::new(4, 7), Span::new(9, 9), Span::new(18, 22)])
    }

    #[test]
    fn spans_map_back_across_a_continuation() {
        let joined = joined();
        assert_eq!(joined.text, "ab   cd");
        assert_eq!(joined.span(0, 2), Span::new(4, 6));
        assert_eq!(joined.span(5, 7), Span::new(20, 22));
        assert_eq!(joined.span(1, 6), Span::new(5, 21));
        assert_eq!(joined.position(20), Some(5));
        assert_eq!([joined.position(3), joined.position(8), joined.position(22)], [None; 3]);
        assert_eq!(joined.full_span(), Span::new(4, 22));
        assert_eq!(joined.segments().count(), 2);
    }

    #[test]
    fn parts_borrow_while_they_lie_in_one_stretch() {
        let joined = joined();
        assert!(matches!(joined.part(SOURCE, 5..7), Cow::Borrowed("cd")));
        assert!(matches!(joined.part(SOURCE, 1..6), Cow::Owned(text) if text == "b   c"));
        for range in [0..2, 1..6, 5..7, 3..3, 6..9, 0..7] {
            let both = (joined.part(SOURCE, range.clone()), joined.span(range.start, range.end));
            for mut near in 0..4 {
                assert_eq!(joined.placed(SOURCE, range.clone(), &mut near), both);
            }
        }
        let slice = joined.slice(SOURCE, 1..6);
        assert_eq!((slice.text.as_ref(), slice.full_span()), ("b   c", Span::new(5, 21)));
        assert_eq!(slice.span(4, 5), Span::new(20, 21));
        assert_eq!(joined.clone().into_slice(SOURCE, 1..6), slice);
        assert_eq!(joined.clone().into_slice(SOURCE, 5..9), joined.slice(SOURCE, 5..7));
        assert_eq!(joined.slice(SOURCE, 5..7), Joined::whole(SOURCE, Span::new(20, 22)));
    }

    #[test]
    fn decoded_text_is_not_taken_for_the_source() {
        let source = "\"a\\tb\"";
        let segments = [(0, 1), (1, 2), (2, 4)].map(|(joined, source)| Segment { joined, source });
        let joined = Joined::decoded("a\tb".into(), segments.to_vec(), 5);
        let joined = Joined { text: Cow::Owned(joined.text.into_owned()), ..joined };
        assert_eq!(joined.part(source, 1..2), "\t");
        for range in [0..1, 1..2, 2..3, 0..3] {
            let both = (joined.part(source, range.clone()), joined.span(range.start, range.end));
            assert_eq!(joined.placed(source, range, &mut 0), both);
        }
        assert_eq!(joined.span(2, 3), Span::new(4, 5));
    }
}
