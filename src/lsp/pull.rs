//! Diagnostics that the client asks for.

use super::push::digest;
use super::server::{Failure, Server};
use super::{diagnostics, uri};
use crate::project;
use gen_lsp_types::{
    Diagnostic, DocumentDiagnosticParams, DocumentDiagnosticReport, FullDocumentDiagnosticReport,
    RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport,
    UnchangedDocumentDiagnosticReport, Uri, WorkspaceDiagnosticParams, WorkspaceDiagnosticReport,
    WorkspaceDocumentDiagnosticReport as Item, WorkspaceFullDocumentDiagnosticReport,
    WorkspaceUnchangedDocumentDiagnosticReport,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Server {
    /// `textDocument/diagnostic`.
    pub(super) fn document_diagnostics(
        &mut self,
        params: &DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReport, Failure> {
        let address = &params.text_document.uri.0;
        let items = match self.diagnostics_of(address) {
            Some(items) => items,
            None => self.diagnostics_on_disk(address),
        };
        let result_id = format!("{:x}", digest(&items));
        if params.previous_result_id.as_ref() == Some(&result_id) {
            let report = UnchangedDocumentDiagnosticReport { result_id };
            return Ok(DocumentDiagnosticReport::RelatedUnchangedDocumentDiagnosticReport(
                RelatedUnchangedDocumentDiagnosticReport {
                    related_documents: None,
                    unchanged_document_diagnostic_report: report,
                },
            ));
        }
        let report = FullDocumentDiagnosticReport { result_id: Some(result_id), items };
        Ok(DocumentDiagnosticReport::RelatedFullDocumentDiagnosticReport(
            RelatedFullDocumentDiagnosticReport {
                related_documents: None,
                full_document_diagnostic_report: report,
            },
        ))
    }

    /// The diagnostics of a document that is not open.
    fn diagnostics_on_disk(&mut self, address: &str) -> Vec<Diagnostic> {
        let Some(path) = uri::to_path(address) else { return Vec::new() };
        let Some(index) = self.folder_at(address) else { return Vec::new() };
        let Some(report) = self.folders.get_mut(index).map(super::folder::Folder::report) else {
            return Vec::new();
        };
        let Some(folder) = self.folders.get(index) else { return Vec::new() };
        let Some(file) = folder.file(&project::relative(&folder.root, &path)) else { return Vec::new() };
        let open = self.open_uris();
        diagnostics::of_file(&report, &folder.broken, &file, &self.places(folder, &open), &self.client)
    }

    /// `workspace/diagnostic`: every file of every folder about which there is something to say, and those about which there
    /// no longer is.
    pub(super) fn workspace_diagnostics(
        &mut self,
        params: &WorkspaceDiagnosticParams,
    ) -> Result<WorkspaceDiagnosticReport, Failure> {
        let previous: BTreeMap<&str, &str> =
            params.previous_result_ids.iter().map(|id| (id.uri.0.as_str(), id.value.as_str())).collect();
        let mut all: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        let open = self.open_uris();
        for index in 0..self.folders.len() {
            let Some(report) = self.folders.get_mut(index).map(super::folder::Folder::report) else {
                continue;
            };
            let Some(folder) = self.folders.get(index) else { continue };
            let places = self.places(folder, &open);
            let paths = report.findings.iter().map(|finding| &*finding.place.path);
            let paths = paths.chain(report.errors.iter().map(|error| &*error.path));
            let paths: BTreeSet<&str> =
                paths.chain(folder.broken.iter().map(|error| error.path.as_str())).collect();
            for path in paths {
                let address = places.uri(path).0;
                // Another folder may have the say.
                if self.folder_at(&address) != Some(index) {
                    continue;
                }
                let file = folder.file(path).or_else(|| folder.project.text(path));
                let file = file.unwrap_or_else(|| Arc::new(crate::source::SourceFile::new(path, "")));
                let items = diagnostics::of_file(&report, &folder.broken, &file, &places, &self.client);
                all.insert(address, items);
            }
        }
        for id in &params.previous_result_ids {
            all.entry(id.uri.0.clone()).or_default();
        }
        let items = all.into_iter().map(|(address, items)| {
            let result_id = format!("{:x}", digest(&items));
            let version = self.documents.get(&address).map(|document| document.version);
            let unchanged = previous.get(address.as_str()) == Some(&result_id.as_str());
            let uri = Uri(address);
            if unchanged {
                return Item::WorkspaceUnchangedDocumentDiagnosticReport(
                    WorkspaceUnchangedDocumentDiagnosticReport {
                        uri,
                        version,
                        unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
                    },
                );
            }
            Item::WorkspaceFullDocumentDiagnosticReport(WorkspaceFullDocumentDiagnosticReport {
                uri,
                version,
                full_document_diagnostic_report: FullDocumentDiagnosticReport {
                    result_id: Some(result_id),
                    items,
                },
            })
        });
        Ok(WorkspaceDiagnosticReport { items: items.collect() })
    }
}
