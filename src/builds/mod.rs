//! Builds found in workflows, pipelines, bake, compose, scripts and recipes.

mod model;
pub mod yaml;

pub use model::*;
