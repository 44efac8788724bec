//! Code lenses and inlay hints.

use crate::editor::{Editor, range};
use crate::shop::shop;
use serde_json::{Value, json};

fn lenses(editor: &mut Editor) -> Vec<(u64, String)> {
    let lenses = editor.request("textDocument/codeLens", editor.document("Dockerfile"));
    let lens = |lens: &Value| {
        let title = lens["command"]["title"].as_str().unwrap().to_owned();
        (lens["range"]["start"]["line"].as_u64().unwrap(), title)
    };
    lenses.as_array().unwrap().iter().map(lens).collect()
}

fn hints(editor: &mut Editor, lines: [u32; 2]) -> Value {
    let mut params = editor.document("Dockerfile");
    params["range"] = range([lines[0], 0, lines[1], 0]);
    editor.request("textDocument/inlayHint", params)
}

#[test]
fn steps_that_a_source_edit_runs_again_and_stages_that_only_max_holds() {
    let mut editor = shop(Value::Null, Value::Null);
    assert_eq!(
        lenses(&mut editor),
        [
            (
                0,
                "held by: max only; with mode=min a fresh builder runs 1 RUN again after an edit of src/index.js"
                    .to_owned()
            ),
            (5, "re-runs on a source edit: src/index.js".to_owned()),
        ]
    );
    // The sources before the install: now the install runs again too, and nothing of the stage is worth holding.
    editor.change("Dockerfile", Some([2, 0, 2, 20]), "COPY . .");
    assert_eq!(
        lenses(&mut editor),
        [
            (3, "re-runs on a source edit: src/index.js".to_owned()),
            (5, "re-runs on a source edit: src/index.js".to_owned()),
        ]
    );
    assert_eq!(hints(&mut editor, [0, 99]), json!([]), "off by default");
    editor.quit();
}

#[test]
fn hints_stand_at_the_end_of_the_line_when_they_are_wanted() {
    let mut editor = shop(Value::Null, json!({ "inlayHints": true, "codeLens": false }));
    assert!(lenses(&mut editor).is_empty(), "switched off");
    let found = hints(&mut editor, [0, 99]);
    let [hint] = found.as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(hint["position"], json!({ "line": 5, "character": 17 }));
    assert_eq!(hint["label"], "re-runs on a source edit");
    assert!(hint["tooltip"].as_str().unwrap().contains("src/index.js"));
    assert_eq!(hints(&mut editor, [0, 3]), json!([]), "only those that are seen");
    editor.quit();
}
