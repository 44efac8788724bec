//! What the steps of a job leave for those after them: builders, checked-out directories, kept caches, the gha token.

use super::inputs::Inputs;
use crate::builds::command::ScriptEnv;
use crate::builds::{Builder, Driver, Setting, Value, join};
use crate::source::Span;
use std::sync::Arc;

/// A job on its way through its steps.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Whether the machine outlives the job.
    pub machine: Option<bool>,
    /// Builders that steps made, in order, with the step's id.
    pub builders: Vec<Made>,
    /// What the engine itself is known to be.
    pub engine: Builder,
    /// Checked-out directories, relative to the workspace; whether it is this repository.
    pub checkouts: Vec<(String, bool)>,
    /// Directories restored before and saved after.
    pub kept: Vec<Setting<Value>>,
    /// Images that scripts pulled.
    pub pulled: Vec<Setting<Value>>,
    /// What saves cache mounts.
    pub mounts_kept: Option<Span>,
    /// Whether the token of the gha cache is in the environment of `run:` steps.
    pub token: bool,
    /// Whether `docker build` is an alias of `docker buildx build` (`install: true`).
    pub installed: bool,
}

/// Places in the file of a job, while an action in another file runs.
pub(super) struct Outer {
    set_by: Vec<Option<Span>>,
    mounts_kept: Option<Span>,
}

/// A builder that a step made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// The step's id, empty without one.
    pub id: String,
    /// The builder's name, if it is given.
    pub name: Option<String>,
    /// What it is.
    pub builder: Builder,
    /// Whether it became the current one.
    pub current: bool,
}

impl State {
    /// The builder that is used without saying which.
    pub(super) fn current(&self) -> Builder {
        self.builders
            .iter()
            .rev()
            .find(|made| made.current)
            .map_or_else(|| self.engine_builder(), |made| made.builder.clone())
    }

    /// The engine's own builder, which `docker build` uses whatever builder is current.
    pub(super) fn engine_builder(&self) -> Builder {
        Builder { driver: Driver::Docker, persistent: self.machine, ..self.engine.clone() }
    }

    /// The builder that `builder:` names: a name, or an output of the step that made it.
    pub(super) fn named(&self, name: &str, written: Option<&str>) -> Builder {
        let by_name = || self.builders.iter().rev().find(|made| made.name.as_deref() == Some(name));
        // `steps.a.outputs.name || steps.b.outputs.name`: the one of them that ran.
        let by_id = || {
            let ids = written?.split("steps.").skip(1).filter_map(|rest| rest.split('.').next());
            ids.into_iter().find_map(|id| self.builders.iter().find(|made| made.id == id))
        };
        match by_name().or_else(by_id) {
            Some(made) => made.builder.clone(),
            None if written.is_some_and(|text| text.contains("${{")) && !self.builders.is_empty() => {
                self.current()
            }
            None if name == "default" => self.engine_builder(),
            None => Builder { persistent: None, ..self.engine.clone() },
        }
    }

    /// Gives a script what the job has.
    pub(super) fn lend(&self, env: &mut ScriptEnv) {
        env.builder = self.current();
        let named = |made: &Made| Some((made.name.clone()?, made.builder.clone()));
        env.builders = self.builders.iter().filter_map(named).collect();
        env.pulled.clone_from(&self.pulled);
        env.gha_token = Some(self.token);
        env.alias = self.installed;
        env.engine = self.engine_builder();
    }

    /// Takes back what a script did with it.
    pub(super) fn take(&mut self, env: ScriptEnv) {
        self.pulled = env.pulled;
        self.installed = env.alias;
        for (name, builder) in env.builders {
            if !self.builders.iter().any(|made| made.name.as_ref() == Some(&name) && made.builder == builder)
            {
                self.builders.push(Made { id: String::new(), name: Some(name), builder, current: false });
            }
        }
        if env.builder != self.current() {
            self.builders.push(Made { id: String::new(), name: None, builder: env.builder, current: true });
        }
    }

    /// What is so far, as an action in another file has it: it stands in `path`. Gives back what [`State::back`] needs.
    pub(super) fn enter(&mut self, path: &Arc<str>, steps: Span) -> Outer {
        self.in_file(path);
        let outer = Outer {
            set_by: self.builders.iter().map(|made| made.builder.set_by).collect(),
            mounts_kept: self.mounts_kept,
        };
        self.builders.iter_mut().for_each(|made| made.builder.set_by = None);
        self.mounts_kept = self.mounts_kept.map(|_| steps);
        outer
    }

    /// Back from an action in the file `path`: what it made was made at `step`.
    pub(super) fn back(&mut self, outer: Outer, path: &Arc<str>, step: Span) {
        self.in_file(path);
        self.mounts_kept = outer.mounts_kept.or(self.mounts_kept.map(|_| step));
        let known = outer.set_by.into_iter().map(Some).chain(std::iter::repeat(None));
        for (made, before) in self.builders.iter_mut().zip(known) {
            made.builder.set_by = before.unwrap_or(made.builder.set_by.map(|_| step));
        }
    }

    /// Says of the settings that have no path that they stand in `path`.
    pub(super) fn in_file(&mut self, path: &Arc<str>) {
        let place = |own: &mut Option<Arc<str>>| {
            own.get_or_insert_with(|| Arc::clone(path));
        };
        self.kept.iter_mut().chain(&mut self.pulled).for_each(|setting| place(&mut setting.path));
        let builders = self.builders.iter_mut().map(|made| &mut made.builder);
        for builder in builders.chain(std::iter::once(&mut self.engine)) {
            builder.versions.iter_mut().for_each(|(_, version)| place(&mut version.path));
        }
    }

    /// A path relative to the workspace as a path in the project; `None` where it is in another repository's checkout or
    /// outside.
    pub(super) fn locate(&self, path: &str) -> Option<String> {
        let path = join("", path)?;
        let below = |directory: &str| {
            if directory.is_empty() {
                return Some(path.clone());
            }
            let rest = path.strip_prefix(directory)?;
            if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
        };
        let deepest = self
            .checkouts
            .iter()
            .filter_map(|(directory, own)| Some((directory.len(), *own, below(directory)?)))
            .max_by_key(|(depth, ..)| *depth);
        match deepest {
            Some((_, own, rest)) => own.then_some(rest),
            // Nothing is checked out at the top although something is below: only that is known.
            None if self.checkouts.iter().any(|(_, own)| *own) => None,
            None => Some(path),
        }
    }

    /// `actions/checkout`
    pub(super) fn checkout(&mut self, inputs: &mut Inputs<'_, '_, '_>) {
        let directory = match inputs.text("path") {
            None => Some(String::new()),
            Some(_) => inputs.known("path").and_then(|path| join("", &path.value)),
        };
        let own = match inputs.text("repository") {
            None => true,
            Some(repository) => inputs.is_own_repository(&repository.text),
        };
        if let Some(directory) = directory {
            self.checkouts.retain(|(other, _)| *other != directory);
            self.checkouts.push((directory, own));
        }
    }

    /// `docker/setup-buildx-action` and those that stand in for it. `version` is the action's own.
    pub(super) fn setup_buildx(
        &mut self,
        id: &str,
        step: Span,
        version: Option<(String, Setting<String>)>,
        inputs: &mut Inputs<'_, '_, '_>,
    ) {
        let given = inputs.text("driver").is_some();
        let driver = match inputs.known("driver").as_ref().map(|driver| driver.value.as_str()) {
            None if given => Driver::Unknown,
            None | Some("docker-container") => Driver::DockerContainer,
            Some("docker") => Driver::Docker,
            Some("kubernetes") => Driver::Kubernetes,
            Some("remote") => Driver::Remote,
            Some("cloud") => Driver::Cloud,
            Some(_) => Driver::Unknown,
        };
        let persistent = match driver {
            // Its state is a volume that the action's end removes, unless keep-state.
            Driver::DockerContainer if !inputs.is_true("keep-state") => Some(false),
            Driver::DockerContainer | Driver::Docker => self.machine,
            Driver::Cloud => Some(true),
            _ => None,
        };
        let set_by = inputs.span("driver").unwrap_or(step);
        let mut builder = Builder { driver, set_by: Some(set_by), persistent, ..self.engine.clone() };
        builder.versions.extend(version);
        if let Some(buildx) = inputs.known("version") {
            let text = buildx.value.trim_start_matches('v').to_owned();
            if text.starts_with(|ch: char| ch.is_ascii_digit()) {
                builder.versions.push(("buildx".into(), buildx.with(text)));
            }
        }
        for option in inputs.lines("driver-opts") {
            builder.versions.extend(option.text.split_once("image=").and_then(|(_, image)| {
                let tag = image.split(',').next()?.trim_matches('"').rsplit_once(':')?.1;
                Some((
                    "buildkit".to_owned(),
                    Setting::new(tag.trim_start_matches('v').to_owned(), option.full_span()),
                ))
            }));
        }
        self.installed |= inputs.is_true("install");
        let current = inputs.known("use").is_none_or(|value| value.value != "false");
        let name = inputs.known("name").map(|name| name.value);
        self.builders.push(Made { id: id.to_owned(), name, builder, current });
    }

    /// A vendor's builder, reached over the network, whose cache outlives the job.
    pub(super) fn vendor(&mut self, id: &str, step: Span) {
        let builder = Builder {
            driver: Driver::Remote,
            set_by: Some(step),
            persistent: Some(true),
            ..self.engine.clone()
        };
        self.builders.push(Made { id: id.to_owned(), name: None, builder, current: true });
    }

    /// `docker/setup-docker-action`
    pub(super) fn setup_docker(&mut self, inputs: &mut Inputs<'_, '_, '_>) {
        if let Some(config) = inputs.text("daemon-config") {
            let compact: String = config.text.chars().filter(|ch| !ch.is_whitespace()).collect();
            if compact.contains("\"containerd-snapshotter\":true") {
                self.engine.containerd_store = Some(true);
            } else if compact.contains("\"containerd-snapshotter\":false") {
                self.engine.containerd_store = Some(false);
            }
        }
        if let Some(version) = inputs.known("version") {
            let text =
                version.value.trim_start_matches("type=archive,version=").trim_start_matches('v').to_owned();
            if text.starts_with(|ch: char| ch.is_ascii_digit()) {
                self.engine.versions.push(("engine".into(), version.with(text)));
            }
        }
    }

    /// `actions/cache` and its likes.
    pub(super) fn cache(&mut self, inputs: &mut Inputs<'_, '_, '_>) {
        for line in inputs.lines("path") {
            self.kept.push(Setting::new(Value::Known(line.text.clone()), line.full_span()));
        }
    }
}
