//! `hitrate plan`.

use super::{Folder, Run};
use serde_json::Value;

/// Two stages: of the first nothing is in the image. Facts §5.1: a `min` or inline cache knows its steps and holds none.
const TWO_STAGES: &str = "\
FROM golang:1.24 AS build
WORKDIR /app
COPY go.mod ./
RUN go mod download
COPY . ./
RUN go build -o /server main.go
FROM gcr.io/distroless/static
COPY --from=build /server /server
";

const ONE_STAGE: &str = "\
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install -r requirements.txt
COPY app.py ./
";

const GO: [(&str, &str); 4] = [
    ("Dockerfile", TWO_STAGES),
    ("go.mod", "module x\n"),
    ("main.go", "package main\n"),
    (".dockerignore", ".*\nDockerfile\n"),
];

const PYTHON: [(&str, &str); 3] =
    [("Dockerfile", ONE_STAGE), ("requirements.txt", "flask\n"), ("app.py", "1\n")];

fn workflow(on: &str, with: &str) -> String {
    let with: String = with.lines().map(|line| format!("          {line}\n")).collect();
    format!(
        "on: {on}\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      \
         - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n{with}"
    )
}

const WORKFLOW: &str = ".github/workflows/image.yml";

fn folder(files: &[(&str, &str)], workflow: &str) -> Folder {
    let folder = Folder::new(files);
    folder.write(WORKFLOW, workflow.as_bytes());
    folder
}

fn json(folder: &Folder) -> Value {
    let run: Run = folder.run(&["plan", "--format", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.json()
}

/// By change, the steps that run again in all stages, what may run included.
fn totals(counts: &Value) -> Vec<u64> {
    let number = |count: &Value| {
        ["reruns", "depends", "races"].iter().map(|key| count[key].as_u64().unwrap()).sum::<u64>()
    };
    let changes = counts.as_array().unwrap().iter();
    changes.map(|stages| stages.as_array().unwrap().iter().map(number).sum()).collect()
}

fn alternative<'j>(build: &'j Value, name: &str) -> &'j Value {
    build["alternatives"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn each_kind_of_cache_by_change() {
    let folder =
        folder(&GO, &workflow("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest"));
    let json = json(&folder);
    let build = &json["builds"][0];
    let kinds: Vec<&str> =
        build["changes"].as_array().unwrap().iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["nothing", "source-edit", "manifest-edit", "new-base"]);
    assert_eq!(build["changes"][1]["file"], "main.go");
    assert_eq!(build["changes"][2]["file"], "go.mod");
    let steps: Vec<u64> =
        build["stages"].as_array().unwrap().iter().map(|stage| stage["steps"].as_u64().unwrap()).collect();
    assert_eq!(steps, [5, 1]);
    let of = |name: &str| totals(&alternative(build, name)["counts"]);
    assert_eq!(of("none"), [6, 6, 6, 6]);
    // Every key is there, so that nothing runs without a change; one edit, and the stage runs from its first step.
    assert_eq!(of("inline"), [0, 6, 6, 6]);
    assert_eq!(of("registry-min"), [0, 6, 6, 6]);
    // From the changed COPY on: two RUN and COPY pairs, and what is copied out if it differs.
    for max in ["registry-max", "gha", "local", "s3"] {
        assert_eq!(of(max), [0, 3, 5, 6], "{max}");
    }
    assert_eq!(totals(&build["in_use"]["counts"]), [6, 6, 6, 6]);
    let recommendation = &build["recommendation"];
    assert_eq!(recommendation["kind"], "registry");
    assert_eq!(totals(&recommendation["counts"]), [0, 3, 5, 6]);
    assert_eq!(recommendation["cache_from"][0], "type=registry,ref=ghcr.io/acme/app:buildcache");
    assert_eq!(
        recommendation["cache_to"][0],
        "type=registry,ref=ghcr.io/acme/app:buildcache,mode=max,ignore-error=true"
    );
    assert!(alternative(build, "local")["unavailable"].is_string());
}

#[test]
fn inline_suffices_for_one_stage() {
    let folder =
        folder(&PYTHON, &workflow("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest"));
    let build = &json(&folder)["builds"][0];
    assert_eq!(build["recommendation"]["kind"], "inline");
    assert_eq!(build["recommendation"]["cache_from"][0], "type=registry,ref=ghcr.io/acme/app:latest");
    assert_eq!(build["recommendation"]["cache_to"][0], "type=inline");
}

#[test]
fn what_is_written_is_what_was_planned_and_then_there_is_nothing_to_do() {
    let cases = [
        ("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest", "type=registry,ref="),
        ("{push: {branches: [main]}, pull_request: {}}", "push: false", "type=gha,scope="),
        (
            "{push: {branches: [main]}}",
            "push: true\ntags: ghcr.io/acme/app:latest\ncache-from: type=registry,ref=ghcr.io/acme/app:c\ncache-to: type=registry,ref=ghcr.io/acme/app:c",
            "cache-to: type=registry,ref=ghcr.io/acme/app:c,mode=max\n",
        ),
    ];
    for (on, with, text) in cases {
        let folder = folder(&GO, &workflow(on, with));
        let before = folder.read(WORKFLOW);
        let planned = json(&folder)["builds"][0]["recommendation"].clone();
        assert_eq!(planned["fixable"], true, "{with}");
        let diff = folder.run(&["plan", "--diff"]);
        assert!(diff.stdout.starts_with("--- a/.github"), "{}", diff.stdout);
        assert_eq!(folder.read(WORKFLOW), before, "--diff writes nothing");
        let run = folder.run(&["plan", "--fix"]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let after = folder.read(WORKFLOW);
        assert!(after.contains(text), "{after}");
        let build = &json(&folder)["builds"][0];
        assert_eq!(build["recommendation"]["kind"], "keep", "{after}");
        assert_eq!(totals(&build["in_use"]["counts"]), totals(&planned["counts"]));
        folder.run(&["plan", "--fix"]);
        assert_eq!(folder.read(WORKFLOW), after, "a second time changes nothing");
    }
}

#[test]
fn what_pull_requests_can_write_is_not_read_by_what_is_pushed() {
    let with = "push: ${{ github.event_name != 'pull_request' }}\ntags: ghcr.io/acme/app:latest\n\
                cache-from: type=registry,ref=ghcr.io/acme/app:c\ncache-to: type=registry,ref=ghcr.io/acme/app:c,mode=max";
    let folder = folder(&GO, &workflow("{push: {branches: [main]}, pull_request: {}}", with));
    let build = &json(&folder)["builds"][0];
    assert_ne!(build["recommendation"]["kind"], "keep");
    folder.run(&["plan", "--fix"]);
    let after = folder.read(WORKFLOW);
    assert!(
        after.contains("cache-to: ${{ github.event_name != 'pull_request' && 'type=registry,"),
        "{after}"
    );
    assert_eq!(json(&folder)["builds"][0]["recommendation"]["kind"], "keep", "{after}");
}

#[test]
fn legs_of_a_matrix_have_a_scope_each() {
    let matrix = "on: {push: {branches: [main]}, pull_request: {}}\njobs:\n  image:\n    runs-on: ubuntu-latest\n    strategy:\n      \
                  matrix: {target: [api, worker]}\n    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n        \
                  with:\n          context: .\n          target: ${{ matrix.target }}\n          cache-from: type=gha\n          cache-to: type=gha,mode=max\n";
    let dockerfile = "FROM node:22 AS deps\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nFROM deps AS api\nRUN npm run api\n\
                      FROM deps AS worker\nRUN npm run worker\n";
    let folder = folder(&[("Dockerfile", dockerfile), ("package.json", "{}")], matrix);
    let json = json(&folder);
    for build in json["builds"].as_array().unwrap() {
        // The last one to export has written over the other (facts §5.0), and its own step is gone.
        assert_eq!(totals(&build["in_use"]["counts"])[0], 1);
        assert_eq!(totals(&build["recommendation"]["counts"])[0], 0);
        assert_eq!(build["recommendation"]["cache_from"][0], "type=gha,scope=image-${{ matrix.target }}");
    }
}

#[test]
fn overlapping_imports_of_branches_become_one() {
    let pipeline = "build:\n  image: docker:28\n  services: [docker:28-dind]\n  before_script:\n    - docker context create c\n    \
                    - docker buildx create --use --driver docker-container c\n  script:\n    - docker buildx build --push -t $CI_REGISTRY_IMAGE:latest \
                    --cache-from type=registry,ref=$CI_REGISTRY_IMAGE:cache-$CI_COMMIT_REF_SLUG --cache-from type=registry,ref=$CI_REGISTRY_IMAGE:cache-main \
                    --cache-to type=registry,ref=$CI_REGISTRY_IMAGE:cache-$CI_COMMIT_REF_SLUG,mode=max .\n";
    let folder = Folder::new(&GO);
    folder.write(".gitlab-ci.yml", pipeline.as_bytes());
    let text = folder.run(&["plan"]).stdout;
    // Facts §11: with the own ref first 16 of 24 runs built again; the own ref alone, none.
    assert!(text.contains("imports that overlap race"), "{text}");
    assert!(text.contains("docker buildx imagetools inspect \"$CACHE\""), "{text}");
    assert!(text.contains("|| CACHE=\"$CI_REGISTRY_IMAGE:cache-$CI_DEFAULT_BRANCH\""), "{text}");
}

#[test]
fn a_release_does_not_see_the_gha_cache_of_the_last_one() {
    let with = "push: true\ntags: ghcr.io/acme/app:latest\ncache-from: type=gha\ncache-to: type=gha,mode=max";
    let folder = folder(&GO, &workflow("{push: {tags: ['v*']}}", with));
    let build = &json(&folder)["builds"][0];
    // Facts §5.3: tags are isolated.
    assert_eq!(totals(&build["in_use"]["counts"])[0], 6);
    assert_eq!(build["recommendation"]["kind"], "registry");
    assert_eq!(totals(&build["recommendation"]["counts"])[0], 0);
}

#[test]
fn a_builder_that_keeps_its_cache_needs_limits_for_its_disk() {
    let folder =
        folder(&GO, &workflow("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest"));
    folder.write("hitrate.toml", b"[builder]\npersistent = true\ndisk = \"200GB\"\n");
    let own = folder.read(WORKFLOW).replace("ubuntu-latest", "self-hosted");
    folder.write(WORKFLOW, own.replace("      - uses: docker/setup-buildx-action@v3\n", "").as_bytes());
    let text = folder.run(&["plan"]).stdout;
    assert!(text.contains("keep the builder's own cache"), "{text}");
    assert!(text.contains("\"maxUsedSpace\": \"150GB\""), "{text}");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_planned() {
    let folder =
        folder(&GO, &workflow("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest"));
    folder.write(".github/workflows/bad.yml", b"on: push\njobs: [\n  docker build .\n");
    let run = folder.run(&["plan"]);
    run.failed(&["bad.yml", "line"]);
    assert!(run.stdout.contains("1 build: 1 to change"), "{}", run.stdout);
    folder.run(&["plan", "gone"]).failed(&["gone"]);
    folder.run(&["plan", "--format", "xml"]).failed(&["xml"]);
    let empty = Folder::new(&[]);
    let run = empty.run(&["plan"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "no build found\n"));
}

#[test]
fn only_what_was_asked_for_is_planned() {
    let folder =
        folder(&GO, &workflow("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest"));
    folder.write("tools/Dockerfile", b"FROM alpine:3.22\nRUN apk add curl\n");
    folder.write("tools/build.sh", b"docker build -t tools .\n");
    folder.write(".git/HEAD", b"ref: refs/heads/main\n");
    let planned = |path: &str| -> Vec<String> {
        let run: Run = folder.run(&["plan", "--format", "json", path]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let builds = run.json()["builds"].as_array().unwrap().clone();
        builds.iter().map(|build| build["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(planned("."), [WORKFLOW, "tools/build.sh"]);
    assert_eq!(planned("tools"), ["tools/build.sh"]);
    // A Dockerfile stands for the builds that build it.
    assert_eq!(planned("Dockerfile"), [WORKFLOW]);
}

#[test]
fn markdown_is_tables_and_code() {
    let folder =
        folder(&GO, &workflow("{push: {branches: [main]}}", "push: true\ntags: ghcr.io/acme/app:latest"));
    let text = folder.run(&["plan", "--format", "markdown"]).stdout;
    for part in [
        "### hitrate plan\n",
        "| stage | steps | no change | main.go | go.mod | new bases |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
        "| build | 5 | 5 → 0 | 5 → 2 | 5 → 4 | 5 |\n",
        "```yaml\ncache-from: type=registry,ref=ghcr.io/acme/app:buildcache\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
