//! The outline of a Dockerfile: stages, and what is in them.

use super::convert;
use super::server::{Failure, Server};
use crate::dockerfile::{self, Instruction, Keyword, Kind};
use crate::source::{SourceFile, Span};
use gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Location,
    SymbolInformation, SymbolKind, Uri,
};

/// Longer names are cut.
const MAX_NAME: usize = 80;

#[allow(deprecated)] // the fields have to be written
impl Server {
    /// `textDocument/documentSymbol`.
    pub(super) fn symbols(
        &mut self,
        params: &DocumentSymbolParams,
    ) -> Result<Option<DocumentSymbolResponse>, Failure> {
        let address = &params.text_document.uri.0;
        let Some(file) = self.dockerfile_at(address) else { return Ok(None) };
        let symbols = self.outline(&file);
        if self.client.symbol_tree {
            return Ok(Some(DocumentSymbolResponse::DocumentSymbolList(symbols)));
        }
        let mut flat = Vec::new();
        for symbol in symbols {
            flatten(symbol, None, &params.text_document.uri, &mut flat);
        }
        Ok(Some(DocumentSymbolResponse::SymbolInformationList(flat)))
    }

    fn outline(&self, file: &SourceFile) -> Vec<DocumentSymbol> {
        let syntax = dockerfile::parse(&file.text);
        let mut symbols: Vec<DocumentSymbol> = Vec::new();
        let mut stages = 0;
        let mut stage: Option<(DocumentSymbol, Span)> = None;
        for instruction in syntax.instructions() {
            let range = |span| convert::range(file, span, self.client.encoding);
            let symbol = |name: String, detail: Option<String>, kind, selection: Span| DocumentSymbol {
                name,
                detail,
                kind,
                range: range(instruction.span),
                selection_range: range(selection),
                tags: None,
                deprecated: None,
                children: None,
            };
            if let Kind::From(from) = &instruction.kind {
                symbols.extend(stage.take().map(|(symbol, _)| symbol));
                let name = from.name.as_ref();
                let label = name.map_or_else(|| format!("stage {stages}"), |name| name.text.to_string());
                let selection = name.map_or(from.image.span, |name| name.span);
                let symbol =
                    symbol(label, Some(format!("FROM {}", from.image.text)), SymbolKind::Module, selection);
                stage = Some((symbol, instruction.span));
                stages += 1;
                continue;
            }
            let kind = kind_of(instruction.keyword);
            let own = symbol(label(&file.text, instruction), None, kind, instruction.keyword_span);
            match &mut stage {
                Some((symbol, whole)) => {
                    *whole = whole.cover(instruction.span);
                    symbol.range = range(*whole);
                    symbol.children.get_or_insert_default().push(own);
                }
                None => symbols.push(own),
            }
        }
        symbols.extend(stage.map(|(symbol, _)| symbol));
        symbols
    }
}

/// The instruction in one line.
fn label(source: &str, instruction: &Instruction<'_>) -> String {
    let flags = instruction.flags.iter().map(|flag| flag.span.of(source));
    let words = std::iter::once(instruction.keyword.name()).chain(flags);
    let words = words.chain(instruction.args.text.split_whitespace());
    let mut label = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = label.char_indices().nth(MAX_NAME) {
        label.truncate(end);
        label.push('…');
    }
    label
}

fn kind_of(keyword: Keyword) -> SymbolKind {
    match keyword {
        Keyword::Run => SymbolKind::Function,
        Keyword::Copy | Keyword::Add => SymbolKind::File,
        Keyword::Arg => SymbolKind::Variable,
        Keyword::Env => SymbolKind::Constant,
        Keyword::Workdir | Keyword::Volume => SymbolKind::Namespace,
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck => SymbolKind::Event,
        _ => SymbolKind::Property,
    }
}

#[allow(deprecated)] // the field has to be written
fn flatten(symbol: DocumentSymbol, container: Option<&str>, uri: &Uri, flat: &mut Vec<SymbolInformation>) {
    flat.push(SymbolInformation {
        location: Location { uri: uri.clone(), range: symbol.range },
        deprecated: None,
        base_symbol_information: BaseSymbolInformation {
            name: symbol.name.clone(),
            kind: symbol.kind,
            tags: None,
            container_name: container.map(str::to_owned),
        },
    });
    for child in symbol.children.into_iter().flatten() {
        flatten(child, Some(&symbol.name), uri, flat);
    }
}
