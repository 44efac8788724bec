//! Builds that run on somebody else's machines: `az acr build`, `gcloud builds submit --tag`, `depot build`.

use super::flags::Flags;
use super::{Arg, Call, Runner, flags, setting};
use crate::builds::{Build, Builder, Driver, Front, Setting, Value};
use crate::source::Span;

/// `az acr build` (learn.microsoft.com, "az acr build").
const ACR: Flags = Flags {
    valued: &[
        "registry/r",
        "image/t",
        "file/f",
        "build-arg",
        "secret-build-arg",
        "target",
        "platform",
        "agent-pool",
        "auth-mode",
        "log-template",
        "resource-group/g",
        "timeout",
        "subscription",
        "output/o",
        "query",
    ],
    bools: &["no-push", "no-wait", "no-format", "no-logs", "debug", "verbose", "only-show-errors", "help/h"],
    greedy: false,
    single_dash: false,
};

/// `gcloud builds submit` (cloud.google.com, "gcloud builds submit").
const GCLOUD: Flags = Flags {
    valued: &[
        "tag/t",
        "config",
        "project",
        "region",
        "substitutions",
        "timeout",
        "machine-type",
        "gcs-log-dir",
        "gcs-source-staging-dir",
        "ignore-file",
        "disk-size",
        "service-account",
        "worker-pool",
        "format",
        "verbosity",
        "account",
        "pack",
        "git-source-dir",
        "git-source-revision",
        "impersonate-service-account",
    ],
    bools: &["async", "no-cache", "no-source", "quiet/q", "suppress-logs", "help/h"],
    greedy: false,
    single_dash: false,
};

impl Runner<'_, '_> {
    /// `az acr build … CONTEXT`
    pub(super) fn acr(&mut self, call: &Call<'_>, args: &[Arg]) {
        let parsed = ACR.parse(args, false);
        let mut build = self.elsewhere(call.span, Some(false));
        for given in &parsed.options {
            let Some(value) = &given.value else { continue };
            match given.name.as_str() {
                "image" => build.tags.push(setting(value)),
                "build-arg" => self.build_arg(&mut build, value),
                "platform" => build.platforms.push(setting(value)),
                "target" => build.target = Some(setting(value)),
                _ => {}
            }
        }
        // It has no inline cache to import.
        build.cache_to.clear();
        let pushed = parsed.last("no-push").is_none_or(|given| !given.on());
        build.push = Some(Setting::new(Value::Known(pushed.to_string()), call.span));
        self.place(&mut build, call, parsed.positional.last(), parsed.value("file"), &["Dockerfile"]);
        self.out.push(build);
    }

    /// `gcloud builds submit --tag IMAGE [DIRECTORY]`; with a configuration that file tells.
    pub(super) fn gcloud(&mut self, call: &Call<'_>, args: &[Arg]) {
        let parsed = GCLOUD.parse(args, false);
        let Some(tag) = parsed.value("tag") else { return };
        let mut build = self.elsewhere(call.span, Some(false));
        build.tags.push(setting(tag));
        build.push = Some(Setting::new(Value::Known("true".to_owned()), call.span));
        let here =
            Arg { text: crate::builds::Placed::whole(".", call.span), literal: true, conditional: false };
        let context = parsed.positional.last().unwrap_or(&here);
        self.place(&mut build, call, Some(context), None, &["Dockerfile"]);
        self.out.push(build);
    }

    /// `depot build` takes what `docker buildx build` takes.
    pub(super) fn depot(&mut self, call: &Call<'_>, args: &[Arg]) {
        let parsed = flags::BUILD.parse(args, false);
        if parsed.positional.is_empty() {
            return;
        }
        let before = self.out.len();
        self.build(call, args, Front::Other, None);
        for build in self.out.iter_mut().skip(before) {
            build.builder = Builder {
                driver: Driver::Remote,
                set_by: Some(call.span),
                persistent: Some(true),
                ..Builder::default()
            };
        }
    }

    fn elsewhere(&self, span: Span, persistent: Option<bool>) -> Build {
        let mut build = self.env.build(span, Front::Other);
        build.builder = Builder { driver: Driver::Unknown, persistent, ..Builder::default() };
        build
    }
}
