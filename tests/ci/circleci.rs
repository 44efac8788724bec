use crate::{Project, one, value};
use hitrate::builds::{Driver, Front, System, Volatility};

const CONFIG: &str = ".circleci/config.yml";

#[test]
fn parameters_commands_executors_and_filters() {
    let text = r#"version: 2.1
parameters:
  registry: {type: string, default: r.example}
executors:
  big: {machine: {image: ubuntu-2404:current, docker_layer_caching: true}}
commands:
  image:
    parameters:
      name: {type: string}
      file: {type: string, default: Dockerfile}
    steps:
      - run:
          name: Build
          command: |
            docker build -f << parameters.file >> \
              -t << pipeline.parameters.registry >>/<< parameters.name >>:<< pipeline.git.revision >> .
          working_directory: ~/project/svc
jobs:
  build:
    executor: big
    parameters: {which: {type: string}}
    steps:
      - checkout
      - image: {name: << parameters.which >>}
      - when:
          condition: false
          steps: [run: docker build never]
  remote:
    docker: [{image: cimg/base:stable}]
    environment: {TAG: latest}
    steps:
      - setup_remote_docker
      - run: docker build -t x:$TAG .
      - save_cache: {key: x, paths: [/tmp/cache]}
  unused:
    machine: true
    steps: [run: docker build unused]
workflows:
  main:
    jobs:
      - build:
          name: build-<< matrix.which >>
          matrix: {parameters: {which: [api, web]}}
          filters: {branches: {only: main}}
      - remote:
          filters: {tags: {only: /v.*/}, branches: {ignore: /.*/}}
"#;
    let builds = Project::new(&[(CONFIG, text)]).read();
    assert_eq!(builds.len(), 3);
    let api = &builds[0];
    assert_eq!((api.build.system, api.build.front), (System::CircleCi, Front::DockerBuild));
    assert_eq!((api.dockerfile(), api.context().as_str()), (Some("svc/Dockerfile"), "./svc"));
    assert_eq!(api.tags(), ["r.example/api:<< pipeline.git.revision >>"]);
    assert_eq!(api.build.tags[0].value.volatility(), Volatility::PerCommit);
    assert_eq!(
        (api.build.name.join("/").as_str(), api.build.builder.persistent),
        ("main/build-api/Build", Some(true))
    );
    assert!(api.build.trigger.default_branch && !api.build.trigger.any_branch);
    assert_eq!(builds[1].build.matrix, [("which".to_owned(), "web".to_owned())]);
    assert_ne!(api.build.job, builds[1].build.job);
    let remote = &builds[2];
    assert_eq!((remote.tags(), remote.build.builder.persistent), (vec!["x:latest"], Some(false)));
    assert!(remote.build.trigger.release && !remote.build.trigger.default_branch);
    assert_eq!(remote.build.builder.driver, Driver::Docker);
}

#[test]
fn orbs_that_build() {
    let text = r#"version: 2.1
orbs:
  docker: circleci/docker@2.6.0
  ecr: circleci/aws-ecr@9.0
jobs:
  one:
    machine: true
    steps:
      - docker/build:
          image: acme/app
          path: svc
          dockerfile: prod.Dockerfile
          cache_from: acme/app:latest
          extra_build_args: --target final --build-arg A=$CIRCLE_SHA1
workflows:
  w:
    jobs:
      - one
      - ecr/build_and_push_image:
          repo: app
          tag: latest,$CIRCLE_SHA1
          path: svc
"#;
    let builds = Project::new(&[(CONFIG, text)]).read();
    assert_eq!(builds.len(), 2);
    let docker = &builds[0];
    assert_eq!((docker.dockerfile(), docker.context().as_str()), (Some("svc/prod.Dockerfile"), "./"));
    assert_eq!(
        (value(&docker.build.target), docker.args()),
        (Some("final"), vec!["A=$CIRCLE_SHA1".to_owned()])
    );
    assert_eq!(
        (docker.from(), docker.line(&docker.build.cache_from[0])),
        (vec!["registry ref=acme/app:latest".to_owned()], 13)
    );
    assert_eq!((docker.tags(), value(&docker.build.push)), (vec!["acme/app:$CIRCLE_SHA1"], Some("false")));
    let ecr = &builds[1];
    assert_eq!((ecr.dockerfile(), ecr.context().as_str()), (Some("svc/Dockerfile"), "./svc"));
    assert_eq!((ecr.tags().len(), value(&ecr.build.push)), (2, Some("true")));
}

#[test]
fn heredocs_are_no_expressions() {
    let text = "version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n      - run: |\n          cat <<EOF > x\n          a.b >> c\n          EOF\n          docker build -t t .\n";
    assert_eq!(one(CONFIG, text).tags(), ["t"]);
}

#[test]
fn a_checkout_above_the_working_directory() {
    let text = "version: 2.1
jobs:
  admin:
    machine: true
    working_directory: ~/repo/src/Admin
    steps:
      - checkout: {path: ~/repo}
      - run: docker build -t admin .
      - run: {command: docker build -t client ., working_directory: ../Client}
      - run: {command: docker build -t root ., working_directory: ~/repo}
workflows: {main: {jobs: [admin]}}
";
    let builds = Project::new(&[(CONFIG, text)]).read();
    let dockerfiles: Vec<_> = builds.iter().map(|found| found.dockerfile().unwrap()).collect();
    assert_eq!(dockerfiles, ["src/Admin/Dockerfile", "src/Client/Dockerfile", "Dockerfile"]);
}
