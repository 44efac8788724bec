//! Suppression comments.

use super::{Folder, places};

fn found(dockerfile: &str) -> Vec<String> {
    let config = "[rules]\nselect = [\"mutable-base\", \"unused-suppression\"]\n";
    places(&Folder::new(&[("Dockerfile", dockerfile), ("hitrate.toml", config)]).json(&[]))
}

#[test]
fn a_comment_suppresses_the_instruction_below() {
    assert_eq!(
        found("# hitrate: ignore[mutable-base] on purpose\nFROM alpine\nFROM debian\n"),
        ["mutable-base:3"]
    );
    assert_eq!(found("# hitrate: ignore[mutable-base]\n# more\nFROM alpine\n"), [""; 0]);
    assert_eq!(found("# hitrate: ignore[unused-suppression, mutable-base]\nFROM alpine\n"), [""; 0]);
}

#[test]
fn a_comment_at_the_top_suppresses_the_file() {
    let top = "# syntax=docker/dockerfile:1\n\n# About.\n# hitrate: ignore-file[mutable-base] demo\n\nFROM alpine\nFROM debian\n";
    assert_eq!(found(top), [""; 0]);
    let late = "FROM alpine\n# hitrate: ignore-file[mutable-base]\nFROM debian\n";
    assert_eq!(found(late), ["mutable-base:1", "unused-suppression:2", "mutable-base:3"]);
}

#[test]
fn what_suppresses_nothing_is_reported() {
    assert_eq!(found("# hitrate: ignore[mutable-base]\nFROM alpine:3\n"), ["unused-suppression:1"]);
    assert_eq!(
        found("# hitrate: ignore[mutable-base]\n\nFROM alpine\n"),
        ["unused-suppression:1", "mutable-base:3"]
    );
    assert_eq!(found("# hitrate: ignore[no-such-rule]\nFROM alpine:3\n"), ["unused-suppression:1"]);
    assert_eq!(found("FROM alpine:3\n# hitrate: ignore[mutable-base]\n"), ["unused-suppression:2"]);
}

#[test]
fn a_rule_that_does_not_run_leaves_its_suppressions_alone() {
    let folder = Folder::new(&[("Dockerfile", "# hitrate: ignore[mutable-base]\nFROM alpine\n")]);
    assert_eq!(places(&folder.json(&["--select", "unused-suppression"])), [""; 0]);
}

#[test]
fn the_nearest_name_is_offered() {
    let folder = Folder::new(&[("Dockerfile", "# hitrate: ignore[mutable-bse]\nFROM alpine:3\n")]);
    let json = folder.json(&["--select", "unused-suppression"]);
    assert_eq!(json["findings"][0]["help"], "write `mutable-base`");
    assert_eq!(json["findings"][0]["fix"]["edits"][0]["text"], "mutable-base");
}
