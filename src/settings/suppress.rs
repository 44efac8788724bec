//! Comments that suppress findings: `# hitrate: ignore[rule] reason` and `# hitrate: ignore-file[rule] reason`.

use crate::source::Span;

/// How far a suppression reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The instruction or line below the comment, or the line that it ends.
    Next,
    /// The whole file.
    File,
}

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression<'a> {
    /// How far it reaches.
    pub reach: Reach,
    /// The rules, in order.
    pub rules: Vec<NamedRule<'a>>,
    /// The text after the bracket.
    pub reason: &'a str,
    /// From the comment's sign to its end, without the line end.
    pub span: Span,
}

/// A rule's name in a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedRule<'a> {
    /// As written; the engine says whether there is such a rule.
    pub name: &'a str,
    /// Where.
    pub span: Span,
}

impl<'a> Suppression<'a> {
    /// Reads the comment that is the bytes of `span` in `source`, sign (`#`, `//`, `--`) included. `None` for any other
    /// comment.
    #[must_use]
    pub fn parse(source: &'a str, span: Span) -> Option<Self> {
        let comment = span.of(source);
        let text = comment.trim_start_matches(['#', '/', '-', ' ', '\t']);
        let rest = text.strip_prefix("hitrate:")?.trim_start().strip_prefix("ignore")?;
        let (reach, rest) = match rest.strip_prefix("-file") {
            Some(rest) => (Reach::File, rest),
            None => (Reach::Next, rest),
        };
        let list = rest.trim_start().strip_prefix('[')?;
        let (list, reason) = list.split_once(']')?;
        let at = |part: &str| part.as_ptr() as usize - source.as_ptr() as usize;
        let rules = list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| NamedRule { name, span: Span::new(at(name), at(name) + name.len()) })
            .collect();
        let end = span.start as usize + comment.trim_end().len();
        let span = Span::new(span.start as usize, end.max(span.start as usize));
        Some(Self { reach, rules, reason: reason.trim(), span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Suppression<'_>> {
        Suppression::parse(text, Span::new(0, text.len()))
    }

    #[test]
    fn a_comment_is_read_with_the_places_of_its_names() {
        let text = "# hitrate: ignore[mutable-base, cache-buster] we know\r\n";
        let found = parse(text).unwrap();
        assert_eq!(found.reach, Reach::Next);
        assert_eq!(found.reason, "we know");
        let names: Vec<_> = found.rules.iter().map(|rule| (rule.name, rule.span.of(text))).collect();
        assert_eq!(names, [("mutable-base", "mutable-base"), ("cache-buster", "cache-buster")]);
        assert_eq!(found.span.of(text), "# hitrate: ignore[mutable-base, cache-buster] we know");
        assert_eq!(parse("//hitrate:ignore-file[x]").unwrap().reach, Reach::File);
    }

    #[test]
    fn other_comments_are_none() {
        for text in [
            "# hitrate",
            "# hitrate: ignore",
            "# hitrate: ignore[x",
            "# ignore[x]",
            "",
            "# hitrate: disable[x]",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
