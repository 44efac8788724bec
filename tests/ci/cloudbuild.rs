use crate::{Project, one, value};
use hitrate::builds::{Driver, Front, System, Volatility};

#[test]
fn pulls_builds_and_pushed_images() {
    let text = r#"steps:
  - name: gcr.io/cloud-builders/docker
    entrypoint: bash
    args: ["-c", "docker pull gcr.io/$PROJECT_ID/$REPO_NAME:latest-build-cache || true"]
  - name: gcr.io/cloud-builders/docker
    args: ["build", "--cache-from", "gcr.io/$PROJECT_ID/$REPO_NAME:latest-build-cache", "--target", "dev", "-t", "gcr.io/$PROJECT_ID/$REPO_NAME:latest-build-cache", "."]
  - name: gcr.io/cloud-builders/docker
    args: ["build", "--cache-from", "gcr.io/$PROJECT_ID/$REPO_NAME:latest-build-cache", "-t", "gcr.io/$PROJECT_ID/$REPO_NAME:$COMMIT_SHA", "."]
images:
  - gcr.io/$PROJECT_ID/$REPO_NAME:latest-build-cache
  - gcr.io/$PROJECT_ID/$REPO_NAME:$COMMIT_SHA
"#;
    let builds = Project::new(&[("cloudbuild.yaml", text)]).read();
    assert_eq!(builds.len(), 2);
    let cache = "gcr.io/$PROJECT_ID/$REPO_NAME:latest-build-cache";
    for (found, line) in builds.iter().zip([6, 8]) {
        let build = &found.build;
        assert_eq!(
            (build.system, build.front, build.builder.driver),
            (System::CloudBuild, Front::DockerBuild, Driver::Docker)
        );
        assert_eq!(build.builder.persistent, Some(false));
        assert_eq!(found.from(), [format!("registry ref={cache}")]);
        assert_eq!((found.line(&build.cache_from[0]), found.of(&build.cache_from[0])), (line, cache));
        assert_eq!((build.pulled_before[0].value.text(), found.line(&build.pulled_before[0])), (cache, 4));
        assert_eq!(value(&build.push), Some("true"));
        assert_eq!(found.dockerfile(), Some("Dockerfile"));
        assert_eq!(build.job, builds[0].build.job);
    }
    assert_eq!(builds[0].of(builds[0].build.target.as_ref().unwrap()), "dev");
    assert_eq!(builds[1].build.tags[0].value.volatility(), Volatility::PerCommit);
    assert_eq!(builds[0].build.span.of(text).lines().next(), Some("name: gcr.io/cloud-builders/docker"));
}

#[test]
fn kaniko_scripts_substitutions_and_directories() {
    let text = r#"substitutions: {_IMAGE: app, _DIR: svc}
options: {env: [DOCKER_BUILDKIT=0]}
steps:
- name: 'gcr.io/kaniko-project/executor:v1.9.0'
  args: [
    '--destination=gcr.io/$PROJECT_ID/$_IMAGE',
    '--dockerfile=./ops/Dockerfile', # the one
    '--cache=true'
  ]
- name: gcr.io/cloud-builders/docker
  dir: $_DIR
  script: |
    docker build -t "$_IMAGE:$$X" .
"#;
    let builds = Project::new(&[("cloudbuild.yaml", text)]).read();
    assert_eq!(builds.len(), 2);
    assert_eq!((builds[0].build.front, builds[0].build.builder.driver), (Front::Kaniko, Driver::None));
    assert_eq!(
        (builds[0].dockerfile(), builds[0].tags()),
        (Some("ops/Dockerfile"), vec!["gcr.io/$PROJECT_ID/app"])
    );
    assert_eq!(builds[0].line(&builds[0].build.cache_to[0]), 8);
    assert_eq!((builds[1].dockerfile(), builds[1].context().as_str()), (Some("svc/Dockerfile"), "./svc"));
    assert_eq!(builds[1].build.builder.legacy.unwrap().of(text), "0");
}

#[test]
fn a_configuration_beside_its_dockerfile_is_submitted_from_there() {
    let text = "steps:\n- name: gcr.io/cloud-builders/docker\n  args: ['build', '-t', 'x', '.']\n";
    let builds =
        Project::new(&[("images/a/cloudbuild.yaml", text), ("images/a/Dockerfile", "FROM a\n")]).read();
    assert_eq!(builds[0].dockerfile(), Some("images/a/Dockerfile"));
    assert_eq!(one("cloudbuild.yaml", text).dockerfile(), Some("Dockerfile"));
}
