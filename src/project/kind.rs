//! What a file is, told by its path.

use crate::builds::System;
use crate::context::{DOCKERIGNORE, path};

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A Dockerfile.
    Dockerfile,
    /// `.dockerignore`, `<dockerfile>.dockerignore`.
    IgnoreFile,
    /// A file that may start builds.
    Build(System),
    /// `buildkitd.toml`.
    Buildkitd,
    /// dockerd's `daemon.json`.
    DockerDaemon,
    /// `hitrate.toml`.
    Config,
}

/// Last name extensions that make a `Dockerfile.EXT` something else: ignore files, templates, source code,
/// documentation, left-overs. (Seen in 1,700 real files: `.jinja2` and `.j2` templates, `.go`, `.py`, `.cs`, `.java`,
/// `.md`, `.sh`, `.yml`; while `.node`, `.make`, `.diff`, `.package` and version numbers are Dockerfiles.)
const NOT_DOCKERFILES: &[&str] = &[
    "dockerignore",
    "containerignore", // ignore files
    "jinja2",
    "jinja",
    "j2",
    "tmpl",
    "template",
    "tpl",
    "in",
    "erb",
    "ejs",
    "mustache",
    "hbs",
    "m4", // templates
    "go",
    "py",
    "cs",
    "java",
    "kt",
    "scala",
    "groovy",
    "rb",
    "rs",
    "js",
    "mjs",
    "cjs",
    "ts",
    "tsx",
    "php",
    "pl",
    "lua",
    "c",
    "h",
    "cc",
    "cpp",
    "hpp",
    "swift",
    "dart",
    "ex",
    "exs",
    "vim",
    "el",
    "snippets", // source code
    "sh",
    "bash",
    "zsh",
    "fish",
    "ps1",
    "bat",
    "cmd", // scripts
    "yml",
    "yaml",
    "json",
    "jsonc",
    "toml",
    "xml",
    "html",
    "css",
    "svg",
    "png",
    "wasm",
    "lock",
    "sum", // data
    "md",
    "markdown",
    "mdx",
    "rst",
    "adoc",
    "txt",
    "pdf", // documentation
    "orig",
    "rej",
    "bak",
    "swp",
    "swo",
    "tmp",
    "log",
    "patch", // left-overs
];

/// What the file at `path` (with `/`) is, as far as its path tells; `None` for what nobody reads.
#[must_use]
pub fn classify(path: &str) -> Option<FileKind> {
    let name = path::base(path);
    let lower = name.to_ascii_lowercase();
    let kind = match lower.as_str() {
        crate::settings::FILE_NAME => FileKind::Config,
        "daemon.json" => FileKind::DockerDaemon,
        _ if lower.ends_with(DOCKERIGNORE) => FileKind::IgnoreFile,
        _ if is_dockerfile(&lower) => FileKind::Dockerfile,
        _ if lower.ends_with("buildkitd.toml")
            || lower.starts_with("buildkitd.") && has(&lower, &["toml"]) =>
        {
            FileKind::Buildkitd
        }
        _ => FileKind::Build(system(path, &lower)?),
    };
    Some(kind)
}

/// [`classify`], or a shell script by its first line where the name says nothing.
#[must_use]
pub fn classify_text(path: &str, text: &str) -> Option<FileKind> {
    classify(path).or_else(|| is_shell_script(text).then_some(FileKind::Build(System::Shell)))
}

/// Whether a text begins with `#!` and a POSIX-like shell.
#[must_use]
pub fn is_shell_script(text: &str) -> bool {
    let Some(line) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()) else { return false };
    let shells = ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"];
    line.split_ascii_whitespace().take(4).any(|word| shells.contains(&path::base(word)))
}

/// Whether a script or recipe can start a build at all: it names a program that builds images. What does not is not
/// kept.
#[must_use]
pub(super) fn mentions_builder(text: &str) -> bool {
    ["docker", "buildx", "buildctl", "buildah", "podman", "kaniko", "nerdctl"]
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// `Dockerfile`, `Containerfile`, either with a suffix after `.`, `-` or `_`, or as a suffix after `.`.
fn is_dockerfile(lower: &str) -> bool {
    let words = ["dockerfile", "containerfile"];
    let suffixed = |word: &&str| {
        lower.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
    };
    let suffix = |word: &&str| lower.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'));
    words.iter().any(|word| suffixed(word) || suffix(word)) && !has(lower, NOT_DOCKERFILES)
}

fn system(path: &str, lower: &str) -> Option<System> {
    let within = |directory: &str| {
        path.split('/').rev().skip(1).any(|part| part == directory) && has(lower, &["yml", "yaml"])
    };
    let yaml = lower.strip_suffix(".yml").or_else(|| lower.strip_suffix(".yaml"));
    if let Some(stem) = yaml {
        return Some(match stem {
            _ if within("workflows")
                && ["/.github/", "/.gitea/", "/.forgejo/"]
                    .iter()
                    .any(|directory| format!("/{path}").contains(directory)) =>
            {
                System::GithubActions
            }
            "action" => System::GithubActions,
            ".gitlab-ci" => System::GitlabCi,
            _ if stem.ends_with(".gitlab-ci") || within(".gitlab") || within(".gitlab-ci") => {
                System::GitlabCi
            }
            _ if within(".buildkite") || stem == "buildkite" => System::Buildkite,
            _ if stem.contains("cloudbuild") => System::CloudBuild,
            _ if within(".circleci") => System::CircleCi,
            _ if stem.contains("azure-pipelines")
                || ["azure-pipelines", ".azure-pipelines", ".azuredevops"].into_iter().any(within) =>
            {
                System::AzurePipelines
            }
            "bitbucket-pipelines" => System::Bitbucket,
            _ if stem == ".drone" || stem.starts_with(".drone.") => System::Drone,
            // Of another name at the root, where the server is told of it.
            _ if stem.starts_with(".drone-") && !path.contains('/') => System::Drone,
            _ if stem.starts_with(".woodpecker") || within(".woodpecker") => System::Woodpecker,
            _ if stem == "skaffold" || stem.starts_with("skaffold.") || stem.starts_with("skaffold-") => {
                System::Skaffold
            }
            "taskfile" | "taskfile.dist" => System::Task,
            _ if is_compose(stem) => System::Compose,
            _ => return None,
        });
    }
    let exact = match lower {
        "devcontainer.json" | ".devcontainer.json" => System::Devcontainer,
        "makefile" | "gnumakefile" => System::Make,
        "justfile" | ".justfile" => System::Just,
        "package.json" => System::PackageJson,
        _ if lower.starts_with("jenkinsfile") || lower.ends_with(".jenkinsfile") => System::Jenkins,
        _ if lower.contains("cloudbuild") && has(lower, &["json"]) => System::CloudBuild,
        _ if lower.contains("bake") && has(lower, &["hcl", "json"]) => System::Bake,
        _ if has(lower, &["sh", "bash"]) => System::Shell,
        _ if has(lower, &["mk"]) => System::Make,
        _ if has(lower, &["just"]) => System::Just,
        _ => return None,
    };
    Some(exact)
}

/// `compose`, `docker-compose`, either with more words before or behind.
fn is_compose(stem: &str) -> bool {
    stem.split(['.', '-', '_']).any(|word| word == "compose")
}

fn has(name: &str, extensions: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, own)| !stem.is_empty() && extensions.contains(&own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerfiles_are_told_from_their_neighbours() {
        // Names of real files.
        for path in [
            "Dockerfile",
            "dockerfile",
            "a/Dockerfile.dev",
            "Dockerfile.1809",
            "Dockerfile.node",
            "Dockerfile.make",
            "Dockerfile-base",
            "Dockerfile_dev",
            "hack/vendor.Dockerfile",
            "test.python.Dockerfile",
            "dev.dockerfile",
            "Containerfile",
            "Containerfile.prod",
            "app.containerfile",
            "Dockerfile.server.alpine.multiarch.rootless",
        ] {
            assert_eq!(classify(path), Some(FileKind::Dockerfile), "{path}");
        }
        for path in [
            "Dockerfile.jinja2",
            "Dockerfile.j2",
            "pipeline.Dockerfile.j2",
            "dockerfile.go",
            "dockerfile_test.go",
            "dockerfile-llb.md",
            "Dockerfile.py",
            "dockerfile-0.3.3.wasm",
            "DockerfileUtility.py",
            "Dockerfile.tmpl",
            "dockerfiles_update.py",
            "mydockerfile",
            "Dockerfiles",
            "src/main.rs",
            "README",
            "Dockerfile.orig",
        ] {
            assert_eq!(classify(path), None, "{path}");
        }
        for path in [".dockerignore", "Dockerfile.dev.dockerignore", "a/.dockerignore"] {
            assert_eq!(classify(path), Some(FileKind::IgnoreFile), "{path}");
        }
    }

    #[test]
    fn build_files_are_known() {
        use System::*;
        for (path, system) in [
            (".github/workflows/ci.yml", GithubActions),
            ("sub/.github/workflows/ci.yaml", GithubActions),
            (".github/actions/setup/action.yml", GithubActions),
            (".gitlab-ci.yml", GitlabCi),
            ("ci/build.gitlab-ci.yml", GitlabCi),
            (".gitlab/ci/build.yml", GitlabCi),
            (".buildkite/pipeline.yml", Buildkite),
            ("cloudbuild.yaml", CloudBuild),
            ("examples/kms-cloudbuild.yaml", CloudBuild),
            (".circleci/config.yml", CircleCi),
            ("azure-pipelines-release.yml", AzurePipelines),
            ("azure-pipelines/vote.yml", AzurePipelines),
            ("bitbucket-pipelines.yml", Bitbucket),
            ("Jenkinsfile.release", Jenkins),
            (".drone.yml", Drone),
            (".drone-1.0.yml", Drone),
            (".woodpecker/test.yaml", Woodpecker),
            (".woodpecker.yml", Woodpecker),
            ("skaffold.yaml", Skaffold),
            ("docker-bake.hcl", Bake),
            ("docker-bake.override.json", Bake),
            ("compose.yaml", Compose),
            ("docker-compose.override.yml", Compose),
            ("local.docker-compose.yml", Compose),
            (".devcontainer/devcontainer.json", Devcontainer),
            ("scripts/build.sh", Shell),
            ("Makefile", Make),
            ("build/rules.mk", Make),
            ("justfile", Just),
            ("Taskfile.yml", Task),
            ("web/package.json", PackageJson),
        ] {
            assert_eq!(classify(path), Some(FileKind::Build(system)), "{path}");
        }
        assert_eq!(classify("etc/buildkitd.toml"), Some(FileKind::Buildkitd));
        assert_eq!(classify("daemon.json"), Some(FileKind::DockerDaemon));
        assert_eq!(classify("hitrate.toml"), Some(FileKind::Config));
        for path in ["config.yml", ".github/dependabot.yml", "workflows/x.yml", "tsconfig.json", "Cargo.toml"]
        {
            assert_eq!(classify(path), None, "{path}");
        }
    }

    #[test]
    fn scripts_are_known_by_their_first_line() {
        let shell = Some(FileKind::Build(System::Shell));
        assert_eq!(classify_text("bin/build", "#!/usr/bin/env bash\ndocker build .\n"), shell);
        assert_eq!(classify_text("bin/build", "#! /bin/sh -e\n"), shell);
        assert_eq!(classify_text("bin/build", "#!/usr/bin/env python3\n"), None);
        assert_eq!(classify_text("notes", "docker build ."), None);
    }
}
