//! What may be written in `hitrate.toml`, and what it means: as its schema says.

use super::complete::{Choice, Choices, all_rules};
use super::specs::narrow;
use crate::rules::{self, Category};
use crate::settings;
use crate::source::{SourceFile, Span};
use gen_lsp_types::CompletionItemKind;
use serde_json::Value;
use std::sync::OnceLock;

/// The schema with the names of the rules.
fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| settings::schema(&rules::selectors().collect::<Vec<_>>()))
}

/// Where a byte of the file is.
#[derive(Debug, PartialEq, Eq)]
struct Spot {
    /// The table, and the key whose value it is in.
    path: Vec<String>,
    part: Part,
    /// The word there, without quotes.
    word: Span,
    /// Whether the word has a quote before it.
    quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `[…]`.
    Header,
    Key,
    Value,
}

/// The part of `hitrate.toml` at byte `offset`; `None` in a comment.
fn spot(file: &SourceFile, offset: u32) -> Option<Spot> {
    let number = file.line(offset);
    let mut table: Vec<String> = Vec::new();
    // The key of an array that goes on, and how many brackets are open.
    let (mut open, mut depth): (Option<String>, i32) = (None, 0);
    for above in 1..number {
        let line = uncommented(file.line_text(above)).trim();
        if depth > 0 {
            depth += brackets(line);
        } else if line.starts_with('[') {
            table = names(line);
        } else if let Some((key, value)) = line.split_once('=') {
            (open, depth) = (Some(key.trim().to_owned()), brackets(value));
        }
    }
    let start = file.lines().start(number);
    let line = file.line_text(number);
    let column = (offset - start) as usize;
    let before = line.get(..column)?;
    if uncommented(before).len() < before.len() {
        return None;
    }
    let is_word = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let first = column - before.chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
    let rest = line.get(first..)?;
    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let word = Span { start: start + narrow(first), end: start + narrow(first + length) };
    let quoted = line.get(..first)?.ends_with(['"', '\'']);
    let spot = |path, part| Some(Spot { path, part, word, quoted });
    if depth > 0 {
        table.extend(open);
        return spot(table, Part::Value);
    }
    if line.trim_start().starts_with('[') {
        return spot(Vec::new(), Part::Header);
    }
    match before.split_once('=') {
        Some((key, _)) => {
            table.extend(names(key));
            spot(table, Part::Value)
        }
        None => spot(table, Part::Key),
    }
}

/// The line without its comment.
fn uncommented(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return line.get(..at).unwrap_or(line),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    line
}

fn brackets(text: &str) -> i32 {
    text.chars().map(|c| i32::from(c == '[') - i32::from(c == ']')).sum()
}

fn names(header: &str) -> Vec<String> {
    let names = header.trim().trim_matches(['[', ']']).split('.');
    names.map(|name| name.trim().trim_matches(['"', '\'']).to_owned()).collect()
}

/// What the schema says of a path of keys.
fn node(path: &[String]) -> Option<&'static Value> {
    let mut node = schema();
    for name in path {
        let own = resolved(node);
        node = own.pointer("/properties").and_then(|all| all.get(name)).or(own.get("additionalProperties"))?;
    }
    Some(node)
}

/// The type behind references, optional values and items of arrays.
fn resolved(mut node: &'static Value) -> &'static Value {
    // No type of the schema is nested deeper.
    for _ in 0..8 {
        let reference = node.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        let inner = reference
            .and_then(|pointer| schema().pointer(pointer))
            .or_else(|| node.pointer("/anyOf/0"))
            .or_else(|| node.get("items"));
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

fn description(node: &Value) -> &str {
    node.get("description").and_then(Value::as_str).unwrap_or("")
}

/// What can be written at byte `offset`.
pub(super) fn choices(file: &SourceFile, offset: u32) -> Option<Choices> {
    let spot = spot(file, offset)?;
    let items = match spot.part {
        Part::Header => tables(&[], schema()),
        Part::Key => keys(node(&spot.path)?),
        Part::Value => values(node(&spot.path)?, spot.quoted),
    };
    let replaced = Span { end: offset, ..spot.word };
    (!items.is_empty()).then_some(Choices { replaced, items })
}

fn tables(path: &[String], node: &'static Value) -> Vec<Choice> {
    let mut found = Vec::new();
    for (name, inner) in properties(node) {
        let own = resolved(inner);
        if own.get("properties").is_none() && own.get("propertyNames").is_none() {
            continue;
        }
        let path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
        let choice = Choice::new(path.join("."), CompletionItemKind::Module);
        found.push(choice.with_facts(description(inner)));
        if inner.get("items").is_none() {
            found.extend(tables(&path, own));
        }
    }
    found
}

fn properties(node: &'static Value) -> impl Iterator<Item = (&'static String, &'static Value)> {
    resolved(node).get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn keys(node: &'static Value) -> Vec<Choice> {
    if resolved(node).get("propertyNames").is_some() {
        return selectors().map(|choice| choice.followed_by(" = ")).collect();
    }
    let choice = |(name, inner): (&String, &Value)| {
        let choice = Choice::new(name.as_str(), CompletionItemKind::Property).followed_by(" = ");
        choice.with_facts(description(inner))
    };
    properties(node).map(choice).collect()
}

/// Everything that selects rules.
fn selectors() -> impl Iterator<Item = Choice> {
    let category = |category: &Category| Choice::new(category.name(), CompletionItemKind::Module);
    all_rules().chain(Category::ALL.iter().map(category))
}

fn values(node: &'static Value, quoted: bool) -> Vec<Choice> {
    let own = resolved(node);
    if own.get("type").is_some_and(|kind| {
        kind == "boolean" || kind.as_array().is_some_and(|all| all.contains(&"boolean".into()))
    }) {
        return ["true", "false"].map(|value| Choice::new(value, CompletionItemKind::Value)).into();
    }
    let constant = |value: &Value| {
        let choice = Choice::new(value.get("const")?.as_str()?, CompletionItemKind::Value);
        Some(choice.with_facts(description(value)))
    };
    let constants = own.get("oneOf").and_then(Value::as_array).into_iter().flatten().filter_map(constant);
    let names = own.get("enum").is_some().then(selectors).into_iter().flatten();
    let all = constants.chain(names);
    if quoted {
        return all.collect();
    }
    all.map(|choice| {
        let text = format!("\"{}\"", choice.label);
        choice.writing(text)
    })
    .collect()
}

/// What stands at byte `offset`, in words.
pub(super) fn meaning(file: &SourceFile, offset: u32) -> Option<(Span, String)> {
    let spot = spot(file, offset)?;
    let word = spot.word.of(&file.text);
    if word.is_empty() {
        return None;
    }
    if let Some(rule) = rules::find(word) {
        return Some((spot.word, rule.meta().docs.to_owned()));
    }
    let found = match spot.part {
        Part::Header => node(&names(word))?,
        Part::Key => node(&spot.path.iter().cloned().chain(names(word)).collect::<Vec<_>>())?,
        Part::Value => {
            let values = resolved(node(&spot.path)?).get("oneOf")?.as_array()?;
            values.iter().find(|value| value.get("const").is_some_and(|value| value == word))?
        }
    };
    // What is said of the key says more than what is said of its type.
    let text =
        Some(description(found)).filter(|text| !text.is_empty()).unwrap_or(description(resolved(found)));
    (!text.is_empty()).then(|| (spot.word, format!("**{word}**\n\n{text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> (SourceFile, u32) {
        let offset = text.find('¦').unwrap();
        (SourceFile::new("hitrate.toml", text.replacen('¦', "", 1)), narrow(offset))
    }

    fn offered(text: &str) -> Vec<String> {
        let (file, offset) = split(text);
        let items = choices(&file, offset).map(|choices| choices.items).unwrap_or_default();
        items.into_iter().map(|choice| choice.label).collect()
    }

    fn means(text: &str) -> String {
        let (file, offset) = split(text);
        meaning(&file, offset).map(|(_, text)| text).unwrap_or_default()
    }

    #[test]
    fn tables_keys_and_values_are_those_of_the_schema() {
        assert!(offered("[¦").contains(&"rules.severity".to_owned()));
        assert_eq!(offered("[rules]\nse¦"), ["ignore", "select", "severity"]);
        assert_eq!(offered("[builder]\npersistent = ¦"), ["true", "false"]);
        assert!(offered("[builder]\ndriver = \"do¦").contains(&"docker-container".to_owned()));
        assert_eq!(offered("[rules.severity]\nmutable-base = \"¦\""), ["off", "info", "warning", "error"]);
        assert!(
            offered("[[overrides]]\nignore = [\n  \"order\",\n  \"mut¦\n")
                .contains(&"mutable-base".to_owned())
        );
        assert!(offered("[rules.severity]\n¦").contains(&"order".to_owned()));
        assert_eq!(offered("# [rules]\n# se¦"), [""; 0], "a comment");
        assert_eq!(offered("[nonsense]\n¦"), [""; 0]);
    }

    #[test]
    fn words_have_their_meaning() {
        assert!(means("[rules]\nignore = [\"mutable-¦base\"]\n").starts_with("# mutable-base"));
        assert!(means("[rules.severity]\nmutable-¦base = \"off\"\n").starts_with("# mutable-base"));
        assert!(means("[builder]\ndri¦ver = \"docker\"\n").contains("buildx driver"));
        assert!(means("[builder]\ndriver = \"¦docker\"\n").contains("built-in builder"));
        assert!(means("[ord¦er]\n").starts_with("**order**"));
        assert_eq!(means("x¦ = 1\n"), "");
        assert_eq!(means("¦"), "");
    }
}
