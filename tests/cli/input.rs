//! design: "Limits and bad input". Every input is survived, and what cannot be read is an error of its own.

use super::{Folder, errors, places};

const GOOD: &str = "FROM alpine\n";

/// The other file is analyzed, the bad one is an error with this message, and the exit code is 2.
fn one_error(folder: &Folder, path: &str, message: &str) {
    folder.write("ok/Dockerfile", GOOD.as_bytes());
    let run = folder.run(&["check", "--format", "json", "--select", "mutable-base"]);
    let json = run.json();
    assert_eq!(errors(&json), [format!("{path}: {message}")]);
    assert_eq!(places(&json), ["mutable-base:1"]);
    assert_eq!(json["files"], 1);
    run.failed(&[path, message]);
}

#[test]
fn a_file_that_is_not_utf8() {
    let folder = Folder::new(&[]);
    folder.write("Dockerfile", b"FROM alpine\xff\n");
    one_error(&folder, "Dockerfile", "is not UTF-8 (byte 11)");
}

#[test]
fn a_file_that_is_too_large() {
    let folder = Folder::new(&[]);
    folder.write("Dockerfile", &vec![b'#'; 4 * 1024 * 1024 + 1]);
    one_error(&folder, "Dockerfile", "is larger than 4 MiB");
}

#[test]
fn what_is_named_and_is_no_file() {
    let folder = Folder::new(&[("Dockerfile", GOOD)]);
    folder.run(&["check", "gone"]).failed(&["gone: does not exist"]);
    folder.run(&["check", "Dockerfile/x"]).failed(&["Dockerfile/x: does not exist"]);
    folder.run(&["check", "/dev/zero"]).failed(&["/dev/zero: is not a regular file"]);
    let json = folder.json(&["gone", "Dockerfile"]);
    assert_eq!((places(&json).len(), errors(&json).len()), (1, 1));
}

#[test]
fn a_directory_that_is_called_dockerfile_is_a_directory() {
    let folder = Folder::new(&[("Dockerfile/Dockerfile", GOOD)]);
    let json = folder.json(&[]);
    assert_eq!(json["findings"][0]["path"], "Dockerfile/Dockerfile");
}

#[test]
fn a_template_is_no_dockerfile() {
    let folder = Folder::new(&[
        ("a/Dockerfile", "FROM debian\n{{#deps}}\n  RUN apt-get install -y {{{.}}}\n{{/deps}}\n"),
        (
            "b/Dockerfile",
            "{% set version = 12 %}\nFROM debian\nRUN apt-get update\nRUN apt-get install -y gcc\n",
        ),
        // A tag in a command is the command's own.
        ("c/Dockerfile", "FROM debian\nRUN apt-get update\nRUN apt-get install -y gcc && echo '{{x}}'\n"),
    ]);
    let json = folder.run(&["check", "--fail-on", "never", "--format", "json"]).json();
    let paths: Vec<&str> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["path"].as_str().unwrap())
        .collect();
    assert!(!paths.is_empty() && paths.iter().all(|path| *path == "c/Dockerfile"), "{paths:?}");
}

#[test]
fn a_template_of_what_builds_is_left_alone_and_what_is_broken_is_not() {
    let workflow =
        "on: push\njobs:\n  a:\n    steps:\n{%- if x %}\n    - run: docker build .\n{%- endif %}\n";
    let folder = Folder::new(&[
        ("Dockerfile", GOOD),
        ("x/.github/workflows/a.yml", workflow),
        ("compose.yaml", "services:\n{{- range .x }}\n  a: {build: .}\n{{- end }}\n"),
        ("docker-bake.hcl", "{{ range .x }}\ntarget \"{{ . }}\" {}\n{{ end }}\n"),
    ]);
    assert!(errors(&folder.json(&[])).is_empty());
    // A tag in a value is nobody's template.
    folder.write("compose.yaml", b"services: [\na: '{{ x }}'\n");
    assert_eq!(errors(&folder.json(&[])).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = Folder::new(&[]);
    let made = std::process::Command::new("mkfifo").arg(folder.path("Dockerfile")).status().unwrap();
    assert!(made.success());
    folder.write("ok/Dockerfile", GOOD.as_bytes());
    let run = folder.run(&["check", "Dockerfile", "ok"]);
    run.failed(&["Dockerfile: is not a regular file"]);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_tree_are_not_followed() {
    let outside = Folder::new(&[("Dockerfile", GOOD), ("deep/Dockerfile", GOOD)]);
    let folder = Folder::new(&[]);
    std::os::unix::fs::symlink(outside.path("Dockerfile"), folder.path("Dockerfile")).unwrap();
    std::os::unix::fs::symlink(outside.path("deep"), folder.path("deep")).unwrap();
    std::os::unix::fs::symlink(folder.root(), folder.path("loop")).unwrap();
    let json = folder.json(&[]);
    assert_eq!((json["files"].as_u64(), errors(&json).len()), (Some(0), 0));
}

#[test]
fn the_standard_input_has_the_same_limits() {
    let folder = Folder::new(&[("hitrate.toml", "[rules]\nselect = [\"mutable-base\"]\n")]);
    let run = folder.run_with_input(
        &["check", "--format", "json", "--stdin-filename", "x/Dockerfile", "-"],
        GOOD.as_bytes(),
    );
    assert_eq!(run.json()["findings"][0]["path"], "x/Dockerfile");
    let run = folder.run_with_input(&["check", "--stdin-filename", "odd-name"], GOOD.as_bytes());
    assert!(run.stdout.contains("odd-name:1:6"), "{}", run.stdout);
    folder.run_with_input(&["check", "-"], b"\xff").failed(&["is not UTF-8 (byte 0)"]);
    folder.run_with_input(&["check", "-"], &vec![b'#'; 5 * 1024 * 1024]).failed(&["larger than 4 MiB"]);
    folder.run_with_input(&["check", "-"], b"").json_free();
}

impl super::Run {
    /// A run that ended well.
    fn json_free(&self) {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""));
    }
}

/// Checks a text in these formats, without a crash.
fn survives_in(formats: &[&str], name: &str, text: &[u8]) {
    let folder = Folder::new(&[]);
    folder.write("Dockerfile", text);
    for format in formats {
        let run = folder.run(&["check", "--format", format, "--fail-on", "never"]);
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        assert!(!run.stdout.contains("internal-error"), "{name}: {}", run.stdout);
    }
}

/// Checks a text in every format that shows source.
fn survives(name: &str, text: &[u8]) {
    survives_in(&["full", "json", "sarif", "github"], name, text);
}

#[test]
fn odd_texts_are_survived() {
    survives("empty", b"");
    survives("byte order mark", b"\xef\xbb\xbfFROM alpine\n");
    survives("only a comment", b"# syntax=docker/dockerfile:1");
    survives("zero bytes", b"FROM alpine\0\nRUN \0\0\n");
    survives("a heredoc without an end", b"FROM alpine\nRUN <<EOF\necho\n");
    survives("many heredoc markers", format!("FROM alpine\nRUN {}\n", "<<A ".repeat(10_000)).as_bytes());
    survives(
        "a cycle of stages",
        b"FROM b AS a\nFROM a AS b\nCOPY --from=c . .\nFROM b AS c\nCOPY --from=c . .\n",
    );
    survives("an escape at the end", b"FROM alpine \\");
    survives("a bare carriage return", b"FROM alpine\rRUN x\r");
    survives("nothing known", "HELLO\n".repeat(1000).as_bytes());
}

/// Texts on which anything quadratic takes minutes.
#[test]
fn large_texts_take_linear_time() {
    let survives = |name: &str, text: &str| survives_in(&["json"], name, text.as_bytes());
    let lines = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let many = |count: usize, line: &dyn Fn(usize) -> String| format!("FROM alpine\n{}", lines(count, line));
    survives("ten thousand instructions", &many(10_000, &|i| format!("RUN echo {i} && apk add x{i}\n")));
    survives("five thousand stages", &lines(5_000, &|i| format!("FROM alpine AS s{i}\n")));
    survives("variables for each step", &many(5_000, &|i| format!("ENV a{i}=v{i}\nRUN x{i}\n")));
    let first = "FROM alpine AS s0\n";
    let chain = lines(3_000, &|i| format!("FROM s{i} AS s{}\nENV a{i}=v{i}\nRUN x{i}\n", i + 1));
    survives("stages on stages", &format!("{first}{chain}"));
    let copies = lines(2_000, &|i| format!("COPY --from=s{i} a /b{i}\n"));
    let sources = lines(2_000, &|i| format!("FROM alpine AS s{i}\nRUN x{i}\n"));
    survives("copies of stages", &format!("{sources}FROM alpine\n{copies}"));
    survives("equal installs", &many(2_000, &|_| "COPY . .\nRUN npm ci\n".into()));
    survives("moving arguments", &many(3_000, &|i| format!("ARG GIT_COMMIT{i}\nRUN npm ci\n")));
    let doubled = lines(60, &|_| "ENV a=$a$a\n".into());
    survives("a value that doubles", &format!("FROM alpine\nENV a=xxxxxxxxxx\n{doubled}RUN echo $a\n"));
    survives("one huge line", &format!("FROM alpine\nRUN {}\n", "echo a && ".repeat(300_000)));
    survives("deep nesting", &format!("FROM alpine\nRUN {}x{}\n", "$(".repeat(50_000), ")".repeat(50_000)));
    survives("deep braces", &format!("FROM {}x{}\n", "${a:-".repeat(50_000), "}".repeat(50_000)));
    survives("a deep array", &format!("FROM alpine\nRUN {}\n", "[".repeat(100_000)));
    survives("continuations", &format!("FROM alpine\nRUN {}x\n", "a \\\n".repeat(100_000)));
    survives("onbuild in onbuild", &format!("FROM alpine\n{}RUN x\n", "ONBUILD ".repeat(50_000)));
    survives("comments", &format!("{}FROM alpine\n", "# hitrate: ignore[x]\n".repeat(5_000)));
}
