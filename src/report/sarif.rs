//! `sarif`: SARIF 2.1.0 (OASIS), as GitHub's code scanning and others take it.

use super::View;
use crate::rules::{self, Finding, Fix, Meta, Place, Severity};
use crate::source::Span;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = view.report;
    // Only the rules that found something: the pages of all of them would be the greater part of every report.
    let names: BTreeSet<&str> = report.findings.iter().map(|finding| finding.rule).collect();
    let indices: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let descriptors: Vec<Value> =
        names.iter().filter_map(|name| rules::find(name)).map(|rule| descriptor(rule.meta())).collect();
    let fingerprints = report.fingerprints();
    let results: Vec<Value> = report
        .findings
        .iter()
        .zip(&fingerprints)
        .map(|(finding, fingerprint)| result(view, finding, fingerprint, indices.get(finding.rule).copied()))
        .collect();
    let notifications: Vec<Value> = report
        .errors
        .iter()
        .map(|error| {
            json!({
                "level": "error",
                "message": { "text": error.message },
                "locations": [{ "physicalLocation": { "artifactLocation": artifact(&(view.show)(&error.path)) } }],
            })
        })
        .collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "hitrate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": descriptors,
            }},
            "invocations": [{
                "executionSuccessful": report.errors.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn descriptor(meta: &Meta) -> Value {
    let summary = meta.summary();
    json!({
        "id": meta.name,
        "shortDescription": { "text": summary.replace('`', "") },
        "fullDescription": { "text": summary.replace('`', "") },
        "help": { "text": meta.docs, "markdown": meta.docs },
        "helpUri": meta.url(),
        "defaultConfiguration": { "level": level(meta.severity) },
        "properties": { "tags": ["container", "build-cache", meta.category.name()], "precision": "high" },
    })
}

fn result(view: &View<'_>, finding: &Finding, fingerprint: &str, rule: Option<usize>) -> Value {
    let help = if finding.help.is_empty() { String::new() } else { format!("\n\nhelp: {}", finding.help) };
    let causes = finding.causes.iter().filter_map(|cause| Some((cause.place.as_ref()?, &cause.message)));
    let related: Vec<Value> = causes
        .enumerate()
        .map(|(index, (place, message))| {
            json!({ "id": index, "physicalLocation": physical(view, place), "message": { "text": message } })
        })
        .collect();
    let mut result = Map::new();
    let mut put = |key: &str, value: Value| result.insert(key.to_owned(), value);
    put("ruleId", json!(finding.rule));
    if let Some(rule) = rule {
        put("ruleIndex", json!(rule));
    }
    put("level", json!(level(finding.severity)));
    put("message", json!({ "text": format!("{}{help}", finding.message) }));
    put("locations", json!([{ "physicalLocation": physical(view, &finding.place) }]));
    put("partialFingerprints", json!({ "hitrate/v1": fingerprint }));
    if !related.is_empty() {
        put("relatedLocations", Value::Array(related));
    }
    if let Some(fix) = &finding.fix {
        put("fixes", json!([sarif_fix(view, fix)]));
    }
    Value::Object(result)
}

fn sarif_fix(view: &View<'_>, fix: &Fix) -> Value {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (path, edit) in &fix.edits {
        let replacement = json!({
            "deletedRegion": region(view, path, edit.span),
            "insertedContent": { "text": edit.text },
        });
        files.entry(path).or_default().push(replacement);
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(path, edits)| json!({ "artifactLocation": artifact(&(view.show)(path)), "replacements": edits }))
        .collect();
    json!({ "description": { "text": format!("{} ({})", fix.title, fix.safety.name()) }, "artifactChanges": changes })
}

fn physical(view: &View<'_>, place: &Place) -> Value {
    json!({
        "artifactLocation": artifact(&(view.show)(&place.path)),
        "region": region(view, &place.path, place.span),
    })
}

fn region(view: &View<'_>, path: &str, span: Span) -> Value {
    let place = view.shown_span(path, span);
    json!({
        "startLine": place.start.line,
        "startColumn": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
    })
}

/// A relative path as a URI reference; an absolute one as a `file` URI.
fn artifact(path: &str) -> Value {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'@' | b'+' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    match path.starts_with('/') {
        true => json!({ "uri": format!("file://{uri}") }),
        false => json!({ "uri": uri, "uriBaseId": "%SRCROOT%" }),
    }
}
