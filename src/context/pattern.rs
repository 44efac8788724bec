//! One pattern of a `.dockerignore`, of `COPY --exclude` or `COPY --parents`: what moby/patternmatcher's `New`,
//! `compile` and `match` make of it.

use super::glob::Program;
use super::go_match::{BadPattern, go_match};
use super::path;

/// A pattern, cleaned and compiled. Paths to match are clean and relative to the root that the pattern belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    negated: bool,
    matcher: Matcher,
    /// The slashes of every path that it matches by itself, where they are always as many.
    slashes: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    Exact,
    /// Text that ends in `**`: what begins with the text before it.
    Prefix(String),
    /// `**` and plain text: what ends with the text.
    Suffix(String),
    Program(Program),
}

/// Why a pattern is none; BuildKit fails the build with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// `!` with nothing behind it.
    #[error("illegal exclusion pattern: \"!\"")]
    LoneNegation,
    /// Longer than any path. BuildKit takes it, but nobody writes it, and matching it would cost.
    #[error("pattern too long")]
    TooLong,
    /// A broken class, range or escape.
    #[error(transparent)]
    Malformed(#[from] BadPattern),
}

/// Longer patterns are not taken (Linux' `PATH_MAX`).
const MAX_LEN: usize = 4096;

/// Another way to write a pattern, to ask what it would have matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// `**/P`: in any directory.
    Anywhere,
    /// Without the `..` elements that lead out of the context.
    InsideContext,
    /// In lower case, to be matched against paths in lower case.
    LowerCase,
}

impl Pattern {
    /// A pattern as patternmatcher takes it from a list: trimmed and cleaned, `!` in front negates. `None` for blank
    /// text. A leading `/` stays and makes it match nothing; only the reader of ignore files removes it.
    ///
    /// # Errors
    ///
    /// [`PatternError`] where BuildKit rejects it, at once or when it first matches.
    pub fn new(text: &str) -> Result<Option<Self>, PatternError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > MAX_LEN {
            return Err(PatternError::TooLong);
        }
        let cleaned = path::clean(text);
        let (text, negated) = match cleaned.strip_prefix('!') {
            Some("") => return Err(PatternError::LoneNegation),
            Some(rest) => (rest.to_owned(), true),
            None => (cleaned, false),
        };
        go_match(&text, ".")?;
        let matcher = compile(&text)?;
        let slashes = match &matcher {
            Matcher::Exact => Some(slashes(&text)),
            Matcher::Program(program) => program.slashes(),
            Matcher::Prefix(_) | Matcher::Suffix(_) => None,
        };
        Ok(Some(Self { text, negated, matcher, slashes }))
    }

    /// The cleaned text, without `!`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it begins with `!`, that is, takes matched paths back.
    #[must_use]
    pub fn negated(&self) -> bool {
        self.negated
    }

    /// Whether it matches `path` itself (not a directory above it).
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.text,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix.as_str()) || suffix.strip_prefix('/') == Some(path)
            }
            Matcher::Program(program) => program.matches(path),
        }
    }

    /// [`Pattern::matches`] for a path of so many slashes: most patterns are told to be too long or too short for it.
    #[must_use]
    pub fn matches_at(&self, path: &str, slashes: usize) -> bool {
        self.slashes.is_none_or(|own| own == slashes) && self.matches(path)
    }

    /// Whether it matches `path` or a directory above it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        self.matches(path) || parents.into_iter().any(|parent| self.matches(parent))
    }

    /// The pattern written another way; `None` where that is the same pattern or none.
    #[must_use]
    pub fn variant(&self, variant: Variant) -> Option<Self> {
        let text = match variant {
            Variant::Anywhere if self.text.starts_with("**") => return None,
            Variant::Anywhere => format!("**/{}", self.text.trim_start_matches("../")),
            Variant::InsideContext => self.text.trim_start_matches("../").to_owned(),
            Variant::LowerCase => self.text.to_lowercase(),
        };
        if variant != Variant::LowerCase && text == self.text {
            return None;
        }
        let sign = if self.negated { "!" } else { "" };
        Self::new(&format!("{sign}{text}")).ok().flatten()
    }

    /// Whether something below `directory` could match though the directory itself does not, as far as BuildKit's
    /// walk looks (fsutil, filter.go: it compares plain prefixes, and gives up on the question for other patterns).
    pub(super) fn may_match_below(&self, directory: &str) -> bool {
        let plain = self.without_trailing_glob();
        let below =
            plain.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below || self.is_more_than_prefix()
    }

    pub(super) fn is_more_than_prefix(&self) -> bool {
        self.without_trailing_glob().contains(['*', '[', ']', '?', '^', '\\'])
    }

    fn without_trailing_glob(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

/// How many slashes are in a path.
#[must_use]
pub fn slashes(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

/// patternmatcher's `compile`: plain text, text and a trailing `**`, a leading `**` and plain text are matched as
/// such; everything else becomes an expression.
fn compile(text: &str) -> Result<Matcher, BadPattern> {
    #[derive(PartialEq)]
    enum Kind {
        Exact,
        Prefix,
        Suffix,
        Expression,
    }
    let mut kind = Kind::Exact;
    let mut expression = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_some() {
                    expression.push_str("(.*/)?");
                    kind = Kind::Expression;
                } else if kind == Kind::Exact {
                    kind = Kind::Prefix;
                } else {
                    expression.push_str(".*");
                    kind = Kind::Expression;
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = Kind::Expression;
            }
            '?' => {
                expression.push_str("[^/]");
                kind = Kind::Expression;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => expression.extend(['\\', c]),
            '\\' => {
                expression.push('\\');
                if let Some(next) = chars.next() {
                    expression.push(next);
                    kind = Kind::Expression;
                }
            }
            '[' | ']' => {
                expression.push(c);
                kind = Kind::Expression;
            }
            c => expression.push(c),
        }
        first = false;
    }
    Ok(match kind {
        Kind::Exact => Matcher::Exact,
        Kind::Prefix => Matcher::Prefix(text.strip_suffix("**").unwrap_or(text).to_owned()),
        Kind::Suffix => Matcher::Suffix(text.strip_prefix("**").unwrap_or(text).to_owned()),
        Kind::Expression => Matcher::Program(Program::parse(&expression)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_patternmatcher_does() {
        // From the tables of moby/patternmatcher's tests, and Go's regexp for the odd ones at the end.
        for (pattern, path, expected) in [
            ("**", "file", true),
            ("**/", "dir/file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir", true),
            ("**/dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/**", "dir/dir2/dir3/file", true),
            ("**file", "dir/dir/file", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("**/*.txt", "file.txt", true),
            ("a**/*.txt", "a/dir/dir/file.txt", true),
            ("a/*.txt", "a/dir/file.txt", false),
            ("a/*.txt**", "a/file.txt", true),
            ("a[b-d]e", "ae", false),
            ("a[b-d]e", "ace", true),
            ("a[^b-d]e", "aze", true),
            (".*", "foo", false),
            ("abc.def", "abcZdef", false),
            ("abc?def", "abcZdef", true),
            ("a\\\\", "a\\", true),
            ("**/foo/bar", "dir/dir2/foo/bar", true),
            ("abc/**", "abc", false),
            ("abc/**", "abc/def/ghi", true),
            ("**/.foo", "bar.foo", false),
            ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
            ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true),
            ("a\\*b", "a*b", true),
            ("*/b", "a/c/b", false),
            ("docs", "Docs", false),
            ("/docs", "docs", false),
            ("^*.md", "a.md", true),
            ("[*]", "*", false),
            ("dir\\bin", "dirbin", false),
        ] {
            let compiled = Pattern::new(pattern).unwrap().unwrap();
            assert_eq!(compiled.covers(path), expected, "{pattern} {path}");
            assert_eq!(compiled.matches_at(path, slashes(path)), compiled.matches(path), "{pattern} {path}");
        }
    }

    #[test]
    fn broken_patterns_are_errors() {
        assert_eq!(Pattern::new("!"), Err(PatternError::LoneNegation));
        assert_eq!(Pattern::new("!/"), Err(PatternError::LoneNegation));
        for text in ["[", "a[", "[]", "[a-", "x\\", "[z-a]", "src\\packages"] {
            assert_eq!(Pattern::new(text), Err(PatternError::Malformed(BadPattern)), "{text}");
        }
        assert_eq!(Pattern::new("  "), Ok(None));
    }

    #[test]
    fn variants_say_what_was_meant() {
        let pattern = Pattern::new("Node_modules").unwrap().unwrap();
        assert!(pattern.variant(Variant::Anywhere).unwrap().matches("web/Node_modules"));
        assert!(pattern.variant(Variant::LowerCase).unwrap().matches("node_modules"));
        assert_eq!(pattern.variant(Variant::InsideContext), None);
        let outside = Pattern::new("!../logs").unwrap().unwrap();
        assert!(outside.variant(Variant::InsideContext).unwrap().matches("logs"));
    }
}
