//! `analyze`: pure and total. The same project and settings give the same report, in any number of threads.

mod explain;
mod explanation;
mod fingerprint;
mod guard;
mod place;
mod suppress;
mod touched;

pub use explain::{ExplainError, ExplainRequest, Since, explain};
pub use explanation::{ExplainedStep, Explanation, Reason};
pub use guard::{is_guarded, silence_guarded_panics};
pub use place::context_directory;
pub use touched::TouchedLines;

use crate::cache::Model;
use crate::dockerfile::{self, Dockerfile};
use crate::graph::Options;
use crate::project::{FileError, Project};
use crate::rules::{self, DockerfileCx, Facts, Finding, ProjectCx, Rule, Sink};
use crate::settings::Settings;
use crate::source::SourceFile;
use guard::{guarded, internal_error};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What an analysis came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted by path, place and rule; no two are equal.
    pub findings: Vec<Finding>,
    /// The files that could not be analyzed, sorted.
    pub errors: Vec<FileError>,
    /// How many files were analyzed.
    pub files: usize,
    /// The files that findings point into, by path.
    pub sources: BTreeMap<Arc<str>, Arc<SourceFile>>,
}

impl Report {
    /// The gravest severity found.
    #[must_use]
    pub fn worst(&self) -> Option<rules::Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Keeps the findings for which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.findings.retain(keep);
    }
}

/// Runs every rule that is configured to run on every file.
#[must_use]
pub fn analyze(project: &Project, settings: &Settings) -> Report {
    analyze_with(project, settings, rules::ALL)
}

/// [`analyze`] with other rules than [`rules::ALL`].
#[must_use]
pub fn analyze_with(project: &Project, settings: &Settings, rules: &[&'static dyn Rule]) -> Report {
    let mut errors = project.errors.clone();
    let lookup = |path: &str| project.text(path);
    let files: &(dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync) = &lookup;

    // A file at a time: what is known of it is dropped before the next, so that memory does not grow with their number.
    let looked = project.dockerfiles.par_iter().map(|file| {
        let text = file.text.as_str();
        let syntax = guarded(|| dockerfile::parse(text)).map_err(|panic| broken(file, &panic))?;
        let facts =
            guarded(|| facts_of(project, &file.path, &syntax)).map_err(|panic| broken(file, &panic))?;
        let settings = settings.at(&file.path);
        let cx = DockerfileCx { file, syntax: &syntax, settings, facts: &facts, files };
        Ok((check_dockerfile(&cx, rules), suppress::in_dockerfile(text, &syntax)))
    });
    let looked: Vec<Result<_, FileError>> = looked.collect();
    let mut findings: Vec<Finding> = Vec::new();
    let mut comments = Vec::new();
    for (file, result) in project.dockerfiles.iter().zip(looked) {
        match result {
            Ok((found, placed)) => {
                findings.extend(found);
                comments.extend((!placed.is_empty()).then_some((&**file, placed)));
            }
            Err(error) => errors.push(error),
        }
    }
    let others = project.others.iter().map(|file| (&**file, suppress::in_text(&file.text)));
    comments.extend(others.filter(|(_, placed)| !placed.is_empty()));

    // Those that a build is found for are looked at again, each when first asked for.
    let syntaxes: Vec<OnceLock<Option<Dockerfile<'_>>>> = empty(project.dockerfiles.len());
    let facts: Vec<OnceLock<Option<Facts<'_>>>> = empty(project.dockerfiles.len());
    let cx = |index: usize| {
        let file = project.dockerfiles.get(index)?;
        let syntax =
            syntaxes.get(index)?.get_or_init(|| guarded(|| dockerfile::parse(&file.text)).ok()).as_ref()?;
        let known = || guarded(|| facts_of(project, &file.path, syntax)).ok();
        let facts = facts.get(index)?.get_or_init(known).as_ref()?;
        Some(DockerfileCx { file, syntax, settings: settings.at(&file.path), facts, files })
    };
    let project_cx = ProjectCx { files: &project.dockerfiles, cx: &cx };
    findings.par_extend(rules.par_iter().flat_map_iter(|rule| check_project(&project_cx, *rule)));

    configure(&mut findings, settings, rules);
    suppress::apply(&mut findings, comments, settings, rules);
    sort(&mut findings);
    errors.sort();
    errors.dedup();
    let sources = sources(&findings, project);
    let failed = errors.len() - project.errors.len().min(errors.len());
    let files = (project.dockerfiles.len() + project.others.len()).saturating_sub(failed);
    Report { findings, errors, files, sources }
}

fn broken(file: &SourceFile, panic: &str) -> FileError {
    FileError { path: file.path.clone(), message: format!("hitrate failed while it read this file: {panic}") }
}

fn empty<T>(len: usize) -> Vec<OnceLock<T>> {
    std::iter::repeat_with(OnceLock::new).take(len).collect()
}

/// What the rules that are configured to run say of one Dockerfile.
fn check_dockerfile(cx: &DockerfileCx<'_>, rules: &[&'static dyn Rule]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for rule in rules {
        let meta = rule.meta();
        if cx.settings.severity(cx.path(), meta.name, meta.category.name(), meta.default_on).is_none() {
            continue;
        }
        let mut sink = Sink::new(meta, cx.path().clone());
        let result = guarded(|| rule.check_dockerfile(cx, &mut sink));
        findings.extend(sink.into_findings());
        findings.extend(result.err().map(|panic| internal_error(meta.name, cx.path(), &panic)));
    }
    findings
}

/// What one rule says of everything at once.
fn check_project(cx: &ProjectCx<'_>, rule: &'static dyn Rule) -> Vec<Finding> {
    let meta = rule.meta();
    let nowhere: Arc<str> = Arc::from("");
    let mut sink = Sink::new(meta, nowhere.clone());
    let result = guarded(|| rule.check_project(cx, &mut sink));
    let mut findings = sink.into_findings();
    findings.extend(result.err().map(|panic| internal_error(meta.name, &nowhere, &panic)));
    findings
}

/// The model of a Dockerfile that no build is known of: its last stage, with the context that has what it copies.
fn facts_of<'a>(project: &Project, path: &str, syntax: &'a Dockerfile<'a>) -> Facts<'a> {
    let model = Model::new(syntax, Options::default(), None);
    match place::context_of(project, path, &model) {
        Some(place) => Facts::new(model.with_context(place.context), Some(place.directory)),
        None => Facts::new(model, None),
    }
}

/// Drops what is switched off where it was found, and gives the rest the severity that is configured there.
fn configure(findings: &mut Vec<Finding>, settings: &Settings, rules: &[&'static dyn Rule]) {
    findings.retain_mut(|finding| {
        let meta = rules.iter().map(|rule| rule.meta()).find(|meta| meta.name == finding.rule);
        let default_on = meta.is_none_or(|meta| meta.default_on);
        let path = &finding.place.path;
        let configured = settings.at(path).severity(path, finding.rule, finding.category.name(), default_on);
        if let Some(Some(severity)) = configured {
            finding.severity = severity;
        }
        configured.is_some()
    });
}

fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        a.place.cmp(&b.place).then_with(|| a.rule.cmp(b.rule)).then_with(|| a.message.cmp(&b.message))
    });
    findings.dedup_by(|a, b| a.rule == b.rule && a.place == b.place && a.message == b.message);
}

fn sources(findings: &[Finding], project: &Project) -> BTreeMap<Arc<str>, Arc<SourceFile>> {
    let mut sources = BTreeMap::new();
    for finding in findings {
        let causes = finding.causes.iter().filter_map(|cause| cause.place.as_ref()).map(|place| &place.path);
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits).map(|(path, _)| path);
        for path in std::iter::once(&finding.place.path).chain(causes).chain(edits) {
            if !sources.contains_key(path)
                && let Some(file) = project.text(path)
            {
                sources.insert(path.clone(), file);
            }
        }
    }
    sources
}
