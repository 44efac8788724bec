//! What well-known base images set: `rules/tools/common/images.toml`.

use super::environment::User;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::sync::{Arc, OnceLock};

/// What a base image's configuration holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    /// Repositories without registry: `node`, `denoland/deno`.
    names: Vec<String>,
    /// Its own USER.
    #[serde(default = "root")]
    pub(super) user: String,
    /// ENV that moves caches.
    #[serde(default)]
    pub(super) env: FxHashMap<String, String>,
    /// Users that it has besides root.
    #[serde(default)]
    pub(super) users: Vec<Shipped>,
}

/// A user that an image has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shipped {
    pub(super) name: String,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    home: String,
}

impl From<Shipped> for User {
    fn from(user: Shipped) -> Self {
        Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            home: Some(user.home),
            sure: true,
            assumed: false,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    usual: Vec<String>,
    image: Vec<Image>,
}

fn root() -> String {
    "root".to_owned()
}

/// The data, as `build.rs` prepares it.
const TEXT: &str = include!(concat!(env!("OUT_DIR"), "/images.in"));

/// The data, by name.
struct Images {
    usual: Vec<String>,
    by_name: FxHashMap<String, Arc<Image>>,
}

fn images() -> &'static Images {
    static IMAGES: OnceLock<Images> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let file =
            serde_json::from_str::<File>(TEXT).unwrap_or(File { usual: Vec::new(), image: Vec::new() });
        let mut by_name = FxHashMap::default();
        for image in file.image.into_iter().map(Arc::new) {
            for name in &image.names {
                by_name.entry(name.clone()).or_insert_with(|| Arc::clone(&image));
            }
        }
        Images { usual: file.usual, by_name }
    })
}

/// The base image of a stage, looked up.
#[derive(Clone, Copy, Debug)]
pub struct BaseImage<'e> {
    repository: &'e str,
    tag: &'e str,
    /// What the data knows of it.
    pub(super) known: Option<&'static Image>,
}

impl<'e> From<&'e str> for BaseImage<'e> {
    /// The image that a reference (`node:22-alpine`) names.
    fn from(reference: &'e str) -> Self {
        let (repository, tag) = split(reference);
        Self { repository, tag, known: images().by_name.get(repository).map(|image| &**image) }
    }
}

/// Whether images that are not listed may set the variable as well.
pub(super) fn is_usual(variable: &str) -> bool {
    images().usual.iter().any(|name| name == variable)
}

/// Repository without registry and `library/`, and tag, of an image reference.
pub(super) fn split(reference: &str) -> (&str, &str) {
    let reference = reference.split('@').next().unwrap_or("");
    let slash = reference.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match reference.get(slash..).and_then(|last| last.find(':')) {
        Some(colon) => {
            let (name, tag) = reference.split_at_checked(slash + colon).unwrap_or((reference, ""));
            (name, tag.trim_start_matches(':'))
        }
        None => (reference, ""),
    };
    let name = match name.split_once('/') {
        Some((registry, rest))
            if (registry.contains(['.', ':']) || registry == "localhost")
                && !registry.starts_with("mcr.") =>
        {
            rest
        }
        _ => name,
    };
    // The official images, also through the mirrors that keep their names.
    let name = name.strip_prefix("docker/library/").or_else(|| name.strip_prefix("library/")).unwrap_or(name);
    (name, tag)
}

/// Whether `image` is the one of `pattern`: `fedora`, `fedora>=41`, `centos<8`. A tag without a number is the newest.
pub(super) fn matches(pattern: &str, image: &BaseImage<'_>) -> bool {
    let BaseImage { repository, tag, .. } = *image;
    if pattern == repository {
        return true;
    }
    let number: Option<u32> = {
        let digits = tag.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
        digits.and_then(|digits| digits.parse().ok())
    };
    if let Some((name, least)) = pattern.split_once(">=") {
        return name == repository
            && number.zip(least.parse().ok()).is_none_or(|(number, least)| number >= least);
    }
    if let Some((name, bound)) = pattern.split_once('<') {
        return name == repository
            && number.zip(bound.parse().ok()).is_some_and(|(number, bound): (u32, u32)| number < bound);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lose_registry_and_tag() {
        assert_eq!(split("docker.io/library/node:22-alpine@sha256:abc"), ("node", "22-alpine"));
        assert_eq!(split("localhost:5000/a/b"), ("a/b", ""));
        assert_eq!(split("mcr.microsoft.com/dotnet/sdk:8.0"), ("mcr.microsoft.com/dotnet/sdk", "8.0"));
        assert_eq!(split("public.ecr.aws/docker/library/golang"), ("golang", ""));
        let matches = |pattern, reference: &str| super::matches(pattern, &reference.into());
        assert!(matches("fedora>=41", "fedora:42") && matches("fedora>=41", "fedora"));
        assert!(!matches("fedora>=41", "fedora:40") && matches("fedora<41", "fedora:40"));
    }

    #[test]
    fn the_data_is_well_formed() {
        let file: File = serde_json::from_str(TEXT).unwrap();
        assert!(file.image.len() > 10);
        assert_eq!(
            BaseImage::from("node:22").known.map(|image| image.users[0].home.as_str()),
            Some("/home/node")
        );
    }
}
