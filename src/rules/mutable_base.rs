//! `mutable-base`: a base image that changes under its name.

use super::{Category, DockerfileCx, Fixable, Meta, Rule, Severity, Sink};
use crate::dockerfile::Kind;

static META: Meta = Meta {
    name: "mutable-base",
    category: Category::Order,
    severity: Severity::Info,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/mutable-base.md"),
};

/// See the page.
pub(super) struct MutableBase;

impl Rule for MutableBase {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches text: whether a reference is a moving one is a matter of how it is written.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let mut stages: Vec<String> = Vec::new();
        for instruction in cx.syntax.instructions() {
            let Kind::From(from) = &instruction.kind else { continue };
            let image = &*from.image.text;
            let is_stage = stages.iter().any(|stage| stage.eq_ignore_ascii_case(image));
            if !is_stage && let Some(tag) = moving_tag(image) {
                let how = if tag.is_empty() { "has no tag".to_owned() } else { format!("is tagged `{tag}`") };
                out.report(
                    from.image.span,
                    format!("`{image}` {how}: every push to it runs all steps of this stage again"),
                )
                .help(
                    "name a version, or a digest that an updater moves, so that a new base is a decision in a commit",
                );
            }
            stages.extend(from.name.as_ref().map(|name| name.text.to_string()));
        }
    }
}

/// `latest`, or `""` where there is no tag; `None` for a tag that says something, a digest, `scratch`, and what a
/// variable decides.
fn moving_tag(image: &str) -> Option<&str> {
    if image.is_empty() || image == "scratch" || image.contains(['$', '@']) {
        return None;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None => Some(""),
        Some((_, "latest")) => Some("latest"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::moving_tag;

    #[test]
    fn what_moves() {
        for (image, tag) in [
            ("alpine", Some("")),
            ("localhost:5000/app", Some("")),
            ("alpine:latest", Some("latest")),
            ("alpine:3.22", None),
            ("alpine@sha256:00", None),
            ("$BASE", None),
            ("scratch", None),
        ] {
            assert_eq!(moving_tag(image), tag, "{image}");
        }
    }
}
