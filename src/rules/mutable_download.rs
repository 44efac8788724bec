//! `mutable-download`: something that moves, downloaded by a step that never looks again.

use super::words::code;
use super::{Category, DockerfileCx, Fixable, Meta, Rule, Severity, Sink};
use crate::shell::{Command, Word};
use std::collections::BTreeMap;

static META: Meta = Meta {
    name: "mutable-download",
    category: Category::Order,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/mutable-download.md"),
};

/// Branches by the names that everybody uses.
const BRANCHES: [&str; 7] = ["main", "master", "develop", "dev", "trunk", "HEAD", "nightly"];

/// Programs that tell whether a file is the one that was meant.
const CHECKS: [&str; 9] =
    ["sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "shasum", "md5sum", "b2sum", "openssl"];

/// See the page.
pub(super) struct MutableDownload;

impl Rule for MutableDownload {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches text: what an address names is in how it is written.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let runs: Vec<_> = cx.facts.runs().collect();
        // The last RUN of each stage that checks something out.
        let mut decided: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, (_, step, script)) in runs.iter().enumerate() {
            if !script.opaque.is_empty() || script.commands.iter().any(decides) {
                decided.insert(step.stage, index);
            }
        }
        for (index, (id, step, script)) in runs.iter().enumerate() {
            let checked =
                |command: &Command<'_>| command.program().is_some_and(|name| CHECKS.contains(&name));
            if script.commands.iter().any(checked) {
                continue;
            }
            let later = decided.get(&step.stage).is_some_and(|last| *last >= index);
            for command in script.commands.iter().filter(|command| command.certain) {
                let Some(found) = mutable(command, later) else { continue };
                let line = cx.line_of(*id);
                let message = match &found {
                    Moving::Address(address) => format!(
                        "line {line} is cached by its text: what {} gives later is never fetched",
                        code(address, 70)
                    ),
                    Moving::Repository(address, None) => format!(
                        "line {line} is cached by its text: commits to {} after the first build are never seen",
                        code(address, 60)
                    ),
                    Moving::Repository(address, Some(branch)) => format!(
                        "line {line} is cached by its text: later commits to {} of {} are never seen",
                        code(branch, 20),
                        code(address, 50)
                    ),
                };
                let help = match &found {
                    Moving::Address(_) => {
                        "name a version, or let `ADD --checksum=…` fetch it, whose key is the content"
                    }
                    Moving::Repository(..) => {
                        "check out a tag or a commit, or let `ADD https://….git#REF` fetch it, whose key is the commit"
                    }
                };
                out.report(command.span, message).help(help);
            }
        }
    }
}

/// What a command fetches that moves.
enum Moving {
    Address(String),
    Repository(String, Option<String>),
}

fn mutable(command: &Command<'_>, later: bool) -> Option<Moving> {
    match command.program()? {
        "curl" | "wget" | "aria2c" => {
            let address = command.args().iter().find(|word| is_address(word) && moves(&word.text))?;
            Some(Moving::Address(address.text.to_string()))
        }
        "git" if !later => repository(command),
        _ => None,
    }
}

fn is_address(word: &Word<'_>) -> bool {
    ["http://", "https://", "ftp://"].iter().any(|scheme| word.text.starts_with(scheme))
}

/// Whether what is checked out later decides, whatever it is.
fn decides(command: &Command<'_>) -> bool {
    let verbs = ["checkout", "reset", "switch", "fetch", "pull", "worktree"];
    command.program() == Some("git") && command.args().iter().any(|word| verbs.contains(&&*word.text))
}

/// `git clone` of a branch.
fn repository(command: &Command<'_>) -> Option<Moving> {
    let args = command.args();
    let at = args.iter().position(|word| !word.text.starts_with('-'))?;
    if args.get(at)?.text != "clone" {
        return None;
    }
    let mut branch = None;
    let mut address = None;
    let mut words = args.iter().skip(at + 1);
    while let Some(word) = words.next() {
        match &*word.text {
            "-b" | "--branch" => branch = words.next(),
            "--revision" => return None,
            text if text.starts_with("--revision=") => return None,
            "--depth" | "--origin" | "-o" | "-c" | "--config" | "-j" | "--jobs" | "--reference"
            | "--filter" | "--shallow-since" | "--template" | "-u" | "--upload-pack"
            | "--separate-git-dir" => {
                words.next();
            }
            text if text.starts_with("--branch=") => branch = Some(word),
            text if text.starts_with('-') => {}
            _ => {
                address.get_or_insert(word);
            }
        }
    }
    let is_git = |text: &str| (text.contains("://") || text.starts_with("git@")) && !text.contains("::");
    let address = address.filter(|word| is_git(&word.text))?;
    let name = branch.map(|word| word.text.trim_start_matches("--branch=").to_owned());
    if name.as_deref().is_some_and(|name| !BRANCHES.contains(&name)) {
        return None;
    }
    Some(Moving::Repository(address.text.to_string(), name))
}

/// Whether an address is made to name something else from time to time.
fn moves(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let segments: Vec<&str> = path.split('/').collect();
    let is_branch = |segment: &&str| {
        let stem = segment.split('.').next().unwrap_or(segment);
        BRANCHES.contains(segment) || BRANCHES.contains(&stem)
    };
    // `main` is a branch only where branches are named: in a package archive it is a section.
    let named = match host {
        "raw.githubusercontent.com" | "raw.github.com" => {
            let at = if segments.get(2..4) == Some(&["refs", "heads"][..]) { 4 } else { 2 };
            segments.get(at).is_some_and(is_branch)
        }
        "github.com" | "codeload.github.com" => {
            let kinds = ["raw", "archive", "tarball", "zipball", "zip", "tar.gz", "blob"];
            segments.get(2).is_some_and(|kind| kinds.contains(kind)) && segments.iter().skip(3).any(is_branch)
        }
        "cdn.jsdelivr.net" => segments
            .iter()
            .any(|segment| segment.split_once('@').is_some_and(|(_, version)| BRANCHES.contains(&version))),
        _ => {
            let raw = segments.iter().position(|segment| *segment == "raw" || *segment == "archive");
            let forge = host.contains("gitlab") || host.contains("bitbucket") || segments.contains(&"-");
            forge && raw.is_some_and(|at| segments.iter().skip(at + 1).any(is_branch))
        }
    };
    // A release's files are told apart by its tag, whatever they are called.
    let telling = match segments.as_slice() {
        [_, _, "releases", "download", tag, ..] if host == "github.com" => std::slice::from_ref(tag),
        all => all,
    };
    let latest = telling.iter().any(|segment| {
        let tokens = || segment.split(['-', '_', '.', '@', '=']);
        // The number of a build beside it says which one (`commandlinetools-linux-13114758_latest.zip`).
        let numbered =
            || tokens().any(|token| token.len() > 5 && token.bytes().all(|byte| byte.is_ascii_digit()));
        tokens().any(|token| token.eq_ignore_ascii_case("latest")) && !numbered()
    });
    let stable = segments.last() == Some(&"stable.txt");
    named || latest || stable
}

#[cfg(test)]
mod tests {
    use super::moves;

    #[test]
    fn what_moves_and_what_does_not() {
        for address in [
            "https://github.com/o/r/releases/latest/download/tool.tar.gz",
            "https://api.github.com/repos/o/r/releases/latest",
            "https://raw.githubusercontent.com/o/r/master/install.sh",
            "https://raw.githubusercontent.com/o/r/refs/heads/main/install.sh",
            "https://github.com/o/r/archive/main.tar.gz",
            "https://github.com/o/r/archive/refs/heads/master.zip",
            "https://gitlab.com/o/r/-/raw/master/x",
            "https://repo.example.org/miniconda/Miniconda3-latest-Linux-x86_64.sh",
            "https://nodejs.example.org/dist/latest-v18.x/node.tar.gz",
            "https://dl.example.org/LATEST_RELEASE",
            "https://github.com/o/r/releases/download/latest/tool.tar.gz",
        ] {
            assert!(moves(address), "{address}");
        }
        for address in [
            "https://github.com/o/r/releases/download/v1.2.3/tool.tar.gz",
            "https://raw.githubusercontent.com/o/r/v1.2.3/install.sh",
            "https://raw.githubusercontent.com/o/master/0a1b2c3/main.py",
            "http://archive.example.org/ubuntu/pool/main/o/openssl/libssl_1.1.1_amd64.deb",
            "https://github.com/o/main/archive/v1.tar.gz",
            "https://dl.example.org/android/repository/commandlinetools-linux-13114758_latest.zip",
            "https://sh.example.org/install.sh",
            "https://example.org/latestnews/1.2.tar.gz",
            "https://github.com/o/r/releases/download/v4.0.9/server-unix-latest-toolchain-4.0.9.tar.xz",
            "https://dl.google.com/android/repository/commandlinetools-linux-13114758_latest.zip",
        ] {
            assert!(!moves(address), "{address}");
        }
    }
}
