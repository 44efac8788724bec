//! The parser: items, continuations, flags and typed views.
#![allow(clippy::unwrap_used)] // helpers of tests

use hitrate::dockerfile::{Command, Dockerfile, Instruction, ItemKind, Keyword, Kind, parse};

/// The items' spans are contiguous and cover the source.
fn assert_lossless(file: &Dockerfile<'_>) {
    let mut at = 0;
    for item in &file.items {
        assert_eq!(item.span.start, at);
        assert!(item.span.end > at, "an item is never empty");
        at = item.span.end;
    }
    assert_eq!(at as usize, file.source.len());
}

fn clean(source: &str) -> Dockerfile<'_> {
    let file = parse(source);
    assert_lossless(&file);
    for item in &file.items {
        assert!(!matches!(item.kind, ItemKind::Error(_)), "{:?}", item.kind);
    }
    for instruction in file.instructions() {
        assert_eq!(instruction.problems, [], "{source}");
    }
    file
}

fn one<'f, 'a>(file: &'f Dockerfile<'a>, keyword: Keyword) -> &'f Instruction<'a> {
    file.instructions().find(|instruction| instruction.keyword == keyword).unwrap()
}

#[test]
fn every_piece_of_a_file_is_an_item() {
    let source = "\u{FEFF}# syntax=docker/dockerfile:1\n\n# note\nFROM a\n \t\nRUN b \\\n\n # c\n  d\n";
    let file = clean(source);
    let kinds: Vec<_> = file
        .items
        .iter()
        .map(|item| match &item.kind {
            ItemKind::Bom => "bom",
            ItemKind::Blank => "blank",
            ItemKind::Comment => "comment",
            ItemKind::Directive => "directive",
            ItemKind::Instruction(instruction) => instruction.keyword.name(),
            ItemKind::Error(_) => "error",
        })
        .collect();
    assert_eq!(kinds, ["bom", "directive", "blank", "comment", "FROM", "blank", "RUN"]);
    let run = one(&file, Keyword::Run);
    assert_eq!(run.args.text, "b   d");
    assert_eq!(run.comments.iter().map(|span| span.of(source)).collect::<Vec<_>>(), ["# c"]);
    assert_eq!(run.span.of(source), "RUN b \\\n\n # c\n  d");
}

#[test]
fn a_run_keeps_what_enters_its_cache_key() {
    // The recorded builds run/continuation-indent, run/comment-in-continuation-*, run/space-inside-command.
    let args = |source: &str| one(&clean(source), Keyword::Run).args.text.to_string();
    let plain = args("FROM a\nRUN echo a && \\\n  echo b\n");
    assert_eq!(plain, "echo a &&   echo b");
    assert_ne!(args("FROM a\nRUN echo a && \\\n      echo b\n"), plain);
    assert_eq!(args("FROM a\nRUN echo a && \\\n# note\n  echo b\n"), plain);
    assert_eq!(args("FROM a\nRUN echo a && \\\n\n# two\n\n  echo b\n"), plain);
    assert_eq!(args("FROM a\r\nrun   echo a && \\ \t\r\n  echo b  \r\n"), plain);
    assert_ne!(args("FROM a\nRUN echo a  && \\\n  echo b\n"), plain);
}

#[test]
fn heredocs_have_their_bodies() {
    let source = "FROM a\nCOPY <<one 3<<-'two' /d\n1\none\n\t2\n\ttwo\nRUN <<E\nx\nE\nRUN true\n";
    let file = clean(source);
    let copy = one(&file, Keyword::Copy);
    let heredocs: Vec<_> = copy
        .heredocs
        .iter()
        .map(|doc| {
            (&*doc.name, doc.marker.of(source), doc.body.of(source), doc.expand, doc.chomp, doc.descriptor)
        })
        .collect();
    assert_eq!(
        heredocs,
        [("one", "<<one", "1\n", true, false, None), ("two", "3<<-'two'", "\t2\n", false, true, Some(3))]
    );
    assert_eq!(copy.span.of(source), "COPY <<one 3<<-'two' /d\n1\none\n\t2\n\ttwo");
    assert_eq!(file.instructions().count(), 4);
}

#[test]
fn flags_and_mounts_are_decoded() {
    let source =
        "FROM a\nRUN --mount=type=cache,target=/c --mount='type=bind,\"target=/a,b\"' --network=none x\n";
    let file = clean(source);
    let Kind::Run(run) = &one(&file, Keyword::Run).kind else { panic!() };
    let options: Vec<Vec<_>> = run
        .mounts
        .iter()
        .map(|mount| {
            let option = |option: &hitrate::dockerfile::MountOption<'_>| {
                (option.key.to_string(), option.value.as_ref().map(|value| value.text.to_string()))
            };
            mount.options.iter().map(option).collect()
        })
        .collect();
    let pair = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
    assert_eq!(
        options,
        [
            vec![pair("type", "cache"), pair("target", "/c")],
            vec![pair("type", "bind"), pair("target", "/a,b")]
        ]
    );
    assert_eq!(run.network.as_ref().unwrap().span.of(source), "none");
    assert!(matches!(&run.command, Command::Shell(text) if text.text == "x"));
}
