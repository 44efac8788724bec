//! JSON as far as a Dockerfile needs it: an array of strings with spans, decided as Go's `encoding/json` decides.

use std::ops::Range;

/// Go's deepest nesting; deeper text is not JSON to it.
const MAX_DEPTH: usize = 10_000;

/// A string of the array.
pub(super) struct JsonString {
    /// The bytes between the quotes.
    pub(super) content: Range<usize>,
    /// The decoded text, if it has escapes.
    pub(super) decoded: Option<String>,
}

/// What an argument text is to `parseJSON` of `parser/line_parsers.go`.
pub(super) enum Array {
    /// An array of strings.
    Strings(Vec<JsonString>),
    /// An array with something else in it; BuildKit refuses it.
    Mixed,
    /// No JSON array, or a broken one: shell form.
    No,
}

/// Reads `text` as a JSON array.
pub(super) fn array(text: &str) -> Array {
    if !text.starts_with('[') {
        return Array::No;
    }
    let mut scanner = Scanner { text, at: 1 };
    scanner.array_rest().unwrap_or(Array::No)
}

/// The key as written and the value (between its quotes, escapes kept) of the last member `key` of the object that
/// `text` is, if that is a string.
pub(super) fn object_string<'a>(text: &'a str, key: &str) -> Option<(&'a str, &'a str)> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.blanks();
    scanner.take(b'{')?;
    let mut found = None;
    scanner.blanks();
    if scanner.take(b'}').is_none() {
        loop {
            scanner.blanks();
            let name = scanner.string()?;
            scanner.blanks();
            scanner.take(b':')?;
            scanner.blanks();
            let name = text.get(name.content)?;
            if scanner.peek() == Some(b'"') {
                let value = scanner.string()?;
                if name == key {
                    found = Some((name, text.get(value.content)?));
                }
            } else {
                scanner.value()?;
                if name == key {
                    found = None;
                }
            }
            scanner.blanks();
            if scanner.take(b',').is_none() {
                scanner.take(b'}')?;
                break;
            }
        }
    }
    scanner.blanks();
    if scanner.peek().is_some() { None } else { found }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// After `[`. `None` where the text is not JSON.
    fn array_rest(&mut self) -> Option<Array> {
        let mut strings = Vec::new();
        let mut mixed = false;
        self.blanks();
        if self.take(b']').is_none() {
            loop {
                self.blanks();
                if self.peek() == Some(b'"') {
                    strings.push(self.string()?);
                } else {
                    self.value()?;
                    mixed = true;
                }
                self.blanks();
                if self.take(b',').is_none() {
                    self.take(b']')?;
                    break;
                }
            }
        }
        self.blanks();
        match self.peek() {
            Some(_) => None,
            None if mixed => Some(Array::Mixed),
            None => Some(Array::Strings(strings)),
        }
    }

    fn string(&mut self) -> Option<JsonString> {
        self.take(b'"')?;
        let start = self.at;
        let mut decoded: Option<String> = None;
        let mut copied = start;
        loop {
            let byte = self.peek()?;
            match byte {
                b'"' => break,
                b'\\' => {
                    let so_far = self.text.get(copied..self.at)?;
                    decoded.get_or_insert_default().push_str(so_far);
                    self.at += 1;
                    let c = self.escape()?;
                    decoded.get_or_insert_default().push(c);
                    copied = self.at;
                }
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
        let content = start..self.at;
        if let Some(decoded) = &mut decoded {
            decoded.push_str(self.text.get(copied..self.at)?);
        }
        self.at += 1;
        Some(JsonString { content, decoded })
    }

    /// After the backslash.
    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex(self.at)?;
                self.at += 4;
                // A pair of surrogates is one character, a lone one is replaced.
                if (0xD800..0xDC00).contains(&first) && self.text.get(self.at..self.at + 2) == Some("\\u") {
                    let second = self.hex(self.at + 2).filter(|second| (0xDC00..0xE000).contains(second));
                    if let Some(second) = second {
                        self.at += 6;
                        return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
                    }
                }
                char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            u32::from_str_radix(digits, 16).ok()
        } else {
            None
        }
    }

    /// Any value, without recursion.
    fn value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            self.blanks();
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                bracket @ (b'[' | b'{') => {
                    self.at += 1;
                    open.push(bracket);
                    if open.len() >= MAX_DEPTH {
                        return None;
                    }
                    self.blanks();
                    if self.take(closing(bracket)).is_some() {
                        open.pop();
                    } else {
                        if bracket == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => self.number()?,
            }
            loop {
                let Some(bracket) = open.last().copied() else { return Some(()) };
                self.blanks();
                if self.take(b',').is_some() {
                    if bracket == b'{' {
                        self.key()?;
                    }
                    break;
                }
                self.take(closing(bracket))?;
                open.pop();
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.blanks();
        self.string()?;
        self.blanks();
        self.take(b':')
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        // Go refuses what does not fit a float64.
        self.text.get(start..self.at)?.parse::<f64>().ok().filter(|number| number.is_finite()).map(|_| ())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

fn closing(bracket: u8) -> u8 {
    if bracket == b'[' { b']' } else { b'}' }
}
