//! `hitrate replay`: the hit rate of each step.

use super::color::{paint, plain};
use super::explain::ExplainFormat;
use crate::engine::Replayed;
use serde::Serialize;
use std::io::{self, Write};

/// Writes the rates. `width` is that of the terminal in columns: longer instructions are cut.
pub fn write_replay(
    format: ExplainFormat,
    replayed: &Replayed,
    color: bool,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        ExplainFormat::Text => text(replayed, color, width, out),
        ExplainFormat::Json => json(replayed, out),
    }
}

fn json(replayed: &Replayed, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        #[serde(flatten)]
        replayed: &'a Replayed,
    }
    serde_json::to_writer_pretty(&mut *out, &Document { version: 1, replayed })?;
    writeln!(out)
}

fn text(replayed: &Replayed, color: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let bold = |text: &str| paint(color, "1", text);
    let (commits, builds) = (replayed.commits, replayed.builds);
    writeln!(
        out,
        "{} over {commits} commits: {builds} builds after the first",
        bold(&plain(&replayed.dockerfile))
    )?;
    let digits = replayed.steps.iter().map(|step| step.line).max().unwrap_or(0).to_string().len();
    let mut stage = None;
    for step in &replayed.steps {
        if stage != Some(step.stage_index) {
            stage = Some(step.stage_index);
            let name = step.stage.as_deref().map(|name| format!(" {}", plain(name))).unwrap_or_default();
            writeln!(out, "\n{}", bold(&format!("stage {}{name}", step.stage_index)))?;
        }
        let counts = step.counts;
        let rate = match percent(counts.cached, counts.builds) {
            None => "     new".to_owned(),
            Some(rate) => {
                let style = match rate {
                    90.. => "32",
                    50.. => "33",
                    _ => "31",
                };
                paint(color, style, &format!("{rate:>7}%"))
            }
        };
        let room = width.saturating_sub(digits + 12).max(20);
        let shown: String = match step.text.chars().count() > room {
            true => step.text.chars().take(room - 1).chain(['…']).collect(),
            false => step.text.clone(),
        };
        writeln!(out, "{rate}  {:>digits$}  {}", step.line, plain(&shown))?;
        let mut notes = Vec::new();
        if counts.builds < builds {
            notes.push(format!("it is in {}", builds_of(counts.builds)));
        }
        if counts.began > 0 {
            notes.push(format!("the first to run in {}", builds_of(counts.began)));
        }
        if counts.depends > 0 {
            notes.push(format!(
                "in {} only if what it stands on came out differently",
                builds_of(counts.depends)
            ));
        }
        if !notes.is_empty() {
            writeln!(out, "{:>width$}{}", "", paint(color, "2", &notes.join("; ")), width = digits + 12)?;
        }
    }
    let (cached, all) = replayed
        .steps
        .iter()
        .fold((0, 0), |(cached, all), step| (cached + step.counts.cached, all + step.counts.builds));
    let share =
        percent(cached, all).map(|share| format!("{share}% of these steps were cached")).unwrap_or_default();
    writeln!(out, "\n{share}; nothing ran in {} of {builds} builds", replayed.idle)
}

fn builds_of(count: usize) -> String {
    format!("{count} build{}", if count == 1 { "" } else { "s" })
}

/// Whole per cent, rounded down: what is not always cached is never 100.
fn percent(part: usize, whole: usize) -> Option<usize> {
    (part * 100).checked_div(whole)
}
