use crate::{Project, show, value};
use hitrate::builds::{Driver, Front, System, Volatility};

const PIPELINE: &str = ".buildkite/pipeline.yml";
const COMPOSE: (&str, &str) = (
    "docker-compose.yml",
    "services:\n  app:\n    build:\n      context: ./src\n      args: {A: one}\n  db:\n    image: postgres\n",
);

#[test]
fn version_five_passes_specs_through_and_the_builder_is_used_only_if_told() {
    let text = r#"steps:
  - label: build
    plugins:
      - docker-compose#v5.10.0:
          build: app
          builder:
            name: custom-builder
            use: true
            create: true
            driver: docker-container
          cache-from: "app:type=registry,ref=123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:cache"
          cache-to: "app:ref=123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:cache,type=registry,mode=max,compression=ztsd"
          push: "app:123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:release"
  - label: plain
    plugins:
      - docker-compose#v5.10.0:
          build: app
          buildkit-inline-cache: true
          builder: {name: x, create: true}
          args: [B=two, BUILDKITE_COMMIT]
          target: dev
"#;
    let builds = Project::new(&[(PIPELINE, text), COMPOSE]).read();
    assert_eq!(builds.len(), 2);
    let found = &builds[0];
    let build = &found.build;
    assert_eq!((build.system, build.front), (System::Buildkite, Front::BuildkitePlugin));
    assert_eq!(build.name, ["build", "app"]);
    assert_eq!((found.dockerfile(), found.context().as_str()), (Some("src/Dockerfile"), "./src"));
    assert_eq!(build.context.path.as_deref(), Some("docker-compose.yml"));
    let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";
    assert_eq!(found.from(), [format!("registry ref={image}:cache")]);
    assert_eq!(found.to(), [format!("registry ref={image}:cache mode=max compression=ztsd")]);
    assert_eq!((found.line(&build.cache_from[0]), found.line(&build.cache_to[0])), (11, 12));
    assert!(found.of(&build.cache_to[0]).starts_with("ref=123456789012"));
    assert_eq!(found.of(build.cache_to[0].value.attr("compression").unwrap()), "compression=ztsd");
    assert_eq!((build.builder.driver, value(&build.push)), (Driver::DockerContainer, Some("true")));
    assert!(found.tags().contains(&format!("{image}:release").as_str()));
    let version = &build.builder.versions[0];
    assert_eq!((version.0.as_str(), version.1.value.as_str()), ("docker-compose-buildkite-plugin", "5.10.0"));
    assert_eq!(version.1.span.of(text), "docker-compose#v5.10.0");
    let plain = &builds[1];
    assert_eq!(plain.build.builder.driver, Driver::Docker);
    assert_eq!(
        (show(&plain.build.cache_to[0].value).as_str(), plain.line(&plain.build.cache_to[0])),
        ("inline", 18)
    );
    assert_eq!(plain.args(), ["A=one", "B=two", "BUILDKITE_COMMIT=${BUILDKITE_COMMIT}"]);
    assert_eq!(plain.build.args[2].1.value.volatility(), Volatility::PerCommit);
    assert_eq!(
        (value(&plain.build.target), plain.line(plain.build.target.as_ref().unwrap())),
        (Some("dev"), 21)
    );
}

#[test]
fn version_four_pulls_its_caches_and_pushes_to_a_repository() {
    let text = r#"steps:
  - label: base
    plugins:
      - docker-compose#v4.16.0:
          build: app
          target: base
          cache-from: "app:123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:base-cache"
          image-repository: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app
          image-name: base-cache
  - label: app
    plugins:
      - docker-compose#v4.16.0:
          build: app
          cache-from:
            - "app:localhost:5000/app:base-cache:group"
            - "app:localhost:5000/app"
          image-repository: r/app
"#;
    let builds = Project::new(&[(PIPELINE, text), COMPOSE]).read();
    let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";
    assert_eq!(builds[0].from(), [format!("registry ref={image}:base-cache")]);
    assert_eq!(builds[0].build.pulled_before[0].value.text(), format!("{image}:base-cache"));
    assert_eq!(builds[0].line(&builds[0].build.pulled_before[0]), 7);
    assert!(builds[0].build.cache_from[0].value.bare);
    assert_eq!(builds[0].tags(), [format!("{image}:base-cache")]);
    assert_eq!(value(&builds[0].build.target), Some("base"));
    assert_eq!(
        builds[1].from(),
        ["registry ref=localhost:5000/app:base-cache", "registry ref=localhost:5000/app"]
    );
    assert_eq!(builds[1].of(&builds[1].build.cache_from[0]), "localhost:5000/app:base-cache");
    assert_eq!(builds[1].build.tags[0].value.volatility(), Volatility::PerRun);
}

#[test]
fn commands_matrix_groups_and_services_that_only_run() {
    let text = r#"env: {REPO: r/app}
steps:
  - group: g
    steps:
      - label: "{{matrix.os}}"
        matrix: {setup: {os: [a, b]}, adjustments: [{with: {os: b}, skip: true}]}
        commands:
          - cd docker
          - docker build -t $REPO:{{matrix.os}}-$$BUILDKITE_COMMIT -f {{matrix.os}}.Dockerfile ..
        branches: main
  - label: run
    plugins:
      docker-compose#v5.0.0: {run: app}
  - label: run db
    plugins: [docker-compose#v5.0.0: {run: db}]
"#;
    let builds = Project::new(&[(PIPELINE, text), COMPOSE]).read();
    assert_eq!(builds.len(), 2);
    assert_eq!((builds[0].dockerfile(), builds[0].context().as_str()), (Some("docker/a.Dockerfile"), "./"));
    assert_eq!(builds[0].tags(), ["r/app:a-$BUILDKITE_COMMIT"]);
    assert_eq!(builds[0].build.name, ["a"]);
    assert!(builds[0].build.trigger.default_branch && !builds[0].build.trigger.any_branch);
    assert_eq!(
        (builds[1].build.front, builds[1].dockerfile()),
        (Front::BuildkitePlugin, Some("src/Dockerfile"))
    );
    let prebuilt = text.replace(
        "  - label: run db",
        "  - label: build\n    plugins: [docker-compose#v5.0.0: {build: app}]\n  - label: run db",
    );
    let prebuilt = Project::new(&[(PIPELINE, prebuilt.leak()), COMPOSE]).read();
    assert_eq!(prebuilt.len(), 2, "a service that is built elsewhere is not built to run it");
}

#[test]
fn an_if_that_asks_for_more_than_branch_tag_and_pull_request_decides_whether_a_build_runs() {
    let text = "steps:
  - command: docker build -t a .
    if: build.branch == 'main'
  - command: docker build -t b .
    if: build.env('IMAGES') == 'yes'
";
    let builds = Project::new(&[(".buildkite/pipeline.yml", text)]).read();
    let told: Vec<Option<&str>> =
        builds.iter().map(|found| found.build.condition.as_ref().map(|setting| found.of(setting))).collect();
    assert_eq!(told, [None, Some("build.env('IMAGES') == 'yes'")]);
}
