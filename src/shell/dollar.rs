//! Expansions: double quotes, `$…` and backticks.

use super::Dialect;
use super::lex::{Context, Parser, Part, Raw, Stop};
use std::borrow::Cow;

impl<'a> Parser<'_, 'a, '_> {
    /// Reads to the closing double quote; `pos` is after the opening one.
    pub(super) fn double_quoted(&mut self, context: Context, parts: &mut Vec<Part<'a>>) -> Result<(), Stop> {
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
    pub(super) fn expansion(
        &mut self,
        context: Context,
        raw: &mut Raw<'a>,
        quoted: bool,
    ) -> Result<(), Stop> {
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
    pub(super) fn substitution(
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
            super::text::stretch(self.options.source, self.text, from, self.pos)
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
