//! Texts inside texts: what a quoted word holds, as a text of its own that knows where it stands in the file.

use super::lex::Part;
use crate::source::{Joined, Segment};
use std::borrow::Cow;

/// A text with the stretches in it whose expansion an outer shell has done.
#[derive(Default)]
pub(super) struct Inner<'a> {
    pub(super) text: Joined<'a>,
    /// In order, by offsets of `text`.
    pub(super) holes: Vec<(usize, usize)>,
}

/// Puts an [`Inner`] together.
#[derive(Default)]
pub(super) struct Builder {
    text: String,
    segments: Vec<Segment>,
    end: u32,
    holes: Vec<(usize, usize)>,
}

impl Builder {
    /// Adds the bytes `start..end` of `from`.
    pub(super) fn copy(&mut self, from: &Joined<'_>, start: usize, end: usize) {
        let Some(stretch) = from.text.get(start..end).filter(|stretch| !stretch.is_empty()) else { return };
        let offset = self.text.len();
        self.segment(offset, from.offset(start));
        // The segments of `from` that begin inside the stretch go over as they are.
        for segment in from.breaks(start..end) {
            self.segment(offset + (segment.joined as usize - start), segment.source);
        }
        self.text.push_str(stretch);
        self.end = from.offset(end - 1).saturating_add(1);
    }

    /// Adds one character that `from` has at `at` in another spelling.
    pub(super) fn put(&mut self, from: &Joined<'_>, at: usize, character: char) {
        self.segment(self.text.len(), from.offset(at));
        self.text.push(character);
        self.end = from.offset(at).saturating_add(1);
    }

    /// Adds what a word holds.
    pub(super) fn parts(&mut self, from: &Joined<'_>, parts: &[Part<'_>]) {
        for part in parts {
            match part {
                Part::Literal { start, end, .. } | Part::Variable { start, end, .. } => {
                    self.copy(from, *start, *end)
                }
                Part::Character { at, character } => self.put(from, *at, *character),
                Part::Expansion { start, end, .. } => {
                    let hole = self.text.len();
                    self.copy(from, *start, *end);
                    self.holes.push((hole, self.text.len()));
                }
            }
        }
    }

    fn segment(&mut self, joined: usize, source: u32) {
        self.segments.push(Segment { joined: u32::try_from(joined).unwrap_or(u32::MAX), source });
    }

    pub(super) fn finish<'a>(self) -> Inner<'a> {
        Inner { text: Joined::decoded(Cow::Owned(self.text), self.segments, self.end), holes: self.holes }
    }
}

/// What a word holds, quotes removed; borrowed from `source` where it is one stretch.
pub(super) fn inner<'a>(source: &'a str, from: &Joined<'a>, parts: &[Part<'a>]) -> Inner<'a> {
    match parts {
        [Part::Literal { start, end, .. }] => stretch(source, from, *start, *end),
        _ => {
            let mut builder = Builder::default();
            builder.parts(from, parts);
            builder.finish()
        }
    }
}

/// The bytes `start..end` of `from` as a text.
pub(super) fn stretch<'a>(source: &'a str, from: &Joined<'a>, start: usize, end: usize) -> Inner<'a> {
    Inner { text: from.slice(source, start..end), holes: Vec::new() }
}
