//! The kaniko executor (facts §7.6). Its cache is one image per step in a repository: the import and the export are given
//! the kind `kaniko` with the repository as `ref`, so that nothing takes them for a BuildKit cache.

use super::{Arg, Call, Runner, defaulted, flags, setting};
use crate::builds::{Builder, CacheSpec, ContextSource, Driver, Front, Setting, Value};

impl Runner<'_, '_> {
    pub(super) fn kaniko(&mut self, call: &Call<'_>, args: &[Arg]) {
        let parsed = flags::KANIKO.parse(args, false);
        if parsed.options.is_empty() || parsed.last("help").is_some() {
            return;
        }
        let mut build = self.env.build(call.span, Front::Kaniko);
        build.builder = Builder { driver: Driver::None, persistent: Some(false), ..Builder::default() };
        for given in &parsed.options {
            let Some(value) = &given.value else { continue };
            match given.name.as_str() {
                "build-arg" => self.build_arg(&mut build, value),
                "destination" => build.tags.push(setting(value)),
                "custom-platform" | "customPlatform" => build.platforms.push(setting(value)),
                _ => {}
            }
        }
        // It has no inline cache.
        build.cache_to.clear();
        build.target = parsed.value("target").map(defaulted);
        let no_push = parsed.last("no-push");
        build.push = Some(match no_push {
            Some(given) if given.on() => Setting::new(Value::Known("false".to_owned()), given.span),
            _ => Setting::new(Value::Known("true".to_owned()), call.span),
        });
        if let Some(cache) = parsed.last("cache").filter(|given| given.on()) {
            let kind = Setting::new(Value::Known("kaniko".to_owned()), cache.span);
            let mut attrs = Vec::new();
            for (option, key) in [
                ("cache-repo", "ref"),
                ("cache-ttl", "cache-ttl"),
                ("cache-copy-layers", "cache-copy-layers"),
                ("cache-run-layers", "cache-run-layers"),
            ] {
                if let Some(given) = parsed.last(option) {
                    let value = given.value.as_ref().map_or(Value::Known("true".to_owned()), Arg::value);
                    attrs.push((key.to_owned(), Setting::new(value, given.span)));
                }
            }
            let spec = Setting::new(CacheSpec { kind, attrs, bare: false }, cache.span);
            if parsed.last("no-push-cache").is_none_or(|given| !given.on()) {
                build.cache_to.push(spec.clone());
            }
            build.cache_from.push(spec);
        }
        self.kaniko_place(&mut build, call, &parsed);
        self.out.push(build);
    }

    fn kaniko_place(&self, build: &mut crate::builds::Build, call: &Call<'_>, parsed: &super::Parsed) {
        let span = parsed.last("context").map_or(call.span, |given| given.span);
        let text = parsed.value("context").map(|arg| defaulted(arg).value.text().to_owned());
        let text = text.unwrap_or_else(|| "/workspace".to_owned());
        let text = text.strip_prefix("dir://").unwrap_or(&text);
        let mut source = match text {
            "/workspace" | "/workspace/" if call.mounts.is_empty() => match &self.env.cwd {
                Some(cwd) => ContextSource::Path(cwd.clone()),
                None => ContextSource::Unknown(text.to_owned()),
            },
            text => self.context(text, call.cwd.as_deref(), &call.mounts),
        };
        let sub = parsed.value("context-sub-path").map(|sub| defaulted(sub).value.text().to_owned());
        if let (ContextSource::Path(path), Some(sub)) = (&mut source, sub) {
            match crate::builds::join(path, &sub) {
                Some(joined) => *path = joined,
                None => source = ContextSource::Unknown(sub),
            }
        }
        let file = parsed.value("dockerfile");
        build.dockerfile = match file {
            None => self.default_dockerfile(&source, &["Dockerfile"]).map(|path| Setting::new(path, span)),
            Some(file) => {
                let text = defaulted(file);
                let text = text.value.text();
                let workspace = text.strip_prefix("/workspace/").filter(|_| call.mounts.is_empty());
                // Where the path is there as it is, it counts; otherwise it is one of the context.
                let direct = match workspace {
                    Some(inside) => self.env.cwd.as_deref().and_then(|cwd| crate::builds::join(cwd, inside)),
                    None => self.path(text, call.cwd.as_deref(), &call.mounts),
                };
                let inside = match &source {
                    ContextSource::Path(path) => crate::builds::join(path, text),
                    _ => None,
                };
                let there = |path: &String| (self.files)(path).is_some();
                let relative = !text.starts_with(['/', '$', '`']);
                let chosen = match (direct, inside.filter(|_| relative)) {
                    (Some(direct), Some(inside)) if !there(&direct) && there(&inside) => Some(inside),
                    (Some(direct), _) => Some(direct),
                    (None, inside) => inside,
                };
                chosen.map(|path| Setting::new(path, file.text.full_span()))
            }
        };
        build.context = Setting::new(source, span);
    }
}
