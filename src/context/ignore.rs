//! `.dockerignore`: reading it (moby/patternmatcher, ignorefile) and deciding on paths as BuildKit's walk of the
//! context does (tonistiigi/fsutil, filter.go, with `MatchesUsingParentResults`).

use super::path;
use super::pattern::{Pattern, PatternError, slashes};
use crate::source::Span;

/// The name of the ignore file at the root of a context.
pub const DOCKERIGNORE: &str = ".dockerignore";

/// Go's scanner gives up on lines of this many bytes.
const MAX_LINE: usize = 64 * 1024;

/// A parsed ignore file. The default ignores nothing, as a missing file does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    /// The valid patterns in the order of the file.
    pub patterns: Vec<IgnorePattern>,
    /// Lines that make BuildKit reject the file and fail the build; they decide nothing here.
    pub errors: Vec<IgnoreError>,
}

/// A pattern and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnorePattern {
    /// Line, from 1.
    pub line: u32,
    /// The pattern in the file, without the blanks around it, with its `!`.
    pub span: Span,
    /// The pattern as it is matched.
    pub pattern: Pattern,
}

/// A line that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreError {
    /// Line, from 1.
    pub line: u32,
    /// The text in question.
    pub span: Span,
    /// Why.
    pub reason: IgnoreErrorReason,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreErrorReason {
    /// The pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// 64 KiB or more in one line.
    #[error("line too long")]
    TooLong,
}

/// What the ignore file says of one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether the path is left out of the context.
    pub ignored: bool,
    /// The pattern that decided, an index into [`Ignore::patterns`]: for an ignored path the one that ignores it, for
    /// another the negation that took it back, or `None` where no pattern concerned it.
    pub pattern: Option<usize>,
}

/// Which patterns match a directory or one above it: what the decisions below the directory start from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Above(Vec<u64>);

impl Above {
    fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    fn add(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }
}

impl Ignore {
    /// Reads an ignore file. A byte order mark is dropped, `#` in column 0 makes a comment, blanks around a pattern
    /// and behind `!` go, the pattern is cleaned (`a/../b/` is `b`), one leading `/` goes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut ignore = Self::default();
        let mut start = 0;
        for (index, whole) in text.split_inclusive('\n').enumerate() {
            let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let content = whole.strip_suffix('\n').unwrap_or(whole);
            if content.len() >= MAX_LINE {
                let span = Span::new(start, start + content.len());
                ignore.errors.push(IgnoreError { line, span, reason: IgnoreErrorReason::TooLong });
                break;
            }
            let mark = if index == 0 && content.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
            ignore.line(line, start + mark, content.get(mark..).unwrap_or(content));
            start += whole.len();
        }
        ignore
    }

    fn line(&mut self, line: u32, start: usize, content: &str) {
        if content.starts_with('#') {
            return;
        }
        let text = content.trim();
        let start = start + (content.len() - content.trim_start().len());
        let span = Span::new(start, start + text.len());
        match Pattern::new(&normalize(text)) {
            Ok(Some(pattern)) => self.patterns.push(IgnorePattern { line, span, pattern }),
            Ok(None) => {}
            Err(error) => self.errors.push(IgnoreError { line, span, reason: error.into() }),
        }
    }

    /// Whether any pattern is a negation.
    #[must_use]
    pub fn has_negations(&self) -> bool {
        self.patterns.iter().any(|entry| entry.pattern.negated())
    }

    /// What becomes of `path`, clean and relative to the context; a directory's decision is about its own entry, files
    /// below it may be taken back. The root itself is never ignored.
    #[must_use]
    pub fn decide(&self, path: &str) -> Decision {
        if path.is_empty() {
            return Decision::default();
        }
        let mut above = None;
        for (at, _) in path.match_indices('/') {
            let Some(directory) = path.get(..at) else { continue };
            above = Some(self.decide_below(above.as_ref(), directory).1);
        }
        self.decide_below(above.as_ref(), path).0
    }

    /// [`Ignore::decide`] one step down a walk: `above` is what this gave for the parent directory, `None` at the root.
    ///
    /// A pattern that cannot change the state at hand is not looked at, and counts as not matched for everything
    /// below. So of `a`, `!a/b`, `a` the last line does not bring `a/b` back under the rule: BuildKit's walk does the
    /// same, though patternmatcher asked for the path alone does not.
    #[must_use]
    pub fn decide_below(&self, above: Option<&Above>, path: &str) -> (Decision, Above) {
        step(self.patterns.iter().map(|entry| &entry.pattern), above, path)
    }

    /// Whether a walk does not come to `path`: a directory above it is ignored, and nothing takes back what is in it.
    #[must_use]
    pub fn is_pruned(&self, path: &str) -> bool {
        let mut above = None;
        for (at, _) in path.match_indices('/') {
            let Some(directory) = path.get(..at) else { continue };
            let (decision, own) = self.decide_below(above.as_ref(), directory);
            if !self.enters(&decision, directory) {
                return true;
            }
            above = Some(own);
        }
        false
    }

    /// Whether a walk looks into `directory`, of which it was decided so.
    #[must_use]
    pub fn enters(&self, decision: &Decision, directory: &str) -> bool {
        !decision.ignored || self.may_keep_below(directory)
    }

    /// Whether a walk has to look into `directory`, which is ignored, because a negation may take something below it
    /// back.
    #[must_use]
    pub fn may_keep_below(&self, directory: &str) -> bool {
        let mut negations =
            self.patterns.iter().map(|entry| &entry.pattern).filter(|pattern| pattern.negated());
        negations.any(|pattern| pattern.may_match_below(directory))
    }
}

/// patternmatcher's `MatchesUsingParentResults`; "ignored" means that the list of patterns, taken as a whole,
/// matches. Without `above` the directories above `path` are looked at here.
pub(super) fn step<'a>(
    patterns: impl ExactSizeIterator<Item = &'a Pattern>,
    above: Option<&Above>,
    path: &str,
) -> (Decision, Above) {
    let mut decision = Decision::default();
    let slashes = slashes(path);
    let mut own = Above(vec![0; patterns.len().div_ceil(64)]);
    for (index, pattern) in patterns.enumerate() {
        let known = above.is_some_and(|above| above.has(index));
        let asked = || match above {
            Some(_) => pattern.matches_at(path, slashes),
            None => pattern.covers(path),
        };
        if !known && (pattern.negated() != decision.ignored || !asked()) {
            continue;
        }
        own.add(index);
        if decision.ignored == pattern.negated() {
            decision = Decision { ignored: !pattern.negated(), pattern: Some(index) };
        }
    }
    (decision, own)
}

/// ignorefile's treatment of one trimmed line.
fn normalize(line: &str) -> String {
    let (sign, text) = match line.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", line),
    };
    if text.is_empty() {
        return sign.to_owned();
    }
    let cleaned = path::clean(text);
    let inside = if cleaned.len() > 1 { cleaned.strip_prefix('/').unwrap_or(&cleaned) } else { &cleaned };
    format!("{sign}{inside}")
}

/// The ignore file that BuildKit reads first for a Dockerfile at `dockerfile`: `<dockerfile>.dockerignore` beside it.
/// Where it exists, even empty, `.dockerignore` at the context's root is not read.
#[must_use]
pub fn own_ignore_file(dockerfile: &str) -> String {
    format!("{dockerfile}{DOCKERIGNORE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(file: &str, path: &str) -> bool {
        Ignore::parse(file).decide(path).ignored
    }

    #[test]
    fn lines_are_read_as_buildkit_reads_them() {
        let ignore = Ignore::parse(
            "\u{feff}test1\r\n/test2\n /a/file/here \n\nlast/\n# comment\n #not\n! /inverted/../x\n.\n",
        );
        let texts: Vec<_> = ignore
            .patterns
            .iter()
            .map(|entry| (entry.line, entry.pattern.negated(), entry.pattern.text()))
            .collect();
        let expected = [
            (1, false, "test1"),
            (2, false, "test2"),
            (3, false, "a/file/here"),
            (5, false, "last"),
            (7, false, "#not"),
            (8, true, "x"),
            (9, false, "."),
        ];
        assert_eq!(texts, expected);
        assert_eq!(ignore.errors, []);
    }

    #[test]
    fn spans_cover_the_pattern() {
        let text = "\u{feff} a \r\n\t!b/c\n";
        let spans: Vec<_> =
            Ignore::parse(text).patterns.iter().map(|entry| entry.span.of(text).to_owned()).collect();
        assert_eq!(spans, ["a", "!b/c"]);
    }

    #[test]
    fn errors_carry_their_line_and_decide_nothing() {
        let long = "x".repeat(MAX_LINE);
        let ignore = Ignore::parse(&format!("ok\n!\n[a\n{long}\nnever read\n"));
        let lines: Vec<_> = ignore.errors.iter().map(|error| (error.line, error.reason)).collect();
        assert_eq!(lines[0], (2, IgnoreErrorReason::Pattern(PatternError::LoneNegation)));
        assert_eq!(lines[1].0, 3);
        assert_eq!(lines[2], (4, IgnoreErrorReason::TooLong));
        assert_eq!(ignore.patterns.len(), 1);
        let wide = Ignore::parse(&"*".repeat(5000));
        assert_eq!(wide.errors[0].reason, IgnoreErrorReason::Pattern(PatternError::TooLong));
    }

    #[test]
    fn the_facts_hold() {
        // facts: context handling, each verified on a real BuildKit.
        assert!(ignored("*.md", "a.md") && !ignored("*.md", "d/a.md"));
        assert!(ignored("node_modules", "node_modules/x/y") && !ignored("node_modules", "web/node_modules"));
        assert!(ignored("b\n!b/c", "b/d") && !ignored("b\n!b/c", "b/c") && !ignored("b\n!b/c", "b/c/e"));
        assert!(ignored("*\n!a", "b") && !ignored("*\n!a", "a/x"));
        assert!(ignored("!a\n*", "a"));
        assert!(!ignored("docs", "Docs/x"));
        assert!(ignored("a/../logs", "logs/x") && ignored("logs/", "logs") && ignored("/logs", "logs/x"));
        assert!(ignored("**/*.tmp", "src/t.tmp") && ignored("l?gs", "logs") && ignored("[a-c].txt", "b.txt"));
    }

    #[test]
    fn the_deciding_line_is_known() {
        let ignore = Ignore::parse("# all\n*\n!src\nsrc/gen\n");
        let line = |path: &str| {
            let decision = ignore.decide(path);
            (decision.ignored, decision.pattern.map(|index| ignore.patterns[index].line))
        };
        assert_eq!(line("a"), (true, Some(2)));
        assert_eq!(line("src/a"), (false, Some(3)));
        assert_eq!(line("src/gen/a"), (true, Some(4)));
        assert_eq!(Ignore::default().decide("a"), Decision::default());
    }

    #[test]
    fn a_skipped_pattern_does_not_reach_below() {
        // fsutil walks with MatchesUsingParentResults: the third line was not looked at for `a`, so not for `a/b`.
        assert!(!ignored("a\n!a/b\na", "a/b"));
        assert!(ignored("a\n!a/b\na/b", "a/b"));
    }

    #[test]
    fn a_walk_enters_ignored_directories_only_for_negations() {
        assert!(!Ignore::parse("a").may_keep_below("a"));
        let ignore = Ignore::parse("*\n!a/b/c\n!d/**\n");
        assert!(ignore.may_keep_below("a") && ignore.may_keep_below("a/b") && ignore.may_keep_below("d"));
        assert!(!ignore.may_keep_below("ab") && !ignore.may_keep_below("e"));
        assert!(Ignore::parse("*\n!**/x").may_keep_below("e"));
    }
}
