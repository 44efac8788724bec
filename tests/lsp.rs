//! The language server, driven as an editor drives it: the real program, over its standard input and output.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "lsp/actions.rs"]
mod actions;
#[path = "lsp/complete.rs"]
mod complete;
#[path = "lsp/diagnostics.rs"]
mod diagnostics;
#[path = "lsp/editor.rs"]
mod editor;
#[path = "lsp/hover.rs"]
mod hover;
#[path = "lsp/lens.rs"]
mod lens;
#[path = "lsp/lifecycle.rs"]
mod lifecycle;
#[path = "lsp/navigate.rs"]
mod navigate;
#[allow(dead_code)] // the test of the pages uses the rest
#[path = "rules/page.rs"]
mod page;
#[path = "lsp/parity.rs"]
mod parity;
#[path = "lsp/shop.rs"]
mod shop;
#[path = "lsp/soak.rs"]
mod soak;
#[path = "lsp/sync.rs"]
mod sync;
#[path = "lsp/watch.rs"]
mod watch;
