//! Reading the regular expressions of [`super::glob`], as Go's `regexp` reads them.

use super::glob::{Atom, Op, Set};
use super::go_match::BadPattern;

pub(super) struct Parser<'a> {
    pub(super) rest: &'a str,
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

    pub(super) fn operation(&mut self, ops: &mut Vec<Op>) -> Result<(), BadPattern> {
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
