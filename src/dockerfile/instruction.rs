//! One logical line to an instruction: keyword, flags, arguments (`parser/parser.go`, `newNodeFromLine`).

use super::words::cut;
use super::{Command, Instruction, Keyword, Kind, Problem, flags, kinds};
use crate::source::{Joined, Span};
use std::borrow::Cow;
use std::ops::Range;

/// What every part of an instruction is read with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The file's text.
    pub(super) source: &'a str,
    /// The escape character in force.
    pub(super) escape: char,
}

/// A logical line.
#[derive(Clone)]
pub(super) struct Line<'l, 'a> {
    joined: &'l Joined<'a>,
    /// Its text without outer blanks.
    range: Range<usize>,
}

impl<'l, 'a> Line<'l, 'a> {
    pub(super) fn new(joined: &'l Joined<'a>) -> Self {
        let range = trimmed(&joined.text, 0..joined.text.len());
        Self { joined, range }
    }
}

/// `range` of `text` without outer blanks.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or("");
    let start = range.start + part.len() - super::parse::trim_start(part).len();
    let end = start + part.trim().len();
    start..end
}

/// Reads an instruction. An unknown keyword is the only thing that gives none.
pub(super) fn read<'a>(context: Context<'a>, line: Line<'_, 'a>) -> Result<Instruction<'a>, Problem> {
    read_at(context, line, false)
}

/// Reads the instruction that an ONBUILD holds.
pub(super) fn read_trigger<'a>(context: Context<'a>, line: Line<'_, 'a>) -> Result<Instruction<'a>, Problem> {
    read_at(context, line, true)
}

fn read_at<'a>(context: Context<'a>, line: Line<'_, 'a>, trigger: bool) -> Result<Instruction<'a>, Problem> {
    let joined = line.joined;
    let text = joined.text.get(..line.range.end).unwrap_or("");
    let (keyword_end, rest) = cut(text, line.range.start);
    let word = text.get(line.range.start..keyword_end).unwrap_or("");
    let keyword_span = joined.span(line.range.start, keyword_end);
    let Some(keyword) = Keyword::read(word) else {
        let message = Cow::Owned(unknown(word));
        return Err(Problem { span: keyword_span, message });
    };
    let (flags, args_start) = flags::read(context, joined, rest);
    let args = joined.slice(context.source, trimmed(text, args_start.min(text.len())..text.len()));
    let mut problems = Vec::new();
    let span = keyword_span.cover(joined.span(line.range.start, line.range.end));
    let kind = kinds::Decoder {
        context,
        keyword,
        args: &args,
        flags: &flags,
        place: if args.text.is_empty() { keyword_span } else { args.full_span() },
        problems: &mut problems,
        trigger,
    }
    .decode();
    Ok(Instruction {
        span,
        keyword,
        keyword_span,
        flags,
        args,
        heredocs: Vec::new(),
        comments: Vec::new(),
        kind,
        problems,
    })
}

/// Whether BuildKit looks for heredocs: ADD, COPY and RUN that are no JSON, and ONBUILD of them.
pub(super) fn can_have_heredocs(instruction: &Instruction<'_>) -> bool {
    match &instruction.kind {
        Kind::Onbuild(inner) => !matches!(inner.kind, Kind::Onbuild(_)) && can_have_heredocs(inner),
        Kind::Run(run) => matches!(run.command, Command::Shell(_)),
        Kind::Copy(copy) => !copy.json,
        _ => false,
    }
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
        Self::ALL.into_iter().find(|keyword| keyword.name().eq_ignore_ascii_case(word))
    }
}

/// BuildKit's words for a keyword that it does not know, with the nearest one that it knows (`util/suggest`).
fn unknown(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let near = Keyword::ALL
        .into_iter()
        .map(|keyword| (distance(&lower, &keyword.name().to_ascii_lowercase()), keyword))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance < 3);
    match near {
        Some((_, keyword)) if word == lower => {
            format!("unknown instruction: {word} (did you mean {}?)", keyword.name().to_ascii_lowercase())
        }
        Some((_, keyword)) => format!("unknown instruction: {word} (did you mean {}?)", keyword.name()),
        None => format!("unknown instruction: {word}"),
    }
}

/// The edit distance of two words; of words that differ by 3 or more in length, 3.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) >= 3 {
        return 3;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = diagonal + usize::from(x != y);
            diagonal = *slot;
            left = cost.min(*slot + 1).min(left + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A problem of an instruction.
pub(super) fn problem(span: Span, message: impl Into<Cow<'static, str>>) -> Problem {
    Problem { span, message: message.into() }
}
