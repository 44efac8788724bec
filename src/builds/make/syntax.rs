//! What stands in a Makefile.

use crate::builds::{Placed, lines};
use crate::source::Span;

#[derive(Debug)]
pub(super) struct Makefile {
    pub(super) definitions: Vec<Definition>,
    pub(super) rules: Vec<Rule>,
    pub(super) includes: Vec<String>,
    /// `.DEFAULT_GOAL`
    pub(super) goal: Option<String>,
}

/// Targets with what they need and their recipe; or a `define`, whose lines are recipes of whoever calls it.
#[derive(Debug)]
pub(super) struct Rule {
    /// As written.
    pub(super) name: String,
    pub(super) targets: Vec<String>,
    pub(super) needs: Vec<String>,
    /// The lines of the recipe, or all of it as one where `.ONESHELL` is on.
    pub(super) lines: Vec<Span>,
}

#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    /// `=`, `:=`, `+=`, `?=`, `!=`
    pub(super) operator: &'static str,
    pub(super) value: Placed,
    /// Not inside of `ifeq` and the like.
    pub(super) certain: bool,
}

/// Reads a Makefile; what is not understood is left out.
pub(super) fn parse(text: &str) -> Makefile {
    let mut makefile =
        Makefile { definitions: Vec::new(), rules: Vec::new(), includes: Vec::new(), goal: None };
    // Whether a tab begins a line of the last rule's recipe.
    let mut open = false;
    let (mut depth, mut one_shell, mut defining) = (0_u32, false, None::<(String, usize)>);
    let mut at = 0;
    while at < text.len() {
        let span = lines::logical(text, at, is_joined);
        let line = span.of(text);
        let next = span.end as usize + 1;
        let start = std::mem::replace(&mut at, next);
        let bare = line.trim_start();
        let word = bare.split([' ', '\t', '(', '\n', '\r']).next().unwrap_or("");
        if let Some((name, from)) = &defining {
            if word == "endef" {
                let value = value(text, *from, start);
                let certain = depth == 0;
                makefile.definitions.push(Definition { name: name.clone(), operator: "=", value, certain });
                defining = None;
            } else if line.starts_with('\t')
                && let Some(rule) = makefile.rules.last_mut()
            {
                rule.lines.push(recipe(text, span));
            }
            continue;
        }
        if line.starts_with('\t')
            && open
            && let Some(rule) = makefile.rules.last_mut()
        {
            let recipe = recipe(text, span);
            match rule.lines.last_mut() {
                Some(last) if one_shell => last.end = recipe.end,
                _ => rule.lines.push(recipe),
            }
            continue;
        }
        match word {
            "" => continue,
            _ if word.starts_with('#') => continue,
            "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
                depth = depth.saturating_add(1);
                continue;
            }
            "endif" => {
                depth = depth.saturating_sub(1);
                continue;
            }
            "else" => continue,
            "include" | "-include" | "sinclude" => {
                let names = bare.split_whitespace().skip(1).take_while(|name| !name.starts_with('#'));
                makefile.includes.extend(names.filter(|name| !name.contains('$')).map(str::to_owned));
                continue;
            }
            "define" => {
                let name =
                    bare.split_whitespace().nth(1).unwrap_or("").trim_end_matches(['=', ':']).to_owned();
                makefile.rules.push(Rule {
                    name: name.clone(),
                    targets: Vec::new(),
                    needs: Vec::new(),
                    lines: Vec::new(),
                });
                defining = Some((name, next));
                open = false;
                continue;
            }
            _ => {}
        }
        let offset = start + (line.len() - bare.len());
        if let Some(definition) = definition(text, offset, span.end as usize, depth == 0) {
            if definition.name == ".DEFAULT_GOAL" {
                makefile.goal = Some(definition.value.text.clone());
            }
            makefile.definitions.push(definition);
            // Inside of a rule only a tab makes a recipe.
            open = false;
        } else if let Some((names, rest)) = bare.split_once(':') {
            let name = names.trim();
            one_shell |= name == ".ONESHELL";
            let inline = rest.find(';');
            let needs = rest.get(..inline.unwrap_or(rest.len())).unwrap_or("");
            let needs = needs.trim_start_matches(':').split(" #").next().unwrap_or("");
            // `target: NAME = value` sets a variable for the target alone.
            let needs = if needs.contains('=') { "" } else { needs };
            makefile.rules.push(Rule {
                name: name.to_owned(),
                targets: name.split_whitespace().map(str::to_owned).collect(),
                needs: needs
                    .split_whitespace()
                    .filter(|need| *need != "|" && *need != "\\")
                    .map(str::to_owned)
                    .collect(),
                lines: Vec::new(),
            });
            open = true;
            // `target: ; command`
            if let Some(inline) = inline
                && let Some(rule) = makefile.rules.last_mut()
            {
                let end = span.end as usize;
                let from = end - (rest.len() - inline - 1);
                rule.lines.push(recipe(text, Span::new(from.min(end), end)));
            }
        } else {
            open = false;
        }
    }
    makefile
}

/// A line of a recipe without the tab and the marks before the command.
fn recipe(text: &str, span: Span) -> Span {
    let command = span.of(text).trim_start_matches(['\t', ' ', '@', '-', '+']);
    Span::new(span.end as usize - command.len(), span.end as usize)
}

/// `[export|override] NAME operator value`.
fn definition(text: &str, start: usize, end: usize, certain: bool) -> Option<Definition> {
    let line = text.get(start..end)?;
    let mut rest = line;
    for modifier in ["export", "override", "private"] {
        if let Some(after) = rest.strip_prefix(modifier).filter(|after| after.starts_with([' ', '\t'])) {
            rest = after.trim_start();
        }
    }
    let length =
        rest.find(|ch: char| ch.is_whitespace() || matches!(ch, '=' | ':' | '+' | '?' | '!' | '#'))?;
    let name = rest.get(..length).filter(|name| !name.is_empty())?;
    let after = rest.get(length..)?.trim_start();
    let operators = [":::=", "::=", ":=", "?=", "+=", "!=", "="];
    let operator = operators.into_iter().find(|operator| after.starts_with(operator))?;
    let from = end - (after.len() - operator.len());
    let value = value(text, from, end);
    let value = if operator == "!=" {
        let mut command = Placed::whole("$(shell ", value.full_span());
        command.push(&value, 0..value.text.len());
        command.push_whole(")", value.full_span());
        command
    } else {
        value
    };
    Some(Definition { name: name.to_owned(), operator, value, certain })
}

/// The text between two offsets: comments cut, blanks and the ends of joined lines made one blank.
fn value(text: &str, from: usize, to: usize) -> Placed {
    let raw = text.get(from..to).unwrap_or("");
    let whole = Placed::exact(raw, u32::try_from(from).unwrap_or(u32::MAX));
    let mut end = raw.len();
    let mut before = ' ';
    for (at, ch) in raw.char_indices() {
        if ch == '#' && before != '\\' && before.is_whitespace() {
            end = at;
            break;
        }
        before = ch;
    }
    let range = crate::builds::placed::trimmed(raw, 0..end);
    let mut out = Placed::default();
    let mut at = range.start;
    let kept = raw.get(..range.end).unwrap_or("");
    // The backslash of a joined line is no part of the value.
    for (found, _) in kept.match_indices('\\').filter(|(found, _)| {
        kept.get(found + 1..).is_some_and(|rest| rest.starts_with('\n') || rest.starts_with("\r\n"))
    }) {
        if found >= at {
            out.push(&whole, at..found);
            at = found + 1;
        }
    }
    out.push(&whole, at..range.end);
    // What is the shell's dollar where the value is used.
    let out = crate::builds::command::make_dollars(&out);
    if out.text.is_empty() { Placed::whole("", Span::new(from, from)) } else { out }
}

/// Whether the next line goes on with one that ends so: two backslashes are a backslash.
fn is_joined(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}
