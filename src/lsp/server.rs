//! The loop: one event after the other, changes before answers.

use super::capabilities::initialize_result;
use super::client::Client;
use super::convert::Places;
use super::document::Document;
use super::folder::{Folder, Read, Scope};
use super::options::Options;
use super::uri;
use crate::engine;
use crate::rules;
use crate::settings::Settings;
use gen_lsp_types::{MessageType, ShowMessageParams, Uri};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As the protocol has it: `shutdown`, then `exit`.
    Orderly,
    /// The client went away without a word.
    Abandoned,
}

/// Everything that can happen.
pub(super) enum Event {
    /// The client says something.
    Client(Message),
    /// A folder was read, for the so-manieth time; or reading it failed.
    Read { folder: u32, count: u64, read: Option<Box<Read>> },
    /// The client is gone.
    Gone,
}

/// That a folder is read so often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) folder: u32,
    pub(super) count: u64,
}

/// What the server knows.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) options: Options,
    /// By address.
    pub(super) documents: BTreeMap<String, Document>,
    pub(super) folders: Vec<Folder>,
    /// What was last sent of each open document: the version, and a digest of the diagnostics.
    pub(super) published: BTreeMap<String, (i32, u64)>,
    /// What came and was not yet looked at.
    pub(super) queue: VecDeque<Event>,
    /// Requests that wait until folders are read so often.
    waiting: Vec<(Request, Vec<Awaited>)>,
    /// Whether anything happened since diagnostics were sent.
    pub(super) unpublished: bool,
    /// Requests that the client no longer wants to be answered.
    cancelled: BTreeSet<RequestId>,
    sender: Sender,
    events: mpsc::Sender<Event>,
    next_id: i32,
    shut_down: bool,
}

/// Where messages go.
pub(super) type Sender = Box<dyn Fn(Message) + Send>;

/// Serves the client at the standard input and output until it goes.
#[must_use]
pub fn serve_stdio() -> Ended {
    let (connection, threads) = Connection::stdio();
    let ended = serve(connection);
    // The threads may wait for a client that is no more; what was said to one that left in order is written.
    if ended == Ended::Orderly {
        drop(threads.join());
    }
    ended
}

/// Serves one client until it goes.
#[must_use]
pub fn serve(connection: Connection) -> Ended {
    let Connection { sender, receiver } = connection;
    let (events, inbox) = mpsc::channel();
    // A client that is gone reads nothing; that it is, the other direction tells.
    let sender: Sender = Box::new(move |message| drop(sender.send(message)));
    let Some((id, params)) = handshake(&sender, &mut || receiver.recv().ok()) else {
        return Ended::Abandoned;
    };
    let mut server = Server::new(&params, sender, events.clone());
    server.reply(id, Ok(serde_json::to_value(initialize_result(&server.client)).unwrap_or_default()));
    server.open_folders(&params);
    let pump = thread::Builder::new().name("client".into()).spawn(move || {
        for message in receiver {
            if events.send(Event::Client(message)).is_err() {
                return;
            }
        }
        // The loop may have ended before.
        let _ = events.send(Event::Gone);
    });
    if pump.is_err() {
        return Ended::Abandoned;
    }
    server.run(&inbox)
}

/// Waits for `initialize`; `None` where the client goes without it.
fn handshake(sender: &Sender, next: &mut dyn FnMut() -> Option<Message>) -> Option<(RequestId, Value)> {
    loop {
        match next()? {
            Message::Request(request) if request.method == "initialize" => {
                return Some((request.id, request.params));
            }
            Message::Request(request) => {
                let code = ErrorCode::ServerNotInitialized as i32;
                sender(Response::new_err(request.id, code, "the server is not initialized".into()).into());
            }
            Message::Notification(notification) if notification.method == "exit" => return None,
            Message::Notification(_) | Message::Response(_) => {}
        }
    }
}

impl Server {
    pub(super) fn new(params: &Value, sender: Sender, events: mpsc::Sender<Event>) -> Self {
        let mut server = Self {
            client: Client::new(params.get("capabilities").unwrap_or(&Value::Null)),
            options: Options::default(),
            documents: BTreeMap::new(),
            folders: Vec::new(),
            published: BTreeMap::new(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            unpublished: false,
            cancelled: BTreeSet::new(),
            sender,
            events,
            next_id: 0,
            shut_down: false,
        };
        server.configure(params.get("initializationOptions").unwrap_or(&Value::Null));
        server
    }

    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Event>) -> Ended {
        loop {
            if self.queue.is_empty() {
                if std::mem::take(&mut self.unpublished) {
                    self.publish();
                }
                let Ok(event) = inbox.recv() else { return Ended::Abandoned };
                self.enqueue(event);
            }
            // All that came meanwhile: a later change makes work on an earlier one needless.
            while let Ok(event) = inbox.try_recv() {
                self.enqueue(event);
            }
            match self.queue.pop_front() {
                Some(Event::Client(Message::Request(request))) => self.request(request),
                Some(Event::Client(Message::Notification(notification))) if notification.method == "exit" => {
                    return if self.shut_down { Ended::Orderly } else { Ended::Abandoned };
                }
                Some(Event::Client(Message::Notification(notification))) => self.notification(notification),
                Some(Event::Client(Message::Response(response))) => self.response(response),
                Some(Event::Read { folder, count, read }) => self.take(folder, count, read.map(|read| *read)),
                Some(Event::Gone) => return Ended::Abandoned,
                None => {}
            }
        }
    }

    /// Puts an event behind the others; that a request is cancelled is known at once.
    fn enqueue(&mut self, event: Event) {
        if let Event::Client(Message::Notification(notification)) = &event
            && notification.method == "$/cancelRequest"
        {
            let id = notification.params.get("id").cloned().unwrap_or_default();
            if let Ok(id) = serde_json::from_value::<RequestId>(id) {
                self.cancel(id);
            }
            return;
        }
        self.queue.push_back(event);
    }

    fn cancel(&mut self, id: RequestId) {
        if let Some(at) = self.waiting.iter().position(|(request, _)| request.id == id) {
            let (request, _) = self.waiting.remove(at);
            return self.reply(request.id, Err(cancelled()));
        }
        let asked =
            |event: &Event| matches!(event, Event::Client(Message::Request(request)) if request.id == id);
        // Of one that was answered there is nothing to remember.
        if self.queue.iter().any(asked) {
            self.cancelled.insert(id);
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        if self.cancelled.remove(&id) {
            return self.reply(id, Err(cancelled()));
        }
        if self.shut_down {
            return self.reply(id, Err(failure(ErrorCode::InvalidRequest, "the server is shut down")));
        }
        if request.method == "shutdown" {
            self.shut_down = true;
            return self.reply(id, Ok(Value::Null));
        }
        let awaited = self.awaited(&request);
        if awaited.iter().any(|awaited| !self.is_done(*awaited)) {
            return self.waiting.push((request, awaited));
        }
        self.answer_now(request);
    }

    /// Whether what a request waits for is there; a folder that is gone keeps nobody waiting.
    fn is_done(&self, awaited: Awaited) -> bool {
        let folder = self.folders.iter().find(|folder| folder.id == awaited.folder);
        folder.is_none_or(|folder| folder.done >= awaited.count)
    }

    fn answer_now(&mut self, request: Request) {
        let id = request.id.clone();
        let answer = self.guarded(&request.method.clone(), |server| server.answer(request));
        self.reply(id, answer.and_then(|answer| answer));
    }

    fn notification(&mut self, notification: Notification) {
        self.unpublished = true;
        let method = notification.method.clone();
        if let Err(error) = self.guarded(&method, |server| server.note(notification)) {
            self.log(MessageType::Error, &error.message);
        }
    }

    /// Runs `body`; a panic in it is an error, and the server lives on.
    fn guarded<T>(&mut self, method: &str, body: impl FnOnce(&mut Self) -> T) -> Result<T, Failure> {
        engine::guarded(|| body(self)).map_err(|panic| {
            failure(ErrorCode::InternalError, &format!("hitrate failed while it handled {method}: {panic}"))
        })
    }

    /// The options were given, or are others.
    pub(super) fn configure(&mut self, options: &Value) {
        let selectors: Vec<&str> = rules::selectors().collect();
        let read = Options::read(options).and_then(|options| {
            Settings::check_flags(&options.flags(), &selectors)?;
            Ok(options)
        });
        match read {
            Ok(options) => self.options = options,
            Err(error) => self.show(MessageType::Warning, &error),
        }
    }

    fn open_folders(&mut self, params: &Value) {
        let listed = params.get("workspaceFolders").and_then(Value::as_array);
        let uri_of = |folder: &Value| folder.get("uri").and_then(Value::as_str).map(str::to_owned);
        let mut uris: Vec<String> = listed.into_iter().flatten().filter_map(uri_of).collect();
        if uris.is_empty() {
            uris.extend(params.get("rootUri").and_then(Value::as_str).map(str::to_owned));
        }
        for uri in uris {
            self.add_folder(&uri);
        }
    }

    /// A workspace folder more; one that is no directory on the disk has nothing to be found in.
    pub(super) fn add_folder(&mut self, uri: &str) {
        if let Some(path) = uri::to_path(uri) {
            self.open_scope(Scope::Folder(path));
        }
    }

    pub(super) fn open_scope(&mut self, scope: Scope) {
        if self.folders.iter().any(|folder| folder.scope == scope) {
            return;
        }
        self.next_id += 1;
        let id = u32::try_from(self.next_id).unwrap_or(0);
        self.folders.push(Folder::new(id, scope));
        if let Some(index) = self.folders.len().checked_sub(1) {
            self.read(index);
        }
    }

    /// The documents that a folder has the say over.
    pub(super) fn documents_of(&self, index: usize) -> Vec<Document> {
        let documents = self.documents.values();
        documents.filter(|document| self.folder_of(document) == Some(index)).cloned().collect()
    }

    /// The folder that has the say over a document: the nearest.
    pub(super) fn folder_of(&self, document: &Document) -> Option<usize> {
        let holding = self.folders.iter().enumerate().filter(|(_, folder)| folder.scope.holds(document));
        holding.max_by_key(|(_, folder)| folder.scope.depth()).map(|(index, _)| index)
    }

    /// Reads a folder, again if need be, on a thread of its own.
    pub(super) fn read(&mut self, index: usize) {
        let Some(folder) = self.folders.get_mut(index) else { return };
        if matches!(folder.scope, Scope::Text(_)) {
            // Nothing of it is on the disk.
            return folder.configure(&self.options);
        }
        folder.wanted += 1;
        self.begin(index, Duration::ZERO);
    }

    /// Begins with what is wanted, if it is not begun.
    fn begin(&mut self, index: usize, pause: Duration) {
        let documents = self.documents_of(index);
        let Some(folder) = self.folders.get_mut(index) else { return };
        let Some(job) = folder.job(&self.options, documents.iter()) else { return };
        let events = self.events.clone();
        let (folder, count) = (job.id, job.count);
        let work = move || {
            thread::sleep(pause);
            let read = engine::guarded(|| job.run()).ok().map(Box::new);
            // The loop may have ended.
            let _ = events.send(Event::Read { folder, count, read });
        };
        if let Err(error) = thread::Builder::new().name("reader".into()).spawn(work) {
            self.log(MessageType::Error, &format!("a folder is not read: {error}"));
        }
    }

    /// A folder was read.
    fn take(&mut self, id: u32, count: u64, read: Option<Read>) {
        self.unpublished = true;
        if let Some(index) = self.folders.iter().position(|folder| folder.id == id) {
            let documents = self.documents_of(index);
            let Some(folder) = self.folders.get_mut(index) else { return };
            let first = !folder.is_ready();
            let took = read.as_ref().map_or(Duration::ZERO, |read| read.took);
            folder.take(count, read, &documents);
            // A disk that changes all the time takes no more than half of a processor.
            self.begin(index, took);
            if !first {
                self.refresh();
            }
        }
        for (request, awaited) in std::mem::take(&mut self.waiting) {
            if awaited.iter().all(|awaited| self.is_done(*awaited)) {
                self.answer_now(request);
            } else {
                self.waiting.push((request, awaited));
            }
        }
    }

    /// Has the client ask again for what it has asked for.
    pub(super) fn refresh(&mut self) {
        for (method, supported) in self.client.refreshes {
            if supported {
                self.ask(method, Value::Null);
            }
        }
    }

    /// How to say where something in a folder is.
    pub(super) fn places<'a>(&self, folder: &'a Folder, open: &'a BTreeMap<PathBuf, Uri>) -> Places<'a> {
        Places { encoding: self.client.encoding, root: &folder.root, open }
    }

    /// The addresses of the open documents.
    pub(super) fn open_uris(&self) -> BTreeMap<PathBuf, Uri> {
        let documents = self.documents.values();
        documents.filter_map(|document| Some((document.path.clone()?, document.uri.clone()))).collect()
    }

    fn reply(&self, id: RequestId, answer: Result<Value, Failure>) {
        let response = match answer {
            Ok(value) => Response::new_ok(id, value),
            Err(failure) => Response {
                id,
                response_result: Err(lsp_server::ResponseError {
                    code: failure.code,
                    message: failure.message,
                    data: failure.data,
                }),
            },
        };
        (self.sender)(response.into());
    }

    /// A notification to the client.
    pub(super) fn tell(&self, method: &str, params: impl Serialize) {
        let params = serde_json::to_value(params).unwrap_or_default();
        (self.sender)(Notification { method: method.to_owned(), params }.into());
    }

    /// A request to the client; see [`Server::response`].
    pub(super) fn ask(&mut self, method: &str, params: Value) {
        self.next_id += 1;
        let id = format!("{method}#{}", self.next_id);
        (self.sender)(Request { id: id.into(), method: method.to_owned(), params }.into());
    }

    /// A line for the user.
    pub(super) fn show(&self, kind: MessageType, message: &str) {
        self.tell("window/showMessage", ShowMessageParams { kind, message: format!("hitrate: {message}") });
    }

    /// A line for the log.
    pub(super) fn log(&self, kind: MessageType, message: &str) {
        self.tell("window/logMessage", ShowMessageParams { kind, message: message.to_owned() });
    }
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

pub(super) fn failure(code: ErrorCode, message: &str) -> Failure {
    Failure { code: code as i32, message: message.to_owned(), data: None }
}

fn cancelled() -> Failure {
    failure(ErrorCode::RequestCanceled, "cancelled")
}
