//! The action: its steps run as GitHub runs them, with the environment that GitHub sets.

use super::{Checkout, DOCKERFILE, Ran, documents, read, root};
use serde_json::Value;
use std::collections::BTreeMap;

/// A run of the action: what its steps printed, and what they left in the files that GitHub reads.
struct Run {
    last: Ran,
    outputs: String,
    summary: String,
    path: String,
    /// The steps that use another action, and whether their `if` lets them run.
    uploads: Vec<bool>,
}

/// An expression's value. Only what the action uses is known; anything else is an error of the test.
fn expression(text: &str, inputs: &BTreeMap<&str, String>, outputs: &str) -> String {
    let text = text.trim();
    if let Some(name) = text.strip_prefix("inputs.") {
        return inputs.get(name).unwrap_or_else(|| panic!("there is no input {name}")).clone();
    }
    match text {
        "github.action_path" => root().to_str().unwrap().to_owned(),
        "steps.check.outputs.sarif" => {
            outputs.lines().find_map(|line| line.strip_prefix("sarif=")).unwrap_or_default().to_owned()
        }
        _ => panic!("what is {text}?"),
    }
}

/// A text with its `${{ … }}` replaced.
fn filled(text: &str, inputs: &BTreeMap<&str, String>, outputs: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (inside, after) = after.split_once("}}").unwrap();
        out.push_str(before);
        out.push_str(&expression(inside, inputs, outputs));
        rest = after;
    }
    out + rest
}

/// `always() && a == 'b' && …`
fn condition(text: &str, inputs: &BTreeMap<&str, String>, outputs: &str) -> bool {
    let inside = text.trim().strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap();
    inside.split("&&").map(str::trim).filter(|part| *part != "always()").all(|part| {
        let (left, equal, right) = match part.split_once(" == ") {
            Some((left, right)) => (left, true, right),
            None => part.split_once(" != ").map(|(left, right)| (left, false, right)).unwrap(),
        };
        (expression(left, inputs, outputs) == right.trim_matches('\'')) == equal
    })
}

fn run(checkout: &Checkout, with: &[(&str, &str)]) -> Run {
    let action = documents(&read("action.yml")).remove(0);
    assert_eq!(action["runs"]["using"], "composite");
    let mut inputs: BTreeMap<&str, String> = BTreeMap::new();
    for (name, input) in action["inputs"].as_object().unwrap() {
        assert!(!input["description"].as_str().unwrap().is_empty());
        // Booleans are texts here.
        let default = input["default"].as_str().map(str::to_owned);
        inputs.insert(name, default.unwrap_or_else(|| panic!("{name} has no default that is a text")));
    }
    for (name, value) in with {
        assert!(inputs.insert(name, (*value).to_owned()).is_some(), "there is no input {name}");
    }
    let mut run = Run {
        last: Ran { code: 0, stdout: String::new(), stderr: String::new() },
        outputs: String::new(),
        summary: String::new(),
        path: String::new(),
        uploads: Vec::new(),
    };
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    for (name, file) in [
        ("GITHUB_WORKSPACE", ""),
        ("GITHUB_OUTPUT", ".git/output"),
        ("GITHUB_STEP_SUMMARY", ".git/summary"),
        ("GITHUB_PATH", ".git/path"),
        ("RUNNER_TEMP", ".git"),
    ] {
        let path = checkout.path(file);
        if path.extension().is_none() && !path.exists() && file != ".git" {
            std::fs::write(&path, "").unwrap();
        }
        env.insert(name.into(), path.to_str().unwrap().trim_end_matches('/').into());
    }
    env.extend([("GITHUB_ACTIONS".into(), "true".into()), ("CI".into(), "true".into())]);
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(condition_text) = step["if"].as_str() {
            run.uploads.push(condition(condition_text, &inputs, &run.outputs));
            assert!(step["uses"].as_str().unwrap().contains('@'));
            continue;
        }
        // The script itself has no expressions: what somebody writes into an input is never code.
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "{script}");
        let mut env = env.clone();
        for (name, value) in step["env"].as_object().unwrap() {
            env.insert(name.clone(), filled(value.as_str().unwrap(), &inputs, &run.outputs));
        }
        let directory = filled(step["working-directory"].as_str().unwrap_or_default(), &inputs, &run.outputs);
        run.last = checkout.run(step["shell"].as_str().unwrap(), &directory, script, &env);
        run.outputs = checkout.read(".git/output");
    }
    run.summary = checkout.read(".git/summary");
    run.path = checkout.read(".git/path");
    run
}

fn checkout() -> Checkout {
    Checkout::new(&[
        ("app/Dockerfile", DOCKERFILE),
        ("app/package.json", "{}"),
        ("app/package-lock.json", "{}"),
        ("app/main.js", ""),
        ("clean/Dockerfile", "FROM alpine:3.22\n"),
    ])
}

#[test]
fn findings_are_annotations_and_a_summary_and_fail_the_step() {
    let run = run(&checkout(), &[]);
    assert_eq!(run.last.code, 1, "{}{}", run.last.stdout, run.last.stderr);
    let annotations: Vec<&str> =
        run.last.stdout.lines().filter(|line| line.starts_with("::warning ")).collect();
    assert!(
        annotations.iter().any(|line| line.starts_with("::warning file=app/Dockerfile,line=4,")),
        "{annotations:?}"
    );
    assert!(run.summary.contains("| `app/Dockerfile:4` |"), "{}", run.summary);
    assert_eq!((run.outputs.as_str(), run.path.as_str()), ("", ""));
    assert_eq!(run.uploads, [false]);
}

#[test]
fn inputs_reach_the_command() {
    assert_eq!(run(&checkout(), &[("fail-on", "never")]).last.code, 0);
    assert_eq!(run(&checkout(), &[("paths", "clean")]).last.code, 0);
    assert_eq!(run(&checkout(), &[("paths", "clean\napp\n")]).last.code, 1);
    let run =
        run(&checkout(), &[("working-directory", "app"), ("arguments", "--ignore=order\n--ignore=export\n")]);
    assert_eq!(run.last.code, 1);
    // Paths are those of the checkout, wherever the step runs.
    assert!(run.last.stdout.contains("::warning file=app/Dockerfile,"), "{}", run.last.stdout);
    assert!(!run.last.stdout.contains("broad-copy"), "{}", run.last.stdout);
}

#[test]
fn what_an_input_holds_is_never_code() {
    let checkout = checkout();
    for input in ["paths", "arguments", "fail-on", "changed-since"] {
        let run = run(&checkout, &[(input, "$(touch pwned) `touch pwned`; touch pwned")]);
        assert_eq!(run.last.code, 2, "{input}: {}", run.last.stdout);
        assert!(!checkout.path("pwned").exists(), "{input}");
    }
}

#[test]
fn sarif_is_written_and_uploaded_also_when_the_step_fails() {
    let checkout = checkout();
    let with_file = run(&checkout, &[("sarif", "report.sarif")]);
    assert_eq!(with_file.last.code, 1);
    let path = checkout.path("report.sarif");
    assert_eq!(with_file.outputs, format!("sarif={}\n", path.display()));
    assert_eq!(with_file.uploads, [false]);
    let log: Value = serde_json::from_str(&checkout.read("report.sarif")).unwrap();
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "app/Dockerfile");

    let uploaded = run(&self::checkout(), &[("upload-sarif", "true")]);
    assert_eq!((uploaded.last.code, uploaded.uploads.as_slice()), (1, &[true][..]));
    assert!(uploaded.outputs.ends_with("hitrate.sarif\n"), "{}", uploaded.outputs);
}

/// Without hitrate on the path the sources that came with the action are built; with a version it comes from PyPI.
#[test]
fn installing() {
    let checkout = checkout();
    for tool in ["cargo", "pipx"] {
        checkout.program(tool, &format!("echo {tool} \"$@\""));
    }
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    let path = |name: &str| checkout.path(name).to_str().unwrap().to_owned();
    env.insert("HITRATE_SOURCE".into(), "/source".into());
    env.insert("RUNNER_TEMP".into(), path("temp"));
    env.insert("GITHUB_PATH".into(), path("path"));
    let script = read("packaging/github/install.sh");
    let installed = checkout.run("bash", "", &script, &env);
    assert!(installed.stdout.starts_with("hitrate is installed: hitrate "), "{}", installed.stdout);
    // A path without it.
    let bare = format!("PATH={}:/usr/bin:/bin\n{script}", path("bin"));
    let built = checkout.run("bash", "", &bare, &env);
    let target = path("temp") + "/hitrate";
    assert_eq!(built.stdout, format!("cargo install --quiet --locked --path /source --root {target}\n"));
    assert_eq!(checkout.read("path"), format!("{target}/bin\n"));
    env.insert("HITRATE_VERSION".into(), "0.1.0".into());
    assert_eq!(checkout.run("bash", "", &bare, &env).stdout, "pipx install --force hitrate==0.1.0\n");
}
