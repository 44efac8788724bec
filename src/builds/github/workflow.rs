//! Workflows and their jobs, under one event at a time.

use super::builder::{self, Caller};
use super::context::{Context, Values, find};
use super::event::{Event, Kind};
use super::matrix;
use super::runner;
use super::state::State;
use super::steps::Job;
use crate::builds::command::Followed;
use crate::builds::expr::{Sym, Val};
use crate::builds::make::Makefiles;
use crate::builds::template::Holes;
use crate::builds::yaml::{self, Node};
use crate::builds::{Build, Files, Volatility, join};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Steps that are looked at in all: legs, events and called workflows multiply.
const MAX_STEPS: u32 = 20_000;
/// Nesting of called workflows and actions; GitHub's own limit is ten.
pub(super) const MAX_DEPTH: u32 = 10;
/// How many jobs are followed that a job waits for.
const MAX_NEEDED: usize = 200;

/// What one reading of a file carries along.
pub(super) struct Reader<'f> {
    /// Other files.
    pub files: Files<'f>,
    /// The unknown expressions.
    pub holes: Holes,
    /// Steps that may still be looked at.
    pub budget: u32,
    /// The builds found under the event at hand.
    pub builds: Vec<Build>,
    /// The Makefiles that its steps run.
    pub makefiles: Makefiles,
    /// The scripts that they run.
    pub followed: Followed,
    /// The called workflows and actions that are being read: one that comes to itself again is not read once more.
    open: Vec<String>,
    parsed: FxHashMap<String, Option<Arc<Node<'f>>>>,
}

impl<'f> Reader<'f> {
    /// A reader of the file at `path` that has found nothing yet.
    pub(super) fn new(files: Files<'f>, path: &str) -> Self {
        Self {
            files,
            holes: Holes::default(),
            budget: MAX_STEPS,
            builds: Vec::new(),
            makefiles: Makefiles::default(),
            followed: Followed::default(),
            open: vec![path.to_owned()],
            parsed: FxHashMap::default(),
        }
    }

    /// A file that a job or step calls, to be read until [`Reader::leave`]. `None` where there is none, or no end.
    pub(super) fn enter(&mut self, path: &str) -> Option<(&'f str, Arc<Node<'f>>)> {
        if self.budget == 0 || self.open.iter().any(|open| open == path) {
            return None;
        }
        self.budget -= 1;
        let text = (self.files)(path)?;
        let parsed = self.parsed.entry(path.to_owned());
        let root = parsed.or_insert_with(|| yaml::parse(text).ok().flatten()).clone()?;
        self.open.push(path.to_owned());
        Some((text, root))
    }

    /// Notes of the builds from `from` on that they run only if `condition` holds, which no file tells.
    pub(super) fn runs_if(&mut self, from: usize, condition: Option<&Node<'_>>, file: &File<'_>) {
        let Some(span) = condition.map(|node| node.span) else { return };
        self.builds.iter_mut().skip(from).for_each(|build| build.only_if(&file.path, span));
    }

    /// Ends what [`Reader::enter`] began.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }
}

/// A file of the project.
#[derive(Clone)]
pub(super) struct File<'a> {
    /// Its path.
    pub path: Arc<str>,
    /// Its text.
    pub text: &'a str,
}

/// How a workflow is run.
pub(super) struct Call<'e> {
    /// The event.
    pub event: &'e Event,
    /// Its inputs.
    pub inputs: Values,
    /// Names of the jobs that call it.
    pub names: Vec<String>,
    /// What job keys start with.
    pub job: String,
    /// Nesting.
    pub depth: u32,
}

/// Reads all jobs of a workflow.
pub(super) fn workflow(reader: &mut Reader<'_>, file: &File<'_>, root: &Node<'_>, call: &Call<'_>) {
    let Some(jobs) = root.get("jobs") else { return };
    let mut base = Context::new(call.event);
    base.inputs = inputs_of(root, call, &base);
    base.add_env(root.get("env").map(|env| &**env), &file.path);
    for job in jobs.entries() {
        let Some(id) = job.name() else { continue };
        if !may_build(&job.value) {
            continue;
        }
        let mut context = base.clone();
        if job.value.span.of(file.text).contains("needs.") {
            context.needs = needs(file, jobs, &job.value, &base, reader, 0);
        }
        let condition = job.value.get("if").map(|node| &**node);
        let runs = context.condition(condition);
        if runs == Some(false) {
            continue;
        }
        let open = runs.is_none() && context.is_open(condition);
        let from = reader.builds.len();
        for leg in legs(&job.value, &context) {
            if reader.budget == 0 {
                return;
            }
            reader.budget -= 1;
            let mut context = context.clone();
            context.matrix = leg;
            one_job(reader, file, root, id, &job.value, context, call);
        }
        if open {
            reader.runs_if(from, condition, file);
        }
        if reader.builds.len() > from && job.value.get("needs").is_some() {
            let key = |id: &str| format!("{}{}#{id}", call.job, file.path);
            let after: Vec<String> = ended_before(jobs, &job.value).into_iter().map(key).collect();
            reader.builds.iter_mut().skip(from).for_each(|build| build.after.extend(after.iter().cloned()));
        }
    }
}

/// The jobs that a job waits for, and those that these wait for.
fn ended_before<'n>(jobs: &'n Node<'_>, job: &'n Node<'_>) -> Vec<&'n str> {
    let mut ended: Vec<&str> = Vec::new();
    let mut open = vec![job];
    while let Some(job) = open.pop() {
        for (id, _) in job.get("needs").into_iter().flat_map(|node| node.strings()) {
            if !ended.contains(&id) && ended.len() < MAX_NEEDED {
                ended.push(id);
                open.extend(jobs.get(id).map(|node| &**node));
            }
        }
    }
    ended
}

fn one_job(
    reader: &mut Reader<'_>,
    file: &File<'_>,
    root: &Node<'_>,
    id: &str,
    job: &Node<'_>,
    mut context: Context<'_>,
    call: &Call<'_>,
) {
    let leg = leg_texts(&context);
    let key = if leg.is_empty() {
        format!("{}{}#{id}", call.job, file.path)
    } else {
        let values: Vec<&str> = leg.iter().map(|(_, value)| value.as_str()).collect();
        format!("{}{}#{id}({})", call.job, file.path, values.join(", "))
    };
    let mut names = call.names.clone();
    names.push(id.to_owned());
    if let Some(uses) = job.get("uses") {
        let caller = Caller { file, job, uses, names: &names, key: &key, leg: &leg };
        if !builder::called(reader, &caller, &context) {
            called(reader, job, uses, &context, call, names, &key, &leg);
        }
        return;
    }
    let Some(steps) = job.get("steps") else { return };
    context.add_env(job.get("env").map(|env| &**env), &file.path);
    let runs_on = job.get("runs-on").map_or(Val::Null, |node| context.node(node));
    let state = State { machine: runner::persistent(&runs_on), ..State::default() };
    let directory =
        |node: &Node<'_>| node.at(&["defaults", "run", "working-directory"])?.str().map(str::to_owned);
    let directory = directory(job).or_else(|| directory(root));
    let shell = |node: &Node<'_>| node.at(&["defaults", "run", "shell"])?.str().map(str::to_owned);
    let shell = shell(job).or_else(|| shell(root));
    let mut run = Job {
        reader,
        context,
        state,
        names,
        key,
        leg,
        directory,
        shell,
        depth: call.depth,
        written: Vec::new(),
    };
    run.steps(file, steps);
}

/// A job that calls another workflow.
#[allow(clippy::too_many_arguments)] // the parts of one job
fn called(
    reader: &mut Reader<'_>,
    job: &Node<'_>,
    uses: &Node<'_>,
    context: &Context<'_>,
    call: &Call<'_>,
    names: Vec<String>,
    key: &str,
    leg: &[(String, String)],
) {
    let Some(path) = uses.str().and_then(super::steps::own_file) else { return };
    // An unknown ref cannot be written behind a local path; cut it off if it is.
    let Some(path) = join("", path.split('@').next().unwrap_or(path)) else { return };
    let path = path.as_str();
    if call.depth >= MAX_DEPTH {
        return;
    }
    let Some((text, root)) = reader.enter(path) else { return };
    let with = job.get("with");
    let inputs: Values = with
        .iter()
        .flat_map(|with| with.entries())
        .filter_map(|entry| Some((entry.name()?.to_owned(), context.node(&entry.value))))
        .collect();
    let inner = Call { event: call.event, inputs, names, job: format!("{key} > "), depth: call.depth + 1 };
    let from = reader.builds.len();
    workflow(reader, &File { path: path.into(), text }, &root, &inner);
    reader.leave();
    for build in reader.builds.iter_mut().skip(from) {
        let own = std::mem::take(&mut build.matrix);
        build.matrix = leg.iter().cloned().chain(own).collect();
    }
}

/// The inputs of a workflow: those of the call, else the defaults of `workflow_call`.
fn inputs_of(root: &Node<'_>, call: &Call<'_>, context: &Context<'_>) -> Values {
    let mut inputs = call.inputs.clone();
    let called = call.depth > 0 || call.event.kind == Kind::Called;
    if !called {
        return inputs;
    }
    let declared = root.at(&["on", "workflow_call", "inputs"]);
    for entry in declared.map_or(&[][..], Node::entries) {
        let Some(name) = entry.name() else { continue };
        if find(&inputs, name).is_some() {
            continue;
        }
        let value = match entry.value.get("default") {
            Some(default) => context.node(default),
            // Not given: empty, unless nobody called.
            None if call.depth > 0 => match entry.value.get("type").and_then(|kind| kind.str()) {
                Some("boolean") => Val::Bool(false),
                Some("number") => Val::Num(0.0),
                _ => Val::Str(String::new()),
            },
            None => continue,
        };
        inputs.push((name.to_owned(), value));
    }
    inputs
}

/// The matrix legs of a job; one without values where there is no matrix.
fn legs(job: &Node<'_>, context: &Context<'_>) -> Vec<Option<Option<Values>>> {
    let Some(node) = job.at(&["strategy", "matrix"]) else { return vec![None] };
    match matrix::legs(&context.node(node)) {
        Some(legs) => legs.into_iter().map(|leg| Some(Some(leg))).collect(),
        None => vec![Some(None)],
    }
}

/// The leg's values as text.
fn leg_texts(context: &Context<'_>) -> Vec<(String, String)> {
    let Some(Some(leg)) = &context.matrix else { return Vec::new() };
    let text = |value: &Val| match value {
        Val::Array(_) | Val::Object(_) => crate::builds::expr::json(value).unwrap_or_default(),
        value => value.to_text(),
    };
    leg.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The outputs of the jobs that `job` needs.
fn needs(
    file: &File<'_>,
    jobs: &Node<'_>,
    job: &Node<'_>,
    base: &Context<'_>,
    reader: &mut Reader<'_>,
    depth: u32,
) -> FxHashMap<String, Values> {
    let mut all = FxHashMap::default();
    if depth > 4 {
        return all;
    }
    let Some(node) = job.get("needs") else { return all };
    for (id, _) in node.strings() {
        let Some(needed) = jobs.get(id) else { continue };
        let Some(outputs) = needed.get("outputs") else { continue };
        let mut context = base.clone();
        if outputs.span.of(file.text).contains("needs.") {
            context.needs = needs(file, jobs, needed, base, reader, depth + 1);
        }
        if let Some(leg) = legs(needed, &context).into_iter().next() {
            context.matrix = leg;
        }
        for step in needed.get("steps").map_or(&[][..], |steps| steps.items()) {
            reader.budget = reader.budget.saturating_sub(1);
            if reader.budget == 0 {
                break;
            }
            super::outputs::record(step, &mut context, &file.path);
        }
        let values = outputs
            .entries()
            .iter()
            .filter_map(|entry| {
                Some((entry.name()?.to_owned(), renamed(context.node(&entry.value), id, entry.name()?)))
            })
            .collect();
        all.insert(id.to_owned(), values);
    }
    all
}

/// An output of another job's step is known here by the job's name.
fn renamed(value: Val, job: &str, output: &str) -> Val {
    match value {
        Val::Sym(sym) if sym.parts.is_empty() && sym.text.starts_with("${{ steps.") => {
            Val::Sym(Sym { text: format!("${{{{ needs.{job}.outputs.{output} }}}}"), ..sym })
        }
        Val::Sym(sym) if sym.volatility == Volatility::Unknown && sym.parts.is_empty() => {
            Val::Sym(Sym { text: format!("${{{{ needs.{job}.outputs.{output} }}}}"), ..sym })
        }
        other => other,
    }
}

/// Whether a job has anything that could build an image: most have not, and need no further look.
fn may_build(job: &Node<'_>) -> bool {
    if job.get("uses").is_some() {
        return true;
    }
    job.get("steps").is_some_and(|steps| {
        steps.items().iter().any(|step| {
            let uses = step.get("uses").and_then(|uses| uses.str()).unwrap_or("");
            let run = step.get("run").and_then(|run| run.str()).unwrap_or("");
            super::steps::may_build_action(uses) || crate::builds::command::may_build(run)
        })
    })
}
