//! The editor's texts are what is looked at.

use crate::editor::{Editor, places, plain, range};
use serde_json::{Value, json};

#[test]
fn changes_are_applied_one_after_the_other_and_the_last_text_counts() {
    let mut editor = Editor::new(&[("Dockerfile", "FROM scratch\n")]);
    editor.open("Dockerfile", "FROM alpine:3.22\r\nRUN true\r\n");
    assert!(editor.published("Dockerfile").is_empty());
    editor.changes(
        "Dockerfile",
        json!([
            { "range": range([0, 11, 0, 16]), "text": "" },
            { "range": range([1, 0, 1, 0]), "text": "\r\nFROM debian\r\n" },
        ]),
    );
    let found = editor.published("Dockerfile");
    assert_eq!(places(&found), ["mutable-base:0:5-11", "mutable-base:2:5-11"]);
    editor.change("Dockerfile", None, "FROM alpine:3.22\n");
    assert!(editor.published("Dockerfile").is_empty());
    editor.quit();
}

#[test]
fn columns_count_what_was_agreed_on() {
    // The clef is 4 bytes, 2 UTF-16 units and 1 character; é 2 bytes and 1 of the others.
    let text = "FROM \"r/𝄞é\"\r\n";
    for (offered, agreed, end) in [
        (Value::Null, "utf-16", 12),
        (json!(["utf-16"]), "utf-16", 12),
        (json!(["utf-32", "utf-16"]), "utf-32", 11),
        (json!(["utf-16", "utf-8"]), "utf-8", 15),
    ] {
        let mut capabilities = plain();
        capabilities["general"] = json!({ "positionEncodings": offered });
        let mut editor = Editor::with(&[], capabilities, Value::Null);
        assert_eq!(editor.capabilities["positionEncoding"], agreed);
        editor.open("Dockerfile", text);
        assert_eq!(places(&editor.published("Dockerfile")), [format!("mutable-base:0:5-{end}")]);
        // The edit is counted in the same way: it takes the é away.
        let width = 1 + u32::from(agreed == "utf-8");
        editor.change("Dockerfile", Some([0, end - 1 - width, 0, end - 1]), "");
        let left = end - width;
        assert_eq!(places(&editor.published("Dockerfile")), [format!("mutable-base:0:5-{left}")]);
        editor.quit();
    }
}

#[test]
fn an_unsaved_text_counts_and_a_closed_one_does_not() {
    let mut editor = Editor::new(&[("Dockerfile", "FROM alpine\n"), ("b/Dockerfile", "FROM debian\n")]);
    editor.open("Dockerfile", "FROM alpine:3.22\n");
    assert!(editor.published("Dockerfile").is_empty());
    editor.close("Dockerfile");
    let (_, params) = editor.expect("textDocument/publishDiagnostics");
    assert_eq!(params["diagnostics"], json!([]), "what is closed has none");
    editor.open("Dockerfile", "FROM alpine\n");
    assert_eq!(editor.published("Dockerfile").len(), 1);
    editor.quit();
}

#[test]
fn an_unsaved_configuration_and_ignore_file_count() {
    let mut editor = Editor::new(&[]);
    editor.open("Dockerfile", "FROM alpine\n");
    assert_eq!(editor.published("Dockerfile").len(), 1);
    let config = editor.uri("hitrate.toml");
    editor.open_as(&config, "toml", "[rules]\nignore = [\"mutable-base\"]\n");
    assert!(editor.published("Dockerfile").is_empty());
    editor.change("hitrate.toml", None, "[rules]\nignore = [\"mutable-bse\"]\n");
    let found = loop {
        let found = editor.published("hitrate.toml");
        if !found.is_empty() {
            break found;
        }
    };
    assert_eq!(places(&found), ["-:1:10-10"]);
    assert!(found[0]["message"].as_str().unwrap().contains("did you mean `mutable-base`?"));
    assert_eq!(editor.published("Dockerfile").len(), 1, "a broken configuration says nothing");
    editor.close("hitrate.toml");
    editor.quit();
}

#[test]
fn a_text_that_is_too_large_is_said_to_be() {
    let mut editor = Editor::new(&[]);
    editor.open("Dockerfile", &"# ".repeat(3 << 20));
    let found = editor.published("Dockerfile");
    assert_eq!(found[0]["message"], "is larger than 4 MiB");
    editor.change("Dockerfile", None, "FROM alpine\n");
    assert_eq!(places(&editor.published("Dockerfile")), ["mutable-base:0:5-11"]);
    editor.quit();
}

#[test]
fn the_language_says_that_it_is_a_dockerfile() {
    let mut editor = Editor::new(&[]);
    editor.open("image.txt", "FROM alpine\n");
    assert_eq!(editor.published("image.txt").len(), 1);
    let other = editor.uri("notes.txt");
    editor.open_as(&other, "plaintext", "FROM alpine\n");
    assert!(editor.published("notes.txt").is_empty());
    editor.quit();
}

#[test]
fn a_script_that_no_longer_builds_anything_is_forgotten() {
    let mut editor = Editor::new(&[]);
    let script = editor.uri("build.sh");
    editor.open_as(&script, "shellscript", "#!/bin/sh\n# hitrate: ignore[mutable-base]\ndocker build .\n");
    assert_eq!(places(&editor.published("build.sh")), ["unused-suppression:1:18-30"]);
    editor.change("build.sh", Some([2, 0, 2, 6]), "true");
    assert!(editor.published("build.sh").is_empty());
    editor.quit();
}
