//! What the repository offers to pipelines, hooks and package managers, run as they would run it, with the program that
//! was just built. Whatever needs packages from elsewhere is in `tests/integrations/` (`.ci/integrations`).

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // this whole crate is a test

#[path = "integrations/buildkite.rs"]
mod buildkite;
#[path = "integrations/docs.rs"]
mod docs;
#[path = "integrations/github.rs"]
mod github;
#[path = "integrations/gitlab.rs"]
mod gitlab;
#[path = "integrations/image.rs"]
mod image;
#[path = "integrations/packages.rs"]
mod packages;

use hitrate::builds::yaml::{self, Data, Node, Style};
use hitrate::source::SourceFile;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A warning in line 4.
pub(crate) const DOCKERFILE: &str =
    "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"main.js\"]\n";

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML text, each as a JSON value; plain scalars keep their text, but for `true` and `false`.
pub(crate) fn documents(text: &str) -> Vec<serde_json::Value> {
    let file = SourceFile::new("text.yml", text);
    let nodes = yaml::parse_all(&file.text).unwrap_or_else(|error| panic!("{error:?} in {text}"));
    nodes.iter().map(|node| value(node)).collect()
}

fn value(node: &Node<'_>) -> serde_json::Value {
    if node.is_map() {
        let entries = node.entries().iter();
        return entries.map(|entry| (entry.key.str().unwrap().to_owned(), value(&entry.value))).collect();
    }
    if node.is_seq() {
        return node.items().iter().map(|item| value(item)).collect();
    }
    let plain = matches!(&node.data, Data::Scalar(scalar) if scalar.style == Style::Plain);
    match node.bool().filter(|_| plain) {
        Some(truth) => truth.into(),
        None if node.is_null() => serde_json::Value::Null,
        None => node.str().unwrap_or_default().into(),
    }
}

/// A checkout: files, and the beginning of a repository.
pub(crate) struct Checkout(TempDir);

/// What a script came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Checkout {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        fs::create_dir(checkout.path(".git")).unwrap();
        for (path, text) in files {
            fs::create_dir_all(checkout.path(path).parent().unwrap()).unwrap();
            fs::write(checkout.path(path), text).unwrap();
        }
        checkout
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Writes an executable into `bin/`, which stands first on the path of the scripts.
    pub(crate) fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir_all(self.path("bin")).unwrap();
        let path = self.path(&format!("bin/{name}"));
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script as `shell -e -c`, in `directory`, with the built program on the path and nothing else of this
    /// machine's environment.
    pub(crate) fn run(
        &self,
        shell: &str,
        directory: &str,
        script: &str,
        env: &BTreeMap<String, String>,
    ) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_hitrate"));
        let mut path = vec![self.path("bin"), program.parent().unwrap().to_path_buf()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new(shell);
        command.args(["-e", "-c", script]).current_dir(self.path(directory)).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::join_paths(path).unwrap()).envs(env);
        let output = command.output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
