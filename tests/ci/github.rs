use crate::{Project, one, value};
use hitrate::builds::{Condition, Driver, Front, System, Volatility};

const WORKFLOW: &str = ".github/workflows/images.yml";

#[test]
fn a_matrix_of_targets_gives_a_build_each_with_every_setting_at_its_line() {
    let text = r#"name: images
on: {push: {branches: [main]}, pull_request: {}}
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix: {target: [api, worker]}
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          context: .
          target: ${{ matrix.target }}
          push: ${{ github.event_name != 'pull_request' }}
          tags: ghcr.io/acme/${{ matrix.target }}:${{ github.sha }}
          build-args: |
            VERSION=${{ github.sha }}
          cache-from: type=gha
          cache-to: type=gha
"#;
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    assert_eq!(builds.len(), 2);
    for (found, target) in builds.iter().zip(["api", "worker"]) {
        let build = &found.build;
        assert_eq!((build.system, build.front), (System::GithubActions, Front::BuildPushAction));
        assert_eq!(build.matrix, [("target".to_owned(), target.to_owned())]);
        assert_eq!(build.job, format!("{WORKFLOW}#build({target})"));
        assert_eq!(value(&build.target), Some(target));
        assert_eq!(found.of(build.target.as_ref().unwrap()), "${{ matrix.target }}");
        assert_eq!((found.dockerfile(), found.context().as_str()), (Some("Dockerfile"), "./"));
        assert_eq!(found.tags(), [format!("ghcr.io/acme/{target}:${{{{ github.sha }}}}")]);
        let (name, arg) = &build.args[0];
        assert_eq!((name.as_str(), arg.value.volatility()), ("VERSION", Volatility::PerCommit));
        assert_eq!((found.line(arg), found.of(arg)), (18, "VERSION=${{ github.sha }}"));
        assert_eq!((found.line(&build.cache_from[0]), found.of(&build.cache_from[0])), (19, "type=gha"));
        assert_eq!((found.line(&build.cache_to[0]), found.of(&build.cache_to[0])), (20, "type=gha"));
        assert_eq!(value(&build.push), Some("${{ github.event_name != 'pull_request' }}"));
        assert!(!build.conditional_export && !build.template);
        assert_eq!((build.builder.driver, build.builder.persistent), (Driver::DockerContainer, Some(false)));
        assert_eq!(build.builder.set_by.unwrap().of(text), "docker/setup-buildx-action@v3");
        assert!(build.trigger.pull_request && build.trigger.default_branch && !build.trigger.any_branch);
        let versions: Vec<_> =
            build.builder.versions.iter().map(|(n, v)| (n.as_str(), v.value.as_str())).collect();
        assert_eq!(versions, [("setup-buildx-action", "3"), ("build-push-action", "6")]);
    }
}

#[test]
fn the_default_context_is_git_and_the_driver_the_engines_without_setup() {
    let found = one(
        WORKFLOW,
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@0123456789012345678901234567890123456789 # v5.1.0\n        with:\n          file: docker/Dockerfile.prod\n",
    );
    assert_eq!((found.context().as_str(), found.dockerfile()), ("git:", Some("docker/Dockerfile.prod")));
    assert_eq!((found.build.builder.driver, found.build.builder.set_by), (Driver::Docker, None));
    assert_eq!(found.build.builder.versions[0].1.value, "5.1.0");
    let found = one(
        WORKFLOW,
        "on: push\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: \"{{defaultContext}}:services/api\"\n",
    );
    assert_eq!(
        (found.context().as_str(), found.dockerfile()),
        ("git:services/api", Some("services/api/Dockerfile"))
    );
    assert_eq!(found.build.builder.persistent, None);
}

#[test]
fn an_export_that_a_condition_empties_is_conditional_and_an_import_list_keeps_its_lines() {
    let text = r#"on: [push, pull_request]
env:
  IMAGE: ghcr.io/acme/app
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: ./app
          file: ./app/Dockerfile
          cache-from: |
            type=registry,ref=${{ env.IMAGE }}:cache-${{ github.ref_name }}
            type=registry,ref=${{ env.IMAGE }}:cache-main
          cache-to: ${{ github.event_name == 'push' && format('type=registry,ref={0}:cache-{1},mode=max', env.IMAGE, github.ref_name) || '' }}
          no-cache-filters: deps,build
          platforms: linux/amd64, linux/arm64
"#;
    let found = one(WORKFLOW, text);
    assert_eq!(
        found.from(),
        [
            "registry ref=ghcr.io/acme/app:cache-${{ github.ref_name }}",
            "registry ref=ghcr.io/acme/app:cache-main"
        ]
    );
    let lines: Vec<u32> = found.build.cache_from.iter().map(|spec| found.line(spec)).collect();
    assert_eq!(lines, [13, 14]);
    assert_eq!(found.to(), ["registry ref=ghcr.io/acme/app:cache-${{ github.ref_name }} mode=max"]);
    assert!(found.build.conditional_export);
    assert_eq!(found.line(&found.build.cache_to[0]), 15);
    let reference = found.build.cache_to[0].value.attr("ref").unwrap();
    assert_eq!(reference.value.volatility(), Volatility::PerRelease);
    assert_eq!((found.context().as_str(), found.dockerfile()), ("./app", Some("app/Dockerfile")));
    assert_eq!(found.build.platforms.len(), 2);
    assert_eq!(found.build.no_cache_filter[1].value.text(), "build");
}

#[test]
fn steps_that_no_event_reaches_are_no_builds_and_others_have_the_events_that_do() {
    let text = r#"on: {push: {branches: [main], tags: ['v*']}, pull_request: {}}
jobs:
  a:
    runs-on: ubuntu-latest
    if: github.event_name != 'pull_request'
    steps:
      - uses: docker/build-push-action@v6
        if: github.ref == 'refs/heads/main'
        with: {context: a}
      - uses: docker/build-push-action@v6
        if: ${{ startsWith(github.ref, 'refs/tags/') }}
        with: {context: b}
      - uses: docker/build-push-action@v6
        if: false
        with: {context: c}
"#;
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    let shown: Vec<_> = builds
        .iter()
        .map(|found| {
            let trigger = &found.build.trigger;
            (found.context(), trigger.default_branch, trigger.release, trigger.pull_request)
        })
        .collect();
    assert_eq!(shown, [("./a".to_owned(), true, false, false), ("./b".to_owned(), false, true, false)]);
}

#[test]
fn a_called_workflow_gets_the_callers_inputs_and_is_a_template_by_itself() {
    let caller = r#"on: {push: {branches: [main]}}
jobs:
  images:
    strategy:
      matrix: {name: [api, web]}
    uses: ./.github/workflows/build.yml
    with:
      name: ${{ matrix.name }}
      push: true
"#;
    let called = r#"on:
  workflow_call:
    inputs:
      name: {type: string, required: true}
      push: {type: boolean}
      file: {type: string, default: Dockerfile.prod}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: services/${{ inputs.name }}
          file: services/${{ inputs.name }}/${{ inputs.file }}
          push: ${{ inputs.push }}
          cache-to: type=gha,scope=${{ inputs.name }}
"#;
    let path = ".github/workflows/build.yml";
    let builds = Project::new(&[(WORKFLOW, caller), (path, called)]).read();
    assert_eq!(builds.len(), 2);
    assert_eq!(&*builds[1].build.path, path);
    assert_eq!(builds[1].dockerfile(), Some("services/web/Dockerfile.prod"));
    assert_eq!(builds[1].to(), ["gha scope=web"]);
    assert_eq!(builds[1].line(&builds[1].build.cache_to[0]), 16);
    assert_eq!(value(&builds[1].build.push), Some("true"));
    assert_eq!(builds[1].build.name, ["images", "build"]);
    assert_eq!(builds[1].build.job, format!("{WORKFLOW}#images(web) > {path}#build"));
    assert!(builds.iter().all(|found| !found.build.template));
    let alone = one(path, called);
    assert!(alone.build.template && alone.build.trigger.unknown);
    assert_eq!(alone.dockerfile(), None);
    assert_eq!(alone.build.cache_to[0].value.attr("scope").unwrap().value.volatility(), Volatility::Unknown);
}

#[test]
fn a_composite_action_runs_in_the_job_that_uses_it() {
    let workflow = r#"on: {push: {branches: [main]}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
        with: {driver: docker}
      - uses: ./.github/actions/image
        with: {target: final}
"#;
    let action = r#"name: image
inputs:
  target: {default: dev}
  scope: {default: app}
runs:
  using: composite
  steps:
    - uses: docker/build-push-action@v6
      with:
        context: .
        target: ${{ inputs.target }}
        cache-from: type=gha,scope=${{ inputs.scope }}
"#;
    let path = ".github/actions/image/action.yml";
    let builds = Project::new(&[(WORKFLOW, workflow), (path, action)]).read();
    assert_eq!(builds.len(), 1);
    assert_eq!((&*builds[0].build.path, value(&builds[0].build.target)), (path, Some("final")));
    assert_eq!(builds[0].from(), ["gha scope=app"]);
    assert_eq!(builds[0].build.builder.driver, Driver::Docker);
    assert!(!builds[0].build.template && one(path, action).build.template);
}

#[test]
fn outputs_of_metadata_and_of_scripts_say_how_often_they_change() {
    let text = r#"on: {push: {branches: [main]}}
jobs:
  version:
    runs-on: ubuntu-latest
    outputs:
      version: ${{ steps.v.outputs.version }}
    steps:
      - id: v
        run: |
          sha=$(git rev-parse --short HEAD)
          echo "version=1.0-$sha" >> "$GITHUB_OUTPUT"
  a:
    needs: version
    runs-on: ubuntu-latest
    steps:
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: |
            acme/app
            ghcr.io/acme/app
          tags: |
            type=raw,value=latest
            type=sha
      - run: echo "BUILT=$(date +%s)" >> $GITHUB_ENV
      - uses: docker/build-push-action@v6
        with:
          tags: ${{ steps.meta.outputs.tags }}
          build-args: |
            VERSION=${{ needs.version.outputs.version }}
            BUILT=${{ env.BUILT }}
            PLAIN=1
"#;
    let found = one(WORKFLOW, text);
    assert_eq!(
        found.tags(),
        [
            "acme/app:latest",
            "acme/app:${{ steps.meta.outputs.version }}",
            "ghcr.io/acme/app:latest",
            "ghcr.io/acme/app:${{ steps.meta.outputs.version }}"
        ]
    );
    assert_eq!(found.build.tags[1].value.volatility(), Volatility::PerCommit);
    assert_eq!(found.of(&found.build.tags[3]), "${{ steps.meta.outputs.tags }}");
    let paces: Vec<_> = found.build.args.iter().map(|(_, value)| value.value.volatility()).collect();
    assert_eq!(paces, [Volatility::PerCommit, Volatility::PerRun, Volatility::Fixed]);
    assert_eq!(found.args()[0], "VERSION=${{ needs.version.outputs.version }}");
}

#[test]
fn what_setup_buildx_and_the_caches_say_goes_with_the_build() {
    let text = r#"on: {push: {branches: [main]}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-docker-action@v4
        with:
          daemon-config: |
            {"features": {"containerd-snapshotter": true}}
      - id: one
        uses: docker/setup-buildx-action@v3
        with:
          version: v0.12.1
          driver-opts: |
            image=moby/buildkit:v0.19.0
            network=host
      - id: two
        uses: docker/setup-buildx-action@v3
        with: {driver: remote, endpoint: "tcp://x:1234"}
      - uses: actions/cache@v4
        with:
          path: /tmp/.buildx-cache
          key: x
      - uses: docker/build-push-action@v6
        with:
          builder: ${{ steps.one.outputs.name }}
          cache-to: type=local,dest=/tmp/.buildx-cache,mode=max
      - uses: docker/build-push-action@v6
"#;
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    let builder = &builds[0].build.builder;
    let versions: Vec<_> = builder.versions.iter().map(|(n, v)| (n.as_str(), v.value.as_str())).collect();
    assert_eq!(
        versions,
        [
            ("setup-buildx-action", "3"),
            ("buildx", "0.12.1"),
            ("buildkit", "0.19.0"),
            ("build-push-action", "6")
        ]
    );
    assert_eq!((builder.driver, builder.containerd_store), (Driver::DockerContainer, Some(true)));
    assert_eq!(builds[0].build.kept[0].value.text(), "/tmp/.buildx-cache");
    assert_eq!(builds[1].build.builder.driver, Driver::Remote);
    assert_eq!(builds[1].build.builder.persistent, None);
}

#[test]
fn vendors_builders_outlive_the_job() {
    let text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: depot/build-push-action@v1\n        with: {context: ., tags: 'a:1'}\n";
    let found = one(WORKFLOW, text);
    assert_eq!(found.build.front, Front::Other);
    assert_eq!((found.build.builder.driver, found.build.builder.persistent), (Driver::Remote, Some(true)));
}

#[test]
fn warpbuilds_action_builds_on_its_machines() {
    let text = "on: push\njobs:\n  a:\n    runs-on: warp-ubuntu-latest-x64-8x\n    steps:\n      - uses: WarpBuilds/build-push-action@v6\n        with: {context: ., file: images/Dockerfile}\n";
    let found = one(WORKFLOW, text);
    assert_eq!((found.dockerfile(), found.build.builder.driver), (Some("images/Dockerfile"), Driver::Remote));
}

#[test]
fn an_action_and_a_workflow_of_the_commit_that_runs_need_no_checkout() {
    let text = "on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {path: src}
      - uses: $/.github/actions/image
  b:
    uses: $/.github/workflows/called.yml
";
    let files = [
        (WORKFLOW, text),
        (
            ".github/actions/image/action.yml",
            "runs:\n  using: composite\n  steps:\n    - run: docker build -t a .\n",
        ),
        (
            ".github/workflows/called.yml",
            "on: workflow_call\njobs:\n  c:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build -t b .\n",
        ),
    ];
    let builds = Project::new(&files).read();
    assert_eq!(builds.iter().map(|found| found.tags()[0]).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn another_repositorys_checkout_is_not_this_project() {
    let text = r#"on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {path: src}
      - uses: actions/checkout@v4
        with: {repository: acme/other, path: other}
      - uses: docker/build-push-action@v6
        with: {context: src/app}
      - uses: docker/build-push-action@v6
        with: {context: other/app}
"#;
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    assert_eq!((builds[0].context().as_str(), builds[0].dockerfile()), ("./app", Some("app/Dockerfile")));
    assert_eq!(builds[1].dockerfile(), None);
}

#[test]
fn what_is_not_yaml_is_one_error() {
    let lookup = |_: &str| None;
    let error = hitrate::builds::read(System::GithubActions, WORKFLOW, "on: push\njobs: [docker\n", &lookup)
        .unwrap_err();
    assert!(error.line.is_some());
}

#[test]
fn buildctl_inside_docker_run_in_a_step() {
    let text = r#"name: image
on: {push: {branches: [main]}}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: build
        run: |
          docker run --rm --privileged \
            -v `pwd`/oci:/tmp/work -v $HOME/.docker:/root/.docker \
            --entrypoint buildctl-daemonless.sh moby/buildkit:master \
            build --frontend dockerfile.v0 \
            --local context=/tmp/work --local dockerfile=/tmp/work \
            --output type=image,name=acme/framework-dev:test-${{ github.sha }},push=true \
            --export-cache type=registry,ref=acme/framework-dev:buildcache,push=true \
            --import-cache type=registry,ref=acme/framework-dev:buildcache
"#;
    let found = one(WORKFLOW, text);
    assert_eq!(found.build.front, Front::Buildctl);
    assert_eq!((found.dockerfile(), found.context().as_str()), (Some("oci/Dockerfile"), "./oci"));
    let to = &found.build.cache_to[0];
    assert_eq!(
        (found.line(to), found.of(to)),
        (16, "type=registry,ref=acme/framework-dev:buildcache,push=true")
    );
    assert_eq!(found.of(to.value.attr("push").unwrap()), "push=true");
    assert_eq!((found.line(&found.build.cache_from[0]), found.build.builder.persistent), (17, Some(false)));
    assert_eq!(found.tags(), ["acme/framework-dev:test-${{ github.sha }}"]);
    assert_eq!(found.of(&found.build.tags[0]), "name=acme/framework-dev:test-${{ github.sha }}");
}

#[test]
fn run_steps_have_the_environment_the_directory_and_the_builder_of_the_job() {
    let text = r#"on: {push: {branches: [main]}}
env: {IMAGE: ghcr.io/acme/app}
defaults: {run: {working-directory: svc}}
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: {matrix: {target: [api]}}
    steps:
      - uses: docker/setup-buildx-action@v3
      - run: docker build -t "$IMAGE:${{ matrix.target }}-${{ github.sha }}" --target ${{ matrix.target }} .
      - run: docker buildx build --cache-to "$CACHE" --push -t '${{ env.IMAGE }}:x' ..
        working-directory: svc/sub
        env:
          CACHE: type=gha,mode=max
      - uses: crazy-max/ghaction-github-runtime@v3
      - run: docker buildx build .
        shell: bash
      - uses: nick-fields/retry@v3
        with:
          command: docker build -t retried .
      - run: docker build .
        shell: python
"#;
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    assert_eq!(builds.len(), 4);
    let engine = &builds[0];
    // `docker build` keeps to the engine's builder whatever buildx uses.
    assert_eq!((engine.build.front, engine.build.builder.driver), (Front::DockerBuild, Driver::Docker));
    assert_eq!(engine.dockerfile(), Some("svc/Dockerfile"));
    assert_eq!(engine.tags(), ["ghcr.io/acme/app:api-${{ github.sha }}"]);
    assert_eq!(engine.build.tags[0].value.volatility(), Volatility::PerCommit);
    assert_eq!(
        (value(&engine.build.target), engine.of(engine.build.target.as_ref().unwrap())),
        (Some("api"), "${{ matrix.target }}")
    );
    let buildx = &builds[1];
    assert_eq!((buildx.build.builder.driver, buildx.build.gha_token), (Driver::DockerContainer, Some(false)));
    assert_eq!((buildx.dockerfile(), buildx.to()), (Some("svc/Dockerfile"), vec!["gha mode=max".to_owned()]));
    assert_eq!((buildx.line(&buildx.build.cache_to[0]), buildx.tags()), (14, vec!["ghcr.io/acme/app:x"]));
    assert_eq!(builds[2].build.gha_token, Some(true));
    assert_eq!(builds[3].tags(), ["retried"]);
}

#[test]
fn bake_targets_keep_their_places_and_take_the_steps_overrides() {
    let workflow = r#"on: {push: {branches: [main]}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/bake-action@VERSION
        with:
          targets: all
          push: true
          set: |
            *.cache-to=type=gha,scope=${{ github.ref_name }},mode=max
"#;
    let bake = "group \"all\" { targets = [\"api\", \"web\"] }\ntarget \"api\" {\n  context = \"api\"\n  cache-from = [\"type=gha\"]\n}\ntarget \"web\" {\n  dockerfile = \"web.Dockerfile\"\n  target = \"final\"\n}\n";
    let read = |version: &str| {
        let workflow = workflow.replace("VERSION", version).leak();
        Project::new(&[(WORKFLOW, workflow), ("docker-bake.hcl", bake)]).read()
    };
    let builds = read("v5");
    assert_eq!(builds.len(), 2);
    assert_eq!((builds[0].build.front, builds[0].build.path.to_string()), (Front::Bake, WORKFLOW.to_owned()));
    assert_eq!((builds[0].context().as_str(), builds[0].dockerfile()), ("./api", Some("api/Dockerfile")));
    assert_eq!(builds[0].build.cache_from[0].path.as_deref(), Some("docker-bake.hcl"));
    assert_eq!(builds[0].build.cache_from[0].span.of(bake), "type=gha");
    for found in &builds {
        assert_eq!(found.to(), ["gha scope=${{ github.ref_name }} mode=max"]);
        assert_eq!((found.build.cache_to[0].path.clone(), found.line(&found.build.cache_to[0])), (None, 12));
        assert_eq!((value(&found.build.push), found.build.gha_token), (Some("true"), Some(true)));
    }
    assert_eq!(
        (value(&builds[1].build.target), builds[1].dockerfile()),
        (Some("final"), Some("web.Dockerfile"))
    );
    // From version 6 the definition is read from git.
    assert_eq!(read("v6")[0].context(), "git:api");
}

#[test]
fn bake_overrides_that_are_not_known_may_set_any_cache() {
    let workflow = "on: {push: {branches: [main]}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/bake-action@v5
        with:
          set: |
            *.platform=linux/amd64
            ${{ steps.other.outputs.cache }}
";
    let bake = "target \"default\" { dockerfile = \"D\" }\n";
    let builds = Project::new(&[(WORKFLOW, workflow), ("docker-bake.hcl", bake)]).read();
    let found = &builds[0];
    assert_eq!(builds.len(), 1);
    assert_eq!(found.to(), ["${{ steps.other.outputs.cache }}"]);
    assert_eq!((found.build.cache_to[0].value.kind(), found.line(&found.build.cache_from[0])), (None, 10));
    assert!(found.build.conditional_export);
    let script = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker buildx bake --set \"$CACHE\" --set nothing\n";
    let found = Project::new(&[(WORKFLOW, script), ("docker-bake.hcl", bake)]).read().remove(0);
    assert_eq!((found.build.cache_from.len(), found.build.cache_to.len()), (1, 1));
}

#[test]
fn skaffold_builds_its_artifacts() {
    let workflow = "on: {push: {branches: [main]}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: skaffold run --default-repo=r.example/x -p kaniko
      - run: cd deploy && skaffold build
";
    let skaffold = "kind: Config\nbuild:\n  artifacts:\n    - image: api\n      context: src/api\n      docker: {target: run}\nprofiles:\n  - name: kaniko\n    build:\n      artifacts: [{image: web, kaniko: {cache: {}}}]\n";
    let found = Project::new(&[
        (WORKFLOW, workflow),
        ("skaffold.yaml", skaffold),
        ("deploy/skaffold.yaml", skaffold),
    ])
    .read();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].build.front, found[0].build.builder.driver), (Front::Kaniko, Driver::None));
    assert_eq!((found[0].build.system, found[0].dockerfile()), (System::GithubActions, Some("Dockerfile")));
    let api = &found[1];
    assert_eq!((api.build.front, api.dockerfile()), (Front::Skaffold, Some("deploy/src/api/Dockerfile")));
    let target = api.build.target.as_ref().unwrap();
    assert_eq!((target.path.as_deref(), target.span.of(skaffold)), (Some("deploy/skaffold.yaml"), "run"));
}

#[test]
fn what_an_action_of_the_repository_says_stands_in_its_file() {
    let workflow = "on: {push: {branches: [main]}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: actions/cache@v4
        with: {path: /tmp/outer, key: x}
      - uses: ./.github/actions/image
      - uses: docker/build-push-action@v6
        with: {context: .}
";
    let action = "name: image
runs:
  using: composite
  steps:
    - uses: docker/build-push-action@v6
      with: {context: ., tags: inner}
    - uses: actions/cache@v4
      with: {path: /tmp/inner, key: y}
    - uses: docker/setup-buildx-action@v3
      with: {driver: docker, version: v0.20.0}
    - uses: reproducible-containers/buildkit-cache-dance@v3
";
    const ACTION: &str = ".github/actions/image/action.yml";
    let builds = Project::new(&[(WORKFLOW, workflow), (ACTION, action)]).read();
    assert_eq!(builds.len(), 2);
    let (inner, outer) = (&builds[0].build, &builds[1].build);
    assert_eq!((&*inner.path, &*outer.path), (ACTION, WORKFLOW));
    assert_eq!(
        (inner.kept[0].path.as_deref(), inner.kept[0].span.of(workflow)),
        (Some(WORKFLOW), "/tmp/outer")
    );
    assert_eq!((inner.builder.driver, inner.builder.set_by), (Driver::DockerContainer, None));
    assert_eq!((outer.kept[0].path.as_deref(), outer.kept[1].path.as_deref()), (None, Some(ACTION)));
    assert_eq!(outer.kept[1].span.of(action), "/tmp/inner");
    assert_eq!(outer.builder.driver, Driver::Docker);
    let step = "uses: ./.github/actions/image";
    assert!(outer.builder.set_by.unwrap().of(workflow).starts_with(step));
    assert!(outer.mounts_kept.unwrap().of(workflow).starts_with(step));
    let version = outer.builder.versions.iter().find(|(name, _)| name == "buildx").unwrap();
    assert_eq!((version.1.path.as_deref(), version.1.span.of(action)), (Some(ACTION), "v0.20.0"));
}

#[test]
fn what_a_shell_makes_of_a_matrix_value_is_known() {
    let text = r#"on: {push: {branches: [main]}, workflow_dispatch: {}}
jobs:
  image:
    runs-on: ubuntu-latest
    strategy:
      matrix: {platform: [linux/amd64, linux/arm64]}
    steps:
      - id: names
        run: |
          platform=${{ matrix.platform }}
          if [ "$GITHUB_REF" = refs/heads/main ]; then
            suffix=-main
          fi
          echo "PAIR=${platform//\//-}" >> $GITHUB_ENV
          echo arch="${platform##*/}" >> "$GITHUB_OUTPUT"
          echo "place=cache$suffix" >> "$GITHUB_OUTPUT"
      - uses: docker/build-push-action@v6
        with:
          context: .
          cache-to: type=registry,ref=acme/app:${{ env.PAIR }}-${{ steps.names.outputs.arch }}
          cache-from: type=registry,ref=acme/app:${{ steps.names.outputs.place }}
"#;
    let builds = Project::new(&[(".github/workflows/image.yml", text)]).read();
    let reference = |spec: &hitrate::builds::Setting<hitrate::builds::CacheSpec>| {
        spec.value.attr("ref").unwrap().value.text().to_owned()
    };
    let places: Vec<String> = builds.iter().map(|found| reference(&found.build.cache_to[0])).collect();
    assert_eq!(places, ["acme/app:linux-amd64-amd64", "acme/app:linux-arm64-arm64"]);
    assert_eq!(reference(&builds[0].build.cache_from[0]), "acme/app:${{ steps.names.outputs.place }}");
    let trigger = &builds[0].build.trigger;
    assert!(trigger.default_branch && trigger.manual && !trigger.unknown);
}

#[test]
fn what_decides_whether_a_build_runs_is_said_where_no_file_tells() {
    let text = "on: {push: {branches: [main]}, pull_request: {}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: docker build -t a .
      - if: github.event_name == 'push'
        run: docker build -t pushed .
      - if: steps.changed.outputs.images == 'true'
        run: docker build -t changed .
      - run: |
          for name in x y; do docker build -t $name .; done
          cd images && docker build -t images .
          if [ -n \"$NIGHTLY\" ]; then
            docker build -t nightly .
          fi
      - if: github.repository == 'acme/app' && !cancelled()
        run: docker build -t home .
  b:
    if: vars.IMAGES
    runs-on: ubuntu-latest
    steps:
      - run: docker build -t b .
";
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    let told: Vec<(&str, Option<(Condition, &str)>)> = builds
        .iter()
        .map(|found| {
            let condition = found.build.condition.as_ref();
            (found.tags()[0], condition.map(|setting| (setting.value, found.of(setting))))
        })
        .collect();
    let changed = "steps.changed.outputs.images == 'true'";
    assert_eq!(
        told,
        [
            ("a", None),
            ("pushed", None),
            ("changed", Some((Condition::Pipeline, changed))),
            ("$name", None),
            ("images", None),
            ("nightly", Some((Condition::Script, "[ -n \"$NIGHTLY\" ]"))),
            ("home", None),
            ("b", Some((Condition::Pipeline, "vars.IMAGES"))),
        ]
    );
}

#[test]
fn an_export_that_is_written_to_be_empty_is_a_decision() {
    let build = |written: &str| {
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          cache-to: {written}\n"
        );
        one(WORKFLOW, text.leak())
    };
    let found = build("''");
    assert_eq!(found.of(found.build.declined.as_ref().unwrap()), "''");
    assert!(found.build.cache_to.is_empty());
    for other in ["", "type=gha", "${{ inputs.cache-to }}"] {
        assert_eq!(build(other).build.declined, None, "{other}");
    }
}

#[test]
fn dockers_reusable_workflow_builds_each_platform_on_a_machine_of_its_own() {
    let text = "on: {push: {branches: [main]}, pull_request: {}}
jobs:
  image:
    uses: docker/github-builder/.github/workflows/build.yml@a492c6d04fd3315f67230809b44d60cc0acd50b3 # v1.16.0
    with:
      output: image
      push: ${{ github.event_name != 'pull_request' }}
      context: services/api
      target: app
      platforms: linux/amd64,linux/arm64
      build-args: |
        VERSION={{meta.version}}
      cache: true
      cache-scope: api
      cache-mode: max
      meta-images: acme/api
  plain:
    uses: docker/github-builder/.github/workflows/build.yml@v1
    with: {output: image, file: images/Dockerfile, meta-images: acme/plain, runner: my-machine}
  off:
    uses: docker/github-builder/.github/workflows/build.yml@v1
    with: {output: local, cache: false, runner: amd64}
  other:
    uses: docker/github-builder/.github/workflows/verify.yml@v1
";
    let builds = Project::new(&[(WORKFLOW, text)]).read();
    assert_eq!(builds.len(), 4);
    for (found, platform) in builds.iter().zip(["amd64", "arm64"]) {
        let build = &found.build;
        assert_eq!((build.front, build.name.as_slice()), (Front::GithubBuilder, &["image".to_owned()][..]));
        assert_eq!(build.matrix, [("platform".to_owned(), format!("linux/{platform}"))]);
        assert_eq!(
            (found.dockerfile(), value(&build.target)),
            (Some("services/api/Dockerfile"), Some("app"))
        );
        assert_eq!(found.context(), "git:services/api");
        assert_eq!(found.to(), [format!("gha scope=api-linux-{platform} mode=max ignore-error=true")]);
        assert_eq!(found.from(), [format!("gha scope=api-linux-{platform}")]);
        assert_eq!((found.line(&build.cache_to[0]), found.of(&build.cache_to[0])), (13, "true"));
        let mode = build.cache_to[0].value.attr("mode").unwrap();
        assert_eq!((found.line(mode), found.of(mode)), (15, "max"));
        assert_eq!((build.builder.driver, build.builder.persistent), (Driver::DockerContainer, Some(false)));
        assert_eq!(build.args[0].1.value.volatility(), Volatility::PerBranch);
        assert_eq!((build.gha_token, build.trigger.pull_request), (Some(true), true));
        assert!(found.tags()[0].starts_with("acme/api:"));
    }
    assert_ne!(builds[0].build.job, builds[1].build.job);
    let (plain, off) = (&builds[2], &builds[3]);
    assert_eq!((plain.dockerfile(), plain.build.builder.persistent), (Some("images/Dockerfile"), None));
    assert!(
        plain.build.cache_to.is_empty()
            && plain.build.cache_from.is_empty()
            && plain.build.declined.is_none()
    );
    assert_eq!(off.of(off.build.declined.as_ref().unwrap()), "false");
    assert_eq!(off.build.builder.persistent, Some(false));
}

#[test]
fn dockers_reusable_workflow_for_bake_builds_one_target() {
    let text = "on: push
jobs:
  image:
    uses: docker/github-builder/.github/workflows/bake.yml@v1
    with:
      output: image
      target: app
      cache: true
      set: |
        *.args.VERSION=1
      meta-images: acme/app
";
    let bake = "target \"app\" {\n  dockerfile = \"docker/Dockerfile\"\n  platforms = [\"linux/amd64\", \"linux/arm64\"]\n  cache-to = [\"type=inline\"]\n  tags = [\"x\"]\n}\ntarget \"other\" {}\n";
    let builds = Project::new(&[(WORKFLOW, text), ("docker-bake.hcl", bake)]).read();
    let scopes: Vec<Vec<String>> = builds.iter().map(|found| found.to()).collect();
    let scope = |platform: &str| vec![format!("gha scope=app-linux-{platform} ignore-error=true")];
    assert_eq!(scopes, [scope("amd64"), scope("arm64")]);
    let found = &builds[0];
    assert_eq!((found.dockerfile(), found.context().as_str()), (Some("docker/Dockerfile"), "git:"));
    assert_eq!(
        (found.build.front, found.build.name.as_slice()),
        (Front::GithubBuilder, &["image".to_owned(), "app".to_owned()][..])
    );
    assert_eq!(found.build.args[0].1.value.text(), "1");
    assert!(found.tags()[0].starts_with("acme/app:"));
}

#[test]
fn recipes_and_scripts_by_name_have_the_builder_of_the_job_that_runs_them() {
    let text = "on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - run: npm run image
      - run: just image prod
      - run: task image
      - run: ${{ github.workspace }}/ci/build.sh
      - run: yarn image
        working-directory: web
";
    let script = "#!/bin/sh\ndocker buildx build -t script .\n";
    let files = [
        (WORKFLOW, text),
        ("package.json", "{\"scripts\": {\"image\": \"docker buildx build -t npm .\"}}"),
        ("web/package.json", "{\"scripts\": {\"image\": \"docker buildx build -t yarn .\"}}"),
        (
            "justfile",
            "image stage: prepare\n    docker buildx build --target {{stage}} -t just .\nprepare:\n    docker buildx build -t prepare .\n",
        ),
        (
            "Taskfile.yml",
            "tasks:\n  image:\n    deps: [base]\n    cmds: [ci/build.sh]\n  base: docker buildx build -t base .\n",
        ),
        ("ci/build.sh", script),
    ];
    let builds = Project::new(&files).read();
    let tags: Vec<&str> = builds.iter().map(|found| found.tags()[0]).collect();
    assert_eq!(tags, ["npm", "prepare", "just", "base", "script", "script", "yarn"]);
    assert!(builds.iter().all(|found| found.build.builder.driver == Driver::DockerContainer));
    assert!(builds.iter().all(|found| &*found.build.path == WORKFLOW && found.build.defined.is_some()));
    assert_eq!(value(&builds[2].build.target), Some("prod"));
    assert_eq!(
        (builds[6].context().as_str(), builds[6].build.name.as_slice()),
        ("./web", &["a".to_owned(), "image".to_owned()][..])
    );
}
