//! What of a project no build step has a use for, by its name.

use crate::context::{Entry, Tree, path};

/// What a thing is, which decides who may need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// `.git`.
    Git,
    /// Dockerfiles, CI, Compose and the like: what starts builds.
    Builds,
    /// What people read.
    Prose,
    /// Tests that the compiler of the image leaves out.
    Tests,
    /// What tools make, with the ecosystems (words) whose tools make it again in the image; empty for caches that nobody needs.
    Results(&'static str),
    /// What editors and desktops leave.
    Editor,
}

/// Something that a COPY may take for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Where it is in the context.
    pub(super) path: String,
    /// What it is.
    pub(super) group: Group,
    /// Files of it, some of many.
    pub(super) files: Vec<String>,
}

impl Candidate {
    /// The name by which texts speak of it.
    pub(super) fn name(&self) -> &str {
        path::base(&self.path)
    }

    /// Whether it is, or holds, the context path `file`.
    pub(super) fn holds(&self, file: &str) -> bool {
        if self.group == Group::Tests {
            return file.ends_with(GO_TESTS);
        }
        file.strip_prefix(self.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The line of an ignore file that leaves it out; names with pattern characters are escaped.
    pub(super) fn pattern(&self) -> String {
        if self.group == Group::Tests {
            return self.path.clone();
        }
        let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\');
        self.path.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
    }
}

/// Whether a path is of something that may be of no use, by its names.
pub(super) fn is_candidate(file: &str) -> bool {
    let (above, name) = (path::parent(file), path::base(file));
    group(name, false).is_some() || above.split('/').any(|part| group(part, true).is_some())
}

/// How often things like this change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pace {
    /// Hardly ever.
    Hardly,
    /// Now and then, and then the build often changes, too.
    Seldom,
    /// In the daily work.
    Often,
}

impl Candidate {
    /// How often it changes.
    pub(super) fn pace(&self) -> Pace {
        let name = self.name().to_ascii_lowercase();
        match self.group {
            Group::Editor => Pace::Hardly,
            Group::Builds if name.ends_with(".dockerignore") => Pace::Hardly,
            Group::Builds => {
                let often = name.contains("compose") || name == ".github" || name.starts_with(".gitlab");
                let ci = name.starts_with("jenkinsfile") || name.starts_with("azure-pipelines");
                let more = [
                    ".circleci",
                    ".buildkite",
                    ".travis.yml",
                    ".drone.yml",
                    ".woodpecker",
                    ".woodpecker.yml",
                ];
                match often || ci || more.contains(&name.as_str()) {
                    true => Pace::Often,
                    false => Pace::Seldom,
                }
            }
            Group::Prose
                if ["code_of_conduct", "codeowners", "authors", "maintainers", "security", "support"]
                    .iter()
                    .any(|rare| name.starts_with(rare)) =>
            {
                Pace::Seldom
            }
            _ => Pace::Often,
        }
    }
}

const GO_TESTS: &str = "_test.go";

/// The tests of a go program among `files`, which `go build` leaves out.
pub(super) fn go_tests(files: &[String]) -> Option<Candidate> {
    let tests = files.iter().filter(|file| file.ends_with(GO_TESTS)).take(3).cloned();
    let files: Vec<String> = tests.collect();
    (!files.is_empty()).then(|| Candidate { path: format!("**/*{GO_TESTS}"), group: Group::Tests, files })
}

/// Files that say that a directory is a project of its own.
const PROJECT: &[&str] = &[
    ".git",
    "Cargo.toml",
    "Dockerfile",
    "Gemfile",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "composer.json",
    "deno.json",
    "go.mod",
    "mix.exs",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "requirements.txt",
    "setup.py",
];

/// Whether the directory `root` of the context is a project and not a part of one.
pub(super) fn is_project(tree: &Tree, root: &str) -> bool {
    let has = |name: &&str| tree.get(&join(root, name)).is_some();
    root.is_empty() || PROJECT.iter().any(has)
}

/// What stands in the directory `root` that may be of no use.
pub(super) fn candidates(tree: &Tree, root: &str) -> Vec<Candidate> {
    let site = SITES.iter().any(|name| {
        let found = tree.names(root);
        found.iter().any(|own| own.starts_with(name))
    });
    let mut found = Vec::new();
    for name in tree.names(root) {
        let path = join(root, &name);
        let Some(entry) = tree.get(&path) else { continue };
        let is_directory = matches!(entry, Entry::Directory { .. });
        let Some(group) = group(&name, is_directory) else { continue };
        let mut files = if is_directory { tree.files(&path) } else { vec![path.clone()] };
        if is_directory && group == Group::Prose && (site || !files.iter().all(|file| is_prose(file))) {
            continue;
        }
        // Another directory of that name than the one that cargo and Maven make.
        if &*name == "target"
            && !["debug", "release", "classes", "CACHEDIR.TAG"]
                .iter()
                .any(|made| tree.get(&join(&path, made)).is_some())
        {
            continue;
        }
        files.truncate(3);
        if !files.is_empty() {
            found.push(Candidate { path, group, files });
        }
    }
    found
}

fn join(root: &str, name: &str) -> String {
    if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") }
}

/// Beginnings of the names of files that make a web site of prose.
const SITES: &[&str] = &[
    "mkdocs",
    "docusaurus",
    "antora",
    "book.toml",
    "astro.config",
    "gatsby-config",
    "hugo",
    "_config.yml",
    "next.config",
    "nuxt.config",
    "conf.py",
    "vuepress",
    ".vuepress",
    ".vitepress",
    ".readthedocs",
    "zensical",
    "typedoc",
    "eleventy",
    ".eleventy",
    "config.toml",
    "docfx",
    "gridsome",
    "svelte.config",
];

fn is_prose(file: &str) -> bool {
    const ENDS: [&str; 14] = [
        ".md", ".mdx", ".rst", ".txt", ".adoc", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".webp",
        ".drawio", ".puml",
    ];
    let lower = file.to_ascii_lowercase();
    ENDS.iter().any(|end| lower.ends_with(end)) && !lower.ends_with("requirements.txt")
}

fn group(name: &str, is_directory: bool) -> Option<Group> {
    let lower = name.to_ascii_lowercase();
    let yaml = lower.ends_with(".yml") || lower.ends_with(".yaml");
    if is_directory {
        return Some(match name {
            ".git" => Group::Git,
            ".github" | ".gitlab" | ".circleci" | ".buildkite" | ".woodpecker" | ".gitea" | ".forgejo"
            | ".devcontainer" | ".azuredevops" | ".azure-pipelines" => Group::Builds,
            "docs" | "doc" | "Documentation" => Group::Prose,
            "node_modules" | ".next" | ".nuxt" => Group::Results("javascript"),
            ".venv" | "venv" => Group::Results("python"),
            "target" => Group::Results("rust jvm"),
            ".gradle" => Group::Results("jvm"),
            "__pycache__" | ".pytest_cache" | ".mypy_cache" | ".ruff_cache" | ".tox" | ".nyc_output"
            | ".terraform" => Group::Results(""),
            ".idea" | ".vscode" | ".vs" | ".fleet" | ".zed" | ".cursor" | ".claude" => Group::Editor,
            _ => return None,
        });
    }
    let stem = lower.split('.').next().unwrap_or("");
    let named = |names: &[&str]| names.contains(&lower.as_str());
    let is_dockerfile = matches!(stem, "dockerfile" | "containerfile")
        && !lower.ends_with(".j2")
        && !lower.ends_with(".template")
        || lower.ends_with(".dockerfile")
        || lower.ends_with(".dockerignore");
    let is_ci = named(&[
        ".gitlab-ci.yml",
        ".travis.yml",
        ".drone.yml",
        ".cirrus.yml",
        ".appveyor.yml",
        "appveyor.yml",
        "bitbucket-pipelines.yml",
        "cloudbuild.yaml",
        "cloudbuild.yml",
        "codecov.yml",
        ".codecov.yml",
        ".pre-commit-config.yaml",
        ".mergify.yml",
        "renovate.json",
        ".renovaterc",
        ".renovaterc.json",
        ".gitpod.yml",
        ".hadolint.yaml",
        "skaffold.yaml",
        "docker-bake.hcl",
        "docker-bake.json",
        "tiltfile",
        "vagrantfile",
    ]) || stem == "jenkinsfile"
        || (yaml
            && ["azure-pipelines", "docker-compose", "compose", ".woodpecker"]
                .iter()
                .any(|start| lower.starts_with(start)));
    if is_dockerfile || is_ci {
        return Some(Group::Builds);
    }
    if matches!(
        stem,
        "readme"
            | "agents"
            | "claude"
            | "gemini"
            | "changelog"
            | "changes"
            | "contributing"
            | "code_of_conduct"
            | "security"
            | "authors"
            | "codeowners"
            | "roadmap"
            | "support"
            | "governance"
            | "maintainers"
    ) && (is_prose(name) || !lower.contains('.'))
    {
        return Some(Group::Prose);
    }
    if named(&[".ds_store", "thumbs.db", "desktop.ini"])
        || lower.ends_with(".swp")
        || lower.ends_with(".code-workspace")
    {
        return Some(Group::Editor);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_thing_is() {
        for (name, expected) in [
            ("Dockerfile.prod", Some(Group::Builds)),
            (".dockerignore", Some(Group::Builds)),
            ("docker-compose.override.yml", Some(Group::Builds)),
            ("compose.yaml", Some(Group::Builds)),
            ("composer.json", None),
            ("Dockerfile.j2", None),
            ("README", Some(Group::Prose)),
            ("readme.rst", Some(Group::Prose)),
            ("security.js", None),
            ("changes.py", None),
            ("LICENSE", None),
            (".gitignore", None),
            (".DS_Store", Some(Group::Editor)),
        ] {
            assert_eq!(group(name, false), expected, "{name}");
        }
        assert_eq!(group("docs", true), Some(Group::Prose));
        assert_eq!(group("src", true), None);
    }

    #[test]
    fn a_pattern_means_the_name_as_it_is() {
        let candidate = Candidate { path: "web/[x].swp".into(), group: Group::Editor, files: Vec::new() };
        assert_eq!(candidate.pattern(), "web/\\[x\\].swp");
        assert!(candidate.holds("web/[x].swp") && !candidate.holds("web/[x].swp2"));
    }
}
