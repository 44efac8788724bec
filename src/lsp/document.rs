//! The open documents.

use crate::source::{Encoding, LineIndex};
use gen_lsp_types::{
    LanguageKind, Position, Range, TextDocumentContentChangeEvent as Change, TextDocumentItem, Uri,
};
use std::path::PathBuf;

/// A document as the editor has it.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// As the editor spells it.
    pub(super) uri: Uri,
    /// Where it is saved; `None` where it is not.
    pub(super) path: Option<PathBuf>,
    /// The editor's count of its changes.
    pub(super) version: i32,
    /// Whether the editor says that it is a Dockerfile, whatever it is called.
    pub(super) dockerfile: bool,
    /// The whole text.
    pub(super) text: String,
}

impl Document {
    pub(super) fn new(item: TextDocumentItem) -> Self {
        Self {
            path: super::uri::to_path(&item.uri.0),
            dockerfile: item.language_id == LanguageKind::Dockerfile
                || item.language_id == LanguageKind::Custom("containerfile".into()),
            uri: item.uri,
            version: item.version,
            text: item.text,
        }
    }

    /// Applies changes, one after the other. A range that does not fit is taken as far as it does, as the protocol says.
    pub(super) fn change(&mut self, version: i32, changes: Vec<Change>, encoding: Encoding) {
        self.version = version;
        for change in changes {
            match change {
                Change::TextDocumentContentChangeWholeDocument(whole) => self.text = whole.text,
                Change::TextDocumentContentChangePartial(part) => {
                    let lines = LineIndex::new(&self.text);
                    let range = bytes(&lines, &self.text, part.range, encoding);
                    // Both ends are boundaries of characters.
                    self.text.replace_range(range, &part.text);
                }
            }
        }
    }
}

/// The bytes of a range, whichever of its ends comes first.
fn bytes(lines: &LineIndex, text: &str, range: Range, encoding: Encoding) -> std::ops::Range<usize> {
    let at = |position: Position| lines.offset(text, position.line, position.character, encoding) as usize;
    let (start, end) = (at(range.start), at(range.end));
    start.min(end)..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(text: &str, encoding: Encoding, changes: serde_json::Value) -> String {
        let item =
            json!({ "uri": "file:///Dockerfile", "languageId": "dockerfile", "version": 1, "text": text });
        let mut document = Document::new(serde_json::from_value(item).unwrap());
        assert!(document.dockerfile);
        document.change(2, serde_json::from_value(changes).unwrap(), encoding);
        assert_eq!(document.version, 2);
        document.text
    }

    fn part(start: (u32, u32), end: (u32, u32), text: &str) -> serde_json::Value {
        let at = |(line, character)| json!({ "line": line, "character": character });
        json!({ "range": { "start": at(start), "end": at(end) }, "text": text })
    }

    #[test]
    fn changes_apply_one_after_the_other() {
        let changes = json!([part((0, 5), (0, 11), "debian"), part((0, 11), (1, 0), "\r\n\r\n")]);
        assert_eq!(changed("FROM alpine\r\nRUN x\n", Encoding::Utf16, changes), "FROM debian\r\n\r\nRUN x\n");
        assert_eq!(changed("a", Encoding::Utf16, json!([{ "text": "b" }])), "b");
    }

    #[test]
    fn columns_are_those_of_the_encoding() {
        let text = "# 𝄞é\nx";
        for (encoding, column) in [(Encoding::Utf8, 6), (Encoding::Utf16, 4), (Encoding::Utf32, 3)] {
            let after = changed(text, encoding, json!([part((0, column), (0, column + 2), "e")]));
            assert_eq!(after, "# 𝄞e\nx", "{encoding:?}");
        }
    }

    #[test]
    fn ranges_that_do_not_fit_are_taken_as_far_as_they_do() {
        assert_eq!(changed("ab\n", Encoding::Utf16, json!([part((0, 1), (9, 9), "")])), "a");
        assert_eq!(changed("ab\n", Encoding::Utf16, json!([part((0, 2), (0, 1), "x")])), "ax\n");
        assert_eq!(changed("", Encoding::Utf8, json!([part((3, 3), (4, 4), "x")])), "x");
    }
}
