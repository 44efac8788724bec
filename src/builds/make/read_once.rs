//! What was read of Makefiles, for those who come to them often: every leg of a matrix runs `make`.

use super::syntax::{Makefile, parse};
use super::{included, variables};
use crate::builds::{Files, Vars};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The Makefiles that one pipeline has come to, read once. Copies share what they know; they are of one set of files.
#[derive(Clone, Debug, Default)]
pub struct Makefiles {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    parsed: FxHashMap<String, Arc<Makefile>>,
    variables: FxHashMap<Start, Vars>,
}

/// What the variables of a Makefile turn on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Start {
    path: String,
    directory: String,
    given: Vec<(String, String)>,
    /// Those of its `?=` that the environment holds, in order, with their texts and whether they are there only sometimes.
    set: Vec<(String, String, bool)>,
}

impl Makefiles {
    /// The Makefile at `path`, whose text is `text`.
    pub(super) fn parsed(&self, path: &str, text: &str) -> Arc<Makefile> {
        let mut known = self.known();
        if let Some(makefile) = known.parsed.get(path) {
            return Arc::clone(makefile);
        }
        let makefile = Arc::new(parse(text));
        known.parsed.insert(path.to_owned(), Arc::clone(&makefile));
        makefile
    }

    /// The variables of the Makefile at `path` with those of the command line, without those of the environment.
    pub(super) fn variables(
        &self,
        path: &str,
        own: &Makefile,
        directory: &str,
        given: &[(String, String)],
        environment: &Vars,
        files: Files<'_>,
    ) -> Vars {
        let files_of = included(own, directory, files, &|path, text| self.parsed(path, text));
        let all = files_of.iter().flat_map(|file| &file.definitions).chain(&own.definitions);
        let set = all.filter(|one| one.operator == "?=").filter_map(|one| {
            let var = environment.get(&one.name)?;
            Some((one.name.clone(), var.text.text.clone(), var.conditional))
        });
        let start = Start {
            path: path.to_owned(),
            directory: directory.to_owned(),
            given: given.to_vec(),
            set: set.collect(),
        };
        if let Some(vars) = self.known().variables.get(&start) {
            return vars.clone();
        }
        let vars = variables(own, &files_of, given, environment);
        self.known().variables.insert(start, vars.clone());
        vars
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
