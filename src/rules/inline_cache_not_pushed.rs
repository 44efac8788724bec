//! `inline-cache-not-pushed`: an inline cache in an image that nobody can import it from.

use super::refs::{self, Refs};
use super::{BuildCx, Category, Fixable, Meta, Place, ProjectCx, Rule, Severity, Sink};
use crate::builds::{Front, System, Value, Volatility, may_be_same};
use crate::cache::{self, ExportMode};
use std::collections::BTreeSet;

static META: Meta = Meta {
    name: "inline-cache-not-pushed",
    category: Category::Export,
    severity: Severity::Error,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/inline-cache-not-pushed.md"),
};

/// See the page.
pub(super) struct InlineCacheNotPushed;

impl Rule for InlineCacheNotPushed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches settings: an inline cache is where its image is (facts §5.1).
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let refs = Refs::of(cx);
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        for build in cx.builds.iter().filter(|build| !refs::is_other(build)) {
            let inline =
                build.build.cache_to.iter().find(|spec| cache::mode_of(&spec.value) == ExportMode::Inline);
            let Some(inline) = inline else { continue };
            let place = build.place_of(inline);
            if is_never_pushed(build, cx) {
                if seen.insert(place.clone()) {
                    out.report_at(place, "the image is never pushed, and its inline cache is lost with the job")
                        .help("push the image, or export to a ref of its own: `type=registry,ref=IMAGE:cache,mode=max`");
                }
                continue;
            }
            for import in refs.imports.iter().filter(|import| std::ptr::eq(import.build, build)) {
                let place = build.place_of(import.spec);
                if is_of_nothing(build, &import.name, refs::pace(&import.spec.value), &refs, cx)
                    && seen.insert(place.clone())
                {
                    out.report_at(
                        place,
                        format!(
                            "no build here pushes {}: the inline cache lies under another tag",
                            refs::shown(&import.name)
                        ),
                    )
                    .help("tag the image so, too, and push that tag, or import the tag that is pushed");
                }
            }
        }
    }
}

/// Whether the image ends with its job: built by an action or command that pushes nothing, on a machine that is thrown away, with
/// nothing in the file that might push it later.
fn is_never_pushed(build: &BuildCx<'_>, cx: &ProjectCx<'_>) -> bool {
    let pushed = build
        .build
        .push
        .as_ref()
        .is_some_and(|push| !matches!(&push.value, Value::Known(text) if text == "false"));
    let action = build.build.system == System::GithubActions;
    let front = matches!(build.build.front, Front::BuildPushAction | Front::Buildx | Front::DockerBuild);
    // The same step pushes in another run of the same file.
    let elsewhere = cx.builds.iter().any(|other| {
        other.build.path == build.build.path
            && other.build.span == build.build.span
            && cache::is_pushed(other.build)
    });
    let mentions = |word: &str| memchr::memmem::find(build.file.text.as_bytes(), word.as_bytes()).is_some();
    let later = ["docker push", "docker image push", "skopeo", "crane", "compose push", "docker save"];
    !pushed
        && !elsewhere
        && front
        && (action || build.build.system == System::GitlabCi)
        && cache::is_fresh(build.build)
        && build.build.outputs.is_empty()
        && !build.build.template
        && !later.iter().any(|word| mentions(word))
}

/// Whether an import is of a tag of this build's own image that no build pushes.
fn is_of_nothing(
    build: &BuildCx<'_>,
    name: &str,
    pace: Volatility,
    refs: &Refs<'_, '_>,
    cx: &ProjectCx<'_>,
) -> bool {
    let images: Vec<String> = build.build.tags.iter().map(|tag| cache::image_ref(&tag.value)).collect();
    let own = images.iter().any(|image| refs::repository(image) == refs::repository(name));
    let tagged = |other: &BuildCx<'_>| {
        other.build.tags.is_empty() && cache::is_pushed(other.build)
            || other.build.tags.iter().any(|tag| may_be_same(&cache::image_ref(&tag.value), name))
    };
    let exported = refs.open_exports || refs.exports.iter().any(|export| may_be_same(&export.name, name));
    // Tags are given to images after the build, too.
    let given = [
        "imagetools create",
        "docker tag",
        "docker push",
        "image tag",
        "crane ",
        "skopeo",
        "manifest create",
    ];
    let given = cx.others.iter().any(|file| {
        given.iter().any(|word| memchr::memmem::find(file.text.as_bytes(), word.as_bytes()).is_some())
    });
    own && cache::is_pushed(build.build)
        && pace < Volatility::PerBranch
        && pace != Volatility::Unknown
        && !exported
        && !given
        && !cx.builds.iter().any(tagged)
}
