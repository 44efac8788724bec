//! Files and settings that change outside the editor's texts.

use super::folder::Scope;
use super::server::Server;
use super::uri;
use gen_lsp_types::{
    DidChangeWatchedFilesParams, DidChangeWatchedFilesRegistrationOptions, FileChangeType, FileSystemWatcher,
    GlobPattern, WatchKind,
};
use serde_json::{Value, json};

impl Server {
    /// The client is ready for requests: it is asked to watch files and for its settings.
    pub(super) fn initialized(&mut self) {
        if self.client.watches_files {
            let watcher = |glob: &str, kind: WatchKind| FileSystemWatcher {
                glob_pattern: GlobPattern::Pattern(glob.to_owned()),
                kind: Some(kind),
            };
            // Which files there are decides what a COPY takes; what is in them matters of few, and which those are the
            // analysis knows best.
            let watchers = vec![watcher("**/*", WatchKind::Create | WatchKind::Change | WatchKind::Delete)];
            let options = DidChangeWatchedFilesRegistrationOptions { watchers };
            let registration = json!({
                "id": "files",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": options,
            });
            self.ask("client/registerCapability", json!({ "registrations": [registration] }));
        }
        self.ask_settings();
    }

    fn ask_settings(&mut self) {
        if self.client.has_settings {
            self.ask("workspace/configuration", json!({ "items": [{ "section": "hitrate" }] }));
        }
    }

    /// The settings changed: those that can be asked for are, the others come along.
    pub(super) fn settings_changed(&mut self, params: &Value) {
        if self.client.has_settings {
            return self.ask_settings();
        }
        self.reconfigure(params.get("settings").unwrap_or(&Value::Null));
    }

    /// Takes settings; what depends on them is read again. Settings that say nothing leave everything as it is.
    pub(super) fn reconfigure(&mut self, settings: &Value) {
        if settings.is_null() {
            return;
        }
        let before = self.options.clone();
        self.configure(settings);
        if self.options == before {
            return;
        }
        if self.options.flags() != before.flags() || self.options.configuration != before.configuration {
            for index in 0..self.folders.len() {
                self.read(index);
            }
        } else {
            self.refresh();
        }
    }

    /// A client that cannot watch files at least says when one is saved.
    pub(super) fn saved(&mut self) {
        if !self.client.watches_files {
            for index in 0..self.folders.len() {
                self.read(index);
            }
        }
    }

    /// The folders that a change on the disk concerns: a file that came or went may be in any context, the contents only of
    /// those files count that something was read from.
    pub(super) fn touched(&self, params: &DidChangeWatchedFilesParams) -> Vec<usize> {
        let mut touched = Vec::new();
        for (index, folder) in self.folders.iter().enumerate() {
            let concerns = params.changes.iter().any(|event| {
                let Some(path) = uri::to_path(&event.uri.0) else { return false };
                let below = match &folder.scope {
                    Scope::Folder(_) | Scope::File(_) => path.starts_with(&folder.root),
                    Scope::Text(_) => false,
                };
                let relative = crate::project::relative(&folder.root, &path);
                let git = relative.split('/').any(|part| part == ".git");
                let contents = event.kind == FileChangeType::Changed;
                below && !git && (!contents || folder.project.has_read(&relative))
            });
            if concerns {
                touched.push(index);
            }
        }
        touched
    }
}
