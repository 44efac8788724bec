//! A small project that has what the features are about: two stages, a manifest, sources.

use crate::editor::{Editor, plain};
use serde_json::{Value, json};

pub(crate) const DOCKERFILE: &str = "\
FROM node:22.3 AS web
WORKDIR /src
COPY package.json ./
RUN npm install
COPY . .
RUN npm run build

FROM nginx:1.29 AS site
ARG VERSION=1
COPY --from=web --chown=www /src/dist /usr/share/nginx/html
RUN --mount=type=cache,target=/c,sharing=locked echo $VERSION
";

/// An editor with that project open, and these capabilities and options more.
pub(crate) fn shop(text_document: Value, options: Value) -> Editor {
    let files = [
        ("Dockerfile", DOCKERFILE),
        ("package.json", "{ \"scripts\": { \"build\": \"true\" } }\n"),
        ("src/index.js", "1\n"),
    ];
    let mut capabilities = plain();
    for (name, value) in text_document.as_object().into_iter().flatten() {
        capabilities["textDocument"][name] = value.clone();
    }
    let mut editor = Editor::with(&files, capabilities, options);
    editor.open("Dockerfile", DOCKERFILE);
    editor
}

/// The answer to a request about a place in a document.
pub(crate) fn ask(editor: &mut Editor, method: &str, path: &str, [line, character]: [u32; 2]) -> Value {
    let mut params = editor.document(path);
    params["position"] = json!({ "line": line, "character": character });
    if method == "textDocument/references" {
        params["context"] = json!({ "includeDeclaration": true });
    }
    editor.request(method, params)
}

/// The place of the `nth` occurrence of `needle` in a text, moved on by `by` columns; ASCII only.
pub(crate) fn place(text: &str, needle: &str, nth: usize, by: u32) -> [u32; 2] {
    let at = text.match_indices(needle).nth(nth).unwrap_or_else(|| panic!("{needle} #{nth}")).0;
    let before = &text[..at];
    let line = before.matches('\n').count();
    let column = at - before.rfind('\n').map_or(0, |at| at + 1);
    [u32::try_from(line).unwrap(), u32::try_from(column).unwrap() + by]
}
