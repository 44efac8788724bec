//! Flags and mounts.

use crate::{body, clean, one, problems, texts};
use hitrate::dockerfile::{Keyword, Kind, Mount, parse};

fn stage(text: &str) -> String {
    format!("FROM a\n{text}\n")
}

#[test]
fn flags_of_copy() {
    let source = stage(
        "COPY --from=b --chown=1:$G --chmod=0644 --link --parents=TRUE --exclude=*.md --exclude=x c /d",
    );
    let file = clean(&source);
    let Kind::Copy(copy) = &body(&file).kind else { panic!() };
    let text = |word: &Option<hitrate::dockerfile::Word<'_>>| word.as_ref().map(|word| word.text.to_string());
    assert_eq!(text(&copy.from).as_deref(), Some("b"));
    assert_eq!(text(&copy.chown).as_deref(), Some("1:$G"));
    assert_eq!(text(&copy.chmod).as_deref(), Some("0644"));
    assert!(copy.link && copy.parents);
    assert_eq!(texts(&copy.exclude), ["*.md", "x"]);
    assert_eq!(body(&file).flags[0].span.of(&source), "--from=b");
    assert_eq!(copy.chown.as_ref().unwrap().span.of(&source), "1:$G");
    assert_eq!(body(&file).args.text, "c /d");

    let source = stage("COPY --link=false a b");
    let file = clean(&source);
    assert!(matches!(&body(&file).kind, Kind::Copy(copy) if !copy.link));
}

#[test]
fn flags_of_add() {
    let source = stage("ADD --checksum=sha256:0 --keep-git-dir=true --unpack=false --link https://x/y /z");
    let file = clean(&source);
    let Kind::Copy(add) = &body(&file).kind else { panic!() };
    assert_eq!(add.checksum.as_ref().unwrap().text, "sha256:0");
    assert_eq!((add.keep_git_dir, add.unpack, add.link), (Some(true), Some(false), true));
    let source = stage("ADD x /z");
    let file = clean(&source);
    let Kind::Copy(add) = &body(&file).kind else { panic!() };
    assert_eq!((add.keep_git_dir, add.unpack, add.link), (None, None, false));
}

#[test]
fn flags_of_run() {
    let source = stage("RUN --network=host --security=insecure --device=v/d=x,required --device=y a --b");
    let file = clean(&source);
    let Kind::Run(run) = &body(&file).kind else { panic!() };
    assert_eq!(run.network.as_ref().unwrap().text, "host");
    assert_eq!(run.security.as_ref().unwrap().text, "insecure");
    assert_eq!(texts(&run.devices), ["v/d=x,required", "y"]);
    assert_eq!(body(&file).args.text, "a --b");
    assert_eq!(body(&file).flag("security").unwrap().span.of(&source), "--security=insecure");
}

#[test]
fn where_flags_end() {
    let args = |text: &str| {
        let source = stage(text);
        let file = clean(&source);
        (body(&file).flags.len(), body(&file).args.text.to_string())
    };
    assert_eq!(args("RUN -- --network=none a"), (0, "--network=none a".into()));
    assert_eq!(args("RUN --network=none -- --a"), (1, "--a".into()));
    assert_eq!(args("RUN -a --network=none"), (0, "-a --network=none".into()));
    assert_eq!(args("RUN --network=none"), (1, String::new()));
    assert_eq!(args("RUN --network=none \\\n  # c\n  --security=sandbox \\\n  a"), (2, "a".into()));
    // ARG and STOPSIGNAL do not look at theirs.
    assert_eq!(args("ARG --x=y z"), (1, "z".into()));
}

#[test]
fn quotes_and_escapes_of_flags_are_removed() {
    let source = stage(r#"COPY --chown="a b" --chmod='0'644 --from=a\ b c d"#);
    let file = clean(&source);
    let flags: Vec<_> = body(&file)
        .flags
        .iter()
        .map(|flag| {
            let value = flag.value.as_ref().unwrap();
            (&*flag.name, &*value.text, value.span.of(&source))
        })
        .collect();
    assert_eq!(flags, [("chown", "a b", "\"a b\""), ("chmod", "0644", "'0'644"), ("from", "a b", "a\\ b")]);
    // A quote without an end takes the rest.
    let source = stage("COPY --from=\"a b c");
    let file = parse(&source);
    assert_eq!(body(&file).flags[0].value.as_ref().unwrap().text, "a b c");
}

#[test]
fn wrong_flags() {
    for (text, expected) in [
        ("COPY --form=b c d", "unknown flag: --form (did you mean from?)"),
        ("COPY --keep-git-dir c d", "unknown flag: --keep-git-dir"),
        ("RUN --from=b c", "unknown flag: --from"),
        ("WORKDIR --x /a", "unknown flag: --x"),
        ("COPY --from c d", "missing a value on flag: --from"),
        ("COPY --from=a --from=b c d", "duplicate flag specified: --from"),
        ("COPY --link= c d", "missing a value on flag: --link"),
        ("COPY --link=1 c d", "expecting boolean value for flag --link, not: 1"),
        ("RUN --network=x y", "invalid network mode \"x\""),
        ("RUN --security=x y", "security \"x\" is not valid"),
        ("RUN --device=a,b=c y", "unexpected key 'b' in 'b=c'"),
        ("RUN --device=a,b y", "invalid field 'b' must be a key=value pair"),
    ] {
        assert_eq!(problems(&stage(text)), [expected], "{text}");
    }
}

fn mount(mount: &Mount<'_>) -> Vec<(String, Option<String>)> {
    let option = |option: &hitrate::dockerfile::MountOption<'_>| {
        (option.key.to_string(), option.value.as_ref().map(|value| value.text.to_string()))
    };
    mount.options.iter().map(option).collect()
}

fn pair(key: &str, value: &str) -> (String, Option<String>) {
    (key.to_owned(), Some(value.to_owned()))
}

#[test]
fn mounts_are_csv() {
    let source = stage(concat!(
        "RUN --mount=type=cache,Target=/c,readonly,id= \\\n",
        "    --mount='type=bind,\"source=a,\"\"b\"\"\",dst=$D' \\\n",
        "    --mount=type=secret,id=\"x\" y"
    ));
    let file = clean(&source);
    let Kind::Run(run) = &one(&file, Keyword::Run).kind else { panic!() };
    let mounts: Vec<_> = run.mounts.iter().map(mount).collect();
    assert_eq!(
        mounts,
        [
            vec![pair("type", "cache"), pair("Target", "/c"), ("readonly".into(), None), pair("id", "")],
            vec![pair("type", "bind"), pair("source", "a,\"b\""), pair("dst", "$D")],
            vec![pair("type", "secret"), pair("id", "x")],
        ]
    );
    let first = &run.mounts[0];
    assert_eq!(first.span.of(&source), "--mount=type=cache,Target=/c,readonly,id=");
    assert_eq!(first.options[1].span.of(&source), "Target=/c");
    assert_eq!(first.options[1].value.as_ref().unwrap().span.of(&source), "/c");
    assert_eq!(first.option(&["target", "dst"]).unwrap().key, "Target");
    assert!(first.option(&["mode"]).is_none());
}

#[test]
fn a_mount_may_be_split_over_lines() {
    let source = stage("RUN --mount=type=cache,\\\ntarget=/c,\\\nid=x y");
    let file = clean(&source);
    let Kind::Run(run) = &body(&file).kind else { panic!() };
    assert_eq!(mount(&run.mounts[0]), [pair("type", "cache"), pair("target", "/c"), pair("id", "x")]);
    assert_eq!(run.mounts[0].span.of(&source), "--mount=type=cache,\\\ntarget=/c,\\\nid=x");
    let option = run.mounts[0].option(&["target"]).unwrap();
    assert_eq!(option.span.of(&source), "target=/c");
    assert_eq!(option.value.as_ref().unwrap().span.of(&source), "/c");
}

#[test]
fn options_have_places_behind_quotes_and_escapes() {
    let source = stage("RUN --mount='type=cache,\"id=a\"\",b\\ c\",target=/\\é',x= y");
    let file = clean(&source);
    let Kind::Run(run) = &body(&file).kind else { panic!() };
    let places: Vec<_> = run.mounts[0].options.iter().map(|option| option.span.of(&source)).collect();
    assert_eq!(places, ["type=cache", "id=a\"\",b\\ c", "target=/\\é", "x="]);
    let value = |at: usize| run.mounts[0].options[at].value.as_ref().unwrap();
    assert_eq!((&*value(2).text, value(2).span.of(&source)), ("/é", "/\\é"));
    assert_eq!((&*value(3).text, value(3).span.of(&source)), ("", ""));
}

#[test]
fn wrong_mounts() {
    for (text, expected) in [
        ("RUN --mount= a", "failed to parse csv mounts: EOF"),
        (
            "RUN --mount=a\\\"b c",
            "failed to parse csv mounts: parse error on line 1, column 2: bare \" in non-quoted-field",
        ),
        (
            "RUN --mount='\"a\"b' c",
            "failed to parse csv mounts: parse error on line 1, column 3: extraneous or missing \" in quoted-field",
        ),
        (
            "RUN --mount='\"a' c",
            "failed to parse csv mounts: parse error on line 1, column 2: extraneous or missing \" in quoted-field",
        ),
        (
            "RUN --mount=type=bind,from=$X a",
            "'from' doesn't support variable expansion, define alias stage instead",
        ),
    ] {
        assert_eq!(problems(&stage(text)), [expected], "{text}");
    }
}
