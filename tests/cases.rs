//! The cases: small projects as people have them, with what has to be reported in them and what must not
//! (`fixtures/cases/README.md`).
//!
//! `HITRATE_CASES` names another folder of cases. Not under the test harness, so that the closing line is always seen.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a test without the harness that clippy knows

use hitrate::engine::{self, Report};
use hitrate::project::Project;
use hitrate::rules;
use hitrate::settings::Settings;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Tally {
    cases: usize,
    expected: usize,
    met: usize,
    wrong: Vec<String>,
}

fn main() {
    let folder = std::env::var_os("HITRATE_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases"), PathBuf::from);
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.join("expect.json").is_file());
    cases.sort();
    let mut tally = Tally::default();
    for case in &cases {
        check(case, &mut tally);
    }
    for wrong in &tally.wrong {
        println!("{wrong}");
    }
    println!(
        "cases: {} cases, {} expectations: {} met, {} wrong",
        tally.cases,
        tally.expected,
        tally.met,
        tally.wrong.len()
    );
    assert!(tally.cases > 0, "no cases below {}", folder.display());
    assert!(tally.wrong.is_empty(), "the cases say otherwise");
}

fn check(case: &Path, tally: &mut Tally) {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let expect: Value = serde_json::from_slice(&std::fs::read(case.join("expect.json")).unwrap()).unwrap();
    let report = analyze(case);
    tally.cases += 1;
    if let Some(error) = report.errors.first() {
        tally.wrong.push(format!("{name}: {}: {}", error.path, error.message));
    }
    for entry in expect["must"].as_array().unwrap() {
        let (rule, path) = (entry["rule"].as_str().unwrap(), entry["path"].as_str().unwrap());
        if !exists(rule, tally) {
            continue;
        }
        let lines: Vec<u64> = match &entry["line"] {
            Value::Array(lines) => lines.iter().map(|line| line.as_u64().unwrap()).collect(),
            line => vec![line.as_u64().unwrap()],
        };
        let found = spans(&report, rule);
        let hit = found.iter().any(|(place, first, last)| {
            place == path && lines.iter().any(|line| (first..=last).contains(&line))
        });
        if hit {
            tally.met += 1;
        } else {
            tally.wrong.push(format!("{name}: no {rule} at {path}:{lines:?}; it is at {found:?}"));
        }
    }
    for rule in expect["must_not"].as_array().unwrap() {
        let rule = rule.as_str().unwrap();
        if !exists(rule, tally) {
            continue;
        }
        match report.findings.iter().find(|finding| finding.rule == rule) {
            None => tally.met += 1,
            Some(finding) => {
                tally.wrong.push(format!("{name}: {rule} is not silent: {}", finding.message));
            }
        }
    }
}

/// Whether there is such a rule. Counts the expectation.
fn exists(rule: &str, tally: &mut Tally) -> bool {
    tally.expected += 1;
    let found = rules::find(rule).is_some();
    if !found {
        tally.wrong.push(format!("there is no rule `{rule}`"));
    }
    found
}

/// Path, first and last line of what a rule reports.
fn spans(report: &Report, rule: &str) -> Vec<(String, u64, u64)> {
    let own = report.findings.iter().filter(|finding| finding.rule == rule);
    own.map(|finding| {
        let (path, span) = (&finding.place.path, finding.place.span);
        let line = |offset| u64::from(report.sources.get(path).map_or(1, |file| file.line(offset)));
        (path.to_string(), line(span.start), line(span.end.max(span.start + 1) - 1))
    })
    .collect()
}

fn analyze(case: &Path) -> Report {
    let mut files = Vec::new();
    read(case, "", &mut files);
    engine::analyze(&Project::in_memory(files), &Settings::default())
}

/// All files below `directory` but the expectations, which are no part of the project.
fn read(directory: &Path, path: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if path.is_empty() { name } else { format!("{path}/{name}") };
        if entry.path().is_dir() {
            read(&entry.path(), &below, files);
        } else if below != "expect.json" {
            files.push((below, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}
