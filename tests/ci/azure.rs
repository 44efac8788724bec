use crate::{Project, one, value};
use hitrate::builds::{Driver, System, Volatility};

const PIPELINE: &str = "azure-pipelines.yml";

#[test]
fn docker_tasks_scripts_and_templates_with_parameters() {
    let main = r#"trigger: [main]
pr: none
variables:
  - name: repo
    value: acme/app
  - template: ci/vars.yml
pool: {vmImage: ubuntu-latest}
stages:
  - stage: build
    jobs:
      - template: ci/job.yml
        parameters:
          name: api
          push: true
          platforms: [amd64, arm64]
"#;
    let job = r#"parameters:
  - name: name
  - name: push
    default: false
  - name: platforms
    default: []
  - name: file
    default: Dockerfile
jobs:
  - job: ${{ parameters.name }}
    steps:
      - task: Docker@2
        displayName: Build ${{ parameters.name }}
        inputs:
          command: build
          repository: $(repo)
          Dockerfile: services/${{ parameters.name }}/${{ parameters.file }}
          buildContext: .
          tags: |
            $(Build.BuildId)
            latest
          arguments: --cache-from $(repo):latest --build-arg REV=$(Build.SourceVersion) --target final
      - ${{ if eq(parameters.push, true) }}:
          - script: docker push $(repo):latest
      - ${{ else }}:
          - script: docker build -t never .
      - ${{ each p in parameters.platforms }}:
          - bash: |
              docker buildx build --platform linux/${{ p }} -t $(repo):${{ p }}-$(suffix) .
            workingDirectory: services/${{ parameters.name }}
"#;
    let vars = "variables:\n  suffix: x\n";
    let builds = Project::new(&[(PIPELINE, main), ("ci/job.yml", job), ("ci/vars.yml", vars)]).read();
    assert_eq!(builds.len(), 3);
    let task = &builds[0];
    assert_eq!((task.build.system, &*task.build.path), (System::AzurePipelines, "ci/job.yml"));
    assert_eq!(task.build.name, ["build", "api", "Build api"]);
    assert_eq!((task.dockerfile(), task.context().as_str()), (Some("services/api/Dockerfile"), "./"));
    assert_eq!(task.tags(), ["acme/app:$(Build.BuildId)", "acme/app:latest"]);
    assert_eq!(task.build.tags[0].value.volatility(), Volatility::PerRun);
    assert_eq!(
        (task.from(), value(&task.build.target)),
        (vec!["registry ref=acme/app:latest".to_owned()], Some("final"))
    );
    assert_eq!(task.line(&task.build.cache_from[0]), 22);
    assert_eq!(task.args(), ["REV=$(Build.SourceVersion)"]);
    assert_eq!(task.build.args[0].1.value.volatility(), Volatility::PerCommit);
    assert_eq!((task.build.builder.driver, task.build.builder.persistent), (Driver::Docker, Some(false)));
    assert!(task.build.trigger.default_branch && !task.build.trigger.pull_request && !task.build.template);
    assert_eq!(builds[1].tags(), ["acme/app:amd64-x"]);
    assert_eq!(
        (builds[2].tags(), builds[2].dockerfile()),
        (vec!["acme/app:arm64-x"], Some("services/api/Dockerfile"))
    );
    let alone = Project::new(&[("ci/azure-pipelines-job.yml", job)]).read();
    assert!(alone.iter().all(|found| found.build.template));
}

#[test]
fn build_and_push_with_a_glob_and_a_matrix() {
    let text = r#"pool: mine
strategy:
  matrix:
    a: {tag: one}
    b: {tag: two}
steps:
  - task: Docker@2
    inputs:
      command: buildAndPush
      containerRegistry: connection
      repository: acme/app
      tags: $(tag)
      arguments: --no-cache
"#;
    let files = [(PIPELINE, text), ("Dockerfile", "FROM a\n")];
    let builds = Project::new(&files).read();
    assert_eq!(builds.len(), 2);
    assert_eq!((builds[1].dockerfile(), builds[1].context().as_str()), (Some("Dockerfile"), "./"));
    assert_eq!(builds[1].tags(), ["$(containerRegistry connection)/acme/app:two"]);
    assert_eq!((value(&builds[1].build.push), builds[1].build.no_cache.is_some()), (Some("true"), false));
    assert_eq!(builds[0].build.builder.persistent, None);
    let trigger = &builds[0].build.trigger;
    assert!(trigger.any_branch && trigger.default_branch && trigger.pull_request);
}

#[test]
fn compose_tasks() {
    let text = "steps:\n  - task: DockerCompose@0\n    inputs:\n      action: Build services\n      dockerComposeFile: src/docker-compose.yml\n";
    let compose = "services:\n  web:\n    build: {context: web, target: prod}\n  db: {image: x}\n";
    let builds = Project::new(&[(PIPELINE, text), ("src/docker-compose.yml", compose)]).read();
    assert_eq!(builds.len(), 1);
    assert_eq!(
        (builds[0].dockerfile(), value(&builds[0].build.target)),
        (Some("src/web/Dockerfile"), Some("prod"))
    );
}

#[test]
fn a_cache_task_keeps_its_directory() {
    let text = "variables: {CACHE: /tmp/buildx}
steps:
- task: Cache@2
  inputs: {key: buildx, path: $(CACHE)}
- script: docker buildx build --cache-from type=local,src=$(CACHE) --cache-to type=local,dest=$(CACHE),mode=max .
";
    let found = one("azure-pipelines.yml", text);
    assert_eq!(
        (found.build.kept[0].value.text(), found.of(&found.build.kept[0])),
        ("/tmp/buildx", "$(CACHE)")
    );
    assert_eq!(found.to(), ["local dest=/tmp/buildx mode=max"]);
    assert_eq!(found.line(&found.build.cache_from[0]), 5);
}

#[test]
fn a_glob_with_a_directory() {
    let text = "steps:\n  - task: Docker@2\n    inputs:\n      command: buildAndPush\n      repository: acme/api\n      Dockerfile: '**/Web.Api/Dockerfile'\n      buildContext: .\n";
    let builds =
        Project::new(&[("azure-pipelines.yml", text), ("Web.Api/Dockerfile", "FROM scratch\n")]).read();
    assert_eq!(builds[0].build.dockerfile.as_ref().unwrap().value, "Web.Api/Dockerfile");
}

#[test]
fn arguments_that_end_in_a_letter_of_two_bytes() {
    let text = "steps:\n  - task: Docker@2\n    inputs: {command: build, arguments: '--cache-from \u{e9}'}\n";
    let build = &Project::new(&[("azure-pipelines.yml", text)]).read()[0].build;
    assert!(text.get(build.context.span.range()).is_some());
}

#[test]
fn a_condition_beyond_success_decides_whether_a_build_runs() {
    let text = "steps:
- script: docker build -t a .
  condition: succeeded()
- script: docker build -t b .
  condition: eq(variables.IMAGES, 'yes')
";
    let builds = Project::new(&[("azure-pipelines.yml", text)]).read();
    let told: Vec<Option<&str>> =
        builds.iter().map(|found| found.build.condition.as_ref().map(|setting| found.of(setting))).collect();
    assert_eq!(told, [None, Some("eq(variables.IMAGES, 'yes')")]);
}
