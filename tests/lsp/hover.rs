//! What is said of the text under the cursor.

use crate::editor::{Editor, range};
use crate::shop::{DOCKERFILE, ask, place, shop};
use serde_json::{Value, json};

fn hover(editor: &mut Editor, path: &str, at: [u32; 2]) -> String {
    let answer = ask(editor, "textDocument/hover", path, at);
    answer["contents"]["value"].as_str().unwrap_or("").to_owned()
}

/// The items of the list below a title.
fn below<'t>(text: &'t str, title: &str) -> Vec<&'t str> {
    let Some((_, rest)) = text.split_once(&format!("\n{title}\n\n")) else { return Vec::new() };
    rest.lines().map_while(|line| line.strip_prefix("- ")).collect()
}

fn names(list: &[&str], what: &str) -> bool {
    list.iter().any(|item| item.contains(what))
}

#[test]
fn an_instruction_says_what_its_key_turns_on_and_what_runs_it_again() {
    let mut editor = shop(json!({ "hover": { "contentFormat": ["markdown"] } }), Value::Null);
    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "RUN npm install", 0, 1));
    let key = below(&text, "Its cache key turns on");
    assert!(key[0].starts_with("the step in line 3"), "{text}");
    assert!(names(&key, "the working directory `/src`"), "{text}");
    let again = below(&text, "Runs again after");
    assert!(names(&again, "`package.json`") && names(&again, "`node:22.3`"), "{text}");
    let cached = below(&text, "Stays cached after");
    assert!(names(&cached, "`src/index.js`") && names(&cached, "`nginx:1.29`"), "{text}");
    assert!(names(&cached, "ARG `VERSION`"), "{text}");

    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "RUN npm run", 0, 5));
    assert!(names(&below(&text, "Runs again after"), "`src/index.js`"), "{text}");

    // Whether the build writes another page only running it tells.
    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "COPY --from", 0, 2));
    let may = below(&text, "May run again, if what is written above it differs, after");
    assert!(names(&may, "`src/index.js`"), "{text}");

    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "RUN --mount", 0, 1));
    assert!(names(&below(&text, "Runs again after"), "ARG `VERSION`"), "{text}");
    editor.quit();
}

#[test]
fn a_stage_has_a_summary_and_a_variable_the_runs_that_have_it() {
    let mut editor = shop(Value::Null, Value::Null);
    for at in [place(DOCKERFILE, "AS web", 0, 4), place(DOCKERFILE, "--from=web", 0, 8)] {
        let text = hover(&mut editor, "Dockerfile", at);
        assert!(text.starts_with("**stage `web`** from the image `node:22.3`, line 1:"), "{text}");
        assert!(text.contains("2 RUN, 2 COPY and 1 WORKDIR"), "{text}");
        assert!(text.contains("line 10 copies from it: by content"), "{text}");
    }
    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "AS site", 0, 4));
    assert!(text.contains("It is what is built."), "{text}");
    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "$VERSION", 0, 2));
    assert_eq!(text, "**VERSION**, declared in line 9\n\nIn the key of the RUN in line 11.");
    editor.quit();
}

#[test]
fn flags_options_and_codes_have_their_facts() {
    let mut editor = shop(Value::Null, Value::Null);
    let answer = ask(&mut editor, "textDocument/hover", "Dockerfile", place(DOCKERFILE, "--chown", 0, 3));
    assert_eq!(answer["contents"]["kind"], "plaintext", "this editor did not say that it shows Markdown");
    assert_eq!(answer["range"], range([9, 16, 9, 27]));
    let text = answer["contents"]["value"].as_str().unwrap();
    assert!(text.starts_with("**--chown**") && text.contains("part of the step's key"), "{text}");
    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "sharing=", 0, 3));
    assert!(text.starts_with("**sharing** (cache mount)") && text.contains("`locked` wait"), "{text}");
    let text = hover(&mut editor, "Dockerfile", place(DOCKERFILE, "type=cache", 0, 6));
    assert!(text.starts_with("**type=cache**"), "{text}");
    editor.change("Dockerfile", None, "# hitrate: ignore[mutable-base]\nFROM node\n");
    let text = hover(&mut editor, "Dockerfile", [0, 22]);
    assert!(text.starts_with("# mutable-base\n"), "the page of the rule: {text}");
    editor.quit();
}

#[test]
fn settings_of_workflows_bake_compose_and_the_configuration_have_theirs() {
    let mut editor = Editor::new(&[("Dockerfile", "FROM alpine:3\n")]);
    for (path, language, text, needle, found) in [
        (
            ".github/workflows/ci.yml",
            "yaml",
            "jobs:\n  b:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          \
             cache-to: type=gha,mode=max\n",
            "mode",
            "**mode** (cache of type gha)\n\n`max` holds the result of every step",
        ),
        (
            "docker-bake.hcl",
            "hcl",
            "target \"a\" {\n  cache-from = [\n    \"type=registry,ref=x/y\",\n  ]\n}\n",
            "type=registry",
            "**type=registry**\n\nA manifest of its own",
        ),
        (
            "compose.yaml",
            "yaml",
            "services:\n  a:\n    build:\n      context: .\n      cache_to:\n        - type=local,dest=x\n",
            "cache_to",
            "**cache_to**\n\nWhere the build leaves its cache.",
        ),
        (
            "build.sh",
            "shellscript",
            "#!/bin/sh\ndocker build --no-cache .\n",
            "--no-cache",
            "empties the cache mounts",
        ),
        (
            "hitrate.toml",
            "toml",
            "[rules]\nignore = [\"mutable-base\"]\n",
            "mutable-base",
            "# mutable-base\n",
        ),
    ] {
        let uri = editor.uri(path);
        editor.open_as(&uri, language, text);
        let said = hover(&mut editor, path, place(text, needle, 0, 3));
        assert!(said.contains(found), "{path}: {said}");
    }
    editor.quit();
}

#[test]
fn nothing_is_said_of_nothing() {
    let mut editor = shop(Value::Null, Value::Null);
    assert_eq!(ask(&mut editor, "textDocument/hover", "Dockerfile", [6, 0]), Value::Null, "an empty line");
    assert_eq!(ask(&mut editor, "textDocument/hover", "Dockerfile", [99, 99]), Value::Null);
    assert_eq!(ask(&mut editor, "textDocument/hover", "none/Dockerfile", [0, 0]), Value::Null);
    editor.quit();
}
