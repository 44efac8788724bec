//! Fixes and suppressions as code actions.

use super::convert::Places;
use super::diagnostics;
use super::dispatch::is_configuration;
use super::folder::Folder;
use super::server::{Failure, Server, failure};
use crate::engine::{self, Report};
use crate::fix::{self, Fix, Safety, Texts};
use crate::project;
use crate::rules::Finding;
use crate::settings::Reach;
use crate::source::{Edit, SourceFile};
use gen_lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CodeActionResponse, CreateFile, DocumentChange,
    Edit as Change, OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextDocumentIdentifier,
    TextEdit, Uri, WorkspaceEdit,
};
use lsp_server::ErrorCode;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Applies every safe fix of a file, until none is left.
pub(super) const FIX_ALL: CodeActionKind =
    CodeActionKind::Custom(std::borrow::Cow::Borrowed("source.fixAll.hitrate"));

impl Server {
    /// `textDocument/codeAction`.
    pub(super) fn code_actions(
        &mut self,
        params: &CodeActionParams,
    ) -> Result<Option<Vec<CodeActionResponse>>, Failure> {
        let address = &params.text_document.uri.0;
        let Some(index) = self.folder_at(address) else { return Ok(None) };
        let Some(report) = self.folders.get_mut(index).map(Folder::report) else { return Ok(None) };
        let Some(folder) = self.folders.get(index) else { return Ok(None) };
        let Some(file) = self.file_at(folder, address) else { return Ok(None) };
        let open = self.open_uris();
        let places = self.places(folder, &open);
        let only = params.context.only.as_deref();
        let findings = diagnostics::in_file(&report, &file.path);
        let mut actions = Vec::new();
        if wanted(only, &CodeActionKind::QuickFix) {
            let touched = findings
                .iter()
                .filter(|finding| touch(places.range(&file, finding.place.span), params.range));
            let touched: Vec<&Finding> = touched.collect();
            for finding in &touched {
                actions.extend(self.mending(folder, &report, finding, &file, &places));
            }
            for finding in touched {
                actions.extend(self.ignoring(folder, &report, finding, &file, &places));
            }
        }
        let mends = findings.iter().filter_map(|finding| finding.fix.as_ref());
        if wanted(only, &FIX_ALL) && mends.into_iter().any(|fix| fix.safety == Safety::Safe) {
            actions.extend(self.mending_all(index, &file, address));
        }
        Ok(Some(actions.into_iter().map(CodeActionResponse::CodeAction).collect()))
    }

    /// The text of a document as it is analyzed.
    pub(super) fn file_at(&self, folder: &Folder, address: &str) -> Option<Arc<SourceFile>> {
        match self.documents.get(address) {
            Some(document) => {
                let path = folder.path_of(document);
                // Of the configuration the project knows nothing.
                let text =
                    || is_configuration(address).then(|| SourceFile::new(&*path, &*document.text).into());
                folder.file(&path).or_else(text)
            }
            None => {
                let path = super::uri::to_path(address)?;
                folder.file(&project::relative(&folder.root, &path))
            }
        }
    }

    /// The text of a document that is a Dockerfile.
    pub(super) fn dockerfile_at(&self, address: &str) -> Option<Arc<SourceFile>> {
        let folder = self.folders.get(self.folder_at(address)?)?;
        self.file_at(folder, address).filter(|file| folder.project.dockerfile(&file.path).is_some())
    }

    fn mending(
        &self,
        folder: &Folder,
        report: &Report,
        finding: &Finding,
        file: &SourceFile,
        places: &Places<'_>,
    ) -> Option<CodeAction> {
        let fix = finding.fix.as_ref()?;
        let title = match fix.safety {
            Safety::Safe => fix.title.clone(),
            Safety::Unsafe => format!("{} (look at what it does)", fix.title),
        };
        let diagnostic = diagnostics::of_finding(report, finding, file, places, &self.client);
        Some(CodeAction {
            title,
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![diagnostic]),
            is_preferred: Some(fix.safety == Safety::Safe),
            edit: Some(self.workspace_edit(folder, &by_file(fix), places)?),
            ..CodeAction::default()
        })
    }

    fn ignoring(
        &self,
        folder: &Folder,
        report: &Report,
        finding: &Finding,
        file: &SourceFile,
        places: &Places<'_>,
    ) -> Vec<CodeAction> {
        let is_dockerfile = folder.project.dockerfile(&file.path).is_some();
        let action = |reach| {
            let fix = engine::ignoring(file, is_dockerfile, finding, reach)?;
            let diagnostic = diagnostics::of_finding(report, finding, file, places, &self.client);
            Some(CodeAction {
                title: fix.title.clone(),
                kind: Some(CodeActionKind::QuickFix),
                diagnostics: Some(vec![diagnostic]),
                edit: Some(self.workspace_edit(folder, &by_file(&fix), places)?),
                ..CodeAction::default()
            })
        };
        [Reach::Next, Reach::File].into_iter().filter_map(action).collect()
    }

    fn mending_all(&self, index: usize, file: &SourceFile, address: &str) -> Option<CodeAction> {
        let version = self.documents.get(address).map(|document| document.version);
        let later = self.client.resolves_edits;
        let edit = if later { None } else { Some(self.edit_of_all(index, &file.path)?) };
        Some(CodeAction {
            title: "apply all safe fixes of this file".to_owned(),
            kind: Some(FIX_ALL),
            edit,
            data: later.then(|| json!({ "uri": address, "version": version })),
            ..CodeAction::default()
        })
    }

    /// `codeAction/resolve`: the edit of an action that was offered without one.
    pub(super) fn resolve_action(&mut self, mut action: CodeAction) -> Result<CodeAction, Failure> {
        let data = action.data.clone().unwrap_or_default();
        let Some(address) = data["uri"].as_str().filter(|_| action.edit.is_none()) else { return Ok(action) };
        let version = self.documents.get(address).map(|document| document.version);
        if data["version"].as_i64() != version.map(i64::from) {
            return Err(failure(ErrorCode::ContentModified, "the text has changed since"));
        }
        let index = self.folder_at(address);
        let file = index.and_then(|index| self.file_at(self.folders.get(index)?, address));
        if let (Some(index), Some(file)) = (index, file) {
            action.edit = self.edit_of_all(index, &file.path);
        }
        Ok(action)
    }

    /// What `hitrate check --fix` would make of one file, and of others that its fixes edit.
    fn edit_of_all(&self, index: usize, path: &str) -> Option<WorkspaceEdit> {
        let folder = self.folders.get(index)?;
        let mut memory = folder.memory.clone();
        let analyze = |changed: &Texts| {
            let texts = changed.iter().map(|(path, text)| (&**path, text.as_str()));
            let project = folder.project.with_texts(texts, None);
            let report = engine::analyze_again(&project, &folder.settings, &mut memory);
            let own = report.findings.into_iter().filter(|finding| *finding.place.path == *path);
            own.filter_map(|finding| finding.fix).collect()
        };
        let original = |path: &str| folder.project.text(path).map(|file| file.text.clone());
        let outcome = fix::run(original, Safety::Safe, analyze);
        let edits = outcome.changed.into_iter().map(|(path, text)| {
            let before = folder.project.text(&path);
            let edits = engine::line_edits(before.as_ref().map_or("", |file| &file.text), &text);
            (path, edits)
        });
        let edits: BTreeMap<Arc<str>, Vec<Edit>> = edits.collect();
        let open = self.open_uris();
        self.workspace_edit(folder, &edits, &self.places(folder, &open))
    }

    /// Edits as the client takes them: of the versions that it has, where it can tell. `None` where it cannot create a file
    /// that is to be created.
    fn workspace_edit(
        &self,
        folder: &Folder,
        edits: &BTreeMap<Arc<str>, Vec<Edit>>,
        places: &Places<'_>,
    ) -> Option<WorkspaceEdit> {
        let mut changes = Vec::new();
        let mut plain: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
        for (path, edits) in edits {
            let uri = places.uri(path);
            let file = folder.project.text(path);
            if file.is_none() {
                if !self.client.creates_files {
                    return None;
                }
                changes.push(DocumentChange::CreateFile(CreateFile {
                    uri: uri.clone(),
                    options: None,
                    annotation_id: None,
                }));
            }
            let file = file.unwrap_or_else(|| Arc::new(SourceFile::new(path.clone(), "")));
            let edits = edits
                .iter()
                .map(|edit| TextEdit { range: places.range(&file, edit.span), new_text: edit.text.clone() });
            if self.client.versioned_edits {
                let version = self.documents.get(&uri.0).map(|document| document.version);
                let text_document = OptionalVersionedTextDocumentIdentifier {
                    version,
                    text_document_identifier: TextDocumentIdentifier { uri },
                };
                let edits = edits.map(Change::TextEdit).collect();
                changes.push(DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits }));
            } else {
                plain.insert(uri, edits.collect());
            }
        }
        let versioned = self.client.versioned_edits;
        Some(WorkspaceEdit {
            changes: (!versioned).then_some(plain),
            document_changes: versioned.then_some(changes),
            change_annotations: None,
        })
    }
}

fn by_file(fix: &Fix) -> BTreeMap<Arc<str>, Vec<Edit>> {
    let mut files: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for (path, edit) in &fix.edits {
        files.entry(path.clone()).or_default().push(edit.clone());
    }
    files
}

/// Whether a client that asks for `only` these kinds wants `kind`: a kind stands for all that begin with it.
fn wanted(only: Option<&[CodeActionKind]>, kind: &CodeActionKind) -> bool {
    let kind = kind.to_string();
    let covers = |asked: &CodeActionKind| {
        let asked = asked.to_string();
        asked.is_empty()
            || kind.strip_prefix(&asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(covers))
}

/// Whether two ranges have a place in common; that one ends where the other begins is enough for a cursor.
fn touch(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}
