//! What one cache setting runs again that another would keep.

use super::model::{Change, Model, Setting};
use super::simulate::Verdict;
use crate::graph::{StepId, StepKind};

/// The edit that costs most under a setting, compared with a better one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The step whose files are edited.
    pub copy: StepId,
    /// An edited file that it takes.
    pub edit: String,
    /// The steps that run under the setting and would be cached under the other, in file order.
    pub reruns: Vec<StepId>,
}

/// What `used` loses against `better`; `None` where no typical edit makes a command run that `better` keeps.
#[must_use]
pub fn loss(model: &Model<'_>, used: &Setting, better: &Setting) -> Option<Loss> {
    let mut worst: Option<(usize, Loss)> = None;
    for (copy, edit) in model.typical_edits().iter().cloned() {
        let change = [Change::Edit(vec![edit.clone()])];
        let (used, better) = (model.after_in(&change, used), model.after_in(&change, better));
        let lost = |step: &StepId| {
            used.is_operation(*step)
                && used.verdict(*step) != Verdict::Cached
                && better.verdict(*step) == Verdict::Cached
        };
        let ids = model.graph.all_steps().filter(|(_, step)| !matches!(step.kind, StepKind::From));
        let reruns: Vec<StepId> = ids.map(|(id, _)| id).filter(lost).collect();
        let is_run =
            |id: &&StepId| matches!(model.graph.step(**id).map(|step| &step.kind), Some(StepKind::Run(_)));
        let commands = reruns.iter().filter(is_run).count();
        if commands > 0 && worst.as_ref().is_none_or(|(most, _)| commands > *most) {
            worst = Some((commands, Loss { copy, edit, reruns }));
        }
    }
    worst.map(|(_, loss)| loss)
}

/// Whether no typical change makes a command run under `used` that `better` keeps: no change, edits, other base images, other
/// build args, other downloads. Asks at most `questions` of them, and says no where there are more.
#[must_use]
pub fn loses_nothing(model: &Model<'_>, used: &Setting, better: &Setting, questions: usize) -> bool {
    let edits = model.typical_edits().iter().map(|(_, edit)| vec![Change::Edit(vec![edit.clone()])]);
    let bases = (0..model.graph.stages.len()).filter_map(|stage| model.graph.base_image(stage));
    let bases = bases.map(|image| vec![Change::Base(Some(image.to_owned()))]);
    let args = model.options().args.iter().map(|(name, _)| vec![Change::Arg(name.clone(), None)]);
    let mut changes: Vec<Vec<Change>> = vec![vec![], vec![Change::Base(None)], vec![Change::Remote(None)]];
    changes.extend(edits.chain(bases).chain(args));
    changes.len() <= questions
        && changes.iter().all(|change| {
            let (used, better) = (model.after_in(change, used), model.after_in(change, better));
            model.graph.all_steps().filter(|(_, step)| matches!(step.kind, StepKind::Run(_))).all(
                |(id, _)| {
                    !used.is_operation(id)
                        || used.verdict(id) == Verdict::Cached
                        || used.verdict(id) == better.verdict(id)
                },
            )
        })
}
