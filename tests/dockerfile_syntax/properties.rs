//! Properties of any text: lossless, every place right, the same in every dress.

use crate::lossless;
use hitrate::dockerfile::{Command, Dockerfile, Instruction, ItemKind, Kind, Word, expand, heredoc, parse};
use hitrate::source::{Joined, Span};
use proptest::prelude::*;
use std::borrow::Cow;

/// Pieces that mean something to some part of the parser.
const PIECES: &[&str] = &[
    "FROM a",
    "FROM a AS b",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "LABEL",
    "CMD",
    "ENTRYPOINT",
    "EXPOSE",
    "VOLUME",
    "HEALTHCHECK",
    "ONBUILD",
    "SHELL",
    "WORKDIR",
    "USER",
    "run",
    "FOO",
    " ",
    " ",
    " ",
    "\t",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\\",
    "\\\n",
    "\\ \n",
    "`",
    "`\n",
    "# c\n",
    "# escape=`\n",
    "# syntax=a\n",
    "#",
    "<<E",
    "<<-E",
    "<<'E F'",
    "3<<E",
    "\nE\n",
    "\n\tE\n",
    "--from=a",
    "--link",
    "--mount=type=cache,target=/x",
    "--mount='a=\"b\"'",
    "--",
    "--x=\\ ",
    "[\"a\", \"b\"]",
    "[\"\\u00e9\\n\"]",
    "[1]",
    "[",
    "]",
    "\"",
    "'",
    "$a",
    "${a:-b}",
    "${a",
    "${a//b/c}",
    "=",
    "a=b",
    "a=\"b c\"",
    "é",
    "\u{a0}",
    "\u{FEFF}",
    "\0",
    "x",
    ",",
    "NONE",
];

fn pieces() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// The place of a word that is borrowed is its text.
fn word(file: &Dockerfile<'_>, item: Span, word: &Word<'_>) {
    assert!(item.contains(word.span), "{word:?}");
    let place = file.source.get(word.span.range()).unwrap();
    if let Cow::Borrowed(text) = word.text {
        assert_eq!(text, place);
    }
}

/// Every character of a joined text stands where it says.
fn joined(file: &Dockerfile<'_>, item: Span, text: &Joined<'_>) {
    assert!(item.contains(text.full_span()));
    for (at, c) in text.text.char_indices() {
        let span = text.span(at, at + c.len_utf8());
        assert_eq!(file.source.get(span.range()), Some(c.encode_utf8(&mut [0; 4]) as &str));
    }
}

fn command(file: &Dockerfile<'_>, item: Span, it: &Command<'_>) {
    match it {
        Command::Shell(text) => joined(file, item, text),
        Command::Exec(words) => words.iter().for_each(|it| word(file, item, it)),
    }
}

fn instruction(file: &Dockerfile<'_>, item: Span, it: &Instruction<'_>) {
    let inside = |span: Span| {
        assert!(item.contains(span) && file.source.get(span.range()).is_some(), "{span:?} of {it:?}");
    };
    inside(it.span);
    assert!(it.span.contains(it.keyword_span));
    joined(file, item, &it.args);
    it.comments.iter().for_each(|span| assert!(span.of(file.source).starts_with('#')));
    it.problems.iter().for_each(|problem| inside(problem.span));
    let mut before = it.span.start;
    for doc in &it.heredocs {
        assert!(it.span.contains(doc.marker));
        inside(doc.body);
        assert!(before <= doc.body.start);
        before = doc.body.end;
        let _ = heredoc::content(file.source, doc);
    }
    for flag in &it.flags {
        inside(flag.span);
        assert!(flag.span.of(file.source).starts_with('-'));
        flag.value.iter().for_each(|it| word(file, item, it));
    }
    let words: Vec<&Word<'_>> = match &it.kind {
        Kind::From(from) => {
            [Some(&from.image), from.name.as_ref(), from.platform.as_ref()].into_iter().flatten().collect()
        }
        Kind::Run(run) => {
            command(file, item, &run.command);
            for mount in &run.mounts {
                inside(mount.span);
                mount.options.iter().for_each(|option| inside(option.span));
            }
            run.mounts.iter().flat_map(|mount| &mount.options).filter_map(|it| it.value.as_ref()).collect()
        }
        Kind::Copy(copy) => copy.sources.iter().chain([&copy.dest]).chain(&copy.exclude).collect(),
        Kind::Env(pairs) | Kind::Label(pairs) => pairs.iter().flat_map(|it| [&it.key, &it.value]).collect(),
        Kind::Arg(args) => {
            args.iter().flat_map(|it| [Some(&it.name), it.default.as_ref()]).flatten().collect()
        }
        Kind::Workdir(it) | Kind::User(it) | Kind::Stopsignal(it) | Kind::Maintainer(it) => vec![it],
        Kind::Shell(list) | Kind::Expose(list) | Kind::Volume(list) => list.iter().collect(),
        Kind::Cmd(it) | Kind::Entrypoint(it) | Kind::Healthcheck(Some(it)) => {
            command(file, item, it);
            vec![]
        }
        Kind::Onbuild(inner) => {
            assert!(it.span.contains(inner.span));
            instruction(file, item, inner);
            vec![]
        }
        Kind::Healthcheck(None) | Kind::Invalid => vec![],
    };
    words.into_iter().for_each(|it| word(file, item, it));
    let _ = heredoc::script(file.source, it);
}

fn check(source: &str) {
    let file = parse(source);
    lossless(&file);
    for item in &file.items {
        match &item.kind {
            ItemKind::Instruction(it) => instruction(&file, item.span, it),
            ItemKind::Error(problem) => assert!(item.span.contains(problem.span)),
            _ => {}
        }
    }
}

/// What BuildKit would take from a file: keywords, arguments, flags and problems.
fn meaning(source: &str) -> Vec<String> {
    let view = |it: &Instruction<'_>| {
        let flags: Vec<_> =
            it.flags.iter().map(|flag| (&flag.name, flag.value.as_ref().map(|it| &it.text))).collect();
        let problems: Vec<_> = it.problems.iter().map(|problem| &problem.message).collect();
        format!("{:?} {:?} {flags:?} {problems:?} {}", it.keyword, it.args.text, it.heredocs.len())
    };
    parse(source).instructions().map(view).collect()
}

fn dockerfile() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("RUN apt-get update && \\\n    # note\n\n  apt-get install -y a\n".to_owned()),
        Just("ENV a=b \\\n  c=\"d \\\n e\"\n".to_owned()),
        Just("COPY --link --from=build \\\n /a /b\n".to_owned()),
        Just("RUN --mount=type=cache,\\\ntarget=/c [\"a\", \\\n \"b\"]\n".to_owned()),
        Just("HEALTHCHECK --interval=5s \\\n CMD a \\\n   b\n".to_owned()),
        "(WORKDIR|USER|CMD|ENTRYPOINT|EXPOSE|VOLUME|LABEL|ARG) [a-z=/ \"']{1,20}\n",
        "# [a-z ]{0,10}\n",
        "[ \t]{0,3}\n",
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| format!("FROM a AS b\n{}", lines.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_loss(source in any::<String>()) {
        check(&source);
    }

    #[test]
    fn any_pieces_are_read_without_loss(source in pieces()) {
        check(&source);
    }

    #[test]
    fn a_stage_of_pieces_is_read_without_loss(source in pieces()) {
        check(&format!("FROM a\n{source}"));
    }

    #[test]
    fn line_ends_do_not_matter(source in dockerfile()) {
        check(&source);
        prop_assert_eq!(meaning(&source), meaning(&source.replace('\n', "\r\n")));
    }

    #[test]
    fn the_escape_character_does_not_matter(source in dockerfile()) {
        let other = format!("# escape=`\n{}", source.replace('\\', "`"));
        check(&other);
        prop_assert_eq!(meaning(&source), meaning(&other));
    }

    #[test]
    fn a_line_may_be_split_anywhere(source in "RUN [a-z]{1,8} [a-z=/ ]{0,20}", at in 0..20usize) {
        let whole = format!("FROM a\n{source}\n");
        let (before, after) = source.split_at(at.min(source.len()));
        let split = format!("FROM a\n{before}\\\n# note\n{after}\n");
        check(&split);
        prop_assert_eq!(meaning(&whole), meaning(&split));
    }

    #[test]
    fn expansion_is_total(raw in pieces()) {
        let env = |name: &str| (name == "a").then_some(Cow::Borrowed("x y"));
        for escape in ['\\', '`'] {
            let plain = expand::word(&raw, escape, &env);
            let full = expand::evaluate(&raw, expand::Options::new(escape), &env);
            prop_assert_eq!(plain.ok(), full.ok().map(|it| it.text));
            for variable in expand::variables(&raw, escape) {
                prop_assert!(raw[variable.range].contains(variable.name));
            }
        }
    }
}
