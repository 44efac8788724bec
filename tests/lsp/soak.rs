//! Random edits, files that come and go, requests and cancellations, as fast as the server takes them: it does not crash,
//! says at the end what the command line says of the same texts, and does not grow.
//!
//! A few hundred steps as a test; `HITRATE_SOAK_MINUTES=10 cargo test --test lsp soak -- --nocapture` for longer, with
//! `HITRATE_SOAK_SEED` for other edits.

use crate::editor::{Editor, uri, write};
use crate::parity::{by_command, by_server};
use lsp_server::{ErrorCode, Message, RequestId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FILES: [(&str, &str); 13] = [
    (
        "Dockerfile",
        "# syntax=docker/dockerfile:1\nARG NODE=22\nFROM node:${NODE} AS web\nWORKDIR /src\nCOPY . .\nRUN npm ci\n\
         RUN npm run build\n\nFROM python:3.13-slim\nARG GIT_COMMIT\nENV GIT_COMMIT=$GIT_COMMIT\n\
         RUN apt-get update && \\\n    apt-get install -y curl\nCOPY api/requirements.txt .\n\
         RUN pip install --no-cache-dir -r requirements.txt\nCOPY api .\nCOPY --from=web /src/dist ./static\n\
         RUN <<EOF\nset -e\nchmod +x start.sh\nEOF\n",
    ),
    (
        "api/Dockerfile",
        "FROM golang:1.25 AS build\r\nCOPY . /src\r\nRUN cd /src && go build ./...\r\nFROM scratch\r\n\
         COPY --from=build /src/api /api # 𝄞\r\n",
    ),
    ("api/requirements.txt", "flask==3.1.0\n"),
    ("api/main.py", "print(1)\n"),
    ("package.json", "{ \"scripts\": { \"build\": \"true\" } }\n"),
    ("package-lock.json", "{ \"lockfileVersion\": 3 }\n"),
    ("web/main.js", "1\n"),
    (".dockerignore", "node_modules\n*.md\n"),
    ("hitrate.toml", "[rules]\nignore = [\"copy-without-link\"]\n"),
    (
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v5\n      \
         - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          \
         context: .\n          push: true\n          tags: x/y:latest\n          cache-from: type=gha\n          \
         cache-to: type=gha\n",
    ),
    (
        "compose.yaml",
        "services:\n  api:\n    build:\n      context: api\n      cache_to:\n        - type=registry,ref=x/cache\n",
    ),
    (
        "docker-bake.hcl",
        "target \"web\" {\n  context = \".\"\n  target = \"web\"\n  cache-to = [\"type=inline\"]\n}\n",
    ),
    ("build.sh", "#!/bin/sh\ndocker build --build-arg GIT_COMMIT=$(git rev-parse HEAD) -t x .\n"),
];

/// What is typed.
const SNIPPETS: [&str; 40] = [
    "",
    "",
    "",
    "",
    " ",
    "\n",
    "\r\n",
    "\\\n",
    "a",
    "é",
    "𝄞",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "${",
    "$",
    "#",
    "`",
    "=",
    ",",
    "<<EOF\n",
    "EOF\n",
    "FROM ",
    "RUN ",
    "COPY . .\n",
    "COPY --from=web /a /b\n",
    "ARG X=1\n",
    "ENV A=b\n",
    "--mount=type=cache,target=/c ",
    "RUN npm ci\n",
    "# hitrate: ignore[mutable-base]\n",
    "ONBUILD ",
    "&& ",
    "apt-get update ",
    "type=gha,mode=max",
    "- ",
    "  ",
    "\t",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

struct Soak {
    random: Random,
    editor: Editor,
    /// The same texts as files, for the command line.
    mirror: TempDir,
    encoding: &'static str,
    disk: BTreeMap<&'static str, String>,
    open: BTreeMap<&'static str, String>,
    /// What was last sent of each open document: version and diagnostics.
    sent: BTreeMap<String, Value>,
    asked: Vec<RequestId>,
    steps: usize,
    edits: usize,
    answers: usize,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let encoding = ["utf-8", "utf-16", "utf-32"][usize::try_from(seed % 3).unwrap()];
        let capabilities = json!({
            "general": { "positionEncodings": [encoding] },
            "textDocument": { "publishDiagnostics": { "relatedInformation": true } },
            "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["create"] } },
        });
        let editor = Editor::with(&FILES, capabilities, json!({ "inlayHints": true }));
        let mirror = tempfile::tempdir().unwrap();
        fs::create_dir(mirror.path().join(".git")).unwrap();
        Self {
            random: Random(seed),
            editor,
            mirror,
            encoding,
            disk: FILES.iter().map(|(path, text)| (*path, (*text).to_owned())).collect(),
            open: BTreeMap::new(),
            sent: BTreeMap::new(),
            asked: Vec::new(),
            steps: 0,
            edits: 0,
            answers: 0,
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        match self.random.below(100) {
            0..75 => self.edit(),
            75..85 => self.ask(),
            85..89 => self.open_or_close(),
            89..93 => self.write(),
            93..96 => self.start_over(),
            96..98 => self.set(),
            _ => self.cancel(),
        }
        self.listen();
    }

    fn start_over(&mut self) {
        let paths: Vec<&'static str> = self.open.keys().copied().collect();
        if !paths.is_empty() {
            let path = *self.random.of(&paths);
            let text = FILES.iter().find(|(own, _)| *own == path).unwrap().1;
            self.editor.change(path, None, text);
            self.open.insert(path, text.to_owned());
        }
    }

    fn edit(&mut self) {
        let paths: Vec<&'static str> = self.open.keys().copied().collect();
        if paths.is_empty() {
            return self.open_or_close();
        }
        // Dockerfiles are what is mostly typed in.
        let path = if self.random.below(2) == 0 && self.open.contains_key("Dockerfile") {
            "Dockerfile"
        } else {
            *self.random.of(&paths)
        };
        let mut changes = Vec::new();
        for _ in 0..=self.random.below(3) {
            let text = self.open[path].clone();
            if text.len() > 16_384 {
                return self.start_over();
            }
            let start = self.place(&text);
            let length = [0, 0, 0, 1, 3, 12][self.random.below(6)];
            let mut end = (start + length).min(text.len());
            while !is_place(&text, end) {
                end += 1;
            }
            let new = match self.random.below(8) {
                // A piece of the text again.
                0 => {
                    let from = self.place(&text);
                    let mut to = (from + 40).min(text.len());
                    while !is_place(&text, to) {
                        to += 1;
                    }
                    text[from..to].to_owned()
                }
                _ => (*self.random.of(&SNIPPETS)).to_owned(),
            };
            let range = json!({ "start": self.position(&text, start), "end": self.position(&text, end) });
            changes.push(json!({ "range": range, "text": new }));
            self.open.insert(path, format!("{}{new}{}", &text[..start], &text[end..]));
            self.edits += 1;
        }
        self.editor.changes(path, json!(changes));
    }

    /// A place between characters, not within a line end.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.random.below(text.len() + 1);
        while !is_place(text, at) {
            at += 1;
        }
        at
    }

    fn position(&self, text: &str, at: usize) -> Value {
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let before = &text[start..at];
        let character = match self.encoding {
            "utf-8" => before.len(),
            "utf-16" => before.encode_utf16().count(),
            _ => before.chars().count(),
        };
        json!({ "line": text[..at].matches('\n').count(), "character": character })
    }

    fn ask(&mut self) {
        let paths: Vec<&'static str> = self.disk.keys().copied().collect();
        let path = *self.random.of(&paths);
        let text = self.open.get(path).unwrap_or(&self.disk[path]).clone();
        let at = self.place(&text);
        let position = self.position(&text, at);
        let methods = [
            "hover",
            "completion",
            "definition",
            "references",
            "documentSymbol",
            "codeLens",
            "inlayHint",
            "codeAction",
            "diagnostic",
        ];
        let method = format!("textDocument/{}", self.random.of(&methods));
        let mut params = self.editor.document(path);
        params["position"] = position.clone();
        params["range"] = json!({ "start": position, "end": position });
        params["context"] = json!({ "includeDeclaration": true, "diagnostics": [], "triggerKind": 1 });
        let id = self.editor.send(&method, params);
        self.asked.push(id);
    }

    fn cancel(&mut self) {
        if let Some(id) = self.asked.last() {
            let id = serde_json::to_value(id).unwrap();
            self.editor.notify("$/cancelRequest", json!({ "id": id }));
        }
    }

    fn open_or_close(&mut self) {
        let path = self.random.of(&FILES).0;
        if self.open.remove(path).is_some() {
            self.editor.close(path);
            return;
        }
        let text = self.disk[path].clone();
        let language = if path.ends_with("Dockerfile") { "dockerfile" } else { "plaintext" };
        self.editor.open_as(&self.editor.uri(path), language, &text);
        self.open.insert(path, text);
    }

    /// Something else writes a file, or saves what is open.
    fn write(&mut self) {
        let path = self.random.of(&FILES).0;
        let text = match self.open.get(path) {
            Some(text) if path != "hitrate.toml" => text.clone(),
            _ => FILES.iter().find(|(own, _)| *own == path).unwrap().1.to_owned(),
        };
        self.editor.write(path, &text);
        self.disk.insert(path, text);
        let change = json!({ "uri": self.editor.uri(path), "type": 2 });
        self.editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": [change] }));
    }

    fn set(&mut self) {
        let lens = self.random.below(2) == 0;
        let settings = json!({ "hitrate": { "inlayHints": lens, "codeLens": !lens } });
        self.editor.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    }

    fn listen(&mut self) {
        for message in self.editor.heard() {
            self.hear(message);
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Response(response) => {
                self.answers += 1;
                self.asked.retain(|id| *id != response.id);
                if let Err(error) = response.response_result {
                    let fine = [ErrorCode::RequestCanceled as i32, ErrorCode::ServerCancelled as i32];
                    assert!(fine.contains(&error.code), "step {}: {error:?}", self.steps);
                }
            }
            Message::Notification(told) if told.method == "textDocument/publishDiagnostics" => {
                self.sent.insert(told.params["uri"].as_str().unwrap().to_owned(), told.params);
            }
            Message::Notification(told) => {
                assert!(told.params["type"] != 1, "step {}: {}", self.steps, told.params);
            }
            Message::Request(_) => {}
        }
    }

    /// What was sent is what is true, and what the command line says of the same texts.
    fn check(&mut self) {
        // What is wrong with a configuration ends the command; the editor goes on without it.
        if self.open.contains_key("hitrate.toml") {
            let text = FILES.iter().find(|(path, _)| *path == "hitrate.toml").unwrap().1;
            self.editor.change("hitrate.toml", None, text);
            self.open.insert("hitrate.toml", text.to_owned());
        }
        for (path, text) in &self.disk {
            write(self.mirror.path(), path, self.open.get(path).unwrap_or(text));
        }
        let id = self.editor.send("workspace/diagnostic", json!({ "previousResultIds": [] }));
        let report = loop {
            let message = self.editor.next();
            match message {
                Message::Response(response) if response.id == id => break response.response_result.unwrap(),
                other => self.hear(other),
            }
        };
        let items = report["items"].as_array().unwrap().clone();
        // After the answer comes what is sent unasked.
        let begun = Instant::now();
        for path in self.open.keys().copied().collect::<Vec<_>>() {
            let address = self.editor.uri(path);
            let wanted = items.iter().find(|item| item["uri"] == address).map(|item| item["items"].clone());
            let wanted = wanted.unwrap_or_else(|| json!([]));
            while self.sent.get(&address).map(|sent| &sent["diagnostics"]) != Some(&wanted)
                || self.sent[&address]["version"] != self.editor.version(path)
            {
                assert!(begun.elapsed() < Duration::from_secs(240), "step {}: stale: {path}", self.steps);
                if let Some(message) = self.editor.next_within(Duration::from_millis(100)) {
                    self.hear(message);
                }
            }
        }
        let directory = self.editor.directory.path().to_path_buf();
        if self.encoding == "utf-32" {
            let command = by_command(self.mirror.path());
            let server = by_server(&mut self.editor, &directory, &items);
            let seen = || format!("step {}: {:?}", self.steps, self.open);
            assert_eq!(server.findings, command.findings, "{}", seen());
            assert_eq!(server.errors, command.errors, "{}", seen());
            assert_eq!(server.fixes, command.fixes, "{}", seen());
        } else {
            let codes = |items: &[Value]| -> Vec<String> {
                let base = format!("{}/", uri(&directory, ""));
                let all = items.iter().flat_map(|item| {
                    let path = item["uri"].as_str().unwrap().strip_prefix(&base).unwrap_or("").to_owned();
                    let found = item["items"].as_array().unwrap().clone().into_iter();
                    found.filter(|found| !found["code"].is_null()).map(move |found| {
                        let line = found["range"]["start"]["line"].as_u64().unwrap();
                        format!("{path} {line} {} {}", found["code"], found["message"])
                    })
                });
                let mut all: Vec<String> = all.collect();
                all.sort();
                all
            };
            let command: Vec<Value> = by_command(self.mirror.path())
                .findings
                .iter()
                .map(|text| serde_json::from_str(text).unwrap())
                .collect();
            let mut expected: Vec<String> = command
                .iter()
                .map(|found| {
                    let (path, line) = (found["path"].as_str().unwrap(), &found["range"]["start"]["line"]);
                    format!("{path} {line} {} {}", found["rule"], found["message"])
                })
                .collect();
            expected.sort();
            assert_eq!(codes(&items), expected, "step {}: {:?}", self.steps, self.open);
        }
    }
}

fn is_place(text: &str, at: usize) -> bool {
    text.is_char_boundary(at) && !(text[..at].ends_with('\r') && text[at..].starts_with('\n'))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn soak() {
    let seed = number("HITRATE_SOAK_SEED").unwrap_or(1);
    let Some(minutes) = number("HITRATE_SOAK_MINUTES") else {
        // One of each encoding.
        for seed in seed..seed + 3 {
            let mut soak = Soak::new(seed);
            for _ in 0..150 {
                soak.step();
            }
            soak.check();
            soak.editor.quit();
        }
        return;
    };
    let begun = Instant::now();
    let whole = Duration::from_secs(60 * minutes);
    let (mut checks, mut memory) = (0, Vec::new());
    let (mut steps, mut edits, mut answers) = (0, 0, 0);
    // One server throughout; its encoding is that of the seed.
    let mut soak = Soak::new(seed);
    let mut next = Duration::ZERO;
    while begun.elapsed() < whole {
        for _ in 0..200 {
            soak.step();
        }
        soak.check();
        checks += 1;
        if begun.elapsed() >= next {
            memory.push(soak.editor.memory());
            println!(
                "{:>4} s: {} steps, {} edits, {checks} checks, {} KiB",
                begun.elapsed().as_secs(),
                soak.steps,
                soak.edits,
                memory.last().unwrap()
            );
            next += whole / 20;
        }
    }
    soak.check();
    steps += soak.steps;
    edits += soak.edits;
    answers += soak.answers;
    soak.editor.quit();
    // What the allocator has taken by the second quarter it has for good.
    let quarter = memory.len() / 4;
    let early = memory[quarter..2 * quarter.max(1)].iter().max().copied().unwrap_or(0);
    let late = memory[memory.len() - quarter.max(1)..].iter().max().copied().unwrap_or(0);
    println!(
        "{minutes} minutes, seed {seed}: {steps} steps, {edits} edits, {answers} answers, {checks} checks"
    );
    println!("memory: {early} KiB in the second quarter, {late} KiB in the last");
    assert!(late <= early + early / 4, "it grows: {memory:?}");
}
