//! What the words of a Dockerfile do to the cache: keywords, flags and mount options, each with its facts in a sentence or
//! two, for whoever points at one (facts §1). The names are those that the front end takes; a test holds them together.

mod exporters;
mod settings;

pub use exporters::{CACHE_TYPES, cache_attributes};
pub use settings::{SETTINGS, setting};

use crate::dockerfile::Keyword;

/// A word that can be written, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As it is written, without dashes.
    pub name: &'static str,
    /// What may stand behind its `=`.
    pub takes: Takes,
    /// What it does to cache keys.
    pub facts: &'static str,
}

/// What a flag or option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, `true` or `false`.
    Switch,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// The name of a stage, or an image.
    Stage,
    /// Anything; the text says what kind of thing.
    Text(&'static str),
}

const fn entry(name: &'static str, takes: Takes, facts: &'static str) -> Entry {
    Entry { name, takes, facts }
}

const CHOWN: Entry = entry(
    "chown",
    Takes::Text("user:group"),
    "The owner is part of the step's key as it is written: `bob` and `1000` are different steps. It costs no layer of its own, unlike a `RUN chown`.",
);
const CHMOD: Entry = entry(
    "chmod",
    Takes::Text("mode"),
    "The mode is part of the step's key (`755` and `0755` are the same). Beside it, `--link` has no effect.",
);
const LINK: Entry = entry(
    "link",
    Takes::Switch,
    "The layer does not depend on what lies below it: a new base keeps it and need not upload it again. A later RUN runs again all the same. Without effect beside `--chmod` and in Docker's classic image store.",
);
const EXCLUDE: Entry = entry(
    "exclude",
    Takes::Text("pattern"),
    "Files that match are not copied, and an edit of them does not run the step again. The pattern itself is part of the key.",
);
const PARENTS: Entry = entry(
    "parents",
    Takes::Switch,
    "Keeps the directories of the sources, so that one COPY can take the manifests of a whole workspace. The modes of those directories count.",
);

const FROM: &[Entry] = &[entry(
    "platform",
    Takes::OneOf(&["$BUILDPLATFORM", "$TARGETPLATFORM", "linux/amd64", "linux/arm64"]),
    "The platform is part of every RUN's key. A stage on `$BUILDPLATFORM` is built once for all targets.",
)];

const COPY: &[Entry] = &[
    entry(
        "from",
        Takes::Stage,
        "Takes files from a stage or image, compared by content: when that stage runs again and writes the same bytes, this step and all below it stay cached. Variables are refused.",
    ),
    CHOWN,
    CHMOD,
    LINK,
    PARENTS,
    EXCLUDE,
];

const ADD: &[Entry] = &[
    CHOWN,
    CHMOD,
    LINK,
    entry(
        "keep-git-dir",
        Takes::Switch,
        "Keeps `.git` of a repository: every commit is then another content.",
    ),
    entry(
        "checksum",
        Takes::Text("sha256:digest"),
        "The content is known before it is downloaded: a cached step asks no server.",
    ),
    entry("unpack", Takes::Switch, "Whether an archive is unpacked; part of the step's key."),
    EXCLUDE,
];

const RUN: &[Entry] = &[
    entry(
        "mount",
        Takes::OneOf(&["type=cache,", "type=bind,", "type=secret,", "type=ssh", "type=tmpfs,"]),
        "Mounts something for this RUN only; it is in no layer.",
    ),
    entry(
        "network",
        Takes::OneOf(&["default", "none", "host"]),
        "`none` and `host` are part of the step's key; `default` is as good as nothing.",
    ),
    entry("security", Takes::OneOf(&["sandbox", "insecure"]), "`insecure` is part of the step's key."),
    entry("device", Takes::Text("name"), "Devices are part of the step's key."),
];

const HEALTHCHECK: &[Entry] = &[
    entry("interval", Takes::Text("duration"), METADATA),
    entry("timeout", Takes::Text("duration"), METADATA),
    entry("start-period", Takes::Text("duration"), METADATA),
    entry("start-interval", Takes::Text("duration"), METADATA),
    entry("retries", Takes::Text("number"), METADATA),
];

const METADATA: &str = "Metadata of the image: in no step's key.";

/// The flags that an instruction takes.
#[must_use]
pub fn flags(keyword: Keyword) -> &'static [Entry] {
    match keyword {
        Keyword::From => FROM,
        Keyword::Copy => COPY,
        Keyword::Add => ADD,
        Keyword::Run => RUN,
        Keyword::Healthcheck => HEALTHCHECK,
        _ => &[],
    }
}

/// The types of mounts.
pub const MOUNT_TYPES: &[Entry] = &[
    entry(
        "cache",
        Takes::Switch,
        "A directory that the builder keeps between builds. Its contents are in no key and no layer, no exporter takes them, garbage collection and `--no-cache` empty it.",
    ),
    entry(
        "bind",
        Takes::Switch,
        "Files of the context, of a stage or of an image, compared by content and restricted to `source`: an edit of anything else leaves the step cached. Nothing of it is in a layer.",
    ),
    entry(
        "secret",
        Takes::Switch,
        "The value is in no key and no layer: another secret does not run the step again.",
    ),
    entry("ssh", Takes::Switch, "The agent and its keys are in no key."),
    entry("tmpfs", Takes::Switch, "An empty directory in memory; its target and size are part of the key."),
];

const TYPE: Entry = entry(
    "type",
    Takes::OneOf(&["cache", "bind", "secret", "ssh", "tmpfs"]),
    "What is mounted; `bind` where it is missing.",
);
const TARGET: Entry = entry(
    "target",
    Takes::Text("directory"),
    "Where it is mounted; part of the step's key as it is written.",
);
const FROM_OPTION: Entry = entry(
    "from",
    Takes::Stage,
    "Where the files come from: a stage, or an image; compared by content. Variables are refused.",
);
const SOURCE: Entry = entry(
    "source",
    Takes::Text("path"),
    "The part that is mounted. Only its content counts: what else changes leaves the step cached.",
);
const READONLY: Entry =
    entry("readonly", Takes::Switch, "Whether it cannot be written; part of the step's key.");
const READWRITE: Entry = entry(
    "readwrite",
    Takes::Switch,
    "Whether it can be written; part of the step's key. What is written to a bind mount is thrown away.",
);
const REQUIRED: Entry =
    entry("required", Takes::Switch, "Whether the build fails without it; part of the step's key.");
const MODE: Entry =
    entry("mode", Takes::Text("octal mode"), "Mode of what is mounted; part of the step's key.");
const UID: Entry = entry(
    "uid",
    Takes::Text("number"),
    "Owner of what is mounted, 0 where it is missing: a USER cannot write a cache mount that belongs to root. Part of the step's key.",
);
const GID: Entry = entry("gid", Takes::Text("number"), "Group of what is mounted; part of the step's key.");
const ENV: Entry = entry(
    "env",
    Takes::Text("variable"),
    "The variable that holds the value instead of a file; part of the step's key.",
);

const CACHE_OPTIONS: &[Entry] = &[
    TYPE,
    TARGET,
    entry(
        "sharing",
        Takes::OneOf(&["shared", "locked", "private"]),
        "What builds at the same time do with it: `shared` write together, `locked` wait for each other, `private` get one each. A change from the default runs the step again once.",
    ),
    entry(
        "id",
        Takes::Text("name"),
        "Which cache it is; the target where it is missing. RUNs with the same id share it, whatever their Dockerfile, platform or distribution. An id of your own is not part of the key.",
    ),
    FROM_OPTION,
    SOURCE,
    UID,
    GID,
    MODE,
    READONLY,
];

const SECRET_OPTIONS: &[Entry] = &[
    TYPE,
    entry("id", Takes::Text("name"), "Which secret it is; part of the step's key, its value is not."),
    TARGET,
    ENV,
    REQUIRED,
    MODE,
    UID,
    GID,
];

const SSH_OPTIONS: &[Entry] = &[
    TYPE,
    entry("id", Takes::Text("name"), "Which agent it is; part of the step's key."),
    TARGET,
    REQUIRED,
    MODE,
    UID,
    GID,
];

const TMPFS_OPTIONS: &[Entry] =
    &[TYPE, TARGET, entry("size", Takes::Text("bytes"), "Upper limit; part of the step's key.")];

const BIND_OPTIONS: &[Entry] = &[TYPE, SOURCE, TARGET, FROM_OPTION, READWRITE];

/// The options of a mount of one type; those of `bind` where the type is missing.
#[must_use]
pub fn mount_options(kind: &str) -> &'static [Entry] {
    match kind {
        "cache" => CACHE_OPTIONS,
        "secret" => SECRET_OPTIONS,
        "ssh" => SSH_OPTIONS,
        "tmpfs" => TMPFS_OPTIONS,
        _ => BIND_OPTIONS,
    }
}

/// The name under which [`mount_options`] lists an option: `dst` is `target`.
#[must_use]
pub fn canonical(option: &str) -> &str {
    match option {
        "dst" | "destination" => "target",
        "src" => "source",
        "ro" => "readonly",
        "rw" => "readwrite",
        other => other,
    }
}

/// What an instruction does to the cache.
#[must_use]
pub fn keyword(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::From => {
            "Begins a stage. An image is resolved to a digest in every build: when its layers are others, every step above it runs again. `FROM stage` goes by what the stage's steps are, not by what they wrote."
        }
        Keyword::Run => {
            "A step. Its key is the text of the command, every ENV and ARG in force with its value, the working directory, the user, its mounts and flags, and the step below it. What it reads from the network or the clock is not."
        }
        Keyword::Copy | Keyword::Add => {
            "A step. It is compared by the content of the files that it takes (mode and owner count, times do not), the destination, and the step below it. ENV and ARG count only where its text uses them."
        }
        Keyword::Workdir => {
            "A step that makes a directory; its key is the path, the USER and the step below it. RUNs have it in their key."
        }
        Keyword::Env => {
            "No step, but part of the key of every later RUN of this stage and of the stages built from it, used or not."
        }
        Keyword::Arg => {
            "No step. One that has a value is part of the key of every later RUN of this stage, used or not; before the first FROM it only counts for FROM lines."
        }
        Keyword::User => "No step, but part of the key of every later RUN and WORKDIR.",
        Keyword::Shell => "No step, but part of the key of every later RUN in shell form.",
        Keyword::Onbuild => "No step here: the stage that is built from this image runs it first.",
        Keyword::Cmd
        | Keyword::Entrypoint
        | Keyword::Expose
        | Keyword::Healthcheck
        | Keyword::Label
        | Keyword::Maintainer
        | Keyword::Stopsignal
        | Keyword::Volume => METADATA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;

    fn problems(text: &str) -> Vec<String> {
        dockerfile::parse(text).problems().map(|problem| problem.message.to_string()).collect()
    }

    fn value(takes: Takes, name: &str) -> String {
        match (name, takes) {
            ("mount", _) => "=type=tmpfs,target=/x".into(),
            ("interval" | "timeout" | "start-period" | "start-interval", _) => "=10s".into(),
            (_, Takes::Switch) => String::new(),
            (_, Takes::OneOf(values)) => format!("={}", values.first().unwrap()),
            (_, Takes::Stage) => "=x".into(),
            (_, Takes::Text(_)) => "=1".into(),
        }
    }

    #[test]
    fn the_front_end_takes_every_flag_and_no_other() {
        for (keyword, rest) in [
            (Keyword::From, "alpine"),
            (Keyword::Run, "true"),
            (Keyword::Copy, "a b"),
            (Keyword::Add, "a b"),
            (Keyword::Healthcheck, "CMD true"),
            (Keyword::Workdir, "/x"),
        ] {
            let unknown = |flag: &str| {
                let text = format!("FROM x AS x\n{} --{flag} {rest}\n", keyword.name());
                problems(&text).iter().any(|problem| problem.starts_with("unknown flag"))
            };
            for entry in flags(keyword) {
                let flag = format!("{}{}", entry.name, value(entry.takes, entry.name));
                assert!(!unknown(&flag), "{} --{flag}", keyword.name());
            }
            let others = [FROM, COPY, ADD, RUN, HEALTHCHECK].concat();
            for other in others {
                if flags(keyword).iter().all(|entry| entry.name != other.name)
                    && keyword != Keyword::Healthcheck
                {
                    assert!(unknown(&format!("{}=1", other.name)), "{} --{}", keyword.name(), other.name);
                }
            }
        }
    }

    #[test]
    fn the_front_end_takes_every_option_of_every_mount() {
        for kind in MOUNT_TYPES {
            for entry in mount_options(kind.name).iter().filter(|entry| entry.name != "type") {
                let option = format!("{}{}", entry.name, value(entry.takes, entry.name));
                let target = if entry.name == "target" { "" } else { ",target=/x" };
                let text = format!("FROM x AS x\nRUN --mount=type={},{option}{target} true\n", kind.name);
                assert_eq!(problems(&text), [""; 0], "{text}");
            }
        }
        for (short, long) in [("dst", "target"), ("src", "source"), ("ro", "readonly"), ("id", "id")] {
            assert_eq!(canonical(short), long);
        }
    }
}
