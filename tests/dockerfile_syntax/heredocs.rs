//! Heredocs.

use crate::{body, clean, problems};
use hitrate::dockerfile::{Kind, heredoc, parse};
use std::borrow::Cow;

type View<'a> = (String, &'a str, &'a str, bool, bool, Option<u32>);

/// The heredocs of the only instruction in a stage.
fn heredocs(source: &str) -> Vec<View<'_>> {
    let file = parse(source);
    let docs = file.instructions().nth(1).unwrap().heredocs.clone();
    docs.into_iter()
        .map(|doc| {
            let (marker, text) = (doc.marker.of(source), doc.body.of(source));
            (doc.name.to_string(), marker, text, doc.expand, doc.chomp, doc.descriptor)
        })
        .collect()
}

#[test]
fn several_markers_have_their_bodies_in_order() {
    let source = "FROM a\nCOPY <<one 3<<-'two' x /d\n1\none\n\t2\n\ttwo\n";
    assert_eq!(
        heredocs(source),
        [
            ("one".into(), "<<one", "1\n", true, false, None),
            ("two".into(), "3<<-'two'", "\t2\n", false, true, Some(3))
        ]
    );
    let file = clean(source);
    let copy = body(&file);
    assert_eq!(copy.span.of(source), "COPY <<one 3<<-'two' x /d\n1\none\n\t2\n\ttwo");
    let Kind::Copy(kind) = &copy.kind else { panic!() };
    assert_eq!((kind.sources.len(), &*kind.sources[0].text, &*kind.dest.text), (1, "x", "/d"));
    assert_eq!(copy.args.text, "<<one 3<<-'two' x /d");
}

#[test]
fn instructions_go_on_after_the_terminator() {
    let source = "FROM a\nRUN <<E\nFROM x\n# y\n\\\nE\nRUN b\n";
    let file = clean(source);
    assert_eq!(file.instructions().count(), 3);
    assert_eq!(file.instructions().nth(1).unwrap().heredocs[0].body.of(source), "FROM x\n# y\n\\\n");
}

#[test]
fn markers() {
    let view = |word: &str| {
        heredoc::marker(word).map(|it| it.map(|it| (it.name, it.expand, it.chomp, it.descriptor)))
    };
    let is = |name: &str, expand, chomp| Ok(Some((name.to_owned(), expand, chomp, None)));
    // BuildKit's own cases (parser_heredoc_test.go).
    for word in ["<<EOF", "<< EOF"] {
        assert_eq!(view(word), is("EOF", true, false), "{word}");
    }
    for word in ["<<'EOF'", "<<\"EOF\"", "<<EO\"F\""] {
        assert_eq!(view(word), is("EOF", false, false), "{word}");
    }
    for word in ["<<-EOF", "<<- EOF"] {
        assert_eq!(view(word), is("EOF", true, true), "{word}");
    }
    assert_eq!(view("<<-'EOF'"), is("EOF", false, true));
    assert_eq!(view("<< -EOF"), is("-EOF", true, false));
    assert_eq!(view("<<eo\\'f"), is("eo'f", true, false));
    assert_eq!(view("<<'e'o\\'f"), is("eo'f", false, false));
    assert_eq!(view("<<'one two'"), is("one two", false, false));
    assert_eq!(view("<<$EOF"), is("$EOF", true, false));
    assert_eq!(view("4<<file.txt"), Ok(Some(("file.txt".into(), true, false, Some(4)))));
    for word in ["", "EOF", "<<", "<<-", "<EOF", "<<<EOF", "<<EOF sh", "a<<EOF", "<<''"] {
        assert_eq!(view(word), Ok(None), "{word}");
    }
    for word in ["<<'EOF", "<<\"EOF", "<<EOF'", "<<EOF\""] {
        assert!(view(word).is_err(), "{word}");
    }
}

#[test]
fn where_markers_count() {
    let count = |text: &str| heredocs(&format!("FROM a\n{text}\nE\n")).len();
    assert_eq!(count("RUN <<E"), 1);
    assert_eq!(count("RUN cat <<E > x"), 1);
    assert_eq!(count("RUN cat << E | sh"), 1);
    assert_eq!(count("RUN --mount=type=cache,target=/x <<E"), 1);
    assert_eq!(count("RUN a \\\n  <<E b"), 1);
    assert_eq!(count("ADD <<E /d"), 1);
    assert_eq!(count("ONBUILD RUN <<E"), 1);
    assert_eq!(count("onbuild copy <<E /d"), 1);
    // Not in quotes, not in JSON, not in other instructions, not as a here-string.
    assert_eq!(count("RUN '<<E'"), 0);
    assert_eq!(count("RUN \"<<E\""), 0);
    assert_eq!(count("RUN [\"cat\", \"<<E\"]"), 0);
    assert_eq!(count("CMD cat <<E"), 0);
    assert_eq!(count("ENV a=<<E"), 0);
    assert_eq!(count("ONBUILD CMD <<E"), 0);
    assert_eq!(count("RUN cat <<<E"), 0);
    assert_eq!(count("RUN cat<<E"), 0);
    // A line whose quotes or substitutions BuildKit cannot read has none.
    assert_eq!(count("RUN it's <<E"), 0);
    assert_eq!(count("RUN x=${y^^} <<E"), 0);
}

#[test]
fn a_missing_terminator_takes_the_rest() {
    let source = "FROM a\nRUN <<E\nx\nRUN y\n";
    assert_eq!(problems(source), ["unterminated heredoc"]);
    assert_eq!(heredocs(source), [("E".into(), "<<E", "x\nRUN y\n", true, false, None)]);
    assert_eq!(problems("FROM a\nRUN echo $((1 << 2))\n"), ["unterminated heredoc"]);
    // A terminator stands alone on its line; tabs may be before it for `<<-` only.
    assert_eq!(problems("FROM a\nRUN <<E\n E\n\tE\nE \n"), ["unterminated heredoc"]);
    clean("FROM a\nRUN <<-E\n\t\tE\n");
    clean("FROM a\nRUN <<E\r\nx\r\nE\r\n");
    clean("FROM a\nRUN <<E\nx\nE");
}

#[test]
fn a_heredoc_is_no_destination() {
    assert_eq!(problems("FROM a\nCOPY x <<E\nE\n"), ["COPY cannot accept a heredoc as a destination"]);
}

#[test]
fn contents() {
    let content = |source: &str| {
        let file = clean(source);
        let doc = body(&file).heredocs[0].clone();
        heredoc::content(source, &doc).into_owned()
    };
    assert_eq!(content("FROM a\nCOPY <<E /d\n\ta\n b\\\n$c\nE\n"), "\ta\n b\\\n$c\n");
    assert_eq!(content("FROM a\nCOPY <<-E /d\n\t\ta\n \tb\n\n\tc\td\nE\n"), "a\n \tb\n\nc\td\n");
    assert_eq!(content("FROM a\nCOPY <<E /d\r\na\r\nE\r\n"), "a\r\n");
    assert_eq!(content("FROM a\nCOPY <<E /d\nE\n"), "");
}

#[test]
fn bodies_are_expanded_with_quotes_as_text() {
    let env = |name: &str| (name == "v").then_some(Cow::Borrowed("V"));
    let expanded = heredoc::expand_body("'$v' \"${v}\" \\$v ${u:-w} $u\n", &env).unwrap();
    assert_eq!(expanded.text, "'V' \"V\" $v w \n");
    assert_eq!((expanded.used, expanded.unset), (vec!["v"], vec!["u"]));
}

#[test]
fn what_a_run_runs() {
    let script = |source: &str| {
        let file = clean(source);
        heredoc::script(source, body(&file)).map(|script| match script {
            heredoc::Script::Shell(text) => text.into_owned(),
            heredoc::Script::File { name, content } => format!("{name}: {content}"),
        })
    };
    assert_eq!(script("FROM a\nRUN <<E\na\nb\nE\n").unwrap(), "a\nb\n");
    assert_eq!(script("FROM a\nRUN <<-E\n\ta\n\tE\n").unwrap(), "a\n");
    assert_eq!(script("FROM a\nRUN <<'E'\n#!/bin/sh\n$a\nE\n").unwrap(), "E: #!/bin/sh\n$a\n");
    assert_eq!(
        script("FROM a\nRUN python3 <<A - <<-B\n1\nA\n\t2\nB\n").unwrap(),
        "python3 <<A - <<-B\n1\nA\n\t2\nB"
    );
    assert_eq!(script("FROM a\nRUN x\n"), None);
}

#[test]
fn the_trigger_of_an_onbuild_has_the_heredocs_too() {
    let source = "FROM a\nONBUILD RUN <<E\nx\nE\n";
    let file = clean(source);
    let Kind::Onbuild(inner) = &body(&file).kind else { panic!() };
    assert_eq!(inner.heredocs, body(&file).heredocs);
    assert_eq!(inner.span.of(source), "RUN <<E\nx\nE");
    assert_eq!(heredoc::script(source, inner), Some(heredoc::Script::Shell("x\n".into())));
}
