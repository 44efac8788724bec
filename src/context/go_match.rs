//! Go's `path.Match`: what the wildcards of a COPY or ADD source mean (BuildKit's cache/contenthash and fsutil), and
//! the test that patternmatcher puts every `.dockerignore` pattern through before it uses it.
//!
//! `*` is any run without `/`, `?` one character but `/`, `[a-z]` and `[^a-z]` a class (which may match `/`), `\x` the
//! character x. There is no `**`: it is `*`. Works on bytes as Go does, in time pattern × name at most.

/// The pattern is malformed: a class without an end, without a member, with a bad range, or a trailing backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether `name` as a whole matches `pattern`.
///
/// # Errors
///
/// [`BadPattern`], wherever in the pattern the mistake stands and whatever the name.
pub fn go_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let mut pattern = pattern.as_bytes();
    let mut name = name.as_bytes();
    while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        match place(star, chunk, name, rest.is_empty())? {
            Some(left) => name = left,
            None => {
                validate(rest)?;
                return Ok(false);
            }
        }
    }
    Ok(name.is_empty())
}

/// Whether a COPY or ADD source has wildcards; a backslash hides the character after it.
#[must_use]
pub fn has_wildcards(source: &str) -> bool {
    let mut bytes = source.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    false
}

fn validate(mut pattern: &[u8]) -> Result<(), BadPattern> {
    while !pattern.is_empty() {
        let (_, chunk, rest) = next_chunk(pattern);
        match_chunk(chunk, b"")?;
        pattern = rest;
    }
    Ok(())
}

/// The first place where `chunk` fits, at the front or, after a star, past bytes that are no slash; what is left of
/// the name behind it. The last chunk has to use the name up.
fn place<'a>(star: bool, chunk: &[u8], name: &'a [u8], last: bool) -> Result<Option<&'a [u8]>, BadPattern> {
    let fits = |left: &[u8]| left.is_empty() || !last;
    if let Some(left) = match_chunk(chunk, name)?
        && fits(left)
    {
        return Ok(Some(left));
    }
    if star {
        let mut rest = name;
        while let Some((first, tail)) = rest.split_first() {
            if *first == b'/' {
                break;
            }
            if let Some(left) = match_chunk(chunk, tail)?
                && fits(left)
            {
                return Ok(Some(left));
            }
            rest = tail;
        }
    }
    Ok(None)
}

/// Leading stars, the text up to the next star outside a class, and the rest.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let pattern = pattern.get(stars..).unwrap_or_default();
    let mut in_class = false;
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let (chunk, rest) = pattern.split_at(at.min(pattern.len()));
    (stars > 0, chunk, rest)
}

/// What is left of `name` after `chunk` matched its front; the whole chunk is checked even where it does not match.
fn match_chunk<'a>(mut chunk: &[u8], mut name: &'a [u8]) -> Result<Option<&'a [u8]>, BadPattern> {
    let mut failed = false;
    while let Some((&first, rest)) = chunk.split_first() {
        failed |= name.is_empty();
        match first {
            b'[' => {
                let mut got = '\u{fffd}';
                if !failed {
                    (got, name) = take_char(name);
                }
                let (matched, after) = class(rest, got)?;
                failed |= !matched;
                chunk = after;
            }
            b'?' => {
                if !failed {
                    failed = name.first() == Some(&b'/');
                    (_, name) = take_char(name);
                }
                chunk = rest;
            }
            _ => {
                let (literal, after) = match first {
                    b'\\' => rest.split_first().map(|(byte, after)| (*byte, after)).ok_or(BadPattern)?,
                    byte => (byte, rest),
                };
                if !failed {
                    failed = name.first() != Some(&literal);
                    name = name.get(1..).unwrap_or_default();
                }
                chunk = after;
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// Whether `got` is in the class whose text begins behind its `[`, and the pattern behind the class.
fn class(mut text: &[u8], got: char) -> Result<(bool, &[u8]), BadPattern> {
    let negated = text.first() == Some(&b'^');
    if negated {
        text = text.get(1..).unwrap_or_default();
    }
    let (mut matched, mut first) = (false, true);
    loop {
        if let Some((b']', rest)) = text.split_first()
            && !first
        {
            return Ok((matched != negated, rest));
        }
        let (low, rest) = member(text)?;
        let (high, rest) = match rest.split_first() {
            Some((b'-', range)) => member(range)?,
            _ => (low, rest),
        };
        matched |= low <= got && got <= high;
        text = rest;
        first = false;
    }
}

/// One character of a class; a class has to go on behind it.
fn member(text: &[u8]) -> Result<(char, &[u8]), BadPattern> {
    let text = match text.split_first() {
        None | Some((b'-' | b']', _)) => return Err(BadPattern),
        Some((b'\\', rest)) => rest,
        Some(_) => text,
    };
    if text.is_empty() {
        return Err(BadPattern);
    }
    match take_char(text) {
        (_, []) => Err(BadPattern),
        (got, rest) => Ok((got, rest)),
    }
}

/// The first character and the rest; a byte that begins none (a star may have stopped inside a character) counts as
/// one replacement character.
fn take_char(bytes: &[u8]) -> (char, &[u8]) {
    let head = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => {
            std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
    };
    let got = valid.chars().next();
    let width = got.map_or(1, char::len_utf8);
    (got.unwrap_or('\u{fffd}'), bytes.get(width..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        // From the table of Go's path/match_test.go.
        for (pattern, name, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[x\\-]", "z", false),
            ("*x", "xxx", true),
            ("**/x", "a/x", true),
            ("**/x", "a/b/x", false),
        ] {
            assert_eq!(go_match(pattern, name), Ok(expected), "{pattern} {name}");
        }
    }

    #[test]
    fn malformed_patterns_are_errors_wherever_the_mistake_stands() {
        for pattern in [
            "[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "[a", "x*[", "*[]",
            "a\\",
        ] {
            assert_eq!(go_match(pattern, "zzz"), Err(BadPattern), "{pattern}");
        }
    }

    #[test]
    fn wildcards_are_seen_unless_escaped() {
        assert!(has_wildcards("src/*.go") && has_wildcards("a?") && has_wildcards("[[]"));
        assert!(!has_wildcards("a\\*b") && !has_wildcards("plain/x.go"));
    }
}
