//! `hitrate completions` and `hitrate man`: what packages install beside the program.

use super::Exit;
use super::args::{Cli, CompletionsArgs, ManArgs};
use super::output::Output;
use anyhow::Context;
use clap::CommandFactory;
use std::io::Write;

pub(super) fn completions(args: &CompletionsArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hitrate", &mut text);
    out.write_all(&text)?;
    Ok(Exit::Clean)
}

pub(super) fn man(args: &ManArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let mut command = Cli::command();
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => {
            let found = command.get_subcommands().find(|sub| sub.get_name() == name && !sub.is_hide_set());
            let page = found.with_context(|| format!("there is no command `{name}`"))?.clone();
            page.display_name(format!("hitrate-{name}")).version(env!("CARGO_PKG_VERSION"))
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    out.write_all(&text)?;
    Ok(Exit::Clean)
}
