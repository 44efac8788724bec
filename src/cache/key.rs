//! What enters a step's key: the digest of each operation over exactly what BuildKit hashes for it (facts §1; BuildKit:
//! `solver/llbsolver/ops/exec.go`, `file.go`).

use super::digest::{Digest, Feed};
use crate::context::path;
use crate::graph::{
    CopySource, CopySourceKind, CopyStep, MountKind, MountStep, RunStep, Sharing, State, Variable,
};

/// What a RUN's key takes from the whole build.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ExecOptions<'o> {
    pub(super) platform: &'o str,
    pub(super) hostname: Option<&'o str>,
    pub(super) network: &'o str,
    pub(super) namespace: &'o str,
    pub(super) meta: &'o [String],
}

/// A RUN. `mounts` are its mounts sorted by target, `inputs` their input indices.
pub(super) fn exec(
    run: &RunStep<'_>,
    state: &State<'_>,
    mounts: &[&MountStep<'_>],
    inputs: &[Option<usize>],
    options: ExecOptions<'_>,
) -> Digest {
    let mut feed = Feed::new("exec");
    feed.number(run.argv.len() as u64);
    for word in &run.argv {
        feed.text(word);
    }
    let (shared, own) = state.env.digested();
    for number in shared {
        feed.number(number);
    }
    for variable in own {
        feed.text(&variable.name);
        feed.text(&variable.value);
    }
    feed.text("meta");
    feed.text(&state.cwd_text);
    feed.text(&state.user);
    feed.text(options.hostname.unwrap_or(""));
    feed.text(if run.network.is_empty() { options.network } else { &run.network });
    feed.text(&run.security);
    feed.text(options.platform);
    for meta in options.meta {
        feed.text(meta);
    }
    for (mount, input) in mounts.iter().zip(inputs) {
        feed.number(input.map_or(0, |input| input as u64 + 1));
        self::mount(&mut feed, mount, options.namespace);
    }
    feed.finish()
}

/// What a RUN's output is presumed to turn on, apart from files: its text and the values of the variables that it names.
pub(super) fn command(run: &RunStep<'_>, state: &State<'_>) -> Digest {
    let mut feed = Feed::new("command");
    let script = run.script.as_deref().unwrap_or("");
    for word in run.argv.iter().map(|word| word.as_ref()).chain([script, &state.cwd, &state.user]) {
        feed.text(word);
    }
    let texts = run.argv.iter().map(|word| word.as_ref()).chain([script]);
    let mut named: Vec<&Variable<'_>> = if state.env.len() <= FEW {
        state.env.iter().filter(|variable| texts.clone().any(|text| names(text, &variable.name))).collect()
    } else {
        texts.flat_map(words).filter_map(|name| state.get(name)).collect()
    };
    named.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    named.dedup_by(|a, b| a.name == b.name);
    for variable in named {
        feed.text(&variable.name);
        feed.text(&variable.value);
    }
    feed.finish()
}

/// So many variables are sought in a command one by one; with more its words are looked up.
const FEW: usize = 8;

fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether one of the [`words`] of a command is `name`.
fn names(text: &str, name: &str) -> bool {
    if text.len() < name.len() {
        return false;
    }
    let text = text.as_bytes();
    let is_free = |at: Option<usize>| at.and_then(|at| text.get(at)).is_none_or(|byte| !is_in_word(*byte));
    let whole = |at: usize| is_free(at.checked_sub(1)) && is_free(Some(at + name.len()));
    !name.is_empty() && name.bytes().all(is_in_word) && memchr::memmem::find_iter(text, name).any(whole)
}

/// The words of a command that may be names of variables.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let other = |one: char| !(one.is_ascii() && is_in_word(one as u8));
    text.split(other).filter(|word| !word.is_empty())
}

fn mount(feed: &mut Feed, mount: &MountStep<'_>, namespace: &str) {
    feed.number(mount.kind as u64);
    // A trailing slash is part of the key although it is the same directory (truth: mounts/key-trailing-slash).
    let dest = match mount.kind {
        MountKind::Secret | MountKind::Ssh => mount.target_text.as_ref(),
        _ if mount.target_text.starts_with('/') => mount.target_text.as_ref(),
        _ => &mount.target,
    };
    let is_variable = mount.rest.iter().any(|rest| rest.starts_with("env="));
    if mount.kind == MountKind::Secret && dest.is_empty() && !is_variable {
        feed.text(&format!("/run/secrets/{}", path::base(&mount.id)));
    } else {
        feed.text(dest);
    }
    match mount.kind {
        MountKind::Cache => {
            feed.number(u64::from(mount.readonly));
            let default = mount.sharing == Sharing::Shared && mount.id == dest;
            if default {
                feed.text(namespace);
                feed.text(&mount.id);
            }
        }
        MountKind::Secret | MountKind::Ssh => {
            feed.text(&mount.id);
            // What is written out as the default is the default.
            let mode = if mount.kind == MountKind::Secret { 0o400 } else { 0o600 };
            for number in [mount.uid.unwrap_or(0), mount.gid.unwrap_or(0), mount.mode.unwrap_or(mode)] {
                feed.number(u64::from(number));
            }
        }
        MountKind::Bind | MountKind::Tmpfs => feed.number(u64::from(mount.readonly)),
    }
    for rest in &mount.rest {
        feed.text(rest);
    }
}

/// The mkdir that gives a cache mount its owner (facts §1.6: uid, gid or mode add an input).
pub(super) fn mount_owner(mount: &MountStep<'_>) -> Digest {
    let mut feed = Feed::new("cache owner");
    feed.number(u64::from(mount.uid.unwrap_or(0)));
    feed.number(u64::from(mount.gid.unwrap_or(0)));
    feed.number(u64::from(mount.mode.unwrap_or(0o755)));
    feed.finish()
}

/// A WORKDIR.
pub(super) fn mkdir(path: &str, user: &str, epoch: Option<&str>) -> Digest {
    Digest::of("mkdir", &[path.as_bytes(), user.as_bytes(), epoch.unwrap_or("-").as_bytes()])
}

/// A COPY or ADD. `inputs` are the input indices of its sources, then of its inline files.
pub(super) fn copy(copy: &CopyStep<'_>, base: bool, inputs: &[usize]) -> Digest {
    let mut feed = Feed::new("copy");
    feed.number(u64::from(base));
    let mut inputs = inputs.iter();
    for source in &copy.sources {
        feed.number(inputs.next().map_or(0, |input| *input as u64 + 1));
        self::source(&mut feed, copy, source);
        common(&mut feed, copy);
    }
    for (name, _) in &copy.inline {
        feed.number(inputs.next().map_or(0, |input| *input as u64 + 1));
        feed.text("inline");
        feed.text(path::base(name));
        common(&mut feed, copy);
    }
    feed.finish()
}

fn common(feed: &mut Feed, copy: &CopyStep<'_>) {
    feed.text(&copy.dest);
    feed.number(u64::from(copy.dest_dot));
    feed.text(copy.chown.as_deref().unwrap_or("-"));
    match copy.chmod.as_deref() {
        None => feed.text("-"),
        Some(mode) => match u32::from_str_radix(mode, 8) {
            Ok(number) => feed.number(u64::from(number)),
            Err(_) => feed.text(mode),
        },
    }
    feed.number(copy.exclude.len() as u64);
    for pattern in &copy.exclude {
        feed.text(pattern);
    }
}

/// Of a source only its base name counts (facts §1.7).
fn source(feed: &mut Feed, copy: &CopyStep<'_>, source: &CopySource<'_>) {
    match source.kind {
        CopySourceKind::Path if copy.parents => {
            let (pivot, pattern) = source.text.split_once("/./").unwrap_or(("", &source.text));
            feed.text("parents");
            feed.text(path::go_base(&path::clean(&format!("/{pivot}"))));
            feed.text(&path::clean(&format!("/{pattern}")));
            feed.text(&path::clean(&format!("/{pivot}/{pattern}")));
        }
        CopySourceKind::Path => {
            feed.text("path");
            feed.text(path::go_base(&path::clean(&format!("/{}", source.text))));
        }
        CopySourceKind::Http => {
            feed.text("http");
            feed.text(&http_name(&source.text));
        }
        CopySourceKind::Git => feed.text("git"),
    }
    feed.number(u64::from(match source.kind {
        CopySourceKind::Path => copy.unpack,
        _ => copy.unpack_remote,
    }));
}

/// The file name of a download: the address's last path element (BuildKit: `dispatchCopy`).
pub(super) fn http_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    match path.split_once('/').map(|(_, path)| path::base(path.trim_end_matches('/'))) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => "__unnamed__".into(),
    }
}
