//! The own parser beside the crate `dockerfile-parser`: where that one can read a file, both see the same instructions
//! at the same places, with the same images, stage names, paths and arguments.
#![allow(clippy::unwrap_used)] // helpers of tests

use dockerfile_parser::{Dockerfile, Instruction, ShellOrExecExpr};
use hitrate::dockerfile::{Command, Kind, Word, parse};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Of each instruction its keyword, its text without blanks at the end, and what both know of its parts.
type Seen = Vec<(String, String, Vec<String>)>;

fn own(source: &str) -> Seen {
    let text = |word: &Word<'_>| word.text.to_string();
    let exec = |command: &Command<'_>| match command {
        Command::Exec(words) => words.iter().map(text).collect(),
        Command::Shell(_) => vec![],
    };
    parse(source)
        .instructions()
        .map(|it| {
            let parts = match &it.kind {
                Kind::From(from) => {
                    [Some(&from.image), from.name.as_ref()].into_iter().flatten().map(text).collect()
                }
                Kind::Copy(copy) if it.keyword.name() == "COPY" => {
                    copy.sources.iter().chain([&copy.dest]).map(text).collect()
                }
                Kind::Run(run) => exec(&run.command),
                Kind::Cmd(command) | Kind::Entrypoint(command) => exec(command),
                Kind::Env(pairs) => pairs.iter().map(|pair| text(&pair.key)).collect(),
                _ => vec![],
            };
            (it.keyword.name().to_owned(), it.span.of(source).trim_end().to_owned(), parts)
        })
        .collect()
}

/// `None` where the crate refuses the file.
fn peer(source: &str) -> Option<Seen> {
    let file = Dockerfile::parse(source).ok()?;
    let exec = |command: &ShellOrExecExpr| match command {
        ShellOrExecExpr::Exec(array) => array.as_str_vec().into_iter().map(str::to_owned).collect(),
        ShellOrExecExpr::Shell(_) => vec![],
    };
    let view = |it: &Instruction| {
        let (name, span, parts) = match it {
            Instruction::From(it) => {
                let parts = [Some(&it.image), it.alias.as_ref()].into_iter().flatten();
                ("FROM", &it.span, parts.map(|part| part.content.clone()).collect())
            }
            Instruction::Arg(it) => ("ARG", &it.span, vec![]),
            Instruction::Label(it) => ("LABEL", &it.span, vec![]),
            Instruction::Run(it) => ("RUN", &it.span, exec(&it.expr)),
            Instruction::Entrypoint(it) => ("ENTRYPOINT", &it.span, exec(&it.expr)),
            Instruction::Cmd(it) => ("CMD", &it.span, exec(&it.expr)),
            Instruction::Copy(it) => {
                let parts = it.sources.iter().chain([&it.destination]);
                ("COPY", &it.span, parts.map(|part| part.content.clone()).collect())
            }
            Instruction::Env(it) => {
                ("ENV", &it.span, it.vars.iter().map(|it| it.key.content.clone()).collect())
            }
            Instruction::Misc(it) => (it.instruction.content.as_str(), &it.span, vec![]),
        };
        (name.to_uppercase(), source.get(span.start..span.end).unwrap_or("").trim_end().to_owned(), parts)
    };
    Some(file.instructions.iter().map(view).collect())
}

/// What BuildKit takes and the crate refuses.
const REFUSED: &[(&str, &str)] = &[
    ("a heredoc whose lines are no instructions", "FROM a\nCOPY <<E /x\n1 2\nE\n"),
    ("ARG with several names", "ARG a b\nFROM c\n"),
    ("ARG with a name that no shell takes", "ARG a.b=c\nFROM c\n"),
    ("ENV with a name that no shell takes", "FROM a\nENV b.c=d\n"),
    ("a stage name with a dot", "FROM a AS b.c\n"),
    ("a byte order mark", "\u{FEFF}FROM a\n"),
    ("blanks that are neither space nor tab", "FROM a\n\u{c}RUN b\n"),
    ("the other escape character", "# escape=`\nFROM a\nRUN b `\n  && c\n"),
    ("an instruction without arguments", "FROM a\nCMD\n"),
    ("an image with a default that has other characters", "FROM ${A:-b+c}\n"),
    ("nothing before the escape character", "\\\nFROM a\n"),
    ("a keyword on two lines", "FROM a\nRU\\\nN b\n"),
    ("an empty line in a RUN that goes on", "FROM a\nRUN b \\\n\n  c\n"),
];

/// What the crate reads as something else than BuildKit does.
const MISREAD: &[(&str, &str)] = &[
    ("a heredoc whose lines look like instructions", "FROM a\nRUN <<E\necho b\nE c\nE\n"),
    ("a flag without value is a path", "FROM a\nCOPY --link b c\n"),
    ("JSON paths are words", "FROM a\nCOPY [\"b\", \"c\"]\n"),
    ("single quotes make JSON", "FROM a\nCMD ['b']\n"),
    ("a comma at the end of JSON", "FROM a\nCMD [\"b\",]\n"),
    ("text after JSON is another instruction", "FROM a\nRUN [\"b\"] && c d\n"),
    ("two escape characters continue the line", "FROM a\nRUN b \\\\\nRUN c\n"),
];

#[test]
fn what_the_crate_refuses() {
    for (why, source) in REFUSED {
        assert_eq!(parse(source).problems().count(), 0, "{why}");
        assert_eq!(peer(source), None, "{why}");
    }
}

#[test]
fn what_the_crate_misreads() {
    for (why, source) in MISREAD {
        assert_eq!(parse(source).problems().count(), 0, "{why}");
        assert_ne!(peer(source), Some(own(source)), "{why}");
    }
}

#[test]
fn recorded_files() {
    let mut files = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth");
    for theme in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        for path in std::fs::read_dir(theme.path()).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(path.path()).unwrap();
            let scenario: serde_json::Value = serde_json::from_str(&text).unwrap();
            for build in scenario["truth"].as_array().into_iter().flatten() {
                files.insert(build["dockerfile"].as_str().unwrap().to_owned());
            }
        }
    }
    for source in &files {
        let misread = ["--link ", "--parents ", "COPY ["].iter().any(|part| source.contains(part));
        match peer(source) {
            Some(seen) if !misread => assert_eq!(own(source), seen, "{source}"),
            Some(_) => {}
            None => assert!(source.contains("<<") || misread, "{source}"),
        }
    }
}

/// Files of what both can read.
fn files() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "(FROM|from) [a-z]{1,5}(:[0-9.]{1,4})?( (AS|as) [a-z][a-z0-9-]{0,5})?",
        "FROM --platform=linux/amd64 [a-z]{1,5}",
        "(RUN|run|Run) [a-z]{1,6}( [-a-z/.$|>'\"]{1,8}){0,4}",
        "RUN [a-z]{1,6} \\\\\n( {0,4}# [a-z ]{0,9}\n){0,2}  [a-z]{1,5}( \\\\\n\t&& [a-z]{1,5}){0,2}",
        "(RUN|CMD|ENTRYPOINT) \\[\"[a-z]{1,5}\"(, \"[a-z -]{0,5}\"){0,3}\\]",
        "COPY( --from=[a-z0-9]{1,4})?( --chown=[a-z0-9:]{1,4})?( [a-z./*]{1,6}){1,3} /[a-z/]{0,5}",
        "ENV( [A-Z]{1,4}=[a-z0-9/.]{1,6}){1,3}",
        "ENV [A-Z]{1,4}=\"[a-z ]{0,6}\" \\\\\n  [A-Z]{1,4}='[a-z ]{0,6}'",
        "ARG [A-Z]{1,4}(=[a-z0-9./]{1,6})?",
        "LABEL [a-z.]{1,6}=\"[a-z ]{0,6}\"",
        "(ADD|WORKDIR|USER|EXPOSE|VOLUME|STOPSIGNAL|ONBUILD RUN|HEALTHCHECK CMD) [a-z/]{1,6}( [a-z/]{1,6})?",
        "# [a-z =]{0,9}",
        "[ \t]{0,3}",
    ];
    let end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n"), 1 => Just("\n\n")];
    let lines = proptest::collection::vec((line, end), 0..12);
    lines.prop_map(|lines| {
        lines.into_iter().fold("FROM a\n".to_owned(), |file, (line, end)| format!("{file}{line}{end}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_files(source in files()) {
        let seen = peer(&source);
        prop_assert_eq!(Some(own(&source)), seen);
    }
}
