//! What COPY sources select and when the digest changes: each line is a fact of BuildKit's content hash, recorded in
//! the facts (content digest, wildcard rules) or read in cache/contenthash/checksum.go.
#![allow(clippy::unwrap_used)]

use hitrate::context::{
    Change, ContentId, Context, CopySelection, Digest, Entry, File, Ignore, SelectError, Tree, select,
};

fn file(text: &str) -> Entry {
    Entry::file(ContentId::of_bytes(text.as_bytes()), false)
}

fn link(target: &str) -> Entry {
    Entry::Symlink { target: target.into() }
}

fn context() -> Context {
    let tree: Tree = [
        "Dockerfile",
        "README.md",
        "go.mod",
        "src/main.go",
        "src/util.go",
        "src/sub/a.go",
        "src/sub/b.txt",
        "src/sum.go",
        "packages/one/package.json",
        "packages/one/index.js",
        "packages/two/package.json",
        "p/d/x",
        "q/d/x",
    ]
    .into_iter()
    .map(|path| (path, file(if path.ends_with("/x") { "x" } else { path })))
    .chain([("current", link("src")), ("packages/self", link("one")), ("dangling", link("/nowhere"))])
    .collect();
    Context::new(tree, Ignore::default())
}

fn select(context: &Context, selection: &CopySelection) -> Result<Digest, SelectError> {
    select::digest(context.visible(), selection)
}

fn of(source: &str) -> CopySelection {
    CopySelection::of(source)
}

fn parents(source: &str) -> CopySelection {
    CopySelection { parents: true, ..of(source) }
}

fn without(source: &str, exclude: &[&str]) -> CopySelection {
    CopySelection { exclude: exclude.iter().map(|text| (*text).to_owned()).collect(), ..of(source) }
}

/// Whether `change` changes the digest of `selection`.
fn notices(selection: &CopySelection, change: Change) -> bool {
    let before = context();
    let after = before.changed(&[change]);
    select(&before, selection).unwrap() != select(&after, selection).unwrap()
}

fn edit(path: &str) -> Change {
    Change::Edit(path.into())
}

fn add(path: &str) -> Change {
    Change::Write(path.into(), file("new"))
}

fn chmod(path: &str) -> Change {
    Change::Chmod(path.into(), 0o700)
}

#[test]
fn a_directory_is_its_header_and_all_below_it() {
    let src = of("src/");
    assert!(notices(&src, edit("src/sub/a.go")) && notices(&src, add("src/sub/new")));
    assert!(
        notices(&src, chmod("src")) && notices(&src, chmod("src/sub")) && notices(&src, chmod("src/main.go"))
    );
    assert!(notices(&src, Change::Rename("src/main.go".into(), "src/other.go".into())));
    assert!(notices(&src, Change::Write("src/empty".into(), Entry::Directory { mode: 0o755 })));
    assert!(!notices(&src, edit("README.md")) && !notices(&src, chmod("packages")));
}

#[test]
fn the_root_has_no_header() {
    let before = context();
    let mut tree = before.tree().clone();
    tree.chmod("", 0o700);
    let after = Context::new(tree, Ignore::default());
    assert_eq!(select(&before, &of(".")), select(&after, &of(".")));
    assert!(notices(&of("."), edit("README.md")) && notices(&of("."), add("new")));
}

#[test]
fn equal_content_at_another_path_is_equal() {
    let context = context();
    let digest = |source| select(&context, &of(source)).unwrap();
    assert_eq!(digest("p/d"), digest("q/d"));
    assert_eq!(digest("src"), digest("./src/"));
    assert_eq!(digest("src"), digest("/src"));
    assert_eq!(digest("src"), digest("../src"));
    assert_ne!(digest("src"), digest("src/sub"));
}

#[test]
fn wildcards_see_what_they_match() {
    let go = of("src/*.go");
    assert!(notices(&go, edit("src/main.go")) && notices(&go, add("src/new.go")));
    assert!(notices(&go, chmod("src/main.go")));
    assert!(!notices(&go, edit("src/sub/a.go")), "a wildcard does not reach into directories");
    assert!(!notices(&go, chmod("src")), "a parent's mode does not count");
    assert!(!notices(&go, add("src/new.txt")) && !notices(&go, edit("README.md")));
    // `src/s*` matches the directory `src/sub`, with all below it, and `src/sum.go`.
    let s = of("src/s*");
    assert!(
        notices(&s, edit("src/sub/b.txt"))
            && notices(&s, chmod("src/sub"))
            && notices(&s, edit("src/sum.go"))
    );
    assert!(!notices(&s, edit("src/main.go")));
    // `**` is `*`.
    assert!(
        notices(&of("src/**/a.go"), edit("src/sub/a.go")) && !notices(&of("**/b.txt"), edit("src/sub/b.txt"))
    );
}

#[test]
fn one_match_of_the_same_name_is_the_file_itself() {
    let context = context();
    let digest = |source| select(&context, &of(source)).unwrap();
    assert_eq!(digest("*/sub/a.go"), digest("src/sub/a.go"));
    assert_ne!(digest("src/sub/*.go"), digest("src/sub/a.go"));
}

#[test]
fn a_wildcard_without_a_match_is_no_error() {
    assert!(select(&context(), &of("*.nothing")).is_ok());
    assert!(select(&context(), &of("nowhere/*.go")).is_ok());
    assert!(notices(&of("*.nothing"), add("a.nothing")));
}

#[test]
fn missing_sources_are_errors() {
    let context = context();
    let missing = |selection: CopySelection| {
        let source = selection.sources[0].clone();
        assert_eq!(select(&context, &selection), Err(SelectError::Missing(source)));
    };
    missing(of("nothing"));
    missing(of("go.mod/x"));
    missing(of("dangling"));
    missing(of("dang*"));
    missing(without("nothing", &["x"]));
    missing(parents("packages/three/package.json"));
    missing(parents("three/./package.json"));
    assert!(select(&context, &parents("packages/*/nothing")).is_ok());
    assert_eq!(select(&context, &of("src/[")), Err(SelectError::Pattern("src/[".into())));
    assert_eq!(select(&context, &without(".", &["[a"])), Err(SelectError::Pattern("[a".into())));
    let literal = CopySelection { literal: true, ..of("*.md") };
    missing(literal);
}

#[test]
fn excluded_files_do_not_count() {
    let src = without("src", &["*.go", "sub/b.txt"]);
    assert!(!notices(&src, edit("src/main.go")) && !notices(&src, edit("src/sub/b.txt")));
    assert!(notices(&src, edit("src/sub/a.go")), "patterns are relative to the source");
    assert!(
        notices(&src, chmod("src")) && notices(&src, add("src/new.txt")) && !notices(&src, add("src/new.go"))
    );
    let again = without("src", &["sub", "!sub/a.go"]);
    assert!(notices(&again, edit("src/sub/a.go")) && !notices(&again, edit("src/sub/b.txt")));
    let glob = without("src/*", &["a.go"]);
    assert!(!notices(&glob, edit("src/sub/a.go")) && notices(&glob, edit("src/sub/b.txt")));
}

#[test]
fn parents_count_the_directories_above() {
    let manifests = parents("packages/*/package.json");
    assert!(notices(&manifests, edit("packages/two/package.json")));
    assert!(notices(&manifests, chmod("packages")) && notices(&manifests, chmod("packages/one")));
    assert!(notices(&manifests, add("packages/three/package.json")));
    assert!(!notices(&manifests, edit("packages/one/index.js")) && !notices(&manifests, edit("go.mod")));
    let pivot = parents("packages/./*/package.json");
    assert!(notices(&pivot, edit("packages/two/package.json")) && notices(&pivot, chmod("packages/one")));
    assert!(!notices(&pivot, chmod("src")));
    let deep = CopySelection { exclude: vec!["packages/one".into()], ..manifests };
    assert!(
        !notices(&deep, edit("packages/one/package.json"))
            && notices(&deep, edit("packages/two/package.json"))
    );
}

#[test]
fn links_are_followed_as_a_source_and_kept_inside() {
    assert!(
        notices(&of("current"), edit("src/main.go")) && notices(&of("current/sub"), edit("src/sub/a.go"))
    );
    assert!(
        notices(&of("curren?"), edit("src/main.go")) && notices(&of("current/*.go"), edit("src/main.go"))
    );
    let packages = of("packages");
    assert!(notices(&packages, Change::Write("packages/self".into(), link("two"))));
    let context = context();
    let digest = |source| select(&context, &of(source)).unwrap();
    assert_eq!(digest("current"), digest("src"));
    assert_eq!(digest("packages/self/index.js"), digest("packages/one/index.js"));
}

#[test]
fn several_sources_are_a_set() {
    let context = context();
    let digest = |sources: &[&str]| {
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        select(&context, &CopySelection { sources, ..CopySelection::default() }).unwrap()
    };
    assert_eq!(digest(&["go.mod", "src"]), digest(&["src", "go.mod"]));
    assert_eq!(digest(&["src", "src/main.go"]), digest(&["src"]));
    assert_eq!(digest(&[".", "src"]), digest(&["."]));
    assert_ne!(digest(&["src", "src/*.go"]), digest(&["src"]));
}

#[test]
fn files_are_named_by_their_own_paths() {
    let context = context();
    let files = |selection: &CopySelection| {
        select::files(context.visible(), selection, &selection.sources[0]).unwrap()
    };
    assert_eq!(files(&of("src/*.go")), ["src/main.go", "src/sum.go", "src/util.go"]);
    assert_eq!(files(&of("current/sub")), ["src/sub/a.go", "src/sub/b.txt"]);
    assert_eq!(files(&of("curr*")), files(&of("src")));
    assert_eq!(files(&without("src", &["*.go"])), ["src/sub/a.go", "src/sub/b.txt"]);
    assert_eq!(
        files(&parents("packages/*/package.json")),
        ["packages/one/package.json", "packages/two/package.json"]
    );
    assert_eq!(files(&of("go.mod")), ["go.mod"]);
}

#[test]
fn ignored_files_are_not_there() {
    let context = context().with_ignore(Ignore::parse("src\n!src/sub/a.go\n*.md\n"));
    let digest = |source| select(&context, &of(source));
    assert_eq!(digest("README.md"), Err(SelectError::Missing("README.md".into())));
    assert_eq!(digest("src/main.go"), Err(SelectError::Missing("src/main.go".into())));
    let files = select::files(context.visible(), &of("src"), "src").unwrap();
    assert_eq!(files, ["src/sub/a.go"]);
    let changed = context.changed(&[chmod("src")]);
    assert_ne!(digest("src"), select(&changed, &of("src")), "the parent of what is taken back has a header");
}

#[test]
fn only_bytes_and_mode_make_a_file() {
    let tree = |mode, text: &str| -> Tree {
        let content = ContentId::of_bytes(text.as_bytes());
        [("f", Entry::File(File { mode, content, text: None }))].into_iter().collect()
    };
    let digest = |tree: &Tree| select::digest(tree, &of("f")).unwrap();
    assert_eq!(digest(&tree(0o644, "a")), digest(&tree(0o644, "a")));
    assert_ne!(digest(&tree(0o644, "a")), digest(&tree(0o755, "a")));
    assert_ne!(digest(&tree(0o644, "a")), digest(&tree(0o644, "b")));
}
