//! The configuration after includes, `extends` and `!reference`: mappings laid over each other, every leaf with the file
//! that it stands in.

use crate::builds::yaml::{Data, Node};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Which file of the pipeline.
pub(super) type FileId = usize;

/// A merged value.
#[derive(Clone, Debug)]
pub(super) enum Tree<'f> {
    /// A mapping.
    Map(Map<'f>),
    /// A scalar or a sequence as written.
    Leaf(FileId, Arc<Node<'f>>),
}

/// A mapping in order; large ones have an index.
#[derive(Clone, Debug, Default)]
pub(super) struct Map<'f> {
    list: Vec<(Arc<str>, Tree<'f>)>,
    index: FxHashMap<Arc<str>, usize>,
}

/// Entries from which on an index pays.
const INDEXED: usize = 16;

impl<'f> Map<'f> {
    fn position(&self, key: &str) -> Option<usize> {
        if self.list.len() < INDEXED {
            return self.list.iter().position(|(name, _)| &**name == key);
        }
        self.index.get(key).copied()
    }

    /// The entry under `key`, a new one if there is none, for `fill` to set.
    fn put(&mut self, key: &Arc<str>, value: impl FnOnce() -> Tree<'f>, over: impl FnOnce(&mut Tree<'f>)) {
        match self.position(key).and_then(|at| self.list.get_mut(at)) {
            Some((_, have)) => over(have),
            None => {
                self.list.push((Arc::clone(key), value()));
                let len = self.list.len();
                if len == INDEXED {
                    self.index =
                        self.list.iter().enumerate().map(|(at, (name, _))| (Arc::clone(name), at)).collect();
                } else if len > INDEXED {
                    self.index.insert(Arc::clone(key), len - 1);
                }
            }
        }
    }
}

impl<'f> Tree<'f> {
    /// An empty mapping.
    pub(super) fn empty() -> Self {
        Self::Map(Map::default())
    }

    /// A node of a file.
    pub(super) fn new(file: FileId, node: &Arc<Node<'f>>) -> Self {
        match &node.data {
            Data::Map(entries) => {
                let mut map = Map::default();
                // Entries of a merge key come last and give way to own ones.
                for entry in entries {
                    let Some(name) = entry.name() else { continue };
                    let merged = entry.merged;
                    map.put(
                        &name.into(),
                        || Self::new(file, &entry.value),
                        |old| {
                            if !merged {
                                *old = Self::new(file, &entry.value);
                            }
                        },
                    );
                }
                Self::Map(map)
            }
            _ => Self::Leaf(file, Arc::clone(node)),
        }
    }

    /// The value under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.list.get(map.position(key)?).map(|(_, value)| value),
            Self::Leaf(..) => None,
        }
    }

    /// Sets a key that is not there.
    pub(super) fn insert(&mut self, key: &str, value: &Self) {
        if let Self::Map(map) = self {
            map.put(&key.into(), || value.clone(), |_| {});
        }
    }

    /// The entries of a mapping.
    pub(super) fn entries(&self) -> &[(Arc<str>, Self)] {
        match self {
            Self::Map(map) => &map.list,
            Self::Leaf(..) => &[],
        }
    }

    /// A leaf with its file.
    pub(super) fn leaf(&self) -> Option<(FileId, &Arc<Node<'f>>)> {
        match self {
            Self::Leaf(file, node) => Some((*file, node)),
            Self::Map(_) => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn str(&self) -> Option<&str> {
        self.leaf()?.1.str()
    }

    /// Lays `over` on top: mappings are merged key by key, everything else is replaced.
    pub(super) fn lay(&mut self, over: &Self) {
        match (&mut *self, over) {
            (Self::Map(own), Self::Map(new)) => {
                for (name, value) in &new.list {
                    own.put(name, || value.clone(), |have| have.lay(value));
                }
            }
            (own, new) => *own = new.clone(),
        }
    }
}
