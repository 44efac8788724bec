//! The changes that are worth asking the model about, for one Dockerfile: what people do to a project day by day.

use crate::cache::{Action, Change};
use crate::dockerfile::Kind;
use crate::graph::{Base, StepId};
use crate::rules::{DockerfileCx, typical};
use std::collections::BTreeSet;

/// So many of each kind are asked at most: each costs a simulated build.
const MAX_OF_A_KIND: usize = 8;

/// A change and how to say it.
#[derive(Clone, Debug)]
pub struct Question {
    /// What happens.
    pub change: Change,
    /// The same, to follow "after": ``an edit of `src/main.rs` ``.
    pub words: String,
    /// What kind of change it is.
    pub kind: QuestionKind,
}

/// What kind of change a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuestionKind {
    /// A file is edited that comes with a whole directory: daily work.
    Source,
    /// A file is edited that is copied by its name: a manifest, a configuration, a script.
    File,
    /// A build arg gets another value.
    Arg,
    /// A base image is another one.
    Base,
    /// A download gives something else.
    Remote,
}

/// The questions, in the order of the file, sources first.
#[must_use]
pub fn questions(cx: &DockerfileCx<'_>) -> Vec<Question> {
    let mut questions = edits(cx);
    questions.extend(args(cx));
    let graph = cx.graph();
    let reached = |stage: &usize| graph.reachable.get(*stage).copied().unwrap_or(false);
    let images =
        (0..graph.stages.len()).filter(reached).filter_map(|stage| match &graph.stages.get(stage)?.base {
            Base::Image(reference) => Some(reference.clone()),
            _ => None,
        });
    questions.extend(distinct(images).into_iter().map(|reference| Question {
        words: format!("a new `{reference}`"),
        change: Change::Base(Some(reference)),
        kind: QuestionKind::Base,
    }));
    let urls = cx.model().definition().vertices.iter().filter_map(|vertex| match &vertex.action {
        Action::Http(url, _) | Action::Git(url) => Some(url.clone()),
        _ => None,
    });
    questions.extend(distinct(urls).into_iter().map(|url| Question {
        words: format!("another content of {url}"),
        change: Change::Remote(Some(url)),
        kind: QuestionKind::Remote,
    }));
    questions
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(text.clone())).take(MAX_OF_A_KIND).collect()
}

/// An edit of a source for each step that takes directories, and of each file that is taken by its name.
fn edits(cx: &DockerfileCx<'_>) -> Vec<Question> {
    let (mut sources, mut files) = (Vec::new(), Vec::new());
    for (step, _) in cx.graph().all_steps() {
        for selection in cx.model().selections(step) {
            files.extend(selection.sources.iter().filter_map(|source| named(cx, source)));
        }
        sources.extend(edited(cx, step));
    }
    let named: BTreeSet<String> = files.iter().cloned().collect();
    let sources = distinct(sources.into_iter().filter(|file| !named.contains(file)));
    // Without the context the name is only one that such projects have.
    let such = if cx.model().context().is_some() { "" } else { "a file such as " };
    let question = |kind: QuestionKind| {
        move |file: String| Question {
            words: format!("an edit of {such}`{file}`"),
            change: Change::Edit(vec![file]),
            kind,
        }
    };
    let files = distinct(files.into_iter()).into_iter().map(question(QuestionKind::File));
    sources.into_iter().map(question(QuestionKind::Source)).chain(files).collect()
}

/// The one file that a source names, where the context is known.
fn named(cx: &DockerfileCx<'_>, source: &str) -> Option<String> {
    let path = crate::context::path::below_root(&source.replacen("/./", "/", 1));
    let context = cx.model().context()?;
    matches!(context.visible().get(&path), Some(crate::context::Entry::File(_))).then_some(path)
}

/// A file that is edited day by day and that the step takes, with the change in words.
fn edited(cx: &DockerfileCx<'_>, step: StepId) -> Option<String> {
    let stage = cx.graph().step(step)?.stage;
    let tools = cx.run_uses().filter(|(_, run, ..)| run.stage == stage).flat_map(|(.., uses)| &uses.tools);
    let mut ecosystems =
        tools.map(|used| used.tool.ecosystem.as_str()).filter(|name| !name.starts_with("os-"));
    typical::edited(cx, step, ecosystems.next(), &|_| false)
}

/// Another value of each build arg that a stage which is built declares.
fn args(cx: &DockerfileCx<'_>) -> Vec<Question> {
    let names = cx.syntax.instructions().flat_map(|instruction| match &instruction.kind {
        Kind::Arg(decls) => decls.as_slice(),
        _ => &[],
    });
    let names = names.map(|decl| decl.name.text.to_string());
    let platform = |name: &String| name.starts_with("TARGET") || name.starts_with("BUILD");
    let names =
        distinct(names.filter(|name| !platform(name) || name.contains("VERSION") || name.contains("DATE")));
    let question = |name: String| Question {
        words: format!("another value of ARG `{name}`"),
        change: Change::Arg(name, None),
        kind: QuestionKind::Arg,
    };
    names.into_iter().map(question).collect()
}
