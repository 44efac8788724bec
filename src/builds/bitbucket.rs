//! Bitbucket Pipelines. Every step has an engine of its own that is new each time.

use super::command::ScriptEnv;
use super::lines::{Scripts, as_is};
use super::yaml::{self, Node};
use super::{Build, Driver, Files, Placed, ReadError, Setting, System, Trigger, Value};

/// The builds of `bitbucket-pipelines.yml`.
///
/// # Errors
/// Where the file is not YAML.
pub(super) fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Result<Vec<Build>, ReadError> {
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let mut reader = Reader { path, text, files, root: &root, out: Vec::new(), count: 0 };
    let Some(pipelines) = root.get("pipelines") else { return Ok(Vec::new()) };
    for entry in pipelines.entries() {
        let kind = entry.name().unwrap_or("");
        if kind == "default" {
            let trigger = Trigger { any_branch: true, default_branch: true, ..Trigger::default() };
            reader.steps(&entry.value, "default", &trigger, 0);
            continue;
        }
        for pipeline in entry.value.entries() {
            let name = pipeline.name().unwrap_or("");
            reader.steps(&pipeline.value, &format!("{kind} {name}"), &trigger(kind, name), 0);
        }
    }
    Ok(reader.out)
}

/// When a pipeline of this section runs.
fn trigger(kind: &str, name: &str) -> Trigger {
    let mut trigger = Trigger::default();
    match kind {
        "branches" => {
            let wild = name.contains(['*', '{', '?']);
            trigger.any_branch = wild;
            trigger.default_branch =
                !wild || name.contains("main") || name.contains("master") || name.starts_with('*');
        }
        "tags" => trigger.release = true,
        "pull-requests" => trigger.pull_request = true,
        _ => trigger.unknown = true,
    }
    trigger
}

struct Reader<'r, 'f> {
    path: &'r str,
    text: &'r str,
    files: Files<'f>,
    root: &'r Node<'f>,
    out: Vec<Build>,
    count: usize,
}

impl Reader<'_, '_> {
    fn steps(&mut self, list: &Node<'_>, pipeline: &str, trigger: &Trigger, depth: u32) {
        if depth > 4 || self.count > 2_000 {
            return;
        }
        for item in list.items() {
            if let Some(step) = item.get("step") {
                self.step(step, pipeline, trigger);
            }
            for group in ["parallel", "stage"] {
                let Some(group) = item.get(group) else { continue };
                let steps = group.get("steps").unwrap_or(group);
                self.steps(steps, pipeline, trigger, depth + 1);
            }
        }
    }

    fn step(&mut self, step: &Node<'_>, pipeline: &str, trigger: &Trigger) {
        self.count += 1;
        let mut env = ScriptEnv::new(self.path, System::Bitbucket);
        let name = step
            .get("name")
            .and_then(|name| name.str())
            .map_or_else(|| format!("step {}", self.count), str::to_owned);
        env.job = format!("{}#{pipeline}#{}", self.path, self.count);
        env.name = vec![pipeline.to_owned(), name];
        env.trigger = trigger.clone();
        env.here = Some(String::new());
        let own = step.get("runs-on");
        let self_hosted = own.is_some_and(|labels| labels.strings().any(|(label, _)| label.contains("self")));
        env.engine.driver = Driver::Docker;
        env.engine.persistent = (!self_hosted).then_some(false);
        env.builder = env.engine.clone();
        if let Some(caches) = step.get("caches") {
            for (cache, span) in caches.strings() {
                let path = self.root.at(&["definitions", "caches", cache]);
                let path = path.map(|node| node.get("path").map_or(node, |path| path));
                match path.and_then(|node| Some((node.str()?, node.span))) {
                    Some((path, span)) => env.kept.push(Setting::new(Value::of(path), span)),
                    None => env.kept.push(Setting::new(Value::Known(cache.to_owned()), span)),
                }
            }
        }
        let mut scripts = Scripts::new(self.text, env, self.files);
        for key in ["script", "after-script"] {
            let Some(script) = step.get(key) else { continue };
            // Pipes stand among the lines; they have variables of their own and build nothing.
            for pipe in script.items().iter().filter(|item| item.is_map()) {
                for entry in pipe.get("variables").map_or(&[][..], |variables| variables.entries()) {
                    if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
                        scripts.env.vars.set(name, &Placed::joined(text));
                    }
                }
            }
            scripts.run_node(script, &mut as_is);
        }
        self.out.extend(scripts.finish());
    }
}
