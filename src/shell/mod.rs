//! Commands out of shell text: RUN bodies, CI scripts, Make recipes.

mod ast;

pub use ast::*;
