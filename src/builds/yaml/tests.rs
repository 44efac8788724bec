use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Arc<Node<'_>> {
    parse(text).unwrap().unwrap()
}

/// Every byte of the scalar's text that is not blank leads to the same byte in the file.
fn leads_back(text: &str, node: &Node<'_>) {
    match &node.data {
        Data::Scalar(scalar) => {
            let joined = &scalar.text;
            for (at, ch) in joined.text.char_indices() {
                if ch.is_whitespace() {
                    continue;
                }
                let there = joined.span(at, at + ch.len_utf8());
                assert!(
                    there.of(text).starts_with(ch) || there.of(text).starts_with('\\'),
                    "{ch:?} at {there:?} in {text:?}"
                );
            }
        }
        Data::Seq(items) => items.iter().for_each(|item| leads_back(text, item)),
        Data::Map(entries) => entries.iter().for_each(|entry| {
            leads_back(text, &entry.key);
            leads_back(text, &entry.value);
        }),
    }
}

#[test]
fn spans_are_bytes_and_leave_anchors_and_quotes_to_the_syntax() {
    let text = "\u{feff}é: ü\na: &x \"q\" # c\nb: !t [1, 2] \nc:\n  - d\n  - e: f\n";
    let root = one(text);
    let of = |node: &Node<'_>| node.span.of(text).to_owned();
    assert_eq!(of(root.get("é").unwrap()), "ü");
    assert_eq!(of(root.get("a").unwrap()), "\"q\"");
    assert_eq!(root.get("a").unwrap().str(), Some("q"));
    assert_eq!(of(root.get("b").unwrap()), "[1, 2]");
    assert_eq!(root.get("b").unwrap().tag.as_deref(), Some("!t"));
    assert_eq!(of(root.get("c").unwrap()), "- d\n  - e: f");
    assert_eq!(root.entry("b").unwrap().span().of(text), "b: !t [1, 2]");
    leads_back(text, &root);
}

#[test]
fn a_block_scalar_leads_back_to_its_lines() {
    let text =
        "run: |\n    docker build \\\n      -t é .\n\n    echo 1\nnext: >-\n  a\n  b\n\n  c\n    more\n";
    let root = one(text);
    let run = root.get("run").unwrap();
    assert_eq!(run.str(), Some("docker build \\\n  -t é .\n\necho 1\n"));
    assert_eq!(run.span.of(text), "docker build \\\n      -t é .\n\n    echo 1");
    let joined = run.text().unwrap();
    let at = joined.text.find("-t é").unwrap();
    assert_eq!(joined.span(at, at + 5).of(text), "-t é");
    let echo = joined.text.find("echo").unwrap();
    assert_eq!(joined.span(echo, echo + 6).of(text), "echo 1");
    assert_eq!(joined.span(0, joined.text.len()).of(text).trim_end(), run.span.of(text));
    leads_back(text, &root);
}

#[test]
fn folded_quoted_and_crlf_texts_lead_back() {
    for text in [
        "a: it's\n  plain\n\n  text\nb: 'it''s\n  two'\nc: \"x\\ty\\u00e9\\\n   z \\\"q\\\" \n\n  end\"\n",
        "run: |\r\n  one \\\r\n    two\r\n  three\r\n",
        "run: |2\n    indented\n  less\n",
        "- &a |+\n  keep\n\n- >\n  fold\n  ed\n   more\n  less\n",
        "a: &b\n  c: 1\nd: *b\n",
    ] {
        leads_back(text, &one(text));
    }
    let root = one("c: \"x\\ty\\u00e9\\\n   z\"\n");
    assert_eq!(root.get("c").unwrap().str(), Some("x\tyéz"));
}

#[test]
fn a_quoted_text_indented_too_little_is_folded_as_any_other() {
    for (quoted, folded) in [
        ("'x\n y é'", "x y é"),
        ("'x\n\n y\n  z'", "x\ny z"),
        ("\"x \\\n y\\n\n z\"", "x y\n z"),
        ("'x\n #y\n z'", "x #y z"),
        ("'x\r\n y'", "x y"),
    ] {
        for text in [format!("a:\n  b:\n    c: {quoted}\n"), format!("a:\n  b:\n    {{c: {quoted}}}\n")] {
            let root = one(&text);
            assert_eq!(root.at(&["a", "b", "c"]).unwrap().str(), Some(folded), "{text:?}");
            leads_back(&text, &root);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Folding and escapes are read as the parser reads them.
    #[test]
    fn scalars_are_what_the_parser_reads(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "é", " ", "\t", "\n ", "\n\n  ", "\r\n ", "\n \n ", "\\\n ", "\\\n\n ", "''", "'", "\\\"", "\\\\", "\\t", "\\x41",
            "\\u00e9", "\\U0001F600", "\\ ", "\\N\\_\\L\\P\\0\\a\\b\\e\\f\\n\\r\\v\\/", "#", " #",
        ]), 0..12),
        quote in prop::sample::select(vec!["", "'", "\""]),
    ) {
        let text = format!("k: {quote}{}{quote}\n", pieces.concat());
        let read: Result<Vec<_>, _> = saphyr_parser::Parser::new_from_str(&text).collect();
        if let (Ok(events), Ok(Some(root))) = (read, parse(&text)) {
            let mut scalars = events.iter().filter_map(|(event, _)| match event {
                saphyr_parser::Event::Scalar(text, ..) => Some(text.as_ref()),
                _ => None,
            });
            let value = root.get("k").and_then(|node| node.str());
            prop_assert_eq!(value, scalars.next_back(), "{:?}", text);
            if value.is_some() {
                leads_back(&text, &root);
            }
        }
    }
}

#[test]
fn merge_keys_give_way_to_own_keys_and_aliases_are_shared() {
    let text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\nuse:\n  <<: [*base, *other]\n  a: 9\n";
    let root = one(text);
    let used = root.get("use").unwrap();
    assert_eq!(used.get("a").unwrap().str(), Some("9"));
    assert_eq!(used.get("b").unwrap().str(), Some("2"));
    assert_eq!(used.get("c").unwrap().str(), Some("4"));
    assert!(used.entry("b").unwrap().merged);
    assert_eq!(used.get("b").unwrap().span.start as usize, text.find("2}").unwrap());
    assert_eq!(used.entries().len(), 3);
}

#[test]
fn null_bools_and_lists_of_strings() {
    let root = one("a:\nb: ~\nc: 'true'\nd: [x, null, 'y']\ne: z\n");
    assert!(root.get("a").unwrap().is_null() && root.get("b").unwrap().is_null());
    assert_eq!(root.get("a").unwrap().span.len(), 0);
    assert_eq!(root.get("c").unwrap().bool(), Some(true));
    let strings =
        |key: &str| root.get(key).unwrap().strings().map(|(text, _)| text.to_owned()).collect::<Vec<_>>();
    assert_eq!(strings("d"), ["x", "null", "y"]);
    assert_eq!(strings("e"), ["z"]);
    assert!(strings("a").is_empty());
}

#[test]
fn several_documents_and_none() {
    assert_eq!(parse_all("a: 1\n---\nb: 2\n").unwrap().len(), 2);
    assert!(parse("# nothing\n").unwrap().is_none());
    assert!(parse("").unwrap().is_none());
}

#[test]
fn what_is_not_yaml_is_an_error_with_its_line() {
    assert_eq!(parse("a: 1\nb: [1\nc: 2\n").unwrap_err().line, 3);
    assert_eq!(parse("a: b: c\n").unwrap_err().line, 1);
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for i in 1..60 {
        bomb.push_str(&format!("a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1));
    }
    assert!(parse(&bomb).is_err());
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&"- ".repeat(50_000)).is_err());
    assert!(parse("a: &a [*a]\n").is_err());
}

#[test]
fn a_bracket_under_its_key_closes_it() {
    let text = "a:\n- n: x\n  args: [\n    'b', # é [\n    c\n  ]\n- d: {e: 1,\nf: 2\n}\n";
    let root = one(text);
    let items = root.get("a").unwrap().items();
    let args: Vec<_> = items[0].get("args").unwrap().strings().map(|(text, _)| text.to_owned()).collect();
    assert_eq!(args, ["b", "c"]);
    let map = items[1].get("d").unwrap();
    assert_eq!((map.get("f").unwrap().str(), map.get("f").unwrap().span.of(text)), (Some("2"), "2"));
    leads_back(text, &root);
    assert!(parse("a:\n  b: 1\n c: 2\n").is_err());
    let text = "a:\n    b: 'x\n\n  y z'\n    c: [-]\n";
    let root = one(text);
    assert_eq!(root.at(&["a", "b"]).unwrap().str().unwrap().split_whitespace().count(), 3);
    assert_eq!(root.at(&["a", "c"]).unwrap().items().len(), 1);
}
