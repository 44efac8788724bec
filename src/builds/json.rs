//! JSON with comments and trailing commas (`package.json`, `devcontainer.json`, `docker-bake.json`, `daemon.json`) as the same
//! tree as YAML, every node and every byte of a string leading back to the file. The JSON crates in use keep no places.

use super::yaml::{Data, Entry, Node, ParseError, Scalar, Style};
use crate::source::{Joined, Segment, Span};
use std::borrow::Cow;
use std::sync::Arc;

/// Nesting that is read.
const MAX_DEPTH: u32 = 128;

/// The value that `text` is.
///
/// # Errors
/// Where it is not JSON, or nested deeper than 128 levels.
pub fn parse(text: &str) -> Result<Arc<Node<'_>>, ParseError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let value = reader.value(0).and_then(|value| {
        reader.blanks()?;
        if reader.at < text.len() { Err("more text after the value") } else { Ok(value) }
    });
    value.map_err(|message| {
        let before = reader.bytes.get(..reader.at).unwrap_or(reader.bytes);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        ParseError { line: u32::try_from(line).unwrap_or(u32::MAX), message: message.to_owned() }
    })
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over blanks and comments.
    fn blanks(&mut self) -> Read<()> {
        loop {
            match (self.peek(), self.bytes.get(self.at + 1)) {
                (Some(b' ' | b'\t' | b'\n' | b'\r'), _) => self.at += 1,
                (Some(b'/'), Some(b'/')) => {
                    let rest = self.bytes.get(self.at..).unwrap_or(b"");
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                (Some(b'/'), Some(b'*')) => {
                    let rest = self.bytes.get(self.at + 2..).unwrap_or(b"");
                    self.at += 4 + memchr::memmem::find(rest, b"*/").ok_or("a comment without an end")?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: u32) -> Read<Arc<Node<'a>>> {
        if depth >= MAX_DEPTH {
            return Err("nested too deep");
        }
        self.blanks()?;
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(),
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'-' => Ok(self.word()),
            Some(_) => Err("a value is expected here"),
            None => Err("the text ends before its value does"),
        }
    }

    fn object(&mut self, depth: u32) -> Read<Arc<Node<'a>>> {
        let start = self.at;
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            self.blanks()?;
            match self.peek() {
                Some(b'}') => break,
                Some(b'"') => {}
                _ => return Err("a key in double quotes is expected here"),
            }
            let key = self.string()?;
            self.blanks()?;
            if self.peek() != Some(b':') {
                return Err("`:` is expected here");
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            entries.push(Entry { key, value, merged: false });
            self.blanks()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err("`,` or `}` is expected here"),
            }
        }
        self.at += 1;
        Ok(self.node(start, Data::Map(entries)))
    }

    fn array(&mut self, depth: u32) -> Read<Arc<Node<'a>>> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blanks()?;
            if self.peek() == Some(b']') {
                break;
            }
            items.push(self.value(depth + 1)?);
            self.blanks()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err("`,` or `]` is expected here"),
            }
        }
        self.at += 1;
        Ok(self.node(start, Data::Seq(items)))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Arc<Node<'a>> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        let text = Joined::whole(self.text, Span::new(start, self.at));
        self.node(start, Data::Scalar(Scalar { text, style: Style::Plain }))
    }

    fn string(&mut self) -> Read<Arc<Node<'a>>> {
        const OPEN: &str = "a string without an end";
        let start = self.at;
        self.at += 1;
        let mut decoded: Option<(String, Vec<Segment>)> = None;
        let mut from = self.at;
        loop {
            let rest = self.bytes.get(self.at..).ok_or(OPEN)?;
            let found = memchr::memchr3(b'"', b'\\', b'\n', rest).ok_or(OPEN)?;
            self.at += found;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let (text, segments) = decoded.get_or_insert_default();
                    push(text, segments, self.text.get(from..self.at).unwrap_or(""), from);
                    let escape = self.at;
                    let ch = self.escape()?;
                    push(text, segments, ch.encode_utf8(&mut [0; 4]), escape);
                    from = self.at;
                }
                _ => return Err(OPEN),
            }
        }
        let end = self.at;
        self.at += 1;
        let text = match decoded {
            None => Joined::whole(self.text, Span::new(from, end)),
            Some((mut text, mut segments)) => {
                push(&mut text, &mut segments, self.text.get(from..end).unwrap_or(""), from);
                Joined::decoded(Cow::Owned(text), segments, u32::try_from(end).unwrap_or(u32::MAX))
            }
        };
        Ok(self.node(start, Data::Scalar(Scalar { text, style: Style::Quoted })))
    }

    /// The character of an escape; steps over it. A surrogate without its partner is a replacement character.
    fn escape(&mut self) -> Read<char> {
        let kind = self.bytes.get(self.at + 1).ok_or("a string without an end")?;
        let plain = match kind {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(*kind),
            b'u' => {
                let high = self.hex(self.at + 2)?;
                self.at += 6;
                if (0xD800..0xDC00).contains(&high)
                    && self.bytes.get(self.at..self.at + 2) == Some(b"\\u")
                    && let Ok(low @ 0xDC00..0xE000) = self.hex(self.at + 2)
                {
                    self.at += 6;
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return Err("an escape that JSON does not know"),
        };
        self.at += 2;
        Ok(plain)
    }

    fn hex(&self, at: usize) -> Read<u32> {
        let digits = self.text.get(at..at + 4).ok_or("an escape that JSON does not know")?;
        u32::from_str_radix(digits, 16).map_err(|_| "an escape that JSON does not know")
    }

    fn node(&self, start: usize, data: Data<'a>) -> Arc<Node<'a>> {
        Arc::new(Node { span: Span::new(start, self.at), tag: None, data })
    }
}

fn push(text: &mut String, segments: &mut Vec<Segment>, part: &str, source: usize) {
    if part.is_empty() {
        return;
    }
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    segments.push(Segment { joined: narrow(text.len()), source: narrow(source) });
    text.push_str(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_lead_back_through_their_escapes() {
        let text = "// c\n{\"a\": \"x \\\"y\\\" \\u00e9\\ud83d\\ude00 z\", /* d */ \"b\": [1, true,], }";
        let root = parse(text).unwrap();
        let a = root.get("a").unwrap();
        assert_eq!(a.str(), Some("x \"y\" é😀 z"));
        let joined = a.text().unwrap();
        let at = joined.text.find('z').unwrap();
        assert_eq!(joined.span(at, at + 1).of(text), "z");
        assert_eq!(root.get("b").unwrap().items()[0].span.of(text), "1");
        assert_eq!(root.get("b").unwrap().items()[1].bool(), Some(true));
        assert_eq!(root.span.of(text), text.strip_prefix("// c\n").unwrap());
    }

    #[test]
    fn what_is_not_json_is_an_error_with_its_line() {
        for (text, line) in [
            ("{\n\"a\" 1}", 2),
            ("", 1),
            ("{\"a\": \"b\n\"}", 1),
            ("[1 2]", 1),
            ("{} x", 1),
            ("/*", 1),
            ("\"\\u12\"", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"{\"a\":".repeat(100_000)).is_err());
    }
}
