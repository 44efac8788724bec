//! Builds found in workflows, pipelines, bake, compose, scripts and recipes.

pub mod cachespec;
pub mod ci;
mod files;
mod github;
mod model;
mod placed;
mod template;
mod value;
pub mod yaml;

pub use files::{Files, ReadError, join, parent};
pub use model::*;
pub use placed::Placed;
pub use value::{Arg, Var, Vars, command_volatility, name_volatility};
