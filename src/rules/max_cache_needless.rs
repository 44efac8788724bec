//! `max-cache-needless`: `mode=max` where `min` keeps every step that matters.

use super::{BuildCx, Category, Fixable, MAX_QUESTIONS, Meta, Place, ProjectCx, Rule, Severity, Sink, refs};
use crate::builds::Value;
use crate::cache::{self, ExportMode, Model};
use crate::graph::{Base, StepKind};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "max-cache-needless",
    category: Category::Export,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/max-cache-needless.md"),
};

/// See the page.
pub(super) struct MaxCacheNeedless;

impl Rule for MaxCacheNeedless {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| !refs::is_other(build)) {
            let max = build.build.cache_to.iter().find(|spec| cache::mode_of(&spec.value) == ExportMode::Max);
            let (Some(max), Some(model)) = (max, build.model) else { continue };
            let place = build.place_of(max);
            let stages = stages_beside(model);
            if stages == 0 || model.context().is_none() || !knows(build) || !seen.insert(place.clone()) {
                continue;
            }
            let better = cache::read_back(cache::setting_of(build.build));
            let used = cache::with_mode(&better, ExportMode::Min);
            if !better.imports.is_empty() && cache::loses_nothing(model, &used, &better, MAX_QUESTIONS) {
                let stages = super::words::count(stages, "stage");
                out.report_at(
                    place,
                    format!("`mode=max` uploads the layers of {stages} that `mode=min` need not keep: no typical change runs them again"),
                )
                .help("export with `mode=min`, or inline: the image's own layers hold every step that matters");
            }
        }
    }
}

/// How many stages with commands are built and are not in the image.
fn stages_beside(model: &Model<'_>) -> usize {
    let graph = &model.graph;
    let mut inside = BTreeSet::new();
    let mut at = graph.target;
    while let Some(stage) = at.filter(|stage| inside.insert(*stage)) {
        at = match graph.stages.get(stage).map(|stage| &stage.base) {
            Some(Base::Stage(parent)) => Some(*parent),
            _ => None,
        };
    }
    let reached = |stage: &usize| graph.reachable.get(*stage).copied().unwrap_or(false);
    let commands =
        |stage: &usize| graph.steps_of(*stage).any(|(_, step)| matches!(step.kind, StepKind::Run(_)));
    (0..graph.stages.len()).filter(reached).filter(commands).filter(|stage| !inside.contains(stage)).count()
}

/// Whether what is built is known: another target or platform may need what this one does not.
fn knows(build: &BuildCx<'_>) -> bool {
    let known = |value: &Value| matches!(value, Value::Known(_));
    build.build.target.as_ref().is_none_or(|target| known(&target.value))
}
