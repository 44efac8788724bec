//! Which cache settings a build should have: what a fresh builder runs again after each typical change under the settings
//! in use and under each alternative, and the one that is best, ready to paste.
//!
//! Every number comes from the cache model ([`crate::cache::next_run`]); what is recommended never runs more than what is
//! in use. Facts: §5 to §7 and §11.

mod advice;
mod candidates;
mod choose;
mod daemon;
mod mend;
mod place;
mod snippet;
mod subject;
mod used;
mod world;

pub use daemon::DaemonPlan;
pub use subject::{Edit, EditKind, Subject};
pub use world::{Count, TypicalChange, TypicalKind};

use crate::builds::{Front, System};
use crate::fix::Fix;
use serde::Serialize;
use std::sync::Arc;

/// The plan of one build, or of several legs of a matrix that come to the same.
#[derive(Clone, Debug)]
pub struct BuildPlan {
    /// File that starts it, relative to the project's root.
    pub path: Arc<str>,
    /// Its first line there.
    pub line: u32,
    /// Where it is written.
    pub system: System,
    /// What executes it.
    pub front: Front,
    /// Names for people, outermost first.
    pub name: Vec<String>,
    /// The legs of a matrix that it stands for, each with its values; empty where there is no matrix.
    pub legs: Vec<Vec<(String, String)>>,
    /// The Dockerfile.
    pub dockerfile: Arc<str>,
    /// The stage that is built, where one is named.
    pub target: Option<String>,
    /// Whether its builder starts empty; `None` where nothing tells.
    pub fresh: Option<bool>,
    /// Whether people start it on machines that keep their cache, as far as the files tell.
    pub by_hand: bool,
    /// The stages that take part.
    pub stages: Vec<StagePlan>,
    /// The typical changes, in the order of the counts.
    pub changes: Vec<TypicalChange>,
    /// What is written there now, in words.
    pub in_use: InUse,
    /// Every setting that was asked about.
    pub alternatives: Vec<Alternative>,
    /// What to do.
    pub recommendation: Recommendation,
}

/// A stage and its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StagePlan {
    /// Its name, or its number.
    pub stage: String,
    /// From 0.
    pub stage_index: usize,
    /// Steps that execute something: RUN, COPY, ADD and WORKDIR.
    pub steps: usize,
}

/// The settings in use.
#[derive(Clone, Debug)]
pub struct InUse {
    /// `no cache`, or the settings as written.
    pub title: String,
    /// By change, then by stage.
    pub counts: Vec<Vec<Count>>,
    /// What keeps them from doing what they say.
    pub problems: Vec<String>,
}

/// A setting that could be used.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// `none`, `inline`, `registry-min`, `registry-max`, `gha`, `local`, `s3`.
    pub name: &'static str,
    /// Why it cannot be had here.
    pub unavailable: Option<String>,
    /// By change, then by stage.
    pub counts: Vec<Vec<Count>>,
}

/// What to do, and why.
#[derive(Clone, Debug)]
pub struct Recommendation {
    /// What kind of setting it is.
    pub kind: Kind,
    /// In words.
    pub title: String,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
    /// Imports, as for `--cache-from`.
    pub cache_from: Vec<String>,
    /// Exports, as for `--cache-to`.
    pub cache_to: Vec<String>,
    /// By change, then by stage.
    pub counts: Vec<Vec<Count>>,
    /// What to paste where.
    pub snippets: Vec<Snippet>,
    /// What goes with it.
    pub notes: Vec<String>,
    /// The edit of the build's own file, where it can be made unseen.
    pub fix: Option<Fix>,
}

/// The kinds of recommendations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What is there.
    Keep,
    /// What is there, on a builder that can export it.
    Builder,
    /// The cache that is there, with `mode=max`.
    Max,
    /// In the image.
    Inline,
    /// A registry reference of its own.
    Registry,
    /// GitHub's cache, with a scope of its own.
    Gha,
}

/// Text to paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// Where it goes.
    pub title: String,
    /// `yaml`, `sh`, `hcl`, `toml`.
    pub language: &'static str,
    /// With a line end.
    pub text: String,
}

/// A build without a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplanned {
    /// File that starts it.
    pub path: Arc<str>,
    /// Its first line there.
    pub line: u32,
    /// Names for people.
    pub name: Vec<String>,
    /// Why.
    pub why: String,
}

/// The plans of builds, in their order.
#[must_use]
pub fn plan(subjects: &[Subject<'_>]) -> Vec<BuildPlan> {
    let decided = choose::choose(subjects);
    let mut plans: Vec<BuildPlan> = Vec::new();
    let all: Vec<BuildPlan> = subjects
        .iter()
        .zip(&decided)
        .enumerate()
        .map(|(at, (subject, decided))| advice::plan_of(subjects, at, subject, decided))
        .collect();
    for plan in all {
        match plans.iter_mut().find(|other| other.is_leg_of(&plan)) {
            Some(other) => other.legs.extend(plan.legs),
            None => plans.push(plan),
        }
    }
    plans
}

/// Plans of the daemons whose files were found.
#[must_use]
pub fn plan_daemon(
    path: &Arc<str>,
    daemon: &crate::builds::daemon::Daemon,
    disk: Option<u64>,
) -> Option<DaemonPlan> {
    daemon::plan(path, daemon, disk)
}

impl BuildPlan {
    /// Whether the recommendation is what is there.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.recommendation.kind == Kind::Keep
    }

    /// Whether both come from one text and say the same.
    fn is_leg_of(&self, other: &Self) -> bool {
        !self.legs.is_empty()
            && (&self.path, self.line, &self.dockerfile) == (&other.path, other.line, &other.dockerfile)
            && self.stages == other.stages
            && self.changes == other.changes
            && self.in_use.title == other.in_use.title
            && self.in_use.counts == other.in_use.counts
            && self.recommendation.counts == other.recommendation.counts
            && self.recommendation.snippets == other.recommendation.snippets
    }
}
