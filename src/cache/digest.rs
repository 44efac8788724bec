//! 128-bit digests of what enters a key. They live in memory only, so their exact value is nobody's business.

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
pub(super) struct Feed {
    short: [u8; 256],
    /// How much of it is filled.
    filled: usize,
    /// Everything, once it is too much for `short`.
    long: Vec<u8>,
}

impl Feed {
    pub(super) fn new(tag: &str) -> Self {
        let mut feed = Self { short: [0; 256], filled: 0, long: Vec::new() };
        feed.text(tag);
        feed
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.add(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: u64) {
        self.add(&number.to_le_bytes());
    }

    pub(super) fn digest(&mut self, digest: Digest) {
        self.add(&digest.bytes());
    }

    fn add(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        if self.long.is_empty() {
            if let Some(place) = self.short.get_mut(self.filled..end) {
                place.copy_from_slice(bytes);
                self.filled = end;
                return;
            }
            self.long.extend_from_slice(self.short.get(..self.filled).unwrap_or_default());
        }
        self.long.extend_from_slice(bytes);
    }

    pub(super) fn finish(&self) -> Digest {
        let short = self.short.get(..self.filled).unwrap_or_default();
        Digest(xxh3_128(if self.long.is_empty() { short } else { &self.long }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_any_size_are_told_apart() {
        let of = |sizes: &[usize]| {
            let text = vec![b'x'; 600];
            let parts: Vec<&[u8]> = sizes.iter().map(|size| &text[..*size]).collect();
            Digest::of("parts", &parts)
        };
        let sizes =
            [[0, 0], [1, 0], [0, 1], [200, 100], [100, 200], [240, 0], [256, 0], [300, 300], [300, 299]];
        for (at, one) in sizes.iter().enumerate() {
            for (other_at, other) in sizes.iter().enumerate() {
                assert_eq!(of(one) == of(other), at == other_at, "{one:?} {other:?}");
            }
        }
    }
}
