//! Commands that build nothing and say something of builds: `docker pull`, `docker tag`, `docker push`, `skopeo copy`.

use super::docker::mark_pushed;
use super::{Arg, Call, Runner, flags, setting};
use crate::builds::{Build, Value};
use crate::source::Span;

/// Most aliases of one job that are remembered.
const MAX_TAGGED: usize = 256;

/// Takes note of what a command says.
pub(super) fn note(runner: &mut Runner<'_, '_>, call: &Call<'_>, tolerant: bool) {
    let program = call.argv.first().map_or("", |arg| arg.text.text.rsplit('/').next().unwrap_or(""));
    if !matches!(program, "docker" | "podman" | "buildah" | "nerdctl") {
        return;
    }
    let parsed = flags::DOCKER.parse(call.argv.get(1..).unwrap_or(&[]), true);
    let rest = match parsed.positional.as_slice() {
        [image, rest @ ..] if image.text.text == "image" => rest,
        all => all,
    };
    let Some((command, args)) = rest.split_first() else { return };
    match command.text.text.as_str() {
        "pull" => {
            // Only where the image may be missing, as one that the last build pushed, it is for the cache.
            let quiet = tolerant || call.command.link == crate::shell::Link::Or;
            let operands = flags::TRANSFER.parse(args, false).positional;
            if quiet {
                runner.env.is_touched = true;
                runner.env.pulled.extend(operands.iter().map(setting));
            }
        }
        "tag" => {
            if let [from, to, ..] = args
                && runner.tagged.len() < MAX_TAGGED
            {
                runner.tagged.push((key(from), key(to)));
            }
        }
        "push" => {
            let parsed = flags::TRANSFER.parse(args, false);
            let all = parsed.last("all-tags").is_some_and(super::flags::Given::on);
            for image in &parsed.positional {
                pushed(runner, &key(image), all, call.span);
            }
        }
        _ => {}
    }
}

fn key(arg: &Arg) -> String {
    arg.value().key().into_owned()
}

/// Marks the builds of this job that make the image, under this name or one that it was tagged from.
fn pushed(runner: &mut Runner<'_, '_>, image: &str, all: bool, span: Span) {
    let mut names = vec![image.to_owned()];
    for (from, to) in runner.tagged.iter().rev() {
        if names.iter().any(|name| same(name, to, all)) {
            names.push(from.clone());
        }
    }
    let job = runner.env.job.as_str();
    let made = |build: &Build| {
        build.tags.iter().any(|tag| {
            let tag = tag.value.key();
            names.iter().any(|name| same(name, &tag, all))
        })
    };
    for build in runner.out.iter_mut().filter(|build| build.job == job) {
        let open = match &build.push {
            None => true,
            Some(push) => matches!(&push.value, Value::Known(text) if text == "false"),
        };
        if open && made(build) {
            mark_pushed(build, span);
        }
    }
}

/// Whether two references name the same image; a missing tag is `latest`.
fn same(pushed: &str, built: &str, all: bool) -> bool {
    let pushed = pushed.strip_prefix("docker://").unwrap_or(pushed);
    if all {
        return pushed == repository(built);
    }
    let latest = |text: &str| {
        if text.len() == repository(text).len() { format!("{text}:latest") } else { text.to_owned() }
    };
    pushed == built || latest(pushed) == latest(built)
}

/// The reference without its tag.
fn repository(reference: &str) -> &str {
    match reference.rfind(':') {
        Some(at) if !reference.get(at..).is_some_and(|tail| tail.contains(['/', '}'])) => {
            reference.get(..at).unwrap_or(reference)
        }
        _ => reference,
    }
}
