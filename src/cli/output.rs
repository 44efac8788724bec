//! The standard output: buffered, and whether it takes colours.

use crate::report::Color;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

/// The standard output.
pub(super) struct Output {
    stream: BufWriter<StdoutLock<'static>>,
    color: bool,
}

impl Output {
    pub(super) fn new(color: Color) -> Self {
        let stdout = io::stdout();
        let (no_color, term) = (super::variable("NO_COLOR"), super::variable("TERM"));
        let color = color.wanted(stdout.is_terminal(), no_color.as_deref(), term.as_deref());
        Self { stream: BufWriter::with_capacity(1 << 16, stdout.lock()), color }
    }

    /// Whether colours may be used.
    pub(super) fn color(&self) -> bool {
        self.color
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
