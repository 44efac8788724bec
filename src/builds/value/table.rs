//! What is known by name: the variables of the CI systems, names that people give by convention, and commands whose output
//! is asked for with `$( )`. Sources: each system's page of predefined variables.

use super::expand::{Piece, pieces};
use crate::builds::Volatility;
use Volatility::{Fixed, PerBranch, PerCommit, PerRelease, PerRun, Unknown};

/// Variables and expression contexts, sorted by name.
#[rustfmt::skip]
const NAMES: &[(&str, Volatility)] = &[
    ("APPVEYOR_BUILD_NUMBER", PerRun),
    ("APPVEYOR_BUILD_VERSION", PerRun),
    ("APPVEYOR_REPO_BRANCH", PerBranch),
    ("APPVEYOR_REPO_COMMIT", PerCommit),
    ("APPVEYOR_REPO_TAG_NAME", PerRelease),
    ("APP_VERSION", PerRelease),
    ("AWS_ACCOUNT_ID", Fixed),
    ("AWS_DEFAULT_REGION", Fixed),
    ("AWS_REGION", Fixed),
    ("Agent.BuildDirectory", Fixed),
    ("Agent.OS", Fixed),
    ("BITBUCKET_BRANCH", PerBranch),
    ("BITBUCKET_BUILD_NUMBER", PerRun),
    ("BITBUCKET_CLONE_DIR", Fixed),
    ("BITBUCKET_COMMIT", PerCommit),
    ("BITBUCKET_PIPELINE_UUID", PerRun),
    ("BITBUCKET_PROJECT_KEY", Fixed),
    ("BITBUCKET_PR_DESTINATION_BRANCH", PerBranch),
    ("BITBUCKET_PR_ID", PerBranch),
    ("BITBUCKET_REPO_FULL_NAME", Fixed),
    ("BITBUCKET_REPO_OWNER", Fixed),
    ("BITBUCKET_REPO_SLUG", Fixed),
    ("BITBUCKET_STEP_UUID", PerRun),
    ("BITBUCKET_TAG", PerRelease),
    ("BITBUCKET_WORKSPACE", Fixed),
    ("BRANCH", PerBranch),
    ("BRANCH_NAME", PerBranch),
    ("BRANCH_SLUG", PerBranch),
    ("BUILDDATE", PerRun),
    ("BUILDKITE_BRANCH", PerBranch),
    ("BUILDKITE_BUILD_CHECKOUT_PATH", Fixed),
    ("BUILDKITE_BUILD_ID", PerRun),
    ("BUILDKITE_BUILD_NUMBER", PerRun),
    ("BUILDKITE_BUILD_URL", PerRun),
    ("BUILDKITE_COMMIT", PerCommit),
    ("BUILDKITE_JOB_ID", PerRun),
    ("BUILDKITE_LABEL", Fixed),
    ("BUILDKITE_MESSAGE", PerCommit),
    ("BUILDKITE_ORGANIZATION_SLUG", Fixed),
    ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", Fixed),
    ("BUILDKITE_PIPELINE_ID", Fixed),
    ("BUILDKITE_PIPELINE_NAME", Fixed),
    ("BUILDKITE_PIPELINE_SLUG", Fixed),
    ("BUILDKITE_PULL_REQUEST", PerBranch),
    ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", PerBranch),
    ("BUILDKITE_REPO", Fixed),
    ("BUILDKITE_STEP_ID", PerRun),
    ("BUILDKITE_STEP_KEY", Fixed),
    ("BUILDKITE_TAG", PerRelease),
    ("BUILDTIME", PerRun),
    ("BUILD_BUILDID", PerRun),
    ("BUILD_BUILDNUMBER", PerRun),
    ("BUILD_COMMIT", PerCommit),
    ("BUILD_DATE", PerRun),
    ("BUILD_DATETIME", PerRun),
    ("BUILD_DATE_TIME", PerRun),
    ("BUILD_ID", PerRun),
    ("BUILD_NUM", PerRun),
    ("BUILD_NUMBER", PerRun),
    ("BUILD_SHA", PerCommit),
    ("BUILD_SOURCEBRANCH", PerBranch),
    ("BUILD_SOURCEBRANCHNAME", PerBranch),
    ("BUILD_SOURCEVERSION", PerCommit),
    ("BUILD_TAG", PerRun),
    ("BUILD_TIME", PerRun),
    ("BUILD_TIMESTAMP", PerRun),
    ("BUILD_URL", PerRun),
    ("Build.ArtifactStagingDirectory", Fixed),
    ("Build.BuildId", PerRun),
    ("Build.BuildNumber", PerRun),
    ("Build.BuildUri", PerRun),
    ("Build.DefinitionName", Fixed),
    ("Build.Repository.Name", Fixed),
    ("Build.SourceBranch", PerBranch),
    ("Build.SourceBranchName", PerBranch),
    ("Build.SourceVersion", PerCommit),
    ("Build.SourceVersionMessage", PerCommit),
    ("Build.SourcesDirectory", Fixed),
    ("CACHEBUST", PerRun),
    ("CACHEBUSTER", PerRun),
    ("CACHE_BUST", PerRun),
    ("CACHE_BUSTER", PerRun),
    ("CACHE_DATE", PerRun),
    ("CHANGE_BRANCH", PerBranch),
    ("CHANGE_ID", PerBranch),
    ("CHANGE_TARGET", PerBranch),
    ("CIRCLE_BRANCH", PerBranch),
    ("CIRCLE_BUILD_NUM", PerRun),
    ("CIRCLE_BUILD_URL", PerRun),
    ("CIRCLE_JOB", Fixed),
    ("CIRCLE_PIPELINE_ID", PerRun),
    ("CIRCLE_PROJECT_REPONAME", Fixed),
    ("CIRCLE_PROJECT_USERNAME", Fixed),
    ("CIRCLE_PR_NUMBER", PerBranch),
    ("CIRCLE_PULL_REQUEST", PerBranch),
    ("CIRCLE_REPOSITORY_URL", Fixed),
    ("CIRCLE_SHA1", PerCommit),
    ("CIRCLE_TAG", PerRelease),
    ("CIRCLE_WORKFLOW_ID", PerRun),
    ("CIRCLE_WORKFLOW_JOB_ID", PerRun),
    ("CIRCLE_WORKING_DIRECTORY", Fixed),
    ("CI_API_GRAPHQL_URL", Fixed),
    ("CI_API_V4_URL", Fixed),
    ("CI_BUILDS_DIR", Fixed),
    ("CI_BUILD_ID", PerRun),
    ("CI_BUILD_NUMBER", PerRun),
    ("CI_BUILD_REF", PerCommit),
    ("CI_BUILD_REF_NAME", PerBranch),
    ("CI_BUILD_REF_SLUG", PerBranch),
    ("CI_BUILD_TOKEN", PerRun),
    ("CI_COMMIT_AUTHOR", PerCommit),
    ("CI_COMMIT_BEFORE_SHA", PerCommit),
    ("CI_COMMIT_BRANCH", PerBranch),
    ("CI_COMMIT_DESCRIPTION", PerCommit),
    ("CI_COMMIT_MESSAGE", PerCommit),
    ("CI_COMMIT_PULL_REQUEST", PerBranch),
    ("CI_COMMIT_REF", PerBranch),
    ("CI_COMMIT_REF_NAME", PerBranch),
    ("CI_COMMIT_REF_SLUG", PerBranch),
    ("CI_COMMIT_SHA", PerCommit),
    ("CI_COMMIT_SHORT_SHA", PerCommit),
    ("CI_COMMIT_SOURCE_BRANCH", PerBranch),
    ("CI_COMMIT_TAG", PerRelease),
    ("CI_COMMIT_TARGET_BRANCH", PerBranch),
    ("CI_COMMIT_TIMESTAMP", PerCommit),
    ("CI_COMMIT_TITLE", PerCommit),
    ("CI_CONFIG_PATH", Fixed),
    ("CI_DEFAULT_BRANCH", Fixed),
    ("CI_ENVIRONMENT_NAME", PerBranch),
    ("CI_ENVIRONMENT_SLUG", PerBranch),
    ("CI_JOB_ID", PerRun),
    ("CI_JOB_NAME", Fixed),
    ("CI_JOB_NAME_SLUG", Fixed),
    ("CI_JOB_STAGE", Fixed),
    ("CI_JOB_STARTED_AT", PerRun),
    ("CI_JOB_TOKEN", PerRun),
    ("CI_JOB_URL", PerRun),
    ("CI_MERGE_REQUEST_DIFF_BASE_SHA", PerCommit),
    ("CI_MERGE_REQUEST_ID", PerBranch),
    ("CI_MERGE_REQUEST_IID", PerBranch),
    ("CI_MERGE_REQUEST_REF_PATH", PerBranch),
    ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", PerBranch),
    ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", PerCommit),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", PerBranch),
    ("CI_OPEN_MERGE_REQUESTS", PerBranch),
    ("CI_PAGES_DOMAIN", Fixed),
    ("CI_PIPELINE_CREATED_AT", PerRun),
    ("CI_PIPELINE_ID", PerRun),
    ("CI_PIPELINE_IID", PerRun),
    ("CI_PIPELINE_NUMBER", PerRun),
    ("CI_PIPELINE_STARTED", PerRun),
    ("CI_PIPELINE_URL", PerRun),
    ("CI_PREV_COMMIT_SHA", PerCommit),
    ("CI_REGISTRY_PASSWORD", PerRun),
    ("CI_REPO", Fixed),
    ("CI_REPO_NAME", Fixed),
    ("CI_REPO_OWNER", Fixed),
    ("CI_SOURCE_BRANCH", PerBranch),
    ("CI_SYSTEM_NAME", Fixed),
    ("CI_TARGET_BRANCH", PerBranch),
    ("CI_TEMPLATE_REGISTRY_HOST", Fixed),
    ("CI_WORKSPACE", Fixed),
    ("CODEBUILD_BUILD_ID", PerRun),
    ("CODEBUILD_BUILD_NUMBER", PerRun),
    ("CODEBUILD_RESOLVED_SOURCE_VERSION", PerCommit),
    ("CODEBUILD_SOURCE_VERSION", PerBranch),
    ("CODEBUILD_START_TIME", PerRun),
    ("CODEBUILD_WEBHOOK_HEAD_REF", PerBranch),
    ("COMMIT", PerCommit),
    ("COMMIT_DATE", PerCommit),
    ("COMMIT_HASH", PerCommit),
    ("COMMIT_ID", PerCommit),
    ("COMMIT_REF", PerCommit),
    ("COMMIT_SHA", PerCommit),
    ("COMMIT_SHORT_SHA", PerCommit),
    ("COMMIT_TIMESTAMP", PerCommit),
    ("CREATED", PerRun),
    ("CURDIR", Fixed),
    ("CURRENT_BRANCH", PerBranch),
    ("DATE", PerRun),
    ("DATETIME", PerRun),
    ("DRONE_BRANCH", PerBranch),
    ("DRONE_BUILD_CREATED", PerRun),
    ("DRONE_BUILD_LINK", PerRun),
    ("DRONE_BUILD_NUMBER", PerRun),
    ("DRONE_BUILD_STARTED", PerRun),
    ("DRONE_COMMIT", PerCommit),
    ("DRONE_COMMIT_AFTER", PerCommit),
    ("DRONE_COMMIT_BRANCH", PerBranch),
    ("DRONE_COMMIT_MESSAGE", PerCommit),
    ("DRONE_COMMIT_REF", PerBranch),
    ("DRONE_COMMIT_SHA", PerCommit),
    ("DRONE_PULL_REQUEST", PerBranch),
    ("DRONE_REPO", Fixed),
    ("DRONE_REPO_NAME", Fixed),
    ("DRONE_REPO_NAMESPACE", Fixed),
    ("DRONE_REPO_OWNER", Fixed),
    ("DRONE_SEMVER", PerRelease),
    ("DRONE_SOURCE_BRANCH", PerBranch),
    ("DRONE_STAGE_NAME", Fixed),
    ("DRONE_TAG", PerRelease),
    ("DRONE_TARGET_BRANCH", PerBranch),
    ("EPOCH", PerRun),
    ("EPOCHREALTIME", PerRun),
    ("EPOCHSECONDS", PerRun),
    ("GCP_PROJECT", Fixed),
    ("GCP_PROJECT_ID", Fixed),
    ("GID", Fixed),
    ("GITHUB_ACTIONS", Fixed),
    ("GITHUB_API_URL", Fixed),
    ("GITHUB_BASE_REF", PerBranch),
    ("GITHUB_HEAD_REF", PerBranch),
    ("GITHUB_HEAD_REF_SLUG", PerBranch),
    ("GITHUB_JOB", Fixed),
    ("GITHUB_REF", PerBranch),
    ("GITHUB_REF_NAME", PerBranch),
    ("GITHUB_REF_SLUG", PerBranch),
    ("GITHUB_REPOSITORY", Fixed),
    ("GITHUB_REPOSITORY_ID", Fixed),
    ("GITHUB_REPOSITORY_OWNER", Fixed),
    ("GITHUB_RUN_ATTEMPT", PerRun),
    ("GITHUB_RUN_ID", PerRun),
    ("GITHUB_RUN_NUMBER", PerRun),
    ("GITHUB_SERVER_URL", Fixed),
    ("GITHUB_SHA", PerCommit),
    ("GITHUB_SHA_SHORT", PerCommit),
    ("GITHUB_WORKFLOW", Fixed),
    ("GITHUB_WORKSPACE", Fixed),
    ("GIT_BRANCH", PerBranch),
    ("GIT_COMMIT", PerCommit),
    ("GIT_COMMIT_DATE", PerCommit),
    ("GIT_COMMIT_HASH", PerCommit),
    ("GIT_COMMIT_ID", PerCommit),
    ("GIT_COMMIT_SHA", PerCommit),
    ("GIT_COMMIT_SHORT", PerCommit),
    ("GIT_DATE", PerCommit),
    ("GIT_DESCRIBE", PerCommit),
    ("GIT_HASH", PerCommit),
    ("GIT_PREVIOUS_COMMIT", PerCommit),
    ("GIT_REF", PerBranch),
    ("GIT_REV", PerCommit),
    ("GIT_REVISION", PerCommit),
    ("GIT_SHA", PerCommit),
    ("GIT_SHA1", PerCommit),
    ("GIT_SHA_SHORT", PerCommit),
    ("GIT_SHORT_SHA", PerCommit),
    ("GIT_TAG", PerRelease),
    ("GOARCH", Fixed),
    ("GOOGLE_CLOUD_PROJECT", Fixed),
    ("GOOS", Fixed),
    ("GOPATH", Fixed),
    ("HEAD_SHA", PerCommit),
    ("HOME", Fixed),
    ("HOSTTYPE", Fixed),
    ("IMAGE_REPO", Fixed),
    ("IMAGE_VERSION", PerRelease),
    ("JENKINS_URL", Fixed),
    ("JOB_BASE_NAME", Fixed),
    ("JOB_NAME", Fixed),
    ("LOCATION", Fixed),
    ("LOGNAME", Fixed),
    ("MACHTYPE", Fixed),
    ("MAKE", Fixed),
    ("MAKEFILE_LIST", Fixed),
    ("NOW", PerRun),
    ("OSTYPE", Fixed),
    ("PACKAGE_VERSION", PerRelease),
    ("PKG_VERSION", PerRelease),
    ("PROJECT_ID", Fixed),
    ("PROJECT_NUMBER", Fixed),
    ("PR_NUMBER", PerBranch),
    ("PWD", Fixed),
    ("Pipeline.Workspace", Fixed),
    ("RANDOM", PerRun),
    ("REF_NAME", PerBranch),
    ("RELEASE", PerRelease),
    ("RELEASE_TAG", PerRelease),
    ("RELEASE_VERSION", PerRelease),
    ("REPO_FULL_NAME", Fixed),
    ("REPO_NAME", Fixed),
    ("REVISION", PerCommit),
    ("REVISION_ID", PerCommit),
    ("RUNNER_ARCH", Fixed),
    ("RUNNER_OS", Fixed),
    ("RUN_ID", PerRun),
    ("RUN_NUMBER", PerRun),
    ("SECONDS", PerRun),
    ("SEMAPHORE_GIT_BRANCH", PerBranch),
    ("SEMAPHORE_GIT_SHA", PerCommit),
    ("SEMAPHORE_JOB_ID", PerRun),
    ("SEMAPHORE_WORKFLOW_ID", PerRun),
    ("SERVICE_ACCOUNT", Fixed),
    ("SHA", PerCommit),
    ("SHA1", PerCommit),
    ("SHA_SHORT", PerCommit),
    ("SHELL", Fixed),
    ("SHORT_COMMIT", PerCommit),
    ("SHORT_SHA", PerCommit),
    ("SOURCE_BRANCH", PerBranch),
    ("SOURCE_COMMIT", PerCommit),
    ("SOURCE_DATE_EPOCH", PerCommit),
    ("SOURCE_REPOSITORY", Fixed),
    ("SOURCE_TAG", PerRelease),
    ("SRANDOM", PerRun),
    ("System.DefaultWorkingDirectory", Fixed),
    ("System.JobId", PerRun),
    ("System.PullRequest.PullRequestId", PerBranch),
    ("System.PullRequest.PullRequestNumber", PerBranch),
    ("System.PullRequest.SourceBranch", PerBranch),
    ("System.PullRequest.SourceCommitId", PerCommit),
    ("System.PullRequest.TargetBranch", PerBranch),
    ("System.TeamProject", Fixed),
    ("TAG_NAME", PerRelease),
    ("TIME", PerRun),
    ("TIMESTAMP", PerRun),
    ("TRAVIS_BRANCH", PerBranch),
    ("TRAVIS_BUILD_ID", PerRun),
    ("TRAVIS_BUILD_NUMBER", PerRun),
    ("TRAVIS_COMMIT", PerCommit),
    ("TRAVIS_JOB_ID", PerRun),
    ("TRAVIS_JOB_NUMBER", PerRun),
    ("TRAVIS_PULL_REQUEST", PerBranch),
    ("TRAVIS_REPO_SLUG", Fixed),
    ("TRAVIS_TAG", PerRelease),
    ("TRIGGER_BUILD_CONFIG_PATH", Fixed),
    ("TRIGGER_NAME", Fixed),
    ("UID", Fixed),
    ("UNIX_TIME", PerRun),
    ("USER", Fixed),
    ("VCS_BRANCH", PerBranch),
    ("VCS_REF", PerCommit),
    ("VCS_REVISION", PerCommit),
    ("VERSION", PerRelease),
    ("VERSION_TAG", PerRelease),
    ("WORKSPACE", Fixed),
    ("_BASE_BRANCH", PerBranch),
    ("_HEAD_BRANCH", PerBranch),
    ("_PR_NUMBER", PerBranch),
    ("github.action_path", Fixed),
    ("github.api_url", Fixed),
    ("github.base_ref", PerBranch),
    ("github.event.after", PerCommit),
    ("github.event.before", PerCommit),
    ("github.event.head_commit.id", PerCommit),
    ("github.event.head_commit.message", PerCommit),
    ("github.event.head_commit.timestamp", PerCommit),
    ("github.event.issue.number", PerBranch),
    ("github.event.number", PerBranch),
    ("github.event.pull_request.base.ref", PerBranch),
    ("github.event.pull_request.base.sha", PerCommit),
    ("github.event.pull_request.head.ref", PerBranch),
    ("github.event.pull_request.head.sha", PerCommit),
    ("github.event.pull_request.number", PerBranch),
    ("github.event.ref", PerBranch),
    ("github.event.release.name", PerRelease),
    ("github.event.release.tag_name", PerRelease),
    ("github.event.repository.default_branch", Fixed),
    ("github.event.repository.full_name", Fixed),
    ("github.event.repository.name", Fixed),
    ("github.event.repository.owner.login", Fixed),
    ("github.event.repository.pushed_at", PerRun),
    ("github.event.repository.updated_at", PerRun),
    ("github.event.workflow_run.head_branch", PerBranch),
    ("github.event.workflow_run.head_sha", PerCommit),
    ("github.head_ref", PerBranch),
    ("github.job", Fixed),
    ("github.ref", PerBranch),
    ("github.ref_name", PerBranch),
    ("github.repository", Fixed),
    ("github.repository_id", Fixed),
    ("github.repository_owner", Fixed),
    ("github.run_attempt", PerRun),
    ("github.run_id", PerRun),
    ("github.run_number", PerRun),
    ("github.server_url", Fixed),
    ("github.sha", PerCommit),
    ("github.token", PerRun),
    ("github.workflow", Fixed),
    ("github.workflow_sha", PerCommit),
    ("github.workspace", Fixed),
    ("npm_package_version", PerRelease),
    ("pipeline.git.branch", PerBranch),
    ("pipeline.git.revision", PerCommit),
    ("pipeline.git.tag", PerRelease),
    ("pipeline.id", PerRun),
    ("pipeline.number", PerRun),
    ("pipeline.project.git_url", Fixed),
    ("pipeline.project.slug", Fixed),
    ("pipeline.project.type", Fixed),
    ("runner.arch", Fixed),
    ("runner.name", Fixed),
    ("runner.os", Fixed),
    ("runner.temp", Fixed),
    ("runner.tool_cache", Fixed),
    ("secrets.GITHUB_TOKEN", PerRun),
];

/// Names that start so are the same in every run, unless [`NAMES`] says otherwise.
const FIXED_PREFIXES: &[&str] = &[
    "CI_PROJECT_",
    "CI_REGISTRY",
    "CI_SERVER",
    "CI_DEPENDENCY_PROXY",
    "CI_RUNNER",
    "matrix.",
    "secrets.",
    "vars.",
    "strategy.",
    "runner.",
    "github.event.repository.",
    "github.event.organization.",
    "BUILDKITE_AGENT_",
];

/// Commands by their first words, the longest match counting; `$( )` around them. The second word list must all occur among
/// the later words.
#[rustfmt::skip]
const COMMANDS: &[(&[&str], &[&str], Volatility)] = &[
    (&["git", "rev-parse"], &["--show-toplevel"], Fixed),
    (&["git", "rev-parse"], &["--git-dir"], Fixed),
    (&["git", "rev-parse"], &["--show-cdup"], Fixed),
    (&["git", "rev-parse"], &["--abbrev-ref"], PerBranch),
    (&["git", "rev-parse"], &["--symbolic-full-name"], PerBranch),
    (&["git", "rev-parse"], &[], PerCommit),
    (&["git", "rev-list"], &["--tags"], PerRelease),
    (&["git", "rev-list"], &[], PerCommit),
    (&["git", "symbolic-ref"], &[], PerBranch),
    (&["git", "branch"], &[], PerBranch),
    (&["git", "name-rev"], &[], PerCommit),
    (&["git", "describe"], &["--exact-match"], PerRelease),
    (&["git", "describe"], &["--abbrev=0"], PerRelease),
    (&["git", "describe"], &[], PerCommit),
    (&["git", "log"], &[], PerCommit),
    (&["git", "show"], &[], PerCommit),
    (&["git", "show-ref"], &[], PerCommit),
    (&["git", "ls-remote"], &[], Unknown),
    (&["git", "tag"], &[], PerRelease),
    (&["git", "config"], &[], Fixed),
    (&["git", "remote"], &[], Fixed),
    (&["date"], &["-d"], Unknown),
    (&["date"], &["--date"], Unknown),
    (&["date"], &["-r"], Unknown),
    (&["date"], &[], PerRun),
    (&["uuidgen"], &[], PerRun),
    (&["mktemp"], &[], PerRun),
    (&["openssl", "rand"], &[], PerRun),
    (&["whoami"], &[], Fixed),
    (&["id"], &[], Fixed),
    (&["uname"], &[], Fixed),
    (&["arch"], &[], Fixed),
    (&["dpkg"], &["--print-architecture"], Fixed),
    (&["nproc"], &[], Fixed),
    (&["hostname"], &[], Fixed),
    (&["pwd"], &[], Fixed),
    (&["dirname"], &[], Fixed),
    (&["basename"], &[], Fixed),
    (&["realpath"], &[], Fixed),
    (&["readlink"], &[], Fixed),
    (&["gcloud", "config"], &[], Fixed),
    (&["aws", "sts"], &[], Fixed),
    (&["aws", "configure"], &[], Fixed),
    (&["go", "env"], &[], Fixed),
    (&["cat"], &["VERSION"], PerRelease),
    (&["cat"], &["version"], PerRelease),
    (&["cat"], &["VERSION.txt"], PerRelease),
    (&["cat"], &["version.txt"], PerRelease),
    (&["jq"], &[".version"], PerRelease),
    (&["node"], &["require('./package.json').version"], PerRelease),
];

/// How often the variable of this name changes, as far as its name tells.
#[must_use]
pub fn name_volatility(name: &str) -> Volatility {
    known_name(name).unwrap_or(Unknown)
}

fn known_name(name: &str) -> Option<Volatility> {
    let exact = |name: &str| NAMES.binary_search_by(|(row, _)| (*row).cmp(name)).ok();
    let found = exact(name).or_else(|| {
        // `git_sha` of a justfile, `short-sha` of a step's output.
        let upper = name.to_ascii_uppercase().replace('-', "_");
        (upper != name).then(|| exact(&upper)).flatten()
    });
    match found.and_then(|index| NAMES.get(index)) {
        Some((_, volatility)) => Some(*volatility),
        None => FIXED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)).then_some(Fixed),
    }
}

/// How often the output of a command changes. Of a pipeline the first command that is known counts, and the fastest
/// variable of the others. `NAME` alone is the variable, as Make and Azure Pipelines write it.
#[must_use]
pub fn command_volatility(command: &str) -> Volatility {
    let command = command.strip_prefix("shell ").unwrap_or(command).trim();
    if !command.contains(char::is_whitespace)
        && let Some(volatility) = known_name(command)
    {
        return volatility;
    }
    let mut fastest: Option<Volatility> = None;
    for piece in pieces(command) {
        let part = match piece {
            Piece::Text(_) => continue,
            Piece::Var { name, .. } => name_volatility(name),
            Piece::Expression { inner, .. } => expression_volatility(inner.trim()),
            // Strictly shorter, and brackets reach a kilobyte.
            Piece::Command { inner, .. } => command_volatility(inner),
            Piece::Alternative { .. } | Piece::Opaque { .. } => Unknown,
        };
        fastest = Some(fastest.map_or(part, |old| old.max(part)));
    }
    let listed = command.split(['|', ';', '&', '(', ')']).find_map(listed_command);
    match (listed, fastest) {
        (Some(listed), Some(fastest)) => listed.max(fastest),
        (Some(only), None) => only,
        // A command that is not known does something with what it gets: no slower than that, perhaps faster.
        (None, fastest) => fastest.unwrap_or(Unknown).max(Unknown),
    }
}

fn listed_command(command: &str) -> Option<Volatility> {
    let words: Vec<&str> =
        command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).take(32).collect();
    let words = match words.as_slice() {
        ["command", rest @ ..] => rest,
        // `git -C dir …`
        ["git", "-C", _, rest @ ..] => return listed_git(rest),
        all => all,
    };
    let row = COMMANDS.iter().find(|(head, later, _)| {
        words.starts_with(head) && later.iter().all(|word| words.iter().any(|here| option_is(here, word)))
    })?;
    Some(row.2)
}

fn listed_git(rest: &[&str]) -> Option<Volatility> {
    let (_, _, volatility) = COMMANDS.iter().find(|(head, later, _)| {
        head.first() == Some(&"git")
            && head.get(1) == rest.first()
            && later.iter().all(|word| rest.iter().any(|here| option_is(here, word)))
    })?;
    Some(*volatility)
}

fn option_is(word: &str, option: &str) -> bool {
    word == option
        || (option.starts_with("--") && word.strip_prefix(option).is_some_and(|tail| tail.starts_with('=')))
        || (!option.starts_with('-') && word.rsplit('/').next() == Some(option))
}

/// How often the value of an expression (`github.sha`, `.VERSION`, `format('{0}', env.X)`) changes: the fastest of the
/// names in it.
pub(super) fn expression_volatility(expression: &str) -> Volatility {
    let mut fastest: Option<Volatility> = None;
    let mut rest = expression;
    while let Some(ch) = rest.chars().next() {
        let length = match ch {
            '\'' | '"' | '`' => {
                rest.get(1..).and_then(|tail| tail.find(ch)).map_or(rest.len(), |end| end + 2)
            }
            ch if ch.is_ascii_alphabetic() || ch == '_' || ch == '.' => {
                let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.' | '-' | '*');
                let length = rest.find(|ch| !part(ch)).unwrap_or(rest.len());
                let name = rest.get(..length).unwrap_or("").trim_matches('.');
                let call = rest.get(length..).is_some_and(|tail| tail.starts_with('('));
                if let Some(part) = expression_name(name, call) {
                    fastest = Some(fastest.map_or(part, |old| old.max(part)));
                }
                length
            }
            ch => ch.len_utf8(),
        };
        rest = rest.get(length.max(1)..).unwrap_or("");
    }
    fastest.unwrap_or(Unknown)
}

fn expression_name(name: &str, call: bool) -> Option<Volatility> {
    if call {
        let silent = [
            "format",
            "join",
            "contains",
            "startsWith",
            "endsWith",
            "toJSON",
            "fromJSON",
            "fromJson",
            "toJson",
        ];
        return match name {
            "timestamp" | "uuidv4" | "datetime" | "datetime_utc" | "uuid" | "now" => Some(PerRun),
            name if silent.contains(&name) => None,
            _ => Some(Unknown),
        };
    }
    if let Some(name) = name.strip_prefix("env.").or_else(|| name.strip_prefix("Env.")) {
        return Some(name_volatility(name));
    }
    if matches!(name, "" | "true" | "false" | "null") {
        return None;
    }
    if name.starts_with("steps.") || name.starts_with("needs.") {
        let last = name.rsplit('.').next().unwrap_or(name);
        return Some(name_volatility(last));
    }
    Some(name_volatility(name))
}
