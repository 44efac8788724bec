//! Configuration: `hitrate.toml`, its layers and schema, which rules run with which severity, and suppressions.

mod error;
mod file;
mod schema;
mod scope;
mod select;
mod severity;
mod size;
mod suppress;

pub use error::ConfigError;
pub use file::{BuilderSettings, ConfigFile, FILE_NAME, Level, OrderSettings, Override, RuleSettings};
pub use schema::schema;
pub use scope::{Globs, Scope, Settings};
pub use select::{Flags, Selection};
pub use severity::Severity;
pub use size::Size;
pub use suppress::{NamedRule, Reach, Suppression};
