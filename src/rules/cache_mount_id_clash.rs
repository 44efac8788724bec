//! `cache-mount-id-clash`: one cache mount holds what must be kept apart.

use super::mounting::{cache_mounts, touches};
use super::system::{System, follows_target, system_of};
use super::{
    BuildCx, Category, DockerfileCx, Fix, Fixable, Meta, Place, ProjectCx, Rule, Safety, Severity, Sink,
};
use crate::builds::{Build, Value};
use crate::dockerfile::MountOption;
use crate::graph::{MountStep, StepId, StepKind};
use crate::tools::{CacheDir, Mount, Per};
use std::collections::BTreeMap;

static META: Meta = Meta {
    name: "cache-mount-id-clash",
    category: Category::Mount,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-mount-id-clash.md"),
};

/// See the page.
pub(super) struct CacheMountIdClash;

impl Rule for CacheMountIdClash {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // BuildKit keeps one directory per id, and one per owner (facts §1.6): the RUNs that share one are compared.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        for shared in shared(cx).values() {
            two_systems(cx, shared, out);
            two_caches(cx, shared, out);
        }
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for file in cx.dockerfiles {
            let of_file =
                |build: &&BuildCx<'_>| build.dockerfile.is_some_and(|other| other.path() == file.path());
            let several: Vec<(Place, Vec<String>, &BuildCx<'_>)> = cx
                .builds
                .iter()
                .filter(of_file)
                .filter_map(|build| platforms(build.build).map(|(place, names)| (place, names, build)))
                .collect();
            if !several.is_empty() {
                for shared in shared(file).values() {
                    two_platforms(file, shared, &several, out);
                }
            }
        }
    }
}

/// A mount and a cache directory of a tool that it holds.
struct Held<'a> {
    step: StepId,
    stage: usize,
    mount: &'a MountStep<'a>,
    dir: &'a CacheDir<'a>,
    system: Option<System>,
}

/// What BuildKit keeps apart: id, uid, gid, mode.
type Store<'a> = (&'a str, Option<u32>, Option<u32>, Option<u32>);

fn shared<'a>(cx: &DockerfileCx<'a>) -> BTreeMap<Store<'a>, Vec<Held<'a>>> {
    let mut stores: BTreeMap<Store<'a>, Vec<Held<'a>>> = BTreeMap::new();
    for (id, step, _, uses) in cx.run_uses() {
        let StepKind::Run(run) = &step.kind else { continue };
        if step.onbuild {
            continue;
        }
        for mount in cache_mounts(run) {
            let sure = uses.tools.iter().filter(|used| used.sure);
            for dir in sure.flat_map(|used| &used.caches).filter(|dir| dir.sure) {
                let over = dir.path.as_deref().is_some_and(|path| {
                    touches(dir, &mount.target) || dir.mount == Mount::No && path == mount.target
                });
                if over {
                    let system = system_of(cx, step.stage);
                    let held = Held { step: id, stage: step.stage, mount, dir, system };
                    stores.entry((&mount.id, mount.uid, mount.gid, mount.mode)).or_default().push(held);
                }
            }
        }
    }
    stores
}

/// Stages on bases whose content must not be in one directory.
fn two_systems(cx: &DockerfileCx<'_>, shared: &[Held<'_>], out: &mut Sink) {
    let mut told: Vec<&System> = Vec::new();
    for (at, held) in shared.iter().enumerate() {
        let Some(system) = held.system.as_ref().filter(|system| !told.contains(system)) else { continue };
        let clash = shared.iter().take(at).find_map(|other| {
            let theirs = other.system.as_ref()?;
            let same = std::ptr::eq(other.dir.cache, held.dir.cache);
            let apart = held.dir.cache.per.iter().any(|per| system.differs(theirs, *per));
            (same && apart).then_some((other, theirs))
        });
        let Some((other, theirs)) = clash else { continue };
        told.push(system);
        let (target, tool) = (&held.mount.target, &held.dir.owner.name);
        out.report(
            held.mount.syntax.span,
            format!(
                "{tool} on `{}` shares the cache mount on `{target}` with `{}` in line {}",
                system.image,
                theirs.image,
                cx.line_of(other.step)
            ),
        )
        .cause(other.mount.syntax.span, reason(held.dir))
        .help("give one of them an `id` of its own")
        .fix(renamed(
            cx,
            shared.iter().filter(|held| held.system.as_ref() == Some(system)),
            &system.word(),
        ));
    }
}

/// A build for several platforms.
fn two_platforms(
    cx: &DockerfileCx<'_>,
    shared: &[Held<'_>],
    builds: &[(Place, Vec<String>, &BuildCx<'_>)],
    out: &mut Sink,
) {
    let per = |held: &&Held<'_>| {
        let crossed = cx.uses(held.step).tools.iter().any(|used| {
            let command = cx.command(held.step, used);
            command.is_some_and(|command| {
                command
                    .args()
                    .iter()
                    .any(|word| word.text == "--target" || word.text.starts_with("--target="))
            })
        });
        held.dir.cache.per.contains(&Per::Platform)
            && follows_target(cx, held.stage)
            && !crossed
            && !is_variable(held.mount)
    };
    let reached = |held: &&Held<'_>, build: &BuildCx<'_>| {
        build.model.is_some_and(|model| model.graph.reachable.get(held.stage).copied().unwrap_or(false))
    };
    let found = shared.iter().filter(per).find_map(|held| {
        let build = builds.iter().find(|(_, _, build)| reached(&held, build))?;
        Some((held, build))
    });
    let Some((held, (place, platforms, _))) = found else { return };
    let target = &held.mount.target;
    let variable = ["TARGETARCH", "TARGETPLATFORM"].into_iter().find(|name| {
        let known =
            |held: &Held<'_>| cx.graph().step(held.step).is_some_and(|step| step.state.get(name).is_some());
        shared.iter().all(known)
    });
    let fix = variable.and_then(|name| renamed(cx, shared.iter(), &format!("${name}")));
    let place_of = cx.place(held.mount.syntax.span);
    out.report_at(
        place_of.clone(),
        format!("{} share the cache mount on `{target}`", super::words::list(platforms)),
    )
    .cause_at(place_of, reason(held.dir))
    .cause_at(place.clone(), "builds for several platforms")
    .help("declare `ARG TARGETARCH` and put `$TARGETARCH` into the mount's `id`")
    .fix(fix);
}

/// The platforms of a build that has several, and where they are set.
fn platforms(build: &Build) -> Option<(Place, Vec<String>)> {
    let mut found: Vec<String> = Vec::new();
    for setting in &build.platforms {
        let Value::Known(text) = &setting.value else { continue };
        for platform in text.split([',', '\n']).map(str::trim).filter(|text| !text.is_empty()) {
            if !found.iter().any(|known| known == platform) {
                found.push(platform.to_owned());
            }
        }
    }
    let first = build.platforms.first()?;
    let path = first.path.clone().unwrap_or_else(|| build.path.clone());
    (found.len() > 1).then_some((Place { path, span: first.span }, found))
}

/// One written id for the caches of two tools.
fn two_caches(cx: &DockerfileCx<'_>, shared: &[Held<'_>], out: &mut Sink) {
    for (at, held) in shared.iter().enumerate().filter(|(_, held)| held.mount.explicit_id) {
        let other = |other: &&Held<'_>| {
            !std::ptr::eq(other.dir.cache, held.dir.cache)
                && other.mount.target != held.mount.target
                && other.dir.path != held.dir.path
        };
        let Some(other) = shared.iter().take(at).find(other) else { continue };
        let (id, tool) = (&held.mount.id, &held.dir.owner.name);
        let own = |other: &&Held<'_>| other.mount.target == held.mount.target;
        out.report(
            held.mount.syntax.span,
            format!(
                "`id={id}` is one directory for `{}` of {tool} and `{}` of {}",
                held.mount.target, other.mount.target, other.dir.owner.name
            ),
        )
        .cause(other.mount.syntax.span, "what one of them removes or locks, the other loses or waits for")
        .help("give each an `id` of its own")
        .fix(renamed(cx, shared.iter().filter(own), &last(&held.mount.target)));
        return;
    }
}

fn reason(dir: &CacheDir<'_>) -> String {
    match dir.cache.per_reason.as_str() {
        "" => "what is in it does not fit both".to_owned(),
        reason => reason.to_owned(),
    }
}

/// Whether the id changes with a variable already.
fn is_variable(mount: &MountStep<'_>) -> bool {
    ["id", "target", "dst", "destination"]
        .iter()
        .filter_map(|key| option(mount, key)?.value.as_ref())
        .any(|word| word.text.contains('$'))
}

fn option<'m, 'a>(mount: &'m MountStep<'a>, key: &str) -> Option<&'m MountOption<'a>> {
    mount.syntax.option(&[key])
}

fn last(target: &str) -> String {
    target.trim_end_matches('/').rsplit('/').next().unwrap_or("").trim_start_matches('.').to_owned()
}

/// Every one of `mounts` with another id that ends in `word`.
fn renamed<'m, 'a: 'm>(
    cx: &DockerfileCx<'_>,
    mounts: impl Iterator<Item = &'m Held<'a>>,
    word: &str,
) -> Option<Fix> {
    let mut fix = Fix::safe("Give the mount an id of its own");
    let mut done = Vec::new();
    for held in mounts {
        let span = held.mount.syntax.span;
        if done.contains(&span.start) {
            continue;
        }
        done.push(span.start);
        let text = span.of(cx.text());
        if is_variable(held.mount) || text.contains(['"', '\'', '\n']) {
            return None;
        }
        fix = match option(held.mount, "id").and_then(|option| option.value.as_ref()) {
            Some(id) => fix.insert(cx.path(), id.span.end, format!("-{word}")),
            None => {
                let mut parts = held.mount.target.rsplit('/').filter(|part| !part.is_empty());
                let tool = &held.dir.owner.name;
                let part = parts.find(|part| *part != tool).unwrap_or("cache").trim_start_matches('.');
                fix.insert(cx.path(), span.end, format!(",id={tool}-{part}-{word}"))
            }
        };
    }
    (!done.is_empty()).then_some(fix)
}
