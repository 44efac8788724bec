//! From text to items: physical lines, continuations, comments, heredoc bodies (`parser/parser.go`, `Parse`).

use super::directives::Directives;
use super::instruction::{self, Context};
use super::{Dockerfile, Heredoc, Instruction, Item, ItemKind, Keyword, Problem, heredoc};
use crate::source::{Joined, Span};
use std::borrow::Cow;

/// BuildKit's longest line, its end included (`bufio.MaxScanTokenSize`).
const MAX_LINE: usize = 64 * 1024;

/// Parses a Dockerfile. Never fails and never panics; the time is linear in the length of `source`.
#[must_use]
pub fn parse(source: &str) -> Dockerfile<'_> {
    // About one item for 50 bytes in real files.
    let items = Vec::with_capacity(source.len() / 64 + 4);
    Parser {
        file: Dockerfile { source, escape: '\\', directives: Vec::new(), items },
        at: 0,
        in_stage: false,
    }
    .run()
}

/// One physical line.
#[derive(Clone, Copy)]
pub(super) struct PhysicalLine<'a> {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Its text without the line end (`\n` and every `\r` before it).
    pub(super) text: &'a str,
    /// Offset after its end.
    pub(super) next: usize,
}

impl<'a> PhysicalLine<'a> {
    /// The line of `source` that begins at `start`, if there is one.
    pub(super) fn at(source: &'a str, start: usize) -> Option<Self> {
        let rest = source.get(start..)?;
        if rest.is_empty() {
            return None;
        }
        let len = memchr::memchr(b'\n', rest.as_bytes());
        let next = start + len.map_or(rest.len(), |len| len + 1);
        let text = rest.get(..len.unwrap_or(rest.len())).unwrap_or("");
        let text = if text.ends_with('\r') { text.trim_end_matches('\r') } else { text };
        Some(Self { start, text, next })
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Where its last character that is not a blank ends.
    fn text_end(&self) -> usize {
        self.start + trim_end(self.text).len()
    }

    fn is_too_long(&self) -> bool {
        let len = self.next - self.start;
        // The last line of a file may be one byte shorter, for it has no end.
        len > MAX_LINE || (len == MAX_LINE && self.next == self.end())
    }
}

/// The line without the blanks before its text. Most lines start with a letter.
pub(super) fn trim_start(text: &str) -> &str {
    match text.as_bytes().first() {
        Some(b'!'..=b'~') => text,
        _ => text.trim_start(),
    }
}

/// The text without the blanks at its end. Most lines end with something.
pub(super) fn trim_end(text: &str) -> &str {
    match text.as_bytes().last() {
        Some(b'!'..=b'~') => text,
        _ => text.trim_end(),
    }
}

struct Parser<'a> {
    file: Dockerfile<'a>,
    at: usize,
    /// A FROM stands above.
    in_stage: bool,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Dockerfile<'a> {
        let source = self.file.source;
        if u32::try_from(source.len()).is_err() {
            self.push(source.len(), ItemKind::Error(Box::new(too_long(Span::new(0, source.len())))));
            return self.file;
        }
        if source.starts_with('\u{FEFF}') {
            self.push('\u{FEFF}'.len_utf8(), ItemKind::Bom);
        }
        self.leading_block();
        while let Some(line) = PhysicalLine::at(source, self.at) {
            let text = trim_start(line.text);
            if text.is_empty() || text.starts_with('#') {
                let kind = if line.is_too_long() {
                    ItemKind::Error(Box::new(too_long(Span::new(line.start, line.end()))))
                } else if text.is_empty() {
                    ItemKind::Blank
                } else {
                    ItemKind::Comment
                };
                self.push(line.next, kind);
            } else {
                self.instruction(line, text);
            }
        }
        self.file
    }

    /// The items up to `end` are done: the next one begins there.
    fn push(&mut self, end: usize, kind: ItemKind<'a>) {
        let span = Span::new(self.at, end);
        self.file.items.push(Item { span, kind });
        self.at = end;
    }

    fn leading_block(&mut self) {
        let mut directives = Directives::new(self.file.source, self.at);
        while let Some((end, kind)) = directives.next_item(&mut self.file) {
            self.push(end, kind);
        }
    }

    /// Reads an instruction, its continuation lines and its heredocs; `text` is the first line without its indent.
    fn instruction(&mut self, line: PhysicalLine<'a>, text: &'a str) {
        let source = self.file.source;
        let escape = self.file.escape;
        let mut logical = Logical::new(line);
        let mut more = logical.add(line.end() - text.len(), text, escape);
        while more && let Some(line) = PhysicalLine::at(source, logical.next) {
            logical.next = line.next;
            logical.note_length(line);
            let text = trim_start(line.text);
            if text.starts_with('#') {
                logical.comments.push(Span::new(line.end() - text.len(), line.end()));
                logical.end = line.text_end();
            } else if !text.is_empty() {
                more = logical.add(line.start, line.text, escape);
                logical.end = line.text_end();
            }
        }
        let joined = match logical.pieces.as_slice() {
            [] => Joined::whole(source, logical.first),
            pieces => Joined::pieces(source, pieces),
        };
        match instruction::read(Context { source, escape }, joined, false) {
            Ok(read) => {
                let (mut read, announced) = (read.instruction, read.announced);
                read.span.end = read.span.end.max(Span::at(logical.end).end);
                read.comments = logical.comments;
                if let Some(span) = logical.too_long {
                    read.problems.push(too_long(span));
                }
                let mut next = logical.next;
                if let Some(line) = announced {
                    next = self.heredocs(&mut read, &line, next);
                }
                self.check_stage(&mut read);
                self.push(next, ItemKind::Instruction(read));
            }
            Err(problem) => self.push(logical.next, ItemKind::Error(Box::new(problem))),
        }
    }

    /// Reads the bodies of the heredocs that `line` announces, from `next` on; returns where they end.
    fn heredocs(&self, read: &mut Instruction<'a>, line: &Joined<'a>, mut next: usize) -> usize {
        let source = self.file.source;
        let markers = match heredoc::markers(&line.text) {
            Ok(markers) => markers,
            Err(error) => {
                read.problems
                    .push(Problem { span: line.full_span(), message: Cow::Owned(error.to_string()) });
                return next;
            }
        };
        for (marker, range) in markers {
            let span = line.span(range.start, range.end);
            let (body, after) = self.heredoc_body(&marker, next);
            match after {
                Some((end, after)) => {
                    read.span.end = Span::at(end).end;
                    next = after;
                }
                None => {
                    let end = body.start as usize + body.of(source).trim_end_matches(['\r', '\n']).len();
                    read.span.end = read.span.end.max(Span::at(end).end);
                    read.problems.push(Problem { span, message: Cow::Borrowed("unterminated heredoc") });
                    next = source.len();
                }
            }
            if body.len() >= MAX_LINE && has_long_line(body.of(source)) {
                read.problems.push(too_long(body));
            }
            read.heredocs.push(Heredoc {
                name: Cow::Owned(marker.name),
                marker: span,
                body,
                expand: marker.expand,
                chomp: marker.chomp,
                descriptor: marker.descriptor,
            });
        }
        if let super::Kind::Onbuild(inner) = &mut read.kind {
            inner.span.end = read.span.end;
            inner.heredocs.clone_from(&read.heredocs);
        }
        next
    }

    /// The body that begins at `start`, and where its terminator's text and line end; `None` if there is no terminator.
    fn heredoc_body(&self, marker: &heredoc::Marker, start: usize) -> (Span, Option<(usize, usize)>) {
        let source = self.file.source;
        let mut at = start;
        while let Some(line) = PhysicalLine::at(source, at) {
            let text = if marker.chomp { line.text.trim_start_matches('\t') } else { line.text };
            if text == marker.name {
                return (Span::new(start, line.start), Some((line.end(), line.next)));
            }
            at = line.next;
        }
        (Span::new(start.min(source.len()), source.len()), None)
    }

    /// Only ARG may stand before the first FROM (`instructions/parse.go`, `Parse`).
    fn check_stage(&mut self, read: &mut Instruction<'a>) {
        match read.keyword {
            Keyword::From => self.in_stage = true,
            Keyword::Arg => {}
            _ if self.in_stage => {}
            _ => read.problems.push(Problem {
                span: read.keyword_span,
                message: Cow::Borrowed("no build stage in current context"),
            }),
        }
    }
}

/// The physical lines of one instruction while they are gathered.
struct Logical {
    /// The stretches of text that are joined.
    pieces: Vec<Span>,
    first: Span,
    comments: Vec<Span>,
    /// Where the last line with text or a comment ends.
    end: usize,
    /// Where the next line begins.
    next: usize,
    too_long: Option<Span>,
}

impl Logical {
    fn new(line: PhysicalLine<'_>) -> Self {
        let mut logical = Self {
            pieces: Vec::new(),
            first: Span::at(line.start),
            comments: Vec::new(),
            end: line.text_end(),
            next: line.next,
            too_long: None,
        };
        logical.note_length(line);
        logical
    }

    /// Takes one line's text, without the continuation mark; returns whether there was one.
    fn add(&mut self, start: usize, text: &str, escape: char) -> bool {
        let kept = continued(text, escape);
        let span = Span::new(start, start + kept.unwrap_or(text.len()));
        // The list is only needed once there are two lines.
        if self.first.is_empty() && self.pieces.is_empty() {
            self.first = span;
        } else {
            if self.pieces.is_empty() {
                self.pieces.push(self.first);
            }
            self.pieces.push(span);
        }
        kept.is_some()
    }

    fn note_length(&mut self, line: PhysicalLine<'_>) {
        if line.is_too_long() && self.too_long.is_none() {
            self.too_long = Some(Span::new(line.start, line.end()));
        }
    }
}

/// The length of what stands before a continuation mark: the escape character as the last one but blanks, and not
/// after another escape character (`lineContinuationRegex`).
fn continued(text: &str, escape: char) -> Option<usize> {
    let escape = u8::try_from(escape).unwrap_or(b'\\');
    let bytes = text.as_bytes();
    let mut len = bytes.len();
    while let Some(b' ' | b'\t') = len.checked_sub(1).and_then(|last| bytes.get(last)) {
        len -= 1;
    }
    let before = len.checked_sub(1)?;
    if bytes.get(before) != Some(&escape) {
        return None;
    }
    let doubled = before.checked_sub(1).and_then(|i| bytes.get(i)) == Some(&escape);
    (!doubled).then_some(before)
}

fn has_long_line(body: &str) -> bool {
    let mut at = 0;
    while let Some(line) = PhysicalLine::at(body, at) {
        if line.is_too_long() {
            return true;
        }
        at = line.next;
    }
    false
}

fn too_long(span: Span) -> Problem {
    Problem { span, message: Cow::Borrowed("dockerfile line greater than max allowed size of 65535") }
}
