//! Heredocs: which body belongs to which marker, and when a body is the script.

use super::Dialect;
use super::text::Builder;
use crate::dockerfile::Heredoc;
use crate::source::{Joined, Span};

/// The heredoc that is the whole command (`RUN <<EOF`): BuildKit runs its body (`dispatchRun`).
pub(super) fn sole<'h, 'a>(text: &Joined<'_>, heredocs: &'h [Heredoc<'a>]) -> Option<&'h Heredoc<'a>> {
    let [heredoc] = heredocs else { return None };
    let whole = text.text.trim();
    let start = text.text.len() - text.text.trim_start().len();
    let plain = whole.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("<<");
    (plain && heredoc.marker == text.span(start, start + whole.len())).then_some(heredoc)
}

/// The heredoc whose marker is at `marker`.
pub(super) fn at<'h, 'a>(heredocs: &'h [Heredoc<'a>], marker: Span) -> Option<&'h Heredoc<'a>> {
    let index = heredocs.partition_point(|heredoc| heredoc.marker.end <= marker.start);
    heredocs.get(index).filter(|heredoc| heredoc.marker.start < marker.end)
}

/// Who reads a script: the interpreter of its `#!` line, else the shell.
pub(super) fn interpreter(body: &str) -> Dialect {
    let Some(line) = body.strip_prefix("#!") else { return Dialect::Posix };
    Dialect::of_shell(line.lines().next().unwrap_or("").split_ascii_whitespace())
}

/// The body as the program reads it: tabs of `<<-` removed and, if `unescape`, the escapes of an unquoted heredoc.
pub(super) fn body<'a>(heredoc: &Heredoc<'a>, source: &'a str, unescape: bool) -> Joined<'a> {
    let whole = Joined::whole(source, heredoc.body);
    cooked(&whole, heredoc.chomp, unescape && heredoc.expand)
}

/// `whole` with leading tabs removed (`chomp`) and `\$`, `` \` ``, `\\` unescaped (`unescape`).
pub(super) fn cooked<'a>(whole: &Joined<'a>, chomp: bool, unescape: bool) -> Joined<'a> {
    let text: &str = &whole.text;
    if !(chomp && text.contains('\t') || unescape && text.contains('\\')) {
        return whole.clone();
    }
    let mut builder = Builder::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let tabs = if chomp { line.len() - line.trim_start_matches('\t').len() } else { 0 };
        let (mut from, end) = (at + tabs, at + line.len());
        if unescape {
            let mut next = from;
            while let Some(found) =
                text.as_bytes().get(next..end).and_then(|rest| memchr::memchr(b'\\', rest))
            {
                let slash = next + found;
                if matches!(text.as_bytes().get(slash + 1), Some(b'$' | b'`' | b'\\')) {
                    builder.copy(whole, from, slash);
                    from = slash + 1;
                }
                next = slash + 2;
            }
        }
        builder.copy(whole, from, end);
        at = end;
    }
    builder.finish().text
}
