//! `strategy.matrix`: the product of its lists, with `exclude` and `include` as GitHub applies them.

use crate::builds::expr::{Val, loose_eq};

/// Legs after which a matrix is cut off.
const MAX_LEGS: usize = 256;

/// The values of one leg, in the order of the keys.
pub(super) type Leg = Vec<(String, Val)>;

/// The legs of a matrix: an object of lists with `include` and `exclude`. `None` where the whole is not known; a list
/// that is not known gives one leg with a symbolic value.
pub(super) fn legs(matrix: &Val) -> Option<Vec<Leg>> {
    let Val::Object(members) = matrix else { return None };
    let mut legs: Vec<Leg> = vec![Vec::new()];
    let mut keys = Vec::new();
    for (key, values) in members.iter().filter(|(key, _)| key != "include" && key != "exclude") {
        keys.push(key.as_str());
        let single;
        let values = match values {
            Val::Array(items) => items.as_slice(),
            Val::Sym(sym) => {
                // An unknown list: one leg stands for all of its values.
                single = [Val::Sym(crate::builds::expr::Sym::new(format!("matrix.{key}"), sym.volatility))];
                &single
            }
            other => std::slice::from_ref(other),
        };
        let mut next = Vec::with_capacity(legs.len() * values.len());
        'all: for leg in &legs {
            for value in values {
                if next.len() >= MAX_LEGS {
                    break 'all;
                }
                let mut leg: Leg = leg.clone();
                leg.push((key.clone(), value.clone()));
                next.push(leg);
            }
        }
        legs = next;
    }
    if keys.is_empty() {
        legs.clear();
    }
    if let Some(Val::Array(excluded)) = member(members, "exclude") {
        legs.retain(|leg| !excluded.iter().any(|pattern| matches(leg, pattern)));
    }
    match member(members, "include") {
        Some(Val::Array(included)) => {
            let product = legs.len();
            included.iter().take(2 * MAX_LEGS).for_each(|entry| include(&mut legs, product, &keys, entry));
        }
        Some(Val::Sym(_)) if legs.is_empty() => return None,
        _ => {}
    }
    legs.truncate(MAX_LEGS);
    Some(legs)
}

fn member<'m>(members: &'m [(String, Val)], key: &str) -> Option<&'m Val> {
    members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn matches(leg: &Leg, pattern: &Val) -> bool {
    let Val::Object(wanted) = pattern else { return false };
    wanted.iter().all(|(key, value)| member(leg, key).is_some_and(|own| same(own, value)))
}

/// Equal as matrix values: by their text for scalars of one kind, members and all for others.
fn same(a: &Val, b: &Val) -> bool {
    a == b || loose_eq(a, b)
}

/// An `include` entry joins every leg of the product whose own values it does not change; if there is none it is a leg.
fn include(legs: &mut Vec<Leg>, product: usize, keys: &[&str], entry: &Val) {
    let Val::Object(entry) = entry else { return };
    let mut joined = false;
    for leg in legs.iter_mut().take(product) {
        let fits = entry
            .iter()
            .filter(|(key, _)| keys.contains(&key.as_str()))
            .all(|(key, value)| member(leg, key).is_some_and(|own| same(own, value)));
        if !fits {
            continue;
        }
        joined = true;
        for (key, value) in entry {
            match leg.iter_mut().find(|(name, _)| name == key) {
                Some((_, old)) => *old = value.clone(),
                None => leg.push((key.clone(), value.clone())),
            }
        }
    }
    if !joined {
        legs.push(entry.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::github::{context::Context, event::Event};

    fn texts(yaml: &str) -> Vec<String> {
        let event = Event::called();
        let matrix = Context::new(&event).node(&crate::builds::yaml::parse(yaml).unwrap().unwrap());
        let text = |leg: Leg| {
            let parts: Vec<String> =
                leg.iter().map(|(key, value)| format!("{key}={}", value.to_text())).collect();
            parts.join(" ")
        };
        legs(&matrix).unwrap().into_iter().map(text).collect()
    }

    // The example of GitHub's documentation, "Expanding or adding matrix configurations".
    #[test]
    fn include_expands_or_adds() {
        let matrix = r#"{"fruit": ["apple", "pear"], "animal": ["cat", "dog"], "include": [
            {"color": "green"}, {"color": "pink", "animal": "cat"}, {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"}, {"fruit": "banana", "animal": "cat"}]}"#;
        assert_eq!(
            texts(matrix),
            [
                "fruit=apple animal=cat color=pink shape=circle",
                "fruit=apple animal=dog color=green shape=circle",
                "fruit=pear animal=cat color=pink",
                "fruit=pear animal=dog color=green",
                "fruit=banana",
                "fruit=banana animal=cat",
            ]
        );
    }

    #[test]
    fn exclude_takes_partial_matches() {
        let matrix = r#"{"os": ["a", "b"], "v": [1, 2], "exclude": [{"os": "a", "v": 2}, {"os": "b"}]}"#;
        assert_eq!(texts(matrix), ["os=a v=1"]);
    }

    #[test]
    fn include_alone_gives_a_leg_each() {
        assert_eq!(texts(r#"{"include": [{"a": "1"}, {"a": "2", "b": "3"}]}"#), ["a=1", "a=2 b=3"]);
    }

    #[test]
    fn a_huge_matrix_is_cut_off() {
        let list: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let list = list.join(",");
        let matrix = format!(r#"{{"a": [{list}], "b": [{list}], "c": [{list}]}}"#);
        assert_eq!(texts(&matrix).len(), MAX_LEGS);
    }
}
