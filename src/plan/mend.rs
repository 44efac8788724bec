//! The edit that writes what was chosen into the build's own file, where it is certain to be right.

use super::candidates::Guard;
use super::choose::Decided;
use super::snippet::needs_driver;
use super::subject::Subject;
use super::{Kind, snippet};
use crate::builds::{CacheSpec, Front, Setting as Written, System};
use crate::fix::Fix;
use crate::source::Span;
use std::sync::Arc;

/// The fix for what was chosen; `None` where the edit has to be made by hand.
pub(super) fn fix(subject: &Subject<'_>, decided: &Decided) -> Option<Fix> {
    let chosen = &decided.chosen;
    let build = subject.build;
    let by_hand = chosen.kind == Kind::Keep
        || chosen.placeholder
        || chosen.fallback.is_some()
        || needs_driver(subject, chosen)
        || build.template;
    if by_hand {
        return None;
    }
    let (from, to) = (&chosen.from, &chosen.to);
    let fix = Fix::safe(format!("cache settings of the build at line {}", snippet::line(subject)));
    match build.front {
        Front::BuildPushAction => {
            let to: Vec<String> = to.iter().map(|to| snippet::guarded(to, chosen.guard)).collect();
            inputs(subject, from, &to, fix)
        }
        Front::Buildx | Front::Buildctl if chosen.guard == Guard::None && is_script(build.system) => {
            flags(subject, from, to, fix)
        }
        _ => None,
    }
}

/// Systems in whose files a command line stands as a shell reads it.
fn is_script(system: System) -> bool {
    matches!(
        system,
        System::Shell
            | System::GithubActions
            | System::GitlabCi
            | System::Buildkite
            | System::CircleCi
            | System::AzurePipelines
            | System::Make
            | System::Just
    )
}

/// Whether all of `specs` stand in the build's own file.
fn own(subject: &Subject<'_>, specs: &[Written<CacheSpec>]) -> bool {
    specs.iter().all(|spec| {
        spec.path.as_deref().is_none_or(|path| *path == *subject.file.path) && !spec.span.is_empty()
    })
}

/// `cache-from` and `cache-to` under `with:` of a step.
fn inputs(subject: &Subject<'_>, from: &[String], to: &[String], mut fix: Fix) -> Option<Fix> {
    let build = subject.build;
    let text = &subject.file.text;
    let step = build.span.of(text);
    let start = build.span.start as usize;
    let path: &Arc<str> = &subject.file.path;
    // The line of `with:` and the indentation of what is below it.
    let mut at = 0usize;
    let mut with: Option<(usize, String)> = None;
    let mut lines = step.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        at += line.len();
        if line.trim_end().trim_start_matches(['-', ' ']) == "with:" {
            let next = lines.peek()?;
            let indent: String = next.chars().take_while(|c| *c == ' ').collect();
            with = Some((start + at, indent));
            break;
        }
    }
    let (insert, indent) = with?;
    let mut added = String::new();
    for (key, values, present) in [("cache-from", from, &build.cache_from), ("cache-to", to, &build.cache_to)]
    {
        if !own(subject, present) {
            return None;
        }
        let wanted = match values {
            [one] => one.clone(),
            _ => return None,
        };
        match input(text, build.span, key) {
            Some(span) => fix = fix.replace(path, span, wanted),
            None if present.is_empty() => added.push_str(&format!("{indent}{key}: {wanted}\n")),
            None => return None,
        }
    }
    if !added.is_empty() {
        fix = fix.insert(path, u32::try_from(insert).ok()?, added);
    }
    (!fix.edits.is_empty()).then_some(fix)
}

/// The value of an input in one line, in the step at `span`.
fn input(text: &str, span: Span, key: &str) -> Option<Span> {
    let mut at = span.start as usize;
    for line in span.of(text).split_inclusive('\n') {
        let trimmed = line.trim_start();
        if let Some(value) = trimmed.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) {
            let value = value.trim_end();
            let plain = value.trim_start();
            if plain.is_empty() || plain.starts_with(['|', '>', '&', '*', '[', '{']) || plain.contains(" #") {
                return None;
            }
            let end = at + line.trim_end().len();
            return Some(Span::new(end - plain.len(), end));
        }
        at += line.len();
    }
    None
}

/// `--cache-from` and `--cache-to` of a command line: those that are there are replaced; a command without gets them after
/// `build`.
fn flags(subject: &Subject<'_>, from: &[String], to: &[String], mut fix: Fix) -> Option<Fix> {
    let build = subject.build;
    let path: &Arc<str> = &subject.file.path;
    let text = &subject.file.text;
    let (import, export) = match build.front {
        Front::Buildctl => ("--import-cache", "--export-cache"),
        _ => ("--cache-from", "--cache-to"),
    };
    let mut added = String::new();
    for (flag, values, present) in
        [(import, from, build.cache_from.as_slice()), (export, to, build.cache_to.as_slice())]
    {
        if !own(subject, present) {
            return None;
        }
        match (values, present) {
            ([wanted], [there]) => {
                let raw = there.span.of(text);
                if !raw.starts_with("type=") || raw.contains(['"', '\'', '\n']) {
                    return None;
                }
                fix = fix.replace(path, there.span, bare_word(wanted)?);
            }
            ([wanted], []) => added.push_str(&format!(" {flag} {}", bare_word(wanted)?)),
            _ => return None,
        }
    }
    if !added.is_empty() {
        let command = build.span.of(text);
        let word = if build.front == Front::Buildctl { "buildctl build" } else { "buildx build" };
        let at = command.find(word)? + word.len();
        // Not inside another word, and only one such command.
        if command.matches(word).count() != 1 || !command.get(at..)?.starts_with([' ', '\t']) {
            return None;
        }
        fix = fix.insert(path, build.span.start + u32::try_from(at).ok()?, added);
    }
    (!fix.edits.is_empty()).then_some(fix)
}

/// A value that needs no quotes.
fn bare_word(value: &str) -> Option<String> {
    let word = snippet::shell_word(value);
    (word == value).then_some(word)
}
