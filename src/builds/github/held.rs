//! What the variables of a script hold, as far as its text tells: assignments that every run comes by, and what a shell makes
//! of them.

use super::context::{Context, find};
use crate::builds::expr::Val;
use crate::builds::value::{Piece, pieces};

/// How long a value may become.
const MAX_LENGTH: usize = 4096;

/// The variables that a script has set so far.
#[derive(Default)]
pub(super) struct Held<'s> {
    variables: Vec<(&'s str, Option<String>)>,
    depth: u32,
}

impl<'s> Held<'s> {
    /// Takes note of a line: what opens and closes branches, and an assignment.
    pub(super) fn line(
        &mut self,
        line: &'s str,
        assignment: Option<(&'s str, &'s str)>,
        context: &Context<'_>,
    ) {
        let first = line.split([' ', ';', '\t']).next().unwrap_or("");
        match first {
            "if" | "for" | "while" | "until" | "case" => self.depth += 1,
            "fi" | "done" | "esac" | "}" => self.depth = self.depth.saturating_sub(1),
            _ if line.ends_with('{') => self.depth += 1,
            _ => {}
        }
        if matches!(first, "if" | "for" | "while" | "until")
            && ["; fi", ";fi", "; done", ";done"].iter().any(|end| line.ends_with(end))
        {
            self.depth = self.depth.saturating_sub(1);
        }
        match assignment.filter(|_| self.variables.len() < 256) {
            Some((name, value)) => {
                let set_before = self.variables.iter().any(|(known, _)| *known == name);
                let value = unquoted(value).filter(|_| self.depth == 0 && !set_before);
                let value = value.and_then(|value| self.expand(value, context));
                self.variables.retain(|(known, _)| *known != name);
                self.variables.push((name, value));
            }
            // `[ … ] && NAME=…`, `read NAME`: it may have changed.
            None => {
                let starts = |rest: &str, name: &str| {
                    rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['=', '+']))
                };
                for (name, value) in &mut self.variables {
                    let set = line.split([' ', ';', '&', '|', '(']).any(|word| starts(word, name));
                    if (set && first != "echo") || first == "read" {
                        *value = None;
                    }
                }
            }
        }
    }

    /// The text that `echo` writes of a value without its outer quotes, where every run writes it and everything in it is known.
    pub(super) fn expand_always(&self, value: &str, context: &Context<'_>) -> Option<String> {
        let text = value.replace('"', "");
        if self.depth == 0 { self.expand(&text, context) } else { None }
    }

    /// The text that a shell makes of `text`, where everything in it is known.
    fn expand(&self, text: &str, context: &Context<'_>) -> Option<String> {
        let mut out = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) if text.contains(['`', '\\']) => return None,
                Piece::Text(text) => out.push_str(text),
                Piece::Expression { raw, .. } if raw.starts_with("${{") => match context.expression(raw) {
                    Val::Sym(_) | Val::Array(_) | Val::Object(_) => return None,
                    known => out.push_str(&known.to_text()),
                },
                Piece::Var { name, default, .. } => {
                    let value = self.get(name, context)?;
                    if value.is_empty() && default.is_some() {
                        return None;
                    }
                    out.push_str(&value);
                }
                Piece::Opaque { raw } => {
                    let inner = raw.strip_prefix("${")?.strip_suffix('}')?;
                    let end = inner
                        .find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_')
                        .filter(|end| *end > 0)?;
                    let (name, change) = inner.split_at(end);
                    out.push_str(&changed(&self.get(name, context)?, change)?);
                }
                _ => return None,
            }
            if out.len() > MAX_LENGTH {
                return None;
            }
        }
        Some(out)
    }

    fn get(&self, name: &str, context: &Context<'_>) -> Option<String> {
        if let Some((_, value)) = self.variables.iter().find(|(known, _)| *known == name) {
            return value.clone();
        }
        match find(&context.env, name)? {
            Val::Str(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// A value without its quotes; `None` where it is more than one word.
fn unquoted(value: &str) -> Option<&str> {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inner('"') {
        return (!inner.contains('"')).then_some(inner);
    }
    if let Some(inner) = inner('\'') {
        let literal = !inner.contains('\'') && !inner.replace("${{", "").contains('$');
        return literal.then_some(inner);
    }
    // Blanks may stand in `${{ … }}`.
    let mut outside = pieces(value).filter_map(|piece| match piece {
        Piece::Text(text) => Some(text),
        _ => None,
    });
    let plain = outside.all(|text| !text.contains(['"', '\'', ' ', '\t', ';', '&', '|', '(', ')']));
    plain.then_some(value)
}

/// What `${NAME…}` makes of the value, with what stands behind the name.
fn changed(value: &str, change: &str) -> Option<String> {
    let literal = |pattern: &str| {
        (!pattern.is_empty() && !pattern.contains(['*', '?', '[', '$', '"', '\'', '\\']))
            .then(|| pattern.to_owned())
    };
    if let Some(rest) = change.strip_prefix("//") {
        let (pattern, with) = replacement(rest)?;
        return Some(value.replace(&literal(&pattern)?, &with));
    }
    if let Some(rest) = change.strip_prefix('/') {
        let (pattern, with) = replacement(rest)?;
        let pattern = literal(&pattern).filter(|pattern| !pattern.starts_with(['#', '%']))?;
        return Some(value.replacen(&pattern, &with, 1));
    }
    let cut = |text: Option<&str>| Some(text.unwrap_or(value).to_owned());
    if let Some(rest) = change.strip_prefix("##*") {
        let end = literal(rest)?;
        return cut(value.rfind(&end).and_then(|at| value.get(at + end.len()..)));
    }
    if let Some(rest) = change.strip_prefix("#*") {
        let end = literal(rest)?;
        return cut(value.find(&end).and_then(|at| value.get(at + end.len()..)));
    }
    if let Some(rest) = change.strip_prefix("##").or_else(|| change.strip_prefix('#')) {
        return cut(value.strip_prefix(&literal(rest)?));
    }
    if let Some(rest) = change.strip_prefix("%%") {
        return match rest.strip_suffix('*') {
            Some(start) => cut(value.find(&literal(start)?).and_then(|at| value.get(..at))),
            None => cut(value.strip_suffix(&literal(rest)?)),
        };
    }
    if let Some(rest) = change.strip_prefix('%') {
        return match rest.strip_suffix('*') {
            Some(start) => cut(value.rfind(&literal(start)?).and_then(|at| value.get(..at))),
            None => cut(value.strip_suffix(&literal(rest)?)),
        };
    }
    match change {
        ",," => Some(value.to_lowercase()),
        "^^" => Some(value.to_uppercase()),
        _ => None,
    }
}

/// The two sides of `PATTERN/WITH`, in which `\/` is a slash.
fn replacement(text: &str) -> Option<(String, String)> {
    let (mut pattern, mut with, mut second) = (String::new(), String::new(), false);
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        let side = if second { &mut with } else { &mut pattern };
        match ch {
            '\\' => side.push(chars.next()?),
            '/' if !second => second = true,
            '$' | '"' | '\'' => return None,
            other => side.push(other),
        }
    }
    Some((pattern, with))
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn what_a_shell_makes_of_a_value() {
        let check = |change: &str, result: Option<&str>| {
            assert_eq!(changed("linux/arm/v7", change).as_deref(), result, "{change}");
        };
        check(r"//\//-", Some("linux-arm-v7"));
        check(r"/\//_", Some("linux_arm/v7"));
        check("//v/", Some("linux/arm/7"));
        check("#linux/", Some("arm/v7"));
        check("##*/", Some("v7"));
        check("#*/", Some("arm/v7"));
        check("%%/*", Some("linux"));
        check("%/*", Some("linux/arm"));
        check("%/v7", Some("linux/arm"));
        check("^^", Some("LINUX/ARM/V7"));
        check("//[a-z]/x", None);
        check(":0:3", None);
    }
}
