//! `docs/ci.md`: every snippet is read by the parser of its language, runs or holds for the command that it names, and
//! is one in which hitrate finds nothing.

use super::{Checkout, documents, read};
use std::collections::BTreeMap;

const PAGE: &str = "docs/ci.md";

/// The fenced blocks: language and text.
fn snippets() -> Vec<(String, String)> {
    let page = read(PAGE);
    let parts: Vec<&str> = page.split("\n```").collect();
    assert!(parts.len() % 2 == 1, "a block is open");
    let blocks = parts.iter().skip(1).step_by(2);
    blocks
        .map(|block| block.split_once('\n').unwrap())
        .map(|(language, text)| (language.into(), format!("{text}\n")))
        .collect()
}

/// The file that a snippet says it is.
fn path(text: &str) -> String {
    let first = text.lines().next().unwrap();
    first.strip_prefix("# ").unwrap_or_else(|| panic!("{first}: no path")).to_owned()
}

#[test]
fn pipelines_are_valid_and_hitrate_finds_nothing_in_them() {
    let mut count = 0;
    for (language, text) in snippets() {
        if language != "yaml" {
            continue;
        }
        count += 1;
        let documents = documents(&text);
        assert_eq!(documents.len(), 1);
        let checkout = Checkout::new(&[(&path(&text), &text), ("Dockerfile", "FROM alpine:3.22\n")]);
        let ran = checkout.run("sh", "", "hitrate check --select all --fail-on info", &BTreeMap::new());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}\n{text}", ran.stdout);
        for input in documents[0]
            .pointer("/jobs/hitrate/steps/1/with")
            .and_then(|with| with.as_object())
            .into_iter()
            .flatten()
        {
            let action = super::documents(&read("action.yml")).remove(0);
            assert!(action["inputs"][input.0].is_object(), "the action has no input {}", input.0);
        }
    }
    assert!(count >= 7, "{count}");
}

/// Every `hitrate check …` in a script is one that the program takes. A clean repository makes all of them succeed.
#[test]
fn commands_are_those_of_the_program() {
    let checkout = Checkout::new(&[("Dockerfile", "FROM alpine:3.22\n")]);
    // What reads the output, in place of services.
    checkout.program("buildkite-agent", "cat > /dev/null");
    checkout.program("reviewdog", "cat > /dev/null");
    let git = "rmdir .git; git init -q -b main; git add .; git -c user.name=x -c user.email=x@example.org commit -qm first; \
               git update-ref refs/remotes/origin/main HEAD";
    assert_eq!(checkout.run("sh", "", git, &BTreeMap::new()).code, 0);
    let mut count = 0;
    for (_, text) in snippets() {
        for line in text.lines().filter(|line| !line.contains("docker run")) {
            let Some(at) = line.find("hitrate check ") else { continue };
            count += 1;
            let ran = checkout.run("sh", "", &line[at..], &BTreeMap::new());
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}: {}", ran.stdout);
        }
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn every_format_is_told() {
    let page = read(PAGE);
    let checkout = Checkout::new(&[]);
    let ran = checkout.run("sh", "", "hitrate completions fish", &BTreeMap::new());
    for format in hitrate_formats() {
        assert!(page.contains(&format!("`{format}`")), "{format} is missing");
        assert!(ran.stdout.contains(format), "there is no format {format}");
    }
}

fn hitrate_formats() -> [&'static str; 10] {
    ["full", "concise", "json", "jsonl", "github", "gitlab", "sarif", "rdjson", "junit", "markdown"]
}
