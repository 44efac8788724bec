//! Commands out of shell text: RUN bodies, CI scripts, Make recipes.
//!
//! Total and linear: any text gives a [`Script`]; what cannot be read is in [`Script::opaque`]. Text is never run and no
//! file is looked at; variables have the values that the text itself or [`Options::variables`] gives them.

mod ast;
mod compound;
mod cwd;
mod dollar;
mod exec;
mod expand;
mod heredoc;
mod lex;
mod list;
mod run;
mod simple;
mod state;
mod text;
mod wrap;
mod wrappers;

pub use ast::*;
pub use exec::from_exec;
pub use expand::expand;

use crate::dockerfile::{self, Heredoc};
use crate::source::{Joined, Segment, Span};
use std::borrow::Cow;

/// The value of a variable, `None` where it is not known.
pub type Lookup<'o> = &'o (dyn Fn(&str) -> Option<Cow<'o, str>> + 'o);

/// What a text needs to be read right.
#[derive(Clone, Copy, Default)]
pub struct Options<'a, 'o> {
    /// The file in which the text stands; needed for heredocs and escapes in JSON words.
    pub source: &'a str,
    /// Heredocs whose markers are in the text and whose bodies are elsewhere (RUN). Empty where bodies follow in the
    /// text itself (CI scripts).
    pub heredocs: &'o [Heredoc<'a>],
    /// The grammar.
    pub dialect: Dialect,
    /// Variables that the environment is known to hold (ENV, ARG, a job's `env`). `HOME` resolves `~`.
    pub variables: Option<Lookup<'o>>,
}

/// The grammar of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// sh, bash, ash, dash, zsh, ksh; also `${{ … }}` and `$[[ … ]]` of CI systems, as expansions.
    #[default]
    Posix,
    /// A recipe line of a Makefile: `$(NAME)` and `${NAME}` are make's variables, `$$` is the shell's dollar.
    Make,
    /// Anything else (PowerShell, cmd, Python): all of it is opaque.
    Opaque,
}

impl Dialect {
    /// The dialect of the words of a SHELL instruction, of a CI `shell:` or of a `#!` line without `#!`.
    pub fn of_shell<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut words = words.into_iter();
        let base = |word: &'w str| word.rsplit(['/', '\\']).next().unwrap_or("");
        let mut name = words.next().map_or("", base);
        if matches!(name, "env" | "busybox") {
            name = words.find(|word| !word.starts_with('-') && !word.contains('=')).map_or("", base);
        }
        match name {
            "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" | "mksh" => Self::Posix,
            _ => Self::Opaque,
        }
    }
}

/// Reads the shell-form text of a RUN (with its heredocs in `options`) or any other joined text.
#[must_use]
pub fn parse<'a>(text: &Joined<'a>, options: &Options<'a, '_>) -> Script<'a> {
    let opaque = |span: Span| Script {
        opaque: if span.is_empty() { Vec::new() } else { vec![span] },
        ..Script::default()
    };
    if options.dialect == Dialect::Opaque {
        return opaque(text.full_span());
    }
    match heredoc::sole(text, options.heredocs) {
        // The body is the script (facts §4.2); a `#!` line chooses who reads it.
        Some(heredoc) => match heredoc::interpreter(heredoc.body.of(options.source)) {
            Dialect::Opaque => opaque(heredoc.body),
            _ => run::script(&heredoc::body(heredoc, options.source, false), options),
        },
        None => run::script(text, options),
    }
}

/// Reads the command of a RUN, CMD, ENTRYPOINT or HEALTHCHECK in either form.
#[must_use]
pub fn from_command<'a>(command: &dockerfile::Command<'a>, options: &Options<'a, '_>) -> Script<'a> {
    match command {
        dockerfile::Command::Shell(text) => parse(text, options),
        dockerfile::Command::Exec(words) => from_exec(words, options),
    }
}

/// Reads `text`, which stands in its file from byte `base` on as it is.
#[must_use]
pub fn parse_str<'a>(text: &'a str, base: u32, options: &Options<'a, '_>) -> Script<'a> {
    let end = base.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let segments = vec![Segment { joined: 0, source: base }];
    parse(&Joined::decoded(Cow::Borrowed(text), segments, end), options)
}
