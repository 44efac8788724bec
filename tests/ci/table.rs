//! The table of what is read ([`docs/builds.md`]): every test in it exists, every rule in it exists, no system is left out.

use hitrate::builds::System;
use hitrate::rules;
use std::collections::BTreeSet;
use std::path::Path;

const EVERY: &[System] = &[
    System::GithubActions,
    System::GitlabCi,
    System::Buildkite,
    System::CloudBuild,
    System::CircleCi,
    System::AzurePipelines,
    System::Bitbucket,
    System::Jenkins,
    System::Drone,
    System::Woodpecker,
    System::Skaffold,
    System::Bake,
    System::Compose,
    System::Devcontainer,
    System::Shell,
    System::Make,
    System::Just,
    System::Task,
    System::PackageJson,
];

/// Compiles only while [`EVERY`] may still be complete: a system that is new has to be added here and there.
fn number(system: System) -> usize {
    match system {
        System::GithubActions
        | System::GitlabCi
        | System::Buildkite
        | System::CloudBuild
        | System::CircleCi
        | System::AzurePipelines
        | System::Bitbucket
        | System::Jenkins
        | System::Drone
        | System::Woodpecker
        | System::Skaffold
        | System::Bake
        | System::Compose
        | System::Devcontainer
        | System::Shell
        | System::Make
        | System::Just
        | System::Task
        | System::PackageJson => system as usize,
    }
}

/// The rows of all tables, with the heading that they stand under.
fn rows(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut heading = "";
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        }
        let is_row = line.starts_with("| ") && !line.starts_with("| ---");
        if is_row && !line.ends_with("| test |") {
            let line = line.replace("\\|", "/").leak();
            rows.push((heading, line.trim_matches('|').split('|').map(str::trim).collect()));
        }
    }
    rows
}

fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_of_builds_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/builds.md")).unwrap();
    let rows = rows(&text);
    assert!(rows.len() > 60);
    let known: BTreeSet<&str> = rules::ALL.iter().map(|rule| rule.meta().name).collect();
    for (heading, cells) in &rows {
        let [.., judged, planned, test] = cells.as_slice() else { panic!("{heading}: {cells:?}") };
        assert!(cells.len() == 5 || cells.len() == 6, "{heading}: {cells:?}");
        let shown = ["", "yes", "as there", "command lines", "in the bake file", "in the Compose file"];
        assert!(shown.contains(planned), "{heading}: planned {planned:?}");
        for rule in code(judged) {
            assert!(known.contains(rule), "{heading}: no rule {rule}");
        }
        let (file, function) = test.trim_matches('`').split_once(": ").unwrap();
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(source.contains("#[test]\n"), "{file} has no tests");
        assert!(source.contains(&format!("fn {function}()")), "{heading}: no test {function} in {file}");
    }
    // The rules of "cache specs" too.
    let specs =
        text.split("\"cache specs\" stands for").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    assert!(
        code(specs).filter(|name| name.contains('-') && !name.contains('=')).all(|name| known.contains(name))
    );
    let numbers: BTreeSet<usize> = EVERY.iter().map(|system| number(*system)).collect();
    assert_eq!(numbers.len(), EVERY.len());
    for system in EVERY {
        let name = serde_json::to_string(system).unwrap();
        let name = format!("`{}`", name.trim_matches('"'));
        let rows = rows
            .iter()
            .filter(|(heading, cells)| heading.contains(&name) || cells.first() == Some(&name.as_str()));
        assert!(rows.count() > 0, "{name} has no row");
    }
}
