//! Text that is made to hurt. Each would take minutes if the time were not linear.

use crate::{lossless, problems};
use hitrate::dockerfile::{Dockerfile, expand, parse};

const MIB: usize = 1024 * 1024;

/// Enough to tell linear from quadratic, and quick in a debug build.
const SIZE: usize = MIB / 4;

fn check(source: &str) -> Dockerfile<'_> {
    let file = parse(source);
    lossless(&file);
    file
}

/// `part` as often as it fits, after a FROM.
fn fill(start: &str, part: &str) -> String {
    format!("FROM a\n{start}{}", part.repeat(SIZE / part.len()))
}

#[test]
fn many_instructions() {
    assert_eq!(check(&"RUN echo a && \\\n  echo b\n".repeat(10_000)).items.len(), 10_000);
    check(&fill("", "\n"));
    check(&fill("", "ENV a=$a$a\n"));
    check(&fill("", "x\n"));
}

#[test]
fn as_large_as_a_file_may_be() {
    check(&format!("FROM a\nRUN {}", "x".repeat(4 * MIB)));
    check(&format!("FROM a\nRUN {}", "x \\\n".repeat(MIB)));
    check(&format!("FROM a\nRUN <<E\n{}", "x y\n".repeat(MIB)));
}

#[test]
fn one_huge_line() {
    for start in [
        "",
        "RUN ",
        "RUN [",
        "COPY ",
        "ENV a=b ",
        "ENV ",
        "ARG ",
        "LABEL a=\"",
        "FROM ",
        "# escape=",
        "HEALTHCHECK CMD ",
    ] {
        for part in [
            "x", " ", "x ", "a=b ", "\"", "'", "\\", "\\ ", "\r", "\u{a0}", "[", "\"a\",", "{\"a\":", "$",
            "${a:-", "<", "--", "é",
        ] {
            check(&fill(start, part));
        }
    }
}

#[test]
fn one_huge_instruction() {
    for start in ["RUN a \\\n", "COPY a \\\n", "ENV a=b \\\n", "RUN --mount=a=b,\\\n"] {
        for part in ["\\\n", "x \\\n", "a=b \\\n", "# c\n", "\n", "<<E \\\n", "--link \\\n", "\"\\\n"] {
            check(&fill(start, part));
        }
    }
}

#[test]
fn many_flags_and_mounts() {
    check(&fill("RUN ", "--mount=type=cache,target=/a "));
    check(&fill("COPY ", "--chown=a "));
    check(&fill("COPY ", "--x\\ "));
    check(&fill("RUN --mount=", "a=b,"));
    check(&fill("RUN --mount='", "\"\"\"\","));
}

#[test]
fn heredocs() {
    assert_eq!(problems(&fill("RUN <<E\n", "x\n")), ["unterminated heredoc"]);
    let file = fill("RUN ", "<<E ");
    assert!(check(&file).instructions().nth(1).unwrap().heredocs.len() > 50_000);
    let markers = "<<A <<B ".repeat(4_000);
    let bodies = "x\nA\ny\nB\n".repeat(4_000);
    let source = format!("FROM a\nCOPY {markers}/d\n{bodies}RUN z\n");
    let file = check(&source);
    assert_eq!(file.instructions().count(), 3);
    assert_eq!(file.problems().count(), 0);
    check(&fill("RUN ", "<<\"a\\ "));
}

#[test]
fn nesting() {
    check(&fill("", "ONBUILD "));
    check(&fill("RUN ", "["));
    check(&format!("FROM a\nRUN {}{}", "[".repeat(9_999), "]".repeat(9_999)));
    check(&"{\"syntax\":".repeat(20_000));
    check(&fill("COPY <<E ", "${a:-"));
}

#[test]
fn expansion() {
    let none = |_: &str| None;
    for part in ["$a", "${a:-", "${a:-b}", "\"$a\"", "'", "\\", "${a//b/c}", "${a#", "<", "${", "}"] {
        let text = part.repeat(SIZE / part.len());
        let _ = expand::word(&text, '\\', &none);
        let _ = expand::words(&text, '\\', &none);
        let _ = expand::variables(&text, '\\');
    }
}
