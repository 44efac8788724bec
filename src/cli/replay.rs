//! `hitrate replay`.

use super::Exit;
use super::args::{BuilderKind, ReplayArgs};
use super::explain::width;
use super::output::Output;
use super::single::Single;
use crate::context::{DOCKERIGNORE, own_ignore_file};
use crate::engine::{self, Commit, Replay, ReplayRequest};
use crate::project::{self, git::Git};
use crate::report;
use anyhow::Context;

pub(super) fn run(args: &ReplayArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let directory = std::env::current_dir().context("the working directory cannot be found")?;
    let context = args.context.as_ref().map(|path| project::absolute(&directory, path));
    let Single { root, path, project } = Single::open(&directory, &args.dockerfile, context.clone())?;
    let git = Git::open(&root)?;
    let request = ReplayRequest {
        dockerfile: path.clone(),
        target: args.target.clone(),
        ephemeral: args.builder == BuilderKind::Ephemeral,
        cache_to: args.cache_to.clone(),
        cache_from: args.cache_from.clone(),
    };
    let mut replay = Replay::new(&project, &request)?;
    let below = |path: &str| project::relative(git.root(), &root.join(path));
    let dockerfile = below(&path);
    let directory = match &context {
        Some(context) => project::relative(git.root(), context),
        None => below(&engine::context_directory(&project, &path).unwrap_or_default()),
    };
    let directory = if directory == "." { String::new() } else { directory };
    let shared =
        if directory.is_empty() { DOCKERIGNORE.into() } else { format!("{directory}/{DOCKERIGNORE}") };
    let history = git.history(&args.rev, args.commits)?;
    for commit in &history {
        let own = git.read(commit, &own_ignore_file(&dockerfile))?;
        replay.build(&Commit {
            dockerfile: git.read(commit, &dockerfile)?,
            ignore: own.map_or_else(|| git.read(commit, &shared), |own| Ok(Some(own)))?,
            tree: git.tree(commit, &directory)?,
        });
    }
    let mut replayed = replay.finish();
    anyhow::ensure!(
        replayed.builds > 0,
        "{}: {} and its history have fewer than two commits with something to build",
        args.dockerfile,
        args.rev
    );
    replayed.dockerfile.clone_from(&args.dockerfile);
    report::write_replay(args.format, &replayed, out.color(), width(), out)?;
    Ok(Exit::Clean)
}
