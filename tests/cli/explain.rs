//! `hitrate explain`.

use super::Folder;
use serde_json::Value;

const DOCKERFILE: &str = "\
ARG VERSION=1
FROM node:22 AS build
WORKDIR /app
COPY package.json ./
RUN npm install
COPY . .
RUN npm run build

FROM nginx:1.29
ARG VERSION
RUN echo $VERSION > /version
COPY --from=build /app/dist /usr/share/nginx/html
";

fn folder() -> Folder {
    Folder::new(&[
        ("Dockerfile", DOCKERFILE),
        ("package.json", "{}"),
        ("src/index.js", "1"),
        ("doc/readme.md", "1"),
        (".dockerignore", "doc\n"),
    ])
}

/// `line:verdict` of every step that is not cached.
fn verdicts(folder: &Folder, args: &[&str]) -> Vec<String> {
    let json = folder.run(&[&["explain", "--format", "json"], args].concat()).json();
    let steps = json["steps"].as_array().unwrap().clone();
    let moved = steps.iter().filter(|step| step["verdict"] != "cached");
    moved.map(|step| format!("{}:{}", step["line"], step["verdict"].as_str().unwrap())).collect()
}

#[test]
fn each_kind_of_change() {
    let folder = folder();
    assert_eq!(verdicts(&folder, &["--edit", "src/index.js"]), ["6:reruns", "7:reruns", "12:depends"]);
    assert_eq!(verdicts(&folder, &["--edit", "package.json"]).len(), 5);
    assert_eq!(verdicts(&folder, &["--edit", "doc/*.md"]), [""; 0], "left out of the context");
    assert_eq!(verdicts(&folder, &["--build-arg", "VERSION"]), ["11:reruns", "12:reruns"]);
    assert_eq!(verdicts(&folder, &["--build-arg", "VERSION=2"]), ["11:reruns", "12:reruns"]);
    assert_eq!(verdicts(&folder, &["--base", "nginx:1.29"]), ["9:reruns", "11:reruns", "12:reruns"]);
    assert_eq!(verdicts(&folder, &["--base"]).len(), 9);
    assert_eq!(verdicts(&folder, &["--base", "Dockerfile"]).len(), 9, "a file is no image");
    assert_eq!(verdicts(&folder, &["--base", "."]).len(), 9, "nor is a directory");
    assert_eq!(verdicts(&folder, &["--edit", "src/**", "--target", "build"])[..2], ["6:reruns", "7:reruns"]);
    let ephemeral = ["--builder", "ephemeral", "--edit", "src/index.js"];
    assert_eq!(verdicts(&folder, &ephemeral).len(), 9, "nothing is kept");
    let reference = "type=registry,ref=example.org/cache";
    let max = format!("{reference},mode=max");
    let kept = [&ephemeral[..], &["--cache-to", &max, "--cache-from", reference]].concat();
    assert_eq!(verdicts(&folder, &kept), ["6:reruns", "7:reruns", "12:depends"]);
}

#[test]
fn a_directory_stands_for_its_dockerfile() {
    let folder = Folder::new(&[
        ("api/Dockerfile", "FROM alpine:3.22\nCOPY a /\n"),
        ("api/a", ""),
        ("web/Containerfile", "FROM alpine:3.22\nCOPY b /\n"),
        ("web/b", ""),
        ("doc/c", ""),
    ]);
    assert_eq!(verdicts(&folder, &["api", "--edit", "a"]), ["2:reruns"]);
    assert_eq!(verdicts(&folder, &["web/", "--edit", "b"]), ["2:reruns"]);
    folder.run(&["explain", "doc", "--edit", "c"]).failed(&["doc", "Dockerfile"]);
    assert!(folder.run(&["graph", "api"]).stdout.contains("alpine"));
}

#[test]
fn edits_may_be_named_from_here_too() {
    let folder = Folder::new(&[
        ("api/Dockerfile", "FROM alpine:3.22\nCOPY src /src\n"),
        ("api/src/a.py", ""),
        ("api/api/b.py", ""),
        (".git/HEAD", "ref: refs/heads/main\n"),
    ]);
    for path in ["src/a.py", "api/src/a.py", "api/src/*.py", "./api/src"] {
        assert_eq!(verdicts(&folder, &["api/Dockerfile", "--edit", path]), ["2:reruns"], "{path}");
    }
    // What the context has by that name comes first.
    assert_eq!(verdicts(&folder, &["api/Dockerfile", "--edit", "api/b.py"]), [""; 0]);
    folder.run(&["explain", "api", "--edit", "b.py"]).failed(&["b.py", "\"api\"", "relative to the context"]);
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let json = folder().run(&["explain", "--format", "json", "--edit", "src/index.js"]).json();
    assert_eq!((&json["version"], json["dockerfile"].as_str()), (&Value::from(1), Some("Dockerfile")));
    assert!(json["target"].is_string());
    let step = &json["steps"][4];
    assert_eq!(step["line"], 6);
    assert_eq!((step["stage"].as_str(), &step["stage_index"]), (Some("build"), &Value::from(0)));
    assert_eq!((step["instruction"].as_str(), step["text"].as_str()), (Some("COPY"), Some("COPY . .")));
    assert!(step["because"][0]["message"].as_str().unwrap().contains("src/index.js"));
}

#[test]
fn the_cause_is_told_once() {
    let run = folder().run(&["explain", "--edit", "src/index.js"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout.matches("because").count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("then 1 more step runs again: line 7; 1 more may"), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("2 of 9 steps run again, 1 more if what it reads differs\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn since_a_revision() {
    let folder = folder();
    std::fs::remove_dir(folder.path(".git")).unwrap();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(folder.root()).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.args(["-c", "user.name=x", "-c", "user.email=x@example.org"]).args(args);
        assert!(command.output().unwrap().status.success(), "{args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    assert_eq!(verdicts(&folder, &["--from-git", "HEAD"]), [""; 0]);
    folder.write("src/index.js", b"2");
    folder.write("doc/readme.md", b"2");
    assert_eq!(verdicts(&folder, &["--from-git", "HEAD"]), ["6:reruns", "7:reruns", "12:depends"]);
    folder.write("Dockerfile", DOCKERFILE.replace("npm install", "npm ci").as_bytes());
    assert_eq!(verdicts(&folder, &["--from-git", "HEAD"])[0], "5:reruns");
    folder.run(&["explain", "--from-git", "nothing"]).failed(&["nothing"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "second"]);
    let with_arg = verdicts(&folder, &["--from-git", "HEAD", "--build-arg", "VERSION"]);
    assert_eq!(with_arg, ["11:reruns", "12:reruns"], "what else is said to change counts too");
    folder.write(".dockerignore", b".dockerignore\ndoc\nsrc\n");
    let narrowed = verdicts(&folder, &["--from-git", "HEAD"]);
    assert_eq!(narrowed[..2], ["6:reruns", "7:reruns"], "src is no longer copied");
}

#[test]
fn what_has_no_answer_is_one_line() {
    let folder = folder();
    folder.run(&["explain"]).failed(&["nothing changes", "--edit"]);
    folder.run(&["explain", "gone", "--base"]).failed(&["gone: does not exist"]);
    folder.run(&["explain", "--edit", "no/such.js"]).failed(&["no/such.js"]);
    folder.run(&["explain", "--base", "nginx"]).failed(&["--base nginx", "nginx:1.29"]);
    folder.run(&["explain", "--build-arg", "NOPE"]).failed(&["NOPE"]);
    folder.run(&["explain", "--target", "nope", "--base"]).failed(&["nope", "build"]);
    folder.run(&["explain", "--base", "--cache-to", "type=registry"]).failed(&["ref="]);
    folder.write("Dockerfile", b"# nothing\n");
    folder.run(&["explain", "--base"]).failed(&["FROM"]);
}

#[test]
fn the_image_of_hitrate_is_built_from_all_that_cargo_reads() {
    let read = |path: &str| {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    };
    let sources = ["Cargo.toml", "Cargo.lock", "build.rs", "src/main.rs", "rules/tools/npm.toml"];
    let files = ["Dockerfile", ".dockerignore"].into_iter().chain(sources).map(|path| (path, read(path)));
    let files: Vec<(&str, String)> = files.collect();
    let folder =
        Folder::new(&files.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<(&str, &str)>>());
    for path in sources {
        let again = verdicts(&folder, &["--edit", path]);
        assert!(again.iter().any(|step| step.ends_with(":reruns")), "{path}: {again:?}");
    }
}
