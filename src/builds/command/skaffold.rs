//! `skaffold build`, `run`, `dev`, `debug`: the artifacts of its file.

use super::flags::Flags;
use super::{Base, Call, Runner, resolve};
use crate::builds::{Arg, Build, ContextSource, Driver, Front, Setting, join, skaffold};

/// What of skaffold's options has a value (skaffold.dev, "CLI references").
const SKAFFOLD: Flags = Flags {
    valued: &[
        "filename/f",
        "profile/p",
        "default-repo/d",
        "tag/t",
        "namespace/n",
        "build-image/b",
        "module/m",
        "kube-context",
        "kubeconfig",
        "label/l",
        "output/o",
        "file-output",
        "platform",
        "cache-file",
        "verbosity/v",
        "config/c",
        "port-forward",
        "status-check",
    ],
    bools: &[
        "cache-artifacts",
        "push",
        "quiet/q",
        "dry-run",
        "tail",
        "force",
        "cleanup",
        "skip-tests",
        "help/h",
    ],
    greedy: true,
    single_dash: false,
};

impl Runner<'_, '_> {
    pub(super) fn skaffold(&mut self, call: &Call<'_>, args: &[Arg]) {
        let parsed = SKAFFOLD.parse(args, false);
        let command = parsed.positional.first().map_or("", |arg| arg.text.text.as_str());
        if !matches!(command, "build" | "run" | "dev" | "debug") || parsed.last("dry-run").is_some() {
            return;
        }
        let base = Base { cwd: call.cwd.as_deref(), here: self.env.here() };
        let named = parsed.value("filename");
        let path = match named {
            Some(file) => resolve(&file.text.text, base),
            None => call.cwd.as_deref().and_then(|cwd| {
                let there = |name| join(cwd, name).filter(|path| (self.files)(path).is_some());
                there("skaffold.yaml").or_else(|| there("skaffold.yml"))
            }),
        };
        let profiles: Vec<&str> = parsed
            .all("profile")
            .filter_map(|given| given.value.as_ref())
            .flat_map(|value| value.text.text.split(','))
            .collect();
        let text = path.as_deref().and_then(|path| (self.files)(path));
        let found = match (&path, text) {
            (Some(path), Some(text)) => {
                skaffold::started(path, text, &profiles, self.files).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let starter = self.env.build(call.span, Front::Skaffold);
        if found.is_empty() {
            // Its file may say that nothing is built from a Dockerfile.
            if text.is_none() {
                let context = Setting::new(ContextSource::Unknown(String::new()), call.span);
                self.out.push(Build { context, ..starter });
            }
            return;
        }
        self.out.extend(found.into_iter().map(|build| {
            let mut own = starter.clone();
            own.front = build.front;
            if build.builder.driver == Driver::None {
                own.builder = build.builder.clone();
            }
            build.started_by(&own)
        }));
    }
}
