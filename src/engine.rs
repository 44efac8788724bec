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
use std::sync::Arc;

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
    let parsed: Vec<Result<Dockerfile<'_>, String>> =
        project.dockerfiles.par_iter().map(|file| guarded(|| dockerfile::parse(&file.text))).collect();
    let facts: Vec<Result<Facts<'_>, String>> = project
        .dockerfiles
        .par_iter()
        .zip(&parsed)
        .map(|(file, syntax)| {
            let syntax = syntax.as_ref().map_err(Clone::clone)?;
            guarded(|| facts_of(project, &file.path, syntax))
        })
        .collect();
    let lookup = |path: &str| project.text(path);
    let files: &(dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync) = &lookup;
    let mut contexts = Vec::with_capacity(parsed.len());
    for ((file, syntax), facts) in project.dockerfiles.iter().zip(&parsed).zip(&facts) {
        match (syntax, facts) {
            (Ok(syntax), Ok(facts)) => {
                contexts.push(DockerfileCx { file, syntax, settings: settings.at(&file.path), facts, files });
            }
            (Err(panic), _) | (_, Err(panic)) => errors.push(FileError {
                path: file.path.clone(),
                message: format!("hitrate failed while it read this file: {panic}"),
            }),
        }
    }

    let run = |cx: &DockerfileCx<'_>| {
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
    };
    let mut findings: Vec<Finding> = contexts.par_iter().flat_map_iter(run).collect();

    let project_cx = ProjectCx { dockerfiles: &contexts };
    let run = |rule: &&'static dyn Rule| {
        let meta = rule.meta();
        let nowhere: Arc<str> = Arc::from("");
        let mut sink = Sink::new(meta, nowhere.clone());
        let result = guarded(|| rule.check_project(&project_cx, &mut sink));
        let mut findings = sink.into_findings();
        findings.extend(result.err().map(|panic| internal_error(meta.name, &nowhere, &panic)));
        findings
    };
    findings.par_extend(rules.par_iter().flat_map_iter(run));

    configure(&mut findings, settings, rules);
    suppress::apply(&mut findings, project, &contexts, settings, rules);
    sort(&mut findings);
    errors.sort();
    errors.dedup();
    let sources = sources(&findings, project);
    let failed = errors.len() - project.errors.len().min(errors.len());
    let files = (project.dockerfiles.len() + project.others.len()).saturating_sub(failed);
    Report { findings, errors, files, sources }
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
