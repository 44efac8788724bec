//! Versions of builders, and in which of them a default changed.

use super::BuildCx;
use crate::settings::Scope;

/// Major, minor and patch version; what is not said is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// BuildKit knows `reservedSpace`, `maxUsedSpace` and `minFreeSpace` (facts §4.2).
pub const NEW_LIMITS: Version = Version(0, 17, 0);
/// BuildKit's default policy for cache mounts has an effect (facts §4.1).
pub const DEFAULT_EVICTS_MOUNTS: Version = Version(0, 31, 0);
/// dockerd's does (facts §4.1).
pub const ENGINE_EVICTS_MOUNTS: Version = Version(29, 7, 0);
/// dockerd collects garbage without being told to (facts §4.3).
pub const ENGINE_COLLECTS: Version = Version(28, 2, 0);
/// `docker build` uses BuildKit without being told to (facts §6).
pub const BUILDKIT_BY_DEFAULT: Version = Version(23, 0, 0);
/// BuildKit writes caches to registries as image manifests without being told to (facts §5.2).
pub const IMAGE_MANIFEST_DEFAULT: Version = Version(0, 21, 0);
/// BuildKit can write them so (facts §5.4).
pub const IMAGE_MANIFEST: Version = Version(0, 12, 0);

/// The first versions that speak the API of GitHub's cache that is still there (facts §5.3).
pub const GHA_API_V2: [(&str, Version); 4] = [
    ("buildx", Version(0, 21, 0)),
    ("buildkit", Version(0, 20, 0)),
    ("compose", Version(2, 33, 1)),
    ("engine", Version(28, 0, 0)),
];

/// The BuildKit that an Engine brings along, from this version of the Engine on (release notes of the Engine).
const OF_ENGINE: [(Version, Version); 8] = [
    (Version(23, 0, 0), Version(0, 10, 6)),
    (Version(24, 0, 0), Version(0, 11, 6)),
    (Version(25, 0, 0), Version(0, 12, 4)),
    (Version(26, 0, 0), Version(0, 13, 1)),
    (Version(27, 0, 0), Version(0, 14, 1)),
    (Version(28, 0, 0), Version(0, 20, 0)),
    (Version(28, 1, 0), Version(0, 21, 0)),
    (Version(28, 2, 0), Version(0, 22, 0)),
];

/// `v0.12.5`, `28.1`, `24-dind`, `moby/buildkit:v0.11.0-rootless`.
#[must_use]
pub fn parse(text: &str) -> Option<Version> {
    let text = text.rsplit([':', '/']).next()?.trim().trim_start_matches('v');
    let mut numbers = text.split(['-', '+']).next()?.split('.').map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    let mut rest = numbers.map_while(Result::ok);
    // `24` is any of its minor versions.
    Some(Version(major, rest.next().unwrap_or(0), rest.next().unwrap_or(0)))
}

/// The version of a component (`buildkit`, `buildx`, `engine`, `compose`) as the build's files or the configuration tell.
#[must_use]
pub fn of(build: &BuildCx<'_>, component: &str) -> Option<Version> {
    let found = build.build.builder.versions.iter().find(|(name, _)| name == component);
    match found {
        Some((_, version)) => parse(&version.value),
        None => configured(build.settings, component),
    }
}

/// The version of a component as the configuration tells.
#[must_use]
pub fn configured(settings: &Scope, component: &str) -> Option<Version> {
    let builder = &settings.builder;
    let text = match component {
        "buildkit" => builder.buildkit.as_deref(),
        "buildx" => builder.buildx.as_deref(),
        "engine" => builder.engine.as_deref(),
        "compose" => builder.compose.as_deref(),
        _ => None,
    };
    text.and_then(parse)
}

/// The BuildKit that an Engine of that version has in it, at least.
#[must_use]
pub fn buildkit_of_engine(engine: Version) -> Option<Version> {
    OF_ENGINE.iter().rev().find(|(since, _)| engine >= *since).map(|(_, buildkit)| *buildkit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_however_they_are_written() {
        assert_eq!(parse("v0.12.5"), Some(Version(0, 12, 5)));
        assert_eq!(parse("moby/buildkit:v0.11.0-rootless"), Some(Version(0, 11, 0)));
        assert_eq!(parse("24-dind"), Some(Version(24, 0, 0)));
        assert_eq!(parse("moby/buildkit:master"), None);
        assert_eq!(buildkit_of_engine(Version(28, 3, 1)), Some(Version(0, 22, 0)));
        assert_eq!(buildkit_of_engine(Version(20, 10, 0)), None);
    }
}
