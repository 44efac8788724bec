//! Plain and quoted scalars: line folding and escapes (YAML 1.2.2, §5.7 and §7.3), with the way back to the file.

use crate::source::{Joined, Segment, Span};
use std::borrow::Cow;

/// The text of the plain or quoted scalar whose content stands at `span`, with its places. `text` is what the parser made of
/// it, which counts only where it is what stands there: the parser may have been given a repaired file, in which some of the
/// scalar's lines are one.
pub(super) fn read<'a>(source: &'a str, span: Span, text: Cow<'a, str>, quote: Option<u8>) -> Joined<'a> {
    let content = span.of(source);
    if content == text {
        return Joined::whole(source, span);
    }
    if text.is_empty() {
        return Joined::decoded(text, Vec::new(), span.end);
    }
    let start = span.start as usize;
    let mut out = String::with_capacity(content.len());
    let mut segments = Segments::default();
    let mut at = 0;
    while let Some(byte) = content.as_bytes().get(at).copied() {
        segments.push(out.len(), start + at);
        let rest = content.get(at..).unwrap_or("");
        if is_blank(byte) {
            let length = blanks(rest);
            let run = rest.get(..length).unwrap_or("");
            match line_ends(run) {
                0 => out.push_str(run),
                1 => out.push(' '),
                more => out.extend(std::iter::repeat_n('\n', more - 1)),
            }
            at += length;
        } else if byte == b'\\' && quote == Some(b'"') {
            let after = rest.get(1..).unwrap_or("");
            if after.starts_with(['\n', '\r']) {
                let length = blanks(after);
                let lines = line_ends(after.get(..length).unwrap_or(""));
                out.extend(std::iter::repeat_n('\n', lines.saturating_sub(1)));
                at += 1 + length;
            } else {
                let (ch, length) = escaped(after);
                out.push(ch);
                at += 1 + length;
            }
        } else if byte == b'\'' && quote == Some(byte) {
            out.push('\'');
            at += 2;
        } else {
            let special = |byte: &u8| is_blank(*byte) || matches!(byte, b'\\' | b'\'');
            let length = rest.bytes().skip(1).take_while(|byte| !special(byte)).count() + 1;
            out.push_str(rest.get(..length).unwrap_or(""));
            at += length;
        }
    }
    Joined::decoded(Cow::Owned(out), segments.into_list(), span.end)
}

/// What the escape stands for whose text after the backslash `rest` begins with, and how many bytes that has.
fn escaped(rest: &str) -> (char, usize) {
    let first = rest.chars().next().unwrap_or('\\');
    let digits = match first {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    let ch = match first {
        '0' => '\0',
        'a' => '\x07',
        'b' => '\x08',
        't' => '\t',
        'n' => '\n',
        'v' => '\x0b',
        'f' => '\x0c',
        'r' => '\r',
        'e' => '\x1b',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' | 'u' | 'U' => {
            let code = rest.get(1..=digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        other => other,
    };
    (ch, (first.len_utf8() + digits).min(rest.len()))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn blanks(text: &str) -> usize {
    text.bytes().take_while(|byte| is_blank(*byte)).count()
}

/// The line ends in `run`: `\n`, `\r\n` or `\r`.
fn line_ends(run: &str) -> usize {
    let bytes = run.as_bytes();
    let ends = |at: usize| match bytes.get(at) {
        Some(b'\n') => true,
        Some(b'\r') => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..bytes.len()).filter(|at| ends(*at)).count()
}

/// Collects segments; neighbours that continue each other become one.
#[derive(Default)]
pub(super) struct Segments {
    list: Vec<Segment>,
}

impl Segments {
    pub(super) fn push(&mut self, joined: usize, source: usize) {
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

    pub(super) fn into_list(self) -> Vec<Segment> {
        self.list
    }
}
