//! Text that knows where it is written, followed there through quotes, continuations and variables.

use crate::source::{Joined, Span};
use std::ops::Range;

/// A text with its place in the build's own file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// The text: quotes and escapes removed, variables that are known followed.
    pub text: String,
    segments: Vec<Segment>,
}

/// A stretch of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Where it starts in the text.
    at: u32,
    /// Where it starts in the source.
    source: u32,
    /// `None` where text and source advance together; otherwise the source's length, all of which stands for every byte.
    atom: Option<u32>,
}

impl Placed {
    /// A text that stands for `span` as a whole.
    #[must_use]
    pub fn whole(text: impl Into<String>, span: Span) -> Self {
        let segment = Segment { at: 0, source: span.start, atom: Some(span.end.saturating_sub(span.start)) };
        Self { text: text.into(), segments: vec![segment] }
    }

    /// A text that stands at `start` exactly as it is.
    #[must_use]
    pub fn exact(text: impl Into<String>, start: u32) -> Self {
        Self { text: text.into(), segments: vec![Segment { at: 0, source: start, atom: None }] }
    }

    /// A joined text (a YAML scalar, a RUN body).
    #[must_use]
    pub fn joined(joined: &Joined<'_>) -> Self {
        let segments = joined.segments().map(|segment| Segment {
            at: segment.joined,
            source: segment.source,
            atom: None,
        });
        let mut segments: Vec<Segment> = segments.collect();
        if segments.is_empty() {
            segments.push(Segment { at: 0, source: joined.full_span().start, atom: None });
        }
        Self { text: joined.text.to_string(), segments }
    }

    /// A word of a shell or of another language with quotes, found again in `source` under `span`: what stands there and
    /// not in `text` (quotes, backslashes, continuations) is stepped over. Falls back to the whole span.
    #[must_use]
    pub fn unquoted(text: &str, source: &str, span: Span) -> Self {
        let raw = span.of(source);
        if raw == text {
            return Self::exact(text, span.start);
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut at = 0;
        let bytes = raw.as_bytes();
        let mut expected = usize::MAX;
        for (index, byte) in text.bytes().enumerate() {
            while bytes.get(at).is_some_and(|here| *here != byte && is_dropped(*here)) {
                at += 1;
            }
            if bytes.get(at) != Some(&byte) {
                return Self::whole(text, span);
            }
            if at != expected {
                let source = span.start.saturating_add(narrow(at));
                segments.push(Segment { at: narrow(index), source, atom: None });
            }
            at += 1;
            expected = at;
        }
        if segments.is_empty() {
            return Self::whole(text, span);
        }
        Self { text: text.to_owned(), segments }
    }

    /// Where the bytes `range` of the text are written.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        let (start, atom_end) = self.byte(range.start);
        if range.start >= range.end {
            return match atom_end {
                Some(end) if self.text.is_empty() => Span { start, end },
                _ => Span { start, end: start },
            };
        }
        let (last, atom_end) = self.byte(range.end - 1);
        let end = atom_end.unwrap_or(last.saturating_add(1));
        Span { start: start.min(end), end: end.max(start) }
    }

    /// Where all of the text is written.
    #[must_use]
    pub fn full_span(&self) -> Span {
        self.span(0..self.text.len())
    }

    /// The bytes `range` as a text of their own; empty where the range does not fit.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        part.push(self, range);
        if part.segments.is_empty() {
            part.segments.push(Segment { at: 0, source: self.span(0..0).start, atom: None });
        }
        part
    }

    /// Appends the bytes `range` of `other`, with their places.
    pub fn push(&mut self, other: &Self, range: Range<usize>) {
        let Some(text) = other.text.get(range.clone()) else { return };
        let base = narrow(self.text.len());
        let from = other.segments.partition_point(|segment| segment.at as usize <= range.start);
        if let Some(segment) = from.checked_sub(1).and_then(|index| other.segments.get(index)) {
            let inside = narrow(range.start).saturating_sub(segment.at);
            let source =
                if segment.atom.is_some() { segment.source } else { segment.source.saturating_add(inside) };
            self.segments.push(Segment { at: base, source, ..*segment });
        }
        let later = other.segments.iter().skip(from).take_while(|segment| (segment.at as usize) < range.end);
        let start = narrow(range.start);
        self.segments.extend(later.map(|segment| Segment { at: base + (segment.at - start), ..*segment }));
        self.text.push_str(text);
    }

    /// Appends text that stands for `span` as a whole.
    pub fn push_whole(&mut self, text: &str, span: Span) {
        self.push(&Self::whole(text, span), 0..text.len());
    }

    /// The parts between `separator`s, blanks around them left out, empty parts left out.
    pub fn split(&self, separator: impl Fn(char) -> bool) -> impl Iterator<Item = Self> {
        let mut ranges = Vec::new();
        let mut start = 0;
        for (at, ch) in self.text.char_indices() {
            if separator(ch) {
                ranges.push(start..at);
                start = at + ch.len_utf8();
            }
        }
        ranges.push(start..self.text.len());
        ranges
            .into_iter()
            .map(|range| self.slice(trimmed(&self.text, range)))
            .filter(|part| !part.text.is_empty())
    }

    /// The lines that are not empty, trimmed; comments are kept.
    pub fn lines(&self) -> impl Iterator<Item = Self> {
        self.split(|ch| ch == '\n')
    }

    /// The same text, standing for `span` as a whole: for text from another file.
    #[must_use]
    pub fn moved(&self, span: Span) -> Self {
        Self::whole(self.text.clone(), span)
    }

    /// Source offset of one byte, and the end of its place where it stands in an atom.
    fn byte(&self, at: usize) -> (u32, Option<u32>) {
        let past = at.saturating_sub(self.text.len().saturating_sub(1)).min(at);
        let (at, past) = if at >= self.text.len() { (at - past, past) } else { (at, 0) };
        let index = self.segments.partition_point(|segment| segment.at as usize <= at);
        match index.checked_sub(1).and_then(|index| self.segments.get(index)) {
            None => (0, None),
            Some(Segment { source, atom: Some(length), .. }) if past > 0 && !self.text.is_empty() => {
                (source.saturating_add(*length), None)
            }
            Some(Segment { source, atom: Some(length), .. }) => {
                (*source, Some(source.saturating_add(*length)))
            }
            Some(segment) => (segment.source.saturating_add(narrow(at + past) - segment.at), None),
        }
    }
}

impl From<&Joined<'_>> for Placed {
    fn from(joined: &Joined<'_>) -> Self {
        Self::joined(joined)
    }
}

/// `range` without the blanks at its ends.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or("");
    let start = range.start + (part.len() - part.trim_start().len());
    let end = range.start + part.trim_end().len();
    start..end.max(start)
}

fn is_dropped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\' | b'\n' | b'\r' | b' ' | b'\t' | b'$' | b'@')
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_continuations_are_stepped_over() {
        let source = "x --cache-to \"type=registry,\"'ref=a'\\\n  b y";
        let span = Span::new(13, 41);
        assert_eq!(span.of(source), "\"type=registry,\"'ref=a'\\\n  b");
        let placed = Placed::unquoted("type=registry,ref=ab", source, span);
        let at = |needle: &str| {
            let start = placed.text.find(needle).unwrap();
            placed.span(start..start + needle.len()).of(source).to_owned()
        };
        assert_eq!(at("registry"), "registry");
        assert_eq!(at("ref"), "ref");
        assert_eq!(at("ref=ab"), "ref=a'\\\n  b");
        assert_eq!(Placed::unquoted("zz", source, span).full_span(), span);
    }

    #[test]
    fn slices_and_lines_keep_their_places() {
        let source = "  a: |\n    one\n\n    two x\n";
        let root = crate::builds::yaml::parse(source).unwrap().unwrap();
        let placed = Placed::joined(root.get("a").unwrap().text().unwrap());
        let lines: Vec<_> = placed.lines().collect();
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["one", "two x"]);
        assert_eq!(lines[1].slice(4..5).full_span().of(source), "x");
        assert_eq!(lines[1].span(5..5), Span::at(source.len() - 1));
        assert_eq!(lines[1].moved(Span::new(0, 1)).slice(1..2).full_span(), Span::new(0, 1));
    }

    #[test]
    fn a_followed_variable_stands_for_its_whole_use() {
        let source = "ref=$IMAGE:cache";
        let raw = Placed::exact(source, 0);
        let mut text = raw.slice(0..4);
        text.push_whole("registry/app", Span::new(4, 10));
        text.push(&raw, 10..16);
        assert_eq!(text.text, "ref=registry/app:cache");
        assert_eq!(text.span(4..16).of(source), "$IMAGE");
        assert_eq!(text.span(4..22).of(source), "$IMAGE:cache");
        assert_eq!(text.slice(6..8).full_span().of(source), "$IMAGE");
        assert_eq!(text.span(22..22), Span::at(16));
    }
}
