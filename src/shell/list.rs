//! The grammar: lists, pipelines and compound commands.

use super::lex::{Context, Mode, Parser, Raw, Stop};
use super::state::Value;
use super::{Cwd, Guard, GuardKind, Link};
use std::borrow::Cow;

/// The guard of the other branch.
fn opposite(kind: GuardKind) -> GuardKind {
    match kind {
        GuardKind::Succeeds(command) => GuardKind::Fails(command),
        GuardKind::Fails(command) => GuardKind::Succeeds(command),
        kind => kind,
    }
}

/// Words that end a list in command position.
const CLOSERS: &[&str] = &["then", "do", "done", "fi", "elif", "else", "esac", "}"];

/// Programs whose success is a question, not work: what follows them after `&&` may not run.
const TESTS: &[&str] = &[
    "[", "test", "[[", "which", "type", "hash", "grep", "egrep", "fgrep", "id", "getent", "cmp", "diff",
    "pgrep", "false",
];

impl<'a> Parser<'_, 'a, '_> {
    /// Reads commands up to `)`, `;;`, one of the words `until`, or the end; does not consume what ends it.
    pub(super) fn list(&mut self, context: Context, until: &[&str]) -> Result<(), Stop> {
        let mut link = Link::Then;
        loop {
            self.blanks();
            match self.byte() {
                None => {
                    self.bodies();
                    return Ok(());
                }
                Some(b')') => return Ok(()),
                Some(b'\n') => self.newline(),
                Some(b';') if matches!(self.ahead(1), Some(b';' | b'&')) => return Ok(()),
                Some(b';') => self.pos += 1,
                Some(b'&') if self.ahead(1) != Some(b'&') => self.pos += 1,
                Some(b'&' | b'|') => return Err(Stop(self.pos)),
                Some(first) => {
                    // The letters that the closing words begin with.
                    if matches!(first, b't' | b'd' | b'f' | b'e' | b'}')
                        && let Some(word) = self.keyword()
                        && CLOSERS.contains(&word)
                    {
                        return if until.contains(&word) { Ok(()) } else { Err(Stop(self.pos)) };
                    }
                    self.and_or(link, context)?;
                    self.blanks();
                    link = Link::Then;
                    if self.byte() == Some(b'&') && self.ahead(1) != Some(b'&') {
                        link = Link::Background;
                        self.pos += 1;
                    }
                }
            }
        }
    }

    /// Reads `a && b || c`.
    fn and_or(&mut self, mut link: Link, context: Context) -> Result<(), Stop> {
        let mut context = context;
        let base = context;
        let mut doubtful = false;
        let mut alone = true;
        loop {
            let maybe = base.guard != context.guard || link == Link::Or;
            let before = maybe.then(|| self.state.cwd.clone());
            let first = self.state.script.commands.len();
            let negated = self.pipeline(link, context)?;
            doubtful |= before.is_some_and(|before| self.state.cwd != before);
            self.blanks();
            match (self.byte(), self.ahead(1)) {
                (Some(b'&'), Some(b'&')) => {
                    if link == Link::Or {
                        context = base;
                    }
                    if negated || self.tests(first) {
                        context = self.when(context, self.question(first));
                    }
                    alone = false;
                    link = Link::And;
                }
                (Some(b'|'), Some(b'|')) => {
                    context = self.when(base, alone.then(|| self.question(first)).flatten().map(opposite));
                    alone = false;
                    link = Link::Or;
                }
                _ => break,
            }
            self.pos += 2;
            self.newlines();
        }
        if doubtful {
            self.state.cwd = Cwd::Unknown;
        }
        Ok(())
    }

    /// The context of commands that run only then; `None` where that cannot be said.
    fn when(&mut self, context: Context, kind: Option<GuardKind>) -> Context {
        let guards = &mut self.state.script.guards;
        guards.push(Guard { kind: kind.unwrap_or(GuardKind::Unknown), before: context.guard });
        Context { guard: u32::try_from(guards.len()).unwrap_or(u32::MAX), ..context }
    }

    /// The context of commands of which it is not known whether they run.
    pub(super) fn maybe(&mut self, context: Context) -> Context {
        self.when(context, None)
    }

    /// What it takes that the commands recorded from `first` on succeed, if that is one.
    fn question(&self, first: usize) -> Option<GuardKind> {
        let [command] = self.state.script.commands.get(first..)? else { return None };
        let number = u32::try_from(first).ok()?;
        Some(if command.negated { GuardKind::Fails(number) } else { GuardKind::Succeeds(number) })
    }

    /// Whether the last command recorded from `first` on only asks something.
    fn tests(&self, first: usize) -> bool {
        let Some(command) = self.state.script.commands.get(first..).and_then(<[_]>::last) else {
            return false;
        };
        match command.program() {
            Some("command") => true,
            Some(program) => TESTS.contains(&program),
            None => command.argv.first().is_some_and(|word| word.text.starts_with("((")),
        }
    }

    /// Reads `a | b`; tells whether it stands behind `!`.
    fn pipeline(&mut self, mut link: Link, context: Context) -> Result<bool, Stop> {
        let mut negated = false;
        self.blanks();
        while self.byte() == Some(b'!') && self.keyword() == Some("!") {
            negated = true;
            self.pos += 1;
            self.blanks();
        }
        let mark = self.state.mark();
        let mut piped = false;
        loop {
            self.command(link, context)?;
            self.blanks();
            match (self.byte(), self.ahead(1)) {
                (Some(b'|'), Some(b'|')) => break,
                (Some(b'|'), Some(b'&')) => self.pos += 2,
                (Some(b'|'), _) => self.pos += 1,
                _ => break,
            }
            // Each side is a process of its own; what it changes is gone with it.
            piped = true;
            self.newlines();
            link = Link::Pipe;
        }
        if piped {
            self.state.restore(mark);
        }
        if negated && let Some(last) = self.state.script.commands.last_mut() {
            last.negated = true;
        }
        Ok(negated)
    }

    fn newlines(&mut self) {
        self.blanks();
        while self.byte() == Some(b'\n') {
            self.newline();
            self.blanks();
        }
    }

    fn newline(&mut self) {
        self.pos += 1;
        self.bodies();
    }

    /// The reserved word at `pos`, if what stands there could be one.
    pub(super) fn keyword(&self) -> Option<&'static str> {
        let rest = self.rest();
        let length = match rest {
            [b'a'..=b'z', ..] => rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count(),
            [b'[', b'[', ..] => 2,
            [b'{' | b'}' | b'!', ..] => 1,
            _ => return None,
        };
        let word = rest.get(..length)?;
        let ends = match rest.get(length) {
            Some(b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') | None => {
                true
            }
            Some(b'\\') => self.continuation(length) > 0,
            _ => false,
        };
        if !ends {
            return None;
        }
        Some(match word {
            b"if" => "if",
            b"then" => "then",
            b"elif" => "elif",
            b"else" => "else",
            b"fi" => "fi",
            b"for" => "for",
            b"while" => "while",
            b"until" => "until",
            b"do" => "do",
            b"done" => "done",
            b"case" => "case",
            b"esac" => "esac",
            b"{" => "{",
            b"}" => "}",
            b"!" => "!",
            b"[[" => "[[",
            b"function" => "function",
            b"select" => "select",
            b"time" => "time",
            b"coproc" => "coproc",
            _ => return None,
        })
    }

    fn expect(&mut self, word: &str) -> Result<(), Stop> {
        self.blanks();
        if self.keyword() != Some(word) {
            return Err(Stop(self.pos));
        }
        self.pos += word.len();
        Ok(())
    }

    /// Reads one command of any kind.
    fn command(&mut self, link: Link, context: Context) -> Result<(), Stop> {
        self.blanks();
        let start = self.pos;
        if self.byte() == Some(b'(') {
            self.pos += 1;
            if self.byte() == Some(b'(') && self.arithmetic() {
                let raw = Raw { start, end: self.pos, ..Raw::default() };
                self.bare(raw, link, context);
                return self.redirects_only(context);
            }
            let mark = self.state.mark();
            self.nested(|parser| parser.list(context.deeper(), &[]))?;
            if self.byte() != Some(b')') {
                return Err(Stop(start));
            }
            self.pos += 1;
            self.state.restore(mark);
            return self.redirects_only(context);
        }
        match self.keyword() {
            Some("if") => self.nested(|parser| parser.conditional(context)),
            Some(word @ ("while" | "until")) => {
                self.pos += word.len();
                self.nested(|parser| parser.loop_while(context))
            }
            Some(word @ ("for" | "select")) => {
                self.pos += word.len();
                self.nested(|parser| parser.loop_for(context))
            }
            Some("case") => self.nested(|parser| parser.case(context)),
            Some("{") => {
                self.pos += 1;
                self.nested(|parser| parser.list(context.deeper(), &["}"]))?;
                self.expect("}")?;
                self.redirects_only(context)
            }
            Some("function") => {
                self.pos += "function".len();
                self.blanks();
                let name = self.word(context, Mode::Command)?.ok_or(Stop(start))?;
                self.blanks();
                if self.byte() == Some(b'(') {
                    self.pos += 1;
                    self.blanks();
                    if self.byte() != Some(b')') {
                        return Err(Stop(start));
                    }
                    self.pos += 1;
                }
                self.function(&name, context)
            }
            Some("[[") => self.test(link, context),
            Some(word @ ("time" | "coproc")) => {
                self.pos += word.len();
                self.blanks();
                let compound = self.byte() == Some(b'(')
                    || matches!(self.keyword(), Some("{" | "if" | "for" | "while" | "until" | "case" | "[["));
                if compound {
                    return self.nested(|parser| parser.command(link, context));
                }
                self.pos = start;
                self.simple(link, context)
            }
            Some(_) => Err(Stop(start)),
            None => self.simple(link, context),
        }
    }

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

    fn conditional(&mut self, context: Context) -> Result<(), Stop> {
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

    fn loop_while(&mut self, context: Context) -> Result<(), Stop> {
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

    fn loop_for(&mut self, context: Context) -> Result<(), Stop> {
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

    fn case(&mut self, context: Context) -> Result<(), Stop> {
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
    fn test(&mut self, link: Link, context: Context) -> Result<(), Stop> {
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
