//! What the work of a RUN depends on: files of the context, variables, or neither.

use super::{DockerfileCx, ToolUse};
use crate::cache::{Standing, Written, WrittenKind};
use crate::context::{go_match, path};
use crate::graph::{MountKind, Source, Step, StepId, StepKind};
use crate::shell::{Command, Cwd};
use crate::tools::{Kind, Needs};

impl ToolUse<'_> {
    /// Whether it takes time.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        self.kind.downloads() || self.kind.compiles()
    }

    /// Whether it takes time and reads nothing of the project.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.is_costly() && self.needs == Needs::None
    }
}

impl<'a> DockerfileCx<'a> {
    /// The command of a tool's use.
    #[must_use]
    pub fn command(&self, step: StepId, used: &ToolUse<'_>) -> Option<&'a Command<'a>> {
        self.facts.script(step).commands.get(used.command)
    }

    /// The first command of the RUN that certainly does something that takes time; not the refresh of an index, if there is
    /// another.
    #[must_use]
    pub fn costly(&self, step: StepId) -> Option<&'a Command<'a>> {
        let used = self.uses(step).tools.iter().filter(|used| used.is_costly());
        let certain = |used: &&ToolUse<'_>| self.command(step, used).is_some_and(|command| command.certain);
        let mut found = used.filter(certain);
        let first = found.next()?;
        let named = if first.row.index { found.find(|used| !used.row.index).unwrap_or(first) } else { first };
        self.command(step, named)
    }

    /// Whether every command of the RUN is known: one of a tool that downloads or builds, or one of the small programs that
    /// every system has.
    #[must_use]
    pub fn is_known(&self, step: StepId) -> bool {
        let (script, uses) = (self.facts.script(step), self.uses(step));
        let mut tools = uses.tools.iter().peekable();
        !uses.opaque
            && script.commands.iter().enumerate().all(|(number, command)| {
                match tools.next_if(|used| used.command == number) {
                    Some(used) => used.kind != Kind::Run || used.tool.name == "apt-repository",
                    None => is_plain(command),
                }
            })
    }

    /// Whether the RUN certainly reads no variable but those of its tools and those that its text names: installs and
    /// downloads without project scripts, and small programs.
    #[must_use]
    pub fn ignores_variables(&self, step: StepId) -> bool {
        let quiet = |used: &ToolUse<'_>| {
            used.needs != Needs::Sources
                && !(used.kind.compiles() && used.needs == Needs::Manifests)
                && used.scripts.as_ref().is_none_or(Vec::is_empty)
        };
        self.is_known(step) && self.uses(step).tools.iter().all(quiet)
    }
}

/// Programs that do what their arguments say and nothing else: no project file and no variable makes them do otherwise.
/// Sorted.
const PLAIN: &[&str] = &[
    "7z",
    "7za",
    ":",
    "[",
    "[[",
    "a2dismod",
    "a2enmod",
    "a2ensite",
    "addgroup",
    "adduser",
    "alternatives",
    "apt-mark",
    "arch",
    "awk",
    "b2sum",
    "base64",
    "basename",
    "bunzip2",
    "bzip2",
    "cat",
    "cd",
    "chgrp",
    "chmod",
    "chown",
    "chpasswd",
    "chsh",
    "cmp",
    "command",
    "cp",
    "cut",
    "date",
    "declare",
    "df",
    "diff",
    "dirname",
    "dpkg",
    "dpkg-architecture",
    "dpkg-query",
    "dpkg-reconfigure",
    "du",
    "echo",
    "egrep",
    "env",
    "exit",
    "export",
    "expr",
    "false",
    "fc-cache",
    "fgrep",
    "file",
    "find",
    "gawk",
    "getconf",
    "getent",
    "gpg",
    "gpg2",
    "gpgconf",
    "gpgv",
    "grep",
    "groupadd",
    "groupmod",
    "groups",
    "gunzip",
    "gzip",
    "hash",
    "head",
    "hostname",
    "id",
    "install",
    "jq",
    "ldconfig",
    "let",
    "ln",
    "local",
    "locale-gen",
    "localedef",
    "ls",
    "lsb_release",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "nproc",
    "openssl",
    "passwd",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readlink",
    "realpath",
    "return",
    "rm",
    "rmdir",
    "rpm",
    "rpmkeys",
    "sed",
    "seq",
    "set",
    "setcap",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shasum",
    "shopt",
    "sleep",
    "sort",
    "stat",
    "strip",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "true",
    "truncate",
    "type",
    "ulimit",
    "umask",
    "uname",
    "uniq",
    "unlink",
    "unset",
    "unxz",
    "unzip",
    "unzstd",
    "update-alternatives",
    "update-ca-certificates",
    "update-ca-trust",
    "update-locale",
    "useradd",
    "userdel",
    "usermod",
    "wait",
    "wc",
    "which",
    "whoami",
    "xz",
    "yes",
    "zcat",
    "zip",
    "zstd",
];

/// Programs of which what their data does not call a download, a build or a run is configuration and questions.
/// Sorted.
const QUIET: &[&str] = &[
    "apk", "apt", "apt-get", "bundle", "cargo", "composer", "conda", "corepack", "dnf", "dotnet", "gem",
    "git", "go", "microdnf", "npm", "pip", "pip3", "pnpm", "poetry", "rustup", "uv", "yarn", "yum", "zypper",
];

/// Whether a command that no tool's data knows is one of the small programs that every system has, or none at all.
#[must_use]
pub fn is_plain(command: &Command<'_>) -> bool {
    let Some(name) = command.program() else { return command.argv.is_empty() && command.opaque.is_none() };
    let environment = || ["-m", "venv"].iter().all(|word| command.args().iter().any(|arg| arg.text == *word));
    command.opaque.is_none()
        && (PLAIN.binary_search(&name).is_ok()
            || QUIET.binary_search(&name).is_ok()
            || name == "virtualenv"
            || (name.starts_with("python") && environment()))
}

/// The words of a command as one text.
#[must_use]
pub fn text(command: &Command<'_>) -> String {
    command.argv.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ")
}

/// Whether a command of the RUN names a path that the COPY or ADD `copy` wrote, or may have written.
#[must_use]
pub fn touches(cx: &DockerfileCx<'_>, run: StepId, copy: StepId) -> bool {
    let written = cx.model().writes(copy);
    cx.facts.script(run).commands.iter().any(|command| names(cx, run, command, written))
}

/// Whether one command of the RUN names such a path.
#[must_use]
pub fn command_touches(cx: &DockerfileCx<'_>, run: StepId, command: &Command<'_>, copy: StepId) -> bool {
    names(cx, run, command, cx.model().writes(copy))
}

fn names(cx: &DockerfileCx<'_>, run: StepId, command: &Command<'_>, written: &[Written]) -> bool {
    let Some(step) = cx.graph().step(run) else { return true };
    let named = |place: &str| written.iter().any(|written| written.holds(place) || written.is_in(place));
    // A glob names what it matches, and what may be in a directory that it looks into.
    let matched = |glob: &str| {
        let plain = glob.split(['*', '?', '[', '{']).next().unwrap_or(glob);
        let (place, lists) = (path::parent(plain), glob.contains('{'));
        written.iter().any(|written| {
            let inside = || written.holds(place) || written.is_in(place);
            go_match(glob, &written.path) != Ok(false)
                || (lists || written.kind != WrittenKind::File) && inside()
        })
    };
    let visible = cx.model().context().map(|context| context.visible());
    let here = match &command.cwd {
        Cwd::Start => step.state.cwd.to_string(),
        Cwd::Path(there) if there.starts_with('/') => there.to_string(),
        Cwd::Path(there) if !there.starts_with('~') => format!("{}/{there}", step.state.cwd),
        _ => return true,
    };
    let redirects = command.redirects.iter().map(|redirect| &redirect.target);
    command.args().iter().chain(redirects).any(|word| {
        let text =
            word.text.split_once('=').filter(|(key, _)| key.starts_with('-')).map_or(&*word.text, |(_, v)| v);
        if text.starts_with('-') || text.is_empty() || text.contains("://") {
            return false;
        }
        if !word.literal && !text.starts_with('/') && text.contains('/') {
            return true;
        }
        let absolute = text.starts_with('/');
        let place = path::clean(&if absolute { text.to_owned() } else { format!("{here}/{text}") });
        if word.glob {
            return matched(&place);
        }
        if absolute || text.contains('/') || text.starts_with('.') {
            return named(&place) && place != "/";
        }
        // A bare word is a path only if there is such a file.
        match visible {
            Some(_) => matches!(cx.model().standing(run, &place), Standing::Context(_)),
            None => text.contains('.') && named(&place),
        }
    })
}

/// What is copied here may be the configuration of what is installed.
const SYSTEM: [&str; 9] =
    ["/etc", "/usr", "/lib", "/bin", "/sbin", "/root", "/var/lib", "/var/cache", "/opt"];

/// Below these lie projects all the same.
const PROJECTS: [&str; 4] = ["/usr/src", "/usr/local/src", "/usr/share/nginx", "/opt/app"];

/// Whether the RUN takes time and reads nothing that a COPY before it in its stage wrote, nor a mount of the context.
#[must_use]
pub fn needs_nothing(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>) -> bool {
    let StepKind::Run(run) = &step.kind else { return false };
    let uses = cx.uses(id);
    if cx.costly(id).is_none() || !cx.is_known(id) {
        return false;
    }
    let mounts = run.mounts.iter().any(|mount| mount.kind == MountKind::Bind && mount.from != Source::Empty);
    if mounts {
        return false;
    }
    let above: Vec<(StepId, &Step<'_>)> =
        cx.graph().steps_of(step.stage).take_while(|(other, _)| *other < id).take(MAX_STEPS + 1).collect();
    let copies =
        above.iter().filter(|(_, step)| matches!(step.kind, StepKind::Copy(_))).map(|(copy, _)| *copy);
    above.len() <= MAX_STEPS
        && uses.tools.iter().all(|used| is_free(cx, id, used))
        && copies.into_iter().all(|copy| !touches(cx, id, copy) && !configures(cx, copy))
}

/// With more steps before it in its stage than people write, a RUN is not looked at.
const MAX_STEPS: usize = 200;

/// Whether a tool's command reads nothing of the project, not even by habit (`.npmrc`, `rust-toolchain`).
fn is_free(cx: &DockerfileCx<'_>, id: StepId, used: &ToolUse<'_>) -> bool {
    if used.kind == Kind::Run {
        return true;
    }
    let Some(directory) = used.directory.as_deref().filter(|_| used.is_free()) else { return used.is_free() };
    let habits = [&used.tool.manifests, &used.tool.optional].into_iter().flatten();
    habits.into_iter().filter(|name| !name.contains('*')).all(|name| {
        let place = path::clean(&format!("{directory}/{name}"));
        !matches!(cx.model().standing(id, &place), Standing::Context(_)) || is_system(used)
    })
}

fn is_system(used: &ToolUse<'_>) -> bool {
    used.tool.ecosystem.starts_with("os-") || used.tool.ecosystem == "download"
}

/// Whether a COPY may bring the configuration of what is installed.
fn configures(cx: &DockerfileCx<'_>, copy: StepId) -> bool {
    let is_in = |place: &str, directories: &[&str]| {
        directories.iter().any(|other| {
            place == *other || place.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let system = |place: &str| is_in(place, &SYSTEM) && !is_in(place, &PROJECTS);
    cx.model().writes(copy).iter().any(|written| {
        if written.path != "/" || written.kind == WrittenKind::File {
            return system(&written.path);
        }
        // A whole context at the root: it depends on what is in it.
        match cx.model().taken_files(copy) {
            Some(files) => files.iter().any(|file| {
                file.strip_prefix(written.taken.as_str())
                    .is_some_and(|rest| system(&format!("/{}", rest.trim_start_matches('/'))))
            }),
            None => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_is_sorted() {
        assert!(PLAIN.is_sorted() && QUIET.is_sorted());
    }
}
