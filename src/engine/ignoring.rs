//! Edits that suppress a finding.

use crate::builds::System;
use crate::context::path;
use crate::dockerfile::{self, ItemKind};
use crate::fix::Fix;
use crate::project::{FileKind, classify};
use crate::rules::{Finding, internal_error, unused_suppression};
use crate::settings::{Reach, Suppression};
use crate::source::{SourceFile, Span};

/// The edit that writes a comment which suppresses `finding` in `file`, or adds its rule to one that is there. `None` where no
/// comment can stand, or none would reach it.
#[must_use]
pub fn ignoring(file: &SourceFile, is_dockerfile: bool, finding: &Finding, reach: Reach) -> Option<Fix> {
    if [internal_error::META.name, unused_suppression::META.name].contains(&finding.rule) {
        return None;
    }
    let place = match (is_dockerfile, reach) {
        (true, Reach::Next) => above_instruction(file, finding.place.span)?,
        (true, Reach::File) => at_top_of_dockerfile(file),
        (false, Reach::Next) => above_line(file, finding.place.span)?,
        (false, Reach::File) => at_top(file)?,
    };
    let rule = finding.rule;
    let title = match (reach, is_dockerfile) {
        (Reach::Next, true) => format!("ignore `{rule}` for this instruction"),
        (Reach::Next, false) => format!("ignore `{rule}` in this line"),
        (Reach::File, _) => format!("ignore `{rule}` in this file"),
    };
    let fix = Fix::safe(title);
    Some(match place {
        Place::List(end) => fix.insert(&file.path, end, format!(", {rule}")),
        Place::Line { at, indent, sign } => {
            let word = if reach == Reach::File { "ignore-file" } else { "ignore" };
            let end = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
            fix.insert(&file.path, at, format!("{indent}{sign} hitrate: {word}[{rule}]{end}"))
        }
    })
}

/// Where to write.
enum Place<'t> {
    /// At the end of the list of a comment that is there.
    List(u32),
    /// As a line of its own before the one that starts there.
    Line { at: u32, indent: &'t str, sign: &'static str },
}

/// The end of the list of the comment at `span`, if that is a suppression of this reach.
fn list(text: &str, span: Span, reach: Reach) -> Option<Place<'static>> {
    let comment = span.of(text);
    let start = span.start as usize + (comment.len() - comment.trim_start().len());
    let comment = Suppression::parse(text, Span::new(start, (start + comment.trim().len()).max(start)))?;
    let last = comment.rules.last().filter(|_| comment.reach == reach)?;
    Some(Place::List(last.span.end))
}

fn indent(line: &str) -> &str {
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or("")
}

fn above_instruction(file: &SourceFile, span: Span) -> Option<Place<'_>> {
    let text = &file.text;
    let syntax = dockerfile::parse(text);
    let holds = |item: Span| item.start <= span.start && span.start < item.end.max(item.start + 1);
    let index = syntax.items.iter().position(|item| holds(item.span))?;
    let item = syntax.items.get(index)?;
    if !matches!(item.kind, ItemKind::Instruction(_) | ItemKind::Error(_)) {
        return None;
    }
    let above = syntax.items.get(..index)?.iter().rev();
    let comments = above.take_while(|item| matches!(item.kind, ItemKind::Comment));
    let known = comments.filter_map(|item| list(text, item.span, Reach::Next)).next();
    let indent = indent(item.span.of(text));
    Some(known.unwrap_or(Place::Line { at: item.span.start, indent, sign: "#" }))
}

/// Behind the parser directives, which must stand first.
fn at_top_of_dockerfile(file: &SourceFile) -> Place<'_> {
    let text = &file.text;
    let syntax = dockerfile::parse(text);
    let leading = syntax.items.iter().take_while(|item| {
        matches!(item.kind, ItemKind::Bom | ItemKind::Blank | ItemKind::Comment | ItemKind::Directive)
    });
    let mut at = 0;
    for item in leading {
        match item.kind {
            ItemKind::Comment => {
                if let Some(list) = list(text, item.span, Reach::File) {
                    return list;
                }
            }
            ItemKind::Bom | ItemKind::Directive => at = item.span.end,
            _ => {}
        }
    }
    Place::Line { at, indent: "", sign: "#" }
}

/// The sign that begins a comment; `None` where there are none.
fn sign(file: &SourceFile) -> Option<&'static str> {
    let json = path::base(&file.path).to_ascii_lowercase().ends_with(".json");
    match classify(&file.path) {
        Some(FileKind::Build(System::Devcontainer | System::Jenkins)) => Some("//"),
        _ if json => None,
        _ => Some("#"),
    }
}

fn above_line(file: &SourceFile, span: Span) -> Option<Place<'_>> {
    let sign = sign(file)?;
    let number = file.line(span.start);
    let line = file.line_text(number);
    let above = number.checked_sub(1).filter(|above| *above > 0);
    let previous = above.map_or("", |above| file.line_text(above));
    if previous.trim_end().ends_with('\\') || in_block_scalar(file, number) {
        return None;
    }
    let starts = |line: u32| file.lines().start(line);
    if let Some(above) = above {
        let known = list(&file.text, Span { start: starts(above), end: starts(number) }, Reach::Next);
        if known.is_some() && previous.trim_start().starts_with(sign) {
            return known;
        }
    }
    Some(Place::Line { at: starts(number), indent: indent(line), sign })
}

/// Whether the line is inside a block scalar of YAML where a comment would be text: any but a script of a workflow.
fn in_block_scalar(file: &SourceFile, number: u32) -> bool {
    let name = path::base(&file.path).to_ascii_lowercase();
    if !name.ends_with(".yml") && !name.ends_with(".yaml") {
        return false;
    }
    let mut width = indent(file.line_text(number)).len();
    for above in (1..number).rev() {
        let line = file.line_text(above);
        let own = indent(line).len();
        if line.trim().is_empty() || own >= width {
            continue;
        }
        width = own;
        let header =
            line.trim_end().trim_end_matches(['+', '-']).trim_end_matches(|c: char| c.is_ascii_digit());
        if header.ends_with(['|', '>']) {
            return !line.trim_start().trim_start_matches("- ").starts_with("run:");
        }
    }
    false
}

fn at_top(file: &SourceFile) -> Option<Place<'_>> {
    let sign = sign(file)?;
    let starts = |line: u32| file.lines().start(line);
    for number in 1..=file.lines().count() {
        let line = file.line_text(number).trim_start();
        if !line.is_empty() && !line.starts_with('#') && !line.starts_with("//") {
            break;
        }
        let span = Span { start: starts(number), end: starts(number.saturating_add(1)) };
        if let Some(list) = list(&file.text, span, Reach::File) {
            return Some(list);
        }
    }
    let script = file.text.starts_with("#!");
    Some(Place::Line { at: if script { starts(2) } else { 0 }, indent: "", sign })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Category, Place as At, Severity};

    /// The text with `rule` ignored where `needle` stands.
    fn ignored(path: &str, text: &str, needle: &str, reach: Reach) -> Option<String> {
        let file = SourceFile::new(path, text);
        let start = text.find(needle).unwrap();
        let finding = Finding {
            rule: "rule",
            category: Category::Export,
            severity: Severity::Warning,
            message: String::new(),
            help: String::new(),
            place: At { path: file.path.clone(), span: Span::new(start, start + needle.len()) },
            causes: Vec::new(),
            fix: None,
        };
        let fix = ignoring(&file, false, &finding, reach)?;
        let edits: Vec<_> = fix.edits.into_iter().map(|(_, edit)| edit).collect();
        Some(crate::fix::apply(text, &edits))
    }

    #[test]
    fn a_line_is_ignored_by_one_above_it() {
        let here = |path, text, needle| ignored(path, text, needle, Reach::Next);
        let text = "steps:\r\n  - uses: x\r\n    with:\r\n";
        let after = "steps:\r\n  # hitrate: ignore[rule]\r\n  - uses: x\r\n    with:\r\n";
        assert_eq!(here("ci.yml", text, "uses: x").as_deref(), Some(after));
        let text = "a = 1\n# hitrate: ignore[other]\nb = 2\n";
        let after = "a = 1\n# hitrate: ignore[other, rule]\nb = 2\n";
        assert_eq!(here("docker-bake.hcl", text, "b = 2").as_deref(), Some(after));
        let jenkins = "  sh 'docker build .'\n";
        let after = "  // hitrate: ignore[rule]\n  sh 'docker build .'\n";
        assert_eq!(here("Jenkinsfile", jenkins, "docker").as_deref(), Some(after));
    }

    #[test]
    fn a_comment_that_would_be_text_is_not_offered() {
        let here = |path, text, needle| ignored(path, text, needle, Reach::Next);
        assert_eq!(here("docker-bake.json", "{\n\"a\": 1\n}", "1"), None);
        assert_eq!(here("build.sh", "docker build \\\n  --cache-to x .\n", "--cache-to"), None);
        let list = "with:\n  cache-to: |\n    type=gha,mode=min\n";
        assert_eq!(here("ci.yml", list, "type=gha"), None);
        let script = "- run: |\n    docker build .\n    docker push\n";
        let after = "- run: |\n    docker build .\n    # hitrate: ignore[rule]\n    docker push\n";
        assert_eq!(here("ci.yml", script, "docker push").as_deref(), Some(after));
    }

    #[test]
    fn a_file_is_ignored_at_its_top() {
        let all = |path, text| ignored(path, text, "x", Reach::File);
        let after = "#!/bin/sh\n# hitrate: ignore-file[rule]\nx\n";
        assert_eq!(all("build.sh", "#!/bin/sh\nx\n").as_deref(), Some(after));
        let after = "# why\n\n# hitrate: ignore-file[a, rule]\nx: 1\n";
        assert_eq!(all("ci.yml", "# why\n\n# hitrate: ignore-file[a]\nx: 1\n").as_deref(), Some(after));
        assert_eq!(all("daemon.json", "{\"x\": 1}"), None);
    }
}
