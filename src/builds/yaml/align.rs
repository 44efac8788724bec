//! The way from a scalar's text back to its bytes in the file.

use super::Style;
use crate::source::{Joined, Segment, Span};
use std::borrow::Cow;

/// The node's span and its text with the way back. `at` is the parser's span, which starts at an anchor or tag if there is
/// one (`properties`).
pub(super) fn scalar<'a>(
    source: &'a str,
    at: Span,
    text: Cow<'a, str>,
    style: Style,
    properties: bool,
) -> (Span, Joined<'a>) {
    let start = if properties { skip_properties(source, at.start) } else { at.start };
    let start = start.min(at.end);
    match style {
        Style::Plain => {
            let span = trim(source, Span { start, end: at.end });
            // An empty value has an empty span, even where a property stands before it.
            let span = if text.is_empty() { Span { start: span.start, end: span.start } } else { span };
            (span, flow(source, span, text, false, false))
        }
        Style::Quoted => {
            let double = source.as_bytes().get(start as usize) == Some(&b'"');
            let span = Span { start, end: closing_quote(source, start, at.end, double) };
            let inner = Span { start: span.start + 1, end: span.end.saturating_sub(1) };
            let inner = Span { start: inner.start.min(inner.end), end: inner.end };
            (span, flow(source, inner, text, double, !double))
        }
        Style::Literal | Style::Folded => {
            let start = if properties { after_line(source, start, at.end) } else { start };
            let span = trim(source, Span { start, end: at.end });
            let whole = Span { start, end: at.end };
            (span, block(source, whole, span.end, text))
        }
    }
}

/// The offset after the quote that closes the one at `start`; the parser's end may take in what follows on the line.
fn closing_quote(source: &str, start: u32, end: u32, double: bool) -> u32 {
    let quote = if double { b'"' } else { b'\'' };
    let inside = source.as_bytes().get(start as usize..end as usize).unwrap_or(b"");
    let mut at = 1;
    while let Some(byte) = inside.get(at) {
        match byte {
            b'\\' if double => at += 2,
            byte if *byte == quote && !double && inside.get(at + 1) == Some(&quote) => at += 2,
            byte if *byte == quote => return start + u32::try_from(at + 1).unwrap_or(0),
            _ => at += 1,
        }
    }
    end
}

/// The offset after `&anchor` and `!tag`, blanks and line ends.
pub(super) fn skip_properties(source: &str, start: u32) -> u32 {
    let bytes = source.as_bytes();
    let mut at = start as usize;
    loop {
        match bytes.get(at) {
            Some(b'&' | b'!') => {
                while bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    at += 1;
                }
            }
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b'#') => at += bytes.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)).unwrap_or(1),
            _ => return u32::try_from(at).unwrap_or(start),
        }
    }
}

fn after_line(source: &str, start: u32, end: u32) -> u32 {
    let rest = source.as_bytes().get(start as usize..end as usize).unwrap_or(b"");
    memchr::memchr(b'\n', rest).map_or(end, |at| start + u32::try_from(at + 1).unwrap_or(0))
}

/// The span without blanks and line ends at its end and start.
fn trim(source: &str, span: Span) -> Span {
    let inside = span.of(source);
    let end = span.start as usize + inside.trim_end().len();
    let start = span.start as usize + (inside.len() - inside.trim_start().len());
    Span::new(start.min(end), end)
}

/// Collects segments; neighbours that continue each other become one.
struct Segments {
    list: Vec<Segment>,
}

impl Segments {
    fn push(&mut self, joined: usize, source: usize) {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let segment = Segment { joined: narrow(joined), source: narrow(source) };
        if let Some(last) = self.list.last_mut() {
            if last.joined == segment.joined {
                *last = segment;
                return;
            }
            if segment.source.wrapping_sub(last.source) == segment.joined - last.joined {
                return;
            }
        }
        self.list.push(segment);
    }
}

/// Plain and quoted text: line folding and escapes.
fn flow<'a>(source: &'a str, span: Span, text: Cow<'a, str>, double: bool, single: bool) -> Joined<'a> {
    if span.of(source) == text {
        return Joined::whole(source, span);
    }
    let bytes = source.as_bytes();
    let end = (span.end as usize).min(bytes.len());
    let mut at = span.start as usize;
    let mut joined = 0;
    let mut segments = Segments { list: Vec::new() };
    let length =
        |joined: usize| text.get(joined..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
    while joined < text.len() && at < end {
        segments.push(joined, at);
        let byte = bytes.get(at).copied().unwrap_or(0);
        if double && byte == b'\\' {
            let next = bytes.get(at + 1).copied().unwrap_or(0);
            if next == b'\n' || next == b'\r' {
                at = blank_end(bytes, at + 1, end);
                continue;
            }
            at += match next {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 2,
            };
            joined += length(joined);
        } else if single && byte == b'\'' {
            at += 2;
            joined += 1;
        } else if byte.is_ascii_whitespace() {
            let after = blank_end(bytes, at, end);
            let lines = bytes.get(at..after).map_or(0, |run| memchr::memchr_iter(b'\n', run).count());
            joined += match lines {
                0 => after - at,
                1 => 1,
                more => more - 1,
            };
            at = after;
        } else {
            let run = bytes.get(at..end).unwrap_or(b"");
            let plain = |byte: &u8| !byte.is_ascii_whitespace() && !matches!(byte, b'\\' | b'\'');
            let run = run.iter().take_while(|byte| plain(byte)).count().max(1);
            at += run;
            joined += run;
        }
    }
    if segments.list.is_empty() && !text.is_empty() {
        segments.push(0, span.start as usize);
    }
    Joined::decoded(text, segments.list, span.end)
}

/// Block text: indentation off every line, lines folded or not. Everything that is not blank stands in the source as it
/// is; a run of blanks keeps what it has in common with the source's run at both ends.
fn block<'a>(source: &'a str, span: Span, source_end: u32, text: Cow<'a, str>) -> Joined<'a> {
    let (from, to) = (source.as_bytes(), text.as_bytes());
    let end = (span.end as usize).min(from.len());
    let mut at = span.start as usize;
    let mut joined = 0;
    let mut segments = Segments { list: Vec::new() };
    while joined < to.len() {
        let source_run = blank_end(from, at, end);
        let text_run = blank_end(to, joined, to.len());
        let here = from.get(at..source_run).unwrap_or(b"");
        let wanted = to.get(joined..text_run).unwrap_or(b"");
        let shared = here.iter().rev().zip(wanted.iter().rev()).take_while(|(a, b)| a == b).count();
        let (before, tail) = (wanted.len() - shared, shared);
        if before > 0 {
            segments.push(joined, at);
        }
        if tail > 0 {
            segments.push(joined + before, source_run - tail);
        }
        at = source_run;
        joined = text_run;
        let word =
            to.get(joined..).map_or(0, |rest| rest.iter().take_while(|b| !b.is_ascii_whitespace()).count());
        if word > 0 {
            segments.push(joined, at);
        }
        at = (at + word).min(end);
        joined += word;
    }
    Joined::decoded(text, segments.list, source_end.max(span.start))
}

fn blank_end(bytes: &[u8], from: usize, end: usize) -> usize {
    let run = bytes.get(from..end).unwrap_or(b"");
    from + run.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
