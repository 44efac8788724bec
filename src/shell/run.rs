//! Recording commands, and reading the texts that they run.

use super::expand::Arg;
use super::lex::{Context, Later, Parser, Pending, Stop};
use super::state::{State, Value};
use super::text::{Inner, stretch};
use super::{Assignment, Command, Cwd, Link, Opaque, Options, Redirect, Script, Word, Wrapper, cwd, heredoc};
use crate::source::{Joined, Span};
use std::borrow::Cow;
use std::cell::Cell;

/// How many assignments of a wrapper's prefix go down to the commands of its text.
const MAX_INHERITED: usize = 16;

/// A simple command on its way to the record.
pub(super) struct Run<'a> {
    pub(super) args: Vec<Arg<'a>>,
    pub(super) env: Vec<Assignment<'a>>,
    pub(super) redirects: Vec<Redirect<'a>>,
    /// Heredocs whose bodies follow in the text, with the number of their redirection.
    pub(super) heredocs: Vec<(usize, Pending<'a>)>,
    /// The word of a here-string.
    pub(super) string: Option<Box<Arg<'a>>>,
    pub(super) wrappers: Vec<Wrapper<'a>>,
    pub(super) span: Span,
    pub(super) link: Link,
    pub(super) context: Context,
    /// Set by wrappers that change the directory.
    pub(super) cwd: Option<Cwd<'a>>,
}

impl Run<'_> {
    pub(super) fn new(link: Link, context: Context) -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            redirects: Vec::new(),
            heredocs: Vec::new(),
            string: None,
            wrappers: Vec::new(),
            span: Span::default(),
            link,
            context,
            cwd: None,
        }
    }
}

/// Reads one whole text.
pub(super) fn script<'a>(text: &Joined<'a>, options: &Options<'a, '_>) -> Script<'a> {
    let mut state = State::new(options.variables);
    read(text, &mut state, options, |parser| parser.all(Context::TOP));
    state.finish()
}

/// Gives a parser of `text`, outermost, to `with`.
pub(super) fn read<'a, 'o>(
    text: &Joined<'a>,
    state: &mut State<'a, 'o>,
    options: &Options<'a, 'o>,
    with: impl FnOnce(&mut Parser<'_, 'a, 'o>),
) {
    with(&mut Parser {
        text,
        bytes: text.text.as_bytes(),
        pos: 0,
        near: Cell::new(0),
        state,
        options: *options,
        heredocs: options.heredocs,
        holes: &[],
        wrappers: Vec::new(),
        env: Vec::new(),
        pending: Vec::new(),
    });
}

impl<'a> Parser<'_, 'a, '_> {
    /// Reads the text to its end; what cannot be read is opaque.
    pub(super) fn all(&mut self, context: Context) {
        let result = self.list(context, &[]).and_then(|()| match self.byte() {
            None => Ok(()),
            Some(_) => Err(Stop(self.pos)),
        });
        if let Err(Stop(at)) = result {
            let span = self.span(at, self.bytes.len());
            self.state.script.opaque.push(span);
        }
    }

    /// Reads a text that this one holds, with what its commands inherit.
    pub(super) fn inner(
        &mut self,
        inner: &Inner<'a>,
        context: Context,
        wrappers: Vec<Wrapper<'a>>,
        mut env: Vec<Assignment<'a>>,
    ) {
        env.truncate(MAX_INHERITED);
        if self.state.nesting >= super::state::MAX_DEPTH {
            self.state.script.opaque.push(inner.text.full_span());
            return;
        }
        self.state.nesting += 1;
        let options = Options { dialect: super::Dialect::Posix, ..self.options };
        let mut parser = Parser {
            text: &inner.text,
            bytes: inner.text.text.as_bytes(),
            pos: 0,
            near: Cell::new(0),
            state: &mut *self.state,
            options,
            heredocs: &[],
            holes: &inner.holes,
            wrappers,
            env,
            pending: Vec::new(),
        };
        parser.all(context);
        self.state.nesting -= 1;
    }

    /// Reads the text of `sh -c` and its like: a process of its own, unless it is `eval`.
    pub(super) fn inner_script(&mut self, inner: &Inner<'a>, run: Run<'a>, own_process: bool) {
        let mark = self.state.mark();
        if let Some(cwd) = run.cwd {
            self.state.cwd = cwd;
        }
        let wrappers = self.wrappers.iter().cloned().chain(run.wrappers).collect();
        let env = self.env.iter().cloned().chain(run.env).collect();
        self.inner(inner, run.context.deeper(), wrappers, env);
        if own_process {
            self.state.restore(mark);
        }
    }

    /// What an argument holds, as a text of its own.
    pub(super) fn text_of(&self, arg: &Arg<'a>) -> Option<Inner<'a>> {
        if let Some(text) = &arg.text {
            return Some(Inner { text: Joined::clone(text), holes: Vec::new() });
        }
        let raw = arg.raw.as_ref()?;
        Some(match raw.parts.as_slice() {
            [] if raw.quoted => Inner::default(),
            [] => stretch(self.options.source, self.text, raw.start, raw.end),
            parts => super::text::inner(self.options.source, self.text, parts),
        })
    }

    /// Records a command whose wrappers are off, and does what it does to the shell.
    pub(super) fn record(&mut self, run: Run<'a>, opaque: Option<Opaque>) {
        let Run { mut args, mut env, redirects, heredocs, wrappers, span, link, context, cwd, .. } = run;
        let number = self.state.script.commands.len();
        let before = cwd.unwrap_or_else(|| self.state.cwd.clone());
        let bindings = self.state.bindings();
        let own = wrappers.iter().all(|wrapper| matches!(&*wrapper.name, "command" | "builtin"));
        if args.is_empty() {
            for assignment in &mut env {
                assignment.persistent = true;
                let exported = self.state.binding(&assignment.name).is_some_and(|binding| binding.exported);
                let value = assignment.value.clone();
                self.state.assign(assignment.name.clone(), Some(value), exported);
            }
        } else if own {
            self.builtin(&args, &mut env);
        }
        let env = if self.env.is_empty() { env } else { self.env.iter().cloned().chain(env).collect() };
        let wrappers = if self.wrappers.is_empty() {
            wrappers
        } else {
            self.wrappers.iter().cloned().chain(wrappers).collect()
        };
        let mut argv: Vec<Word<'a>> = Vec::with_capacity(args.len());
        for arg in args.drain(..) {
            argv.push(arg.word);
        }
        self.state.spare = args;
        let base = argv.first().and_then(Word::base);
        let program = base.and_then(|start| u32::try_from(start).ok());
        let opaque = opaque.or_else(|| unknown(&argv, base, &redirects));
        for (redirect, mut pending) in heredocs {
            pending.place = Some((number, redirect));
            self.pending.push(pending);
        }
        self.state.push(Command {
            span,
            argv,
            env,
            wrappers,
            redirects,
            link,
            cwd: before,
            certain: context.guard == 0,
            guard: context.guard,
            negated: false,
            substitution: context.substitution,
            in_loop: context.in_loop,
            depth: context.depth,
            opaque,
            bindings,
            program,
        });
    }

    /// What a builtin changes in its shell.
    fn builtin(&mut self, args: &[Arg<'a>], env: &mut Vec<Assignment<'a>>) {
        let Some((first, rest)) = args.split_first() else { return };
        match &*first.word.text {
            "cd" | "chdir" => self.change_directory(rest),
            "pushd" => {
                let here = self.state.cwd.clone();
                self.change_directory(rest);
                self.state.pushed.push(here);
            }
            "popd" => {
                let back = self.state.pushed.pop().unwrap_or(Cwd::Unknown);
                self.state.previous = std::mem::replace(&mut self.state.cwd, back);
            }
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                let flags =
                    || rest.iter().map(|arg| &*arg.word.text).take_while(|text| text.starts_with('-'));
                let exported = first.word.text == "export" || flags().any(|flag| flag.contains('x'));
                for arg in rest.iter().skip(flags().count()) {
                    self.declare(&arg.word, exported, env);
                }
            }
            "unset" | "read" => {
                for arg in rest.iter().filter(|arg| arg.word.literal && !arg.word.text.starts_with('-')) {
                    self.state.assign(arg.word.text.clone(), None, false);
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, word: &Word<'a>, exported: bool, env: &mut Vec<Assignment<'a>>) {
        let Some((name, value)) = word.text.split_once('=') else {
            if exported && word.literal {
                let value = self.state.binding(&word.text).and_then(|binding| binding.value.clone());
                if let Some(value) = value {
                    self.state.assign(word.text.clone(), Some(value), true);
                }
            }
            return;
        };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name.is_empty() {
            return;
        }
        // The name stands as it is at the word's start, unless the whole word is quoted.
        let start = word.span.start.saturating_add(u32::try_from(name.len() + 1).unwrap_or(u32::MAX));
        let span = Span { start: start.min(word.span.end), end: word.span.end };
        let (name, text): (Cow<'a, str>, Cow<'a, str>) = match &word.text {
            Cow::Borrowed(text) => {
                text.split_once('=').map_or_else(Default::default, |(n, v)| (n.into(), v.into()))
            }
            Cow::Owned(_) => (name.to_owned().into(), value.to_owned().into()),
        };
        let value = Word { text, span, ..word.clone() };
        self.state.assign(name.clone(), Some(value.clone()), exported);
        env.push(Assignment { name, value, persistent: true });
    }

    fn change_directory(&mut self, rest: &[Arg<'a>]) {
        let target = rest.iter().find(|arg| !matches!(&*arg.word.text, "-P" | "-L" | "-e" | "-@" | "--"));
        let here = &self.state.cwd;
        let there = match target {
            None => match self.state.value("HOME") {
                Some(Value::Text(home)) => cwd::join(here, &home),
                _ => Cwd::Path("~".into()),
            },
            Some(arg) if arg.word.text == "-" => self.state.previous.clone(),
            Some(arg) if arg.word.text.starts_with(['-', '+']) => Cwd::Unknown,
            Some(arg) if arg.word.glob => Cwd::Unknown,
            Some(arg) if arg.word.literal => cwd::join(here, &arg.word.text),
            Some(arg) if is_home(&arg.word) => cwd::join(here, &at_home(&arg.word.text)),
            Some(arg) => match arg.raw.as_ref().and_then(|raw| self.each(raw)) {
                Some(targets) => cwd::within(here, &Cwd::Each(targets)),
                None => Cwd::Unknown,
            },
        };
        self.state.previous = std::mem::replace(&mut self.state.cwd, there);
    }

    /// Reads the bodies of the heredocs of the line that has just ended.
    pub(super) fn bodies(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.pos;
            let mut end = start;
            while let Some(line) = self.line(end) {
                let text = self.bytes.get(end..line).unwrap_or(&[]);
                let text = text.strip_suffix(b"\n").unwrap_or(text);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                let tabs =
                    if pending.chomp { text.iter().take_while(|byte| **byte == b'\t').count() } else { 0 };
                if text.get(tabs..) == Some(pending.delimiter.as_bytes()) {
                    self.pos = line;
                    break;
                }
                end = line;
                self.pos = line;
            }
            let span = self.span(start, end);
            if let Some((command, redirect)) = pending.place
                && let Some(command) = self.state.script.commands.get_mut(command)
                && let Some(redirect) = command.redirects.get_mut(redirect)
            {
                redirect.body = Some(span);
            }
            if let Some(later) = pending.script {
                let whole = stretch(self.options.source, self.text, start, end).text;
                let text = heredoc::cooked(&whole, pending.chomp, pending.expand);
                self.later(text, later);
            }
        }
    }

    /// Reads a heredoc's body as the script of a command that stood before it.
    pub(super) fn later(&mut self, text: Joined<'a>, later: Later<'a>) {
        let mark = self.state.mark();
        self.state.cwd = later.cwd;
        let inner = Inner { text, holes: Vec::new() };
        self.inner(&inner, later.context, later.wrappers, later.env);
        self.state.restore(mark);
    }

    /// The end of the line that starts at `at`, its newline included.
    fn line(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        Some(at + memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1))
    }
}

/// A path in the home of a user whose `HOME` is not known.
fn is_home(word: &Word<'_>) -> bool {
    let rest = word.text.strip_prefix("$HOME").or_else(|| word.text.strip_prefix("${HOME}"));
    let rest = rest.or_else(|| word.text.strip_prefix('~'));
    rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && !rest.contains(['$', '`']))
}

fn at_home(text: &str) -> String {
    text.replacen("${HOME}", "~", 1).replacen("$HOME", "~", 1)
}

/// Why what a command runs is not known from its words, the program's name starting at `base` in the first.
fn unknown(argv: &[Word<'_>], base: Option<usize>, redirects: &[Redirect<'_>]) -> Option<Opaque> {
    let first = argv.first()?;
    if first.text.starts_with("((") || first.text == "[[" {
        return None;
    }
    let Some(name) = base.and_then(|start| first.text.get(start..)) else { return Some(Opaque::Name) };
    match name {
        "." | "source" | "eval" | "powershell" | "pwsh" | "cmd" | "cmd.exe" | "powershell.exe" => {
            Some(Opaque::Script)
        }
        "python" | "python2" | "python3" | "perl" | "ruby" | "node" | "php" | "psql" | "sqlite3" | "R"
        | "Rscript" => {
            let stdin = argv.get(1).is_none_or(|word| word.text == "-");
            let heredoc = redirects.iter().any(|redirect| redirect.operator.contains("<<"));
            (stdin && heredoc).then_some(Opaque::Script)
        }
        _ => None,
    }
}
