//! The settings that may be recommended for a build.

use super::Kind;
use super::place::{self, Backend, Place};
use super::subject::{Subject, only_pull_requests, only_releases};
use super::used::{Used, spec_text};
use super::world::{Taken, runs_before};
use crate::builds::System;
use crate::cache::{self, Export, ExportMode, Setting};

/// A setting that may be recommended.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    pub(super) setting: Setting,
    /// What the default branch has written, where that is imported beside the own cache.
    pub(super) main: Vec<Export>,
    /// As for `--cache-from`.
    pub(super) from: Vec<String>,
    /// As for `--cache-to`.
    pub(super) to: Vec<String>,
    /// What is imported while the own reference does not exist.
    pub(super) fallback: Option<String>,
    /// When alone the export may run. Of what is in use: that it must not stay as it is.
    pub(super) guard: Guard,
    /// Whether no file tells the registry.
    pub(super) placeholder: bool,
}

impl Candidate {
    pub(super) fn taken(&self) -> Taken {
        Taken { setting: self.setting.clone(), main: self.main.clone() }
    }
}

/// When alone a cache may be exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Guard {
    /// Always.
    #[default]
    None,
    /// Not for pull requests.
    PullRequests,
    /// For the default branch.
    DefaultBranch,
}

/// What may be recommended for a build, what changes least first. The first is what is in use; it is guarded where it must
/// not stay.
pub(super) fn candidates(
    subjects: &[Subject<'_>],
    in_use: &[Used],
    places: &[Place],
    at: usize,
) -> Vec<Candidate> {
    let (Some(subject), Some(used), Some(place)) = (subjects.get(at), in_use.get(at), places.get(at)) else {
        return Vec::new();
    };
    let build = subject.build;
    let open = is_open_to_pull_requests(subjects, subject);
    let keep = Candidate {
        kind: Kind::Keep,
        setting: used.setting.clone(),
        main: used.main.clone(),
        from: build.cache_from.iter().map(|spec| spec_text(subject, spec)).collect(),
        to: build.cache_to.iter().map(|spec| spec_text(subject, spec)).collect(),
        fallback: None,
        guard: if used.broken || used.needs_builder || open { Guard::PullRequests } else { Guard::None },
        placeholder: false,
    };
    let branches = guard(subject);
    let open_guard = if open { branches } else { Guard::None };
    let mut all = vec![keep.clone()];
    if !subject.is_fresh() || subject.is_by_hand() {
        return all;
    }
    let base = Setting { fresh: true, pushed: used.setting.pushed, ..Setting::default() };
    let named = used.intended.exports.iter().any(|export| export.mode != ExportMode::Inline);
    let sound = !used.broken || used.needs_builder;
    if used.needs_builder && named {
        all.push(Candidate {
            kind: Kind::Builder,
            setting: used.intended.clone(),
            guard: open_guard,
            ..keep.clone()
        });
    }
    // The same place with all of it.
    if sound && named {
        let mut setting = used.intended.clone();
        for export in setting.exports.iter_mut().filter(|export| export.mode != ExportMode::Inline) {
            export.mode = ExportMode::Max;
        }
        // A tag's run sees nothing of another tag's in GitHub's cache, whatever it imports.
        let seen = |export: &&Export| !(export.to.starts_with("gha:") && only_releases(&build.trigger));
        if build.cache_from.is_empty() {
            let first = setting.exports.iter().find(seen).map(|export| export.to.clone());
            setting.imports.extend(first);
        }
        let to: Vec<String> = build.cache_to.iter().map(|spec| with_max(&spec_text(subject, spec))).collect();
        let from = if keep.from.is_empty() {
            to.iter().map(|to| import_of(to)).collect()
        } else {
            keep.from.clone()
        };
        all.push(Candidate { kind: Kind::Max, setting, from, to, guard: open_guard, ..keep.clone() });
    }
    if let Some(tag) =
        place::steady_tag(subject).filter(|_| build.platforms.len() < 2 || build.cache_to.is_empty())
    {
        let to = format!("inline {}", place.model);
        all.push(Candidate {
            kind: Kind::Inline,
            setting: Setting {
                imports: vec![to.clone()],
                exports: vec![Export { to, mode: ExportMode::Inline }],
                ..base.clone()
            },
            main: Vec::new(),
            from: vec![format!("type=registry,ref={tag}")],
            to: vec!["type=inline".to_owned()],
            guard: Guard::None,
            ..keep.clone()
        });
    }
    let writes = writes(subjects, at);
    let kind = match place.backend {
        Backend::Registry => Kind::Registry,
        Backend::Gha => Kind::Gha,
    };
    let exports =
        if writes { vec![Export { to: place.model.clone(), mode: ExportMode::Max }] } else { Vec::new() };
    let to = if writes { vec![place.export(needs_manifest(subject, place))] } else { Vec::new() };
    let own = Candidate {
        kind,
        setting: Setting { imports: vec![place.model.clone()], exports, ..base },
        main: Vec::new(),
        from: vec![place.import()],
        to,
        fallback: place.fallback.as_ref().map(|name| format!("type=registry,ref={name}")),
        guard: if writes && place.backend == Backend::Registry { branches } else { Guard::None },
        placeholder: place.placeholder,
    };
    all.push(own.clone());
    let earlier = earlier(subjects, in_use, at);
    if !earlier.is_empty() {
        // What the earlier builds write now, or their own places.
        for theirs in [false, true] {
            let mut chain = own.clone();
            for index in earlier.iter().rev() {
                let (Some(place), Some(used), Some(other)) =
                    (places.get(*index), in_use.get(*index), subjects.get(*index))
                else {
                    continue;
                };
                let written = other.build.cache_to.first().map(|to| import_of(&spec_text(other, to)));
                let (name, text) = match (theirs, used.setting.exports.last(), written) {
                    (false, Some(export), Some(text)) => (export.to.clone(), text),
                    _ => (place.model.clone(), place.import()),
                };
                chain.setting.imports.insert(0, name);
                chain.from.insert(0, text);
            }
            all.push(chain);
        }
    }
    all
}

/// When alone a build may write a reference that other runs of it read: branches and pull requests read the default
/// branch's. Elsewhere than on GitHub a branch's name is in the reference, or no condition can be written.
fn guard(subject: &Subject<'_>) -> Guard {
    let build = subject.build;
    let trigger = &build.trigger;
    match build.system {
        System::GithubActions if trigger.any_branch => Guard::DefaultBranch,
        System::GithubActions if trigger.pull_request || trigger.pull_request_target => Guard::PullRequests,
        _ => Guard::None,
    }
}

/// Whether pull requests write a cache that a build of a branch or release reads.
fn is_open_to_pull_requests(subjects: &[Subject<'_>], subject: &Subject<'_>) -> bool {
    let build = subject.build;
    let pull_request = build.trigger.pull_request || build.trigger.pull_request_target;
    if build.system != System::GithubActions || !pull_request || build.conditional_export {
        return false;
    }
    build.cache_to.iter().any(|spec| {
        let apart = match spec.value.kind() {
            Some("inline" | "local") => true,
            // A pull request writes to a scope that nobody else reads, unless it runs with the rights of the base.
            Some("gha") => !build.trigger.pull_request_target,
            _ => false,
        };
        let name = cache::ref_of(&spec.value);
        let reads = |other: &Subject<'_>| {
            let trigger = &other.build.trigger;
            (trigger.release || trigger.default_branch)
                && cache::is_pushed(other.build)
                && other.build.cache_from.iter().any(|from| cache::ref_of(&from.value) == name)
        };
        !apart && name.is_some() && subjects.iter().any(reads)
    })
}

/// Whether a build writes the cache of its image: pull requests and releases leave that to the build of a branch.
fn writes(subjects: &[Subject<'_>], at: usize) -> bool {
    let Some(subject) = subjects.get(at) else { return false };
    let identity = subject.identity();
    let apart = |trigger: &crate::builds::Trigger| only_pull_requests(trigger) || only_releases(trigger);
    let of_branch = subjects.iter().any(|other| !apart(&other.build.trigger) && other.identity() == identity);
    !of_branch || !apart(&subject.build.trigger)
}

/// The builds that run before this one, elsewhere, from the same Dockerfile, and whose cache this one reads today.
fn earlier(subjects: &[Subject<'_>], in_use: &[Used], at: usize) -> Vec<usize> {
    let (Some(subject), Some(used)) = (subjects.get(at), in_use.get(at)) else { return Vec::new() };
    let identity = subject.identity();
    let reads = |(index, (other, setting)): (usize, (&Subject<'_>, &Used))| {
        let same = other.dockerfile.path == subject.dockerfile.path && other.identity() != identity;
        let elsewhere = other.build.job != subject.build.job && runs_before(subjects, index, at);
        let written = setting.setting.exports.iter().any(|export| used.setting.imports.contains(&export.to));
        (same && elsewhere && written).then_some(index)
    };
    subjects.iter().zip(in_use).enumerate().filter_map(reads).collect()
}

/// Whether the registry takes a cache only as an image's manifest, and the builder may be too old to write it by itself
/// (facts §5.2, §5.4).
fn needs_manifest(subject: &Subject<'_>, place: &Place) -> bool {
    let host = place.name.to_ascii_lowercase();
    let refuses = [".ecr.", "public.ecr.aws", "gcr.io/", "quay.io/", "jfrog.io/", "artifactory", "harbor"];
    if place.backend != Backend::Registry || !refuses.iter().any(|part| host.contains(part)) {
        return false;
    }
    let versions = &subject.build.builder.versions;
    let version =
        versions.iter().find(|(name, _)| name == "buildkit").map(|(_, version)| version.value.as_str());
    let minor = version.and_then(|version| {
        let mut parts = version.trim_start_matches('v').split('.');
        let (major, minor) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
        Some(if major > 0 { u32::MAX } else { minor })
    });
    match (minor, version) {
        (Some(minor), _) => minor < 21,
        (None, Some(_)) => false,
        // A container without a version is today's.
        (None, None) => subject.build.builder.driver != crate::builds::Driver::DockerContainer,
    }
}

/// The same export with `mode=max`, and without what makes it fail the build.
fn with_max(export: &str) -> String {
    let mut parts: Vec<&str> = export.split(',').filter(|part| !part.starts_with("mode=")).collect();
    if export == "type=inline" || !export.starts_with("type=") {
        return export.to_owned();
    }
    parts.push("mode=max");
    parts.join(",")
}

/// The import that reads what an export writes.
fn import_of(export: &str) -> String {
    let keep = |part: &&str| {
        let key = part.split('=').next().unwrap_or("");
        !matches!(
            key,
            "mode"
                | "ignore-error"
                | "image-manifest"
                | "oci-mediatypes"
                | "compression"
                | "compression-level"
                | "force-compression"
                | "tag"
                | "reset"
                | "push"
        )
    };
    export.split(',').filter(keep).map(|part| part.replace("dest=", "src=")).collect::<Vec<_>>().join(",")
}
