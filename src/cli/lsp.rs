//! `hitrate lsp`.

use super::Exit;
use crate::lsp::{self, Ended};

pub(super) fn run() -> Exit {
    match lsp::serve_stdio() {
        Ended::Orderly => Exit::Clean,
        Ended::Abandoned => Exit::Failed,
    }
}
