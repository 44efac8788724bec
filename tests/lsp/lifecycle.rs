//! From `initialize` to `exit`.

use crate::editor::{Editor, plain, uri, write};
use hitrate::lsp::Ended;
use serde_json::{Value, json};

#[test]
fn it_says_what_it_can_do_and_leaves_in_order() {
    let editor = Editor::new(&[]);
    assert_eq!(editor.capabilities["positionEncoding"], "utf-16");
    assert_eq!(editor.capabilities["textDocumentSync"]["change"], 2, "incremental");
    assert_eq!(editor.capabilities["diagnosticProvider"], Value::Null, "this client is sent diagnostics");
    editor.quit();
}

#[test]
fn requests_before_initialize_and_after_shutdown_are_refused() {
    let mut editor = Editor::unstarted(tempfile::tempdir().unwrap());
    let id = editor.send("textDocument/hover", json!({}));
    assert_eq!(editor.answer(&id).unwrap_err().code, -32002);
    editor.notify("textDocument/didOpen", json!({}));
    editor.request("initialize", json!({ "capabilities": {} }));
    assert_eq!(editor.request("shutdown", Value::Null), Value::Null);
    let id = editor.send("textDocument/hover", json!({}));
    assert_eq!(editor.answer(&id).unwrap_err().code, -32600);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.join(), Ended::Orderly);
}

#[test]
fn a_client_that_goes_without_a_word_ends_it() {
    assert_eq!(Editor::new(&[]).vanish(), Ended::Abandoned);
    assert_eq!(Editor::unstarted(tempfile::tempdir().unwrap()).vanish(), Ended::Abandoned);
    let mut editor = Editor::new(&[]);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.join(), Ended::Abandoned, "exit without shutdown");
}

#[test]
fn what_is_not_understood_is_answered_and_survived() {
    let mut editor = Editor::new(&[("Dockerfile", "FROM alpine\n")]);
    let id = editor.send("textDocument/willMakeCoffee", json!({}));
    assert_eq!(editor.answer(&id).unwrap_err().code, -32601);
    editor.notify("textDocument/didOpen", json!({ "textDocument": 7 }));
    editor.notify("textDocument/didChange", json!(null));
    let not_open = json!({ "textDocument": { "uri": "file:///none", "version": 1 }, "contentChanges": [] });
    editor.notify("textDocument/didChange", not_open);
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///none" } }));
    editor.notify("$/setTrace", json!({ "value": "verbose" }));
    editor.open("Dockerfile", "FROM alpine\n");
    assert_eq!(editor.published("Dockerfile").len(), 1);
    editor.quit();
}

#[test]
fn each_workspace_folder_has_its_own_configuration() {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("a/.git/HEAD", ""),
        ("a/hitrate.toml", "[rules]\nignore = [\"mutable-base\"]\n"),
        ("b/.git/HEAD", ""),
        ("b/hitrate.toml", "[rules.severity]\nmutable-base = \"error\"\n"),
    ] {
        write(directory.path(), path, text);
    }
    let folder = |name: &str| json!({ "uri": uri(directory.path(), name), "name": name });
    let folders = json!([folder("a"), folder("b")]);
    let c = folder("b");
    let mut editor = Editor::at(directory, folders, plain(), Value::Null);
    editor.open("a/Dockerfile", "FROM alpine\n");
    editor.open("b/Dockerfile", "FROM alpine\n");
    assert!(editor.published("a/Dockerfile").is_empty());
    assert_eq!(editor.published("b/Dockerfile")[0]["severity"], 1);
    // Without its folder the file stands alone, and the configuration above it holds all the same.
    let event = json!({ "event": { "added": [], "removed": [c] } });
    editor.notify("workspace/didChangeWorkspaceFolders", event.clone());
    editor.change("b/Dockerfile", None, "FROM debian\n");
    assert_eq!(editor.published("b/Dockerfile")[0]["severity"], 1);
    let event = json!({ "event": { "added": event["event"]["removed"], "removed": [] } });
    editor.notify("workspace/didChangeWorkspaceFolders", event);
    editor.change("b/Dockerfile", None, "FROM debian:12\n");
    assert!(editor.published("b/Dockerfile").is_empty());
    editor.quit();
}

#[test]
fn a_file_in_no_folder_and_a_text_in_no_file_are_looked_at_alone() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "Dockerfile", "FROM debian\n");
    let mut editor = Editor::at(directory, Value::Null, plain(), Value::Null);
    editor.open("Dockerfile", "FROM alpine\n");
    assert_eq!(editor.published("Dockerfile").len(), 1);
    editor.open_as("untitled:Untitled-1", "dockerfile", "FROM alpine\nCOPY none /\n");
    let (_, params) = editor.expect("textDocument/publishDiagnostics");
    assert_eq!(params["uri"], "untitled:Untitled-1");
    let codes: Vec<_> = params["diagnostics"].as_array().unwrap().iter().map(|d| &d["code"]).collect();
    assert_eq!(codes, ["mutable-base"], "nothing is known of its context");
    editor.close("Dockerfile");
    let (_, params) = editor.expect("textDocument/publishDiagnostics");
    assert_eq!(params["diagnostics"], json!([]));
    editor.quit();
}

#[test]
fn a_wrong_setting_is_told_and_the_others_hold() {
    let options = json!({ "ignore": ["mutable-bse"] });
    let mut editor = Editor::with(&[], plain(), options);
    let (_, params) = editor.expect("window/showMessage");
    let message = params["message"].as_str().unwrap();
    assert!(message.contains("did you mean `mutable-base`?"), "{message}");
    editor.open("Dockerfile", "FROM alpine\n");
    assert_eq!(editor.published("Dockerfile").len(), 1);
    editor.quit();
}

#[test]
fn settings_change_while_it_runs() {
    let mut editor = Editor::new(&[]);
    editor.open("Dockerfile", "FROM alpine\n");
    assert_eq!(editor.published("Dockerfile").len(), 1);
    let settings = json!({ "hitrate": { "ignore": ["mutable-base"] } });
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    assert!(editor.published("Dockerfile").is_empty());
    editor.quit();
}
