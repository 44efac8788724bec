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
    /// How it is matched quickly, where it is one of those that people write.
    plain: Option<Plain>,
}

/// An expression whose elements stay inside one path element each, in front of them at most one `(.*/)?`: it fits the last
/// `slashes + 1` elements of a path or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plain {
    /// Whether any directories may come before.
    anywhere: bool,
    /// The slashes that every match of the rest has.
    slashes: usize,
}

impl Program {
    /// The slashes of every text that matches; `None` where they may be more or fewer.
    pub(super) fn slashes(&self) -> Option<usize> {
        self.plain.filter(|plain| !plain.anywhere).map(|plain| plain.slashes)
    }

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
        let plain = Plain::of(&ops);
        Ok(Self { head, tail: tail.into_iter().rev().collect(), least, ops, plain })
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        if text.len() < self.least || !text.starts_with(&self.head) || !text.ends_with(&self.tail) {
            return false;
        }
        if let Some(plain) = self.plain {
            return plain.matches(&self.ops, text);
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

impl Plain {
    fn of(ops: &[Op]) -> Option<Self> {
        let (anywhere, rest) = match ops {
            [Op::Dirs, Op::DirsBody, rest @ ..] => (true, rest),
            _ => (false, ops),
        };
        let mut slashes = 0;
        for op in rest {
            match op {
                Op::One(Atom::Char('/')) => slashes += 1,
                Op::One(Atom::Char(_)) => {}
                Op::One(Atom::Set(set)) if !set.has('/') => {}
                Op::Many(Atom::Set(Set { negated: true, ranges })) if *ranges == [('/', '/')] => {}
                _ => return None,
            }
        }
        Some(Self { anywhere, slashes })
    }

    fn matches(self, ops: &[Op], text: &str) -> bool {
        let ends = memchr::memrchr_iter(b'/', text.as_bytes());
        let Some(before) = ends.map(|at| at + 1).chain([0]).nth(self.slashes) else { return false };
        let (dirs, rest) = text.split_at(before);
        match (self.anywhere, ops) {
            (true, [_, _, ops @ ..]) => !dirs.contains('\n') && fits(ops, rest),
            _ => dirs.is_empty() && fits(ops, rest),
        }
    }
}

/// Whether `text` fits `ops` as a whole, where both have the same number of slashes and no operation crosses one. The last
/// `[^/]*` takes as little as it can: nothing before it has to be tried again.
fn fits(ops: &[Op], text: &str) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    let mut again: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let here = rest.clone();
        let one = match (ops.get(at), rest.next()) {
            (None, None) => return true,
            (Some(Op::Many(_)), _) => {
                rest = here;
                again = Some((at + 1, rest.clone()));
                true
            }
            (Some(Op::One(atom)), Some(c)) => atom.has(c),
            _ => false,
        };
        if one {
            at += 1;
            continue;
        }
        let Some((then, from)) = &mut again else { return false };
        if from.next().is_none_or(|c| c == '/') {
            return false;
        }
        (at, rest) = (*then, from.clone());
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
    fn the_quick_way_says_what_the_list_of_operations_says() {
        let pieces = ["a", "b", "/", "[^/]*", "[^/]", "[ab]", "[^a]", "\\.", "(.*/)?"];
        let texts = [
            "", "a", "b", "ab", "a/b", "b/a/b", "aab", "abab", ".a", "a.b/ab", "/a", "a/", "aa/bb/ab",
            "a\nb/a",
        ];
        let mut plain = 0;
        for number in 0..pieces.len().pow(4) {
            let digits = [0, 1, 2, 3].map(|digit| number / pieces.len().pow(digit) % pieces.len());
            let expression: String = digits.iter().filter_map(|digit| pieces.get(*digit)).copied().collect();
            let program = Program::parse(&expression).unwrap();
            let slow = Program { plain: None, ..program.clone() };
            plain += usize::from(program.plain.is_some());
            for text in texts {
                assert_eq!(program.matches(text), slow.matches(text), "{expression} {text:?}");
            }
        }
        assert!(plain > 1_000, "{plain}");
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
