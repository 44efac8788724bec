//! The lexer: one pass over the text, a level of recursion for each nested substitution.

use super::{ExpandError, MAX_DEPTH, MAX_GROWTH, Options, Variable, pattern};
use std::borrow::Cow;
use std::ops::Range;

/// One question to the environment.
pub(super) struct Lookup<'r> {
    pub(super) variable: Variable<'r>,
    pub(super) found: bool,
}

/// Words while they are put together (`wordsStruct` of lex.go). A word's range is that of the text it came from.
#[derive(Default)]
pub(super) struct Words {
    current: String,
    start: usize,
    in_word: bool,
    done: Vec<(String, Range<usize>)>,
}

impl Words {
    /// A character that may split; `range` is where it came from.
    fn char(&mut self, c: char, range: &Range<usize>) {
        if !c.is_whitespace() {
            self.raw(c.encode_utf8(&mut [0; 4]), range);
        } else if self.in_word && !self.current.is_empty() {
            self.done.push((std::mem::take(&mut self.current), self.start..range.start.max(self.start)));
            self.in_word = false;
        }
    }

    /// Text that never splits.
    fn raw(&mut self, text: &str, range: &Range<usize>) {
        if self.current.is_empty() {
            self.start = range.start;
        }
        self.current.push_str(text);
        self.in_word = true;
    }

    /// BuildKit loses the part of a word that stands before a `${v:-…}`, because the two share a buffer. So does this:
    /// it decides whether `<<E${v:-w}` is a heredoc (it is none), and it shows in EXPOSE.
    fn lose(&mut self) {
        self.current.clear();
    }

    pub(super) fn finish(mut self, len: usize) -> Vec<(String, Range<usize>)> {
        if !self.current.is_empty() {
            self.done.push((self.current, self.start..len));
        }
        self.done
    }
}

pub(super) struct Lexer<'r, 'f, 'e> {
    raw: &'r str,
    at: usize,
    options: Options,
    env: &'f dyn Fn(&str) -> Option<Cow<'e, str>>,
    depth: usize,
    /// A nested text was read since this was last asked.
    nested: bool,
    /// Every question to the environment, in order, if they are asked for.
    pub(super) lookups: Vec<Lookup<'r>>,
    record: bool,
}

impl<'r, 'f, 'e> Lexer<'r, 'f, 'e> {
    pub(super) fn new(raw: &'r str, options: Options, env: &'f dyn Fn(&str) -> Option<Cow<'e, str>>) -> Self {
        // Go's text/scanner drops a byte order mark at the start.
        let at = if raw.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        Self { raw, at, options, env, depth: 0, nested: false, lookups: Vec::new(), record: false }
    }

    /// Notes the questions to the environment.
    pub(super) fn recording(self) -> Self {
        Self { record: true, ..self }
    }

    /// Reads the whole text. With `words`, also splits it.
    pub(super) fn run(&mut self, words: Option<&mut Words>) -> Result<String, ExpandError> {
        self.until(None, self.options.raw_escapes, words)
    }

    fn peek(&self) -> Option<char> {
        self.raw.get(self.at..).and_then(|rest| rest.chars().next())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// `processStopOn`: reads up to `stop`, which is consumed, or to the end of the text.
    fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
        mut words: Option<&mut Words>,
    ) -> Result<String, ExpandError> {
        let saved = std::mem::replace(&mut self.options.raw_escapes, raw_escapes);
        let mut result = String::new();
        while let Some(c) = self.peek() {
            if stop == Some(c) {
                self.next();
                self.options.raw_escapes = saved;
                return Ok(result);
            }
            let from = self.at;
            match c {
                '$' => {
                    let value = self.dollar()?;
                    result.push_str(&value);
                    if let Some(words) = words.as_deref_mut() {
                        let range = from..self.at;
                        if std::mem::take(&mut self.nested) {
                            words.lose();
                        }
                        value.chars().for_each(|c| words.char(c, &range));
                    }
                }
                '<' | '\'' | '"' if c == '<' || !self.options.skip_quotes => {
                    let text = match c {
                        '<' => self.less_than(),
                        '\'' => self.single_quoted()?,
                        _ => self.double_quoted()?,
                    };
                    result.push_str(&text);
                    if let Some(words) = words.as_deref_mut() {
                        if std::mem::take(&mut self.nested) {
                            words.lose();
                        }
                        words.raw(&text, &(from..self.at));
                    }
                }
                _ => {
                    self.next();
                    let mut taken = c;
                    let escaped = c == self.options.escape;
                    if escaped {
                        if self.options.raw_escapes {
                            result.push(c);
                            if let Some(words) = words.as_deref_mut() {
                                words.raw(c.encode_utf8(&mut [0; 4]), &(from..self.at));
                            }
                        }
                        // At the end of the text an escape character stands for nothing.
                        let Some(next) = self.next() else { break };
                        taken = next;
                    }
                    if let Some(words) = words.as_deref_mut() {
                        let range = from..self.at;
                        if escaped {
                            words.raw(taken.encode_utf8(&mut [0; 4]), &range);
                        } else {
                            words.char(taken, &range);
                        }
                    }
                    result.push(taken);
                }
            }
            if result.len() > self.raw.len() + MAX_GROWTH {
                return Err(ExpandError::TooLong);
            }
        }
        self.options.raw_escapes = saved;
        match stop {
            None => Ok(result),
            // The caller turns this into its own words: it is always the end of the text.
            Some(_) => Err(ExpandError::MissingBrace),
        }
    }

    fn single_quoted(&mut self) -> Result<Cow<'r, str>, ExpandError> {
        let open = self.at;
        self.next();
        let rest = self.raw.get(self.at..).unwrap_or("");
        let Some(len) = memchr::memchr(b'\'', rest.as_bytes()) else {
            self.at = self.raw.len();
            return Err(ExpandError::UnterminatedQuote("single"));
        };
        let range = if self.options.raw_quotes { open..self.at + len + 1 } else { self.at..self.at + len };
        self.at += len + 1;
        Ok(Cow::Borrowed(self.raw.get(range).unwrap_or("")))
    }

    fn double_quoted(&mut self) -> Result<Cow<'r, str>, ExpandError> {
        let mut result = String::new();
        self.next();
        if self.options.raw_quotes {
            result.push('"');
        }
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.next();
                    if self.options.raw_quotes {
                        result.push('"');
                    }
                    return Ok(Cow::Owned(result));
                }
                '$' => result.push_str(&self.dollar()?),
                _ => {
                    self.next();
                    let mut taken = c;
                    if c == self.options.escape {
                        if self.options.raw_escapes {
                            result.push(c);
                        }
                        match self.peek() {
                            None => continue,
                            // Only these can be escaped; before any other character the escape is text. (With
                            // `raw_escapes` BuildKit writes it twice then, and so does this.)
                            Some(next) if next == '"' || next == '$' || next == self.options.escape => {
                                self.next();
                                taken = next;
                            }
                            Some(_) => {}
                        }
                    }
                    result.push(taken);
                }
            }
            if result.len() > self.raw.len() + MAX_GROWTH {
                return Err(ExpandError::TooLong);
            }
        }
        Err(ExpandError::UnterminatedQuote("double"))
    }

    /// `<<` with the blanks after it, so that `<< EOF` is one word.
    fn less_than(&mut self) -> Cow<'r, str> {
        let from = self.at;
        self.next();
        if self.peek() == Some('<') {
            self.next();
            while matches!(self.peek(), Some('\t' | '\r' | ' ')) {
                self.next();
            }
        }
        Cow::Borrowed(self.raw.get(from..self.at).unwrap_or(""))
    }

    fn dollar(&mut self) -> Result<Cow<'e, str>, ExpandError> {
        let from = self.at;
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(Cow::Borrowed("$"));
            }
            return Ok(match self.lookup(name, from) {
                None if self.options.skip_unset => Cow::Owned(format!("${name}")),
                value => value.unwrap_or_default(),
            });
        }
        self.next();
        match self.peek() {
            None => return Err(ExpandError::MissingBrace),
            Some('{' | '}' | ':') => return Err(ExpandError::BadSubstitution),
            Some(_) => {}
        }
        let name = self.name();
        let mut modifier = String::new();
        let mut operator = self.next_of(&mut modifier);
        match operator {
            Some('}') => Ok(match self.lookup(name, from) {
                None if self.options.skip_unset => Cow::Owned(format!("${{{name}}}")),
                value => value.unwrap_or_default(),
            }),
            Some(':' | '+' | '-' | '?' | '#' | '%') => {
                let null_is_unset = operator == Some(':');
                if null_is_unset {
                    operator = self.next_of(&mut modifier);
                }
                let pattern = matches!(operator, Some('#' | '%'));
                if null_is_unset && pattern {
                    return Err(ExpandError::UnsupportedModifier(modifier));
                }
                let word = self.nested('}', pattern, ExpandError::MissingBrace)?;
                let value = self.lookup(name, from);
                if self.options.skip_unset && value.is_none() {
                    return Ok(Cow::Owned(format!("${{{name}{modifier}{word}}}")));
                }
                let missing = value.as_deref().is_none_or(|value| null_is_unset && value.is_empty());
                match operator {
                    Some('-') if missing => Ok(Cow::Owned(word)),
                    Some('+') if missing => Ok(Cow::Borrowed("")),
                    Some('+') => Ok(Cow::Owned(word)),
                    Some('?') if missing => Err(required(name, word, value.is_none())),
                    Some('-' | '?') => Ok(value.unwrap_or_default()),
                    Some(operator @ ('#' | '%')) => {
                        let value = value.unwrap_or_default();
                        let (word, greedy) = match word.strip_prefix(operator) {
                            Some(rest) => (rest, true),
                            None => (word.as_str(), false),
                        };
                        if operator == '#' {
                            pattern::trim_prefix(word, &value, greedy).map(Cow::Owned)
                        } else {
                            pattern::trim_suffix(word, &value, greedy).map(Cow::Owned)
                        }
                    }
                    _ => Err(ExpandError::UnsupportedModifier(modifier)),
                }
            }
            Some('/') => {
                let all = self.peek() == Some('/');
                if all {
                    self.next();
                }
                let pattern = self.nested('/', true, ExpandError::MissingSlash)?;
                let replacement = self.nested('}', true, ExpandError::MissingBrace)?;
                match self.lookup(name, from) {
                    None if self.options.skip_unset => {
                        Ok(Cow::Owned(format!("${{{name}/{pattern}/{replacement}}}")))
                    }
                    value => pattern::replace(&pattern, &value.unwrap_or_default(), &replacement, all)
                        .map(Cow::Owned),
                }
            }
            _ => Err(ExpandError::UnsupportedModifier(modifier)),
        }
    }

    /// The next character, also written to `modifier`; the end counts as Go's replacement character.
    fn next_of(&mut self, modifier: &mut String) -> Option<char> {
        let c = self.next();
        modifier.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        c
    }

    fn nested(&mut self, stop: char, raw_escapes: bool, at_end: ExpandError) -> Result<String, ExpandError> {
        if self.depth >= MAX_DEPTH {
            return Err(ExpandError::TooDeep);
        }
        self.depth += 1;
        self.nested = true;
        let text = self.until(Some(stop), raw_escapes, None);
        self.depth -= 1;
        text.map_err(|error| match error {
            ExpandError::TooDeep | ExpandError::TooLong => error,
            _ if self.peek().is_none() => at_end,
            _ => error,
        })
    }

    /// `processName`: letters, digits and `_`; a number; or one special parameter. (Beyond ASCII, what Rust calls
    /// alphabetic and numeric stands for Go's letters and digits.)
    fn name(&mut self) -> &'r str {
        let rest = self.raw.get(self.at..).unwrap_or("");
        let len = match rest.chars().next() {
            Some(c) if is_digit(c) => rest.find(|c| !is_digit(c)).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => rest.find(|c: char| !(c.is_alphabetic() || is_digit(c) || c == '_')).unwrap_or(rest.len()),
        };
        self.at += len;
        rest.get(..len).unwrap_or("")
    }

    fn lookup(&mut self, name: &'r str, from: usize) -> Option<Cow<'e, str>> {
        let value = (self.env)(name);
        if self.record {
            let variable = Variable { name, range: from..self.at };
            self.lookups.push(Lookup { variable, found: value.is_some() });
        }
        value
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())
}

fn required(name: &str, word: String, unset: bool) -> ExpandError {
    let message = match (word.is_empty(), unset) {
        (false, _) => word,
        (true, true) => "is not allowed to be unset".to_owned(),
        (true, false) => "is not allowed to be empty".to_owned(),
    };
    ExpandError::Required { name: name.to_owned(), message }
}
