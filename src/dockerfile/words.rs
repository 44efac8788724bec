//! Splitting arguments into words (`parser/line_parsers.go`).

use std::ops::Range;

/// The blanks of BuildKit's `reWhitespace`.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0B | 0x0C | b'\r' | b' ')
}

/// Where the word that begins at `from` ends and the next one begins, words being split by [`is_blank`].
pub(super) fn cut(text: &str, from: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let rest = bytes.get(from..).unwrap_or(&[]);
    let end = rest.iter().position(|byte| is_blank(*byte)).map_or(bytes.len(), |len| from + len);
    let rest = bytes.get(end..).unwrap_or(&[]);
    let next = rest.iter().position(|byte| !is_blank(*byte)).map_or(bytes.len(), |len| end + len);
    (end, next)
}

/// Splits trimmed text at blanks, quotes meaning nothing (FROM, EXPOSE, COPY, ADD, VOLUME).
pub(super) fn blank_separated(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        let (end, next) = cut(text, at);
        let word = at..end;
        at = next;
        Some(word)
    })
}

/// Splits text at blanks outside quotes; quotes and escapes stay (`parseWords`: ENV, LABEL, ARG).
pub(super) fn quoted(text: &str, escape: char) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut chars = text.char_indices();
    let mut start = None;
    let mut quote = None;
    let mut finish = |start: Option<usize>, end: usize| {
        if let Some(start) = start.filter(|start| *start < end) {
            words.push(start..end);
        }
    };
    while let Some((at, c)) = chars.next() {
        if start.is_none() {
            if c.is_whitespace() {
                continue;
            }
            start = Some(at);
        }
        // Single quotes know no escape, and one at the very end is dropped.
        if c == escape && quote != Some('\'') {
            if chars.next().is_none() {
                finish(start.take(), at);
            }
            continue;
        }
        match quote {
            None if c.is_whitespace() => finish(start.take(), at),
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    finish(start, text.len());
    words
}
