//! Bitbucket, Jenkins, Drone, Woodpecker.

use crate::{Project, one, value};
use hitrate::builds::{Driver, Front, System, Volatility};

#[test]
fn bitbucket_steps_caches_and_branches() {
    let text = r#"image: atlassian/default-image:4
definitions:
  caches: {layers: .buildx}
  steps:
    - step: &image
        name: Image
        services: [docker]
        caches: [docker, layers]
        script:
          - export IMAGE=acme/app:$BITBUCKET_COMMIT
          - docker buildx build --cache-to type=local,dest=.buildx,mode=max -t $IMAGE .
          - pipe: atlassian/aws-ecs-deploy:1.0.0
            variables: {X: y}
          - docker push $IMAGE
pipelines:
  branches:
    main:
      - step: *image
  pull-requests:
    '**':
      - parallel:
          - step: {script: [docker build -f a.Dockerfile .], runs-on: [self.hosted, linux]}
"#;
    let builds = Project::new(&[("bitbucket-pipelines.yml", text)]).read();
    assert_eq!(builds.len(), 2);
    let image = &builds[0];
    assert_eq!((image.build.system, image.build.front), (System::Bitbucket, Front::Buildx));
    assert_eq!(image.to(), ["local dest=.buildx mode=max"]);
    assert_eq!((image.line(&image.build.cache_to[0]), value(&image.build.push)), (11, Some("true")));
    assert_eq!(image.build.tags[0].value.volatility(), Volatility::PerCommit);
    let kept: Vec<_> = image.build.kept.iter().map(|kept| kept.value.text()).collect();
    assert_eq!(kept, ["docker", ".buildx"]);
    assert!(image.build.trigger.default_branch && !image.build.trigger.pull_request);
    assert_eq!(image.build.builder.persistent, Some(false));
    assert_eq!((builds[1].dockerfile(), builds[1].build.builder.persistent), (Some("a.Dockerfile"), None));
    assert!(builds[1].build.trigger.pull_request);
}

#[test]
fn jenkins_steps_blocks_and_docker_build() {
    let text = r#"pipeline {
  agent { dockerfile { filename 'Dockerfile.ci' dir 'ci' additionalBuildArgs '--build-arg V=1' } }
  environment {
    IMAGE = "acme/app"
    CACHE = 'acme/app:cache'
  }
  stages {
    stage('Build') {
      steps {
        dir('svc') {
          sh """
            docker build --cache-from ${CACHE} \
              -t ${IMAGE}:${env.BUILD_NUMBER} --target final .
          """
          sh(script: 'docker push $IMAGE:$BUILD_NUMBER', returnStdout: true)
        }
        // sh 'docker build commented .'
        script {
          app = docker.build("acme/other:${GIT_COMMIT}", "-f other/Dockerfile --build-arg A=b other")
          echo "docker build is only shown"
          app.push('latest')
          run.it(this, "docker build -t strung .")
        }
      }
    }
  }
}
"#;
    let builds = Project::new(&[("Jenkinsfile", text)]).read();
    assert_eq!(builds.len(), 4);
    let agent = &builds[0];
    assert_eq!((agent.dockerfile(), agent.context().as_str()), (Some("ci/Dockerfile.ci"), "./ci"));
    assert_eq!(agent.args(), ["V=1"]);
    let step = &builds[1];
    assert_eq!((step.build.system, step.build.name.clone()), (System::Jenkins, vec!["Build".to_owned()]));
    assert_eq!((step.dockerfile(), step.context().as_str()), (Some("svc/Dockerfile"), "./svc"));
    assert_eq!(step.from(), ["registry ref=acme/app:cache"]);
    assert_eq!((step.line(&step.build.cache_from[0]), step.of(&step.build.cache_from[0])), (12, "${CACHE}"));
    assert_eq!((step.tags(), value(&step.build.push)), (vec!["acme/app:${BUILD_NUMBER}"], Some("true")));
    assert_eq!(step.build.tags[0].value.volatility(), Volatility::PerRun);
    assert_eq!(
        (step.of(step.build.target.as_ref().unwrap()), step.build.builder.driver),
        ("final", Driver::Docker)
    );
    let built = &builds[2];
    assert_eq!((built.dockerfile(), built.context().as_str()), (Some("other/Dockerfile"), "./other"));
    assert_eq!(
        (built.tags(), value(&built.build.push)),
        (vec!["acme/other:${GIT_COMMIT}", "acme/other:latest"], Some("true"))
    );
    assert_eq!(built.args(), ["A=b"]);
    assert_eq!(builds[3].tags(), ["strung"]);
}

#[test]
fn drone_plugins_and_commands() {
    let text = r#"kind: pipeline
type: docker
name: default
steps:
- name: publish
  image: plugins/docker:20
  settings:
    repo: acme/app
    tags: [latest, "${DRONE_COMMIT_SHA:0:8}"]
    dockerfile: docker/Dockerfile
    target: prod
    cache_from: [acme/app:latest]
    build_args: [A=1, B]
  when: {event: {exclude: [pull_request]}, branch: [main]}
- name: shell
  image: docker:24
  commands:
  - cd sub
  - docker build -t x .
---
kind: secret
name: s
"#;
    let builds = Project::new(&[(".drone.yml", text)]).read();
    assert_eq!(builds.len(), 2);
    let plugin = &builds[0];
    assert_eq!((plugin.build.system, plugin.build.front), (System::Drone, Front::DockerBuild));
    assert_eq!((plugin.dockerfile(), plugin.context().as_str()), (Some("docker/Dockerfile"), "./"));
    assert_eq!(plugin.tags(), ["acme/app:latest", "acme/app:${DRONE_COMMIT_SHA:0:8}"]);
    assert_eq!(
        (plugin.from(), plugin.line(&plugin.build.cache_from[0])),
        (vec!["registry ref=acme/app:latest".to_owned()], 12)
    );
    assert_eq!(plugin.build.pulled_before[0].value.text(), "acme/app:latest");
    assert_eq!(
        (plugin.args(), value(&plugin.build.target)),
        (vec!["A=1".to_owned(), "B=${B}".to_owned()], Some("prod"))
    );
    assert!(plugin.build.trigger.default_branch && !plugin.build.trigger.pull_request);
    assert_eq!((builds[1].dockerfile(), builds[1].build.builder.persistent), (Some("sub/Dockerfile"), None));
}

#[test]
fn woodpecker_buildx_with_a_matrix() {
    let text = r#"matrix:
  TARGET: [api, web]
steps:
  image:
    image: woodpeckerci/plugin-docker-buildx:5
    settings:
      repo: acme/${TARGET}
      dockerfile: ${TARGET}/Dockerfile
      platforms: linux/amd64,linux/arm64
      cache_from:
        - type=registry,ref=acme/cache:${TARGET}
      cache_to: type=registry,ref=acme/cache:${TARGET},mode=max
"#;
    let builds = Project::new(&[(".woodpecker.yml", text)]).read();
    assert_eq!(builds.len(), 2);
    let web = &builds[1];
    assert_eq!((web.build.system, web.build.builder.driver), (System::Woodpecker, Driver::DockerContainer));
    assert_eq!(
        (web.dockerfile(), web.to()),
        (Some("web/Dockerfile"), vec!["registry ref=acme/cache:web mode=max".to_owned()])
    );
    assert_eq!((web.line(&web.build.cache_to[0]), web.build.platforms.len()), (12, 2));
    assert_eq!(web.build.matrix, [("TARGET".to_owned(), "web".to_owned())]);
    let _ = one;
}

#[test]
fn a_pipeline_that_moved_with_its_project_into_another() {
    let text = "pipelines:\n  default:\n    - step:\n        services: [docker]\n        script: [docker build -t x .]\n";
    let path = "backend/bitbucket-pipelines.yml";
    let moved = Project::new(&[(path, text), ("backend/Dockerfile", "FROM x")]).read();
    assert_eq!(moved[0].dockerfile(), Some("backend/Dockerfile"));
    let root =
        Project::new(&[(path, text), ("Dockerfile", "FROM x"), ("backend/Dockerfile", "FROM x")]).read();
    assert_eq!(root[0].dockerfile(), Some("Dockerfile"));
}
