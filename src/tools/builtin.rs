//! The tools of `rules/tools`, as `build.rs` prepares them.

/// An executable's program (a glob or not), the number of its tool in [`TOOLS`], the whole executable and how many words
/// it has.
pub(super) type Executable = (&'static str, usize, &'static str, usize);

/// Names of the built-in tools and what they are, as JSON; sorted by name.
pub(super) const TOOLS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tools.in"));

/// The executables of all tools that have no glob in their program, sorted by program, then tool.
pub(super) const EXECUTABLES: &[Executable] = include!(concat!(env!("OUT_DIR"), "/executables.in"));

/// Those that have one.
pub(super) const GLOBS: &[Executable] = include!(concat!(env!("OUT_DIR"), "/globs.in"));
