//! Words: quotes, escapes and expansions.

use super::state::{MAX_DEPTH, State};
use super::{Assignment, Heredoc, Options, Wrapper};
use crate::source::{Joined, Span};
use std::borrow::Cow;
use std::cell::Cell;

/// One stretch of a word, by offsets of the text that is read.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    /// Stands for itself.
    Literal { start: usize, end: usize, quoted: bool },
    /// A character that is spelled otherwise at `at` (`$'\n'`).
    Character { at: usize, character: char },
    /// A variable, plain or with a default.
    Variable { start: usize, end: usize, name: (usize, usize), default: Option<(usize, usize)>, quoted: bool },
    /// Anything else that the shell replaces. `names` is the program that `$(command -v …)` finds.
    Expansion { start: usize, end: usize, names: Option<Cow<'a, str>> },
}

/// A word as it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Empty where the word is one plain stretch.
    pub(super) parts: Vec<Part<'a>>,
    pub(super) quoted: bool,
    pub(super) glob: bool,
}

/// The text cannot be read from this offset on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop(pub(super) usize);

/// What holds for all commands of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// Number of the innermost guard.
    pub(super) guard: u32,
    pub(super) substitution: bool,
    pub(super) in_loop: bool,
    pub(super) depth: u32,
}

impl Context {
    pub(super) const TOP: Self = Self { guard: 0, substitution: false, in_loop: false, depth: 0 };

    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..self }
    }
}

/// Where a word ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Command,
    /// Inside `[[ ]]`, where operators are words.
    Test,
}

/// A heredoc whose body follows at the next line end.
pub(super) struct Pending<'a> {
    pub(super) delimiter: Cow<'a, str>,
    pub(super) chomp: bool,
    pub(super) expand: bool,
    /// Numbers of the command and of its redirection, once the command is recorded.
    pub(super) place: Option<(usize, usize)>,
    /// Set where the body is a script for the command.
    pub(super) script: Option<Later<'a>>,
}

/// What a script that comes later (a heredoc's body) inherits.
pub(super) struct Later<'a> {
    pub(super) context: Context,
    pub(super) wrappers: Vec<Wrapper<'a>>,
    pub(super) env: Vec<Assignment<'a>>,
    pub(super) cwd: super::Cwd<'a>,
}

/// Reads one text.
pub(super) struct Parser<'t, 'a, 'o> {
    pub(super) text: &'t Joined<'a>,
    pub(super) bytes: &'t [u8],
    pub(super) pos: usize,
    /// The stretch of the text that was looked at last.
    pub(super) near: Cell<usize>,
    pub(super) state: &'t mut State<'a, 'o>,
    pub(super) options: Options<'a, 'o>,
    /// Heredocs by marker; empty in texts whose heredocs stand in themselves.
    pub(super) heredocs: &'o [Heredoc<'a>],
    /// Stretches that an outer shell expands, and the next of them.
    pub(super) holes: &'t [(usize, usize)],
    pub(super) wrappers: Vec<Wrapper<'a>>,
    pub(super) env: Vec<Assignment<'a>>,
    pub(super) pending: Vec<Pending<'a>>,
}

/// A byte that stands for itself in a word, whatever is around it.
const PLAIN: u8 = 1;
/// One that does where no bracket of a list (`{a,b}`) is open.
const OUTSIDE: u8 = 2;

/// The class of every byte.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => PLAIN | OUTSIDE,
            b'-' | b'_' | b'/' | b'=' | b':' | b'@' | b'+' | b'%' => PLAIN | OUTSIDE,
            b'.' | b',' | b'~' | b'^' | b'!' | b'#' | b'}' | b']' => OUTSIDE,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

impl<'t, 'a, 'o> Parser<'t, 'a, 'o> {
    pub(super) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    pub(super) fn ahead(&self, by: usize) -> Option<u8> {
        self.bytes.get(self.pos + by).copied()
    }

    pub(super) fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.pos..).unwrap_or(&[])
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> Cow<'a, str> {
        self.text.part(self.options.source, start..end)
    }

    /// Text and place of a stretch.
    pub(super) fn placed(&self, start: usize, end: usize) -> (Cow<'a, str>, Span) {
        let mut near = self.near.get();
        let placed = self.text.placed(self.options.source, start..end, &mut near);
        self.near.set(near);
        placed
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        self.text.span(start, end)
    }

    /// Goes one level down, unless that is too deep.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.state.nesting >= MAX_DEPTH {
            return Err(Stop(self.pos));
        }
        self.state.nesting += 1;
        let result = read(self);
        self.state.nesting -= 1;
        result
    }

    /// The length of a line continuation at `pos + by`, 0 where there is none.
    pub(super) fn continuation(&self, by: usize) -> usize {
        match (self.ahead(by), self.ahead(by + 1), self.ahead(by + 2)) {
            (Some(b'\\'), Some(b'\n'), _) => 2,
            (Some(b'\\'), Some(b'\r'), Some(b'\n')) => 3,
            _ => 0,
        }
    }

    /// Skips blanks, continuations and a comment; not newlines.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\x0b' | b'\x0c') => self.pos += 1,
                Some(b'\r') if matches!(self.ahead(1), Some(b'\n') | None) => self.pos += 1,
                Some(b'\\') if self.continuation(0) > 0 => self.pos += self.continuation(0),
                Some(b'#') => self.pos += memchr::memchr(b'\n', self.rest()).unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    /// The end of the hole at `pos`, if an outer shell expands what stands here.
    pub(super) fn hole(&mut self) -> Option<usize> {
        while let Some(&(start, end)) = self.holes.first() {
            if start >= self.pos {
                return (start == self.pos).then_some(end);
            }
            self.holes = self.holes.get(1..).unwrap_or(&[]);
        }
        None
    }

    /// Reads a word; `None` where none starts.
    pub(super) fn word(&mut self, context: Context, mode: Mode) -> Result<Option<Raw<'a>>, Stop> {
        let mut raw = Raw { start: self.pos, ..Raw::default() };
        let mut from = self.pos;
        let mut brace = 0_u8;
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' => break,
                b'\r' if matches!(self.ahead(1), Some(b'\n') | None) => break,
                b'<' | b'>' if mode == Mode::Command && self.ahead(1) == Some(b'(') => {
                    self.literal(&mut raw, from, false);
                    let start = self.pos;
                    self.pos += 2;
                    self.substitution(start, context, &mut raw.parts)?;
                    from = self.pos;
                }
                b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' if mode == Mode::Command => break,
                b'\\' => {
                    self.literal(&mut raw, from, false);
                    let skip = self.continuation(0);
                    if skip > 0 {
                        self.pos += skip;
                        from = self.pos;
                        if raw.parts.is_empty() && raw.start + skip == self.pos {
                            raw.start = self.pos;
                        }
                        continue;
                    }
                    raw.quoted = true;
                    self.pos += 1;
                    let start = self.pos.min(self.bytes.len());
                    self.character();
                    self.stretch(&mut raw.parts, start, true);
                    from = self.pos;
                }
                b'\'' => {
                    self.literal(&mut raw, from, false);
                    raw.quoted = true;
                    let start = self.pos + 1;
                    let length = memchr::memchr(b'\'', self.bytes.get(start..).unwrap_or(&[]));
                    self.pos = start + length.ok_or(Stop(self.pos))?;
                    self.stretch(&mut raw.parts, start, true);
                    self.pos += 1;
                    from = self.pos;
                }
                b'"' => {
                    self.literal(&mut raw, from, false);
                    raw.quoted = true;
                    self.pos += 1;
                    self.double_quoted(context, &mut raw.parts)?;
                    from = self.pos;
                }
                b'$' | b'`' => {
                    self.literal(&mut raw, from, false);
                    self.expansion(context, &mut raw, false)?;
                    from = self.pos;
                }
                _ => {
                    match (byte, brace) {
                        (b'*' | b'?' | b'[', _) => raw.glob = true,
                        (b'{', 0) => brace = 1,
                        (b',', 1) => brace = 2,
                        (b'.', 1) if self.ahead(1) == Some(b'.') => brace = 2,
                        (b'}', 2) => raw.glob = true,
                        _ => {}
                    }
                    self.pos += 1;
                    let plain = if brace == 0 { OUTSIDE } else { PLAIN };
                    let stands =
                        |byte: &u8| CLASSES.get(usize::from(*byte)).is_some_and(|own| own & plain != 0);
                    let rest = self.rest();
                    self.pos += rest.iter().position(|byte| !stands(byte)).unwrap_or(rest.len());
                }
            }
        }
        raw.end = self.pos;
        if raw.end == raw.start {
            return Ok(None);
        }
        if !(raw.parts.is_empty() && from == raw.start) {
            self.literal(&mut raw, from, false);
        }
        Ok(Some(raw))
    }

    /// Passes one character.
    pub(super) fn character(&mut self) {
        self.pos += 1;
        while self.byte().is_some_and(|byte| (0x80..0xC0).contains(&byte)) {
            self.pos += 1;
        }
        self.pos = self.pos.min(self.bytes.len());
    }

    fn literal(&self, raw: &mut Raw<'a>, from: usize, quoted: bool) {
        if from < self.pos {
            raw.parts.push(Part::Literal { start: from, end: self.pos, quoted });
        }
    }

    pub(super) fn stretch(&self, parts: &mut Vec<Part<'a>>, from: usize, quoted: bool) {
        if from < self.pos {
            parts.push(Part::Literal { start: from, end: self.pos, quoted });
        }
    }

    /// Passes the characters of a name.
    pub(super) fn name(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.pos += 1;
        }
    }
}
