//! CircleCI: jobs of workflows with their parameters, commands and executors of the same file, and the orbs of CircleCI
//! that build images.

mod orbs;
mod params;
mod steps;

use super::command::ScriptEnv;
use super::lines::Scripts;
use super::yaml::{self, Node};
use super::{Build, Driver, Files, Placed, ReadError, System, Trigger};
use params::Params;
use std::sync::Arc;
use steps::Runner;

/// Jobs that the workflows of one file may start, each leg of a matrix counted.
const MAX_JOBS: usize = 500;

/// The builds of a configuration.
///
/// # Errors
/// Where the file is not YAML.
pub(super) fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Result<Vec<Build>, ReadError> {
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let config = Config { path: path.into(), text, files, root: &root };
    let mut out = Vec::new();
    let workflows = root.get("workflows").filter(|workflows| workflows.is_map());
    let Some(workflows) = workflows else {
        config.job(
            "build",
            &Params::default(),
            Trigger { any_branch: true, default_branch: true, ..Trigger::default() },
            None,
            &mut out,
        );
        return Ok(out);
    };
    let mut count = 0;
    for workflow in workflows.entries() {
        let scheduled = workflow.value.get("triggers").is_some();
        for item in workflow.value.get("jobs").map_or(&[][..], |jobs| jobs.items()) {
            let (name, given) = match item.str() {
                Some(name) => (name, None),
                None => match item.entries().first().and_then(|entry| Some((entry.name()?, &entry.value))) {
                    Some((name, given)) => (name, Some(&**given)),
                    None => continue,
                },
            };
            let trigger = trigger(given, scheduled);
            for leg in params::legs(given) {
                count += 1;
                if count > MAX_JOBS {
                    return Ok(out);
                }
                let mut params = Params::default();
                params.give(given);
                params.span = Some(item.span);
                leg.iter().for_each(|(key, value)| params.set(key, value.clone(), None));
                params.leg = leg;
                config.job(name, &params, trigger.clone(), workflow.name(), &mut out);
            }
        }
    }
    out.sort_by_key(|build| build.span);
    Ok(out)
}

/// `filters` of a job in a workflow.
fn trigger(given: Option<&Node<'_>>, scheduled: bool) -> Trigger {
    let mut trigger = Trigger { schedule: scheduled, ..Trigger::default() };
    let filters = given.and_then(|given| given.get("filters"));
    let list = |keys: [&str; 2]| -> Option<Vec<String>> {
        let node = filters?.at(&keys)?;
        Some(node.strings().map(|(text, _)| text.to_owned()).collect())
    };
    if scheduled {
        trigger.default_branch = true;
        return trigger;
    }
    trigger.release = list(["tags", "only"]).is_some();
    match (list(["branches", "only"]), list(["branches", "ignore"])) {
        (Some(only), _) => {
            let wild = only.iter().any(|name| name.starts_with('/'));
            trigger.default_branch = true;
            trigger.any_branch = wild || only.len() > 1;
        }
        (None, Some(ignored)) => {
            let all = ignored.iter().any(|name| name.contains(".*") && name.len() <= 5);
            trigger.any_branch = !all;
            trigger.default_branch =
                !all && !ignored.iter().any(|name| matches!(name.as_str(), "main" | "master"));
        }
        (None, None) => {
            trigger.any_branch = true;
            trigger.default_branch = true;
        }
    }
    trigger
}

/// A configuration file.
struct Config<'c, 'f> {
    path: Arc<str>,
    text: &'c str,
    files: Files<'f>,
    root: &'c Node<'f>,
}

impl<'f> Config<'_, 'f> {
    fn job(
        &self,
        name: &str,
        given: &Params,
        trigger: Trigger,
        workflow: Option<&str>,
        out: &mut Vec<Build>,
    ) {
        let mut env = ScriptEnv::new(Arc::clone(&self.path), System::CircleCi);
        let shown =
            given.known("name").map_or_else(|| name.to_owned(), |name| given.filled(&name, self.root));
        env.name = workflow.map(str::to_owned).into_iter().chain([shown.clone()]).collect();
        let leg: Vec<&str> = given.leg.iter().map(|(_, value)| value.as_str()).collect();
        env.job = format!("{}#{}", self.path, env.name.join("/"));
        if !leg.is_empty() {
            env.job = format!("{}({})", env.job, leg.join(", "));
        }
        env.matrix.clone_from(&given.leg);
        env.trigger = trigger;
        env.here = Some(String::new());
        env.engine.driver = Driver::Docker;
        env.engine.persistent = Some(false);
        env.builder = env.engine.clone();
        let Some(job) = self.root.at(&["jobs", name]) else {
            // A job of an orb.
            let mut runner = Runner::new(self, Scripts::new(self.text, env, self.files));
            runner.orb(name, given, given.span.unwrap_or_default());
            out.extend(runner.finish());
            return;
        };
        let mut params = given.clone();
        params.declare(job.get("parameters").map(|node| &**node), self.root);
        let mut runner = Runner::new(self, Scripts::new(self.text, env, self.files));
        runner.executor(job, &params);
        runner.environment(job.get("environment").map(|node| &**node), &params);
        runner.directory = job.get("working_directory").and_then(|node| node.str()).map(str::to_owned);
        runner.steps(job.get("steps").map(|node| &**node), &params, 0);
        out.extend(runner.finish());
    }
}

/// A text of the file with its parameters filled in.
fn placed(text: &crate::source::Joined<'_>) -> Placed {
    Placed::joined(text)
}
