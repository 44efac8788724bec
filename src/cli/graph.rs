//! `hitrate graph`.

use super::Exit;
use super::args::GraphArgs;
use super::output::Output;
use super::single::Single;
use crate::{engine, report};
use anyhow::Context;

pub(super) fn run(args: &GraphArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let directory = std::env::current_dir().context("the working directory cannot be found")?;
    let Single { path, project, .. } = Single::open(&directory, &args.dockerfile, None)?;
    let mut graph = engine::stage_graph(&project, &path, args.target.as_deref())?;
    graph.dockerfile.clone_from(&args.dockerfile);
    report::write_graph(args.format, &graph, out)?;
    Ok(Exit::Clean)
}
