//! The words of a command as they are after variables were followed, each with the place where it is written: the
//! assignment for what a variable brings.

use super::ScriptText;
use crate::builds::value::split_words;
use crate::builds::{Arg, Placed, Vars};
use crate::shell::{Command, Dialect, Word};
use crate::source::Span;

/// The text of one script, to find words in again.
pub(super) struct Source<'t> {
    text: &'t ScriptText<'t>,
    whole: Placed,
    /// Stretches as (source, joined), in order of the source.
    stretches: Vec<(u32, u32)>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t ScriptText<'t>) -> Self {
        let mut stretches: Vec<_> =
            text.joined.segments().map(|segment| (segment.source, segment.joined)).collect();
        stretches.sort_unstable();
        Self { text, whole: Placed::joined(text.joined), stretches }
    }

    /// What stands at `span`, quotes and all, in the text that the shell reads (expressions of a CI system filled in).
    pub(super) fn raw(&self, span: Span) -> Placed {
        self.found(span).unwrap_or_else(|| Placed::exact(span.of(self.text.source), span.start))
    }

    fn found(&self, span: Span) -> Option<Placed> {
        let joined = self.text.joined;
        let index = self.stretches.partition_point(|(source, _)| *source <= span.start).checked_sub(1)?;
        let (source, at) = self.stretches.get(index)?;
        let start = (*at + (span.start - source)) as usize;
        if joined.offset(start) != span.start {
            return None;
        }
        if span.is_empty() {
            return Some(self.whole.slice(start..start));
        }
        let last = span.end - 1;
        let index = self.stretches.partition_point(|(source, _)| *source <= last).checked_sub(1)?;
        let (source, at) = self.stretches.get(index)?;
        let end = (*at + (last - source)) as usize + 1;
        (end > start && joined.offset(end - 1) == last).then(|| self.whole.slice(start..end))
    }

    /// What stands from `start` on, at most `length` bytes.
    pub(super) fn after(&self, start: u32, length: usize) -> Placed {
        let at = self.found(Span { start, end: start.saturating_add(1) }).and_then(|_| {
            let index = self.stretches.partition_point(|(source, _)| *source <= start).checked_sub(1)?;
            let (source, at) = self.stretches.get(index)?;
            Some((*at + (start - source)) as usize)
        });
        let Some(at) = at else { return Placed::default() };
        let mut end = at.saturating_add(length).min(self.whole.text.len());
        while !self.whole.text.is_char_boundary(end) {
            end -= 1;
        }
        self.whole.slice(at..end)
    }

    /// The arguments that a command gets, the program first.
    pub(super) fn argv(&self, command: &Command<'_>, vars: &Vars) -> Vec<Arg> {
        let mut out = Vec::new();
        let mut words = command.argv.as_slice();
        while let Some(first) = words.first() {
            // Words that one variable was split into share its span.
            let same = words
                .iter()
                .take_while(|word| word.span == first.span && !first.span.is_empty())
                .count()
                .max(1);
            let (group, rest) = words.split_at(same.min(words.len()));
            self.word(group, vars, &mut out);
            words = rest;
        }
        out
    }

    /// The arguments that one word of the text becomes.
    pub(super) fn word(&self, group: &[Word<'_>], vars: &Vars, out: &mut Vec<Arg>) {
        let Some(first) = group.first() else { return };
        let raw = self.raw(first.span);
        let literal = group.iter().all(|word| word.literal);
        if group.len() == 1 && literal && !raw.text.contains(['$', '`', '{']) {
            let text = self.unquoted(first, &raw);
            out.push(Arg { text, literal: true, conditional: false });
            return;
        }
        let before = out.len();
        let dollars = if self.text.dialect == Dialect::Make { make_dollars(&raw) } else { raw };
        for word in split_words(&dollars) {
            vars.word(&word.text, word.quoted, word.literal, out);
        }
        if !literal {
            if out.len() == before {
                // A variable known to be empty, or text that is nothing without its quotes.
                let text = self.unquoted(first, &dollars);
                if !text.text.is_empty() && !dollars.text.contains('$') {
                    out.push(Arg { text, literal: false, conditional: false });
                }
            }
            return;
        }
        // The splitter follows variables through branches and functions; where it knows more, its text counts.
        let texts = out.iter().skip(before).map(|arg| arg.text.text.as_str());
        if !texts.eq(group.iter().map(|word| &*word.text)) {
            out.truncate(before);
            out.extend(group.iter().map(|word| Arg {
                text: self.unquoted(word, &dollars),
                literal: true,
                conditional: false,
            }));
        }
    }

    fn unquoted(&self, word: &Word<'_>, raw: &Placed) -> Placed {
        if raw.text == word.text {
            return raw.clone();
        }
        let mut words = split_words(raw).into_iter();
        match (words.next(), words.next()) {
            (Some(only), None) if only.text.text == word.text => only.text,
            _ => Placed::whole(&*word.text, word.span),
        }
    }
}

/// `$$` of a recipe is the shell's `$`.
pub(crate) fn make_dollars(raw: &Placed) -> Placed {
    if !raw.text.contains("$$") {
        return raw.clone();
    }
    let mut out = Placed::default();
    let mut at = 0;
    while let Some(found) = raw.text.get(at..).and_then(|rest| rest.find("$$")) {
        out.push(raw, at..at + found + 1);
        at += found + 2;
    }
    out.push(raw, at..raw.text.len());
    out
}
