//! Variables that are known at some place, and words after they were followed.

use super::{Piece, Value, name_volatility, pieces};
use crate::builds::{Placed, Volatility};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Longest text that following variables may make.
const MAX_TEXT: usize = 16 * 1024;
/// Most words that one variable may become.
const MAX_WORDS: usize = 1024;

/// The variables that are known at some place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vars {
    /// Shared until one of the scripts of a file changes it: every recipe line starts with a copy.
    map: Arc<FxHashMap<String, Var>>,
}

/// One variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Var {
    /// Its text, variables in it already followed.
    pub text: Placed,
    /// The words that it becomes where it is used without quotes.
    pub words: Vec<Arg>,
    /// Whether it is only sometimes set so: assigned in a branch, and empty or not set otherwise.
    pub conditional: bool,
    /// Whether it is set in another file than the one that uses it, so that its places mean nothing here.
    pub foreign: bool,
}

/// A word of a command line, variables followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arg {
    /// The text; expansions that are still in it could not be followed.
    pub text: Placed,
    /// Whether nothing in `text` is an expansion although it may look so (single quotes).
    pub literal: bool,
    /// Whether the word is there only sometimes.
    pub conditional: bool,
}

impl Arg {
    /// The word's value.
    #[must_use]
    pub fn value(&self) -> Value {
        let text = self.text.text.clone();
        if self.literal { Value::Known(text) } else { Value::of(text) }
    }
}

impl Vars {
    /// The variable of this name. Arrays stand under `NAME[@]`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.map.get(name).or_else(|| {
            let array = name.strip_suffix("[*]")?;
            self.map.get(&format!("{array}[@]"))
        })
    }

    /// Sets a variable to a text of this file; variables in it are followed now.
    pub fn set(&mut self, name: &str, text: &Placed) {
        let var = self.var(text);
        Arc::make_mut(&mut self.map).insert(name.to_owned(), var);
    }

    /// Sets a variable to a text of another file, or to one that has no place (a matrix value).
    pub fn set_foreign(&mut self, name: &str, text: &str) {
        let var = Var { foreign: true, ..self.var(&Placed::whole(text, Span::default())) };
        Arc::make_mut(&mut self.map).insert(name.to_owned(), var);
    }

    /// Sets a variable otherwise.
    pub fn put(&mut self, name: &str, var: Var) {
        Arc::make_mut(&mut self.map).insert(name.to_owned(), var);
    }

    /// Forgets a variable.
    pub fn unset(&mut self, name: &str) {
        if self.map.contains_key(name) {
            Arc::make_mut(&mut self.map).remove(name);
        }
    }

    /// The same variables as another file has them: their places mean nothing there.
    #[must_use]
    pub fn abroad(&self) -> Self {
        if self.map.values().all(|var| var.foreign) {
            return self.clone();
        }
        // The same values are the same variables, wherever they come from.
        let nowhere = |text: &Placed| text.moved(Span::default());
        let foreign = |(name, var): (&String, &Var)| {
            let words = var.words.iter().map(|word| Arg { text: nowhere(&word.text), ..*word }).collect();
            (name.clone(), Var { text: nowhere(&var.text), words, foreign: true, ..*var })
        };
        Self { map: Arc::new(self.map.iter().map(foreign).collect()) }
    }

    /// Takes over the variables that a script in another file changed.
    pub fn adopt(&mut self, other: &Self) {
        if Arc::ptr_eq(&self.map, &other.map) {
            return;
        }
        let mut changed: Vec<(&String, &Var)> = other
            .map
            .iter()
            .filter(|(name, var)| self.get(name).is_none_or(|own| own.text.text != var.text.text))
            .collect();
        changed.sort_by_key(|(name, _)| *name);
        for (name, var) in changed {
            self.put(name, Var { foreign: true, ..var.clone() });
        }
    }

    /// Adds the variables of `weaker` that are not known here.
    pub fn complete(&mut self, weaker: &Self) {
        let mut missing: Vec<(&String, &Var)> =
            weaker.map.iter().filter(|(name, _)| !self.map.contains_key(*name)).collect();
        missing.sort_by_key(|(name, _)| *name);
        for (name, var) in missing {
            self.put(name, Var { foreign: true, ..var.clone() });
        }
    }

    /// The variable that a text of this file makes.
    #[must_use]
    pub fn var(&self, text: &Placed) -> Var {
        Var { text: self.expand(text), words: self.words(text), conditional: false, foreign: false }
    }

    /// The value of a text: known variables followed, everything else symbolic.
    #[must_use]
    pub fn value(&self, text: &str) -> Value {
        Value::of(self.expand(&Placed::exact(text, 0)).text)
    }

    /// As [`Vars::value`], but `${X:-default}` of an unknown `X` is its default: for paths and targets, where a default
    /// is the usual case.
    #[must_use]
    pub fn value_or_default(&self, text: &str) -> Value {
        defaulted(self.expand(&Placed::exact(text, 0)).text)
    }

    /// The text with known variables followed. What comes from a variable stands where the variable is used; a text that
    /// is nothing but one variable stands where the variable is set.
    #[must_use]
    pub fn expand(&self, text: &Placed) -> Placed {
        let mut out = Placed::default();
        let mut at = 0;
        let mut only = true;
        for piece in pieces(&text.text) {
            let range = at..at + piece.raw().len();
            at = range.end;
            only = only && range == (0..text.text.len());
            let span = text.span(range.clone());
            match self.followed(piece) {
                Some(Followed::Var(var)) if only && !var.foreign => {
                    out.push(&var.text, 0..var.text.text.len())
                }
                Some(Followed::Var(var)) => out.push_whole(&var.text.text, span),
                Some(Followed::Text(text)) => out.push_whole(&text, span),
                None => out.push(text, range),
            }
            if out.text.len() > MAX_TEXT {
                return text.clone();
            }
        }
        if out.text.is_empty() {
            return Placed::whole("", text.full_span());
        }
        out
    }

    /// What stands for a piece, if it can be followed.
    fn followed(&self, piece: Piece<'_>) -> Option<Followed<'_>> {
        let short = |text: &str| self.expand(&Placed::exact(text, 0)).text;
        match piece {
            Piece::Text(_) | Piece::Opaque { .. } => None,
            Piece::Var { name, default, .. } => {
                let var = self.get(name).filter(|var| !var.conditional)?;
                match default {
                    // A default is strictly shorter than what it stands in, and brackets reach a kilobyte.
                    Some(default) if var.text.text.is_empty() => Some(Followed::Text(short(default))),
                    _ => Some(Followed::Var(var)),
                }
            }
            Piece::Alternative { name, then, .. } => {
                let var = self.get(name).filter(|var| !var.conditional)?;
                Some(Followed::Text(if var.text.text.is_empty() { String::new() } else { short(then) }))
            }
            Piece::Expression { inner, .. } => {
                let name = inner.trim();
                let plain = name.strip_prefix("env.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
                let var = self.get(name).or_else(|| self.get(plain))?;
                (!var.conditional).then_some(Followed::Var(var))
            }
            // `$(NAME)` of Make and Azure Pipelines, or a command with variables in it.
            Piece::Command { raw, inner } => match self.get(inner).filter(|var| !var.conditional) {
                Some(var) => Some(Followed::Var(var)),
                None => {
                    let expanded = short(inner);
                    (expanded != inner).then(|| Followed::Text(raw.replacen(inner, &expanded, 1)))
                }
            },
        }
    }

    /// The words of a text as a command line has them: split at blanks, quotes removed, variables followed.
    #[must_use]
    pub fn words(&self, text: &Placed) -> Vec<Arg> {
        let mut out = Vec::new();
        for word in split_words(text) {
            self.word(&word.text, word.quoted, word.literal, &mut out);
            if out.len() > MAX_WORDS {
                out.truncate(MAX_WORDS);
                break;
            }
        }
        out
    }

    /// What a word becomes: itself with variables followed, or, where it is nothing but one variable without quotes (or an
    /// array in quotes), the words of that variable.
    pub fn word(&self, word: &Placed, quoted: bool, literal: bool, out: &mut Vec<Arg>) {
        if literal {
            out.push(Arg { text: word.clone(), literal, conditional: false });
            return;
        }
        let mut all = pieces(&word.text);
        let (first, more) = (all.next(), all.next().is_some());
        if let Some(piece) = first.filter(|_| !more)
            && let Some(words) = self.words_of(piece, quoted, word)
        {
            out.extend(words);
            return;
        }
        out.push(Arg { text: self.expand(word), literal: false, conditional: false });
    }

    fn words_of(&self, piece: Piece<'_>, quoted: bool, word: &Placed) -> Option<Vec<Arg>> {
        let inner_words = |inner: &str| {
            let start = word.text.find(inner).unwrap_or(0);
            self.words(&word.slice(start..start + inner.len()))
        };
        let (var, conditional) = match piece {
            Piece::Alternative { name, then, .. } => {
                let conditional = match self.get(name) {
                    Some(var) if var.conditional => true,
                    Some(var) if var.text.text.is_empty() => return Some(Vec::new()),
                    Some(_) => false,
                    None => true,
                };
                let words = inner_words(then).into_iter();
                return Some(
                    words.map(|arg| Arg { conditional: arg.conditional || conditional, ..arg }).collect(),
                );
            }
            Piece::Var { name, default, .. } => match (self.get(name), default) {
                (Some(var), Some(default)) if var.text.text.is_empty() => return Some(inner_words(default)),
                // An unknown name with a default that is flags: without flags the word stays symbolic.
                (None, Some(default)) if default.starts_with('-') => return Some(inner_words(default)),
                (Some(var), _) if quoted && !name.ends_with(']') => {
                    let text = if var.foreign { var.text.moved(word.full_span()) } else { var.text.clone() };
                    return Some(vec![Arg { text, literal: false, conditional: var.conditional }]);
                }
                (var, _) => (var?, false),
            },
            Piece::Command { inner, .. } => (self.get(inner)?, false),
            Piece::Expression { inner, .. } => {
                let name = inner.trim();
                let plain = name.strip_prefix("env.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
                (self.get(name).or_else(|| self.get(plain))?, false)
            }
            Piece::Text(_) | Piece::Opaque { .. } => return None,
        };
        let conditional = conditional || var.conditional;
        let place = |text: &Placed| if var.foreign { text.moved(word.full_span()) } else { text.clone() };
        let words = var.words.iter().map(|arg| Arg {
            text: place(&arg.text),
            literal: arg.literal,
            conditional: arg.conditional || conditional,
        });
        Some(words.collect())
    }
}

enum Followed<'v> {
    Var(&'v Var),
    Text(String),
}

/// The value of a text whose unknown variables take their defaults, unless they are known to be volatile. An empty default
/// says nothing (`${1:-}`).
pub(crate) fn defaulted(text: String) -> Value {
    let mut out = String::new();
    let mut changed = false;
    for piece in pieces(&text) {
        match piece {
            Piece::Var { name, default: Some(default), .. }
                if !default.is_empty()
                    && name_volatility(name) <= Volatility::Unknown
                    && default.len() < text.len() =>
            {
                changed = true;
                out.push_str(defaulted(default.to_owned()).text());
            }
            other => out.push_str(other.raw()),
        }
    }
    if changed { Value::of(out) } else { Value::of(text) }
}

/// A word with its quotes removed.
pub(crate) struct RawWord {
    /// The text.
    pub text: Placed,
    /// Whether it had quotes.
    pub quoted: bool,
    /// Whether all of it stood in single quotes.
    pub literal: bool,
}

/// Splits at blanks outside of quotes and expansions, as a shell does.
pub(crate) fn split_words(text: &Placed) -> Vec<RawWord> {
    let mut splitter = Splitter {
        text,
        words: Vec::new(),
        word: Placed::default(),
        kept: 0..0,
        open: false,
        quoted: false,
        single: true,
    };
    let (mut at, mut quote, mut escaped) = (0, None::<char>, false);
    for piece in pieces(&text.text) {
        let raw = piece.raw();
        if !matches!(piece, Piece::Text(_)) {
            splitter.keep(at..at + raw.len(), quote == Some('\''));
            at += raw.len();
            escaped = false;
            continue;
        }
        let mut chars = raw.char_indices().peekable();
        while let Some((offset, ch)) = chars.next() {
            let here = at + offset..at + offset + ch.len_utf8();
            if std::mem::take(&mut escaped) {
                if !matches!(ch, '\n' | '\r') {
                    splitter.keep(here, false);
                } else if ch == '\r' {
                    escaped = true;
                }
                continue;
            }
            match (ch, quote) {
                ('\\', None) => escaped = true,
                ('\\', Some('"')) => match chars.peek() {
                    Some((_, '"' | '\\' | '\n' | '`')) | None => escaped = true,
                    _ => splitter.keep(here, false),
                },
                ('\'' | '"', None) => {
                    quote = Some(ch);
                    splitter.quoted = true;
                    splitter.open = true;
                }
                (ch, Some(end)) if ch == end => quote = None,
                (ch, None) if ch.is_whitespace() => splitter.finish(),
                _ => splitter.keep(here, quote == Some('\'')),
            }
        }
        at += raw.len();
    }
    splitter.finish();
    splitter.words
}

struct Splitter<'t> {
    text: &'t Placed,
    words: Vec<RawWord>,
    word: Placed,
    /// What belongs to the word and is not yet in it.
    kept: Range<usize>,
    open: bool,
    quoted: bool,
    single: bool,
}

impl Splitter<'_> {
    fn keep(&mut self, range: Range<usize>, single: bool) {
        if self.kept.end == range.start {
            self.kept.end = range.end;
        } else {
            self.put();
            self.kept = range;
        }
        self.single &= single;
        self.open = true;
    }

    fn put(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            self.word.push(self.text, kept);
        }
    }

    fn finish(&mut self) {
        self.put();
        let word = std::mem::take(&mut self.word);
        if self.open && !(word.text.is_empty()) {
            self.words.push(RawWord { text: word, quoted: self.quoted, literal: self.quoted && self.single });
        }
        (self.open, self.quoted, self.single) = (false, false, true);
    }
}
