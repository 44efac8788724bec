//! The language server: what the command line says, under the cursor. It speaks the protocol and knows nothing of its
//! own: findings come from [`crate::engine`], what is said of caching from [`crate::cache`].
//!
//! One loop takes one event after the other (`server.rs`). It never waits for the disk: a folder is read and analyzed on a
//! thread of its own, and taken when it is there (`folder.rs`). After a keystroke only the Dockerfile concerned is looked
//! at again.

mod actions;
mod capabilities;
mod client;
mod complete;
mod configuration;
mod convert;
mod diagnostics;
mod dispatch;
mod document;
mod folder;
mod hover;
mod lens;
mod names;
mod navigate;
mod options;
mod pull;
mod push;
mod server;
mod specs;
mod symbols;
#[cfg(test)]
mod tests;
mod uri;
mod watch;

pub use server::{Ended, serve, serve_stdio};
