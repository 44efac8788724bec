//! Parameters and variables, and the texts that use them: `${{ … }}` at compile time, `$(name)` at run time.

use crate::builds::expr::{self, Sym, Val, stand};
use crate::builds::template::{self, Holes};
use crate::builds::yaml::{Data, Node};
use crate::builds::{Volatility, name_volatility};
use crate::source::{Joined, Span};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// What is known at one place of a pipeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    parameters: FxHashMap<String, Val>,
    variables: FxHashMap<String, Variable>,
    /// The variable of `${{ each x in … }}`.
    each: Vec<(String, Val)>,
}

/// A variable with its place.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) value: Val,
    pub(super) at: Option<(Arc<str>, Span)>,
}

impl Scope {
    /// Parameters: what is given, else what the declaration has as default.
    pub(super) fn parameters(&mut self, declared: Option<&Node<'_>>, given: &[(String, Val)]) {
        let mut new: FxHashMap<String, Val> = FxHashMap::default();
        if let Some(declared) = declared {
            for item in declared.items() {
                let Some(name) = item.get("name").and_then(|name| name.str()) else { continue };
                if let Some(default) = item.get("default") {
                    new.insert(name.to_lowercase(), self.node(default));
                }
            }
            for entry in declared.entries() {
                if let Some(name) = entry.name() {
                    new.insert(name.to_lowercase(), self.node(&entry.value));
                }
            }
        }
        new.extend(given.iter().map(|(name, value)| (name.to_lowercase(), value.clone())));
        self.parameters = new;
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: &str, value: Val, at: Option<(Arc<str>, Span)>) {
        self.variables.insert(name.to_lowercase(), Variable { value, at });
    }

    /// The variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &Variable)> {
        let mut all: Vec<_> =
            self.variables.iter().map(|(name, variable)| (name.as_str(), variable)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all.into_iter()
    }

    /// A scope for one item of a loop.
    pub(super) fn with(&self, name: &str, value: Val) -> Self {
        let mut scope = self.clone();
        scope.each.push((name.to_owned(), value));
        scope
    }

    /// The value of an expression, braces included or not.
    pub(super) fn expression(&self, text: &str) -> Val {
        let inner = text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text).trim();
        match expr::parse(inner) {
            Some(expr) => expr.eval(self),
            None => Val::Sym(Sym::new(inner, Volatility::Unknown)),
        }
    }

    /// The value of a text: expressions evaluated, `$(name)` of known variables followed.
    pub(super) fn text(&self, text: &str) -> Val {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(range) = next(text, at) {
            if range.start > at {
                parts.push(Val::Str(text.get(at..range.start).unwrap_or("").to_owned()));
            }
            parts.push(self.piece(text.get(range.clone()).unwrap_or("")));
            at = range.end;
        }
        match parts.len() {
            0 => Val::Str(text.to_owned()),
            1 if at == text.len() => parts.pop().unwrap_or(Val::Null),
            _ => {
                parts.push(Val::Str(text.get(at..).unwrap_or("").to_owned()));
                Val::concat(parts)
            }
        }
    }

    /// The value of one `${{ … }}` or `$(…)`.
    fn piece(&self, piece: &str) -> Val {
        if piece.starts_with("${{") {
            return self.expression(piece);
        }
        let name = piece.trim_start_matches("$(").trim_end_matches(')');
        match self.variables.get(&name.to_lowercase()) {
            Some(variable) => variable.value.clone(),
            // As written: a shell takes it for a substitution, whose text says how often it changes.
            None => Val::Str(piece.to_owned()),
        }
    }

    /// A node's value.
    pub(super) fn node(&self, node: &Node<'_>) -> Val {
        match &node.data {
            Data::Scalar(_) if node.is_null() => Val::Null,
            Data::Scalar(scalar) => match self.text(&scalar.text.text) {
                Val::Str(text) if text.eq_ignore_ascii_case("true") => Val::Bool(true),
                Val::Str(text) if text.eq_ignore_ascii_case("false") => Val::Bool(false),
                other => other,
            },
            Data::Seq(items) => Val::Array(items.iter().map(|item| self.node(item)).collect()),
            Data::Map(entries) => Val::Object(
                entries
                    .iter()
                    .filter_map(|entry| Some((entry.name()?.to_owned(), self.node(&entry.value))))
                    .collect(),
            ),
        }
    }

    /// A text with expressions and known variables filled in.
    pub(super) fn fill<'a>(&self, text: &Joined<'a>, holes: &mut Holes) -> Joined<'a> {
        template::fill(text, holes, &next, &mut |piece, holes| stand(&self.piece(piece), holes))
    }

    /// Whether a `condition:` can be told to be false: only the plain word is.
    pub(super) fn never(&self, node: Option<&Node<'_>>) -> bool {
        let Some(text) = node.and_then(|node| node.str()) else { return false };
        matches!(self.text(text), Val::Str(text) if text.trim().eq_ignore_ascii_case("false"))
            || matches!(self.text(text), Val::Bool(false))
    }
}

impl expr::Scope for Scope {
    fn lookup(&self, root: &str, path: &[String]) -> Val {
        let first = path.first().map_or("", String::as_str);
        let within = |value: &Val| path.iter().skip(1).fold(value.clone(), |value, key| value.index(key));
        if let Some((_, value)) = self.each.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(root)) {
            return path.iter().fold(value.clone(), |value, key| value.index(key));
        }
        let whole = path.join(".");
        match root {
            "parameters" if path.is_empty() => {
                let mut all: Vec<_> = self.parameters.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                Val::Object(all)
            }
            "parameters" => match self.parameters.get(&first.to_lowercase()) {
                Some(value) => within(value),
                None => Val::Sym(Sym::new(format!("parameters.{whole}"), Volatility::Unknown)),
            },
            "variables" => match self.variables.get(&whole.to_lowercase()) {
                Some(variable) => variable.value.clone(),
                None => Val::Sym(Sym::new(format!("variables['{whole}']"), name_volatility(&whole))),
            },
            _ => Val::Sym(Sym::new(format!("{root}.{whole}"), Volatility::Unknown)),
        }
    }

    fn compare(&self, _: &Sym, _: &str) -> Option<bool> {
        None
    }

    fn starts_with(&self, _: &Sym, _: &str) -> Option<bool> {
        None
    }
}

/// The next `${{ … }}` or `$(name)`.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let start = from + memchr::memchr(b'$', text.as_bytes().get(from..)?)?;
        let rest = text.get(start + 1..)?;
        if let Some(inner) = rest.strip_prefix("{{") {
            if let Some(end) = expr::end(inner) {
                return Some(start..start + 3 + end + 2);
            }
            return None;
        }
        if let Some(inner) = rest.strip_prefix('(') {
            let named = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-');
            let length = inner.find(|ch| !named(ch)).unwrap_or(inner.len());
            if length > 0 && inner.get(length..).is_some_and(|tail| tail.starts_with(')')) {
                return Some(start..start + 2 + length + 1);
            }
        }
        from = start + 1;
    }
}
