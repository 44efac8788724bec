//! From a name to its declaration, and to all its places.

use super::convert;
use super::names::Names;
use super::server::{Failure, Server};
use crate::dockerfile;
use crate::source::Span;
use gen_lsp_types::{
    Definition, DefinitionParams, DefinitionResponse, Location, ReferenceParams, TextDocumentPositionParams,
};

impl Server {
    /// `textDocument/definition`.
    pub(super) fn definition(
        &mut self,
        params: &DefinitionParams,
    ) -> Result<Option<DefinitionResponse>, Failure> {
        let found = self.named(&params.text_document_position_params, |names, name| {
            names.declaration(name).map(|declared| declared.span).into_iter().collect()
        });
        Ok(found.into_iter().next().map(|at| DefinitionResponse::Definition(Definition::Location(at))))
    }

    /// `textDocument/references`.
    pub(super) fn references(&mut self, params: &ReferenceParams) -> Result<Option<Vec<Location>>, Failure> {
        let with_declaration = params.context.include_declaration;
        let found = self.named(&params.text_document_position_params, |names, name| {
            let places = names.places(name).filter(|name| with_declaration || !name.declares);
            places.map(|name| name.span).collect()
        });
        Ok(Some(found))
    }

    /// The places that `pick` makes of the name at a position.
    fn named(
        &self,
        at: &TextDocumentPositionParams,
        pick: impl FnOnce(&Names, super::names::Means) -> Vec<Span>,
    ) -> Vec<Location> {
        let uri = &at.text_document.uri;
        let Some(file) = self.dockerfile_at(&uri.0) else { return Vec::new() };
        let syntax = dockerfile::parse(&file.text);
        let names = Names::new(&syntax);
        let offset = convert::offset(&file, at.position, self.client.encoding);
        let spans = names.at(offset).map(|name| pick(&names, name.means)).unwrap_or_default();
        let range = |span| convert::range(&file, span, self.client.encoding);
        spans.into_iter().map(|span| Location { uri: uri.clone(), range: range(span) }).collect()
    }
}
