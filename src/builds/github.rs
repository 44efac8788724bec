//! GitHub workflows and composite actions.
//!
//! A workflow is read once under each of the events that start it (`on:`), so that conditions on the event and the branch
//! have values; what comes out is then laid together ([`Merged`]). Expressions are evaluated as far as the files tell, the
//! rest stays symbolic with how often it changes. Jobs of a matrix, called workflows and composite actions of the same
//! repository are followed.

mod actions;
mod bake;
mod builder;
mod condition;
mod context;
mod event;
mod held;
mod inputs;
mod matrix;
mod others;
mod outputs;
mod runner;
mod state;
mod steps;
mod workflow;

use super::merge::Merged;
use super::yaml::{self, Node};
use super::{Build, Files, ReadError};
use context::Context;
use event::Event;
use state::State;
use steps::Job;
use workflow::{Call, File, Reader};

/// The workspace, as paths may start with it. Expressions that give it stay as written.
const WORKSPACE: &str = "${{ github.workspace }}";

/// The builds of a workflow (`.github/workflows/*.yml`), or of a composite action (`action.yml`), which is a template.
///
/// # Errors
/// Where the text is not YAML.
pub(super) fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Result<Vec<Build>, ReadError> {
    if !may_matter(text) {
        return Ok(Vec::new());
    }
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let file = File { path: path.into(), text };
    let mut reader = Reader::new(files, path);
    if let Some(steps) = root.at(&["runs", "steps"]) {
        return Ok(action(&mut reader, &file, &root, steps));
    }
    let mut merged = Merged::default();
    for event in event::events(root.get("on").map(|on| &**on)) {
        let inputs = Vec::new();
        let call = Call { event: &event, inputs, names: Vec::new(), job: String::new(), depth: 0 };
        workflow::workflow(&mut reader, &file, &root, &call);
        merged.add(std::mem::take(&mut reader.builds));
    }
    Ok(merged.finish(path, text, files))
}

/// A composite action by itself, with the defaults of its inputs.
fn action<'f>(reader: &mut Reader<'f>, file: &File<'f>, root: &Node<'_>, steps: &Node<'_>) -> Vec<Build> {
    let event = Event::called();
    let mut context = Context::new(&event);
    context.inputs = steps::action_inputs(root, Vec::new(), &context);
    let name = root.get("name").and_then(|name| name.str()).unwrap_or("action").to_owned();
    let mut job = Job {
        written: Vec::new(),
        reader,
        context,
        state: State::default(),
        names: vec![name],
        key: file.path.to_string(),
        leg: Vec::new(),
        directory: None,
        shell: None,
        depth: 0,
    };
    job.steps(file, steps);
    let mut merged = Merged::default();
    merged.add(std::mem::take(&mut reader.builds));
    let files = reader.files;
    merged.finish(&file.path, file.text, files)
}

/// Whether a text has a word without which no image is built, here or in what it runs.
fn may_matter(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "docker",
        "build",
        "buildctl",
        "podman",
        "kaniko",
        "bake",
        "nerdctl",
        "skaffold",
        "uses: ./",
        "uses: './",
        "uses: \"./",
        "$/",
    ];
    WORDS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
        || super::command::may_build(text)
}
