//! Whether files name something: a search over texts that are read and forgotten.

use super::contexts::{Contexts, Files};
use super::read::read_known;
use crate::context::Entry;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// More files than this are not searched.
pub const MAX_SEARCHED: usize = 6_000;

/// A longer file is data, not a text that somebody wrote.
const MAX_BYTES: u64 = 512 * 1024;

/// With more files the time goes into the search.
const FEW: usize = 32;

/// Files and texts of a search.
type Question = (Vec<String>, Vec<String>);

/// Answers that were given.
#[derive(Debug, Default)]
pub(super) struct Mentions(Mutex<HashMap<Question, Vec<Option<usize>>>>);

impl Mentions {
    /// For each of `texts` the first of `files` (relative to the root) of `contexts` in which it stands.
    pub(super) fn find(&self, contexts: &Contexts, files: &[String], texts: &[String]) -> Vec<Option<usize>> {
        let question = (files.to_vec(), texts.to_vec());
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known().get(&question) {
            return answer.clone();
        }
        let found: Vec<AtomicUsize> = texts.iter().map(|_| AtomicUsize::new(usize::MAX)).collect();
        // The fastest search is the slowest to prepare; the texts begin with letters that stand everywhere.
        let kind = if files.len() > FEW { AhoCorasickKind::DFA } else { AhoCorasickKind::NoncontiguousNFA };
        let finder = AhoCorasick::builder().kind(Some(kind)).prefilter(false).build(texts);
        let Ok(finder) = finder else { return vec![Some(0); texts.len()] };
        files.par_iter().enumerate().for_each(|(number, path)| {
            let bytes = bytes(contexts, path).unwrap_or_default();
            // Most files speak of none of them, and that is told faster than of which.
            if !finder.is_match(&bytes) {
                return;
            }
            for at in finder.find_overlapping_iter(&bytes) {
                if let Some(found) = found.get(at.pattern().as_usize()) {
                    found.fetch_min(number, Ordering::Relaxed);
                }
            }
        });
        let first = |found: AtomicUsize| Some(found.into_inner()).filter(|number| *number < files.len());
        let answer: Vec<Option<usize>> = found.into_iter().map(first).collect();
        known().insert(question, answer.clone());
        answer
    }
}

fn bytes(contexts: &Contexts, path: &str) -> Option<Vec<u8>> {
    match contexts.files() {
        Files::None => None,
        Files::Tree(tree) => match tree.get(path) {
            Some(Entry::File(file)) => file.text.map(|text| text.as_bytes().to_vec()),
            _ => None,
        },
        Files::Disk(root) => {
            let place = root.join(path);
            let metadata = fs::symlink_metadata(&place).ok()?;
            let small = metadata.is_file() && metadata.len() <= MAX_BYTES;
            small.then(|| read_known(&place, &metadata).ok()).flatten()
        }
    }
}
