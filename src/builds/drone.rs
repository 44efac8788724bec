//! Drone and Woodpecker: plugins that build images (`plugins/docker` and its kin) and commands.

use super::command::ScriptEnv;
use super::lines::{Scripts, as_is};
use super::yaml::{self, Node};
use super::{
    Build, CacheSpec, ContextSource, Driver, Files, Front, Placed, ReadError, Setting, System, Trigger,
    Value, Vars, Volatility, cachespec, join,
};
use crate::source::Span;

/// The builds of `.drone.yml`, `.woodpecker.yml` and files in `.woodpecker/`.
///
/// # Errors
/// Where the file is not YAML.
pub(super) fn read<'f>(
    system: System,
    path: &str,
    text: &'f str,
    files: Files<'f>,
) -> Result<Vec<Build>, ReadError> {
    let mut out = Vec::new();
    let documents = yaml::parse_all(text)?;
    for (index, document) in documents.iter().enumerate() {
        if document
            .get("kind")
            .is_some_and(|kind| !kind.str().is_some_and(|kind| kind.eq_ignore_ascii_case("pipeline")))
        {
            continue;
        }
        let name = document.get("name").and_then(|name| name.str()).unwrap_or("default");
        let pipeline = Pipeline { system, path, text, files, name, index, root: document };
        for leg in legs(document) {
            pipeline.read(&leg, &mut out);
        }
    }
    Ok(out)
}

/// The legs of Woodpecker's `matrix`.
fn legs(root: &Node<'_>) -> Vec<Vec<(String, String)>> {
    let Some(matrix) = root.get("matrix") else { return vec![Vec::new()] };
    let text = |node: &Node<'_>| node.str().map(str::to_owned);
    if let Some(include) = matrix.get("include") {
        let leg = |node: &Node<'_>| {
            let pair = |entry: &yaml::Entry<'_>| Some((entry.name()?.to_owned(), text(&entry.value)?));
            node.entries().iter().filter_map(pair).collect()
        };
        return include.items().iter().take(256).map(|node| leg(node)).collect();
    }
    let mut legs = vec![Vec::new()];
    for entry in matrix.entries() {
        let Some(name) = entry.name() else { continue };
        let mut next: Vec<Vec<(String, String)>> = Vec::new();
        for leg in &legs {
            for (value, _) in entry.value.strings() {
                if next.len() < 256 {
                    let mut leg: Vec<(String, String)> = leg.clone();
                    leg.push((name.to_owned(), value.to_owned()));
                    next.push(leg);
                }
            }
        }
        legs = next;
    }
    legs
}

struct Pipeline<'p, 'f> {
    system: System,
    path: &'p str,
    text: &'p str,
    files: Files<'f>,
    name: &'p str,
    index: usize,
    root: &'p Node<'f>,
}

impl Pipeline<'_, '_> {
    fn read(&self, leg: &[(String, String)], out: &mut Vec<Build>) {
        let steps = self.root.get("steps").or_else(|| self.root.get("pipeline"));
        let Some(steps) = steps else { return };
        let mut env = ScriptEnv::new(self.path, self.system);
        let values: Vec<&str> = leg.iter().map(|(_, value)| value.as_str()).collect();
        env.job = format!("{}#{}", self.path, self.name);
        if self.index > 0 && self.name == "default" {
            env.job = format!("{}{}", env.job, self.index + 1);
        }
        if !values.is_empty() {
            env.job = format!("{}({})", env.job, values.join(", "));
        }
        env.matrix = leg.to_vec();
        env.here = Some(String::new());
        env.engine.driver = Driver::Docker;
        if self.has_dind() {
            env.engine.persistent = Some(false);
        }
        env.builder = env.engine.clone();
        for (name, value) in leg {
            env.vars.set_foreign(name, value);
        }
        let outer = self.root.get("trigger").or_else(|| self.root.get("when"));
        let mut scripts = Scripts::new(self.text, env, self.files);
        let mut plugins = Vec::new();
        for (name, step) in named(steps) {
            let trigger = trigger(outer.map(|node| &**node), step.get("when").map(|node| &**node));
            self.step(name.unwrap_or("step"), step, trigger, &mut scripts, &mut plugins);
        }
        out.extend(plugins);
        out.extend(scripts.finish());
        out.sort_by_key(|build| build.span);
    }

    fn has_dind(&self) -> bool {
        let Some(services) = self.root.get("services") else { return false };
        named(services).iter().any(|(_, service)| {
            service.get("image").and_then(|image| image.str()).is_some_and(|image| image.contains("dind"))
        })
    }

    fn step(
        &self,
        name: &str,
        step: &Node<'_>,
        trigger: Trigger,
        scripts: &mut Scripts<'_, '_>,
        plugins: &mut Vec<Build>,
    ) {
        scripts.env.name = vec![self.name.to_owned(), name.to_owned()];
        scripts.env.trigger = trigger;
        let image = step.get("image").and_then(|image| image.str()).unwrap_or("");
        let outer = scripts.env.vars.clone();
        for entry in step.get("environment").map_or(&[][..], |environment| environment.entries()) {
            if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
                scripts.env.vars.set(name, &Placed::joined(text));
            }
        }
        match step.get("commands") {
            Some(commands) => {
                scripts.env.cwd = Some(
                    step.get("directory")
                        .and_then(|node| node.str())
                        .map_or(String::new(), |text| join("", text).unwrap_or_default()),
                );
                scripts.run_node(commands, &mut as_is);
            }
            None => {
                if let Some(kind) = Plugin::of(image) {
                    let settings = step.get("settings").map_or(step, |settings| settings);
                    plugins.push(kind.build(step.span, settings, &scripts.env, self.files));
                }
            }
        }
        scripts.env.vars = outer;
    }
}

/// Steps of a list, or of a mapping by their names.
fn named<'n, 'a>(steps: &'n Node<'a>) -> Vec<(Option<&'n str>, &'n Node<'a>)> {
    if steps.is_map() {
        return steps.entries().iter().map(|entry| (entry.name(), &*entry.value)).collect();
    }
    steps.items().iter().map(|step| (step.get("name").and_then(|name| name.str()), &**step)).collect()
}

/// What `when` and `trigger` say together.
fn trigger(outer: Option<&Node<'_>>, inner: Option<&Node<'_>>) -> Trigger {
    let mut trigger = Trigger {
        any_branch: true,
        default_branch: true,
        pull_request: true,
        release: true,
        ..Trigger::default()
    };
    for node in [outer, inner].into_iter().flatten() {
        let all: Vec<&Node<'_>> =
            if node.is_seq() { node.items().iter().map(|item| &**item).collect() } else { vec![node] };
        let mut allowed = Trigger::default();
        for when in all {
            let mut one = Trigger {
                any_branch: true,
                default_branch: true,
                pull_request: true,
                release: true,
                schedule: true,
                ..Trigger::default()
            };
            let texts = |node: &Node<'_>| node.strings().map(|(text, _)| text.to_owned()).collect::<Vec<_>>();
            let list = |key: &str| -> Option<Vec<String>> {
                let node = when.get(key)?;
                let node = node.get("include").unwrap_or(node);
                (!node.is_map()).then(|| texts(node))
            };
            let excluded = |key: &[&str; 2]| when.at(key).map(texts).unwrap_or_default();
            for event in excluded(&["event", "exclude"]) {
                match event.as_str() {
                    "push" => (one.any_branch, one.default_branch) = (false, false),
                    "pull_request" => one.pull_request = false,
                    "tag" => one.release = false,
                    "cron" => one.schedule = false,
                    _ => {}
                }
            }
            if excluded(&["branch", "exclude"]).iter().any(|name| matches!(name.as_str(), "main" | "master"))
            {
                one.default_branch = false;
            }
            if let Some(events) = list("event") {
                let has = |name: &[&str]| events.iter().any(|event| name.contains(&event.as_str()));
                one.any_branch = has(&["push"]);
                one.default_branch = has(&["push"]);
                one.pull_request = has(&["pull_request"]);
                one.release = has(&["tag", "release"]);
                one.schedule = has(&["cron"]);
                one.manual = has(&["custom", "promote", "deployment", "manual", "rollback"]);
            }
            if let Some(branches) = list("branch") {
                let wild = branches.iter().any(|branch| branch.contains('*'));
                one.any_branch &= wild || branches.len() > 1;
            }
            allowed.any_branch |= one.any_branch;
            allowed.default_branch |= one.default_branch;
            allowed.pull_request |= one.pull_request;
            allowed.release |= one.release;
            allowed.schedule |= one.schedule;
            allowed.manual |= one.manual;
        }
        trigger.any_branch &= allowed.any_branch;
        trigger.default_branch &= allowed.default_branch;
        trigger.pull_request &= allowed.pull_request;
        trigger.release &= allowed.release;
        trigger.schedule |= allowed.schedule && !allowed.any_branch;
        trigger.manual |= allowed.manual;
    }
    trigger
}

/// Plugins that build images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plugin {
    /// `plugins/docker` and the registries' variants: `docker build` against an engine of its own.
    Docker,
    /// buildx plugins: a container builder of their own.
    Buildx,
    /// kaniko plugins.
    Kaniko,
    /// buildah plugins.
    Buildah,
}

impl Plugin {
    fn of(image: &str) -> Option<Self> {
        let path = image.split('@').next().unwrap_or(image);
        let path = path.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(path, |(path, _)| path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let owner = path.rsplit('/').nth(1).unwrap_or("");
        if name.contains("kaniko") {
            return Some(Self::Kaniko);
        }
        if name.contains("buildah") && (name.contains("plugin") || name.contains("drone")) {
            return Some(Self::Buildah);
        }
        if name.contains("buildx") {
            return Some(Self::Buildx);
        }
        let registry = matches!(name, "docker" | "ecr" | "gcr" | "gar" | "acr" | "heroku");
        if owner == "plugins" && registry
            || matches!(name, "drone-docker" | "plugin-docker" | "docker-build-push")
        {
            return Some(Self::Docker);
        }
        None
    }

    fn build(self, span: Span, settings: &Node<'_>, env: &ScriptEnv, files: Files<'_>) -> Build {
        let front = match self {
            Self::Docker => Front::DockerBuild,
            Self::Buildx => Front::Buildx,
            Self::Kaniko => Front::Kaniko,
            Self::Buildah => Front::Buildah,
        };
        let mut build = env.build(span, front);
        let driver = match self {
            Self::Docker => Driver::Docker,
            Self::Buildx => Driver::DockerContainer,
            Self::Kaniko | Self::Buildah => Driver::None,
        };
        build.builder = super::Builder {
            driver,
            set_by: Some(span),
            persistent: Some(false),
            ..super::Builder::default()
        };
        let read = Settings { settings, vars: &env.vars };
        if read.value("daemon_off").is_some_and(|off| off.value.known() == Some("true")) {
            // The engine of the machine.
            build.builder.persistent = None;
        }
        read.place(&mut build, files);
        build.target = read.value("target");
        build.args = read.args();
        build.platforms = read.list(&["platforms", "platform"]);
        build.pull = read.value("pull_image");
        build.no_cache = read.value("no_cache");
        build.tags = read.tags();
        let dry = read.value("dry_run").or_else(|| read.value("dry-run")).or_else(|| read.value("no_push"));
        build.push = Some(match dry {
            Some(dry) if dry.value.known() == Some("true") => dry.with(Value::Known("false".into())),
            _ => Setting::new(Value::Known("true".into()), span),
        });
        self.caches(&mut build, &read);
        build
    }

    fn caches(self, build: &mut Build, read: &Settings<'_, '_>) {
        match self {
            Self::Docker => {
                // It pulls the images first (drone-docker, `commandPull`).
                let images = read.list(&["cache_from"]);
                build.cache_from = images.iter().map(reference).collect();
                build.pulled_before = images;
            }
            Self::Buildx => {
                build.cache_from = read.specs("cache_from");
                build.cache_to = read.specs("cache_to");
                let images = read.list(&["cache_images"]);
                build.cache_from.extend(images.iter().map(reference));
                for image in &images {
                    let mut spec = reference(image);
                    spec.value.attrs.push(("mode".into(), image.with(Value::Known("max".into()))));
                    build.cache_to.push(spec);
                }
            }
            Self::Kaniko | Self::Buildah => {
                let on = read.value("enable_cache").or_else(|| read.value("cache"));
                if let Some(on) = on.filter(|on| on.value.known() == Some("true")) {
                    let kind = on.with(Value::Known("kaniko".into()));
                    let repository = read.value("cache_repo");
                    let attrs =
                        repository.into_iter().map(|repository| ("ref".to_owned(), repository)).collect();
                    let spec = on.with(CacheSpec { kind, attrs, bare: false });
                    build.cache_from.push(spec.clone());
                    build.cache_to.push(spec);
                }
            }
        }
    }
}

/// A bare reference.
fn reference(image: &Setting<Value>) -> Setting<CacheSpec> {
    let kind = image.with(Value::Known("registry".into()));
    image.with(CacheSpec { kind, attrs: vec![("ref".into(), image.clone())], bare: true })
}

/// A plugin's settings.
struct Settings<'s, 'a> {
    settings: &'s Node<'a>,
    vars: &'s Vars,
}

impl Settings<'_, '_> {
    fn placed(&self, key: &str) -> Option<Placed> {
        let node = self.settings.get(key).or_else(|| self.settings.get(&key.replace('_', "-")))?;
        let text = node.text().filter(|_| !node.is_null())?;
        Some(self.vars.expand(&Placed::joined(text)))
    }

    fn value(&self, key: &str) -> Option<Setting<Value>> {
        let placed = self.placed(key)?;
        Some(Setting::new(Value::of(placed.text.as_str()), placed.full_span()))
    }

    /// A list, or a comma list.
    fn list(&self, keys: &[&str]) -> Vec<Setting<Value>> {
        let mut out = Vec::new();
        for key in keys {
            let Some(node) = self.settings.get(key) else { continue };
            let items: Vec<_> = if node.is_seq() { node.items().to_vec() } else { vec![node.clone()] };
            for text in items.iter().filter_map(|item| item.text()) {
                let placed = self.vars.expand(&Placed::joined(text));
                for part in placed.split(|ch| ch == ',') {
                    out.push(Setting::new(Value::of(part.text.as_str()), part.full_span()));
                }
            }
        }
        out
    }

    fn specs(&self, key: &str) -> Vec<Setting<CacheSpec>> {
        let Some(node) = self.settings.get(key) else { return Vec::new() };
        let items: Vec<_> = if node.is_seq() { node.items().to_vec() } else { vec![node.clone()] };
        items
            .iter()
            .filter_map(|item| item.text())
            .flat_map(|text| cachespec::parse(&Placed::joined(text), self.vars).specs)
            .collect()
    }

    /// `repo` with each of `tags`.
    fn tags(&self) -> Vec<Setting<Value>> {
        let repositories = self.list(&["repo", "repos", "destination"]);
        let tags = self.list(&["tags", "tag"]);
        let mut out = Vec::new();
        for repository in repositories {
            if tags.is_empty() {
                // `latest` on branches, the version on tags.
                let automatic = self.value("auto_tag").filter(|on| on.value.known() == Some("true"));
                out.push(match automatic {
                    Some(on) => on.with(Value::Symbolic {
                        text: format!("{}:${{auto_tag}}", repository.value.text()),
                        volatility: Volatility::PerRelease,
                    }),
                    None => repository,
                });
                continue;
            }
            for tag in &tags {
                let text = format!("{}:{}", repository.value.text(), tag.value.text());
                out.push(tag.with(Value::of(text)));
            }
        }
        out
    }

    fn args(&self) -> Vec<(String, Setting<Value>)> {
        let mut args = Vec::new();
        for key in ["build_args", "build_arg"] {
            let Some(node) = self.settings.get(key) else { continue };
            for entry in node.entries() {
                if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
                    let value = self.vars.value(&text.text);
                    args.push((name.to_owned(), Setting::new(value, entry.span())));
                }
            }
            for item in self.list(&[key]) {
                let (name, value) = match item.value.text().split_once('=') {
                    Some((name, value)) => (name.to_owned(), Value::of(value)),
                    None => (item.value.text().to_owned(), Value::of(format!("${{{}}}", item.value.text()))),
                };
                args.push((name, item.with(value)));
            }
        }
        for item in self.list(&["build_args_from_env"]) {
            let name = item.value.text().to_owned();
            let value = Value::of(format!("${{{name}}}"));
            args.push((name, item.with(value)));
        }
        args
    }

    /// Context and Dockerfile, both relative to the workspace.
    fn place(&self, build: &mut Build, files: Files<'_>) {
        let context = self.placed("context");
        let span = context.as_ref().map_or(build.span, Placed::full_span);
        let directory = join("", context.as_ref().map_or(".", |context| context.text.as_str()));
        let known = |text: &str| matches!(Value::of(text), Value::Known(_));
        let directory = directory.filter(|path| known(path));
        build.context = Setting::new(
            match &directory {
                Some(path) => ContextSource::Path(path.clone()),
                None => ContextSource::Unknown(context.map_or(String::new(), |context| context.text)),
            },
            span,
        );
        let file = self.placed("dockerfile").or_else(|| self.placed("containerfile"));
        build.dockerfile = match file {
            Some(file) => {
                let plain = join("", &file.text).filter(|path| known(path));
                // Some plugins look in the context.
                let inside = directory.as_deref().and_then(|base| join(base, &file.text));
                let path = match (plain, inside) {
                    (Some(plain), Some(inside)) if files(&plain).is_none() && files(&inside).is_some() => {
                        Some(inside)
                    }
                    (plain, _) => plain,
                };
                path.map(|path| Setting::new(path, file.full_span()))
            }
            None => {
                let top = (files("Dockerfile").is_some()).then(|| "Dockerfile".to_owned());
                let inside = directory.as_deref().and_then(|base| join(base, "Dockerfile"));
                let path = inside.filter(|path| files(path).is_some() || top.is_none()).or(top);
                path.map(|path| Setting::new(path, span))
            }
        };
    }
}
