//! The engine with rules made for the test: a failing one, and one that reports in a file that is no Dockerfile.
#![allow(clippy::unwrap_used, clippy::panic)]

use hitrate::engine::{Report, analyze_with, silence_guarded_panics};
use hitrate::project::Project;
use hitrate::rules::{Category, DockerfileCx, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use hitrate::settings::{ConfigFile, Flags, Settings};
use hitrate::source::Span;
use std::sync::Arc;

const fn meta(name: &'static str) -> Meta {
    let (category, severity) = (Category::Order, Severity::Warning);
    Meta { name, category, severity, default_on: true, fix: Fixable::Never, docs: "# x\n\nSays x.\n" }
}

struct Panics;
struct Says;
struct Yaml;

impl Rule for Panics {
    fn meta(&self) -> &'static Meta {
        static META: Meta = meta("panics");
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        out.report(Span::at(0), "before the panic");
        assert!(!cx.text().contains("alpine"), "no alpine\nplease");
    }
}

impl Rule for Says {
    fn meta(&self) -> &'static Meta {
        static META: Meta = meta("says");
        &META
    }

    fn check_dockerfile(&self, _: &DockerfileCx<'_>, out: &mut Sink) {
        out.report(Span::new(0, 4), "twice");
        out.report(Span::new(0, 4), "twice");
        out.report(Span::at(0), "once");
    }
}

impl Rule for Yaml {
    fn meta(&self) -> &'static Meta {
        static META: Meta = meta("yaml");
        &META
    }

    fn check_project(&self, _: &ProjectCx<'_>, out: &mut Sink) {
        for (start, end) in [(0, 5), (CI.find("two").unwrap(), CI.len())] {
            let place = Place { path: Arc::from(".github/workflows/ci.yml"), span: Span::new(start, end) };
            out.report_at(place, "here");
        }
    }
}

const CI: &str = "first: 1\n# hitrate: ignore[yaml] known\ntwo: 2\n";

fn analyze(files: &[(&str, &str)], rules: &[&'static dyn Rule], config: &str) -> Report {
    silence_guarded_panics();
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let file = ConfigFile::parse(config, "hitrate.toml", &["says", "panics", "order"]).unwrap();
    let settings =
        Settings::new(vec![(String::new(), "hitrate.toml".into(), file)], &Flags::default()).unwrap();
    analyze_with(&Project::in_memory(files), &settings, rules)
}

fn shown(report: &Report) -> Vec<String> {
    let show = |f: &hitrate::rules::Finding| format!("{}: {}: {}", f.place.path, f.rule, f.message);
    report.findings.iter().map(show).collect()
}

#[test]
fn a_panic_is_a_finding_that_names_the_rule_and_ends_nothing_else() {
    let files = [("a/Dockerfile", "FROM alpine\n"), ("b/Dockerfile", "FROM debian\n")];
    let report = analyze(&files, &[&Panics, &Says], "");
    assert_eq!(
        shown(&report),
        [
            "a/Dockerfile: internal-error: the rule `panics` failed here: no alpine",
            "a/Dockerfile: panics: before the panic",
            "a/Dockerfile: says: once",
            "a/Dockerfile: says: twice",
            "b/Dockerfile: panics: before the panic",
            "b/Dockerfile: says: once",
            "b/Dockerfile: says: twice",
        ]
    );
    assert_eq!((report.files, report.errors.len()), (2, 0));
}

#[test]
fn what_is_configured_holds_and_equal_findings_are_one() {
    let files = [("Dockerfile", "FROM alpine\n")];
    let report = analyze(
        &files,
        &[&Panics, &Says],
        "[rules]\nignore = [\"panics\"]\n[rules.severity]\nsays = \"error\"\n",
    );
    assert_eq!(shown(&report), ["Dockerfile: says: once", "Dockerfile: says: twice"]);
    assert_eq!(report.worst(), Some(Severity::Error));
    assert!(report.sources.contains_key("Dockerfile"));
}

#[test]
fn comments_suppress_in_every_file_that_has_them() {
    let report = analyze(&[(".github/workflows/ci.yml", CI)], &[&Yaml], "");
    assert_eq!(shown(&report), [".github/workflows/ci.yml: yaml: here"]);
    assert_eq!(report.findings[0].place.span.start, 0);
}
