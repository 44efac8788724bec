//! Every format on one report that has everything which can go wrong in it.

use super::{Format, View, write};
use crate::engine::Report;
use crate::fix::Fix;
use crate::project::FileError;
use crate::rules::{Category, Cause, Finding, Place, Severity};
use crate::source::{SourceFile, Span};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DOCKERFILE: &str =
    "FROM node:22\r\nCOPY . .\r\n# 𝄞 | <b> \u{1b}[31m\r\nRUN npm ci && \\\r\n    npm run build\r\n";
const WORKFLOW: &str = "jobs:\n  build: 100%\n";

fn file(path: &str, text: &str) -> (Arc<str>, Arc<SourceFile>) {
    (Arc::from(path), Arc::new(SourceFile::new(path, text)))
}

fn span(text: &str, part: &str) -> Span {
    let start = text.find(part).unwrap();
    Span::new(start, start + part.len())
}

fn place(path: &str, text: &str, part: &str) -> Place {
    Place { path: Arc::from(path), span: span(text, part) }
}

/// Two findings: one with causes here and elsewhere and a fix over two files, one plain, in a path that needs escaping.
fn report() -> Report {
    let (odd, dockerfile): (Arc<str>, Arc<str>) = (Arc::from("a,b:c%/Dockerfile"), Arc::from("Dockerfile"));
    let install = "RUN npm ci && \\\r\n    npm run build";
    let fix = Fix::needs_a_look("copy the manifests first")
        .insert(&dockerfile, span(DOCKERFILE, "COPY").start, "COPY package*.json ./\r\n")
        .insert(&Arc::from(".dockerignore"), 0, ".git\n");
    let findings = vec![
        Finding {
            rule: "mutable-base",
            category: Category::Order,
            severity: Severity::Error,
            message: "any edit under `src/` runs `npm ci | <b>` again: 100%".into(),
            help: "copy `package.json` first".into(),
            place: place("Dockerfile", DOCKERFILE, install),
            causes: vec![
                Cause {
                    place: Some(place("Dockerfile", DOCKERFILE, "COPY . .")),
                    message: "takes all".into(),
                },
                Cause { place: Some(place("ci.yml", WORKFLOW, "build")), message: "builds it".into() },
                Cause { place: None, message: "the base moved".into() },
            ],
            fix: Some(fix),
        },
        Finding {
            rule: "unused-suppression",
            category: Category::Hitrate,
            severity: Severity::Info,
            message: "two\nlines \u{1b}[31m".into(),
            help: String::new(),
            place: place(&odd, DOCKERFILE, "<b>"),
            causes: Vec::new(),
            fix: None,
        },
    ];
    Report {
        findings,
        errors: vec![FileError { path: Arc::from("gone"), message: "not UTF-8".into() }],
        files: 3,
        sources: BTreeMap::from([
            file("Dockerfile", DOCKERFILE),
            file(&odd, DOCKERFILE),
            file("ci.yml", WORKFLOW),
        ]),
    }
}

fn written(format: Format, report: &Report, color: bool) -> String {
    let mut out = Vec::new();
    write(format, &View { report, show: &str::to_owned, color }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(format: Format) -> Value {
    serde_json::from_str(&written(format, &report(), false)).unwrap()
}

/// Holds a JSON object against its names: `*` marks those that have to be there.
fn keys(value: &Value, allowed: &[&str]) {
    let object = value.as_object().unwrap();
    let names: BTreeSet<&str> = allowed.iter().map(|name| name.trim_end_matches('*')).collect();
    for key in object.keys() {
        assert!(names.contains(key.as_str()), "unknown {key} in {value}");
    }
    for name in allowed.iter().filter_map(|name| name.strip_suffix('*')) {
        assert!(object.contains_key(name), "{name} is missing in {value}");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn json_has_exactly_the_fields_of_the_contract() {
    let document = json(Format::Json);
    keys(&document, &["version*", "findings*", "errors*", "files*"]);
    assert_eq!((&document["version"], &document["files"]), (&1.into(), &3.into()));
    for finding in list(&document["findings"]) {
        keys(
            finding,
            &[
                "rule*",
                "category*",
                "severity*",
                "message*",
                "help*",
                "path*",
                "start*",
                "end*",
                "causes*",
                "fix*",
                "url*",
            ],
        );
        keys(&finding["start"], &["line*", "column*"]);
    }
    let first = &document["findings"][0];
    assert_eq!((&first["start"]["line"], &first["start"]["column"]), (&4.into(), &1.into()));
    assert_eq!((&first["end"]["line"], &first["end"]["column"]), (&5.into(), &18.into()));
    keys(&first["causes"][0], &["path*", "start*", "end*", "message*"]);
    assert_eq!(first["causes"][1]["path"], "ci.yml");
    assert_eq!(first["causes"][2]["path"], Value::Null);
    keys(&first["fix"], &["title*", "safety*", "edits*"]);
    assert_eq!(first["fix"]["safety"], "unsafe");
    keys(&first["fix"]["edits"][0], &["path*", "start*", "end*", "text*"]);
    assert_eq!(document["findings"][1]["fix"], Value::Null);
    // The clef before it is one character, four bytes.
    assert_eq!(document["findings"][1]["start"]["column"], 7);
    assert_eq!(document["errors"][0]["message"], "not UTF-8");
}

#[test]
fn jsonl_is_one_object_a_line() {
    let text = written(Format::Jsonl, &report(), false);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], json(Format::Json)["findings"][0]);
    assert_eq!(lines[2]["error"]["path"], "gone");
}

#[test]
fn full_shows_source_causes_help_and_edit() {
    let text = written(Format::Full, &report(), false);
    let expected = "\
error[mutable-base]: any edit under `src/` runs `npm ci | <b>` again: 100%
  ┌─ Dockerfile:4:1
  │
2 │ COPY . .
  │ -------- takes all
3 │ # 𝄞 | <b> ?[31m
4 │ RUN npm ci && \\
  │ ^^^^^^^^^^^^^^^
  │
  = ci.yml:2:3: builds it
  = the base moved
  = help: copy `package.json` first
  = fix (unsafe): copy the manifests first
      .dockerignore (new)
      + .git
      Dockerfile
      + COPY package*.json ./

info[unused-suppression]: two lines �[31m
  ┌─ a,b:c%/Dockerfile:3:7
  │
3 │ # 𝄞 | <b> ?[31m
  │       ^^^

2 findings in 3 files (1 error, 1 info); `--unsafe-fixes` mends 1
";
    assert_eq!(text, expected);
}

#[test]
fn colours_change_nothing_but_colours() {
    for format in [Format::Full, Format::Concise] {
        let colored = written(format, &report(), true);
        assert!(colored.contains("\u{1b}["), "{colored}");
        let mut plain = String::new();
        let mut rest = colored.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, written(format, &report(), false));
    }
}

#[test]
fn a_huge_line_is_not_shown() {
    let mut report = report();
    let text = format!("RUN {}\n", "x".repeat(100_000));
    report.findings.truncate(1);
    report.findings[0].place.span = Span::new(4, 100_000);
    report.findings[0].causes.clear();
    report.findings[0].fix = None;
    report.sources = BTreeMap::from([file("Dockerfile", &text)]);
    let text = written(Format::Full, &report, false);
    assert!(text.len() < 1000, "{}", text.len());
    assert!(text.contains("at Dockerfile:1:5"), "{text}");
}

#[test]
fn concise_is_one_line_a_finding() {
    assert_eq!(
        written(Format::Concise, &report(), false),
        "Dockerfile:4:1: error[mutable-base]: any edit under `src/` runs `npm ci | <b>` again: 100%\n\
         a,b:c%/Dockerfile:3:7: info[unused-suppression]: two lines \u{fffd}[31m\n\
         2 findings in 3 files (1 error, 1 info); `--unsafe-fixes` mends 1\n"
    );
}

#[test]
fn github_commands_are_escaped() {
    let text = written(Format::Github, &report(), false);
    let commands: Vec<&str> =
        text.lines().filter(|line| line.starts_with("::error") || line.starts_with("::notice")).collect();
    assert_eq!(
        commands,
        [
            "::error file=Dockerfile,line=4,endLine=5,title=hitrate%3A mutable-base::any edit under `src/` runs `npm ci | <b>` \
             again: 100%25%0ADockerfile:2: takes all%0Aci.yml:2: builds it%0Athe base moved%0Ahelp: copy `package.json` first",
            "::notice file=a%2Cb%3Ac%25/Dockerfile,line=3,endLine=3,col=7,endColumn=10,title=hitrate%3A \
             unused-suppression::two%0Alines \u{1b}[31m",
        ]
    );
}

/// GitHub keeps ten annotations of a level: the eleventh finding makes those of a file share one, and the eleventh file
/// is only counted. The log has every finding.
#[test]
fn github_annotations_stay_within_the_limits() {
    let many = |files: usize, each: usize| {
        let mut report = report();
        let model = report.findings[1].clone();
        report.findings = (0..files * each)
            .map(|i| {
                let path = Arc::from(format!("{:02}/Dockerfile", i / each).as_str());
                Finding {
                    place: Place { path, span: Span::at(0) },
                    severity: Severity::Warning,
                    ..model.clone()
                }
            })
            .collect();
        report.sources = BTreeMap::new();
        let text = written(Format::Github, &report, false);
        let annotations: Vec<String> =
            text.lines().filter(|line| line.starts_with("::warning")).map(str::to_owned).collect();
        let logged = text.lines().filter(|line| line.starts_with("warning[")).count();
        (annotations, logged)
    };
    assert_eq!(many(10, 1).0.len(), 10);
    let (annotations, logged) = many(4, 3);
    assert_eq!((annotations.len(), logged), (4, 12));
    assert_eq!(annotations[0].matches("two%0Alines").count(), 3);
    let (annotations, logged) = many(30, 2);
    assert_eq!((annotations.len(), logged), (10, 60));
    assert!(
        annotations[9].ends_with("::42 more findings in 21 files; the step's log has them all"),
        "{annotations:?}"
    );
}

/// The parts of the 2.1.0 schema that hitrate writes: names, required properties, and the values of enumerations.
#[test]
fn sarif_has_the_form_of_the_schema() {
    let log = json(Format::Sarif);
    keys(&log, &["$schema", "version*", "runs*"]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    keys(run, &["tool*", "invocations", "columnKind", "results"]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    keys(driver, &["name*", "semanticVersion", "informationUri", "rules"]);
    let rules = list(&driver["rules"]);
    for rule in rules {
        keys(
            rule,
            &[
                "id*",
                "shortDescription",
                "fullDescription",
                "help",
                "helpUri",
                "defaultConfiguration",
                "properties",
            ],
        );
        for text in ["shortDescription", "fullDescription", "help"] {
            keys(&rule[text], &["text*", "markdown"]);
        }
        assert!(
            ["none", "note", "warning", "error"]
                .contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())
        );
    }
    keys(&run["invocations"][0], &["executionSuccessful*", "toolExecutionNotifications"]);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    keys(&run["invocations"][0]["toolExecutionNotifications"][0], &["level", "message*", "locations"]);
    for result in list(&run["results"]) {
        keys(
            result,
            &[
                "ruleId",
                "ruleIndex",
                "level",
                "message*",
                "locations",
                "partialFingerprints",
                "relatedLocations",
                "fixes",
            ],
        );
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"];
        keys(location, &["artifactLocation", "region"]);
        keys(&location["artifactLocation"], &["uri", "uriBaseId"]);
        keys(&location["region"], &["startLine", "startColumn", "endLine", "endColumn"]);
        assert!(location["region"]["startLine"].as_u64() >= Some(1));
    }
    let results = list(&run["results"]);
    assert_eq!(
        results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "a%2Cb%3Ac%25/Dockerfile"
    );
    // A cause that stands in no file has no location.
    assert_eq!(list(&results[0]["relatedLocations"]).len(), 2);
    let fix = &results[0]["fixes"][0];
    keys(fix, &["description", "artifactChanges*"]);
    for change in list(&fix["artifactChanges"]) {
        keys(change, &["artifactLocation*", "replacements*"]);
        keys(&change["replacements"][0], &["deletedRegion*", "insertedContent"]);
    }
}

/// docs.gitlab.com, "Code Quality report format": description, check_name, fingerprint (unique), location.path (relative,
/// without `./`), location.lines.begin, severity.
#[test]
fn gitlab_has_what_the_documentation_asks_for() {
    let issues = json(Format::Gitlab);
    let mut fingerprints = BTreeSet::new();
    for issue in list(&issues) {
        keys(
            issue,
            &["type", "description*", "check_name*", "categories", "fingerprint*", "severity*", "location*"],
        );
        let severities = ["info", "minor", "major", "critical", "blocker"];
        assert!(severities.contains(&issue["severity"].as_str().unwrap()));
        assert!(fingerprints.insert(issue["fingerprint"].as_str().unwrap().to_owned()));
        assert!(issue["location"]["lines"]["begin"].is_u64());
        assert!(!issue["location"]["path"].as_str().unwrap().starts_with("./"));
    }
}

/// reviewdog's proto/rdf/reviewdog.proto: columns count bytes of UTF-8 from 1.
#[test]
fn rdjson_has_the_form_of_reviewdogs_protocol() {
    let document = json(Format::Rdjson);
    keys(&document, &["source", "severity", "diagnostics"]);
    for diagnostic in list(&document["diagnostics"]) {
        keys(
            diagnostic,
            &["message", "location", "severity", "source", "code", "suggestions", "relatedLocations"],
        );
        assert!(["ERROR", "WARNING", "INFO"].contains(&diagnostic["severity"].as_str().unwrap()));
        keys(&diagnostic["location"], &["path*", "range*"]);
        keys(&diagnostic["location"]["range"], &["start*", "end*"]);
    }
    let start = &document["diagnostics"][1]["location"]["range"]["start"];
    assert_eq!((&start["line"], &start["column"]), (&3.into(), &10.into()));
    // A fix of several edits is no suggestion: each of those would be applied on its own.
    assert!(list(&document["diagnostics"][0]["suggestions"]).is_empty());
}

/// Jenkins' junit-10.xsd: testsuites > testsuite(name, tests, failures, errors) > testcase(name, classname) > failure | error.
#[test]
fn junit_is_well_formed_and_counts_right() {
    let text = written(Format::Junit, &report(), false);
    assert!(!text.contains('\u{1b}') && !text.contains("<b>"));
    assert!(text.contains("<testsuites name=\"hitrate\" tests=\"3\" failures=\"2\" errors=\"1\">"));
    assert!(text.contains("<testcase name=\"mutable-base:4:1\" classname=\"Dockerfile\">"));
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(2).map(|tag| tag.split_once('>').unwrap().0) {
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !tag.ends_with('/') {
            let parents: &[&str] = match name {
                "testsuites" => &[],
                "testsuite" => &["testsuites"],
                "testcase" => &["testsuites", "testsuite"],
                "failure" => &["testsuites", "testsuite", "testcase"],
                other => panic!("{other} in {tag}"),
            };
            assert_eq!(open, parents);
            open.push(name);
        }
    }
    assert!(open.is_empty());
    let clean = Report { files: 4, ..Report::default() };
    assert!(
        written(Format::Junit, &clean, false).contains("<testcase name=\"4 files\" classname=\"hitrate\"/>")
    );
}

#[test]
fn markdown_is_a_table_that_nothing_breaks_out_of() {
    let text = written(Format::Markdown, &report(), false);
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| error") || line.starts_with("| info")).collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 5, "{row}");
    }
}

#[test]
fn fingerprints_survive_edits_elsewhere_and_tell_equal_findings_apart() {
    let mut before = report();
    let twin = before.findings[0].clone();
    before.findings.insert(1, twin);
    let fingerprints = before.fingerprints();
    assert_eq!(fingerprints.iter().collect::<BTreeSet<_>>().len(), 3);
    let mut after = before.clone();
    let moved = format!("# more\n\n{DOCKERFILE}");
    after.sources = BTreeMap::from([file("Dockerfile", &moved), file("a,b:c%/Dockerfile", &moved)]);
    for finding in &mut after.findings {
        finding.place.span =
            Span::new(finding.place.span.start as usize + 8, finding.place.span.end as usize + 8);
        finding.message.push_str(" in line 12");
    }
    assert_eq!(after.fingerprints(), fingerprints);
}

/// Reads a command as the runner does (actions/runner, `ActionCommand.TryParseV2`): `::name key=value,…::data`.
fn github_command(line: &str) -> (&str, BTreeMap<&str, String>, String) {
    let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let read = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let properties = properties.split(',').map(|property| {
        let (key, value) = property.split_once('=').unwrap();
        (key, read(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%"))
    });
    (name, properties.collect(), read(data).replace("%25", "%"))
}

#[test]
fn github_reads_back_what_was_meant() {
    let report = report();
    let text = written(Format::Github, &report, false);
    let commands: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("::") && !line.starts_with("::group") && *line != "::endgroup::")
        .map(github_command)
        .collect();
    assert_eq!(commands.len(), report.findings.len());
    for ((name, properties, data), finding) in commands.iter().zip(&report.findings) {
        assert!(["error", "warning", "notice"].contains(name));
        let known = ["file", "line", "endLine", "col", "endColumn", "title"];
        assert!(properties.keys().all(|key| known.contains(key)), "{properties:?}");
        assert_eq!(properties["file"], *finding.place.path);
        assert_eq!(properties["title"], format!("hitrate: {}", finding.rule));
        assert!(data.starts_with(&finding.message), "{data:?}");
        for cause in &finding.causes {
            assert!(data.contains(&cause.message), "{data:?}");
        }
    }
}
