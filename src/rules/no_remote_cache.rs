//! `no-remote-cache`: a build on a builder that starts empty, without any cache setting.

use super::{
    BuildCx, Category, Cause, Fixable, MAX_QUESTIONS, Meta, Place, ProjectCx, Rule, Severity, Sink, ToolUse,
    words,
};
use crate::builds::{Build, ContextSource, Front, System};
use crate::cache::{self, Change, Export, ExportMode, Model};
use crate::graph::{StepId, StepKind};
use std::collections::BTreeMap;

static META: Meta = Meta {
    name: "no-remote-cache",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/no-remote-cache.md"),
};

/// See the page.
pub(super) struct NoRemoteCache;

impl Rule for NoRemoteCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut places: BTreeMap<Place, Vec<Bare<'_, '_>>> = BTreeMap::new();
        for (at, build) in cx.builds.iter().enumerate() {
            let Some(severity) = severity(build.build) else { continue };
            if built_before(build, cx.builds.get(..at).unwrap_or_default()) || !starts_empty(build) {
                continue;
            }
            let Some(model) = build.model.filter(|model| !is_windows(model)) else { continue };
            let commands = commands(model);
            // One short command is not worth a cache.
            let [first, _, ..] = commands.as_slice() else { continue };
            let Some(kept) = kept(build, model, &commands) else { continue };
            let bare = Bare { build, severity, first: *first, commands: commands.len(), kept };
            places.entry(build.place(build.build.span)).or_default().push(bare);
        }
        for (place, found) in places {
            report(place, &found, out);
        }
    }
}

/// How many of the builds at one place a finding names.
const MAX_BUILDS: usize = 6;

/// A build without a cache.
struct Bare<'c, 'a> {
    build: &'c BuildCx<'a>,
    severity: Severity,
    first: StepId,
    /// How many commands it runs.
    commands: usize,
    /// What a cache would keep.
    kept: Kept,
}

/// The edit after which a cache keeps most.
struct Kept {
    /// The step that takes the edited file, and the file.
    edit: Option<(StepId, String)>,
    commands: usize,
}

/// One finding for a place, however many images are built there: what has to change stands there once.
fn report(place: Place, found: &[Bare<'_, '_>], out: &mut Sink) {
    let mut files: Vec<&Bare<'_, '_>> = Vec::new();
    for bare in found {
        let path = |bare: &Bare<'_, '_>| bare.build.dockerfile.map(|cx| cx.path().clone());
        match files.iter_mut().find(|known| path(known) == path(bare)) {
            Some(known) if known.commands < bare.commands => *known = bare,
            Some(_) => {}
            None => files.push(bare),
        }
    }
    let Some(first) = files.first() else { return };
    let Some(cx) = first.build.dockerfile else { return };
    let severity = found.iter().map(|bare| bare.severity).max().unwrap_or(Severity::Warning);
    let step_of = |bare: &Bare<'_, '_>, step: StepId| {
        let (model, cx) = (bare.build.model?, bare.build.dockerfile?);
        Some(cx.place(model.graph.step(step)?.instruction.span))
    };
    let sometimes = found.iter().all(|bare| bare.build.build.condition.is_some());
    let start = if sometimes {
        "whenever this build runs, it starts on an empty builder and imports no cache"
    } else {
        "every run starts on an empty builder and imports no cache"
    };
    let (message, mut causes): (String, Vec<Cause>) = if files.len() == 1 {
        let message = format!("{start}: all {} commands of {} run every time", first.commands, cx.path());
        let again = Cause {
            place: step_of(first, first.first),
            message: "the first command that runs again although nothing changed".into(),
        };
        let kept = first.kept.edit.as_ref().map(|(step, edit)| Cause {
            place: step_of(first, *step),
            message: format!(
                "after an edit of {} a cache would keep {} of {}",
                words::code(edit, 60),
                first.kept.commands,
                words::count(first.commands, "command")
            ),
        });
        (message, std::iter::once(again).chain(kept).collect())
    } else {
        let dockerfiles = words::count(files.len(), "Dockerfile");
        let message = format!("{start}: {dockerfiles} are built from nothing every time");
        let causes = files.iter().take(MAX_BUILDS).map(|bare| Cause {
            place: step_of(bare, bare.first),
            message: format!(
                "the first of {} commands that run again although nothing changed",
                bare.commands
            ),
        });
        (message, causes.collect())
    };
    if files.len() > MAX_BUILDS {
        causes.push(Cause { place: None, message: format!("{} more", files.len() - MAX_BUILDS) });
    }
    let condition = first.build.build.condition.as_ref().filter(|_| sometimes);
    let at = condition.map(|condition| first.build.place_of(condition)).filter(|at| *at != place);
    causes.extend(at.map(|at| Cause { place: Some(at), message: "decides whether it runs".into() }));
    out.report_at(place, message).severity(severity).help(help(first.build.build)).causes(causes);
}

/// What it is worth to say so: builds by schedule are there to start from nothing, those for releases run seldom.
fn severity(build: &Build) -> Option<Severity> {
    let trigger = &build.trigger;
    let routine = trigger.default_branch
        || trigger.any_branch
        || trigger.pull_request
        || trigger.pull_request_target
        || trigger.unknown;
    match (routine, trigger.release || trigger.manual, trigger.schedule) {
        (true, ..) | (false, false, false) => Some(Severity::Warning),
        (false, _, true) if !trigger.release => None,
        _ => Some(Severity::Info),
    }
}

/// Whether the job has built the Dockerfile before: its builder has what both have in common, and the cache is missing there.
fn built_before(build: &BuildCx<'_>, before: &[BuildCx<'_>]) -> bool {
    let again = |other: &BuildCx<'_>| {
        let (own, earlier) = (build.build, other.build);
        !own.job.is_empty()
            && (&own.job, &own.matrix) == (&earlier.job, &earlier.matrix)
            && (own.span != earlier.span)
            && other.dockerfile.map(|cx| cx.path()) == build.dockerfile.map(|cx| cx.path())
    };
    build.dockerfile.is_some() && before.iter().any(again)
}

fn starts_empty(build: &BuildCx<'_>) -> bool {
    let build = build.build;
    let plain = build.cache_from.is_empty() && build.cache_to.is_empty() && build.declined.is_none();
    let cached = build.no_cache.as_ref().is_none_or(|set| set.value.known() == Some("false"));
    let known = !matches!(build.front, Front::Kaniko | Front::Buildah | Front::Other | Front::Skaffold);
    let started = !matches!(build.system, System::Bake | System::Compose | System::Devcontainer);
    plain && known && started && cache::is_fresh(build) && cached
}

/// Windows images are built without BuildKit.
fn is_windows(model: &Model<'_>) -> bool {
    let windows =
        |image: &str| ["windows", "nanoserver", "servercore"].iter().any(|name| image.contains(name));
    (0..model.graph.stages.len()).filter_map(|stage| model.graph.base_image(stage)).any(windows)
}

/// The commands that run on an empty builder.
fn commands(model: &Model<'_>) -> Vec<StepId> {
    let answer = model.after_in(&[], &cache::Setting { fresh: true, ..cache::Setting::default() });
    let is_run =
        |step: &StepId| matches!(model.graph.step(*step).map(|step| &step.kind), Some(StepKind::Run(_)));
    answer.reruns().filter(is_run).collect()
}

/// What the best cache would keep of `commands` after an edit; `None` where no edit leaves anything: then a cache is of no use,
/// and other rules say why. The commits of a repository that leave a context below its root alone need none of them.
fn kept(build: &BuildCx<'_>, model: &Model<'_>, commands: &[StepId]) -> Option<Kept> {
    let best = cache::Setting {
        fresh: true,
        exports: vec![Export { to: "cache".into(), mode: ExportMode::Max }],
        imports: vec!["cache".into()],
        ..cache::Setting::default()
    };
    let after = |edit: &str| {
        let answer = model.after_in(&[Change::Edit(vec![edit.to_owned()])], &best);
        let cached = commands.iter().copied().filter(|step| answer.verdict(*step) == cache::Verdict::Cached);
        cached.collect::<Vec<StepId>>()
    };
    let edits = model.typical_edits();
    let part = matches!(&build.build.context.value, ContextSource::Path(path) if !path.is_empty());
    let all = (edits.is_empty() || part).then_some(Kept { edit: None, commands: commands.len() });
    let kept = edits.iter().take(MAX_QUESTIONS).filter_map(|(step, edit)| {
        let commands = after(edit);
        is_worth(build, &commands)
            .then(|| Kept { edit: Some((*step, edit.clone())), commands: commands.len() })
    });
    kept.max_by_key(|kept| kept.commands).or(all)
}

/// Whether these commands are worth a cache: several, or one that takes time.
fn is_worth(build: &BuildCx<'_>, commands: &[StepId]) -> bool {
    let costly = |step: &StepId| {
        // `apk add` is done in a second.
        let slow = |used: &&ToolUse<'_>| used.is_costly() && used.tool.name != "apk";
        build.dockerfile.is_some_and(|cx| cx.uses(*step).tools.iter().any(|used| slow(&used)))
    };
    commands.len() > 1 || commands.iter().any(costly)
}

fn help(build: &Build) -> &'static str {
    let trigger = &build.trigger;
    let tags = trigger.release && !trigger.default_branch && !trigger.any_branch && !trigger.pull_request;
    let plugin = build.builder.set_by == Some(build.span);
    match (build.system, build.front) {
        (System::GithubActions, Front::BuildPushAction | Front::Bake) if tags => {
            "add a registry cache (`cache-from: type=registry,ref=IMAGE:cache`, `cache-to: \
             type=registry,ref=IMAGE:cache,mode=max`) with docker/setup-buildx-action: what `type=gha` keeps for one tag no other tag sees"
        }
        (_, Front::GithubBuilder) => {
            "set `cache: true` and `cache-mode: max`, with a `cache-scope` for each image: the workflow's default is no cache"
        }
        (System::GithubActions, Front::BuildPushAction) => {
            "add `cache-from: type=gha,scope=NAME` and `cache-to: type=gha,mode=max,scope=NAME` with docker/setup-buildx-action, \
             or a registry cache"
        }
        (System::GithubActions, Front::Bake) => {
            "give each target `cache-from` and `cache-to` (`type=gha,scope=TARGET`, or `type=registry,ref=IMAGE:cache`; `mode=max`) with \
             docker/setup-buildx-action"
        }
        (System::GithubActions, Front::Compose | Front::ComposeClassic) => {
            "with docker/setup-buildx-action build the services by docker/bake-action, with `*.cache-from` and `*.cache-to` under \
             `set`, or give them `cache_from` and `cache_to`"
        }
        (System::GithubActions, _) => {
            "with docker/setup-buildx-action add `--cache-from type=registry,ref=IMAGE:cache --cache-to \
             type=registry,ref=IMAGE:cache,mode=max`, or build by docker/build-push-action with `type=gha`"
        }
        (System::CircleCi, _) => {
            "set `docker_layer_caching: true`, or create a docker-container builder and add `--cache-from \
             type=registry,ref=IMAGE:cache --cache-to type=registry,ref=IMAGE:cache,mode=max`"
        }
        (System::Drone, Front::DockerBuild) if plugin => {
            "use thegeeklab/drone-docker-buildx, whose `cache_from` and `cache_to` take `type=registry,ref=IMAGE:cache` (`mode=max` for \
             `cache_to`)"
        }
        (System::Woodpecker, Front::Buildx) if plugin => {
            "set `cache_images: [IMAGE:cache]`: the plugin imports it and exports to it with `mode=max`"
        }
        (System::Bitbucket, _) => {
            "push the image with `--build-arg BUILDKIT_INLINE_CACHE=1` and import it with `--cache-from IMAGE`: the predefined cache \
             `docker` keeps nothing of BuildKit's"
        }
        (_, Front::Compose | Front::ComposeClassic) => {
            "create a docker-container builder and give the services `cache_from` and `cache_to` \
             (`type=registry,ref=IMAGE:cache`, `mode=max` for `cache_to`)"
        }
        _ => {
            "create a docker-container builder and add `--cache-from type=registry,ref=IMAGE:cache --cache-to \
             type=registry,ref=IMAGE:cache,mode=max`"
        }
    }
}
