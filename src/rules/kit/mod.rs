//! What rules are made of: what they are, what they see, where they report.

pub mod builders;
mod cx;
pub mod daemons;
mod facts;
mod finding;
pub(super) mod lost_stage;
pub mod manifests;
mod meta;
pub mod mounting;
pub mod places;
pub mod refs;
pub mod scope;
mod sink;
pub mod system;
pub mod typical;
mod uses;
pub mod versions;
pub mod volatile;
pub mod words;
pub mod work;

/// How many questions a rule asks the model about one file. Each costs time in proportion to the file, and no file that
/// people write needs more; in one that does, the rest is not looked at.
pub const MAX_QUESTIONS: usize = 24;

pub use crate::fix::{Fix, Safety};
pub use crate::settings::Severity;
pub use cx::{Around, BuildCx, DockerfileCx, ProjectCx};
pub use facts::Facts;
pub use finding::{Category, Cause, Finding, Place};
pub use meta::{Fixable, Meta, Rule, url};
pub use sink::{Draft, Sink};
pub use uses::{RunUses, ToolUse};
