//! From words as they stand to words as the program gets them.

use super::lex::{Parser, Part, Raw};
use super::state::Value;
use super::{Lookup, Word};
use crate::source::Joined;
use std::borrow::Cow;

/// A word of a command, with what it was made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Arg<'a> {
    pub(super) word: Word<'a>,
    /// The word in the text that is read; `None` for what a variable was split into.
    pub(super) raw: Option<Raw<'a>>,
    /// What it holds, for words that stand in no text (exec form).
    pub(super) text: Option<Box<Joined<'a>>>,
}

/// How deep defaults may nest (`${A:-${B:-c}}`).
const MAX_DEFAULTS: u32 = 8;

/// Resolves the plain expansions in `text`: `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:=d}`, with quotes removed. `None` if
/// one is not known or is of another kind.
#[must_use]
pub fn expand<'t>(text: &'t str, lookup: Lookup<'_>) -> Option<Cow<'t, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'$' | b'`' | b'\\' | b'\'' | b'"')) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::new();
    resolve(text, lookup, &mut out, MAX_DEFAULTS)?;
    Some(Cow::Owned(out))
}

fn resolve(text: &str, lookup: Lookup<'_>, out: &mut String, depth: u32) -> Option<()> {
    let mut rest = text;
    let mut quoted = false;
    while let Some(at) = rest.find(['$', '`', '\\', '\'', '"']) {
        out.push_str(rest.get(..at)?);
        let special = rest.as_bytes().get(at)?;
        rest = rest.get(at + 1..)?;
        match special {
            b'"' => quoted = !quoted,
            b'\'' if !quoted => {
                let (inside, after) = rest.split_once('\'')?;
                out.push_str(inside);
                rest = after;
            }
            b'\'' => out.push('\''),
            b'\\' => {
                let next = rest.chars().next()?;
                if quoted && !matches!(next, '$' | '`' | '"' | '\\') {
                    out.push('\\');
                }
                out.push(next);
                rest = rest.get(next.len_utf8()..)?;
            }
            b'$' => rest = variable(rest, lookup, out, depth)?,
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(())
}

/// Resolves what stands after a `$`; gives the text after it.
fn variable<'t>(rest: &'t str, lookup: Lookup<'_>, out: &mut String, depth: u32) -> Option<&'t str> {
    let name_end =
        |text: &str| text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let Some(braced) = rest.strip_prefix('{') else {
        let (name, after) = rest.split_at_checked(name_end(rest))?;
        if name.is_empty() {
            // `$1`, `$@`, `$(…)` are not known; a lone dollar stands for itself.
            if after.starts_with(['(', '[', '@', '*', '#', '?', '-', '!', '$']) {
                return None;
            }
            out.push('$');
        } else {
            out.push_str(&lookup(name)?);
        }
        return Some(after);
    };
    let (name, after) = braced.split_at_checked(name_end(braced))?;
    if let Some(after) = after.strip_prefix('}') {
        out.push_str(&lookup(name)?);
        return Some(after);
    }
    let colon = after.starts_with(':');
    let default = after.strip_prefix(':').unwrap_or(after).strip_prefix(['-', '='])?;
    let mut open = 1_u32;
    let end = default.bytes().position(|byte| {
        open = match byte {
            b'{' => open + 1,
            b'}' => open - 1,
            _ => open,
        };
        open == 0
    })?;
    match lookup(name).filter(|value| !(colon && value.is_empty())) {
        Some(value) => out.push_str(&value),
        None => resolve(default.get(..end)?, lookup, out, depth.checked_sub(1)?)?,
    }
    default.get(end + 1..)
}

impl<'a> Parser<'_, 'a, '_> {
    /// Adds to `args` the words that the program gets for one word of the text.
    pub(super) fn fields(&mut self, raw: Raw<'a>, args: &mut Vec<Arg<'a>>) {
        let split = raw.parts.iter().any(|part| matches!(part, Part::Variable { quoted: false, .. }));
        let fields = if split { self.split(&raw) } else { None };
        let Some(fields) = fields else {
            args.push(self.whole(raw));
            return;
        };
        let span = self.span(raw.start, raw.end);
        let one = fields.len() == 1;
        let word = |text: String| Word {
            span,
            literal: true,
            glob: raw.glob || text.contains(['*', '?', '[']),
            quoted: raw.quoted,
            text: Cow::Owned(text),
        };
        let fields = fields.into_iter().map(|text| Arg { word: word(text), raw: None, text: None });
        args.extend(fields);
        if one && let Some(field) = args.last_mut() {
            field.raw = Some(raw);
        }
    }

    /// The word without splitting, as assignments and redirections take it.
    pub(super) fn whole(&self, raw: Raw<'a>) -> Arg<'a> {
        let (text, span, literal) = if raw.parts.is_empty() && !self.tilde(&raw) {
            let (text, span) = self.placed(raw.start, raw.end);
            (text, span, true)
        } else {
            let (text, literal) = match self.known(&raw) {
                Some(text) => (text, true),
                None => (self.written(&raw), false),
            };
            (text, self.span(raw.start, raw.end), literal)
        };
        Arg {
            word: Word { text, span, literal, glob: raw.glob, quoted: raw.quoted },
            raw: Some(raw),
            text: None,
        }
    }

    /// The text of a word whose expansions are all known.
    fn known(&self, raw: &Raw<'a>) -> Option<Cow<'a, str>> {
        let home = self.tilde(raw);
        match raw.parts.as_slice() {
            [] => {
                let text = self.slice(raw.start, raw.end);
                return if home { self.at_home(&text) } else { Some(text) };
            }
            [Part::Literal { start, end, .. }] if !home => return Some(self.slice(*start, *end)),
            _ => {}
        }
        let mut text = String::new();
        for part in &raw.parts {
            text.push_str(&self.part(part)?);
        }
        if home { self.at_home(&text) } else { Some(Cow::Owned(text)) }
    }

    fn tilde(&self, raw: &Raw<'a>) -> bool {
        let plain =
            !matches!(raw.parts.first(), Some(part) if !matches!(part, Part::Literal { quoted: false, .. }));
        plain && self.bytes.get(raw.start) == Some(&b'~')
    }

    /// `~/x` with the home that `HOME` names.
    fn at_home(&self, text: &str) -> Option<Cow<'a, str>> {
        let rest = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        match self.state.value("HOME") {
            Some(Value::Text(home)) => Some(Cow::Owned(format!("{}{rest}", home.trim_end_matches('/')))),
            _ => None,
        }
    }

    fn part(&self, part: &Part<'a>) -> Option<Cow<'a, str>> {
        match part {
            Part::Literal { start, end, .. } => Some(self.slice(*start, *end)),
            Part::Character { character, .. } => Some(Cow::Owned(character.to_string())),
            Part::Variable { name, default, .. } => self.variable(*name, *default),
            Part::Expansion { names, .. } => names.clone(),
        }
    }

    fn variable(&self, name: (usize, usize), default: Option<(usize, usize)>) -> Option<Cow<'a, str>> {
        let known = match self.state.value(&self.slice(name.0, name.1)) {
            Some(Value::Text(text)) => Some(text),
            Some(_) => return None,
            None => None,
        };
        let Some((start, end)) = default else { return known };
        let colon = start.checked_sub(2).and_then(|at| self.bytes.get(at)) == Some(&b':');
        if let Some(text) = known.filter(|text| !(colon && text.is_empty())) {
            return Some(text);
        }
        let lookup = |name: &str| match self.state.value(name) {
            Some(Value::Text(text)) => Some(Cow::Owned(text.into_owned())),
            _ => None,
        };
        let text = self.slice(start, end);
        expand(&text, &lookup).map(|text| Cow::Owned(text.into_owned()))
    }

    /// The values of a word in which the variable of a loop stands, one for each turn.
    pub(super) fn each(&self, raw: &Raw<'a>) -> Option<Vec<Cow<'a, str>>> {
        let mut texts = vec![String::new()];
        let mut looped = false;
        for part in &raw.parts {
            if let Some(text) = self.part(part) {
                texts.iter_mut().for_each(|own| own.push_str(&text));
                continue;
            }
            let Part::Variable { name, default: None, .. } = part else { return None };
            let Some(Value::Many(values)) = self.state.value(&self.slice(name.0, name.1)) else {
                return None;
            };
            if looped {
                return None;
            }
            looped = true;
            let before = texts.first().cloned().unwrap_or_default();
            texts = values.iter().map(|value| format!("{before}{value}")).collect();
        }
        looped.then(|| texts.into_iter().map(Cow::Owned).collect())
    }

    /// The fields of a word with unquoted variables, if all are known.
    fn split(&self, raw: &Raw<'a>) -> Option<Vec<String>> {
        if self.tilde(raw) {
            return None;
        }
        let mut fields = Vec::new();
        let mut field: Option<String> = None;
        for part in &raw.parts {
            let text = self.part(part)?;
            if !matches!(part, Part::Variable { quoted: false, .. }) {
                field.get_or_insert_default().push_str(&text);
                continue;
            }
            for (index, piece) in text.split([' ', '\t', '\n']).enumerate() {
                if index > 0 {
                    fields.extend(field.take());
                }
                if !piece.is_empty() {
                    field.get_or_insert_default().push_str(piece);
                }
            }
        }
        fields.extend(field);
        Some(fields)
    }

    /// The word with quotes removed and expansions as written.
    fn written(&self, raw: &Raw<'a>) -> Cow<'a, str> {
        if raw.parts.is_empty() {
            return self.slice(raw.start, raw.end);
        }
        if let [Part::Variable { start, end, .. } | Part::Expansion { start, end, .. }] = raw.parts.as_slice()
        {
            return self.slice(*start, *end);
        }
        let mut text = String::new();
        for part in &raw.parts {
            match part {
                Part::Literal { start, end, .. } => {
                    for character in self.slice(*start, *end).chars() {
                        if matches!(character, '$' | '`') {
                            text.push('\\');
                        }
                        text.push(character);
                    }
                }
                Part::Character { character, .. } => text.push(*character),
                Part::Variable { start, end, .. } | Part::Expansion { start, end, .. } => {
                    text.push_str(&self.slice(*start, *end));
                }
            }
        }
        Cow::Owned(text)
    }
}
