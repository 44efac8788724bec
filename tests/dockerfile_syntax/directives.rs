//! Parser directives.

use crate::{clean, lossless, problems};
use hitrate::dockerfile::{ItemKind, parse};

fn directives(source: &str) -> Vec<(&str, &str)> {
    let file = parse(source);
    lossless(&file);
    for directive in &file.directives {
        assert_eq!(directive.value_span.of(source), directive.value);
        assert!(directive.span.of(source).contains(directive.name));
    }
    file.directives.iter().map(|directive| (directive.name, directive.value)).collect()
}

#[test]
fn directives_of_the_leading_block() {
    let source = "#syntax = docker/dockerfile:1 \r\n#\t Escape=`\n# check=skip=all;error=true\nFROM a\n";
    let expected = [("syntax", "docker/dockerfile:1"), ("Escape", "`"), ("check", "skip=all;error=true")];
    assert_eq!(directives(source), expected);
    assert_eq!(clean(source).escape, '`');
    assert_eq!(directives("\u{FEFF}# syntax=a b\nFROM a\n"), [("syntax", "a b")]);
}

#[test]
fn anything_else_ends_the_block() {
    for before in ["\n", "# note\n", "# note=1\n", "FROM a\n", "#\n", "# syntax=\n", "# syn-tax=a\n"] {
        let source = format!("{before}# escape=`\nFROM a\n");
        assert_eq!(directives(&source), [("", ""); 0], "{before:?}");
        assert_eq!(clean(&source).escape, '\\');
    }
}

#[test]
fn a_directive_may_stand_once() {
    assert_eq!(
        problems("# escape=`\n# ESCAPE=`\nFROM a\n"),
        ["only one escape parser directive can be used"]
    );
    assert_eq!(problems("# escape=x\nFROM a\n"), ["invalid escape token 'x' does not match ` or \\"]);
}

#[test]
fn only_escape_may_be_indented() {
    // The parser strips the indent, the detection of `syntax` and `check` does not.
    assert_eq!(directives("  # escape=`\nFROM a\n"), [("escape", "`")]);
    assert_eq!(directives("  # syntax=a\n# check=skip=all\nFROM a\n"), [("", ""); 0]);
    assert_eq!(directives("# check=skip=all\n  # escape=`\nFROM a\n").len(), 2);
}

#[test]
fn after_a_shebang_there_is_no_escape() {
    let source = "#!/usr/bin/env docker\n# syntax=a\n# escape=`\n# check=skip=all\nFROM a\n";
    assert_eq!(directives(source), [("syntax", "a"), ("check", "skip=all")]);
    assert_eq!(clean(source).escape, '\\');
}

#[test]
fn syntax_of_other_formats() {
    assert_eq!(directives("//syntax=a/b\n{}\n"), [("syntax", "a/b")]);
    assert_eq!(directives("#!/bin/x\n// syntax = a/b\n"), [("syntax", "a/b")]);
    assert_eq!(directives("//check=skip=all\n"), [("", ""); 0]);
    let json = "{\n \"a\": [1, {\"syntax\": 2}],\n \"syntax\": \"a/b\"\n}\n";
    assert_eq!(directives(json), [("syntax", "a/b")]);
    assert!(matches!(parse(json).items[0].kind, ItemKind::Directive));
    assert_eq!(parse(json).items.len(), 1);
    for not in ["{\"syntax\": 1}", "{\"syntax\": \"a\"", "{\"syntax\": \"a\"} x", "{\"b\": \"a\"}", "{}"] {
        assert_eq!(directives(not), [("", ""); 0], "{not}");
    }
}
