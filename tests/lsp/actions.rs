//! Fixes and suppressions that an editor applies.

use crate::editor::{Editor, plain, range};
use serde_json::{Value, json};

/// The capabilities of an editor that takes every kind of edit.
pub(crate) fn editing() -> Value {
    let mut capabilities = plain();
    capabilities["workspace"] = json!({
        "workspaceEdit": { "documentChanges": true, "resourceOperations": ["create"] },
    });
    capabilities
}

pub(crate) fn actions(editor: &mut Editor, path: &str, at: [u32; 4], only: Value) -> Vec<Value> {
    let mut params = editor.document(path);
    params["range"] = range(at);
    params["context"] = json!({ "diagnostics": [], "only": only });
    editor.request("textDocument/codeAction", params).as_array().unwrap().clone()
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["title"].as_str().unwrap()).collect()
}

const UNUSED: &str = "# hitrate: ignore[mutable-base] once\nFROM alpine:3.22\n\
                      # hitrate: ignore[mutable-base] twice\nRUN true\n";

#[test]
fn a_fix_is_an_edit_of_the_version_at_hand() {
    let mut editor = Editor::with(&[], editing(), Value::Null);
    editor.open("Dockerfile", "FROM alpine\n");
    editor.change("Dockerfile", None, UNUSED);
    let found = actions(&mut editor, "Dockerfile", [0, 20, 0, 20], json!(["quickfix"]));
    assert_eq!(titles(&found), ["remove the comment"]);
    let fix = &found[0];
    assert_eq!((&fix["kind"], &fix["isPreferred"]), (&json!("quickfix"), &json!(true)));
    assert_eq!(fix["diagnostics"][0]["code"], "unused-suppression");
    let edit = &fix["edit"]["documentChanges"][0];
    assert_eq!(edit["textDocument"], json!({ "uri": editor.uri("Dockerfile"), "version": 2 }));
    assert_eq!(edit["edits"], json!([{ "range": range([0, 0, 1, 0]), "newText": "" }]));
    let none = actions(&mut editor, "Dockerfile", [1, 0, 1, 3], json!(["quickfix"]));
    assert_eq!(titles(&none), [""; 0], "nothing is found there");
    editor.quit();
}

#[test]
fn an_editor_without_versions_gets_plain_edits() {
    let mut editor = Editor::new(&[]);
    editor.open("Dockerfile", UNUSED);
    let found = actions(&mut editor, "Dockerfile", [0, 20, 0, 20], json!(["quickfix"]));
    let changes = json!({ editor.uri("Dockerfile"): [{ "range": range([0, 0, 1, 0]), "newText": "" }] });
    assert_eq!(found[0]["edit"], json!({ "changes": changes }));
    editor.quit();
}

#[test]
fn all_safe_fixes_of_a_file_are_one_action() {
    for only in [json!(["source.fixAll.hitrate"]), json!(["source.fixAll"]), json!(["source"]), Value::Null] {
        let mut editor = Editor::with(&[], editing(), Value::Null);
        editor.open("Dockerfile", UNUSED);
        let found = actions(&mut editor, "Dockerfile", [9, 0, 9, 0], only.clone());
        assert_eq!(titles(&found), ["apply all safe fixes of this file"], "{only}");
        assert_eq!(found[0]["kind"], "source.fixAll.hitrate");
        let edits = &found[0]["edit"]["documentChanges"][0]["edits"];
        let removed = |line: u32| json!({ "range": range([line, 0, line + 1, 0]), "newText": "" });
        assert_eq!(*edits, json!([removed(0), removed(2)]));
        let other = actions(&mut editor, "Dockerfile", [9, 0, 9, 0], json!(["source.organizeImports"]));
        assert!(other.is_empty());
        editor.change("Dockerfile", None, "FROM alpine\n");
        assert!(actions(&mut editor, "Dockerfile", [9, 0, 9, 0], only).is_empty(), "nothing to fix");
        editor.quit();
    }
}

#[test]
fn an_editor_that_resolves_gets_the_edit_when_it_asks() {
    let mut capabilities = editing();
    capabilities["textDocument"]["codeAction"] = json!({ "resolveSupport": { "properties": ["edit"] } });
    let mut editor = Editor::with(&[], capabilities, Value::Null);
    assert_eq!(editor.capabilities["codeActionProvider"]["resolveProvider"], true);
    editor.open("Dockerfile", UNUSED);
    let found = actions(&mut editor, "Dockerfile", [9, 0, 9, 0], json!(["source"]));
    assert_eq!(found[0]["edit"], Value::Null);
    let resolved = editor.request("codeAction/resolve", found[0].clone());
    assert_eq!(resolved["edit"]["documentChanges"][0]["edits"].as_array().unwrap().len(), 2);
    editor.change("Dockerfile", None, "FROM alpine\n");
    let id = editor.send("codeAction/resolve", found[0].clone());
    assert_eq!(editor.answer(&id).unwrap_err().code, -32801, "the text is another");
    editor.quit();
}

/// The new text of each suppression that is offered at a place, in their order.
fn ignored(path: &str, text: &str, at: [u32; 4]) -> Vec<String> {
    let mut editor = Editor::with(&[], editing(), Value::Null);
    let (uri, language) =
        (editor.uri(path), if path.contains("Dockerfile") { "dockerfile" } else { "plaintext" });
    editor.open_as(&uri, language, text);
    let found = actions(&mut editor, path, at, json!(["quickfix"]));
    let insertions = found.iter().filter(|action| action["title"].as_str().unwrap().starts_with("ignore"));
    let texts: Vec<String> = insertions
        .map(|action| {
            let edit = &action["edit"]["documentChanges"][0]["edits"][0];
            assert_eq!(edit["range"]["start"], edit["range"]["end"]);
            let line = edit["range"]["start"]["line"].as_u64().unwrap();
            let column = edit["range"]["start"]["character"].as_u64().unwrap();
            format!("{line}:{column} {}", edit["newText"].as_str().unwrap())
        })
        .collect();
    editor.quit();
    texts
}

#[test]
fn a_finding_is_ignored_above_its_instruction_or_at_the_top() {
    assert_eq!(
        ignored("Dockerfile", "FROM alpine\n", [0, 5, 0, 5]),
        ["0:0 # hitrate: ignore[mutable-base]\n", "0:0 # hitrate: ignore-file[mutable-base]\n"]
    );
    assert_eq!(
        ignored("Dockerfile", "# syntax=docker/dockerfile:1\r\n\r\n  FROM alpine\r\n", [2, 9, 2, 9]),
        ["2:0   # hitrate: ignore[mutable-base]\r\n", "1:0 # hitrate: ignore-file[mutable-base]\r\n"],
        "behind the directives, with the indentation and line ends of the file"
    );
    let text = "# hitrate: ignore-file[a]\n# hitrate: ignore[b, c] why\n# more\nFROM alpine\n";
    assert_eq!(
        ignored("Dockerfile", text, [3, 5, 3, 5]),
        ["1:22 , mutable-base", "0:24 , mutable-base"],
        "comments that are there are added to"
    );
}
