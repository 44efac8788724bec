//! The files of `rules/tools`. A test compares the list with the directory.

/// Texts of the built-in tools, by file name without `.toml`.
pub(super) const FILES: &[(&str, &str)] = &include!("../../rules/tools/files.in");
