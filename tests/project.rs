//! The room that touches the disk: what is found, what is read and what is said of the rest, contexts, git, writing.
#![allow(clippy::unwrap_used)]

use hitrate::builds::System;
use hitrate::context::{CopySelection, Entry, select};
use hitrate::project::git::{Difference, Git, GitError};
use hitrate::project::{
    FileKind, Found, Project, ReadError, WriteError, absolute, configurations, discover, discover_around,
    load, read_text, relative, root_for, root_of, write_text,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, text) in files {
        put(root.path(), path, text.as_bytes());
    }
    root
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn found(root: &Path, paths: &[&str]) -> Found {
    let paths: Vec<PathBuf> = paths.iter().map(|path| absolute(root, path)).collect();
    discover(root, &paths)
}

fn names(found: &Found) -> Vec<&str> {
    found.files.iter().map(|file| &*file.path).collect()
}

fn errors(project: &Project) -> Vec<(&str, &str)> {
    project.errors.iter().map(|error| (&*error.path, error.message.as_str())).collect()
}

const DOCKERFILE: &str = "FROM scratch\n";

#[test]
fn discovery_honours_gitignore_and_looks_into_hidden_directories() {
    let root = directory(&[
        ("Dockerfile", DOCKERFILE),
        ("Dockerfile.j2", DOCKERFILE),
        ("web/prod.Dockerfile", DOCKERFILE),
        (".gitignore", "out/\n/local.Dockerfile\n"),
        ("out/Dockerfile", DOCKERFILE),
        ("local.Dockerfile", DOCKERFILE),
        ("web/local.Dockerfile", DOCKERFILE),
        (".github/workflows/ci.yml", "on: push\n"),
        (".git/Dockerfile", DOCKERFILE),
        ("src/main.rs", ""),
        ("web/.dockerignore", ""),
        ("hitrate.toml", ""),
    ]);
    let all = found(root.path(), &["."]);
    assert_eq!(
        names(&all),
        [
            ".github/workflows/ci.yml",
            "Dockerfile",
            "hitrate.toml",
            "web/.dockerignore",
            "web/local.Dockerfile",
            "web/prod.Dockerfile",
        ]
    );
    assert_eq!(all.errors, []);
    assert_eq!(names(&found(root.path(), &["web"])).len(), 3);
}

#[test]
fn what_is_named_is_taken() {
    let root = directory(&[
        (".gitignore", "*\n"),
        ("Dockerfile", DOCKERFILE),
        ("odd", DOCKERFILE),
        ("Dockerfile.j2", DOCKERFILE),
        ("ci/build.sh", "true\n"),
    ]);
    let named = found(root.path(), &["odd", "Dockerfile.j2", "./ci/../ci/build.sh", ".", "odd"]);
    let kinds: Vec<_> = named.files.iter().map(|file| (&*file.path, file.kind, file.explicit)).collect();
    assert_eq!(
        kinds,
        [
            ("Dockerfile.j2", FileKind::Dockerfile, true),
            ("ci/build.sh", FileKind::Build(System::Shell), true),
            ("odd", FileKind::Dockerfile, true),
        ]
    );
    let project = load(root.path(), named);
    assert_eq!(project.dockerfiles.len(), 2);
    assert!(project.file("ci/build.sh").is_some(), "a script that was named is kept whatever it says");
}

#[test]
fn scripts_are_kept_where_they_name_a_builder() {
    let root = directory(&[
        ("a.sh", "docker build .\n"),
        ("b.sh", "echo\n"),
        ("Makefile", "all:\n\tcargo build\n"),
        ("package.json", "{\"scripts\": {\"image\": \"docker build .\"}}"),
        ("compose.yml", "services: {}\n"),
        ("latin.sh", ""),
    ]);
    put(root.path(), "latin.sh", b"# \xe9\n");
    let project = load(root.path(), found(root.path(), &["."]));
    let others: Vec<_> = project.others.iter().map(|file| &*file.path).collect();
    assert_eq!(others, ["a.sh", "compose.yml", "package.json"]);
    assert_eq!(errors(&project), []);
}

#[cfg(unix)]
#[test]
fn executable_scripts_are_known_by_their_first_line() {
    use std::os::unix::fs::PermissionsExt;
    let root = directory(&[
        ("bin/image", "#!/bin/sh\ndocker build .\n"),
        ("bin/other", "#!/usr/bin/python3\ndocker = 1\n"),
        ("bin/plain", "#!/bin/sh\ndocker build .\n"),
    ]);
    for name in ["bin/image", "bin/other"] {
        fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(names(&found(root.path(), &["."])), ["bin/image"]);
}

#[test]
fn bad_input_is_one_error_each_and_the_rest_goes_on() {
    let root = directory(&[("Dockerfile", DOCKERFILE), ("d/Dockerfile.dir/x", "")]);
    put(root.path(), "Dockerfile.utf16", b"F\0R\0O\0M\xff");
    put(root.path(), "Dockerfile.big", &vec![b'#'; 4 * 1024 * 1024 + 1]);
    put(root.path(), "Dockerfile.full", &vec![b'#'; 4 * 1024 * 1024]);
    let project =
        load(root.path(), found(root.path(), &[".", "missing", "missing/Dockerfile", "Dockerfile/x"]));
    assert_eq!(
        errors(&project),
        [
            ("Dockerfile.big", "is larger than 4 MiB"),
            ("Dockerfile.utf16", "is not UTF-8 (byte 7)"),
            ("Dockerfile/x", "does not exist"),
            ("missing", "does not exist"),
            ("missing/Dockerfile", "does not exist"),
        ]
    );
    let read: Vec<_> = project.dockerfiles.iter().map(|file| &*file.path).collect();
    assert_eq!(read, ["Dockerfile", "Dockerfile.full"]);
    assert_eq!(read_text(&root.path().join("d/Dockerfile.dir")), Err(ReadError::Directory));
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_not_read() {
    let root = directory(&[("Dockerfile", DOCKERFILE)]);
    let pipe = root.path().join("Dockerfile.pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(read_text(&pipe), Err(ReadError::Special));
    assert_eq!(read_text(Path::new("/dev/null")), Err(ReadError::Special));
    let project = load(root.path(), found(root.path(), &["."]));
    assert_eq!(errors(&project), [("Dockerfile.pipe", "is not a regular file")]);
    // As a part of a context it is there, and never opened.
    let context = project.hashed_context("", None).unwrap();
    assert!(context.tree().get("Dockerfile.pipe").is_some());
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_the_project_only() {
    use std::os::unix::fs::symlink;
    let outside = directory(&[("Dockerfile", DOCKERFILE), ("sub/Dockerfile", DOCKERFILE)]);
    let root = directory(&[("a/Dockerfile", DOCKERFILE), ("text", DOCKERFILE)]);
    let link = |target: &Path, name: &str| symlink(target, root.path().join(name)).unwrap();
    link(&outside.path().join("Dockerfile"), "Dockerfile.out");
    link(&outside.path().join("sub"), "linked");
    link(Path::new("a/Dockerfile"), "Dockerfile.again");
    link(Path::new("text"), "Dockerfile.other-name");
    link(Path::new("nowhere"), "Dockerfile.dangling");
    link(Path::new("Dockerfile.loop"), "Dockerfile.loop");
    assert_eq!(names(&found(root.path(), &["."])), ["Dockerfile.other-name", "a/Dockerfile"]);
    assert_eq!(names(&found(root.path(), &["Dockerfile.out"])), ["Dockerfile.out"], "named explicitly");
    let project = load(root.path(), found(root.path(), &["."]));
    assert_eq!(project.context("linked", None).unwrap_err().as_ref(), "it is outside the project");
    assert!(project.text("linked/Dockerfile").is_none() && project.text("Dockerfile.out").is_none());
    assert!(project.text("Dockerfile.again").is_some());
}

#[test]
fn a_directory_with_pipelines_that_the_repository_does_not_include_is_a_root() {
    let files =
        [("examples/a/.gitlab-ci.yml", ""), ("examples/a/Dockerfile", ""), ("b/.buildkite/p.yml", "")];
    let root = directory(&files);
    let at = |path: &str| root.path().join(path);
    fs::create_dir(at(".git")).unwrap();
    let of = |path: &str| root_for(root.path(), &[at(path)]);
    assert_eq!(of("examples/a/Dockerfile"), at("examples/a"));
    assert_eq!(of("b"), at("b"));
    assert_eq!(of("examples"), root.path());
    // Its own may include those below it.
    fs::write(at(".gitlab-ci.yml"), "include: {local: examples/a/.gitlab-ci.yml}\n").unwrap();
    assert_eq!(of("examples/a"), root.path());
}

#[test]
fn the_root_is_the_repository_or_the_configuration() {
    let root = directory(&[("a/b/c/x", ""), ("a/hitrate.toml", "")]);
    let at = |path: &str| root.path().join(path);
    assert_eq!(root_of(&at("a/b/c")), at("a"));
    fs::create_dir(at(".git")).unwrap();
    assert_eq!(root_of(&at("a/b/c")), root.path());
    assert_eq!(root_for(&at("a/b"), &[at("a/b/c/x")]), root.path());
    let other = directory(&[("p/q/Dockerfile", ""), ("p/hitrate.toml", "")]);
    let file = other.path().join("p/q/Dockerfile");
    assert_eq!(root_for(&at("a/b"), std::slice::from_ref(&file)), other.path().join("p"));
    assert_eq!(root_for(&at("a/b"), &[file, other.path().join("p")]), other.path().join("p"));
    let found = found(&at("a"), &["."]);
    let files = configurations(&at("a"), &[at("a/b/c")], &found);
    let files: Vec<_> = files.iter().map(|file| (file.directory.as_str(), &*file.path)).collect();
    assert_eq!(files, [("", "hitrate.toml")]);
    assert_eq!(configurations(&at("a/b"), &[at("a/b")], &Found::default()), []);
}

#[test]
fn paths_are_relative_to_the_root() {
    let root = Path::new("/work/project");
    for (path, expected) in [
        ("/work/project/a/b", "a/b"),
        ("/work/project", ""),
        ("/work/other/x", "../other/x"),
        ("/work/project/../other", "../other"),
        ("/work/project/a/../b", "b"),
        ("/", "../.."),
    ] {
        assert_eq!(relative(root, Path::new(path)), expected, "{path}");
    }
    assert_eq!(absolute(root, "./a/../../x"), Path::new("/work/x"));
}

#[test]
fn what_starts_the_builds_is_found_around_the_paths() {
    let root = directory(&[
        (".github/workflows/ci.yml", ""),
        (".buildkite/pipeline.yml", ""),
        (".gitignore", "scratch\n/deploy/old/\n"),
        ("compose.yml", ""),
        ("deploy/old/compose.yml", ""),
        ("deploy/new/compose.yml", ""),
        ("deploy/new/.gitignore", "!kept.sh\n*.sh\n!kept.sh\n"),
        ("deploy/new/gone.sh", ""),
        ("deploy/new/kept.sh", ""),
        ("scratch/Dockerfile", DOCKERFILE),
        ("web/node_modules/x/Dockerfile", DOCKERFILE),
        ("services/Makefile", ""),
        ("services/api/Dockerfile", DOCKERFILE),
        ("services/web/Dockerfile", DOCKERFILE),
    ]);
    let found = discover_around(root.path(), &[root.path().join("services/api")]);
    let expected = [
        ".buildkite/pipeline.yml",
        ".github/workflows/ci.yml",
        "compose.yml",
        "deploy/new/compose.yml",
        "deploy/new/kept.sh",
        "services/Makefile",
        "services/api/Dockerfile",
        "services/web/Dockerfile",
    ];
    assert_eq!(names(&found), expected);
    let all = discover_around(root.path(), &[root.path().to_path_buf()]);
    assert_eq!(names(&all), [""; 0], "nothing is around the whole");
}

#[test]
fn the_walk_around_the_paths_ends() {
    let root = directory(&[("a/b/compose.yml", ""), ("z/Dockerfile", DOCKERFILE)]);
    for number in 0..9_000 {
        fs::write(root.path().join(format!("a/{number}")), "").unwrap();
    }
    let found = discover_around(root.path(), &[root.path().join("z/Dockerfile")]);
    assert_eq!(names(&found), ["z/Dockerfile"], "what is deeper than where it ends is not found");
}

fn project(files: &[(&str, &str)]) -> (TempDir, Project) {
    let root = directory(files);
    let project = load(root.path(), found(root.path(), &["."]));
    (root, project)
}

#[test]
fn a_context_is_the_work_tree_without_what_dockerignore_names() {
    let (_root, project) = project(&[
        ("Dockerfile", DOCKERFILE),
        (".gitignore", "dist/\n"),
        (".dockerignore", "node_modules\n*.md\n"),
        ("dist/app.js", "built"),
        ("node_modules/x/index.js", ""),
        ("README.md", ""),
        ("src/a.js", "a"),
        (".hidden/x", ""),
    ]);
    let context = project.context("", Some("Dockerfile")).unwrap();
    assert_eq!(
        context.visible().files(""),
        [".dockerignore", ".gitignore", ".hidden/x", "Dockerfile", "dist/app.js", "src/a.js"],
        "what git ignores is sent all the same"
    );
    assert_eq!(context.tree().get("node_modules"), Some(Entry::Directory { mode: mode(0o755) }));
    assert!(context.tree().get("node_modules/x").is_none(), "an ignored directory is not entered");
    assert!(context.tree().get("README.md").is_some());
    let sub = project.context("./src/", None).unwrap();
    assert_eq!(sub.visible().files(""), ["a.js"]);
    assert_eq!(project.context("nowhere", None).unwrap_err().as_ref(), "there is no such directory");
    assert_eq!(project.context("..", None).unwrap_err().as_ref(), "it is outside the project");
    assert!(std::sync::Arc::ptr_eq(&context, &project.context(".", Some("Dockerfile")).unwrap()), "once");
}

/// The mode that a directory gets here.
fn mode(unix: u32) -> u32 {
    if cfg!(unix) { unix & !umask() } else { 0o755 }
}

#[cfg(unix)]
fn umask() -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let made = TempDir::new().unwrap();
    fs::create_dir(made.path().join("d")).unwrap();
    0o777 & !fs::metadata(made.path().join("d")).unwrap().permissions().mode()
}

#[cfg(not(unix))]
fn umask() -> u32 {
    0
}

#[test]
fn the_dockerfiles_own_ignore_file_replaces_the_other() {
    let (_root, project) = project(&[
        ("docker/api.Dockerfile", DOCKERFILE),
        ("docker/api.Dockerfile.dockerignore", ""),
        ("docker/web.Dockerfile", DOCKERFILE),
        (".dockerignore", "docker\n"),
        ("a", ""),
    ]);
    let sees = |dockerfile| project.context("", Some(dockerfile)).unwrap().sees("docker/web.Dockerfile");
    assert!(sees("docker/api.Dockerfile"), "even an empty one");
    assert!(!sees("docker/web.Dockerfile"));
    let ignore = project.ignore_file("", Some("docker/api.Dockerfile")).unwrap().unwrap();
    assert_eq!(&*ignore.path, "docker/api.Dockerfile.dockerignore");
}

#[test]
fn a_broken_ignore_file_makes_the_context_unknown() {
    let (root, project) = project(&[("Dockerfile", DOCKERFILE), (".dockerignore", "ok\n[a\n"), ("a/x", "")]);
    let reason = project.context("", None).unwrap_err();
    assert_eq!(&*reason, "line 2 of its ignore file is broken: syntax error in pattern");
    put(root.path(), "a/.dockerignore", b"\xff");
    assert_eq!(project.context("a", None).unwrap_err().as_ref(), "a/.dockerignore is not UTF-8 (byte 0)");
}

#[test]
fn unsaved_texts_lie_over_the_disk() {
    let (_root, project) = project(&[("Dockerfile", DOCKERFILE), ("a.md", ""), ("src/x", "")]);
    assert!(project.context("", None).unwrap().sees("a.md"));
    let texts = [(".dockerignore", "*.md\n"), ("Dockerfile", "FROM busybox\n"), ("b.Dockerfile", "")];
    let edited = project.with_texts(texts, None);
    let context = edited.context("", Some("Dockerfile")).unwrap();
    assert!(!context.sees("a.md") && context.sees("b.Dockerfile") && context.sees(".dockerignore"));
    assert_eq!(edited.dockerfile("Dockerfile").unwrap().text, "FROM busybox\n");
    assert_eq!(edited.dockerfiles.len(), 2);
    assert_eq!(project.dockerfile("Dockerfile").unwrap().text, DOCKERFILE, "the other state is as it was");
    assert!(project.context("", Some("Dockerfile")).unwrap().sees("a.md"));
    let odd = project.with_texts([("build/stage", DOCKERFILE)], Some("build/stage"));
    assert!(odd.dockerfile("build/stage").is_some());
}

#[test]
fn stamps_tell_paths_apart_and_hashes_do_not() {
    let (root, project) = project(&[("p/d/x", "same"), ("q/d/x", "same")]);
    let digests = |context: &hitrate::context::Context| {
        ["p/d", "q/d"].map(|path| select::digest(context.visible(), &CopySelection::of(path)).unwrap())
    };
    let [p, q] = digests(&project.context("", None).unwrap());
    assert_ne!(p, q);
    let [p, q] = digests(&project.hashed_context("", None).unwrap());
    assert_eq!(p, q);
    put(root.path(), "q/d/x", b"else");
    let [p, q] = digests(&project.hashed_context("", None).unwrap());
    assert_ne!(p, q, "what is on the disk now is what is hashed");
}

#[test]
fn a_project_in_memory_has_contexts_too() {
    let files = [
        ("Dockerfile", DOCKERFILE),
        ("app/main.py", ""),
        ("app/.dockerignore", "*.pyc\n"),
        ("app/a.pyc", ""),
    ];
    let project = Project::in_memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    assert_eq!(project.context("app", None).unwrap().visible().files(""), [".dockerignore", "main.py"]);
    assert!(project.text("app/main.py").is_some() && project.text("app/missing").is_none());
    assert!(Project::default().context("", None).is_err());
}

#[test]
fn files_are_written_whole_and_keep_their_mode() {
    let root = directory(&[("f", "old"), ("changed", "new")]);
    let at = |path: &str| root.path().join(path);
    let write =
        |path: &str, before: Option<&str>, after: &str| write_text(root.path(), &at(path), before, after);
    #[cfg(unix)]
    fs::set_permissions(at("f"), std::os::unix::fs::PermissionsExt::from_mode(0o751)).unwrap();
    assert_eq!(write("f", Some("old"), "text"), Ok(()));
    assert_eq!(fs::read_to_string(at("f")).unwrap(), "text");
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(at("f")).unwrap().permissions()) & 0o777,
        0o751
    );
    assert_eq!(write("changed", Some("old"), "x"), Err(WriteError::Changed));
    assert_eq!(fs::read_to_string(at("changed")).unwrap(), "new");
    assert_eq!(write(".dockerignore", None, "x\n"), Ok(()));
    assert_eq!(write(".dockerignore", None, "y\n"), Err(WriteError::Exists));
    assert_eq!(fs::read_to_string(at(".dockerignore")).unwrap(), "x\n");
    assert_eq!(write("gone", Some(""), "x"), Err(WriteError::Read(ReadError::Missing)));
    assert!(matches!(write("no/where", None, "x"), Err(WriteError::Io(_))));
    let mut left: Vec<_> = fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [".dockerignore", "changed", "f"], "no temporary file stays");
}

#[cfg(unix)]
#[test]
fn writing_through_a_link_keeps_the_link_and_stays_inside() {
    use std::os::unix::fs::symlink;
    let outside = directory(&[("f", "old")]);
    let root = directory(&[("d/f", "old"), ("locked", "old")]);
    let at = |path: &str| root.path().join(path);
    symlink("d/f", at("link")).unwrap();
    symlink(outside.path().join("f"), at("out")).unwrap();
    assert_eq!(write_text(root.path(), &at("link"), Some("old"), "new"), Ok(()));
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(at("d/f")).unwrap(), "new");
    assert_eq!(write_text(root.path(), &at("out"), Some("old"), "new"), Err(WriteError::Outside));
    assert_eq!(fs::read_to_string(outside.path().join("f")).unwrap(), "old");
    fs::set_permissions(at("locked"), std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    assert_eq!(write_text(root.path(), &at("locked"), Some("old"), "new"), Err(WriteError::ReadOnly));
}

fn git(root: &Path, args: &[&str]) {
    let status = Command::new("git")
        .current_dir(root)
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
        .args(args)
        .output()
        .unwrap();
    assert!(status.status.success(), "{args:?}: {}", String::from_utf8_lossy(&status.stderr));
}

#[test]
fn git_tells_trees_changes_and_old_texts() {
    let root = directory(&[
        ("Dockerfile", DOCKERFILE),
        ("app/run", "#!/bin/sh\n"),
        ("app/b/c", "same"),
        ("app/b/d", "same"),
        ("apple/x", ""),
        ("Grüße \"x\".txt", ""),
        (".gitignore", "ignored\n"),
    ]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("b/c", root.path().join("app/link")).unwrap();
        fs::set_permissions(root.path().join("app/run"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    git(root.path(), &["init", "-q"]);
    git(root.path(), &["add", "-A"]);
    git(root.path(), &["commit", "-qm", "first"]);
    let repository = Git::open(&root.path().join("app")).unwrap();
    assert_eq!(fs::canonicalize(repository.root()).unwrap(), fs::canonicalize(root.path()).unwrap());

    let tree = repository.tree("HEAD", "").unwrap();
    assert!(tree.get("Grüße \"x\".txt").is_some());
    let app = repository.tree("HEAD", "app").unwrap();
    let names = app.files("");
    #[cfg(unix)]
    {
        assert_eq!(names, ["b/c", "b/d", "link", "run"]);
        assert_eq!(app.get("link"), Some(Entry::Symlink { target: "b/c".into() }));
        assert!(matches!(app.get("run"), Some(Entry::File(file)) if file.mode == 0o755));
    }
    assert!(names.contains(&"b/c".to_owned()));
    assert_eq!(app.get("b/c"), app.get("b/d"), "equal blobs are equal contents");
    assert!(repository.tree("HEAD", "nowhere").unwrap().is_empty());

    put(root.path(), "Dockerfile", b"FROM busybox\n");
    put(root.path(), "new", b"");
    put(root.path(), "ignored", b"");
    fs::remove_file(root.path().join("app/b/c")).unwrap();
    fs::rename(root.path().join("apple/x"), root.path().join("apple/y")).unwrap();
    let changes = repository.changes("HEAD").unwrap();
    let changes: Vec<_> = changes.iter().map(|(path, difference)| (path.as_str(), *difference)).collect();
    use Difference::{Added, Deleted, Modified};
    assert_eq!(
        changes,
        [
            ("Dockerfile", Modified),
            ("app/b/c", Deleted),
            ("apple/x", Deleted),
            ("apple/y", Added),
            ("new", Added)
        ]
    );
    assert_eq!(repository.read("HEAD", "Dockerfile").unwrap().as_deref(), Some(DOCKERFILE));
    assert_eq!(repository.read("HEAD", "new").unwrap(), None);
    assert_eq!(repository.read("HEAD", "app").unwrap(), None, "a directory is no file");
}

#[test]
fn git_that_cannot_answer_is_an_error() {
    let root = directory(&[("a", "")]);
    assert_eq!(Git::open(root.path()).unwrap_err(), GitError::NoRepository);
    assert_eq!(Git::open(&root.path().join("missing")).unwrap_err(), GitError::NoRepository);
    git(root.path(), &["init", "-q"]);
    let repository = Git::open(root.path()).unwrap();
    for revision in ["HEAD", "", "--output=x", "no\nsuch", "HEAD:a"] {
        let expected = GitError::NoRevision(revision.to_owned());
        assert_eq!(repository.tree(revision, "").unwrap_err(), expected);
        assert_eq!(repository.changes(revision).unwrap_err(), expected);
        assert_eq!(repository.read(revision, "a").unwrap_err(), expected);
    }
    assert!(!root.path().join("x").exists());
}
