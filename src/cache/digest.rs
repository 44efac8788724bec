//! 128-bit digests of what enters a key. They live in memory only, so their exact value is nobody's business.

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_128;

/// A digest. Equal digests mean equal parts; 128 bits leave no room for accidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(u128);

impl Digest {
    /// The digest of nothing in particular: no selector, no content.
    pub const NONE: Self = Self(0);

    /// The digest of `parts` under `tag`, a word for their kind.
    #[must_use]
    pub fn of(tag: &str, parts: &[&[u8]]) -> Self {
        let mut feed = Feed::new(tag);
        for part in parts {
            feed.bytes(part);
        }
        feed.finish()
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// The digest of other digests under `tag`.
    #[must_use]
    pub fn combine(tag: &str, parts: &[Self]) -> Self {
        let mut feed = Feed::new(tag);
        for part in parts {
            feed.digest(*part);
        }
        feed.finish()
    }
}

/// Takes the parts of a digest one by one; each is told apart from its neighbours. They are hashed at once at the end, most
/// being short.
#[derive(Clone, Debug)]
pub(super) struct Feed(SmallVec<[u8; 256]>);

impl Feed {
    pub(super) fn new(tag: &str) -> Self {
        let mut feed = Self(SmallVec::new());
        feed.text(tag);
        feed
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn digest(&mut self, digest: Digest) {
        self.0.extend_from_slice(&digest.bytes());
    }

    pub(super) fn finish(&self) -> Digest {
        Digest(xxh3_128(&self.0))
    }
}
