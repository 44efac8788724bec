//! `plan`: every build joined with what it builds, and what the plan of each is.

use super::around::Rest;
use super::guard::guarded;
use super::join;
use crate::builds::{Build, ContextSource, Driver, Front, Setting, Value, daemon};
use crate::context::path;
use crate::dockerfile::{self, Dockerfile};
use crate::plan::{self, BuildPlan, DaemonPlan, Edit, EditKind, Subject, Unplanned};
use crate::project::{FileError, Project};
use crate::rules::manifests::Reads;
use crate::rules::{DockerfileCx, Facts, typical};
use crate::settings::{BuilderSettings, Settings};
use crate::source::SourceFile;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many typical edits of one build are asked about.
const MAX_EDITS: usize = 8;

/// What planning came to.
#[derive(Clone, Debug, Default)]
pub struct PlanReport {
    /// In the order of files and places.
    pub plans: Vec<BuildPlan>,
    /// Daemons whose garbage collection should change.
    pub daemons: Vec<DaemonPlan>,
    /// Builds without a plan, and why.
    pub unplanned: Vec<Unplanned>,
    /// The files that could not be read, sorted.
    pub errors: Vec<FileError>,
}

/// Plans every build of the project.
#[must_use]
pub fn plan(project: &Project, settings: &Settings) -> PlanReport {
    let (found, unread) = join::builds_of(project);
    let mut report = PlanReport { errors: project.errors.clone(), ..PlanReport::default() };
    report.errors.extend(unread);
    let builds: Vec<Build> = found
        .iter()
        .filter(|build| !is_repeated(build, &found))
        .map(|build| configured(build, settings))
        .collect();
    let texts: BTreeMap<Arc<str>, Arc<SourceFile>> = dockerfiles(project, &builds);
    let syntaxes: BTreeMap<Arc<str>, Dockerfile<'_>> = texts
        .iter()
        .filter_map(|(path, file)| Some((path.clone(), guarded(|| dockerfile::parse(&file.text)).ok()?)))
        .collect();
    let joined: Vec<Joined<'_>> =
        builds.par_iter().map(|build| join(project, &texts, &syntaxes, build)).collect();
    let mut known: Vec<(&Build, &SourceFile, &SourceFile, Facts<'_>)> = Vec::new();
    for (build, joined) in builds.iter().zip(joined) {
        let Some(file) = project.file(&build.path) else { continue };
        match joined {
            Ok((dockerfile, facts)) => known.push((build, file, dockerfile, facts)),
            Err(why) => report.unplanned.push(Unplanned {
                path: build.path.clone(),
                line: file.line(build.span.start),
                name: build.name.clone(),
                why,
            }),
        }
    }
    let files = |path: &str| project.text(path);
    let rest = Rest::new(project, settings, &builds);
    // Builds of one target in one context are edited in the same way.
    let key = |build: &Build, dockerfile: &SourceFile, facts: &Facts<'_>| {
        let target = build.target.as_ref().map(|target| target.value.clone());
        (dockerfile.path.clone(), facts.directory.clone(), target)
    };
    let mut first: BTreeMap<_, usize> = BTreeMap::new();
    for (at, (build, _, dockerfile, facts)) in known.iter().enumerate() {
        first.entry(key(build, dockerfile, facts)).or_insert(at);
    }
    let edited: BTreeMap<_, Vec<Edit>> = first
        .into_par_iter()
        .filter_map(|(key, at)| {
            let (_, file, dockerfile, facts) = known.get(at)?;
            let (settings, syntax) = (settings.at(&file.path), facts.model.graph.dockerfile);
            let cx = DockerfileCx { file: dockerfile, syntax, settings, facts, files: &files, around: &rest };
            Some((key, guarded(|| edits(&cx)).unwrap_or_default()))
        })
        .collect();
    let subjects: Vec<Subject<'_>> = known
        .iter()
        .map(|(build, file, dockerfile, facts)| Subject {
            build,
            file,
            model: &facts.model,
            dockerfile,
            directory: facts.directory.clone(),
            edits: edited.get(&key(build, dockerfile, facts)).cloned().unwrap_or_default(),
            disk: settings.at(&file.path).builder.disk.map(|size| size.0),
        })
        .collect();
    match guarded(|| plan::plan(&subjects)) {
        Ok(plans) => report.plans = plans,
        Err(panic) => report.errors.push(FileError {
            path: Arc::from(""),
            message: format!("hitrate failed while it planned: {panic}"),
        }),
    }
    report.daemons = daemons(project, settings);
    // What stands around what was asked for has its say in a plan, and no plan of its own.
    report.plans.retain(|plan| project.is_asked(&plan.path) || project.is_asked(&plan.dockerfile));
    report.unplanned.retain(|build| project.is_asked(&build.path));
    report.daemons.retain(|daemon| project.is_asked(&daemon.path));
    report.unplanned.dedup();
    report.errors.sort();
    report.errors.dedup();
    report
}

type Joined<'a> = Result<(&'a SourceFile, Facts<'a>), String>;

/// A definition (a bake target, a Compose service, a template) of which another build says the same and more.
fn is_repeated(build: &Build, all: &[Build]) -> bool {
    let started = all.iter().any(|other| {
        other.defined.as_ref().is_some_and(|(path, span)| (path, *span) == (&build.path, build.span))
    });
    let called = build.template
        && all.iter().any(|other| !other.template && (&other.path, other.span) == (&build.path, build.span));
    started || called
}

/// The build with what the configuration says of its builder where no file does.
fn configured(build: &Build, settings: &Settings) -> Build {
    let BuilderSettings { driver, persistent, containerd_store, buildkit, buildx, engine, compose, .. } =
        &settings.at(&build.path).builder;
    let mut build = build.clone();
    if let (Driver::Unknown, Some(driver)) = (build.builder.driver, driver) {
        build.builder.driver = *driver;
    }
    build.builder.persistent = build.builder.persistent.or(*persistent);
    build.builder.containerd_store = build.builder.containerd_store.or(*containerd_store);
    let versions = [("buildkit", buildkit), ("buildx", buildx), ("engine", engine), ("compose", compose)];
    for (name, version) in versions {
        if let Some(version) = version
            && !build.builder.versions.iter().any(|(known, _)| known == name)
        {
            build.builder.versions.push((name.to_owned(), Setting::new(version.clone(), build.span)));
        }
    }
    build
}

/// The Dockerfiles that builds name.
fn dockerfiles(project: &Project, builds: &[Build]) -> BTreeMap<Arc<str>, Arc<SourceFile>> {
    join::built(project, builds).into_iter().map(|(path, built)| (path, built.file)).collect()
}

fn join<'a>(
    project: &Project,
    texts: &'a BTreeMap<Arc<str>, Arc<SourceFile>>,
    syntaxes: &'a BTreeMap<Arc<str>, Dockerfile<'a>>,
    build: &'a Build,
) -> Joined<'a> {
    let not = match build.front {
        Front::Kaniko => Some("kaniko has a cache of its own kind, which hitrate does not model"),
        Front::GithubBuilder => Some(
            "docker/github-builder builds it: `cache: true` and `cache-mode: max` are all the cache settings it has",
        ),
        Front::Buildah => {
            Some("buildah and podman have a cache of their own kind, which hitrate does not model")
        }
        _ if build.builder.legacy.is_some() => Some("BuildKit is switched off"),
        _ if matches!(build.no_cache.as_ref().map(|set| &set.value), Some(Value::Known(text)) if text != "false") => {
            Some("it is built with --no-cache")
        }
        _ if build.cache_from.iter().chain(&build.cache_to).any(|spec| spec.value.kind().is_none()) => {
            Some("its cache settings are known only when it runs")
        }
        _ if build.dockerfile_inline.is_some() => Some("its Dockerfile stands in the build itself"),
        _ => None,
    };
    if let Some(not) = not {
        return Err(not.to_owned());
    }
    let path = join::dockerfile_of(build).ok_or_else(|| match &build.context.value {
        ContextSource::Git { .. } => "its context is another repository".to_owned(),
        _ => "its Dockerfile is not known".to_owned(),
    })?;
    let (Some(file), Some(syntax)) = (texts.get(path.as_str()), syntaxes.get(path.as_str())) else {
        return Err(format!("its Dockerfile {path} is not in the project"));
    };
    let (model, directory) = guarded(|| join::model_of(project, &path, syntax, build))
        .map_err(|panic| format!("hitrate failed: {panic}"))?;
    let stages = 0..model.graph.stages.len();
    if stages.filter_map(|stage| model.graph.base_image(stage)).any(is_windows) {
        return Err("it builds on a Windows image, which hitrate does not model".to_owned());
    }
    if model.graph.target.is_none() {
        return Err(format!("{path} has no stage"));
    }
    Ok((file, Facts::new(model, directory, vec![build])))
}

fn is_windows(image: &str) -> bool {
    ["windows/", "nanoserver", "windowsservercore"].iter().any(|part| image.contains(part))
}

/// Typical edits of what a build takes: for each step a source and a manifest, else any file.
fn edits(cx: &DockerfileCx<'_>) -> Vec<Edit> {
    let model = cx.model();
    let jobs = cx.run_uses().flat_map(|(_, _, _, uses)| &uses.tools).filter(|used| used.kind.downloads());
    let reads = Reads::of(jobs);
    // Every file is asked once, not for every step that takes it.
    let named = |file: &str| reads.covers(file) && !is_prose(file);
    let known: Option<BTreeSet<String>> = model
        .context()
        .map(|context| context.visible().files("").into_iter().filter(|file| named(file)).collect());
    let is_manifest = |file: &str| match &known {
        Some(known) => known.contains(file),
        None => named(file),
    };
    let mut edits: Vec<Edit> = Vec::new();
    let add = |edits: &mut Vec<Edit>, file: String, kind: EditKind| {
        if edits.len() < MAX_EDITS && !edits.iter().any(|edit| edit.file == file) {
            edits.push(Edit { file, kind });
        }
    };
    let steps: Vec<_> = model
        .graph
        .all_steps()
        .filter(|(_, step)| model.graph.reachable.get(step.stage).copied().unwrap_or(false))
        .map(|(id, _)| id)
        .collect();
    for step in steps {
        let selections = model.selections(step);
        if selections.is_empty() {
            continue;
        }
        let named = || {
            let sources = selections.iter().flat_map(|selection| selection.sources.clone());
            sources
                .filter(|source| !crate::context::has_wildcards(source))
                .map(|source| path::below_root(&source))
                .collect()
        };
        let files: Vec<String> = model.taken_files(step).unwrap_or_else(named);
        let manifests = files.iter().filter(|file| is_manifest(file));
        let order = |file: &&String| {
            let name = path::base(file).to_ascii_lowercase();
            (file.matches('/').count(), name.contains("lock") || name.ends_with(".sum"), (*file).clone())
        };
        if let Some(manifest) = manifests.min_by_key(order) {
            add(&mut edits, manifest.clone(), EditKind::Manifest);
        }
        if let Some(source) = typical::edited(cx, step, None, &is_manifest) {
            add(&mut edits, source, EditKind::Source);
        }
    }
    for (_, file) in model.typical_edits() {
        let known = is_manifest(file);
        add(&mut edits, file.clone(), if known { EditKind::Manifest } else { EditKind::Other });
    }
    edits
}

fn is_prose(file: &str) -> bool {
    ["README", "LICENSE"].iter().any(|prose| path::base(file).starts_with(prose))
}

/// The daemons' files, read for their garbage collection.
fn daemons(project: &Project, settings: &Settings) -> Vec<DaemonPlan> {
    let mut plans = Vec::new();
    for file in &project.others {
        let read = match path::base(&file.path) {
            "buildkitd.toml" => daemon::read_buildkitd(&file.text),
            "daemon.json" => daemon::read_dockerd(&file.text),
            _ => continue,
        };
        let disk = settings.at(&file.path).builder.disk.map(|size| size.0);
        if let Ok(daemon) = read {
            plans.extend(plan::plan_daemon(&file.path, &daemon, disk));
        }
    }
    plans
}
