//! `hitrate.toml`.

use super::{Folder, places};

const TWO: &str = "FROM alpine\nFROM debian\n";

#[test]
fn the_nearest_file_above_holds() {
    let folder = Folder::new(&[
        ("hitrate.toml", "[rules]\nselect = [\"mutable-base\"]\n"),
        ("a/Dockerfile", "FROM alpine\n"),
        ("a/b/hitrate.toml", "[rules]\nignore = [\"mutable-base\"]\n"),
        ("a/b/c/Dockerfile", "FROM alpine\n"),
    ]);
    let paths = |args: &[&str]| {
        let json = folder.json(args);
        let findings = json["findings"].as_array().unwrap().clone();
        findings.iter().map(|f| f["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&["--select", "all", "--ignore", "hitrate"]).len(), 2, "flags beat the files");
    assert_eq!(paths(&[]), ["a/Dockerfile"]);
    assert_eq!(paths(&["a/b/c"]), [""; 0], "also from below");
    assert_eq!(paths(&["a/b/c/Dockerfile"]), [""; 0]);
}

#[test]
fn a_named_file_holds_alone() {
    let folder = Folder::new(&[
        ("Dockerfile", TWO),
        ("hitrate.toml", "broken"),
        ("other.toml", "[rules]\nselect = [\"mutable-base\"]\n[rules.severity]\nmutable-base = \"error\"\n"),
    ]);
    let json = folder.json(&["--config", "other.toml"]);
    assert_eq!(places(&json), ["mutable-base:1", "mutable-base:2"]);
    assert_eq!(json["findings"][0]["severity"], "error");
    folder.run(&["check", "--config", "gone.toml"]).failed(&["gone.toml: does not exist"]);
}

#[test]
fn a_broken_file_is_one_line_with_its_place() {
    for (text, says) in [
        ("[rulse]\n", "hitrate.toml:1:2: unknown key `rulse`; did you mean `rules`?"),
        (
            "[rules]\nignore = [\"mutable-bse\"]\n",
            "hitrate.toml:2:11: there is no rule or category `mutable-bse`; did you mean",
        ),
        ("[rules]\nselect = 1\n", "hitrate.toml:2:10: "),
        ("a = \n", "hitrate.toml:1:"),
        ("[[tools]]\nname = \"x\"\n", "hitrate.toml:1:1: missing field `ecosystem`"),
        (
            "[[tools]]\nname = \"x\"\necosystem = \"x\"\nexecutables = [\"x\"]\ncaches = [{ of = \"y\" }]\n",
            "hitrate.toml: there is no tool `y`",
        ),
        ("exclude = [\"[z-a]\"]\n", "hitrate.toml: `[z-a]` is no pattern"),
    ] {
        let folder = Folder::new(&[("Dockerfile", TWO), ("hitrate.toml", text)]);
        folder.run(&["check"]).failed(&[says]);
    }
    let folder = Folder::new(&[("Dockerfile", TWO)]);
    folder.write("hitrate.toml", b"\xff");
    folder.run(&["check"]).failed(&["hitrate.toml: is not UTF-8"]);
}

#[test]
fn excluded_files_are_not_looked_at_unless_they_are_named() {
    let folder = Folder::new(&[
        ("hitrate.toml", "exclude = [\"vendor/\"]\n[rules]\nselect = [\"mutable-base\"]\n"),
        ("vendor/Dockerfile", "FROM alpine\n"),
        ("Dockerfile", "FROM alpine:3\n"),
    ]);
    let json = folder.json(&[]);
    assert_eq!((places(&json).len(), json["files"].as_u64()), (0, Some(1)));
    assert_eq!(places(&folder.json(&["vendor/Dockerfile"])), ["mutable-base:1"]);
}

#[test]
fn severities_and_overrides() {
    let text = "[rules]\nselect = [\"mutable-base\"]\n[rules.severity]\nmutable-base = \"error\"\n\
                [[overrides]]\npaths = [\"dev/\"]\nseverity = { mutable-base = \"off\" }\n";
    let folder = Folder::new(&[("hitrate.toml", text), ("Dockerfile", TWO), ("dev/Dockerfile", TWO)]);
    let json = folder.json(&[]);
    assert_eq!(places(&json), ["mutable-base:1", "mutable-base:2"]);
    assert_eq!(json["findings"][0]["severity"], "error");
}

/// `UPDATE=1 cargo test` writes the file.
#[test]
fn the_schema_in_the_repository_is_that_of_the_types() {
    let selectors: Vec<&str> = hitrate::rules::selectors().collect();
    let schema = hitrate::settings::schema(&selectors);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/hitrate.schema.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == text, "hitrate.schema.json is not up to date: UPDATE=1 cargo test --test cli");
}

const FROB: &str = r#"
[[tools]]
name = "frob"
ecosystem = "frob"
executables = ["frob"]
manifests = ["frob.toml"]
commands = [{ match = "fetch", kind = "install", needs = "manifests" }]
caches = [{ path = ["$FROB_HOME/cache", "~/.frob/cache"] }]
[tools.defeats]
flags = ["--no-store"]
"#;

#[test]
fn a_tool_of_ones_own_is_known_like_any_other() {
    let dockerfile = "FROM debian:13\nCOPY frob.toml .\nRUN frob fetch --no-store\n";
    let folder = Folder::new(&[("Dockerfile", dockerfile), ("frob.toml", ""), ("hitrate.toml", FROB)]);
    let messages = |args: &[&str]| {
        let json = folder.json(args);
        let findings = json["findings"].as_array().unwrap().clone();
        findings.iter().map(|f| f["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let missing = "frob downloads everything again whenever this RUN runs: its cache is not in a mount";
    assert_eq!(messages(&["--select", "mount"]), [missing]);
    folder.run(&["check", "--fix", "--select", "mount"]);
    let mended =
        "FROM debian:13\nCOPY frob.toml .\nRUN --mount=type=cache,target=/root/.frob/cache frob fetch\n";
    assert_eq!(folder.read("Dockerfile"), mended);
    let moved = mended.replace("RUN", "ENV FROB_HOME=/frob\nRUN");
    folder.write("Dockerfile", moved.as_bytes());
    let wrong = "frob caches in `/frob/cache`, not in `/root/.frob/cache`: the mount stays empty";
    assert_eq!(messages(&["--select", "mount"]), [wrong]);
}

#[test]
fn a_tool_of_a_built_ins_name_replaces_it() {
    let dockerfile = "FROM python:3.13\nRUN pip install flask\n";
    let folder = Folder::new(&[("Dockerfile", dockerfile)]);
    folder.run(&["check", "--fix", "--select", "mount"]);
    let mended = folder.read("Dockerfile");
    assert_eq!(mended, dockerfile.replace("RUN", "RUN --mount=type=cache,target=/root/.cache/pip"));
    let own = "[[tools]]\nname = \"pip\"\necosystem = \"python\"\nexecutables = [\"pip\"]\n\
               commands = [{ match = \"install\", kind = \"install\", needs = \"none\" }]\n\
               caches = [{ path = [\"/cache/pip\"] }]\n";
    let folder = Folder::new(&[("Dockerfile", dockerfile), ("hitrate.toml", own)]);
    folder.run(&["check", "--fix", "--select", "mount"]);
    assert_eq!(
        folder.read("Dockerfile"),
        dockerfile.replace("RUN", "RUN --mount=type=cache,target=/cache/pip")
    );
}

#[test]
fn a_builder_that_is_configured_stands_in_for_one_that_no_file_names() {
    let folder = Folder::new(&[
        ("Dockerfile", "FROM python:3.13\nRUN pip install flask\n"),
        ("hitrate.toml", "[builder]\npersistent = false\n"),
    ]);
    let found = folder.json(&["--select", "mount"]);
    assert_eq!(found["findings"][0]["severity"], "info");
    assert!(found["findings"][0]["fix"].is_null(), "a mount would be empty every time");
}
