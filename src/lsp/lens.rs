//! Which steps an edit of a source runs again, above the steps and at the end of their lines.

use super::convert;
use super::folder::Folder;
use super::server::{Failure, Server};
use crate::cache::{Answer, Change, Export, ExportMode, Setting, Verdict};
use crate::engine::{self, Question, QuestionKind};
use crate::graph::StepKind;
use crate::rules::{DockerfileCx, words};
use crate::source::{SourceFile, Span};
use gen_lsp_types::{
    CodeLens, CodeLensParams, Command, InlayHint, InlayHintParams, Label, Position, Tooltip,
};
use std::sync::Arc;

/// So many edits are asked about: a lens names one anyway.
const MAX_EDITS: usize = 3;

/// A line for a step or a stage.
struct Note {
    /// The instruction.
    span: Span,
    text: String,
    /// Whether it is about a step that runs again, and not about a stage.
    step: bool,
}

impl Server {
    /// `textDocument/codeLens`.
    pub(super) fn lenses(&mut self, params: &CodeLensParams) -> Result<Option<Vec<CodeLens>>, Failure> {
        if !self.options.code_lens {
            return Ok(Some(Vec::new()));
        }
        let Some((file, notes)) = self.notes(&params.text_document.uri.0) else { return Ok(None) };
        let lens = |note: Note| CodeLens {
            range: convert::range(&file, note.span, self.client.encoding),
            command: Some(Command {
                title: note.text,
                tooltip: None,
                command: String::new(),
                arguments: None,
            }),
            data: None,
        };
        Ok(Some(notes.into_iter().map(lens).collect()))
    }

    /// `textDocument/inlayHint`.
    pub(super) fn hints(&mut self, params: &InlayHintParams) -> Result<Option<Vec<InlayHint>>, Failure> {
        if !self.options.inlay_hints {
            return Ok(Some(Vec::new()));
        }
        let Some((file, notes)) = self.notes(&params.text_document.uri.0) else { return Ok(None) };
        let hints = notes.into_iter().filter(|note| note.step).filter_map(|note| {
            let end = file.lines().start(file.line(note.span.start).saturating_add(1)).min(note.span.end);
            let text = Span { start: note.span.start, end }.of(&file.text);
            let end = note.span.start + u32::try_from(text.trim_end().len()).ok()?;
            let position = convert::range(&file, Span { start: end, end }, self.client.encoding).start;
            let wanted = within(position, params.range.start, params.range.end);
            wanted.then(|| InlayHint {
                position,
                label: Label::String("re-runs on a source edit".to_owned()),
                kind: None,
                text_edits: None,
                tooltip: Some(Tooltip::String(note.text)),
                padding_left: Some(true),
                padding_right: None,
                data: None,
            })
        });
        Ok(Some(hints.collect()))
    }

    fn notes(&self, address: &str) -> Option<(Arc<SourceFile>, Vec<Note>)> {
        let folder = self.folders.get(self.folder_at(address)?)?;
        let file = self.file_at(folder, address)?;
        let Folder { project, settings, memory, .. } = folder;
        let notes = engine::look(project, settings, memory, &file.path, notes)?;
        Some((file, notes))
    }
}

fn within(position: Position, start: Position, end: Position) -> bool {
    start <= position && position <= end
}

/// The file that a question is about.
fn edited(question: &Question) -> &str {
    match &question.change {
        Change::Edit(files) => files.first().map_or("", String::as_str),
        _ => "",
    }
}

fn notes(cx: &DockerfileCx<'_>) -> Vec<Note> {
    let questions = engine::questions(cx).into_iter();
    let edits = questions.filter(|question| question.kind == QuestionKind::Source).take(MAX_EDITS);
    let model = cx.model();
    let asked: Vec<(Question, Answer<'_, '_>)> =
        edits.map(|question| (question.clone(), model.after(&[question.change]))).collect();
    let mut notes = Vec::new();
    for (id, step) in cx.graph().all_steps() {
        if !matches!(step.kind, StepKind::Run(_)) {
            continue;
        }
        if let Some((question, _)) = asked.iter().find(|(_, answer)| answer.runs_again(id)) {
            let text = format!("re-runs on a source edit: {}", edited(question));
            notes.push(Note { span: step.instruction.span, text, step: true });
        }
    }
    notes.extend(held(cx, &asked));
    notes.sort_by_key(|note| note.span);
    notes
}

/// The stages whose steps only `mode=max` keeps: with `mode=min` a fresh builder runs them again after an edit which
/// leaves them cached here.
fn held(cx: &DockerfileCx<'_>, asked: &[(Question, Answer<'_, '_>)]) -> Vec<Note> {
    let graph = cx.graph();
    let remote = |mode| Setting {
        fresh: true,
        exports: vec![Export { to: "cache".into(), mode }],
        imports: vec!["cache".into()],
        pushed: true,
    };
    let mut notes = Vec::new();
    for (question, local) in asked {
        let change = std::slice::from_ref(&question.change);
        let min = cx.model().after_in(change, &remote(ExportMode::Min));
        let max = cx.model().after_in(change, &remote(ExportMode::Max));
        for (index, stage) in graph.stages.iter().enumerate() {
            let lost = graph.steps_of(index).filter(|(id, step)| {
                let kept = |answer: &Answer<'_, '_>| answer.verdict(*id) == Verdict::Cached;
                matches!(step.kind, StepKind::Run(_)) && kept(local) && kept(&max) && min.runs_again(*id)
            });
            let lost = lost.count();
            let known = notes.iter().any(|note: &Note| note.span == stage.from.span);
            if lost > 0 && !known {
                let text = format!(
                    "held by: max only; with mode=min a fresh builder runs {} again after an edit of {}",
                    words::count(lost, "RUN"),
                    edited(question)
                );
                notes.push(Note { span: stage.from.span, text, step: false });
            }
        }
    }
    notes
}
