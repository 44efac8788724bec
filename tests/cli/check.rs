//! Arguments, exit codes and output of `hitrate check`.

use super::{Folder, command, places};
use std::io::Read;
use std::process::Stdio;

const BAD: &str = "FROM alpine\nRUN apk add curl\n";
const GOOD: &str = "FROM alpine:3.22\n";

/// Warnings from a rule whose findings do not depend on anything but the text.
const STRICT: &str = "[rules]\nselect = [\"mutable-base\", \"unused-suppression\"]\n[rules.severity]\nmutable-base = \"warning\"\n";

#[test]
fn exit_codes() {
    let folder = Folder::new(&[("Dockerfile", BAD), ("good/Dockerfile", GOOD), ("hitrate.toml", STRICT)]);
    assert_eq!(folder.run(&["check"]).code, 1);
    assert_eq!(folder.run(&["check", "--fail-on", "error"]).code, 0);
    assert_eq!(folder.run(&["check", "--fail-on", "never"]).code, 0);
    assert_eq!(folder.run(&["check", "--fail-on", "info"]).code, 1);
    assert_eq!(folder.run(&["check", "good"]).code, 0);
    assert_eq!(folder.run(&["check", "--ignore", "mutable-base"]).code, 0);
}

#[test]
fn bad_usage_is_one_line_and_exit_code_2() {
    let folder = Folder::new(&[("Dockerfile", BAD)]);
    folder.run(&["check", "--formt", "json"]).failed(&["--formt", "--format"]);
    folder.run(&["check", "--format", "jso"]).failed(&["jso"]);
    folder.run(&["chek"]).failed(&["chek", "check"]);
    folder.run(&["check", "--select", "mutable-bse"]).failed(&["mutable-bse", "`mutable-base`"]);
    folder.run(&["check", "--write-baseline"]).failed(&["--baseline"]);
    folder.run(&["check", "-", "Dockerfile"]).failed(&["standard input"]);
    folder.run(&["rule", "nothing-like-it"]).failed(&["nothing-like-it"]);
    folder.run(&["check", "--statistics", "--format", "sarif"]).failed(&["--statistics"]);
    folder.run(&["check", "--changed-since", "HEAD"]).failed(&[]);
}

#[test]
fn help_is_printed_without_arguments() {
    let folder = Folder::new(&[]);
    let run = folder.run(&[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("Usage: hitrate") && run.stdout.contains("check"), "{}", run.stdout);
    assert_eq!(folder.run(&["--version"]).stdout, format!("hitrate {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn json_is_the_only_thing_on_the_standard_output() {
    let folder = Folder::new(&[("sub/Dockerfile", BAD), ("hitrate.toml", STRICT)]);
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!(run.stderr, "");
    let json = run.json();
    let finding = &json["findings"][0];
    assert_eq!(json["version"], 1);
    assert_eq!(json["files"], 1);
    assert_eq!(finding["rule"], "mutable-base");
    assert_eq!(finding["category"], "order");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["path"], "sub/Dockerfile");
    assert_eq!(finding["start"], serde_json::json!({"line": 1, "column": 6}));
    assert_eq!(finding["end"], serde_json::json!({"line": 1, "column": 12}));
    assert!(finding["url"].as_str().unwrap().ends_with("mutable-base.md"));
    assert!(finding["fix"].is_null() && finding["causes"].is_array() && finding["help"].is_string());
}

#[test]
fn paths_are_those_of_the_working_directory() {
    let folder = Folder::new(&[("a/Dockerfile", BAD), ("b/Dockerfile", BAD), ("hitrate.toml", STRICT)]);
    let path = |directory: &str, args: &[&str]| {
        let args = [&["check", "--format", "json"], args].concat();
        let output = command(&folder.path(directory)).args(args).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["path"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(path("a", &[]), ["Dockerfile"]);
    assert_eq!(path("a", &["../b"]), ["../b/Dockerfile"]);
    assert_eq!(path("", &["b", "./a/../a"]), ["a/Dockerfile", "b/Dockerfile"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let target = folder.path("b");
    let output = command(elsewhere.path()).args(["check", "--format", "json"]).arg(&target).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["findings"][0]["path"].as_str().unwrap(), target.join("Dockerfile").to_str().unwrap());
    assert_eq!(
        json["findings"][0]["severity"], "warning",
        "the project's configuration holds from elsewhere too"
    );
}

#[test]
fn the_output_is_the_same_in_any_number_of_threads() {
    let files: Vec<(String, &str)> = (0..60).map(|i| (format!("d{i}/Dockerfile"), BAD)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let folder = Folder::new(&files);
    let run = |threads: &str, format: &str| {
        let output = command(folder.root())
            .env("RAYON_NUM_THREADS", threads)
            .args(["check", "--format", format])
            .output()
            .unwrap();
        output.stdout
    };
    for format in ["json", "full", "sarif", "github"] {
        let one = run("1", format);
        assert!(one.len() > 1000);
        for threads in ["2", "7", "16"] {
            assert!(run(threads, format) == one, "{format} differs with {threads} threads");
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let files: Vec<(String, &str)> = (0..500).map(|i| (format!("d{i}/Dockerfile"), BAD)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let folder = Folder::new(&files);
    let mut child =
        command(folder.root()).arg("check").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0u8; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_ne!(output.status.code(), Some(101));
}

#[test]
fn colours_are_for_terminals() {
    let folder = Folder::new(&[("Dockerfile", BAD)]);
    let colored = |args: &[&str], no_color: bool| {
        let mut command = command(folder.root());
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let stdout = command.arg("check").args(args).output().unwrap().stdout;
        stdout.contains(&0x1b)
    };
    assert!(!colored(&[], false));
    assert!(colored(&["--color", "always"], false));
    assert!(colored(&["--color", "always"], true));
    assert!(!colored(&["--color", "never"], false));
    assert!(!colored(&["--color", "always", "--format", "json"], false));
}

#[test]
fn statistics_count_the_rules() {
    let folder = Folder::new(&[("Dockerfile", BAD), ("b/Dockerfile", BAD), ("hitrate.toml", STRICT)]);
    let run = folder.run(&["check", "--statistics"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout, "2  warning  mutable-base\n2 findings in 2 files (2 warnings)\n");
    let json = folder.run(&["check", "--statistics", "--format", "json"]).json();
    assert_eq!(json["statistics"][0]["count"], 2);
}

#[test]
fn a_baseline_hides_what_it_knows_and_nothing_new() {
    let folder = Folder::new(&[("Dockerfile", BAD), ("hitrate.toml", STRICT)]);
    let run = folder.run(&["check", "--baseline", "known.json", "--write-baseline"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert_eq!(folder.run(&["check", "--baseline", "known.json"]).code, 0);
    folder.write("Dockerfile", b"# moved\n\nFROM alpine\nRUN apk add curl\nFROM debian\n");
    assert_eq!(places(&folder.json(&["--baseline", "known.json"])), ["mutable-base:5"]);
    folder.run(&["check", "--baseline", "gone.json"]).failed(&["gone.json", "does not exist"]);
    folder.write("broken.json", b"{}");
    folder.run(&["check", "--baseline", "broken.json"]).failed(&["broken.json", "baseline"]);
}

#[test]
fn only_what_changed_since_a_revision() {
    let folder = Folder::new(&[("Dockerfile", "FROM alpine\nFROM debian\n"), ("hitrate.toml", STRICT)]);
    folder.commit("first");
    assert_eq!(places(&folder.json(&["--changed-since", "HEAD"])), [""; 0]);
    folder.write("Dockerfile", b"FROM alpine\nFROM debian:latest\n");
    folder.write("new/Dockerfile", b"FROM busybox\n");
    assert_eq!(places(&folder.json(&["--changed-since", "HEAD"])), ["mutable-base:2", "mutable-base:1"]);
    folder.run(&["check", "--changed-since", "nothing"]).failed(&["nothing"]);
}

#[test]
fn github_gets_a_summary_of_the_step() {
    let folder = Folder::new(&[("Dockerfile", BAD), ("hitrate.toml", STRICT)]);
    folder.write("summary.md", b"before\n");
    let output = command(folder.root())
        .env("GITHUB_STEP_SUMMARY", folder.path("summary.md"))
        .args(["check", "--format", "github"])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("::warning file=Dockerfile,line=1,endLine=1,col=6,endColumn=12,"), "{stdout}");
    let summary = folder.read("summary.md");
    assert!(summary.starts_with("before\n") && summary.contains("| `Dockerfile:1` |"), "{summary}");
}

#[test]
fn rules_are_listed_and_shown() {
    let folder = Folder::new(&[]);
    let list = folder.run(&["rule"]).stdout;
    assert!(list.lines().any(|line| line.starts_with("mutable-base ")), "{list}");
    assert!(folder.run(&["rule", "mutable-base"]).stdout.starts_with("# mutable-base\n"));
}

/// GitHub and GitLab look files up from the root of the checkout, wherever in it the job's step runs.
#[test]
fn services_get_paths_of_their_checkout() {
    let folder = Folder::new(&[("sub/Dockerfile", BAD), ("hitrate.toml", STRICT)]);
    let run = |format: &str, variable: &str| {
        let mut command = command(&folder.path("sub"));
        let output =
            command.env(variable, folder.root()).args(["check", "--format", format]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run("github", "GITHUB_WORKSPACE").contains("::warning file=sub/Dockerfile,line=1,"));
    assert!(run("sarif", "GITHUB_WORKSPACE").contains("\"uri\": \"sub/Dockerfile\""));
    assert!(run("gitlab", "CI_PROJECT_DIR").contains("\"path\": \"sub/Dockerfile\""));
    assert!(run("concise", "GITHUB_WORKSPACE").starts_with("Dockerfile:1:6: "));
    assert!(run("github", "CI_PROJECT_DIR").contains("::warning file=Dockerfile,line=1,"));
}

/// `--changed-since` keeps a finding whose own lines are old when one of its causes is new.
#[test]
fn a_touched_cause_brings_its_finding() {
    let before =
        "FROM python:3.13\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n";
    let folder = Folder::new(&[
        ("Dockerfile", before),
        ("requirements.txt", "flask\n"),
        ("app.py", ""),
        ("hitrate.toml", "[rules]\nselect = [\"broad-copy-before-install\"]\n"),
    ]);
    folder.commit("first");
    assert_eq!(places(&folder.json(&["--changed-since", "HEAD"])), [""; 0]);
    let after = before.replace("COPY requirements.txt .", "COPY . .");
    folder.write("Dockerfile", after.as_bytes());
    assert_eq!(places(&folder.json(&["--changed-since", "HEAD"])), places(&folder.json(&[])));
    assert_eq!(folder.json(&[])["findings"].as_array().unwrap().len(), 1);
    folder.commit("second");
    folder.write("app.py", b"print(1)\n");
    assert_eq!(places(&folder.json(&["--changed-since", "HEAD"])), [""; 0]);
}

#[test]
fn help_drops_a_step_only_where_nothing_of_it_is_left() {
    let help = |run: &str| {
        let text = format!("FROM alpine:3.22\nRUN mkdir /srv/log\nCOPY conf /etc/app/\nRUN {run}\n");
        let folder = Folder::new(&[("Dockerfile", text.as_str()), ("conf", "a")]);
        let json = folder.run(&["check", "--select", "chmod-after-copy", "--format", "json"]).json();
        json["findings"][0]["help"].as_str().unwrap().to_owned()
    };
    assert!(
        help("chmod g+w /etc/app/conf").ends_with("drop this RUN"),
        "{}",
        help("chmod g+w /etc/app/conf")
    );
    // Git keeps no more of a mode than whether the file may be run.
    assert!(
        help("chmod +x /etc/app/con*").contains("git update-index"),
        "{}",
        help("chmod +x /etc/app/con*")
    );
    assert!(help("chmod a+rwx /etc/app/con*").contains("--chmod"), "{}", help("chmod a+rwx /etc/app/con*"));
    let both = "chmod g+w /etc/app/conf && chmod 1777 /srv/log";
    assert!(help(both).ends_with("leave them out here"), "{}", help(both));
}

/// The help of the only finding of this rule in a Dockerfile that goes on so.
fn help_of(rule: &str, text: &str) -> String {
    let folder = Folder::new(&[("Dockerfile", &format!("FROM debian:12\n{text}"))]);
    let json = folder.run(&["check", "--select", rule, "--format", "json"]).json();
    json["findings"][0]["help"].as_str().unwrap().to_owned()
}

#[test]
fn help_mounts_the_index_only_where_the_layer_does_not_need_it() {
    let mounts = |text: &str| help_of("missing-cache-mount", text);
    let both = "mount `/var/cache/apt` and `/var/lib/apt/lists` with `--mount=type=cache,target=…`";
    let cache = "mount `/var/cache/apt` with `--mount=type=cache,target=…`";
    assert_eq!(mounts("RUN apt-get update && apt-get install -y gcc\n"), both);
    assert_eq!(mounts("COPY install.sh /\nRUN /install.sh\nRUN apt-get install -y clang\n"), cache);
    assert_eq!(mounts("RUN apt-get update && apt-get install -y gcc\nRUN apt-get install -y clang\n"), cache);
}

#[test]
fn help_names_files_as_they_are_to_be_written() {
    let folder = Folder::new(&[
        ("Dockerfile", "FROM python:3.12\nCOPY . .\nRUN pip install .\n"),
        ("pyproject.toml", ""),
        ("app.py", ""),
        ("a-rather-long-name-of-a-thing.Dockerfile", "FROM alpine:3.22\n"),
        ("README.md", ""),
    ]);
    let json = folder.run(&["check", "Dockerfile", "--select", "context-noise", "--format", "json"]).json();
    let help = json["findings"][0]["help"].as_str().unwrap();
    assert!(help.contains("`a-rather-long-name-of-a-thing.Dockerfile`"), "{help}");
}

#[test]
fn completions_and_manual_pages() {
    let folder = Folder::new(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = folder.run(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        for word in ["check", "explain", "changed-since"] {
            assert!(run.stdout.contains(word), "{shell} does not complete {word}");
        }
    }
    let page = folder.run(&["man"]).stdout;
    assert!(page.contains(".TH hitrate 1") && page.contains("hitrate\\-check(1)"), "{page}");
    let page = folder.run(&["man", "check"]).stdout;
    assert!(page.contains(".TH hitrate-check 1") && page.contains("changed\\-since"), "{page}");
    folder.run(&["man", "nothing"]).failed(&["nothing"]);
    folder.run(&["completions", "dos"]).failed(&["dos"]);
    let help = folder.run(&["--help"]).stdout;
    assert!(!help.contains("completions") && !help.contains("manual"), "{help}");
}

/// What bash does with them: the words that it offers after `hitrate ch`, and after `--format s`.
#[test]
#[cfg(unix)]
fn bash_completes() {
    let folder = Folder::new(&[]);
    folder.write("completions", folder.run(&["completions", "bash"]).stdout.as_bytes());
    let script = r#"source ./completions
        offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _hitrate hitrate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[*]}"; }
        offer hitrate ch
        offer hitrate check --format s"#;
    let mut bash = std::process::Command::new("bash");
    let output = bash.current_dir(folder.root()).args(["--noprofile", "--norc", "-c", script]).output();
    // Not every system has it.
    let Ok(output) = output else { return };
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "check\nsarif\n");
}
