//! How often a variable, the output of a command or an expression is another one, as far as its name tells.

mod known;

use super::expand::{Piece, pieces};
use crate::builds::Volatility;
use Volatility::{Fixed, PerRun, Unknown};
use known::{COMMANDS, FIXED_PREFIXES, NAMES};

/// How often the variable of this name changes, as far as its name tells.
#[must_use]
pub fn name_volatility(name: &str) -> Volatility {
    known_name(name).unwrap_or(Unknown)
}

fn known_name(name: &str) -> Option<Volatility> {
    let exact = |name: &str| NAMES.binary_search_by(|(row, _)| (*row).cmp(name)).ok();
    let found = exact(name).or_else(|| {
        // `git_sha` of a justfile, `short-sha` of a step's output.
        let upper = name.to_ascii_uppercase().replace('-', "_");
        (upper != name).then(|| exact(&upper)).flatten()
    });
    match found.and_then(|index| NAMES.get(index)) {
        Some((_, volatility)) => Some(*volatility),
        None => FIXED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)).then_some(Fixed),
    }
}

/// How often the output of a command changes. Of a pipeline the first command that is known counts, and the fastest
/// variable of the others. `NAME` alone is the variable, as Make and Azure Pipelines write it.
#[must_use]
pub fn command_volatility(command: &str) -> Volatility {
    let command = command.strip_prefix("shell ").unwrap_or(command).trim();
    if !command.contains(char::is_whitespace)
        && let Some(volatility) = known_name(command)
    {
        return volatility;
    }
    let mut fastest: Option<Volatility> = None;
    for piece in pieces(command) {
        let part = match piece {
            Piece::Text(_) => continue,
            Piece::Var { name, .. } => name_volatility(name),
            Piece::Expression { inner, .. } => expression_volatility(inner.trim()),
            // Strictly shorter, and brackets reach a kilobyte.
            Piece::Command { inner, .. } => command_volatility(inner),
            Piece::Alternative { .. } | Piece::Opaque { .. } => Unknown,
        };
        fastest = Some(fastest.map_or(part, |old| old.max(part)));
    }
    let listed = command.split(['|', ';', '&', '(', ')']).find_map(listed_command);
    match (listed, fastest) {
        (Some(listed), Some(fastest)) => listed.max(fastest),
        (Some(only), None) => only,
        // A command that is not known does something with what it gets: no slower than that, perhaps faster.
        (None, fastest) => fastest.unwrap_or(Unknown).max(Unknown),
    }
}

fn listed_command(command: &str) -> Option<Volatility> {
    let words: Vec<&str> =
        command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).take(32).collect();
    let words = match words.as_slice() {
        ["command", rest @ ..] => rest,
        // `git -C dir …`
        ["git", "-C", _, rest @ ..] => return listed_git(rest),
        all => all,
    };
    let row = COMMANDS.iter().find(|(head, later, _)| {
        words.starts_with(head) && later.iter().all(|word| words.iter().any(|here| option_is(here, word)))
    })?;
    Some(row.2)
}

fn listed_git(rest: &[&str]) -> Option<Volatility> {
    let (_, _, volatility) = COMMANDS.iter().find(|(head, later, _)| {
        head.first() == Some(&"git")
            && head.get(1) == rest.first()
            && later.iter().all(|word| rest.iter().any(|here| option_is(here, word)))
    })?;
    Some(*volatility)
}

fn option_is(word: &str, option: &str) -> bool {
    word == option
        || (option.starts_with("--") && word.strip_prefix(option).is_some_and(|tail| tail.starts_with('=')))
        || (!option.starts_with('-') && word.rsplit('/').next() == Some(option))
}

/// How often the value of an expression (`github.sha`, `.VERSION`, `format('{0}', env.X)`) changes: the fastest of the
/// names in it.
pub(super) fn expression_volatility(expression: &str) -> Volatility {
    let mut fastest: Option<Volatility> = None;
    let mut rest = expression;
    while let Some(ch) = rest.chars().next() {
        let length = match ch {
            '\'' | '"' | '`' => {
                rest.get(1..).and_then(|tail| tail.find(ch)).map_or(rest.len(), |end| end + 2)
            }
            ch if ch.is_ascii_alphabetic() || ch == '_' || ch == '.' => {
                let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.' | '-' | '*');
                let length = rest.find(|ch| !part(ch)).unwrap_or(rest.len());
                let name = rest.get(..length).unwrap_or("").trim_matches('.');
                let call = rest.get(length..).is_some_and(|tail| tail.starts_with('('));
                if let Some(part) = expression_name(name, call) {
                    fastest = Some(fastest.map_or(part, |old| old.max(part)));
                }
                length
            }
            ch => ch.len_utf8(),
        };
        rest = rest.get(length.max(1)..).unwrap_or("");
    }
    fastest.unwrap_or(Unknown)
}

fn expression_name(name: &str, call: bool) -> Option<Volatility> {
    if call {
        let silent = [
            "format",
            "join",
            "contains",
            "startsWith",
            "endsWith",
            "toJSON",
            "fromJSON",
            "fromJson",
            "toJson",
        ];
        return match name {
            "timestamp" | "uuidv4" | "datetime" | "datetime_utc" | "uuid" | "now" => Some(PerRun),
            name if silent.contains(&name) => None,
            _ => Some(Unknown),
        };
    }
    if let Some(name) = name.strip_prefix("env.").or_else(|| name.strip_prefix("Env.")) {
        return Some(name_volatility(name));
    }
    if matches!(name, "" | "true" | "false" | "null") {
        return None;
    }
    if name.starts_with("steps.") || name.starts_with("needs.") {
        let last = name.rsplit('.').next().unwrap_or(name);
        return Some(name_volatility(last));
    }
    Some(name_volatility(name))
}
