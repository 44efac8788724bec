//! From the parser's events to the tree. No recursion: the stack is our own, and depth and size are limited, so that
//! whoever walks the tree may recurse and never sees more than [`MAX_NODES`] nodes, aliases counted as often as they are used.

use super::{Data, Entry, Node, Scalar, Style, align, lenient};
use crate::source::Span;
use rustc_hash::FxHashSet;
use saphyr_parser::{Event, Input, Parser, ScalarStyle, ScanError, Tag};
use std::borrow::Cow;
use std::sync::Arc;

/// Nodes of one document after aliases are followed.
const MAX_NODES: u64 = 2_000_000;
/// Nesting after aliases are followed.
const MAX_DEPTH: u32 = 128;

/// Why a text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// 1-based line.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// The first document of `text`; `None` where there is none.
///
/// # Errors
/// Where the text is not YAML, is nested deeper than 128 levels, or its aliases expand beyond all measure.
pub fn parse(text: &str) -> Result<Option<Arc<Node<'_>>>, ParseError> {
    Ok(parse_all(text)?.into_iter().next())
}

/// All documents of `text`, empty ones left out.
///
/// # Errors
/// As [`parse`].
pub fn parse_all(text: &str) -> Result<Vec<Arc<Node<'_>>>, ParseError> {
    let (error, mut at) = match parse_with(text, Parser::new_from_str(text)) {
        Ok(documents) => return Ok(documents),
        Err(error) => error,
    };
    // Every attempt reads all of the text again: fewer of them for large ones.
    let attempts = (MAX_RETRIED / (text.len() + 1)).clamp(1, 64);
    let mut repaired: Option<String> = None;
    let mut last = error.clone();
    for _ in 0..attempts {
        let from = repaired.as_deref().unwrap_or(text);
        let Some(next) = lenient::repaired(from, &last.message, last.line as usize, at) else {
            return Err(error);
        };
        // Character by character it is as long as `text`, so spans are those of `text`.
        let characters = next.chars().collect::<Vec<char>>();
        match parse_with(text, Parser::new_from_iter(characters.into_iter())) {
            Ok(documents) => return Ok(documents),
            // No further than before: it is something else.
            Err((_, again)) if again < at => return Err(error),
            Err(again) => (last, at) = again,
        }
        repaired = Some(next);
    }
    Err(error)
}

/// Bytes that repairing one text may read in all.
const MAX_RETRIED: usize = 16 * 1024 * 1024;

/// What was read, or what is wrong with the character where it is.
type Parsed<'a> = Result<Vec<Arc<Node<'a>>>, (ParseError, usize)>;

fn parse_with<'a, T: Input>(text: &'a str, mut parser: Parser<'a, T>) -> Parsed<'a> {
    let mut loader = Loader::new(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| (scan_error(&error), error.marker().index()))?;
        if event == Event::StreamEnd {
            break;
        }
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        let wrong = |message: &str| (ParseError { line, message: message.to_owned() }, span.start.index());
        loader.event(event, span).map_err(wrong)?;
    }
    Ok(loader.documents)
}

fn scan_error(error: &ScanError) -> ParseError {
    ParseError {
        line: u32::try_from(error.marker().line()).unwrap_or(u32::MAX),
        message: error.info().to_owned(),
    }
}

/// A finished node with what it weighs.
#[derive(Clone)]
struct Done<'a> {
    node: Arc<Node<'a>>,
    size: u64,
    depth: u32,
    /// Where it was written here: the alias's own place for an alias.
    end: u32,
}

struct Open<'a> {
    start: u32,
    flow: bool,
    map: bool,
    anchor: usize,
    tag: Option<String>,
    children: Vec<Done<'a>>,
}

struct Loader<'a> {
    text: &'a str,
    /// Byte offset of every character; empty for ASCII, where they are equal.
    offsets: Vec<u32>,
    stack: Vec<Open<'a>>,
    anchors: Vec<Option<Done<'a>>>,
    documents: Vec<Arc<Node<'a>>>,
    /// Entries that merge keys may still add.
    merge_budget: usize,
}

impl<'a> Loader<'a> {
    fn new(text: &'a str) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            let ends = std::iter::once(text.len());
            text.char_indices()
                .map(|(at, _)| at)
                .chain(ends)
                .map(|at| u32::try_from(at).unwrap_or(u32::MAX))
                .collect()
        };
        Self {
            text,
            offsets,
            stack: Vec::new(),
            anchors: Vec::new(),
            documents: Vec::new(),
            merge_budget: 200_000,
        }
    }

    fn byte(&self, index: usize) -> u32 {
        let len = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        if self.offsets.is_empty() {
            u32::try_from(index).unwrap_or(len).min(len)
        } else {
            self.offsets.get(index).copied().unwrap_or(len)
        }
    }

    fn event(&mut self, event: Event<'a>, at: saphyr_parser::Span) -> Result<(), &'static str> {
        let span = Span { start: self.byte(at.start.index()), end: self.byte(at.end.index()) };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let properties = anchor != 0 || tag.is_some();
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                let (span, joined) = align::scalar(self.text, span, text, style, properties);
                let node =
                    Node { span, tag: tag_name(tag), data: Data::Scalar(Scalar { text: joined, style }) };
                let done = Done { node: Arc::new(node), size: 1, depth: 1, end: span.end };
                self.finish(done, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open(span, false, anchor, tag),
            Event::MappingStart(anchor, tag) => self.open(span, true, anchor, tag),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => match self.anchors.get(anchor).cloned().flatten() {
                Some(done) => self.finish(Done { end: span.end, ..done }, 0),
                None => Err("an alias inside the node that it names"),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(
        &mut self,
        span: Span,
        map: bool,
        anchor: usize,
        tag: Option<Cow<'a, Tag>>,
    ) -> Result<(), &'static str> {
        if self.stack.len() >= MAX_DEPTH as usize {
            return Err("nested too deep");
        }
        let properties = anchor != 0 || tag.is_some();
        let start = if properties { align::skip_properties(self.text, span.start) } else { span.start };
        let flow = matches!(self.text.as_bytes().get(start as usize), Some(b'[' | b'{'));
        self.stack.push(Open { start, flow, map, anchor, tag: tag_name(tag), children: Vec::new() });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), &'static str> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        // A block collection ends where its last child does; its start event may stand before a property.
        let (first, last) = (open.children.first(), open.children.last());
        let start = match first {
            Some(first) if !open.flow && first.node.span.start > open.start => first.node.span.start,
            _ => open.start,
        };
        let start = if !open.flow && !open.map { open.start } else { start };
        let end = match last {
            _ if open.flow => span.end,
            Some(last) => last.end,
            None => span.end,
        };
        let end = end.max(start);
        let end = trimmed(self.text, start, end);
        let mut size = open.children.iter().fold(1_u64, |sum, child| sum.saturating_add(child.size));
        let depth = open.children.iter().map(|child| child.depth).max().unwrap_or(0).saturating_add(1);
        let data = if open.map {
            let (entries, added) = self.entries(open.children)?;
            size = size.saturating_add(added);
            Data::Map(entries)
        } else {
            Data::Seq(open.children.into_iter().map(|child| child.node).collect())
        };
        if size > MAX_NODES {
            return Err("its aliases expand to too many nodes");
        }
        if depth > MAX_DEPTH {
            return Err("nested too deep");
        }
        let node = Node { span: Span { start, end }, tag: open.tag, data };
        self.finish(Done { node: Arc::new(node), size, depth, end }, open.anchor)
    }

    fn finish(&mut self, done: Done<'a>, anchor: usize) -> Result<(), &'static str> {
        if anchor != 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            if let Some(slot) = self.anchors.get_mut(anchor) {
                *slot = Some(done.clone());
            }
        }
        match self.stack.last_mut() {
            Some(open) => open.children.push(done),
            None if self.documents.len() >= 10_000 => return Err("too many documents"),
            None if done.node.is_null() => {}
            None => self.documents.push(done.node),
        }
        Ok(())
    }

    /// Pairs of children as entries; `<<` becomes the entries of what it names, own keys and earlier merges winning.
    fn entries(&mut self, children: Vec<Done<'a>>) -> Result<(Vec<Entry<'a>>, u64), &'static str> {
        let mut entries = Vec::with_capacity(children.len() / 2);
        let mut merges: Vec<Arc<Node<'a>>> = Vec::new();
        let mut children = children.into_iter();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            let plain = matches!(&key.node.data, Data::Scalar(scalar) if scalar.style == Style::Plain);
            if plain && key.node.str() == Some("<<") {
                match &value.node.data {
                    Data::Map(_) => merges.push(value.node),
                    Data::Seq(items) => merges.extend(items.iter().cloned()),
                    Data::Scalar(_) => {}
                }
            } else {
                entries.push(Entry { key: key.node, value: value.node, merged: false });
            }
        }
        if merges.is_empty() {
            return Ok((entries, 0));
        }
        let mut seen: FxHashSet<String> =
            entries.iter().filter_map(|entry| entry.name().map(ToOwned::to_owned)).collect();
        let mut added = 0_u64;
        for entry in merges.iter().flat_map(|node| node.entries()) {
            self.merge_budget = self.merge_budget.checked_sub(1).ok_or("its merge keys add too much")?;
            if entry.name().is_some_and(|name| seen.insert(name.to_owned())) {
                added += 1;
                entries.push(Entry { merged: true, ..entry.clone() });
            }
        }
        Ok((entries, added))
    }
}

fn tag_name(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    tag.map(|tag| format!("{}{}", tag.handle, tag.suffix))
}

/// `end` without the blanks, comments' line ends and newlines before it.
fn trimmed(text: &str, start: u32, end: u32) -> u32 {
    let inside = text.get(start as usize..end as usize).unwrap_or("");
    start + u32::try_from(inside.trim_end().len()).unwrap_or(0)
}
