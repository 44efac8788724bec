//! `hitrate graph`.

use super::Folder;
use serde_json::{Value, json};

const DOCKERFILE: &str = "\
FROM alpine:3.22 AS tools
ADD https://example.com/a_b.tgz /x/
FROM node:22 AS web
WORKDIR \"/src\"
COPY package.json \\
  package-lock.json ./
RUN --mount=type=bind,from=tools,target=/t --mount=type=cache,target=/c --mount=type=secret,id=s npm ci
COPY . .
FROM alpine:3.22 AS unused
FROM web
COPY --from=web /a /b
COPY --from=golang:1.24 /usr/local/go /go
";

fn graph(args: &[&str]) -> Value {
    let folder = Folder::new(&[("Dockerfile", DOCKERFILE)]);
    folder.run(&[&["graph", "--format", "json"], args].concat()).json()
}

/// `from kind to lines`, and a mark at what the target does not need.
fn edges(graph: &Value) -> Vec<String> {
    let name = |id: &Value| {
        let nodes = graph["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == *id).unwrap();
        let mark = if node["needed"] == true { "" } else { "?" };
        format!("{}{mark}", node["name"].as_str().unwrap())
    };
    let edges = graph["edges"].as_array().unwrap().iter();
    let line = |edge: &Value| {
        format!(
            "{} {} {} {}",
            name(&edge["from"]),
            edge["kind"].as_str().unwrap(),
            name(&edge["to"]),
            edge["lines"]
        )
    };
    let mut edges: Vec<String> = edges.map(line).collect();
    edges.sort();
    edges
}

#[test]
fn json_has_what_every_stage_takes() {
    let graph = graph(&[]);
    assert_eq!((&graph["version"], &graph["dockerfile"]), (&json!(1), &json!("Dockerfile")));
    assert_eq!(graph["target"], "stage-3");
    assert_eq!(
        edges(&graph),
        [
            "alpine:3.22 from tools [1]",
            "alpine:3.22 from unused? [9]",
            "context copy web [5,8]",
            "golang:1.24 copy stage-3 [12]",
            "https://example.com/a_b.tgz copy tools [2]",
            "node:22 from web [3]",
            "tools mount web [7]",
            "web copy stage-3 [11]",
            "web from stage-3 [10]",
        ]
    );
    let web = &graph["nodes"][1];
    assert_eq!((&web["line"], &web["kind"]), (&json!(3), &json!("stage")));
    assert_eq!(
        web["steps"][2],
        json!({ "line": 5, "instruction": "COPY", "text": "COPY package.json package-lock.json ./" })
    );
}

#[test]
fn another_target_needs_other_things() {
    let graph = graph(&["--target", "unused"]);
    assert_eq!(graph["target"], "stage-2");
    let needed = graph["nodes"].as_array().unwrap().iter().filter(|node| node["needed"] == true);
    assert_eq!(
        needed.map(|node| node["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["unused", "alpine:3.22"]
    );
    let folder = Folder::new(&[("Dockerfile", DOCKERFILE), ("empty/Dockerfile", "# nothing\n")]);
    folder.run(&["graph", "--target", "wbe"]).failed(&["wbe", "web"]);
    folder.run(&["graph", "empty/Dockerfile"]).failed(&["no FROM"]);
    folder.run(&["graph", "gone"]).failed(&["gone"]);
    folder.run(&["graph", "--format", "png"]).failed(&["png"]);
}

#[test]
fn dot_is_quoted() {
    let folder = Folder::new(&[("Dockerfile", DOCKERFILE)]);
    let dot = folder.run(&["graph"]).stdout;
    assert!(dot.starts_with("digraph \"Dockerfile\" {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains(r#"WORKDIR \"/src\"\l"#), "{dot}");
    assert!(dot.contains(r#""stage-1" -> "stage-3" [style=dashed, label="copy 11"];"#), "{dot}");
    for line in dot.lines() {
        assert!(
            line.replace("\\\\", "").replace("\\\"", "").matches('"').count().is_multiple_of(2),
            "{line}"
        );
    }
}

#[test]
fn mermaid_has_no_text_that_means_something() {
    let folder = Folder::new(&[("Dockerfile", "FROM a AS x\nRUN echo \"<b>\" `#;|]` _x_ {end}\n")]);
    let text = folder.run(&["graph", "--format", "mermaid"]).stdout;
    assert_eq!(
        text,
        "flowchart LR\n  stage-0[\"x<br/>1 FROM a AS x<br/>2 RUN echo #34;#60;b#62;#34; #96;#35;#59;|]#96; #95;x#95; {end}\"]\n  \
         image-0[(\"a\")]\n  image-0 ==> stage-0\n  style stage-0 stroke-width:3px\n"
    );
}

#[test]
fn svg_is_a_picture_of_all_stages() {
    let folder = Folder::new(&[("Dockerfile", DOCKERFILE)]);
    let svg = folder.run(&["graph", "--format", "svg"]).stdout;
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("marker-end").count(), 9);
    for name in ["tools", "web", "unused", "stage-3", "the context", "golang:1.24"] {
        assert!(svg.contains(&format!(">{name}</text>")), "{name}");
    }
    let tags = |open: &str| svg.matches(open).count();
    assert_eq!(tags("<text"), tags("</text>"));
}

/// Cycles and stages without number are drawn like everything else.
#[test]
fn hostile_files() {
    let mut text = String::from(
        "FROM a AS a\nCOPY --from=b . .\nFROM a AS b\nCOPY --from=a . .\nCOPY --from=9 . .\nRUN\nFROM\n",
    );
    for i in 0..2000 {
        text.push_str(&format!("FROM b AS s{i}\nCOPY --from={i} . .\n"));
    }
    let folder = Folder::new(&[("Dockerfile", &text)]);
    for format in ["dot", "mermaid", "json", "svg"] {
        let run = folder.run(&["graph", "--format", format]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{format}");
        assert!(run.stdout.contains("s1999"));
    }
}
