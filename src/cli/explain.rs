//! `hitrate explain`.

use super::Exit;
use super::args::{BuilderKind, ExplainArgs};
use super::output::Output;
use super::single::Single;
use crate::context::{DOCKERIGNORE, own_ignore_file};
use crate::engine::{self, EditedPath, ExplainRequest, Since};
use crate::project::git::{Difference, Git};
use crate::project::{self, Project};
use crate::report;
use anyhow::Context;
use std::path::Path;

pub(super) fn run(args: &ExplainArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let directory = std::env::current_dir().context("the working directory cannot be found")?;
    let (named, base) = match (&args.dockerfile, args.base.clone()) {
        // `--base Dockerfile` and `--base .` mean the file: an image's name is no path of a file that is there.
        (None, Some(Some(path))) if is_path(&project::absolute(&directory, &path), &path) => {
            (path, Some(None))
        }
        (named, base) => (named.clone().unwrap_or_else(|| "Dockerfile".to_owned()), base),
    };
    let context = args.context.as_ref().map(|path| project::absolute(&directory, path));
    let Single { root, path, project } = Single::open(&directory, &named, context.clone())?;
    let since = args
        .from_git
        .as_deref()
        .map(|revision| since(&root, &path, context.as_deref(), revision, &project))
        .transpose()?;
    let request = ExplainRequest {
        dockerfile: path,
        context: context.map(|path| project::relative(&root, &path)),
        edits: args.edit.iter().map(|path| edited(&root, &directory, path)).collect(),
        args: args.build_arg.iter().map(|arg| name_and_value(arg)).collect(),
        base,
        remote: args.remote.clone(),
        prune_mounts: args.prune_mounts,
        since,
        target: args.target.clone(),
        ephemeral: args.builder == BuilderKind::Ephemeral,
        cache_to: args.cache_to.clone(),
        cache_from: args.cache_from.clone(),
    };
    let mut explanation = engine::explain(&project, &request)?;
    explanation.dockerfile = named;
    report::write_explanation(args.format, &explanation, out.color(), width(), out)?;
    Ok(Exit::Clean)
}

fn is_path(there: &Path, given: &str) -> bool {
    there.is_file() || given.starts_with(['.', '/']) && there.exists()
}

fn edited(root: &Path, directory: &Path, path: &str) -> EditedPath {
    let from_here = project::relative(root, &project::absolute(directory, path));
    EditedPath { given: path.to_owned(), from_here }
}

fn name_and_value(arg: &str) -> (String, Option<String>) {
    match arg.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (arg.to_owned(), None),
    }
}

/// What changed since a revision, relative to the context.
fn since(
    root: &Path,
    dockerfile: &str,
    context: Option<&Path>,
    revision: &str,
    project: &Project,
) -> anyhow::Result<Since> {
    let git = Git::open(root).with_context(|| format!("--from-git {revision}"))?;
    let at = |error| anyhow::Error::from(error).context(format!("--from-git {revision}"));
    let below = |path: &str| project::relative(git.root(), &root.join(path));
    let mut since = Since {
        revision: revision.to_owned(),
        dockerfile: git.read(revision, &below(dockerfile)).map_err(at)?,
        ..Since::default()
    };
    let directory = match context {
        Some(context) => project::relative(git.root(), context),
        None => below(&engine::context_directory(project, dockerfile).unwrap_or_default()),
    };
    let shared = match directory.as_str() {
        "" | "." => DOCKERIGNORE.to_owned(),
        directory => format!("{directory}/{DOCKERIGNORE}"),
    };
    for path in [own_ignore_file(&below(dockerfile)), shared] {
        since.ignore = git.read(revision, &path).map_err(at)?;
        if since.ignore.is_some() {
            break;
        }
    }
    for (path, difference) in git.changes(revision).map_err(at)? {
        let inside = match directory.as_str() {
            "" | "." => Some(path.as_str()),
            directory => path.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(inside) = inside else { continue };
        let list = match difference {
            Difference::Added => &mut since.added,
            Difference::Deleted => &mut since.deleted,
            Difference::Modified => &mut since.modified,
        };
        list.push(inside.to_owned());
    }
    Ok(since)
}

/// Columns of the terminal; the usual 100 where nothing tells.
pub(super) fn width() -> usize {
    super::variable("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(100)
}
