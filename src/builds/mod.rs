//! Builds found in workflows, pipelines, bake, compose, scripts and recipes.

mod model;

pub use model::*;
