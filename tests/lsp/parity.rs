//! The editor says what the command line says: for every case of `fixtures/cases`, every example project and every example
//! on a rule's page, findings and fixes are the same.

use crate::editor::{Editor, plain, uri, write};
use crate::page;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The projects by name, each a file map.
fn projects() -> BTreeMap<String, BTreeMap<String, String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut projects = BTreeMap::new();
    for (folder, kind) in [("fixtures/cases", "case"), ("examples", "example")] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.file_name().unwrap().to_str().unwrap();
                let mut files = BTreeMap::new();
                collect(&path, "", &mut files);
                projects.insert(format!("{kind}-{name}"), files);
            }
        }
    }
    for rule in hitrate::rules::names() {
        let text = fs::read_to_string(root.join(format!("rules/{rule}.md"))).unwrap();
        for (number, example) in page::examples(&text).unwrap().into_iter().enumerate() {
            projects.insert(format!("{rule}-{number}"), example.files);
        }
    }
    projects
}

fn collect(directory: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            files.insert(name, text);
        }
    }
}

/// A place as the protocol counts: from 0.
fn protocol(place: &Value) -> Value {
    let number = |key: &str| place[key].as_u64().unwrap() - 1;
    json!({ "line": number("line"), "character": number("column") })
}

fn range(at: &Value) -> Value {
    json!({ "start": protocol(&at["start"]), "end": protocol(&at["end"]) })
}

fn set(items: impl IntoIterator<Item = Value>) -> BTreeSet<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// What the command line says, as diagnostics: those of findings, those of errors, and the fixes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) findings: BTreeSet<String>,
    pub(crate) errors: BTreeSet<String>,
    pub(crate) fixes: BTreeSet<String>,
}

pub(crate) fn by_command(directory: &Path) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hitrate"));
    command.args(["check", "--format", "json", "--fail-on", "never", "."]).current_dir(directory);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let finding = |finding: &Value| {
        let cause = |cause: &Value| {
            // What stands in no file is shown where its effect is.
            let at = if cause["path"].is_null() { finding } else { cause };
            json!([cause["message"], at["path"], range(at)])
        };
        let help = finding["help"].as_str().unwrap_or("");
        let help = if help.is_empty() { String::new() } else { format!("\nhelp: {help}") };
        let causes = finding["causes"].as_array().unwrap().iter().map(cause);
        json!({
            "rule": finding["rule"],
            "severity": finding["severity"],
            "path": finding["path"],
            "range": range(finding),
            "message": format!("{}{help}", finding["message"].as_str().unwrap()),
            "causes": causes.collect::<Vec<_>>(),
            "url": finding["url"],
        })
    };
    let fix = |finding: &Value| {
        let fix = finding.get("fix").filter(|fix| !fix.is_null())?;
        let edit = |edit: &Value| json!([edit["path"], range(edit), edit["text"]]);
        let edits: BTreeSet<String> = set(fix["edits"].as_array().unwrap().iter().map(edit));
        Some(json!([finding["path"], range(finding), finding["rule"], fix["title"], fix["safety"], edits]))
    };
    let error = |error: &Value| json!([error["path"], error["message"]]);
    Said {
        findings: set(findings.iter().map(finding)),
        errors: set(report["errors"].as_array().unwrap().iter().map(error)),
        fixes: set(findings.iter().filter_map(fix)),
    }
}

/// What the server says of the project in `directory`, out of all its diagnostics.
pub(crate) fn by_server(editor: &mut Editor, directory: &Path, diagnostics: &[Value]) -> Said {
    let base = format!("{}/", uri(directory, ""));
    let path_of = |uri: &Value| uri.as_str().and_then(|uri| uri.strip_prefix(&base)).map(str::to_owned);
    let mut said = Said::default();
    for item in diagnostics {
        let Some(path) = path_of(&item["uri"]) else { continue };
        for found in item["items"].as_array().unwrap() {
            if found["code"].is_null() {
                said.errors.insert(json!([path, found["message"]]).to_string());
                continue;
            }
            let cause = |cause: &Value| {
                let location = &cause["location"];
                json!([cause["message"], path_of(&location["uri"]), location["range"]])
            };
            let causes = found["relatedInformation"].as_array().into_iter().flatten().map(cause);
            let severity = ["", "error", "warning", "info"][found["severity"].as_u64().unwrap() as usize];
            let finding = json!({
                "rule": found["code"],
                "severity": severity,
                "path": path,
                "range": found["range"],
                "message": found["message"],
                "causes": causes.collect::<Vec<_>>(),
                "url": found["codeDescription"]["href"],
            });
            said.findings.insert(finding.to_string());
            let params = json!({
                "textDocument": { "uri": item["uri"] },
                "range": { "start": found["range"]["start"], "end": found["range"]["start"] },
                "context": { "diagnostics": [found], "only": ["quickfix"] },
            });
            let actions = editor.request("textDocument/codeAction", params);
            for action in actions.as_array().unwrap() {
                let title = action["title"].as_str().unwrap();
                // Suppressions are no fixes.
                if action["isPreferred"].is_null() {
                    assert!(title.starts_with("ignore "), "{title}");
                    continue;
                }
                let of = &action["diagnostics"][0];
                let safe = action["isPreferred"] == true;
                let title = title.strip_suffix(" (look at what it does)").unwrap_or(title);
                let changes = action["edit"]["documentChanges"].as_array().unwrap().iter();
                let edits = changes.filter(|change| change["kind"].is_null()).flat_map(|change| {
                    let path = path_of(&change["textDocument"]["uri"]);
                    let edits = change["edits"].as_array().unwrap().clone().into_iter();
                    edits.map(move |edit| json!([path, edit["range"], edit["newText"]]))
                });
                let safety = if safe { "safe" } else { "unsafe" };
                let fix = json!([path, of["range"], of["code"], title, safety, set(edits)]);
                said.fixes.insert(fix.to_string());
            }
        }
    }
    said
}

#[test]
fn the_editor_and_the_command_line_say_the_same_of_every_fixture() {
    let projects = projects();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_path_buf();
    for (name, files) in &projects {
        fs::create_dir_all(root.join(name).join(".git")).unwrap();
        for (path, text) in files {
            write(&root.join(name), path, text);
        }
    }
    let folders: Vec<Value> =
        projects.keys().map(|name| json!({ "uri": uri(&root, name), "name": name })).collect();
    let mut capabilities = plain();
    capabilities["general"] = json!({ "positionEncodings": ["utf-32"] });
    capabilities["textDocument"]["diagnostic"] = json!({ "relatedInformation": true });
    capabilities["workspace"] =
        json!({ "workspaceEdit": { "documentChanges": true, "resourceOperations": ["create"] } });
    let mut editor = Editor::at(directory, json!(folders), capabilities, Value::Null);
    // Half of the Dockerfiles are open, with the texts that they have on the disk.
    for (number, (name, files)) in projects.iter().enumerate() {
        if let (0, Some(text)) = (number % 2, files.get("Dockerfile")) {
            editor.open(&format!("{name}/Dockerfile"), text);
        }
    }
    let report = editor.request("workspace/diagnostic", json!({ "previousResultIds": [] }));
    let diagnostics = report["items"].as_array().unwrap().clone();
    let (mut findings, mut fixes) = (0, 0);
    for name in projects.keys() {
        let command = by_command(&root.join(name));
        let server = by_server(&mut editor, &root.join(name), &diagnostics);
        assert_eq!(server.findings, command.findings, "{name}");
        assert_eq!(server.errors, command.errors, "{name}");
        assert_eq!(server.fixes, command.fixes, "{name}");
        findings += command.findings.len();
        fixes += command.fixes.len();
    }
    println!("{} projects, {findings} findings, {fixes} fixes", projects.len());
    assert!(projects.len() > 100 && findings > 100 && fixes > 30, "{findings} findings, {fixes} fixes");
    editor.quit();
}
