//! ENV, LABEL and ARG.

use super::Decoder;
use crate::dockerfile::instruction::{problem, quote};
use crate::dockerfile::words::{self, quoted};
use crate::dockerfile::{ArgDecl, Kind, Pair, Word};

impl<'a> Decoder<'_, 'a> {
    /// `parseNameVal`: `a=b c="d e"`, or the old form `name value with blanks`.
    pub(super) fn pairs(&mut self) -> Option<Vec<Pair<'a>>> {
        let text = self.args.text.as_ref();
        let name = self.keyword.name();
        let ranges = quoted(text, self.context.escape);
        let Some(first) = ranges.first() else {
            self.refuse(format!("{name} requires at least one argument"));
            return None;
        };
        if !text.get(first.clone()).unwrap_or("").contains('=') {
            let (end, next) = words::cut(text, 0);
            if next >= text.len() {
                self.refuse_line(self.place, format!("{name} must have two arguments"));
                return None;
            }
            return Some(vec![Pair {
                key: self.word(0..end),
                value: self.word(next..text.len()),
                legacy: true,
            }]);
        }
        let mut pairs = Vec::with_capacity(ranges.len());
        for range in ranges {
            let Some((key, Some(value))) = self.split_at_equals(range.clone()) else {
                let word = self.word(range);
                let message = format!(
                    "Syntax error - can't find = in {}. Must be of the form: name=value",
                    quote(&word.text)
                );
                self.refuse_line(word.span, message);
                continue;
            };
            if key.text.is_empty() {
                self.problems.push(problem(key.span, format!("{name} names can not be blank")));
            }
            pairs.push(Pair { key, value, legacy: false });
        }
        Some(pairs)
    }

    pub(super) fn arg(&mut self) -> Kind<'a> {
        let ranges = quoted(&self.args.text, self.context.escape);
        if ranges.is_empty() {
            self.refuse("ARG requires at least one argument");
            return Kind::Invalid;
        }
        let mut declarations = Vec::with_capacity(ranges.len());
        for range in ranges {
            if let Some((name, default)) = self.split_at_equals(range) {
                if name.text.is_empty() {
                    self.problems.push(problem(name.span, "ARG names can not be blank"));
                }
                declarations.push(ArgDecl { name, default });
            }
        }
        Kind::Arg(declarations)
    }

    /// A word before and after its first `=`.
    fn split_at_equals(&self, range: std::ops::Range<usize>) -> Option<(Word<'a>, Option<Word<'a>>)> {
        let word = self.args.text.get(range.clone())?;
        Some(match memchr::memchr(b'=', word.as_bytes()) {
            Some(at) => {
                let at = range.start + at;
                (self.word(range.start..at), Some(self.word(at + 1..range.end)))
            }
            None => (self.word(range), None),
        })
    }
}
