//! `docker run` of an image that builds images: BuildKit, kaniko, the Docker command line itself.

use super::{Arg, Call, Runner, flags};
use crate::builds::{Placed, Setting};

impl Runner<'_, '_> {
    pub(super) fn docker_run(&mut self, call: &Call<'_>, args: &[Arg], depth: u32) {
        if depth > 2 {
            return;
        }
        let parsed = flags::RUN.parse(args, true);
        let Some((image, rest)) = parsed.positional.split_first() else { return };
        let name = image.text.text.as_str();
        let entrypoint = parsed.value("entrypoint");
        let program = match entrypoint {
            Some(entrypoint) if !entrypoint.text.text.is_empty() => Some(entrypoint.clone()),
            _ if name.contains("kaniko") => Some(word("/kaniko/executor", image)),
            _ => None,
        };
        let argv: Vec<Arg> = program.into_iter().chain(rest.iter().cloned()).collect();
        let builds = argv.first().is_some_and(|first| {
            let first = first.text.text.rsplit('/').next().unwrap_or("");
            matches!(
                first,
                "buildctl" | "buildctl-daemonless.sh" | "executor" | "docker" | "buildah" | "podman"
            )
        });
        if !builds {
            return;
        }
        let mut mounts = Vec::new();
        for given in parsed.options.iter().filter(|given| matches!(given.name.as_str(), "volume" | "mount")) {
            let Some(value) = &given.value else { continue };
            if let Some((source, target)) = mount(&value.text.text)
                && let Some(path) = self.path(source, call.cwd.as_deref(), &[])
            {
                mounts.push((target.to_owned(), path));
            }
        }
        let workdir = parsed.value("workdir").map(|arg| arg.text.text.clone());
        let cwd = workdir.and_then(|directory| self.path(&directory, None, &mounts));
        let inner =
            Call { span: call.span, command: call.command, argv, cwd, mounts, input: call.input.clone() };
        let before = self.out.len();
        let version = super::builder::buildkit_version(name).map(str::to_owned);
        self.dispatch(&inner, depth + 1);
        if let Some(version) = version {
            for build in self.out.iter_mut().skip(before) {
                let version = Setting::new(version.clone(), image.text.full_span());
                build.builder.versions.retain(|(component, _)| component != "buildkit");
                build.builder.versions.push(("buildkit".to_owned(), version));
            }
        }
    }
}

fn word(text: &str, at: &Arg) -> Arg {
    Arg { text: Placed::whole(text, at.text.full_span()), literal: true, conditional: false }
}

/// `-v source:target[:options]`, `--mount type=bind,source=…,target=…`.
fn mount(text: &str) -> Option<(&str, &str)> {
    if text.contains("target=") || text.contains("dst=") || text.contains("destination=") {
        let value = |names: &[&str]| {
            text.split(',').find_map(|part| {
                let (key, value) = part.split_once('=')?;
                names.contains(&key).then_some(value)
            })
        };
        return Some((value(&["source", "src"])?, value(&["target", "dst", "destination"])?));
    }
    // Colons inside `${X:-y}` do not separate.
    let mut at = 0;
    for piece in crate::builds::value::pieces(text) {
        if let crate::builds::value::Piece::Text(plain) = piece
            && let Some(found) = plain.find(':')
        {
            let source = text.get(..at + found)?;
            let target = text.get(at + found + 1..)?;
            return Some((source, target.split(':').next().unwrap_or(target)));
        }
        at += piece.raw().len();
    }
    None
}
