//! COPYs as they would be with `--link`.

use super::definition::{Action, Definition, VertexId};
use super::model::{Change, Model};
use super::simulate::Verdict;
use crate::graph::{StepId, StepKind};
use std::cell::OnceCell;

impl Model<'_> {
    /// Whether each of `steps`, which are COPYs, would be kept when the image `reference` becomes another one, if all of them
    /// had `--link`.
    #[must_use]
    pub fn kept_if_linked(&self, steps: &[StepId], reference: &str) -> Vec<bool> {
        let definition = self.definition();
        let linked: OnceCell<Vec<bool>> = OnceCell::new();
        let kept = |(number, step): (usize, &StepId)| {
            let Some(vertex) = definition.of_step.get(step.index()).copied().flatten() else { return false };
            // With `--link` it stands on what it copies alone: what has nothing of the image in it is asked for under the same
            // keys as before.
            if !sources_have(definition, vertex, reference) {
                return true;
            }
            let asked = || self.ask_linked(steps, reference);
            linked.get_or_init(asked).get(number).copied().unwrap_or(false)
        };
        steps.iter().enumerate().map(kept).collect()
    }

    /// The same from the model of the Dockerfile with all the flags.
    fn ask_linked(&self, steps: &[StepId], reference: &str) -> Vec<bool> {
        let mut graph = self.graph.clone();
        for step in steps {
            if let Some(StepKind::Copy(copy)) = graph.steps.get_mut(step.index()).map(|step| &mut step.kind) {
                copy.link = true;
            }
        }
        let model = Model::of_graph(graph, self.options().clone(), self.context().cloned());
        let answer = model.after(&[Change::Base(Some(reference.to_owned()))]);
        steps.iter().map(|step| answer.verdict(*step) == Verdict::Cached).collect()
    }
}

/// Whether something that the operation copies is made with the image, at any remove. What it is copied onto does not count.
fn sources_have(definition: &Definition, vertex: VertexId, reference: &str) -> bool {
    let Some(copy) = definition.vertices.get(vertex) else { return true };
    let Action::Copy(parts, _) = &copy.action else { return true };
    // What it is copied onto may be a source as well.
    let sources = parts.iter().filter_map(|part| copy.inputs.get(part.input));
    let mut open: Vec<VertexId> = sources.map(|input| input.vertex).collect();
    let mut seen = vec![false; definition.vertices.len()];
    while let Some(at) = open.pop() {
        let (Some(vertex), Some(seen)) = (definition.vertices.get(at), seen.get_mut(at)) else { return true };
        if std::mem::replace(seen, true) {
            continue;
        }
        if matches!(&vertex.action, Action::Image(image, _) if image == reference) {
            return true;
        }
        open.extend(vertex.inputs.iter().map(|input| input.vertex));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;
    use crate::graph::{Options, Step};

    fn kept(text: &str) -> Vec<bool> {
        let dockerfile = parse(text);
        let model = Model::new(&dockerfile, Options::default(), None);
        let is_copy = |(_, step): &(StepId, &Step<'_>)| matches!(step.kind, StepKind::Copy(_));
        let target = model.graph.target.unwrap();
        let steps: Vec<StepId> = model.graph.steps_of(target).filter(is_copy).map(|(id, _)| id).collect();
        let kept = model.kept_if_linked(&steps, "base");
        assert_eq!(kept, model.ask_linked(&steps, "base"), "{text}");
        kept
    }

    #[test]
    fn what_is_linked_stands_on_what_it_copies() {
        assert_eq!(kept("FROM base\nCOPY . /app\nCOPY b /app\n"), [true, true]);
        assert_eq!(kept("FROM go AS build\nRUN make\nFROM base\nCOPY --from=build /a /a\n"), [true]);
        assert_eq!(
            kept("FROM base AS build\nFROM base\nCOPY --from=build /a /a\nCOPY x /x\n"),
            [false, true]
        );
        assert_eq!(kept("FROM base\nCOPY --from=base /a /a\n"), [false]);
    }

    #[test]
    fn a_source_that_runs_again_may_give_the_same() {
        // The copied file is compared by content, which only the build knows.
        assert_eq!(kept("FROM base AS build\nRUN make\nFROM base\nCOPY --from=build /a /a\n"), [false]);
    }
}
