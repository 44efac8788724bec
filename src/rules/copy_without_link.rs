//! `copy-without-link`: a layer that `--link` would keep, and a `--link` that does nothing.

use super::words::{code, lines};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink};
use crate::builds::Driver;
use crate::cache::{Change, Written, WrittenKind};
use crate::context::path;
use crate::graph::{CopyStep, Source, Step, StepId, StepKind};
use crate::shell::Cwd;
use crate::source::Span;

static META: Meta = Meta {
    name: "copy-without-link",
    category: Category::Order,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/copy-without-link.md"),
};

/// Directories that are links in most images, or in those of a family: a layer of its own would put a directory in their
/// place.
const LINKS: [&str; 9] =
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/var/run", "/var/lock", "/etc/ssl/certs"];

/// See the page.
pub(super) struct CopyWithoutLink;

impl Rule for CopyWithoutLink {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let builder = &cx.settings.builder;
        // Only with the containerd image store can the Engine put layers on each other (facts §1.8).
        let classic = builder.containerd_store == Some(false)
            && builder.driver.as_ref().is_none_or(|driver| *driver == Driver::Docker);
        useless(cx, classic, out);
        if !classic {
            missing(cx, out);
        }
    }
}

/// A `--link` that does nothing.
fn useless(cx: &DockerfileCx<'_>, classic: bool, out: &mut Sink) {
    for (_, step) in cx.graph().all_steps() {
        let StepKind::Copy(copy) = &step.kind else { continue };
        let Some(flag) = step.instruction.flag("link").filter(|_| copy.link) else { continue };
        let keyword = step.instruction.keyword.name();
        let message = match (&copy.chmod, classic) {
            (Some(_), _) => {
                format!("`--link` does nothing beside `--chmod`: BuildKit makes a plain {keyword} of it")
            }
            (None, true) => "`--link` does nothing with the classic image store of the Engine".to_owned(),
            (None, false) => continue,
        };
        let end = flag.span.end;
        let blank = cx.text().get(end as usize..).is_some_and(|rest| rest.starts_with(' '));
        let gone = Span { start: flag.span.start, end: end + u32::from(blank) };
        out.report(flag.span, message)
            .help(match copy.chmod {
                Some(_) => "set the mode where the file comes from and drop `--chmod`, or drop `--link`",
                None => "use the containerd image store or another builder, or drop `--link`",
            })
            .fix(Fix::needs_a_look("drop `--link`").delete(cx.path(), gone));
    }
}

/// COPYs of the image that stand on nothing but a base that moves, and on which no RUN stands.
fn missing(cx: &DockerfileCx<'_>, out: &mut Sink) {
    let graph = cx.graph();
    let Some(target) = graph.target else { return };
    let Some(image) = graph.base_image(target).map(str::to_owned) else { return };
    let steps: Vec<(StepId, &Step<'_>)> = graph.steps_of(target).collect();
    let run = steps.iter().rposition(|(_, step)| matches!(step.kind, StepKind::Run(_)));
    let after = steps.get(run.map_or(0, |run| run + 1)..).unwrap_or_default();
    let owner = after.iter().any(|(_, step)| {
        matches!(step.kind, StepKind::Workdir(_)) && !matches!(&*step.state.user, "" | "root" | "0")
    });
    let candidates: Vec<(StepId, &Step<'_>)> = after
        .iter()
        .filter(|(id, step)| match &step.kind {
            StepKind::Copy(copy) => {
                !owner
                    && !step.onbuild
                    && fits(copy)
                    && !is_guessed(cx, *id, copy)
                    && is_large(cx, *id, copy)
                    && !is_prepared(cx, &steps, copy)
                    && !needs_directory(cx, *id, step)
            }
            _ => false,
        })
        .copied()
        .collect();
    // Windows layers cannot be put on each other.
    if candidates.is_empty() || is_windows(cx, &image) {
        return;
    }
    let ids: Vec<StepId> = candidates.iter().map(|(id, _)| *id).collect();
    let linked = cx.model().kept_if_linked(&ids, &image);
    if !linked.contains(&true) {
        return;
    }
    let now = cx.model().after(&[Change::Base(Some(image.clone()))]);
    let kept: Vec<(StepId, &Step<'_>)> = candidates
        .iter()
        .zip(linked)
        .filter(|((id, _), kept)| *kept && now.runs_again(*id))
        .map(|(candidate, _)| *candidate)
        .collect();
    let Some((first, step)) = kept.first() else { return };
    let numbers: Vec<u32> = kept.iter().map(|(id, _)| cx.line_of(*id)).collect();
    let image = code(&image, 60);
    let message = match kept.len() {
        1 => format!("when {image} changes, this layer is made and uploaded again; with `--link` it is kept"),
        _ => format!(
            "when {image} changes, the layers of {} are made and uploaded again; with `--link` they are kept",
            lines(&numbers)
        ),
    };
    let mut own = Fix::needs_a_look("add `--link`");
    for (_, step) in &kept {
        own = own.insert(cx.path(), step.instruction.keyword_span.end, " --link");
    }
    out.report(step.instruction.span, message)
        .help("write `COPY --link`: the layer then does not depend on what is below it")
        .causes(cx.causes(now.because(*first)))
        .fix(own);
}

/// Whether a RUN of the stage gave the destination an owner, a mode or another place: a layer of its own, which brings the
/// directory anew, would take that back.
fn is_prepared(cx: &DockerfileCx<'_>, steps: &[(StepId, &Step<'_>)], copy: &CopyStep<'_>) -> bool {
    const CHANGES: [&str; 6] = ["chown", "chmod", "install", "ln", "useradd", "adduser"];
    if !cx.model().visit(steps.len()) {
        return true;
    }
    let dest = path::clean(&copy.dest);
    let within = |inner: &str, outer: &str| {
        inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    steps.iter().filter(|(_, step)| matches!(step.kind, StepKind::Run(_))).any(|(id, step)| {
        cx.facts.script(*id).commands.iter().any(|command| {
            command.program().is_some_and(|name| CHANGES.contains(&name))
                && command.args().iter().any(|word| {
                    let here = match &command.cwd {
                        Cwd::Path(there) if there.starts_with('/') => there.to_string(),
                        Cwd::Path(there) => format!("{}/{there}", step.state.cwd),
                        _ => step.state.cwd.to_string(),
                    };
                    let absolute = word.text.starts_with('/');
                    let place = path::clean(&if absolute {
                        word.text.to_string()
                    } else {
                        format!("{here}/{}", word.text)
                    });
                    within(&dest, &place) && place != "/" || within(&place, &dest)
                })
        })
    })
}

/// Whether a file may land in a directory of the base that only the base knows: a layer of its own would make a file of it.
fn is_guessed(cx: &DockerfileCx<'_>, id: StepId, copy: &CopyStep<'_>) -> bool {
    let name = path::base(&copy.dest);
    let bare = !copy.dest.ends_with('/') && !copy.parents && !name.contains('.');
    let file = |written: &Written| written.kind == WrittenKind::File && path::base(&written.taken) != name;
    bare && cx.model().writes(id).iter().any(file)
}

/// Whether it is worth it: a script or a configuration file is uploaded in no time.
fn is_large(cx: &DockerfileCx<'_>, id: StepId, copy: &CopyStep<'_>) -> bool {
    copy.from != Source::Context
        || cx.model().writes(id).iter().any(|written| written.kind == WrittenKind::Directory)
}

/// Directories that every image has.
const DIRECTORIES: [&str; 12] =
    ["bin", "etc", "home", "include", "lib", "local", "opt", "sbin", "share", "src", "tmp", "usr"];

/// Whether the destination may be a directory that stands below (`COPY --from=build /out/app /usr/local/bin`): with `--link`
/// nothing stands below, and the file takes its place.
fn needs_directory(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>) -> bool {
    let StepKind::Copy(copy) = &step.kind else { return false };
    let [source] = copy.sources.as_slice() else { return false };
    let known = cx.model().writes(id).iter().any(|written| written.kind == WrittenKind::Directory);
    if copy.dest.ends_with('/') || copy.parents || known {
        return false;
    }
    if !cx.model().visit(cx.graph().steps_of(step.stage).count()) {
        return true;
    }
    let base = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned();
    let dest = copy.dest.as_str();
    let above =
        |place: &str| place.strip_prefix(dest).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let used = cx.graph().steps_of(step.stage).any(|(other, step)| {
        let wrote = || cx.model().writes(other).iter().any(|written| above(&written.path));
        above(&step.state.cwd) || other != id && wrote()
    });
    used || base(&source.text) != base(dest) && DIRECTORIES.contains(&base(dest).as_str())
}

fn is_windows(cx: &DockerfileCx<'_>, image: &str) -> bool {
    let names = ["windows", "nanoserver", "servercore"];
    cx.model().options().platform.starts_with("windows") || names.iter().any(|name| image.contains(name))
}

/// Whether `--link` would have an effect, and no other than this one as far as the text tells.
fn fits(copy: &CopyStep<'_>) -> bool {
    let dest = copy.dest.trim_end_matches('/');
    let linked = LINKS
        .iter()
        .any(|link| dest == *link || dest.strip_prefix(link).is_some_and(|rest| rest.starts_with('/')));
    let numeric = copy
        .chown
        .as_deref()
        .is_none_or(|owner| owner.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'));
    !copy.add && !copy.link && copy.chmod.is_none() && numeric && !dest.is_empty() && !linked
}
