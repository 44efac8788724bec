//! Plans over everything at hand: what is recommended never runs more than what is in use, and the numbers are those of
//! the recorded builds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // this whole crate is a test

use hitrate::engine::{self, PlanReport};
use hitrate::fix::{self, Safety, Texts};
use hitrate::plan::{BuildPlan, Count};
use hitrate::project::Project;
use hitrate::settings::Settings;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

type Files = Vec<(String, String)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn plan(files: &Files) -> PlanReport {
    engine::plan(&Project::in_memory(files.clone()), &Settings::default())
}

fn total(counts: &[Count]) -> u32 {
    Count::sum(counts).total()
}

/// What a plan promises, and what comes of it when it is written.
fn hold(name: &str, files: &Files) -> usize {
    let report = plan(files);
    for plan in &report.plans {
        never_more(name, plan, &plan.recommendation.counts);
    }
    let project = Project::in_memory(files.clone());
    let again = |changed: &Texts| {
        let texts = changed.iter().map(|(path, text)| (&**path, text.as_str()));
        let report = engine::plan(&project.with_texts(texts, None), &Settings::default());
        report.plans.into_iter().filter_map(|plan| plan.recommendation.fix).collect()
    };
    let outcome = fix::run(|path| project.text(path).map(|file| file.text.clone()), Safety::Safe, again);
    assert!(outcome.converged, "{name}: the edits do not come to an end");
    let texts = outcome.changed.iter().map(|(path, text)| (&**path, text.as_str()));
    let written = engine::plan(&project.with_texts(texts, None), &Settings::default());
    assert_eq!(written.errors, report.errors, "{name}: a file that was mended can no longer be read");
    for (before, after) in report.plans.iter().zip(&written.plans) {
        never_more(name, before, &after.in_use.counts);
        assert!(
            before.recommendation.fix.is_none() || after.recommendation.fix.is_none(),
            "{name}: there is still something to write at line {}",
            after.line
        );
    }
    report.plans.len()
}

fn never_more(name: &str, plan: &BuildPlan, counts: &[Vec<Count>]) {
    for ((change, now), then) in plan.changes.iter().zip(&plan.in_use.counts).zip(counts) {
        assert!(
            total(then) <= total(now),
            "{name}: {}:{}: after {change:?} {} steps instead of {}",
            plan.path,
            plan.line,
            total(then),
            total(now)
        );
    }
}

fn read(directory: &Path, path: &str, files: &mut Files) {
    let mut entries: Vec<_> = fs::read_dir(directory).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if path.is_empty() { name } else { format!("{path}/{name}") };
        if entry.path().is_dir() {
            read(&entry.path(), &below, files);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push((below, text));
        }
    }
}

#[test]
fn of_the_cases() {
    let mut plans = 0;
    for entry in fs::read_dir(root().join("cases")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            let mut files = Files::new();
            read(&entry, "", &mut files);
            plans += hold(&entry.display().to_string(), &files);
        }
    }
    assert!(plans >= 15, "{plans} plans");
}

/// Recorded scenarios with their Dockerfile and context as text.
fn truth() -> Vec<(String, Value, Files)> {
    let mut all = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    for theme in fs::read_dir(root().join("truth")).unwrap().map(|entry| entry.unwrap().path()) {
        if theme.is_dir() {
            paths.extend(fs::read_dir(theme).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let scenario: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let (name, dockerfile) =
            (scenario["name"].as_str().unwrap(), scenario["dockerfile"].as_str().unwrap());
        let mut files = vec![("Dockerfile".to_owned(), dockerfile.to_owned())];
        for (path, file) in scenario["files"].as_object().into_iter().flatten() {
            files.extend(file.as_str().map(|text| (path.clone(), text.to_owned())));
        }
        let ignore = scenario["dockerignore"].as_str().unwrap_or("");
        files.push((".dockerignore".to_owned(), format!("{ignore}\n.github\n.gitlab-ci.yml\n")));
        all.push((name.to_owned(), scenario, files));
    }
    all
}

/// Settings as people have them, in two systems.
fn settings() -> Vec<(String, String)> {
    let workflow = |on: &str, steps: &[&str]| {
        let step = |with: &&str| {
            format!("      - uses: docker/build-push-action@v6\n        with:\n          context: .\n{with}")
        };
        let steps: String = steps.iter().map(step).collect();
        let text = format!(
            "on: {on}\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/setup-buildx-action@v3\n{steps}"
        );
        (".github/workflows/image.yml".to_owned(), text)
    };
    let gitlab = |flags: &[&str]| {
        let job = |(number, flags): (usize, &&str)| {
            format!(
                "job{number}:\n  extends: .docker\n  stage: {}\n  script:\n    - docker buildx build --push -t $CI_REGISTRY_IMAGE:latest {flags} .\n",
                ["build", "deploy"][number % 2]
            )
        };
        let jobs: String = flags.iter().enumerate().map(job).collect();
        let text = format!(
            ".docker:\n  image: docker:28\n  services: [docker:28-dind]\n  before_script:\n    - docker context create c\n    - docker buildx create --use --driver docker-container c\n{jobs}"
        );
        (".gitlab-ci.yml".to_owned(), text)
    };
    let push = "          push: true\n          tags: registry.example.com/app:latest\n";
    let with = |cache: &str| format!("{push}{cache}");
    let main = "{push: {branches: [main]}}";
    let both = "{push: {branches: [main]}, pull_request: {}}";
    let registry = "          cache-from: type=registry,ref=registry.example.com/app:cache\n          cache-to: type=registry,ref=registry.example.com/app:cache";
    let commit = "          build-args: GIT_COMMIT=${{ github.sha }}\n";
    let own = "--cache-from type=registry,ref=$CI_REGISTRY_IMAGE:c-$CI_COMMIT_REF_SLUG";
    let to = "--cache-to type=registry,ref=$CI_REGISTRY_IMAGE:c-$CI_COMMIT_REF_SLUG,mode=max";
    vec![
        workflow(main, &[push]),
        workflow(both, &["          push: false\n"]),
        workflow(main, &[&with(&format!("{registry}\n"))]),
        workflow(both, &[&with(&format!("{registry},mode=max\n{commit}"))]),
        workflow(
            main,
            &[&with(
                "          cache-from: type=registry,ref=registry.example.com/app:latest\n          cache-to: type=inline\n",
            )],
        ),
        workflow(both, &["          cache-from: type=gha\n          cache-to: type=gha\n"]),
        workflow(
            "{push: {tags: ['v*']}}",
            &[&with("          cache-from: type=gha\n          cache-to: type=gha,mode=max\n")],
        ),
        workflow(
            main,
            &[
                &with(&format!("{registry},mode=max\n          target: a\n")),
                &with(&format!("{registry},mode=max\n{commit}")),
            ],
        ),
        gitlab(&[&format!("{own} --cache-from type=registry,ref=$CI_REGISTRY_IMAGE:c-main {to}")]),
        gitlab(&[&format!("--build-arg A=$CI_COMMIT_SHA {own} {to}"), &format!("{own} {to}")]),
        gitlab(&["--cache-from $CI_REGISTRY_IMAGE:latest --build-arg BUILDKIT_INLINE_CACHE=1", ""]),
    ]
}

#[test]
fn of_every_recorded_dockerfile_under_settings_that_people_have() {
    let settings = settings();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let distinct: Vec<(String, Files)> = truth()
        .into_iter()
        .filter(|(_, scenario, _)| seen.insert(scenario["dockerfile"].to_string()))
        .map(|(name, _, files)| (name, files))
        .collect();
    assert!(distinct.len() > 150, "{} Dockerfiles", distinct.len());
    // Each has a few of the settings, so that all pairs of neighbours come up often enough.
    let plans: usize = distinct
        .par_iter()
        .enumerate()
        .map(|(number, (name, files))| {
            let chosen = [number % settings.len(), (number * 5 + 3) % settings.len()];
            let of = |index: &usize| {
                let mut files = files.clone();
                files.push(settings[*index].clone());
                hold(&format!("{name} with {}", settings[*index].1), &files)
            };
            chosen.iter().map(of).sum::<usize>()
        })
        .sum();
    assert!(plans > 250, "{plans} plans");
}

#[test]
fn the_numbers_are_those_of_the_recorded_builds() {
    let workflow = &settings()[0];
    let mut compared = 0;
    for (name, scenario, mut files) in truth() {
        // The matrix of graphs and exporters: each change on a fresh builder that imports what the first build exported.
        let Some((graph, kind)) = name.strip_prefix("remote/").and_then(|name| name.split_once('-')) else {
            continue;
        };
        let row = match kind {
            "none" => "none",
            "inline" => "inline",
            "registry-min" => "registry-min",
            "registry-max" => "registry-max",
            _ => continue,
        };
        if !["one", "two", "three", "inherit"].contains(&graph) {
            continue;
        }
        files.push(workflow.clone());
        let report = plan(&files);
        let plan = &report.plans[0];
        let alternative = plan.alternatives.iter().find(|one| one.name == row).unwrap();
        for (change, counts) in plan.changes.iter().zip(&alternative.counts) {
            let label = match (change.file.as_deref(), change.kind) {
                (Some("manifest"), _) => "edit-manifest",
                (Some("conf"), _) => "edit-conf",
                (Some(file), _) if file.starts_with("src") => "edit-source",
                (None, hitrate::plan::TypicalKind::Nothing) => "no-change",
                (None, hitrate::plan::TypicalKind::NewBase) => "base-changed",
                _ => continue,
            };
            let builds = scenario["builds"].as_array().unwrap();
            let Some(at) = builds.iter().position(|build| build["label"] == label) else { continue };
            let steps = scenario["truth"][at]["steps"].as_array().unwrap();
            let ran = |step: &&Value| step["status"] == "EXECUTED" && step["instr"] != "FROM";
            let ran = u32::try_from(steps.iter().filter(ran).count()).unwrap();
            let count = Count::sum(counts);
            assert!(
                count.reruns <= ran && ran <= count.total(),
                "{name} {label}: {ran} steps ran, the plan says {count:?}"
            );
            assert!(count.depends <= 2, "{name} {label}: the plan does not know: {count:?}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared} compared");
}
