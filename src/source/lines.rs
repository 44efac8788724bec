//! Byte offsets to lines and columns, and back.

/// A place as people count: both numbers start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters (Unicode scalar values), from 1.
    pub column: u32,
}

/// The starts of the lines of one text. Lines end with `\n`; a `\r` before it belongs to the line's end.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: u32,
    /// Columns of an ASCII text are byte offsets: many places in one huge line stay cheap.
    ascii: bool,
}

impl LineIndex {
    /// Indexes `text` in one pass.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let newline = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
        // Lines of Dockerfiles and pipelines have about 30 bytes.
        let mut starts = Vec::with_capacity(text.len() / 24 + 1);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(newline));
        Self { starts, len: u32::try_from(text.len()).unwrap_or(u32::MAX), ascii: text.is_ascii() }
    }

    /// The 1-based line that holds byte `offset`; offsets past the end count as the last line.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    /// Number of lines; a text that ends with a newline has an empty last line.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The byte offset where the 1-based `line` starts; the text's end where there is no such line.
    #[must_use]
    pub fn start(&self, line: u32) -> u32 {
        self.starts.get((line as usize).wrapping_sub(1)).copied().unwrap_or(self.len)
    }

    /// Whether the text is ASCII, where a column is the same in every encoding.
    pub(super) fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Line and column of byte `offset` in `text`, the text that was indexed.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let offset = offset.min(self.len);
        let line = self.line(offset);
        if self.ascii {
            return Position { line, column: offset.saturating_sub(self.start(line)).saturating_add(1) };
        }
        let before = text.get(self.start(line) as usize..offset as usize).unwrap_or("");
        Position { line, column: u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_with_a_newline() {
        let text = "é\r\nab𝄞c\n";
        let index = LineIndex::new(text);
        let at = |needle: &str| index.position(text, u32::try_from(text.find(needle).unwrap()).unwrap());
        assert_eq!(at("é"), Position { line: 1, column: 1 });
        assert_eq!(at("c"), Position { line: 2, column: 4 });
        assert_eq!(index.count(), 3);
        assert_eq!(index.position(text, 9999), Position { line: 3, column: 1 });
    }
}
