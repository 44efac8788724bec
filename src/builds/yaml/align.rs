//! The way from a scalar's text back to its bytes in the file.

use super::Style;
use super::flow::{self, Segments};
use crate::source::{Joined, Span};
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
            (span, flow::read(source, span, text, None))
        }
        Style::Quoted => {
            let double = source.as_bytes().get(start as usize) == Some(&b'"');
            let span = Span { start, end: closing_quote(source, start, at.end, double) };
            let inner = Span { start: span.start + 1, end: span.end.saturating_sub(1) };
            let inner = Span { start: inner.start.min(inner.end), end: inner.end };
            (span, flow::read(source, inner, text, Some(if double { b'"' } else { b'\'' })))
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

/// Block text: indentation off every line, lines folded or not. Everything that is not blank stands in the source as it
/// is; a run of blanks keeps what it has in common with the source's run at both ends.
fn block<'a>(source: &'a str, span: Span, source_end: u32, text: Cow<'a, str>) -> Joined<'a> {
    let (from, to) = (source.as_bytes(), text.as_bytes());
    let end = (span.end as usize).min(from.len());
    let mut at = span.start as usize;
    let mut joined = 0;
    let mut segments = Segments::default();
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
    Joined::decoded(text, segments.into_list(), source_end.max(span.start))
}

fn blank_end(bytes: &[u8], from: usize, end: usize) -> usize {
    let run = bytes.get(from..end).unwrap_or(b"");
    from + run.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
