//! `replay`: how often each step of a Dockerfile was cached, had every commit of a history been built.

use super::explain::{ExplainError, one_line, setting_of};
use super::join;
use crate::cache::{Action, Build, Files, Model, Reason, Setting, Store, Verdict};
use crate::context::{Context, Ignore, Tree};
use crate::dockerfile;
use crate::graph::Options;
use crate::project::Project;
use crate::source::LineIndex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What `replay` is asked.
#[derive(Clone, Debug, Default)]
pub struct ReplayRequest {
    /// The Dockerfile, relative to the project's root.
    pub dockerfile: String,
    /// The stage that is built; `None` takes the one that all builds ask for that are found, else the last.
    pub target: Option<String>,
    /// Whether every build has a fresh builder.
    pub ephemeral: bool,
    /// `--cache-to` values.
    pub cache_to: Vec<String>,
    /// `--cache-from` values.
    pub cache_from: Vec<String>,
}

/// What a build takes at one commit.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The text of the Dockerfile; `None` where there was none.
    pub dockerfile: Option<String>,
    /// The text of the ignore file in force; `None` where there was none.
    pub ignore: Option<String>,
    /// The files of the context.
    pub tree: Tree,
}

/// How often each step was cached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The Dockerfile, as the reader names it.
    pub dockerfile: String,
    /// The commits that were looked at.
    pub commits: usize,
    /// The builds after the first, which fills the cache and is not counted. A commit without the Dockerfile, or with one
    /// that has nothing to build, makes none.
    pub builds: usize,
    /// The builds in which every step was cached.
    pub idle: usize,
    /// The steps of the newest build, in the order of the file.
    pub steps: Vec<ReplayedStep>,
}

/// A step, over the builds that had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayedStep {
    /// The 1-based line at which the instruction starts in the newest Dockerfile.
    pub line: u32,
    /// The stage's name, if it has one.
    pub stage: Option<String>,
    /// The stage's index, from 0.
    pub stage_index: usize,
    /// The keyword in capitals.
    pub instruction: &'static str,
    /// The instruction in one line, continuations joined.
    pub text: String,
    /// What happened to it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// How often something happened to a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The builds that needed it.
    pub builds: usize,
    /// It did not run.
    pub cached: usize,
    /// It ran.
    pub reruns: usize,
    /// It ran if what an earlier step wrote differed from last time.
    pub depends: usize,
    /// Of [`Self::reruns`]: it was the first to run, because of its own text or of files of the context.
    pub began: usize,
}

/// What tells a step from the others through changes of the Dockerfile: its stage, its text, and the how-manieth of equal
/// ones it is.
type Key = (String, String, usize);

/// A history, one build after the other.
#[derive(Debug)]
pub struct Replay {
    options: Options,
    any_target: bool,
    setting: Setting,
    store: Store,
    counts: BTreeMap<Key, Counts>,
    result: Replayed,
    built: usize,
    newest: Vec<(Key, ReplayedStep)>,
}

impl Replay {
    /// Begins with empty caches. Build args and their values are those of the builds that `project` has now.
    ///
    /// # Errors
    ///
    /// [`ExplainError`] for a cache setting that cannot be read.
    pub fn new(project: &Project, request: &ReplayRequest) -> Result<Self, ExplainError> {
        let mut options = join::agreed(project, &request.dockerfile).options;
        if request.target.is_some() {
            options.target.clone_from(&request.target);
        }
        Ok(Self {
            options,
            any_target: request.target.is_none(),
            setting: setting_of(&request.cache_to, &request.cache_from, request.ephemeral)?,
            store: Store::new(),
            counts: BTreeMap::new(),
            result: Replayed { dockerfile: request.dockerfile.clone(), ..Replayed::default() },
            built: 0,
            newest: Vec::new(),
        })
    }

    /// Builds a commit. Base images and downloads are what they were in the builds before.
    pub fn build(&mut self, commit: &Commit) {
        self.result.commits += 1;
        let Some(text) = &commit.dockerfile else { return };
        let syntax = dockerfile::parse(text);
        let ignore = Ignore::parse(commit.ignore.as_deref().unwrap_or_default());
        let context = Arc::new(Context::new(commit.tree.clone(), ignore));
        let mut model = Model::new(&syntax, self.options.clone(), Some(Arc::clone(&context)));
        if self.any_target && model.graph.target.is_none() {
            // The stage that today's builds ask for did not exist yet.
            let options = Options { target: None, ..self.options.clone() };
            model = Model::new(&syntax, options, Some(Arc::clone(&context)));
        }
        if model.graph.target.is_none() {
            return;
        }
        self.built += 1;
        let builder =
            if self.setting.fresh { format!("builder {}", self.built) } else { "builder".to_owned() };
        let outcome = self.store.simulate(&Build {
            context: Files::Known(Arc::new(context.visible().clone())),
            imports: self.setting.imports.clone(),
            exports: self.setting.exports.clone(),
            pushed: self.setting.pushed,
            ..Build::new(model.definition(), &builder)
        });
        let first = self.built == 1;
        let lines = LineIndex::new(text);
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut idle = true;
        self.newest.clear();
        for (id, step) in model.graph.all_steps() {
            let verdict = outcome.verdict(id);
            let instruction = step.instruction;
            let text = one_line(text, instruction);
            let stage = model.graph.stage_name(step.stage).into_owned();
            let nth = seen.entry((stage.clone(), text.clone())).or_default();
            let key = (stage, text.clone(), *nth);
            *nth += 1;
            if verdict == Verdict::Skipped {
                continue;
            }
            if !first {
                let counts = self.counts.entry(key.clone()).or_default();
                counts.builds += 1;
                counts.cached += usize::from(verdict == Verdict::Cached);
                counts.reruns += usize::from(verdict == Verdict::Reruns);
                counts.depends += usize::from(verdict == Verdict::Depends);
                counts.began += usize::from(verdict == Verdict::Reruns && begins(&model, outcome.reason(id)));
                idle &= verdict == Verdict::Cached;
            }
            let shown = ReplayedStep {
                line: lines.line(instruction.span.start),
                stage: model.graph.stages.get(step.stage).and_then(|stage| stage.name.clone()),
                stage_index: step.stage,
                instruction: instruction.keyword.name(),
                text,
                counts: Counts::default(),
            };
            self.newest.push((key, shown));
        }
        if !first {
            self.result.builds += 1;
            self.result.idle += usize::from(idle);
        }
    }

    /// The counts, for the steps of the newest build.
    #[must_use]
    pub fn finish(self) -> Replayed {
        let Self { counts, newest, result, .. } = self;
        let step = |(key, step): (Key, ReplayedStep)| {
            let counts = counts.get(&key).copied().unwrap_or_default();
            ReplayedStep { counts, ..step }
        };
        Replayed { steps: newest.into_iter().map(step).collect(), ..result }
    }
}

/// Whether a step that runs for this reason is where the work begins: its own text is new, or files of the context are.
fn begins(model: &Model<'_>, reason: Reason) -> bool {
    match reason {
        Reason::Operation => true,
        Reason::Content(input) => {
            let input = model.definition().vertices.get(input).map(|vertex| &vertex.action);
            matches!(input, Some(Action::Context(_)))
        }
        _ => false,
    }
}
