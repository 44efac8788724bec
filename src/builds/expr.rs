//! The expression language of GitHub workflows and Azure pipelines (`${{ … }}`): parsed, and evaluated as far as the files
//! tell. What they do not tell stays symbolic, with how often it changes.

mod functions;
mod parse;
mod value;

pub(super) use functions::json;
pub(super) use parse::{Scope, end, parse};
pub(super) use value::{Sym, Val, loose_eq, stand};
