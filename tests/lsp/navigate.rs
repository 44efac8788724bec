//! Outline, definition and references.

use crate::editor::range;
use crate::shop::{DOCKERFILE, ask, place, shop};
use serde_json::{Value, json};

fn starts(locations: &Value) -> Vec<(u64, u64)> {
    let start = |location: &Value| {
        let start = &location["range"]["start"];
        (start["line"].as_u64().unwrap(), start["character"].as_u64().unwrap())
    };
    locations.as_array().unwrap().iter().map(start).collect()
}

#[test]
fn the_outline_has_stages_and_their_instructions() {
    let tree = json!({ "documentSymbol": { "hierarchicalDocumentSymbolSupport": true } });
    let mut editor = shop(tree, Value::Null);
    let symbols = editor.request("textDocument/documentSymbol", editor.document("Dockerfile"));
    let [web, site] = symbols.as_array().unwrap().as_slice() else { panic!("{symbols}") };
    assert_eq!((&web["name"], &web["detail"]), (&json!("web"), &json!("FROM node:22.3")));
    assert_eq!((&web["range"], &web["selectionRange"]), (&range([0, 0, 5, 17]), &range([0, 18, 0, 21])));
    let children: Vec<_> = web["children"].as_array().unwrap().iter().map(|child| &child["name"]).collect();
    assert_eq!(
        children,
        ["WORKDIR /src", "COPY package.json ./", "RUN npm install", "COPY . .", "RUN npm run build"]
    );
    assert_eq!(site["children"].as_array().unwrap().len(), 3);
    editor.quit();
}

#[test]
fn an_editor_that_shows_no_tree_gets_a_list() {
    let mut editor = shop(Value::Null, Value::Null);
    let symbols = editor.request("textDocument/documentSymbol", editor.document("Dockerfile"));
    let symbols = symbols.as_array().unwrap();
    assert_eq!(symbols.len(), 10);
    assert_eq!((&symbols[1]["name"], &symbols[1]["containerName"]), (&json!("WORKDIR /src"), &json!("web")));
    assert_eq!(symbols[1]["location"]["uri"], editor.uri("Dockerfile"));
    editor.quit();
}

#[test]
fn stages_and_variables_lead_to_their_declaration_and_to_their_uses() {
    let mut editor = shop(Value::Null, Value::Null);
    let declared = ask(&mut editor, "textDocument/definition", "Dockerfile", place(DOCKERFILE, "=web", 0, 2));
    assert_eq!(
        (&declared["uri"], &declared["range"]),
        (&json!(editor.uri("Dockerfile")), &range([0, 18, 0, 21]))
    );
    let used = ask(&mut editor, "textDocument/references", "Dockerfile", place(DOCKERFILE, "web", 0, 0));
    assert_eq!(starts(&used), [(0, 18), (9, 12)]);
    let declared =
        ask(&mut editor, "textDocument/definition", "Dockerfile", place(DOCKERFILE, "$VERSION", 0, 3));
    assert_eq!(declared["range"], range([8, 4, 8, 11]));
    let used =
        ask(&mut editor, "textDocument/references", "Dockerfile", place(DOCKERFILE, "ARG VERSION", 0, 6));
    assert_eq!(starts(&used), [(8, 4), (10, 54)]);
    let nothing = ask(&mut editor, "textDocument/definition", "Dockerfile", place(DOCKERFILE, "npm", 0, 1));
    assert_eq!(nothing, Value::Null);
    editor.quit();
}

#[test]
fn places_are_those_of_the_text_at_hand_whatever_its_line_ends() {
    let mut editor = shop(Value::Null, Value::Null);
    editor.change("Dockerfile", None, "# 𝄞\r\nFROM a:1 AS 𝄞b\r\nFROM c:1\r\nCOPY --from=𝄞b x y\r\n");
    let declared = ask(&mut editor, "textDocument/definition", "Dockerfile", [3, 13]);
    assert_eq!(declared["range"], range([1, 12, 1, 15]), "a clef is two units of UTF-16");
    editor.quit();
}
