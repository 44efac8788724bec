//! The functions of expressions: GitHub's, and those of Azure Pipelines that have the same meaning whoever calls them.

use super::parse::{Expr, Scope};
use super::value::{Sym, Val, loose_eq};
use crate::builds::Volatility;

/// The value of `name(args…)`; symbolic where an argument is and the function needs it.
pub(in crate::builds) fn call(name: &str, args: &[Expr], scope: &dyn Scope) -> Val {
    let args: Vec<Val> = args.iter().map(|arg| arg.eval(scope)).collect();
    let value = match (name, args.as_slice()) {
        ("format", [Val::Str(pattern), rest @ ..]) => Some(format_values(pattern, rest)),
        ("contains", [Val::Array(items), needle]) => contains(items, needle),
        ("contains", [text, needle]) => {
            let (text, needle) = (text.scalar(), needle.scalar());
            text.zip(needle).map(|(text, needle)| Val::Bool(lower(&text).contains(&lower(&needle))))
        }
        ("startswith", [Val::Sym(sym), prefix]) => {
            prefix.scalar().and_then(|prefix| scope.starts_with(sym, &prefix)).map(Val::Bool)
        }
        ("startswith", [text, prefix]) => {
            let (text, prefix) = (text.scalar(), prefix.scalar());
            text.zip(prefix).map(|(text, prefix)| Val::Bool(lower(&text).starts_with(&lower(&prefix))))
        }
        ("endswith", [text, suffix]) => {
            let (text, suffix) = (text.scalar(), suffix.scalar());
            text.zip(suffix).map(|(text, suffix)| Val::Bool(lower(&text).ends_with(&lower(&suffix))))
        }
        ("join", [items, rest @ ..]) => join(items, rest),
        ("fromjson", [Val::Str(text)]) => serde_json::from_str(text).ok().map(from_json),
        ("eq", [a, b]) => equal(a, b, scope).map(Val::Bool),
        ("ne", [a, b]) => equal(a, b, scope).map(|equal| Val::Bool(!equal)),
        ("in", [needle, items @ ..]) => contains(items, needle),
        ("not", [value]) => known_truth(value).map(|truth| Val::Bool(!truth)),
        ("and", values) => all(values, false),
        ("or", values) => all(values, true),
        ("coalesce", values) => values.iter().find(|value| value.truthy()).cloned(),
        ("lower", [Val::Str(text)]) => Some(Val::Str(text.to_lowercase())),
        ("upper", [Val::Str(text)]) => Some(Val::Str(text.to_uppercase())),
        ("tojson", [value]) => json(value).map(Val::Str),
        _ => None,
    };
    value.unwrap_or_else(|| {
        let rendered: Vec<String> = args.iter().map(Val::render).collect();
        let volatility = match name {
            // What files hold, or how the job went, is not known here.
            "hashfiles" | "success" | "failure" | "always" | "cancelled" => Volatility::Unknown,
            _ => args.iter().map(Val::volatility).max().unwrap_or(Volatility::Unknown),
        };
        Val::Sym(Sym::new(format!("{name}({})", rendered.join(", ")), volatility))
    })
}

fn equal(a: &Val, b: &Val, scope: &dyn Scope) -> Option<bool> {
    match (a, b) {
        (Val::Sym(a), Val::Sym(b)) => (a.text == b.text).then_some(true),
        (Val::Sym(sym), known) | (known, Val::Sym(sym)) => {
            known.scalar().and_then(|text| scope.compare(sym, &text)).or_else(|| sym.all_options_equal(known))
        }
        (a, b) => Some(loose_eq(a, b)),
    }
}

fn known_truth(value: &Val) -> Option<bool> {
    match value {
        Val::Sym(sym) => sym.truthy.then_some(true),
        known => Some(known.truthy()),
    }
}

/// `or` where `decides` is true, `and` where it is false: the value that one operand alone decides.
fn all(values: &[Val], decides: bool) -> Option<Val> {
    let truths: Vec<Option<bool>> = values.iter().map(known_truth).collect();
    if truths.contains(&Some(decides)) {
        return Some(Val::Bool(decides));
    }
    truths.iter().all(Option::is_some).then_some(Val::Bool(!decides))
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

fn contains(items: &[Val], needle: &Val) -> Option<Val> {
    if matches!(needle, Val::Sym(_)) {
        return None;
    }
    if items.iter().any(|item| loose_eq(item, needle)) {
        return Some(Val::Bool(true));
    }
    (!items.iter().any(|item| matches!(item, Val::Sym(_)))).then_some(Val::Bool(false))
}

fn join(items: &Val, rest: &[Val]) -> Option<Val> {
    let separator = match rest.first() {
        None => ",".to_owned(),
        Some(value) => value.scalar()?,
    };
    match items {
        Val::Array(items) => {
            let mut parts = Vec::with_capacity(items.len() * 2);
            for item in items {
                if !parts.is_empty() {
                    parts.push(Val::Str(separator.clone()));
                }
                parts.push(item.clone());
            }
            Some(Val::concat(parts))
        }
        // A text of several pieces is text, not a list.
        Val::Sym(sym) if !sym.parts.is_empty() => Some(items.clone()),
        Val::Sym(_) => None,
        single => single.scalar().map(Val::Str),
    }
}

fn format_values(pattern: &str, values: &[Val]) -> Val {
    let mut parts = Vec::new();
    let mut rest = pattern;
    let literal = |parts: &mut Vec<Val>, text: &str| parts.push(Val::Str(text.to_owned()));
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        literal(&mut parts, before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            literal(&mut parts, from.get(..1).unwrap_or(""));
            rest = after;
            continue;
        }
        let hole = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        match hole.and_then(|(number, after)| Some((number.parse::<usize>().ok()?, after))) {
            Some((number, after)) => {
                parts.extend(values.get(number).cloned());
                rest = after;
            }
            None => {
                literal(&mut parts, from.get(..1).unwrap_or(""));
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    literal(&mut parts, rest);
    Val::concat(parts)
}

/// A JSON value as a value of the language.
pub(in crate::builds) fn from_json(value: serde_json::Value) -> Val {
    match value {
        serde_json::Value::Null => Val::Null,
        serde_json::Value::Bool(value) => Val::Bool(value),
        serde_json::Value::Number(number) => number.as_f64().map_or(Val::Null, Val::Num),
        serde_json::Value::String(text) => Val::Str(text),
        serde_json::Value::Array(items) => Val::Array(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => {
            Val::Object(members.into_iter().map(|(key, value)| (key, from_json(value))).collect())
        }
    }
}

/// The value as JSON; nothing where part of it is symbolic.
pub(in crate::builds) fn json(value: &Val) -> Option<String> {
    fn convert(value: &Val) -> Option<serde_json::Value> {
        Some(match value {
            Val::Null => serde_json::Value::Null,
            Val::Bool(value) => (*value).into(),
            Val::Num(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                #[allow(clippy::cast_possible_truncation)] // whole and small
                let whole = *value as i64;
                whole.into()
            }
            Val::Num(value) => serde_json::Number::from_f64(*value)?.into(),
            Val::Str(text) => text.clone().into(),
            Val::Array(items) => items.iter().map(convert).collect::<Option<Vec<_>>>()?.into(),
            Val::Object(members) => serde_json::Value::Object(
                members
                    .iter()
                    .map(|(key, value)| Some((key.clone(), convert(value)?)))
                    .collect::<Option<_>>()?,
            ),
            Val::Sym(_) => return None,
        })
    }
    convert(value).map(|json| json.to_string())
}
