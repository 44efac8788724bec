//! A cache as BuildKit holds it: records reached by links from the keys of their inputs, with or without a result
//! (BuildKit: `solver/cachemanager.go`, `cachestorage.go`).

use super::digest::Digest;
use super::result::ResultId;
use rustc_hash::{FxHashMap, FxHashSet};

/// A record's identity, the same in every cache that holds it.
pub(super) type Key = Digest;

/// How a record is reached from the key of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Link {
    /// The input's key.
    pub(super) from: Key,
    /// Which input it is.
    pub(super) input: usize,
    /// Digest of the operation.
    pub(super) operation: Digest,
    /// Which paths are taken; [`Digest::NONE`] for a content key.
    pub(super) selector: Digest,
}

/// A result that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loadable {
    pub(super) result: ResultId,
    /// When it was made; the newest is used.
    pub(super) created: u64,
}

/// One cache: a builder's own, or what a ref holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    links: FxHashMap<Link, Vec<Key>>,
    back: FxHashMap<Key, Vec<Link>>,
    results: FxHashMap<Key, Vec<Loadable>>,
    known: FxHashSet<Key>,
}

impl Records {
    pub(super) fn is_known(&self, key: Key) -> bool {
        self.known.contains(&key)
    }

    pub(super) fn know(&mut self, key: Key) {
        self.known.insert(key);
    }

    pub(super) fn reached(&self, link: &Link) -> &[Key] {
        self.links.get(link).map_or(&[], Vec::as_slice)
    }

    /// Adds a link; false where it was there.
    pub(super) fn link(&mut self, link: Link, to: Key) -> bool {
        let keys = self.links.entry(link).or_default();
        if keys.contains(&to) {
            return false;
        }
        keys.push(to);
        self.back.entry(to).or_default().push(link);
        self.known.insert(to);
        self.known.insert(link.from);
        true
    }

    pub(super) fn links_to(&self, key: Key) -> &[Link] {
        self.back.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn results(&self, key: Key) -> &[Loadable] {
        self.results.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn save(&mut self, key: Key, loadable: Loadable) {
        self.known.insert(key);
        let results = self.results.entry(key).or_default();
        if !results.iter().any(|other| other.result == loadable.result) {
            results.push(loadable);
        }
    }
}
