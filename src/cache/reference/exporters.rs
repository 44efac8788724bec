//! The attributes of `--cache-to` and `--cache-from` (facts §5.0, §5.2).

use super::{Entry, Takes, entry};

/// The types of remote caches.
pub const CACHE_TYPES: &[Entry] = &[
    entry(
        "registry",
        Takes::Switch,
        "A manifest of its own in a registry. With `mode=max` it holds every step.",
    ),
    entry(
        "inline",
        Takes::Switch,
        "In the image itself, so it must be pushed. It holds the layers of the final image only, whatever `mode` says; only for exports.",
    ),
    entry(
        "gha",
        Takes::Switch,
        "The cache service of GitHub Actions, one index a `scope`; each export replaces what the scope held.",
    ),
    entry("local", Takes::Switch, "A directory. It only grows, unless `reset=true` or somebody empties it."),
    entry("s3", Takes::Switch, "A bucket. BuildKit removes nothing from it."),
    entry("azblob", Takes::Switch, "A container of Azure's blob storage. BuildKit removes nothing from it."),
];

const TYPE: Entry = entry(
    "type",
    Takes::OneOf(&["registry", "inline", "gha", "local", "s3", "azblob"]),
    "Where the cache is kept; a bare reference is `registry`.",
);
const MODE: Entry = entry(
    "mode",
    Takes::OneOf(&["max", "min"]),
    "`max` holds the result of every step; `min`, the default, those of the final image's layers: one changed input then runs its whole builder stage again. Any other value counts as `min`.",
);
const IGNORE_ERROR: Entry = entry(
    "ignore-error",
    Takes::Switch,
    "Whether the build goes on when the export fails; without it a failed export fails the build.",
);
const REF: Entry = entry(
    "ref",
    Takes::Text("reference"),
    "Where in the registry. Each export replaces what the ref held: one ref for one build.",
);
const OCI: Entry = entry("oci-mediatypes", Takes::Switch, "OCI media types; the default.");
const IMAGE_MANIFEST: Entry = entry(
    "image-manifest",
    Takes::Switch,
    "An image manifest instead of an index, which some registries refuse; the default since BuildKit 0.21.",
);
const COMPRESSION: Entry = entry(
    "compression",
    Takes::OneOf(&["gzip", "zstd", "estargz", "uncompressed"]),
    "Of new layers; those that are there keep theirs without `force-compression`.",
);
const LEVEL: Entry = entry("compression-level", Takes::Text("number"), "0 to 9 for gzip, 0 to 22 for zstd.");
const FORCE: Entry = entry("force-compression", Takes::Switch, "Compresses the layers again that are there.");
const NAME: Entry = entry(
    "name",
    Takes::Text("name"),
    "Which cache it is, `buildkit` where it is missing. Each export replaces what the name held.",
);
const PREFIX: Entry = entry("prefix", Takes::Text("path"), "In front of all names.");
const SCOPE: Entry = entry(
    "scope",
    Takes::Text("name"),
    "Which cache it is, `buildkit` where it is missing: images that share one overwrite each other's.",
);
const BUCKET: Entry = entry("bucket", Takes::Text("name"), "The bucket.");
const REGION: Entry = entry("region", Takes::Text("name"), "Its region.");
const ACCOUNT: Entry = entry("account_url", Takes::Text("address"), "The storage account.");
const TAG: Entry =
    entry("tag", Takes::Text("tag"), "The tag in the directory, `latest` where it is missing.");
const DEST: Entry = entry("dest", Takes::Text("directory"), "The directory that is written.");
const SRC: Entry = entry("src", Takes::Text("directory"), "The directory that is read.");
const RESET: Entry = entry(
    "reset",
    Takes::Switch,
    "Removes what no tag needs after the export; since BuildKit 0.31. Without it the directory only grows.",
);

const DIGEST: Entry = entry("digest", Takes::Text("digest"), "The manifest in the directory.");

/// The attributes of a cache of one type, as it is exported or imported.
#[must_use]
pub fn cache_attributes(kind: &str, export: bool) -> &'static [Entry] {
    match (kind, export) {
        ("registry", true) => {
            &[TYPE, REF, MODE, IMAGE_MANIFEST, OCI, COMPRESSION, LEVEL, FORCE, IGNORE_ERROR]
        }
        ("local", true) => {
            &[TYPE, DEST, MODE, TAG, RESET, IMAGE_MANIFEST, OCI, COMPRESSION, LEVEL, FORCE, IGNORE_ERROR]
        }
        ("gha", true) => &[TYPE, SCOPE, MODE, IGNORE_ERROR],
        ("s3", true) => &[TYPE, BUCKET, REGION, NAME, PREFIX, MODE, IGNORE_ERROR],
        ("azblob", true) => &[TYPE, ACCOUNT, NAME, PREFIX, MODE, IGNORE_ERROR],
        ("registry", false) => &[TYPE, REF],
        ("local", false) => &[TYPE, SRC, TAG, DIGEST],
        ("gha", false) => &[TYPE, SCOPE],
        ("s3", false) => &[TYPE, BUCKET, REGION, NAME, PREFIX],
        ("azblob", false) => &[TYPE, ACCOUNT, NAME, PREFIX],
        _ => &[TYPE],
    }
}
