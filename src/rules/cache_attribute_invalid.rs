//! `cache-attribute-invalid`: a type, attribute or value of a cache setting that BuildKit does not know.

use super::{BuildCx, Category, Draft, Fix, Fixable, Meta, ProjectCx, Rule, Safety, Severity, Sink};
use crate::builds::{CacheSpec, Setting, Value};
use crate::cache;
use crate::source::Edit;

static META: Meta = Meta {
    name: "cache-attribute-invalid",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/cache-attribute-invalid.md"),
};

/// The types (facts §5.0).
const TYPES: [&str; 6] = ["registry", "local", "inline", "gha", "s3", "azblob"];
/// What every exporter takes.
const COMMON: [&str; 2] = ["mode", "ignore-error"];
/// Those of the layer format (registry and local exports).
const LAYERS: [&str; 5] =
    ["oci-mediatypes", "image-manifest", "compression", "compression-level", "force-compression"];
/// Attributes by type, beside those (facts §5.2; `cache/remotecache/*`).
const ATTRIBUTES: [(&str, &[&str]); 6] = [
    ("registry", &["ref", "registry.insecure"]),
    ("local", &["dest", "src", "tag", "digest", "reset"]),
    ("inline", &[]),
    ("gha", &["scope", "url", "url_v2", "token", "version", "timeout", "repository", "ghtoken"]),
    (
        "s3",
        &[
            "bucket",
            "region",
            "prefix",
            "manifests_prefix",
            "blobs_prefix",
            "name",
            "touch_refresh",
            "endpoint_url",
            "use_path_style",
            "access_key_id",
            "secret_access_key",
            "session_token",
            "upload_parallelism",
            "disable_accept_encoding",
            "retry_mode",
            "retry_max_attempts",
        ],
    ),
    (
        "azblob",
        &[
            "account_url",
            "account_name",
            "secret_access_key",
            "container",
            "prefix",
            "manifests_prefix",
            "blobs_prefix",
            "name",
        ],
    ),
];
/// Values of attributes that take one of a few.
const VALUES: [(&str, &[&str]); 2] =
    [("mode", &["min", "max"]), ("compression", &["gzip", "zstd", "estargz", "uncompressed"])];

/// See the page.
pub(super) struct CacheAttributeInvalid;

impl Rule for CacheAttributeInvalid {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches text: what an attribute may be is a table.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        for build in cx.builds {
            for spec in &build.build.cache_to {
                check(build, spec, true, out);
            }
            for spec in &build.build.cache_from {
                check(build, spec, false, out);
            }
        }
    }
}

fn check(build: &BuildCx<'_>, spec: &Setting<CacheSpec>, export: bool, out: &mut Sink) {
    // Of kaniko and buildah, which have settings of their own.
    if cache::is_foreign(&spec.value) {
        return;
    }
    let Some(kind) = spec.value.kind().map(str::to_ascii_lowercase).filter(|kind| !kind.is_empty()) else {
        return;
    };
    let Some((_, own)) = ATTRIBUTES.iter().find(|(name, _)| *name == kind) else {
        let (consequence, severity) = match export {
            true => ("the build fails", Severity::Error),
            false => ("nothing is imported", Severity::Warning),
        };
        let nearest = nearest(&kind, &TYPES);
        let draft = out
            .report_at(
                build.place_of(&spec.value.kind),
                format!("there is no cache of `type={kind}`: {consequence}"),
            )
            .severity(severity);
        suggest(draft, build, &spec.value.kind, "type", nearest, &TYPES);
        return;
    };
    for (key, value) in &spec.value.attrs {
        let layers = matches!(kind.as_str(), "registry" | "local");
        let known =
            own.contains(&key.as_str()) || COMMON.contains(&key.as_str()) || LAYERS.contains(&key.as_str());
        if !known {
            let all: Vec<&str> =
                own.iter().chain(&COMMON).chain(LAYERS.iter().filter(|_| layers)).copied().collect();
            let message =
                format!("a cache of type={kind} has no attribute `{key}`: it is ignored without a word");
            let help = match nearest(key, &all) {
                Some(name) => format!("did you mean `{name}`?"),
                None if all.is_empty() => "type=inline has no attributes".to_owned(),
                None => "remove it".to_owned(),
            };
            out.report_at(build.place_of(value), message).severity(Severity::Warning).help(help);
            continue;
        }
        if LAYERS.contains(&key.as_str()) && !layers && export {
            let message = format!("`{key}` does nothing for a cache of type={kind}");
            out.report_at(build.place_of(value), message)
                .severity(Severity::Warning)
                .help("remove it: only registry and local exports take it");
            continue;
        }
        let Value::Known(text) = &value.value else { continue };
        if let Some((_, values)) = VALUES.iter().find(|(name, _)| name == key)
            && !values.contains(&text.as_str())
            && export
            && kind != "inline"
        {
            let (consequence, severity) = match key.as_str() {
                "mode" => ("it means `min` without a word", Severity::Error),
                _ => ("the build fails before its first step", Severity::Error),
            };
            let draft = out
                .report_at(build.place_of(value), format!("`{key}={text}` is no {key}: {consequence}"))
                .severity(severity);
            suggest(draft, build, value, key, nearest(text, values), values);
        }
    }
}

/// Says which name was meant, and writes it where there is one nearest.
fn suggest<T>(
    draft: Draft<'_>,
    build: &BuildCx<'_>,
    setting: &Setting<T>,
    key: &str,
    nearest: Option<&str>,
    all: &[&str],
) {
    let place = build.place_of(setting);
    let Some(name) = nearest else {
        draft.help(format!("write one of {}", all.join(", ")));
        return;
    };
    let draft = draft.help(format!("did you mean `{key}={name}`?"));
    let text = if *place.path == *build.file.path { place.span.of(&build.file.text) } else { "" };
    // Only where the key and its value stand there as `key=value`.
    if text.starts_with(&format!("{key}=")) {
        let edit = Edit { span: place.span, text: format!("{key}={name}") };
        draft.fix(Fix {
            title: format!("write {key}={name}"),
            safety: Safety::Safe,
            edits: vec![(place.path, edit)],
        });
    }
}

/// The one name that is at most two edits away, if there is only one.
fn nearest<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let text = text.to_ascii_lowercase();
    let mut best: Option<(usize, &'n str)> = None;
    let mut tied = false;
    for name in names.iter().copied() {
        let distance = if text.starts_with(name) { 1 } else { distance(&text, name) };
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, _)) if distance == least => tied = true,
            _ => (best, tied) = (Some((distance, name)), false),
        }
    }
    best.filter(|(distance, _)| *distance <= 2 && !tied).map(|(_, name)| name)
}

/// Edits between two short words (insert, delete, replace, swap neighbours).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(40).collect(), b.chars().take(40).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: Option<&Vec<usize>>, index: usize| {
                row.and_then(|row| row.get(index)).copied().unwrap_or(usize::MAX / 2)
            };
            let above = rows.last();
            let replaced = at(above, j) + usize::from(from != to);
            let mut least = replaced.min(at(above, j + 1) + 1).min(at(Some(&row), j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                least = least.min(at(rows.len().checked_sub(2).and_then(|index| rows.get(index)), j - 1) + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(usize::MAX)
}
