//! One job of a pipeline: where it runs, its variables, and its script.

use super::config::{Config, File};
use super::rules::{self, Pipeline};
use super::tree::{FileId, Tree};
use crate::builds::command::{self, ScriptEnv, ScriptText};
use crate::builds::lines::{around, together};
use crate::builds::template::{self, Holes};
use crate::builds::yaml::{Data, Node};
use crate::builds::{Build, ContextSource, Driver, Files, Placed, Setting, System, Value, Volatility};
use crate::shell::Dialect;
use crate::source::Joined;
use std::ops::Range;
use std::sync::Arc;

/// Jobs that one `parallel: matrix` may make (GitLab's limit is 200).
const MAX_LEGS: usize = 200;

/// Whether pipelines of this kind are made at all: `workflow: rules`. Without them there are none for merge requests,
/// unless a job asks for it.
pub(super) fn pipeline_runs(config: &Config<'_>, kind: Pipeline) -> bool {
    let Some(workflow) = config.root.get("workflow").and_then(|workflow| workflow.get("rules")) else {
        return true;
    };
    let vars = |name: &str| global(config, name);
    rules::rules(rules::items(workflow), kind, &vars).runs != Some(false)
}

fn global(config: &Config<'_>, name: &str) -> Option<String> {
    let value = config.root.get("variables")?.get(name)?;
    value.str().or_else(|| value.get("value").and_then(Tree::str)).map(str::to_owned)
}

/// Reads one job under one kind of pipeline.
pub(super) fn read<'f>(
    config: &Config<'f>,
    name: &str,
    kind: Pipeline,
    files: Files<'f>,
    out: &mut Vec<Build>,
) {
    let job = config.job(name);
    let keys = ["before_script", "script", "after_script"];
    let lines: Vec<(FileId, Arc<Node<'f>>)> =
        keys.iter().flat_map(|key| config.lines(job.get(key))).collect();
    let may_build = lines.iter().any(|(_, line)| line.str().is_some_and(command::may_build));
    if !may_build {
        return;
    }
    let Some(decided) = runs(config, &job, kind) else { return };
    for leg in legs(&job) {
        let mut env =
            ScriptEnv::new(config.path(lines.first().map_or(0, |(file, _)| *file)), System::GitlabCi);
        env.name = vec![name.to_owned()];
        env.job = job_key(config, name, &leg);
        env.matrix.clone_from(&leg);
        env.trigger = kind.trigger();
        env.here = Some(String::new());
        place(config, &job, &mut env);
        variables(config, &job, decided.rule, kind, &leg, &mut env);
        kept(config, &job, &mut env);
        let from = out.len();
        script(config, &lines, &mut env, files, out);
        if decided.open
            && let Some((file, rules)) = condition(&job)
        {
            let path = config.path(file);
            out.iter_mut().skip(from).for_each(|build| build.only_if(&path, rules.span));
        }
    }
}

/// The stages where a file names none.
const STAGES: [&str; 3] = ["build", "test", "deploy"];

/// How many earlier jobs of one are told.
const MAX_ENDED: usize = 200;

/// The stage of every job, by its place in the order of stages.
pub(super) fn ranks(config: &Config<'_>) -> Vec<(String, Option<usize>)> {
    let named: Vec<String> = config
        .root
        .get("stages")
        .map(|stages| config.lines(Some(stages)))
        .unwrap_or_default()
        .iter()
        .filter_map(|(_, stage)| stage.str().map(str::to_owned))
        .collect();
    let stages = if named.is_empty() { STAGES.map(str::to_owned).to_vec() } else { named };
    let rank = |name: &str| {
        let job = config.job(name);
        let stage = job.get("stage").and_then(Tree::str).unwrap_or("test");
        stages.iter().position(|known| known == stage)
    };
    config.jobs().map(|name| (name.to_owned(), rank(name))).collect()
}

/// Keys of the jobs that have ended when a job starts: those that it `needs`, else those of earlier stages.
pub(super) fn ended_before(
    config: &Config<'_>,
    name: &str,
    ranks: &[(String, Option<usize>)],
) -> Vec<String> {
    if let Some(needs) = config.job(name).get("needs") {
        let lines = config.lines_or_maps(&config.resolved(needs));
        let names = lines.iter().filter_map(|(_, need)| {
            need.str().or_else(|| need.get("job").and_then(|job| job.str())).map(str::to_owned)
        });
        return names.take(MAX_ENDED).map(|needed| job_key(config, &needed, &[])).collect();
    }
    let Some(own) = ranks.iter().find(|(other, _)| other == name).and_then(|(_, rank)| *rank) else {
        return Vec::new();
    };
    let earlier = ranks.iter().filter(|(_, rank)| rank.is_some_and(|rank| rank < own));
    earlier.take(MAX_ENDED).map(|(other, _)| job_key(config, other, &[])).collect()
}

fn job_key(config: &Config<'_>, name: &str, leg: &[(String, String)]) -> String {
    let path = config.files.first().map_or("", |file| &file.path);
    if leg.is_empty() {
        return format!("{path}#{name}");
    }
    let values: Vec<&str> = leg.iter().map(|(_, value)| value.as_str()).collect();
    format!("{path}#{name}({})", values.join(", "))
}

/// A job that runs, or may.
struct Decided {
    /// The rule that says so.
    rule: Option<usize>,
    /// Whether it turns on what no file tells.
    open: bool,
}

/// Whether the job runs; `None` where it never does.
fn runs<'f>(config: &Config<'f>, job: &Tree<'f>, kind: Pipeline) -> Option<Decided> {
    let own = |name: &str| {
        let value = job.get("variables").and_then(|variables| variables.get(name));
        value.and_then(|value| value.str().map(str::to_owned)).or_else(|| global(config, name))
    };
    let decided = |runs: Option<bool>, rule| {
        (runs != Some(false)).then(|| Decided { rule, open: runs.is_none() || by_hand(job) })
    };
    if let Some(list) = job.get("rules") {
        let list = config.resolved(list);
        let items = flat_rules(config, &list);
        let outcome = rules::rules(&items, kind, &own);
        return decided(outcome.runs, outcome.rule);
    }
    let (only, except) = (job.get("only"), job.get("except"));
    let workflow = config.root.get("workflow").and_then(|workflow| workflow.get("rules")).is_some();
    let runs = match (only, except) {
        // What the workflow lets through runs in every job that says nothing else.
        (None, None) if workflow => Some(true),
        // Schedules are runs like any others; they are only mentioned where somebody has them in mind.
        (None, None) if kind == Pipeline::Schedule => Some(false),
        _ => rules::only_except(only, except, kind, &own),
    };
    decided(runs, None)
}

/// Whether the job waits for somebody to start it.
fn by_hand(job: &Tree<'_>) -> bool {
    job.get("when").and_then(Tree::str) == Some("manual")
}

/// Where it is written when a job runs.
fn condition<'t, 'f>(job: &'t Tree<'f>) -> Option<(FileId, &'t Arc<Node<'f>>)> {
    let manual = Some("when").filter(|_| by_hand(job));
    let mut keys = manual.into_iter().chain(["rules", "only", "except"]);
    keys.find_map(|key| first_leaf(job.get(key)?))
}

/// The first text of what may be written in several places.
fn first_leaf<'t, 'f>(tree: &'t Tree<'f>) -> Option<(FileId, &'t Arc<Node<'f>>)> {
    tree.leaf().or_else(|| tree.entries().iter().find_map(|(_, value)| value.leaf()))
}

/// The rules with references in them laid flat.
fn flat_rules<'f>(config: &Config<'f>, list: &Tree<'f>) -> Vec<Arc<Node<'f>>> {
    let mut flat = Vec::new();
    for item in rules::items(list) {
        match config.reference(item).as_ref().map(rules::items) {
            Some(items) => flat.extend(items.iter().cloned()),
            None if item.is_seq() => flat.extend(item.items().iter().cloned()),
            None => flat.push(Arc::clone(item)),
        }
    }
    flat
}

/// The machine: `services: docker:dind` is an engine that lives as long as the job.
fn place<'f>(config: &Config<'f>, job: &Tree<'f>, env: &mut ScriptEnv) {
    let services = job.get("services").map(|services| config.resolved(services));
    let mut dind = None;
    for (file, service) in services.as_ref().into_iter().flat_map(|services| config.lines_or_maps(services)) {
        let Some(name) = service.str().or_else(|| service.get("name").and_then(|name| name.str())) else {
            continue;
        };
        if name.contains("dind") || name.contains("docker:") && !name.contains('-') {
            let node =
                if service.str().is_some() { &service } else { service.get("name").unwrap_or(&service) };
            dind = Some((file, name.to_owned(), node.span));
        }
        let command = service.get("command").map(|node| node.span.of(config.text(file))).unwrap_or("");
        if command.contains("containerd-snapshotter=true") {
            env.engine.containerd_store = Some(true);
        }
    }
    if let Some((file, name, span)) = dind {
        env.engine.persistent = Some(false);
        if let Some(version) = engine_version(&name) {
            let path = Some(config.path(file));
            let version = Setting { path, ..Setting::new(version.to_owned(), span) };
            env.engine.versions.push(("engine".to_owned(), version));
        }
    } else if job.get("tags").and_then(Tree::leaf).is_some_and(|(_, tags)| {
        tags.strings().any(|(tag, _)| tag.starts_with("saas-") || tag.starts_with("gitlab-org"))
    }) {
        env.engine.persistent = Some(false);
    }
    client(config, job, env);
    env.engine.driver = Driver::Docker;
    env.builder = env.engine.clone();
}

/// The Docker program of the job's image: `docker:19.03`; that of `docker/compose` is as old as that project.
fn client<'f>(config: &Config<'f>, job: &Tree<'f>, env: &mut ScriptEnv) {
    let Some(image) = job.get("image").or_else(|| config.root.get("image")) else { return };
    let Some((file, node)) = image.leaf().or_else(|| image.get("name").and_then(Tree::leaf)) else { return };
    let Some(name) = node.str() else { return };
    let path = name.split(':').next().unwrap_or("");
    let version = match path {
        "docker/compose" => Some("19.03"),
        _ if path.rsplit('/').next() == Some("docker") => engine_version(name),
        _ => None,
    };
    if let Some(version) = version {
        let version =
            Setting { path: Some(config.path(file)), ..Setting::new(version.to_owned(), node.span) };
        env.engine.versions.push(("cli".to_owned(), version));
    }
}

/// `docker:28.3.0-dind`, `registry/docker:24-dind`: the version, if the tag has one.
fn engine_version(image: &str) -> Option<&str> {
    let tag = image.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))?;
    let version = tag.split('-').next()?;
    version.starts_with(|ch: char| ch.is_ascii_digit()).then_some(version)
}

/// Variables: global ones, those of the workflow's and the job's rules, the job's, the matrix'.
fn variables<'f>(
    config: &Config<'f>,
    job: &Tree<'f>,
    rule: Option<usize>,
    kind: Pipeline,
    leg: &[(String, String)],
    env: &mut ScriptEnv,
) {
    let set = |env: &mut ScriptEnv, tree: Option<&Tree<'_>>| {
        for (name, value) in tree.map_or(&[][..], Tree::entries) {
            let leaf = value.leaf().or_else(|| value.get("value").and_then(Tree::leaf));
            if let Some((file, node)) = leaf {
                set_variable(config, name, file, node, env);
            }
        }
    };
    set(env, config.root.get("variables"));
    let none = |_: &str| None;
    if let Some(list) = config.root.get("workflow").and_then(|workflow| workflow.get("rules")) {
        let items = rules::items(list);
        let decided = rules::rules(items, kind, &none).rule;
        if let (Some((file, _)), Some(rule)) = (list.leaf(), decided.and_then(|index| items.get(index))) {
            rule_variables(config, file, rule, env);
        }
    }
    set(env, job.get("variables"));
    if let (Some(index), Some(list)) = (rule, job.get("rules")) {
        let list = config.resolved(list);
        if let (Some(rule), Some((file, _))) = (flat_rules(config, &list).get(index), list.leaf()) {
            rule_variables(config, file, rule, env);
        }
    }
    for (name, value) in leg {
        env.vars.set_foreign(name, value);
    }
}

fn rule_variables(config: &Config<'_>, file: FileId, rule: &Node<'_>, env: &mut ScriptEnv) {
    for entry in rule.get("variables").map_or(&[][..], |variables| variables.entries()) {
        if let Some(name) = entry.name() {
            set_variable(config, name, file, &entry.value, env);
        }
    }
}

fn set_variable(config: &Config<'_>, name: &str, file: FileId, node: &Node<'_>, env: &mut ScriptEnv) {
    let Some(text) = node.text() else { return };
    if config.path(file) == env.path {
        env.vars.set(name, &Placed::joined(text));
    } else {
        env.vars.set_foreign(name, &text.text);
    }
}

/// The legs of `parallel: matrix`.
fn legs(job: &Tree<'_>) -> Vec<Vec<(String, String)>> {
    let matrix = job.get("parallel").and_then(|parallel| parallel.get("matrix"));
    let Some((_, matrix)) = matrix.and_then(Tree::leaf) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for entry in matrix.items() {
        let mut legs: Vec<Vec<(String, String)>> = vec![Vec::new()];
        for variable in entry.entries() {
            let Some(name) = variable.name() else { continue };
            let mut next = Vec::new();
            for leg in &legs {
                for (value, _) in variable.value.strings() {
                    if next.len() < MAX_LEGS {
                        let mut leg = leg.clone();
                        leg.push((name.to_owned(), value.to_owned()));
                        next.push(leg);
                    }
                }
            }
            legs = next;
        }
        all.extend(legs);
        all.truncate(MAX_LEGS);
    }
    if all.is_empty() { vec![Vec::new()] } else { all }
}

/// `cache: paths`.
fn kept(config: &Config<'_>, job: &Tree<'_>, env: &mut ScriptEnv) {
    let Some(cache) = job.get("cache") else { return };
    let mut add = |file: FileId, node: &Node<'_>| {
        let path = Some(config.path(file));
        let place = |(text, span)| Setting { path: path.clone(), ..Setting::new(Value::of(text), span) };
        env.kept.extend(node.strings().map(place));
    };
    if let Some((file, paths)) = cache.get("paths").and_then(Tree::leaf) {
        add(file, paths);
    }
    if let Some((file, list)) = cache.leaf() {
        for one in list.items() {
            if let Some(paths) = one.get("paths") {
                add(file, paths);
            }
        }
    }
}

/// Runs the lines of a job, as one text as far as they stand in one file.
fn script<'f>(
    config: &Config<'f>,
    lines: &[(FileId, Arc<Node<'f>>)],
    env: &mut ScriptEnv,
    files: Files<'f>,
    out: &mut Vec<Build>,
) {
    let mut holes = Holes::default();
    let mut builds = Vec::new();
    let mut groups = lines.chunk_by(|a, b| a.0 == b.0).peekable();
    while let Some(group) = groups.next() {
        let Some(file) = group.first().and_then(|(id, _)| config.files.get(*id)) else { continue };
        let texts = group.iter().filter_map(|(_, node)| node.text());
        let joined = filled(&together(texts), file, &mut holes);
        if env.path != file.path {
            env.vars = env.vars.abroad();
            env.builder.set_by = None;
            env.path = Arc::clone(&file.path);
        }
        let text = ScriptText { source: file.text, joined: &joined, dialect: Dialect::Posix };
        command::read_script(&text, env, files, &mut builds);
        if groups.peek().is_some() && joined.text.contains("cd ") {
            env.cwd = directory_after(&joined, file, env, files);
        }
    }
    for build in &mut builds {
        holes.restore(build);
        build.at_home();
    }
    out.append(&mut builds);
}

/// The directory in which a script ends: where a build behind its last line would run.
fn directory_after(
    script: &Joined<'_>,
    file: &File<'_>,
    env: &ScriptEnv,
    files: Files<'_>,
) -> Option<String> {
    let probe = around("", script, "\ndocker build -t probe .\n");
    let text = ScriptText { source: file.text, joined: &probe, dialect: Dialect::Posix };
    let mut builds = Vec::new();
    command::read_script(&text, &mut env.clone(), files, &mut builds);
    match builds.pop()?.context.value {
        ContextSource::Path(path) => Some(path),
        _ => None,
    }
}

/// `$[[ inputs.x ]]` replaced.
fn filled<'a>(text: &Joined<'a>, file: &File<'_>, holes: &mut Holes) -> Joined<'a> {
    template::fill(text, holes, &next_input, &mut |expression, holes| {
        let inner = expression.trim_start_matches("$[[").trim_end_matches("]]").trim();
        let name = inner.strip_prefix("inputs.").unwrap_or(inner).split('|').next().unwrap_or("").trim();
        match file.inputs.get(name) {
            Some(value) => value.clone(),
            None => holes.stand_in(expression.to_owned(), Volatility::Unknown).to_string(),
        }
    })
}

fn next_input(text: &str, from: usize) -> Option<Range<usize>> {
    let start = from + memchr::memmem::find(text.as_bytes().get(from..)?, b"$[[")?;
    let end = start + memchr::memmem::find(text.as_bytes().get(start..)?, b"]]")? + 2;
    Some(start..end)
}

impl<'f> Config<'f> {
    fn text(&self, file: FileId) -> &'f str {
        self.files.get(file).map_or("", |file| file.text)
    }

    fn path(&self, file: FileId) -> Arc<str> {
        self.files.get(file).map_or_else(|| "".into(), |file| Arc::clone(&file.path))
    }

    /// The items of a list that may be texts or mappings.
    fn lines_or_maps(&self, tree: &Tree<'f>) -> Vec<(FileId, Arc<Node<'f>>)> {
        let Some((file, node)) = tree.leaf() else { return Vec::new() };
        match &node.data {
            Data::Seq(items) => items.iter().map(|item| (file, Arc::clone(item))).collect(),
            _ => vec![(file, Arc::clone(node))],
        }
    }
}
