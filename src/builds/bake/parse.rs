//! The blocks of bake files: variables, functions, groups and targets of HCL and of its JSON form.

use super::eval::{Definition, Function};
use super::expr::{Expr, Kind, Reader};
use crate::builds::{ReadError, json, yaml};
use crate::source::Span;
use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Body};
use rustc_hash::FxHashMap;

/// The definitions of all files, later ones over earlier ones.
#[derive(Default)]
pub(super) struct Definitions {
    pub(super) variables: FxHashMap<String, Definition>,
    pub(super) functions: FxHashMap<String, Function>,
    pub(super) groups: Vec<Group>,
    pub(super) targets: Vec<Target>,
    by_name: FxHashMap<String, usize>,
}

/// `group "name" { targets = […] }`.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) targets: Vec<(Expr, usize)>,
}

/// `target "name" { … }`, the blocks of several files in order.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) blocks: Vec<TargetBlock>,
}

/// One block of a target.
pub(super) struct TargetBlock {
    pub(super) file: usize,
    pub(super) span: Span,
    pub(super) attributes: Vec<(String, Expr)>,
}

impl Definitions {
    pub(super) fn target(&self, name: &str) -> Option<&Target> {
        self.targets.get(*self.by_name.get(name)?)
    }

    /// Reads a file, which is the number `file`, over what is there.
    pub(super) fn read(&mut self, path: &str, text: &str, file: usize) -> Result<(), ReadError> {
        if path.ends_with(".json") { self.json(text, file) } else { self.hcl(text, file) }
    }

    fn hcl(&mut self, text: &str, file: usize) -> Result<(), ReadError> {
        // A byte order mark is not HCL; spans move with it.
        let body = hcl_edit::parser::parse_body(text).map_err(|error| ReadError {
            line: u32::try_from(error.location().line()).ok(),
            message: error.message().to_owned(),
        })?;
        let reader = Reader { source: text, inside: None };
        for block in body.blocks() {
            let label = block.labels.first().map(|label| label.as_str().to_owned());
            let Some(name) = label else { continue };
            let attribute =
                |key: &str| block.body.get_attribute(key).map(|found| reader.expression(&found.value, 0));
            match block.ident.value().as_str() {
                "variable" => {
                    let definition = Definition { expr: attribute("default"), file };
                    self.variables.insert(name, definition);
                }
                "function" => {
                    let params = attribute("params").map(|params| names(&params)).unwrap_or_default();
                    let rest = attribute("variadic_params").or_else(|| attribute("variadic_param"));
                    if let Some(result) = attribute("result") {
                        let rest = rest.as_ref().and_then(|rest| names(rest).into_iter().next());
                        self.functions.insert(name, Function { params, rest, result, file });
                    }
                }
                "group" => self.group(name, attribute("targets").map(|targets| (targets, file))),
                "target" => self.add(name, target(&reader, block, file)),
                _ => {}
            }
        }
        // `NAME = value` outside of blocks is a variable too.
        for attribute in body.attributes() {
            let expr = Some(reader.expression(&attribute.value, 0));
            self.variables.insert(attribute.key.value().to_string(), Definition { expr, file });
        }
        Ok(())
    }

    fn json(&mut self, text: &str, file: usize) -> Result<(), ReadError> {
        let root = json::parse(text)?;
        let reader = Reader { source: text, inside: None };
        let section = |name: &str| -> Vec<yaml::Entry<'_>> {
            root.get(name).map(|section| section.entries().to_vec()).unwrap_or_default()
        };
        for entry in section("variable") {
            let Some(name) = entry.name() else { continue };
            let expr = entry.value.get("default").map(|value| reader.json(value, 0));
            self.variables.insert(name.to_owned(), Definition { expr, file });
        }
        for entry in section("group") {
            let Some(name) = entry.name() else { continue };
            let targets = entry.value.get("targets").unwrap_or(&entry.value);
            self.group(name.to_owned(), Some((reader.json(targets, 0), file)));
        }
        for entry in section("target") {
            let Some(name) = entry.name() else { continue };
            let attribute =
                |inner: &yaml::Entry<'_>| Some((inner.name()?.to_owned(), reader.json(&inner.value, 0)));
            let attributes = entry.value.entries().iter().filter_map(attribute).collect();
            self.add(name.to_owned(), TargetBlock { file, span: entry.span(), attributes });
        }
        Ok(())
    }

    fn group(&mut self, name: String, targets: Option<(Expr, usize)>) {
        match self.groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.targets = targets.into_iter().collect(),
            None => self.groups.push(Group { name, targets: targets.into_iter().collect() }),
        }
    }

    fn add(&mut self, name: String, block: TargetBlock) {
        match self.by_name.get(&name).and_then(|index| self.targets.get_mut(*index)) {
            Some(target) => target.blocks.push(block),
            None => {
                self.by_name.insert(name.clone(), self.targets.len());
                self.targets.push(Target { name, blocks: vec![block] });
            }
        }
    }
}

fn target(reader: &Reader<'_>, block: &Block, file: usize) -> TargetBlock {
    let range = block.span().unwrap_or(0..0);
    let mut attributes: Vec<(String, Expr)> = Vec::new();
    let read = |body: &Body| -> Vec<(String, Expr)> {
        let pair = |attribute: &hcl_edit::structure::Attribute| {
            (attribute.key.value().to_string(), reader.expression(&attribute.value, 0))
        };
        body.attributes().map(pair).collect()
    };
    attributes.extend(read(&block.body));
    // `args { A = 1 }`, the old spelling of a map.
    for inner in block.body.blocks() {
        let span = inner.span().map_or(Span::default(), |range| Span::new(range.start, range.end));
        let entries = read(&inner.body).into_iter().map(|(key, value)| {
            let key_span = value.span;
            let text = crate::builds::Placed::whole(key, key_span);
            let key = Expr { kind: Kind::Text(vec![super::expr::Part::Literal(text)]), span: key_span };
            (key, value)
        });
        let kind = Kind::Map(entries.collect());
        attributes.push((inner.ident.value().to_string(), Expr { kind, span }));
    }
    TargetBlock { file, span: Span::new(range.start, range.end), attributes }
}

/// The names in a list of identifiers.
fn names(expr: &Expr) -> Vec<String> {
    let name = |expr: &Expr| match &expr.kind {
        Kind::Variable(name) => Some(name.clone()),
        _ => expr.plain(),
    };
    match &expr.kind {
        Kind::List(items) => items.iter().filter_map(name).collect(),
        _ => name(expr).into_iter().collect(),
    }
}
