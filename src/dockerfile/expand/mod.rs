//! Variable expansion and quote removal, as BuildKit's `frontend/dockerfile/shell/lex.go` does them.
//!
//! Forms: `$v ${v} ${v:-w} ${v-w} ${v:+w} ${v+w} ${v:?w} ${v?w} ${v#p} ${v##p} ${v%p} ${v%%p} ${v/p/r} ${v//p/r}`; single
//! quotes suppress, double quotes keep blanks, the escape character takes the next character as it is. An unset
//! variable is the empty text.
//!
//! Two bounds that BuildKit does not have: nesting deeper than [`MAX_DEPTH`] and results that grow by more than
//! [`MAX_GROWTH`] are errors, so that no Dockerfile can make an analysis slow.

mod lexer;
mod pattern;

use lexer::{Lexer, Words};
use std::borrow::Cow;
use std::ops::Range;

/// Deepest nesting of `${v:-${w:-…}}`.
pub const MAX_DEPTH: usize = 64;

/// Bytes by which an expansion may be longer than its text; one environment string of Linux holds as much.
pub const MAX_GROWTH: usize = 128 * 1024;

/// Why a text cannot be expanded, in BuildKit's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// `${v` without an end.
    #[error("syntax error: missing '}}'")]
    MissingBrace,
    /// `${v/p` without the second slash.
    #[error("syntax error: missing '/' in ${{}}")]
    MissingSlash,
    /// `${}`, `${:…}`, `${{…}`.
    #[error("syntax error: bad substitution")]
    BadSubstitution,
    /// `${v^^}` and other forms that BuildKit does not know; the modifier.
    #[error("unsupported modifier ({0}) in substitution")]
    UnsupportedModifier(String),
    /// A quote without its end: `single` or `double`.
    #[error("unexpected end of statement while looking for matching {0}-quote")]
    UnterminatedQuote(&'static str),
    /// `${v:?w}` or `${v?w}` on a variable that is unset (or empty).
    #[error("{name}: {message}")]
    Required {
        /// The variable.
        name: String,
        /// The text after `?`, or what BuildKit says in its place.
        message: String,
    },
    /// A pattern that has a wrong escape.
    #[error("invalid pattern ({pattern}) in substitution: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("substitutions are nested too deeply")]
    TooDeep,
    /// Grown by more than [`MAX_GROWTH`], or a pattern that would take too long to match.
    #[error("the expanded text is too long")]
    TooLong,
}

/// How a text is read. The default is BuildKit's for instructions: quotes and escapes are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The escape character: `\` or a backtick.
    pub escape: char,
    /// Quotes stay in the result (they still quote).
    pub raw_quotes: bool,
    /// Escape characters stay in the result (they still escape).
    pub raw_escapes: bool,
    /// Quotes are ordinary characters (bodies of heredocs).
    pub skip_quotes: bool,
    /// A substitution of an unset variable stays as written.
    pub skip_unset: bool,
}

impl Options {
    /// BuildKit's default with this escape character.
    #[must_use]
    pub fn new(escape: char) -> Self {
        Self { escape, raw_quotes: false, raw_escapes: false, skip_quotes: false, skip_unset: false }
    }

    /// How the body of a heredoc is expanded: escape `\`, quotes are text (`dockerfile2llb/convert.go:1051`).
    #[must_use]
    pub fn heredoc() -> Self {
        Self { skip_quotes: true, ..Self::new('\\') }
    }
}

/// A text after expansion, with the names that took part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded<'r> {
    /// The result.
    pub text: Cow<'r, str>,
    /// Names that had a value, in order of first use.
    pub used: Vec<&'r str>,
    /// Names that were asked for and unset, in order of first use (`${v:-w}` asks for `v`).
    pub unset: Vec<&'r str>,
}

/// One substitution in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable<'r> {
    /// The variable's name.
    pub name: &'r str,
    /// The bytes of the whole substitution in the text, `$` to the last character.
    pub range: Range<usize>,
}

/// Expands one word: variables replaced, quotes and escapes removed (`ProcessWord`). Blanks are kept.
///
/// # Errors
/// Syntax that BuildKit refuses, `${v:?}` on an unset name, and the two bounds of this module.
pub fn word<'r, 'e>(
    raw: &'r str,
    escape: char,
    env: &dyn Fn(&str) -> Option<Cow<'e, str>>,
) -> Result<Cow<'r, str>, ExpandError> {
    if is_plain(raw, escape) {
        return Ok(Cow::Borrowed(raw));
    }
    Lexer::new(raw, Options::new(escape), env).run(None).map(Cow::Owned)
}

/// Expands and splits at blanks that are not quoted, blanks from values included (`ProcessWords`; EXPOSE).
///
/// # Errors
/// As [`word()`].
pub fn words<'e>(
    raw: &str,
    escape: char,
    env: &dyn Fn(&str) -> Option<Cow<'e, str>>,
) -> Result<Vec<String>, ExpandError> {
    Ok(split(raw, Options::new(escape), env)?.into_iter().map(|(word, _)| word).collect())
}

/// Expands one word under `options` and says which names were used and which were unset.
///
/// # Errors
/// As [`word()`].
pub fn evaluate<'r, 'e>(
    raw: &'r str,
    options: Options,
    env: &dyn Fn(&str) -> Option<Cow<'e, str>>,
) -> Result<Expanded<'r>, ExpandError> {
    if is_plain(raw, options.escape) {
        return Ok(Expanded { text: Cow::Borrowed(raw), ..Expanded::default() });
    }
    let mut lexer = Lexer::new(raw, options, env).recording();
    let text = Cow::Owned(lexer.run(None)?);
    let mut expanded = Expanded { text, ..Expanded::default() };
    for lookup in lexer.lookups {
        let list = if lookup.found { &mut expanded.used } else { &mut expanded.unset };
        if !list.contains(&lookup.variable.name) {
            list.push(lookup.variable.name);
        }
    }
    Ok(expanded)
}

/// The substitutions in `raw`, outer before inner, without evaluating them. Text after a syntax error is not searched.
#[must_use]
pub fn variables(raw: &str, escape: char) -> Vec<Variable<'_>> {
    if memchr::memchr(b'$', raw.as_bytes()).is_none() {
        return Vec::new();
    }
    let mut lexer =
        Lexer::new(raw, Options { skip_unset: true, ..Options::new(escape) }, &|_| None).recording();
    let _ = lexer.run(None);
    let mut variables: Vec<_> = lexer.lookups.into_iter().map(|lookup| lookup.variable).collect();
    variables.sort_by_key(|variable| variable.range.start);
    variables
}

/// The words of `raw` with the bytes that each came from.
pub(super) fn split<'e>(
    raw: &str,
    options: Options,
    env: &dyn Fn(&str) -> Option<Cow<'e, str>>,
) -> Result<Vec<(String, Range<usize>)>, ExpandError> {
    let mut words = Words::default();
    Lexer::new(raw, options, env).run(Some(&mut words))?;
    Ok(words.finish(raw.len()))
}

/// Whether expansion gives `raw` back unchanged.
fn is_plain(raw: &str, escape: char) -> bool {
    let bytes = raw.as_bytes();
    let escape = escape as u8;
    // Most words are short: a search that is fast on long ones takes longer there.
    let changes = if bytes.len() <= 32 {
        bytes.iter().any(|byte| matches!(byte, b'$' | b'\'' | b'"') || *byte == escape)
    } else {
        memchr::memchr3(b'$', b'\'', b'"', bytes).is_some() || memchr::memchr(escape, bytes).is_some()
    };
    !changes && !raw.starts_with('\u{FEFF}')
}
