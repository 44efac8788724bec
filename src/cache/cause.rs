//! Cause chains: this step, because of that step, because of this file.

use super::answer::Answer;
use super::definition::{Action, VertexId};
use super::result;
use super::simulate::{Reason, Verdict};
use crate::graph::{Origin, StepId, StepKind};
use crate::source::Span;

/// One link of a cause chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// The step that it is about, if it is about one.
    pub step: Option<StepId>,
    /// The text in the Dockerfile that it is about.
    pub span: Option<Span>,
    /// The context file that it is about.
    pub path: Option<String>,
    /// What happens there; `{line}` stands for the place of [`Self::span`].
    template: String,
}

impl Because {
    fn plain(message: impl Into<String>) -> Self {
        Self { step: None, span: None, path: None, template: message.into() }
    }

    /// What happens, as a clause that follows "because"; `line` gives the 1-based line of a byte of the Dockerfile.
    #[must_use]
    pub fn message(&self, line: impl Fn(u32) -> u32) -> String {
        match self.span {
            Some(span) => self.template.replace("{line}", &format!("line {}", line(span.start))),
            None => self.template.clone(),
        }
    }
}

/// How many edited files a chain names.
const MAX_FILES: usize = 3;

pub(super) fn chain(answer: &Answer<'_, '_>, step: StepId) -> Vec<Because> {
    let mut chain = Vec::new();
    let Some(mut at) = answer.definition().of_step.get(step.index()).copied().flatten() else {
        return through_stage(answer, step);
    };
    // Causes lead to operations that stand before, so this ends.
    loop {
        let (verdict, reason) = answer.reason(at);
        if matches!(verdict, Verdict::Cached | Verdict::Skipped) {
            return chain;
        }
        let depends = verdict == Verdict::Depends;
        let next = match reason {
            Reason::None => return chain,
            Reason::TooMany => {
                chain.push(Because::plain(
                    "too many equal steps lead to each other's records to follow them all",
                ));
                return chain;
            }
            Reason::Ignored => {
                chain.push(Because::plain("the build does not use the cache for it"));
                return chain;
            }
            Reason::NoResult => {
                chain.push(Because::plain("a cache knows it but does not hold its result"));
                return chain;
            }
            Reason::Race => {
                chain.push(Because::plain(
                    "several imports know the steps below it, and it hits only if the one that holds it answers first",
                ));
                return chain;
            }
            Reason::Operation => {
                chain.push(operation(answer, at));
                return chain;
            }
            Reason::Base(next) | Reason::Content(next) => next,
        };
        if let Some(last) = source(answer, at, next) {
            chain.extend(last);
            return chain;
        }
        let by_content = matches!(reason, Reason::Content(_));
        if let Some(cause) = below(answer, at, next, by_content && depends) {
            chain.push(cause);
        }
        at = next;
    }
}

/// A FROM of a stage runs again with the stage.
fn through_stage(answer: &Answer<'_, '_>, step: StepId) -> Vec<Because> {
    let graph = answer.graph();
    let Some(found) = graph.step(step) else { return Vec::new() };
    let Some(crate::graph::Base::Stage(parent)) = graph.stages.get(found.stage).map(|stage| &stage.base)
    else {
        return Vec::new();
    };
    let Some((last, _)) = graph.steps_of(*parent).next_back().filter(|(last, _)| *last < step) else {
        return Vec::new();
    };
    let verb = match answer.verdict(last) {
        Verdict::Reruns => "runs again",
        Verdict::Depends => "may run again",
        _ => return Vec::new(),
    };
    let message = format!("stage {} {verb}", graph.stage_name(*parent));
    vec![Because { step: Some(last), span: None, path: None, template: message }]
}

/// A source: its change ends the chain.
fn source(answer: &Answer<'_, '_>, at: VertexId, source: VertexId) -> Option<Vec<Because>> {
    let vertex = answer.definition().vertices.get(source)?;
    let step = vertex.steps.first().copied();
    match &vertex.action {
        Action::Context(name) => Some(files(answer, at, name.as_deref())),
        Action::Http(url, _) | Action::Git(url) => Some(vec![Because::plain(if answer.fresh {
            format!("no cache holds it with what {url} gives")
        } else {
            format!("{url} gives something else")
        })]),
        Action::Image(reference, _) => {
            let message = if answer.fresh {
                format!("no cache holds a step on the image {reference}")
            } else {
                format!("the image {reference} is another one")
            };
            let span = step.and_then(|step| answer.graph().step(step)).map(|step| step.instruction.span);
            Some(vec![Because { step, span, path: None, template: message }])
        }
        Action::Mkfile(..) => Some(vec![Because::plain("its inline text is another one")]),
        _ => None,
    }
}

fn files(answer: &Answer<'_, '_>, at: VertexId, context: Option<&str>) -> Vec<Because> {
    if let Some(name) = context {
        return vec![Because::plain(format!("files of the context {name} are others"))];
    }
    let definition = answer.definition();
    let steps = definition.vertices.get(at).map(|vertex| vertex.steps.as_slice()).unwrap_or_default();
    let taken = |path: &&String| {
        let selections = || steps.iter().flat_map(|step| answer.model().selections(*step));
        selections().any(|selection| result::takes(&selection, path))
    };
    let files: Vec<&String> = answer.edited.iter().filter(taken).collect();
    let verb = match steps.first().and_then(|step| answer.graph().step(*step)).map(|step| &step.kind) {
        Some(StepKind::Run(_)) => "mounts",
        _ => "copies",
    };
    if files.is_empty() {
        return vec![Because::plain(format!("no cache holds it with the files that it {verb}"))];
    }
    let mut causes: Vec<Because> = files
        .iter()
        .take(MAX_FILES)
        .map(|path| Because {
            path: Some((*path).clone()),
            ..Because::plain(format!("{path} is among the files that it {verb}"))
        })
        .collect();
    if let Some(more) = files.len().checked_sub(MAX_FILES).filter(|more| *more > 0) {
        let noun = if more == 1 { "file" } else { "files" };
        causes.push(Because::plain(format!("and {more} more {noun}")));
    }
    causes
}

/// The step below that runs, or writes something else.
fn below(answer: &Answer<'_, '_>, at: VertexId, next: VertexId, open: bool) -> Option<Because> {
    let definition = answer.definition();
    let step = definition.step_of(next)?;
    if definition.step_of(at) == Some(step) {
        return None;
    }
    let span = answer.graph().step(step).map(|found| found.instruction.span);
    let verb = match answer.reason(next).0 {
        _ if open => "may write something else",
        Verdict::Depends => "may run again",
        _ => "runs again",
    };
    Some(Because { step: Some(step), span, path: None, template: format!("{{line}} {verb}") })
}

/// All inputs are as they were: what the step itself is has changed.
fn operation(answer: &Answer<'_, '_>, at: VertexId) -> Because {
    let definition = answer.definition();
    let Some(vertex) = definition.vertices.get(at) else { return Because::plain("it is new") };
    if answer.fresh && answer.changed.is_none() {
        return Because::plain("no cache holds it");
    }
    if let Action::Image(reference, _) = &vertex.action {
        return Because::plain(if answer.fresh {
            format!("this builder does not have {reference}")
        } else {
            format!("the image {reference} is another one")
        });
    }
    let Some(step) = vertex.steps.first().copied() else { return Because::plain("it is new or changed") };
    let (old, new) = (answer.model().graph.step(step), answer.graph().step(step));
    let (Some(old), Some(new)) = (old, new) else { return Because::plain("it is new or changed") };
    if answer.changed.is_none() {
        return Because::plain("it is new or changed");
    }
    let changed =
        new.state.env.iter().find(|variable| {
            old.state.get(&variable.name).is_none_or(|before| before.value != variable.value)
        });
    match changed {
        Some(variable) => {
            let (keyword, span) = match variable.origin {
                Origin::Arg(span) => ("ARG", Some(span)),
                Origin::Env(span) => ("ENV", Some(span)),
                Origin::Base => ("variable", None),
            };
            let name = &variable.name;
            let message = match (&new.kind, span) {
                (StepKind::Run(_), Some(_)) => format!(
                    "{keyword} {name} ({{line}}) has another value, and it is in this RUN's environment"
                ),
                (_, Some(_)) => {
                    format!("{keyword} {name} ({{line}}) has another value, and its text uses it")
                }
                (_, None) => format!("{keyword} {name} has another value"),
            };
            Because { step: None, span, path: None, template: message }
        }
        None => Because::plain("what it says expands to something else"),
    }
}
