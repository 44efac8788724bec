//! What a diagnostic says, sent and asked for.

use crate::editor::{Editor, places, pulling};
use serde_json::{Value, json};

#[test]
fn a_finding_is_a_diagnostic_with_its_rule_and_page() {
    let mut editor = Editor::new(&[]);
    editor.open("Dockerfile", "FROM alpine\n");
    let found = editor.published("Dockerfile");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(found["source"], "hitrate");
    assert_eq!(found["code"], "mutable-base");
    assert_eq!(found["severity"], 3, "information");
    let href = found["codeDescription"]["href"].as_str().unwrap();
    assert!(href.ends_with("/rules/mutable-base.md"), "{href}");
    let (message, help) = found["message"].as_str().unwrap().split_once('\n').unwrap();
    assert!(message.contains("`alpine` has no tag"), "{message}");
    assert!(help.starts_with("help: name a version"), "{help}");
    editor.quit();
}

#[test]
fn what_has_no_effect_is_greyed_out() {
    let mut editor = Editor::new(&[]);
    editor.open("Dockerfile", "# hitrate: ignore[mutable-base] once\nFROM alpine:3.22\n");
    let found = editor.published("Dockerfile");
    assert_eq!(places(&found), ["unused-suppression:0:18-30"]);
    assert_eq!(found[0]["tags"], json!([1]));
    editor.quit();
}

#[test]
fn a_client_that_asks_is_answered_and_sent_nothing() {
    let files = [("Dockerfile", "FROM alpine\n"), ("a/Dockerfile", "FROM debian\n")];
    let mut editor = Editor::with(&files, pulling(), Value::Null);
    assert_eq!(editor.capabilities["diagnosticProvider"]["workspaceDiagnostics"], true);
    editor.open("Dockerfile", "FROM alpine\nFROM debian\n");
    let report = editor.request("textDocument/diagnostic", editor.document("Dockerfile"));
    assert_eq!((&report["kind"], report["items"].as_array().unwrap().len()), (&json!("full"), 2));
    // The same again is not sent twice.
    let mut again = editor.document("Dockerfile");
    again["previousResultId"] = report["resultId"].clone();
    let unchanged = editor.request("textDocument/diagnostic", again.clone());
    assert_eq!(unchanged["kind"], "unchanged");
    editor.change("Dockerfile", Some([1, 11, 1, 11]), ":12");
    let report = editor.request("textDocument/diagnostic", again);
    assert_eq!((&report["kind"], report["items"].as_array().unwrap().len()), (&json!("full"), 1));
    assert_eq!(editor.pulled("a/Dockerfile").len(), 1, "one that is not open is read from the disk");
    editor.quit();
}

#[test]
fn the_whole_workspace_is_told_and_what_is_mended_is_taken_back() {
    let files =
        [("Dockerfile", "FROM alpine\n"), ("a/Dockerfile", "FROM debian\n"), ("b/Dockerfile", "FROM x:1\n")];
    let mut editor = Editor::with(&files, pulling(), Value::Null);
    editor.open("Dockerfile", "FROM alpine\n");
    let report = editor.request("workspace/diagnostic", json!({ "previousResultIds": [] }));
    let items = report["items"].as_array().unwrap().clone();
    let uris: Vec<_> = items.iter().map(|item| item["uri"].as_str().unwrap()).collect();
    assert_eq!(uris, [editor.uri("Dockerfile"), editor.uri("a/Dockerfile")]);
    assert_eq!((&items[0]["version"], &items[1]["version"]), (&json!(1), &Value::Null));
    let ids: Vec<_> =
        items.iter().map(|item| json!({ "uri": item["uri"], "value": item["resultId"] })).collect();
    editor.change("Dockerfile", None, "FROM alpine:3.22\n");
    let report = editor.request("workspace/diagnostic", json!({ "previousResultIds": ids }));
    let items = report["items"].as_array().unwrap();
    assert_eq!((&items[0]["kind"], &items[0]["items"]), (&json!("full"), &json!([])));
    assert_eq!(items[1]["kind"], "unchanged");
    editor.quit();
}

#[test]
fn a_file_that_cannot_be_read_says_so_at_its_place() {
    let mut editor = Editor::with(&[], pulling(), Value::Null);
    let compose = editor.uri("compose.yaml");
    editor.open_as(&compose, "yaml", "services: {\n");
    let found = editor.pulled("compose.yaml");
    assert_eq!((found.len(), &found[0]["severity"]), (1, &json!(1)), "{found:?}");
    editor.quit();
}

#[test]
fn a_text_that_was_never_saved_is_asked_about_too() {
    let mut editor = Editor::with(&[], pulling(), json!({ "ignore": ["mutable-base"] }));
    let uri = "untitled:Untitled-1";
    editor.open_as(uri, "dockerfile", "FROM alpine\n");
    let report = editor.request("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(report["items"], json!([]), "the editor's settings hold");
    let settings = json!({ "hitrate": {} });
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    let report = editor.request("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(report["items"].as_array().unwrap().len(), 1);
    editor.quit();
}
