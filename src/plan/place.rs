//! Where a build's cache should be: a reference beside its image, or a scope of GitHub's cache, each of its own.

use super::subject::{Subject, only_releases};
use crate::builds::{Front, Setting as Written, System, Value, Volatility};
use crate::cache::{self, text};
use std::collections::{BTreeMap, BTreeSet};

/// What keeps a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Backend {
    /// A registry.
    Registry,
    /// GitHub's cache.
    Gha,
}

/// A place for one build's cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) backend: Backend,
    /// The reference or scope, as it is to be written.
    pub(super) name: String,
    /// What is read while `name` does not exist yet: the default branch's, for references by branch.
    pub(super) fallback: Option<String>,
    /// What the model calls it: equal for builds of the same image.
    pub(super) model: String,
    /// Whether no file tells the image's registry, so that a name stands for it.
    pub(super) placeholder: bool,
}

impl Place {
    /// `--cache-from`.
    pub(super) fn import(&self) -> String {
        match self.backend {
            Backend::Registry => format!("type=registry,ref={}", self.name),
            Backend::Gha => format!("type=gha,scope={}", self.name),
        }
    }

    /// `--cache-to`, `manifest` for registries that need it.
    pub(super) fn export(&self, manifest: bool) -> String {
        let manifest = if manifest { ",image-manifest=true,oci-mediatypes=true" } else { "" };
        match self.backend {
            Backend::Registry => {
                format!("type=registry,ref={},mode=max{manifest},ignore-error=true", self.name)
            }
            Backend::Gha => format!("type=gha,scope={},mode=max,ignore-error=true", self.name),
        }
    }
}

/// The places of all builds, by index.
pub(super) fn places(subjects: &[Subject<'_>]) -> Vec<Place> {
    let identities: Vec<String> = subjects.iter().map(Subject::identity).collect();
    // Builds of one image share a cache where they can: those of GitHub among themselves.
    let is_github = |subject: &Subject<'_>| subject.build.system == System::GithubActions;
    let mut backends: BTreeMap<&str, Backend> = BTreeMap::new();
    for identity in &identities {
        let members: Vec<&Subject<'_>> = subjects
            .iter()
            .zip(&identities)
            .filter(|(one, other)| *other == identity && is_github(one))
            .map(|(one, _)| one)
            .collect();
        backends.entry(identity).or_insert_with(|| backend(&members));
    }
    let repos: Vec<Option<String>> = subjects.iter().map(image).collect();
    let mut used: BTreeMap<String, String> = BTreeMap::new();
    let mut places = Vec::with_capacity(subjects.len());
    for (index, subject) in subjects.iter().enumerate() {
        let (Some(identity), Some(repo)) = (identities.get(index), repos.get(index)) else { continue };
        let backend = match is_github(subject) {
            true => backends.get(identity.as_str()).copied().unwrap_or(Backend::Registry),
            false => Backend::Registry,
        };
        let legs = legs(subjects, subject);
        let label = label(subjects, subject, repo.as_deref(), &legs, backend);
        let name = match backend {
            Backend::Gha => label.clone(),
            Backend::Registry => {
                let host = repo.clone().unwrap_or_else(|| "REGISTRY/IMAGE".to_owned());
                // One word is enough where no other image has its cache beside the same image.
                let shares = |other: &(usize, &Option<String>)| {
                    other.1.as_deref().is_some_and(|other| value_of(other) == value_of(&host))
                        && identities.get(other.0) != Some(identity)
                };
                let alone = repo.is_some()
                    && !evaluated(subjects, subject).iter().any(|(at, other)| shares(&(*at, other)))
                    && !repos.iter().enumerate().any(|other| shares(&other) && !legs.contains(&other.0));
                let word = word(subject);
                if alone { format!("{host}:{word}") } else { format!("{host}:{word}-{label}") }
            }
        };
        let (name, fallback) = branch(subject, backend, name);
        let name = unique(&mut used, name, subject, identity);
        places.push(Place {
            backend,
            name,
            fallback,
            model: format!("own {backend:?} {identity}"),
            placeholder: backend == Backend::Registry && repo.is_none(),
        });
    }
    places
}

/// The same text for two images would be one cache for both: the job tells them apart, else a number.
fn unique(
    used: &mut BTreeMap<String, String>,
    name: String,
    subject: &Subject<'_>,
    identity: &str,
) -> String {
    // Legs of a matrix have one text, which is another name in each.
    let owner = if subject.build.matrix.is_empty() {
        identity.to_owned()
    } else {
        format!("{}:{}", subject.build.path, subject.build.span.start)
    };
    let free =
        |used: &BTreeMap<String, String>, name: &str| used.get(name).is_none_or(|other| *other == owner);
    let mut candidate = name.clone();
    let job = subject.build.name.first().map(|name| slug(name)).unwrap_or_default();
    let mut number = 2;
    while !free(used, &candidate) {
        candidate = if number == 2 && !job.is_empty() && !name.ends_with(&job) {
            format!("{name}-{job}")
        } else {
            format!("{name}-{number}")
        };
        number += 1;
    }
    used.insert(candidate.clone(), owner);
    candidate
}

/// What a group of builds of one image should use: what it uses, else what its system offers.
fn backend(members: &[&Subject<'_>]) -> Backend {
    let exports = || members.iter().flat_map(|member| &member.build.cache_to);
    let is = |kind: &str| exports().any(|spec| spec.value.kind().is_some_and(|found| found == kind));
    let token = members.iter().all(|member| {
        member.build.gha_token == Some(true)
            || matches!(member.build.front, Front::BuildPushAction)
            || (member.build.front == Front::Bake && member.build.gha_token != Some(false))
    });
    let releases = members.iter().any(|member| only_releases(&member.build.trigger));
    let branches = members.iter().any(|member| {
        let trigger = &member.build.trigger;
        trigger.default_branch || trigger.any_branch || trigger.schedule
    });
    let target = members.iter().any(|member| member.build.trigger.pull_request_target);
    if members.is_empty() || !token || target || (releases && !branches) {
        return Backend::Registry;
    }
    if is("gha") {
        return Backend::Gha;
    }
    if is("registry") {
        return Backend::Registry;
    }
    let many = members.iter().any(|member| {
        let trigger = &member.build.trigger;
        trigger.pull_request || trigger.any_branch
    });
    let pushed = members.iter().any(|member| cache::is_pushed(member.build) && image(member).is_some());
    if many || !pushed { Backend::Gha } else { Backend::Registry }
}

/// The repository of the image that a build pushes, as it is to be written.
pub(super) fn image(subject: &Subject<'_>) -> Option<String> {
    let build = subject.build;
    let named = build.outputs.iter().filter_map(|output| output.value.attr("name"));
    let tags = build.tags.iter().chain(named);
    let steady = |value: &Written<Value>| match &value.value {
        Value::Known(_) => true,
        Value::Symbolic { text, .. } => !text.contains("outputs.") && !text.contains("$("),
    };
    let of_tag = |tag: &Written<Value>| repository(subject, tag);
    let of_cache = || {
        let specs = build.cache_from.iter().chain(&build.cache_to);
        let registry = specs.filter(|spec| spec.value.kind() == Some("registry"));
        registry.filter_map(|spec| spec.value.attr("ref")).filter(|name| steady(name)).find_map(of_tag)
    };
    let pushed = tags.filter(|tag| steady(tag)).find_map(of_tag).filter(|_| cache::is_pushed(build));
    pushed.or_else(of_cache)
}

/// The repository in a reference; `None` where it changes from run to run, or is no more than a local name.
fn repository(subject: &Subject<'_>, tag: &Written<Value>) -> Option<String> {
    let written = subject.written(tag);
    let (repo, _) = split_tag(&written);
    let value = text(&tag.value);
    let (known, _) = split_tag(value);
    let moves = |text: &str| {
        ["sha", "SHA", "run_", "RUN_", "BUILD_", "COMMIT"].iter().any(|part| text.contains(part))
    };
    (!repo.is_empty() && (known.contains('/') || known.contains('$')) && !moves(repo))
        .then(|| repo.to_owned())
}

/// A reference and its tag; variables and expressions may stand in both.
pub(super) fn split_tag(reference: &str) -> (&str, Option<&str>) {
    let reference = reference.split_once('@').map_or(reference, |(name, _)| name);
    let (mut depth, mut colon) = (0usize, None);
    for (at, c) in reference.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => colon = None,
            ':' if depth == 0 && colon.is_none() => colon = Some(at),
            _ => {}
        }
    }
    match colon.and_then(|at| Some((reference.get(..at)?, reference.get(at + 1..)?))) {
        Some((name, tag)) => (name, Some(tag)),
        None => (reference, None),
    }
}

/// A tag of the image that the next run finds again, for a cache inside the image.
pub(super) fn steady_tag(subject: &Subject<'_>) -> Option<String> {
    if !cache::is_pushed(subject.build) {
        return None;
    }
    let trigger = &subject.build.trigger;
    let steady = |tag: &&Written<Value>| match &tag.value {
        Value::Known(text) => text.contains('/') && !only_releases(trigger),
        Value::Symbolic { volatility, text } => {
            *volatility != Volatility::Unknown
                && *volatility < Volatility::PerRelease
                && !text.contains("outputs.")
        }
    };
    let mut tags: Vec<&Written<Value>> = subject.build.tags.iter().filter(steady).collect();
    tags.sort_by_key(|tag| !text(&tag.value).ends_with(":latest"));
    tags.first().map(|tag| subject.written(tag))
}

/// The legs of the matrix that a build is one of, itself included, by index; empty where there is one only.
fn legs(subjects: &[Subject<'_>], subject: &Subject<'_>) -> Vec<usize> {
    if subject.build.matrix.is_empty() {
        return Vec::new();
    }
    let same = |other: &Subject<'_>| {
        (&other.build.path, other.build.span) == (&subject.build.path, subject.build.span)
    };
    let all: Vec<usize> =
        subjects.iter().enumerate().filter(|(_, other)| same(other)).map(|(at, _)| at).collect();
    if all.len() > 1 { all } else { Vec::new() }
}

/// The repositories of the other legs with the values of their matrix.
fn evaluated(subjects: &[Subject<'_>], subject: &Subject<'_>) -> Vec<(usize, Option<String>)> {
    let own = subject.build.tags.first().map(|tag| split_tag(text(&tag.value)).0.to_owned());
    legs(subjects, subject)
        .into_iter()
        .filter_map(|at| {
            let other = subjects.get(at).filter(|other| !std::ptr::eq(*other, subject))?;
            let repo = other.build.tags.first().map(|tag| split_tag(text(&tag.value)).0.to_owned());
            // Another repository is told from this one's by its value, not by its text.
            Some((at, if repo == own { image(subject) } else { None }))
        })
        .collect()
}

fn value_of(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// What tells the legs of a matrix apart, as its system writes it: the values that are names in all legs, and where these
/// do not tell all apart, GitHub's number of the leg.
fn leg(subjects: &[Subject<'_>], subject: &Subject<'_>, legs: &[usize], backend: Backend) -> String {
    let build = subject.build;
    let all: Vec<&Subject<'_>> = legs.iter().filter_map(|at| subjects.get(*at)).collect();
    let value_in = |other: &Subject<'_>, key: &str| {
        other.build.matrix.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    let plain = |value: &str| match backend {
        Backend::Gha => !value.contains([',', '"', '\'', ' ', '\n', '{', '[']),
        Backend::Registry => slug(value) == value.to_ascii_lowercase(),
    };
    let is_name = |key: &&str| {
        all.iter().all(|other| {
            value_in(other, key).is_some_and(|value| !value.is_empty() && value.len() < 64 && plain(&value))
        })
    };
    let varies = |key: &&str| all.iter().any(|other| value_in(other, key) != value_in(subject, key));
    let keys: Vec<&str> =
        build.matrix.iter().map(|(key, _)| key.as_str()).filter(is_name).filter(varies).collect();
    // A leg may build several images, which have names of their own.
    let different: BTreeSet<&Vec<(String, String)>> = all.iter().map(|other| &other.build.matrix).collect();
    let distinct = |keys: &[&str]| {
        let values: BTreeSet<Vec<Option<String>>> =
            all.iter().map(|other| keys.iter().map(|key| value_in(other, key)).collect()).collect();
        values.len() == different.len()
    };
    // One that tells all apart is enough.
    let keys = match keys.iter().find(|key| distinct(&[**key])) {
        Some(key) => vec![*key],
        None => keys,
    };
    let mut parts: Vec<String> = keys.iter().map(|key| expression(build.system, key)).collect();
    if !distinct(&keys) && build.system == System::GithubActions {
        parts.push("${{ strategy.job-index }}".to_owned());
    }
    parts.join("-")
}

/// What tells a build from its siblings, in letters that a tag may have.
fn label(
    subjects: &[Subject<'_>],
    subject: &Subject<'_>,
    repo: Option<&str>,
    legs: &[usize],
    backend: Backend,
) -> String {
    let build = subject.build;
    if !legs.is_empty() {
        let job = build.name.first().map(|name| slug(name)).unwrap_or_default();
        let leg = leg(subjects, subject, legs, backend);
        return [job, leg].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    }
    let target =
        build.target.as_ref().map(|target| text(&target.value)).filter(|target| !target.contains('$'));
    let of_file = subject.dockerfile.path.rsplit('/').next().and_then(|name| {
        let other = name.strip_prefix("Dockerfile.").or_else(|| name.strip_suffix(".Dockerfile"))?;
        Some(other.to_owned())
    });
    let of_folder = subject
        .dockerfile
        .path
        .rsplit_once('/')
        .and_then(|(folder, _)| folder.rsplit('/').next())
        .filter(|folder| !matches!(*folder, "docker" | ".docker" | "build" | "ci" | ".devcontainer"))
        .map(str::to_owned);
    let of_image =
        repo.and_then(|repo| repo.rsplit('/').next()).filter(|name| !name.contains('$')).map(str::to_owned);
    let of_job = build.name.first().cloned();
    let first = match backend {
        Backend::Gha => [target.map(str::to_owned), of_image, of_file, of_folder, of_job],
        // The image is in the reference already.
        Backend::Registry => [target.map(str::to_owned), of_file, of_folder, of_job, of_image],
    };
    first
        .into_iter()
        .flatten()
        .map(|name| slug(&name))
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "image".into())
}

/// How a system writes a matrix value.
fn expression(system: System, key: &str) -> String {
    match system {
        System::GithubActions => format!("${{{{ matrix.{key} }}}}"),
        System::Buildkite => format!("{{{{matrix.{key}}}}}"),
        System::CircleCi => format!("<< matrix.{key} >>"),
        System::AzurePipelines => format!("$({key})"),
        _ => format!("${key}"),
    }
}

/// The word that the tag of a cache begins with: the one in use, unless it is an image's.
fn word(subject: &Subject<'_>) -> String {
    let images: BTreeSet<&str> = subject.build.tags.iter().map(|tag| text(&tag.value)).collect();
    let registry = subject.build.cache_to.iter().filter(|spec| spec.value.kind() == Some("registry"));
    let names = registry.filter_map(|spec| spec.value.attr("ref")).map(|name| text(&name.value));
    let tags = names.filter(|name| !images.contains(name)).filter_map(|name| split_tag(name).1);
    tags.filter(|tag| tag.contains("cache"))
        .map(|tag| tag.split('$').next().unwrap_or("").trim_end_matches(['-', '_', '.']).to_owned())
        .find(|tag| tag.contains("cache"))
        .unwrap_or_else(|| "buildcache".to_owned())
}

/// The branch in the name, where a shell runs the build for every branch, and the default branch's as what to begin with.
fn branch(subject: &Subject<'_>, backend: Backend, name: String) -> (String, Option<String>) {
    let build = subject.build;
    let shell = matches!(build.front, Front::DockerBuild | Front::Buildx | Front::Buildctl);
    if backend != Backend::Registry || !shell || !build.trigger.any_branch {
        return (name, None);
    }
    match build.system {
        System::GitlabCi => {
            (format!("{name}-$CI_COMMIT_REF_SLUG"), Some(format!("{name}-$CI_DEFAULT_BRANCH")))
        }
        _ => (name, None),
    }
}

/// Lower case letters, digits and dashes.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' || c == '.' => slug.push(c.to_ascii_lowercase()),
            _ if !slug.ends_with('-') && !slug.is_empty() => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_matches(['-', '.']).to_owned()
}
