//! Variables whose value is another one in every build.

use super::{DockerfileCx, Place, scope, typical};
use crate::builds::{Setting, Value, Volatility};
use crate::cache::{Change, Verdict};
use crate::dockerfile::Kind;
use crate::graph::{Step, StepId};

/// Names that say so whatever the value: of commits, dates, runs. Sorted.
const MOVING: &[&str] = &[
    "BUILDKITE_BUILD_ID",
    "BUILDKITE_BUILD_NUMBER",
    "BUILDKITE_COMMIT",
    "BUILDNUMBER",
    "BUILDTIME",
    "BUILD_COMMIT",
    "BUILD_DATE",
    "BUILD_DATETIME",
    "BUILD_HASH",
    "BUILD_ID",
    "BUILD_NO",
    "BUILD_NUM",
    "BUILD_NUMBER",
    "BUILD_REF",
    "BUILD_REVISION",
    "BUILD_SHA",
    "BUILD_TIME",
    "BUILD_TIMESTAMP",
    "BUILD_URL",
    "CIRCLE_BUILD_NUM",
    "CIRCLE_SHA1",
    "CI_COMMIT_SHA",
    "CI_COMMIT_SHORT_SHA",
    "CI_JOB_ID",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_IID",
    "COMMIT",
    "COMMIT_DATE",
    "COMMIT_HASH",
    "COMMIT_ID",
    "COMMIT_REF",
    "COMMIT_SHA",
    "COMMIT_SHA1",
    "COMMIT_TAG",
    "CREATED",
    "CREATED_AT",
    "DATE_CREATED",
    "DRONE_BUILD_NUMBER",
    "DRONE_COMMIT",
    "DRONE_COMMIT_SHA",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SHA",
    "GITSHA",
    "GIT_COMMIT",
    "GIT_COMMIT_DATE",
    "GIT_COMMIT_HASH",
    "GIT_COMMIT_ID",
    "GIT_COMMIT_SHA",
    "GIT_DESCRIBE",
    "GIT_HASH",
    "GIT_REV",
    "GIT_REVISION",
    "GIT_SHA",
    "GIT_SHA1",
    "GIT_SHORT_SHA",
    "HEAD_SHA",
    "IMAGE_CREATED",
    "IMAGE_REVISION",
    "LAST_COMMIT",
    "REVISION",
    "SHORT_SHA",
    "SOURCE_COMMIT",
    "SOURCE_REVISION",
    "SOURCE_SHA",
    "TIMESTAMP",
    "TRAVIS_BUILD_NUMBER",
    "TRAVIS_COMMIT",
    "VCS_REF",
    "VCS_REVISION",
    "VCS_SHA",
];

/// Names of the project's own version: another value with every release. Sorted.
const OWN_VERSION: &[&str] = &[
    "APPLICATION_VERSION",
    "APP_VERSION",
    "BUILD_VERSION",
    "DOCKER_TAG",
    "GIT_TAG",
    "GIT_VERSION",
    "IMAGE_TAG",
    "IMAGE_VERSION",
    "PACKAGE_VERSION",
    "PROJECT_VERSION",
    "RELEASE",
    "RELEASE_TAG",
    "RELEASE_VERSION",
    "SERVICE_VERSION",
    "VERSION",
];

/// Values that stand in for what a build passes.
const STAND_INS: &[&str] = &[
    "",
    "dev",
    "devel",
    "develop",
    "development",
    "unknown",
    "local",
    "latest",
    "none",
    "snapshot",
    "main",
    "master",
    "head",
    "edge",
    "nightly",
    "undefined",
    "null",
    "n/a",
    "na",
    "unset",
    "test",
    "0.0.0",
    "0.0.0-dev",
    "0.0.0-local",
    "v0.0.0",
    "0.0.1",
    "1.0.0",
    "0.1.0",
    "dirty",
    "unspecified",
    "not-set",
    "notset",
    "docker",
    "default",
];

/// What a name says of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Another value with every commit or build.
    Moving,
    /// Another value with every release of the project.
    OwnVersion,
    /// Another value whenever somebody wants something to run again.
    Buster,
}

/// Whether a variable is there to have something run again, as its name says.
#[must_use]
pub fn is_buster(name: &str) -> bool {
    // All of them have a C, and the shortest has seven letters.
    if name.len() < 7 || !name.contains(['C', 'c']) {
        return false;
    }
    let plain: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_uppercase();
    let parts = [
        "CACHEBUST",
        "BUSTCACHE",
        "CACHEBREAK",
        "BREAKCACHE",
        "CACHEKILL",
        "KILLCACHE",
        "CACHEINVALID",
        "INVALIDATECACHE",
        "SKIPCACHE",
        "CACHESKIP",
        "FORCEREBUILD",
        "CACHEDATE",
    ];
    parts.iter().any(|part| plain.contains(part)) || plain == "NOCACHE"
}

/// What the name says; `configured` are further names from the settings.
#[must_use]
pub fn named(name: &str, configured: &[String]) -> Option<Named> {
    let upper = name.to_ascii_uppercase();
    let is = |known: &[&str]| known.binary_search(&upper.as_str()).is_ok();
    if is(MOVING) || configured.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Some(Named::Moving);
    }
    if is_buster(name) {
        return Some(Named::Buster);
    }
    is(OWN_VERSION).then_some(Named::OwnVersion)
}

/// Whether a default is there only until a build passes something.
#[must_use]
pub fn stands_in(default: &str) -> bool {
    let text = default.trim_matches(['"', '\'']).to_ascii_lowercase();
    STAND_INS.contains(&text.as_str())
}

/// Why an ARG is another one in every build.
#[derive(Clone, Debug)]
pub enum Why {
    /// A build passes such a value; where, what, how often it changes.
    Passed(Place, String, Volatility),
    /// Its name says so.
    Named(Named),
}

/// Whether the ARG `name` is another one in every build: as the builds that were found pass it, or as its name says
/// where no build of a CI system was found.
#[must_use]
pub fn why(cx: &DockerfileCx<'_>, name: &str) -> Option<Why> {
    let builds = &cx.facts.builds;
    let mut told = false;
    for build in builds {
        let passed = build.args.iter().rev().find(|(key, _)| key == name).map(|(_, setting)| setting);
        let is_ci = !build.template && build.system.is_ci();
        match passed {
            Some(setting) => match volatility(setting) {
                Some(how) if how >= Volatility::PerCommit => {
                    let path = setting.path.clone().unwrap_or_else(|| build.path.clone());
                    let place = Place { path, span: setting.span };
                    return Some(Why::Passed(place, text(setting), how));
                }
                Some(Volatility::Unknown) => {}
                _ => told |= is_ci,
            },
            None => told |= is_ci,
        }
    }
    if told {
        return None;
    }
    named(name, &cx.settings.order.volatile_args).map(Why::Named)
}

fn volatility(setting: &Setting<Value>) -> Option<Volatility> {
    match &setting.value {
        Value::Known(_) => None,
        Value::Symbolic { volatility, .. } => Some(*volatility),
    }
}

fn text(setting: &Setting<Value>) -> String {
    match &setting.value {
        Value::Known(text) | Value::Symbolic { text, .. } => text.clone(),
    }
}

/// Whether something that is downloaded is named with it.
#[must_use]
pub fn pins(cx: &DockerfileCx<'_>, name: &str) -> bool {
    let in_text = cx.syntax.instructions().any(|instruction| {
        let fetches = match &instruction.kind {
            Kind::From(_) => true,
            Kind::Copy(copy) => copy.from.is_some() || instruction.args.text.contains("://"),
            _ => false,
        };
        fetches && scope::names(instruction.span.of(cx.text()), name)
    });
    in_text
        || cx.facts.runs().any(|(id, step, _)| {
            scope::names(step.instruction.span.of(cx.text()), name)
                && cx.uses(id).tools.iter().any(|job| job.kind.downloads() && !job.kind.compiles())
        })
}

/// Leaves out the steps that a commit runs again whatever the variable is: it is declared at `start`, below a COPY of the
/// whole context on which they stand.
pub fn without_rerun(cx: &DockerfileCx<'_>, start: u32, steps: &mut Vec<StepId>) {
    let above = |step: &Step<'_>| step.instruction.span.start < start;
    let mut takers = cx.graph().all_steps().take_while(|(_, step)| above(step)).map(|(id, _)| id);
    let Some(taker) = takers.find(|id| typical::takes_all(cx, *id)) else { return };
    let Some(file) = typical::edited(cx, taker, None, &|_| false) else { return };
    let answer = cx.model().after(&[Change::Edit(vec![file])]);
    steps.retain(|step| !matches!(answer.verdict(*step), Verdict::Reruns | Verdict::Depends));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_is_sorted() {
        assert!(MOVING.is_sorted() && OWN_VERSION.is_sorted());
    }

    #[test]
    fn pins_are_not_volatile() {
        for name in ["NODE_VERSION", "ALPINE_VERSION", "GO_VERSION", "TAG", "BRANCH", "VARIANT", "TARGETARCH"]
        {
            assert_eq!(named(name, &[]), None, "{name}");
        }
        assert_eq!(named("git_commit", &[]), Some(Named::Moving));
        assert_eq!(named("VERSION", &[]), Some(Named::OwnVersion));
        assert_eq!(named("MY_SHA", &["MY_SHA".into()]), Some(Named::Moving));
        assert!(is_buster("CACHEBUST") && is_buster("cache_buster") && !is_buster("CACHE_DIR"));
        assert!(stands_in("\"dev\"") && !stands_in("3.1.4"));
    }
}
