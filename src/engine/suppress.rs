//! Leaving out what a comment suppresses, and reporting the comments that suppress nothing.

use crate::dockerfile::{Dockerfile, ItemKind};
use crate::fix::Fix;
use crate::rules::{Finding, Rule, Sink, internal_error, unused_suppression};
use crate::settings::{NamedRule, Reach, Settings, Suppression};
use crate::source::{SourceFile, Span, nearest};
use std::collections::BTreeMap;

/// A suppression with the bytes that it covers; `None` where it covers nothing.
pub(super) struct Placed<'a> {
    comment: Suppression<'a>,
    covers: Option<Span>,
    used: Vec<bool>,
}

/// Removes the suppressed findings and adds those about comments that suppress nothing. `comments` are those of each file
/// that has any.
pub(super) fn apply(
    findings: &mut Vec<Finding>,
    comments: Vec<(&SourceFile, Vec<Placed<'_>>)>,
    settings: &Settings,
    rules: &[&'static dyn Rule],
) {
    if comments.is_empty() {
        return;
    }
    let mut files: BTreeMap<&str, (&SourceFile, Vec<Placed<'_>>)> =
        comments.into_iter().map(|(file, comments)| (&*file.path, (file, comments))).collect();
    findings.retain(|finding| {
        let Some((_, comments)) = files.get_mut(&*finding.place.path) else { return true };
        !is_suppressed(finding, comments)
    });
    for (path, (file, comments)) in &mut files {
        let reports = |name: &str| rules.iter().map(|rule| rule.meta()).find(|meta| meta.name == name);
        let runs = |name: &str| {
            reports(name).is_some_and(|meta| {
                settings.at(path).severity(path, name, meta.category.name(), meta.default_on).is_some()
            })
        };
        let meta = &unused_suppression::META;
        if !runs(meta.name) {
            continue;
        }
        let mut sink = Sink::new(meta, file.path.clone());
        for placed in comments.iter() {
            for (rule, used) in placed.comment.rules.iter().zip(&placed.used) {
                let known = reports(rule.name).is_some();
                if *used || rule.name == meta.name || (known && !runs(rule.name)) {
                    continue;
                }
                report(&mut sink, file, placed, *rule, known, rules);
            }
        }
        let mut unused = sink.into_findings();
        super::configure(&mut unused, settings, rules);
        unused.retain(|finding| !is_suppressed(finding, comments));
        findings.extend(unused);
    }
}

fn is_suppressed(finding: &Finding, comments: &mut [Placed<'_>]) -> bool {
    if finding.rule == internal_error::META.name {
        return false;
    }
    let mut suppressed = false;
    for placed in comments {
        let span = finding.place.span;
        let covered = placed.covers.is_some_and(|covers| {
            (span.start < covers.end && covers.start <= span.start) || span.contains(covers)
        });
        // A finding about the comment itself is no finding about what stands below it.
        let own = finding.rule == unused_suppression::META.name && placed.comment.span.contains(span);
        if !covered && !own {
            continue;
        }
        for (rule, used) in placed.comment.rules.iter().zip(&mut placed.used) {
            if rule.name == finding.rule {
                *used = true;
                suppressed = true;
            }
        }
    }
    suppressed
}

/// The comments of a Dockerfile: a line of its own before an instruction or inside it, or, for a whole file, anywhere
/// before the first instruction.
pub(super) fn in_dockerfile<'a>(source: &'a str, syntax: &Dockerfile<'_>) -> Vec<Placed<'a>> {
    if !mentions(source) {
        return Vec::new();
    }
    let whole = Span::new(0, source.len() + 1);
    let mut placed: Vec<Placed<'a>> = Vec::new();
    let mut waiting: Vec<usize> = Vec::new();
    let mut leading = true;
    for item in &syntax.items {
        match &item.kind {
            ItemKind::Comment => {
                if let Some(comment) = Suppression::parse(source, trim(source, item.span)) {
                    let covers = (comment.reach == Reach::File && leading).then_some(whole);
                    if comment.reach == Reach::Next {
                        waiting.push(placed.len());
                    }
                    placed.push(Placed::new(comment, covers));
                }
            }
            ItemKind::Instruction(_) | ItemKind::Error(_) => {
                leading = false;
                for index in waiting.drain(..) {
                    if let Some(placed) = placed.get_mut(index) {
                        placed.covers = Some(item.span);
                    }
                }
                if let ItemKind::Instruction(instruction) = &item.kind {
                    let inside = instruction.comments.iter();
                    let comments = inside.filter_map(|span| Suppression::parse(source, trim(source, *span)));
                    for comment in comments {
                        let covers = (comment.reach == Reach::Next).then_some(item.span);
                        placed.push(Placed::new(comment, covers));
                    }
                }
            }
            ItemKind::Blank => waiting.clear(),
            ItemKind::Bom | ItemKind::Directive => {}
        }
    }
    placed
}

/// The comments of any other text that has them (`#`, `//`): on a line of its own before what it is about, at the end of
/// that line, or, for a whole file, before the first line that is no comment.
pub(super) fn in_text(source: &str) -> Vec<Placed<'_>> {
    if !mentions(source) {
        return Vec::new();
    }
    let whole = Span::new(0, source.len() + 1);
    let mut placed: Vec<Placed<'_>> = Vec::new();
    let mut waiting: Vec<usize> = Vec::new();
    let mut leading = true;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let span = Span::new(at, at + line.len());
        at += line.len();
        let text = line.trim_start();
        let is_comment = text.starts_with('#') || text.starts_with("//");
        let sign = line.find("hitrate:").and_then(|found| {
            let before = line.get(..found)?.trim_end();
            let sign = if before.ends_with('#') { "#" } else { "//" };
            before.strip_suffix(sign).map(str::len)
        });
        let comment = sign.and_then(|sign| {
            Suppression::parse(source, trim(source, Span::new(span.start as usize + sign, span.end as usize)))
        });
        if let Some(comment) = comment {
            let covers = match (comment.reach, is_comment) {
                (Reach::File, _) => leading.then_some(whole),
                (Reach::Next, false) => Some(span),
                (Reach::Next, true) => {
                    waiting.push(placed.len());
                    None
                }
            };
            placed.push(Placed::new(comment, covers));
        }
        if is_comment {
            continue;
        }
        if text.is_empty() {
            waiting.clear();
            continue;
        }
        leading = false;
        for index in waiting.drain(..) {
            if let Some(placed) = placed.get_mut(index) {
                placed.covers = Some(span);
            }
        }
    }
    placed
}

/// Few files do, and the others are not read line by line.
pub(super) fn mentions(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"hitrate:").is_some()
}

fn trim(source: &str, span: Span) -> Span {
    let text = span.of(source);
    let start = span.start as usize + (text.len() - text.trim_start().len());
    Span::new(start, (start + text.trim().len()).max(start))
}

impl<'a> Placed<'a> {
    fn new(comment: Suppression<'a>, covers: Option<Span>) -> Self {
        let used = vec![false; comment.rules.len()];
        Self { comment, covers, used }
    }
}

fn report(
    sink: &mut Sink,
    file: &SourceFile,
    placed: &Placed<'_>,
    rule: NamedRule<'_>,
    known: bool,
    rules: &[&'static dyn Rule],
) {
    let name = rule.name;
    if !known {
        let near = nearest(name, rules.iter().map(|rule| rule.meta().name));
        let message = format!("there is no rule `{name}` to suppress");
        match near {
            Some(near) => sink
                .report(rule.span, message)
                .help(format!("write `{near}`"))
                .fix(Fix::safe(format!("write `{near}`")).replace(&file.path, rule.span, near)),
            None => sink
                .report(rule.span, message)
                .help("`hitrate rule` lists the rules")
                .fix(removal(file, placed, rule)),
        };
        return;
    }
    let message = match (placed.comment.reach, placed.covers) {
        (Reach::File, None) => {
            format!("`{name}` is suppressed below the first instruction, where it has no effect")
        }
        (Reach::Next, None) => format!("`{name}` is suppressed above an empty line, where it has no effect"),
        (Reach::File, Some(_)) => {
            format!("`{name}` is suppressed, but nothing in this file is reported by it")
        }
        (Reach::Next, Some(_)) => format!("`{name}` is suppressed, but nothing here is reported by it"),
    };
    sink.report(rule.span, message)
        .help("remove it, so that it does not hide what may come later")
        .fix(removal(file, placed, rule));
}

/// Removes the name, and the whole comment when it is the only one.
fn removal(file: &SourceFile, placed: &Placed<'_>, rule: NamedRule<'_>) -> Fix {
    let source = &file.text;
    let comment = &placed.comment;
    if let [_] = comment.rules.as_slice() {
        let start = comment.span.start as usize;
        let line = source.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let before = source.get(line..start).unwrap_or("");
        let end = comment.span.end as usize;
        let span = if before.trim().is_empty() {
            let rest = source.get(end..).unwrap_or("");
            Span::new(line, end + rest.find('\n').map_or(rest.len(), |newline| newline + 1))
        } else {
            Span::new(line + before.trim_end().len(), end)
        };
        return Fix::safe("remove the comment").delete(&file.path, span);
    }
    let index = comment.rules.iter().position(|other| other.span == rule.span).unwrap_or(0);
    let (before, after) =
        (index.checked_sub(1).and_then(|i| comment.rules.get(i)), comment.rules.get(index + 1));
    let span = match (before, after) {
        (Some(before), _) => Span { start: before.span.end, end: rule.span.end },
        (None, Some(after)) => Span { start: rule.span.start, end: after.span.start },
        (None, None) => rule.span,
    };
    Fix::safe(format!("remove `{}` from the comment", rule.name)).delete(&file.path, span)
}
