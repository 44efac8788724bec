//! The plugin: its hook run as the agent does, with an agent that notes what it is told.

use super::{Checkout, DOCKERFILE, documents, read};
use std::collections::BTreeMap;

const PLUGIN: &str = "packaging/buildkite/hitrate";

fn run(files: &[(&str, &str)], env: &[(&str, &str)]) -> (super::Ran, String) {
    let checkout = Checkout::new(files);
    checkout.program("buildkite-agent", "echo \"$@\" > annotation; cat >> annotation");
    let env: BTreeMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let ran = checkout.run("bash", "", &read(&format!("{PLUGIN}/hooks/command")), &env);
    let annotation = checkout.read("annotation");
    (ran, annotation)
}

/// The agent makes variables of the plugin's settings: its name, the property, the index in a list
/// (buildkite/agent, `ConfigurationToEnvironment`); the name is the last part of where the plugin is.
#[test]
fn the_variables_are_those_of_the_plugins_settings() {
    let plugin = documents(&read(&format!("{PLUGIN}/plugin.yml"))).remove(0);
    let hook = read(&format!("{PLUGIN}/hooks/command"));
    for property in plugin["configuration"]["properties"].as_object().unwrap().keys() {
        let variable = format!("BUILDKITE_PLUGIN_HITRATE_{}", property.to_uppercase().replace('-', "_"));
        assert!(hook.contains(&variable), "{variable} is not read");
    }
}

#[test]
fn findings_are_in_the_log_and_in_an_annotation() {
    let files = [("Dockerfile", DOCKERFILE), ("package.json", "{}"), ("package-lock.json", "{}")];
    let (ran, annotation) = run(&files, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("Dockerfile:4"), "{}", ran.stdout);
    assert!(
        annotation.starts_with("annotate --context hitrate --style warning\n### hitrate\n"),
        "{annotation}"
    );
    let (ran, _) = run(&files, &[("BUILDKITE_PLUGIN_HITRATE_FAIL_ON", "never")]);
    assert_eq!(ran.code, 0);
}

#[test]
fn paths_may_have_blanks() {
    let files = [("a b/Dockerfile", "FROM alpine:3.22\n"), ("Dockerfile", DOCKERFILE)];
    let paths =
        [("BUILDKITE_PLUGIN_HITRATE_PATHS_0", "a b"), ("BUILDKITE_PLUGIN_HITRATE_PATHS_1", "a b/Dockerfile")];
    let (ran, annotation) = run(&files, &paths);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(annotation.starts_with("annotate --context hitrate --style success\n"), "{annotation}");
    let (ran, annotation) = run(&files, &[("BUILDKITE_PLUGIN_HITRATE_PATHS_0", "nothing-there")]);
    assert_eq!(ran.code, 2);
    assert!(annotation.contains("--style error"), "{annotation}");
}
