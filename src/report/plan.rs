//! `hitrate plan`: a table for each build, what to do, and what to paste.

use super::color::{paint, plain};
use super::plan_json;
use crate::engine::PlanReport;
use crate::plan::{Alternative, BuildPlan, Count, Snippet, TypicalChange, TypicalKind};
use std::io::{self, Write};

/// The formats of `hitrate plan`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PlanFormat {
    /// For people.
    #[default]
    Full,
    /// One JSON object.
    Json,
    /// For a comment or a page.
    Markdown,
}

/// What the formats need besides the plans.
pub struct PlanView<'a> {
    /// The plans.
    pub report: &'a PlanReport,
    /// How a path of the project is written for the reader.
    pub show: &'a dyn Fn(&str) -> String,
    /// Whether colours may be used.
    pub color: bool,
}

/// Writes the plans in `format`.
pub fn write_plan(format: PlanFormat, view: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        PlanFormat::Full => full(view, out),
        PlanFormat::Json => plan_json::write(view, out),
        PlanFormat::Markdown => super::plan_markdown::write(view, out),
    }
}

fn full(view: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let bold = |text: &str| paint(view.color, "1", text);
    let dim = |text: &str| paint(view.color, "2", text);
    let (local, plans): (Vec<&BuildPlan>, Vec<&BuildPlan>) =
        view.report.plans.iter().partition(|plan| is_brief(plan));
    let mut last: Option<&BuildPlan> = None;
    for plan in &plans {
        let again = last.is_some_and(|last| is_same_text(last, plan));
        last = Some(plan);
        let place = format!("{}:{}", (view.show)(&plan.path), plan.line);
        let what = format!("{} {}", plain(&name(plan)), dim(&plain(&built(plan, view))));
        writeln!(out, "{}  {what}", bold(&plain(&place)))?;
        writeln!(out, "  now: {}", plain(&plan.in_use.title))?;
        for problem in &plan.in_use.problems {
            writeln!(out, "       {}", paint(view.color, "33", &plain(problem)))?;
        }
        writeln!(out)?;
        for line in align(&tables(plan)) {
            writeln!(out, "{}", format!("  {}", plain(&line)).trim_end())?;
        }
        let mark =
            if plan.keeps() { paint(view.color, "32", "✓") } else { paint(view.color, "1;33", "→") };
        writeln!(out, "\n  {mark} {}", bold(&plain(&plan.recommendation.title)))?;
        if again {
            writeln!(out, "    as for the leg above\n")?;
            continue;
        }
        for reason in &plan.recommendation.reasons {
            wrapped(out, "    because ", "            ", reason)?;
        }
        for snippet in &plan.recommendation.snippets {
            write_snippet(out, snippet, view)?;
        }
        if !plan.recommendation.notes.is_empty() {
            writeln!(out)?;
        }
        for note in &plan.recommendation.notes {
            wrapped(out, "    - ", "      ", note)?;
        }
        writeln!(out)?;
    }
    for daemon in &view.report.daemons {
        writeln!(out, "{}", bold(&plain(&(view.show)(&daemon.path))))?;
        for reason in &daemon.reasons {
            wrapped(out, "    because ", "            ", reason)?;
        }
        write_snippet(out, &daemon.snippet, view)?;
        writeln!(out)?;
    }
    for plan in &local {
        let place = format!("{}:{}", (view.show)(&plan.path), plan.line);
        let why = if plan.by_hand {
            "nothing to change: people start it, on a builder that keeps its cache"
        } else {
            "nothing to change: it has no step that a cache could keep"
        };
        writeln!(out, "{}  {} {}", bold(&plain(&place)), plain(&name(plan)), dim(why))?;
    }
    for unplanned in &view.report.unplanned {
        let place = format!("{}:{}", (view.show)(&unplanned.path), unplanned.line);
        let name = unplanned.name.join(" / ");
        let name = plain(&name);
        writeln!(
            out,
            "{}  {name} {}",
            bold(&plain(&place)),
            dim(&format!("not planned: {}", plain(&unplanned.why)))
        )?;
    }
    if !local.is_empty() || !view.report.unplanned.is_empty() {
        writeln!(out)?;
    }
    if !plans.is_empty() {
        let legend = "numbers: steps that a fresh builder runs again, now → then";
        let sure =
            if uses(&plans, |count| count.depends > 0) { "; n? more if what they read differs" } else { "" };
        let race = if uses(&plans, |count| count.races > 0) {
            "; n! more if imports answer in an unlucky order"
        } else {
            ""
        };
        writeln!(out, "{}", dim(&format!("{legend}{sure}{race}")))?;
    }
    writeln!(out, "{}", bold(&summary(view.report)))
}

/// Whether one line says all of a plan: there is nothing to change, and nothing to be seen in its table.
pub(super) fn is_brief(plan: &BuildPlan) -> bool {
    plan.keeps() && (plan.by_hand || plan.stages.is_empty())
}

/// Whether two legs of a matrix come from one text, with the same to paste.
pub(super) fn is_same_text(one: &BuildPlan, other: &BuildPlan) -> bool {
    (&one.path, one.line) == (&other.path, other.line)
        && !one.recommendation.snippets.is_empty()
        && one.recommendation.snippets == other.recommendation.snippets
}

fn uses(plans: &[&BuildPlan], is: fn(&Count) -> bool) -> bool {
    plans.iter().any(|plan| {
        let all = plan.in_use.counts.iter().chain(&plan.recommendation.counts);
        let others = plan.alternatives.iter().flat_map(|alternative| &alternative.counts);
        all.chain(others).flatten().any(is)
    })
}

fn write_snippet(out: &mut dyn Write, snippet: &Snippet, view: &PlanView<'_>) -> io::Result<()> {
    writeln!(out, "\n    {}", paint(view.color, "2", &plain(&snippet.title)))?;
    for line in snippet.text.lines() {
        writeln!(out, "{}", format!("      {}", paint(view.color, "36", &plain(line))).trim_end())?;
    }
    Ok(())
}

/// What people call the build, with the legs of its matrix.
pub(super) fn name(plan: &BuildPlan) -> String {
    let mut name = plan.name.join(" / ");
    if plan.legs.len() > 1 || plan.legs.iter().any(|leg| !leg.is_empty()) {
        let leg = |leg: &Vec<(String, String)>| {
            leg.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
        };
        let legs: Vec<String> = plan.legs.iter().map(leg).collect();
        let more = legs.len().saturating_sub(4);
        let mut shown = legs.into_iter().take(4).collect::<Vec<_>>().join(", ");
        if more > 0 {
            shown.push_str(&format!(", {more} more"));
        }
        name.push_str(&format!(" ({shown})"));
    }
    name
}

pub(super) fn built(plan: &BuildPlan, view: &PlanView<'_>) -> String {
    let target = plan.target.as_ref().map(|target| format!(", target {target}")).unwrap_or_default();
    format!("builds {}{target}", (view.show)(&plan.dockerfile))
}

/// One line for the end.
pub(super) fn summary(report: &PlanReport) -> String {
    let count =
        |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    let change = report.plans.iter().filter(|plan| !plan.keeps()).count();
    let all = report.plans.len() + report.unplanned.len();
    if all == 0 && report.daemons.is_empty() {
        return "no build found".to_owned();
    }
    let mut text = format!("{}: {change} to change", count(all, "build", "builds"));
    if !report.unplanned.is_empty() {
        text.push_str(&format!(", {} not planned", report.unplanned.len()));
    }
    if !report.daemons.is_empty() {
        text.push_str(&format!("; {} to change", count(report.daemons.len(), "daemon", "daemons")));
    }
    text
}

/// A change at the head of a column.
pub(super) fn heading(change: &TypicalChange) -> String {
    match (&change.file, change.kind) {
        (Some(file), _) => short(file),
        (None, TypicalKind::NewBase) => "new bases".to_owned(),
        (None, _) => "no change".to_owned(),
    }
}

/// The end of a path.
fn short(file: &str) -> String {
    const ROOM: usize = 22;
    if file.chars().count() <= ROOM {
        return file.to_owned();
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    let tail: String = name.chars().take(ROOM).collect();
    if tail.len() < name.len() { format!("{tail}…") } else { format!("…/{tail}") }
}

pub(super) fn count(count: Count) -> String {
    let mut text = match count {
        Count { reruns: 0, depends: 0, races: 0, .. } => return "0".to_owned(),
        Count { reruns: 0, .. } => String::new(),
        Count { reruns, .. } => reruns.to_string(),
    };
    for (more, sign) in [(count.depends, '?'), (count.races, '!')] {
        if more > 0 {
            let plus = if text.is_empty() { "" } else { "+" };
            text.push_str(&format!("{plus}{more}{sign}"));
        }
    }
    text
}

/// Names, columns of numbers: the stages with what is and what would be, then the other settings.
pub(super) fn tables(plan: &BuildPlan) -> [Vec<Vec<String>>; 2] {
    let head = |first: &[&str]| -> Vec<String> {
        first.iter().map(ToString::to_string).chain(plan.changes.iter().map(heading)).collect()
    };
    let arrow = |before: Count, after: Count| {
        if before == after { count(before) } else { format!("{} → {}", count(before), count(after)) }
    };
    let cell = |counts: &[Vec<Count>], change: usize, stage: usize| {
        counts.get(change).and_then(|counts| counts.get(stage)).copied().unwrap_or_default()
    };
    let (now, then) = (&plan.in_use.counts, &plan.recommendation.counts);
    let mut stages = vec![head(&["stage", "steps"])];
    for (index, stage) in plan.stages.iter().enumerate() {
        let mut row = vec![stage.stage.clone(), stage.steps.to_string()];
        row.extend(
            (0..plan.changes.len()).map(|change| arrow(cell(now, change, index), cell(then, change, index))),
        );
        stages.push(row);
    }
    if plan.stages.len() > 1 {
        let steps: usize = plan.stages.iter().map(|stage| stage.steps).sum();
        let sum = |counts: &[Vec<Count>], change: usize| {
            counts.get(change).map_or(Count::default(), |counts| Count::sum(counts))
        };
        let mut row = vec!["all".to_owned(), steps.to_string()];
        row.extend((0..plan.changes.len()).map(|change| arrow(sum(now, change), sum(then, change))));
        stages.push(row);
    }
    let mut others = vec![head(&["with", ""])];
    for (names, alternative) in merged(&plan.alternatives) {
        let mut row = vec![names, String::new()];
        row.extend(alternative.counts.iter().map(|counts| count(Count::sum(counts))));
        others.push(row);
    }
    [stages, others]
}

/// Settings that come to the same are one row.
fn merged(alternatives: &[Alternative]) -> Vec<(String, &Alternative)> {
    let mut rows: Vec<(Vec<&'static str>, &Alternative)> = Vec::new();
    for alternative in alternatives {
        match rows.last_mut().filter(|(_, last)| last.counts == alternative.counts) {
            Some((names, _)) => names.push(words(alternative.name)),
            None => rows.push((vec![words(alternative.name)], alternative)),
        }
    }
    rows.into_iter().map(|(names, alternative)| (joined(&names), alternative)).collect()
}

fn words(name: &'static str) -> &'static str {
    match name {
        "none" => "no cache",
        "registry-min" => "mode=min",
        "registry-max" => "mode=max",
        other => other,
    }
}

fn joined(names: &[&str]) -> String {
    let max: Vec<&str> =
        names.iter().copied().filter(|name| matches!(*name, "gha" | "local" | "s3")).collect();
    let mut rest: Vec<&str> = names.iter().copied().filter(|name| !max.contains(name)).collect();
    if max.len() == 3 {
        // The four that hold the same.
        if let Some(last) = rest.last_mut().filter(|last| **last == "mode=max") {
            *last = "mode=max (any)";
        }
    }
    rest.join(", ")
}

/// The rows with their columns under each other: the first to the left, the others to the right.
fn align(tables: &[Vec<Vec<String>>; 2]) -> Vec<String> {
    let all = || tables.iter().flatten();
    let columns = all().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| {
        all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let mut lines = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        for row in table.iter().skip(number) {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths.get(column).copied().unwrap_or(0);
                let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
                match column {
                    0 => line.push_str(&format!("{cell}{pad}")),
                    _ => line.push_str(&format!("  {pad}{cell}")),
                }
            }
            lines.push(line);
        }
        if number == 0 {
            lines.push(String::new());
        }
    }
    lines
}

fn wrapped(out: &mut dyn Write, first: &str, indent: &str, text: &str) -> io::Result<()> {
    const WIDTH: usize = 100;
    let mut line = first.to_owned();
    let mut empty = true;
    for word in plain(text).split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            line = indent.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{line}")
}
