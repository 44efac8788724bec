//! `hitrate explain` asked about the recorded builds (`fixtures/truth`): for every pair of builds whose difference a
//! command line can tell, the answer is what BuildKit did.

use super::Folder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const LOCAL: [&str; 10] =
    ["add", "args", "base", "bindmount", "context", "copy", "dockerfile", "env", "from", "link"];

#[test]
fn the_same_builder_after_a_change() {
    let asked = sweep(&LOCAL);
    assert!(asked >= 130, "only {asked} of the recorded builds could be asked about");
}

#[test]
fn a_builder_with_cache_mounts() {
    let asked = sweep(&["gc", "mounts", "run"]);
    assert!(asked >= 35, "only {asked} of the recorded builds could be asked about");
}

#[test]
fn a_fresh_builder_with_a_remote_cache() {
    let asked = sweep(&["remote", "pipeline"]);
    assert!(asked >= 140, "only {asked} of the recorded builds could be asked about");
}

/// Asks about every pair of builds in these themes; how many there were.
fn sweep(themes: &[&str]) -> usize {
    let mut asked = 0;
    let mut wrong = Vec::new();
    for theme in themes {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth").join(theme);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let scenario: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            for build in 1..array(&scenario["builds"]).len() {
                let Some(question) = Question::of(&scenario, build) else { continue };
                asked += 1;
                wrong.extend(question.ask(&scenario, build));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong answers:\n{}", wrong.len(), wrong.join("\n"));
    asked
}

/// What differs between the first build and a later one, as arguments.
struct Question {
    /// The work tree has to change, and the command is told the commit before.
    from_git: bool,
    arguments: Vec<String>,
}

impl Question {
    /// `None` where the command line has no words for the difference.
    fn of(scenario: &Value, at: usize) -> Option<Self> {
        let (first, later) = (&scenario["builds"][0], &scenario["builds"][at]);
        let (before, after) = (&scenario["truth"][0], &scenario["truth"][at]);
        let said_otherwise =
            ["no_cache", "no_cache_filter", "contexts", "opts", "labels", "platforms", "secrets"];
        let untold = |build: &Value| said_otherwise.iter().any(|key| !build[*key].is_null());
        // That two tags have the same digest is in the registry only.
        let registry_knows = scenario["name"] == "base/tag-changed-same-digest";
        if untold(first) || untold(later) || before["exit"] != 0 || after["exit"] != 0 || registry_knows {
            return None;
        }
        if first["target"] != later["target"] || first["dockerfile_name"] != later["dockerfile_name"] {
            return None;
        }
        let mut question = Self { from_git: false, arguments: Vec::new() };
        question.caches(scenario, at)?;
        question.files(before, after)?;
        question.arguments(first, later, text(&after["dockerfile"]))?;
        for build in array(&scenario["builds"]).get(1..=at)? {
            for change in array(&build["change"]) {
                question.event(scenario, change)?;
            }
        }
        if question.arguments.is_empty() {
            return None;
        }
        if let Some(target) = later["target"].as_str() {
            question.push("--target", target);
        }
        Some(question)
    }

    fn push(&mut self, option: &str, value: &str) {
        self.arguments.extend([option.to_owned(), value.to_owned()]);
    }

    /// The builder and what it imports.
    fn caches(&mut self, scenario: &Value, at: usize) -> Option<()> {
        let builds = array(&scenario["builds"]);
        let name = |build: &Value| build["builder"].as_str().unwrap_or("A").to_owned();
        let (first, later) = (&builds[0], &builds[at]);
        if name(later) == name(first) {
            let remote = |build: &&Value| !build["cache_from"].is_null();
            return (at == 1 && !builds[..=at].iter().any(|build| remote(&build))).then_some(());
        }
        let used_before = builds[..at].iter().any(|build| name(build) == name(later));
        let exported_between = builds[1..at].iter().any(|build| !build["cache_to"].is_null());
        if used_before || exported_between {
            return None;
        }
        self.push("--builder", "ephemeral");
        for spec in array(&first["cache_to"]) {
            let pushed_to = text(&first["output"]["name"]);
            let imports = array(&later["cache_from"]);
            // The command takes the images that are imported for the one that is pushed.
            if spec["type"] == "inline"
                && (first["output"]["push"].is_null() || imports.iter().any(|from| from["ref"] != pushed_to))
            {
                return None;
            }
            self.push("--cache-to", &attributes(spec));
        }
        for spec in array(&later["cache_from"]) {
            // What BuildKit complains of and goes on without, the command refuses.
            let known = spec["type"] == "registry" && !spec["ref"].is_null();
            let pushed_over = builds[1..at].iter().any(|build| build["output"]["name"] == spec["ref"]);
            (known && !pushed_over || spec["type"] == "local" && !spec["src"].is_null()).then_some(())?;
            self.push("--cache-from", &attributes(spec));
        }
        Some(())
    }

    /// Edits are told one by one, anything else as what changed since a commit.
    fn files(&mut self, before: &Value, after: &Value) -> Option<()> {
        let (old, new) = (before["context"].as_object()?, after["context"].as_object()?);
        let content = |file: &Value| (file["content"].clone(), file["base64"].clone());
        let plain =
            |file: &Value| file["type"] == "file" && (file["mode"] == "0644" || file["mode"].is_null());
        let names = |path: &String| !path.starts_with(".git");
        if !old.values().chain(new.values()).all(plain) || !old.keys().chain(new.keys()).all(names) {
            return None;
        }
        // Archives are only text here.
        if old.values().chain(new.values()).any(|file| !file["base64"].is_null()) {
            return None;
        }
        let same_paths = old.keys().collect::<BTreeSet<_>>() == new.keys().collect();
        // Only a commit tells what an ignore file said before.
        let ignore = old.get(".dockerignore").map(content) != new.get(".dockerignore").map(content);
        if !same_paths || ignore || before["dockerfile"] != after["dockerfile"] {
            self.from_git = true;
            self.push("--from-git", "HEAD");
            return Some(());
        }
        for (path, file) in new {
            if content(&old[path]) != content(file) {
                self.push("--edit", path);
            }
        }
        Some(())
    }

    fn arguments(&mut self, first: &Value, later: &Value, dockerfile: &str) -> Option<()> {
        let of = |build: &Value| build["build_args"].as_object().cloned().unwrap_or_default();
        let (old, new) = (of(first), of(later));
        // An argument that is no longer given goes back to a default that the command takes for the value before.
        old.keys().all(|name| new.contains_key(name)).then_some(())?;
        for (name, value) in &new {
            if old.get(name) != Some(value) {
                let declared = dockerfile.lines().any(|line| line.starts_with(&format!("ARG {name}")));
                declared.then_some(())?;
                self.push("--build-arg", &format!("{name}={}", text(value)));
            }
        }
        Some(())
    }

    /// What happened outside the context.
    fn event(&mut self, scenario: &Value, change: &Value) -> Option<()> {
        match text(&change["op"]) {
            "image" => {
                let before = &scenario["images"][text(&change["ref"])];
                // The command speaks of another image altogether: other layers, the same configuration.
                (before["files"] != change["files"]).then_some(())?;
                self.push("--base", text(&change["ref"]));
            }
            "http" => {
                let path = text(&change["path"]);
                let before = &scenario["http"][path];
                (before["content"] != change["content"]).then_some(())?;
                self.push("--remote", &format!("http://127.0.0.1:8000{path}"));
            }
            "prune" => {
                (change["args"] == serde_json::json!(["--filter", "type==exec.cachemount"])).then_some(())?;
                self.arguments.push("--prune-mounts".into());
            }
            "delete_registry_tag" | "delete_local_cache" => return None,
            _ => {}
        }
        Some(())
    }

    /// The steps for which the command says something else than was recorded.
    fn ask(&self, scenario: &Value, at: usize) -> Vec<String> {
        let (before, after) = (&scenario["truth"][0], &scenario["truth"][at]);
        let dockerfile = scenario["builds"][at]["dockerfile_name"].as_str().unwrap_or("Dockerfile");
        let folder = Folder::new(&[]);
        lay(&folder, dockerfile, before);
        if self.from_git {
            git(folder.root(), &["init", "-q"]);
            git(folder.root(), &["add", "-A"]);
            git(folder.root(), &["commit", "-q", "-m", "before"]);
            for path in before["context"].as_object().unwrap().keys() {
                std::fs::remove_file(folder.path(path)).unwrap();
            }
            lay(&folder, dockerfile, after);
        }
        let mut arguments = vec!["explain", dockerfile, "--context", ".", "--format", "json"];
        arguments.extend(self.arguments.iter().map(String::as_str));
        let name = format!("{} {:?} {:?}", text(&scenario["name"]), text(&after["label"]), self.arguments);
        let run = folder.run(&arguments);
        if run.code != 0 {
            return vec![format!("{name}: {}", run.stderr)];
        }
        let answer = run.json();
        let mut truths = vec![after];
        let variants = array(&scenario["truth_variants"][text(&scenario["builds"][at]["label"])]);
        truths.extend(variants.iter().map(|variant| &variant["build"]).filter(|build| build.is_object()));
        let mut wrong = Vec::new();
        for said in array(&answer["steps"]) {
            let recorded: Vec<_> = truths.iter().filter_map(|truth| verdict(truth, &said["line"])).collect();
            let open = recorded.iter().any(|verdict| *verdict != recorded[0]) || reads_stage(&answer, said);
            let verdict = text(&said["verdict"]);
            let right = recorded.is_empty() || recorded.contains(&verdict) || (verdict == "depends" && open);
            if !right {
                wrong.push(format!("{name}: line {} is {recorded:?}, not {verdict}", said["line"]));
            }
        }
        wrong
    }
}

/// What was recorded for the instruction of that line, in the command's words.
fn verdict(truth: &Value, line: &Value) -> Option<&'static str> {
    let step = array(&truth["steps"]).iter().find(|step| step["line"] == *line)?;
    // A FROM that is fetched for lack of its content is no verdict of the cache.
    match (text(&step["instr"]), text(&step["status"]), text(&step["why"])) {
        ("FROM", ..) => None,
        (_, "CACHED", _) => Some("cached"),
        (_, "EXECUTED", _) => Some("reruns"),
        (_, "ABSENT", "not-in-graph") => Some("skipped"),
        _ => None,
    }
}

/// Whether the step, or one that it stands on, reads what a stage wrote: only there may an answer stay open.
fn reads_stage(answer: &Value, step: &Value) -> bool {
    let above =
        array(&answer["steps"]).iter().filter(|above| above["line"].as_u64() <= step["line"].as_u64());
    above.into_iter().any(|above| text(&above["text"]).contains("from="))
}

/// Writes the files of a recorded build.
fn lay(folder: &Folder, dockerfile: &str, truth: &Value) {
    folder.write(dockerfile, text(&truth["dockerfile"]).as_bytes());
    for (path, file) in truth["context"].as_object().unwrap() {
        folder.write(path, text(&file["content"]).as_bytes());
    }
}

/// Runs git as somebody, whatever the machine's own settings are.
pub(crate) fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(directory).args(["-c", "user.name=A", "-c", "user.email=a@example.org"]);
    command.args([
        "-c",
        "core.autocrlf=false",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    ]);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `type=registry,ref=…,mode=max`.
fn attributes(spec: &Value) -> String {
    let pairs = spec.as_object().unwrap().iter();
    pairs.map(|(key, value)| format!("{key}={}", text(value))).collect::<Vec<_>>().join(",")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
