//! `registry-cache-manifest`: a registry that takes caches only as image manifests, and a BuildKit that writes another form.

use super::versions::{self, IMAGE_MANIFEST, IMAGE_MANIFEST_DEFAULT, Version};
use super::{BuildCx, Category, Fix, Fixable, Meta, Place, ProjectCx, Rule, Safety, Severity, Sink, refs};
use crate::builds::{CacheSpec, Driver, Setting, Value};
use crate::cache;
use crate::source::{Edit, Span};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "registry-cache-manifest",
    category: Category::Export,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Safe),
    docs: include_str!("../../rules/registry-cache-manifest.md"),
};

/// Registries that refuse caches in the old form, an image index (facts §5.4): how their hosts begin and end.
const REFUSING: [(&str, &str, &str); 5] = [
    ("Amazon ECR", "", ".amazonaws.com"),
    ("Amazon ECR", "public.ecr.aws", ""),
    ("Google Container Registry", "", "gcr.io"),
    ("Quay", "quay.io", ""),
    ("Artifactory", "", ".jfrog.io"),
];
/// The attributes that ask for the new form.
const ASKING: [&str; 2] = ["image-manifest", "oci-mediatypes"];

/// See the page.
pub(super) struct RegistryCacheManifest;

impl Rule for RegistryCacheManifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: what a registry takes is a table (facts §5.4).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| !refs::is_other(build)) {
            for export in &build.build.cache_to {
                let place = build.place_of(export);
                if export.value.kind() == Some("registry") && !seen.contains(&place) {
                    seen.insert(place.clone());
                    check(build, export, place, out);
                }
            }
        }
    }
}

fn check(build: &BuildCx<'_>, export: &Setting<CacheSpec>, place: Place, out: &mut Sink) {
    let says = |key: &str| export.value.attr(key).map(|value| value.value.known().unwrap_or(""));
    let version = buildkit(build);
    let off = says("image-manifest") == Some("false") || says("oci-mediatypes") == Some("false");
    let name = cache::ref_of(&export.value).unwrap_or_default();
    let host = name.split('/').next().unwrap_or("");
    let refusing = REFUSING.iter().find(|(_, start, end)| host.starts_with(start) && host.ends_with(end));
    let old =
        version.is_some_and(|version| version < IMAGE_MANIFEST_DEFAULT) && says("image-manifest").is_none();
    if let Some((registry, ..)) = refusing.filter(|_| off || old) {
        let because = match version.filter(|_| !off) {
            Some(Version(major, minor, _)) => format!("BuildKit {major}.{minor} writes an image index"),
            None => "these settings ask for an image index".to_owned(),
        };
        let able = version.is_none_or(|version| version >= IMAGE_MANIFEST);
        let help = match able {
            true => "add `image-manifest=true,oci-mediatypes=true`, the default from BuildKit 0.21 on",
            false => "move to BuildKit 0.12 or newer, and add `image-manifest=true,oci-mediatypes=true`",
        };
        let draft = out
            .report_at(
                place.clone(),
                format!("{registry} refuses this cache: {because}, and it takes image manifests only"),
            )
            .severity(Severity::Error)
            .help(help);
        if able && !off {
            draft.fix(append(build, export, ",image-manifest=true,oci-mediatypes=true"));
        }
        return;
    }
    let needless = |value: &Setting<Value>| value.value.known() == Some("true");
    let asked: Vec<&str> =
        ASKING.into_iter().filter(|key| export.value.attr(key).is_some_and(needless)).collect();
    if !asked.is_empty() && !off && version.is_some_and(|version| version >= IMAGE_MANIFEST_DEFAULT) {
        let written: Vec<String> = asked.iter().map(|key| format!("`{key}=true`")).collect();
        let verb = if asked.len() == 1 { "is" } else { "are" };
        out.report_at(place, format!("{} {verb} the default since BuildKit 0.21", written.join(" and ")))
            .severity(Severity::Info)
            .help("drop it: the ref is written the same way without")
            .fix(without(build, export, &asked));
    }
}

/// The BuildKit that builds, where the files or the configuration tell.
fn buildkit(build: &BuildCx<'_>) -> Option<Version> {
    versions::of(build, "buildkit").or_else(|| match build.build.builder.driver {
        Driver::Docker => versions::of(build, "engine").and_then(versions::buildkit_of_engine),
        _ => None,
    })
}

/// `text` behind the setting, where that stands there as one text of key-value pairs.
fn append(build: &BuildCx<'_>, export: &Setting<CacheSpec>, text: &str) -> Option<Fix> {
    let place = build.place_of(export);
    let written = if *place.path == *build.file.path { export.span.of(&build.file.text) } else { "" };
    let end = export.span.end as usize;
    (written.starts_with("type=") || written.contains(",type=")).then(|| Fix {
        title: "export image manifests".into(),
        safety: Safety::Safe,
        edits: vec![(place.path, Edit { span: Span::new(end, end), text: text.into() })],
    })
}

/// The setting without `,key=true` of those keys.
fn without(build: &BuildCx<'_>, export: &Setting<CacheSpec>, keys: &[&str]) -> Option<Fix> {
    let place = build.place_of(export);
    let text = if *place.path == *build.file.path { &*build.file.text } else { "" };
    let edits = keys.iter().map(|key| {
        let span = export.value.attr(key)?.span;
        let start = (span.start as usize).checked_sub(1)?;
        let plain = text.get(start..span.end as usize)? == format!(",{key}=true");
        plain.then(|| {
            (place.path.clone(), Edit { span: Span::new(start, span.end as usize), text: String::new() })
        })
    });
    Some(Fix {
        title: "leave the defaults".into(),
        safety: Safety::Safe,
        edits: edits.collect::<Option<_>>()?,
    })
}
