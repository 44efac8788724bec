//! The match language of tool files.
//!
//! A phrase is words separated by blanks; alternatives for the whole are separated by ` OR `, for one word by `|`.
//! `*` is any word, `*` inside a word a glob, `...` any rest. A word with a dash is an option that stands anywhere. The
//! empty phrase is a command line without positional words.

use super::arguments::Arguments;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::borrow::Cow;

/// Compiled alternatives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Phrase {
    source: String,
    options: Vec<Sequence>,
}

/// Words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sequence {
    slots: Vec<Slot>,
    /// Number of the last positional word.
    last: Option<usize>,
}

/// The alternatives of one word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    /// Options.
    flags: Vec<String>,
    /// Positional words, globs.
    words: Vec<String>,
    /// `...` is among them.
    is_rest: bool,
}

impl Slot {
    fn new(word: &str) -> Self {
        let (flags, words) = word.split('|').map(str::to_owned).partition(|word| word.starts_with('-'));
        let is_rest = word.split('|').any(|word| word == "...");
        Self { flags, words, is_rest }
    }
}

impl Sequence {
    fn new(phrase: &str) -> Self {
        let slots: Vec<Slot> = phrase.split_whitespace().map(Slot::new).collect();
        let last = slots.iter().rposition(|slot| !slot.words.is_empty() && !slot.is_rest);
        Self { slots, last }
    }
}

impl From<String> for Phrase {
    fn from(source: String) -> Self {
        let options = source.split(" OR ").map(Sequence::new).collect();
        Self { source, options }
    }
}

impl JsonSchema for Phrase {
    fn schema_name() -> Cow<'static, str> {
        "Phrase".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl Phrase {
    /// As written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the arguments are what the phrase says. Words must follow each other from the start, except that the
    /// last of several may stand anywhere after the others, and that with `goals` a single one may stand anywhere.
    pub(super) fn matches(&self, arguments: &Arguments<'_>, goals: bool) -> bool {
        self.options.iter().any(|option| option.matches(arguments, goals))
    }

    /// As [`Phrase::matches`], and the number of positional words that the phrase took.
    pub(super) fn taken(&self, arguments: &Arguments<'_>) -> Option<usize> {
        let option = self.options.iter().find(|option| option.matches(arguments, false))?;
        Some(option.slots.iter().filter(|slot| slot.words.iter().any(|word| word != "...")).count())
    }

    /// Whether it asks for the option or word `word`.
    pub(super) fn names(&self, word: &str) -> bool {
        let slots = self.options.iter().flat_map(|option| &option.slots);
        slots.flat_map(|slot| slot.flags.iter().chain(&slot.words)).any(|own| own == word)
    }
}

impl Sequence {
    fn matches(&self, arguments: &Arguments<'_>, goals: bool) -> bool {
        let words = &arguments.words;
        if self.slots.is_empty() {
            return words.is_empty();
        }
        let mut next = 0;
        for (index, slot) in self.slots.iter().enumerate() {
            if slot.is_rest || slot.flags.iter().any(|flag| arguments.option(flag)) {
                continue;
            }
            if slot.words.is_empty() {
                return false;
            }
            let rest = words.get(next..).unwrap_or(&[]);
            let anywhere = Some(index) == self.last && (index > 0 || goals);
            let reach = if anywhere { rest.len() } else { 1 };
            let fits = |word: &str| slot.words.iter().any(|own| glob(own, word));
            let Some(at) = rest.iter().take(reach).position(|word| fits(&word.text)) else { return false };
            next += at + 1;
        }
        true
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything. Linear in the text for each `*`.
#[must_use]
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    match (pattern.as_bytes().first(), text.as_bytes().first()) {
        (Some(b'*'), _) | (None, _) => {}
        (first, other) if first != other => return false,
        _ => {}
    }
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(middle) = last {
            let Some((_, after)) = rest.split_once::<&str>(middle) else { return false };
            rest = after;
        }
        last = Some(piece);
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}

/// Whether `value` is one of the globs `a|b*|…`.
pub(super) fn any_glob(patterns: &str, value: &str) -> bool {
    patterns.split('|').any(|pattern| glob(pattern, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_pieces_in_order() {
        for (pattern, text, expect) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("pip3.*", "pip3.11", true),
            ("*@*", "x@1", true),
            ("*@*", "x", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "ab", true),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(glob(pattern, text), expect, "{pattern} {text}");
        }
    }
}
