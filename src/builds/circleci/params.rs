//! `<< parameters.x >>` and what stands for it.

use crate::builds::lines;
use crate::builds::template::{self, Holes};
use crate::builds::yaml::Node;
use crate::builds::{Value, Volatility};
use crate::source::{Joined, Span};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Keys of a job in a workflow that are no parameters of it.
const RESERVED: &[&str] = &["requires", "context", "filters", "matrix", "pre-steps", "post-steps", "type"];

/// One parameter.
#[derive(Clone, Debug)]
struct Param {
    text: String,
    /// Where it is given.
    span: Option<Span>,
    /// The text byte by byte, where it is given without expressions.
    exact: Option<Joined<'static>>,
}

/// The parameters of a job or command.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    values: FxHashMap<String, Param>,
    /// Step lists that are passed as parameters are not followed; their names.
    pub leg: Vec<(String, String)>,
    /// The whole of what is given.
    pub span: Option<Span>,
}

impl Params {
    /// Takes over what a call gives.
    pub(super) fn give(&mut self, given: Option<&Node<'_>>) {
        let Some(given) = given else { return };
        self.span = Some(given.span);
        for entry in given.entries() {
            let Some(name) = entry.name().filter(|name| !RESERVED.contains(name)) else { continue };
            if let Some(text) = entry.value.text() {
                self.set(name, text.text.to_string(), Some(entry.value.span));
                self.exactly(name, text);
            }
        }
    }

    /// Sets one.
    pub(super) fn set(&mut self, name: &str, value: String, span: Option<Span>) {
        self.values.insert(name.to_owned(), Param { text: value, span, exact: None });
    }

    fn exactly(&mut self, name: &str, text: &Joined<'_>) {
        if let Some(param) = self.values.get_mut(name).filter(|param| param.text == text.text) {
            param.exact = Some(lines::end_to_end(std::iter::once(text)));
        }
    }

    /// The text of a parameter byte by byte, if it is known so.
    pub(super) fn exact(&self, name: &str) -> Option<&Joined<'static>> {
        self.values.get(name)?.exact.as_ref()
    }

    /// Adds the defaults of what is declared and not given.
    pub(super) fn declare(&mut self, declared: Option<&Node<'_>>, root: &Node<'_>) {
        for entry in declared.map_or(&[][..], Node::entries) {
            let Some(name) = entry.name() else { continue };
            if self.values.contains_key(name) {
                continue;
            }
            if let Some(default) = entry.value.get("default").and_then(|node| node.str()) {
                let text = match self.resolve(default, root) {
                    Some(text) => text,
                    None => default.to_owned(),
                };
                self.set(name, text, entry.value.get("default").map(|node| node.span));
            }
        }
    }

    /// The text of a parameter.
    pub(super) fn known(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|param| param.text.clone())
    }

    /// Where a parameter is given.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.values.get(name).and_then(|param| param.span)
    }

    /// The parameters that a call with these texts passes on: expressions of the caller filled in.
    pub(super) fn passed(&self, given: Option<&Node<'_>>, root: &Node<'_>) -> Self {
        let mut inner =
            Self { leg: self.leg.clone(), span: given.map(|given| given.span), ..Self::default() };
        for entry in given.map_or(&[][..], Node::entries) {
            let (Some(name), Some(text)) = (entry.name(), entry.value.str()) else { continue };
            let text = self.resolve(text, root).unwrap_or_else(|| text.to_owned());
            inner.set(name, text, Some(entry.value.span));
            if let Some(text) = entry.value.text() {
                inner.exactly(name, text);
            }
        }
        inner
    }

    /// The text with all expressions in it replaced that are known; `None` where there is none.
    fn resolve(&self, text: &str, root: &Node<'_>) -> Option<String> {
        let mut out = String::new();
        let mut at = 0;
        let mut any = false;
        while let Some(range) = next(text, at) {
            any = true;
            out.push_str(text.get(at..range.start).unwrap_or(""));
            let expression = text.get(range.clone()).unwrap_or("");
            out.push_str(&self.value(inner(expression), root).unwrap_or_else(|| expression.to_owned()));
            at = range.end;
            if out.len() > 16 * 1024 {
                return None;
            }
        }
        out.push_str(text.get(at..).unwrap_or(""));
        any.then_some(out)
    }

    /// A text with what is known put in.
    pub(super) fn filled(&self, text: &str, root: &Node<'_>) -> String {
        self.resolve(text, root).unwrap_or_else(|| text.to_owned())
    }

    fn value(&self, name: &str, root: &Node<'_>) -> Option<String> {
        if let Some(name) = name.strip_prefix("pipeline.parameters.") {
            let default = root.at(&["parameters", name, "default"])?;
            return default.str().map(str::to_owned);
        }
        let name = name.strip_prefix("parameters.").or_else(|| name.strip_prefix("matrix."))?;
        self.values.get(name).map(|param| param.text.clone())
    }

    /// A text with its expressions filled in.
    pub(super) fn fill(&self, text: &Joined<'_>, root: &Node<'_>, holes: &mut Holes) -> Joined<'static> {
        let filled = template::fill(text, holes, &next, &mut |expression, holes| {
            let name = inner(expression);
            match self.value(name, root) {
                // What a parameter was given may be an expression that is not known.
                Some(text) if next(&text, 0).is_none() => text,
                other => {
                    let text = other.unwrap_or_else(|| format!("<< {name} >>"));
                    let volatility = match Value::of(text.as_str()) {
                        Value::Symbolic { volatility, .. } => volatility,
                        Value::Known(_) => Volatility::Unknown,
                    };
                    holes.stand_in(text, volatility).to_string()
                }
            }
        });
        lines::as_is(&filled, holes)
    }

    /// Whether `when:` lets its steps through; `None` where that is open.
    pub(super) fn condition(&self, node: &Node<'_>, root: &Node<'_>) -> Option<bool> {
        let Some(text) = node.str() else {
            if let Some(inner) = node.get("not") {
                return self.condition(inner, root).map(|value| !value);
            }
            if let Some(list) = node.get("equal") {
                let texts: Option<Vec<String>> = list
                    .items()
                    .iter()
                    .map(|item| {
                        let text = item.str()?;
                        let text = self.resolve(text, root).unwrap_or_else(|| text.to_owned());
                        next(&text, 0).is_none().then_some(text)
                    })
                    .collect();
                let texts = texts?;
                return texts.split_first().map(|(first, rest)| rest.iter().all(|text| text == first));
            }
            return None;
        };
        let text = self.resolve(text, root).unwrap_or_else(|| text.to_owned());
        match text.trim() {
            "" | "false" => Some(false),
            "true" => Some(true),
            other if next(other, 0).is_some() => None,
            _ => Some(true),
        }
    }
}

fn inner(expression: &str) -> &str {
    expression.trim_start_matches("<<").trim_end_matches(">>").trim()
}

/// The next `<< name.name >>`; heredocs are none.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let start = from + memchr::memmem::find(text.as_bytes().get(from..)?, b"<<")?;
        let rest = text.get(start + 2..)?;
        let named = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-' | ' ' | '/');
        let length = rest.find(|ch| !named(ch)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or("");
        if name.contains('.') && rest.get(length..).is_some_and(|tail| tail.starts_with(">>")) {
            return Some(start..start + 2 + length + 2);
        }
        from = start + 2;
    }
}

/// The legs of `matrix: parameters`.
pub(super) fn legs(given: Option<&Node<'_>>) -> Vec<Vec<(String, String)>> {
    let Some(parameters) = given.and_then(|given| given.at(&["matrix", "parameters"])) else {
        return vec![Vec::new()];
    };
    let mut legs: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for entry in parameters.entries() {
        let Some(name) = entry.name() else { continue };
        let mut next = Vec::new();
        for leg in &legs {
            for (value, _) in entry.value.strings() {
                if next.len() < 256 {
                    let mut leg = leg.clone();
                    leg.push((name.to_owned(), value.to_owned()));
                    next.push(leg);
                }
            }
        }
        legs = next;
    }
    let excluded = given.and_then(|given| given.at(&["matrix", "exclude"]));
    for pattern in excluded.map_or(&[][..], Node::items) {
        legs.retain(|leg| {
            !pattern.entries().iter().all(|entry| {
                leg.iter().any(|(name, value)| entry.name() == Some(name) && entry.value.str() == Some(value))
            })
        });
    }
    legs
}
