//! The `--name[=value]` flags between a keyword and its arguments: reading them (`parser/split_command.go`,
//! `extractBuilderFlags`) and checking them against what the instruction takes (`instructions/bflag.go`).
//!
//! BuildKit reads flags byte by byte and so garbles text that is not ASCII; here a character stays what it is.

use super::instruction::Context;
use super::{Flag, Problem, Word, suggest};
use crate::source::Joined;
use std::borrow::Cow;

/// Reads the flags in the bytes `from..end` of `line`; returns them and where the arguments begin.
pub(super) fn read<'a>(
    context: Context<'a>,
    line: &Joined<'a>,
    from: usize,
    end: usize,
) -> (Vec<Flag<'a>>, usize) {
    let text = line.text.get(..end).unwrap_or("");
    let mut flags = Vec::new();
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let blanks = rest.bytes().position(|byte| !is_blank(byte.into())).unwrap_or(rest.len());
        let trimmed = rest.get(blanks..).unwrap_or("");
        let start = text.len() - trimmed.len();
        if !trimmed.starts_with("--") {
            return (flags, start);
        }
        let word = scan(trimmed, context.escape);
        at = start + word.end;
        if word.is(trimmed, "--") {
            return (flags, at);
        }
        flags.push(word.flag(context, line, start, trimmed));
    }
}

/// What splits flags: only ASCII.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0B'
}

/// One flag as it was scanned: offsets are relative to its start.
struct Scanned {
    end: usize,
    /// The `=` that splits name and value.
    equals: Option<usize>,
    /// The text without quotes and escapes, if it has any, and where its `=` is.
    unquoted: Option<String>,
}

impl Scanned {
    fn is(&self, text: &str, other: &str) -> bool {
        self.unquoted.as_deref().unwrap_or(text.get(..self.end).unwrap_or("")) == other
    }

    fn flag<'a>(self, context: Context<'a>, line: &Joined<'a>, start: usize, text: &str) -> Flag<'a> {
        let span = line.span(start, start + self.end);
        let Some(unquoted) = self.unquoted else {
            let name_end = self.equals.unwrap_or(self.end);
            let value = self.equals.map(|equals| {
                let (from, to) = (start + equals + 1, start + self.end);
                Word { text: line.part(context.source, from..to), span: line.span(from, to) }
            });
            let name = line.part(context.source, start + 2..start + name_end.max(2));
            return Flag { span, name, value };
        };
        let (name, value) = match unquoted.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (unquoted.as_str(), None),
        };
        let name = Cow::Owned(name.strip_prefix("--").unwrap_or(name).to_owned());
        let value = value.map(|value| {
            let raw = text.get(..self.end).unwrap_or("");
            let from = start + raw.find('=').map_or(self.end, |equals| equals + 1);
            Word { text: Cow::Owned(value.to_owned()), span: line.span(from, start + self.end) }
        });
        Flag { span, name, value }
    }
}

/// Scans the flag at the start of `text`.
fn scan(text: &str, escape: char) -> Scanned {
    let bytes = text.as_bytes();
    let special =
        |byte: &u8| is_blank(char::from(*byte)) || matches!(byte, b'\'' | b'"') || *byte == escape as u8;
    let end = bytes.iter().position(special).unwrap_or(bytes.len());
    if bytes.get(end).is_some_and(|byte| !is_blank((*byte).into())) {
        return scan_quoted(text, escape);
    }
    let equals = bytes.iter().take(end).position(|byte| *byte == b'=');
    Scanned { end, equals, unquoted: None }
}

/// The same where there are quotes or escapes in it.
fn scan_quoted(text: &str, escape: char) -> Scanned {
    let mut chars = text.char_indices();
    let mut equals = None;
    let mut unquoted: Option<String> = None;
    let mut quote = None;
    let mut end = text.len();
    while let Some((at, c)) = chars.next() {
        let so_far = || text.get(..at).unwrap_or("").to_owned();
        match quote {
            None if is_blank(c) => {
                end = at;
                break;
            }
            None if c == '\'' || c == '"' => {
                unquoted.get_or_insert_with(so_far);
                quote = Some(c);
            }
            Some(open) if c == open => quote = None,
            _ if c == escape => {
                let taken = unquoted.get_or_insert_with(so_far);
                // At the end of the line it stands for nothing.
                match chars.next() {
                    Some((_, next)) => taken.push(next),
                    None => break,
                }
            }
            _ => {
                if c == '=' && equals.is_none() {
                    equals = Some(at);
                }
                if let Some(taken) = &mut unquoted {
                    taken.push(c);
                }
            }
        }
    }
    Scanned { end, equals, unquoted }
}

/// The offsets of the bytes that stay when quotes and escapes are removed from the flag at the start of `text`.
pub(super) fn kept(text: &str, escape: char) -> impl Iterator<Item = usize> {
    let mut chars = text.char_indices();
    let mut quote = None;
    let next = move || {
        loop {
            let (at, c) = chars.next()?;
            match quote {
                None if is_blank(c) => return None,
                None if c == '\'' || c == '"' => quote = Some(c),
                Some(open) if c == open => quote = None,
                _ if c == escape => {
                    let (at, c) = chars.next()?;
                    return Some(at..at + c.len_utf8());
                }
                _ => return Some(at..at + c.len_utf8()),
            }
        }
    };
    std::iter::from_fn(next).flatten()
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, `true` or `false`.
    Bool,
    /// A value, once.
    Text,
    /// A value, as often as wanted.
    Texts,
}

/// Checks `flags` against the names in `known`, in BuildKit's order and words.
pub(super) fn check(flags: &[Flag<'_>], known: &[(&str, Takes)], problems: &mut Vec<Problem>) {
    let mut seen = 0u32;
    for flag in flags {
        let name = flag.name.as_ref();
        let mut problem = |message: String| {
            problems.push(Problem { span: flag.span, message: Cow::Owned(message) });
        };
        let Some((index, (_, takes))) = known.iter().enumerate().find(|(_, (known, _))| *known == name)
        else {
            problem(match suggest::nearest(name, known.iter().map(|(known, _)| *known)) {
                Some(near) => format!("unknown flag: --{name} (did you mean {near}?)"),
                None => format!("unknown flag: --{name}"),
            });
            continue;
        };
        if *takes != Takes::Texts && seen & (1 << index) != 0 {
            problem(format!("duplicate flag specified: --{name}"));
        }
        seen |= 1 << index;
        match (takes, flag.value.as_ref().map(|value| value.text.as_ref())) {
            (Takes::Bool, Some("")) | (Takes::Text | Takes::Texts, None) => {
                problem(format!("missing a value on flag: --{name}"));
            }
            (Takes::Bool, Some(value)) if bool_value(value).is_none() => {
                problem(format!("expecting boolean value for flag --{name}, not: {value}"));
            }
            _ => {}
        }
    }
}

/// The value of a boolean flag that has one.
fn bool_value(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The value of the text flag `name`.
pub(super) fn text<'a>(flags: &[Flag<'a>], name: &str) -> Option<Word<'a>> {
    texts(flags, name).next()
}

/// The values of every `name`.
pub(super) fn texts<'f, 'a>(
    flags: &'f [Flag<'a>],
    name: &'f str,
) -> impl Iterator<Item = Word<'a>> + use<'f, 'a> {
    flags.iter().filter(move |flag| flag.name == name).filter_map(|flag| flag.value.clone())
}

/// The value of the boolean flag `name`, if it is there.
pub(super) fn boolean(flags: &[Flag<'_>], name: &str) -> Option<bool> {
    let flag = flags.iter().find(|flag| flag.name == name)?;
    match &flag.value {
        None => Some(true),
        Some(value) => Some(bool_value(&value.text).unwrap_or(false)),
    }
}
