//! The syntax of a Dockerfile: lossless items, and instructions with every part's span.

use crate::source::{Joined, Span};
use std::borrow::Cow;

/// A parsed file. The items' spans are contiguous and cover the source byte for byte.
#[derive(Clone, Debug)]
pub struct Dockerfile<'a> {
    /// The text that was parsed.
    pub source: &'a str,
    /// The escape character in force: `\` or, by directive, a backtick.
    pub escape: char,
    /// Parser directives of the leading block, in order.
    pub directives: Vec<Directive<'a>>,
    /// Everything in the file, in order.
    pub items: Vec<Item<'a>>,
}

/// How the tags of Jinja, Mustache, Go's templates and ERB begin.
pub const TEMPLATE_TAGS: [&str; 4] = ["{{", "{%", "{#", "<%"];

impl<'a> Dockerfile<'a> {
    /// The instructions in order, error items left out.
    pub fn instructions(&self) -> impl Iterator<Item = &Instruction<'a>> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Instruction(instruction) => Some(&**instruction),
            _ => None,
        })
    }

    /// Whether it is the template of a Dockerfile and no Dockerfile: something that BuildKit does not know stands in an
    /// instruction's place and begins as a template's tags do ([`TEMPLATE_TAGS`]).
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.items.iter().filter(|item| matches!(item.kind, ItemKind::Error(_))).any(|item| {
            let text = item.span.of(self.source).trim_start();
            TEMPLATE_TAGS.iter().any(|tag| text.starts_with(tag))
        })
    }

    /// Everything that BuildKit would refuse, in order. A file without any instruction has no place to be refused at,
    /// and is refused too.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.items.iter().flat_map(|item| match &item.kind {
            ItemKind::Error(problem) => std::slice::from_ref(&**problem),
            ItemKind::Instruction(instruction) => instruction.problems.as_slice(),
            _ => &[],
        })
    }
}

/// One piece of the file.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The bytes of the piece, with its line end.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind<'a>,
}

/// What a piece of the file is.
#[derive(Clone, Debug)]
pub enum ItemKind<'a> {
    /// A UTF-8 byte order mark at the start.
    Bom,
    /// An empty line, or one of blanks only.
    Blank,
    /// A comment line outside any instruction.
    Comment,
    /// A parser directive (`# syntax=…`); its data is in [`Dockerfile::directives`].
    Directive,
    /// An instruction.
    Instruction(Box<Instruction<'a>>),
    /// Text that BuildKit would refuse; the rest of the file is still read.
    Error(Box<Problem>),
}

/// A parser directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive<'a> {
    /// Name as written: `syntax`, `escape` or `check` in any case.
    pub name: &'a str,
    /// Value, trimmed.
    pub value: &'a str,
    /// The whole line without its end.
    pub span: Span,
    /// The value's bytes.
    pub value_span: Span,
}

/// Something that BuildKit would refuse, in its own words where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: Cow<'static, str>,
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct Instruction<'a> {
    /// From the keyword to the last byte that belongs to it (heredoc bodies and their terminators included), without
    /// the final line end.
    pub span: Span,
    /// Which instruction.
    pub keyword: Keyword,
    /// The keyword as written.
    pub keyword_span: Span,
    /// The leading `--name[=value]` flags, in order.
    pub flags: Vec<Flag<'a>>,
    /// Everything after keyword and flags, continuations joined as BuildKit joins them (outer blanks trimmed).
    pub args: Joined<'a>,
    /// Heredocs in order of their markers.
    pub heredocs: Vec<Heredoc<'a>>,
    /// Comment lines inside the continuation.
    pub comments: Vec<Span>,
    /// The typed view.
    pub kind: Kind<'a>,
    /// What BuildKit would refuse in it, while its shape is still known.
    pub problems: Vec<Problem>,
}

impl<'a> Instruction<'a> {
    /// The first flag `name` (without dashes).
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&Flag<'a>> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}

/// The instructions of the Dockerfile language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the language's
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
}

impl Keyword {
    /// The name in capitals, as documentation writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Arg => "ARG",
            Self::Cmd => "CMD",
            Self::Copy => "COPY",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Env => "ENV",
            Self::Expose => "EXPOSE",
            Self::From => "FROM",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Label => "LABEL",
            Self::Maintainer => "MAINTAINER",
            Self::Onbuild => "ONBUILD",
            Self::Run => "RUN",
            Self::Shell => "SHELL",
            Self::Stopsignal => "STOPSIGNAL",
            Self::User => "USER",
            Self::Volume => "VOLUME",
            Self::Workdir => "WORKDIR",
        }
    }
}

/// A flag, `--name` or `--name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag<'a> {
    /// The whole flag.
    pub span: Span,
    /// Name without the dashes.
    pub name: Cow<'a, str>,
    /// Value and its span, if there is an `=`.
    pub value: Option<Word<'a>>,
}

/// A word of an instruction: raw text, quotes and escapes kept, variables not expanded. The values of flags have lost
/// their quotes and escapes, and the strings of a JSON array are decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word<'a> {
    /// The text as BuildKit holds it after joining continuations.
    pub text: Cow<'a, str>,
    /// Where it stands; for the string of a JSON array, what is between the quotes.
    pub span: Span,
}

/// A heredoc: `<<EOF`, `<<-EOF`, `3<<"EOF"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc<'a> {
    /// Delimiter without quotes.
    pub name: Cow<'a, str>,
    /// The marker in the instruction's line.
    pub marker: Span,
    /// The lines between, terminator excluded, final line end included.
    pub body: Span,
    /// Whether variables in it are expanded (the delimiter was not quoted).
    pub expand: bool,
    /// Whether leading tabs are removed (`<<-`).
    pub chomp: bool,
    /// File descriptor before `<<`, if any.
    pub descriptor: Option<u32>,
}

/// The typed view of an instruction.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the names are the language's
pub enum Kind<'a> {
    From(From<'a>),
    Run(Run<'a>),
    /// COPY or ADD.
    Copy(Copy<'a>),
    Env(Vec<Pair<'a>>),
    Label(Vec<Pair<'a>>),
    Arg(Vec<ArgDecl<'a>>),
    Workdir(Word<'a>),
    User(Word<'a>),
    Shell(Vec<Word<'a>>),
    Cmd(Command<'a>),
    Entrypoint(Command<'a>),
    Expose(Vec<Word<'a>>),
    Volume(Vec<Word<'a>>),
    Stopsignal(Word<'a>),
    /// `None` is `HEALTHCHECK NONE`.
    Healthcheck(Option<Command<'a>>),
    /// The instruction that a child image or stage will run.
    Onbuild(Box<Instruction<'a>>),
    Maintainer(Word<'a>),
    /// The arguments are not what the keyword takes; see [`Instruction::problems`].
    Invalid,
}

/// `FROM [--platform=…] image [AS name]`.
#[derive(Clone, Debug)]
pub struct From<'a> {
    /// Image reference or stage name, unexpanded.
    pub image: Word<'a>,
    /// Stage name after AS, as written.
    pub name: Option<Word<'a>>,
    /// `--platform`.
    pub platform: Option<Word<'a>>,
}

/// `RUN …`.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// `--mount` flags in order.
    pub mounts: Vec<Mount<'a>>,
    /// `--network`.
    pub network: Option<Word<'a>>,
    /// `--security`.
    pub security: Option<Word<'a>>,
    /// `--device` flags.
    pub devices: Vec<Word<'a>>,
    /// What is run. With heredocs the shell text holds the markers; the bodies are in [`Instruction::heredocs`].
    pub command: Command<'a>,
}

/// Shell form or exec form.
#[derive(Clone, Debug)]
pub enum Command<'a> {
    /// Text for the shell in force; equal to [`Instruction::args`] for RUN, CMD and ENTRYPOINT.
    Shell(Joined<'a>),
    /// A JSON array, decoded.
    Exec(Vec<Word<'a>>),
}

/// One `--mount=key=value,…`.
#[derive(Clone, Debug)]
pub struct Mount<'a> {
    /// The whole flag.
    pub span: Span,
    /// Options in order; `readonly` without a value has none. Keys keep the case as written.
    pub options: Vec<MountOption<'a>>,
}

impl<'a> Mount<'a> {
    /// The option in force under any of `keys` (lower case; `["target", "dst", "destination"]`): the last one, as in
    /// BuildKit.
    #[must_use]
    pub fn option(&self, keys: &[&str]) -> Option<&MountOption<'a>> {
        self.options.iter().rev().find(|option| keys.iter().any(|key| option.key.eq_ignore_ascii_case(key)))
    }
}

/// One option of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption<'a> {
    /// The option with its value.
    pub span: Span,
    /// Key, unquoted.
    pub key: Cow<'a, str>,
    /// Value, unquoted, variables not expanded.
    pub value: Option<Word<'a>>,
}

/// COPY or ADD.
#[derive(Clone, Debug, Default)]
pub struct Copy<'a> {
    /// Sources in order, heredoc markers left out (they are in [`Instruction::heredocs`]).
    pub sources: Vec<Word<'a>>,
    /// Destination.
    pub dest: Word<'a>,
    /// Whether sources and destination were a JSON array.
    pub json: bool,
    /// `--from`.
    pub from: Option<Word<'a>>,
    /// `--chown`.
    pub chown: Option<Word<'a>>,
    /// `--chmod`.
    pub chmod: Option<Word<'a>>,
    /// `--link` (its boolean value).
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude` patterns.
    pub exclude: Vec<Word<'a>>,
    /// `--checksum` (ADD).
    pub checksum: Option<Word<'a>>,
    /// `--keep-git-dir` (ADD).
    pub keep_git_dir: Option<bool>,
    /// `--unpack` (ADD).
    pub unpack: Option<bool>,
}

/// `key=value` of ENV and LABEL (the old form `ENV key value with blanks` included).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Key, unexpanded.
    pub key: Word<'a>,
    /// Value with its quotes, unexpanded.
    pub value: Word<'a>,
    /// Whether it is the old form without `=`.
    pub legacy: bool,
}

/// One name of an ARG instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgDecl<'a> {
    /// Name.
    pub name: Word<'a>,
    /// Default with its quotes, unexpanded.
    pub default: Option<Word<'a>>,
}
