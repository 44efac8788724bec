//! The settings of a build that decide what it finds cached and what it leaves (facts §1.11, §5.0).

use super::{Entry, Takes, entry};

/// The settings, under the names that buildx gives them.
pub const SETTINGS: &[Entry] = &[
    entry(
        "cache-to",
        Takes::Text("type=…,…"),
        "Where the build leaves its cache. Each export replaces what the ref held; `mode=min`, the default, keeps the results of the final image's layers only.",
    ),
    entry(
        "cache-from",
        Takes::Text("type=…,…"),
        "A cache that an earlier build exported. One that cannot be read is no error: the build goes on without it. There is no order among several.",
    ),
    entry(
        "no-cache",
        Takes::Switch,
        "Runs every RUN and COPY again and empties the cache mounts of those RUNs, for later builds too.",
    ),
    entry(
        "no-cache-filter",
        Takes::Stage,
        "Runs the steps of this stage again. A step below a COPY from it may still be found by its old key, and the image then holds the old file.",
    ),
    entry(
        "pull",
        Takes::Switch,
        "Asks the registry for base images even where the driver would take a local one; only the `docker` driver does.",
    ),
];

/// The setting of that name in any of the ways it is written: `cache_to`, `cache-to`, `export-cache`.
#[must_use]
pub fn setting(name: &str) -> Option<&'static Entry> {
    let name = name.trim_start_matches('-').replace('_', "-");
    let name = match name.as_str() {
        "export-cache" => "cache-to",
        "import-cache" => "cache-from",
        "no-cache-filters" => "no-cache-filter",
        other => other,
    };
    SETTINGS.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_several_spellings() {
        for name in ["--cache-to", "cache_to", "cache-to", "--export-cache"] {
            assert_eq!(setting(name).unwrap().name, "cache-to", "{name}");
        }
        assert_eq!(setting("no-cache-filters").unwrap().name, "no-cache-filter");
        assert_eq!(setting("cache"), None);
    }
}
