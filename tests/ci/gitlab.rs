use crate::{Project, one, value};
use hitrate::builds::{Driver, Front, System, Volatility};

const PIPELINE: &str = ".gitlab-ci.yml";

const TWO_JOBS: &str = r#"stages: [build, test, release]
variables:
  DOCKER_TLS_CERTDIR: "/certs"
.docker:
  image: docker:28.3.0
  services: ["docker:28.3.0-dind"]
  before_script:
    - docker context create ctx
    - docker buildx create --use --driver docker-container --name b ctx
build-deps:
  extends: .docker
  stage: build
  script:
    - docker buildx build -t $CI_REGISTRY_IMAGE:build-stage --target dependencies --push --cache-from=type=registry,ref=$CI_REGISTRY_IMAGE:cache --cache-to=type=registry,ref=$CI_REGISTRY_IMAGE:cache,mode=max,image-manifest=true .
release:
  extends: .docker
  stage: release
  script:
    - docker buildx build -t $CI_REGISTRY_IMAGE:latest --push --cache-from=type=registry,ref=$CI_REGISTRY_IMAGE:cache --cache-to=type=registry,ref=$CI_REGISTRY_IMAGE:cache,mode=max,image-manifest=true .
"#;

#[test]
fn extended_jobs_share_a_ref_and_create_their_builder() {
    let builds = Project::new(&[(PIPELINE, TWO_JOBS)]).read();
    assert_eq!(builds.len(), 2);
    for (found, (line, job)) in builds.iter().zip([(14, "build-deps"), (19, "release")]) {
        let build = &found.build;
        assert_eq!((build.system, build.front), (System::GitlabCi, Front::Buildx));
        assert_eq!(build.job, format!("{PIPELINE}#{job}"));
        assert_eq!(found.to(), ["registry ref=$CI_REGISTRY_IMAGE:cache mode=max image-manifest=true"]);
        assert_eq!(found.line(&build.cache_to[0]), line);
        let written = "type=registry,ref=$CI_REGISTRY_IMAGE:cache,mode=max,image-manifest=true";
        assert_eq!(found.of(&build.cache_to[0]), written);
        assert_eq!(found.of(build.cache_to[0].value.attr("mode").unwrap()), "mode=max");
        assert_eq!((build.builder.driver, build.builder.persistent), (Driver::DockerContainer, Some(false)));
        assert!(build.builder.set_by.unwrap().of(TWO_JOBS).starts_with("docker buildx create --use"));
        assert_eq!(build.builder.versions[0].1.value, "28.3.0");
        assert_eq!(value(&build.push), Some("true"));
        assert!(build.trigger.any_branch && build.trigger.default_branch && !build.trigger.pull_request);
    }
    assert_eq!(value(&builds[0].build.target), Some("dependencies"));
    assert_eq!(builds[1].build.target, None);
}

#[test]
fn a_block_script_has_a_line_for_every_setting() {
    let text = r#"build:
  stage: build
  image: docker:28.3.0
  services:
    - docker:28.3.0-dind
  variables:
    IMAGE_NAME: $CI_REGISTRY/myapp
  before_script:
    - echo "$CI_REGISTRY_PASSWORD" | docker login $CI_REGISTRY -u $CI_REGISTRY_USER --password-stdin
  script:
    - |
      docker buildx build --push \
        --build-arg GIT_COMMIT=$CI_COMMIT_SHA \
        -t $IMAGE_NAME:$CI_COMMIT_REF_SLUG \
        --cache-to type=inline \
        --cache-from type=registry,ref=$IMAGE_NAME:$CI_COMMIT_REF_SLUG \
        .
"#;
    let found = one(PIPELINE, text);
    let build = &found.build;
    assert_eq!((found.line(&build.cache_to[0]), found.of(&build.cache_to[0])), (15, "type=inline"));
    assert_eq!(found.line(&build.cache_from[0]), 16);
    assert_eq!(found.from(), ["registry ref=$CI_REGISTRY/myapp:$CI_COMMIT_REF_SLUG"]);
    let (name, arg) = &build.args[0];
    assert_eq!((name.as_str(), found.line(arg)), ("GIT_COMMIT", 13));
    assert_eq!(arg.value.volatility(), Volatility::PerCommit);
    assert_eq!(found.tags(), ["$CI_REGISTRY/myapp:$CI_COMMIT_REF_SLUG"]);
    assert_eq!((build.builder.driver, build.builder.persistent), (Driver::Docker, Some(false)));
    assert_eq!(
        (found.dockerfile(), found.line(build.dockerfile.as_ref().unwrap())),
        (Some("Dockerfile"), 17)
    );
}

#[test]
fn references_includes_defaults_and_a_cd_in_another_line() {
    let main = r#"include:
  - local: /ci/templates.yml
default:
  services: [docker:dind]
  before_script:
    - cd app
picture:
  script:
    - !reference [.login, script]
    - docker build -f docker/Dockerfile -t "$IMAGE" .
other:
  extends: .templated
"#;
    let templates = r#".login:
  script: [docker login]
.templated:
  variables: {IMAGE: from-template}
  before_script: []
  script:
    - docker build -t $IMAGE --target base svc
"#;
    let builds = Project::new(&[(PIPELINE, main), ("ci/templates.yml", templates)]).read();
    assert_eq!(builds.len(), 2);
    assert_eq!(
        (builds[0].dockerfile(), builds[0].context().as_str()),
        (Some("app/docker/Dockerfile"), "./app")
    );
    assert_eq!(&*builds[1].build.path, "ci/templates.yml");
    assert_eq!(builds[1].build.job, format!("{PIPELINE}#other"));
    assert_eq!((builds[1].dockerfile(), builds[1].tags()), (Some("svc/Dockerfile"), vec!["from-template"]));
    assert_eq!(builds[1].of(builds[1].build.target.as_ref().unwrap()), "base");
}

#[test]
fn rules_decide_the_trigger_and_the_variables() {
    let text = r#"workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
picture:
  services: [docker:dind]
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables: {TAG: latest}
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      variables: {TAG: "mr-$CI_MERGE_REQUEST_IID"}
  script:
    - docker build -t "app:$TAG" .
tag:
  only: [tags]
  services: [docker:dind]
  script: docker build -t app:tag .
"#;
    let builds = Project::new(&[(PIPELINE, text)]).read();
    assert_eq!(builds.len(), 1, "no pipelines for tags");
    let trigger = &builds[0].build.trigger;
    assert!(trigger.default_branch && trigger.pull_request && !trigger.any_branch && !trigger.release);
    assert_eq!(builds[0].tags(), ["app:$TAG"]);
    assert_eq!(builds[0].build.tags[0].value.volatility(), Volatility::PerBranch);
}

#[test]
fn a_matrix_and_the_kaniko_and_buildah_executors() {
    let text = r#"images:
  parallel:
    matrix:
      - NAME: [api, web]
  image:
    name: gcr.io/kaniko-project/executor:debug
    entrypoint: [""]
  script:
    - /kaniko/executor --context "$CI_PROJECT_DIR/$NAME" --dockerfile "$CI_PROJECT_DIR/$NAME/Dockerfile" --destination "$CI_REGISTRY_IMAGE/$NAME:$CI_COMMIT_TAG" --cache=true --cache-repo $CI_REGISTRY_IMAGE/cache
buildah:
  image: quay.io/buildah/stable
  script:
    - buildah bud --layers --cache-from $CI_REGISTRY_IMAGE/cache -t x .
"#;
    let builds = Project::new(&[(PIPELINE, text)]).read();
    assert_eq!(builds.len(), 3);
    assert_eq!(builds[0].build.front, Front::Kaniko);
    assert_eq!(builds[1].build.matrix, [("NAME".to_owned(), "web".to_owned())]);
    assert_eq!((builds[1].dockerfile(), builds[1].context().as_str()), (Some("web/Dockerfile"), "./web"));
    assert_eq!(builds[1].from(), ["kaniko ref=$CI_REGISTRY_IMAGE/cache"]);
    assert_eq!(builds[2].build.front, Front::Buildah);
    assert!(builds.iter().all(|found| found.build.builder.driver == Driver::None));
}

#[test]
fn inputs_of_an_include_and_kept_directories() {
    let main = "include:\n  - local: t.yml\n    inputs: {target: prod}\n";
    let template = "spec:\n  inputs:\n    target:\n    name: {default: app}\n---\nbuild:\n  cache: {paths: [.buildx]}\n  script:\n    - docker buildx build --target $[[ inputs.target ]] -t $[[ inputs.name ]] .\n";
    let builds = Project::new(&[(PIPELINE, main), ("t.yml", template)]).read();
    assert_eq!(value(&builds[0].build.target), Some("prod"));
    assert_eq!(builds[0].tags(), ["app"]);
    assert_eq!(builds[0].build.kept[0].value.text(), ".buildx");
    assert_eq!(builds[0].build.builder.persistent, None);
}

#[test]
fn variables_of_a_job_stand_in_its_file_whatever_script_uses_them() {
    let text = "build:
  variables: {FILE: images/Dockerfile, TARGET: prod}
  cache: {paths: [c]}
  script: [./build.sh]
";
    let script = "#!/bin/sh\ndocker build --target $TARGET -f $FILE .\n";
    let found = &Project::new(&[(".gitlab-ci.yml", text), ("build.sh", script)]).read()[0];
    let (target, file) = (found.build.target.as_ref().unwrap(), found.build.dockerfile.as_ref().unwrap());
    assert_eq!((target.value.text(), file.value.as_str()), ("prod", "images/Dockerfile"));
    assert_eq!((target.path.as_deref(), target.span.of(script)), (Some("build.sh"), "$TARGET"));
    assert_eq!((file.path.as_deref(), file.span.of(script)), (Some("build.sh"), "$FILE"));
    assert_eq!((found.build.kept[0].path.as_deref(), found.of(&found.build.kept[0])), (None, "c"));
}

#[test]
fn rules_that_no_file_decides_and_jobs_that_wait_for_somebody_are_conditions() {
    let text = "a:
  script: [docker build -t a .]
  rules:
    - if: $CI_COMMIT_BRANCH
b:
  script: [docker build -t b .]
  rules:
    - changes: [images/*]
c:
  script: [docker build -t c .]
  when: manual
d:
  script: [docker build -t d .]
  only: [develop]
";
    let builds = Project::new(&[(PIPELINE, text)]).read();
    let told: Vec<Option<&str>> =
        builds.iter().map(|found| found.build.condition.as_ref().map(|setting| found.of(setting))).collect();
    assert_eq!(told, [None, Some("- changes: [images/*]"), Some("manual"), Some("[develop]")]);
}
