//! Whether files name something: a search over texts that are read and forgotten.

use super::contexts::{Contexts, Files};
use super::read::read_bytes;
use crate::context::Entry;
use aho_corasick::AhoCorasick;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// More files than this are not searched.
pub const MAX_SEARCHED: usize = 6_000;

/// A longer file is data, not a text that somebody wrote.
const MAX_BYTES: u64 = 512 * 1024;

/// Files and texts of a search.
type Question = (Vec<String>, Vec<String>);

/// Answers that were given.
#[derive(Debug, Default)]
pub(super) struct Mentions(Mutex<HashMap<Question, Vec<bool>>>);

impl Mentions {
    /// Which of `texts` stand in any of `files` (relative to the root) of `contexts`.
    pub(super) fn find(&self, contexts: &Contexts, files: &[String], texts: &[String]) -> Vec<bool> {
        let question = (files.to_vec(), texts.to_vec());
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known().get(&question) {
            return answer.clone();
        }
        let found: Vec<AtomicBool> = texts.iter().map(|_| AtomicBool::new(false)).collect();
        let Ok(finder) = AhoCorasick::new(texts) else { return vec![true; texts.len()] };
        files.par_iter().for_each(|path| {
            let bytes = bytes(contexts, path).unwrap_or_default();
            for at in finder.find_overlapping_iter(&bytes) {
                if let Some(found) = found.get(at.pattern().as_usize()) {
                    found.store(true, Ordering::Relaxed);
                }
            }
        });
        let answer: Vec<bool> = found.into_iter().map(AtomicBool::into_inner).collect();
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
            let small = fs::symlink_metadata(&place)
                .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_BYTES);
            small.then(|| read_bytes(&place).ok()).flatten()
        }
    }
}
