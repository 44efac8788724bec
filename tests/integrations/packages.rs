//! Hooks and packages, as far as they can be looked at without the tools that install them.

use super::{Checkout, DOCKERFILE, documents, read, root};
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn the_pre_commit_hooks_run_the_command() {
    let hooks = documents(&read(".pre-commit-hooks.yaml")).remove(0);
    let hooks = hooks.as_array().unwrap();
    assert_eq!(
        hooks.iter().map(|hook| hook["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["hitrate", "hitrate-system"]
    );
    assert_eq!(hooks[0]["files"], hooks[1]["files"]);
    for hook in hooks {
        // The whole repository is looked at: what is committed may matter to files that are not.
        assert_eq!(hook["pass_filenames"], false);
        let entry = hook["entry"].as_str().unwrap();
        let files = [("Dockerfile", DOCKERFILE), ("package.json", "{}"), ("package-lock.json", "{}")];
        assert_eq!(Checkout::new(&files).run("sh", "", entry, &BTreeMap::new()).code, 1);
        let clean = [("Dockerfile", "FROM alpine:3.22\n")];
        assert_eq!(Checkout::new(&clean).run("sh", "", entry, &BTreeMap::new()).code, 0);
    }
}

#[test]
fn the_packages_say_what_cargo_says() {
    let cargo: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = &cargo["package"];
    let python: toml::Table = read("pyproject.toml").parse().unwrap();
    let npm: Value = serde_json::from_str(&read("packaging/npm/package.json")).unwrap();
    assert_eq!(python["tool"]["maturin"]["bindings"].as_str(), Some("bin"));
    for name in ["name", "license", "keywords"] {
        assert_eq!(python["project"][name], package[name], "{name}");
        assert_eq!(npm[name], serde_json::to_value(&package[name]).unwrap(), "{name}");
    }
    let licences = python["project"]["license-files"].as_array().unwrap();
    assert!(licences.iter().all(|file| root().join(file.as_str().unwrap()).exists()));
    assert!(root().join("packaging/npm").join(npm["bin"]["hitrate"].as_str().unwrap()).exists());
    let url = package["repository"].as_str().unwrap();
    assert!(npm["repository"]["url"].as_str().unwrap().contains(url));
    assert_eq!(python["project"]["urls"]["Repository"].as_str(), Some(url));
}
