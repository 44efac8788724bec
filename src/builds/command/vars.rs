//! Assignments in scripts: plain ones, arrays, appending, and those in branches.

use super::words::Source;
use crate::builds::{Arg, Placed, Var, Vars};
use crate::shell::{Assignment, Command, Script};
use rustc_hash::FxHashMap;

/// Most words that a variable keeps.
const MAX_WORDS: usize = 1024;
/// Longest array text that is read.
const MAX_ARRAY: usize = 16 * 1024;

/// Takes over what a command assigns for later ones.
pub(super) fn assignments(command: &Command<'_>, source: &Source<'_>, vars: &mut Vars) {
    for assignment in &command.env {
        if assignment.persistent {
            assign(assignment, command.certain || command.in_loop, source, vars);
        }
    }
    if command.program() == Some("unset") && command.certain {
        command.args().iter().for_each(|word| vars.unset(&word.text));
    }
}

/// Sets the variables that the whole script sets only once: a function may use them before the text gets there.
pub(super) fn set_once(script: &Script<'_>, source: &Source<'_>, vars: &mut Vars) {
    let has_functions = script.commands.iter().any(|command| command.depth > 0);
    if !has_functions {
        return;
    }
    let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
    let persistent = || {
        let commands = script.commands.iter().filter(|command| !command.substitution);
        commands.flat_map(|command| command.env.iter().map(move |assignment| (command, assignment)))
    };
    for (_, assignment) in persistent().filter(|(_, assignment)| assignment.persistent) {
        *counts.entry(&assignment.name).or_default() += 1;
    }
    for (command, assignment) in persistent() {
        let once = counts.get(&*assignment.name) == Some(&1);
        if once && command.certain && command.depth == 0 && vars.get(&assignment.name).is_none() {
            assign(assignment, true, source, vars);
        }
    }
}

fn assign(assignment: &Assignment<'_>, certain: bool, source: &Source<'_>, vars: &mut Vars) {
    let start = assignment.value.span.start;
    let before = source.after(start.saturating_sub(2), 2);
    let mut appends = before.text == "+=";
    let tail =
        if assignment.value.text.is_empty() { source.after(start, MAX_ARRAY) } else { Placed::default() };
    if tail.text.starts_with('(') {
        let name = format!("{}[@]", assignment.name);
        let Some(end) = closing(&tail.text) else { return vars.unset(&name) };
        let words = vars.words(&tail.slice(1..end));
        let text = tail.slice(1..end);
        let var = Var { text, words, conditional: false, foreign: false };
        return merge(&name, var, certain, appends, vars);
    }
    let mut args = Vec::new();
    let raw = source.raw(assignment.value.span);
    let mut value = Placed::default();
    for word in crate::builds::value::split_words(&raw) {
        vars.word(&word.text, true, word.literal, &mut args);
        // `X="$X more"` appends.
        let own = |prefix: &str| word.text.text.starts_with(prefix);
        appends |= own(&format!("${} ", assignment.name)) || own(&format!("${{{}}} ", assignment.name));
        let part = if word.literal { word.text.clone() } else { vars.expand(&word.text) };
        value.push(&part, 0..part.text.len());
    }
    if value.text.is_empty() {
        value = Placed::whole("", assignment.value.span);
    }
    let itself = before.text != "+=" && appends;
    let words = match crate::builds::value::split_words(&raw).as_slice() {
        // One quoted text: what is in it splits where it is used.
        [only] if !only.literal => vars.words(&only.text),
        [only] => words_of_literal(&only.text),
        _ => args,
    };
    let var = Var { text: value, words, conditional: false, foreign: false };
    if itself && !certain {
        // Only what comes after the old text is new.
        let old = vars.get(&assignment.name).map_or(0, |old| old.words.len());
        let mut words = var.words;
        words.iter_mut().skip(old).for_each(|word| word.conditional = true);
        let conditional = vars.get(&assignment.name).is_some_and(|old| old.conditional);
        return vars.put(&assignment.name, Var { words, conditional, ..var });
    }
    merge(&assignment.name, var, certain, before.text == "+=", vars);
}

fn words_of_literal(text: &Placed) -> Vec<Arg> {
    let parts = text.split(char::is_whitespace);
    parts.map(|text| Arg { text, literal: true, conditional: false }).take(MAX_WORDS).collect()
}

/// Puts a new value beside the old one. What a branch sets is there only sometimes; of two sets of options both are kept,
/// each only sometimes.
pub(crate) fn merge(name: &str, new: Var, certain: bool, appends: bool, vars: &mut Vars) {
    let old = vars.get(name);
    if appends {
        let mut var = old.cloned().unwrap_or_default();
        let from = var.words.len();
        let length = new.text.text.len();
        var.text.push(&new.text, 0..length);
        var.words.extend(new.words);
        var.words.truncate(MAX_WORDS);
        if !certain {
            var.words.iter_mut().skip(from).for_each(|word| word.conditional = true);
        }
        return vars.put(name, var);
    }
    if certain {
        return vars.put(name, new);
    }
    let empty = |var: &Var| var.text.text.is_empty() && var.words.is_empty();
    let merged = match old {
        None if empty(&new) => return,
        None => Var { conditional: true, ..new },
        Some(old) if empty(&new) => Var { conditional: true, ..old.clone() },
        Some(old) if empty(old) => Var { conditional: true, ..new },
        Some(old) if old.text.text == new.text.text => old.clone(),
        // Of several ways to start a builder the first one stands for all.
        Some(old) if starts_builder(old) => return,
        Some(_) if starts_builder(&new) => new,
        // Which of two values it has cannot be known, unless they are options: then it may have either.
        Some(old) if !options(old) || !options(&new) => {
            let text = Placed::whole(format!("${{{name}}}"), new.text.full_span());
            let words = vec![Arg { text: text.clone(), literal: false, conditional: false }];
            Var { text, words, conditional: true, foreign: old.foreign }
        }
        Some(old) => {
            let mut words = old.words.clone();
            words.extend(new.words);
            words.truncate(MAX_WORDS);
            Var { words, conditional: true, text: new.text, foreign: old.foreign }
        }
    };
    vars.put(name, merged);
}

/// Whether a variable is the beginning of a command line that builds.
fn starts_builder(var: &Var) -> bool {
    let words = var.words.iter().map(|word| word.text.text.as_str());
    let mut words = words.skip_while(|word| word.contains('=') || *word == "sudo");
    words.next().is_some_and(|first| {
        let program = first.rsplit('/').next().unwrap_or(first);
        matches!(
            program,
            "docker" | "docker-compose" | "podman" | "buildah" | "buildctl" | "buildx" | "nerdctl"
        )
    })
}

fn options(var: &Var) -> bool {
    var.words.first().is_some_and(|word| word.text.text.starts_with('-'))
}

/// Offset of the bracket that closes the array.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_u32, 0_u8, false);
    let mut comment = false;
    let mut previous = b' ';
    for (at, byte) in text.bytes().enumerate() {
        if comment {
            comment = byte != b'\n';
        } else if std::mem::take(&mut escaped) {
        } else {
            match byte {
                b'\\' if quote != b'\'' => escaped = true,
                b'\'' | b'"' if quote == 0 => quote = byte,
                byte if byte == quote => quote = 0,
                _ if quote != 0 => {}
                b'#' if previous.is_ascii_whitespace() => comment = true,
                b'(' => depth += 1,
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        previous = byte;
    }
    None
}
