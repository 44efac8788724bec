//! The inputs of one step's `with:`.

use super::context::Context;
use crate::builds::cachespec;
use crate::builds::template::Holes;
use crate::builds::yaml::{Entry, Node};
use crate::builds::{CacheSpec, Placed, Setting, Value, Vars};
use crate::source::{Joined, Span};

/// A step's inputs, expressions filled in.
pub(super) struct Inputs<'s, 'a, 'e> {
    with: Option<&'s Node<'a>>,
    context: &'s Context<'e>,
    holes: &'s mut Holes,
    /// Whether an input that was asked for is empty only because a condition says so.
    pub conditional: bool,
}

impl<'s, 'a, 'e> Inputs<'s, 'a, 'e> {
    /// The inputs of `step`.
    pub(super) fn new(step: &'s Node<'a>, context: &'s Context<'e>, holes: &'s mut Holes) -> Self {
        let with = step.get("with").map(|with| &**with);
        Self { with, context, holes, conditional: false }
    }

    fn entry(&self, name: &str) -> Option<&'s Entry<'a>> {
        let entries = self.with?.entries();
        entries.iter().rev().find(|entry| entry.name().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The bytes of an input's value.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.entry(name).map(|entry| entry.value.span)
    }

    /// The text of an input; nothing where it is empty.
    pub(super) fn text(&mut self, name: &str) -> Option<Placed> {
        let joined = self.entry(name)?.value.text()?;
        trimmed(&self.context.fill(joined, self.holes))
    }

    /// As [`Inputs::text`]; where a condition picks among values it is the first that is not empty.
    fn chosen(&mut self, name: &str) -> Option<Placed> {
        let joined = self.entry(name)?.value.text()?;
        let (filled, conditional) = self.context.fill_chosen(joined, self.holes);
        self.conditional |= conditional;
        trimmed(&filled)
    }

    /// The bytes of an input that is written to be empty: quotes with nothing in them.
    pub(super) fn emptied(&self, name: &str) -> Option<Span> {
        let value = &self.entry(name)?.value;
        (value.str() == Some("") && !value.is_null()).then_some(value.span)
    }

    /// An input as it is written.
    pub(super) fn written(&self, name: &str) -> Option<&'s str> {
        self.entry(name)?.value.str()
    }

    /// Whether a text has unknown parts.
    pub(super) fn has_hole(&self, text: &str) -> bool {
        self.holes.has(text)
    }

    /// Whether a `repository:` is this one.
    pub(super) fn is_own_repository(&self, text: &str) -> bool {
        self.holes
            .written(text)
            .is_some_and(|(text, _)| text == "${{ github.repository }}" || text.contains("head.repo"))
    }

    /// An input as a setting.
    pub(super) fn value(&mut self, name: &str) -> Option<Setting<Value>> {
        let text = self.text(name)?;
        Some(Setting::new(Value::Known(text.text.clone()), text.full_span()))
    }

    /// The literal text of an input, if it has no unknown parts.
    pub(super) fn known(&mut self, name: &str) -> Option<Setting<String>> {
        let text = self.text(name)?;
        (!self.holes.has(&text.text)).then(|| Setting::new(text.text.clone(), text.full_span()))
    }

    /// Whether an input is `true`.
    pub(super) fn is_true(&mut self, name: &str) -> bool {
        self.known(name).is_some_and(|value| value.value.eq_ignore_ascii_case("true"))
    }

    /// The lines of an input, comments left out.
    pub(super) fn lines(&mut self, name: &str) -> Vec<Placed> {
        let text = self.text(name);
        text.iter().flat_map(Placed::lines).filter(|line| !line.text.starts_with('#')).collect()
    }

    /// The items of an input that takes lines or a comma list.
    pub(super) fn list(&mut self, name: &str) -> Vec<Setting<Value>> {
        let lines = self.lines(name);
        let items = lines.iter().flat_map(|line| line.split(|ch| ch == ','));
        items.map(|item| Setting::new(Value::Known(item.text.clone()), item.full_span())).collect()
    }

    /// Cache specs or outputs, one a line.
    pub(super) fn specs(&mut self, name: &str) -> Vec<Setting<CacheSpec>> {
        let mut specs = Vec::new();
        let text = self.chosen(name);
        for line in text.iter().flat_map(Placed::lines).filter(|line| !line.text.starts_with('#')) {
            let parsed = cachespec::parse(&line, &Vars::default());
            self.conditional |= parsed.conditional;
            specs.extend(parsed.specs);
        }
        specs.iter_mut().for_each(|spec| self.unknown_kind(&mut spec.value));
        specs
    }

    /// Where part of a spec is unknown and no type is given, the type may be in that part.
    fn unknown_kind(&self, spec: &mut CacheSpec) {
        let part = spec.attrs.iter().find(|(key, _)| self.holes.has(key));
        if let Some((key, value)) = part.filter(|_| spec.kind() == Some("")) {
            spec.kind = value.with(Value::Known(key.clone()));
        }
    }

    /// Build args: a line each, `NAME=value` or a name alone.
    pub(super) fn args(&mut self, name: &str) -> Vec<(String, Setting<Value>)> {
        self.lines(name)
            .iter()
            .map(|line| match line.text.split_once('=') {
                Some((name, value)) => {
                    let value = Value::Known(value.trim_matches('"').to_owned());
                    (name.trim().to_owned(), Setting::new(value, line.full_span()))
                }
                None => {
                    let volatility = crate::builds::name_volatility(&line.text);
                    let value = Value::Symbolic { text: format!("${{{}}}", line.text), volatility };
                    (line.text.clone(), Setting::new(value, line.full_span()))
                }
            })
            .collect()
    }
}

fn trimmed(text: &Joined<'_>) -> Option<Placed> {
    let whole = text.text.trim();
    let start = text.text.len() - text.text.trim_start().len();
    (!whole.is_empty()).then(|| Placed::joined(text).slice(start..start + whole.len()))
}
