//! The grammar: lists, pipelines, and which kind of command stands where.

use super::lex::{Context, Mode, Parser, Raw, Stop};
use super::{Cwd, Guard, GuardKind, Link};

/// The guard of the other branch.
pub(super) fn opposite(kind: GuardKind) -> GuardKind {
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
                Some(_) => {
                    if let Some(word) = self.keyword()
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
    pub(super) fn when(&mut self, context: Context, kind: Option<GuardKind>) -> Context {
        let guards = &mut self.state.script.guards;
        guards.push(Guard { kind: kind.unwrap_or(GuardKind::Unknown), before: context.guard });
        Context { guard: u32::try_from(guards.len()).unwrap_or(u32::MAX), ..context }
    }

    /// The context of commands of which it is not known whether they run.
    pub(super) fn maybe(&mut self, context: Context) -> Context {
        self.when(context, None)
    }

    /// What it takes that the commands recorded from `first` on succeed, if that is one.
    pub(super) fn question(&self, first: usize) -> Option<GuardKind> {
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

    pub(super) fn newlines(&mut self) {
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

    pub(super) fn expect(&mut self, word: &str) -> Result<(), Stop> {
        self.blanks();
        if self.keyword() != Some(word) {
            return Err(Stop(self.pos));
        }
        self.pos += word.len();
        Ok(())
    }

    /// Reads one command of any kind.
    pub(super) fn command(&mut self, link: Link, context: Context) -> Result<(), Stop> {
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
}
