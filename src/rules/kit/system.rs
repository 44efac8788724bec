//! What a stage's base image is, as far as its name tells: distribution, release, C library, version.

use super::DockerfileCx;
use crate::dockerfile::Kind;
use crate::graph::Base;
use crate::tools::Per;

/// A base image, read from its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// The name without registry, with its tag.
    pub image: String,
    family: Option<Family>,
    release: Option<String>,
    repository: String,
    version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Debian,
    Ubuntu,
    Alpine,
    /// One that has neither apt nor apk.
    Other,
}

/// Code names of releases that stand in tags.
const RELEASES: &[(&str, Family, &str)] = &[
    ("stretch", Family::Debian, "9"),
    ("buster", Family::Debian, "10"),
    ("bullseye", Family::Debian, "11"),
    ("bookworm", Family::Debian, "12"),
    ("trixie", Family::Debian, "13"),
    ("forky", Family::Debian, "14"),
    ("xenial", Family::Ubuntu, "16"),
    ("bionic", Family::Ubuntu, "18"),
    ("focal", Family::Ubuntu, "20"),
    ("jammy", Family::Ubuntu, "22"),
    ("noble", Family::Ubuntu, "24"),
];

/// Official images that stand on Debian unless their tag says otherwise.
const ON_DEBIAN: &[&str] = &[
    "debian",
    "buildpack-deps",
    "gcc",
    "golang",
    "httpd",
    "nginx",
    "node",
    "perl",
    "php",
    "python",
    "redis",
    "ruby",
    "rust",
];

/// Images of other distributions.
const OTHERS: &[&str] =
    &["fedora", "centos", "rockylinux", "almalinux", "oraclelinux", "amazonlinux", "archlinux", "photon"];

impl System {
    /// What `reference` names; `None` where a part of it is not known.
    #[must_use]
    pub fn of(reference: &str) -> Option<Self> {
        if reference.is_empty() || reference.contains('$') {
            return None;
        }
        let plain = reference.split('@').next().unwrap_or("");
        let slash = plain.rfind('/').map_or(0, |slash| slash + 1);
        let last = plain.get(slash..).unwrap_or("");
        let (name, tag) = last.split_once(':').unwrap_or((last, ""));
        let official = plain.get(..slash).is_some_and(|before| {
            matches!(before, "" | "library/" | "docker.io/" | "docker.io/library/")
                || before.ends_with("docker/library/")
        });
        let digits = |text: &str| {
            let number: String = text.chars().take_while(char::is_ascii_digit).collect();
            (!number.is_empty()).then_some(number)
        };
        let named = RELEASES.iter().find(|(code, ..)| tag.split(['-', '.']).any(|part| part == *code));
        let alpine = name == "alpine" || tag.contains("alpine");
        let (family, release) = match named {
            _ if alpine => (Some(Family::Alpine), None),
            Some((_, family, release)) => (Some(*family), Some((*release).to_owned())),
            None if !official => (None, None),
            None if name == "ubuntu" => (Some(Family::Ubuntu), digits(tag)),
            None if name == "debian" => (Some(Family::Debian), digits(tag)),
            None if ON_DEBIAN.contains(&name) => (Some(Family::Debian), None),
            None if OTHERS.contains(&name) => (Some(Family::Other), None),
            None => (None, None),
        };
        let version: String = tag.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Some(Self {
            image: last.to_owned(),
            family,
            release,
            repository: plain.get(..slash + name.len()).unwrap_or("").to_owned(),
            version: (!version.is_empty()).then_some(version),
        })
    }

    /// Whether the two certainly differ in what a cache must not be shared over.
    #[must_use]
    pub fn differs(&self, other: &Self, per: Per) -> bool {
        let families = self.family.zip(other.family);
        match per {
            Per::Platform => false,
            Per::Libc => families.is_some_and(|(a, b)| (a == Family::Alpine) != (b == Family::Alpine)),
            Per::Release => match families {
                Some((a, b)) if a == b => {
                    self.release.as_ref().zip(other.release.as_ref()).is_some_and(|(a, b)| a != b)
                }
                Some(_) => true,
                None => false,
            },
            // `3` and `3.4` may be one.
            Per::Version => {
                let apart =
                    |(a, b): (&String, &String)| !a.starts_with(b.as_str()) && !b.starts_with(a.as_str());
                self.repository == other.repository
                    && self.version.as_ref().zip(other.version.as_ref()).is_some_and(apart)
            }
        }
    }

    /// A word for it that can stand in the id of a mount.
    #[must_use]
    pub fn word(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        self.image.chars().map(plain).collect()
    }
}

/// The base of a stage, through the stages that it is built from.
#[must_use]
pub fn system_of(cx: &DockerfileCx<'_>, stage: usize) -> Option<System> {
    System::of(cx.graph().base_image(stage)?)
}

/// Whether a stage is built for the platform that is asked for, and not for that of the builder or for a fixed one.
#[must_use]
pub fn follows_target(cx: &DockerfileCx<'_>, stage: usize) -> bool {
    let graph = cx.graph();
    let mut at = stage;
    loop {
        let Some(found) = graph.stages.get(at) else { return false };
        match found.base {
            Base::Stage(parent) if parent < at => at = parent,
            _ => {
                let Kind::From(from) = &found.from.kind else { return false };
                return from.platform.as_ref().is_none_or(|word| word.text.contains("TARGETPLATFORM"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differ(a: &str, b: &str, per: Per) -> bool {
        System::of(a).unwrap().differs(&System::of(b).unwrap(), per)
    }

    #[test]
    fn names_tell_distributions_apart() {
        assert!(differ("debian:12", "ubuntu:24.04", Per::Release));
        assert!(differ("debian:12-slim", "python:3.13-slim-trixie", Per::Release));
        assert!(!differ("debian:12-slim", "node:22-bookworm-slim", Per::Release));
        assert!(!differ("debian:12", "python:3.13-slim", Per::Release), "its release is not known");
        assert!(!differ("debian:12", "acme/base:1", Per::Release));
        assert!(differ("ubuntu:22.04", "ubuntu:noble", Per::Release));
    }

    #[test]
    fn names_tell_libraries_and_versions_apart() {
        assert!(differ("python:3.13-alpine3.22", "python:3.13", Per::Libc));
        assert!(!differ("python:3.13-alpine", "alpine:3.22", Per::Libc));
        assert!(!differ("acme/base", "alpine:3.22", Per::Libc));
        assert!(differ("ruby:3.3", "ruby:3.4-slim", Per::Version));
        assert!(!differ("ruby:3", "ruby:3.4", Per::Version) && !differ("ruby:3.4", "rust:1", Per::Version));
        assert_eq!(System::of("a/b:$X"), None);
    }
}
