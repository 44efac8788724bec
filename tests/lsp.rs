//! The language server, driven in process as an editor drives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "lsp/actions.rs"]
mod actions;
#[path = "lsp/diagnostics.rs"]
mod diagnostics;
#[path = "lsp/editor.rs"]
mod editor;
#[path = "lsp/lifecycle.rs"]
mod lifecycle;
#[path = "lsp/sync.rs"]
mod sync;
#[path = "lsp/watch.rs"]
mod watch;
