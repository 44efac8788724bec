//! Values of expressions, known or symbolic.

use crate::builds::Volatility;
use crate::builds::template::Holes;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::builds) enum Val {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Num(f64),
    /// A string.
    Str(String),
    /// An array.
    Array(Vec<Val>),
    /// An object, keys in order.
    Object(Vec<(String, Val)>),
    /// What the files do not tell.
    Sym(Sym),
}

/// A symbolic value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::builds) struct Sym {
    /// Text that stands for it: `${{ github.sha }}`, known parts substituted.
    pub text: String,
    /// How often it changes.
    pub volatility: Volatility,
    /// The values it can have, where a condition picks among them; empty where they are not known.
    pub options: Vec<Val>,
    /// The pieces, known and not, that make it up, where it is a text of several; empty otherwise.
    pub parts: Vec<Val>,
    /// Whether it is known to be true (not empty) whatever its value.
    pub truthy: bool,
}

impl Sym {
    /// A value that is the result of the expression `inner`.
    pub(in crate::builds) fn new(inner: impl std::fmt::Display, volatility: Volatility) -> Self {
        Self {
            text: format!("${{{{ {inner} }}}}"),
            volatility,
            options: Vec::new(),
            parts: Vec::new(),
            truthy: false,
        }
    }

    /// The expression without its braces, or the text in quotes where it is made of several pieces.
    pub(in crate::builds) fn inner(&self) -> String {
        let inner = self.text.strip_prefix("${{ ").and_then(|text| text.strip_suffix(" }}"));
        match inner {
            Some(inner) if self.parts.is_empty() => inner.to_owned(),
            _ => format!("'{}'", self.text),
        }
    }

    /// Whether all options compare alike with `known`.
    pub(in crate::builds) fn all_options_equal(&self, known: &Val) -> Option<bool> {
        let (first, rest) = self.options.split_first()?;
        let equal = |option: &Val| match option {
            Val::Sym(_) => None,
            option => Some(loose_eq(option, known)),
        };
        let first = equal(first)?;
        rest.iter().all(|option| equal(option) == Some(first)).then_some(first)
    }
}

/// Longest text that an expression may make.
const MAX_TEXT: usize = 64 * 1024;

impl Val {
    /// The text of several values one after the other; symbolic where one of them is.
    pub(in crate::builds) fn concat(parts: Vec<Self>) -> Self {
        let mut flat: Vec<Self> = Vec::with_capacity(parts.len());
        let mut length = 0;
        for part in parts {
            match part {
                Self::Sym(sym) if !sym.parts.is_empty() => flat.extend(sym.parts),
                Self::Sym(sym) => flat.push(Self::Sym(sym)),
                known => match flat.last_mut() {
                    Some(Self::Str(last)) => last.push_str(&known.to_text()),
                    _ => flat.push(Self::Str(known.to_text())),
                },
            }
        }
        let mut text = String::new();
        for part in &flat {
            let piece = part.to_text();
            length += piece.len();
            if length > MAX_TEXT {
                return Self::Sym(Sym::new("…", Volatility::Unknown));
            }
            text.push_str(&piece);
        }
        let volatility = flat.iter().map(Self::volatility).max().unwrap_or(Volatility::Fixed);
        if !flat.iter().any(|part| matches!(part, Self::Sym(_))) {
            return Self::Str(text);
        }
        match flat.as_slice() {
            [only] => only.clone(),
            _ => Self::Sym(Sym { text, volatility, options: Vec::new(), parts: flat, truthy: false }),
        }
    }

    /// Whether it counts as true; symbolic ones do.
    pub(in crate::builds) fn truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Num(value) => *value != 0.0 && !value.is_nan(),
            Self::Str(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) | Self::Sym(_) => true,
        }
    }

    /// How often it changes; known values do not.
    pub(in crate::builds) fn volatility(&self) -> Volatility {
        match self {
            Self::Sym(sym) => sym.volatility,
            Self::Array(items) => items.iter().map(Self::volatility).max().unwrap_or(Volatility::Fixed),
            _ => Volatility::Fixed,
        }
    }

    /// The text that replaces the expression; the symbolic text for a symbolic value.
    pub(in crate::builds) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Num(value) => value.to_string(),
            Self::Str(text) => text.clone(),
            Self::Array(_) => "Array".into(),
            Self::Object(_) => "Object".into(),
            Self::Sym(sym) => sym.text.clone(),
        }
    }

    /// The text of a known scalar.
    pub(in crate::builds) fn scalar(&self) -> Option<String> {
        match self {
            Self::Array(_) | Self::Object(_) | Self::Sym(_) => None,
            known => Some(known.to_text()),
        }
    }

    /// As it stands inside another expression.
    pub(in crate::builds) fn render(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Str(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Sym(sym) => sym.inner(),
            other => other.to_text(),
        }
    }

    /// As a number, where it converts to one.
    pub(in crate::builds) fn number(&self) -> Option<f64> {
        match self {
            Self::Null => Some(0.0),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Num(value) => Some(*value),
            Self::Str(text) if text.trim().is_empty() => Some(0.0),
            Self::Str(text) => text.trim().parse().ok(),
            Self::Array(_) | Self::Object(_) | Self::Sym(_) => None,
        }
    }

    /// The member `key`; null where there is none. `*` gives all members.
    pub(in crate::builds) fn index(&self, key: &str) -> Self {
        match self {
            Self::Object(members) if key == "*" => {
                Self::Array(members.iter().map(|(_, value)| value.clone()).collect())
            }
            Self::Object(members) => members
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map_or(Self::Null, |(_, value)| value.clone()),
            Self::Array(_) if key == "*" => self.clone(),
            Self::Array(items) => match key.parse::<usize>() {
                Ok(at) => items.get(at).cloned().unwrap_or(Self::Null),
                Err(_) => Self::Array(items.iter().map(|item| item.index(key)).collect()),
            },
            Self::Sym(sym) => Self::Sym(Sym::new(format!("{}.{key}", sym.inner()), sym.volatility)),
            _ => Self::Null,
        }
    }

    /// `self && other`.
    pub(in crate::builds) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Sym(sym) if sym.truthy => other(),
            Self::Sym(sym) if sym.options.is_empty() => {
                let other = other();
                // Only where the right side is falsy whatever it is, the whole is.
                if !matches!(other, Self::Sym(_)) && !other.truthy() {
                    return other;
                }
                let text = format!("{} && {}", sym.inner(), other.render());
                let volatility = sym.volatility.max(other.volatility());
                let options = flatten([other, Self::Bool(false)]);
                Self::Sym(Sym { options, ..Sym::new(text, volatility) })
            }
            Self::Sym(sym) => {
                let other = other();
                let options = sym.options.iter().flat_map(|option| match option {
                    Self::Sym(_) => vec![Self::Bool(false), other.clone()],
                    option if option.truthy() => vec![other.clone()],
                    option => vec![option.clone()],
                });
                let text = format!("{} && {}", sym.inner(), other.render());
                pick(flatten(options), text, sym.volatility.max(other.volatility()))
            }
            known if known.truthy() => other(),
            known => known,
        }
    }

    /// `self || other`.
    pub(in crate::builds) fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Sym(sym) if sym.truthy => Self::Sym(sym),
            Self::Sym(sym) => {
                let other = other();
                let own =
                    if sym.options.is_empty() { vec![Self::Sym(sym.clone())] } else { sym.options.clone() };
                let mut options = Vec::new();
                for option in own {
                    match &option {
                        Self::Sym(_) => options.extend([option, other.clone()]),
                        known if known.truthy() => options.push(option),
                        _ => options.push(other.clone()),
                    }
                }
                let text = format!("{} || {}", sym.inner(), other.render());
                pick(flatten(options), text, sym.volatility.max(other.volatility()))
            }
            known if known.truthy() => known,
            _ => other(),
        }
    }
}

/// The one option, or a symbolic value of several.
fn pick(options: Vec<Val>, text: String, volatility: Volatility) -> Val {
    match options.as_slice() {
        [only] => only.clone(),
        _ => Val::Sym(Sym { options, ..Sym::new(text, volatility) }),
    }
}

/// Options without duplicates, those of symbolic options taken in.
fn flatten(options: impl IntoIterator<Item = Val>) -> Vec<Val> {
    let mut flat: Vec<Val> = Vec::new();
    let mut add = |value: Val| {
        if flat.len() < 16 && !flat.contains(&value) {
            flat.push(value);
        }
    };
    for option in options {
        match option {
            Val::Sym(sym) if !sym.options.is_empty() => sym.options.into_iter().for_each(&mut add),
            option => add(option),
        }
    }
    flat
}

/// `==`: strings without regard to case, other types as numbers.
pub(in crate::builds) fn loose_eq(left: &Val, right: &Val) -> bool {
    match (left, right) {
        (Val::Str(a), Val::Str(b)) => a.eq_ignore_ascii_case(b),
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        _ => match (left.number(), right.number()) {
            (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
            _ => false,
        },
    }
}

/// A value's text, stand-ins for what is symbolic in it.
pub(in crate::builds) fn stand(value: &Val, holes: &mut Holes) -> String {
    match value {
        Val::Sym(sym) if !sym.parts.is_empty() => sym.parts.iter().map(|part| stand(part, holes)).collect(),
        Val::Sym(sym) => holes.stand_in(sym.text.clone(), sym.volatility).to_string(),
        known => known.to_text(),
    }
}
