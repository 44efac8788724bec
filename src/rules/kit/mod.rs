//! What rules are made of: what they are, what they see, where they report.

mod cx;
mod facts;
mod finding;
mod meta;
mod sink;
pub mod words;

pub use crate::fix::{Fix, Safety};
pub use crate::settings::Severity;
pub use cx::{BuildCx, DockerfileCx, ProjectCx};
pub use facts::Facts;
pub use finding::{Category, Cause, Finding, Place};
pub use meta::{Fixable, Meta, Rule, url};
pub use sink::{Draft, Sink};
