//! Mounts of a RUN: options to what BuildKit makes of them (facts §1.6; BuildKit: `convert_runmount.go`).

use super::State;
use super::build::Builder;
use super::step::{MountKind, MountStep, Sharing, Source};
use crate::context::path;
use crate::dockerfile::{Mount, MountOption, Problem};
use std::borrow::Cow;

impl<'a> Builder<'a, '_> {
    /// One mount; `None` where BuildKit refuses it.
    pub(super) fn mount(
        &mut self,
        mount: &'a Mount<'a>,
        state: &State<'a>,
        stage: usize,
    ) -> Option<MountStep<'a>> {
        let text = |key: &str| {
            option(mount, key).and_then(|option| option.value.as_ref()).map(|word| word.text.as_ref())
        };
        let kind = match text("type").map(str::to_ascii_lowercase).as_deref() {
            None | Some("bind") => MountKind::Bind,
            Some("cache") => MountKind::Cache,
            Some("tmpfs") => MountKind::Tmpfs,
            Some("secret") => MountKind::Secret,
            Some("ssh") => MountKind::Ssh,
            Some(_) => return None,
        };
        let mut expanded = |keys: &[&str]| -> Option<Cow<'a, str>> {
            let word =
                keys.iter().find_map(|key| option(mount, key)).and_then(|option| option.value.as_ref())?;
            Some(self.expand(word, state))
        };
        let target_text = expanded(&["target", "dst", "destination"]).unwrap_or_default();
        let source_text = expanded(&["source", "src"]);
        let id = expanded(&["id"]);
        let uid = expanded(&["uid"]).and_then(|value| value.parse().ok());
        let gid = expanded(&["gid"]).and_then(|value| value.parse().ok());
        let mode = expanded(&["mode"]).and_then(|value| u32::from_str_radix(&value, 8).ok());
        let sharing = match text("sharing").map(str::to_ascii_lowercase).as_deref() {
            Some("private") => Sharing::Private,
            Some("locked") => Sharing::Locked,
            _ => Sharing::Shared,
        };
        let from = match (text("from"), kind) {
            (Some(from), MountKind::Bind | MountKind::Cache) => self.source(from, stage),
            (None, MountKind::Bind) => Source::Context,
            _ => Source::Empty,
        };
        if from == Source::Invalid {
            let message = "the stage of this mount is not defined before it".into();
            self.problems.push(Problem { span: mount.span, message });
        }
        let target = match kind {
            MountKind::Secret if target_text.is_empty() => String::new(),
            MountKind::Ssh if target_text.is_empty() => String::new(),
            _ if target_text.starts_with('/') => path::clean(&target_text),
            _ => path::clean(&format!("{}/{target_text}", state.cwd)),
        };
        let readonly = match kind {
            MountKind::Bind => {
                flag(mount, &["ro", "readonly"]).unwrap_or(true)
                    && !flag(mount, &["rw", "readwrite"]).unwrap_or(false)
            }
            _ => {
                flag(mount, &["ro", "readonly"]).unwrap_or(false)
                    || flag(mount, &["rw", "readwrite"]) == Some(false)
            }
        };
        let explicit_id = id.is_some();
        let id = id.unwrap_or_else(|| match kind {
            MountKind::Cache => Cow::Owned(path::clean(&target_text)),
            MountKind::Secret => source_text
                .clone()
                .unwrap_or_else(|| Cow::Owned(path::base(target_text.trim_end_matches('/')).to_owned())),
            _ => Cow::Borrowed(""),
        });
        let mut rest = Vec::new();
        if flag(mount, &["required"]) == Some(true) {
            rest.push("required".to_owned());
        }
        for key in ["env", "size"] {
            let Some(word) = option(mount, key).and_then(|option| option.value.as_ref()) else { continue };
            let value = self.expand(word, state);
            let value = if key == "size" {
                bytes(&value).map_or(value, |size| size.to_string().into())
            } else {
                value
            };
            rest.push(format!("{key}={value}"));
        }
        let source = path::clean(&format!("/{}", source_text.as_deref().unwrap_or("")));
        Some(MountStep {
            syntax: mount,
            kind,
            target_text,
            target,
            from,
            source,
            id,
            explicit_id,
            sharing,
            readonly,
            uid,
            gid,
            mode,
            rest,
        })
    }
}

/// The last option of that key, in any case.
fn option<'m, 'a>(mount: &'m Mount<'a>, key: &str) -> Option<&'m MountOption<'a>> {
    mount.options.iter().rev().find(|option| option.key.eq_ignore_ascii_case(key))
}

/// A size in bytes, of `1m`, `1MiB` or `1048576` (docker/go-units: `RAMInBytes`).
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn flag(mount: &Mount<'_>, keys: &[&str]) -> Option<bool> {
    let option = keys.iter().find_map(|key| option(mount, key))?;
    match &option.value {
        None => Some(true),
        Some(word) => Some(matches!(word.text.as_ref(), "1" | "t" | "T" | "true" | "TRUE" | "True")),
    }
}
