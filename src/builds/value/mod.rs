//! Text with variables and expressions to [`Value`]s: what can be followed is followed, the rest stays symbolic with how
//! often it changes.

mod alike;
mod expand;
mod table;
mod vars;

pub use alike::may_be_same;
pub(crate) use expand::{Piece, pieces};
pub use table::{command_volatility, name_volatility};
pub use vars::{Arg, Var, Vars};
pub(crate) use vars::{defaulted, split_words};

use super::{Value, Volatility};
use std::borrow::Cow;

impl Value {
    /// The value of a text in which no more variables can be followed ([`Vars::value`] follows first).
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        let mut fastest: Option<Volatility> = None;
        for piece in pieces(&text) {
            let part = match piece {
                Piece::Text(_) => continue,
                Piece::Var { name, .. } => name_volatility(name),
                Piece::Expression { inner, .. } => table::expression_volatility(inner.trim()),
                Piece::Command { inner, .. } => command_volatility(inner),
                Piece::Alternative { .. } => Volatility::Unknown,
                // `${X:0:7}`, `${timestamp()}` of bake: what is in it tells.
                Piece::Opaque { raw } => table::expression_volatility(raw),
            };
            fastest = Some(fastest.map_or(part, |old| old.max(part)));
        }
        match fastest {
            None => Self::Known(text),
            Some(volatility) => Self::Symbolic { text, volatility },
        }
    }

    /// The text, variables and all.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Known(text) | Self::Symbolic { text, .. } => text,
        }
    }

    /// The literal text, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Symbolic { .. } => None,
        }
    }

    /// How often it changes; [`Volatility::Fixed`] for literal text.
    #[must_use]
    pub fn volatility(&self) -> Volatility {
        match self {
            Self::Known(_) => Volatility::Fixed,
            Self::Symbolic { volatility, .. } => *volatility,
        }
    }

    /// The text in one spelling: `$X` and `${X}`, `${{x}}` and `${{ x }}` are the same. Two settings with equal keys name
    /// the same thing in the same run.
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        match self {
            Self::Known(text) => Cow::Borrowed(text),
            Self::Symbolic { text, .. } => Cow::Owned(expand::normal(text)),
        }
    }
}

#[cfg(test)]
mod tests;
