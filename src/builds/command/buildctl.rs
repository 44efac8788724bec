//! `buildctl build` and `buildctl-daemonless.sh build` (facts §7.1).

use super::docker::pushed_by;
use super::{Arg, Call, Runner, defaulted, flags, placed_value};
use crate::builds::{Builder, ContextSource, Driver, Front, Placed, Setting, Value, cachespec, join};

impl Runner<'_, '_> {
    pub(super) fn buildctl(&mut self, call: &Call<'_>, args: &[Arg], daemonless: bool) {
        let parsed = flags::BUILDCTL.parse(args, true);
        let Some((command, args)) = parsed.positional.split_first() else { return };
        if !matches!(command.text.text.as_str(), "build" | "b") {
            return;
        }
        let parsed = flags::BUILDCTL_BUILD.parse(args, false);
        if parsed.options.is_empty() {
            return;
        }
        let mut build = self.env.build(call.span, Front::Buildctl);
        build.builder = Builder {
            driver: Driver::Remote,
            // Its daemon lives as long as the command, unless its state is kept.
            persistent: daemonless
                .then(|| call.mounts.iter().any(|(target, _)| target.contains("/buildkit"))),
            versions: self.env.builder.versions.clone(),
            ..Builder::default()
        };
        let mut dockerfile_dir = None;
        let mut context = None;
        let mut filename = None;
        for given in &parsed.options {
            let Some(value) = &given.value else { continue };
            match given.name.as_str() {
                "local" => match pair(value) {
                    Some(("context", path)) => context = Some(path),
                    Some(("dockerfile", path)) => dockerfile_dir = Some(path),
                    _ => {}
                },
                "opt" | "frontend-opt" => match pair(value) {
                    Some(("filename", path)) => filename = Some(path),
                    Some(("target", target)) => build.target = Some(placed_value(&target)),
                    Some(("context", url)) => context = Some(url),
                    Some(("platform", list)) => build.platforms = super::docker::list(&arg(list, value)),
                    Some(("no-cache", stages)) if stages.text.is_empty() => {
                        build.no_cache = Some(Setting::new(Value::Known("true".to_owned()), given.span));
                    }
                    Some(("no-cache", stages)) => {
                        build.no_cache_filter = super::docker::list(&arg(stages, value));
                    }
                    Some((key, text)) if key.starts_with("build-arg:") => {
                        let name = key.trim_start_matches("build-arg:").to_owned();
                        // Under buildctl BUILDKIT_INLINE_CACHE does nothing (facts, remote caches).
                        build.args.push((name, Setting::new(Value::of(text.text), given.span)));
                    }
                    Some((key, text)) if key.starts_with("context:") => {
                        let name = key.trim_start_matches("context:").to_owned();
                        let source = self.context(&text.text, call.cwd.as_deref(), &call.mounts);
                        build.contexts.push((name, Setting::new(source, given.span)));
                    }
                    _ if value.text.text == "no-cache" => {
                        build.no_cache = Some(Setting::new(Value::Known("true".to_owned()), given.span));
                    }
                    _ => {}
                },
                "import-cache" => build.cache_from.extend(cachespec::parse_arg(value).specs),
                "export-cache" => {
                    let specs = cachespec::parse_arg(value);
                    build.conditional_export |= specs.conditional || given.conditional;
                    build.cache_to.extend(specs.specs);
                }
                "output" => {
                    if let Some(output) = cachespec::parse_output(value) {
                        pushed_by(&mut build, &output);
                        build.outputs.push(output);
                    }
                }
                _ => {}
            }
        }
        if parsed.last("no-cache").is_some_and(flags::Given::on) {
            let span = parsed.last("no-cache").map_or(call.span, |given| given.span);
            build.no_cache = Some(Setting::new(Value::Known("true".to_owned()), span));
        }
        let frontend = parsed.value("frontend").map(|name| name.text.text.clone());
        // Without a frontend it builds LLB from standard input.
        if frontend.is_none() && context.is_none() && dockerfile_dir.is_none() {
            return;
        }
        let resolve = |text: &Placed| {
            let text = defaulted(&Arg { text: text.clone(), literal: false, conditional: false });
            self.context(text.value.text(), call.cwd.as_deref(), &call.mounts)
        };
        if let Some(place) = &context {
            build.context = Setting::new(resolve(place), place.full_span());
        } else {
            build.context = Setting::new(ContextSource::Unknown(String::new()), call.span);
        }
        let directory = dockerfile_dir.as_ref().or(context.as_ref());
        if let Some(place) = directory {
            let base = match resolve(place) {
                ContextSource::Path(path) => Some(path),
                ContextSource::Git { own: true, subdir } => Some(subdir),
                _ => None,
            };
            let name = filename.as_ref().map_or("Dockerfile", |name| name.text.as_str());
            let span = filename.as_ref().unwrap_or(place).full_span();
            let path = base.filter(|_| !name.contains('$')).and_then(|base| join(&base, name));
            build.dockerfile = path.map(|path| Setting::new(path, span));
        }
        self.out.push(build);
    }
}

/// `key=value`.
fn pair(arg: &Arg) -> Option<(&str, Placed)> {
    let at = arg.text.text.find('=')?;
    let value = arg.text.slice(at + 1..arg.text.text.len());
    Some((arg.text.text.get(..at)?, value))
}

fn arg(text: Placed, whole: &Arg) -> Arg {
    Arg { text, literal: whole.literal, conditional: whole.conditional }
}
