//! Directories and files that a script names, relative to the project's root.

use crate::builds::join;
use crate::builds::value::{Piece, pieces};

/// Variables and expressions that hold the directory of the checkout.
const ROOTS: &[&str] = &[
    "GITHUB_WORKSPACE",
    "github.workspace",
    "CI_PROJECT_DIR",
    "BUILDKITE_BUILD_CHECKOUT_PATH",
    "BITBUCKET_CLONE_DIR",
    "CIRCLE_WORKING_DIRECTORY",
    "Build.SourcesDirectory",
    "Build.Repository.LocalPath",
    "System.DefaultWorkingDirectory",
    "BUILD_SOURCESDIRECTORY",
    "WORKSPACE",
    "DRONE_WORKSPACE",
    "CI_WORKSPACE",
    "TRAVIS_BUILD_DIR",
    "SEMAPHORE_GIT_DIR",
    "CODEBUILD_SRC_DIR",
    "APPVEYOR_BUILD_FOLDER",
];

/// Variables and expressions that hold the directory of the file in which they stand.
const HERE: &[&str] = &[
    "CURDIR",
    "justfile_directory()",
    "ROOT_DIR",
    ".ROOT_DIR",
    "TASKFILE_DIR",
    ".TASKFILE_DIR",
    "localWorkspaceFolder",
];

/// Where paths start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'b> {
    /// The working directory, if it is known.
    pub cwd: Option<&'b str>,
    /// The directory of the file with the script.
    pub here: &'b str,
}

/// The path that `text` names, relative to the project's root; `""` is the root. `None` where it is not known or outside.
pub(crate) fn resolve(text: &str, base: Base<'_>) -> Option<String> {
    evaluate(text, base, 0)
}

fn evaluate(text: &str, base: Base<'_>, depth: u32) -> Option<String> {
    let text = text.trim();
    let first = pieces(text).next()?;
    let rest = text.get(first.raw().len()..)?;
    let anchor = match first {
        Piece::Text(_) => {
            if text.starts_with(['/', '~']) || has_expansion(text) || windows_absolute(text) {
                return None;
            }
            return join(base.cwd?, text);
        }
        other => anchor(other, base, depth)?,
    };
    if has_expansion(rest) || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    join(&anchor, rest.trim_start_matches('/'))
}

fn windows_absolute(text: &str) -> bool {
    text.as_bytes().get(1) == Some(&b':') || text.contains('\\')
}

fn has_expansion(text: &str) -> bool {
    pieces(text).any(|piece| !matches!(piece, Piece::Text(_)))
}

/// The directory that an expansion at the start of a path stands for.
fn anchor(piece: Piece<'_>, base: Base<'_>, depth: u32) -> Option<String> {
    let named = |name: &str| {
        if ROOTS.contains(&name) {
            return Some(String::new());
        }
        if HERE.contains(&name) {
            return Some(base.here.to_owned());
        }
        (name == "PWD").then(|| base.cwd.map(str::to_owned)).flatten()
    };
    match piece {
        Piece::Var { name, default, .. } => named(name).or_else(|| match default {
            Some(default) if depth < 4 => evaluate(default.trim_matches('"'), base, depth + 1),
            _ => None,
        }),
        Piece::Expression { inner, .. } => named(inner.trim()),
        Piece::Command { inner, .. } => named(inner).or_else(|| command(inner, base, depth)),
        // `${0%/*}`, `${BASH_SOURCE[0]%/*}`
        Piece::Opaque { raw } => {
            let name = raw.strip_prefix("${")?.strip_suffix("%/*}")?;
            is_script(name).then(|| base.here.to_owned())
        }
        Piece::Alternative { .. } | Piece::Text(_) => None,
    }
}

/// The directory that a command prints.
fn command(text: &str, base: Base<'_>, depth: u32) -> Option<String> {
    if depth > 4 {
        return None;
    }
    let text = text.strip_prefix("shell ").unwrap_or(text).trim();
    // `cd X && pwd`, `cd X; pwd -P`
    let cd = text.strip_prefix("cd ").or_else(|| text.strip_prefix("CDPATH= cd "));
    if let Some(cd) = cd {
        let cut = cd.find("&&").or_else(|| cd.find(';'))?;
        if !cd.get(cut..)?.trim_start_matches(['&', ';', ' ']).starts_with("pwd") {
            return None;
        }
        let target = cd.get(..cut)?;
        let target = target
            .find(" >")
            .or_else(|| target.find(" 2>"))
            .map_or(target, |at| target.get(..at).unwrap_or(""));
        return evaluate(plain(target), base, depth + 1);
    }
    let (program, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = plain(rest);
    match program {
        "pwd" => base.cwd.map(str::to_owned),
        "git" if rest.contains("rev-parse") && rest.contains("--show-toplevel") => Some(String::new()),
        "dirname" => {
            if is_script_path(rest) {
                return Some(base.here.to_owned());
            }
            let path = evaluate(rest, base, depth + 1)?;
            Some(path.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned()))
        }
        "realpath" | "readlink" | "echo" | "abspath" => {
            let rest = rest.trim_start_matches("-f ").trim_start_matches("-e ").trim_start_matches("-m ");
            if is_script_path(rest) {
                return Some(join(base.here, "script").unwrap_or_default());
            }
            evaluate(plain(rest), base, depth + 1)
        }
        _ => None,
    }
}

/// A word without quotes, `--` before it left out.
fn plain(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("-- ").or_else(|| text.strip_prefix("-P ")).unwrap_or(text).trim();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|inner| !inner.starts_with('"')).unwrap_or(text)
}

fn is_script(name: &str) -> bool {
    matches!(name, "0" | "BASH_SOURCE" | "BASH_SOURCE[0]" | "BASH_SOURCE[@]" | "(%):-%x" | "(%):-%N")
}

/// `$0`, `"${BASH_SOURCE[0]}"`, `$(readlink -f "$0")`.
fn is_script_path(text: &str) -> bool {
    let text = plain(text);
    if text.contains("BASH_SOURCE") || text.contains("MAKEFILE_LIST") {
        return true;
    }
    let text =
        text.trim_start_matches("$(readlink -f ").trim_start_matches("$(realpath ").trim_end_matches(')');
    matches!(plain(text), "$0" | "${0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_write_for_their_own_directory() {
        let base = Base { cwd: Some("w"), here: "ci/bin" };
        for (text, expected) in [
            (".", "w"),
            ("./a//b/../c/", "w/a/c"),
            ("..", ""),
            ("$(dirname \"$0\")/..", "ci"),
            ("$(dirname \"${BASH_SOURCE[0]}\")", "ci/bin"),
            ("$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" >/dev/null 2>&1 && pwd)/../x", "ci/x"),
            ("$(cd $(dirname $0)/.. ; pwd -P)", "ci"),
            ("$(dirname $(readlink -f \"$0\"))/../..", ""),
            ("${BASH_SOURCE[0]%/*}/x", "ci/bin/x"),
            ("`pwd`/oci", "w/oci"),
            ("$PWD", "w"),
            ("$(git rev-parse --show-toplevel)/docker", "docker"),
            ("${{ github.workspace }}/a", "a"),
            ("$(Build.SourcesDirectory)/a/Dockerfile", "a/Dockerfile"),
            ("$(CURDIR)/x", "ci/bin/x"),
            ("{{justfile_directory()}}", "ci/bin"),
            ("$(dirname $(dirname $(realpath $0)))", "ci"),
        ] {
            assert_eq!(resolve(text, base).as_deref(), Some(expected), "{text}");
        }
        for text in ["/abs", "~/x", "../../x", "$X/a", "a/$X", "$(foo)/x", "$PWD-x", "C:\\x"] {
            assert_eq!(resolve(text, base), None, "{text}");
        }
        assert_eq!(resolve("a", Base { cwd: None, here: "x" }), None);
    }
}
