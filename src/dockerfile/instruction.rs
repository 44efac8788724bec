//! One logical line to an instruction: keyword, flags, arguments (`parser/parser.go`, `newNodeFromLine`).

use super::words::cut;
use super::{Instruction, Keyword, Problem, flags, kinds, mount, suggest};
use crate::source::{Joined, Span};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// What every part of an instruction is read with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The file's text.
    pub(super) source: &'a str,
    /// The escape character in force.
    pub(super) escape: char,
}

/// `range` of `text` without outer blanks.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or("");
    let start = range.start + part.len() - super::parse::trim_start(part).len();
    let end = start + super::parse::trim_end(part.get(start - range.start..).unwrap_or("")).len();
    start..end
}

/// An instruction that was read.
pub(super) struct Read<'a> {
    pub(super) instruction: Box<Instruction<'a>>,
    /// What BuildKit's line parser refuses in it. That stops it even where the instruction is held by an ONBUILD, which
    /// it looks at no further.
    pub(super) by_parser: Option<Problem>,
    /// The line, if there may be heredoc markers in it: of ADD, COPY and RUN that are no JSON, and ONBUILD of them.
    pub(super) announced: Option<Joined<'a>>,
}

/// Reads an instruction. An unknown keyword is the only thing that gives none. `trigger`: it is held by an ONBUILD.
pub(super) fn read<'a>(context: Context<'a>, line: Joined<'a>, trigger: bool) -> Result<Read<'a>, Problem> {
    let whole = trimmed(&line.text, 0..line.text.len());
    let text = line.text.get(..whole.end).unwrap_or("");
    let (keyword_end, rest) = cut(text, whole.start);
    let word = text.get(whole.start..keyword_end).unwrap_or("");
    let keyword_span = line.span(whole.start, keyword_end);
    let Some(keyword) = Keyword::read(word) else {
        return Err(problem(keyword_span, unknown(word)));
    };
    let (flags, args_start) = flags::read(context, &line, rest, whole.end);
    let range = trimmed(text, args_start.min(text.len())..text.len());
    let span = keyword_span.cover(line.span(whole.start, whole.end));
    let may_announce =
        matches!(keyword, Keyword::Add | Keyword::Copy | Keyword::Run | Keyword::Onbuild) && announces(text);
    let announced = may_announce.then(|| line.clone());
    let mut problems = Vec::new();
    let mounts = match keyword {
        Keyword::Run => mount::read(context, &line, &flags, &mut problems),
        _ => Vec::new(),
    };
    let args = line.into_slice(context.source, range);
    let mut by_parser = None;
    let mut heredocs = matches!(keyword, Keyword::Add | Keyword::Copy | Keyword::Run);
    let kind = kinds::Decoder {
        context,
        keyword,
        args: &args,
        flags: &flags,
        mounts,
        place: if args.text.is_empty() { keyword_span } else { args.full_span() },
        problems: &mut problems,
        by_parser: &mut by_parser,
        heredocs: &mut heredocs,
        trigger,
    }
    .decode();
    let instruction = Box::new(Instruction {
        span,
        keyword,
        keyword_span,
        flags,
        args,
        heredocs: Vec::new(),
        comments: Vec::new(),
        kind,
        problems,
    });
    Ok(Read { instruction, by_parser, announced: announced.filter(|_| heredocs) })
}

/// Whether `<<` is in the line.
fn announces(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).any(|at| bytes.get(at + 1) == Some(&b'<'))
}

impl Keyword {
    /// Every keyword, in alphabetical order.
    pub const ALL: [Self; 18] = [
        Self::Add,
        Self::Arg,
        Self::Cmd,
        Self::Copy,
        Self::Entrypoint,
        Self::Env,
        Self::Expose,
        Self::From,
        Self::Healthcheck,
        Self::Label,
        Self::Maintainer,
        Self::Onbuild,
        Self::Run,
        Self::Shell,
        Self::Stopsignal,
        Self::User,
        Self::Volume,
        Self::Workdir,
    ];

    /// The keyword that `word` is, in any case.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let first = word.as_bytes().first()?.to_ascii_uppercase();
        Self::ALL.into_iter().find(|keyword| {
            let name = keyword.name();
            name.as_bytes().first() == Some(&first) && name.eq_ignore_ascii_case(word)
        })
    }
}

/// BuildKit's words for a keyword that it does not know, with the nearest one that it knows.
fn unknown(word: &str) -> String {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| Keyword::ALL.iter().map(|keyword| keyword.name().to_ascii_lowercase()).collect());
    let lower = word.to_ascii_lowercase();
    let upper = !word.bytes().any(|byte| byte.is_ascii_lowercase());
    match suggest::nearest(&lower, NAMES.iter().map(String::as_str)) {
        Some(near) if upper => {
            format!("unknown instruction: {word} (did you mean {}?)", near.to_ascii_uppercase())
        }
        Some(near) => format!("unknown instruction: {word} (did you mean {near}?)"),
        None => format!("unknown instruction: {word}"),
    }
}

/// `text` as Go's `%q` writes it.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '\'' => quoted.push(c),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0B' => quoted.push_str("\\v"),
            '\x0C' => quoted.push_str("\\f"),
            // What Rust writes as `\u{…}` is not printable to Go either.
            _ if c.escape_debug().nth(1) != Some('u') => quoted.extend(c.escape_debug()),
            '\0'..='\x7F' => quoted.push_str(&format!("\\x{code:02x}")),
            '\u{80}'..='\u{FFFF}' => quoted.push_str(&format!("\\u{code:04x}")),
            _ => quoted.push_str(&format!("\\U{code:08x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// A problem of an instruction.
pub(super) fn problem(span: Span, message: impl Into<Cow<'static, str>>) -> Problem {
    Problem { span, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_read_in_any_case() {
        for keyword in Keyword::ALL {
            let name = keyword.name();
            let (first, rest) = name.split_at(1);
            for word in [name.to_owned(), name.to_lowercase(), format!("{first}{}", rest.to_lowercase())] {
                assert_eq!(Keyword::read(&word), Some(keyword), "{word}");
            }
            assert_eq!(Keyword::read(&name[1..]), None);
            assert_eq!(Keyword::read(&format!("{name}X")), None);
            assert_eq!(Keyword::read(&format!("{}X", &name[..name.len() - 1])), None);
        }
        assert_eq!(["", "ADR", "éé"].map(Keyword::read), [None; 3]);
    }
}
