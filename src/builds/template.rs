//! Texts in which a CI system replaces expressions before anything else reads them: `${{ matrix.x }}`, `$(Build.BuildId)`,
//! `<< parameters.tag >>`. What is known takes the expression's place; what is not is stood for by one private character,
//! so that whoever reads the text (the shell splitter, the cache-spec parser) sees a plain word, and [`Holes::restore`]
//! then turns every value that holds such a character into a symbolic one.

use super::{Build, CacheSpec, ContextSource, Value, Volatility};
use crate::source::{Joined, Segment};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::ops::Range;

/// First of the characters that stand for unknown expressions (a private plane of Unicode).
const FIRST: u32 = 0xF_0000;
/// Number of them; expressions beyond it share the last.
const COUNT: usize = 0xFFFE;
/// Longest text that takes an expression's place, and the most of all of them in one file: a short expression may stand
/// for a long text, and that may be used often.
const MAX_FILLED: usize = 16 * 1024;
const MAX_SPENT: usize = 4 * 1024 * 1024;

/// Whether a text has a character that may stand for an expression.
pub(super) fn may_hide(text: &str) -> bool {
    text.chars().any(|ch| ch as u32 >= FIRST)
}

/// The unknown expressions of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Holes {
    list: Vec<(String, Volatility)>,
    known: FxHashMap<(String, Volatility), usize>,
    /// Bytes that were put in for expressions.
    spent: usize,
}

impl Holes {
    /// The character that stands for an unknown expression.
    pub(super) fn stand_in(&mut self, text: String, volatility: Volatility) -> char {
        let key = (text, volatility);
        let index = match self.known.get(&key) {
            Some(index) => *index,
            None => {
                if self.list.len() < COUNT {
                    self.known.insert(key.clone(), self.list.len());
                    self.list.push(key);
                }
                self.list.len() - 1
            }
        };
        char::from_u32(FIRST + u32::try_from(index).unwrap_or(0)).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn hole(&self, ch: char) -> Option<&(String, Volatility)> {
        self.list.get((ch as u32).checked_sub(FIRST)? as usize)
    }

    /// Whether a text has stand-ins in it.
    pub(super) fn has(&self, text: &str) -> bool {
        // All of them start with this byte in UTF-8.
        memchr::memchr(0xF3, text.as_bytes()).is_some() && text.chars().any(|ch| self.hole(ch).is_some())
    }

    /// Whether a text is one stand-in and nothing else.
    fn is_one(&self, text: &str) -> bool {
        let mut chars = text.chars();
        chars.next().is_some_and(|ch| self.hole(ch).is_some()) && chars.next().is_none()
    }

    /// The text with the expressions in their places again, and how often the fastest of them changes.
    pub(super) fn written(&self, text: &str) -> Option<(String, Volatility)> {
        if !self.has(text) {
            return None;
        }
        let mut written = String::with_capacity(text.len() + 16);
        let mut volatility = Volatility::Fixed;
        for ch in text.chars() {
            match self.hole(ch) {
                Some((expression, how)) => {
                    written.push_str(expression);
                    volatility = volatility.max(*how);
                }
                None => written.push(ch),
            }
        }
        Some((written, volatility))
    }

    fn fix(&self, value: &mut Value) {
        match value {
            Value::Known(text) => {
                if let Some((text, volatility)) = self.written(text) {
                    *value = Value::Symbolic { text, volatility };
                }
            }
            Value::Symbolic { text, volatility } => {
                if let Some((written, how)) = self.written(text) {
                    *text = written;
                    *volatility = (*volatility).max(how);
                }
            }
        }
    }

    fn fix_text(&self, text: &mut String) {
        if let Some((written, _)) = self.written(text) {
            *text = written;
        }
    }

    fn fix_context(&self, context: &mut ContextSource) {
        match context {
            ContextSource::Path(text) => {
                if let Some((written, _)) = self.written(text) {
                    *context = ContextSource::Unknown(written);
                }
            }
            ContextSource::Git { subdir, .. } => {
                if let Some((written, _)) = self.written(subdir) {
                    *context = ContextSource::Unknown(written);
                }
            }
            ContextSource::Image(text) | ContextSource::Target(text) | ContextSource::Unknown(text) => {
                self.fix_text(text);
            }
        }
    }

    fn fix_spec(&self, spec: &mut CacheSpec) {
        // What looks like a reference and is nothing but an unknown expression may be anything.
        if spec.bare
            && let [(_, reference)] = spec.attrs.as_slice()
            && self.is_one(reference.value.text())
        {
            spec.kind = reference.clone();
            spec.attrs.clear();
            spec.bare = false;
        }
        self.fix(&mut spec.kind.value);
        for (key, value) in &mut spec.attrs {
            self.fix_text(key);
            self.fix(&mut value.value);
        }
    }

    /// Takes the stand-ins out of a build: values that hold one become symbolic, paths that do become unknown.
    pub(super) fn restore(&self, build: &mut Build) {
        if self.list.is_empty() {
            return;
        }
        if build.dockerfile.as_ref().is_some_and(|path| self.has(&path.value)) {
            build.dockerfile = None;
        }
        self.fix_context(&mut build.context.value);
        build.contexts.iter_mut().for_each(|(_, context)| self.fix_context(&mut context.value));
        build.name.iter_mut().for_each(|name| self.fix_text(name));
        for (name, value) in &mut build.args {
            self.fix_text(name);
            self.fix(&mut value.value);
        }
        let specs = build.cache_from.iter_mut().chain(&mut build.cache_to).chain(&mut build.outputs);
        specs.for_each(|spec| self.fix_spec(&mut spec.value));
        let lists = [
            &mut build.tags,
            &mut build.platforms,
            &mut build.no_cache_filter,
            &mut build.pulled_before,
            &mut build.kept,
        ];
        lists.into_iter().flatten().for_each(|value| self.fix(&mut value.value));
        let single =
            [&mut build.target, &mut build.push, &mut build.load, &mut build.no_cache, &mut build.pull];
        for setting in single.into_iter().flatten() {
            self.fix(&mut setting.value);
        }
        build.builder.versions.retain(|(_, version)| !self.has(&version.value));
    }
}

/// Replaces the expressions of `text`. `find` gives the next one at or after an offset (as a range with its braces), and
/// `fill` what to put for the bytes of one. Borrows where there is none.
pub(super) fn fill<'a>(
    text: &Joined<'a>,
    holes: &mut Holes,
    find: &dyn Fn(&str, usize) -> Option<Range<usize>>,
    fill: &mut dyn FnMut(&str, &mut Holes) -> String,
) -> Joined<'a> {
    let whole: &str = &text.text;
    let Some(mut range) = find(whole, 0) else { return text.clone() };
    let mut builder = Builder { text: String::with_capacity(whole.len()), segments: Vec::new() };
    let mut at = 0;
    loop {
        builder.copy(text, at..range.start);
        let expression = whole.get(range.clone()).unwrap_or("");
        let mut filled = fill(expression, holes);
        holes.spent += filled.len();
        if filled.len() > MAX_FILLED || holes.spent > MAX_SPENT {
            filled = holes.stand_in(expression.to_owned(), Volatility::Unknown).to_string();
        }
        if filled == expression {
            // What stays as it is written has all of its places.
            builder.copy(text, range.clone());
        } else {
            builder.replace(text, range.clone(), &filled);
        }
        // Progress whatever `find` says.
        at = range.end.max(at + 1);
        match find(whole, at) {
            Some(next) if next.start >= at => range = next,
            _ => break,
        }
    }
    builder.copy(text, at..whole.len());
    Joined::decoded(Cow::Owned(builder.text), builder.segments, text.full_span().end)
}

struct Builder {
    text: String,
    segments: Vec<Segment>,
}

impl Builder {
    fn segment(&mut self, joined: usize, source: u32) {
        self.segments.push(Segment { joined: u32::try_from(joined).unwrap_or(u32::MAX), source });
    }

    fn copy(&mut self, from: &Joined<'_>, range: Range<usize>) {
        let Some(stretch) = from.text.get(range.clone()).filter(|stretch| !stretch.is_empty()) else {
            return;
        };
        let base = self.text.len();
        self.segment(base, from.offset(range.start));
        for segment in from.breaks(range.clone()) {
            self.segment(base + (segment.joined as usize - range.start), segment.source);
        }
        self.text.push_str(stretch);
    }

    /// Every word and every item of a list leads to all of the expression that it comes from.
    fn replace(&mut self, from: &Joined<'_>, range: Range<usize>, with: &str) {
        let base = self.text.len();
        let span = from.span(range.start, range.end);
        let last = span.end.saturating_sub(1).max(span.start);
        let mut start_of_word = true;
        for (at, ch) in with.char_indices() {
            let separator = ch.is_whitespace() || ch == ',';
            let end_of_char = base + at + ch.len_utf8() - 1;
            self.segment(base + at, if start_of_word || separator { span.start } else { last });
            if end_of_char > base + at || (start_of_word && !separator && ends_word(with, at + ch.len_utf8()))
            {
                self.segment(end_of_char, last);
            }
            start_of_word = separator;
        }
        self.text.push_str(with);
    }
}

/// Whether no word goes on at `at`.
fn ends_word(text: &str, at: usize) -> bool {
    text.get(at..).and_then(|rest| rest.chars().next()).is_none_or(|ch| ch.is_whitespace() || ch == ',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn find(text: &str, from: usize) -> Option<Range<usize>> {
        let start = from + text.get(from..)?.find("${{")?;
        let end = start + text.get(start..)?.find("}}")? + 2;
        Some(start..end)
    }

    #[test]
    fn known_expressions_are_replaced_and_unknown_ones_come_back() {
        let source = "run: docker build -t 'x:${{ a }}' ${{ b }}/z .";
        let text = Joined::whole(source, Span::new(5, source.len()));
        let mut holes = Holes::default();
        let filled = fill(&text, &mut holes, &find, &mut |expression, holes| match expression {
            "${{ a }}" => holes.stand_in("${{ a }}".into(), Volatility::PerCommit).to_string(),
            _ => "ctx".into(),
        });
        let tag = filled.text.find("x:").unwrap();
        let word = filled.text.get(tag..).unwrap().split('\'').next().unwrap().to_owned();
        assert_eq!(holes.written(&word), Some(("x:${{ a }}".into(), Volatility::PerCommit)));
        assert_eq!(filled.span(tag, tag + word.len()).of(source), "x:${{ a }}");
        let context = filled.text.find("ctx/z").unwrap();
        assert_eq!(filled.span(context, context + 5).of(source), "${{ b }}/z");
        assert!(filled.text.ends_with(" ctx/z ."));
        assert_eq!(filled.span(context + 6, context + 7).of(source), ".");
    }

    #[test]
    fn a_text_without_expressions_stays_borrowed() {
        let source = "plain";
        let text = Joined::whole(source, Span::new(0, 5));
        let filled = fill(&text, &mut Holes::default(), &find, &mut |_, _| String::new());
        assert!(matches!(filled.text, Cow::Borrowed("plain")));
    }
}
