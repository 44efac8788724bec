//! Builds found in workflows, pipelines, bake, compose, scripts and recipes.

mod azure;
pub mod bake;
mod bitbucket;
mod buildkite;
pub mod cachespec;
pub mod ci;
mod circleci;
mod cloudbuild;
pub mod command;
pub mod compose;
mod drone;
mod expr;
mod files;
mod github;
mod gitlab;
mod jenkins;
pub mod json;
mod lines;
mod merge;
mod model;
mod placed;
mod read;
pub mod shell;
mod started;
mod template;
mod value;
pub mod yaml;

pub use files::{Files, ReadError, join, parent};
pub use model::*;
pub use placed::Placed;
pub use read::read;
pub use value::{Arg, Var, Vars, command_volatility, name_volatility};
