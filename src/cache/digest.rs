//! 128-bit digests of what enters a key. They live in memory only, so their exact value is nobody's business.

use std::hash::{DefaultHasher, Hasher};

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

/// Takes the parts of a digest one by one; each is told apart from its neighbours.
#[derive(Clone, Debug)]
pub(super) struct Feed(DefaultHasher, DefaultHasher);

impl Feed {
    pub(super) fn new(tag: &str) -> Self {
        let mut feed = Self(DefaultHasher::new(), DefaultHasher::new());
        // The two halves differ from here on.
        feed.1.write_u8(1);
        feed.text(tag);
        feed
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        for half in [&mut self.0, &mut self.1] {
            half.write_usize(bytes.len());
            half.write(bytes);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0.write_u64(number);
        self.1.write_u64(number);
    }

    pub(super) fn digest(&mut self, digest: Digest) {
        self.0.write_u128(digest.0);
        self.1.write_u128(digest.0);
    }

    pub(super) fn finish(&self) -> Digest {
        Digest(u128::from(self.0.finish()) << 64 | u128::from(self.1.finish()))
    }
}
