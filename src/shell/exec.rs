//! Exec form: a command without a shell around it.

use super::expand::Arg;
use super::lex::Context;
use super::run::{Run, read};
use super::state::State;
use super::text::Builder;
use super::{Link, Options, Script, Word};
use crate::dockerfile;
use crate::source::Joined;
use std::borrow::Cow;

/// Reads a command in exec form. Its words are what the program gets; `["sh", "-c", "…"]` is looked into (facts §4.1).
#[must_use]
pub fn from_exec<'a>(words: &[dockerfile::Word<'a>], options: &Options<'a, '_>) -> Script<'a> {
    let mut state = State::new(options.variables);
    let empty = Joined::default();
    read(&empty, &mut state, options, |parser| {
        let mut run = Run::new(Link::Then, Context::TOP);
        if let (Some(first), Some(last)) = (words.first(), words.last()) {
            run.span = first.span.cover(last.span);
        }
        run.args = words.iter().map(|word| arg(word, options.source)).collect();
        if !run.args.is_empty() {
            parser.run(run);
        }
    });
    state.finish()
}

fn arg<'a>(word: &dockerfile::Word<'a>, source: &'a str) -> Arg<'a> {
    let own = Word { text: word.text.clone(), span: word.span, literal: true, glob: false, quoted: true };
    Arg { word: own, raw: None, text: decoded(word, source).map(Box::new) }
}

/// The text of a JSON string, each character with its place in the file.
fn decoded<'a>(word: &dockerfile::Word<'a>, source: &'a str) -> Option<Joined<'a>> {
    let whole = Joined::whole(source, word.span);
    let raw: &str = &whole.text;
    let (start, inside) = match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(inside) => (1, inside),
        None => (0, raw),
    };
    if *inside == *word.text {
        return Some(super::text::stretch(source, &whole, start, start + inside.len()).text);
    }
    let mut builder = Builder::default();
    let mut at = start;
    let end = start + inside.len();
    while let Some(found) = raw.get(at..end).and_then(|rest| memchr::memchr(b'\\', rest.as_bytes())) {
        builder.copy(&whole, at, at + found);
        at += found;
        let escape = raw.get(at + 1..)?.chars().next()?;
        let mut next = at + 1 + escape.len_utf8();
        let character = match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\x08',
            'f' => '\x0c',
            'u' => {
                let code = u32::from_str_radix(raw.get(next..next + 4)?, 16).ok()?;
                next += 4;
                char::from_u32(code)?
            }
            other => other,
        };
        builder.put(&whole, at, character);
        at = next;
    }
    builder.copy(&whole, at, end);
    let text = builder.finish().text;
    let same: &Cow<'_, str> = &text.text;
    (*same == word.text).then_some(text)
}
