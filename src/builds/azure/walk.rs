//! Stages, jobs and steps, templates and conditional insertions followed.

use super::scope::Scope;
use crate::builds::command::{self, ScriptEnv};
use crate::builds::expr::{Val, stand};
use crate::builds::lines::Scripts;
use crate::builds::yaml::{self, Entry, Node};
use crate::builds::{Build, Driver, Files, Placed, System, Trigger, join, parent};
use crate::shell::Dialect;
use std::sync::Arc;

/// Nesting of templates.
const MAX_DEPTH: u32 = 8;
/// Steps in all, templates counted as often as they are used.
const MAX_STEPS: u32 = 10_000;

/// A file of the project.
#[derive(Clone)]
pub(super) struct File<'t> {
    /// Its path.
    pub path: Arc<str>,
    /// Its text.
    pub text: &'t str,
}

/// A pipeline while it is read.
pub(super) struct Walk<'f> {
    pub(super) files: Files<'f>,
    trigger: Trigger,
    builds: Vec<Build>,
    budget: u32,
    /// Jobs seen, for their keys.
    jobs: u32,
}

/// A job while its steps are read.
pub(super) struct Job {
    /// What its scripts share.
    pub env: ScriptEnv,
}

/// The machine of a job, from the nearest `pool`.
#[derive(Clone, Copy, Debug, Default)]
struct Pool {
    persistent: Option<bool>,
}

impl<'f> Walk<'f> {
    pub(super) fn new(files: Files<'f>, trigger: Trigger) -> Self {
        Self { files, trigger, builds: Vec::new(), budget: MAX_STEPS, jobs: 0 }
    }

    pub(super) fn finish(self) -> Vec<Build> {
        self.builds
    }

    /// A file as a whole: stages, jobs or steps, or what it extends.
    pub(super) fn pipeline(&mut self, file: &File<'_>, root: &Node<'_>, scope: &mut Scope, depth: u32) {
        self.variables(file, root.get("variables").map(|node| &**node), scope, depth);
        let pool = pool(root, scope, Pool::default());
        if let Some(extends) = root.get("extends") {
            self.template(file, extends, scope, pool, &[], depth);
        }
        self.body(file, root, scope, pool, &[], depth);
    }

    fn body(
        &mut self,
        file: &File<'_>,
        node: &Node<'_>,
        scope: &Scope,
        pool: Pool,
        names: &[String],
        depth: u32,
    ) {
        if let Some(stages) = node.get("stages") {
            self.each(file, stages, scope, depth, &mut |walk, file, stage, scope, depth| {
                walk.stage(file, stage, scope, pool, names, depth);
            });
        } else if let Some(jobs) = node.get("jobs") {
            self.jobs(file, jobs, scope, pool, names, depth);
        } else if node.get("steps").is_some() {
            self.job(file, node, scope, pool, names, depth);
        }
    }

    fn stage(
        &mut self,
        file: &File<'_>,
        stage: &Node<'_>,
        scope: &Scope,
        pool: Pool,
        names: &[String],
        depth: u32,
    ) {
        if stage.get("template").is_some() {
            self.template(file, stage, scope, pool, names, depth);
            return;
        }
        if scope.never(stage.get("condition").map(|node| &**node)) {
            return;
        }
        let from = self.builds.len();
        let mut scope = scope.clone();
        self.variables(file, stage.get("variables").map(|node| &**node), &mut scope, depth);
        let inner = pool_of(stage, &scope, pool);
        let mut names = names.to_vec();
        names.extend(named(stage, &scope, &["displayName", "stage"]));
        if let Some(jobs) = stage.get("jobs") {
            self.jobs(file, jobs, &scope, inner, &names, depth);
        }
        self.only_if(file, stage, from);
    }

    /// Notes of the builds from `from` on what the `condition` of their stage, job or step is, where it asks for more than that
    /// the one before succeeded.
    fn only_if(&mut self, file: &File<'_>, node: &Node<'_>, from: usize) {
        let Some(condition) = node.get("condition") else { return };
        let text = condition.str().unwrap_or("").trim();
        if !["succeeded()", "always()", "succeededOrFailed()", "true"].contains(&text) {
            self.builds.iter_mut().skip(from).for_each(|build| build.only_if(&file.path, condition.span));
        }
    }

    fn jobs(
        &mut self,
        file: &File<'_>,
        jobs: &Node<'_>,
        scope: &Scope,
        pool: Pool,
        names: &[String],
        depth: u32,
    ) {
        self.each(file, jobs, scope, depth, &mut |walk, file, job, scope, depth| {
            if job.get("template").is_some() {
                walk.template(file, job, scope, pool, names, depth);
            } else {
                walk.job(file, job, scope, pool, names, depth);
            }
        });
    }

    fn job(
        &mut self,
        file: &File<'_>,
        job: &Node<'_>,
        scope: &Scope,
        pool: Pool,
        names: &[String],
        depth: u32,
    ) {
        if scope.never(job.get("condition").map(|node| &**node)) {
            return;
        }
        let from = self.builds.len();
        self.jobs += 1;
        let number = self.jobs;
        for leg in legs(job, scope) {
            let mut scope = scope.clone();
            self.variables(file, job.get("variables").map(|node| &**node), &mut scope, depth);
            for (name, value) in &leg.1 {
                scope.set(name, Val::Str(value.clone()), None);
            }
            let mut env = ScriptEnv::new(Arc::clone(&file.path), System::AzurePipelines);
            env.name = names.to_vec();
            env.name.extend(named(job, &scope, &["displayName", "job", "deployment"]));
            env.matrix = leg.1;
            let id = named(job, &scope, &["job", "deployment"]).unwrap_or_else(|| "job".to_owned());
            env.job = format!("{}#{id}@{number}", file.path);
            if let Some(leg) = &leg.0 {
                env.job = format!("{}({leg})", env.job);
            }
            env.trigger = self.trigger.clone();
            env.here = Some(String::new());
            env.engine.driver = Driver::Docker;
            env.engine.persistent = pool_of(job, &scope, pool).persistent;
            env.builder = env.engine.clone();
            let mut run = Job { env };
            let strategy = ["runOnce", "rolling", "canary"];
            let deploy = strategy.iter().find_map(|kind| job.at(&["strategy", kind, "deploy", "steps"]));
            for steps in [job.get("steps").map(|node| &**node), deploy].into_iter().flatten() {
                self.steps(file, steps, &scope, &mut run, depth);
            }
        }
        self.only_if(file, job, from);
    }

    fn steps(&mut self, file: &File<'_>, steps: &Node<'_>, scope: &Scope, job: &mut Job, depth: u32) {
        self.each(file, steps, scope, depth, &mut |walk, file, step, scope, depth| {
            walk.step(file, step, scope, job, depth);
        });
    }

    fn step(&mut self, file: &File<'_>, step: &Node<'_>, scope: &Scope, job: &mut Job, depth: u32) {
        if let Some(template) = step.get("template") {
            let Some((other, root, mut inner)) = self.load(file, template, step, scope, depth) else {
                return;
            };
            self.variables(&other, root.get("variables").map(|node| &**node), &mut inner, depth);
            if let Some(steps) = root.get("steps") {
                self.steps(&other, steps, &inner, job, depth + 1);
            }
            return;
        }
        if scope.never(step.get("condition").map(|node| &**node))
            || step.get("enabled").and_then(|node| node.bool()) == Some(false)
        {
            return;
        }
        let from = self.builds.len();
        if let Some(task) = step.get("task").and_then(|task| task.str()) {
            let builds = super::tasks::task(self.files, file, step, task, scope, &mut job.env);
            self.builds.extend(builds);
            return self.only_if(file, step, from);
        }
        for (key, dialect) in [
            ("script", Dialect::Posix),
            ("bash", Dialect::Posix),
            ("pwsh", Dialect::Posix),
            ("powershell", Dialect::Posix),
        ] {
            if let Some(text) = step.get(key).and_then(|node| node.text()) {
                let directory = step.get("workingDirectory").and_then(|node| node.text());
                let builds = script(self.files, file, step, text, directory, dialect, scope, &mut job.env);
                self.builds.extend(builds);
            }
        }
        self.only_if(file, step, from);
    }

    /// A template of stages or jobs.
    fn template(
        &mut self,
        file: &File<'_>,
        call: &Node<'_>,
        scope: &Scope,
        pool: Pool,
        names: &[String],
        depth: u32,
    ) {
        let Some(template) = call.get("template") else { return };
        let Some((other, root, mut inner)) = self.load(file, template, call, scope, depth) else { return };
        self.variables(&other, root.get("variables").map(|node| &**node), &mut inner, depth);
        if let Some(extends) = root.get("extends") {
            self.template(&other, extends, &inner, pool, names, depth + 1);
        }
        self.body(&other, &root, &inner, pool, names, depth + 1);
    }

    /// The file that a template names, with the parameters of the call.
    fn load(
        &mut self,
        file: &File<'_>,
        template: &Node<'_>,
        call: &Node<'_>,
        scope: &Scope,
        depth: u32,
    ) -> Option<(File<'f>, Arc<Node<'f>>, Scope)> {
        if depth >= MAX_DEPTH || self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        let text = scope.text(template.str()?).scalar()?;
        // `x.yml@self` is this repository, any other name another one.
        let text = text.strip_suffix("@self").unwrap_or(&text);
        let path = match text.strip_prefix('/') {
            Some(rest) => join("", rest),
            None => join(parent(&file.path), text),
        }?;
        let source = (self.files)(&path)?;
        let root = yaml::parse(source).ok().flatten()?;
        let given: Vec<(String, Val)> = match call.get("parameters").map(|node| scope.node(node)) {
            Some(Val::Object(members)) => members,
            _ => Vec::new(),
        };
        let mut inner = scope.clone();
        inner.parameters(root.get("parameters").map(|node| &**node), &given);
        Some((File { path: path.into(), text: source }, root, inner))
    }

    /// Variables of a mapping or a list, templates of variables followed.
    fn variables(&mut self, file: &File<'_>, node: Option<&Node<'_>>, scope: &mut Scope, depth: u32) {
        let Some(node) = node else { return };
        for entry in node.entries() {
            let Some(name) = entry.name() else { continue };
            if name.starts_with("${{") {
                if conditional(name, scope) != Some(false) {
                    self.variables(file, Some(&entry.value), scope, depth + 1);
                }
                continue;
            }
            let value = scope.node(&entry.value);
            scope.set(name, text(value), Some((Arc::clone(&file.path), entry.value.span)));
        }
        for item in node.items() {
            if let Some(inserted) = insertion(item) {
                if depth < MAX_DEPTH && conditional(inserted.name().unwrap_or(""), scope) != Some(false) {
                    self.variables(file, Some(&inserted.value), scope, depth + 1);
                }
            } else if let Some(template) = item.get("template") {
                if let Some((other, root, _)) = self.load(file, template, item, scope, depth) {
                    self.variables(&other, root.get("variables").map(|node| &**node), scope, depth + 1);
                }
            } else if let (Some(name), Some(value)) =
                (item.get("name").and_then(|name| name.str()), item.get("value"))
            {
                let at = (Arc::clone(&file.path), value.span);
                let value = scope.node(value);
                scope.set(name, text(value), Some(at));
            }
        }
    }

    /// Calls `with` for every item of a list: conditional insertions and loops followed.
    #[allow(clippy::type_complexity)] // one callback
    fn each(
        &mut self,
        file: &File<'_>,
        list: &Node<'_>,
        scope: &Scope,
        depth: u32,
        with: &mut dyn FnMut(&mut Self, &File<'_>, &Node<'_>, &Scope, u32),
    ) {
        let mut decided: Option<bool> = None;
        for item in list.items() {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            let Some(entry) = insertion(item) else {
                if item.is_map() {
                    with(self, file, item, scope, depth);
                }
                continue;
            };
            if depth >= 4 * MAX_DEPTH {
                return;
            }
            let name = entry.name().unwrap_or("");
            let inner = name.trim_start_matches("${{").trim_end_matches("}}").trim();
            if let Some(rest) = inner.strip_prefix("each ") {
                let (variable, list_of) = rest.split_once(" in ").unwrap_or((rest, ""));
                match scope.expression(list_of) {
                    Val::Array(values) => {
                        for value in values {
                            let scope = scope.with(variable.trim(), value);
                            self.each(file, &entry.value, &scope, depth + 1, with);
                        }
                    }
                    Val::Object(members) => {
                        for (key, value) in members {
                            let pair =
                                Val::Object(vec![("key".into(), Val::Str(key)), ("value".into(), value)]);
                            let scope = scope.with(variable.trim(), pair);
                            self.each(file, &entry.value, &scope, depth + 1, with);
                        }
                    }
                    _ => self.each(file, &entry.value, scope, depth + 1, with),
                }
                continue;
            }
            let holds = if inner == "else" {
                decided.map(|done| !done)
            } else {
                let own = conditional(name, scope);
                if inner.starts_with("elseif") && decided == Some(true) { Some(false) } else { own }
            };
            decided = match (holds, inner.starts_with("if ")) {
                (Some(true), _) => Some(true),
                (Some(false), false) => decided,
                (Some(false), true) => Some(false),
                (None, _) => None,
            };
            if holds != Some(false) {
                self.each(file, &entry.value, scope, depth + 1, with);
            }
        }
    }
}

/// An item that is nothing but `${{ if … }}: …`.
fn insertion<'n, 'a>(item: &'n Node<'a>) -> Option<&'n Entry<'a>> {
    let entry = item.entries().first()?;
    entry.name()?.starts_with("${{").then_some(entry)
}

/// Whether an insertion is made; `None` where that is open.
fn conditional(key: &str, scope: &Scope) -> Option<bool> {
    let inner = key.trim_start_matches("${{").trim_end_matches("}}").trim();
    let condition = inner.strip_prefix("if ").or_else(|| inner.strip_prefix("elseif "));
    let condition = condition.or_else(|| inner.strip_prefix("if(").map(|_| inner.get(2..).unwrap_or("")));
    match scope.expression(condition?) {
        Val::Sym(_) => None,
        known => Some(known.truthy()),
    }
}

/// Variables are text.
fn text(value: Val) -> Val {
    match value {
        Val::Sym(sym) => Val::Sym(sym),
        known => Val::Str(known.to_text()),
    }
}

fn named(node: &Node<'_>, scope: &Scope, keys: &[&str]) -> Option<String> {
    let text = keys.iter().find_map(|key| node.get(key)?.str().filter(|text| !text.is_empty()))?;
    Some(scope.text(text).to_text())
}

fn pool(node: &Node<'_>, scope: &Scope, outer: Pool) -> Pool {
    pool_of(node, scope, outer)
}

/// `pool: vmImage` is a machine of Microsoft's, new for every job; a named pool is somebody's own.
fn pool_of(node: &Node<'_>, scope: &Scope, outer: Pool) -> Pool {
    let Some(pool) = node.get("pool") else { return outer };
    let name = pool.str().or_else(|| pool.get("name").and_then(|name| name.str()));
    let name = name.map(|name| scope.text(name).to_text());
    let hosted =
        pool.get("vmImage").is_some() && name.is_none() || name.as_deref() == Some("Azure Pipelines");
    Pool { persistent: hosted.then_some(false) }
}

/// A leg of a matrix: its name and its variables.
type Leg = (Option<String>, Vec<(String, String)>);

/// The legs of `strategy: matrix`.
fn legs(job: &Node<'_>, scope: &Scope) -> Vec<Leg> {
    let Some(matrix) = job.at(&["strategy", "matrix"]).filter(|matrix| matrix.is_map()) else {
        return vec![(None, Vec::new())];
    };
    let leg = |entry: &Entry<'_>| {
        let name = entry.name()?;
        let variable = |entry: &Entry<'_>| {
            let value = scope.node(&entry.value).scalar()?;
            Some((entry.name()?.to_owned(), value))
        };
        Some((Some(name.to_owned()), entry.value.entries().iter().filter_map(variable).collect()))
    };
    matrix.entries().iter().take(256).filter_map(leg).collect()
}

/// Runs a script in the job.
#[allow(clippy::too_many_arguments)] // the parts of one step
pub(super) fn script(
    files: Files<'_>,
    file: &File<'_>,
    step: &Node<'_>,
    text: &crate::source::Joined<'_>,
    directory: Option<&crate::source::Joined<'_>>,
    dialect: Dialect,
    scope: &Scope,
    env: &mut ScriptEnv,
) -> Vec<Build> {
    if !command::may_build(&text.text) {
        return Vec::new();
    }
    let mut step_env = env.clone();
    step_env.path = Arc::clone(&file.path);
    step_env.name.extend(named(step, scope, &["displayName", "name"]));
    let mut scripts = Scripts::new(file.text, step_env, files);
    let directory = directory.map(|text| scope.fill(text, &mut scripts.holes).text.to_string());
    scripts.env.cwd = match directory.as_deref() {
        None | Some("") => Some(String::new()),
        Some(text) => command::resolve(text, command::Base { cwd: Some(""), here: "" }),
    };
    // Variables are in the environment, upper case and with `_` for `.`.
    for (name, variable) in scope.variables() {
        let text = stand(&variable.value, &mut scripts.holes);
        let name = name.to_uppercase().replace(['.', '-', ' '], "_");
        match &variable.at {
            Some((path, span)) if *path == file.path => {
                scripts.env.vars.set(&name, &Placed::whole(text, *span))
            }
            _ => scripts.env.vars.set_foreign(&name, &text),
        }
    }
    for entry in step.get("env").map_or(&[][..], |env| env.entries()) {
        if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
            let filled = scope.fill(text, &mut scripts.holes);
            scripts.env.vars.set(name, &Placed::joined(&filled));
        }
    }
    let filled = scope.fill(text, &mut scripts.holes);
    scripts.run(&filled, dialect);
    env.builder = scripts.env.builder.clone();
    env.builders = scripts.env.builders.clone();
    env.pulled = scripts.env.pulled.clone();
    env.alias = scripts.env.alias;
    scripts.finish()
}
