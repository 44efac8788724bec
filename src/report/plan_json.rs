//! `hitrate plan --format json`: the contract for programs.

use super::plan::PlanView;
use crate::builds::{Front, System};
use crate::plan::{BuildPlan, Count, Kind, Snippet, StagePlan, TypicalChange};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    builds: Vec<JsonPlan<'a>>,
    daemons: Vec<JsonDaemon<'a>>,
    unplanned: Vec<JsonUnplanned<'a>>,
    errors: Vec<JsonError<'a>>,
}

#[derive(Serialize)]
struct JsonPlan<'a> {
    path: String,
    line: u32,
    system: System,
    front: Front,
    name: &'a [String],
    legs: Vec<BTreeMap<&'a str, &'a str>>,
    dockerfile: String,
    target: Option<&'a str>,
    fresh: Option<bool>,
    by_hand: bool,
    stages: &'a [StagePlan],
    changes: &'a [TypicalChange],
    in_use: JsonInUse<'a>,
    alternatives: Vec<JsonAlternative<'a>>,
    recommendation: JsonRecommendation<'a>,
}

#[derive(Serialize)]
struct JsonInUse<'a> {
    title: &'a str,
    problems: &'a [String],
    counts: &'a [Vec<Count>],
}

#[derive(Serialize)]
struct JsonAlternative<'a> {
    name: &'a str,
    unavailable: Option<&'a str>,
    counts: &'a [Vec<Count>],
}

#[derive(Serialize)]
struct JsonRecommendation<'a> {
    kind: Kind,
    title: &'a str,
    reasons: &'a [String],
    cache_from: &'a [String],
    cache_to: &'a [String],
    counts: &'a [Vec<Count>],
    snippets: &'a [Snippet],
    notes: &'a [String],
    fixable: bool,
}

#[derive(Serialize)]
struct JsonDaemon<'a> {
    path: String,
    reasons: &'a [String],
    snippet: &'a Snippet,
}

#[derive(Serialize)]
struct JsonUnplanned<'a> {
    path: String,
    line: u32,
    name: &'a [String],
    why: &'a str,
}

#[derive(Serialize)]
struct JsonError<'a> {
    path: String,
    message: &'a str,
}

pub(super) fn write(view: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = view.report;
    let document = Document {
        version: 1,
        builds: report.plans.iter().map(|plan| build(plan, view)).collect(),
        daemons: report
            .daemons
            .iter()
            .map(|daemon| JsonDaemon {
                path: (view.show)(&daemon.path),
                reasons: &daemon.reasons,
                snippet: &daemon.snippet,
            })
            .collect(),
        unplanned: report
            .unplanned
            .iter()
            .map(|one| JsonUnplanned {
                path: (view.show)(&one.path),
                line: one.line,
                name: &one.name,
                why: &one.why,
            })
            .collect(),
        errors: report
            .errors
            .iter()
            .map(|error| JsonError { path: (view.show)(&error.path), message: &error.message })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn build<'a>(plan: &'a BuildPlan, view: &PlanView<'_>) -> JsonPlan<'a> {
    let recommendation = &plan.recommendation;
    let leg = |leg: &'a Vec<(String, String)>| leg.iter().map(|(key, value)| (&**key, &**value)).collect();
    JsonPlan {
        path: (view.show)(&plan.path),
        line: plan.line,
        system: plan.system,
        front: plan.front,
        name: &plan.name,
        legs: plan.legs.iter().map(leg).collect(),
        dockerfile: (view.show)(&plan.dockerfile),
        target: plan.target.as_deref(),
        fresh: plan.fresh,
        by_hand: plan.by_hand,
        stages: &plan.stages,
        changes: &plan.changes,
        in_use: JsonInUse {
            title: &plan.in_use.title,
            problems: &plan.in_use.problems,
            counts: &plan.in_use.counts,
        },
        alternatives: plan
            .alternatives
            .iter()
            .map(|one| JsonAlternative {
                name: one.name,
                unavailable: one.unavailable.as_deref(),
                counts: &one.counts,
            })
            .collect(),
        recommendation: JsonRecommendation {
            kind: recommendation.kind,
            title: &recommendation.title,
            reasons: &recommendation.reasons,
            cache_from: &recommendation.cache_from,
            cache_to: &recommendation.cache_to,
            counts: &recommendation.counts,
            snippets: &recommendation.snippets,
            notes: &recommendation.notes,
            fixable: recommendation.fix.is_some(),
        },
    }
}
