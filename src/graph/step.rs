//! Steps: what BuildKit executes for an instruction, with everything expanded that BuildKit expands.

use super::State;
use crate::dockerfile::{Heredoc, Instruction, Mount};
use std::borrow::Cow;
use std::sync::Arc;

/// Index of a step in [`super::Graph::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

impl StepId {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// Its stage, an index into [`super::Graph::stages`].
    pub stage: usize,
    /// The instruction. For a step out of ONBUILD, the inner instruction (which stands in the base stage).
    pub instruction: &'a Instruction<'a>,
    /// Whether it comes from an ONBUILD of the base stage.
    pub onbuild: bool,
    /// What is in force when it runs.
    pub state: Arc<State<'a>>,
    /// What it does.
    pub kind: StepKind<'a>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind<'a> {
    /// The stage's FROM.
    From,
    /// WORKDIR, with the absolute path. `/` makes no step in BuildKit (facts §1.4).
    Workdir(Cow<'a, str>),
    /// RUN.
    Run(RunStep<'a>),
    /// COPY or ADD.
    Copy(CopyStep<'a>),
}

/// Where a COPY, ADD or mount takes its files from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The build context.
    Context,
    /// A stage by index.
    Stage(usize),
    /// An image.
    Image(String),
    /// A named context that is a directory or something whose content is not known here.
    Named(String),
    /// Nothing (`scratch`; a cache mount without `from`).
    Empty,
    /// A stage that is not defined before the step, a bad index: BuildKit refuses it.
    Invalid,
}

/// A RUN.
#[derive(Clone, Debug)]
pub struct RunStep<'a> {
    /// The argument vector, the shell's words first.
    pub argv: Vec<Cow<'a, str>>,
    /// Body of a single heredoc with a `#!` line: BuildKit writes it to a file and runs that (facts §1.5).
    pub script: Option<Cow<'a, str>>,
    /// Mounts in order.
    pub mounts: Vec<MountStep<'a>>,
    /// `--network`, empty for the default.
    pub network: Cow<'a, str>,
    /// `--security`, empty for the default.
    pub security: Cow<'a, str>,
}

/// What a mount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are BuildKit's
pub enum MountKind {
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// How concurrent RUNs share a cache mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are BuildKit's
pub enum Sharing {
    #[default]
    Shared,
    Private,
    Locked,
}

/// One mount of a RUN, expanded.
#[derive(Clone, Debug)]
pub struct MountStep<'a> {
    /// The syntax.
    pub syntax: &'a Mount<'a>,
    /// Its type.
    pub kind: MountKind,
    /// Target as written, after expansion.
    pub target_text: Cow<'a, str>,
    /// Absolute target. Empty for a secret that is only an environment variable.
    pub target: String,
    /// Where a bind or a cache takes its files from.
    pub from: Source,
    /// `source=`, absolute and clean; `/` for the whole.
    pub source: String,
    /// Cache id (the default is the cleaned target as written), secret id or ssh id.
    pub id: Cow<'a, str>,
    /// Whether the id was written.
    pub explicit_id: bool,
    /// `sharing=`.
    pub sharing: Sharing,
    /// Whether the step cannot write to it.
    pub readonly: bool,
    /// `uid=`.
    pub uid: Option<u32>,
    /// `gid=`.
    pub gid: Option<u32>,
    /// `mode=`, octal.
    pub mode: Option<u32>,
    /// `required` where it is, `env=`, `size=` in bytes: every other option that enters the key.
    pub rest: Vec<String>,
}

/// A COPY or ADD.
#[derive(Clone, Debug)]
pub struct CopyStep<'a> {
    /// Whether it is ADD.
    pub add: bool,
    /// Where the plain sources are taken from.
    pub from: Source,
    /// Sources in order, expanded.
    pub sources: Vec<CopySource<'a>>,
    /// Files written in the Dockerfile itself, `(name, text)`.
    pub inline: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The heredocs of [`Self::inline`], in the same order.
    pub heredocs: &'a [Heredoc<'a>],
    /// Absolute destination; a trailing slash is kept, it is part of the key (facts §1.7).
    pub dest: String,
    /// Whether it is written with a dot behind the slash, which is part of the key too.
    pub dest_dot: bool,
    /// `--chown`, expanded.
    pub chown: Option<Cow<'a, str>>,
    /// `--chmod`, expanded.
    pub chmod: Option<Cow<'a, str>>,
    /// `--link` as written. It takes effect only without `--chmod` (facts §1.8).
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`, expanded.
    pub exclude: Vec<Cow<'a, str>>,
    /// `--checksum`, expanded.
    pub checksum: Option<Cow<'a, str>>,
    /// `--keep-git-dir`.
    pub keep_git_dir: bool,
    /// Whether local archives are unpacked.
    pub unpack: bool,
    /// Whether downloaded archives are unpacked (`--unpack`).
    pub unpack_remote: bool,
}

impl CopyStep<'_> {
    /// Whether BuildKit makes a layer of its own, independent of those below it.
    #[must_use]
    pub fn links(&self) -> bool {
        self.link && self.chmod.is_none()
    }
}

/// One source of a COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource<'a> {
    /// The text after expansion.
    pub text: Cow<'a, str>,
    /// What kind of thing it names.
    pub kind: CopySourceKind,
    /// Where it stands in the file.
    pub span: crate::source::Span,
}

/// What a source of ADD names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopySourceKind {
    /// A path or glob.
    Path,
    /// An http or https address.
    Http,
    /// A git repository.
    Git,
}
