//! The same build of another text of its Dockerfile: instructions moved, split, written otherwise.

use super::model::{Model, Setting};
use crate::dockerfile::{self, Keyword};
use crate::graph::{Graph, StepId};

impl Model<'_> {
    /// Asks the model of `text` in place of the Dockerfile, under the same options and with the same context.
    pub fn with_text<R>(&self, text: &str, ask: impl FnOnce(&Model<'_>) -> R) -> R {
        let dockerfile = dockerfile::parse(text);
        ask(&Model::new(&dockerfile, self.options().clone(), self.context().cloned()))
    }

    /// Which steps run again, by index, when the Dockerfile becomes `text` after it was built as it is. The two have the same
    /// steps: only what they say differs.
    #[must_use]
    pub fn rerun_by(&self, text: &str) -> Vec<bool> {
        self.with_text(text, |changed| {
            let answer = changed.since(self, Vec::new(), &[], &Setting::default());
            changed.graph.all_steps().map(|(id, _)| answer.runs_again(id)).collect()
        })
    }

    /// The step of this model that `step` of another text was: the instruction that says the same; of several, the one in
    /// the same place among them. `None` where it is gone or says something else.
    #[must_use]
    pub fn counterpart(&self, other: &Graph<'_>, step: StepId) -> Option<StepId> {
        let wanted = said(other, step)?;
        if !self.visit(other.steps.len()) {
            return None;
        }
        let place =
            other.all_steps().filter(|(id, _)| *id < step && said(other, *id) == Some(wanted)).count();
        let same =
            self.graph.all_steps().map(|(id, _)| id).filter(|id| said(&self.graph, *id) == Some(wanted));
        let same: Vec<StepId> = same.collect();
        same.get(place).or(same.last()).copied()
    }
}

fn said<'g>(graph: &'g Graph<'_>, step: StepId) -> Option<(Keyword, &'g str)> {
    let instruction = graph.step(step)?.instruction;
    Some((instruction.keyword, instruction.args.text.as_ref()))
}

#[cfg(test)]
mod tests {
    use crate::cache::{Change, Model};
    use crate::dockerfile::parse;
    use crate::graph::Options;

    #[test]
    fn a_moved_instruction_is_asked_in_its_new_place() {
        let before = "FROM a\nCOPY . .\nRUN install\nRUN build\n";
        let after = "FROM a\nRUN install\nCOPY . .\nRUN build\n";
        let dockerfile = parse(before);
        let model = Model::new(&dockerfile, Options::default(), None);
        let edit = [Change::Edit(vec!["src/a".into()])];
        let steps: Vec<_> = model.graph.all_steps().map(|(id, _)| id).collect();
        assert!(model.after(&edit).runs_again(steps[2]));
        let (install, build) = model.with_text(after, |moved| {
            let of = |step| moved.counterpart(&model.graph, step).unwrap();
            let answer = moved.after(&edit);
            (answer.runs_again(of(steps[2])), answer.runs_again(of(steps[3])))
        });
        assert!(!install && build);
    }

    #[test]
    fn another_value_runs_what_has_it_in_its_environment() {
        let dockerfile = parse("FROM a\nRUN x\nENV A=1\nCOPY . .\nRUN y\n");
        let model = Model::new(&dockerfile, Options::default(), None);
        let again = model.rerun_by("FROM a\nRUN x\nENV A=2\nCOPY . .\nRUN y\n");
        assert_eq!(again, [false, false, false, true]);
    }

    #[test]
    fn of_equal_instructions_the_one_in_the_same_place_is_meant() {
        let dockerfile = parse("FROM a\nRUN x\nFROM b\nRUN x\nRUN y\n");
        let model = Model::new(&dockerfile, Options::default(), None);
        let last = model.graph.all_steps().map(|(id, _)| id).nth(3).unwrap();
        let found = model.with_text("FROM a\nRUN x\nFROM b\nRUN z\nRUN x\n", |other| {
            other.counterpart(&model.graph, last).map(|id| other.graph.step(id).unwrap().stage)
        });
        assert_eq!(found, Some(1));
    }
}
