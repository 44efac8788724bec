//! What the editor at the other end can do.

use crate::source::Encoding;
use gen_lsp_types::PositionEncodingKind;
use serde_json::Value;

/// The client's capabilities, as far as they change what the server says. Read one by one: a capability that is written
/// in an unknown way costs nothing but itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    /// What columns count.
    pub(super) encoding: Encoding,
    /// It shows the other places of a diagnostic.
    pub(super) related_information: bool,
    /// It asks for diagnostics itself, so that none are sent unasked.
    pub(super) pulls_diagnostics: bool,
    /// It can be told to ask again: for diagnostics, code lenses, inlay hints.
    pub(super) refreshes: [(&'static str, bool); 3],
    /// It takes edits that name the version they are for.
    pub(super) versioned_edits: bool,
    /// It creates files as part of an edit.
    pub(super) creates_files: bool,
    /// It asks for the edit of an action when the action is chosen.
    pub(super) resolves_edits: bool,
    /// It reports files that changed on the disk.
    pub(super) watches_files: bool,
    /// It can be asked for its settings.
    pub(super) has_settings: bool,
    /// It shows Markdown in hovers.
    pub(super) markdown: bool,
    /// It shows symbols as a tree.
    pub(super) symbol_tree: bool,
}

impl Client {
    /// Reads `capabilities` of the parameters of `initialize`.
    pub(super) fn new(capabilities: &Value) -> Self {
        let has = |pointer: &str| capabilities.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
        let lists = |pointer: &str, wanted: &str| {
            let list = capabilities.pointer(pointer).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(wanted)))
        };
        let edit = "/workspace/workspaceEdit";
        let is_there = |pointer: &str| capabilities.pointer(pointer).is_some_and(Value::is_object);
        let refresh = |pointer| has(pointer);
        Self {
            encoding: encoding(capabilities),
            related_information: has("/textDocument/publishDiagnostics/relatedInformation")
                || has("/textDocument/diagnostic/relatedInformation")
                || is_there("/textDocument/diagnostic"),
            pulls_diagnostics: is_there("/textDocument/diagnostic"),
            refreshes: [
                ("workspace/diagnostic/refresh", refresh("/workspace/diagnostics/refreshSupport")),
                ("workspace/codeLens/refresh", refresh("/workspace/codeLens/refreshSupport")),
                ("workspace/inlayHint/refresh", refresh("/workspace/inlayHint/refreshSupport")),
            ],
            versioned_edits: has(&format!("{edit}/documentChanges")),
            creates_files: has(&format!("{edit}/documentChanges"))
                && lists(&format!("{edit}/resourceOperations"), "create"),
            resolves_edits: lists("/textDocument/codeAction/resolveSupport/properties", "edit"),
            watches_files: has("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            has_settings: has("/workspace/configuration"),
            markdown: lists("/textDocument/hover/contentFormat", "markdown"),
            symbol_tree: has("/textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
        }
    }

    /// The name of the encoding, for the answer to `initialize`.
    pub(super) fn encoding_kind(&self) -> PositionEncodingKind {
        match self.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }
}

/// Bytes where the client knows them, since no text need be looked at for them; else the first of its list that is known
/// here. A client without a list counts UTF-16.
fn encoding(capabilities: &Value) -> Encoding {
    let offered = capabilities.pointer("/general/positionEncodings").and_then(Value::as_array);
    let offered: Vec<&str> = offered.into_iter().flatten().filter_map(Value::as_str).collect();
    if offered.contains(&"utf-8") {
        return Encoding::Utf8;
    }
    let known = offered.iter().find_map(|name| match *name {
        "utf-16" => Some(Encoding::Utf16),
        "utf-32" => Some(Encoding::Utf32),
        _ => None,
    });
    known.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_encoding_is_negotiated() {
        let of = |list: Value| Client::new(&json!({ "general": { "positionEncodings": list } })).encoding;
        assert_eq!(of(json!(["utf-16", "utf-8"])), Encoding::Utf8);
        assert_eq!(of(json!(["utf-32", "utf-16"])), Encoding::Utf32);
        assert_eq!(of(json!(["utf-16"])), Encoding::Utf16);
        assert_eq!(of(json!(["ebcdic", 7])), Encoding::Utf16);
        assert_eq!(of(json!(null)), Encoding::Utf16);
        assert_eq!(Client::new(&Value::Null).encoding, Encoding::Utf16);
    }
}
