//! `analyze`: pure and total. The same project and settings give the same report, in any number of threads.

mod around;
mod difference;
mod explain;
mod explanation;
mod fingerprint;
mod guard;
mod ignoring;
mod join;
mod memory;
mod place;
mod plan;
mod questions;
mod replay;
mod stages;
mod suppress;
mod texts;
mod touched;

pub use difference::line_edits;
pub use explain::{EditedPath, ExplainError, ExplainRequest, Since, explain};
pub use explanation::{ExplainedStep, Explanation, Reason};
pub use guard::{guarded, is_guarded, silence_guarded_panics};
pub use ignoring::ignoring;
pub use memory::Memory;
pub use place::context_directory;
pub use plan::{PlanReport, plan};
pub use questions::{Question, QuestionKind, questions};
pub use replay::{Commit, Counts, Replay, ReplayRequest, Replayed, ReplayedStep};
pub use stages::{EdgeKind, NodeKind, StageEdge, StageGraph, StageNode, StageStep, stage_graph};
pub use touched::TouchedLines;

use crate::builds::Build;
use crate::cache::Model;
use crate::dockerfile::{self, Dockerfile};
use crate::project::{FileError, Project};
use crate::rules::{self, BuildCx, DockerfileCx, Facts, Finding, ProjectCx, Rule, Sink};
use crate::settings::Settings;
use crate::source::SourceFile;
use around::Rest;
use guard::internal_error;
use join::Built;
use memory::{Learnt, Looked, Recall};
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
    run(project, settings, rules, Recall::NOTHING, false).0
}

/// [`analyze`], with the same report, doing again only what `memory` does not know: the builds are read again when a file
/// that is no Dockerfile changed, and of the Dockerfiles those are looked at that changed. For a project that changes a
/// little at a time.
#[must_use]
pub fn analyze_again(project: &Project, settings: &Arc<Settings>, memory: &mut Memory) -> Report {
    let (report, learnt) = run(project, settings, rules::ALL, memory.recall(project, settings), true);
    memory.learn(project, settings, learnt);
    report
}

/// Shows `look` the Dockerfile at `path` as rules see it. `None` where there is no such Dockerfile, or where hitrate
/// fails while it reads it. `memory` may know the project's builds.
pub fn look<T>(
    project: &Project,
    settings: &Arc<Settings>,
    memory: &Memory,
    path: &str,
    look: impl FnOnce(&DockerfileCx<'_>) -> T,
) -> Option<T> {
    let file = project.dockerfile(path)?;
    let builds = memory.recall(project, settings).builds(project);
    let named = |build: &&Build| join::dockerfile_of(build).is_some_and(|named| *named == *file.path);
    let rest = Rest::new(project, settings, &builds.found);
    let builds: Vec<&Build> = builds.found.iter().filter(named).collect();
    let syntax = guarded(|| dockerfile::parse(&file.text)).ok()?;
    let facts = guarded(|| facts_of(project, file, &syntax, &builds)).ok()?;
    let files = |path: &str| project.text(path);
    let settings = settings.at(&file.path);
    Some(look(&DockerfileCx { file, syntax: &syntax, settings, facts: &facts, files: &files, around: &rest }))
}

/// The report, and what is worth remembering, if somebody does.
fn run(
    project: &Project,
    settings: &Settings,
    rules: &[&'static dyn Rule],
    recall: Recall<'_>,
    remember: bool,
) -> (Report, Learnt) {
    let mut errors = project.errors.clone();
    let lookup = |path: &str| project.text(path);
    let files: &(dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync) = &lookup;

    let known = recall.builds(project);
    errors.extend(known.unread.iter().cloned());
    let builds = &known.found;
    let built = join::built(project, builds);
    let rest = Rest::new(project, settings, builds);
    let around = &rest;
    let mut all: Vec<(Arc<str>, Looked)> = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    let mut comments = Vec::new();

    // Those that no build is known of, a file at a time: what is known of it is dropped before the next, so that memory does not
    // grow with their number.
    let alone: Vec<&Arc<SourceFile>> =
        project.dockerfiles.iter().filter(|file| !built.contains_key(&file.path)).collect();
    let looked = alone.par_iter().map(|file| {
        let text = file.text.as_str();
        let parse = || guarded(|| dockerfile::parse(text)).map_err(|panic| broken(file, &panic));
        if let Some(looked) = recall.of(file) {
            let syntax = if suppress::mentions(text) { parse().ok() } else { None };
            return (looked.clone(), syntax.map(|syntax| suppress::in_dockerfile(text, &syntax)));
        }
        let look = || {
            let syntax = parse()?;
            let facts =
                guarded(|| facts_of(project, file, &syntax, &[])).map_err(|panic| broken(file, &panic))?;
            let settings = settings.at(&file.path);
            let cx = DockerfileCx { file, syntax: &syntax, settings, facts: &facts, files, around };
            Ok((check_dockerfile(&cx, rules), suppress::in_dockerfile(text, &syntax)))
        };
        match look() {
            Ok((findings, placed)) => (Ok(findings), Some(placed)),
            Err(error) => (Err(error), None),
        }
    });
    let looked: Vec<(Looked, Option<_>)> = looked.collect();
    for (file, (looked, placed)) in alone.iter().zip(looked) {
        all.push((file.path.clone(), looked));
        comments.extend(placed.filter(|placed| !placed.is_empty()).map(|placed| (&***file, placed)));
    }

    // Those that builds are known of, and the builds.
    let built: Vec<&Built<'_>> = built.values().collect();
    let syntaxes: Vec<Result<Dockerfile<'_>, String>> =
        built.par_iter().map(|built| guarded(|| dockerfile::parse(&built.file.text))).collect();
    let facts: Vec<Result<Facts<'_>, String>> = built
        .par_iter()
        .zip(&syntaxes)
        .map(|(built, syntax)| {
            let syntax = syntax.as_ref().map_err(Clone::clone)?;
            guarded(|| facts_of(project, &built.file, syntax, &built.builds))
        })
        .collect();
    let mut contexts = Vec::with_capacity(built.len());
    for ((built, syntax), facts) in built.iter().zip(&syntaxes).zip(&facts) {
        match (syntax, facts) {
            (Ok(syntax), Ok(facts)) => {
                let (file, settings) = (&*built.file, settings.at(&built.file.path));
                contexts.push(DockerfileCx { file, syntax, settings, facts, files, around });
            }
            (Err(panic), _) | (_, Err(panic)) => errors.push(broken(&built.file, panic)),
        }
    }
    // A Dockerfile that only a build names is no part of what was asked about.
    let asked = |cx: &&DockerfileCx<'_>| project.dockerfile(cx.path()).is_some();
    let look = |cx: &DockerfileCx<'_>| match recall.of(cx.file) {
        Some(Ok(found)) => (cx.path().clone(), Ok(found.clone())),
        _ => (cx.path().clone(), Ok(check_dockerfile(cx, rules))),
    };
    all.par_extend(contexts.par_iter().filter(asked).map(look));
    let learnt = if remember { all.clone() } else { Vec::new() };
    for (_, looked) in all {
        match looked {
            Ok(found) => findings.extend(found),
            Err(error) => errors.push(error),
        }
    }
    for cx in contexts.iter().filter(asked) {
        let placed = suppress::in_dockerfile(cx.text(), cx.syntax);
        comments.extend((!placed.is_empty()).then_some((cx.file, placed)));
    }
    let others = project.others.iter().map(|file| (&**file, suppress::in_text(&file.text)));
    comments.extend(others.filter(|(_, placed)| !placed.is_empty()));

    let by_path: BTreeMap<&str, &DockerfileCx<'_>> = contexts.iter().map(|cx| (&*cx.file.path, cx)).collect();
    let dockerfile_of =
        |build: &Build| join::dockerfile_of(build).and_then(|path| by_path.get(path.as_str()).copied());
    // Many builds are of the same Dockerfile in the same way; what is worked out for one of them holds for all.
    let alike = join::alike(builds);
    let model_of = |build: &&Build| {
        let cx = dockerfile_of(build)?;
        guarded(|| join::model_of(project, cx.path(), cx.syntax, build).0).ok()
    };
    let models: Vec<Option<Model<'_>>> = alike.first.par_iter().map(model_of).collect();
    let builds: Vec<BuildCx<'_>> = builds
        .iter()
        .zip(&alike.of)
        .filter_map(|(build, group)| {
            let file = project.file(&build.path)?;
            let settings = settings.at(&file.path);
            let model = models.get(*group).and_then(Option::as_ref);
            Some(BuildCx { build, file, settings, dockerfile: dockerfile_of(build), model })
        })
        .collect();
    let project_cx =
        ProjectCx { dockerfiles: &contexts, builds: &builds, others: &project.others, settings, files };
    findings.par_extend(rules.par_iter().flat_map_iter(|rule| check_project(&project_cx, *rule)));

    findings.retain(|finding| finding.place.path.is_empty() || project.is_asked(&finding.place.path));
    let shared = rest.asked();
    configure(&mut findings, settings, rules);
    suppress::apply(&mut findings, comments, settings, rules);
    sort(&mut findings);
    errors.sort();
    errors.dedup();
    let sources = sources(&findings, project);
    let failed = errors.len() - project.errors.len().min(errors.len());
    let files = (project.dockerfiles.len() + project.others.len()).saturating_sub(failed);
    (Report { findings, errors, files, sources }, Learnt { builds: known, looked: learnt, shared })
}

fn broken(file: &SourceFile, panic: &str) -> FileError {
    FileError { path: file.path.clone(), message: format!("hitrate failed while it read this file: {panic}") }
}

/// What the rules that are configured to run say of one Dockerfile; nothing of a template, of which nobody knows what it
/// will be.
fn check_dockerfile(cx: &DockerfileCx<'_>, rules: &[&'static dyn Rule]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    if cx.syntax.is_template() {
        return findings;
    }
    for rule in rules {
        let meta = rule.meta();
        if cx.settings.severity(cx.path(), meta.name, meta.category.name(), meta.default_on).is_none() {
            continue;
        }
        let mut sink = Sink::new(meta, cx.path().clone());
        let result = guarded(|| rule.check_dockerfile(cx, &mut sink));
        // Most rules have nothing to say of most files.
        let mut found = sink.into_findings();
        if !found.is_empty() {
            findings.append(&mut found);
        }
        if let Err(panic) = result {
            findings.push(internal_error(meta.name, cx.path(), &panic));
        }
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

/// What is known of a Dockerfile under the builds that build it.
fn facts_of<'a>(
    project: &Project,
    file: &SourceFile,
    syntax: &'a Dockerfile<'a>,
    builds: &[&'a Build],
) -> Facts<'a> {
    let (model, directory) = join::own_model(project, &file.path, syntax, builds);
    Facts::new(model, directory, builds.to_vec())
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
    let mut last: Option<&Arc<str>> = None;
    for finding in findings {
        let causes = finding.causes.iter().filter_map(|cause| cause.place.as_ref()).map(|place| &place.path);
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits).map(|(path, _)| path);
        for path in std::iter::once(&finding.place.path).chain(causes).chain(edits) {
            // Most of what is said stands in the file of what was said before.
            if last.replace(path) != Some(path)
                && !sources.contains_key(path)
                && let Some(file) = project.text(path)
            {
                sources.insert(path.clone(), file);
            }
        }
    }
    sources
}
