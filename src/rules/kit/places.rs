//! Where files live: in the context, in a layer, or only under a cache mount. It follows a path back through RUNs, COPYs
//! and stages.

use super::DockerfileCx;
use crate::dockerfile::Kind;
use crate::graph::{Base, CopySourceKind, CopyStep, MountKind, MountStep, RunStep, Source, StepId, StepKind};
use crate::tools::{is_within, normalize};

/// A file that is only under a cache mount.
#[derive(Clone, Debug)]
pub struct UnderMount<'a> {
    /// The RUN that has the mount.
    pub step: StepId,
    /// The mount.
    pub mount: &'a MountStep<'a>,
    /// The path in that RUN's stage.
    pub path: String,
}

/// Stages that are followed for one path.
const MAX_STAGES: usize = 16;

/// The mount of a RUN in whose directory `path` is: the innermost one.
#[must_use]
pub fn mount_over<'r, 'a>(run: &'r RunStep<'a>, path: &str) -> Option<&'r MountStep<'a>> {
    let over = run.mounts.iter().filter(|mount| !mount.target.is_empty() && is_within(path, &mount.target));
    over.max_by_key(|mount| mount.target.len())
}

/// The cache mount of a RUN in whose directory `path` is, if no other mount is between.
#[must_use]
pub fn cache_over<'r, 'a>(run: &'r RunStep<'a>, path: &str) -> Option<&'r MountStep<'a>> {
    mount_over(run, path).filter(|mount| mount.kind == MountKind::Cache)
}

/// Steps that run before `before` in its stage and those that it is built from, last first.
pub fn before<'a>(
    cx: &DockerfileCx<'a>,
    stage: usize,
    before: Option<StepId>,
) -> impl Iterator<Item = (StepId, &'a crate::graph::Step<'a>)> + use<'a> {
    let graph = cx.graph();
    let mut stages = vec![stage];
    while let Some(Base::Stage(parent)) =
        stages.last().and_then(|at| graph.stages.get(*at)).map(|at| &at.base)
    {
        if stages.last().is_some_and(|last| parent >= last) {
            break;
        }
        stages.push(*parent);
    }
    stages
        .into_iter()
        .flat_map(|stage| graph.steps_of(stage).rev())
        .filter(move |(id, _)| before.is_none_or(|before| *id < before))
}

/// The context file that a command of the RUN `step` sees at the absolute `path`: `Some(None)` where there is none as far
/// as COPYs and bind mounts tell, `None` where the context is not known.
#[must_use]
pub fn context_file(cx: &DockerfileCx<'_>, step: StepId, path: &str) -> Option<Option<String>> {
    let graph = cx.graph();
    let found = graph.step(step)?;
    let tree = cx.model().context()?.visible();
    let is_there = |inside: &String| tree.get(inside).is_some();
    if let StepKind::Run(run) = &found.kind
        && let Some(mount) = mount_over(run, path)
    {
        if mount.kind != MountKind::Bind || mount.from != Source::Context {
            return None;
        }
        let rest = below(path, &mount.target).unwrap_or_default();
        let inside = normalize(&format!("/{}/{rest}", mount.source));
        return Some(Some(inside.trim_start_matches('/').to_owned()).filter(is_there));
    }
    for (_, step) in before(cx, found.stage, Some(step)) {
        if !cx.model().visit(1) {
            return None;
        }
        let StepKind::Copy(copy) = &step.kind else { continue };
        let sources = sources_of(copy, path);
        match copy.from {
            Source::Context => {
                if let Some(inside) = sources.into_iter().find(is_there) {
                    return Some(Some(inside));
                }
            }
            _ if !sources.is_empty() => return None,
            _ => {}
        }
    }
    Some(None)
}

/// The paths in its source from which a COPY may have made the absolute `path`; relative to the source's root.
#[must_use]
pub fn sources_of(copy: &CopyStep<'_>, path: &str) -> Vec<String> {
    let dest = normalize(&copy.dest);
    let Some(rest) = below(path, &dest) else { return Vec::new() };
    let mut found = Vec::new();
    for source in copy.sources.iter().filter(|source| source.kind == CopySourceKind::Path) {
        let from = normalize(&format!("/{}", source.text));
        let from = from.trim_start_matches('/');
        let (parent, name) = from.rsplit_once('/').unwrap_or(("", from));
        let mut push = |path: String| {
            let path = normalize(path.trim_start_matches('/'));
            if !found.contains(&path) {
                found.push(path);
            }
        };
        if copy.parents {
            if is_within(rest, from) {
                push(rest.to_owned());
            }
            continue;
        }
        // A file into a directory keeps its name; the contents of a directory come without it.
        let (first, more) = rest.split_once('/').unwrap_or((rest, ""));
        if name.contains(['*', '?', '[']) {
            if !first.is_empty() && is_within(first, name) {
                push(format!("{parent}/{first}/{more}"));
            }
            continue;
        }
        if !first.is_empty() && first == name && more.is_empty() {
            push(from.to_owned());
        }
        push(format!("{from}/{rest}"));
    }
    found
}

/// `path` relative to `directory`, if it is in it.
#[must_use]
pub fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    if directory == "/" || directory.is_empty() {
        return Some(path.trim_start_matches('/'));
    }
    let rest = path.strip_prefix(directory)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

/// Whether `path`, as it is in `stage` before the step `end` (or at its end), was written under a cache mount and is in no
/// layer. `None` also where that is not certain.
#[must_use]
pub fn under_mount<'a>(
    cx: &DockerfileCx<'a>,
    stage: usize,
    end: Option<StepId>,
    path: &str,
) -> Option<UnderMount<'a>> {
    follow(cx, stage, end, path, MAX_STAGES)
}

fn follow<'a>(
    cx: &DockerfileCx<'a>,
    stage: usize,
    end: Option<StepId>,
    path: &str,
    depth: usize,
) -> Option<UnderMount<'a>> {
    let depth = depth.checked_sub(1)?;
    let mut found: Option<UnderMount<'a>> = None;
    for (id, step) in before(cx, stage, end) {
        match &step.kind {
            StepKind::Run(run) => match mount_over(run, path) {
                Some(mount) if mount.kind == MountKind::Cache => {
                    found.get_or_insert_with(|| UnderMount { step: id, mount, path: path.to_owned() });
                }
                Some(_) => {}
                None if may_write(cx, id, path) => return None,
                None => {}
            },
            StepKind::Copy(copy) => {
                let name = path.rsplit('/').next().unwrap_or("");
                if copy.inline.iter().any(|(file, _)| **file == *name) && is_within(path, &copy.dest) {
                    return None;
                }
                let sources = sources_of(copy, path);
                if sources.is_empty() {
                    continue;
                }
                match &copy.from {
                    Source::Context => {
                        let tree = cx.model().context().map(|context| context.visible());
                        let named = |inside: &String| match tree {
                            Some(tree) => tree.get(inside).is_some() || inside.contains(['*', '?', '[']),
                            // A build's output is not in the context, unless the COPY names it.
                            None => copy
                                .sources
                                .iter()
                                .any(|source| normalize(&source.text).trim_matches('/') == inside.as_str()),
                        };
                        if sources.iter().any(named) {
                            return None;
                        }
                    }
                    Source::Stage(other) => {
                        let inner = sources
                            .iter()
                            .find_map(|inside| follow(cx, *other, None, &format!("/{inside}"), depth));
                        return found.is_none().then_some(inner).flatten();
                    }
                    _ => return None,
                }
            }
            StepKind::From | StepKind::Workdir(_) => {}
        }
    }
    found
}

/// Programs that write nothing into a project's directories.
const HARMLESS: &[&str] = &[
    "mkdir", "apt-get", "apt", "apk", "dnf", "yum", "microdnf", "rustup", "useradd", "groupadd", "adduser",
    "addgroup", "echo", "export", "set", "cd", "true", "test", "[", "ls", "rm", "chmod", "chown", "env",
    "printf",
];

/// Whether a command of a RUN that does not have the mount may make `path`.
fn may_write(cx: &DockerfileCx<'_>, id: StepId, path: &str) -> bool {
    let uses = cx.uses(id);
    let cwd = cx.graph().step(id).map_or("/", |step| &*step.state.cwd);
    if uses.opaque {
        return true;
    }
    let script = cx.facts.script(id);
    script.commands.iter().enumerate().any(|(number, command)| {
        if let Some(used) = uses.tools.iter().find(|used| used.command == number) {
            let writes = used.kind.compiles()
                && used.directory.as_deref().is_none_or(|directory| is_within(path, directory));
            let caches = used.caches.iter().filter_map(|dir| dir.path.as_deref());
            return writes || caches.into_iter().any(|dir| is_within(path, dir));
        }
        let Some(program) = command.program() else { return !command.argv.is_empty() };
        if HARMLESS.contains(&program) {
            return command.redirects.iter().any(|redirect| names(&redirect.target.text, cwd, path));
        }
        const WRITERS: [&str; 12] = [
            "make", "ninja", "bash", "sh", "node", "python", "python3", "just", "task", "ant", "scons",
            "ruby",
        ];
        let local = command
            .argv
            .first()
            .is_some_and(|word| word.text.starts_with("./") || word.text.starts_with(cwd));
        WRITERS.contains(&program)
            || local
            || command.args().iter().any(|word| !word.literal || names(&word.text, cwd, path))
    })
}

/// Whether `word` is `path`, or a directory over it other than the working directory's own parents.
fn names(word: &str, cwd: &str, path: &str) -> bool {
    let absolute = if word.starts_with('/') { normalize(word) } else { normalize(&format!("{cwd}/{word}")) };
    is_within(&absolute, path) || (is_within(path, &absolute) && absolute != "/")
}

/// Whether something outside the RUN `step` may need what is below `target` in its stage: a COPY or a bind mount from the
/// stage, a later RUN that names it, or what the image starts.
#[must_use]
pub fn needed_outside(cx: &DockerfileCx<'_>, step: StepId, target: &str) -> bool {
    let graph = cx.graph();
    let Some(own) = graph.step(step).map(|found| found.stage) else { return true };
    if !cx.model().visit(graph.steps.len()) {
        return true;
    }
    let overlaps = |path: &str| is_within(path, target) || is_within(target, path);
    let of_own = |from: &Source| matches!(from, Source::Stage(stage) if descends(cx, *stage, own));
    let by_step = graph.all_steps().any(|(id, found)| match &found.kind {
        StepKind::Copy(copy) if of_own(&copy.from) => {
            copy.sources.iter().any(|source| overlaps(&normalize(&format!("/{}", source.text))))
        }
        StepKind::Run(run) => {
            let bound = run
                .mounts
                .iter()
                .any(|mount| mount.kind == MountKind::Bind && of_own(&mount.from) && overlaps(&mount.source));
            let after = id > step && descends(cx, found.stage, own) && cache_over(run, target).is_none();
            let named = after
                && cx.facts.script(id).commands.iter().any(|command| {
                    let names = |text: &str| text.starts_with('/') && is_within(&normalize(text), target);
                    command.argv.iter().any(|word| names(&word.text))
                });
            bound || named
        }
        _ => false,
    });
    by_step || started(cx).any(|text| text.contains(target))
}

/// Whether `stage` is `parent` or built from it.
#[must_use]
pub fn descends(cx: &DockerfileCx<'_>, stage: usize, parent: usize) -> bool {
    let mut at = stage;
    loop {
        if at == parent {
            return true;
        }
        match cx.graph().stages.get(at).map(|stage| &stage.base) {
            Some(Base::Stage(next)) if *next < at => at = *next,
            _ => return false,
        }
    }
}

/// The texts of every CMD and ENTRYPOINT.
fn started<'a>(cx: &DockerfileCx<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let syntax = cx.syntax;
    syntax
        .instructions()
        .filter(|instruction| matches!(instruction.kind, Kind::Cmd(_) | Kind::Entrypoint(_)))
        .map(|instruction| instruction.span.of(syntax.source))
}
