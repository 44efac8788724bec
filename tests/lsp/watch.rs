//! What changes on the disk.

use crate::editor::{Editor, pulling};
use serde_json::{Value, json};

fn watching() -> Value {
    let mut capabilities = pulling();
    capabilities["workspace"] = json!({
        "didChangeWatchedFiles": { "dynamicRegistration": true },
        "diagnostics": { "refreshSupport": true },
    });
    capabilities
}

fn changed(editor: &mut Editor, path: &str, kind: u32) {
    let changes = json!([{ "uri": editor.uri(path), "type": kind }]);
    editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
}

#[test]
fn files_that_come_change_and_go_are_seen() {
    let mut editor = Editor::with(&[("Dockerfile", "FROM alpine\n")], watching(), Value::Null);
    let (id, params) = editor.expect("client/registerCapability");
    assert_eq!(params["registrations"][0]["method"], "workspace/didChangeWatchedFiles");
    editor.respond(id.unwrap(), Value::Null);
    assert_eq!(editor.pulled("Dockerfile").len(), 1);

    editor.write("hitrate.toml", "[rules]\nignore = [\"mutable-base\"]\n");
    changed(&mut editor, "hitrate.toml", 1);
    assert!(editor.pulled("Dockerfile").is_empty(), "a configuration came");
    let (id, _) = editor.expect("workspace/diagnostic/refresh");
    editor.respond(id.unwrap(), Value::Null);

    editor.write("hitrate.toml", "[rules]\n");
    changed(&mut editor, "hitrate.toml", 2);
    assert_eq!(editor.pulled("Dockerfile").len(), 1, "it changed");

    editor.write("new/Dockerfile", "FROM debian\n");
    changed(&mut editor, "new/Dockerfile", 1);
    assert_eq!(editor.pulled("new/Dockerfile").len(), 1, "a Dockerfile came");

    editor.write("Dockerfile", "FROM alpine:3.22\n");
    changed(&mut editor, "Dockerfile", 2);
    assert!(editor.pulled("Dockerfile").is_empty(), "another one changed");

    std::fs::remove_file(editor.directory.path().join("new/Dockerfile")).unwrap();
    changed(&mut editor, "new/Dockerfile", 3);
    assert!(editor.pulled("new/Dockerfile").is_empty(), "it went");
    editor.quit();
}

#[test]
fn an_open_text_stays_over_what_changes_below_it() {
    let mut editor = Editor::with(&[("Dockerfile", "FROM alpine\n")], watching(), Value::Null);
    editor.open("Dockerfile", "FROM alpine\nFROM debian\n");
    assert_eq!(editor.pulled("Dockerfile").len(), 2);
    editor.write("Dockerfile", "FROM scratch\n");
    changed(&mut editor, "Dockerfile", 2);
    assert_eq!(editor.pulled("Dockerfile").len(), 2);
    editor.close("Dockerfile");
    assert!(editor.pulled("Dockerfile").is_empty());
    editor.quit();
}

#[test]
fn what_an_open_text_no_longer_speaks_of_is_not_spoken_of() {
    let files = [
        ("Dockerfile", "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\n"),
        ("package.json", "{ \"scripts\": { \"build\": \"tsc\" } }\n"),
        ("compose.yaml", "services: {}\n"),
        ("main.ts", "read(\"compose.yaml\")\n"),
        ("hitrate.toml", "[rules]\nselect = [\"context-noise\"]\n"),
    ];
    let mut editor = Editor::with(&files, watching(), Value::Null);
    editor.open("Dockerfile", files[0].1);
    let compose = |editor: &mut Editor| {
        let pulled = editor.pulled("Dockerfile");
        pulled[0]["message"].as_str().unwrap().contains("compose.yaml")
    };
    assert!(!compose(&mut editor), "main.ts reads it");
    editor.open_as(&editor.uri("main.ts"), "typescript", "read(\"other.yaml\")\n");
    assert!(compose(&mut editor));
    editor.close("main.ts");
    assert!(!compose(&mut editor));
    editor.quit();
}

#[test]
fn a_file_that_is_opened_changes_nothing() {
    let files = [
        (
            "Dockerfile",
            "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCOPY api/requirements.txt .\nRUN pip install -r requirements.txt\n",
        ),
        ("api/requirements.txt", "flask==3.1.0\n"),
        // What is below a directory that is left out is not looked at.
        (".dockerignore", "*\n"),
    ];
    let mut editor = Editor::with(&files, watching(), Value::Null);
    editor.open("Dockerfile", files[0].1);
    let before = editor.pulled("Dockerfile");
    assert!(!before.is_empty());
    editor.open_as(&editor.uri("api/requirements.txt"), "plaintext", files[1].1);
    assert_eq!(editor.pulled("Dockerfile"), before);
    editor.quit();
}

#[test]
fn settings_are_asked_for_where_they_can_be() {
    let mut capabilities = watching();
    capabilities["workspace"]["configuration"] = json!(true);
    let mut editor = Editor::with(&[("Dockerfile", "FROM alpine\n")], capabilities, Value::Null);
    let (id, params) = editor.expect("workspace/configuration");
    assert_eq!(params["items"][0]["section"], "hitrate");
    editor.respond(id.unwrap(), json!([{ "ignore": ["mutable-base"] }]));
    assert!(editor.pulled("Dockerfile").is_empty());
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": null }));
    let (id, _) = editor.expect("workspace/configuration");
    editor.respond(id.unwrap(), json!([{}]));
    assert_eq!(editor.pulled("Dockerfile").len(), 1);
    editor.quit();
}
