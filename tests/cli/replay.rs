//! `hitrate replay`: histories whose cache hits can be told by hand.

use super::Folder;
use serde_json::{Value, json};

const DOCKERFILE: &str = "\
FROM node:22
WORKDIR /app
COPY package.json .
RUN npm ci
COPY . .
RUN npm run build
";

/// Seven commits: one without a Dockerfile, the first build, an edit of a source, one of the manifest, two of
/// documentation that the context does not have, and one that takes both edits back.
fn history() -> Folder {
    let folder = Folder::new(&[("package.json", "{}"), ("src/main.js", "1"), (".dockerignore", "*.md\n")]);
    folder.commit("no Dockerfile");
    folder.write("Dockerfile", DOCKERFILE.as_bytes());
    folder.commit("first build");
    folder.write("src/main.js", b"2");
    folder.commit("source");
    folder.write("package.json", b"{ }");
    folder.commit("manifest");
    for text in ["a", "b"] {
        folder.write("README.md", text.as_bytes());
        folder.commit("documentation");
    }
    folder.write("src/main.js", b"1");
    folder.write("package.json", b"{}");
    folder.commit("back");
    folder
}

/// `line: cached/builds (began)`
fn rates(json: &Value) -> Vec<String> {
    let steps = json["steps"].as_array().unwrap().iter();
    let rate =
        |step: &Value| format!("{}: {}/{} ({})", step["line"], step["cached"], step["builds"], step["began"]);
    steps.map(rate).collect()
}

#[test]
fn a_builder_that_keeps_its_cache() {
    let json = history().run(&["replay", "--format", "json"]).json();
    assert_eq!((&json["version"], &json["commits"], &json["builds"]), (&json!(1), &json!(7), &json!(5)));
    // The documentation twice, and the last commit: what it builds was built before.
    assert_eq!(json["idle"], 3);
    assert_eq!(
        rates(&json),
        ["1: 5/5 (0)", "2: 5/5 (0)", "3: 4/5 (1)", "4: 4/5 (0)", "5: 3/5 (1)", "6: 3/5 (0)"]
    );
    assert_eq!(json["steps"][2]["text"], "COPY package.json .");
}

/// Of what it imports a fresh builder has the last build only, so that the way back is work again.
#[test]
fn fresh_builders_that_import() {
    let to = "type=registry,ref=example.com/a:cache,mode=max";
    let from = "type=registry,ref=example.com/a:cache";
    let args =
        ["replay", "--format", "json", "--builder", "ephemeral", "--cache-to", to, "--cache-from", from];
    let json = history().run(&args).json();
    assert_eq!(json["idle"], 2);
    assert_eq!(
        rates(&json),
        ["1: 5/5 (0)", "2: 5/5 (0)", "3: 3/5 (2)", "4: 3/5 (0)", "5: 2/5 (1)", "6: 2/5 (0)"]
    );
    let json = history().run(&["replay", "--format", "json", "--builder", "ephemeral"]).json();
    assert_eq!(json["idle"], 0);
    assert_eq!(json["steps"][3]["cached"], 0);
}

/// A step is the same one as long as its text and its stage are.
#[test]
fn the_dockerfile_changes_too() {
    let folder = history();
    folder.write("Dockerfile", DOCKERFILE.replace("npm ci", "npm ci --no-audit").as_bytes());
    folder.commit("options");
    let json = folder.run(&["replay", "--format", "json"]).json();
    assert_eq!(json["builds"], 6);
    assert_eq!(
        rates(&json),
        ["1: 6/6 (0)", "2: 6/6 (0)", "3: 5/6 (1)", "4: 0/1 (1)", "5: 3/6 (1)", "6: 3/6 (0)"]
    );
    let text = folder.run(&["replay"]).stdout;
    assert!(text.starts_with("Dockerfile over 8 commits: 6 builds after the first\n"), "{text}");
    assert!(
        text.contains("     83%  3  COPY package.json .\n             the first to run in 1 build\n"),
        "{text}"
    );
    assert!(
        text.contains("      0%  4  RUN npm ci --no-audit\n             it is in 1 build; the first"),
        "{text}"
    );
    assert!(text.ends_with("nothing ran in 3 of 6 builds\n"), "{text}");
}

#[test]
fn what_can_be_asked() {
    let folder = history();
    let json = folder.run(&["replay", "--format", "json", "--commits", "3"]).json();
    assert_eq!((&json["commits"], &json["builds"], &json["idle"]), (&json!(3), &json!(2), &json!(1)));
    let json = folder.run(&["replay", "--format", "json", "--rev", "HEAD~2"]).json();
    assert_eq!((&json["commits"], &json["builds"]), (&json!(5), &json!(3)));
    folder.run(&["replay", "--rev", "nothing"]).failed(&["nothing"]);
    folder.run(&["replay", "--rev", "HEAD~5"]).failed(&["fewer than two"]);
    folder.run(&["replay", "--commits", "1"]).failed(&["1"]);
    folder.run(&["replay", "--target", "nothing"]).failed(&["fewer than two"]);
    folder.run(&["replay", "gone"]).failed(&["gone"]);
    folder.run(&["replay", "--cache-to", "type=registry"]).failed(&["ref="]);
    Folder::new(&[("Dockerfile", DOCKERFILE)]).run(&["replay"]).failed(&["not a git repository"]);
}

/// The context may be a directory of the repository, and its files are those of the commits, not of the work tree.
#[test]
fn a_context_below_the_root() {
    let folder = Folder::new(&[
        ("app/package.json", "{}"),
        ("app/x", "1"),
        ("app/Dockerfile", DOCKERFILE),
        ("other", "1"),
    ]);
    folder.commit("first");
    folder.write("other", b"2");
    folder.commit("elsewhere");
    folder.write("app/x", b"2");
    folder.commit("here");
    folder.write("app/package.json", b"not committed");
    let json = folder.run(&["replay", "app/Dockerfile", "--format", "json"]).json();
    assert_eq!(
        rates(&json),
        ["1: 2/2 (0)", "2: 2/2 (0)", "3: 2/2 (0)", "4: 2/2 (0)", "5: 1/2 (1)", "6: 1/2 (0)"]
    );
    let json = folder.run(&["replay", "app/Dockerfile", "--context", ".", "--format", "json"]).json();
    assert_eq!(json["steps"][4]["cached"], 0);
}
