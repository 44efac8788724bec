//! The steps of a job.

use super::params::Params;
use super::{Config, placed};
use crate::builds::lines::Scripts;
use crate::builds::yaml::Node;
use crate::builds::{Build, Setting, Value, join};
use crate::shell::Dialect;
use crate::source::Span;

/// Nesting of commands.
const MAX_DEPTH: u32 = 8;
/// Steps of one job, those of commands counted as often as they are used.
const MAX_STEPS: u32 = 5_000;

/// A job while its steps are read.
pub(super) struct Runner<'r, 'f> {
    pub(super) config: &'r Config<'r, 'f>,
    pub(super) scripts: Scripts<'r, 'f>,
    /// `working_directory` of the job.
    pub(super) directory: Option<String>,
    /// Where the checkout is, if not in the working directory (`checkout: {path: …}`).
    checkout: Option<String>,
    budget: u32,
}

impl<'r, 'f> Runner<'r, 'f> {
    pub(super) fn new(config: &'r Config<'r, 'f>, scripts: Scripts<'r, 'f>) -> Self {
        Self { config, scripts, directory: None, checkout: None, budget: MAX_STEPS }
    }

    pub(super) fn finish(self) -> Vec<Build> {
        self.scripts.finish()
    }

    /// What the job runs on: layer caching keeps the engine's disk for the next job.
    pub(super) fn executor(&mut self, job: &Node<'_>, params: &Params) {
        let named = job.get("executor").and_then(|executor| {
            let name = executor.str().or_else(|| executor.get("name").and_then(|name| name.str()))?;
            let name = name.trim_start_matches("<< parameters.").trim_start_matches("<<parameters.");
            let name = name.trim_end_matches(">>").trim();
            let name = params.known(name).unwrap_or_else(|| name.to_owned());
            self.config.root.at(&["executors", &name])
        });
        for node in [named, Some(job)].into_iter().flatten() {
            let caching = node.at(&["machine", "docker_layer_caching"]);
            self.layer_caching(caching, params);
            self.environment(node.get("environment").map(|node| &**node).filter(|_| named.is_some()), params);
            let class = node.get("resource_class").and_then(|class| class.str());
            if class.is_some_and(|class| class.contains('/')) {
                // A machine of the user's own.
                self.persistent(None);
            }
        }
    }

    fn layer_caching(&mut self, node: Option<&Node<'_>>, params: &Params) {
        match node.map(|node| params.condition(node, self.config.root)) {
            Some(Some(true)) => self.persistent(Some(true)),
            Some(None) => self.persistent(None),
            _ => {}
        }
    }

    fn persistent(&mut self, value: Option<bool>) {
        self.scripts.env.engine.persistent = value;
        self.scripts.env.builder.persistent = value;
    }

    /// Adds variables.
    pub(super) fn environment(&mut self, node: Option<&Node<'_>>, params: &Params) {
        for entry in node.map_or(&[][..], Node::entries) {
            if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
                let filled = params.fill(text, self.config.root, &mut self.scripts.holes);
                self.scripts.env.vars.set(name, &placed(&filled));
            }
        }
    }

    /// Reads steps one after the other.
    pub(super) fn steps(&mut self, list: Option<&Node<'_>>, params: &Params, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        for step in list.map_or(&[][..], Node::items) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            if step.is_seq() {
                self.steps(Some(&**step), params, depth + 1);
                continue;
            }
            let (name, given) = match step.str() {
                Some(name) => (name, None),
                None => match step.entries().first().and_then(|entry| Some((entry.name()?, &entry.value))) {
                    Some((name, given)) => (name, Some(&**given)),
                    None => continue,
                },
            };
            self.step(step.span, name, given, params, depth);
        }
    }

    fn step(&mut self, span: Span, name: &str, given: Option<&Node<'_>>, params: &Params, depth: u32) {
        match name {
            "run" => self.run(given, params),
            "setup_remote_docker" => {
                self.layer_caching(
                    given.and_then(|given| given.get("docker_layer_caching")).map(|node| &**node),
                    params,
                );
            }
            "when" | "unless" => {
                let Some(given) = given else { return };
                let holds = given.get("condition").and_then(|node| params.condition(node, self.config.root));
                let wanted = name == "when";
                if holds != Some(!wanted) {
                    self.steps(given.get("steps").map(|node| &**node), params, depth + 1);
                }
            }
            "save_cache" => {
                let paths = given.and_then(|given| given.get("paths"));
                for (path, span) in paths.iter().flat_map(|paths| paths.strings()) {
                    self.scripts.env.kept.push(Setting::new(Value::of(path), span));
                }
            }
            "checkout" => {
                let path = given.and_then(|given| given.get("path")).and_then(|path| path.str());
                self.checkout = path.map(|path| absolute(path, self.working()));
            }
            "restore_cache"
            | "persist_to_workspace"
            | "attach_workspace"
            | "store_artifacts"
            | "store_test_results"
            | "add_ssh_keys" => {}
            command => {
                let root = self.config.root;
                if let Some(definition) = root.at(&["commands", command]) {
                    let mut inner = params.passed(given, root);
                    inner.declare(definition.get("parameters").map(|node| &**node), root);
                    self.steps(definition.get("steps").map(|node| &**node), &inner, depth + 1);
                } else if command.contains('/') {
                    let mut inner = params.passed(given, root);
                    inner.span = Some(span);
                    self.orb(command, &inner, span);
                }
            }
        }
    }

    fn run(&mut self, given: Option<&Node<'_>>, params: &Params) {
        let Some(given) = given else { return };
        let text = given.text().or_else(|| given.get("command").and_then(|command| command.text()));
        let Some(text) = text else { return };
        let filled = params.fill(text, self.config.root, &mut self.scripts.holes);
        let directory = given.get("working_directory").and_then(|node| node.text());
        let directory = directory
            .map(|text| params.fill(text, self.config.root, &mut self.scripts.holes).text.to_string());
        self.scripts.env.cwd = self.directory_of(directory.as_deref());
        let names = self.scripts.env.name.len();
        if let Some(name) = given.get("name").and_then(|name| name.str()) {
            self.scripts.env.name.push(name.to_owned());
        }
        let outer = self.scripts.env.vars.clone();
        self.environment(given.get("environment").map(|node| &**node), params);
        let shell = given.get("shell").and_then(|shell| shell.str());
        let dialect = shell.map_or(Dialect::Posix, |shell| Dialect::of_shell(shell.split_whitespace()));
        self.scripts.run(&filled, dialect);
        self.scripts.env.vars = outer;
        self.scripts.env.name.truncate(names);
    }

    fn working(&self) -> &str {
        self.directory.as_deref().unwrap_or(PROJECT)
    }

    /// A step's directory, relative to the checkout.
    fn directory_of(&self, text: Option<&str>) -> Option<String> {
        let directory = text.map_or_else(|| self.working().to_owned(), |text| absolute(text, self.working()));
        let root = self.checkout.as_deref().unwrap_or(self.working());
        match inside(&directory, root).or_else(|| inside(&directory, PROJECT)) {
            Some(rest) => join("", rest),
            // Somewhere else: that of the job is then as good as the checkout's.
            None => text.map_or_else(|| Some(String::new()), |text| join("", text)),
        }
    }
}

/// Where jobs run that say nothing else.
const PROJECT: &str = "~/project";

/// A path as it is from the working directory.
fn absolute(path: &str, working: &str) -> String {
    if path.starts_with(['/', '~', '$']) {
        return path.trim_end_matches('/').to_owned();
    }
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let working = working.trim_end_matches('/');
    if matches!(path, "" | ".") { working.to_owned() } else { format!("{working}/{path}") }
}

/// The rest of `path` below `root`.
fn inside<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(root.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}
