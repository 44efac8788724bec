//! Heredocs: their markers in a line (`parser/parser.go`, `heredocsFromLine`) and what BuildKit makes of their bodies.

use super::expand::{self, ExpandError, Options};
use super::{Command, Heredoc, Instruction, Kind};
use std::borrow::Cow;
use std::ops::Range;

/// A heredoc's marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Delimiter without quotes and escapes.
    pub name: String,
    /// No part of the delimiter is quoted: variables in the body are expanded.
    pub expand: bool,
    /// `<<-`: leading tabs of the body's lines are removed.
    pub chomp: bool,
    /// File descriptor before `<<`.
    pub descriptor: Option<u32>,
}

/// What a RUN with heredocs runs (`dockerfile2llb/convert.go`, `dispatchRun`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script<'a> {
    /// The text for the shell.
    Shell(Cow<'a, str>),
    /// A file that is run as it is, because it begins with `#!` (not on Windows, where it is text for the shell).
    File {
        /// The file's name: the delimiter.
        name: &'a str,
        /// Its content.
        content: Cow<'a, str>,
    },
}

/// Reads `word` as a heredoc marker: `^(\d*)<<(-?)\s*([^<]*)$` with a delimiter that is one word.
///
/// # Errors
/// Where the delimiter cannot be read, for instance because a quote is missing.
pub fn marker(word: &str) -> Result<Option<Marker>, ExpandError> {
    if !matches!(word.as_bytes().first(), Some(b'0'..=b'9' | b'<')) {
        return Ok(None);
    }
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = word.split_at_checked(digits).unwrap_or(("", word));
    let Some(rest) = rest.strip_prefix("<<") else { return Ok(None) };
    let chomp = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let rest = rest.trim_start_matches(['\t', '\n', '\x0C', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    // The delimiter is quoted if removing quotes removes any (the escape is always a backslash here).
    let options = Options { skip_unset: true, ..Options::new('\\') };
    let mut words = expand::split(rest, options, &|_| None)?.into_iter();
    let (Some((name, _)), None) = (words.next(), words.next()) else { return Ok(None) };
    let raw = expand::split(rest, Options { raw_quotes: true, ..options }, &|_| None)?;
    let quotes = |text: &str| text.bytes().filter(|byte| matches!(byte, b'\'' | b'"')).count();
    let expand = raw.first().is_some_and(|(raw, _)| quotes(raw) == quotes(&name));
    let descriptor = (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX));
    Ok(Some(Marker { name, expand, chomp, descriptor }))
}

/// The markers of a joined line, keyword included, with their bytes. A line with an unbalanced quote has none.
pub(super) fn markers(line: &str) -> Result<Vec<(Marker, Range<usize>)>, ExpandError> {
    markers_from(line, first_marker(line))
}

fn markers_from(line: &str, from: usize) -> Result<Vec<(Marker, Range<usize>)>, ExpandError> {
    let options = Options { raw_quotes: true, raw_escapes: true, skip_unset: true, ..Options::new('\\') };
    let mut markers = Vec::new();
    for (word, range) in expand::split(line.get(from..).unwrap_or(""), options, &|_| None).unwrap_or_default()
    {
        if let Some(marker) = marker(&word)? {
            markers.push((marker, from + range.start..from + range.end));
        }
    }
    Ok(markers)
}

/// Where the word of the first `<<` begins; the line's start where what stands before it has quotes, escapes or variables,
/// which may go on in that word.
fn first_marker(line: &str) -> usize {
    let bytes = line.as_bytes();
    let Some(first) = memchr::memmem::find(bytes, b"<<") else { return line.len() };
    let before = bytes.get(..first).unwrap_or(&[]);
    let start =
        before.iter().rposition(|byte| matches!(byte, b'\t'..=b'\r' | b' ')).map_or(0, |blank| blank + 1);
    let is_plain = |byte: &u8| byte.is_ascii() && !matches!(byte, b'\'' | b'"' | b'\\' | b'$');
    if before.iter().take(start).all(is_plain) { start } else { 0 }
}

/// The body of `heredoc` in `source` as BuildKit hands it on: the lines as written (CRLF kept), without leading tabs
/// for `<<-`. Variables are not expanded; see [`expand_body`].
#[must_use]
pub fn content<'a>(source: &'a str, heredoc: &Heredoc<'_>) -> Cow<'a, str> {
    let body = heredoc.body.of(source);
    if !heredoc.chomp || memchr::memchr(b'\t', body.as_bytes()).is_none() {
        return Cow::Borrowed(body);
    }
    Cow::Owned(body.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect())
}

/// Expands the content of a COPY or ADD heredoc whose [`Heredoc::expand`] is set. Quotes in it are text, and `\` escapes
/// whatever the file's escape character is. RUN heredocs are not expanded by BuildKit.
///
/// # Errors
/// As [`expand::word()`].
pub fn expand_body<'r, 'e>(
    content: &'r str,
    env: &dyn Fn(&str) -> Option<Cow<'e, str>>,
) -> Result<expand::Expanded<'r>, ExpandError> {
    expand::evaluate(content, Options::heredoc(), env)
}

/// What a RUN that has heredocs runs; `None` for every other instruction. A RUN whose whole text is one marker runs the
/// body itself; for any other the shell gets the text with the bodies below it, as written.
#[must_use]
pub fn script<'s>(source: &'s str, instruction: &'s Instruction<'_>) -> Option<Script<'s>> {
    let Kind::Run(run) = &instruction.kind else { return None };
    let (Command::Shell(text), Some(first)) = (&run.command, instruction.heredocs.first()) else {
        return None;
    };
    if matches!(marker(&text.text), Ok(Some(_))) {
        let content = content(source, first);
        return Some(if content.starts_with("#!") {
            Script::File { name: &first.name, content }
        } else {
            Script::Shell(content)
        });
    }
    let mut script = text.text.to_string();
    for heredoc in &instruction.heredocs {
        script.push('\n');
        script.push_str(heredoc.body.of(source));
        script.push_str(&heredoc.name);
    }
    Some(Script::Shell(Cow::Owned(script)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_first_marker_changes_nothing_where_it_is_skipped() {
        for line in [
            "RUN <<EOF",
            "RUN --mount=type=cache,target=/a  <<-\"A B\" cat 3<<'C' > /x",
            "COPY --chmod=755\t<<a <<b /dest/",
            "RUN echo 'a <<b' <<c",
            "RUN echo \"x <<b\" <<c",
            "RUN echo 'a <<b",
            "RUN a\\ <<b",
            "RUN $x<<b ${y:-<<c} <<d",
            "RUN \u{a0}<<b",
            "RUN é <<b",
            "RUN x<<b y",
            "RUN 1<2 <<",
            "RUN nothing",
            "<<x",
        ] {
            assert_eq!(markers(line), markers_from(line, 0), "{line}");
        }
        assert_eq!(first_marker("RUN a b <<c"), 8);
        assert_eq!(first_marker("RUN 'a' b <<c"), 0);
    }
}
