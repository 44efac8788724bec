//! The image of hitrate. No daemon is needed: what its build would take is laid out as the Dockerfile says.

use super::{Checkout, read, root};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

#[test]
fn hitrate_finds_nothing_in_its_own_image() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hitrate"));
    let output = command
        .current_dir(root())
        .args(["check", "--select", "all", "--fail-on", "info", "Dockerfile"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.starts_with(b"no findings in 1 file"));
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
        return;
    }
    for entry in std::fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy(&from.join(&name), &to.join(&name));
    }
}

/// Cargo reads the manifest in what the build stage has, and every file that the sources include is there.
#[test]
fn the_build_stage_has_what_cargo_needs() {
    let stage = Checkout::new(&[]);
    let dockerfile = read("Dockerfile").replace("\\\n", " ");
    let build = dockerfile.split("\nFROM ").nth(1).unwrap();
    let ignore = read(".dockerignore");
    for line in build.lines() {
        if let Some(words) = line.strip_prefix("COPY ") {
            let words: Vec<&str> = words.split_whitespace().collect();
            let (target, sources) = words.split_last().unwrap();
            for source in sources {
                assert!(
                    ignore.lines().any(|line| line == format!("!{source}")),
                    "{source} is not in the context"
                );
                let to = if *target == "./" { *source } else { *target };
                copy(&root().join(source), &stage.path(to));
            }
        } else if let Some(command) = line.strip_prefix("RUN ").filter(|command| command.starts_with("sed "))
        {
            assert_eq!(stage.run("sh", "", command, &BTreeMap::new()).code, 0);
        }
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(stage.path("")).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files = vec![stage.path("src")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for included in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(path.parent().unwrap().join(included).exists(), "{}: {included}", path.display());
        }
    }
}
