//! Scripts that were followed before and did nothing but set variables: every event and every leg of a pipeline comes to them
//! again.

use super::ScriptEnv;
use crate::builds::Vars;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Different variables under which one script is remembered.
const MAX_VARS: usize = 8;

/// What such scripts make of the variables. Copies share what they know; they are of one set of files.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    known: Arc<Mutex<FxHashMap<Start, Vec<Run>>>>,
}

/// The variables before and after a script.
#[derive(Debug)]
struct Run {
    before: Vars,
    after: Vars,
}

/// Where a script starts.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Start {
    path: Arc<str>,
    cwd: Option<String>,
    here: Option<String>,
    depth: u32,
}

impl From<&ScriptEnv> for Start {
    fn from(env: &ScriptEnv) -> Self {
        Self { path: Arc::clone(&env.path), cwd: env.cwd.clone(), here: env.here.clone(), depth: env.depth }
    }
}

impl Followed {
    /// The variables after the script, where it is known to do no more than set them.
    pub(super) fn get(&self, start: &Start, vars: &Vars) -> Option<Vars> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(start)?.iter().find(|run| run.before == *vars).map(|run| run.after.clone())
    }

    pub(super) fn put(&self, start: Start, before: Vars, after: Vars) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = known.entry(start).or_default();
        if runs.len() < MAX_VARS {
            runs.push(Run { before, after });
        }
    }
}
