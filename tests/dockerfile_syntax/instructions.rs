//! The typed views of each instruction.

use crate::{body, clean, problems, texts};
use hitrate::dockerfile::{Command, Kind, Pair, parse};
use std::borrow::Cow;

/// One instruction in a stage.
fn stage(text: &str) -> String {
    format!("FROM a\n{text}\n")
}

/// The problems of one instruction in a stage.
fn refused(text: &str) -> Vec<String> {
    problems(&stage(text))
}

fn command(command: &Command<'_>) -> Vec<String> {
    match command {
        Command::Shell(text) => vec![text.text.to_string()],
        Command::Exec(words) => texts(words),
    }
}

#[test]
fn from() {
    let view = |text: &str| {
        let file = clean(text);
        let Kind::From(from) = &file.instructions().next().unwrap().kind else { panic!("{text}") };
        let text = |word: &hitrate::dockerfile::Word<'_>| word.text.to_string();
        (text(&from.image), from.name.as_ref().map(text), from.platform.as_ref().map(text))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(view("FROM alpine:3"), ("alpine:3".into(), None, None));
    assert_eq!(view("from a@sha256:0 As Build-1.x_y"), ("a@sha256:0".into(), some("Build-1.x_y"), None));
    assert_eq!(
        view("FROM --platform=$BUILDPLATFORM ${BASE:-a}:1\t AS  b"),
        ("${BASE:-a}:1".into(), some("b"), some("$BUILDPLATFORM"))
    );
    let arity = "FROM requires either one or three arguments";
    for wrong in ["FROM", "FROM a b", "FROM a AS", "FROM a is b", "FROM a AS b c"] {
        assert_eq!(problems(wrong), [arity], "{wrong}");
    }
    for name in ["1a", "a+b", "_a", "-", "a/b", "é"] {
        let expected = format!(
            "invalid name for build stage: \"{name}\", name can't start with a number or contain symbols"
        );
        assert_eq!(problems(&format!("FROM a AS {name}")), [expected]);
    }
    assert_eq!(problems("FROM --platfrom=x a"), ["unknown flag: --platfrom (did you mean platform?)"]);
}

#[test]
fn shell_form_and_exec_form() {
    for keyword in ["RUN", "CMD", "ENTRYPOINT"] {
        let view = |args: &str| {
            let source = stage(&format!("{keyword} {args}"));
            let file = clean(&source);
            match &body(&file).kind {
                Kind::Run(run) => (matches!(run.command, Command::Exec(_)), command(&run.command)),
                Kind::Cmd(it) | Kind::Entrypoint(it) => (matches!(it, Command::Exec(_)), command(it)),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(view("echo  \"a b\"  c "), (false, vec!["echo  \"a b\"  c".to_owned()]));
        assert_eq!(view("[\"a\",\"b c\"]"), (true, vec!["a".to_owned(), "b c".to_owned()]));
        assert_eq!(view(" [ \"a\" ,\t\"\" ] "), (true, vec!["a".to_owned(), String::new()]));
        assert_eq!(view("[]"), (true, vec![]));
        // What is no JSON is for the shell.
        for shell in [
            "['a', 'b']",
            "[\"a\"",
            "[\"a\",]",
            "[\"a\"] b",
            "[ -f x ] && y",
            "[\"a\\x\"]",
            "[\"a\" \"b\"]",
            "[a]",
        ] {
            assert_eq!(view(shell), (false, vec![shell.to_owned()]));
        }
        let mixed = "when using JSON array syntax, arrays must be comprised of strings only";
        for wrong in ["[1]", "[\"a\", null]", "[[\"a\"]]", "[{\"a\": [true, -1.5e3]}]"] {
            assert_eq!(refused(&format!("{keyword} {wrong}")), [mixed], "{wrong}");
        }
        // A number that Go cannot hold makes it no JSON.
        assert_eq!(view("[1e999]"), (false, vec!["[1e999]".to_owned()]));
    }
}

#[test]
fn the_strings_of_an_array_are_decoded_and_have_places() {
    let source = stage(r#"RUN ["a\tb\"\\\/", "\u00e9\ud834\udd1e\ud800x", "plain"]"#);
    let file = clean(&source);
    let Kind::Run(run) = &body(&file).kind else { panic!() };
    let Command::Exec(words) = &run.command else { panic!() };
    assert_eq!(texts(words), ["a\tb\"\\/", "é𝄞\u{FFFD}x", "plain"]);
    let places: Vec<_> = words.iter().map(|word| word.span.of(&source)).collect();
    assert_eq!(places, [r#"a\tb\"\\\/"#, r"\u00e9\ud834\udd1e\ud800x", "plain"]);
    assert!(matches!(words[2].text, Cow::Borrowed("plain")));
}

#[test]
fn env_and_label() {
    for keyword in ["ENV", "LABEL"] {
        let view = |args: &str| {
            let source = stage(&format!("{keyword} {args}"));
            let file = clean(&source);
            let (Kind::Env(pairs) | Kind::Label(pairs)) = &body(&file).kind else { panic!("{args}") };
            let view =
                |pair: &Pair<'_>| (pair.key.text.to_string(), pair.value.text.to_string(), pair.legacy);
            pairs.iter().map(view).collect::<Vec<_>>()
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned(), false);
        assert_eq!(
            view(r#"a=b c="d e" f=g\ h 'i j'=k l= m=n=o"#),
            [
                pair("a", "b"),
                pair("c", "\"d e\""),
                pair("f", "g\\ h"),
                pair("'i j'", "k"),
                pair("l", ""),
                pair("m", "n=o")
            ]
        );
        assert_eq!(view("a=b \\\n  # comment\n  c=\"d \\\n e\""), [pair("a", "b"), pair("c", "\"d  e\"")]);
        assert_eq!(view("a='b\\' c=d"), [pair("a", "'b\\'"), pair("c", "d")]);
        assert_eq!(view("a=\"b\\\" c=d\""), [pair("a", "\"b\\\" c=d\"")]);
        // The old form: everything after the first blank.
        assert_eq!(view("key some  value=\"x\""), [("key".to_owned(), "some  value=\"x\"".to_owned(), true)]);
        let name = keyword;
        assert_eq!(refused(name), [format!("{name} requires at least one argument")]);
        assert_eq!(refused(&format!("{name} a")), [format!("{name} must have two arguments")]);
        assert_eq!(refused(&format!("{name} =a")), [format!("{name} names can not be blank")]);
        assert_eq!(
            refused(&format!("{name} a=b \"c")),
            ["Syntax error - can't find = in \"\\\"c\". Must be of the form: name=value"]
        );
    }
    // With a backtick as escape, a backslash is text.
    let source = "# escape=`\nFROM a\nENV a=c:\\ b=d` e\n";
    let file = clean(source);
    let Kind::Env(pairs) = &body(&file).kind else { panic!() };
    let values: Vec<_> = pairs.iter().map(|pair| &*pair.value.text).collect();
    assert_eq!(values, ["c:\\", "d` e"]);
}

#[test]
fn arg() {
    let source = "ARG a b=1 c= d=\"e f\" g\\ h='i'\nARG j\n";
    let file = clean(source);
    let view: Vec<Vec<_>> = file
        .instructions()
        .map(|arg| {
            let Kind::Arg(args) = &arg.kind else { panic!() };
            args.iter().map(|arg| (&*arg.name.text, arg.default.as_ref().map(|it| &*it.text))).collect()
        })
        .collect();
    let first =
        vec![("a", None), ("b", Some("1")), ("c", Some("")), ("d", Some("\"e f\"")), ("g\\ h", Some("'i'"))];
    assert_eq!(view, [first, vec![("j", None)]]);
    assert_eq!(refused("ARG"), ["ARG requires at least one argument"]);
    assert_eq!(refused("ARG =a"), ["ARG names can not be blank"]);
}

#[test]
fn copy_and_add() {
    for keyword in ["COPY", "ADD"] {
        let view = |args: &str| {
            let source = stage(&format!("{keyword} {args}"));
            let file = clean(&source);
            let Kind::Copy(copy) = &body(&file).kind else { panic!("{args}") };
            (texts(&copy.sources), copy.dest.text.to_string(), copy.json)
        };
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(view("a b/*.c  /d/"), (list(&["a", "b/*.c"]), "/d/".into(), false));
        assert_eq!(view("a \\\n# c\n  b \\\n  ./"), (list(&["a", "b"]), "./".into(), false));
        assert_eq!(view("[\"a b\", \"c\"]"), (list(&["a b"]), "c".into(), true));
        // Quotes mean nothing without JSON.
        assert_eq!(view("\"a b\" c"), (list(&["\"a", "b\""]), "c".into(), false));
        assert_eq!(view("[\"a\" c"), (list(&["[\"a\""]), "c".into(), false));
        let arity = format!(
            "{keyword} requires at least two arguments, but only one was provided. Destination could not be determined"
        );
        for wrong in ["", " a", " []", " [\"a\"]"] {
            assert_eq!(refused(&format!("{keyword}{wrong}")), std::slice::from_ref(&arity));
        }
    }
}

#[test]
fn one_text_or_a_list() {
    let view = |text: &str| {
        let source = stage(text);
        let file = clean(&source);
        match &body(&file).kind {
            Kind::Workdir(it) | Kind::User(it) | Kind::Stopsignal(it) | Kind::Maintainer(it) => {
                vec![it.text.to_string()]
            }
            Kind::Shell(list) | Kind::Expose(list) | Kind::Volume(list) => texts(list),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(view("WORKDIR /a  b"), ["/a  b"]);
    assert_eq!(view("USER $UID:root"), ["$UID:root"]);
    assert_eq!(view("STOPSIGNAL SIGTERM"), ["SIGTERM"]);
    assert_eq!(view("MAINTAINER A B <c@d>"), ["A B <c@d>"]);
    assert_eq!(view("EXPOSE 80 443/tcp $PORT"), ["80", "443/tcp", "$PORT"]);
    assert_eq!(view("VOLUME /a /b"), ["/a", "/b"]);
    assert_eq!(view("VOLUME [\"/a b\", \"/c\"]"), ["/a b", "/c"]);
    assert_eq!(view("SHELL [\"bash\", \"-c\"]"), ["bash", "-c"]);
    for name in ["WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER"] {
        assert_eq!(refused(name), [format!("{name} requires exactly one argument")]);
    }
    for name in ["EXPOSE", "VOLUME", "SHELL"] {
        assert_eq!(refused(name), [format!("{name} requires at least one argument")]);
    }
    assert_eq!(refused("VOLUME []"), ["VOLUME requires at least one argument"]);
    assert_eq!(refused("VOLUME [\"/a\", \" \"]"), ["VOLUME specified can not be an empty string"]);
    assert_eq!(refused("SHELL []"), ["SHELL requires at least one argument"]);
    assert_eq!(refused("SHELL bash -c"), ["SHELL requires the arguments to be in JSON form"]);
}

#[test]
fn healthcheck() {
    let view = |text: &str| {
        let source = stage(text);
        let file = clean(&source);
        let Kind::Healthcheck(check) = &body(&file).kind else { panic!("{text}") };
        check.as_ref().map(command)
    };
    assert_eq!(view("HEALTHCHECK none"), None);
    assert_eq!(view("HEALTHCHECK CMD curl  -f x || exit 1"), Some(vec!["curl  -f x || exit 1".into()]));
    assert_eq!(
        view("HEALTHCHECK --interval=1m30s --timeout=.5s --retries=3 \\\n  CMD [\"a\", \"b\"]"),
        Some(vec!["a".into(), "b".into()])
    );
    assert_eq!(view("HEALTHCHECK --start-period=0 --start-interval=1.5h cmd a"), Some(vec!["a".into()]));
    for (text, expected) in [
        ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK CMD []", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK curl x", "Unknown type \"CURL\" in HEALTHCHECK (try CMD)"),
        ("HEALTHCHECK --interval=30 CMD a", "time: missing unit in duration \"30\""),
        ("HEALTHCHECK --interval=x CMD a", "time: invalid duration \"x\""),
        ("HEALTHCHECK --timeout=3d CMD a", "time: unknown unit \"d\" in duration \"3d\""),
        ("HEALTHCHECK --timeout=1us CMD a", "Interval \"timeout\" cannot be less than 1ms"),
        ("HEALTHCHECK --retries=-1 CMD a", "--retries cannot be negative (-1)"),
        ("HEALTHCHECK --retries=x CMD a", "strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("HEALTHCHECK --interval CMD a", "missing a value on flag: --interval"),
    ] {
        assert_eq!(refused(text), [expected]);
    }
}

#[test]
fn onbuild() {
    let source = stage("ONBUILD COPY --link --from=b \\\n a /d");
    let file = clean(&source);
    let Kind::Onbuild(inner) = &body(&file).kind else { panic!() };
    let Kind::Copy(copy) = &inner.kind else { panic!() };
    assert_eq!((texts(&copy.sources), copy.link), (vec!["a".to_owned()], true));
    assert_eq!(copy.from.as_ref().unwrap().span.of(&source), "b");
    assert_eq!(inner.span.of(&source), "COPY --link --from=b \\\n a /d");
    assert_eq!(inner.args.text, "a /d");
    for (text, expected) in [
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD onbuild RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("ONBUILD From x", "FROM isn't allowed as an ONBUILD trigger"),
        ("ONBUILD MAINTAINER x", "MAINTAINER isn't allowed as an ONBUILD trigger"),
        // Only the line parser looks at a trigger before a child is built.
        ("ONBUILD ENV a", "ENV must have two arguments"),
    ] {
        assert_eq!(refused(text), [expected]);
    }
    for taken in ["ONBUILD WORKDIR", "ONBUILD RUN --mont=x y", "ONBUILD NOTHING x"] {
        clean(&stage(taken));
    }
    let file = parse("FROM a\nONBUILD WORKDIR");
    let Kind::Onbuild(inner) = &body(&file).kind else { panic!() };
    assert_eq!(inner.problems[0].message, "WORKDIR requires exactly one argument");
}

#[test]
fn empty_commands_are_taken() {
    for text in ["RUN", "CMD", "ENTRYPOINT", "RUN []", "CMD []"] {
        clean(&stage(text));
    }
}
