//! As much of Groovy's lexer as it takes to find steps: names, strings with what they hold, brackets.

use crate::source::{Joined, Segment, Span};
use std::borrow::Cow;

/// A token with its bytes.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Its bytes, quotes and all.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of token.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A name; `a.b` is three tokens.
    Name(String),
    /// A string.
    Text(Text),
    /// Any other character.
    Mark(char),
    /// The end of a line.
    Line,
}

/// A string.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// What it holds, escapes resolved. A dollar that Groovy leaves to the shell (`\$`, or any in single quotes) is as
    /// the shell sees it.
    pub text: Joined<'static>,
    /// Where Groovy itself replaces something, by offsets of `text`: `${…}`, `$name` in double quotes.
    pub holes: Vec<(usize, usize)>,
}

/// All tokens of a text.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { source, bytes: source.as_bytes(), at: 0, out: Vec::new() };
    lexer.run();
    lexer.out
}

struct Lexer<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    out: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, start: usize, kind: Kind) {
        self.out.push(Token { span: Span::new(start, self.at.max(start)), kind });
    }

    fn run(&mut self) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            let start = self.at;
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.push(start, Kind::Line);
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' if self.rest().starts_with("//") => {
                    self.at += memchr::memchr(b'\n', self.rest().as_bytes()).unwrap_or(self.rest().len());
                }
                b'/' if self.rest().starts_with("/*") => {
                    let end = self.rest().get(2..).and_then(|rest| rest.find("*/"));
                    self.at += end.map_or(self.rest().len(), |end| end + 4);
                }
                b'\'' | b'"' => self.string(),
                byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                    let part = |ch: char| ch.is_alphanumeric() || ch == '_';
                    let first = self.rest().chars().next().map_or(1, char::len_utf8);
                    let tail = self.rest().get(first..).unwrap_or("");
                    let length = first + tail.find(|ch| !part(ch)).unwrap_or(tail.len());
                    let name = self.rest().get(..length).unwrap_or("").to_owned();
                    self.at += length;
                    self.push(start, Kind::Name(name));
                }
                _ => {
                    self.at += 1;
                    self.push(start, Kind::Mark(char::from(byte)));
                }
            }
        }
    }

    fn string(&mut self) {
        let start = self.at;
        let quote = self.bytes.get(start).copied().unwrap_or(b'"');
        let triple = self.bytes.get(start..start + 3) == Some(&[quote; 3]);
        let width = if triple { 3 } else { 1 };
        let double = quote == b'"';
        self.at += width;
        let mut builder = Builder::default();
        let mut holes = Vec::new();
        while let Some(byte) = self.bytes.get(self.at).copied() {
            if byte == quote && (!triple || self.bytes.get(self.at..self.at + 3) == Some(&[quote; 3])) {
                self.at += width;
                break;
            }
            if byte == b'\n' && !triple {
                // Not closed on its line: not a string after all.
                break;
            }
            match byte {
                b'\\' => {
                    let next = self.rest().get(1..).and_then(|rest| rest.chars().next());
                    let plain = match next {
                        Some('n') => Some('\n'),
                        Some('t') => Some('\t'),
                        Some('r') => Some('\r'),
                        // A line that goes on.
                        Some('\n') => None,
                        other => other,
                    };
                    if let Some(ch) = plain {
                        builder.put(ch, self.at);
                    }
                    self.at += 1 + next.map_or(0, char::len_utf8);
                }
                b'$' if double => {
                    let length = hole(self.rest());
                    if length > 0 {
                        let from = builder.text.len();
                        builder.copy(self.source, self.at, self.at + length);
                        holes.push((from, builder.text.len()));
                        self.at += length;
                    } else {
                        builder.put('$', self.at);
                        self.at += 1;
                    }
                }
                _ => {
                    let run = self.bytes.get(self.at..).unwrap_or(b"");
                    let special = |byte: &u8| matches!(byte, b'\\' | b'$' | b'\n' | b'\'' | b'"');
                    let length = run.iter().position(special).unwrap_or(run.len()).max(1);
                    builder.copy(self.source, self.at, self.at + length);
                    self.at += length;
                }
            }
        }
        let text = builder.finish(self.at.saturating_sub(width));
        self.push(start, Kind::Text(Text { text, holes }));
    }
}

/// The length of `${…}` or `$name` at the start of `rest`; 0 where there is none.
fn hole(rest: &str) -> usize {
    let Some(inner) = rest.strip_prefix("${") else {
        let name = rest.get(1..).unwrap_or("");
        let part = |ch: char| ch.is_ascii_alphanumeric() || ch == '_' || ch == '.';
        if !name.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_') {
            return 0;
        }
        let length = name.find(|ch| !part(ch)).unwrap_or(name.len());
        return 1 + name.get(..length).unwrap_or("").trim_end_matches('.').len();
    };
    let mut depth = 1_u32;
    for (at, byte) in inner.bytes().enumerate().take(512) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return 2 + at + 1;
                }
            }
            b'\n' => return 0,
            _ => {}
        }
    }
    0
}

#[derive(Default)]
struct Builder {
    text: String,
    segments: Vec<Segment>,
    /// Where the source goes on if it goes on straight.
    straight: usize,
}

impl Builder {
    fn segment(&mut self, source: usize) {
        if self.segments.is_empty() || source != self.straight {
            let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            self.segments.push(Segment { joined: narrow(self.text.len()), source: narrow(source) });
        }
    }

    fn put(&mut self, ch: char, source: usize) {
        self.segment(source);
        self.text.push(ch);
        self.straight = source + 1;
    }

    fn copy(&mut self, source: &str, start: usize, end: usize) {
        self.segment(start);
        self.text.push_str(source.get(start..end).unwrap_or(""));
        self.straight = end;
    }

    fn finish(self, end: usize) -> Joined<'static> {
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        Joined::decoded(Cow::Owned(self.text), self.segments, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_know_what_groovy_replaces_and_where_everything_stands() {
        let source = "sh \"docker build -t ${env.X}:$TAG \\$HOME\" // c 'x'\nsh '''a\n$b \\' '''\n";
        let all = tokens(source);
        let texts: Vec<&Text> = all
            .iter()
            .filter_map(|token| if let Kind::Text(text) = &token.kind { Some(text) } else { None })
            .collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0].text.text, "docker build -t ${env.X}:$TAG $HOME");
        let holes: Vec<&str> =
            texts[0].holes.iter().map(|(a, b)| texts[0].text.text.get(*a..*b).unwrap()).collect();
        assert_eq!(holes, ["${env.X}", "$TAG"]);
        let at = texts[0].text.text.find("$HOME").unwrap();
        assert_eq!(texts[0].text.span(at + 1, at + 5).of(source), "HOME");
        assert_eq!(texts[1].text.text, "a\n$b ' ");
        assert!(texts[1].holes.is_empty());
    }

    #[test]
    fn anything_ends() {
        for text in ["\"", "'''", "/*", "\"${", "'a\nb'", "é\u{0}$", "\\"] {
            tokens(text);
        }
        assert_eq!(
            tokens(&"\"${{".repeat(50_000)).iter().filter(|token| matches!(token.kind, Kind::Line)).count(),
            0
        );
    }
}
