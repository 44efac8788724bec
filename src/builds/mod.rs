//! Builds found in workflows, pipelines, bake, compose, scripts and recipes.

pub mod bake;
pub mod cachespec;
pub mod ci;
pub mod command;
pub mod compose;
mod files;
mod github;
mod gitlab;
pub mod json;
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
