//! Words: quotes, escapes and expansions.

use super::state::{MAX_DEPTH, State};
use super::text::slice;
use super::{Assignment, Dialect, Heredoc, Options, Wrapper};
use crate::source::{Joined, Span};
use std::borrow::Cow;

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
    pub(super) certain: bool,
    pub(super) substitution: bool,
    pub(super) in_loop: bool,
    pub(super) depth: u32,
}

impl Context {
    pub(super) const TOP: Self = Self { certain: true, substitution: false, in_loop: false, depth: 0 };

    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..self }
    }

    pub(super) fn maybe(self) -> Self {
        Self { certain: false, ..self }
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
        slice(self.text, start, end)
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
    fn hole(&mut self) -> Option<usize> {
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
    fn character(&mut self) {
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

    fn stretch(&self, parts: &mut Vec<Part<'a>>, from: usize, quoted: bool) {
        if from < self.pos {
            parts.push(Part::Literal { start: from, end: self.pos, quoted });
        }
    }

    /// Reads to the closing double quote; `pos` is after the opening one.
    fn double_quoted(&mut self, context: Context, parts: &mut Vec<Part<'a>>) -> Result<(), Stop> {
        let open = self.pos.saturating_sub(1);
        let mut from = self.pos;
        loop {
            let rest = self.rest();
            let stop = memchr::memchr3(b'"', b'\\', b'$', rest);
            let tick = memchr::memchr(b'`', rest.get(..stop.unwrap_or(rest.len())).unwrap_or(&[]));
            self.pos += tick.or(stop).ok_or(Stop(open))?;
            match self.byte() {
                Some(b'"') => {
                    self.stretch(parts, from, true);
                    self.pos += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    let skip = self.continuation(0);
                    if skip > 0 {
                        self.stretch(parts, from, true);
                        self.pos += skip;
                        from = self.pos;
                    } else if matches!(self.ahead(1), Some(b'"' | b'\\' | b'$' | b'`')) {
                        self.stretch(parts, from, true);
                        from = self.pos + 1;
                        self.pos += 2;
                    } else {
                        self.pos += 1;
                    }
                }
                _ => {
                    self.stretch(parts, from, true);
                    let mut raw = Raw { parts: std::mem::take(parts), ..Raw::default() };
                    let result = self.expansion(context, &mut raw, true);
                    *parts = raw.parts;
                    result?;
                    from = self.pos;
                }
            }
        }
    }

    /// Reads what starts with `$` or a backtick.
    fn expansion(&mut self, context: Context, raw: &mut Raw<'a>, quoted: bool) -> Result<(), Stop> {
        let start = self.pos;
        if let Some(end) = self.hole() {
            self.pos = end;
            raw.parts.push(Part::Expansion { start, end, names: None });
            return Ok(());
        }
        if self.byte() == Some(b'`') {
            return self.backticks(context, &mut raw.parts, quoted);
        }
        let make = self.options.dialect == Dialect::Make;
        if make && matches!(self.ahead(1), Some(b'(' | b'{')) {
            return self.make_variable(&mut raw.parts, quoted);
        }
        // `$$` of a recipe is the shell's `$`.
        if make && self.ahead(1) == Some(b'$') {
            self.pos += 1;
        }
        let parts = &mut raw.parts;
        match self.ahead(1) {
            Some(b'(') => {
                self.pos += 2;
                if self.byte() == Some(b'(') && self.arithmetic() {
                    parts.push(Part::Expansion { start, end: self.pos, names: None });
                    return Ok(());
                }
                self.substitution(start, context, parts)
            }
            Some(b'{') if self.ahead(2) == Some(b'{') => self.until(start, b"}}", parts),
            Some(b'[') if self.ahead(2) == Some(b'[') => self.until(start, b"]]", parts),
            Some(b'{') => self.nested(|parser| parser.braced(start, context, parts, quoted)),
            Some(b'\'') if !quoted => {
                raw.quoted = true;
                self.pos += 2;
                self.ansi_quoted(start, parts)
            }
            Some(b'"') if !quoted => {
                raw.quoted = true;
                self.pos += 2;
                self.double_quoted(context, parts)
            }
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                self.pos += 1;
                let name = self.pos;
                self.name();
                let (end, name) = (self.pos, (name, self.pos));
                parts.push(Part::Variable { start, end, name, default: None, quoted });
                Ok(())
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                self.pos += 2;
                parts.push(Part::Expansion { start, end: self.pos, names: None });
                Ok(())
            }
            _ => {
                self.pos += 1;
                self.stretch(parts, start, true);
                Ok(())
            }
        }
    }

    /// Passes the characters of a name.
    pub(super) fn name(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.pos += 1;
        }
    }

    /// `${{ … }}` and `$[[ … ]]`, which a CI system replaces before the shell runs.
    fn until(&mut self, start: usize, close: &[u8], parts: &mut Vec<Part<'a>>) -> Result<(), Stop> {
        let length = memchr::memmem::find(self.rest(), close).ok_or(Stop(start))?;
        self.pos += length + close.len();
        parts.push(Part::Expansion { start, end: self.pos, names: None });
        Ok(())
    }

    /// `$(NAME)`, `${NAME}`, `$(shell …)` of make.
    fn make_variable(&mut self, parts: &mut Vec<Part<'a>>, quoted: bool) -> Result<(), Stop> {
        let start = self.pos;
        let (open, close) = if self.ahead(1) == Some(b'(') { (b'(', b')') } else { (b'{', b'}') };
        self.pos += 2;
        let name = self.pos;
        self.name();
        if self.byte() == Some(close) && self.pos > name {
            let name = (name, self.pos);
            self.pos += 1;
            parts.push(Part::Variable { start, end: self.pos, name, default: None, quoted });
            return Ok(());
        }
        let mut depth = 1_u32;
        while depth > 0 {
            let at = memchr::memchr2(open, close, self.rest()).ok_or(Stop(start))?;
            self.pos += at;
            depth = if self.byte() == Some(open) { depth + 1 } else { depth - 1 };
            self.pos += 1;
        }
        parts.push(Part::Expansion { start, end: self.pos, names: None });
        Ok(())
    }

    /// `${…}`; `pos` is at the `$`.
    fn braced(
        &mut self,
        start: usize,
        context: Context,
        parts: &mut Vec<Part<'a>>,
        quoted: bool,
    ) -> Result<(), Stop> {
        self.pos += 2;
        let name = self.pos;
        self.name();
        let name = (name, self.pos);
        let named = name.0 < name.1 && !self.bytes.get(name.0).is_some_and(u8::is_ascii_digit);
        let operator = match (self.byte(), self.ahead(1)) {
            (Some(b'}'), _) if named => {
                self.pos += 1;
                parts.push(Part::Variable { start, end: self.pos, name, default: None, quoted });
                return Ok(());
            }
            (Some(b':'), Some(b'-' | b'=')) => 2,
            (Some(b'-' | b'='), _) => 1,
            _ => 0,
        };
        self.pos += operator;
        let default = self.pos;
        // The word after the operator, in whatever quoting; what it runs is recorded, the rest only passed.
        let mut inner = Vec::new();
        loop {
            match self.byte() {
                None => return Err(Stop(start)),
                Some(b'}') => break,
                Some(b'\\') => {
                    self.pos += 1;
                    if self.byte().is_some() {
                        self.character();
                    }
                }
                Some(b'\'') if !quoted => {
                    let rest = self.bytes.get(self.pos + 1..).unwrap_or(&[]);
                    self.pos += memchr::memchr(b'\'', rest).ok_or(Stop(start))? + 2;
                }
                Some(b'"') => {
                    self.pos += 1;
                    self.nested(|parser| parser.double_quoted(context, &mut inner))?;
                }
                Some(b'$' | b'`') => {
                    let mut raw = Raw::default();
                    self.expansion(context, &mut raw, quoted)?;
                }
                Some(_) => self.pos += 1,
            }
            inner.clear();
        }
        let end = self.pos;
        self.pos += 1;
        if named && operator > 0 {
            let default = Some((default, end));
            parts.push(Part::Variable { start, end: self.pos, name, default, quoted });
        } else {
            parts.push(Part::Expansion { start, end: self.pos, names: None });
        }
        Ok(())
    }

    /// Passes `((…))` from its second `(` (as in `$((`, whose `$(` was passed) if it is arithmetic: its brackets close
    /// side by side.
    pub(super) fn arithmetic(&mut self) -> bool {
        let mut depth = 1_u32;
        let mut at = self.pos + 1;
        loop {
            let rest = self.bytes.get(at..).unwrap_or(&[]);
            let Some(found) = memchr::memchr2(b'(', b')', rest) else { return false };
            at += found;
            if self.bytes.get(at) == Some(&b'(') {
                depth += 1;
            } else {
                depth -= 1;
            }
            at += 1;
            if depth == 0 {
                let closes = self.bytes.get(at) == Some(&b')');
                if closes {
                    self.pos = at + 1;
                }
                return closes;
            }
        }
    }

    /// `$(…)` or `<(…)`; `pos` is after the bracket.
    fn substitution(
        &mut self,
        start: usize,
        context: Context,
        parts: &mut Vec<Part<'a>>,
    ) -> Result<(), Stop> {
        let first = self.state.script.commands.len();
        let mark = self.state.mark();
        let context = Context { substitution: true, ..context.deeper() };
        self.nested(|parser| parser.list(context, &[]))?;
        if self.byte() != Some(b')') {
            return Err(Stop(start));
        }
        self.pos += 1;
        self.state.restore(mark);
        parts.push(Part::Expansion { start, end: self.pos, names: self.found(first) });
        Ok(())
    }

    /// The program that a substitution names if its commands from `first` on only look one up.
    fn found(&self, first: usize) -> Option<Cow<'a, str>> {
        let mut name = None;
        for command in self.state.script.commands.get(first..)? {
            let arguments = match command.program()? {
                "which" => command.args(),
                "command" | "type" => match command.args() {
                    [flag, rest @ ..] if matches!(&*flag.text, "-v" | "-p" | "-P") => rest,
                    _ => return None,
                },
                _ => return None,
            };
            let [only] = arguments else { return None };
            if !only.literal {
                return None;
            }
            name = name.or_else(|| Some(only.text.clone()));
        }
        name
    }

    /// `` `…` ``; inside, `\$`, `\\`, `` \` `` (and `\"` between double quotes) stand for the second character.
    fn backticks(&mut self, context: Context, parts: &mut Vec<Part<'a>>, quoted: bool) -> Result<(), Stop> {
        let start = self.pos;
        self.pos += 1;
        let mut builder = super::text::Builder::default();
        let mut from = self.pos;
        loop {
            self.pos += memchr::memchr2(b'`', b'\\', self.rest()).ok_or(Stop(start))?;
            if self.byte() == Some(b'`') {
                break;
            }
            match self.ahead(1) {
                Some(b'$' | b'\\' | b'`') => {}
                Some(b'"') if quoted => {}
                _ => {
                    self.pos += 1;
                    continue;
                }
            }
            builder.copy(self.text, from, self.pos);
            from = self.pos + 1;
            self.pos += 2;
        }
        let inner = if from == start + 1 {
            super::text::stretch(self.text, from, self.pos)
        } else {
            builder.copy(self.text, from, self.pos);
            builder.finish()
        };
        self.pos += 1;
        let first = self.state.script.commands.len();
        let mark = self.state.mark();
        let context = Context { substitution: true, ..context.deeper() };
        self.inner(&inner, context, self.wrappers.clone(), self.env.clone());
        self.state.restore(mark);
        parts.push(Part::Expansion { start, end: self.pos, names: self.found(first) });
        Ok(())
    }

    /// `$'…'`.
    fn ansi_quoted(&mut self, start: usize, parts: &mut Vec<Part<'a>>) -> Result<(), Stop> {
        let mut from = self.pos;
        loop {
            self.pos += memchr::memchr2(b'\'', b'\\', self.rest()).ok_or(Stop(start))?;
            self.stretch(parts, from, true);
            if self.byte() == Some(b'\'') {
                self.pos += 1;
                return Ok(());
            }
            let at = self.pos;
            let character = match self.ahead(1) {
                Some(b'n') => Some('\n'),
                Some(b't') => Some('\t'),
                Some(b'r') => Some('\r'),
                Some(b'e' | b'E') => Some('\x1b'),
                Some(b'0') => Some('\0'),
                _ => None,
            };
            self.pos += 1;
            from = self.pos;
            if let Some(character) = character {
                parts.push(Part::Character { at, character });
                self.pos += 1;
                from = self.pos;
            } else if self.byte().is_some() {
                // `\'`, `\\` and the rarer escapes keep their character.
                self.character();
            }
        }
    }
}
