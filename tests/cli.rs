//! The command line, through the real binary, in folders and environments of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "cli/around.rs"]
mod around;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/config.rs"]
mod config;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/explain_truth.rs"]
mod explain_truth;
#[path = "cli/fix.rs"]
mod fix;
#[path = "cli/graph.rs"]
mod graph;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/plan.rs"]
mod plan;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/suppress.rs"]
mod suppress;

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with files, in which the command is run.
pub(crate) struct Folder(TempDir);

/// What a run came to.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command with an environment that has nothing of the machine's in it.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hitrate"));
    command.current_dir(directory).env_clear().stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        // A root of its own, whatever stands above the temporary directory.
        fs::create_dir(folder.path(".git")).unwrap();
        for (path, text) in files {
            folder.write(path, text.as_bytes());
        }
        folder
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        finished(command(self.root()).args(args).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = command(self.root());
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program that refuses its input closes it early.
        let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        finished(output)
    }

    /// Everything in the folder becomes a commit of its repository.
    pub(crate) fn commit(&self, title: &str) {
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command.current_dir(self.root()).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
            command.args(["-c", "user.name=x", "-c", "user.email=x@example.org"]).args(args);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        git(&["init", "-q"]);
        git(&["add", "."]);
        git(&["commit", "-qm", title]);
    }

    /// `check --format json` with these arguments.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.run(&[&["check", "--format", "json"], args].concat()).json()
    }
}

fn finished(output: Output) -> Run {
    Run {
        code: output.status.code().expect("no signal ended it"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Holds the run to the contract of exit code 2: one line on the standard error, which says these things.
    pub(crate) fn failed(&self, says: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        for text in says {
            assert!(self.stderr.contains(text), "{text:?} is not in {:?}", self.stderr);
        }
    }
}

/// `rule:line` of every finding.
pub(crate) fn places(json: &Value) -> Vec<String> {
    let findings = json["findings"].as_array().unwrap();
    let place = |finding: &Value| {
        let (rule, line) = (finding["rule"].as_str().unwrap(), finding["start"]["line"].as_u64().unwrap());
        format!("{rule}:{line}")
    };
    findings.iter().map(place).collect()
}

/// `path: message` of every error.
pub(crate) fn errors(json: &Value) -> Vec<String> {
    let errors = json["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|e| format!("{}: {}", e["path"].as_str().unwrap(), e["message"].as_str().unwrap()))
        .collect()
}
