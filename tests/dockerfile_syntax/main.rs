//! The Dockerfile front end. What is expected comes from BuildKit's parser and from the recorded builds.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod directives;
mod expand;
mod files;
mod flags;
mod heredocs;
mod hostile;
mod instructions;
mod items;
mod properties;

use hitrate::dockerfile::{Dockerfile, Instruction, Keyword, Word, parse};

/// Parses what BuildKit takes: no problem anywhere.
fn clean(source: &str) -> Dockerfile<'_> {
    let file = parse(source);
    lossless(&file);
    assert_eq!(file.problems().collect::<Vec<_>>(), Vec::<&_>::new(), "{source}");
    file
}

/// Parses, and gives the problems' words.
fn problems(source: &str) -> Vec<String> {
    let file = parse(source);
    lossless(&file);
    file.problems().map(|problem| problem.message.to_string()).collect()
}

/// The items' spans are contiguous and cover the source.
fn lossless(file: &Dockerfile<'_>) {
    let mut at = 0;
    for item in &file.items {
        assert_eq!(item.span.start, at);
        assert!(item.span.end > at, "an item is never empty");
        assert!(file.source.get(item.span.range()).is_some());
        at = item.span.end;
    }
    assert_eq!(at as usize, file.source.len());
}

/// The only instruction `keyword`.
fn one<'f, 'a>(file: &'f Dockerfile<'a>, keyword: Keyword) -> &'f Instruction<'a> {
    let mut found = file.instructions().filter(|instruction| instruction.keyword == keyword);
    let one = found.next().unwrap();
    assert!(found.next().is_none());
    one
}

/// The only instruction but FROM.
fn body<'f, 'a>(file: &'f Dockerfile<'a>) -> &'f Instruction<'a> {
    let mut found = file.instructions().filter(|instruction| instruction.keyword != Keyword::From);
    let one = found.next().unwrap();
    assert!(found.next().is_none());
    one
}

fn texts(words: &[Word<'_>]) -> Vec<String> {
    words.iter().map(|word| word.text.to_string()).collect()
}
