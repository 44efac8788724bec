//! The command line: arguments, one file per subcommand, exit codes.

mod args;
mod baseline;
mod check;
mod explain;
mod fixing;
mod graph;
mod lsp;
mod output;
mod plan;
mod replay;
mod rule;
mod shell;
mod single;
mod workspace;

use crate::report::Color;
use args::{Cli, Command, LspArgs};
use clap::Parser;
use clap::error::ErrorKind;
use output::Output;
use std::io::Write;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Nothing found at or above `--fail-on`.
    Clean = 0,
    /// Something found.
    Findings = 1,
    /// The command could not do its job; the standard error says why.
    Failed = 2,
}

/// Runs the program.
pub fn main() -> ExitCode {
    crate::engine::silence_guarded_panics();
    let exit = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> Exit {
    if let Command::Lsp(LspArgs { stdio: _ }) = &cli.command {
        // Before anything holds the standard output.
        return lsp::run();
    }
    let mut out = Output::new(cli.color);
    let result = match cli.command {
        Command::Lsp(_) => Ok(Exit::Clean),
        Command::Check(args) => check::run(&args, &mut out),
        Command::Explain(args) => explain::run(&args, &mut out),
        Command::Graph(args) => graph::run(&args, &mut out),
        Command::Plan(args) => plan::run(&args, &mut out),
        Command::Replay(args) => replay::run(&args, &mut out),
        Command::Rule(args) => rule::run(&args, &mut out),
        Command::Completions(args) => shell::completions(&args, &mut out),
        Command::Man(args) => shell::man(&args, &mut out),
    };
    let result = result.and_then(|exit| out.flush().map(|()| exit).map_err(anyhow::Error::from));
    match result {
        Ok(exit) => exit,
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => Exit::Clean,
        Err(error) => {
            complain(&format!("{error:#}"));
            Exit::Failed
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    kind.map(std::io::Error::kind).any(|kind| kind == std::io::ErrorKind::BrokenPipe)
}

/// Help and version go to the standard output; what is wrong with the arguments is one line on the standard error.
fn usage(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let mut out = Output::new(Color::Auto);
            let text = error.render();
            // Nobody to tell when this fails.
            let _ = match out.color() {
                true => write!(out, "{}", text.ansi()),
                false => write!(out, "{text}"),
            };
            let _ = out.flush();
            Exit::Clean
        }
        _ => {
            let text = error.render().to_string();
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or("wrong arguments");
            // The arguments that are missing, or the nearest name, stand in the second line.
            let second =
                lines.next().filter(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
            let detail = second.map(|line| format!(" {line}")).unwrap_or_default();
            complain(&format!("{}{detail}", first.trim_start_matches("error: ")));
            Exit::Failed
        }
    }
}

/// One line on the standard error.
fn complain(message: &str) {
    let line = message.replace('\n', " ");
    // Nobody to tell when this fails.
    let _ = writeln!(std::io::stderr().lock(), "hitrate: {line}");
}

/// An environment variable.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
