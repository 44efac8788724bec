//! Every Dockerfile of the fixtures, and every one that was recorded with what BuildKit saw in it.

use crate::{clean, lossless};
use hitrate::dockerfile::parse;
use hitrate::source::LineIndex;
use std::path::{Path, PathBuf};

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() { below(&path, found) } else { found.push(path) }
    }
    found.sort();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    below(folder, &mut found);
    found
}

#[test]
fn fixtures_are_read_without_loss() {
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")) {
        let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
        if let (true, Ok(text)) = (name.contains("dockerfile"), std::fs::read_to_string(&path)) {
            lossless(&parse(&text));
        }
    }
}

/// The instructions that BuildKit built have the lines that it reported.
#[test]
fn recorded_steps_are_found_where_they_stand() {
    let folder = std::env::var_os("HITRATE_TRUTH")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth"), PathBuf::from);
    for path in files(&folder) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let scenario: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for build in scenario["truth"].as_array().into_iter().flatten() {
            let source = build["dockerfile"].as_str().unwrap();
            let steps = build["steps"].as_array().unwrap();
            if steps.is_empty() {
                continue;
            }
            let file = clean(source);
            let index = LineIndex::new(source);
            let own: Vec<_> = file
                .instructions()
                .map(|it| {
                    let last = it.span.end.saturating_sub(1);
                    (it.keyword.name(), index.line(it.span.start), index.line(last))
                })
                .collect();
            let recorded: Vec<_> = steps
                .iter()
                .map(|step| {
                    let line = |name: &str| u32::try_from(step[name].as_u64().unwrap()).unwrap();
                    (step["instr"].as_str().unwrap(), line("line"), line("end_line"))
                })
                .collect();
            assert_eq!(own, recorded, "{}", path.display());
        }
    }
}
