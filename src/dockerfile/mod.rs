//! The Dockerfile front end: a lossless, total parser with typed views that borrow from the source.
//!
//! [`parse`] reads any text in one pass and in linear time. What BuildKit would refuse becomes an
//! [`ItemKind::Error`] item or a [`Problem`] of the instruction that has it, and the rest of the file is still read.
//! The grammar is that of BuildKit's `frontend/dockerfile/parser` and `frontend/dockerfile/instructions`; where this
//! front end differs on purpose, the function that does says so.

mod ast;
mod directives;
pub mod expand;
mod flags;
pub mod heredoc;
mod instruction;
mod json;
mod kinds;
mod mount;
mod parse;
mod suggest;
mod words;

pub use ast::*;
pub use parse::parse;
