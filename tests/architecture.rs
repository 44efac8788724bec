//! The rooms of the house and the doors between them: the data goes one way (design, "The way of the data").
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from left to right. A room imports from itself and from what stands to its left; rooms in one group do not
/// know each other, except where [`DOORS`] says so.
const ORDER: &[&[&str]] = &[
    &["source"],
    &["dockerfile"],
    &["shell", "context"],
    &["tools", "builds"],
    &["graph"],
    &["cache"],
    &["settings"],
    &["project"],
    &["fix"],
    &["rules", "plan"],
    &["workspace"],
    &["engine"],
    &["report"],
    &["cli", "lsp"],
];

/// What the order does not allow and is right all the same.
const DOORS: &[(&str, &str)] = &[
    // The command line starts the server.
    ("cli", "lsp"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

/// A source file: its room, its path, and its lines of code with their numbers (comments and unit tests left out).
type Source = (String, String, Vec<(usize, String)>);

fn rooms() -> Vec<Source> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let mut rooms = Vec::new();
    for file in files {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        let room = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let name = path.rsplit('/').next().unwrap();
        if matches!(room.as_str(), "lib" | "main") || name == "tests.rs" || name.starts_with("test_") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = code.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned()));
        let lines = lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect();
        rooms.push((room, path, lines));
    }
    assert!(rooms.len() > 50, "the sources are not where they were");
    rooms
}

fn rank(room: &str) -> usize {
    let rank = ORDER.iter().position(|group| group.contains(&room));
    rank.unwrap_or_else(|| panic!("the room `{room}` has no place in `ORDER`"))
}

/// The rooms that a line of code names as `crate::room`, also in a list `crate::{a, b::c}`.
fn named(line: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let name =
            |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => drop(rooms.insert(name(rest))),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        ' ' => {}
                        _ if start => {
                            rooms.insert(name(&list[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms.remove("");
    rooms
}

#[test]
fn the_data_goes_one_way() {
    let mut wrong = Vec::new();
    for (room, path, lines) in rooms() {
        for (number, line) in lines {
            for other in named(&line) {
                let allowed = other == room
                    || rank(&other) < rank(&room)
                    || DOORS.contains(&(room.as_str(), other.as_str()));
                if !allowed {
                    wrong.push(format!("src/{path}:{number}: `{room}` knows `{other}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where alone some things may be named.
const ALONE: &[(&str, &[&str])] = &[
    ("std::fs", &["project"]),
    ("fs::read", &["project"]),
    ("fs::write", &["project"]),
    ("File::open", &["project"]),
    ("process::Command", &["project"]),
    ("std::net", &[]),
    ("std::env", &["project", "cli", "lsp"]),
    ("std::time", &["cli", "lsp"]),
    ("codespan_reporting", &["report"]),
    ("similar::", &["report", "engine"]),
    ("lsp_server", &["lsp"]),
    ("clap::", &["cli", "report"]),
    ("println!", &[]),
    ("unsafe {", &[]),
];

#[test]
fn each_thing_is_known_in_its_room_only() {
    let mut wrong = Vec::new();
    for (room, path, lines) in rooms() {
        for (number, line) in lines {
            for (what, allowed) in ALONE {
                if line.contains(what) && !allowed.contains(&room.as_str()) {
                    wrong.push(format!("src/{path}:{number}: {what} is not for `{room}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_do_not_know_each_other() {
    for (room, path, lines) in rooms() {
        if room != "rules" || path == "rules/mod.rs" || path.matches('/').count() > 1 {
            continue;
        }
        for (number, line) in lines {
            let other = line.contains("super::")
                && named(&line.replace("super::", "crate::")).iter().any(|name| {
                    root().join(format!("rules/{name}.rs")).exists()
                        && !path.ends_with(&format!("/{name}.rs"))
                });
            assert!(!other, "src/{path}:{number}: a rule imports from another: {line}");
        }
    }
}

#[test]
fn the_reader_of_this_test_reads_lists() {
    let line = "use crate::{engine, project::{self, git}, rules};";
    assert_eq!(named(line).into_iter().collect::<Vec<_>>(), ["engine", "project", "rules"]);
    assert_eq!(named("let x = crate::source::nearest(a, crate::rules::names());").len(), 2);
}
