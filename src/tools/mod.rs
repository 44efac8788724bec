//! Package managers and build tools as data: what a command downloads or compiles, what it reads, where it caches here,
//! what defeats the cache, and what a mount needs beside it. Everything about a tool is in `rules/tools/NAME.toml`;
//! the code knows only the language in which those files are written (`rules/tools/README.md`).

mod arguments;
mod builtin;
mod caches;
mod catalog;
mod clearing;
mod condition;
mod defeats;
mod environment;
mod guards;
mod images;
mod memory;
mod model;
mod package_json;
mod path;
mod phrase;
mod recognise;
mod requirements;
mod runner;
mod scripts;
mod targets;

pub use caches::CacheDir;
pub use catalog::{Catalog, CatalogError};
pub use clearing::{Clearing, Hit, Removal, removals};
pub use defeats::{Defeat, Missing};
pub use environment::{Environment, File, Files, User, Variable, Variables};
pub use images::BaseImage;
pub use memory::Memory;
pub use model::*;
pub use path::{is_same, is_within, normalize};
pub use phrase::Phrase;
pub use recognise::{Candidates, Use};
pub use scripts::Inner;
pub use targets::breaking_target;
