//! One course of events: the caches of all builders and refs as builds leave them.

use super::digest::Digest;
use super::records::Records;
use super::result::{ResultId, Results};
use super::setting::tagged;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Identity of its manifest.
    pub(super) digest: Digest,
    /// Identity of its layers (facts §1.1: the second key).
    pub(super) chain: Digest,
    /// What it was built from, where that is known.
    pub(super) inside: Option<ResultId>,
}

/// A builder's local cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Builder {
    pub(super) records: Records,
    /// Snapshots whose layers exist compressed: only these are added to a `min` export (facts §5.1).
    pub(super) blobs: FxHashSet<ResultId>,
    /// Layers known from an import that were not downloaded: a build that does not import them cannot load them.
    pub(super) absent: FxHashSet<ResultId>,
    /// Layers that were made or downloaded here.
    pub(super) present: FxHashSet<ResultId>,
}

impl Builder {
    /// An empty one for about so many operations.
    pub(super) fn with_room(operations: usize) -> Self {
        Self { records: Records::with_room(operations), ..Self::default() }
    }

    /// Notes layers of an import. Those of a local directory are read at once, others when something needs their files
    /// (BuildKit: `UnlazySession`, `FromRemote`).
    pub(super) fn offered(&mut self, layers: &[ResultId], at_once: bool) {
        for layer in layers {
            if at_once {
                self.present.insert(*layer);
                self.absent.remove(layer);
            } else if !self.present.contains(layer) {
                self.absent.insert(*layer);
            }
        }
    }
}

/// One course of events.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) results: Results,
    pub(super) builders: BTreeMap<Arc<str>, Builder>,
    pub(super) refs: BTreeMap<Arc<str>, Arc<Records>>,
    pub(super) images: BTreeMap<String, Image>,
    pub(super) clock: u64,
    pub(super) sessions: u64,
    /// A build was too large to be followed, so that nothing is known of what came after.
    pub(super) too_many: bool,
}

impl World {
    /// Gives a reference another image, of which nothing is known but that it is another.
    pub(super) fn set_image(&mut self, reference: &str, digest: Digest, chain: Digest) {
        self.images.insert(reference.to_owned(), Image { digest, chain, inside: None });
    }

    /// The image of that reference. One that nothing is known of is told apart by its reference.
    pub(super) fn image(&self, reference: &str) -> Image {
        let tagged = tagged(reference);
        let known = self.images.get(reference).or_else(|| self.images.get(&*tagged));
        known.copied().unwrap_or_else(|| Image {
            digest: Digest::of("manifest of", &[tagged.as_bytes()]),
            chain: Digest::of("layers of", &[tagged.as_bytes()]),
            inside: None,
        })
    }
}
