//! Whatever a RUN says, recognition answers, and answers the same twice.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test

mod tools_kit;

use proptest::prelude::*;
use tools_kit::walk;

/// Command lines of words that matter to the tools.
fn command_line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "npm",
        "ci",
        "install",
        "run",
        "build",
        "--prefix",
        "web",
        "-g",
        "yarn",
        "add",
        "pnpm",
        "--store-dir",
        "/s",
        "pip",
        "-r",
        "requirements.txt",
        ".",
        "-e",
        "--no-cache-dir",
        "python",
        "-m",
        "uv",
        "sync",
        "poetry",
        "config",
        "cache-dir",
        "go",
        "mod",
        "download",
        "cargo",
        "+nightly",
        "chef",
        "cook",
        "mvn",
        "clean",
        "package",
        "./gradlew",
        "-x",
        "test",
        "apt-get",
        "-o",
        "Dir::Cache=/c",
        "update",
        "apk",
        "--no-cache",
        "rm",
        "-rf",
        "~/.npm",
        "/a/{b,c}/*",
        "find",
        "-delete",
        "npx",
        "turbo@2",
        "corepack",
        "bundle",
        "exec",
        "rails",
        "--",
        "--version",
        "sudo",
        "-u",
        "app",
        "su",
        "-",
        "-c",
        "'npm ci'",
        "useradd",
        "-m",
        "adduser",
        "export",
        "A=1",
        "$X",
        "$(x)",
        "\"\"",
        "*",
        "é",
        "=",
        "-",
        "&&",
        ";",
        "|",
        "cd",
        "x",
        "mv",
        "/etc/apt/apt.conf.d/docker-clean",
        ">",
        "env",
        "set",
        "-Dmaven.repo.local=/r",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_command_line_is_survived(line in command_line(), user in "[a-z0-9:]{0,6}", image in "[a-z:/.@]{0,12}") {
        let text = format!("FROM {image}\nUSER {user}\nWORKDIR /w\nRUN {line}\n");
        let files = [("package.json", "{\"scripts\": {\"build\": \"npm run build && npm ci\"}}"), ("requirements.txt", "-r requirements.txt\n-e .")];
        let one = walk(&text, &files);
        for dir in one.seen.iter().flat_map(|seen| &seen.caches) {
            prop_assert!(dir.path.as_deref().is_none_or(|path| path.starts_with('/')), "{dir:?} in {text}");
        }
        prop_assert_eq!(format!("{one:?}"), format!("{:?}", walk(&text, &files)));
    }
}
