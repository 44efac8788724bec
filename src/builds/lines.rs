//! Script texts out of YAML: lists of lines as one script, lists of arguments as one command.

use super::command::{self, ScriptEnv, ScriptText};
use super::template::Holes;
use super::yaml::Node;
use super::{Build, Files};
use crate::shell::Dialect;
use crate::source::{Joined, Segment, Span};
use std::borrow::Cow;

/// The line of a Makefile or justfile at `at` with those that are joined to it, without its end; `joins` tells whether one
/// that ends so goes on in the next.
pub(super) fn logical(text: &str, at: usize, joins: impl Fn(&[u8]) -> bool) -> Span {
    let bytes = text.as_bytes();
    let mut end = at;
    loop {
        let rest = bytes.get(end..).unwrap_or(b"");
        let Some(newline) = memchr::memchr(b'\n', rest) else { return Span::new(at, text.len()) };
        end += newline;
        let before = bytes.get(at..end).unwrap_or(b"");
        if !joins(before.strip_suffix(b"\r").unwrap_or(before)) {
            return Span::new(at, end);
        }
        end += 1;
    }
}

/// Texts of one file as the lines of one script.
pub(super) fn together<'t>(texts: impl Iterator<Item = &'t Joined<'t>>) -> Joined<'static> {
    let mut builder = Builder::default();
    for part in texts {
        builder.copy(part, 0..part.text.len());
        if !builder.text.ends_with('\n') {
            builder.put('\n', builder.end);
        }
    }
    builder.finish()
}

/// Arguments that a program gets as they are, as a command line in which each is one word. Variables (`$X`) in them are
/// still followed; what a shell would make of other characters is taken from them.
pub(super) fn command_line<'t>(program: &str, args: impl Iterator<Item = &'t Joined<'t>>) -> Joined<'static> {
    let mut builder = Builder::default();
    let mut first = true;
    for arg in args {
        let start = arg.full_span().start;
        if first {
            // The program stands where its arguments begin.
            program.chars().for_each(|ch| builder.put(ch, start));
            first = false;
        }
        builder.put(' ', start);
        builder.put('"', start);
        let mut at = 0;
        for (index, ch) in arg.text.char_indices() {
            if matches!(ch, '"' | '\\' | '`') {
                builder.copy(arg, at..index);
                builder.put('\\', arg.offset(index));
                at = index;
            }
        }
        builder.copy(arg, at..arg.text.len());
        builder.put('"', arg.full_span().end.saturating_sub(1).max(start));
    }
    builder.finish()
}

/// Texts of one file one after the other.
pub(super) fn end_to_end<'t>(texts: impl Iterator<Item = &'t Joined<'t>>) -> Joined<'static> {
    let mut builder = Builder::default();
    texts.for_each(|part| builder.copy(part, 0..part.text.len()));
    builder.finish()
}

/// A text with more before and behind it, which stands where the text does.
pub(super) fn around(before: &str, text: &Joined<'_>, behind: &str) -> Joined<'static> {
    let mut builder = Builder::default();
    let span = text.full_span();
    before.chars().for_each(|ch| builder.put(ch, span.start));
    builder.copy(text, 0..text.text.len());
    // At the last character of one byte, so that no place is inside of one.
    let last = text.text.char_indices().rev().find(|(_, ch)| ch.is_ascii());
    let last = last.map_or(span.start, |(index, _)| text.offset(index));
    behind.chars().for_each(|ch| builder.put(ch, last));
    builder.finish()
}

/// A text that stands for `span` as a whole: it was put together from what is written there. Every word leads to the end of
/// the span and from its start, a byte later than the word before, so that no two have the same place.
pub(super) fn at(text: &str, span: Span) -> Joined<'static> {
    let mut builder = Builder::default();
    let last = span.end.saturating_sub(1).max(span.start);
    let mut next = span.start;
    let mut inside = false;
    for (index, ch) in text.char_indices() {
        let word = !ch.is_whitespace();
        if word && !inside {
            builder.segment(index, next);
            next = next.saturating_add(1).min(last);
        } else {
            builder.segment(index, if word { last } else { next });
        }
        builder.text.push(ch);
        inside = word;
    }
    builder.end = span.end;
    builder.finish()
}

#[derive(Default)]
struct Builder {
    text: String,
    segments: Vec<Segment>,
    end: u32,
}

impl Builder {
    fn segment(&mut self, joined: usize, source: u32) {
        self.segments.push(Segment { joined: u32::try_from(joined).unwrap_or(u32::MAX), source });
    }

    fn put(&mut self, ch: char, source: u32) {
        self.segment(self.text.len(), source);
        self.text.push(ch);
        self.end = self.end.max(source);
    }

    fn copy(&mut self, from: &Joined<'_>, range: std::ops::Range<usize>) {
        let Some(stretch) = from.text.get(range.clone()).filter(|stretch| !stretch.is_empty()) else {
            return;
        };
        let base = self.text.len();
        self.segment(base, from.offset(range.start));
        for segment in from.breaks(range.clone()) {
            self.segment(base + (segment.joined as usize - range.start), segment.source);
        }
        self.text.push_str(stretch);
        self.end = from.span(range.start, range.end).end;
    }

    fn finish(self) -> Joined<'static> {
        Joined::decoded(Cow::Owned(self.text), self.segments, self.end)
    }
}

/// A job's scripts on their way: all of one list of builds.
pub(super) struct Scripts<'j, 'f> {
    /// The file's text.
    pub source: &'j str,
    /// The job.
    pub env: ScriptEnv,
    /// Other files.
    pub files: Files<'f>,
    /// Unknown expressions of the file.
    pub holes: Holes,
    /// The builds found.
    pub builds: Vec<Build>,
}

impl<'j, 'f> Scripts<'j, 'f> {
    /// A job that has run nothing yet.
    pub(super) fn new(source: &'j str, env: ScriptEnv, files: Files<'f>) -> Self {
        Self { source, env, files, holes: Holes::default(), builds: Vec::new() }
    }

    /// Runs a text.
    pub(super) fn run(&mut self, joined: &Joined<'_>, dialect: Dialect) {
        if !command::may_build(&joined.text) {
            return;
        }
        let text = ScriptText { source: self.source, joined, dialect };
        command::read_script(&text, &mut self.env, self.files, &mut self.builds);
    }

    /// Runs the lines of a list, or one text, after `fill`.
    pub(super) fn run_node(
        &mut self,
        node: &Node<'_>,
        fill: &mut dyn FnMut(&Joined<'_>, &mut Holes) -> Joined<'static>,
    ) {
        let mut parts = Vec::new();
        texts(node, 0, &mut parts);
        let filled: Vec<Joined<'static>> = parts.iter().map(|text| fill(text, &mut self.holes)).collect();
        self.run(&together(filled.iter()), Dialect::Posix);
    }

    /// The builds, unknown expressions put back.
    pub(super) fn finish(self) -> Vec<Build> {
        let mut builds = self.builds;
        builds.iter_mut().for_each(|build| self.holes.restore(build));
        builds
    }
}

/// The texts of a scalar or of a list, nested lists taken in.
fn texts<'n, 'a>(node: &'n Node<'a>, depth: u32, out: &mut Vec<&'n Joined<'a>>) {
    if let Some(text) = node.text() {
        if !node.is_null() {
            out.push(text);
        }
    } else if depth < 16 {
        node.items().iter().for_each(|item| texts(item, depth + 1, out));
    }
}

/// A text as it is.
pub(super) fn as_is(text: &Joined<'_>, _: &mut Holes) -> Joined<'static> {
    end_to_end(std::iter::once(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::System;

    #[test]
    fn arguments_are_words_whatever_is_in_them() {
        let source = r#"[build, "--build-arg=X=a b 'c' \"d\" \\e", -t, "r/$NAME:1", .]"#;
        let root = crate::builds::yaml::parse(source).unwrap().unwrap();
        let line = command_line("docker", root.items().iter().filter_map(|item| item.text()));
        let mut scripts = Scripts::new(source, ScriptEnv::new("x", System::CloudBuild), &|_| None);
        scripts.run(&line, Dialect::Posix);
        let build = scripts.finish().remove(0);
        assert_eq!(build.args[0].0, "X");
        assert_eq!(build.args[0].1.value.text(), "a b 'c' \"d\" \\e");
        assert_eq!(build.tags[0].value.text(), "r/$NAME:1");
        assert_eq!(build.tags[0].span.of(source), "r/$NAME:1");
        assert_eq!(build.context.span.of(source), ".");
        assert!(build.span.of(source).starts_with("build"));
    }
}
