//! Evaluating expressions: what the files alone decide is decided, everything else stays symbolic.

use super::expr::{Expr, For, Kind, Operator, Part};
use super::functions;
use crate::builds::value::name_volatility;
use crate::builds::{Placed, Value, Vars, Volatility};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};

/// How deep functions and variables may refer to each other.
const MAX_DEPTH: u32 = 64;
/// Evaluation steps of one file, so that functions and loops that feed each other end.
const MAX_STEPS: u32 = 500_000;
/// Most values that one value may hold, so that lists of lists of lists do not grow without measure.
const MAX_WEIGHT: usize = 20_000;
/// Longest text that an expression may make.
const MAX_TEXT: usize = 16 * 1024;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Val {
    Null,
    Bool(bool, Span),
    /// Text; what could not be evaluated is in it as `${…}`.
    Text(Placed),
    List(Vec<Val>),
    Map(Vec<(String, Val)>, Span),
    /// A variable that nothing sets, or whose default is empty: for others to set.
    Unset {
        name: String,
        null: bool,
        span: Span,
    },
    /// One of these, as an unknown condition decides.
    Either(Box<Choice>, Span),
    /// Nothing is known but how it is written.
    Unknown(String, Span),
}

/// What a condition chooses from.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) sides: [Val; 2],
    /// The side that is chosen where variables are what they are by default.
    pub(super) usual: Option<usize>,
    /// As it is written.
    pub(super) raw: String,
}

/// A definition that is evaluated when it is needed, in the file in which it stands.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) expr: Option<Expr>,
    pub(super) file: usize,
}

/// `function "name" { params = […] result = … }`.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) params: Vec<String>,
    pub(super) rest: Option<String>,
    pub(super) result: Expr,
    pub(super) file: usize,
}

/// Everything that names mean.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    /// Texts of the files.
    pub(super) sources: &'s [&'s str],
    pub(super) variables: &'s FxHashMap<String, Definition>,
    pub(super) functions: &'s FxHashMap<String, Function>,
    /// What the environment is known to hold.
    pub(super) environment: &'s Vars,
    /// Whether variables that are empty by default are taken to be empty: for paths, where the default is the usual case.
    pub(super) defaults: bool,
    pub(super) memo: &'s RefCell<FxHashMap<(String, bool), Val>>,
    pub(super) steps: &'s Cell<u32>,
}

/// Names of the innermost scope: parameters, loop and matrix variables.
pub(super) type Locals = FxHashMap<String, Val>;

impl Val {
    /// How many values it holds, itself included; counted up to a little more than [`MAX_WEIGHT`].
    fn weight(&self) -> usize {
        let mut sum = 1;
        let mut add = |value: &Self| {
            sum += value.weight();
            sum <= MAX_WEIGHT
        };
        match self {
            Self::List(items) => {
                items.iter().all(&mut add);
            }
            Self::Map(entries, _) => {
                entries.iter().all(|(_, value)| add(value));
            }
            Self::Either(choice, _) => {
                choice.sides.iter().all(&mut add);
            }
            _ => {}
        }
        sum
    }

    pub(super) fn text(text: impl Into<String>, span: Span) -> Self {
        Self::Text(Placed::whole(text, span))
    }

    /// The text of a scalar; `${…}` for what is not known.
    pub(super) fn placed(&self) -> Option<Placed> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(value, span) => Some(Placed::whole(value.to_string(), *span)),
            Self::Unset { name, span, .. } => Some(Placed::whole(format!("${{{name}}}"), *span)),
            Self::Either(choice, span) => Some(Placed::whole(format!("${{{}}}", choice.raw), *span)),
            Self::Unknown(raw, span) => Some(Placed::whole(format!("${{{raw}}}"), *span)),
            Self::Null | Self::List(..) | Self::Map(..) => None,
        }
    }

    /// The text of a scalar whose value is known.
    pub(super) fn known(&self) -> Option<String> {
        match self {
            Self::Text(text) => match Value::of(text.text.as_str()) {
                Value::Known(text) => Some(text),
                Value::Symbolic { .. } => None,
            },
            Self::Bool(value, _) => Some(value.to_string()),
            _ => None,
        }
    }

    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(value, _) => Some(*value),
            Self::Text(_) => match self.known()?.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a text stands inside of this value's.
    fn holds(&self, text: &Placed) -> bool {
        match self {
            Self::Text(own) => inside(text.full_span(), own.full_span()),
            Self::List(items) => items.iter().any(|item| item.holds(text)),
            _ => false,
        }
    }

    /// The same value, standing for `span` as a whole: for what another file defines.
    fn moved(self, span: Span) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value, _) => Self::Bool(value, span),
            Self::Text(text) => Self::Text(text.moved(span)),
            Self::List(items) => Self::List(items.into_iter().map(|item| item.moved(span)).collect()),
            Self::Map(entries, _) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key, value.moved(span))).collect(), span)
            }
            Self::Unset { name, null, .. } => Self::Unset { name, null, span },
            Self::Either(choice, _) => {
                let Choice { sides, usual, raw } = *choice;
                let sides = sides.map(|side| side.moved(span));
                Self::Either(Box::new(Choice { sides, usual, raw }), span)
            }
            Self::Unknown(raw, _) => Self::Unknown(raw, span),
        }
    }
}

impl Scope<'_> {
    fn raw(&self, file: usize, span: Span) -> String {
        self.sources.get(file).map_or("", |source| span.of(source)).to_owned()
    }

    fn unknown(&self, file: usize, span: Span) -> Val {
        Val::Unknown(self.raw(file, span), span)
    }

    /// The value of `expr`, which stands in `file`.
    pub(super) fn eval(&self, expr: &Expr, file: usize, locals: &Locals, depth: u32) -> Val {
        let steps = self.steps.get();
        if depth > MAX_DEPTH || steps >= MAX_STEPS {
            return self.unknown(file, expr.span);
        }
        self.steps.set(steps + 1);
        let next = |inner: &Expr| self.eval(inner, file, locals, depth + 1);
        match &expr.kind {
            Kind::Null => Val::Null,
            Kind::Bool(value) => Val::Bool(*value, expr.span),
            Kind::Text(parts) => self.template(parts, file, locals, depth),
            Kind::List(items) => {
                let mut weight = 0;
                let mut list = Vec::new();
                for item in items {
                    let value = next(item);
                    weight += value.weight();
                    if weight > MAX_WEIGHT {
                        return self.unknown(file, expr.span);
                    }
                    list.push(value);
                }
                Val::List(list)
            }
            Kind::Map(entries) => {
                let mut weight = 0;
                let mut map = Vec::new();
                for (key, value) in entries {
                    let Some(key) = key.plain().or_else(|| next(key).known()) else { continue };
                    let value = next(value);
                    weight += value.weight();
                    if weight > MAX_WEIGHT {
                        return self.unknown(file, expr.span);
                    }
                    map.push((key, value));
                }
                Val::Map(map, expr.span)
            }
            Kind::Variable(name) => self.variable(name, file, expr.span, locals, depth),
            Kind::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                match next(condition).truth() {
                    Some(true) => next(then),
                    Some(false) => next(otherwise),
                    None => {
                        let raw = self.raw(file, expr.span);
                        let usual = match self.defaults {
                            true => None,
                            false => {
                                let plain = Scope { defaults: true, ..*self };
                                plain.eval(condition, file, locals, depth + 1).truth().map(usize::from)
                            }
                        };
                        let choice = Choice { sides: [next(otherwise), next(then)], usual, raw };
                        Val::Either(Box::new(choice), expr.span)
                    }
                }
            }
            Kind::Call(name, args) => {
                let args: Vec<Val> = args.iter().map(next).collect();
                self.call(name, args, file, expr.span, depth)
            }
            Kind::Get(base, name) => match next(base) {
                Val::Map(entries, _) => {
                    let found = entries.into_iter().rev().find(|(key, _)| key == name);
                    found.map_or_else(|| self.unknown(file, expr.span), |(_, value)| value)
                }
                Val::List(items) => {
                    let index = name.parse::<usize>().ok();
                    let item = index.and_then(|index| items.into_iter().nth(index));
                    item.unwrap_or_else(|| self.unknown(file, expr.span))
                }
                _ => self.unknown(file, expr.span),
            },
            Kind::Index(base, index) => match (next(base), next(index).known()) {
                (Val::Map(entries, _), Some(name)) => {
                    let found = entries.into_iter().rev().find(|(key, _)| *key == name);
                    found.map_or_else(|| self.unknown(file, expr.span), |(_, value)| value)
                }
                (Val::List(items), Some(index)) => {
                    let item = index.parse::<usize>().ok().and_then(|index| items.into_iter().nth(index));
                    item.unwrap_or_else(|| self.unknown(file, expr.span))
                }
                _ => self.unknown(file, expr.span),
            },
            Kind::Not(inner) => match next(inner).truth() {
                Some(value) => Val::Bool(!value, expr.span),
                None => self.unknown(file, expr.span),
            },
            Kind::Binary(operator, sides) => {
                let [left, right] = &**sides;
                let (left, right) = (next(left), next(right));
                match binary(*operator, &left, &right) {
                    Some(value) => Val::Bool(value, expr.span),
                    None => self.unknown(file, expr.span),
                }
            }
            Kind::For(each) => self.each(each, file, expr.span, locals, depth),
            Kind::Opaque => self.unknown(file, expr.span),
        }
    }

    fn template(&self, parts: &[Part], file: usize, locals: &Locals, depth: u32) -> Val {
        // `"${X}"` alone is the value of X.
        if let [Part::Interpolation(inner, _)] = parts {
            return self.eval(inner, file, locals, depth + 1);
        }
        let mut out = Placed::default();
        for part in parts {
            match part {
                Part::Literal(text) => out.push(text, 0..text.text.len()),
                Part::Opaque(span) => out.push_whole(&format!("${{{}}}", self.raw(file, *span)), *span),
                Part::Interpolation(inner, span) => {
                    let value = self.eval(inner, file, locals, depth + 1);
                    let text = match value {
                        Val::Null => String::new(),
                        Val::Text(text) => text.text,
                        Val::Bool(value, _) => value.to_string(),
                        Val::Unset { .. } if self.defaults => String::new(),
                        Val::Unset { name, .. } => format!("${{{name}}}"),
                        Val::Either(..) | Val::Unknown(..) | Val::List(..) | Val::Map(..) => {
                            self.raw(file, *span)
                        }
                    };
                    out.push_whole(&text, *span);
                }
            }
            if out.text.len() > MAX_TEXT {
                return Val::Unknown("…".to_owned(), out.full_span());
            }
        }
        Val::Text(out)
    }

    fn variable(&self, name: &str, file: usize, span: Span, locals: &Locals, depth: u32) -> Val {
        if let Some(local) = locals.get(name) {
            return local.clone();
        }
        if let Some(var) = self.environment.get(name).filter(|var| !var.conditional) {
            return Val::text(var.text.text.as_str(), span);
        }
        let Some(definition) = self.variables.get(name) else {
            return match name {
                "BAKE_CMD_CONTEXT" => Val::text(".", span),
                "BAKE_LOCAL_PLATFORM" => Val::text(format!("${{{name}}}"), span),
                _ => self.unknown(file, span),
            };
        };
        let key = (name.to_owned(), self.defaults);
        let known = self.memo.borrow().get(&key).cloned();
        let value = known.unwrap_or_else(|| {
            // A variable that refers to itself finds this.
            let raw = Val::Unknown(name.to_owned(), span);
            self.memo.borrow_mut().insert(key.clone(), raw);
            let value = match &definition.expr {
                None => Val::Null,
                Some(expr) => self.eval(expr, definition.file, &Locals::default(), depth + 1),
            };
            self.memo.borrow_mut().insert(key, value.clone());
            value
        });
        let value = if definition.file == file { value } else { value.moved(span) };
        match &value {
            Val::Null => Val::Unset { name: name.to_owned(), null: true, span },
            Val::Text(text) if text.text.is_empty() && !self.defaults => {
                Val::Unset { name: name.to_owned(), null: false, span }
            }
            // What CI sets anew in every commit or run is not what the file says.
            Val::Text(text)
                if name_volatility(name) > Volatility::Unknown
                    && Value::of(text.text.as_str()).known().is_some() =>
            {
                Val::text(format!("${{{name}}}"), span)
            }
            _ => value,
        }
    }

    fn call(&self, name: &str, args: Vec<Val>, file: usize, span: Span, depth: u32) -> Val {
        let unknown = || self.unknown(file, span);
        if let Some(function) = self.functions.get(name) {
            let mut locals = Locals::default();
            let mut args = args.into_iter();
            for param in &function.params {
                let value = args.next().unwrap_or(Val::Null);
                locals.insert(param.clone(), value);
            }
            if let Some(rest) = &function.rest {
                locals.insert(rest.clone(), Val::List(args.collect()));
            }
            let value = self.eval(&function.result, function.file, &locals, depth + 1);
            return match value {
                Val::Unknown(..) => unknown(),
                value if function.file == file => value,
                value => value.moved(span),
            };
        }
        match functions::call(name, &args, span, self.defaults) {
            // Put together of what stands in several places, it stands here.
            Some(Val::Text(text))
                if !inside(text.full_span(), span) && !args.iter().any(|arg| arg.holds(&text)) =>
            {
                Val::Text(text.moved(span))
            }
            Some(value) => value,
            None => unknown(),
        }
    }

    fn each(&self, each: &For, file: usize, span: Span, locals: &Locals, depth: u32) -> Val {
        let pairs: Vec<(String, Val)> = match self.eval(&each.collection, file, locals, depth + 1) {
            Val::List(items) => {
                items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            Val::Map(entries, _) => entries,
            _ => return self.unknown(file, span),
        };
        let mut inner = locals.clone();
        let (mut list, mut map, mut weight) = (Vec::new(), Vec::new(), 0);
        for (key, value) in pairs {
            if let Some(name) = &each.key_name {
                inner.insert(name.clone(), Val::text(key, span));
            }
            inner.insert(each.value_name.clone(), value);
            if let Some(condition) = &each.condition {
                match self.eval(condition, file, &inner, depth + 1).truth() {
                    Some(true) => {}
                    Some(false) => continue,
                    None => return self.unknown(file, span),
                }
            }
            let value = self.eval(&each.value, file, &inner, depth + 1);
            weight += value.weight();
            if weight > MAX_WEIGHT {
                return self.unknown(file, span);
            }
            match &each.key {
                None => list.push(value),
                Some(key) => match self.eval(key, file, &inner, depth + 1).known() {
                    Some(key) => map.push((key, value)),
                    None => return self.unknown(file, span),
                },
            }
        }
        if each.key.is_some() { Val::Map(map, span) } else { Val::List(list) }
    }
}

/// The result of an operator where both sides decide it.
pub(super) fn binary(operator: Operator, left: &Val, right: &Val) -> Option<bool> {
    match operator {
        Operator::And | Operator::Or => {
            let (left, right) = (left.truth(), right.truth());
            // What one side alone decides.
            let decisive = operator == Operator::Or;
            if left == Some(decisive) || right == Some(decisive) {
                Some(decisive)
            } else {
                left.and(right).map(|_| !decisive)
            }
        }
        Operator::Equal => equal(left, right),
        Operator::NotEqual => equal(left, right).map(|same| !same),
    }
}

fn equal(left: &Val, right: &Val) -> Option<bool> {
    match (left, right) {
        (Val::Null, Val::Null) => Some(true),
        (Val::Null, Val::Text(_) | Val::Bool(..) | Val::List(..) | Val::Map(..))
        | (Val::Text(_) | Val::Bool(..) | Val::List(..) | Val::Map(..), Val::Null) => Some(false),
        (Val::List(list), Val::List(other)) if list.is_empty() || other.is_empty() => {
            Some(list.len() == other.len())
        }
        _ => Some(left.known()? == right.known()?),
    }
}

fn inside(part: Span, whole: Span) -> bool {
    whole.start <= part.start && part.end <= whole.end
}
