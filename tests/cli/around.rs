//! A part of a project: what builds it is found in the rest, and findings are shown for the part alone.

use super::explain_truth::git;
use super::{Folder, places};

const DOCKERFILE: &str = "\
FROM node:22 AS build
RUN apt-get update && apt-get install -y git
WORKDIR /app
COPY . .
RUN npm install
FROM nginx:1.29 AS web
COPY --from=build /app/dist /usr/share/nginx/html
";

fn folder() -> Folder {
    let folder = Folder::new(&[
        ("docker/Dockerfile", DOCKERFILE),
        ("docker/Other.Dockerfile", "FROM alpine\n"),
        ("package.json", "{}"),
        ("lib/main.js", ""),
        (
            "deploy/compose.yml",
            "services:\n  web:\n    build:\n      context: ..\n      dockerfile: docker/Dockerfile\n",
        ),
    ]);
    folder.write(
        ".github/workflows/ci.yml",
        b"on: {push: {branches: [main]}}\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      \
- uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          \
file: docker/Dockerfile\n          push: true\n          cache-from: type=registry,ref=r/c\n          \
cache-to: type=registry,ref=r/c\n",
    );
    folder
}

#[test]
fn the_context_of_a_named_dockerfile_is_that_of_the_builds_around_it() {
    let folder = folder();
    let json = folder.json(&["docker/Dockerfile"]);
    let of = |rule: &str| {
        let findings = json["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["rule"] == rule);
        found.map(|finding| finding["message"].as_str().unwrap().to_owned())
    };
    assert!(of("broad-copy-before-install").unwrap().contains("`lib/main.js`"), "{json}");
    let paths = json["findings"].as_array().unwrap().iter().map(|finding| finding["path"].as_str().unwrap());
    assert!(paths.clone().all(|path| path == "docker/Dockerfile"), "{json}");
    assert_eq!(json["files"], 1);
    assert!(folder.run(&["check"]).stdout.contains("min-cache-multi-stage"));
}

#[test]
fn the_builds_of_a_part_are_shown_where_they_are_asked_for() {
    let folder = folder();
    let json = folder.json(&[".github/workflows/ci.yml"]);
    assert_eq!(places(&json), ["min-cache-multi-stage:14"]);
    let whole = folder.json(&[]);
    let here = |json: &serde_json::Value| {
        let findings = json["findings"].as_array().unwrap().clone();
        findings.into_iter().filter(|one| one["path"] == "docker/Dockerfile").collect::<Vec<_>>()
    };
    assert_eq!(
        here(&folder.json(&["docker/Dockerfile"])),
        here(&whole),
        "a part says what the whole says of it"
    );
    assert_eq!(here(&folder.json(&["docker"])), here(&whole));
}

#[test]
fn the_standard_input_stands_for_a_file_of_the_project() {
    let folder = folder();
    let args = ["check", "--format", "json", "--stdin-filename", "docker/Dockerfile"];
    let json = folder.run_with_input(&args, DOCKERFILE.as_bytes()).json();
    assert_eq!(json["findings"], folder.json(&["docker/Dockerfile"])["findings"]);
}

#[test]
fn a_broken_file_around_is_nobodys_business() {
    let folder = folder();
    folder.write("deploy/other/compose.yml", b"services: [");
    folder.write("deploy/broken/Dockerfile", b"\xff\xfe");
    let run = folder.run(&["check", "--fail-on", "never", "docker/Dockerfile"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn an_explanation_takes_context_and_target_from_the_builds() {
    let folder = folder();
    let verdicts = |args: &[&str]| {
        let args = [&["explain", "--format", "json", "docker/Dockerfile"], args].concat();
        let json = folder.run(&args).json();
        let steps = json["steps"].as_array().unwrap().clone();
        steps.iter().map(|step| step["verdict"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let edit = ["--edit", "lib/main.js"];
    assert_eq!(verdicts(&edit), ["cached", "cached", "cached", "reruns", "reruns", "cached", "depends"]);
    let target = |text: &str| {
        let compose = folder.read("deploy/compose.yml");
        folder.write("deploy/compose.yml", format!("{compose}      target: {text}\n").as_bytes());
    };
    folder.write(".github/workflows/ci.yml", b"");
    target("build");
    assert_eq!(verdicts(&edit), ["cached", "cached", "cached", "reruns", "reruns", "skipped", "skipped"]);
    assert_eq!(verdicts(&["--edit", "lib/main.js", "--target", "web"])[6], "depends", "what is said counts");
}

#[test]
fn the_history_says_how_often_noise_is_all_that_changes() {
    let folder = Folder::new(&[
        ("Dockerfile", "FROM golang:1.25\nWORKDIR /src\nCOPY . .\nRUN go build\n"),
        ("main.go", ""),
        ("README.md", ""),
        (".dockerignore", ".git\n.dockerignore\nDockerfile\n"),
    ]);
    git(folder.root(), &["init", "-q"]);
    for number in 0..24 {
        let path = if number % 4 == 0 { "main.go" } else { "README.md" };
        folder.write(path, format!("{number}").as_bytes());
        git(folder.root(), &["add", "-A"]);
        git(folder.root(), &["commit", "-q", "-m", "x"]);
    }
    let message = |folder: &Folder| {
        let json = folder.json(&["--select", "context-noise"]);
        json["findings"][0]["message"].as_str().unwrap().to_owned()
    };
    let expected = "takes `README.md`, which no step needs: a change there runs 2 steps again; 18 of the last 24 commits changed \
                    nothing else";
    assert_eq!(message(&folder), expected);
    folder.write(".dockerignore", b".dockerignore\nDockerfile\nREADME.md\n");
    let without = message(&folder);
    assert!(without.starts_with("takes `.git`, which no step needs"), "{without}");
    assert_eq!(folder.run(&["check", "--select", "context-noise", "--fix"]).code, 0);
    assert_eq!(folder.read(".dockerignore"), ".dockerignore\nDockerfile\nREADME.md\n.git\n");
}
