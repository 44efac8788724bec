//! The Dockerfile front end: a lossless, total parser with typed views that borrow from the source.

mod ast;

pub use ast::*;
