//! What git knows, asked of the `git` program: trees with their blob ids, changes since a revision, old texts.
//!
//! Nothing here changes a repository, asks a question, or reaches the network (a partial clone that lacks an object
//! gives an error). Variables like `GIT_DIR` do not reach git.

use crate::context::{ContentId, DEFAULT_DIRECTORY_MODE, Entry, Tree};
use crate::source::MAX_FILE_BYTES;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why git did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// There is no program `git`.
    #[error("git is not installed")]
    NotInstalled,
    /// The directory is in no repository.
    #[error("not a git repository")]
    NoRepository,
    /// The name leads to no commit.
    #[error("git knows no revision {0:?}")]
    NoRevision(String),
    /// Anything else; git's own words.
    #[error("git {command}: {message}")]
    Failed {
        /// The subcommand.
        command: String,
        /// The first line that it wrote to stderr.
        message: String,
    },
}

/// A repository with a work tree.
#[derive(Clone, Debug)]
pub struct Git {
    root: PathBuf,
}

/// How a path differs between a revision and the work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// It is new, tracked or not.
    Added,
    /// It is gone.
    Deleted,
    /// Its bytes, mode or kind are others.
    Modified,
}

impl Git {
    /// The repository that holds `directory`.
    ///
    /// # Errors
    ///
    /// [`GitError`]; also for a bare repository.
    pub fn open(directory: &Path) -> Result<Self, GitError> {
        let output = run(directory, &["rev-parse", "--show-toplevel"], b"").map_err(|error| match error {
            GitError::Failed { .. } => GitError::NoRepository,
            other => other,
        })?;
        let root = String::from_utf8_lossy(&output);
        Ok(Self { root: PathBuf::from(root.trim_end_matches(['\n', '\r'])) })
    }

    /// The root of the work tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The full id of the commit that `revision` names.
    ///
    /// # Errors
    ///
    /// [`GitError::NoRevision`] where it names none.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        let unknown = || GitError::NoRevision(revision.to_owned());
        if revision.is_empty() || revision.starts_with('-') || revision.contains(['\n', '\0']) {
            return Err(unknown());
        }
        let name = format!("{revision}^{{commit}}");
        let output = match run(&self.root, &["rev-parse", "--verify", "--quiet", &name], b"") {
            Err(GitError::Failed { .. }) => return Err(unknown()),
            other => other?,
        };
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// The full ids of the newest `limit` commits that lead to `revision`, oldest first; of a merge only the first parent.
    ///
    /// # Errors
    ///
    /// [`GitError`].
    pub fn history(&self, revision: &str, limit: u32) -> Result<Vec<String>, GitError> {
        let commit = self.commit(revision)?;
        let limit = format!("--max-count={limit}");
        let output =
            run(&self.root, &["rev-list", "--first-parent", "--reverse", &limit, &commit, "--"], b"")?;
        Ok(String::from_utf8_lossy(&output).lines().map(str::to_owned).collect())
    }

    /// The files below `directory` (relative to the root, `""` for all) in the commit `revision`, as a checkout would
    /// have them: blob ids for contents, 0644 or 0755, directories 0755. A submodule is a directory whose content is
    /// its commit. Empty where the directory does not exist.
    ///
    /// # Errors
    ///
    /// [`GitError`].
    pub fn tree(&self, revision: &str, directory: &str) -> Result<Tree, GitError> {
        let commit = self.commit(revision)?;
        let mut args = vec!["ls-tree", "-r", "-z", "--full-tree", &commit];
        let below = format!("{directory}/");
        if !directory.is_empty() {
            args.extend(["--", &below]);
        }
        let output = run(&self.root, &args, b"")?;
        let mut tree = Tree::default();
        let mut links = Vec::new();
        for line in output.split(|byte| *byte == 0) {
            let line = String::from_utf8_lossy(line);
            let Some((meta, path)) = line.split_once('\t') else { continue };
            let path = if directory.is_empty() { path } else { path.strip_prefix(&below).unwrap_or(path) };
            let mut words = meta.split(' ');
            let (Some(mode), Some(_), Some(id)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let content = ContentId::of_git_blob(id);
            match mode {
                "120000" => links.push((path.to_owned(), id.to_owned())),
                "160000" => {
                    tree.insert(path, Entry::Directory { mode: DEFAULT_DIRECTORY_MODE });
                    tree.insert(&format!("{path}/.git"), Entry::file(content, false));
                }
                mode => {
                    tree.insert(path, Entry::file(content, mode == "100755"));
                }
            }
        }
        let ids: Vec<&str> = links.iter().map(|(_, id)| id.as_str()).collect();
        for ((path, _), target) in links.iter().zip(self.blobs(&ids)?) {
            let target = String::from_utf8_lossy(&target.unwrap_or_default()).into_owned();
            tree.insert(path, Entry::Symlink { target: target.into() });
        }
        Ok(tree)
    }

    /// What differs between the commit `revision` and the work tree, untracked files that no `.gitignore` names
    /// included; sorted by path, relative to the root. A moved file is one deleted and one added.
    ///
    /// # Errors
    ///
    /// [`GitError`].
    pub fn changes(&self, revision: &str) -> Result<Vec<(String, Difference)>, GitError> {
        let commit = self.commit(revision)?;
        let diff = ["diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let output = run(&self.root, &[&diff[..], &[&commit, "--"]].concat(), b"")?;
        let mut changes = Vec::new();
        let mut fields = output.split(|byte| *byte == 0);
        while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
            let difference = match status.first() {
                Some(b'A') => Difference::Added,
                Some(b'D') => Difference::Deleted,
                _ => Difference::Modified,
            };
            changes.push((String::from_utf8_lossy(path).into_owned(), difference));
        }
        let others = ["ls-files", "--others", "--exclude-standard", "-z", "--full-name"];
        for path in run(&self.root, &others, b"")?.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            changes.push((String::from_utf8_lossy(path).into_owned(), Difference::Added));
        }
        changes.sort();
        changes.dedup_by(|a, b| a.0 == b.0);
        Ok(changes)
    }

    /// The paths that each of the last `max` commits changed, merges left out, newest first.
    ///
    /// # Errors
    ///
    /// [`GitError`].
    pub fn changed_paths(&self, max: usize) -> Result<Vec<Vec<String>>, GitError> {
        let max = format!("--max-count={max}");
        let args = ["log", "--no-merges", "--no-renames", "--name-only", "-z", "--format=%x01", &max];
        let output = run(&self.root, &args, b"")?;
        let mut commits: Vec<Vec<String>> = Vec::new();
        for field in output.split(|byte| *byte == 0) {
            if field == [1] {
                commits.push(Vec::new());
                continue;
            }
            let path = field.strip_prefix(b"\n").unwrap_or(field);
            if let Some(commit) = commits.last_mut().filter(|_| !path.is_empty()) {
                commit.push(String::from_utf8_lossy(path).into_owned());
            }
        }
        Ok(commits)
    }

    /// The text of the file at `path` (relative to the root) in the commit `revision`; `None` where there is no such
    /// file.
    ///
    /// # Errors
    ///
    /// [`GitError`]; also for a file that is no text or too large.
    pub fn read(&self, revision: &str, path: &str) -> Result<Option<String>, GitError> {
        let commit = self.commit(revision)?;
        if path.contains('\n') {
            return Ok(None);
        }
        let Some(bytes) = self.blobs(&[&format!("{commit}:{path}")])?.into_iter().next().flatten() else {
            return Ok(None);
        };
        let failed = |message: &str| GitError::Failed { command: "cat-file".into(), message: message.into() };
        if bytes.len() > MAX_FILE_BYTES {
            return Err(failed("the file is too large"));
        }
        String::from_utf8(bytes).map(Some).map_err(|_| failed("the file is not UTF-8"))
    }

    /// The bytes of blobs by name; `None` for what is missing or no blob.
    fn blobs(&self, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>, GitError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let output = run(&self.root, &["cat-file", "--batch"], (names.join("\n") + "\n").as_bytes())?;
        let mut rest = output.as_slice();
        let mut blobs = Vec::with_capacity(names.len());
        for _ in names {
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            let (head, tail) = rest.split_at(end);
            let head = String::from_utf8_lossy(head);
            let mut words = head.rsplit(' ');
            let len = words.next().and_then(|len| len.parse::<usize>().ok());
            let kind = words.next();
            rest = tail.get(1..).unwrap_or_default();
            match len {
                Some(len) if matches!(kind, Some("blob" | "tree" | "commit" | "tag")) => {
                    let bytes = rest.get(..len).unwrap_or_default();
                    blobs.push((kind == Some("blob")).then(|| bytes.to_vec()));
                    rest = rest.get(len + 1..).unwrap_or_default();
                }
                _ => blobs.push(None),
            }
        }
        blobs.resize(names.len(), None);
        Ok(blobs)
    }
}

/// Runs git in `directory`, gives it `input`, and returns what it printed.
fn run(directory: &Path, args: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
    let failed = |message: String| GitError::Failed {
        command: args.first().copied().unwrap_or_default().to_owned(),
        message,
    };
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .current_dir(directory)
        .args(["--no-pager", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"])
        .args(["-c", "protocol.allow=never", "--literal-pathspecs"])
        .args(args)
        .envs([("LC_ALL", "C"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")])
        .envs([("GIT_NO_LAZY_FETCH", "1"), ("GIT_ASKPASS", "")])
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if directory.is_dir() => GitError::NotInstalled,
        std::io::ErrorKind::NotFound => GitError::NoRepository,
        _ => failed(error.to_string()),
    })?;
    // A thread of its own, for git may answer before it has read everything.
    let writer = child.stdin.take().map(|mut stdin| {
        let input = input.to_vec();
        // A git that ends early says why on stderr.
        std::thread::spawn(move || stdin.write_all(&input).is_ok())
    });
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let _ = writer.map(std::thread::JoinHandle::join);
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(failed(stderr.lines().next().unwrap_or("failed").trim_start_matches("fatal: ").to_owned()))
}
