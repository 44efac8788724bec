//! `docker build`, `docker image build`, `docker buildx build`.

use super::{Arg, Base, Call, Input, Runner, defaulted, go_true, resolve, setting, switch, without_buildkit};
use crate::builds::value::{Piece, pieces};
use crate::builds::{
    Build, CacheSpec, ContextSource, Driver, Front, Setting, Value, Volatility, cachespec, join,
    name_volatility,
};
use crate::source::Span;

impl Runner<'_, '_> {
    /// Appends the build that the arguments after `build` start.
    pub(super) fn build(&mut self, call: &Call<'_>, args: &[Arg], front: Front, builder: Option<Arg>) {
        let parsed = super::BUILD.parse(args, false);
        // A check or an outline builds nothing.
        let calls = parsed.value("call").is_some_and(|call| call.text.text != "build");
        if calls || parsed.last("check").is_some_and(super::flags::Given::on) {
            return;
        }
        if parsed.last("help").is_some() || (parsed.positional.is_empty() && parsed.options.is_empty()) {
            return;
        }
        let mut build = self.env.build(call.span, front);
        let named = parsed.value("builder").cloned().or(builder);
        if front == Front::DockerBuild && !self.env.alias && build.builder.set_by.is_some() {
            build.builder = self.engine_builder();
        }
        self.choose_builder(&mut build, call, named.as_ref());
        self.buildkit_switch(&mut build, call);
        self.common(&mut build, &parsed);
        build.push = switch(&parsed, "push");
        build.load = switch(&parsed, "load");
        build.pull = switch(&parsed, "pull");
        self.outputs(&mut build, &parsed);
        // There is one; a variable that is nothing else beside it holds options.
        let whole = |arg: &&Arg| {
            let mut pieces = pieces(&arg.text.text);
            matches!(pieces.next(), Some(piece) if !matches!(piece, Piece::Text(_)))
                && pieces.next().is_none()
        };
        let context = parsed.positional.iter().rev().find(|arg| !whole(arg)).or(parsed.positional.last());
        self.place(&mut build, call, context, parsed.value("file"), &["Dockerfile", "dockerfile"]);
        self.out.push(build);
    }

    /// Options that all front ends of this family share.
    pub(super) fn common(&self, build: &mut Build, parsed: &super::Parsed) {
        for given in &parsed.options {
            let Some(value) = &given.value else { continue };
            match given.name.as_str() {
                "build-arg" => self.build_arg(build, value),
                "cache-from" => {
                    build.cache_from.extend(cachespec::parse_arg(value).specs);
                }
                "cache-to" => {
                    let specs = cachespec::parse_arg(value);
                    build.conditional_export |= specs.conditional || given.conditional;
                    build.cache_to.extend(specs.specs);
                }
                "tag" => build.tags.push(setting(value)),
                "platform" => build.platforms.extend(list(value)),
                "no-cache-filter" => build.no_cache_filter.extend(list(value)),
                "build-context" => {
                    let text = &value.text;
                    let Some(at) = text.text.find('=') else { continue };
                    let place = text.slice(at + 1..text.text.len());
                    let name = text.text.get(..at).unwrap_or("").to_owned();
                    let source = self.context(&place.text, self.env.cwd.as_deref(), &[]);
                    build.contexts.push((name, Setting::new(source, text.full_span())));
                }
                _ => {}
            }
        }
        build.target = parsed.value("target").map(defaulted);
        build.no_cache = switch(parsed, "no-cache");
    }

    /// `NAME=value` or `NAME`, which takes the value of the environment.
    pub(super) fn build_arg(&self, build: &mut Build, arg: &Arg) {
        let text = &arg.text;
        let span = text.full_span();
        let (name, value) = match text.text.find('=') {
            Some(at) => {
                let value = text.slice(at + 1..text.text.len());
                let value = if arg.literal { Value::Known(value.text) } else { Value::of(value.text) };
                let value = super::sometimes(
                    value,
                    arg.conditional && !text.text.starts_with("BUILDKIT_INLINE_CACHE="),
                );
                (text.text.get(..at).unwrap_or("").to_owned(), value)
            }
            None => (text.text.clone(), self.environment(&text.text)),
        };
        if name == "BUILDKIT_INLINE_CACHE" && value.known().is_some_and(go_true) {
            // bx:build/opt.go:261-269
            let kind = Setting::new(Value::Known("inline".to_owned()), span);
            build.cache_to.push(Setting::new(CacheSpec { kind, attrs: Vec::new(), bare: false }, span));
            build.conditional_export |= arg.conditional;
        }
        build.args.push((name, Setting::new(value, span)));
    }

    /// The value that the environment gives a name.
    pub(super) fn environment(&self, name: &str) -> Value {
        match self.env.vars.get(name) {
            Some(var) if !var.conditional => Value::of(var.text.text.as_str()),
            _ => Value::Symbolic {
                text: format!("${name}"),
                volatility: name_volatility(name).max(Volatility::Unknown),
            },
        }
    }

    fn outputs(&self, build: &mut Build, parsed: &super::Parsed) {
        for value in parsed.all("output").filter_map(|given| given.value.as_ref()) {
            let Some(output) = cachespec::parse_output(value) else { continue };
            pushed_by(build, &output);
            build.outputs.push(output);
        }
    }

    /// Context and Dockerfile. `names` are the Dockerfile's default names in a context, the first that exists counting.
    pub(super) fn place(
        &self,
        build: &mut Build,
        call: &Call<'_>,
        context: Option<&Arg>,
        file: Option<&Arg>,
        names: &[&str],
    ) {
        let span = context.map_or(call.span, |arg| arg.text.full_span());
        let text = context.map(defaulted);
        let text = text.as_ref().map_or("", |text| text.value.text());
        let stdin = text == "-";
        if file.is_some_and(|file| file.text.text == "-") || (stdin && file.is_none()) {
            self.dockerfile_from_input(build, call);
        }
        let bases = std::iter::once(call.cwd.as_deref()).chain(
            // Where the script may be started from elsewhere, the first base from which the Dockerfile is there counts.
            self.env
                .cwd_guesses
                .iter()
                .filter(|_| call.cwd == self.env.cwd)
                .map(|guess| Some(guess.as_str())),
        );
        let mut first = None;
        for base in bases {
            let source = if stdin {
                ContextSource::Unknown("-".to_owned())
            } else {
                self.context(text, base, &call.mounts)
            };
            let dockerfile = match file {
                Some(file) if file.text.text == "-" => None,
                Some(file) => {
                    let path = defaulted(file);
                    let resolved = self.path(path.value.text(), base, &call.mounts);
                    resolved.map(|path| Setting::new(path, file.text.full_span()))
                }
                None => self.default_dockerfile(&source, names).map(|path| Setting::new(path, span)),
            };
            let exists = dockerfile.as_ref().is_some_and(|path| (self.files)(&path.value).is_some());
            if exists || first.is_none() {
                first = Some((source, dockerfile));
            }
            if exists {
                break;
            }
        }
        if let Some((source, dockerfile)) = first {
            build.context = Setting::new(source, span);
            if build.dockerfile.is_none() && build.dockerfile_inline.is_none() {
                build.dockerfile = dockerfile;
            }
        }
    }

    fn dockerfile_from_input(&self, build: &mut Build, call: &Call<'_>) {
        match &call.input {
            Some(Input::Text(text)) => build.dockerfile_inline = Some(text.clone()),
            Some(Input::File(file)) => {
                let path = defaulted(file);
                let path = self.path(path.value.text(), call.cwd.as_deref(), &call.mounts);
                build.dockerfile = path.map(|path| Setting::new(path, file.text.full_span()));
            }
            Some(Input::Pipe) | None => {}
        }
    }

    /// The Dockerfile in a context of this project when none is named.
    pub(super) fn default_dockerfile(&self, context: &ContextSource, names: &[&str]) -> Option<String> {
        let directory = match context {
            ContextSource::Path(path) => path.as_str(),
            ContextSource::Git { own: true, subdir } => subdir.as_str(),
            _ => return None,
        };
        let mut paths = names.iter().filter_map(|name| join(directory, name));
        let first = paths.next()?;
        if (self.files)(&first).is_some() {
            return Some(first);
        }
        Some(paths.find(|path| (self.files)(path).is_some()).unwrap_or(first))
    }

    /// A path of the command line, relative to the project's root.
    pub(super) fn path(&self, text: &str, cwd: Option<&str>, mounts: &[(String, String)]) -> Option<String> {
        if text.starts_with('/') {
            return mounted(text, mounts);
        }
        resolve(text, Base { cwd, here: self.env.here() })
    }

    /// What a context argument names.
    pub(super) fn context(
        &self,
        text: &str,
        cwd: Option<&str>,
        mounts: &[(String, String)],
    ) -> ContextSource {
        context_source(text, |path| self.path(path, cwd, mounts))
    }

    /// Whether BuildKit is switched off for a `docker build`.
    pub(super) fn buildkit_switch(&self, build: &mut Build, call: &Call<'_>) {
        if build.front == Front::Buildx {
            return;
        }
        let own = call.command.env.iter().rev().find(|assignment| assignment.name == "DOCKER_BUILDKIT");
        let (value, span) = match own {
            Some(own) => (own.value.text.to_string(), own.value.span),
            None => match self.env.vars.get("DOCKER_BUILDKIT") {
                Some(var) if !var.conditional => {
                    let span = if var.foreign { call.span } else { var.text.full_span() };
                    (var.text.text.clone(), span)
                }
                _ => return,
            },
        };
        if matches!(value.as_str(), "0" | "false") {
            without_buildkit(&mut build.builder, span);
        } else if build.builder.driver == Driver::None {
            build.builder.driver = Driver::Unknown;
            build.builder.legacy = None;
        }
    }
}

/// Applies options of `docker build` that stand in another file (`cliFlags` of skaffold, `options` of a dev container).
pub(crate) fn with_options(build: &mut Build, args: &[Arg]) {
    let parsed = super::BUILD.parse(args, false);
    for given in &parsed.options {
        let Some(value) = &given.value else { continue };
        match given.name.as_str() {
            "cache-from" => build.cache_from.extend(cachespec::parse_arg(value).specs),
            "cache-to" => build.cache_to.extend(cachespec::parse_arg(value).specs),
            "platform" => build.platforms.extend(list(value)),
            "target" => build.target = Some(defaulted(value)),
            "no-cache-filter" => build.no_cache_filter.extend(list(value)),
            "tag" => build.tags.push(setting(value)),
            "output" => {
                if let Some(output) = cachespec::parse_output(value) {
                    pushed_by(build, &output);
                    build.outputs.push(output);
                }
            }
            _ => {}
        }
    }
    let flag = |name: &str, old: Option<Setting<Value>>| switch(&parsed, name).or(old);
    build.no_cache = flag("no-cache", build.no_cache.take());
    build.pull = flag("pull", build.pull.take());
    build.push = flag("push", build.push.take());
    build.load = flag("load", build.load.take());
}

/// What an output says of push and load.
pub(crate) fn pushed_by(build: &mut Build, output: &Setting<CacheSpec>) {
    let known = |flag: bool| Value::Known(flag.to_string());
    let kind = output.value.kind();
    let push = output.value.attr("push");
    match (kind, push) {
        (Some("registry"), _) => build.push = Some(output.with(known(true))),
        (Some("image"), Some(push)) => {
            let value = match push.value.known() {
                Some(text) => known(go_true(text) || text.is_empty()),
                None => push.value.clone(),
            };
            build.push = Some(push.with(value));
        }
        (Some("docker"), _) if output.value.attr("dest").is_none() => {
            build.load = Some(output.with(known(true)));
        }
        _ => {}
    }
    let by_digest = output.value.attr("push-by-digest").and_then(|value| value.value.known()) == Some("true");
    if by_digest {
        return;
    }
    if let Some(name) =
        output.value.attr("name").filter(|_| matches!(kind, Some("image" | "docker" | "registry")))
    {
        build.tags.push(name.clone());
    }
}

/// The comma-separated values of an option.
pub(super) fn list(arg: &Arg) -> Vec<Setting<Value>> {
    if !arg.text.text.contains(',') {
        return vec![setting(arg)];
    }
    let parts = arg.text.split(|ch| ch == ',');
    parts.map(|part| Setting::new(Value::of(part.text.as_str()), part.full_span())).collect()
}

/// A directory inside a container as one of the project.
fn mounted(path: &str, mounts: &[(String, String)]) -> Option<String> {
    let inside = |target: &str| {
        let rest = path.strip_prefix(target.trim_end_matches('/'))?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    };
    let (target, source) = mounts
        .iter()
        .filter(|(target, _)| inside(target).is_some())
        .max_by_key(|(target, _)| target.len())?;
    join(source, inside(target)?.trim_start_matches('/'))
}

/// What a context value names: `text` of a command line, a bake or Compose file. `path` resolves directories.
pub(crate) fn context_source(text: &str, path: impl Fn(&str) -> Option<String>) -> ContextSource {
    if let Some(image) = text.strip_prefix("docker-image://") {
        return ContextSource::Image(image.to_owned());
    }
    if let Some(target) = text.strip_prefix("target:") {
        return ContextSource::Target(target.to_owned());
    }
    if let Some(git) = git(text) {
        return git;
    }
    if text.contains("://") {
        return ContextSource::Unknown(text.to_owned());
    }
    match path(text) {
        Some(path) => ContextSource::Path(path),
        None => ContextSource::Unknown(text.to_owned()),
    }
}

/// A git context: `https://….git#ref:dir`, `git@host:…`, `github.com/owner/name`, `{{defaultContext}}`.
pub(crate) fn git(text: &str) -> Option<ContextSource> {
    if let Some(rest) = text.strip_prefix("{{defaultContext}}") {
        let subdir = rest.strip_prefix(':').unwrap_or("").trim_matches('/').to_owned();
        return Some(ContextSource::Git { own: true, subdir });
    }
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    let bare = url.split_once('?').map_or(url, |(bare, _)| bare);
    let hosted = bare.starts_with("http://") || bare.starts_with("https://");
    let own =
        ["github.repository", "GITHUB_REPOSITORY", "CI_REPOSITORY_URL", "CI_PROJECT_URL", "CI_PROJECT_PATH"]
            .iter()
            .any(|name| url.contains(name));
    let is_git = bare.starts_with("git://")
        || bare.starts_with("git@")
        || bare.starts_with("ssh://")
        || bare.starts_with("github.com/")
        || (hosted && (bare.ends_with(".git") || !fragment.is_empty() || own));
    if !is_git {
        return None;
    }
    let subdir = fragment.split_once(':').map_or("", |(_, subdir)| subdir).trim_matches('/').to_owned();
    Some(ContextSource::Git { own, subdir })
}

/// Marks a build as pushed by the command at `span`.
pub(super) fn mark_pushed(build: &mut Build, span: Span) {
    build.push = Some(Setting::new(Value::Known("true".to_owned()), span));
}
