//! The values of `--mount` and `--device`: one CSV record of `key=value` fields (`instructions/commands_runmount.go`,
//! `commands_rundevice.go`, go-csvvalue).

use super::{MountOption, Word, suggest};
use crate::source::Span;
use std::borrow::Cow;
use std::ops::Range;

/// The options in `value`, and what BuildKit refuses in them. A broken record has none.
pub(super) fn options<'a>(source: &'a str, value: &Word<'a>) -> (Vec<MountOption<'a>>, Option<String>) {
    let text = value.text.as_ref();
    // Offsets in the text are offsets in the source, unless quotes were removed from it or lines were joined in it.
    let verbatim = value.span.of(source) == text;
    let fields = match fields(text) {
        Ok(fields) => fields,
        Err(error) => return (Vec::new(), Some(format!("failed to parse csv mounts: {error}"))),
    };
    let mut refused = None;
    let options = fields.into_iter().map(|field| {
        let place = |range: &Range<usize>| match verbatim {
            true => Span::new(value.span.start as usize + range.start, value.span.start as usize + range.end),
            false => value.span,
        };
        let span = place(&field.range);
        let cow = |range: Range<usize>| match &value.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or("")),
            Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or("").to_owned()),
        };
        let option = match field.unquoted {
            Some(unquoted) => {
                let (key, option_value) = match unquoted.split_once('=') {
                    Some((key, value)) => (key, Some(Word { text: Cow::Owned(value.to_owned()), span })),
                    None => (unquoted.as_str(), None),
                };
                MountOption { span, key: Cow::Owned(key.to_owned()), value: option_value }
            }
            None => {
                let range = field.range;
                let equals = text.get(range.clone()).unwrap_or("").find('=').map(|at| range.start + at);
                let option_value = equals.map(|equals| {
                    let value = equals + 1..range.end;
                    Word { span: place(&value), text: cow(value) }
                });
                MountOption { span, key: cow(range.start..equals.unwrap_or(range.end)), value: option_value }
            }
        };
        if option.key.eq_ignore_ascii_case("from") {
            let variable = option
                .value
                .as_ref()
                .is_some_and(|value| value.text.find('$').is_some_and(|at| at + 1 != value.text.len()));
            if variable && refused.is_none() {
                refused =
                    Some("'from' doesn't support variable expansion, define alias stage instead".to_owned());
            }
        }
        option
    });
    let options = options.collect();
    (options, refused)
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
