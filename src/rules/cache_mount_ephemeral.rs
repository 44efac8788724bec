//! `cache-mount-ephemeral`: cache mounts on a builder that does not outlive the job.

use super::builders::{all_forget, forgets};
use super::mounting::{cache_mounts, certain_path, content};
use super::places::{cache_over, descends};
use super::{
    BuildCx, Category, Cause, DockerfileCx, Fixable, MAX_QUESTIONS, Meta, ProjectCx, Rule, Severity, Sink,
    ToolUse, words,
};
use crate::cache::{self, Change, Model, Verdict};
use crate::graph::{MountStep, RunStep, StepId, StepKind};
use crate::tools::{CacheDir, Mount, Needs};

static META: Meta = Meta {
    name: "cache-mount-ephemeral",
    category: Category::Mount,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/cache-mount-ephemeral.md"),
};

/// See the page.
pub(super) struct CacheMountEphemeral;

impl Rule for CacheMountEphemeral {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for file in cx.dockerfiles {
            let of_file = |build: &&BuildCx<'_>| {
                !build.build.template
                    && forgets(build.build, file.settings)
                    && build.dockerfile.is_some_and(|other| other.path() == file.path())
            };
            let builds: Vec<&BuildCx<'_>> = cx.builds.iter().filter(of_file).collect();
            let Some(first) = builds.first().filter(|_| has_mounts(file)) else { continue };
            let mut told: Vec<StepId> = Vec::new();
            for build in &builds {
                let Some(model) = build.model else { continue };
                for lost in lost(file, build, model) {
                    if !told.contains(&lost.filled) {
                        tell(file, build, &lost, out);
                        told.extend([lost.filled, lost.reader]);
                    }
                }
            }
            if all_forget(file) {
                tell_rest(file, first, &told, out);
            }
        }
    }
}

fn has_mounts(cx: &DockerfileCx<'_>) -> bool {
    runs(cx).next().is_some()
}

/// Every RUN with its first cache mount.
fn runs<'a>(cx: &DockerfileCx<'a>) -> impl Iterator<Item = (StepId, &'a MountStep<'a>)> {
    cx.run_uses().filter_map(|(id, step, ..)| {
        let StepKind::Run(run) = &step.kind else { return None };
        let mount = cache_mounts(run).next()?;
        (!step.onbuild).then_some((id, mount))
    })
}

/// A RUN whose layer the remote cache keeps, without what it put into the mount.
struct Lost<'a> {
    filled: StepId,
    mount: &'a MountStep<'a>,
    dir: &'a CacheDir<'a>,
    reader: StepId,
    edit: String,
}

fn lost<'a>(cx: &DockerfileCx<'a>, build: &BuildCx<'_>, model: &Model<'_>) -> Vec<Lost<'a>> {
    let setting = cache::setting_of(build.build);
    let pairs = if setting.imports.is_empty() { Vec::new() } else { pairs(cx) };
    let mut found: Vec<Lost<'a>> = Vec::new();
    if pairs.is_empty() {
        return found;
    }
    for (_, edit) in model.typical_edits().iter().take(MAX_QUESTIONS) {
        let answer = model.after_in(&[Change::Edit(vec![edit.clone()])], &setting);
        for (filled, mount, dir, reader) in &pairs {
            let kept = answer.is_operation(*filled) && answer.verdict(*filled) == Verdict::Cached;
            let runs = answer.is_operation(*reader) && answer.verdict(*reader) != Verdict::Cached;
            if kept && runs && found.iter().all(|lost| lost.filled != *filled) {
                let edit = edit.clone();
                found.push(Lost { filled: *filled, mount, dir, reader: *reader, edit });
            }
        }
    }
    found
}

type Pair<'a> = (StepId, &'a MountStep<'a>, &'a CacheDir<'a>, StepId);

/// RUNs that download into a mount without the sources, each with the first later RUN that needs what is in it.
fn pairs<'a>(cx: &DockerfileCx<'a>) -> Vec<Pair<'a>> {
    let mut found: Vec<Pair<'a>> = Vec::new();
    for (id, step, _, uses) in cx.run_uses() {
        let StepKind::Run(run) = &step.kind else { continue };
        let fills = |used: &&ToolUse<'_>| {
            used.sure && used.kind.downloads() && !used.kind.compiles() && used.needs != Needs::Sources
        };
        for used in uses.tools.iter().filter(fills) {
            let Some((dir, mount)) = used.caches.iter().find_map(|dir| Some((dir, only_place(run, dir)?)))
            else {
                continue;
            };
            let reads = |(other, later): &(StepId, &crate::graph::Step<'_>)| {
                let StepKind::Run(run) = &later.kind else { return false };
                let same = |used: &ToolUse<'_>| {
                    used.caches.iter().any(|own| own.owner.name == dir.owner.name && own.path == dir.path)
                };
                *other > id
                    && descends(cx, later.stage, step.stage)
                    && dir.path.as_deref().is_some_and(|path| cache_over(run, path).is_some())
                    && cx.uses(*other).tools.iter().any(same)
            };
            if let Some((reader, _)) = cx.graph().all_steps().find(reads) {
                found.push((id, mount, dir, reader));
                break;
            }
        }
    }
    found
}

/// The mount over a directory that is the only place where its content lives.
fn only_place<'a>(run: &'a RunStep<'a>, dir: &CacheDir<'_>) -> Option<&'a MountStep<'a>> {
    let path = certain_path(dir).filter(|_| dir.needed_later().is_some() && dir.mount != Mount::No)?;
    cache_over(run, path)
}

fn tell(cx: &DockerfileCx<'_>, build: &BuildCx<'_>, lost: &Lost<'_>, out: &mut Sink) {
    let (reader, target) = (cx.line_of(lost.reader), &lost.mount.target);
    let what = content(lost.dir.holds());
    let message = format!(
        "the remote cache keeps this RUN without {what}: `{target}` is a mount, empty when line {reader} runs in a new builder"
    );
    let place =
        |step| cx.graph().step(step).map(|step: &crate::graph::Step<'_>| cx.place(step.instruction.span));
    let causes = [
        Cause {
            place: place(lost.reader),
            message: format!("runs after an edit of `{}` and downloads it all again", lost.edit),
        },
        Cause {
            place: Some(build.place(build.build.span)),
            message: "its builder is gone after the job".into(),
        },
    ];
    out.report_at(cx.place(lost.mount.syntax.span), message)
        .help(format!(
            "leave the mount out here and in line {reader}: the layer, as large as `{target}`, comes with the cache and is made \
             anew only when the manifests change; or keep mounts with a persistent builder or buildkit-cache-dance"
        ))
        .causes(causes);
}

fn tell_rest(cx: &DockerfileCx<'_>, build: &BuildCx<'_>, told: &[StepId], out: &mut Sink) {
    let rest: Vec<(StepId, &MountStep<'_>)> = runs(cx).filter(|(id, _)| !told.contains(id)).collect();
    let Some((_, first)) = rest.first() else { return };
    let lines: Vec<u32> = rest.iter().map(|(id, _)| cx.line_of(*id)).collect();
    let of = if lines.len() == 1 {
        "this cache mount is".into()
    } else {
        format!("the cache mounts of {} are", words::lines(&lines))
    };
    let message = format!(
        "{of} empty in every build: the builder of {} is gone after the job",
        words::code(&build.title(), 40)
    );
    let cause =
        Cause { place: Some(build.place(build.build.span)), message: "builds it on a new builder".into() };
    out.report_at(cx.place(first.syntax.span), message)
        .severity(Severity::Info)
        .help("no exporter takes mounts along: keep them with a persistent builder or buildkit-cache-dance, or do without")
        .causes([cause]);
}
