//! What the splitter finds: simple commands in the order in which they run, each with what is in force for it.

use crate::source::Span;
use std::borrow::Cow;

/// The simple commands of one shell text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script<'a> {
    /// Commands in the order in which the text runs them, those inside `( )`, `{ }`, loops, branches, functions, `$( )`,
    /// `sh -c '…'` included. A substitution stands before the command whose word it is.
    pub commands: Vec<Command<'a>>,
    /// Stretches that could not be read as shell (unterminated quotes, PowerShell, another interpreter).
    pub opaque: Vec<Span>,
    /// Every assignment that outlives its command; see [`Script::variable`].
    pub bindings: Vec<Binding<'a>>,
    /// What branches and `&&` make commands depend on; see [`Script::guards`].
    pub guards: Vec<Guard>,
}

impl<'a> Script<'a> {
    /// What the text itself says of the variable `name` where `command` runs: its own prefix, else the assignment last
    /// made in its shell. `None` where the text says nothing, so that the environment decides.
    #[must_use]
    pub fn variable<'s>(&'s self, command: &'s Command<'a>, name: &str) -> Option<Variable<'s, 'a>> {
        if let Some(own) = command.env.iter().rev().find(|assignment| assignment.name == name) {
            return Some(Variable {
                value: Some(&own.value),
                exported: !own.persistent || command.exports(),
            });
        }
        let mut next = command.bindings;
        for _ in 0..MAX_BINDINGS {
            let binding = self.bindings.get((next as usize).checked_sub(1)?)?;
            if binding.name == name {
                return Some(Variable { value: binding.value.as_ref(), exported: binding.exported });
            }
            next = binding.before;
        }
        None
    }

    /// What must hold for `command` to run, innermost first: none for a command that is [`Command::certain`].
    pub fn guards(&self, command: &Command<'a>) -> impl Iterator<Item = &Guard> {
        let get = |number: u32| self.guards.get((number as usize).checked_sub(1)?);
        std::iter::successors(get(command.guard), move |guard| get(guard.before)).take(MAX_BINDINGS)
    }
}

/// How many assignments [`Script::variable`] and how many guards [`Script::guards`] look back, so that a file of nothing but `export` stays linear.
const MAX_BINDINGS: usize = 256;

/// What a shell text says of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable<'s, 'a> {
    /// Its value; `None` where it was unset, read, or set in a branch.
    pub value: Option<&'s Word<'a>>,
    /// Whether the text exports it. One that is not reaches programs only if the environment already had it.
    pub exported: bool,
}

/// An assignment that outlives its command, chained to the one before it in the same shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Name.
    pub name: Cow<'a, str>,
    /// Value; `None` after `unset`, `read`, or a branch that may have set it.
    pub value: Option<Word<'a>>,
    /// Whether programs see it.
    pub exported: bool,
    /// Number of the binding before it, counted from 1; 0 for the first.
    pub before: u32,
}

/// Something that must hold for a command to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// What it is.
    pub kind: GuardKind,
    /// Number of the guard around it, counted from 1; 0 for none.
    pub before: u32,
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardKind {
    /// The command of that number in [`Script::commands`] succeeds.
    Succeeds(u32),
    /// The command of that number fails.
    Fails(u32),
    /// Something else: a `case`, a loop, several commands, a function that is called.
    Unknown,
    /// Nothing any more: the function that it stands for is called.
    Met,
}

/// One simple command, wrappers taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// From the first assignment or wrapper to the last word or redirection.
    pub span: Span,
    /// Program and arguments. Empty for a bare assignment or redirection.
    pub argv: Vec<Word<'a>>,
    /// Assignments for this command: `A=1 cmd`, `env A=1 cmd`, `sudo A=1 cmd`, `A=1 sh -c cmd`; for an empty `argv` and
    /// for `export` and its like the shell's own, which last.
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
    /// Number of the innermost [`Guard`] that it depends on, counted from 1; 0 for none.
    pub guard: u32,
    /// Whether it stands behind `!`: its success counts as failure.
    pub negated: bool,
    /// Whether it is inside `$( )` or backticks: its output is text for another command.
    pub substitution: bool,
    /// Whether it is in the body of a loop.
    pub in_loop: bool,
    /// Nesting depth, 0 for the text's own list.
    pub depth: u32,
    /// Set where what runs cannot be known from the text.
    pub opaque: Option<Opaque>,
    /// Number of the last [`Binding`] in force for it, counted from 1; 0 for none.
    pub bindings: u32,
    /// Where [`Command::program`] starts in the first word: it is asked for again and again.
    pub(super) program: Option<u32>,
}

impl<'a> Command<'a> {
    /// The program's base name (`/usr/bin/apt-get`, `./mvnw` and `$VENV/bin/pip` give `apt-get`, `mvnw` and `pip`), if
    /// that is literal.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.argv.first()?.text.get(self.program? as usize..)
    }

    /// The arguments after the program.
    #[must_use]
    pub fn args(&self) -> &[Word<'a>] {
        self.argv.get(1..).unwrap_or(&[])
    }

    /// Whether it is `export` or another builtin that puts variables into the environment.
    fn exports(&self) -> bool {
        match self.program() {
            Some("export") => true,
            Some("declare" | "typeset") => self.args().iter().any(|word| word.text.starts_with("-x")),
            _ => false,
        }
    }
}

/// A word after quote removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word<'a> {
    /// Quotes and escapes removed, known variables replaced. Where an expansion is not known, all of them stand as
    /// written (`$X`, `$( )`, a leading `~`), and a `$` or backtick that is meant literally has a backslash before it.
    pub text: Cow<'a, str>,
    /// Where it stands in the file. Words that one `$X` was split into share its span.
    pub span: Span,
    /// `text` is what the program gets: no expansion in it, or only known ones.
    pub literal: bool,
    /// It has an unquoted `*`, `?`, `[` or a brace list.
    pub glob: bool,
    /// It has quotes or escapes.
    pub quoted: bool,
}

impl Word<'_> {
    /// The part after the last `/`, if no expansion can touch it.
    #[must_use]
    pub fn base_name(&self) -> Option<&str> {
        self.text.get(self.base()?..)
    }

    /// Where [`Word::base_name`] starts.
    pub(super) fn base(&self) -> Option<usize> {
        // Words are short: a search that is fast on long ones takes longer.
        let start = self.text.bytes().rposition(|byte| byte == b'/').map_or(0, |slash| slash + 1);
        let name = self.text.get(start..).unwrap_or("");
        // A `/` inside an expansion is followed by the bracket that closes it, so that the tail then has one.
        let plain = self.literal || !name.contains(['$', '`', '(', ')', '{', '}', '~']);
        (plain && !name.is_empty()).then_some(start)
    }
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
    /// Its own words after the name (`-a`, `packages.txt`), at most 16.
    pub args: Vec<Word<'a>>,
    /// User it switches to (`sudo -u app`, `su - node -c`, `gosu app`), if literal.
    pub user: Option<Cow<'a, str>>,
    /// Whether it starts a login shell: profiles are read; for `su -` and `sudo -i` the environment is a new one.
    pub login: bool,
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
    /// Changed by `cd`; normalised, relative to the start unless it begins with `/` or with `~` (the user's home).
    Path(Cow<'a, str>),
    /// Each of these in turn: a loop over directories named in the text.
    Each(Vec<Cow<'a, str>>),
    /// A `cd` whose target is not known.
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
