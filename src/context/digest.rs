//! Digests that are compared and never shown: of a file's bytes, and of what a step selects.

use sha2::{Digest as _, Sha256};
use smallvec::SmallVec;
use std::fmt;
use xxhash_rust::xxh3::xxh3_128;

/// 128 bits leave no room for accidents.
type Bytes = [u8; 16];

/// What a file contains, as an opaque value: equal bytes have equal ids as long as the ids come from one source (bytes
/// hashed here, or git's blob ids, or stamps of files that were not read).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(Bytes);

impl ContentId {
    /// From the bytes themselves.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(bytes);
        Self::of_hash(hasher)
    }

    /// From the bytes that `reader` gives, of which only few are held at a time. Equal to [`ContentId::of_bytes`].
    ///
    /// # Errors
    ///
    /// Those of `reader`.
    pub fn of_reader(mut reader: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(Self::of_hash(hasher)),
                Ok(len) => hasher.update(buffer.get(..len).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// From the id that git gives a blob, in hexadecimal.
    #[must_use]
    pub fn of_git_blob(id: &str) -> Self {
        Self::tagged(b"blob", &[id.as_bytes()])
    }

    /// Of a file that was not read: equal only to itself (same path, same length). Two files with equal bytes differ,
    /// which matters only to a change that moves content from one path to another.
    #[must_use]
    pub fn of_stamp(path: &str, len: u64) -> Self {
        Self::tagged(b"stamp", &[path.as_bytes(), &len.to_le_bytes()])
    }

    /// A content that is not this one; the same each time it is asked.
    #[must_use]
    pub fn edited(self) -> Self {
        Self::tagged(b"edited", &[&self.0])
    }

    fn of_hash(hasher: Sha256) -> Self {
        let (mut bytes, hash) = (Bytes::default(), hasher.finalize());
        bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        Self(bytes)
    }

    /// This content with something else that counts (an owner).
    #[must_use]
    pub fn with(self, other: &[u8]) -> Self {
        Self::tagged(b"with", &[&self.0, other])
    }

    fn tagged(tag: &[u8], parts: &[&[u8]]) -> Self {
        Self(hash(tag, parts))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(f, &self.0)
    }
}

/// The digest of a selection of files. Equal exactly where BuildKit's own would be, though not made of the same bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Bytes);

impl Digest {
    /// The digest of parts that are told apart by `tag`, a word for their kind; no two lists of parts collide.
    #[must_use]
    pub fn of(tag: &str, parts: &[&[u8]]) -> Self {
        Self(hash(tag.as_bytes(), parts))
    }

    /// As bytes, to be part of another digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(f, &self.0)
    }
}

impl AsRef<[u8]> for ContentId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Of parts that are short or digests themselves.
fn hash(tag: &[u8], parts: &[&[u8]]) -> Bytes {
    let mut bytes: SmallVec<[u8; 512]> = SmallVec::new();
    for part in std::iter::once(&tag).chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    xxh3_128(&bytes).to_le_bytes()
}

fn short(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
}
