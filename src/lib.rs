//! hitrate answers one question about a container build: *after this change, which steps run again, and why?*
//!
//! The data goes one way, and a module imports only what stands to its left:
//!
//! ```text
//! source ► dockerfile ► shell, tools, context, builds ► graph ► cache ► fix ► rules, plan ► engine ► report, cli, lsp
//! ```
//!
//! Invariants, each held by a test: parsing never fails and its pieces concatenate to the source; the engine is
//! pure and deterministic; only [`project`] touches the disk; only [`report`] knows output formats; every claim
//! about caching comes from [`cache`].

pub mod builds;
pub mod cache;
pub mod cli;
pub mod context;
pub mod dockerfile;
pub mod engine;
pub mod fix;
pub mod graph;
pub mod lsp;
pub mod plan;
pub mod project;
pub mod report;
pub mod rules;
pub mod settings;
pub mod shell;
pub mod source;
pub mod tools;
pub mod workspace;
