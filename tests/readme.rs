//! What the README shows is what the program prints. `UPDATE=1 cargo test --test readme` writes both anew.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // this whole crate is a test

#[path = "readme/svg.rs"]
mod svg;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The pictures, and the commands that they show.
const PICTURES: [(&str, &str); 1] =
    [("docs/explain.svg", "hitrate explain examples/shop/Dockerfile --edit web/main.js")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command prints to the standard output, in the project's root.
fn printed(command: &str) -> String {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_hitrate"));
    let mut path = vec![binary.parent().unwrap().to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(root()).env_clear().stdin(Stdio::null());
    let output = shell.env("PATH", std::env::join_paths(path).unwrap()).output().unwrap();
    assert!(output.stderr.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The text with the output of every command in a `console` block replaced by what the command prints today.
fn run(text: &str) -> String {
    let mut today = String::new();
    let (mut console, mut output) = (false, false);
    for line in text.lines() {
        let fence = line.starts_with("```");
        if fence {
            console = line == "```console";
            output = false;
        }
        if console && let Some(command) = line.strip_prefix("$ ") {
            today.push_str(&format!("{line}\n{}", printed(command)));
            output = true;
        } else if !output {
            today.push_str(&format!("{line}\n"));
        }
    }
    today
}

/// Compares, or with `UPDATE` in the environment writes.
fn hold(path: &str, today: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, today).unwrap();
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    let line = stored.lines().zip(today.lines()).position(|(stored, today)| stored != today);
    assert!(
        stored == today,
        "{path} does not show what the program prints (line {}): UPDATE=1 cargo test --test readme",
        line.unwrap_or_else(|| stored.lines().count().min(today.lines().count())) + 1
    );
}

#[test]
fn commands_print_what_is_shown_and_every_case_has_a_row() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(text.matches("\n$ hitrate ").count() >= 3, "the README shows no commands");
    let (before, rest) = text.split_once("<!-- cases -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of cases -->").unwrap();
    let text = format!("{before}<!-- cases -->\n{}<!-- end of cases -->{after}", cases());
    hold("README.md", &run(&text));
}

/// The rows of the cases: what each is about, and what is reported in it.
fn cases() -> String {
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root().join("fixtures/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("expect.json").is_file());
    cases.sort();
    let mut table = "| case | what it shows | reported |\n| --- | --- | --- |\n".to_owned();
    for case in cases {
        let text = fs::read_to_string(case.join("expect.json")).unwrap();
        let expect: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut rules: Vec<String> = Vec::new();
        for must in expect["must"].as_array().unwrap() {
            let rule = format!("`{}`", must["rule"].as_str().unwrap());
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        let name = case.file_name().unwrap().to_str().unwrap();
        let about = expect["about"].as_str().unwrap().replace('|', "\\|");
        let rules = if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") };
        table.push_str(&format!("| [{name}](fixtures/cases/{name}) | {about} | {rules} |\n"));
    }
    table
}

#[test]
fn pictures_are_real_runs() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    for (path, command) in PICTURES {
        assert!(text.contains(path), "the README does not show {path}");
        hold(path, &svg::picture(command, &printed(&format!("{command} --color always"))));
    }
    assert!(text.contains("docs/graph.svg"));
    hold("docs/graph.svg", &printed("hitrate graph examples/shop/Dockerfile --format svg"));
}

/// The first block is what somebody copies on a fresh machine.
#[test]
fn the_test_command_is_what_ci_runs() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let block = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let commands: Vec<&str> =
        block.lines().map(|line| line.split(" #").next().unwrap_or(line).trim()).collect();
    assert_eq!(commands, ["cargo run --release -- check examples/shop", "cargo test"]);
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(ci.lines().any(|line| line.starts_with(commands[1])));
}

/// What the README shows as configuration is one.
#[test]
fn the_configuration_is_read() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let block = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let selectors: Vec<&str> = hitrate::rules::selectors().collect();
    hitrate::settings::ConfigFile::parse(block, "hitrate.toml", &selectors).unwrap();
}

/// A link to a file of the project leads somewhere.
#[test]
fn links_lead_to_files() {
    for path in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/ci.md", "docs/json.md"] {
        let text = fs::read_to_string(root().join(path)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = root().join(path).with_file_name(link.split('#').next().unwrap());
            assert!(link.contains("://") || file.exists(), "{path}: {link} leads nowhere");
        }
    }
}
