//! The functions of bake (`bx:bake/hclparser/stdlib.go`) as far as cache settings, tags and platforms use them.

use super::eval::{Val, binary};
use super::expr::Operator;
use crate::builds::Placed;
use crate::source::Span;

/// Most items that a function may give.
const MAX_ITEMS: usize = 4096;
/// Longest text that a function may give.
const MAX_TEXT: usize = 16 * 1024;

/// The result of a function, `None` where it is not known.
pub(super) fn call(name: &str, args: &[Val], span: Span, defaults: bool) -> Option<Val> {
    let text = |index: usize| {
        args.get(index).and_then(|arg| empty_if(arg, defaults)).or_else(|| args.get(index)?.known())
    };
    let list = |index: usize| match args.get(index)? {
        Val::List(items) => Some(items),
        _ => None,
    };
    let truth = |value: bool| Some(Val::Bool(value, span));
    let string = |text: String| (text.len() <= MAX_TEXT).then(|| Val::text(text, span));
    let items = |items: Vec<Val>| (items.len() <= MAX_ITEMS).then_some(Val::List(items));
    match (name, args) {
        ("equal", [left, right]) => truth(binary(Operator::Equal, left, right)?),
        ("notequal", [left, right]) => truth(binary(Operator::NotEqual, left, right)?),
        ("and", [left, right]) => truth(binary(Operator::And, left, right)?),
        ("or", [left, right]) => truth(binary(Operator::Or, left, right)?),
        ("not", [value]) => truth(!value.truth()?),
        ("lower", _) => string(text(0)?.to_lowercase()),
        ("upper", _) => string(text(0)?.to_uppercase()),
        ("trimspace", _) => string(text(0)?.trim().to_owned()),
        ("trimprefix", _) => {
            let whole = text(0)?;
            string(whole.strip_prefix(text(1)?.as_str()).unwrap_or(&whole).to_owned())
        }
        ("trimsuffix", _) => {
            let whole = text(0)?;
            string(whole.strip_suffix(text(1)?.as_str()).unwrap_or(&whole).to_owned())
        }
        ("replace", _) => {
            let from = text(1)?;
            if from.is_empty() || from.starts_with('/') {
                return None;
            }
            string(text(0)?.replace(&from, &text(2)?))
        }
        ("strlen", _) => string(text(0)?.chars().count().to_string()),
        ("length", [Val::List(items)]) => string(items.len().to_string()),
        ("length", [Val::Map(entries, _)]) => string(entries.len().to_string()),
        ("split", _) => {
            let separator = text(0).filter(|separator| !separator.is_empty())?;
            // Text that is not known is one part: whatever it is, it is of that kind.
            let Some(whole) = text(1) else { return items(vec![Val::Text(args.get(1)?.placed()?)]) };
            items(whole.split(&separator).take(MAX_ITEMS).map(|part| Val::text(part, span)).collect())
        }
        ("join", _) => {
            let (separator, parts) = (text(0)?, list(1)?);
            let mut out = Placed::default();
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push_whole(&separator, span);
                }
                let part = part.placed()?;
                out.push(&part, 0..part.text.len());
                if out.text.len() > MAX_TEXT {
                    return None;
                }
            }
            Some(if out.text.is_empty() { Val::text("", span) } else { Val::Text(out) })
        }
        ("concat", lists) => {
            let mut all = Vec::new();
            for list in lists {
                let Val::List(items) = list else { return None };
                all.extend(items.iter().cloned());
                if all.len() > MAX_ITEMS {
                    return None;
                }
            }
            items(all)
        }
        ("flatten", [Val::List(..)]) => {
            let mut all = Vec::new();
            flatten(args.first()?, &mut all, 0)?;
            items(all)
        }
        ("compact", _) => {
            let kept = list(0)?
                .iter()
                .filter(|item| !matches!(item, Val::Null) && item.known().as_deref() != Some(""));
            items(kept.cloned().collect())
        }
        ("distinct", _) => {
            let mut seen = rustc_hash::FxHashSet::default();
            let mut kept = Vec::new();
            for item in list(0)? {
                if seen.insert(item.placed()?.text) {
                    kept.push(item.clone());
                }
            }
            items(kept)
        }
        ("coalesce", values) => {
            let first = values.iter().find(|value| !matches!(value, Val::Null));
            match first? {
                Val::Unset { .. } if !defaults => None,
                value => Some(value.clone()),
            }
        }
        ("merge", maps) => {
            let mut merged: Vec<(String, Val)> = Vec::new();
            for map in maps {
                let Val::Map(entries, _) = map else { return None };
                for (key, value) in entries {
                    merged.retain(|(known, _)| known != key);
                    merged.push((key.clone(), value.clone()));
                    if merged.len() > 512 {
                        return None;
                    }
                }
            }
            Some(Val::Map(merged, span))
        }
        ("keys", [Val::Map(entries, _)]) => {
            let mut keys: Vec<&String> = entries.iter().map(|(key, _)| key).collect();
            keys.sort();
            items(keys.into_iter().map(|key| Val::text(key.as_str(), span)).collect())
        }
        ("values", [Val::Map(entries, _)]) => {
            let mut sorted: Vec<&(String, Val)> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            items(sorted.into_iter().map(|(_, value)| value.clone()).collect())
        }
        ("contains", [Val::List(items), wanted]) => {
            let wanted = wanted.known()?;
            let mut unknown = false;
            for item in items {
                match item.known() {
                    Some(item) if item == wanted => return truth(true),
                    Some(_) => {}
                    None => unknown = true,
                }
            }
            if unknown { None } else { truth(false) }
        }
        ("lookup", [Val::Map(entries, _), key, default]) => {
            let key = key.known()?;
            let found = entries.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| value);
            Some(found.unwrap_or(default).clone())
        }
        ("element" | "index", [Val::List(items), index]) => {
            let index: usize = index.known()?.parse().ok()?;
            items.get(index).cloned()
        }
        ("format", [_, values @ ..]) => format(&text(0)?, values).and_then(string),
        ("tostring" | "tolist" | "toset", [value]) => Some(value.clone()),
        ("sort", [Val::List(list)]) => {
            let mut texts: Vec<(String, Val)> = Vec::new();
            for item in list {
                texts.push((item.known()?, item.clone()));
            }
            texts.sort_by(|a, b| a.0.cmp(&b.0));
            items(texts.into_iter().map(|(_, item)| item).collect())
        }
        _ => None,
    }
}

/// What a variable that nothing sets is where defaults count.
fn empty_if(value: &Val, defaults: bool) -> Option<String> {
    matches!(value, Val::Unset { .. } if defaults).then(String::new)
}

fn flatten(value: &Val, out: &mut Vec<Val>, depth: u32) -> Option<()> {
    match value {
        Val::List(items) if depth < 16 => {
            for item in items {
                flatten(item, out, depth + 1)?;
            }
        }
        Val::Either(..) | Val::Unknown(..) | Val::Unset { .. } if depth > 0 => out.push(value.clone()),
        other => out.push(other.clone()),
    }
    (out.len() <= MAX_ITEMS).then_some(())
}

/// `%s`, `%d`, `%v`, `%q` of `format`.
fn format(pattern: &str, values: &[Val]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = pattern.chars();
    while let Some(ch) = chars.next() {
        if ch != '%' {
            out.push(ch);
            continue;
        }
        match chars.next()? {
            '%' => out.push('%'),
            's' | 'd' | 'v' => out.push_str(&values.next()?.placed()?.text),
            _ => return None,
        }
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    Some(out)
}
