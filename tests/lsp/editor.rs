//! An editor that starts the server as editors do and talks to it over its standard input and output.

use hitrate::lsp::Ended;
use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than anything takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(240);

/// A directory with files and an editor that works on them.
pub(crate) struct Editor {
    pub(crate) directory: TempDir,
    server: Child,
    /// `None` once the editor is gone.
    to_server: Option<ChildStdin>,
    from_server: Receiver<Message>,
    next: i32,
    /// What came and was not waited for.
    inbox: VecDeque<Message>,
    versions: BTreeMap<String, i32>,
    pub(crate) capabilities: Value,
}

/// The capabilities of an editor that can do little: UTF-16, diagnostics that are sent.
pub(crate) fn plain() -> Value {
    json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } })
}

/// The capabilities of one that asks for diagnostics.
pub(crate) fn pulling() -> Value {
    json!({ "textDocument": { "diagnostic": {} } })
}

impl Editor {
    /// Opens a directory with these files as the one workspace folder.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, plain(), Value::Null)
    }

    pub(crate) fn with(files: &[(&str, &str)], capabilities: Value, options: Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join(".git")).unwrap();
        for (path, text) in files {
            write(directory.path(), path, text);
        }
        let folders = json!([{ "uri": uri(directory.path(), ""), "name": "test" }]);
        Self::at(directory, folders, capabilities, options)
    }

    /// Opens these workspace folders.
    pub(crate) fn at(directory: TempDir, folders: Value, capabilities: Value, options: Value) -> Self {
        let mut editor = Self::unstarted(directory);
        let params = json!({
            "processId": null,
            "rootUri": null,
            "capabilities": capabilities,
            "workspaceFolders": folders,
            "initializationOptions": options,
        });
        let answer = editor.request("initialize", params);
        editor.capabilities = answer["capabilities"].clone();
        editor.notify("initialized", json!({}));
        editor
    }

    /// A server that was not greeted.
    pub(crate) fn unstarted(directory: TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hitrate"));
        command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("the server starts");
        let to_server = server.stdin.take();
        let mut output = BufReader::new(server.stdout.take().expect("it is piped"));
        let (sender, from_server) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(message) =
                Message::read(&mut output).expect("the output is messages and nothing else")
            {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            directory,
            server,
            to_server,
            from_server,
            next: 0,
            inbox: VecDeque::new(),
            versions: BTreeMap::new(),
            capabilities: Value::Null,
        }
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        uri(self.directory.path(), path)
    }

    /// Writes a file behind the editor's back.
    pub(crate) fn write(&self, path: &str, text: &str) {
        write(self.directory.path(), path, text);
    }

    fn say(&mut self, message: Message) {
        message.write(self.to_server.as_mut().expect("the editor is there")).expect("the server reads");
    }

    pub(crate) fn send(&mut self, method: &str, params: Value) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        let request = Request { id: id.clone(), method: method.to_owned(), params };
        self.say(request.into());
        id
    }

    /// The answer to a request sent before.
    pub(crate) fn answer(&mut self, id: &RequestId) -> Result<Value, lsp_server::ResponseError> {
        let answer = self.wait(|message| match message {
            Message::Response(response) if response.id == *id => Some(response.response_result.clone()),
            _ => None,
        });
        answer.unwrap_or_else(|| panic!("the server went away without an answer to {id}"))
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(&id).unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        self.say(notification.into());
    }

    /// The parameters of the next notification or request of that method, and the id where it is a request.
    pub(crate) fn expect(&mut self, method: &str) -> (Option<RequestId>, Value) {
        let found = self.wait(|message| match message {
            Message::Notification(it) if it.method == method => Some((None, it.params.clone())),
            Message::Request(it) if it.method == method => Some((Some(it.id.clone()), it.params.clone())),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("the server went away without {method}"))
    }

    pub(crate) fn respond(&mut self, id: RequestId, result: Value) {
        self.say(Response::new_ok(id, result).into());
    }

    /// The first message, of those that came and those to come, for which `pick` finds something; the others stay.
    pub(crate) fn wait<T>(&mut self, mut pick: impl FnMut(&Message) -> Option<T>) -> Option<T> {
        if let Some((at, found)) =
            self.inbox.iter().enumerate().find_map(|(at, message)| Some((at, pick(message)?)))
        {
            self.inbox.remove(at);
            return Some(found);
        }
        loop {
            match self.from_server.recv_timeout(LONG) {
                Ok(message) => match pick(&message) {
                    Some(found) => return Some(found),
                    None => self.inbox.push_back(message),
                },
                Err(RecvTimeoutError::Timeout) => panic!("nothing came for {LONG:?}"),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Everything that came and was not waited for.
    pub(crate) fn heard(&mut self) -> Vec<Message> {
        self.inbox.extend(self.from_server.try_iter());
        self.inbox.drain(..).collect()
    }

    /// The next message, whatever it is.
    pub(crate) fn next(&mut self) -> Message {
        self.next_within(LONG).expect("something comes")
    }

    /// The next message if it comes in time.
    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Message> {
        if let Some(message) = self.inbox.pop_front() {
            return Some(message);
        }
        match self.from_server.recv_timeout(time) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the server went away"),
        }
    }

    /// The version of an open document.
    pub(crate) fn version(&self, path: &str) -> i32 {
        self.versions.get(&self.uri(path)).copied().expect("the document is open")
    }

    /// The memory that the server takes, in KiB; 0 where that cannot be told.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn open(&mut self, path: &str, text: &str) {
        self.open_as(&self.uri(path), "dockerfile", text);
    }

    pub(crate) fn open_as(&mut self, uri: &str, language: &str, text: &str) {
        self.versions.insert(uri.to_owned(), 1);
        let item = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": item }));
    }

    /// Replaces a range; `None` replaces everything.
    pub(crate) fn change(&mut self, path: &str, range: Option<[u32; 4]>, text: &str) {
        let change = match range {
            Some(range) => json!({ "range": self::range(range), "text": text }),
            None => json!({ "text": text }),
        };
        self.changes(path, json!([change]));
    }

    pub(crate) fn changes(&mut self, path: &str, changes: Value) {
        let uri = self.uri(path);
        let version = self.versions.get_mut(&uri).expect("the document is open");
        *version += 1;
        let id = json!({ "uri": uri, "version": *version });
        self.notify("textDocument/didChange", json!({ "textDocument": id, "contentChanges": changes }));
    }

    pub(crate) fn close(&mut self, path: &str) {
        let uri = self.uri(path);
        self.versions.remove(&uri);
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    pub(crate) fn document(&self, path: &str) -> Value {
        json!({ "textDocument": { "uri": self.uri(path) } })
    }

    /// The diagnostics that are sent for the current version of an open document.
    pub(crate) fn published(&mut self, path: &str) -> Vec<Value> {
        let uri = self.uri(path);
        let version = self.versions.get(&uri).copied();
        let found = self.wait(|message| match message {
            Message::Notification(Notification { method, params })
                if method == "textDocument/publishDiagnostics"
                    && params["uri"] == *uri
                    && params["version"].as_i64() == version.map(i64::from) =>
            {
                Some(params["diagnostics"].as_array().unwrap().clone())
            }
            _ => None,
        });
        found.unwrap_or_else(|| panic!("the server went away without diagnostics of {path}"))
    }

    /// The diagnostics that are given when they are asked for.
    pub(crate) fn pulled(&mut self, path: &str) -> Vec<Value> {
        let report = self.request("textDocument/diagnostic", self.document(path));
        assert_eq!(report["kind"], "full");
        report["items"].as_array().unwrap().clone()
    }

    /// Shuts the server down in order.
    pub(crate) fn quit(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        assert_eq!(self.join(), Ended::Orderly);
    }

    pub(crate) fn join(&mut self) -> Ended {
        match self.server.wait().expect("it was started").code() {
            Some(0) => Ended::Orderly,
            Some(2) => Ended::Abandoned,
            other => panic!("the server ended with {other:?}"),
        }
    }

    /// Goes away without a word.
    pub(crate) fn vanish(mut self) -> Ended {
        self.to_server = None;
        self.join()
    }
}

impl Drop for Editor {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

pub(crate) fn uri(directory: &Path, path: &str) -> String {
    let whole = if path.is_empty() { directory.to_path_buf() } else { directory.join(path) };
    format!("file://{}", whole.to_str().unwrap())
}

pub(crate) fn write(directory: &Path, path: &str, text: &str) {
    let path = directory.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn range([line, character, end_line, end_character]: [u32; 4]) -> Value {
    json!({
        "start": { "line": line, "character": character },
        "end": { "line": end_line, "character": end_character },
    })
}

/// `rule:line:start-end` of each diagnostic, as the protocol counts.
pub(crate) fn places(diagnostics: &[Value]) -> Vec<String> {
    let place = |diagnostic: &Value| {
        let range = &diagnostic["range"];
        let (start, end) = (&range["start"], &range["end"]);
        format!(
            "{}:{}:{}-{}",
            diagnostic["code"].as_str().unwrap_or("-"),
            start["line"],
            start["character"],
            end["character"]
        )
    };
    diagnostics.iter().map(place).collect()
}
