//! Columns as editors count them.

use super::LineIndex;

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what an editor that says nothing means.
    #[default]
    Utf16,
    /// Characters (Unicode scalar values).
    Utf32,
}

impl Encoding {
    /// The length of `text` in this encoding's units.
    #[must_use]
    pub fn len(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
            Self::Utf32 => text.chars().count(),
        }
    }

    /// The byte in `text` at which `units` of them have passed; the start of a character that `units` cuts, the end of a
    /// text that is shorter.
    #[must_use]
    pub fn byte(self, text: &str, units: usize) -> usize {
        if text.is_ascii() {
            return units.min(text.len());
        }
        let mut passed = 0;
        for (at, c) in text.char_indices() {
            passed += match self {
                Self::Utf8 => c.len_utf8(),
                Self::Utf16 => c.len_utf16(),
                Self::Utf32 => 1,
            };
            if passed > units {
                return at;
            }
        }
        text.len()
    }
}

impl LineIndex {
    /// Line and column of byte `offset` in `text` (the text that was indexed), both from 0; an offset inside a character
    /// counts as its start.
    #[must_use]
    pub fn column(&self, text: &str, offset: u32, encoding: Encoding) -> (u32, u32) {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line(u32::try_from(offset).unwrap_or(u32::MAX));
        let before = text.get(self.start(line) as usize..offset).unwrap_or("");
        let column = if self.is_ascii() { before.len() } else { encoding.len(before) };
        (line.saturating_sub(1), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// The byte of `text` at `line` and `column`, both from 0. A column past the line's end is the end, before `\r\n`; a
    /// line past the last one is the text's end.
    #[must_use]
    pub fn offset(&self, text: &str, line: u32, column: u32, encoding: Encoding) -> u32 {
        if line >= self.count() {
            return u32::try_from(text.len()).unwrap_or(u32::MAX);
        }
        let start = self.start(line.saturating_add(1));
        let end = self.start(line.saturating_add(2));
        let whole = text.get(start as usize..end as usize).unwrap_or("");
        let content = whole.strip_suffix('\n').map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line));
        start.saturating_add(u32::try_from(encoding.byte(content, column as usize)).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// é is 2 bytes and 1 UTF-16 unit, 𝄞 is 4 bytes and 2 units.
    const TEXT: &str = "a\r\né𝄞b\r\n\nx";

    #[test]
    fn columns_count_the_units_of_their_encoding() {
        let index = LineIndex::new(TEXT);
        let at = |needle: &str| u32::try_from(TEXT.find(needle).unwrap()).unwrap();
        for (encoding, column) in [(Encoding::Utf8, 6), (Encoding::Utf16, 3), (Encoding::Utf32, 2)] {
            assert_eq!(index.column(TEXT, at("b"), encoding), (1, column), "{encoding:?}");
            assert_eq!(index.offset(TEXT, 1, column, encoding), at("b"), "{encoding:?}");
        }
        assert_eq!(index.column(TEXT, 9999, Encoding::Utf16), (3, 1));
    }

    #[test]
    fn what_lies_outside_or_between_falls_back() {
        let index = LineIndex::new(TEXT);
        let offset = |line, column, encoding| index.offset(TEXT, line, column, encoding);
        assert_eq!(offset(0, 99, Encoding::Utf16), 1, "before the line's end");
        assert_eq!(offset(2, 1, Encoding::Utf16), offset(2, 0, Encoding::Utf8));
        assert_eq!(offset(9, 0, Encoding::Utf8) as usize, TEXT.len());
        let clef = u32::try_from(TEXT.find('𝄞').unwrap()).unwrap();
        assert_eq!(offset(1, 2, Encoding::Utf16), clef, "inside a surrogate pair");
        assert_eq!(offset(1, 4, Encoding::Utf8), clef, "inside a character");
        assert_eq!(index.column(TEXT, clef + 1, Encoding::Utf32), (1, 1));
    }

    #[test]
    fn every_boundary_comes_back() {
        let index = LineIndex::new(TEXT);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            for (at, c) in TEXT.char_indices().filter(|(_, c)| *c != '\n') {
                let before_end = c != '\r' || !TEXT[at..].starts_with("\r\n");
                let at = u32::try_from(at).unwrap();
                let (line, column) = index.column(TEXT, at, encoding);
                assert!(!before_end || index.offset(TEXT, line, column, encoding) == at);
            }
        }
    }
}
