//! The regular expressions that moby/patternmatcher makes of a pattern, matched without one: a list of operations run
//! over the text with a set of live positions, so the time is pattern × text at worst and no text can blow it up.
//!
//! Only what patternmatcher can produce is here: characters, classes, `[^/]`, `[^/]*`, `(.*/)?`, `.*`, `^` and
//! escapes. Its translation does not know classes, so `[*]` comes out as the expression `[[^/]*]`; the parser of
//! [`Program::parse`] reads such texts as Go's `regexp` does, because that is what BuildKit does with them.

use super::expression::Parser;
use super::go_match::BadPattern;

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(char, char)>,
}

impl Set {
    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| *low <= c && c <= *high) != self.negated
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Char(char),
    Set(Set),
    /// `.`: anything but a newline.
    Any,
}

impl Atom {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Set(set) => set.has(c),
            Self::Any => c != '\n',
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    One(Atom),
    Many(Atom),
    /// `(.*/)?`, which goes on behind the `DirsBody` that follows it, or into it.
    Dirs,
    DirsBody,
    /// `^`, or `\A`.
    Start,
    /// `\z`.
    End,
    /// `\b`, or `\B` when false.
    WordBoundary(bool),
}

/// A compiled expression, anchored at both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    ops: Vec<Op>,
    /// Literal text that every match begins with.
    head: String,
    /// Literal text that every match ends with.
    tail: String,
    /// Characters that every match has at least, each of one byte or more.
    least: usize,
}

impl Program {
    /// Reads an expression, without its anchors.
    pub(super) fn parse(expression: &str) -> Result<Self, BadPattern> {
        let mut parser = Parser { rest: expression };
        let mut ops = Vec::new();
        while !parser.rest.is_empty() {
            parser.operation(&mut ops)?;
        }
        let literal = |op: &Op| match op {
            Op::One(Atom::Char(c)) => Some(*c),
            _ => None,
        };
        let head = ops.iter().map_while(literal).collect();
        let tail: Vec<char> = ops.iter().rev().map_while(literal).collect();
        let least = ops.iter().filter(|op| matches!(op, Op::One(_))).count();
        Ok(Self { head, tail: tail.into_iter().rev().collect(), least, ops })
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        if text.len() < self.least || !text.starts_with(&self.head) || !text.ends_with(&self.tail) {
            return false;
        }
        let words = self.ops.len() / 64 + 1;
        let mut small = [0_u64; 8];
        let mut large = Vec::new();
        let both = match small.get_mut(..words * 2) {
            Some(both) => both,
            None => {
                large.resize(words * 2, 0);
                large.as_mut_slice()
            }
        };
        let (live, next) = both.split_at_mut(words);
        self.run(text, live, next)
    }

    fn run<'b>(&self, text: &str, mut live: &'b mut [u64], mut next: &'b mut [u64]) -> bool {
        set(live, 0);
        let mut before = None;
        let mut chars = text.chars();
        loop {
            let after = chars.clone().next();
            self.close(live, before, after);
            let Some(c) = chars.next() else { break };
            next.fill(0);
            for (word, bits) in live.iter().enumerate() {
                let mut bits = *bits;
                while bits != 0 {
                    self.step(word * 64 + bits.trailing_zeros() as usize, c, next);
                    bits &= bits - 1;
                }
            }
            if next.iter().all(|word| *word == 0) {
                return false;
            }
            std::mem::swap(&mut live, &mut next);
            before = Some(c);
        }
        get(live, self.ops.len())
    }

    /// The positions that `c` leads to from position `at`.
    fn step(&self, at: usize, c: char, next: &mut [u64]) {
        match self.ops.get(at) {
            Some(Op::One(atom)) if atom.has(c) => set(next, at + 1),
            Some(Op::Many(atom)) if atom.has(c) => set(next, at),
            Some(Op::DirsBody) => {
                if c != '\n' {
                    set(next, at);
                }
                if c == '/' {
                    set(next, at + 1);
                }
            }
            _ => {}
        }
    }

    /// Adds the positions reached without reading; they only lie ahead, so one pass does.
    fn close(&self, live: &mut [u64], before: Option<char>, after: Option<char>) {
        for at in 0..self.ops.len() {
            if !get(live, at) {
                continue;
            }
            match self.ops.get(at) {
                Some(Op::Many(_)) => set(live, at + 1),
                Some(Op::Dirs) => {
                    set(live, at + 1);
                    set(live, at + 2);
                }
                Some(Op::Start) if before.is_none() => set(live, at + 1),
                Some(Op::End) if after.is_none() => set(live, at + 1),
                Some(Op::WordBoundary(wanted)) if (is_word(before) != is_word(after)) == *wanted => {
                    set(live, at + 1);
                }
                _ => {}
            }
        }
    }
}

fn set(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn get(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, text: &str) -> bool {
        Program::parse(expression).unwrap().matches(text)
    }

    #[test]
    fn expressions_match_as_regexps_do() {
        assert!(matches("(.*/)?[^/]*\\.txt", "a/b/c.txt") && matches("(.*/)?[^/]*\\.txt", ".txt"));
        assert!(!matches("(.*/)?x", "ax") && matches("(.*/)?x", "a//x"));
        assert!(matches("[^/]*a[^/]*", "banana") && !matches("[^/]*a", "ban"));
        assert!(matches("[[^/]*]", "[^]") && !matches("[[^/]*]", "*"));
        assert!(matches("a\\b", "a") && !matches("a\\bc", "ac") && matches("\\d\\D", "1x"));
        assert!(matches("[\\D]", "x") && !matches("[\\D]", "7") && matches("[[:^digit:]]", "x"));
        assert!(matches("^a", "a") && !matches("a^b", "a^b"));
        assert_eq!(Program::parse("src\\packages"), Err(BadPattern));
    }

    #[test]
    fn long_programs_and_hostile_texts_stay_linear() {
        let stars = "[^/]*a".repeat(80);
        let text = "a".repeat(2_000);
        assert!(matches(&stars, &text));
        assert!(!matches(&format!("{stars}b"), &text));
        assert!(!matches(&format!("{stars}[bc]"), &text));
    }
}
