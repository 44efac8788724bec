//! buildkite-plugins/docker-compose, versions 3 to 5 (facts §7.5), and the plugins that build one image by themselves.

use crate::builds::command::ScriptEnv;
use crate::builds::compose::{self, Request};
use crate::builds::yaml::Node;
use crate::builds::{
    Build, CacheSpec, ContextSource, Driver, Files, Front, Placed, Setting, Value, cachespec, join,
};
use crate::source::{Joined, Span};

/// Reads the plugins of a step.
pub(super) fn read(
    plugins: &Node<'_>,
    env: &ScriptEnv,
    files: Files<'_>,
    leg: &[(String, String)],
    out: &mut Vec<(Build, Option<String>)>,
) {
    let all = if plugins.is_map() {
        plugins.entries().iter().collect::<Vec<_>>()
    } else {
        plugins.items().iter().flat_map(|item| item.entries()).collect()
    };
    for entry in all {
        let Some(name) = entry.name() else { continue };
        let (path, version) = name.split_once('#').unwrap_or((name, ""));
        let short = path.trim_end_matches(".git").rsplit('/').next().unwrap_or(path);
        let short = short.trim_end_matches("-buildkite-plugin");
        let plugin = Plugin {
            config: &entry.value,
            env,
            files,
            leg,
            span: entry.span(),
            name: entry.key.span,
            version: version.trim_start_matches('v').to_owned(),
        };
        match short {
            "docker-compose" => plugin.compose(out),
            "docker-ecr-cache" => out.push((plugin.ecr_cache(), None)),
            _ => {}
        }
    }
}

/// A plugin with its configuration.
struct Plugin<'p, 'a, 'f> {
    config: &'p Node<'a>,
    env: &'p ScriptEnv,
    files: Files<'f>,
    leg: &'p [(String, String)],
    span: Span,
    /// The plugin's name with its version.
    name: Span,
    version: String,
}

impl Plugin<'_, '_, '_> {
    fn fill(&self, text: &Joined<'_>) -> Placed {
        let placed = Placed::joined(&super::interpolated(text, self.leg));
        let end = placed.text.trim_end().len();
        self.env.vars.expand(&placed.slice(0..end))
    }

    /// The texts of a setting that is one or a list.
    fn texts(&self, key: &str) -> Vec<Placed> {
        let Some(node) = self.config.get(key) else { return Vec::new() };
        match node.text() {
            Some(text) if !node.is_null() => vec![self.fill(text)],
            _ => node.items().iter().filter_map(|item| item.text()).map(|text| self.fill(text)).collect(),
        }
    }

    fn value(&self, key: &str) -> Option<Setting<Value>> {
        let text = self.texts(key).into_iter().next()?;
        Some(Setting::new(Value::of(text.text.as_str()), text.full_span()))
    }

    fn is_true(&self, key: &str) -> bool {
        self.config.get(key).and_then(|node| node.bool()) == Some(true)
    }

    /// The plugin's major version; the newest where it is not given.
    fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(5)
    }

    fn compose(&self, out: &mut Vec<(Build, Option<String>)>) {
        let build = self.texts("build");
        let run = self.texts("run");
        let services: Vec<Placed> = if build.is_empty() { run } else { build };
        let only_run = self.config.get("build").is_none();
        let mut configs: Vec<String> = self
            .texts("config")
            .iter()
            .flat_map(|text| text.text.split(':').map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|path| join("", &path))
            .collect();
        if configs.is_empty() {
            configs = compose::default_files("", self.files);
        }
        for service in services {
            if service.text == "all" || service.text.is_empty() {
                continue;
            }
            let mut starter = self.env.build(self.span, Front::BuildkitePlugin);
            starter.name.push(service.text.clone());
            self.settings(&mut starter, &service.text);
            let request = Request {
                files: configs.clone(),
                services: vec![service.text.clone()],
                vars: self.env.vars.clone(),
                ..Request::default()
            };
            let made = compose::builds(&request, self.files).unwrap_or_default().into_iter().next();
            let prebuilt = only_run.then(|| service.text.clone());
            match made {
                Some(made) => {
                    starter.name.pop();
                    let mut build = made.started_by(&starter);
                    build.tags.append(&mut starter.tags);
                    out.push((build, prebuilt));
                }
                // A service that is only run may have no build at all.
                None if only_run => {}
                None => {
                    starter.context =
                        Setting::new(ContextSource::Unknown(String::new()), service.full_span());
                    out.push((starter, None));
                }
            }
        }
    }

    /// What the plugin's own settings say.
    fn settings(&self, build: &mut Build, service: &str) {
        let major = self.major();
        build.target = self.value("target");
        build.no_cache = self.value("no-cache");
        build.args = self
            .texts("args")
            .into_iter()
            .map(|text| {
                let span = text.full_span();
                match text.text.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Setting::new(Value::of(value), span)),
                    None => (text.text.clone(), Setting::new(Value::of(format!("${{{}}}", text.text)), span)),
                }
            })
            .collect();
        self.images(build, service, major);
        if self.is_true("no-cache") {
            // The plugin leaves the imports out.
        } else if major >= 5 {
            build.cache_from = self.specs("cache-from", service);
            build.cache_to = self.specs("cache-to", service);
        } else {
            self.pulled(build, service);
        }
        if self.is_true("buildkit-inline-cache")
            && let Some(span) = self.config.entry("buildkit-inline-cache").map(|entry| entry.value.span)
        {
            let kind = Setting::new(Value::Known("inline".into()), span);
            build.cache_to.push(Setting::new(CacheSpec { kind, attrs: Vec::new(), bare: false }, span));
        }
        if major >= 5 && !self.is_true("skip-pull") {
            build.pull = Some(Setting::new(Value::Known("true".into()), self.span));
        }
        self.builder(build, major);
    }

    /// `service:SPEC`, split at the first colon (version 5).
    fn specs(&self, key: &str, service: &str) -> Vec<Setting<CacheSpec>> {
        let mut all = Vec::new();
        for text in self.texts(key) {
            if let Some(rest) = text.text.strip_prefix(service).and_then(|rest| rest.strip_prefix(':')) {
                let spec = text.slice(text.text.len() - rest.len()..text.text.len());
                all.extend(cachespec::parse(&spec, &self.env.vars).specs);
            }
        }
        all
    }

    /// `service:image[:tag[:group]]`: pulled before the build, the first of each group that is there (versions 3 and 4).
    fn pulled(&self, build: &mut Build, service: &str) {
        let separator = self.value("separator-cache-from");
        let separator = separator.as_ref().and_then(|value| value.value.known()).unwrap_or(":").to_owned();
        for text in self.texts("cache-from") {
            let Some(rest) =
                text.text.strip_prefix(service).and_then(|rest| rest.strip_prefix(separator.as_str()))
            else {
                continue;
            };
            let (image, length) = image_of(rest, &separator);
            let start = text.text.len() - rest.len();
            let span = text.slice(start..start + length).full_span();
            let image = Setting::new(Value::of(image), span);
            let kind = image.with(Value::Known("registry".into()));
            let spec = CacheSpec { kind, attrs: vec![("ref".into(), image.clone())], bare: true };
            build.cache_from.push(image.with(spec));
            build.pulled_before.push(image);
        }
    }

    /// The images that are pushed: `push`, or `image-repository` and `image-name` (up to version 4).
    fn images(&self, build: &mut Build, service: &str, major: u32) {
        for text in self.texts("push") {
            let Some(rest) = text.text.strip_prefix(service) else { continue };
            if rest.is_empty() {
                build.push = Some(Setting::new(Value::Known("true".into()), text.full_span()));
            } else if let Some(image) = rest.strip_prefix(':') {
                let place = text.slice(text.text.len() - image.len()..text.text.len());
                build.tags.push(Setting::new(Value::of(image), place.full_span()));
                build.push = Some(Setting::new(Value::Known("true".into()), text.full_span()));
            }
        }
        if major >= 5 {
            return;
        }
        let Some(repository) = self.value("image-repository") else { return };
        let names = self.texts("image-name");
        build.push = Some(repository.with(Value::Known("true".into())));
        if names.is_empty() {
            // The plugin's own name holds the number of the build.
            let name = format!(
                "{}:$BUILDKITE_PIPELINE_SLUG-{service}-build-$BUILDKITE_BUILD_NUMBER",
                repository.value.text()
            );
            build.tags.push(repository.with(Value::of(name)));
        }
        for name in names {
            let text = format!("{}:{}", repository.value.text(), name.text);
            build.tags.push(Setting::new(Value::of(text), name.full_span()));
        }
    }

    /// The builder: created by the plugin, and used only with `use: true`.
    fn builder(&self, build: &mut Build, major: u32) {
        let version = Setting::new(self.version.clone(), self.name);
        if !self.version.is_empty() {
            build.builder.versions.push(("docker-compose-buildkite-plugin".to_owned(), version));
        }
        let buildkit = self.config.get("buildkit").and_then(|node| node.bool());
        let off = match buildkit {
            Some(on) => !on,
            None => major < 4 || (major == 4 && buildkit.is_none()),
        };
        let variable = self.env.vars.get("DOCKER_BUILDKIT").map(|var| var.text.text.clone());
        if off && variable.as_deref() != Some("1") && buildkit == Some(false) {
            build.builder.legacy = self.config.entry("buildkit").map(|entry| entry.value.span);
            build.builder.driver = Driver::None;
        }
        let Some(config) = self.config.get("builder") else { return };
        if config.get("use").and_then(|node| node.bool()) != Some(true) {
            return;
        }
        let driver = config.get("driver").and_then(|node| node.str());
        build.builder.driver = match driver {
            Some(driver) => crate::builds::command::driver_of(driver),
            None => Driver::DockerContainer,
        };
        build.builder.set_by = Some(config.span);
        let kept = config.get("keep-state").and_then(|node| node.bool()) == Some(true);
        build.builder.persistent = match build.builder.driver {
            // The plugin removes what it has created, unless it is told to keep it.
            Driver::DockerContainer
                if config.get("remove").and_then(|node| node.bool()) == Some(true) && !kept =>
            {
                Some(false)
            }
            Driver::Remote => None,
            _ => build.builder.persistent,
        };
        if let Some(option) = config.get("driver-opt").and_then(|node| node.str())
            && let Some(image) = option.split(',').find_map(|part| part.trim().strip_prefix("image="))
            && let Some(version) = crate::builds::command::buildkit_version(image)
        {
            let span = config.get("driver-opt").map_or(config.span, |node| node.span);
            build.builder.versions.push(("buildkit".into(), Setting::new(version.to_owned(), span)));
        }
    }

    /// seek-oss/docker-ecr-cache: builds a Dockerfile (its only cache is the image, found by a hash of files).
    fn ecr_cache(&self) -> Build {
        let mut build = self.env.build(self.span, Front::Other);
        let context = self.texts("context").into_iter().next();
        let span = context.as_ref().map_or(self.span, Placed::full_span);
        let directory = join("", context.as_ref().map_or(".", |text| text.text.as_str()));
        let file = self.texts("dockerfile").into_iter().next();
        let path = match &file {
            Some(file) => join("", &file.text),
            None => directory.as_deref().and_then(|base| join(base, "Dockerfile")),
        };
        let known = |text: &String| matches!(Value::of(text.as_str()), Value::Known(_));
        build.dockerfile =
            path.filter(known).map(|path| Setting::new(path, file.as_ref().map_or(span, Placed::full_span)));
        build.context = Setting::new(
            directory
                .filter(known)
                .map_or_else(|| ContextSource::Unknown(String::new()), ContextSource::Path),
            span,
        );
        build.target = self.value("target");
        build
    }
}

/// The image in `image[:tag[:group]]` and the bytes that it takes. A port's colon has a slash behind it.
fn image_of(rest: &str, separator: &str) -> (String, usize) {
    if separator != ":" {
        let mut parts = rest.split(separator);
        let image = parts.next().unwrap_or("");
        let image = parts.next().map_or_else(|| image.to_owned(), |tag| format!("{image}:{tag}"));
        return (image, rest.len());
    }
    let name = rest.rfind('/').map_or(0, |at| at + 1);
    let mut colons = rest.char_indices().skip_while(|(at, _)| *at < name).filter(|(_, ch)| *ch == ':');
    let end = colons.nth(1).map_or(rest.len(), |(at, _)| at);
    (rest.get(..end).unwrap_or(rest).to_owned(), end)
}

/// Drops services that are only run where another step builds them.
pub(super) fn without_prebuilt(builds: &mut Vec<(Build, Option<String>)>) {
    let built: Vec<String> = builds
        .iter()
        .filter(|(build, run)| run.is_none() && build.front == Front::BuildkitePlugin)
        .filter_map(|(build, _)| build.name.last().cloned())
        .collect();
    builds.retain(|(_, run)| run.as_ref().is_none_or(|service| !built.contains(service)));
}
