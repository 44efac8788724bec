//! Compound commands: functions, branches, loops, `case` and `[[ ]]`.

use super::lex::{Context, Mode, Parser, Raw, Stop};
use super::list::opposite;
use super::state::Value;
use super::{Cwd, Link};
use std::borrow::Cow;

impl<'a> Parser<'_, 'a, '_> {
    /// `name() body`; `pos` is before the body.
    pub(super) fn function(&mut self, name: &Raw<'a>, context: Context) -> Result<(), Stop> {
        self.newlines();
        let first = self.state.script.commands.len();
        let mark = self.state.mark();
        self.state.cwd = Cwd::Start;
        let body = self.maybe(context.deeper());
        self.nested(|parser| parser.command(Link::Then, body))?;
        let moves = self.state.cwd != Cwd::Start;
        self.state.restore(mark);
        self.state.define(self.slice(name.start, name.end), first, body.guard, moves);
        Ok(())
    }

    pub(super) fn conditional(&mut self, context: Context) -> Result<(), Stop> {
        let mut mark = None;
        let mut moved = false;
        let mut condition = context.deeper();
        loop {
            // `if` or `elif`
            self.pos += self.keyword().map_or(0, str::len);
            let first = self.state.script.commands.len();
            self.list(condition, &["then"])?;
            let question = self.question(first);
            self.expect("then")?;
            let mark = mark.get_or_insert_with(|| self.state.mark());
            let branch = self.when(condition, question);
            self.list(branch, &["elif", "else", "fi"])?;
            condition = self.when(condition, question.map(opposite));
            moved |= self.state.leave(mark);
            match self.keyword() {
                Some("elif") => continue,
                Some("else") => {
                    self.pos += "else".len();
                    self.list(condition, &["fi"])?;
                    moved |= self.state.leave(mark);
                }
                _ => {}
            }
            self.expect("fi")?;
            if moved {
                self.state.cwd = Cwd::Unknown;
            }
            return self.redirects_only(context);
        }
    }

    pub(super) fn loop_while(&mut self, context: Context) -> Result<(), Stop> {
        let mark = self.state.mark();
        let inside = Context { in_loop: true, ..context.deeper() };
        self.list(inside, &["do"])?;
        self.expect("do")?;
        let body = self.maybe(inside);
        self.list(body, &["done"])?;
        self.expect("done")?;
        self.state.doubt(&mark);
        self.redirects_only(context)
    }

    pub(super) fn loop_for(&mut self, context: Context) -> Result<(), Stop> {
        let start = self.pos;
        let mark = self.state.mark();
        self.blanks();
        let mut inside = Context { in_loop: true, ..context.deeper() };
        if self.byte() == Some(b'(') {
            self.pos += 1;
            if self.byte() != Some(b'(') || !self.arithmetic() {
                return Err(Stop(start));
            }
            inside = self.maybe(inside);
        } else {
            let name = self.pos;
            self.name();
            if self.pos == name {
                return Err(Stop(start));
            }
            let name = self.slice(name, self.pos);
            self.newlines();
            let mut words = None;
            if self.rest().starts_with(b"in")
                && !matches!(self.ahead(2), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'))
            {
                self.pos += 2;
                words = self.loop_words(context)?;
            }
            let value = match words {
                Some(words) if !words.is_empty() => Value::Many(words),
                _ => {
                    inside = self.maybe(inside);
                    Value::Unknown
                }
            };
            self.state.set(name, value);
        }
        self.blanks();
        if self.byte() == Some(b';') {
            self.pos += 1;
        }
        self.newlines();
        if self.keyword() == Some("{") {
            self.pos += 1;
            self.list(inside, &["}"])?;
            self.expect("}")?;
        } else {
            self.expect("do")?;
            self.list(inside, &["done"])?;
            self.expect("done")?;
        }
        self.state.doubt(&mark);
        self.redirects_only(context)
    }

    /// The words of a `for`, if all of them are known.
    fn loop_words(&mut self, context: Context) -> Result<Option<Vec<Cow<'a, str>>>, Stop> {
        /// Longer lists are not directories to work in.
        const MAX: usize = 64;
        let mut words = Some(Vec::new());
        let mut fields = Vec::new();
        loop {
            self.blanks();
            let Some(raw) = self.word(context, Mode::Command)? else { return Ok(words) };
            self.fields(raw, &mut fields);
            for field in fields.drain(..) {
                let known = field.word.literal && !field.word.glob;
                words = words.filter(|words: &Vec<_>| known && words.len() < MAX);
                if let Some(words) = &mut words {
                    words.push(field.word.text);
                }
            }
        }
    }

    pub(super) fn case(&mut self, context: Context) -> Result<(), Stop> {
        let start = self.pos;
        self.pos += "case".len();
        self.blanks();
        self.word(context, Mode::Command)?.ok_or(Stop(start))?;
        self.newlines();
        if !self.rest().starts_with(b"in") {
            return Err(Stop(start));
        }
        self.pos += 2;
        let mark = self.state.mark();
        let mut moved = false;
        loop {
            self.newlines();
            if self.keyword() == Some("esac") {
                self.pos += "esac".len();
                break;
            }
            if self.byte() == Some(b'(') {
                self.pos += 1;
            }
            loop {
                self.blanks();
                self.word(context, Mode::Command)?;
                self.blanks();
                match self.byte() {
                    Some(b'|') => self.pos += 1,
                    Some(b')') => break,
                    _ => return Err(Stop(self.pos)),
                }
            }
            self.pos += 1;
            let branch = self.maybe(context.deeper());
            self.list(branch, &["esac"])?;
            moved |= self.state.leave(&mark);
            if self.byte() == Some(b';') {
                self.pos += if self.rest().starts_with(b";;&") { 3 } else { 2 };
            } else if self.keyword() != Some("esac") {
                return Err(Stop(start));
            }
        }
        if moved {
            self.state.cwd = Cwd::Unknown;
        }
        self.redirects_only(context)
    }

    /// `[[ … ]]`
    pub(super) fn test(&mut self, link: Link, context: Context) -> Result<(), Stop> {
        let start = self.pos;
        let mut words = Vec::new();
        loop {
            self.blanks();
            if self.byte() == Some(b'\n') {
                self.pos += 1;
                continue;
            }
            let raw = self.word(context, Mode::Test)?.ok_or(Stop(start))?;
            // `]];` and `]])`: the word goes on only because operators are words here.
            let closes = self.bytes.get(raw.start..raw.end).is_some_and(|text| {
                text.starts_with(b"]]") && !text.get(2).is_some_and(|byte| byte.is_ascii_alphanumeric())
            });
            if closes {
                self.pos = raw.start + 2;
                words.push(Raw { start: raw.start, end: raw.start + 2, ..Raw::default() });
                break;
            }
            words.push(raw);
        }
        self.bare_words(words, link, context);
        self.redirects_only(context)
    }
}
