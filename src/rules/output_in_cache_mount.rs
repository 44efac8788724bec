//! `output-in-cache-mount`: something needs a file that was written under a cache mount and is in no layer.

use super::places::{UnderMount, cache_over, under_mount};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink};
use crate::dockerfile::{Command as Form, Kind};
use crate::graph::{CopySourceKind, CopyStep, MountKind, Source, Step, StepId, StepKind};
use crate::shell::{Command, Cwd};
use crate::source::Span;
use crate::tools::normalize;

static META: Meta = Meta {
    name: "output-in-cache-mount",
    category: Category::Mount,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/output-in-cache-mount.md"),
};

/// Paths that are followed in one file, so that a hostile one ends.
const MAX_QUESTIONS: usize = 512;

/// See the page.
pub(super) struct OutputInCacheMount;

impl Rule for OutputInCacheMount {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let graph = cx.graph();
        let is_cache = |step: &Step<'_>| matches!(&step.kind, StepKind::Run(run) if run.mounts.iter().any(|mount| mount.kind == MountKind::Cache));
        if !cx.facts.runs().any(|(_, step, _)| is_cache(step)) {
            return;
        }
        let mut left = MAX_QUESTIONS;
        let mut told: Vec<(StepId, &str)> = Vec::new();
        for (id, step) in graph.all_steps() {
            if step.onbuild || !graph.reachable.get(step.stage).copied().unwrap_or(false) {
                continue;
            }
            match &step.kind {
                StepKind::Copy(copy) => {
                    let Source::Stage(stage) = copy.from else { continue };
                    for source in copy.sources.iter().filter(|source| source.kind == CopySourceKind::Path) {
                        if !spend(&mut left) {
                            return;
                        }
                        let path = normalize(&format!("/{}", source.text));
                        let Some(found) = under_mount(cx, stage, None, &path) else { continue };
                        told.push((found.step, &found.mount.target));
                        let fix = copy_out(cx, copy, source.span, &path, &found);
                        tell(cx, out, source.span, &path, &found, "this COPY finds nothing", fix);
                    }
                }
                StepKind::Run(run) => {
                    for command in &cx.facts.script(id).commands {
                        for (path, span) in reads(command, &step.state.cwd) {
                            if cache_over(run, &path).is_some() || !spend(&mut left) {
                                continue;
                            }
                            let Some(found) = under_mount(cx, step.stage, Some(id), &path) else { continue };
                            if path != found.mount.target {
                                tell(cx, out, span, &path, &found, "this RUN does not find it", None);
                            }
                        }
                    }
                }
                StepKind::From | StepKind::Workdir(_) => {}
            }
        }
        let Some(target) = graph.target else { return };
        for (path, span) in started(cx, target) {
            if !spend(&mut left) {
                return;
            }
            let Some(found) = under_mount(cx, target, None, &path) else { continue };
            if path != found.mount.target && !told.contains(&(found.step, &*found.mount.target)) {
                tell(cx, out, span, &path, &found, "the image starts without it", None);
            }
        }
    }
}

fn spend(left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    *left > 0
}

fn tell(
    cx: &DockerfileCx<'_>,
    out: &mut Sink,
    span: Span,
    path: &str,
    found: &UnderMount<'_>,
    end: &str,
    fix: Option<Fix>,
) {
    let line = cx.line_of(found.step);
    let message = format!("`{path}` is under the cache mount of line {line} and in no layer: {end}");
    out.report(span, message)
        .cause(
            found.mount.syntax.span,
            format!("what is written below `{}` stays in the mount", found.mount.target),
        )
        .help(format!(
            "copy it to a place outside of `{}` at the end of the RUN in line {line}",
            found.mount.target
        ))
        .fix(fix);
}

/// The files that a command reads or runs, with their words.
fn reads(command: &Command<'_>, cwd: &str) -> Vec<(String, Span)> {
    const READERS: [&str; 10] =
        ["cp", "mv", "install", "strip", "upx", "chmod", "ldd", "tar", "cat", "rsync"];
    let cwd = match &command.cwd {
        Cwd::Start => cwd.to_owned(),
        Cwd::Path(path) if path.starts_with('/') => path.to_string(),
        Cwd::Path(path) if !path.starts_with('~') => format!("{cwd}/{path}"),
        _ => return Vec::new(),
    };
    // What may fail is meant to (`cp … || true`).
    if !command.certain || command.opaque.is_some() {
        return Vec::new();
    }
    let absolute = |text: &str| {
        if text.starts_with('/') { normalize(text) } else { normalize(&format!("{cwd}/{text}")) }
    };
    let mut found = Vec::new();
    if let Some(program) = command.argv.first().filter(|word| word.literal && word.text.contains('/')) {
        found.push((absolute(&program.text), program.span));
    }
    let Some(program) = command.program().filter(|program| READERS.contains(program)) else { return found };
    let words: Vec<_> = command.args().iter().filter(|word| !word.text.starts_with('-')).collect();
    let sources = match program {
        "cp" | "mv" | "install" | "rsync" => words.len().saturating_sub(1),
        "chmod" => usize::MAX,
        _ => words.len(),
    };
    let literal = words.into_iter().take(sources).filter(|word| word.literal);
    found.extend(literal.map(|word| (absolute(&word.text), word.span)));
    found
}

/// The paths in the last CMD and ENTRYPOINT of a stage.
fn started(cx: &DockerfileCx<'_>, stage: usize) -> Vec<(String, Span)> {
    let Some(found) = cx.graph().stages.get(stage) else { return Vec::new() };
    let of_stage = cx
        .syntax
        .instructions()
        .skip_while(|instruction| instruction.span.start <= found.from.span.start)
        .take_while(|instruction| !matches!(instruction.kind, Kind::From(_)));
    let (mut cmd, mut entrypoint) = (None, None);
    for instruction in of_stage {
        match &instruction.kind {
            Kind::Cmd(form) => cmd = Some((form, instruction.span)),
            Kind::Entrypoint(form) => entrypoint = Some((form, instruction.span)),
            _ => {}
        }
    }
    let cwd = &found.state.cwd;
    let mut paths = Vec::new();
    let mut push = |text: &str, span: Span| {
        if text.contains('/') && !text.contains(['$', '=', ':']) && !text.starts_with('-') {
            let path =
                if text.starts_with('/') { normalize(text) } else { normalize(&format!("{cwd}/{text}")) };
            paths.push((path, span));
        }
    };
    for (form, span) in [entrypoint, cmd].into_iter().flatten() {
        match form {
            Form::Exec(words) => words.iter().for_each(|word| push(&word.text, word.span)),
            Form::Shell(text) => text.text.split_whitespace().for_each(|word| push(word, span)),
        }
    }
    paths
}

/// The artifact copied out at the end of the RUN, and taken from there.
fn copy_out(
    cx: &DockerfileCx<'_>,
    copy: &CopyStep<'_>,
    source: Span,
    path: &str,
    found: &UnderMount<'_>,
) -> Option<Fix> {
    let step = cx.graph().step(found.step)?;
    let Kind::Run(run) = &step.instruction.kind else { return None };
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    let text = cx.text();
    let plain = |text: &str| !text.contains(['$', '*', '?', '[', '"', '\'', '\\', '`', ' ', '\n']);
    let same = found.path == path && normalize(&format!("/{}", source.of(text))) == path;
    let own = matches!(copy.from, Source::Stage(stage) if stage == step.stage);
    if matches!(run.command, Form::Exec(_))
        || !step.instruction.heredocs.is_empty()
        || !plain(path)
        || !plain(source.of(text))
        || !same
        || !own
        || copy.parents
        || path == found.mount.target
    {
        return None;
    }
    let script = cx.facts.script(found.step);
    let last = script.commands.last().filter(|last| last.depth == 0 && last.certain && !last.substitution)?;
    let title = format!("Copy `{path}` out of the mount in the same RUN");
    let fix = Fix::needs_a_look(title)
        .insert(cx.path(), last.span.end, format!(" && mkdir -p /out && cp -r {path} /out/"))
        .replace(cx.path(), source, format!("/out/{name}"));
    Some(fix)
}
