//! `context-noise`: a broad COPY takes files that change often and that no step needs.

use super::typical;
use super::words::{code, count, list};
use super::{Category, DockerfileCx, Fix, Fixable, MAX_QUESTIONS, Meta, Rule, Safety, Severity, Sink};
use crate::builds::ContextSource;
use crate::cache::{Answer, Change};
use crate::context::{DOCKERIGNORE, Entry, own_ignore_file, path};
use crate::fix::instructions::line_end;
use crate::graph::{Base, Step, StepId, StepKind};
use candidates::{Candidate, Group, Pace, candidates, go_tests, is_project};
use std::sync::Arc;

mod candidates;
mod needs;

static META: Meta = Meta {
    name: "context-noise",
    category: Category::Context,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/context-noise.md"),
};

/// See the page.
pub(super) struct ContextNoise;

impl Rule for ContextNoise {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        // Other people's projects, and contexts for which no ignore file holds.
        if cx.is_foreign() {
            return;
        }
        let git = |source: &ContextSource| matches!(source, ContextSource::Git { .. });
        let builds = &cx.facts.builds;
        if !builds.is_empty() && builds.iter().all(|build| git(&build.context.value)) {
            return;
        }
        let takers = takers(cx);
        let noise = noise(cx, &takers);
        let pace = noise.iter().map(Candidate::pace).max();
        if pace.is_none_or(|pace| pace == Pace::Hardly) {
            return;
        }
        let Some(taker) = takers.iter().find(|taker| noise.iter().any(|one| taker.takes(one))) else {
            return;
        };
        let files: Vec<String> = noise.iter().flat_map(|one| one.files.iter().cloned()).collect();
        let answer = cx.model().after(&[Change::Edit(files)]);
        if !answer.runs_again(taker.step) {
            return;
        }
        report(cx, taker, &noise, &answer, out);
    }
}

/// A step that takes whole projects of the context.
struct Taker {
    step: StepId,
    /// The directories, without a slash at the end.
    roots: Vec<String>,
    /// All that it takes, sorted.
    files: Vec<String>,
}

impl Taker {
    fn takes(&self, candidate: &Candidate) -> bool {
        candidate.files.iter().any(|file| self.files.binary_search(file).is_ok())
    }
}

fn takers(cx: &DockerfileCx<'_>) -> Vec<Taker> {
    let model = cx.model();
    let Some(tree) = model.context().map(|context| context.visible()) else { return Vec::new() };
    let reached = |step: &Step<'_>| cx.graph().reachable.get(step.stage).copied().unwrap_or(false);
    let steps = cx.graph().all_steps().filter(|(_, step)| reached(step) && !step.onbuild);
    let mut found = Vec::new();
    for (step, _) in steps {
        if typical::is_unknown(cx, step) {
            continue;
        }
        let mut roots: Vec<String> = Vec::new();
        for source in model.selections(step).into_iter().flat_map(|selection| selection.sources) {
            let source = path::below_root(&source.replacen("/./", "/", 1));
            let root = match source.as_str() {
                "*" | "**" => "",
                plain => plain.strip_suffix("/*").unwrap_or(plain),
            };
            let is_directory = matches!(tree.get(root), Some(Entry::Directory { .. }));
            if is_directory && is_project(tree, root) && !roots.iter().any(|own| own == root) {
                roots.push(root.to_owned());
            }
        }
        if !roots.is_empty() && found.len() < MAX_QUESTIONS {
            found.push(Taker { step, roots, files: model.taken_files(step).unwrap_or_default() });
        }
    }
    found
}

/// What the takers take and nobody needs.
fn noise(cx: &DockerfileCx<'_>, takers: &[Taker]) -> Vec<Candidate> {
    let Some(tree) = cx.model().context().map(|context| context.visible()) else { return Vec::new() };
    let mut roots: Vec<&String> = takers.iter().flat_map(|taker| &taker.roots).collect();
    roots.sort();
    roots.dedup();
    let mut found: Vec<Candidate> = roots.into_iter().flat_map(|root| candidates(tree, root)).collect();
    found.extend(own_files(cx));
    found.extend(
        takers.iter().filter(|taker| only_builds(cx, taker.step)).find_map(|taker| go_tests(&taker.files)),
    );
    found.retain(|one| takers.iter().any(|taker| taker.takes(one)));
    found.sort_by(|a, b| (a.group, &a.path).cmp(&(b.group, &b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    let keep = |found: &mut Vec<Candidate>, needed: Vec<bool>| {
        let mut needed = needed.into_iter();
        found.retain(|_| !needed.next().unwrap_or(true));
    };
    let needed = needs::needed(cx, &found);
    keep(&mut found, needed);
    if found.is_empty() {
        return found;
    }
    let mut taken: Vec<String> = takers.iter().flat_map(|taker| taker.files.iter().cloned()).collect();
    taken.sort();
    taken.dedup();
    let mentioned = needs::mentioned(cx, &taken, &found);
    keep(&mut found, mentioned.candidates);
    // To git what is left out is deleted, and the version that it gives has a mark.
    let sees_git = !cx.model().context().is_some_and(|context| context.ignore().decide(".git").ignored);
    let untracked = |one: &Candidate| matches!(one.group, Group::Results(_));
    if sees_git && (mentioned.git || needs::uses_git(cx)) {
        found.retain(untracked);
    }
    // The ignore file may be in force for others, too.
    if found.is_empty() || has_own_ignore_file(cx) {
        return found;
    }
    let mut needed = vec![false; found.len()];
    let directory = cx.facts.directory.clone().unwrap_or_default();
    let mut git = false;
    let complete = cx.around.sharing(cx.path(), &directory, &mut |other| {
        git |= sees_git && needs::uses_git(other);
        for (needed, also) in needed.iter_mut().zip(needs::needed(other, &found)) {
            *needed |= also;
        }
    });
    if !complete {
        return Vec::new();
    }
    keep(&mut found, needed);
    if git {
        found.retain(untracked);
    }
    found
}

/// Whether the step's stage is there to build with go and is no part of an image, in which tests may be run.
fn only_builds(cx: &DockerfileCx<'_>, step: StepId) -> bool {
    let graph = cx.graph();
    let Some(own) = graph.step(step).map(|step| step.stage) else { return false };
    let mut at = graph.target;
    while let Some(stage) = at {
        if stage == own {
            return false;
        }
        at = match graph.stages.get(stage).map(|stage| &stage.base) {
            Some(Base::Stage(parent)) if *parent < stage => Some(*parent),
            _ => None,
        };
    }
    let go = |used: &super::ToolUse<'_>| used.tool.ecosystem == "go" && used.kind.compiles();
    cx.facts.builds.iter().all(|build| build.target.is_none())
        && cx.run_uses().any(|(_, step, _, uses)| step.stage == own && uses.tools.iter().any(go))
}

/// The Dockerfile itself and its ignore file, wherever they stand in the context.
fn own_files(cx: &DockerfileCx<'_>) -> Vec<Candidate> {
    let Some(directory) = cx.facts.directory.as_deref() else { return Vec::new() };
    let inside = |file: &str| match directory {
        "" => Some(file.to_owned()),
        directory => file.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned),
    };
    let own = [cx.path().to_string(), own_ignore_file(cx.path())];
    let found = own.iter().filter_map(|file| inside(file));
    found.map(|path| Candidate { files: vec![path.clone()], path, group: Group::Builds }).collect()
}

fn has_own_ignore_file(cx: &DockerfileCx<'_>) -> bool {
    (cx.files)(&own_ignore_file(cx.path())).is_some()
}

fn report(
    cx: &DockerfileCx<'_>,
    taker: &Taker,
    noise: &[Candidate],
    answer: &Answer<'_, '_>,
    out: &mut Sink,
) {
    let Some(step) = cx.graph().step(taker.step) else { return };
    let mut own: Vec<&Candidate> = noise.iter().filter(|one| taker.takes(one)).collect();
    // What changes most is named first.
    own.sort_by_key(|one| std::cmp::Reverse(one.pace()));
    let again: Vec<StepId> = answer.reruns().collect();
    let is_run =
        |id: &&StepId| cx.graph().step(**id).is_some_and(|step| matches!(step.kind, StepKind::Run(_)));
    let costly = again.iter().filter(is_run).find(|id| cx.costly(**id).is_some() || !cx.is_known(**id));
    let mut names: Vec<String> = own.iter().take(3).map(|one| code(&short(&one.path), 28)).collect();
    if own.len() > 3 {
        names.push(format!("{} more", own.len() - 3));
    }
    let steps = count(again.len(), "step");
    let mut message =
        format!("takes {}, which no step needs: a change there runs {steps} again", list(&names));
    let share = share(cx, taker, &own);
    if let Some((alone, all)) = share.filter(|(alone, _)| *alone > 0) {
        let more = format!("; {alone} of the last {all} commits changed nothing else");
        if message.chars().count() + more.chars().count() <= 160 {
            message.push_str(&more);
        }
    }
    let patterns: Vec<String> = own.iter().map(|one| code(&one.pattern(), 100)).collect();
    let (file, fix) = fix(cx, noise);
    let shown = match patterns.as_slice() {
        [first, second, third, fourth, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third}, {fourth} …")
        }
        all => list(all),
    };
    let them = if patterns.len() == 1 { "it" } else { "them" };
    let mut draft = out.report(place(taker, step), message).help(format!("name {them} in `{file}`: {shown}"));
    let often = own.iter().any(|one| one.pace() == Pace::Often);
    draft = draft.severity(if costly.is_some() && often { Severity::Warning } else { Severity::Info });
    if let Some(last) = costly {
        draft = draft.causes(cx.causes(answer.because(*last)));
    }
    draft.fix(fix);
}

/// A long path by its last part.
fn short(file: &str) -> String {
    if file.chars().count() <= 28 { file.to_owned() } else { format!("…/{}", path::base(file)) }
}

/// The bind mount that takes the context, where the RUN itself takes it.
fn place(taker: &Taker, step: &Step<'_>) -> crate::source::Span {
    let StepKind::Run(run) = &step.kind else { return step.instruction.span };
    let takes = |source: &str| taker.roots.iter().any(|root| *root == path::below_root(source));
    let mount = run.mounts.iter().find(|mount| {
        mount.kind == crate::graph::MountKind::Bind
            && mount.from == crate::graph::Source::Context
            && takes(&mount.source)
    });
    mount.map_or(step.instruction.span, |mount| mount.syntax.span)
}

/// Commits that changed something that the step takes and nothing but noise, and all commits.
fn share(cx: &DockerfileCx<'_>, taker: &Taker, noise: &[&Candidate]) -> Option<(usize, usize)> {
    const FEW: usize = 20;
    let history = cx.around.history().filter(|history| history.commits.len() >= FEW)?;
    let directory = cx.facts.directory.as_deref()?;
    let context = cx.model().context()?;
    let inside = |file: &String| match directory {
        "" => Some(file.clone()),
        directory => file.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned),
    };
    let alone = history.commits.iter().filter(|commit| {
        let taken = commit.iter().filter_map(inside).filter(|file| {
            let below = |root: &String| root.is_empty() || file.starts_with(&format!("{root}/"));
            !context.ignore().decide(file).ignored && taker.roots.iter().any(below)
        });
        let mut any = false;
        let only = taken.into_iter().all(|file| {
            any = true;
            noise.iter().any(|one| one.holds(&file))
        });
        any && only
    });
    Some((alone.count(), history.commits.len()))
}

/// The ignore file in force, and the edit that names the noise in it.
fn fix(cx: &DockerfileCx<'_>, noise: &[Candidate]) -> (String, Option<Fix>) {
    let own = own_ignore_file(cx.path());
    let shared = match cx.facts.directory.as_deref() {
        None | Some("") => DOCKERIGNORE.to_owned(),
        Some(directory) => format!("{directory}/{DOCKERIGNORE}"),
    };
    let (file, text) = match (cx.files)(&own) {
        Some(file) => (own, Some(file.text.clone())),
        None => {
            let text = (cx.files)(&shared).map(|file| file.text.clone());
            (shared, text)
        }
    };
    let mut patterns: Vec<String> = noise.iter().map(Candidate::pattern).collect();
    let new = DOCKERIGNORE.to_owned();
    if text.is_none() && !patterns.contains(&new) {
        // It is taken from now on, too.
        patterns.push(new);
    }
    let text = text.unwrap_or_default();
    let end = line_end(&text);
    let mut added = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        added.push_str(end);
    }
    for pattern in patterns {
        added.push_str(&pattern);
        added.push_str(end);
    }
    let title = format!("name what no step needs in {file}");
    let at = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let place: Arc<str> = Arc::from(file.as_str());
    (file, Some(Fix::safe(title).insert(&place, at, added)))
}
