//! YAML as a tree in which every node knows its bytes. Anchors, aliases, merge keys (`<<`) and tags are kept or resolved;
//! the text of a scalar leads back to the file byte by byte ([`Joined`]), so that commands in a `run: |` have exact spans.

mod align;
mod flow;
mod lenient;
mod load;

pub use load::{ParseError, parse, parse_all};

use crate::source::{Joined, Span};
use std::sync::Arc;

/// A node. Aliases share the node they name, so the span is always the place where the text is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Node<'a> {
    /// Anchor and tag left out. Of a block scalar its content without the header and the last line ends; of a collection
    /// from its first key or item (or bracket) to the end of its last.
    pub span: Span,
    /// The tag as written (`!reference`), core tags (`!!str`) as `tag:yaml.org,2002:str`.
    pub tag: Option<String>,
    /// What it is.
    pub data: Data<'a>,
}

/// The three kinds of node.
#[derive(Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// A scalar.
    Scalar(Scalar<'a>),
    /// A sequence.
    Seq(Vec<Arc<Node<'a>>>),
    /// A mapping, in source order; entries that come through `<<` follow the own ones.
    Map(Vec<Entry<'a>>),
}

/// A scalar's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// The text after quotes, escapes and indentation are taken off, with the way back to the file.
    pub text: Joined<'a>,
    /// How it is written.
    pub style: Style,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: `true`, `null`, `1.0` are not strings for the reader.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// One `key: value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key.
    pub key: Arc<Node<'a>>,
    /// The value.
    pub value: Arc<Node<'a>>,
    /// Whether it comes from a merge key.
    pub merged: bool,
}

impl Entry<'_> {
    /// The key's text, if it is a scalar.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.key.str()
    }

    /// From the key to the end of the value; the key alone where the value stands elsewhere (an alias).
    #[must_use]
    pub fn span(&self) -> Span {
        if self.value.span.start >= self.key.span.end {
            self.key.span.cover(self.value.span)
        } else {
            self.key.span
        }
    }
}

impl<'a> Node<'a> {
    /// The text of a scalar (`~`, `null` and nothing included, as written).
    #[must_use]
    pub fn str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(scalar) => Some(&scalar.text.text),
            _ => None,
        }
    }

    /// The text of a scalar with its way back to the file.
    #[must_use]
    pub fn text(&self) -> Option<&Joined<'a>> {
        match &self.data {
            Data::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether it is a plain `null`, `~` or nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(scalar) if scalar.style == Style::Plain
            && matches!(&*scalar.text.text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// A boolean, YAML 1.1 spellings and quoted ones included (`yes`, `'true'`): what the systems take.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        let text = self.str()?;
        let is = |names: [&str; 3]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        if is(["true", "yes", "on"]) {
            Some(true)
        } else if is(["false", "no", "off"]) {
            Some(false)
        } else {
            None
        }
    }

    /// The value under `key` of a mapping; the last one where the key stands twice. A null value is a value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Node<'a>>> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value down a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node<'a>> {
        path.iter().try_fold(self, |node, key| node.get(key).map(|next| &**next))
    }

    /// The entry under `key` of a mapping.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries().iter().rev().find(|entry| entry.name() == Some(key))
    }

    /// The entries of a mapping; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Arc<Node<'a>>] {
        match &self.data {
            Data::Seq(items) => items,
            _ => &[],
        }
    }

    /// The texts of one scalar or of a sequence of scalars: the systems often take either. Nulls are left out.
    pub fn strings(&self) -> impl Iterator<Item = (&str, Span)> {
        let own = (!self.is_null()).then(|| self.str().map(|text| (text, self.span))).flatten();
        let items = self.items().iter().filter_map(|item| item.str().map(|text| (text, item.span)));
        own.into_iter().chain(items)
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(self.data, Data::Map(_))
    }

    /// Whether it is a sequence.
    #[must_use]
    pub fn is_seq(&self) -> bool {
        matches!(self.data, Data::Seq(_))
    }
}

#[cfg(test)]
mod tests;
