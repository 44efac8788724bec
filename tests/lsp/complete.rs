//! What is offered at the cursor.

use crate::editor::{Editor, range};
use crate::shop::{ask, shop};
use serde_json::Value;

/// What is offered at the `¦` of a text.
fn items(editor: &mut Editor, path: &str, language: &str, text: &str) -> Vec<Value> {
    let at = text.find('¦').unwrap();
    let before = &text[..at];
    let line = u32::try_from(before.matches('\n').count()).unwrap();
    let column = u32::try_from(at - before.rfind('\n').map_or(0, |at| at + 1)).unwrap();
    let uri = editor.uri(path);
    editor.open_as(&uri, language, &text.replacen('¦', "", 1));
    let offered = ask(editor, "textDocument/completion", path, [line, column]);
    editor.close(path);
    offered.as_array().cloned().unwrap_or_default()
}

fn labels(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["label"].as_str().unwrap()).collect()
}

fn offered(text: &str) -> Vec<String> {
    let mut editor = shop(Value::Null, Value::Null);
    let items = items(&mut editor, "other/Dockerfile", "dockerfile", text);
    editor.quit();
    labels(&items).into_iter().map(str::to_owned).collect()
}

#[test]
fn keywords_flags_and_the_options_of_mounts() {
    assert!(offered("FROM a\nWO¦").contains(&"WORKDIR".to_owned()));
    assert!(offered("FROM a\nCOPY --¦").contains(&"--link".to_owned()));
    assert_eq!(offered("FROM a\nRUN --mount=type=¦ x\n"), ["cache", "bind", "secret", "ssh", "tmpfs"]);
    let options = offered("FROM a\nRUN --mount=type=cache,target=/c,¦ x\n");
    assert!(
        options.contains(&"sharing".to_owned()) && !options.contains(&"target".to_owned()),
        "{options:?}"
    );
    assert!(!options.contains(&"required".to_owned()), "that is one of secrets: {options:?}");
    assert_eq!(
        offered("FROM a\nRUN --mount=type=cache,sharing=l¦,target=/c x\n"),
        ["shared", "locked", "private"]
    );
    assert_eq!(offered("FROM a\nRUN echo ¦"), [""; 0], "a shell's words are not ours");
    assert_eq!(offered("FROM a\nRUN <<EOF\nWO¦\nEOF\n"), [""; 0], "nor is a heredoc");
}

#[test]
fn stages_and_variables_that_are_there() {
    let text = "ARG T=1\nFROM a:$T AS one\nFROM b AS two\nARG V\nENV W=1\n";
    assert_eq!(offered(&format!("{text}COPY --from=¦ a b\n")), ["one"], "not the stage itself");
    assert_eq!(offered(&format!("{text}FROM ¦\n")), ["two", "one"], "nearest first");
    assert_eq!(offered(&format!("{text}RUN echo ${{¦\n")), ["V", "W"]);
    assert_eq!(
        offered("# hitrate: ignore[mut¦\nFROM a\n").iter().filter(|name| *name == "mutable-base").count(),
        1
    );
}

#[test]
fn what_is_chosen_takes_the_place_of_what_was_typed() {
    let mut editor = shop(Value::Null, Value::Null);
    let found =
        items(&mut editor, "other/Dockerfile", "dockerfile", "FROM a\r\nRUN --mount=type=cache,tar¦ x\r\n");
    let target = found.iter().find(|item| item["label"] == "target").unwrap();
    assert_eq!(target["textEdit"]["newText"], "target=");
    assert_eq!(target["textEdit"]["range"], range([1, 23, 1, 26]));
    assert!(target["documentation"]["value"].as_str().unwrap().contains("part of the step's key"));
    editor.quit();
}

#[test]
fn a_slip_is_offered_the_nearest_name() {
    let mut editor = shop(Value::Null, Value::Null);
    let found = items(&mut editor, "other/Dockerfile", "dockerfile", "FROM a\nRUN --mount=type=cahce¦ x\n");
    let meant = found.iter().find(|item| item["preselect"] == true).unwrap();
    assert_eq!((&meant["label"], &meant["filterText"]), (&"cache".into(), &"cahce".into()));
    editor.quit();
}

#[test]
fn cache_attributes_and_their_values_wherever_they_are_written() {
    let mut editor = shop(Value::Null, Value::Null);
    for (path, language, text, first) in [
        (
            ".github/workflows/ci.yml",
            "yaml",
            "jobs:\n  b:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          \
             cache-to: type=¦\n",
            vec!["registry", "inline", "gha", "local", "s3", "azblob"],
        ),
        (
            "compose.yaml",
            "yaml",
            "services:\n  a:\n    build:\n      context: .\n      cache_from:\n      - type=gha,¦\n",
            vec!["scope"],
        ),
        (
            "docker-bake.hcl",
            "hcl",
            "target \"a\" {\n  cache-to = [\"type=registry,ref=x,mode=¦\"]\n}\n",
            vec!["max", "min"],
        ),
        ("build.sh", "shellscript", "#!/bin/sh\ndocker build --cache-to type=inline,¦ .\n", vec![]),
        (
            "hitrate.toml",
            "toml",
            "[builder]\ndriver = \"k¦\"\n",
            vec!["docker", "docker-container", "kubernetes"],
        ),
    ] {
        let found = items(&mut editor, path, language, text);
        let found = labels(&found);
        assert_eq!(&found[..first.len().min(found.len())], first, "{path}: {found:?}");
    }
    editor.quit();
}
