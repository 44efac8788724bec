//! What a tool file says: the types of `rules/tools/*.toml` (described in `rules/tools/README.md`).

use super::phrase::Phrase;
use schemars::JsonSchema;
use serde::Deserialize;

/// A package manager or build tool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Unique name; a user's tool of the same name replaces a built-in one.
    pub name: String,
    /// `javascript`, `python`, `os-debian`, `jvm`, …: tools of one ecosystem replace each other.
    pub ecosystem: String,
    /// The program, or program and first words (`cargo chef`, `python -m pip`); `*` is a glob. The longest that fits wins.
    pub executables: Vec<String>,
    /// Options whose value is a word of its own.
    #[serde(default)]
    pub value_flags: Vec<String>,
    /// Options whose value is the directory to work in.
    #[serde(default)]
    pub cwd_flags: Vec<String>,
    /// Invocations that neither download nor build.
    #[serde(default)]
    pub ignore: Vec<Phrase>,
    /// Words are goals or tasks: each is matched, the strongest kind counts (`mvn clean package`).
    #[serde(default)]
    pub goals: bool,
    /// One dash begins a word (`-race`), not the letters of several options.
    #[serde(default)]
    pub single_dash: bool,
    /// Where `~` is.
    #[serde(default)]
    pub home: HomeRule,
    /// What decides for this tool where another has the same executables; the one without any is the default.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Files that record the exact versions.
    #[serde(default)]
    pub lockfiles: Vec<String>,
    /// Files that name the dependencies. All patterns are globs relative to the working directory.
    #[serde(default)]
    pub manifests: Vec<String>,
    /// Files that it also reads where they exist.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Options whose value is a manifest (`pip install -r FILE`).
    #[serde(default)]
    pub manifest_flags: Vec<String>,
    /// Project scripts that run with an install and may read sources.
    #[serde(default)]
    pub lifecycle: Option<Lifecycle>,
    /// What its commands do, specific ones first.
    #[serde(default)]
    pub commands: Vec<Row>,
    /// Commands after which a key and a value follow (`npm config set KEY VALUE`).
    #[serde(default)]
    pub settings: Vec<Phrase>,
    /// How its cache directories may be shared.
    #[serde(default)]
    pub sharing: Sharing,
    /// Why, for people.
    #[serde(default)]
    pub sharing_reason: String,
    /// Where what it makes ends up in the layer, for people.
    #[serde(default)]
    pub result: String,
    /// Its cache directories.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// Places where people take its caches to be, and where they are not.
    #[serde(default)]
    pub mistaken: Vec<String>,
    /// What empties or bypasses the caches.
    #[serde(default)]
    pub defeats: Defeats,
    /// What a mount needs beside it.
    #[serde(default)]
    pub companions: Vec<Companion>,
    /// Manifests named on the command line are in the format of pip's requirements.
    #[serde(default)]
    pub requirements: bool,
    /// A RUN that does it right; the tests read it.
    #[serde(default)]
    pub example: Option<String>,
    /// Documentation.
    #[serde(default)]
    pub url: String,
}

/// What a command does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Words and options that say it is this command.
    #[serde(rename = "match")]
    pub phrase: Phrase,
    /// What it does.
    pub kind: Kind,
    /// What it reads.
    pub needs: Needs,
    /// Only then.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Positional words after the phrase are manifests (`pip-sync requirements.txt`).
    #[serde(default)]
    pub named: bool,
    /// It refreshes the index from which packages are installed (`apt-get update`).
    #[serde(default)]
    pub index: bool,
    /// The word after the phrase, or its last, names a script of [`Lifecycle::file`].
    #[serde(default)]
    pub script: bool,
    /// Why no mount of this tool may be on it.
    #[serde(default)]
    pub no_mount: Option<String>,
}

/// What a command does, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Runs something that may or may not touch the cache.
    Run,
    /// Downloads into a cache, index or store.
    Fetch,
    /// Downloads dependencies and puts them where later steps find them.
    Install,
    /// Compiles or bundles the project's sources.
    Build,
    /// Downloads dependencies and compiles in one command.
    Both,
}

impl Kind {
    /// Whether it downloads dependencies.
    #[must_use]
    pub fn downloads(self) -> bool {
        matches!(self, Self::Fetch | Self::Install | Self::Both)
    }

    /// Whether it compiles sources.
    #[must_use]
    pub fn compiles(self) -> bool {
        matches!(self, Self::Build | Self::Both)
    }
}

/// What a command reads of the build context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// Nothing: all is in the command line or the image.
    None,
    /// Only lock files, manifests and optional files.
    Manifests,
    /// The project's sources.
    Sources,
}

/// Project scripts that run with an install.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// The file whose `scripts` object names them.
    pub file: String,
    /// Their names.
    pub scripts: Vec<String>,
    /// Options that keep them from running.
    pub skip: Vec<String>,
}

/// Where `~` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HomeRule {
    /// `$HOME`, else the user's home.
    #[default]
    Env,
    /// The user's home in passwd, whatever `$HOME` says: the JVM's `user.home` (facts §2.22).
    Passwd,
}

/// `sharing` of a cache mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// Concurrent writers are safe: BuildKit's default.
    #[default]
    Shared,
    /// The second writer must wait.
    Locked,
}

/// A cache directory.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Another tool whose caches these are; then only `mount`, `kinds`, `when` and `unless` may stand beside it.
    #[serde(default)]
    pub of: Option<String>,
    /// Where it is: the first that resolves. `$VAR`, `${--option}`, `${VAR:-Doption}`, `${config:key}` must be set;
    /// `~` is the home, a relative path is in the working directory, `*` is a part that is not known.
    #[serde(default)]
    pub path: Vec<String>,
    /// What it holds.
    #[serde(default)]
    pub holds: Holds,
    /// Whether a cache mount on it is good; with `of`, the other tool's word if not given.
    #[serde(default)]
    pub mount: Option<Mount>,
    /// Kinds of command that use it; all that download or compile if empty.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// Why later RUNs need its content: it is the only place where dependencies or results live.
    #[serde(default)]
    pub needed_later: Option<String>,
    /// What must not differ between the builds that share it.
    #[serde(default)]
    pub per: Vec<Per>,
    /// What happens where it does, for people: follows "the cache of tool here".
    #[serde(default)]
    pub per_reason: String,
    /// In force only then.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Not in force then.
    #[serde(default)]
    pub unless: Option<Condition>,
}

/// What must not differ between the builds that share a cache directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// The platform that is built for.
    Platform,
    /// The distribution and its release.
    Release,
    /// The C library: that of Alpine or that of the others.
    Libc,
    /// The version of the language or tool, as the tag of the base image names it.
    Version,
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// Archives and packages.
    #[default]
    Downloads,
    /// Objects and other results of compiling.
    Compiled,
    /// Indexes and metadata.
    Index,
    /// Several of these.
    Mixed,
    /// What the image or a later step needs.
    Output,
}

/// Whether a cache mount on a directory is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mount {
    /// It saves the downloads or the compiling.
    #[default]
    Yes,
    /// It helps little, or sometimes.
    Optional,
    /// It breaks something.
    No,
}

/// What empties or bypasses a tool's caches. Removals by path need no data: they are found by the caches' paths.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defeats {
    /// Options: all the words of an entry are on the command line.
    pub flags: Vec<Phrase>,
    /// `NAME=globs`: variables with such a value (`*` any that is not empty).
    pub env: Vec<String>,
    /// Commands of the tool, wherever they stand.
    pub commands: Vec<Phrase>,
    /// `key=globs`: settings made by one of [`Tool::settings`].
    pub settings: Vec<String>,
    /// Files that the image has, until a command removes them.
    pub files: Vec<String>,
}

/// What a mount needs beside it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// `NAME=value` for the environment.
    #[serde(default)]
    pub env: Option<String>,
    /// An option of the command.
    #[serde(default)]
    pub flag: Option<String>,
    /// A command to run before.
    #[serde(default)]
    pub command: Option<String>,
    /// What stands for it if it is there already: words of the tool (`modifyrepo --keep-packages`).
    #[serde(default)]
    pub satisfied: Vec<Phrase>,
    /// Files whose writing stands for it, as globs of absolute paths.
    #[serde(default)]
    pub files: Vec<String>,
    /// Settings that stand for it, `key=globs`.
    #[serde(default)]
    pub settings: Vec<String>,
    /// The mount works without it.
    #[serde(default)]
    pub cosmetic: bool,
    /// Needed only then.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Not needed then.
    #[serde(default)]
    pub unless: Option<Condition>,
    /// Why, for people.
    pub why: String,
}

/// What must hold; all that is given. What is not known makes it unknown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Whether the command runs as root.
    pub root: Option<bool>,
    /// Base images, as repository without registry, with `>=N` or `<N` for the tag's first number (`fedora>=41`).
    pub image: Vec<String>,
    /// Variables that are set: `NAME`, or `NAME=globs` for certain values. One is enough.
    pub env: Vec<String>,
    /// Options on the command line. One is enough.
    pub flags: Vec<String>,
    /// Base names of the program.
    pub program: Vec<String>,
    /// Words of the command line.
    pub words: Option<Phrase>,
    /// One of these conditions.
    pub any: Vec<Condition>,
    /// `key=globs`: settings. One is enough.
    pub settings: Vec<String>,
    /// A file in the working directory.
    pub file: Option<String>,
    /// It contains one of these, blanks aside. Alone, `file` asks whether it exists.
    pub contains: Vec<String>,
    /// It contains none of these, blanks aside.
    pub lacks: Vec<String>,
    /// A file that is neither in the working directory nor in one above it.
    pub nowhere: Option<String>,
}
