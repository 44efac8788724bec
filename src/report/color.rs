//! Whether to use colours, and the few that are used.

use std::borrow::Cow;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether to use colours, given whether the output is a terminal, and the variables `NO_COLOR` and `TERM`.
    #[must_use]
    pub fn wanted(self, terminal: bool, no_color: Option<&str>, term: Option<&str>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // An empty NO_COLOR does not count (no-color.org).
            Self::Auto => terminal && no_color.is_none_or(str::is_empty) && term != Some("dumb"),
        }
    }
}

/// `text` in an ANSI style, or as it is.
pub(super) fn paint(color: bool, style: &str, text: &str) -> String {
    if color { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// `text` in one line without control characters: file contents reach the terminal through messages, and an escape
/// sequence in them must not.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let clean = |c: char| match c {
        '\n' | '\t' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().filter(|c| *c != '\r').map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_and_no_veto() {
        assert!(Color::Auto.wanted(true, None, Some("xterm")));
        assert!(Color::Auto.wanted(true, Some(""), None));
        assert!(!Color::Auto.wanted(true, Some("1"), None));
        assert!(!Color::Auto.wanted(true, None, Some("dumb")));
        assert!(!Color::Auto.wanted(false, None, None));
        assert!(Color::Always.wanted(false, Some("1"), None));
        assert!(!Color::Never.wanted(true, None, None));
    }

    #[test]
    fn escape_sequences_do_not_pass() {
        assert_eq!(plain("a\u{1b}[31mb\r\nc"), "a\u{fffd}[31mb c");
    }
}
