//! What `hitrate explain` answers: plain data that the reports render and the model fills.

use crate::cache::Verdict;
use serde::Serialize;

/// Which steps run again after a change, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The Dockerfile, as the reader names it.
    pub dockerfile: String,
    /// The stage that is built: its name, or its index where it has none.
    pub target: String,
    /// What changed, to follow "after": `an edit of src/main.rs`, `another value of VERSION`.
    #[serde(skip)]
    pub change: String,
    /// The steps in the order of the file.
    pub steps: Vec<ExplainedStep>,
}

/// One step and what happens to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedStep {
    /// The 1-based line at which the instruction starts.
    pub line: u32,
    /// The stage's name, if it has one.
    pub stage: Option<String>,
    /// The stage's index, from 0.
    pub stage_index: usize,
    /// The keyword in capitals.
    pub instruction: &'static str,
    /// The instruction in one line, continuations joined.
    pub text: String,
    /// What happens.
    pub verdict: Verdict,
    /// Why, nearest first: another step, then the file or argument that it goes back to. Empty for a cached step.
    pub because: Vec<Reason>,
}

/// One link of the chain of reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The line of the step in the Dockerfile (or of `path`), if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The file that it is about: a file of the context, a `.dockerignore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What happens, to follow "because": `line 4 runs again`, `src/main.rs is among the files that it copies`.
    pub message: String,
}

impl Explanation {
    /// How many steps have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.steps.iter().filter(|step| step.verdict == verdict).count()
    }
}
