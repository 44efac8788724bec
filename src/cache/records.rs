//! A cache as BuildKit holds it: records reached by links from the keys of their inputs, with or without a result
//! (BuildKit: `solver/cachemanager.go`, `cachestorage.go`).

use super::digest::Digest;
use super::result::ResultId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;
use std::hash::Hash;

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

/// One cache: a builder's own, or what a ref holds. Every question to the model copies some, so that a copy has to be cheap.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    links: Several<Link, Key>,
    /// All links in the order in which they came.
    linked: Vec<(Link, Key)>,
    results: Several<Key, Loadable>,
    known: FxHashSet<Key>,
}

/// The links that lead to each record.
pub(super) type Backlinks = FxHashMap<Key, Vec<Link>>;

impl Records {
    /// None yet, with room for those of about so many operations.
    pub(super) fn with_room(operations: usize) -> Self {
        let mut records = Self::default();
        // One input with one key each is the least.
        records.links.first.reserve(operations);
        records.linked.reserve(operations);
        records.results.first.reserve(operations);
        records.known.reserve(2 * operations);
        records
    }

    pub(super) fn is_known(&self, key: Key) -> bool {
        self.known.contains(&key)
    }

    pub(super) fn know(&mut self, key: Key) {
        self.known.insert(key);
    }

    pub(super) fn reached(&self, link: &Link) -> impl Iterator<Item = Key> {
        self.links.get(link).copied()
    }

    /// Adds a link; false where it was there.
    pub(super) fn link(&mut self, link: Link, to: Key) -> bool {
        let new = self.links.add(link, to);
        if new {
            self.linked.push((link, to));
            self.known.insert(to);
            self.known.insert(link.from);
        }
        new
    }

    pub(super) fn backlinks(&self) -> Backlinks {
        let mut back = Backlinks::default();
        for (link, to) in &self.linked {
            back.entry(*to).or_default().push(*link);
        }
        back
    }

    pub(super) fn results(&self, key: Key) -> impl Iterator<Item = Loadable> {
        self.results.get(&key).copied()
    }

    /// Whether both hold the same results: exports of one build that do are equal.
    pub(super) fn holds_as(&self, other: &Self) -> bool {
        let of = |records: &Self| records.results.first.len();
        of(self) == of(other)
            && self.results.first.keys().all(|key| self.results(*key).eq(other.results(*key)))
    }

    pub(super) fn save(&mut self, key: Key, loadable: Loadable) {
        self.known.insert(key);
        self.results.add(key, loadable);
    }
}

/// What tells two values apart.
trait Identified {
    type Id: Copy + Eq + Hash + std::fmt::Debug;
    fn id(&self) -> Self::Id;
}

impl Identified for Key {
    type Id = Self;
    fn id(&self) -> Self {
        *self
    }
}

impl Identified for Loadable {
    type Id = ResultId;
    fn id(&self) -> ResultId {
        self.result
    }
}

/// A map from a key to several values, of which there is nearly always one: then nothing is allocated for it.
#[derive(Clone, Debug)]
struct Several<K, V: Identified> {
    first: FxHashMap<K, V>,
    others: FxHashMap<K, Others<V>>,
}

/// The second value and those after it, in the order in which they came. Equal steps in one file make thousands.
#[derive(Clone, Debug)]
struct Others<V: Identified> {
    list: Vec<V>,
    seen: FxHashSet<V::Id>,
}

impl<V: Identified> Default for Others<V> {
    fn default() -> Self {
        Self { list: Vec::new(), seen: FxHashSet::default() }
    }
}

impl<K, V: Identified> Default for Several<K, V> {
    fn default() -> Self {
        Self { first: FxHashMap::default(), others: FxHashMap::default() }
    }
}

impl<K: Copy + Eq + Hash, V: Identified> Several<K, V> {
    /// The values in the order in which they came.
    fn get<'s>(&'s self, key: &K) -> impl Iterator<Item = &'s V> + use<'s, K, V> {
        let others = self.others.get(key).into_iter().flat_map(|others| &others.list);
        self.first.get(key).into_iter().chain(others)
    }

    /// Adds a value, unless an equal one is there; false then.
    fn add(&mut self, key: K, value: V) -> bool {
        match self.first.entry(key) {
            Entry::Vacant(place) => {
                place.insert(value);
                true
            }
            Entry::Occupied(first) if first.get().id() == value.id() => false,
            Entry::Occupied(_) => {
                let others = self.others.entry(key).or_default();
                let new = others.seen.insert(value.id());
                if new {
                    others.list.push(value);
                }
                new
            }
        }
    }
}
