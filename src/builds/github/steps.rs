//! The steps of a job, in order.

use super::actions::{self, Uses, Vendor};
use super::context::{Context, Values};
use super::inputs::Inputs;
use super::state::State;
use super::workflow::{File, MAX_DEPTH, Reader};
use super::{event, outputs};
use crate::builds::command::{self, Base, ScriptEnv, ScriptText};
use crate::builds::expr::Val;
use crate::builds::expr::stand;
use crate::builds::yaml::Node;
use crate::builds::{Build, Driver, Front, Placed, System, Vars, join};
use crate::shell::Dialect;
use std::sync::Arc;

/// A job while its steps are read.
pub(super) struct Job<'r, 'f, 'e> {
    /// Where builds go.
    pub reader: &'r mut Reader<'f>,
    /// What expressions see.
    pub context: Context<'e>,
    /// What steps leave behind.
    pub state: State,
    /// Names of the job and those that call it.
    pub names: Vec<String>,
    /// The job's key.
    pub key: String,
    /// The matrix values.
    pub leg: Vec<(String, String)>,
    /// `defaults.run.working-directory`
    pub directory: Option<String>,
    /// `defaults.run.shell`
    pub shell: Option<String>,
    /// Nesting of workflows and actions.
    pub depth: u32,
    /// Dockerfiles that steps have written.
    pub written: Vec<String>,
}

/// Whether an action may build an image or matters to one that does; local actions may do anything.
pub(super) fn may_build_action(uses: &str) -> bool {
    let name = uses.split('@').next().unwrap_or("").to_ascii_lowercase();
    own_file(&name).is_some() || builds(&name)
}

/// The path of an action or workflow of this repository: `./PATH` in the workspace, `$/PATH` in the commit that runs (docs.github.com,
/// "Workflow syntax", `jobs.<job_id>.steps[*].uses`).
pub(super) fn own_file(uses: &str) -> Option<&str> {
    uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/"))
}

/// Whether the action of this name builds images.
fn builds(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "retry",
        "build-push",
        "bake-action",
        "kaniko",
        "buildah",
        "docker-build",
        "devcontainers/ci",
        "publish-docker",
    ];
    PARTS.iter().any(|part| name.contains(part))
}

impl Job<'_, '_, '_> {
    /// Reads steps one after the other.
    pub(super) fn steps(&mut self, file: &File<'_>, steps: &Node<'_>) {
        for step in steps.items() {
            if self.reader.budget == 0 {
                return;
            }
            self.reader.budget -= 1;
            let condition = step.get("if").map(|node| &**node);
            let runs = self.context.condition(condition);
            if runs == Some(false) {
                continue;
            }
            let from = self.reader.builds.len();
            let outer = step.get("env").map(|env| {
                let outer = (self.context.env.clone(), self.context.env_at.clone());
                self.context.add_env(Some(&**env), &file.path);
                outer
            });
            self.step(file, step);
            self.note_written(step);
            if runs.is_none() && self.context.is_open(condition) {
                self.reader.runs_if(from, condition, file);
            }
            if let Some((env, at)) = outer {
                self.context.env = env;
                self.context.env_at = at;
            }
            outputs::record(step, &mut self.context, &file.path);
        }
    }

    fn step(&mut self, file: &File<'_>, step: &Node<'_>) {
        if let Some(uses) = step.get("uses") {
            if let Some(text) = uses.str() {
                match own_file(text) {
                    Some(path) => {
                        let before = self.reader.builds.len();
                        let directory =
                            if text.starts_with('$') { join("", path) } else { self.state.locate(path) };
                        if let Some(directory) = directory {
                            self.local(file, &directory, step);
                        }
                        if self.reader.builds.len() == before {
                            self.passed_script(file, step);
                        }
                    }
                    None => self.action(file, step, &Uses::new(text, uses.span, file.text)),
                }
            }
        } else if let Some(run) = step.get("run") {
            self.script(file, step, run);
        }
    }

    fn action(&mut self, file: &File<'_>, step: &Node<'_>, uses: &Uses) {
        let id = step.get("id").and_then(|id| id.str()).unwrap_or("");
        let mut inputs = Inputs::new(step, &self.context, &mut self.reader.holes);
        let state = &mut self.state;
        let vendor = match uses.name.as_str() {
            "actions/checkout" => return state.checkout(&mut inputs),
            "docker/setup-buildx-action" | "crazy-max/ghaction-docker-buildx" | "docker/setup-buildx" => {
                let version = uses.component("setup-buildx-action");
                return state.setup_buildx(id, uses.span, version, &mut inputs);
            }
            "useblacksmith/setup-docker-builder"
            | "namespacelabs/nscloud-setup-buildx-action"
            | "depot/use-action" => return state.vendor(id, uses.span),
            "docker/setup-docker-action" | "crazy-max/ghaction-setup-docker" => {
                return state.setup_docker(&mut inputs);
            }
            "crazy-max/ghaction-github-runtime" => {
                state.token = true;
                return;
            }
            "actions/github-script" => {
                let script = inputs.text("script");
                state.token |= script.is_some_and(|script| script.text.contains("ACTIONS_RUNTIME_TOKEN"));
                return;
            }
            "reproducible-containers/buildkit-cache-dance" => {
                state.mounts_kept = Some(uses.span);
                return;
            }
            name if is_cache(name) => return state.cache(&mut inputs),
            "docker/bake-action" | "depot/bake-action" => {
                let starter = self.build(file, step, Front::Bake);
                let vars = self.vars(file);
                let mut inputs = Inputs::new(step, &self.context, &mut self.reader.holes);
                let builds =
                    super::bake::read(starter, uses, &self.state, &mut inputs, vars, self.reader.files);
                builds.into_iter().for_each(|build| self.push(build));
                return;
            }
            "docker/build-push-action" if uses.major() == Some(1) => {
                let mut build = self.build(file, step, Front::DockerBuild);
                let mut inputs = Inputs::new(step, &self.context, &mut self.reader.holes);
                super::others::build_push_v1(&mut build, uses, &self.state, &mut inputs);
                return self.push(build);
            }
            "docker/build-push-action" => Vendor::Docker,
            "depot/build-push-action" => Vendor::Depot,
            "useblacksmith/build-push-action" => Vendor::Blacksmith,
            "warpbuilds/build-push-action" => Vendor::Warp,
            _ => {
                let mut build = self.build(file, step, Front::Other);
                let mut inputs = Inputs::new(step, &self.context, &mut self.reader.holes);
                if super::others::read(&mut build, uses, &self.state, &mut inputs) {
                    self.push(build);
                } else {
                    self.passed_script(file, step);
                }
                return;
            }
        };
        let mut build = self.build(file, step, Front::BuildPushAction);
        let mut inputs = Inputs::new(step, &self.context, &mut self.reader.holes);
        actions::build_push(&mut build, vendor, uses, &self.state, &mut inputs);
        self.push(build);
    }

    /// A build that this step starts, with what the job says of it.
    fn build(&mut self, file: &File<'_>, step: &Node<'_>, front: Front) -> Build {
        let mut build = Build::new(file.path.clone(), step.span, System::GithubActions, front);
        build.name = self.names.clone();
        build.name.extend(self.step_name(step));
        build
    }

    /// Takes note of Dockerfiles that a script writes: `cat <<EOF > Dockerfile`.
    fn note_written(&mut self, step: &Node<'_>) {
        let Some(text) = step.get("run").and_then(|run| run.str()) else { return };
        if !text.contains("ockerfile") {
            return;
        }
        let directory = step.get("working-directory").and_then(|node| node.str()).unwrap_or("");
        for part in text.split('>').skip(1).chain(text.split("tee ").skip(1)) {
            let word =
                part.trim_start_matches([' ', '|']).split([' ', '\n', ';', '&', ')']).next().unwrap_or("");
            let word = word.trim_matches(['"', '\'']);
            if word.contains("ockerfile")
                && let Some(path) = crate::builds::join(directory, word)
            {
                self.written.push(path);
            }
        }
    }

    /// Hands a build over, what the job says of all of its builds put in.
    fn push(&mut self, mut build: Build) {
        if build.dockerfile.as_ref().is_some_and(|file| self.written.contains(&file.value)) {
            build.dockerfile = None;
            build.context.value = crate::builds::ContextSource::Unknown(String::new());
        }
        // A bake target has a matrix of its own.
        let own = std::mem::take(&mut build.matrix);
        build.matrix = self.leg.iter().cloned().chain(own).collect();
        build.job.clone_from(&self.key);
        build.kept.clone_from(&self.state.kept);
        build.mounts_kept = self.state.mounts_kept;
        build.checked_out = self.state.checkouts.iter().any(|(directory, own)| directory.is_empty() && *own);
        build.trigger = event::trigger([self.context.event]);
        build.template = self.context.event.kind == event::Kind::Called;
        if build.builder.driver == Driver::None {
            build.gha_token = None;
        }
        self.reader.holes.restore(&mut build);
        build.at_home();
        self.reader.builds.push(build);
    }

    /// A composite action of this repository: its steps run in this job.
    fn local(&mut self, file: &File<'_>, directory: &str, step: &Node<'_>) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        let found = ["action.yml", "action.yaml"].iter().find_map(|name| {
            let path = join(directory, name)?;
            self.reader.enter(&path).map(|(text, root)| (path, text, root))
        });
        let Some((path, text, root)) = found else { return };
        let with = step.get("with");
        let given: Values = with
            .iter()
            .flat_map(|with| with.entries())
            .filter_map(|entry| Some((entry.name()?.to_owned(), text_value(self.context.node(&entry.value)))))
            .collect();
        if let Some(steps) = root.at(&["runs", "steps"]) {
            let inner = File { path: path.as_str().into(), text };
            let outer = self.state.enter(&file.path, steps.span);
            self.composite(&inner, &root, steps, given, step);
            self.state.back(outer, &inner.path, step.span);
        }
        self.reader.leave();
    }

    /// Runs a composite action's steps with their own inputs and step outputs.
    pub(super) fn composite(
        &mut self,
        file: &File<'_>,
        root: &Node<'_>,
        steps: &Node<'_>,
        given: Values,
        step: &Node<'_>,
    ) {
        let inputs = action_inputs(root, given, &self.context);
        let outer_inputs = std::mem::replace(&mut self.context.inputs, inputs);
        let outer_steps = std::mem::take(&mut self.context.steps);
        let outer_directory = (self.directory.take(), self.shell.take());
        let names = self.names.len();
        if let Some(name) = step.get("name").or_else(|| step.get("id")).and_then(|name| name.str()) {
            self.names.push(name.to_owned());
        }
        self.depth += 1;
        self.steps(file, steps);
        self.depth -= 1;
        self.names.truncate(names);
        (self.directory, self.shell) = outer_directory;
        let outputs: Values = root
            .get("outputs")
            .iter()
            .flat_map(|outputs| outputs.entries())
            .filter_map(|entry| {
                let value = self.context.node(entry.value.get("value")?);
                Some((entry.name()?.to_owned(), value))
            })
            .collect();
        self.context.inputs = outer_inputs;
        self.context.steps = outer_steps;
        if let Some(id) = step.get("id").and_then(|id| id.str()) {
            self.context.steps.insert(id.to_owned(), outputs);
        }
    }

    /// A script that is passed to an action which runs it (`nick-fields/retry` and its like).
    fn passed_script(&mut self, file: &File<'_>, step: &Node<'_>) {
        const INPUTS: &[&str] = &["command", "run", "script", "cmd", "commands"];
        let script = INPUTS.iter().find_map(|name| step.at(&["with", name]));
        if let Some(script) = script.filter(|script| script.text().is_some()) {
            self.script(file, step, script);
        }
    }

    /// A `run:` step. Shell variables do not outlive it; builders and pulled images do.
    fn script(&mut self, file: &File<'_>, step: &Node<'_>, run: &Node<'_>) {
        let Some(text) = run.text().filter(|text| command::may_build(&text.text)) else { return };
        let text = self.context.fill(text, &mut self.reader.holes);
        let shell = step.get("shell").and_then(|shell| shell.str()).or(self.shell.as_deref());
        let dialect = shell.map_or(Dialect::Posix, |shell| Dialect::of_shell(shell.split_whitespace()));
        let directory = match step.get("working-directory").and_then(|node| node.text()) {
            Some(text) => Some(self.context.fill(text, &mut self.reader.holes).text.to_string()),
            None => self.directory.as_ref().map(|text| self.context.text(text).to_text()),
        };
        let cwd = command::resolve(directory.as_deref().unwrap_or("."), Base { cwd: Some(""), here: "" });
        let mut env = ScriptEnv::new(Arc::clone(&file.path), System::GithubActions);
        env.name.clone_from(&self.names);
        env.name.extend(self.step_name(step));
        env.cwd = cwd.and_then(|cwd| self.state.locate(&cwd));
        env.here = Some(String::new());
        env.vars = self.vars(file);
        env.makefiles = self.reader.makefiles.clone();
        env.followed = self.reader.followed.clone();
        self.state.lend(&mut env);
        let text = ScriptText { source: file.text, joined: &text, dialect };
        let mut builds = Vec::new();
        command::read_script(&text, &mut env, self.reader.files, &mut builds);
        self.state.take(env);
        builds.into_iter().for_each(|build| self.push(build));
    }

    /// The environment as variables of a shell.
    fn vars(&mut self, file: &File<'_>) -> Vars {
        let mut vars = Vars::default();
        for (name, value) in &self.context.env {
            let text = stand(value, &mut self.reader.holes);
            match self.context.env_at.get(name) {
                Some((path, span)) if *path == file.path => vars.set(name, &Placed::whole(text, *span)),
                _ => vars.set_foreign(name, &text),
            }
        }
        vars
    }

    fn step_name(&mut self, step: &Node<'_>) -> Option<String> {
        let name = step.get("name").or_else(|| step.get("id"))?.text()?;
        Some(self.context.fill(name, &mut self.reader.holes).text.to_string())
    }
}

/// In an action all inputs are text.
fn text_value(value: Val) -> Val {
    match value {
        Val::Sym(sym) => Val::Sym(sym),
        known => Val::Str(known.to_text()),
    }
}

/// The inputs of an action: what is given, else its defaults, else nothing.
pub(super) fn action_inputs(root: &Node<'_>, mut given: Values, context: &Context<'_>) -> Values {
    for entry in root.get("inputs").map_or(&[][..], |inputs| inputs.entries()) {
        let Some(name) = entry.name() else { continue };
        if super::context::find(&given, name).is_some() {
            continue;
        }
        let default = entry.value.get("default").map_or(Val::Str(String::new()), |node| context.node(node));
        given.push((name.to_owned(), text_value(default)));
    }
    given
}

/// actions/cache and those that keep directories as it does.
fn is_cache(name: &str) -> bool {
    let base = name.strip_suffix("/restore").or_else(|| name.strip_suffix("/save")).unwrap_or(name);
    base == "actions/cache"
        || base.ends_with("/cache")
            && ["buildjet", "useblacksmith", "runs-on", "ubicloud", "warpbuilds"]
                .iter()
                .any(|vendor| base.starts_with(vendor))
        || base == "namespacelabs/nscloud-cache-action"
        || base == "tespkg/actions-cache"
}
