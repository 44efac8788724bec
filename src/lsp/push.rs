//! Diagnostics sent unasked.

use super::diagnostics;
use super::folder::too_large;
use super::server::Server;
use gen_lsp_types::{Diagnostic, PublishDiagnosticsParams, Uri};
use std::hash::{DefaultHasher, Hash, Hasher};

impl Server {
    /// Sends the diagnostics of every open document for which they are others, or of another version. A client that asks
    /// for them gets none.
    pub(super) fn publish(&mut self) {
        if self.client.pulls_diagnostics {
            return;
        }
        let addresses: Vec<String> = self.documents.keys().cloned().collect();
        for address in addresses {
            let Some(version) = self.documents.get(&address).map(|document| document.version) else {
                continue;
            };
            // What is not read yet has nothing to be said of.
            let Some(diagnostics) = self.diagnostics_of(&address) else { continue };
            let digest = digest(&diagnostics);
            if self.published.get(&address) == Some(&(version, digest)) {
                continue;
            }
            self.published.insert(address.clone(), (version, digest));
            let params = PublishDiagnosticsParams { uri: Uri(address), version: Some(version), diagnostics };
            self.tell("textDocument/publishDiagnostics", params);
        }
    }

    /// A closed document has no diagnostics.
    pub(super) fn unpublish(&mut self, address: &str) {
        if self.published.remove(address).is_some() {
            let params =
                PublishDiagnosticsParams { uri: address.into(), version: None, diagnostics: Vec::new() };
            self.tell("textDocument/publishDiagnostics", params);
        }
    }

    /// The diagnostics of an open document; `None` where its folder is not read yet.
    pub(super) fn diagnostics_of(&mut self, address: &str) -> Option<Vec<Diagnostic>> {
        let document = self.documents.get(address)?;
        let index = self.folder_of(document)?;
        let (text, too_large) = (document.text.clone(), too_large(&document.text));
        let path = self.folders.get(index).filter(|folder| folder.is_ready())?.path_of(document);
        let report = self.folders.get_mut(index)?.report();
        let folder = self.folders.get(index)?;
        let open = self.open_uris();
        let places = self.places(folder, &open);
        if too_large {
            return Some(vec![diagnostics::too_large()]);
        }
        // A configuration is not among the files that are analyzed.
        let file = folder.file(&path).filter(|file| file.text == text);
        let file = file.unwrap_or_else(|| crate::source::SourceFile::new(path, text).into());
        Some(diagnostics::of_file(&report, &folder.broken, &file, &places, &self.client))
    }
}

/// Tells diagnostics apart.
pub(super) fn digest(diagnostics: &[Diagnostic]) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(diagnostics).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}
