//! The wrappers by name, and how their own options are read (facts §4 and its table of wrappers).

use super::expand::Arg;
use std::borrow::Cow;

/// How a wrapper finds its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// After options and this many operands.
    Plain(usize),
    /// As `Plain`, but not with `-v`: `command -v x` asks for a path.
    Lookup,
    /// After options and, if it is a number, one operand.
    Count,
    /// After options and `NAME=value` words.
    Assigning,
    /// After a user (`gosu app cmd`).
    User,
    /// `su`, `runuser`: a user, and a script after `-c`.
    Su,
    /// A shell: a script after `-c`, on standard input, or in a file.
    Shell,
    Eval,
    /// `flock FILE cmd`, `flock FILE -c text`.
    Flock,
    /// A new root: directories before it mean nothing.
    Chroot,
    /// `scl enable SET… text`, `scl enable SET… -- cmd`.
    Scl,
    /// Words after `:::` are its own.
    Parallel,
    /// Words between `-exec` and `;` or `+`.
    Find,
}

/// A wrapper's kind and its options that take a value (facts §4 and its table of wrappers).
pub(super) fn wrapper(name: &str) -> Option<(Kind, &'static [&'static str])> {
    const SHELL: &[&str] = &["-o", "-O", "+o", "+O", "--rcfile", "--init-file"];
    const XARGS: &[&str] = &[
        "-a",
        "--arg-file",
        "-d",
        "--delimiter",
        "-E",
        "-I",
        "-L",
        "-n",
        "-P",
        "-s",
        "--max-args",
        "--max-procs",
        "--max-chars",
        "--max-lines",
        "--process-slot-var",
    ];
    Some(match name {
        "sudo" | "doas" => (
            Kind::Assigning,
            &[
                "-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-C", "-D", "--chdir",
                "-r", "-t", "-T",
            ],
        ),
        "env" => (Kind::Assigning, &["-u", "--unset", "-C", "--chdir", "-a", "--argv0"]),
        "command" => (Kind::Lookup, &[]),
        "exec" => (Kind::Plain(0), &["-a"]),
        "builtin" | "nohup" | "setsid" | "eatmydata" | "catchsegv" | "unbuffer" | "busybox" | "winpty"
        | "chronic" | "tini" | "dumb-init" | "catatonit" | "linux32" | "linux64" | "travis_retry"
        | "torsocks" | "torify" | "proxychains" | "proxychains4" | "dbus-run-session" => {
            (Kind::Plain(0), &[])
        }
        "time" => (Kind::Plain(0), &["-f", "--format", "-o", "--output"]),
        "stdbuf" => (Kind::Plain(0), &["-i", "-o", "-e", "--input", "--output", "--error"]),
        "fakeroot" => (Kind::Plain(0), &["-s", "-i", "-l", "-b"]),
        "xvfb-run" => {
            (Kind::Plain(0), &["-n", "--server-num", "-e", "-f", "-p", "-s", "--server-args", "-w"])
        }
        "nice" => (Kind::Plain(0), &["-n", "--adjustment"]),
        "ionice" => (Kind::Plain(0), &["-c", "--class", "-n", "--classdata"]),
        "setpriv" => (Kind::Plain(0), &["--reuid", "--regid", "--groups", "--inh-caps", "--bounding-set"]),
        "chpst" => {
            (Kind::Plain(0), &["-u", "-U", "-e", "-n", "-l", "-L", "-m", "-d", "-o", "-p", "-f", "-c", "-/"])
        }
        "timeout" => (Kind::Plain(1), &["-s", "--signal", "-k", "--kill-after"]),
        "chrt" => (Kind::Plain(1), &["-T", "-P", "-D"]),
        "taskset" | "faketime" | "setarch" => (Kind::Plain(1), &[]),
        "retry" => (
            Kind::Count,
            &["-t", "-d", "-m", "-n", "-s", "--times", "--delay", "--tries", "--interval", "--max"],
        ),
        "gosu" | "su-exec" | "setuidgid" | "s6-setuidgid" => (Kind::User, &[]),
        "su" | "runuser" => (
            Kind::Su,
            &[
                "-c",
                "--command",
                "-u",
                "--user",
                "-s",
                "--shell",
                "-g",
                "--group",
                "-G",
                "--supp-group",
                "-w",
            ],
        ),
        "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" | "mksh" => (Kind::Shell, SHELL),
        "eval" => (Kind::Eval, &[]),
        "flock" => (Kind::Flock, &["-w", "--timeout", "--wait", "-E", "-c", "--command"]),
        "chroot" => (Kind::Chroot, &["--userspec", "--groups"]),
        "scl" => (Kind::Scl, &[]),
        "xargs" => (Kind::Plain(0), XARGS),
        "parallel" => (
            Kind::Parallel,
            &["-a", "--arg-file", "-j", "--jobs", "-I", "-n", "-N", "-L", "--delay", "--retries"],
        ),
        "find" => (Kind::Find, &[]),
        _ => return None,
    })
}

/// A wrapper's options, by name, with the argument that is the value or the value itself.
pub(super) struct Options<'w> {
    flags: Vec<(Cow<'w, str>, Value<'w>)>,
    /// The first argument that is not an option.
    pub(super) next: usize,
    /// `--` ended the options.
    ended: bool,
}

pub(super) enum Value<'w> {
    None,
    Text(&'w str),
    Argument(usize),
}

pub(super) fn options<'w>(args: &'w [Arg<'_>], from: usize, valued: &[&str]) -> Options<'w> {
    let mut found = Options { flags: Vec::new(), next: from, ended: false };
    while let Some(arg) = args.get(found.next) {
        let text: &str = &arg.word.text;
        if text == "--" {
            found.next += 1;
            found.ended = true;
            break;
        }
        let Some(letters) = text.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) else {
            break;
        };
        found.next += 1;
        if let Some(long) = letters.strip_prefix('-') {
            let name = Cow::Borrowed(text.get(..text.find('=').unwrap_or(text.len())).unwrap_or(text));
            let value = match long.split_once('=') {
                Some((_, value)) => Value::Text(value),
                None if valued.contains(&&*name) => {
                    found.next += 1;
                    Value::Argument(found.next - 1)
                }
                None => Value::None,
            };
            found.flags.push((name, value));
            continue;
        }
        let sign = text.get(..1).unwrap_or("-");
        for (at, letter) in letters.char_indices() {
            let name = format!("{sign}{letter}");
            if !valued.contains(&&*name) {
                found.flags.push((Cow::Owned(name), Value::None));
                continue;
            }
            let rest = letters.get(at + letter.len_utf8()..).unwrap_or("");
            if rest.is_empty() || letter.eq_ignore_ascii_case(&'o') && sign == "-" && valued.contains(&"+o") {
                // `bash -eo pipefail`, and `bash -oe pipefail` as well
                found.flags.push((Cow::Owned(name), Value::Argument(found.next)));
                found.next += 1;
            } else {
                found.flags.push((Cow::Owned(name), Value::Text(rest)));
                break;
            }
        }
    }
    found
}

impl Options<'_> {
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(flag, _)| names.contains(&&**flag))
    }

    /// The argument that is the value of the first of `names`.
    pub(super) fn argument(&self, names: &[&str]) -> Option<usize> {
        self.flags.iter().find_map(|(flag, value)| match value {
            Value::Argument(index) if names.contains(&&**flag) => Some(*index),
            _ => None,
        })
    }

    /// The value of the first of `names`, if it is literal.
    pub(super) fn value<'a>(&self, args: &[Arg<'a>], names: &[&str]) -> Option<Cow<'a, str>> {
        self.flags.iter().filter(|(flag, _)| names.contains(&&**flag)).find_map(|(_, value)| match value {
            Value::Argument(index) => literal(args.get(*index)?),
            Value::Text(text) if !text.contains(['$', '`']) => Some(Cow::Owned((*text).to_owned())),
            _ => None,
        })
    }
}

pub(super) fn literal<'a>(arg: &Arg<'a>) -> Option<Cow<'a, str>> {
    arg.word.literal.then(|| arg.word.text.clone())
}
