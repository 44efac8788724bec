//! Runs the examples on the rules' pages. `rules/README.md` tells what is tested.

#![allow(clippy::expect_used)] // this whole crate is a test

#[path = "rules/page.rs"]
mod page;
#[path = "rules/variants.rs"]
mod variants;

use hitrate::engine::{self, Report};
use hitrate::fix::{self, Safety, Texts};
use hitrate::project::{FileKind, Project, classify};
use hitrate::rules::{self, Category, Finding, Fix, Fixable, Meta};
use hitrate::settings::{ConfigFile, FILE_NAME, Flags, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use page::{Example, Expect};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Files = BTreeMap<String, String>;

fn main() {
    let arguments = Arguments::from_args();
    engine::silence_guarded_panics();
    let mut trials =
        vec![Trial::test("every rule has its file, its page and its place in the registry", registry)];
    for rule in rules::ALL {
        let meta = rule.meta();
        trials.push(Trial::test(format!("{}: form of the page", meta.name), || form(meta)));
        for example in page::examples(meta.docs).unwrap_or_default() {
            let name = format!("{}: example in line {}", meta.name, example.line);
            trials.push(Trial::test(name, move || check(meta, &example).map_err(Failed::from)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn registry() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stems = |dir: &str, suffix: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root.join(dir)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
        names.filter_map(|name| Some(name.strip_suffix(suffix)?.replace('_', "-"))).collect()
    };
    let mut sources = stems("src/rules", ".rs");
    sources.remove("mod");
    let mut pages = stems("rules", ".md");
    pages.remove("README");
    let registered: Vec<&str> = rules::names().collect();
    let mut sorted = registered.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if registered != sorted {
        return Err("`rules::ALL` is not sorted by name, or names a rule twice".into());
    }
    let registered: BTreeSet<String> = registered.into_iter().map(str::to_owned).collect();
    for (what, have) in [("a file in src/rules", &sources), ("a page in rules", &pages)] {
        if let Some(name) = registered.difference(have).next() {
            return Err(format!("the rule `{name}` is without {what}").into());
        }
        if let Some(name) = have.difference(&registered).next() {
            return Err(format!("`{name}` has {what}, but no entry in `rules::ALL`").into());
        }
    }
    Ok(())
}

fn form(meta: &'static Meta) -> Result<(), Failed> {
    page::check_form(meta.name, meta.docs)?;
    let examples = page::examples(meta.docs)?;
    let bad: Vec<&Example> =
        examples.iter().filter(|e| matches!(e.expect, Expect::Findings { .. })).collect();
    // What the engine says of itself cannot be shown.
    if meta.name == "internal-error" {
        return Ok(());
    }
    if bad.is_empty() || bad.len() == examples.len() {
        return Err("the page needs a bad and a good example at least".into());
    }
    let fixed = bad.iter().filter(|example| example.fixed.is_some()).count();
    match meta.fix {
        Fixable::Never if fixed > 0 => {
            Err("the rule says that it never has a fix; an example shows one".into())
        }
        Fixable::Sometimes(_) if fixed == 0 => {
            Err("no example shows the fix that the rule sometimes has".into())
        }
        Fixable::Always(_) if fixed < bad.len() => {
            Err("the rule says that it always has a fix; an example has none".into())
        }
        _ => Ok(()),
    }
}

fn check(meta: &'static Meta, example: &Example) -> Result<(), String> {
    let report = analyze(&example.files);
    expect(meta, example, &report, 0)?;
    fixes(meta, example, &report)?;
    let text = &example.files[&example.path];
    let dockerfile = classify(&example.path) == Some(FileKind::Dockerfile);
    if dockerfile {
        let variant = with(&example.files, &example.path, variants::crlf(text));
        expect(meta, example, &analyze(&variant), 0).map_err(|e| format!("with CRLF line ends: {e}"))?;
        if let Some(fixed) = &example.fixed {
            let fixed = fixed.get(&example.path).map(|fixed| variants::crlf(fixed));
            let (after, _) = mend(meta, &variant);
            if fixed.is_some() && after.get(&example.path) != fixed.as_ref() {
                let after = after.get(&example.path).cloned().unwrap_or_default();
                return Err(differ("with CRLF line ends, the fix", &fixed.unwrap_or_default(), &after));
            }
        }
        if let Some(variant) = variants::backtick(text) {
            let variant = with(&example.files, &example.path, variant);
            expect(meta, example, &analyze(&variant), 1).map_err(|e| format!("with escape=`: {e}"))?;
        }
    }
    Ok(())
}

/// Whether the rule reports what it has to, `shift` lines further down.
fn expect(meta: &Meta, example: &Example, report: &Report, shift: u32) -> Result<(), String> {
    if let Some(failed) = report.findings.iter().find(|finding| finding.rule == "internal-error") {
        return Err(failed.message.clone());
    }
    if let Some(error) = report.errors.first() {
        return Err(format!("{}: {}", error.path, error.message));
    }
    let own: Vec<&Finding> = report.findings.iter().filter(|finding| finding.rule == meta.name).collect();
    let line = |finding: &Finding| {
        report.sources.get(&finding.place.path).map_or(1, |f| f.line(finding.place.span.start))
    };
    let found: Vec<(String, u32)> = own.iter().map(|f| (f.place.path.to_string(), line(f))).collect();
    let (lines, severity) = match &example.expect {
        Expect::Silence => (Vec::new(), None),
        Expect::Findings { lines, severity } => (lines.clone(), severity.clone()),
    };
    let wanted: Vec<(String, u32)> = lines.iter().map(|line| (example.path.clone(), line + shift)).collect();
    if found != wanted {
        let messages: Vec<String> =
            own.iter().map(|f| format!("\n  {}:{}: {}", f.place.path, line(f), f.message)).collect();
        return Err(format!(
            "expected findings at {wanted:?}, got {}",
            if messages.is_empty() { "none".into() } else { messages.concat() }
        ));
    }
    for finding in own {
        let severity = severity.as_deref().unwrap_or(meta.severity.name());
        if finding.severity.name() != severity {
            return Err(format!("severity is {}, expected {severity}", finding.severity.name()));
        }
        prose(finding)?;
    }
    Ok(())
}

/// Whether what is said can be read.
fn prose(finding: &Finding) -> Result<(), String> {
    let causes = finding.causes.iter().map(|cause| &cause.message);
    let fix = finding.fix.iter().map(|fix| &fix.title);
    for text in std::iter::once(&finding.message).chain([&finding.help]).chain(causes).chain(fix) {
        if text.trim().is_empty() {
            return Err("message, help, cause or title is empty".to_owned());
        }
        if text.ends_with('.') || text.contains('\n') || text.chars().next().is_some_and(char::is_whitespace)
        {
            return Err(format!("not one sentence without a full stop: {text:?}"));
        }
    }
    if finding.message.chars().count() > 160 {
        return Err(format!("a message of more than 160 characters: {:?}", finding.message));
    }
    Ok(())
}

fn fixes(meta: &'static Meta, example: &Example, before: &Report) -> Result<(), String> {
    let own = before.findings.iter().filter(|finding| finding.rule == meta.name);
    let fixes: Vec<Option<&Fix>> = own.map(|finding| finding.fix.as_ref()).collect();
    match meta.fix {
        Fixable::Never if fixes.iter().any(Option::is_some) => {
            return Err("has a fix; the rule says never".into());
        }
        Fixable::Always(_) if fixes.iter().any(Option::is_none) => {
            return Err("has no fix; the rule says always".into());
        }
        Fixable::Sometimes(most) | Fixable::Always(most) => {
            if let Some(fix) = fixes.iter().flatten().find(|fix| fix.safety > most) {
                return Err(format!(
                    "the fix is {}; the rule says at most {}",
                    fix.safety.name(),
                    most.name()
                ));
            }
        }
        _ => {}
    }
    let Some(fixed) = &example.fixed else {
        return match fixes.iter().any(Option::is_some) {
            true => Err("there is a fix, but no `fixed` fence that shows it".to_owned()),
            false => Ok(()),
        };
    };
    let (after, converged) = mend(meta, &example.files);
    if !converged {
        return Err("applying the fixes does not come to an end".to_owned());
    }
    for (path, wanted) in fixed {
        let got = after.get(path).cloned().unwrap_or_default();
        if &got != wanted {
            return Err(differ(&format!("the fix of {path}"), wanted, &got));
        }
    }
    if let Some(path) =
        after.keys().find(|path| !fixed.contains_key(*path) && after.get(*path) != example.files.get(*path))
    {
        return Err(format!("the fix changes {path}, which no `fixed` fence shows"));
    }
    let report = analyze(&after);
    let left =
        report.findings.iter().filter(|finding| finding.rule == meta.name && finding.fix.is_some()).count();
    if left > 0 {
        return Err(format!("after the fixes, {left} findings with a fix are left"));
    }
    let count =
        |report: &Report, rule: &str| report.findings.iter().filter(|finding| finding.rule == rule).count();
    for finding in &report.findings {
        if count(&report, finding.rule) > count(before, finding.rule) {
            return Err(format!("the fix raises {}: {}", finding.rule, finding.message));
        }
    }
    if meta.category == Category::Hitrate {
        return Ok(()); // what is mended is a comment
    }
    for (path, text) in &example.files {
        for comment in comments(path, text) {
            if !after.get(path).is_some_and(|after| after.contains(comment.trim())) {
                return Err(format!("the fix loses the comment {comment:?}"));
            }
        }
    }
    Ok(())
}

fn comments<'t>(path: &str, text: &'t str) -> Vec<&'t str> {
    if classify(path) != Some(FileKind::Dockerfile) {
        return text.lines().filter(|line| line.trim_start().starts_with('#')).collect();
    }
    let parsed = hitrate::dockerfile::parse(text);
    let outside =
        parsed.items.iter().filter(|item| matches!(item.kind, hitrate::dockerfile::ItemKind::Comment));
    let inside = parsed.instructions().flat_map(|instruction| &instruction.comments);
    outside.map(|item| item.span).chain(inside.copied()).map(|span| span.of(text)).collect()
}

/// The files after this rule's fixes, unsafe ones too, and whether that came to an end.
fn mend(meta: &'static Meta, files: &Files) -> (Files, bool) {
    let outcome = fix::run(
        |path| files.get(path).cloned(),
        Safety::Unsafe,
        |changed: &Texts| {
            let report = analyze(&overlay(files, changed));
            let own = report.findings.into_iter().filter(|finding| finding.rule == meta.name);
            own.filter_map(|finding| finding.fix).collect()
        },
    );
    (overlay(files, &outcome.changed), outcome.converged)
}

fn overlay(files: &Files, changed: &Texts) -> Files {
    let mut files = files.clone();
    files.extend(changed.iter().map(|(path, text)| (path.to_string(), text.clone())));
    files
}

fn with(files: &Files, path: &str, text: String) -> Files {
    let mut files = files.clone();
    files.insert(path.to_owned(), text);
    files
}

fn differ(what: &str, wanted: &str, got: &str) -> String {
    format!("{what} is not what the page shows\n{}", hitrate::report::unified("page", Some(wanted), got))
}

fn analyze(files: &Files) -> Report {
    let project = Project::in_memory(files.clone());
    engine::analyze(&project, &settings(files))
}

/// Every rule runs here, those that are off by default too, unless the example has a configuration.
fn settings(files: &Files) -> Settings {
    let selectors: Vec<&str> = rules::selectors().collect();
    let text = files.get(FILE_NAME).map_or("[rules]\nselect = [\"all\"]\n", String::as_str);
    let file = ConfigFile::parse(text, FILE_NAME, &selectors).expect("a configuration that can be read");
    Settings::new(vec![(String::new(), FILE_NAME.to_owned(), file)], &Flags::default()).expect("settings")
}
