//! Analyses that follow one another.
#![allow(clippy::unwrap_used)]

use hitrate::engine::{self, Memory};
use hitrate::project::Project;
use hitrate::settings::{ConfigFile, Flags, Settings};
use std::sync::Arc;

fn project() -> Project {
    let files = [
        ("Dockerfile", "FROM alpine\nCOPY . .\n"),
        ("a/Dockerfile", "# hitrate: ignore[mutable-base]\nFROM debian\n"),
        ("b/Dockerfile", "FROM debian:12\nRUN make\n"),
        (".dockerignore", ".git\n"),
        ("build.sh", "#!/bin/sh\ndocker build -t b b\n"),
    ];
    Project::in_memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())))
}

#[test]
fn an_analysis_that_remembers_is_the_same_as_one_that_does_not() {
    let settings = Arc::new(Settings::default());
    let mut memory = Memory::default();
    let mut project = project();
    let edits = [
        ("Dockerfile", "FROM alpine:3.22\nCOPY . .\n"),
        ("a/Dockerfile", "# hitrate: ignore[mutable-base]\nFROM debian:12\n"),
        ("a/Dockerfile", "FROM\n"),
        (".dockerignore", ".git\ntarget\n"),
        ("b/Dockerfile", "FROM debian\n"),
        ("build.sh", "#!/bin/sh\ndocker build -t a a\n"),
        ("a/Dockerfile", "FROM debian\n"),
        ("new/Dockerfile", "FROM debian:latest\n"),
        ("new/Dockerfile", "FROM debian:12\n"),
        ("hitrate: ignore", "x"),
        ("Dockerfile", ""),
        ("Dockerfile", "FROM alpine\nCOPY . .\n"),
    ];
    let mut seen = 0;
    for (path, text) in edits {
        project = project.with_texts([(path, text)], None);
        let fresh = engine::analyze(&project, &settings);
        let again = engine::analyze_again(&project, &settings, &mut memory);
        assert_eq!(again.findings, fresh.findings, "after {path:?} became {text:?}");
        assert_eq!((again.errors, again.files), (fresh.errors, fresh.files));
        assert!(again.sources.keys().eq(fresh.sources.keys()));
        seen += fresh.findings.len();
    }
    assert!(seen > 5, "the edits show something: {seen}");
}

#[test]
fn what_rests_on_another_dockerfile_is_not_remembered_over_it() {
    let files = [
        ("Dockerfile", "FROM golang:1.25\nCOPY . .\nRUN go build\n"),
        ("docs.Dockerfile", "FROM nginx:1.29\nCOPY main.go /\n"),
        ("README.md", ""),
        ("main.go", ""),
        (".dockerignore", ".dockerignore\n*Dockerfile\n"),
    ];
    let mut project = Project::in_memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let settings = Arc::new(Settings::default());
    let mut memory = Memory::default();
    let mut noise = |project: &Project| {
        let report = engine::analyze_again(project, &settings, &mut memory);
        report.findings.iter().filter(|finding| finding.rule == "context-noise").count()
    };
    assert_eq!(noise(&project), 1);
    project = project.with_texts([("docs.Dockerfile", "FROM nginx:1.29\nCOPY README.md /\n")], None);
    assert_eq!(noise(&project), 0, "the other Dockerfile needs it now");
    project = project.with_texts([("docs.Dockerfile", "FROM nginx:1.29\nCOPY main.go /\n")], None);
    assert_eq!(noise(&project), 1);
}

#[test]
fn other_settings_are_not_remembered_over() {
    let project = project();
    let mut memory = Memory::default();
    let before = engine::analyze_again(&project, &Arc::new(Settings::default()), &mut memory);
    assert!(before.findings.iter().any(|finding| finding.rule == "mutable-base"));
    let file = ConfigFile::parse("[rules]\nignore = [\"mutable-base\"]\n", "hitrate.toml", &["mutable-base"]);
    let settings =
        Settings::new(vec![(String::new(), "hitrate.toml".into(), file.unwrap())], &Flags::default());
    let after = engine::analyze_again(&project, &Arc::new(settings.unwrap()), &mut memory);
    assert!(after.findings.iter().all(|finding| finding.rule != "mutable-base"));
}

#[test]
fn one_dockerfile_is_looked_at_as_rules_see_it() {
    let project = project();
    let settings = Arc::new(Settings::default());
    let mut memory = Memory::default();
    let seen = engine::look(&project, &settings, &memory, "Dockerfile", |cx| {
        (cx.graph().stages.len(), cx.facts.directory.clone())
    });
    assert_eq!(seen, Some((1, Some(String::new()))));
    assert_eq!(engine::look(&project, &settings, &memory, "none", |_| ()), None);
    let builds = |memory: &Memory| {
        engine::look(&project, &settings, memory, "b/Dockerfile", |cx| cx.facts.builds.len())
    };
    assert_eq!(builds(&memory), Some(1));
    let _ = engine::analyze_again(&project, &settings, &mut memory);
    assert_eq!(builds(&memory), Some(1));
}
