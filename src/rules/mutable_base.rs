//! `mutable-base`: a base image that changes under its name.

use super::words::{code, count};
use super::{Category, DockerfileCx, Fixable, MAX_QUESTIONS, Meta, Rule, Severity, Sink};
use crate::cache::Change;
use crate::dockerfile::Kind;
use crate::graph::{Base, StepId, StepKind};

mod official;

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

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let graph = cx.graph();
        let mut asked: Vec<(&str, Vec<u32>)> = Vec::new();
        for stage in &graph.stages {
            let Kind::From(from) = &stage.from.kind else { continue };
            let Base::Image(image) = &stage.base else { continue };
            // Whether a reference is a moving one is a matter of how it is written.
            let Some(tag) = moving_tag(&from.image.text).filter(|_| !is_given(cx, image)) else { continue };
            if !asked.iter().any(|(other, _)| other == image) && asked.len() < MAX_QUESTIONS {
                asked.push((image, again(cx, image)));
            }
            let lines = asked.iter().find(|(other, _)| other == image).map(|(_, lines)| lines.as_slice());
            let how = if tag.is_empty() { "has no tag".to_owned() } else { format!("is tagged `{tag}`") };
            let again = match lines.unwrap_or_default() {
                // A stage of another target, or one without steps.
                [] => "makes another image of this stage".to_owned(),
                [only] => format!("runs line {only} again"),
                all => format!("runs {} again", count(all.len(), "step")),
            };
            let message = format!("{} {how}: every push to it {again}", code(image, 70));
            out.report(from.image.span, message).help(
                "name a version, or a digest that an updater moves, so that a new base is a decision in a commit",
            );
        }
    }
}

/// Whether a build gives something else under that name (a named context: another target of a bake file).
fn is_given(cx: &DockerfileCx<'_>, image: &str) -> bool {
    let named = |(name, _): &(String, _)| name.eq_ignore_ascii_case(image);
    cx.facts.builds.iter().any(|build| build.contexts.iter().any(named))
}

/// The lines that run again when the image changes.
fn again(cx: &DockerfileCx<'_>, image: &str) -> Vec<u32> {
    let graph = cx.graph();
    let answer = cx.model().after(&[Change::Base(Some(image.to_owned()))]);
    let is_step = |id: &StepId| !matches!(graph.step(*id).map(|step| &step.kind), Some(StepKind::From));
    answer.reruns().filter(is_step).map(|id| cx.line_of(id)).collect()
}

/// `latest`, or `""` where there is no tag; `None` for a tag that says something, a digest, `scratch`, and what a
/// variable decides.
fn moving_tag(image: &str) -> Option<&str> {
    // Templates that become Dockerfiles have placeholders of all kinds.
    if image.is_empty() || image == "scratch" || image.contains(['$', '@', '{', '%', '<']) {
        return None;
    }
    let (path, name) = image.rsplit_once('/').map_or(("", image), |(path, name)| (path, name));
    // No image has such a name; a placeholder may.
    let placeholder = name.contains(|c: char| c.is_ascii_uppercase() || matches!(c, '[' | ']'));
    if placeholder || path.is_empty() && is_own(name) {
        return None;
    }
    match name.split_once(':') {
        None => Some(""),
        Some((_, "latest")) => Some("latest"),
        Some(_) => None,
    }
}

/// Whether a name without a path is that of an image which the project builds itself (`argocd-base`) or an image's id: nobody
/// pushes to it.
fn is_own(name: &str) -> bool {
    !official::is_official(name.split_once(':').map_or(name, |(name, _)| name))
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
            ("buildpack-deps", Some("")),
            ("acme/base-image", Some("")),
            ("base-image", None),
            ("scheduler", None),
            ("centos", Some("")),
            ("argocd-test-tools:latest", None),
            ("REPLACE-ME", None),
            ("82ad5fa11820c2889c60f7f748d67aab04400700c581843db0d1e68735327443", None),
        ] {
            assert_eq!(moving_tag(image), tag, "{image}");
        }
    }
}
