//! Variable expansion. The cases are those of BuildKit's lexer (`shell/lex.go`), checked against it.

use hitrate::dockerfile::expand::{self, ExpandError, MAX_DEPTH, Options};
use std::borrow::Cow;

/// `v` has a value, `e` is empty, `p` is a path, the rest is unset.
fn env(name: &str) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match name {
        "v" => "abcabc",
        "e" => "",
        "p" => "/usr/local/bin/x.tar.gz",
        "s" => "one  two",
        _ => return None,
    }))
}

fn word(raw: &str) -> String {
    match expand::word(raw, '\\', &env) {
        Ok(text) => text.into_owned(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn substitutions() {
    for (raw, expected) in [
        ("plain", "plain"),
        ("$v", "abcabc"),
        ("${v}", "abcabc"),
        ("x$v.y", "xabcabc.y"),
        ("$v_1", ""),
        ("${v}_1", "abcabc_1"),
        ("$u", ""),
        ("$", "$"),
        ("$ x", "$ x"),
        ("$/", "$/"),
        ("$1x", "x"),
        ("${v:-w}", "abcabc"),
        ("${u:-w}", "w"),
        ("${e:-w}", "w"),
        ("${e-w}", ""),
        ("${u-w}", "w"),
        ("${v:+w}", "w"),
        ("${e:+w}", ""),
        ("${e+w}", "w"),
        ("${u+w}", ""),
        ("${v:?w}", "abcabc"),
        ("${e?w}", ""),
        ("${u:?w}", "error: u: w"),
        ("${u?}", "error: u: is not allowed to be unset"),
        ("${e:?}", "error: e: is not allowed to be empty"),
        ("${u:-$v}", "abcabc"),
        ("${u:-${u:-${v}}}", "abcabc"),
        ("${u:-a b}", "a b"),
        ("${u:-'a}b'}", "a}b"),
        ("${u:-\"$v\"}", "abcabc"),
    ] {
        assert_eq!(word(raw), expected, "{raw}");
    }
}

#[test]
fn patterns() {
    for (raw, expected) in [
        ("${v#a}", "bcabc"),
        ("${v#b}", "abcabc"),
        ("${v#*b}", "cabc"),
        ("${v##*b}", "c"),
        ("${v#a?}", "cabc"),
        ("${v%c}", "abcab"),
        ("${v%b*}", "abca"),
        ("${v%%b*}", "a"),
        ("${v%x}", "abcabc"),
        ("${p##*/}", "x.tar.gz"),
        ("${p%/*}", "/usr/local/bin"),
        ("${p%%.*}", "/usr/local/bin/x"),
        ("${p#*.}", "tar.gz"),
        ("${v/b/X}", "aXcabc"),
        ("${v//b/X}", "aXcaXc"),
        ("${v//b/}", "acac"),
        ("${v/b*/X}", "aX"),
        ("${v//*/X}", "X"),
        ("${v//?/X}", "XXXXXX"),
        ("${v///X}", "XaXbXcXaXbXcX"),
        ("${v/x/X}", "abcabc"),
        ("${p//\\//_}", "_usr_local_bin_x.tar.gz"),
        ("${p/./,}", "/usr/local/bin/x,tar.gz"),
        ("${v/$u/X}", "Xabcabc"),
        ("${v//a/$v}", "abcabcbcabcabcbc"),
        ("${u#x}", ""),
        ("${u//x/y}", ""),
        ("${v#\\a}", "error: invalid pattern (\\a) in substitution: invalid escape '\\a'"),
    ] {
        assert_eq!(word(raw), expected, "{raw}");
    }
    let stars = |name: &str| (name == "g").then_some(Cow::Borrowed("a*b?c"));
    assert_eq!(expand::word("${g//\\*/x}", '\\', &stars).unwrap(), "axb?c");
    assert_eq!(expand::word("${g#*\\?}", '\\', &stars).unwrap(), "c");
    // A star does not cross a newline, as `.*` does not.
    let lines = |name: &str| (name == "g").then_some(Cow::Borrowed("a1\nb2\na3"));
    assert_eq!(expand::word("${g//a*/x}", '\\', &lines).unwrap(), "x\nb2\nx");
    assert_eq!(expand::word("${g##*3}", '\\', &lines).unwrap(), "a1\nb2\na3");
}

#[test]
fn quotes_and_escapes() {
    for (raw, expected) in [
        ("'$v'", "$v"),
        ("\"$v\"", "abcabc"),
        ("\"a 'b' $v\"", "a 'b' abcabc"),
        ("'a \"b\"'", "a \"b\""),
        ("\\$v", "$v"),
        ("a\\ b", "a b"),
        ("a\\b", "ab"),
        ("\"a\\b\"", "a\\b"),
        ("\"a\\\"b\\$v\\\\\"", "a\"b$v\\"),
        ("'a\\'", "a\\"),
        ("a\\", "a"),
        ("\\'$v\\'", "'abcabc'"),
        ("\"\"", ""),
        ("a  b", "a  b"),
    ] {
        assert_eq!(word(raw), expected, "{raw}");
    }
    let backtick = |raw: &str| expand::word(raw, '`', &env).unwrap().into_owned();
    assert_eq!(backtick("c:\\$v"), "c:\\abcabc");
    assert_eq!(backtick("`$v"), "$v");
    assert_eq!(backtick("\"`\"\""), "\"");
    assert!(matches!(expand::word("c:\\x", '`', &env), Ok(Cow::Borrowed("c:\\x"))));
}

#[test]
fn what_buildkit_refuses() {
    let unsupported = |modifier: &str| ExpandError::UnsupportedModifier(modifier.into());
    for (raw, expected) in [
        ("${", ExpandError::MissingBrace),
        ("${u:-a", ExpandError::MissingBrace),
        ("${u:-${v}", ExpandError::MissingBrace),
        ("${v/a", ExpandError::MissingSlash),
        ("${v/a/b", ExpandError::MissingBrace),
        ("${}", ExpandError::BadSubstitution),
        ("${:x}", ExpandError::BadSubstitution),
        ("${{v}}", ExpandError::BadSubstitution),
        ("${v^^}", unsupported("^")),
        ("${v,}", unsupported(",")),
        ("${v:0:1}", unsupported(":0")),
        ("${v:#a}", unsupported(":#")),
        ("${v:=a}", unsupported(":=")),
        ("${v", unsupported("\u{FFFD}")),
        ("'a", ExpandError::UnterminatedQuote("single")),
        ("\"a", ExpandError::UnterminatedQuote("double")),
    ] {
        assert_eq!(expand::word(raw, '\\', &env), Err(expected), "{raw}");
    }
    assert_eq!(
        expand::word("'a", '\\', &env).unwrap_err().to_string(),
        "unexpected end of statement while looking for matching single-quote"
    );
}

#[test]
fn words_are_split_after_expansion() {
    let words = |raw: &str| expand::words(raw, '\\', &env).unwrap();
    assert_eq!(words("a  b\tc"), ["a", "b", "c"]);
    assert_eq!(words("x$s"), ["xone", "two"]);
    assert_eq!(words("\"$s\" 'a b' c\\ d"), ["one  two", "a b", "c d"]);
    assert_eq!(words("$e $u"), [""; 0]);
    assert_eq!(words("80 ${u:-443}/tcp"), ["80", "443/tcp"]);
    // BuildKit loses what stands before a nested text in the same word.
    assert_eq!(words("80${u:-443}"), ["443"]);
}

#[test]
fn names_that_were_used() {
    let expanded = expand::evaluate("$v ${u:-$v$w} '$x' \\$y $u", Options::new('\\'), &env).unwrap();
    assert_eq!(expanded.used, ["v"]);
    assert_eq!(expanded.unset, ["w", "u"]);
    let kept = Options { skip_unset: true, ..Options::new('\\') };
    assert_eq!(expand::evaluate("$v ${u:-$v} $w", kept, &env).unwrap().text, "abcabc ${u:-abcabc} $w");
}

#[test]
fn variables_without_evaluating() {
    let raw = "a$x/${y:-${z}} '$n' \\$m \"$q\" ${k//$l/b}";
    let found: Vec<_> =
        expand::variables(raw, '\\').into_iter().map(|it| (it.name, &raw[it.range])).collect();
    assert_eq!(
        found,
        [("x", "$x"), ("y", "${y:-${z}}"), ("z", "${z}"), ("q", "$q"), ("k", "${k//$l/b}"), ("l", "$l")]
    );
    assert_eq!(expand::variables("$a ${b^} $c", '\\').len(), 1);
    assert_eq!(expand::variables("nothing", '\\'), []);
}

#[test]
fn bounds() {
    let deep = |depth: usize| format!("{}x{}", "${u:-".repeat(depth), "}".repeat(depth));
    assert_eq!(word(&deep(MAX_DEPTH)), "x");
    assert_eq!(expand::word(&deep(MAX_DEPTH + 1), '\\', &env), Err(ExpandError::TooDeep));
    assert_eq!(expand::word(&"${u:-".repeat(100_000), '\\', &env), Err(ExpandError::TooDeep));
    let big = "x".repeat(100_000);
    let env = |_: &str| Some(Cow::Borrowed(big.as_str()));
    assert_eq!(expand::word("$a", '\\', &env).unwrap().len(), 100_000);
    assert_eq!(expand::word(&"$a".repeat(1_000), '\\', &env), Err(ExpandError::TooLong));
    assert_eq!(
        expand::word(&format!("${{a//{}/y}}", "?".repeat(100)), '\\', &env),
        Err(ExpandError::TooLong)
    );
}
