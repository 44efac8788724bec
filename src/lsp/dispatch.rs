//! Which message goes where.

use super::folder::Scope;
use super::server::{Awaited, Event, Failure, Server, failure};
use super::uri;
use gen_lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, MessageType,
};
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Asks for diagnostics; a newer text makes an answer about an older one needless.
const PULLS: [&str; 2] = ["textDocument/diagnostic", "workspace/diagnostic"];

impl Server {
    /// The answer to a request.
    pub(super) fn answer(&mut self, request: Request) -> Result<Value, Failure> {
        if PULLS.contains(&request.method.as_str()) && self.is_superseded(&request) {
            return Err(Failure {
                code: ErrorCode::ServerCancelled as i32,
                message: "the text has changed".into(),
                data: Some(json!({ "retriggerRequest": true })),
            });
        }
        match request.method.as_str() {
            "textDocument/diagnostic" => with(request, |params| self.document_diagnostics(&params)),
            "textDocument/codeAction" => with(request, |params| self.code_actions(&params)),
            "codeAction/resolve" => with(request, |action| self.resolve_action(action)),
            "textDocument/hover" => with(request, |params| self.hover(&params)),
            "textDocument/completion" => with(request, |params| self.completion(&params)),
            "textDocument/documentSymbol" => with(request, |params| self.symbols(&params)),
            "textDocument/definition" => with(request, |params| self.definition(&params)),
            "textDocument/references" => with(request, |params| self.references(&params)),
            "textDocument/codeLens" => with(request, |params| self.lenses(&params)),
            "textDocument/inlayHint" => with(request, |params| self.hints(&params)),
            "workspace/diagnostic" => with(request, |params| self.workspace_diagnostics(&params)),
            #[cfg(test)]
            "test/panic" => panic!("as asked"),
            method => Err(failure(ErrorCode::MethodNotFound, &format!("{method} is not known here"))),
        }
    }

    /// Takes a notification.
    pub(super) fn note(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            "initialized" => self.initialized(),
            "textDocument/didOpen" => self.take_params(&method, params, Self::opened),
            "textDocument/didChange" => self.take_params(&method, params, Self::changed),
            "textDocument/didClose" => self.take_params(&method, params, Self::closed),
            "textDocument/didSave" => self.saved(),
            "workspace/didChangeWatchedFiles" => self.take_params(&method, params, Self::watched),
            "workspace/didChangeWorkspaceFolders" => self.take_params(&method, params, Self::folders_changed),
            "workspace/didChangeConfiguration" => self.settings_changed(&params),
            // Those that begin with `$/` may be left aside, and the others are not for us.
            _ => {}
        }
    }

    /// An answer of the client. Only that to `workspace/configuration` says anything.
    pub(super) fn response(&mut self, response: Response) {
        let asked = response.id.to_string();
        if let (true, Ok(Value::Array(sections))) =
            (asked.contains("workspace/configuration#"), response.response_result)
        {
            self.reconfigure(sections.first().unwrap_or(&Value::Null));
        }
    }

    fn take_params<P: DeserializeOwned>(
        &mut self,
        method: &str,
        params: Value,
        take: impl FnOnce(&mut Self, P),
    ) {
        match serde_json::from_value(params) {
            Ok(params) => take(self, params),
            Err(error) => self.log(MessageType::Warning, &format!("{method}: {error}")),
        }
    }

    /// What a request has to wait for: every one about a folder until that was read, a request for diagnostics until it was
    /// read as often as was wanted.
    pub(super) fn awaited(&self, request: &Request) -> Vec<Awaited> {
        let pull = PULLS.contains(&request.method.as_str());
        let awaited = |index: usize| {
            let folder = self.folders.get(index)?;
            Some(Awaited { folder: folder.id, count: if pull { folder.wanted } else { 1 } })
        };
        match request.params.pointer("/textDocument/uri").and_then(Value::as_str) {
            Some(uri) => self.folder_at(uri).and_then(awaited).into_iter().collect(),
            None if pull => (0..self.folders.len()).filter_map(awaited).collect(),
            None => Vec::new(),
        }
    }

    /// Whether a newer text of the document is in the queue.
    fn is_superseded(&self, request: &Request) -> bool {
        let asked = request.params.pointer("/textDocument/uri").and_then(Value::as_str);
        self.queue.iter().any(|event| match event {
            Event::Client(Message::Notification(notification)) => {
                let changed = notification.params.pointer("/textDocument/uri").and_then(Value::as_str);
                notification.method == "textDocument/didChange" && (asked.is_none() || asked == changed)
            }
            _ => false,
        })
    }

    /// The folder of the document at an address, open or not.
    pub(super) fn folder_at(&self, address: &str) -> Option<usize> {
        if let Some(document) = self.documents.get(address) {
            return self.folder_of(document);
        }
        let path = uri::to_path(address)?;
        let holding = self.folders.iter().enumerate().filter(|(_, folder)| match &folder.scope {
            Scope::Folder(folder) => path.starts_with(folder),
            Scope::File(file) => *file == path,
            Scope::Text(_) => false,
        });
        holding.max_by_key(|(_, folder)| folder.scope.depth()).map(|(index, _)| index)
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let document = super::document::Document::new(params.text_document);
        let uri = document.uri.0.clone();
        if self.folder_of(&document).is_none() {
            let scope = match &document.path {
                Some(path) => Scope::File(path.clone()),
                None => Scope::Text(uri.clone()),
            };
            self.documents.insert(uri.clone(), document);
            self.open_scope(scope);
        } else {
            self.documents.insert(uri.clone(), document);
        }
        self.cover(&uri);
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let id = params.text_document;
        let uri = id.text_document_identifier.uri.0;
        if let Some(document) = self.documents.get_mut(&uri) {
            document.change(id.version, params.content_changes, self.client.encoding);
            self.cover(&uri);
        }
    }

    fn closed(&mut self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri.0;
        let Some(document) = self.documents.get(&uri) else { return };
        let index = self.folder_of(document);
        self.documents.remove(&uri);
        self.unpublish(&uri);
        let Some(index) = index else { return };
        let documents = self.documents_of(index);
        match self.folders.get_mut(index) {
            Some(folder) if matches!(folder.scope, Scope::Folder(_)) => {
                folder.uncover(documents.iter());
                if is_configuration(&uri) {
                    self.read(index);
                }
            }
            Some(_) => drop(self.folders.remove(index)),
            None => {}
        }
    }

    /// Puts the text of an open document over what its folder has.
    fn cover(&mut self, uri: &str) {
        let Some(document) = self.documents.get(uri) else { return };
        let Some(index) = self.folder_of(document) else { return };
        if let Some(folder) = self.folders.get_mut(index) {
            folder.overlay(document);
        }
        if is_configuration(uri) {
            self.read(index);
        }
    }

    fn folders_changed(&mut self, params: DidChangeWorkspaceFoldersParams) {
        for folder in params.event.removed {
            let path = uri::to_path(&folder.uri.0);
            self.folders.retain(|known| match &known.scope {
                Scope::Folder(known) => Some(known) != path.as_ref(),
                Scope::File(_) | Scope::Text(_) => true,
            });
        }
        for folder in params.event.added {
            self.add_folder(&folder.uri.0);
        }
        // Documents change hands: those that are nobody's stand alone, those that somebody has do not.
        let documents: Vec<_> = self.documents.values().cloned().collect();
        self.folders.retain(|folder| {
            matches!(folder.scope, Scope::Folder(_)) || documents.iter().any(|it| folder.scope.holds(it))
        });
        for document in documents {
            if self.folder_of(&document).is_none()
                && let Some(path) = &document.path
            {
                self.open_scope(Scope::File(path.clone()));
            }
        }
        for index in 0..self.folders.len() {
            let documents = self.documents_of(index);
            if let Some(folder) = self.folders.get_mut(index) {
                folder.uncover(documents.iter());
            }
        }
    }

    fn watched(&mut self, params: DidChangeWatchedFilesParams) {
        for index in self.touched(&params) {
            self.read(index);
        }
    }
}

/// Whether the address is that of a `hitrate.toml`.
pub(super) fn is_configuration(uri: &str) -> bool {
    uri.rsplit('/').next() == Some(crate::settings::FILE_NAME)
}

/// Reads the parameters of a request and answers it.
pub(super) fn with<P: DeserializeOwned, R: Serialize>(
    request: Request,
    answer: impl FnOnce(P) -> Result<R, Failure>,
) -> Result<Value, Failure> {
    let params = serde_json::from_value(request.params)
        .map_err(|error| failure(ErrorCode::InvalidParams, &format!("{}: {error}", request.method)))?;
    serde_json::to_value(answer(params)?)
        .map_err(|error| failure(ErrorCode::InternalError, &format!("{}: {error}", request.method)))
}
