//! The arguments of every subcommand.

use crate::report::{Color, ExplainFormat, Format, GraphFormat, PlanFormat};
use crate::settings::{Flags, Severity};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Which steps of a container build run again after a change, and why.
#[derive(Debug, Parser)]
#[command(name = "hitrate", version, styles = STYLES, max_term_width = 100)]
#[command(arg_required_else_help = true, subcommand_required = true, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Whether to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(super) color: Color,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Find Dockerfiles and builds, and report what costs them their cache
    Check(CheckArgs),
    /// Show which steps of a Dockerfile run again after a change, and why
    Explain(ExplainArgs),
    /// Draw the stages of a Dockerfile and what they take from each other
    Graph(GraphArgs),
    /// Show what each build's cache settings hold, and better ones to paste
    Plan(PlanArgs),
    /// Build the repository's history in the model: how often each step was cached
    Replay(ReplayArgs),
    /// Show a rule's documentation, or list the rules
    Rule(RuleArgs),
    /// Serve an editor: the language server, on the standard input and output
    Lsp(LspArgs),
    /// Write the completions of a shell
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Write the manual page, or that of a command
    #[command(hide = true)]
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Files, or directories to look below; `-` reads one Dockerfile from the standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// Apply the fixes that leave the image's contents as they are
    #[arg(long, help_heading = "Fixes", conflicts_with = "changed_since")]
    pub(super) fix: bool,
    /// Apply the other fixes too; look at what they did
    #[arg(long, help_heading = "Fixes", conflicts_with = "changed_since")]
    pub(super) unsafe_fixes: bool,
    /// Print what the fixes would change as a patch, and write nothing
    #[arg(long, help_heading = "Fixes", conflicts_with = "changed_since")]
    pub(super) diff: bool,
    /// How to write the findings
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: Format,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY", help_heading = "Output")]
    pub(super) fail_on: FailOn,
    /// Count the findings of each rule instead of showing them
    #[arg(long, help_heading = "Output")]
    pub(super) statistics: bool,
    /// The path of the Dockerfile that the standard input holds
    #[arg(long, value_name = "PATH")]
    pub(super) stdin_filename: Option<String>,
    #[command(flatten)]
    pub(super) rules: RuleFlags,
    /// Use this configuration file and no other
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    pub(super) config: Option<String>,
    /// Leave out the findings that this file knows
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    pub(super) baseline: Option<String>,
    /// Write the findings into the baseline file instead of reporting them
    #[arg(long, requires = "baseline", help_heading = "Selection")]
    #[arg(conflicts_with_all = ["fix", "unsafe_fixes", "diff", "changed_since"])]
    pub(super) write_baseline: bool,
    /// Only findings with a place or a cause in a line that differs from this git revision
    #[arg(long, value_name = "REV", help_heading = "Selection")]
    pub(super) changed_since: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// Files, or directories to look below
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// Write the settings into the files, where that can be done unseen
    #[arg(long, help_heading = "Fixes")]
    pub(super) fix: bool,
    /// Print what would be written as a patch, and write nothing
    #[arg(long, help_heading = "Fixes")]
    pub(super) diff: bool,
    /// How to write the plans
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: PlanFormat,
    /// Use this configuration file and no other
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    pub(super) config: Option<String>,
}

/// Which rules run.
#[derive(Debug, Args)]
pub(super) struct RuleFlags {
    /// Run only these rules: names, categories, or `all`
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Selection")]
    pub(super) select: Vec<String>,
    /// Do not run these rules: names or categories
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Selection")]
    pub(super) ignore: Vec<String>,
}

impl RuleFlags {
    /// As the last layer of the settings.
    pub(super) fn layer(&self) -> Flags {
        let select = (!self.select.is_empty()).then(|| self.select.clone());
        Flags { select, ignore: self.ignore.clone(), severity: Vec::new() }
    }
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Error,
    #[default]
    Warning,
    Info,
    Never,
}

impl FailOn {
    /// Whether findings up to `worst` make the run fail.
    pub(super) fn fails(self, worst: Option<Severity>) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Info => Severity::Info,
            Self::Never => return false,
        };
        worst.is_some_and(|worst| worst >= least)
    }
}

#[derive(Debug, Args)]
pub(super) struct LspArgs {
    /// What some editors say; there is no other way
    #[arg(long, hide = true)]
    pub(super) stdio: bool,
}

#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    /// The Dockerfile, or the directory that it is in
    #[arg(default_value = "Dockerfile")]
    pub(super) dockerfile: String,
    /// The stage that is built; without it, the last one
    #[arg(long, value_name = "STAGE")]
    pub(super) target: Option<String>,
    /// How to write the graph
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: GraphFormat,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The Dockerfile, or the directory that it is in
    #[arg(default_value = "Dockerfile")]
    pub(super) dockerfile: String,
    /// The build context; without it, the directory of the Dockerfile or one above it that has what is copied
    #[arg(long, value_name = "DIR")]
    pub(super) context: Option<String>,
    /// How many commits are built, the newest ones; of merges, only the line that they were merged into
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(2..))]
    pub(super) commits: u32,
    /// The git revision that the history leads to
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub(super) rev: String,
    /// The stage that is built; without it, the last one
    #[arg(long, value_name = "STAGE", help_heading = "The build")]
    pub(super) target: Option<String>,
    /// Whether the builder keeps its cache from one build to the next
    #[arg(long, value_enum, default_value_t, help_heading = "The build")]
    pub(super) builder: BuilderKind,
    /// What every build exports, as for docker buildx build; repeatable
    #[arg(long, value_name = "SPEC", help_heading = "The build")]
    pub(super) cache_to: Vec<String>,
    /// What every build imports, as for docker buildx build; repeatable
    #[arg(long, value_name = "SPEC", help_heading = "The build")]
    pub(super) cache_from: Vec<String>,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: ExplainFormat,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command; without it, the page of hitrate
    pub(super) command: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RuleArgs {
    /// The rule; without it, all rules are listed
    pub(super) name: Option<String>,
}

/// Whether a builder's cache outlives the build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum BuilderKind {
    /// It keeps its cache: a developer's machine, a runner of your own
    #[default]
    Persistent,
    /// It starts empty and has only what is imported: a hosted runner
    Ephemeral,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The Dockerfile, or the directory that it is in [default: Dockerfile]
    pub(super) dockerfile: Option<String>,
    /// The build context; without it, that of the builds found in the repository (CI, bake, Compose, scripts), else the
    /// directory of the Dockerfile or one above it that has what is copied
    #[arg(long, value_name = "DIR")]
    pub(super) context: Option<String>,
    /// A file of the context is edited; a path or a glob, relative to the context or to where you are; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Changes")]
    pub(super) edit: Vec<String>,
    /// A build arg gets another value; repeatable
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "Changes")]
    pub(super) build_arg: Vec<String>,
    /// The base image is another one; without a value, all of them
    #[arg(long, value_name = "IMAGE", num_args = 0..=1, help_heading = "Changes")]
    pub(super) base: Option<Option<String>>,
    /// What is downloaded by ADD is something else; without a value, all of it
    #[arg(long, value_name = "URL", num_args = 0..=1, help_heading = "Changes")]
    pub(super) remote: Option<Option<String>>,
    /// The cache mounts are emptied
    #[arg(long, help_heading = "Changes")]
    pub(super) prune_mounts: bool,
    /// Everything that changed since this git revision, the Dockerfile included
    #[arg(long, value_name = "REV", help_heading = "Changes")]
    pub(super) from_git: Option<String>,
    /// The stage that is built; without it, the one that those builds ask for, else the last one
    #[arg(long, value_name = "STAGE", help_heading = "The build")]
    pub(super) target: Option<String>,
    /// Whether the builder that builds after the change still has its cache
    #[arg(long, value_enum, default_value_t, help_heading = "The build")]
    pub(super) builder: BuilderKind,
    /// What the build before exported, as for docker buildx build; repeatable
    #[arg(long, value_name = "SPEC", help_heading = "The build")]
    pub(super) cache_to: Vec<String>,
    /// What the build after imports, as for docker buildx build; repeatable
    #[arg(long, value_name = "SPEC", help_heading = "The build")]
    pub(super) cache_from: Vec<String>,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: ExplainFormat,
}
