//! The regular expressions that moby/patternmatcher makes of a pattern, matched without one: a list of operations run
//! over the text with a set of live positions, so the time is pattern × text at worst and no text can blow it up.
//!
//! Only what patternmatcher can produce is here: characters, classes, `[^/]`, `[^/]*`, `(.*/)?`, `.*`, `^` and
//! escapes. Its translation does not know classes, so `[*]` comes out as the expression `[[^/]*]`; the parser of
//! [`Program::parse`] reads such texts as Go's `regexp` does, because that is what BuildKit does with them.

use super::go_match::BadPattern;

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| *low <= c && c <= *high) != self.negated
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
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
enum Op {
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
        Ok(Self { head, tail: tail.into_iter().rev().collect(), ops })
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        if !text.starts_with(&self.head) || !text.ends_with(&self.tail) {
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

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let first = chars.next();
        self.rest = chars.as_str();
        first
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn operation(&mut self, ops: &mut Vec<Op>) -> Result<(), BadPattern> {
        if self.eat("(.*/)?") {
            ops.extend([Op::Dirs, Op::DirsBody]);
            return Ok(());
        }
        let atom = match self.take() {
            None => return Ok(()),
            Some('^') => {
                ops.push(Op::Start);
                return Ok(());
            }
            Some('.') => Atom::Any,
            Some('[') => Atom::Set(self.set()?),
            Some('\\') => match self.escape()? {
                Escape::Char(c) => Atom::Char(c),
                Escape::Set(set) => Atom::Set(set),
                Escape::Assertion(op) => {
                    ops.push(op);
                    return Ok(());
                }
            },
            Some(c) => Atom::Char(c),
        };
        ops.push(if self.eat("*") { Op::Many(atom) } else { Op::One(atom) });
        Ok(())
    }

    /// A class, behind its `[`.
    fn set(&mut self) -> Result<Set, BadPattern> {
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        let mut first = true;
        loop {
            if !first && self.eat("]") {
                return Ok(Set { negated, ranges });
            }
            first = false;
            if let Some(named) = self.named_class() {
                ranges.extend(named?);
                continue;
            }
            let low = match self.member()? {
                Member::Char(c) => c,
                Member::Ranges(more) => {
                    ranges.extend(more);
                    continue;
                }
            };
            let mut high = low;
            let mut ahead = self.rest.chars();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.eat("-");
                match self.member()? {
                    Member::Char(c) if c >= low => high = c,
                    _ => return Err(BadPattern),
                }
            }
            ranges.push((low, high));
        }
    }

    fn member(&mut self) -> Result<Member, BadPattern> {
        match self.take() {
            None => Err(BadPattern),
            Some('\\') => match self.escape()? {
                Escape::Char(c) => Ok(Member::Char(c)),
                Escape::Set(set) if set.negated => Ok(Member::Ranges(complement(&set.ranges))),
                Escape::Set(set) => Ok(Member::Ranges(set.ranges)),
                Escape::Assertion(_) => Err(BadPattern),
            },
            Some(c) => Ok(Member::Char(c)),
        }
    }

    /// `[:alpha:]` and its kind, inside a class.
    fn named_class(&mut self) -> Option<Result<Vec<(char, char)>, BadPattern>> {
        let inner = self.rest.strip_prefix("[:")?;
        let (name, rest) = inner.split_once(":]")?;
        let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let ranges: &[(char, char)] = match name {
            "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => &[('A', 'Z'), ('a', 'z')],
            "ascii" => &[('\0', '\x7f')],
            "blank" => &[('\t', '\t'), (' ', ' ')],
            "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
            "digit" => &[('0', '9')],
            "graph" => &[('!', '~')],
            "lower" => &[('a', 'z')],
            "print" => &[(' ', '~')],
            "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => &[('\t', '\r'), (' ', ' ')],
            "upper" => &[('A', 'Z')],
            "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => return Some(Err(BadPattern)),
        };
        self.rest = rest;
        Some(Ok(if negated { complement(ranges) } else { ranges.to_vec() }))
    }

    /// What a backslash makes of the character after it. `\p`, `\P`, `\Q`, `\x` and octal numbers, which Go has too,
    /// are taken as mistakes: nobody means them in a path, and most such patterns (`src\packages`) are mistakes in Go.
    fn escape(&mut self) -> Result<Escape, BadPattern> {
        let perl = |negated, ranges: &[(char, char)]| Escape::Set(Set { negated, ranges: ranges.to_vec() });
        let digit = [('0', '9')];
        let space = [('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
        let word = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        let c = self.take().ok_or(BadPattern)?;
        Ok(match c {
            'd' | 'D' => perl(c == 'D', &digit),
            's' | 'S' => perl(c == 'S', &space),
            'w' | 'W' => perl(c == 'W', &word),
            'b' | 'B' => Escape::Assertion(Op::WordBoundary(c == 'b')),
            'A' => Escape::Assertion(Op::Start),
            'z' => Escape::Assertion(Op::End),
            'a' => Escape::Char('\x07'),
            'f' => Escape::Char('\x0c'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'v' => Escape::Char('\x0b'),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Escape::Char(c),
            _ => return Err(BadPattern),
        })
    }
}

enum Member {
    Char(char),
    Ranges(Vec<(char, char)>),
}

enum Escape {
    Char(char),
    Set(Set),
    Assertion(Op),
}

fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut out = Vec::new();
    let mut from = Some('\0');
    for (low, high) in sorted {
        if let Some(start) = from
            && start < low
            && let Some(end) = char::from_u32((low as u32).wrapping_sub(1))
        {
            out.push((start, end));
        }
        from = char::from_u32(high as u32 + 1).max(from);
    }
    out.extend(from.map(|start| (start, char::MAX)));
    out
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
