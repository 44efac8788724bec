//! Cache settings as they are written to what the model makes of them.

use super::build::ExportMode;
use crate::builds::{CacheSpec, Value};
use std::borrow::Cow;

/// The name under which the model keeps what an export writes and an import reads: equal names are the same place. `None` where the
/// setting does not say where, or is inline.
#[must_use]
pub fn ref_of(spec: &CacheSpec) -> Option<String> {
    let kind = spec.kind()?.to_ascii_lowercase();
    let text = |key: &str| {
        spec.attr(key).map(|setting| match &setting.value {
            Value::Known(text) => text.clone(),
            Value::Symbolic { text, .. } => text.clone(),
        })
    };
    match kind.as_str() {
        "registry" => text("ref").map(|name| tagged(&name).into_owned()),
        "local" => {
            let folder = text("dest").or_else(|| text("src"))?;
            Some(format!(
                "local:{}:{}",
                folder.trim_end_matches('/'),
                text("tag").unwrap_or_else(|| "latest".into())
            ))
        }
        "gha" => Some(format!("gha:{}", text("scope").unwrap_or_else(|| "buildkit".into()))),
        "s3" => {
            let parts =
                [text("bucket"), text("prefix"), text("manifests_prefix")].map(Option::unwrap_or_default);
            Some(format!("s3:{}:{}", parts.join("/"), text("name").unwrap_or_else(|| "buildkit".into())))
        }
        "azblob" => {
            let parts =
                [text("account_url"), text("container"), text("prefix")].map(Option::unwrap_or_default);
            Some(format!("azblob:{}:{}", parts.join("/"), text("name").unwrap_or_else(|| "buildkit".into())))
        }
        _ => None,
    }
}

/// Whether a name that [`ref_of`] gives is a directory's.
pub(super) fn is_directory(name: &str) -> bool {
    name.starts_with("local:")
}

/// Whether what is exported under that name has a manifest: in a registry or a directory.
pub(super) fn has_manifest(name: &str) -> bool {
    !["gha:", "s3:", "azblob:"].iter().any(|kind| name.starts_with(kind))
}

/// The reference of an image in full: one without a tag has `latest`, and Docker Hub need not be named.
pub(super) fn tagged(name: &str) -> Cow<'_, str> {
    let name = ["docker.io/library/", "docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|hub| name.strip_prefix(hub))
        .unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}:latest")) }
}

/// What an export holds: anything but `mode=max` to the letter is `min`, and inline is inline whatever its mode
/// (facts §5.0).
#[must_use]
pub fn mode_of(spec: &CacheSpec) -> ExportMode {
    if spec.kind() == Some("inline") {
        return ExportMode::Inline;
    }
    match spec.attr("mode").map(|setting| &setting.value) {
        Some(Value::Known(mode)) if mode == "max" => ExportMode::Max,
        _ => ExportMode::Min,
    }
}

/// An image's name as [`ref_of`] gives that of a cache in a registry.
#[must_use]
pub fn image_ref(tag: &Value) -> String {
    tagged(tag.text()).into_owned()
}

/// Whether the spec is the way a builder without BuildKit writes of its own cache (kaniko, buildah).
#[must_use]
pub fn is_foreign(spec: &CacheSpec) -> bool {
    matches!(spec.kind(), Some("kaniko" | "buildah"))
}
