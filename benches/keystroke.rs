//! From a keystroke in a Dockerfile of 500 lines to its diagnostics, through the program's standard input and output, as an
//! editor has it. `cargo bench --bench keystroke`
//!
//! The time runs from the first byte of `didChange` until the diagnostics of that version are read. Each is printed as
//! percentiles; the bench fails where the 99th is over [`LIMIT`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // as in tests

mod generate;

use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};
use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// What the 99th percentile may be.
const LIMIT: Duration = Duration::from_millis(10);
/// Keystrokes of each kind that are measured, after some that are not.
const MEASURED: usize = 1000;
const WARM: usize = 50;
const LINES: usize = 500;

const WORKFLOW: &str = "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      \
    - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          \
    context: .\n          push: true\n          tags: x/y:latest\n          cache-from: type=gha\n          \
    cache-to: type=gha,mode=max\n";

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let text = generate::dockerfile(LINES, 0);
    project(root, &text);
    let mut server = Server::start(root, &text);
    println!("a Dockerfile of {} lines, {MEASURED} keystrokes each", text.lines().count());
    let mut slow = false;
    for (name, needle) in [
        ("a command", "npm ci --no-audit"),
        ("a comment", "The sources come last"),
        ("a COPY", "COPY config/"),
        ("the first FROM", "FROM node:22-alpine"),
    ] {
        let times = server.keystrokes(&text, needle);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "{name:>16}: p50 {:>9.3?}  p90 {:>9.3?}  p99 {:>9.3?}  max {:>9.3?}",
            at(50),
            at(90),
            at(99),
            at(100)
        );
        slow |= at(99) > LIMIT;
    }
    server.stop();
    // What is not optimized has no limit.
    assert!(!slow || cfg!(debug_assertions), "the 99th percentile is over {LIMIT:?}");
}

/// The Dockerfile among other files: a workflow that builds it, other Dockerfiles, and a context to copy from.
fn project(root: &Path, text: &str) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(".git/HEAD", "ref: refs/heads/main\n");
    write("Dockerfile", text);
    write(".github/workflows/ci.yml", WORKFLOW);
    write("package.json", "{}\n");
    write("package-lock.json", "{}\n");
    write("go.mod", "module x\n");
    write("go.sum", "");
    for number in 0..20 {
        write(&format!("service{number}/Dockerfile"), &generate::dockerfile(40, number));
    }
    for number in 0..60 {
        write(&format!("web{number}/src/index.js"), "1\n");
        write(&format!("api{number}/main.go"), "package main\n");
        write(&format!("tools{number}/run.py"), "1\n");
        write(&format!("requirements{number}.txt"), "flask\n");
        write(&format!("config/{number}.conf"), "");
    }
}

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    uri: String,
    version: i32,
}

impl Server {
    fn start(root: &Path, text: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hitrate"));
        let mut child = command.arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let folder = format!("file://{}", root.display());
        let uri = format!("{folder}/Dockerfile");
        let mut server = Self { child, input, output, uri, version: 1 };
        let folders = json!([{ "uri": folder, "name": "bench" }]);
        let params =
            json!({ "processId": null, "rootUri": null, "capabilities": {}, "workspaceFolders": folders });
        server.request("initialize", params);
        server.notify("initialized", json!({}));
        let item = json!({ "uri": server.uri, "languageId": "dockerfile", "version": 1, "text": text });
        server.notify("textDocument/didOpen", json!({ "textDocument": item }));
        let found = server.diagnostics();
        assert!(found > 10, "the Dockerfile has little to be said of");
        server
    }

    fn notify(&mut self, method: &str, params: Value) {
        let notification = Notification { method: method.to_owned(), params };
        Message::from(notification).write(&mut self.input).unwrap();
    }

    fn request(&mut self, method: &str, params: Value) {
        let request = Request { id: 1.into(), method: method.to_owned(), params };
        Message::from(request).write(&mut self.input).unwrap();
        while !matches!(self.next(), Message::Response(_)) {}
    }

    fn next(&mut self) -> Message {
        Message::read(&mut self.output).unwrap().expect("the server is there")
    }

    /// Waits for the diagnostics of the version at hand; how many there are.
    fn diagnostics(&mut self) -> usize {
        loop {
            if let Message::Notification(Notification { method, params }) = self.next()
                && method == "textDocument/publishDiagnostics"
                && params["version"] == self.version
            {
                return params["diagnostics"].as_array().unwrap().len();
            }
        }
    }

    /// Types a letter behind the place of `needle` in the middle of the text and takes it away again, many times; the times
    /// sorted.
    fn keystrokes(&mut self, text: &str, needle: &str) -> Vec<Duration> {
        let all: Vec<usize> = text.match_indices(needle).map(|(at, _)| at + needle.len()).collect();
        let at = all[all.len() / 2];
        let line = text[..at].matches('\n').count();
        let column = at - text[..at].rfind('\n').map_or(0, |at| at + 1);
        let mut times = Vec::with_capacity(MEASURED);
        for number in 0..WARM + MEASURED {
            self.version += 1;
            let end = column + number % 2;
            let range = json!({
                "start": { "line": line, "character": column },
                "end": { "line": line, "character": end },
            });
            let change = json!({ "range": range, "text": if number % 2 == 0 { "x" } else { "" } });
            let params = json!({
                "textDocument": { "uri": self.uri, "version": self.version },
                "contentChanges": [change],
            });
            let begun = Instant::now();
            self.notify("textDocument/didChange", params);
            self.diagnostics();
            if number >= WARM {
                times.push(begun.elapsed());
            }
        }
        times.sort();
        times
    }

    fn stop(mut self) {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}
