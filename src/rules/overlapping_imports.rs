//! `overlapping-imports`: several imports offer the same steps, and which of them answers first decides what runs again.

use super::refs::{self, Refs};
use super::words::count;
use super::{BuildCx, Category, Cause, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::{System, Volatility, may_be_same};
use crate::cache::{self, Export, PipelineBuild, Rerun, Run, last_run};
use crate::graph::{StepId, StepKind};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "overlapping-imports",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/overlapping-imports.md"),
};

/// How many other builds are simulated with one, and how many of its edits.
const MAX_WRITERS: usize = 8;
const MAX_EDITS: usize = 3;

/// See the page.
pub(super) struct OverlappingImports;

/// A build that imports several caches, and what fills them.
struct Reader<'c, 'a> {
    build: &'c BuildCx<'a>,
    own: PipelineBuild<'c, 'a>,
    /// The builds of a run that matter to it, itself among them.
    builds: Vec<PipelineBuild<'c, 'a>>,
    /// Which of them it is.
    at: usize,
    /// A run of the default branch, where an import is a branch's ref under the name that it has there.
    before: Vec<PipelineBuild<'c, 'a>>,
}

impl Rule for OverlappingImports {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds {
            let imports = &build.build.cache_from;
            let (Some(first), Some(last)) = (imports.first(), imports.last()) else { continue };
            let mut place = build.place_of(first);
            if build.place_of(last).path == place.path {
                place.span = place.span.cover(last.span);
            }
            if imports.len() < 2 || seen.contains(&place) {
                continue;
            }
            let Some(reader) = reader(build, cx, &refs) else { continue };
            let Some((edit, steps)) = reader.races() else { continue };
            seen.insert(place.clone());
            report(&reader, &edit, &steps, place, out);
        }
    }
}

fn report(reader: &Reader<'_, '_>, edit: &[String], steps: &[StepId], place: Place, out: &mut Sink) {
    let line = |step: &StepId| {
        let span = reader.own.model.graph.step(*step)?.instruction.span;
        Some((reader.build.dockerfile?, span))
    };
    let first = steps.first().and_then(line);
    let at =
        first.map(|(cx, span)| format!(" ({} line {})", cx.path(), cx.line(span.start))).unwrap_or_default();
    let message = format!(
        "these imports overlap: in some runs {}{at} that one of them holds {} again",
        count(steps.len(), "command"),
        if steps.len() == 1 { "runs" } else { "run" },
    );
    let own = reader.suffices(edit);
    let name = own.map(|index| refs::shown(reader.own.setting.imports.get(index).map_or("", String::as_str)));
    let last = own.is_some_and(|index| index + 1 == reader.own.setting.imports.len());
    let help = match (&name, reader.before.is_empty()) {
        (Some(name), true) => format!("import {name} alone: it holds every step of this build"),
        (Some(name), false) if last => format!(
            "where {name} exists, import it alone; listed last, as here, it lost a stage in 5 of 24 recorded runs"
        ),
        (Some(name), false) => format!(
            "where {name} exists, import it alone, or list it last: recorded runs lost a stage in 16 of 24 with it first, in 5 \
             of 24 with it last"
        ),
        (None, _) => "list last the ref that holds most of this build: of several that know a step BuildKit follows one, and the \
                      last lost least in recorded runs"
            .to_owned(),
    };
    let cause = first.map(|(cx, span)| Cause {
        place: Some(cx.place(span)),
        message: "runs again if an import answers first that knows the step before it, but not this one"
            .into(),
    });
    let severity = if last && !reader.before.is_empty() { Severity::Info } else { Severity::Warning };
    out.report_at(place, message)
        .severity(severity)
        .help(help)
        .causes(cause)
        .cause_elsewhere("a known race between imports: moby/buildkit#6418");
}

impl<'c, 'a> Reader<'c, 'a> {
    /// The commands that run again by bad luck, after an edit or after none.
    fn races(&self) -> Option<(Vec<String>, Vec<StepId>)> {
        let edits = self.own.model.typical_edits().iter().map(|(_, edit)| vec![edit.clone()]);
        let mut cases: Vec<Vec<String>> = edits.take(MAX_EDITS).collect();
        // A branch that changed nothing has what the default branch has.
        cases.insert(0, Vec::new());
        let found = cases.into_iter().filter_map(|edit| {
            let steps = self.commands(&self.last(&edit, &self.own.setting.imports), true);
            (!steps.is_empty()).then_some((edit, steps))
        });
        found.max_by_key(|(_, steps)| steps.len())
    }

    /// The import that would do without the others.
    fn suffices(&self, edit: &[String]) -> Option<usize> {
        let imports = &self.own.setting.imports;
        let all = self.last(edit, imports);
        let least = self.commands(&all, false).len();
        // The one that the build itself writes is there in every later run.
        let written = |index: &usize| {
            let name = imports.get(*index);
            self.own.setting.exports.iter().any(|export| Some(&export.to) == name)
        };
        let own = (0..imports.len()).rev().filter(written);
        let others = (0..imports.len()).rev().filter(|index| !written(index));
        own.chain(others).find(|index| {
            let one: Vec<String> = imports.get(*index).cloned().into_iter().collect();
            self.commands(&self.last(edit, &one), false).len() <= least
        })
    }

    fn commands(&self, reruns: &[Rerun], race: bool) -> Vec<StepId> {
        let is_run = |step: &StepId| {
            matches!(self.own.model.graph.step(*step).map(|step| &step.kind), Some(StepKind::Run(_)))
        };
        reruns.iter().filter(|rerun| rerun.race == race).map(|rerun| rerun.step).filter(is_run).collect()
    }

    /// What the build runs again when the pipeline runs once more. The edit is the branch's where there is a default branch
    /// before it, else it is made between the runs.
    fn last(&self, edit: &[String], imports: &[String]) -> Vec<Rerun> {
        let mut builds = self.builds.clone();
        if let Some(own) = builds.get_mut(self.at) {
            own.setting.imports = imports.to_vec();
        }
        let branch = Run { builds: &builds, edited: edit };
        let reruns = if self.before.is_empty() {
            last_run(&[Run { builds: &self.builds, edited: &[] }, branch])
        } else {
            let first = Run { builds: &self.builds, edited: edit };
            last_run(&[Run { builds: &self.before, edited: &[] }, first, branch])
        };
        reruns.into_iter().nth(self.at).unwrap_or_default()
    }
}

fn reader<'c, 'a>(
    build: &'c BuildCx<'a>,
    cx: &'c ProjectCx<'a>,
    refs: &Refs<'c, 'a>,
) -> Option<Reader<'c, 'a>> {
    let started = !matches!(build.build.system, System::Bake | System::Compose);
    if build.build.builder.persistent == Some(true) || refs::is_other(build) || !started {
        return None;
    }
    let own = in_pipeline(build)?;
    let names: BTreeSet<&String> = own.setting.imports.iter().collect();
    if names.len() < 2 {
        return None;
    }
    let twin = |other: &BuildCx<'_>| {
        other.build.cache_to == build.build.cache_to
            && other.build.cache_from == build.build.cache_from
            && other.build.target == build.build.target
    };
    let (mut builds, mut at) = (Vec::new(), 0);
    for other in cx.builds.iter().filter(|other| !refs::is_other(other)) {
        if std::ptr::eq(other, build) {
            at = builds.len();
            builds.push(own.clone());
            continue;
        }
        let Some(writer) = in_pipeline(other) else { continue };
        let writes = writer.setting.exports.iter().any(|export| names.contains(&export.to));
        if writes && !twin(other) && builds.len() < MAX_WRITERS {
            builds.push(writer);
        }
    }
    let written =
        |name: &str| builds.iter().any(|build| build.setting.exports.iter().any(|export| export.to == name));
    let mut before: Vec<PipelineBuild<'_, '_>> = Vec::new();
    for name in names.iter().filter(|name| !written(name)) {
        let branch = refs.exports.iter().find(|export| {
            refs::pace(&export.spec.value) == Volatility::PerBranch && may_be_same(&export.name, name)
        });
        let Some(branch) = branch else { continue };
        let Some(mut writer) = in_pipeline(branch.build) else { continue };
        let mode = cache::mode_of(&branch.spec.value);
        writer.setting.exports = vec![Export { to: (*name).clone(), mode }];
        before.push(writer);
    }
    let full = builds.len() + before.len() > 1 || names.iter().filter(|name| written(name)).count() > 1;
    full.then_some(Reader { build, own, builds, at, before })
}

fn in_pipeline<'c, 'a>(build: &'c BuildCx<'a>) -> Option<PipelineBuild<'c, 'a>> {
    Some(PipelineBuild {
        model: build.model?,
        job: &build.build.job,
        setting: cache::setting_of(build.build),
    })
}
