//! `hitrate plan --format markdown`: a section for each build, for pull request comments and pages.

use super::markdown::escape;
use super::plan::{PlanView, built, is_brief, name, summary, tables};
use crate::plan::Snippet;
use std::io::{self, Write};

pub(super) fn write(view: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### hitrate plan\n\n{}", escape(&summary(view.report)))?;
    for plan in view.report.plans.iter().filter(|plan| !is_brief(plan)) {
        let place = format!("{}:{}", (view.show)(&plan.path), plan.line).replace('`', "_");
        writeln!(out, "\n#### `{place}` {}\n", escape(&name(plan)))?;
        writeln!(out, "{}; now: {}", escape(&built(plan, view)), escape(&plan.in_use.title))?;
        for problem in &plan.in_use.problems {
            writeln!(out, "\n**{}**", escape(problem))?;
        }
        let [stages, others] = tables(plan);
        let rule = |columns: usize| format!("| --- |{}", " ---: |".repeat(columns.saturating_sub(1)));
        for (number, rows) in [stages, others].iter().enumerate() {
            for (index, row) in rows.iter().enumerate() {
                if number == 1 && index == 0 {
                    continue;
                }
                let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
                let line = format!("| {} |", cells.join(" | "));
                if index == 0 {
                    writeln!(out, "\n{line}\n{}", rule(row.len()))?;
                } else if number == 1 {
                    let cells: Vec<String> = row
                        .iter()
                        .map(
                            |cell| {
                                if cell.is_empty() { String::new() } else { format!("*{}*", escape(cell)) }
                            },
                        )
                        .collect();
                    writeln!(out, "| {} |", cells.join(" | "))?;
                } else {
                    writeln!(out, "{line}")?;
                }
            }
        }
        let recommendation = &plan.recommendation;
        writeln!(out, "\n**{}**\n", escape(&recommendation.title))?;
        for reason in &recommendation.reasons {
            writeln!(out, "- because {}", escape(reason))?;
        }
        for snippet in &recommendation.snippets {
            code(out, snippet)?;
        }
        if !recommendation.notes.is_empty() {
            writeln!(out)?;
        }
        for note in &recommendation.notes {
            writeln!(out, "- {}", escape(note))?;
        }
    }
    for daemon in &view.report.daemons {
        writeln!(out, "\n#### `{}`\n", (view.show)(&daemon.path).replace('`', "_"))?;
        for reason in &daemon.reasons {
            writeln!(out, "- {}", escape(reason))?;
        }
        code(out, &daemon.snippet)?;
    }
    for one in &view.report.unplanned {
        let place = format!("{}:{}", (view.show)(&one.path), one.line).replace('`', "_");
        writeln!(out, "\n`{place}` {}: not planned: {}", escape(&one.name.join(" / ")), escape(&one.why))?;
    }
    Ok(())
}

fn code(out: &mut dyn Write, snippet: &Snippet) -> io::Result<()> {
    // A fence is longer than any in the text.
    let fence = "`".repeat(snippet.text.matches('`').count().max(2) + 1);
    writeln!(out, "\n{}:\n\n{fence}{}\n{}{fence}", escape(&snippet.title), snippet.language, snippet.text)
}
