//! Real editors' clients drive the server: Neovim without a screen, and a Node program on the protocol's reference library.
//! What they print is what `docs/editors.md` shows; `UPDATE=1 cargo test --test clients` writes it anew.
//!
//! Where a client is not installed its test says so and is left out; `.ci/run` installs them. Not under the test harness, so
//! that this is always seen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
// a test without the harness that clippy knows

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const DOCS: &str = "docs/editors.md";

fn main() {
    if !cfg!(unix) {
        return println!("clients: skipped, not on this system");
    }
    match installed("nvim") {
        Some(version) => {
            neovim();
            println!("clients: {version}: ok");
        }
        None => println!("clients: neovim: skipped, nvim is not installed"),
    }
    let modules = root().join("tests/clients/node/node_modules").is_dir();
    match installed("node") {
        Some(version) if modules => {
            node();
            println!("clients: node {version}: ok");
        }
        Some(_) => println!(
            "clients: node: skipped, the library is not installed (npm ci --prefix tests/clients/node)"
        ),
        None => println!("clients: node: skipped, node is not installed"),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first line of what a program says of its version; `None` where there is no such program.
fn installed(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

/// A copy of the project that the clients work on.
fn project() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::create_dir(directory.path().join("src")).unwrap();
    for file in ["Dockerfile", "hitrate.toml", "package.json", "package-lock.json", "src/index.js"] {
        fs::copy(root().join("tests/clients/project").join(file), directory.path().join(file)).unwrap();
    }
    directory
}

fn neovim() {
    let project = project();
    let configuration = project.path().join(".git/init.lua");
    fs::write(&configuration, block("neovim configuration").1).unwrap();
    let mut command = Command::new("nvim");
    command.args(["--headless", "-i", "NONE", "-n", "-u"]).arg(&configuration);
    command.arg("-c").arg(format!("luafile {}", root().join("tests/clients/neovim/client.lua").display()));
    // Nothing of the user's own.
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env(variable, project.path().join(".git"));
    }
    hold("neovim transcript", &run(command, project.path()));
}

fn node() {
    let project = project();
    let mut command = Command::new("node");
    command.arg(root().join("tests/clients/node/client.js"));
    hold("node transcript", &run(command, project.path()));
}

/// What a client prints; it has to end well.
fn run(mut command: Command, directory: &Path) -> String {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_hitrate"));
    let mut path = vec![binary.parent().unwrap().to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    command.env("PATH", std::env::join_paths(path).unwrap()).env("HITRATE", &binary);
    let output = command.current_dir(directory).stdin(Stdio::null()).output().unwrap();
    let (said, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the client failed:\n{said}{errors}");
    said
}

/// The fenced block of the docs behind a mark: the text before it, the block, the text behind it.
fn block(mark: &str) -> (String, String, String) {
    let text = fs::read_to_string(root().join(DOCS)).unwrap();
    let mark = text.find(&format!("<!-- {mark} -->")).expect("the mark is there");
    let fence = mark + text[mark..].find("```").unwrap();
    let start = fence + text[fence..].find('\n').unwrap() + 1;
    let end = start + text[start..].find("```").unwrap();
    (text[..start].to_owned(), text[start..end].to_owned(), text[end..].to_owned())
}

/// Compares what was said with what the docs show, or with `UPDATE` in the environment writes it.
fn hold(mark: &str, said: &str) {
    let (before, shown, after) = block(mark);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join(DOCS), format!("{before}{said}{after}")).unwrap();
    } else {
        assert!(
            shown == said,
            "{DOCS} does not show what the client says (UPDATE=1 cargo test --test clients):\n{said}"
        );
    }
}
