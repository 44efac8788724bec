//! What stands around the files that were asked about: the builds and Dockerfiles of their repository, found with a bounded
//! walk.

use super::discover::{Found, FoundFile, discover, relative};
use super::kind::{FileKind, classify};
use ignore::gitignore::Gitignore;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// After this many entries the walk ends: what is nearer to the root is found first.
const MAX_LISTED: usize = 8_000;

/// Directories below this depth are not entered.
const MAX_DEPTH: usize = 6;

/// Where CI systems look; these are searched whole.
const PLACES: &[&str] = &[
    ".github",
    ".gitea",
    ".forgejo",
    ".gitlab",
    ".gitlab-ci",
    ".buildkite",
    ".circleci",
    ".azure-pipelines",
    ".azuredevops",
    ".woodpecker",
    ".devcontainer",
];

/// Directories of other people's projects.
const FOREIGN: &[&str] = &[".git", "node_modules", "vendor", "third_party", "bower_components"];

/// Files beside `paths` that tell how the Dockerfiles there are built, and the other Dockerfiles of the project: what lies
/// where CI systems look, beside the directories from `paths` up to `root`, and what a walk from the root finds that
/// honours `.gitignore` and ends after some thousand entries, the nearest to the root first. Empty where `paths` hold the
/// root.
#[must_use]
pub fn discover_around(root: &Path, paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    if paths.iter().any(|path| root.starts_with(path)) {
        return found;
    }
    let places: Vec<PathBuf> =
        PLACES.iter().map(|place| root.join(place)).filter(|place| place.is_dir()).collect();
    found.files = discover(root, &places).files;
    let above = paths.iter().flat_map(|path| path.ancestors().skip(1));
    let mut above: Vec<&Path> = above.filter(|above| above.starts_with(root)).collect();
    above.sort_unstable();
    above.dedup();
    for directory in above {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        found.files.extend(files.filter_map(|entry| file(root, &entry.path())));
    }
    walk(root, &mut found.files);
    found.files.retain(|file| !matches!(file.kind, FileKind::Config | FileKind::IgnoreFile));
    found.files.sort();
    found.files.dedup_by(|a, b| a.path == b.path);
    found
}

fn file(root: &Path, path: &Path) -> Option<FoundFile> {
    let path = relative(root, path);
    let kind = classify(&path)?;
    Some(FoundFile { path: path.into(), kind, explicit: false, is_regular: false })
}

/// The `.gitignore` files in force, innermost first.
#[derive(Clone, Default)]
struct Rules(Option<Arc<(Gitignore, Rules)>>);

impl Rules {
    fn ignores(&self, path: &Path, is_directory: bool) -> bool {
        let mut at = self;
        while let Rules(Some(link)) = at {
            let matched = link.0.matched(path, is_directory);
            if !matched.is_none() {
                return matched.is_ignore();
            }
            at = &link.1;
        }
        false
    }
}

/// From the root on, level by level.
fn walk(root: &Path, found: &mut Vec<FoundFile>) {
    let mut queue = VecDeque::from([(root.to_path_buf(), 0, Rules::default())]);
    let mut listed = 0;
    while let Some((directory, depth, above)) = queue.pop_front() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        listed += entries.len();
        let own = entries.iter().any(|entry| entry.file_name() == ".gitignore");
        let rules = if own {
            let (parsed, _) = Gitignore::new(directory.join(".gitignore"));
            Rules(Some(Arc::new((parsed, above))))
        } else {
            above
        };
        for entry in entries {
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                let enter = depth < MAX_DEPTH && !FOREIGN.contains(&&*name) && !rules.ignores(&path, true);
                if enter {
                    queue.push_back((path, depth + 1, rules.clone()));
                }
            } else if kind.is_file()
                && let Some(file) = file(root, &path)
                && !rules.ignores(&path, false)
            {
                found.push(file);
            }
        }
        if listed > MAX_LISTED {
            return;
        }
    }
}
