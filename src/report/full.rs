//! `full`: the source with the causes marked in it, the help, and the suggested edit, for people.

use super::View;
use super::color::{paint, plain};
use super::diff;
use crate::engine::Report;
use crate::fix::{Safety, apply};
use crate::rules::{Finding, Fix, Place, Severity};
use crate::source::{Edit, SourceFile, Span};
use codespan_reporting::diagnostic::{self, Diagnostic, Label};
use codespan_reporting::files;
use codespan_reporting::term::{self, termcolor};
use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

/// ANSI styles by severity, as codespan-reporting has them.
pub(super) const SEVERITY_STYLES: [&str; 3] = ["1;92", "1;93", "1;91"];

/// Source lines longer than this are not shown: a minified script in a heredoc says nothing, and many findings in one
/// huge line must not print it many times.
const MAX_LINE: usize = 400;

/// Suggested edits that span more bytes than this are not shown: several of them must not print a huge file many times.
const MAX_DIFF: usize = 16 * 1024;

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    // Findings are sorted by path: each file is made printable once.
    let none = SourceFile::new("", "");
    let mut shown: Option<OneFile<'_>> = None;
    for finding in &view.report.findings {
        let path = &finding.place.path;
        let file = match shown.take() {
            Some(file) if file.file.path == *path => file,
            _ => OneFile::new(view, view.report.sources.get(path).map_or(&none, |file| file)),
        };
        write_finding(view, finding, &file, out)?;
        shown = Some(file);
    }
    writeln!(out, "{}", summary(view.report))
}

/// The closing line: how many findings of which severity, in how many files, and how many can be fixed.
pub(super) fn summary(report: &Report) -> String {
    let count =
        |severity: Severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let files = plural(report.files, "file");
    if report.findings.is_empty() {
        return format!("no findings in {files}");
    }
    let severities = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let counts: Vec<String> = severities
        .iter()
        .filter_map(|(severity, name)| {
            let n = count(*severity);
            // "info" has no plural.
            (n > 0).then(|| if *name == "info" { format!("{n} info") } else { plural(n, name) })
        })
        .collect();
    let fixable = |safety: Safety| {
        report.findings.iter().filter_map(|f| f.fix.as_ref()).filter(|fix| fix.safety == safety).count()
    };
    let fixes = match (fixable(Safety::Safe), fixable(Safety::Unsafe)) {
        (0, 0) => String::new(),
        (safe, 0) => format!("; `--fix` mends {safe}"),
        (0, risky) => format!("; `--unsafe-fixes` mends {risky}"),
        (safe, risky) => format!("; `--fix` mends {safe}, `--unsafe-fixes` {risky} more"),
    };
    format!("{} in {files} ({}){fixes}", plural(report.findings.len(), "finding"), counts.join(", "))
}

fn write_finding(
    view: &View<'_>,
    finding: &Finding,
    files: &OneFile<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let severity = match finding.severity {
        Severity::Error => diagnostic::Severity::Error,
        Severity::Warning => diagnostic::Severity::Warning,
        Severity::Info => diagnostic::Severity::Note,
    };
    let diagnostic = Diagnostic::new(severity).with_code(finding.rule).with_message(plain(&finding.message));
    let source = view.report.sources.get(&finding.place.path);
    let mut labels = Vec::new();
    let mut notes = Vec::new();
    match source.and_then(|file| shown_line(file, finding.place.span)) {
        Some(range) => labels.push(Label::primary((), range)),
        None => notes.push(format!("at {}", at(view, &finding.place))),
    }
    for cause in &finding.causes {
        let message = plain(&cause.message);
        let here = cause.place.as_ref().filter(|place| place.path == finding.place.path);
        let range = here.and_then(|place| source.and_then(|file| shown_line(file, place.span)));
        match (range, &cause.place) {
            (Some(range), _) if !labels.is_empty() => {
                labels.push(Label::secondary((), range).with_message(message))
            }
            (_, Some(place)) => notes.push(format!("{}: {message}", at(view, place))),
            (_, None) => notes.push(message.into_owned()),
        }
    }
    if !finding.help.is_empty() {
        notes.push(format!("help: {}", plain(&finding.help)));
    }
    let diagnostic = diagnostic.with_labels(labels).with_notes(notes);
    let config = term::Config::default();
    let text = if view.color {
        let mut buffer = termcolor::Ansi::new(Vec::new());
        let styles = term::Styles::default();
        let mut writer = term::StylesWriter::new(&mut buffer, &styles);
        term::emit_to_write_style(&mut writer, &config, files, &diagnostic)
            .ok()
            .and_then(|()| String::from_utf8(buffer.into_inner()).ok())
    } else {
        term::emit_into_string(&config, files, &diagnostic).ok()
    };
    let text = text.unwrap_or_else(|| format!("{}: {}\n", at(view, &finding.place), plain(&finding.message)));
    // codespan-reporting calls it a note; everything else of hitrate calls it info, and the name stands first.
    let text = if severity == diagnostic::Severity::Note { text.replacen("note", "info", 1) } else { text };
    out.write_all(text.trim_end_matches('\n').as_bytes())?;
    writeln!(out)?;
    if let Some(fix) = &finding.fix {
        write_fix(view, fix, out)?;
    }
    writeln!(out)
}

fn at(view: &View<'_>, place: &Place) -> String {
    let shown = view.shown(place);
    format!("{}:{}:{}", plain(&shown.path), shown.start.line, shown.start.column)
}

/// The part of `span` in its first line, which is what is marked; `None` where the line is too long to show.
fn shown_line(file: &SourceFile, span: Span) -> Option<Range<usize>> {
    let lines = file.lines();
    let line = lines.line(span.start);
    let text = file.line_text(line);
    let (start, end) = (lines.start(line) as usize, lines.start(line) as usize + text.len());
    let range = (span.start as usize).min(end)..(span.end as usize).min(end);
    let fits = text.len() <= MAX_LINE && range.start >= start && file.text.get(range.clone()).is_some();
    fits.then_some(range)
}

fn write_fix(view: &View<'_>, fix: &Fix, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  = fix ({}): {}", fix.safety.name(), plain(&fix.title))?;
    let mut paths: Vec<&str> = fix.edits.iter().map(|(path, _)| &**path).collect();
    paths.sort_unstable();
    paths.dedup();
    let several = paths.len() > 1;
    for path in paths {
        let edits: Vec<Edit> =
            fix.edits.iter().filter(|(other, _)| **other == *path).map(|(_, edit)| edit.clone()).collect();
        let source = view.report.sources.get(path);
        if several || source.is_none() {
            let new = if source.is_none() { " (new)" } else { "" };
            writeln!(out, "      {}{new}", plain(&(view.show)(path)))?;
        }
        // Only the lines that the edits touch are compared: the cost is that of the edit, not that of the file.
        let Some((old, new)) = touched(source.map_or("", |file| &file.text), edits) else {
            writeln!(out, "      …")?;
            continue;
        };
        for (sign, line) in diff::lines(&old, &new, 0) {
            let style = match sign {
                '-' => "31",
                '+' => "32",
                _ => "2",
            };
            let line: String = plain(&line).chars().take(MAX_LINE).collect();
            writeln!(out, "      {}", paint(view.color, style, format!("{sign} {line}").trim_end()))?;
        }
    }
    Ok(())
}

/// The whole lines from the first edit to the last, before and after; `None` where that is too much to show.
fn touched(text: &str, mut edits: Vec<Edit>) -> Option<(String, String)> {
    let first = edits.iter().map(|edit| edit.span.start).min()? as usize;
    let last = edits.iter().map(|edit| edit.span.end).max()? as usize;
    let inserted: usize = edits.iter().map(|edit| edit.text.len()).sum();
    if last.saturating_sub(first) + inserted > MAX_DIFF {
        return None;
    }
    // A line's end is not looked for any further than it would be shown.
    let bytes = text.as_bytes();
    let from = first.saturating_sub(MAX_DIFF);
    let start = match memchr::memrchr(b'\n', bytes.get(from..first)?) {
        Some(newline) => from + newline + 1,
        None if from == 0 => 0,
        None => return None,
    };
    let to = last.saturating_add(MAX_DIFF).min(bytes.len());
    let end = match memchr::memchr(b'\n', bytes.get(last..to)?) {
        Some(newline) => last + newline + 1,
        None if to == bytes.len() => to,
        None => return None,
    };
    for edit in &mut edits {
        edit.span = Span::new(edit.span.start as usize - start, edit.span.end as usize - start);
    }
    let old = text.get(start..end)?;
    Some((old.to_owned(), apply(old, &edits)))
}

/// One file, for codespan-reporting, with the line index that is there already.
struct OneFile<'a> {
    name: String,
    file: &'a SourceFile,
    text: Cow<'a, str>,
}

impl<'a> OneFile<'a> {
    fn new(view: &View<'_>, file: &'a SourceFile) -> Self {
        Self { name: plain(&(view.show)(&file.path)).into_owned(), file, text: printable(&file.text) }
    }
}

/// `text` with everything that a terminal would act on (control characters, changes of direction) replaced by something
/// of the same length in bytes.
fn printable(text: &str) -> Cow<'_, str> {
    let acts = |c: char| match c {
        '\n' | '\r' | '\t' => None,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some('\u{fffd}'),
        c if c.is_control() => Some(if c.len_utf8() == 1 { '?' } else { '·' }),
        _ => None,
    };
    match text.chars().any(|c| acts(c).is_some()) {
        true => Cow::Owned(text.chars().map(|c| acts(c).unwrap_or(c)).collect()),
        false => Cow::Borrowed(text),
    }
}

impl<'a> files::Files<'a> for OneFile<'a> {
    type FileId = ();
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<&'a str, files::Error> {
        Ok(&self.name)
    }

    fn source(&'a self, (): ()) -> Result<&'a str, files::Error> {
        Ok(&self.text)
    }

    fn line_index(&'a self, (): (), byte: usize) -> Result<usize, files::Error> {
        Ok(self.file.line(u32::try_from(byte).unwrap_or(u32::MAX)).saturating_sub(1) as usize)
    }

    fn line_range(&'a self, (): (), line: usize) -> Result<Range<usize>, files::Error> {
        let lines = self.file.lines();
        let line = u32::try_from(line).unwrap_or(u32::MAX - 1) + 1;
        Ok(lines.start(line) as usize..lines.start(line.saturating_add(1)) as usize)
    }
}
