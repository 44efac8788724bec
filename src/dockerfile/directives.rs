//! Parser directives of the leading block (`parser/directives.go`).
//!
//! Two readers of BuildKit meet here. The parser takes `# escape=` from the block's comment lines, indented or not. The
//! detection of `syntax` and `check` starts over after a `#!` line, knows `// syntax=` and a JSON object too, but no
//! indent. A directive is listed if the reader that it concerns would find it.

use super::parse::{PhysicalLine, trim_start};
use super::{Directive, Dockerfile, ItemKind, Problem, json};
use crate::source::Span;
use std::borrow::Cow;

/// The names that are directives.
const NAMES: [&str; 3] = ["syntax", "escape", "check"];

/// Reads the leading block, an item at a time.
pub(super) struct Directives<'a> {
    source: &'a str,
    at: usize,
    /// The block is over.
    done: bool,
    /// The first line is `#!`: the parser's own block is over, detection goes on.
    shebang: bool,
    /// Nothing so far ended the detection of `syntax` and `check`.
    detect: bool,
    /// No line was read, or only `#!`.
    first: bool,
    seen: [bool; 3],
}

impl<'a> Directives<'a> {
    /// A reader for `source` from `at` (after the byte order mark).
    pub(super) fn new(source: &'a str, at: usize) -> Self {
        Self { source, at, done: false, shebang: false, detect: true, first: true, seen: [false; 3] }
    }

    /// The next item of the block and where it ends; `None` when the block is over. Fills `file`'s directives and
    /// escape character.
    pub(super) fn next_item(&mut self, file: &mut Dockerfile<'a>) -> Option<(usize, ItemKind<'a>)> {
        if self.done {
            return None;
        }
        let line = PhysicalLine::at(self.source, self.at)?;
        let text = trim_start(line.text);
        if self.first && !self.shebang && line.text.starts_with("#!") {
            self.shebang = true;
            self.at = line.next;
            return Some((line.next, ItemKind::Comment));
        }
        let first = std::mem::replace(&mut self.first, false);
        let item = if text.starts_with('#') {
            self.comment(file, line, text)
        } else if first {
            self.other_format(file, line)
        } else {
            None
        };
        match &item {
            Some((end, _)) => self.at = *end,
            None => self.done = true,
        }
        item
    }

    /// `# name = value`.
    fn comment(
        &mut self,
        file: &mut Dockerfile<'a>,
        line: PhysicalLine<'a>,
        text: &'a str,
    ) -> Option<(usize, ItemKind<'a>)> {
        let (name, value) = split(text.strip_prefix('#')?)?;
        let index = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        let start = line.start + line.text.len() - text.len();
        let value_start = offset_in(self.source, value);
        let directive = Directive {
            name,
            value,
            span: Span::new(start, line.start + line.text.len()),
            value_span: Span::new(value_start, value_start + value.len()),
        };
        let indented = start != line.start;
        self.detect &= !indented;
        if std::mem::replace(self.seen.get_mut(index)?, true) {
            if self.shebang {
                return None;
            }
            let message = Cow::Owned(format!("only one {} parser directive can be used", NAMES.get(index)?));
            return Some((line.next, ItemKind::Error(Box::new(Problem { span: directive.span, message }))));
        }
        if NAMES.get(index) == Some(&"escape") {
            if self.shebang {
                return Some((line.next, ItemKind::Comment));
            }
            file.escape = match value {
                "\\" => '\\',
                "`" => '`',
                _ => {
                    let message =
                        Cow::Owned(format!("invalid escape token '{value}' does not match ` or \\"));
                    return Some((
                        line.next,
                        ItemKind::Error(Box::new(Problem { span: directive.value_span, message })),
                    ));
                }
            };
        } else if !self.detect {
            return if self.shebang { None } else { Some((line.next, ItemKind::Comment)) };
        }
        file.directives.push(directive);
        Some((line.next, ItemKind::Directive))
    }

    /// `// syntax = …` or `{"syntax": "…"}`: the file is for another frontend.
    fn other_format(
        &mut self,
        file: &mut Dockerfile<'a>,
        line: PhysicalLine<'a>,
    ) -> Option<(usize, ItemKind<'a>)> {
        let whole = self.source.get(line.start..)?;
        if let Some(rest) = line.text.strip_prefix("//") {
            let (name, value) = split(rest)?;
            if !name.eq_ignore_ascii_case("syntax") {
                return None;
            }
            let value_start = offset_in(self.source, value);
            file.directives.push(Directive {
                name,
                value,
                span: Span::new(line.start, line.start + line.text.len()),
                value_span: Span::new(value_start, value_start + value.len()),
            });
            return Some((line.next, ItemKind::Directive));
        }
        if !line.text.trim_start().starts_with('{') {
            return None;
        }
        let (name, value) = json::object_string(whole, "syntax")?;
        let span = Span::new(line.start, self.source.len());
        let value_start = offset_in(self.source, value);
        let value_span = Span::new(value_start, value_start + value.len());
        file.directives.push(Directive { name, value, span, value_span });
        Some((self.source.len(), ItemKind::Directive))
    }
}

/// `^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$` after the blanks that follow the comment sign.
fn split(text: &str) -> Option<(&str, &str)> {
    let is_space = |c: char| matches!(c, '\t' | '\n' | '\x0C' | '\r' | ' ');
    let (name, value) = text.trim_start().split_once('=')?;
    let name = name.trim_end_matches(is_space);
    let mut chars = name.chars();
    let valid = chars.next()?.is_ascii_alphabetic() && chars.all(|c| c.is_ascii_alphanumeric());
    let value = value.trim_matches(is_space);
    (valid && !value.is_empty()).then_some((name, value))
}

/// The offset of `part`, which borrows from `source`.
fn offset_in(source: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(source.as_ptr() as usize)
}
