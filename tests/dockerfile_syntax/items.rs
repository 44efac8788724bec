//! Lines, continuations, comments.

use crate::{body, clean, lossless, one, problems};
use hitrate::dockerfile::{ItemKind, Keyword, parse};

fn kinds(source: &str) -> Vec<&'static str> {
    let file = parse(source);
    lossless(&file);
    let name = |kind: &ItemKind<'_>| match kind {
        ItemKind::Bom => "bom",
        ItemKind::Blank => "blank",
        ItemKind::Comment => "comment",
        ItemKind::Directive => "directive",
        ItemKind::Instruction(instruction) => instruction.keyword.name(),
        ItemKind::Error(_) => "error",
    };
    file.items.iter().map(|item| name(&item.kind)).collect()
}

/// The arguments of the only RUN in a stage.
fn run(text: &str) -> String {
    let source = format!("FROM a\n{text}");
    one(&clean(&source), Keyword::Run).args.text.to_string()
}

#[test]
fn every_piece_of_a_file_is_an_item() {
    let source = "\u{FEFF}# syntax=docker/dockerfile:1\n\n# note\nFROM a\n \t\nRUN b \\\n\n # c\n  d\n";
    assert_eq!(kinds(source), ["bom", "directive", "blank", "comment", "FROM", "blank", "RUN"]);
    let file = clean(source);
    let run = one(&file, Keyword::Run);
    assert_eq!(run.args.text, "b   d");
    assert_eq!(run.comments.iter().map(|span| span.of(source)).collect::<Vec<_>>(), ["# c"]);
    assert_eq!(run.span.of(source), "RUN b \\\n\n # c\n  d");
    assert_eq!(run.keyword_span.of(source), "RUN");
}

#[test]
fn small_files() {
    assert_eq!(kinds(""), [""; 0]);
    assert_eq!(kinds("\u{FEFF}"), ["bom"]);
    assert_eq!(kinds("\n"), ["blank"]);
    assert_eq!(kinds("\r"), ["blank"]);
    assert_eq!(kinds("  "), ["blank"]);
    assert_eq!(kinds("#"), ["comment"]);
    assert_eq!(kinds("FROM a"), ["FROM"]);
    assert_eq!(kinds("\tfrom\ta\r\n\r\n"), ["FROM", "blank"]);
    assert_eq!(kinds("\\\n"), ["error"]);
}

#[test]
fn a_run_keeps_what_enters_its_cache_key() {
    // The recorded builds run/continuation-indent, run/comment-in-continuation-*, run/space-inside-command,
    // dockerfile/indent, dockerfile/keyword-case, dockerfile/crlf.
    let plain = run("RUN echo a && \\\n  echo b\n");
    assert_eq!(plain, "echo a &&   echo b");
    assert_ne!(run("RUN echo a && \\\n      echo b\n"), plain);
    assert_eq!(run("RUN echo a && \\\n# note\n  echo b\n"), plain);
    assert_eq!(run("RUN echo a && \\\n\n \t# two\n\n  echo b\n"), plain);
    assert_eq!(run("  run   echo a && \\ \t\r\n  echo b  \r\n"), plain);
    assert_ne!(run("RUN echo a  && \\\n  echo b\n"), plain);
}

#[test]
fn continuations() {
    // An escape character after another one does not continue the line, whatever comes before.
    assert_eq!(run("RUN a \\\\\n"), "a \\\\");
    assert_eq!(run("RUN a \\\\\\\n"), "a \\\\\\");
    // On a line of its own it continues to the next one.
    assert_eq!(run("RUN a \\\n\\\nb\n"), "a b");
    assert_eq!(run("\\\nRUN a\n"), "a");
    // The keyword and the flags may be split.
    assert_eq!(run("R\\\nUN --network=\\\nnone a\n"), "a");
    // Blank lines and comments up to the end of the file belong to it.
    assert_eq!(run("RUN a \\\n\n# b\n"), "a");
    // A carriage return inside the line is no line end.
    assert_eq!(run("RUN a\rb\r\r\n"), "a\rb");
    // A comment sign inside a line is text.
    assert_eq!(run("RUN a # b \\\n c\n"), "a # b  c");
}

#[test]
fn a_continued_line_knows_where_its_bytes_stand() {
    let source = "FROM a\nRUN one \\\n  # c\n\ttwo\\\nthree\n";
    let file = clean(source);
    let args = &body(&file).args;
    assert_eq!(args.text, "one \ttwothree");
    let at = |part: &str| args.text.find(part).unwrap();
    assert_eq!(args.span(at("two"), at("two") + 3).of(source), "two");
    assert_eq!(args.span(at("three"), args.text.len()).of(source), "three");
    assert_eq!(args.span(at("two"), args.text.len()).of(source), "two\\\nthree");
    assert_eq!(args.full_span().of(source), "one \\\n  # c\n\ttwo\\\nthree");
}

#[test]
fn the_escape_directive_changes_the_continuation() {
    let source = "# escape=`\nFROM a\nRUN dir c:\\ `\n  d:\\\nRUN x ``\n";
    let file = clean(source);
    let args: Vec<_> = file.instructions().skip(1).map(|run| run.args.text.to_string()).collect();
    assert_eq!(args, ["dir c:\\   d:\\", "x ``"]);
}

#[test]
fn what_is_no_instruction_is_an_error_and_parsing_goes_on() {
    let source = "FROM a\nRUNN x\nINCLUDE y \\\n z\nrum x\nWorkdri /\n-\nRUN b\n";
    assert_eq!(kinds(source), ["FROM", "error", "error", "error", "error", "error", "RUN"]);
    assert_eq!(
        problems(source),
        [
            "unknown instruction: RUNN (did you mean RUN?)",
            "unknown instruction: INCLUDE",
            "unknown instruction: rum (did you mean run?)",
            "unknown instruction: Workdri (did you mean workdir?)",
            "unknown instruction: -",
        ]
    );
    let file = parse(source);
    let places: Vec<_> = file.problems().map(|problem| problem.span.of(source)).collect();
    assert_eq!(places, ["RUNN", "INCLUDE", "rum", "Workdri", "-"]);
}

#[test]
fn only_arg_may_stand_before_from() {
    assert_eq!(problems("ARG a\nRUN b\nFROM c\nRUN d\n"), ["no build stage in current context"]);
}

#[test]
fn buildkit_reads_no_line_of_64_kib() {
    let long = "dockerfile line greater than max allowed size of 65535";
    let line = |len: usize, end: &str| format!("FROM a\nRUN {}{end}", "x".repeat(len - 4 - end.len()));
    assert_eq!(problems(&line(65_536, "\n")), [""; 0]);
    assert_eq!(problems(&line(65_537, "\n")), [long]);
    assert_eq!(problems(&line(65_535, "")), [""; 0]);
    assert_eq!(problems(&line(65_536, "")), [long]);
    assert_eq!(problems(&format!("FROM a\n#{}\nRUN b\n", "x".repeat(70_000))), [long]);
    assert_eq!(problems(&format!("FROM a\nRUN b \\\n#{}\n c\n", "x".repeat(70_000))), [long]);
    assert_eq!(problems(&format!("FROM a\nRUN <<E\n{}\nE\n", "x".repeat(70_000))), [long]);
    assert_eq!(problems(&format!("FROM a\nRUN <<E\n{}E\n", "xxxxxxx\n".repeat(10_000))), [""; 0]);
}
