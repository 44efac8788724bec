//! The component: its inputs filled in, its script run as the runner does.

use super::{Checkout, DOCKERFILE, documents, read};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const TEMPLATE: &str = "templates/hitrate/template.yml";

/// The component's job with these inputs.
fn job(with: &[(&str, &str)]) -> (String, Value) {
    let text = read(TEMPLATE);
    let spec = documents(&text).remove(0);
    let inputs = spec["spec"]["inputs"].as_object().unwrap();
    let mut body = text.split_once("\n---\n").unwrap().1.to_owned();
    let used: BTreeSet<&str> =
        body.split("$[[ inputs.").skip(1).map(|rest| rest.split(" ]]").next().unwrap()).collect();
    assert_eq!(used, inputs.keys().map(String::as_str).collect(), "all inputs are used, and only these");
    for (name, input) in inputs {
        assert!(input["description"].is_string());
        let given = with.iter().find(|(given, _)| given == name).map(|(_, value)| *value);
        let value = given.unwrap_or_else(|| input["default"].as_str().unwrap());
        body = body.replace(&format!("$[[ inputs.{name} ]]"), value);
    }
    let document = documents(&body).remove(0);
    let (name, job) = document.as_object().unwrap().iter().next().unwrap();
    (name.clone(), job.clone())
}

#[test]
fn the_job_writes_the_report_and_fails() {
    let (name, job) = job(&[]);
    assert_eq!((name.as_str(), &job["stage"]), ("hitrate", &Value::from("test")));
    let checkout = Checkout::new(&[
        ("app/Dockerfile", DOCKERFILE),
        ("app/package.json", "{}"),
        ("app/package-lock.json", "{}"),
    ]);
    let lines: Vec<&str> =
        job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let env = BTreeMap::from([(
        "CI_PROJECT_DIR".to_owned(),
        checkout.path("").to_str().unwrap().trim_end_matches('/').to_owned(),
    )]);
    let ran = checkout.run("sh", "", &lines.join("\n"), &env);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("app/Dockerfile:4"), "{}", ran.stdout);
    let report = job["artifacts"]["reports"]["codequality"].as_str().unwrap();
    assert_eq!(job["artifacts"]["when"], "always");
    let issues: Value = serde_json::from_str(&checkout.read(report)).unwrap();
    assert_eq!(issues[0]["location"]["path"], "app/Dockerfile");
}

#[test]
fn inputs_reach_the_job() {
    let (name, job) = job(&[
        ("job-name", "images"),
        ("fail-on", "never"),
        ("paths", "a b"),
        ("arguments", "--ignore mount"),
    ]);
    assert_eq!(name, "images");
    let script = job["script"].to_string();
    assert!(script.contains("hitrate check --fail-on never --ignore mount a b"), "{script}");
}
