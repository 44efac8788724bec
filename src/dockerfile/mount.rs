//! The values of `--mount` and `--device`: one CSV record of `key=value` fields (`instructions/commands_runmount.go`,
//! `commands_rundevice.go`, go-csvvalue).

use super::instruction::{Context, problem};
use super::{Flag, Mount, MountOption, Problem, Word, flags, suggest};
use crate::source::{Joined, Span};
use std::borrow::Cow;
use std::ops::Range;

/// The mounts among the flags of a RUN; what BuildKit refuses in them goes to `problems`.
pub(super) fn read<'a>(
    context: Context<'a>,
    line: &Joined<'a>,
    flags: &[Flag<'a>],
    problems: &mut Vec<Problem>,
) -> Vec<Mount<'a>> {
    let mut mounts = Vec::new();
    for flag in flags.iter().filter(|flag| flag.name == "mount") {
        let Some(value) = &flag.value else { continue };
        let place = Place::new(context, line, flag, value);
        let options = match fields(&value.text) {
            Ok(fields) => fields.into_iter().map(|field| option(value, &place, field)).collect(),
            Err(error) => {
                problems.push(problem(value.span, format!("failed to parse csv mounts: {error}")));
                Vec::new()
            }
        };
        let mount = Mount { span: flag.span, options };
        let from = mount.option(&["from"]).and_then(|option| option.value.as_ref());
        if from.is_some_and(|from| from.text.find('$').is_some_and(|at| at + 1 != from.text.len())) {
            let message = "'from' doesn't support variable expansion, define alias stage instead";
            problems.push(problem(value.span, message));
        }
        mounts.push(mount);
    }
    mounts
}

/// The way from the text of a flag's value back to the file.
enum Place<'l, 'a> {
    /// It stands there as it is.
    Verbatim(usize),
    /// Quotes were removed from it, or lines were joined in it: the offset in the line of each byte.
    Mapped(&'l Joined<'a>, Vec<usize>),
}

impl<'l, 'a> Place<'l, 'a> {
    fn new(context: Context<'a>, line: &'l Joined<'a>, flag: &Flag<'a>, value: &Word<'a>) -> Self {
        if value.span.of(context.source) == value.text {
            return Self::Verbatim(value.span.start as usize);
        }
        let start = line.position(flag.span.start).unwrap_or(0);
        let raw = line.text.get(start..).unwrap_or("");
        let kept = flags::kept(raw, context.escape).map(|at| start + at);
        // `--name=` comes before the value.
        Self::Mapped(line, kept.skip(flag.name.len() + 3).take(value.text.len()).collect())
    }

    fn of(&self, range: &Range<usize>) -> Span {
        match self {
            Self::Verbatim(start) => Span::new(start + range.start, start + range.end),
            Self::Mapped(line, offsets) => {
                let at = |index: usize| offsets.get(index).copied();
                let last = range.end.checked_sub(1).filter(|last| *last >= range.start).and_then(at);
                let start = at(range.start).or_else(|| offsets.last().map(|last| last + 1)).unwrap_or(0);
                line.span(start, last.map_or(start, |last| last + 1))
            }
        }
    }
}

fn option<'a>(value: &Word<'a>, place: &Place<'_, 'a>, field: Field) -> MountOption<'a> {
    let span = place.of(&field.range);
    if let Some(unquoted) = field.unquoted {
        let (key, value) = match unquoted.split_once('=') {
            Some((key, value)) => (key, Some(Word { text: Cow::Owned(value.to_owned()), span })),
            None => (unquoted.as_str(), None),
        };
        return MountOption { span, key: Cow::Owned(key.to_owned()), value };
    }
    let cow = |range: Range<usize>| match &value.text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or("")),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or("").to_owned()),
    };
    let Range { start, end } = field.range;
    let bytes = value.text.as_bytes().get(start..end).unwrap_or(&[]);
    match memchr::memchr(b'=', bytes).map(|at| start + at) {
        Some(equals) => {
            let text = equals + 1..end;
            let word = Word { span: place.of(&text), text: cow(text) };
            MountOption { span, key: cow(start..equals), value: Some(word) }
        }
        None => MountOption { span, key: cow(start..end), value: None },
    }
}

/// What BuildKit refuses in the value of `--device` (`ParseDevice`).
pub(super) fn check_device(text: &str) -> Result<(), String> {
    let fields = fields(text).map_err(|error| format!("failed to parse csv devices: {error}"))?;
    let mut name: Option<String> = None;
    for field in fields {
        let field = field.unquoted.unwrap_or_else(|| text.get(field.range).unwrap_or("").to_owned());
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
            None => (field.to_ascii_lowercase(), None),
        };
        match (key.as_str(), value) {
            ("required", None) => {}
            ("required", Some(value)) if is_bool(value) => {}
            ("required", Some(value)) => return Err(format!("invalid value for required: {value}")),
            ("name", Some(value)) => match &name {
                Some(name) if !name.is_empty() => return Err(format!("device name already set to {name}")),
                _ => name = Some(value.to_owned()),
            },
            _ if name.as_deref().unwrap_or("").is_empty() => name = Some(field),
            (_, None) => return Err(format!("invalid field '{field}' must be a key=value pair")),
            (key, Some(_)) => {
                let error = format!("unexpected key '{key}' in '{field}'");
                return Err(match suggest::nearest(key, ["name", "required"].into_iter()) {
                    Some(near) => format!("{error} (did you mean {near}?)"),
                    None => error,
                });
            }
        }
    }
    Ok(())
}

/// What Go's `strconv.ParseBool` takes.
fn is_bool(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False")
}

/// One field of a record.
struct Field {
    /// Its bytes, without the quotes around it.
    range: Range<usize>,
    /// The text, if `""` stands for a quote in it.
    unquoted: Option<String>,
}

/// Splits a CSV record as Go's `encoding/csv` does, without lazy quotes.
fn fields(text: &str) -> Result<Vec<Field>, String> {
    // A record with nothing in it is the end of the file to Go.
    if text.is_empty() {
        return Err("EOF".to_owned());
    }
    let bytes = text.as_bytes();
    let error = |at: usize, what: &str| format!("parse error on line 1, column {}: {what}", at + 1);
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        if bytes.get(at) != Some(&b'"') {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let end = memchr::memchr(b',', rest).map_or(text.len(), |len| at + len);
            if let Some(quote) = memchr::memchr(b'"', bytes.get(at..end).unwrap_or(&[])) {
                return Err(error(at + quote, "bare \" in non-quoted-field"));
            }
            fields.push(Field { range: at..end, unquoted: None });
            if end == text.len() {
                return Ok(fields);
            }
            at = end + 1;
            continue;
        }
        at += 1;
        let start = at;
        let mut unquoted: Option<String> = None;
        let mut copied = start;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let Some(len) = memchr::memchr(b'"', rest) else {
                return Err(error(at, "extraneous or missing \" in quoted-field"));
            };
            let quote = at + len;
            at = quote + 1;
            let so_far = text.get(copied..quote).unwrap_or("");
            match bytes.get(at) {
                Some(b'"') => {
                    let taken = unquoted.get_or_insert_default();
                    taken.push_str(so_far);
                    taken.push('"');
                    at += 1;
                    copied = at;
                }
                next @ (Some(b',') | None) => {
                    if let Some(taken) = &mut unquoted {
                        taken.push_str(so_far);
                    }
                    fields.push(Field { range: start..quote, unquoted });
                    if next.is_none() {
                        return Ok(fields);
                    }
                    at += 1;
                    break;
                }
                Some(_) => return Err(error(quote, "extraneous or missing \" in quoted-field")),
            }
        }
    }
}
