//! `hitrate explain`: the steps by stage, with the causes of what runs again first.

use super::color::{paint, plain};
use crate::cache::Verdict;
use crate::engine::{Explanation, Reason};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The formats of `hitrate explain`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ExplainFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Writes the explanation. `width` is that of the terminal in columns: longer instructions are cut.
pub fn write_explanation(
    format: ExplainFormat,
    explanation: &Explanation,
    color: bool,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        ExplainFormat::Text => text(explanation, color, width, out),
        ExplainFormat::Json => json(explanation, out),
    }
}

fn json(explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        #[serde(flatten)]
        explanation: &'a Explanation,
    }
    serde_json::to_writer_pretty(&mut *out, &Document { version: 1, explanation })?;
    writeln!(out)
}

fn text(explanation: &Explanation, color: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let bold = |text: &str| paint(color, "1", text);
    writeln!(out, "{} after {}", bold(&plain(&explanation.dockerfile)), plain(&explanation.change))?;
    let chains = Chains::of(explanation);
    let digits = explanation.steps.iter().map(|step| step.line).max().unwrap_or(0).to_string().len();
    let mut stage = None;
    for (index, step) in explanation.steps.iter().enumerate() {
        if stage != Some(step.stage_index) {
            stage = Some(step.stage_index);
            let name = step.stage.as_deref().map(|name| format!(" {}", plain(name))).unwrap_or_default();
            writeln!(out, "\n{}", bold(&format!("stage {}{name}", step.stage_index)))?;
        }
        let (mark, style) = match step.verdict {
            Verdict::Cached => ("✓", "32"),
            Verdict::Reruns => ("↻", "1;33"),
            Verdict::Depends => ("?", "36"),
            Verdict::Skipped => ("·", "2"),
        };
        let verdict = paint(color, style, &format!("{mark} {:7}", name(step.verdict)));
        // Mark, verdict and line number take their columns; what remains is for the instruction.
        let room = width.saturating_sub(16 + digits).max(20);
        writeln!(out, "  {verdict}  {:digits$}  {}", step.line, cut(&plain(&step.text), room))?;
        let indent = " ".repeat(digits + 14);
        match chains.role(index) {
            Role::First => {
                for (at, reason) in step.because.iter().enumerate() {
                    let because = if at == 0 { "because" } else { "       " };
                    writeln!(out, "{indent}{} {}", paint(color, "2", because), plain(&reason.message))?;
                }
                if let Some(then) = chains.then(index) {
                    writeln!(out, "{indent}{}", paint(color, "2", &then))?;
                }
            }
            Role::FirstUnknown => {
                if let Some(reason) = step.because.first() {
                    writeln!(out, "{indent}{}", paint(color, "2", &plain(&reason.message)))?;
                }
            }
            Role::Follows | Role::Still => {}
        }
    }
    writeln!(out, "\n{}", bold(&closing(explanation)))
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Cached => "cached",
        Verdict::Reruns => "reruns",
        Verdict::Depends => "depends",
        Verdict::Skipped => "skipped",
    }
}

fn closing(explanation: &Explanation) -> String {
    let total = explanation.steps.len() - explanation.count(Verdict::Skipped);
    let count = |verdict| explanation.count(verdict);
    let mut text = match count(Verdict::Reruns) {
        0 => format!("none of {total} steps runs again"),
        1 => format!("1 of {total} steps runs again"),
        n => format!("{n} of {total} steps run again"),
    };
    match count(Verdict::Depends) {
        0 => {}
        1 => text.push_str(", 1 more if what it reads differs"),
        n => text.push_str(&format!(", {n} more if what they read differs")),
    }
    match count(Verdict::Skipped) {
        0 => {}
        1 => text.push_str("; 1 is not needed for the target"),
        n => text.push_str(&format!("; {n} are not needed for the target")),
    }
    text
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// What is said at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Nothing happens to it.
    Still,
    /// It runs again for a reason of its own.
    First,
    /// Whether it runs again is not known, and no step that it stands on is in doubt.
    FirstUnknown,
    /// It only follows another step.
    Follows,
}

/// Which steps run again because of which.
struct Chains {
    roles: Vec<Role>,
    /// By the index of a first step: the lines of what follows it for sure, and how many more may follow.
    following: BTreeMap<usize, (Vec<u32>, usize)>,
}

impl Chains {
    fn of(explanation: &Explanation) -> Self {
        let steps = &explanation.steps;
        let moves = |verdict| matches!(verdict, Verdict::Reruns | Verdict::Depends);
        let by_line: BTreeMap<u32, usize> =
            steps.iter().enumerate().rev().map(|(index, step)| (step.line, index)).collect();
        // The step that a step follows. A chain only leads up the file: what names a later line is no link.
        let parent = |index: usize, because: &[Reason]| {
            let lines =
                because.iter().filter(|reason| reason.path.is_none()).filter_map(|reason| reason.line);
            let mut above =
                lines.filter_map(|line| by_line.get(&line).copied()).filter(|above| *above < index);
            above.find(|above| steps.get(*above).is_some_and(|step| moves(step.verdict)))
        };
        let mut roles = Vec::with_capacity(steps.len());
        let mut roots: Vec<usize> = Vec::with_capacity(steps.len());
        let mut following: BTreeMap<usize, (Vec<u32>, usize)> = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            let parent = moves(step.verdict).then(|| parent(index, &step.because)).flatten();
            let root = parent.and_then(|parent| roots.get(parent).copied()).unwrap_or(index);
            roots.push(root);
            let above = parent.and_then(|parent| steps.get(parent)).map(|step| step.verdict);
            roles.push(match (step.verdict, above) {
                (Verdict::Cached | Verdict::Skipped, _) => Role::Still,
                (_, None) => Role::First,
                (Verdict::Depends, Some(Verdict::Reruns)) => Role::FirstUnknown,
                (_, Some(_)) => Role::Follows,
            });
            if root != index {
                let (lines, unknown) = following.entry(root).or_default();
                match step.verdict {
                    Verdict::Reruns => lines.push(step.line),
                    _ => *unknown += 1,
                }
            }
        }
        Self { roles, following }
    }

    fn role(&self, index: usize) -> Role {
        self.roles.get(index).copied().unwrap_or(Role::Still)
    }

    /// What follows a first step, in words.
    fn then(&self, index: usize) -> Option<String> {
        let (lines, unknown) = self.following.get(&index)?;
        let sure = match lines.as_slice() {
            [] => None,
            [line] => Some(format!("then 1 more step runs again: line {line}")),
            [.., last] if lines.len() <= 6 => {
                let others =
                    lines.iter().rev().skip(1).rev().map(u32::to_string).collect::<Vec<_>>().join(", ");
                Some(format!("then {} more steps run again: lines {others} and {last}", lines.len()))
            }
            [first, .., last] => {
                Some(format!("then {} more steps run again, from line {first} to line {last}", lines.len()))
            }
        };
        let unsure = match unknown {
            0 => None,
            1 => Some("1 more may".to_owned()),
            n => Some(format!("{n} more may")),
        };
        match (sure, unsure) {
            (Some(sure), Some(unsure)) => Some(format!("{sure}; {unsure}")),
            (None, Some(unsure)) => Some(format!("then {unsure}")),
            (sure, None) => sure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ExplainedStep;

    fn step(
        line: u32,
        stage: (usize, Option<&str>),
        text: &str,
        verdict: Verdict,
        because: &[Reason],
    ) -> ExplainedStep {
        ExplainedStep {
            line,
            stage: stage.1.map(str::to_owned),
            stage_index: stage.0,
            instruction: "RUN",
            text: text.to_owned(),
            verdict,
            because: because.to_vec(),
        }
    }

    fn line(line: u32, message: &str) -> Reason {
        Reason { line: Some(line), path: None, message: message.to_owned() }
    }

    fn file(path: &str, message: &str) -> Reason {
        Reason { line: None, path: Some(path.to_owned()), message: message.to_owned() }
    }

    fn example() -> Explanation {
        use Verdict::{Cached, Depends, Reruns, Skipped};
        let (build, docs, last) = ((0, Some("build")), (1, Some("docs")), (2, None));
        let source = file("src/main.rs", "src/main.rs is among the files that it copies");
        Explanation {
            dockerfile: "Dockerfile".into(),
            target: "2".into(),
            change: "an edit of src/main.rs".into(),
            steps: vec![
                step(1, build, "FROM rust:1.90 AS build", Cached, &[]),
                step(2, build, "COPY . .", Reruns, std::slice::from_ref(&source)),
                step(
                    3,
                    build,
                    "RUN cargo build --release",
                    Reruns,
                    &[line(2, "line 2 runs again"), source.clone()],
                ),
                step(
                    4,
                    build,
                    "RUN strip target/release/app",
                    Reruns,
                    &[line(3, "line 3 runs again"), source.clone()],
                ),
                step(6, docs, "FROM build AS docs", Skipped, &[]),
                step(9, last, "FROM debian:12", Cached, &[]),
                step(
                    10,
                    last,
                    "COPY --from=build /app /app",
                    Depends,
                    &[line(4, "it runs again if the output of line 4 differs"), source.clone()],
                ),
                step(11, last, "RUN /app --version", Depends, &[line(10, "line 10 may run again"), source]),
            ],
        }
    }

    fn rendered(explanation: &Explanation, width: usize) -> String {
        let mut out = Vec::new();
        write_explanation(ExplainFormat::Text, explanation, false, width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_cause_is_said_once_and_the_chain_is_summed_up() {
        assert_eq!(
            rendered(&example(), 80),
            "\
Dockerfile after an edit of src/main.rs

stage 0 build
  ✓ cached    1  FROM rust:1.90 AS build
  ↻ reruns    2  COPY . .
                because src/main.rs is among the files that it copies
                then 2 more steps run again: lines 3 and 4; 2 more may
  ↻ reruns    3  RUN cargo build --release
  ↻ reruns    4  RUN strip target/release/app

stage 1 docs
  · skipped   6  FROM build AS docs

stage 2
  ✓ cached    9  FROM debian:12
  ? depends  10  COPY --from=build /app /app
                it runs again if the output of line 4 differs
  ? depends  11  RUN /app --version

3 of 7 steps run again, 2 more if what they read differs; 1 is not needed for the target
"
        );
    }

    #[test]
    fn two_first_steps_have_a_cause_each_and_long_chains_are_a_range() {
        let mut explanation = example();
        let base = Reason { line: None, path: None, message: "the base image is another one".into() };
        explanation.steps = vec![step(1, (0, None), "FROM a", Verdict::Reruns, std::slice::from_ref(&base))];
        for n in 2..12 {
            let because = [line(n - 1, "the line above runs again"), base.clone()];
            explanation.steps.push(step(n, (0, None), "RUN x", Verdict::Reruns, &because));
        }
        let arg = file("Dockerfile", "its text changed");
        explanation.steps.push(step(20, (1, None), "RUN y", Verdict::Reruns, &[arg]));
        let text = rendered(&explanation, 80);
        assert_eq!(text.matches("because").count(), 2, "{text}");
        assert!(text.contains("then 10 more steps run again, from line 2 to line 11"), "{text}");
        assert!(text.contains("12 of 12 steps run again\n"), "{text}");
    }

    #[test]
    fn nothing_runs_again() {
        let mut explanation = example();
        explanation.steps.truncate(1);
        assert!(rendered(&explanation, 80).ends_with("\nnone of 1 steps runs again\n"));
    }

    #[test]
    fn a_long_instruction_is_cut_and_a_cycle_is_survived() {
        let mut explanation = example();
        explanation.steps = vec![
            step(1, (0, None), &"x".repeat(200), Verdict::Reruns, &[line(2, "line 2 runs again")]),
            step(2, (0, None), "RUN y", Verdict::Reruns, &[line(1, "line 1 runs again")]),
        ];
        let text = rendered(&explanation, 60);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn json_has_exactly_the_fields_of_the_contract() {
        let mut out = Vec::new();
        write_explanation(ExplainFormat::Json, &example(), false, 80, &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let keys = |value: &serde_json::Value| {
            let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&value), ["dockerfile", "steps", "target", "version"]);
        assert_eq!(
            keys(&value["steps"][0]),
            ["because", "instruction", "line", "stage", "stage_index", "text", "verdict"]
        );
        assert_eq!(keys(&value["steps"][1]["because"][0]), ["message", "path"]);
        assert_eq!(keys(&value["steps"][2]["because"][0]), ["line", "message"]);
        assert_eq!(value["steps"][6]["stage"], serde_json::Value::Null);
        assert_eq!(value["steps"][6]["verdict"], "depends");
    }
}
