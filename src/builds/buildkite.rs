//! Buildkite pipelines: commands and the docker-compose plugin.

mod plugin;

use super::command::ScriptEnv;
use super::lines::{self, Scripts, together};
use super::template;
use super::yaml::{self, Node};
use super::{Build, Driver, Files, Placed, ReadError, System, Trigger};
use crate::shell::Dialect;
use crate::source::Joined;
use std::ops::Range;
use std::sync::Arc;

/// Steps, each leg of a matrix counted, after which no more are read.
const MAX_STEPS: usize = 2_000;

/// The builds of a pipeline.
///
/// # Errors
/// Where the file is not YAML.
pub(super) fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Result<Vec<Build>, ReadError> {
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let mut reader = Reader {
        path: path.into(),
        text,
        files,
        env: root.get("env"),
        out: Vec::new(),
        count: 0,
        started: Vec::new(),
        ended: Vec::new(),
    };
    let steps = if root.is_seq() { &*root } else { root.get("steps").map_or(&*root, |steps| steps) };
    reader.steps(steps, &Trigger { any_branch: true, default_branch: true, ..Trigger::default() }, 0);
    plugin::without_prebuilt(&mut reader.out);
    reader.out.sort_by_key(|(build, _)| build.span);
    Ok(reader.out.into_iter().map(|(build, _)| build).collect())
}

/// How many earlier jobs of one are told.
const MAX_ENDED: usize = 200;

struct Reader<'r, 'f> {
    path: Arc<str>,
    text: &'r str,
    files: Files<'f>,
    env: Option<&'r Arc<Node<'f>>>,
    /// With the service that the plugin only builds to run it.
    out: Vec<(Build, Option<String>)>,
    count: usize,
    /// Keys of the jobs so far, and of those before the last `wait`.
    started: Vec<String>,
    ended: Vec<String>,
}

impl Reader<'_, '_> {
    fn steps(&mut self, list: &Node<'_>, trigger: &Trigger, depth: u32) {
        for step in list.items() {
            if step.str() == Some("wait")
                || step.get("wait").is_some()
                || step.get("type").is_some_and(|kind| kind.str() == Some("wait"))
            {
                self.ended.clone_from(&self.started);
                continue;
            }
            if depth < 4
                && let Some(steps) = step.get("steps")
            {
                self.steps(steps, &narrowed(trigger, step), depth + 1);
                continue;
            }
            let legs = legs(step.get("matrix").map(|matrix| &**matrix));
            for leg in legs {
                self.count += 1;
                if self.count > MAX_STEPS {
                    return;
                }
                self.step(step, &narrowed(trigger, step), &leg);
            }
        }
    }

    fn step(&mut self, step: &Node<'_>, trigger: &Trigger, leg: &[(String, String)]) {
        let mut env = ScriptEnv::new(Arc::clone(&self.path), System::Buildkite);
        let text = |key: &str| step.get(key).and_then(|node| node.str());
        let name = ["label", "name", "key", "id"].iter().find_map(|key| text(key));
        let name = name.map_or_else(|| format!("step {}", self.count), |name| matrix_in(name, leg));
        env.job = format!(
            "{}#{}",
            self.path,
            text("key").map_or_else(|| format!("{name}@{}", self.count), str::to_owned)
        );
        if self.started.len() < MAX_ENDED && self.started.last() != Some(&env.job) {
            self.started.push(env.job.clone());
        }
        let from = self.out.len();
        let values: Vec<&str> = leg.iter().map(|(_, value)| value.as_str()).collect();
        if !values.is_empty() {
            env.job = format!("{}({})", env.job, values.join(", "));
        }
        env.name = vec![name];
        env.matrix = leg.to_vec();
        env.trigger = trigger.clone();
        env.here = Some(String::new());
        env.engine.driver = Driver::Docker;
        env.builder = env.engine.clone();
        for env_node in [self.env.map(|env| &**env), step.get("env").map(|env| &**env)].into_iter().flatten()
        {
            for entry in env_node.entries() {
                if let (Some(name), Some(text)) = (entry.name(), entry.value.text()) {
                    env.vars.set(name, &Placed::joined(&interpolated(text, leg)));
                }
            }
        }
        let mut scripts = Scripts::new(self.text, env, self.files);
        for key in ["command", "commands"] {
            let Some(node) = step.get(key) else { continue };
            let texts: Vec<Joined<'static>> = match node.text() {
                Some(text) => vec![interpolated(text, leg)],
                None => node
                    .items()
                    .iter()
                    .filter_map(|item| item.text())
                    .map(|text| interpolated(text, leg))
                    .collect(),
            };
            scripts.run(&together(texts.iter()), Dialect::Posix);
        }
        let env = scripts.env.clone();
        self.out.extend(scripts.finish().into_iter().map(|build| (build, None)));
        if let Some(plugins) = step.get("plugins") {
            plugin::read(plugins, &env, self.files, leg, &mut self.out);
        }
        let condition = step.get("if").filter(|node| node.str().is_some_and(is_open));
        for (build, _) in self.out.iter_mut().skip(from) {
            build.after.clone_from(&self.ended);
            if let Some(condition) = condition {
                build.only_if(&env.path, condition.span);
            }
        }
    }
}

/// `branches` and `if` of a step.
fn narrowed(outer: &Trigger, step: &Node<'_>) -> Trigger {
    let mut trigger = outer.clone();
    if let Some(branches) = step.get("branches") {
        let names: Vec<&str> = branches.strings().flat_map(|(text, _)| text.split_whitespace()).collect();
        if names.iter().any(|name| !name.starts_with('!')) {
            let wild = names.iter().any(|name| name.contains('*'));
            trigger.any_branch = wild || names.len() > 1;
            trigger.default_branch =
                wild || names.iter().any(|name| matches!(*name, "main" | "master")) || names.len() == 1;
        } else if names.iter().any(|name| matches!(*name, "!main" | "!master")) {
            trigger.default_branch = false;
        }
    }
    if let Some(condition) = step.get("if").and_then(|node| node.str()) {
        let compact: String = condition.chars().filter(|ch| !ch.is_whitespace()).collect();
        let plain = !compact.contains("||");
        let main = [
            "\"main\"",
            "'main'",
            "\"master\"",
            "'master'",
            "pipeline.default_branch",
            "build.pipeline.default_branch",
        ];
        let has = |operator: &str| {
            main.iter().any(|name| compact.contains(&format!("build.branch{operator}{name}")))
        };
        if plain && has("==") {
            trigger.any_branch = false;
        } else if plain && has("!=") {
            trigger.default_branch = false;
        }
        if compact.contains("build.tag!=null") && plain {
            trigger = Trigger { release: true, ..Trigger::default() };
        }
        if compact.contains("build.pull_request.id!=null") && plain {
            trigger = Trigger { pull_request: true, any_branch: true, ..Trigger::default() };
        }
    }
    trigger
}

/// Whether an `if` asks for more than the branch, the tag and the pull request, which are the trigger.
fn is_open(condition: &str) -> bool {
    let mut rest = condition;
    while let Some(at) = rest.find("build.") {
        rest = rest.get(at + "build.".len()..).unwrap_or("");
        if !["branch", "tag", "pull_request.id", "pipeline."].iter().any(|known| rest.starts_with(known)) {
            return true;
        }
    }
    condition.contains("||")
}

/// The legs of `matrix`: a list, or `setup` with `adjustments` that skip.
fn legs(matrix: Option<&Node<'_>>) -> Vec<Vec<(String, String)>> {
    let Some(matrix) = matrix else { return vec![Vec::new()] };
    if matrix.is_seq() {
        return matrix
            .strings()
            .take(256)
            .map(|(value, _)| vec![(String::new(), value.to_owned())])
            .collect();
    }
    let Some(setup) = matrix.get("setup") else { return vec![Vec::new()] };
    if setup.is_seq() {
        return legs(Some(&**setup));
    }
    let mut legs: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for entry in setup.entries() {
        let Some(name) = entry.name() else { continue };
        let mut next = Vec::new();
        for leg in &legs {
            for (value, _) in entry.value.strings() {
                if next.len() < 256 {
                    let mut leg = leg.clone();
                    leg.push((name.to_owned(), value.to_owned()));
                    next.push(leg);
                }
            }
        }
        legs = next;
    }
    for adjustment in matrix.get("adjustments").map_or(&[][..], |list| list.items()) {
        let pairs: Option<Vec<(String, String)>> = adjustment.get("with").map(|with| {
            let pair =
                |entry: &yaml::Entry<'_>| Some((entry.name()?.to_owned(), entry.value.str()?.to_owned()));
            with.entries().iter().filter_map(pair).collect()
        });
        let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty()) else { continue };
        let skip = adjustment.get("skip").is_some_and(|skip| skip.bool() != Some(false));
        let same = |leg: &Vec<(String, String)>| pairs.iter().all(|pair| leg.contains(pair));
        if skip {
            legs.retain(|leg| !same(leg));
        } else if !legs.iter().any(same) && legs.len() < 256 {
            legs.push(pairs);
        }
    }
    legs
}

/// A name with the leg's values in it.
fn matrix_in(name: &str, leg: &[(String, String)]) -> String {
    let text = Joined::whole(name, crate::source::Span::new(0, name.len()));
    interpolated(&text, leg).text.into_owned()
}

/// What the upload of a pipeline replaces: `{{matrix}}` by the leg's value, `$$` by the dollar that the agent's shell sees.
fn interpolated(text: &Joined<'_>, leg: &[(String, String)]) -> Joined<'static> {
    let mut holes = template::Holes::default();
    let filled = template::fill(text, &mut holes, &next, &mut |expression, _| {
        if expression == "$$" {
            return "$".to_owned();
        }
        let name = expression.trim_start_matches("{{").trim_end_matches("}}").trim();
        let key = name.strip_prefix("matrix.").unwrap_or("");
        let value = leg.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone());
        value.unwrap_or_else(|| expression.to_owned())
    });
    lines::end_to_end(std::iter::once(&filled))
}

/// The next `$$`, `\$` or `{{matrix…}}`.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let rest = text.get(from..)?;
        let at = from + memchr::memchr2(b'$', b'{', rest.as_bytes())?;
        let here = text.get(at..)?;
        if here.starts_with("$$") {
            return Some(at..at + 2);
        }
        if let Some(inner) = here.strip_prefix("{{")
            && inner.trim_start().starts_with("matrix")
            && let Some(end) = inner.find("}}")
        {
            return Some(at..at + end + 4);
        }
        from = at + 1;
    }
}
