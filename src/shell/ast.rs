//! What the splitter finds: simple commands in the order in which they stand, each with what is in force for it.

use crate::source::Span;
use std::borrow::Cow;

/// The simple commands of one shell text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script<'a> {
    /// Commands in source order, those inside `( )`, `{ }`, loops, branches, functions, `$( )`, `sh -c '…'` included.
    pub commands: Vec<Command<'a>>,
    /// Stretches that could not be read as shell (unterminated quotes, PowerShell, another interpreter).
    pub opaque: Vec<Span>,
}

/// One simple command, wrappers taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// From the first assignment or wrapper to the last word or redirection.
    pub span: Span,
    /// Program and arguments. Empty for a bare assignment or redirection.
    pub argv: Vec<Word<'a>>,
    /// Assignments for this command: `A=1 cmd`, `env A=1 cmd`, `sudo A=1 cmd`; for an empty `argv` the shell's own.
    pub env: Vec<Assignment<'a>>,
    /// Wrappers taken off, outermost first (`sudo`, `env`, `time`, `exec`, `xargs`, `sh -c`, …).
    pub wrappers: Vec<Wrapper<'a>>,
    /// Redirections.
    pub redirects: Vec<Redirect<'a>>,
    /// How it is joined to the command before it in the same list.
    pub link: Link,
    /// Where it runs, relative to the directory in which the text starts.
    pub cwd: Cwd<'a>,
    /// Whether it runs whenever the text runs (not behind `||`, in a branch, a `case`, an uncalled function).
    pub certain: bool,
    /// Whether it is inside `$( )` or backticks: its output is text for another command.
    pub substitution: bool,
    /// Whether it is in the body of a loop.
    pub in_loop: bool,
    /// Nesting depth, 0 for the text's own list.
    pub depth: u32,
    /// Set where what runs cannot be known from the text.
    pub opaque: Option<Opaque>,
}

impl<'a> Command<'a> {
    /// The program's base name (`/usr/bin/apt-get` and `./mvnw` give `apt-get` and `mvnw`), if it is literal.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        let word = self.argv.first()?;
        if !word.literal {
            return None;
        }
        let name = word.text.rsplit('/').next().unwrap_or("");
        (!name.is_empty()).then_some(name)
    }

    /// The arguments after the program.
    #[must_use]
    pub fn args(&self) -> &[Word<'a>] {
        self.argv.get(1..).unwrap_or(&[])
    }
}

/// A word after quote removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word<'a> {
    /// Quotes and escapes removed; expansions (`$X`, `$( )`) left as written.
    pub text: Cow<'a, str>,
    /// Where it stands in the file.
    pub span: Span,
    /// No expansion of any kind in it: `text` is what the program gets.
    pub literal: bool,
    /// It has an unquoted `*`, `?`, `[` or a brace list.
    pub glob: bool,
    /// It has quotes or escapes.
    pub quoted: bool,
}

/// `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// Name.
    pub name: Cow<'a, str>,
    /// Value.
    pub value: Word<'a>,
    /// Whether it stays in force for later commands (`export A=1`, a bare `A=1`).
    pub persistent: bool,
}

/// A wrapper that runs the command: its own words are not part of `argv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapper<'a> {
    /// Base name: `sudo`, `env`, `xargs`, `sh`, `su`, …
    pub name: Cow<'a, str>,
    /// The wrapper with its own options.
    pub span: Span,
    /// User it switches to (`sudo -u app`, `su - node -c`, `gosu app`), if literal.
    pub user: Option<Cow<'a, str>>,
}

/// A redirection: `>`, `>>`, `<`, `<<`, `<<<`, `2>&1` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect<'a> {
    /// The operator with its descriptor.
    pub operator: Cow<'a, str>,
    /// The target word (for a heredoc its delimiter).
    pub target: Word<'a>,
    /// The body of a heredoc, where it is known.
    pub body: Option<Span>,
}

/// How a command follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// First of its list, or after `;` or a newline.
    Then,
    /// After `&&`.
    And,
    /// After `||`.
    Or,
    /// Right of `|`: reads the output of the one before.
    Pipe,
    /// After `&`.
    Background,
}

/// A working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cwd<'a> {
    /// As at the start.
    Start,
    /// Changed by `cd`; relative to the start unless absolute.
    Path(Cow<'a, str>),
    /// A `cd` whose target is not literal.
    Unknown,
}

/// Why a command cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// The program's name is an expansion.
    Name,
    /// `eval`, `source`, `.`, `sh script`, `curl … | sh`: text from elsewhere is run.
    Script,
}
