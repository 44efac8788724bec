//! `dockerignore-ineffective`: a pattern of an ignore file that matches nothing it seems meant for, or a file that holds for
//! no build.

use super::words::{code, list};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Place, Rule, Safety, Severity, Sink};
use crate::builds::ContextSource;
use crate::context::{
    Context, DOCKERIGNORE, Ignore, IgnorePattern, Pattern, Usage, Variant, own_ignore_file, slashes,
};
use crate::source::{SourceFile, Span};
use std::sync::Arc;

static META: Meta = Meta {
    name: "dockerignore-ineffective",
    category: Category::Context,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/dockerignore-ineffective.md"),
};

/// See the page.
pub(super) struct DockerignoreIneffective;

/// Names that mean the same thing in every directory.
const ANYWHERE: &[&str] = &[
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".DS_Store",
    "Thumbs.db",
    ".venv",
    ".terraform",
    ".gradle",
    ".next",
    ".ipynb_checkpoints",
    "*.pyc",
    "*.pyo",
    "*.py[cod]",
    "*.class",
    "*.log",
    "*.swp",
    "*.tmp",
    "*.bak",
    "*.iml",
    "*.egg-info",
];

impl Rule for DockerignoreIneffective {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let git = |source: &ContextSource| matches!(source, ContextSource::Git { .. });
        let builds = &cx.facts.builds;
        if cx.is_foreign() || (!builds.is_empty() && builds.iter().all(|build| git(&build.context.value))) {
            return;
        }
        let (Some(context), Some(directory)) = (cx.model().context(), cx.facts.directory.as_deref()) else {
            return;
        };
        let shared = if directory.is_empty() {
            DOCKERIGNORE.to_owned()
        } else {
            format!("{directory}/{DOCKERIGNORE}")
        };
        let own = (cx.files)(&own_ignore_file(cx.path()));
        let replaced = own.as_ref().and_then(|_| (cx.files)(&shared));
        if let Some(file) = &replaced {
            replaced_by_all(cx, directory, file, out);
        }
        let Some(file) = own.or_else(|| (cx.files)(&shared)) else { return };
        if Ignore::parse(&file.text) != *context.ignore() {
            return;
        }
        let usage = context.usage();
        for (index, (entry, usage)) in context.ignore().patterns.iter().zip(&usage).enumerate() {
            let seen = Seen { cx, context, file: &file, index, entry, usage };
            let _ = seen.outside(out)
                || seen.comment(out)
                || seen.case(out)
                || seen.deeper(out)
                || seen.overridden(out);
        }
    }
}

/// A pattern at work.
struct Seen<'s, 'a> {
    cx: &'s DockerfileCx<'a>,
    context: &'s Context,
    file: &'s Arc<SourceFile>,
    index: usize,
    entry: &'s IgnorePattern,
    usage: &'s Usage,
}

/// Entries that are looked at for one pattern.
const MAX_MATCHES: usize = 2_000;

impl Seen<'_, '_> {
    fn text(&self) -> &str {
        self.entry.pattern.text()
    }

    fn span(&self) -> Span {
        self.entry.span
    }

    fn report(&self, out: &mut Sink, message: String, help: String, fix: Option<Fix>) {
        let place = Place { path: self.file.path.clone(), span: self.span() };
        out.report_at(place, message).help(help).fix(fix);
    }

    fn instead(&self, text: &str) -> Fix {
        let sign = if self.entry.pattern.negated() { "!" } else { "" };
        let title = format!("write {}", code(text, 40));
        Fix::needs_a_look(title).replace(&self.file.path, self.span(), format!("{sign}{text}"))
    }

    /// Entries that are sent and that `matches`, as far as some step takes them.
    fn sent(&self, matches: impl Fn(&str) -> bool) -> Vec<String> {
        self.sent_down_to(usize::MAX, matches)
    }

    /// The same among the paths of at most `deepest` slashes.
    fn sent_down_to(&self, deepest: usize, matches: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        self.context.visible().walk("", |file, _| {
            if found.len() < MAX_MATCHES && matches(file) {
                found.push(file.to_owned());
            }
            slashes(file) < deepest
        });
        let taken = |file: &String| {
            let mut steps = self.cx.graph().all_steps();
            steps.any(|(id, _)| self.cx.model().takes(id, file))
        };
        if found.iter().take(64).any(taken) { found } else { Vec::new() }
    }

    /// `../x`
    fn outside(&self, out: &mut Sink) -> bool {
        if self.text() != ".." && !self.text().starts_with("../") {
            return false;
        }
        let inside = self.entry.pattern.variant(Variant::InsideContext);
        let fits = |inside: &Pattern| {
            !inside.text().is_empty() && !self.sent(|file| inside.matches(file)).is_empty()
        };
        let inside = inside.filter(fits);
        let message = format!("{} leads out of the context, so it matches nothing", code(self.text(), 60));
        let help = match &inside {
            Some(inside) => format!("patterns start at the root of the context: {}", code(inside.text(), 60)),
            None => "patterns start at the root of the context, and nothing above it is ever sent".to_owned(),
        };
        self.report(out, message, help, inside.map(|inside| self.instead(inside.text())));
        true
    }

    /// `node_modules # made by npm`
    fn comment(&self, out: &mut Sink) -> bool {
        let text = self.span().of(&self.file.text);
        let Some((pattern, _)) = text.split_once(" #").filter(|_| self.usage.matches == 0) else {
            return false;
        };
        let pattern = pattern.trim();
        if pattern.is_empty() || pattern.contains('#') {
            return false;
        }
        let message =
            format!("a `#` starts a comment at the start of a line only: {} matches nothing", code(text, 40));
        let fix = Fix::needs_a_look("put the comment into a line of its own").replace(
            &self.file.path,
            self.span(),
            format!(
                "{}{}{pattern}",
                text.get(pattern.len()..).unwrap_or("").trim(),
                crate::fix::instructions::line_end(&self.file.text)
            ),
        );
        self.report(out, message, "put the comment into a line of its own".to_owned(), Some(fix));
        true
    }

    /// `dockerfile`
    fn case(&self, out: &mut Sink) -> bool {
        if self.usage.matches > 0
            || self.entry.pattern.negated()
            || crate::context::has_wildcards(self.text())
        {
            return false;
        }
        let wanted = self.text().to_lowercase();
        let is_same = |file: &str| match file.is_ascii() {
            true => file.eq_ignore_ascii_case(&wanted),
            false => file.to_lowercase() == wanted,
        };
        let found = self.sent_down_to(slashes(&wanted), is_same);
        let [only] = found.as_slice() else { return false };
        let message = format!(
            "{} matches nothing: what stands there is {}, and case counts",
            code(self.text(), 40),
            code(only, 40)
        );
        self.report(out, message, format!("write {}", code(only, 60)), Some(self.instead(only)));
        true
    }

    /// `__pycache__` for all of them
    fn deeper(&self, out: &mut Sink) -> bool {
        let text = self.text();
        if self.entry.pattern.negated() || !ANYWHERE.contains(&text) {
            return false;
        }
        let Some(anywhere) = self.entry.pattern.variant(Variant::Anywhere) else { return false };
        let found = self.sent(|file| anywhere.matches(file));
        let Some(first) = found.first() else { return false };
        let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
        let message = format!(
            "{} is only what stands at the root of the context: {}{more} {} sent",
            code(text, 30),
            code(first, 50),
            if found.len() > 1 { "are" } else { "is" }
        );
        let wanted = format!("**/{text}");
        let help = format!("write {} for all directories", code(&wanted, 40));
        self.report(out, message, help, Some(self.instead(&wanted)));
        true
    }

    /// A pattern of which a later one undoes everything.
    fn overridden(&self, out: &mut Sink) -> bool {
        if self.usage.matches == 0 || self.usage.decides > 0 {
            return false;
        }
        let ignore = self.context.ignore();
        let negated = self.entry.pattern.negated();
        let mut by: Option<usize> = None;
        let mut all = true;
        let mut count = 0;
        self.context.tree().walk("", |file, _| {
            if !all || count > MAX_MATCHES {
                return false;
            }
            if self.entry.pattern.matches(file) {
                count += 1;
                let decision = ignore.decide(file);
                let later =
                    decision.pattern.filter(|later| *later > self.index && decision.ignored == negated);
                let broad = later
                    .and_then(|later| ignore.patterns.get(later))
                    .is_some_and(|other| covers(&other.pattern, self.text(), file));
                all = broad;
                by = by.or(later);
            }
            true
        });
        let Some(other) = by.filter(|_| all).and_then(|by| ignore.patterns.get(by)) else { return false };
        let written = code(other.span.of(&self.file.text), 40);
        let message = match negated {
            false => format!("line {}, {written}, takes back all that this pattern leaves out", other.line),
            true => {
                format!("line {}, {written}, leaves out again all that this pattern takes back", other.line)
            }
        };
        let help = "the last pattern that matches decides: put this one below it".to_owned();
        self.report(out, message, help, self.below(other));
        true
    }

    /// The line moved below that of `other`.
    fn below(&self, other: &IgnorePattern) -> Option<Fix> {
        let text = &self.file.text;
        let line = |span: Span| {
            let start = text.get(..span.start as usize)?.rfind('\n').map_or(0, |at| at + 1);
            let end =
                text.get(span.end as usize..)?.find('\n').map_or(text.len(), |at| span.end as usize + at + 1);
            Some(Span::new(start, end))
        };
        let (own, after) = (line(self.span())?, line(other.span)?);
        let end = crate::fix::instructions::line_end(text);
        let moved = own.of(text).trim_end_matches(['\r', '\n']);
        let added =
            if after.of(text).ends_with('\n') { format!("{moved}{end}") } else { format!("{end}{moved}") };
        let fix = Fix::needs_a_look(format!("move it below line {}", other.line));
        Some(fix.delete(&self.file.path, own).insert(&self.file.path, after.end, added))
    }
}

/// Whether `pattern` decides on `file` as a part of something larger than what `text` speaks of: an exception for one file of
/// many is meant.
fn covers(pattern: &Pattern, text: &str, file: &str) -> bool {
    let above =
        || file.match_indices('/').filter_map(|(at, _)| file.get(..at)).any(|above| pattern.matches(above));
    matches!(pattern.text(), "*" | "**" | "." | "**/*")
        || pattern.text() == text
        || (!pattern.matches(file) && above())
}

/// A `.dockerignore` that no Dockerfile reads, since each has an ignore file of its own.
fn replaced_by_all(cx: &DockerfileCx<'_>, directory: &str, file: &Arc<SourceFile>, out: &mut Sink) {
    let mut readers = 0;
    let complete = cx.around.sharing(cx.path(), directory, &mut |_| readers += 1);
    let ignore = Ignore::parse(&file.text);
    let Some(first) = ignore.patterns.first().filter(|_| complete && readers == 0) else { return };
    let lost: Vec<String> =
        ignore.patterns.iter().take(3).map(|entry| code(entry.pattern.text(), 30)).collect();
    let place = Place { path: file.path.clone(), span: first.span };
    out.report_at(
        place,
        "no build reads this file: every Dockerfile of this context has an ignore file of its own beside it",
    )
    .help(format!("move what is to hold, such as {}, into those files, and remove this one", list(&lost)));
}
