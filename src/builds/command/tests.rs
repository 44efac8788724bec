use super::*;
use crate::builds::{ContextSource, System, Volatility};

fn none(_: &str) -> Option<&'static str> {
    None
}

fn builds(script: &str) -> Vec<Build> {
    with(script, &mut ScriptEnv::new("ci/build.sh", System::Shell), &none)
}

fn with(script: &str, env: &mut ScriptEnv, files: Files<'_>) -> Vec<Build> {
    let joined = Joined::whole(script, Span::new(0, script.len()));
    let mut out = Vec::new();
    let text = ScriptText { source: script, joined: &joined, dialect: Dialect::Posix };
    read_script(&text, env, files, &mut out);
    out
}

fn one(script: &str) -> Build {
    let mut all = builds(script);
    assert_eq!(all.len(), 1, "{script}");
    all.remove(0)
}

fn path(build: &Build) -> &str {
    match &build.context.value {
        ContextSource::Path(path) => path,
        other => panic!("{other:?}"),
    }
}

fn dockerfile(build: &Build) -> Option<&str> {
    build.dockerfile.as_ref().map(|file| file.value.as_str())
}

fn known(value: &Option<Setting<Value>>) -> Option<&str> {
    value.as_ref().and_then(|value| value.value.known())
}

#[test]
fn every_part_of_a_buildx_line_has_its_place() {
    let script = "cd app\ndocker buildx build --push -f \"docker/Dockerfile\" --target=run \\\n  --build-arg A=1 --build-arg SHA=$GITHUB_SHA \\\n  --cache-to 'type=registry,ref=r/c,mode=max' --cache-from r/c:1,r/c:2 -t r/i:1 --platform linux/amd64,linux/arm64 .\n";
    let build = one(script);
    assert_eq!(build.front, Front::Buildx);
    assert_eq!(path(&build), "app");
    assert_eq!(dockerfile(&build), Some("app/docker/Dockerfile"));
    assert_eq!(build.dockerfile.as_ref().unwrap().span.of(script), "docker/Dockerfile");
    assert_eq!(known(&build.target), Some("run"));
    assert_eq!(build.target.as_ref().unwrap().span.of(script), "run");
    assert_eq!(build.args[1].1.value.volatility(), Volatility::PerCommit);
    assert_eq!(build.args[1].1.span.of(script), "SHA=$GITHUB_SHA");
    assert_eq!(build.cache_to[0].span.of(script), "type=registry,ref=r/c,mode=max");
    assert_eq!(build.cache_to[0].value.attr("mode").unwrap().span.of(script), "mode=max");
    assert_eq!(build.cache_from.len(), 2);
    assert_eq!(build.cache_from[1].span.of(script), "r/c:2");
    assert_eq!(build.platforms[1].span.of(script), "linux/arm64");
    assert_eq!(known(&build.push), Some("true"));
    assert!(build.span.of(script).starts_with("docker buildx") && build.span.of(script).ends_with(" ."));
}

#[test]
fn flags_in_variables_and_arrays_stand_where_they_are_set() {
    let script = "IMAGE=r/app\nCACHE=\"--cache-to type=registry,ref=$IMAGE:c,mode=max --cache-from $IMAGE:c\"\nARGS=(--target \"run\")\nARGS+=(--pull)\ndocker build $CACHE \"${ARGS[@]}\" -t $IMAGE:$TAG -t \"$IMAGE\" .\n";
    let build = one(script);
    let to = &build.cache_to[0];
    assert_eq!(to.span.of(script), "type=registry,ref=$IMAGE:c,mode=max");
    assert_eq!(to.value.attr("ref").unwrap().value, Value::Known("r/app:c".into()));
    assert_eq!(build.cache_from[0].span.of(script), "$IMAGE:c");
    assert_eq!(build.target.as_ref().unwrap().span.of(script), "run");
    assert_eq!(known(&build.pull), Some("true"));
    assert_eq!(
        build.tags[0].value,
        Value::Symbolic { text: "r/app:$TAG".into(), volatility: Volatility::Unknown }
    );
    assert_eq!(build.tags[1].value, Value::Known("r/app".into()));
    assert!(!build.conditional_export);
}

#[test]
fn what_a_branch_sets_exports_only_sometimes() {
    for script in [
        "CACHE_TO=\nif [ \"$B\" = main ]; then CACHE_TO=\"--cache-to type=inline\"; fi\ndocker build $CACHE_TO .\n",
        "if x; then ARGS+=(--cache-to type=inline); fi\ndocker build \"${ARGS[@]}\" .\n",
        "docker build ${REF:+--cache-to type=inline} .\n",
        "FLAGS=--pull\nif x; then FLAGS=\"$FLAGS --cache-to type=inline\"; fi\ndocker build $FLAGS .\n",
    ] {
        let build = one(script);
        assert_eq!(build.cache_to[0].span.of(script), "type=inline", "{script}");
        assert!(build.conditional_export, "{script}");
    }
    let script = "if x; then T=a; else T=b; fi\ndocker build --cache-to type=inline --target $T .\n";
    let build = one(script);
    assert!(!build.conditional_export);
    assert_eq!(known(&build.target), None);
}

#[test]
fn inline_cache_comes_as_a_build_argument_too() {
    let script = "docker build --build-arg BUILDKIT_INLINE_CACHE=1 .\n";
    let build = one(script);
    assert_eq!(build.cache_to[0].value.kind(), Some("inline"));
    assert_eq!(build.cache_to[0].span.of(script), "BUILDKIT_INLINE_CACHE=1");
    assert!(one("docker build --build-arg BUILDKIT_INLINE_CACHE=0 .").cache_to.is_empty());
}

#[test]
fn the_builder_that_was_created_and_used() {
    let script = "docker build -t a .\ndocker buildx create --name b --driver-opt image=moby/buildkit:v0.12.5 --bootstrap\ndocker build -t b .\ndocker buildx use b\ndocker buildx build -t c .\ndocker buildx build --builder default -t d .\n";
    let all = builds(script);
    let drivers: Vec<_> = all.iter().map(|build| build.builder.driver).collect();
    assert_eq!(drivers, [Driver::Unknown, Driver::Unknown, Driver::DockerContainer, Driver::Docker]);
    assert_eq!(all[2].builder.versions[0].1.value, "0.12.5");
    assert!(all[2].builder.set_by.unwrap().of(script).starts_with("docker buildx create --name b"));
    // `docker build` keeps to the engine's own builder, unless it is an alias.
    let create = "docker context create x\ndocker buildx create --use --driver kubernetes x\n";
    let driver = |rest: &str| one(&format!("{create}{rest}")).builder.driver;
    assert_eq!(driver("docker buildx build ."), Driver::Kubernetes);
    assert_eq!(driver("docker build ."), Driver::Docker);
    assert_eq!(driver("docker buildx install\ndocker build ."), Driver::Kubernetes);
    assert_eq!(driver("BUILDX_BUILDER=x docker build ."), Driver::Kubernetes);
    let script = "docker buildx use $(docker buildx create)\ndocker buildx build .";
    assert_eq!(one(script).builder.driver, Driver::DockerContainer);
}

#[test]
fn buildkit_switched_off() {
    let script =
        "export DOCKER_BUILDKIT=0\ndocker build .\nDOCKER_BUILDKIT=1 docker build .\ndocker buildx build .\n";
    let all = builds(script);
    assert_eq!(all[0].builder.legacy.unwrap().of(script), "0");
    assert_eq!(all[0].builder.driver, Driver::None);
    assert!(all[1].builder.legacy.is_none() && all[2].builder.legacy.is_none());
}

#[test]
fn pushes_pulls_and_tags_around_a_build() {
    let script = "docker pull r/a:latest || true\ndocker build --cache-from r/a:latest -t a -t b .\ndocker tag a r/a:$CI_COMMIT_SHA\ndocker push r/a:${CI_COMMIT_SHA}\n";
    let build = one(script);
    assert_eq!(build.pulled_before[0].span.of(script), "r/a:latest");
    assert_eq!(build.push.as_ref().unwrap().span.of(script), "docker push r/a:${CI_COMMIT_SHA}");
    assert!(one("docker build -t a:1 .\ndocker push b:1\n").push.is_none());
    assert!(one("docker build -t a:1 .\ndocker push --all-tags a\n").push.is_some());
    assert!(one("docker pull node:22\ndocker build .\n").pulled_before.is_empty());
}

#[test]
fn outputs_tell_of_push_and_load() {
    let push =
        |options: &str| known(&one(&format!("docker buildx build {options} .")).push).map(str::to_owned);
    assert_eq!(push("--output type=registry").as_deref(), Some("true"));
    assert_eq!(push("-o type=image,name=r/a,push=true").as_deref(), Some("true"));
    assert_eq!(push("-o type=image,push=false").as_deref(), Some("false"));
    assert_eq!(push("-o out"), None);
    let build = one("docker buildx build -o out --output type=docker .");
    assert_eq!(build.outputs[0].value.kind(), Some("local"));
    assert_eq!(build.outputs[0].value.attr("dest").unwrap().value.known(), Some("out"));
    assert_eq!(known(&build.load), Some("true"));
}

#[test]
fn dockerfiles_from_standard_input() {
    let script = "docker build -t x - <<'EOF'\nFROM a\nEOF\ndocker build -f - . <<EOF\nFROM b\nEOF\ndocker build - < ci/Dockerfile\ncat x | docker build -\n";
    let all = builds(script);
    assert_eq!(all[0].dockerfile_inline.as_ref().unwrap().value, "FROM a\n");
    assert_eq!(all[0].context.value, ContextSource::Unknown("-".into()));
    assert_eq!(all[1].dockerfile_inline.as_ref().unwrap().span.of(script), "FROM b\n");
    assert_eq!(path(&all[1]), "");
    assert_eq!(dockerfile(&all[2]), Some("ci/Dockerfile"));
    assert!(all[3].dockerfile.is_none() && all[3].dockerfile_inline.is_none());
}

#[test]
fn directories_of_scripts() {
    for (script, context) in [
        ("cd \"$(dirname \"$0\")/..\"\ndocker build .", ""),
        ("DIR=$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\ndocker build $DIR/img", "ci/img"),
        ("ROOT=\"$(git rev-parse --show-toplevel)\"\ncd $ROOT/a\ncd b\ndocker build .", "a/b"),
        ("(cd x && docker build .)", "x"),
        ("pushd x\ndocker build y", "x/y"),
        ("docker build ${CONTEXT:-img}", "img"),
    ] {
        assert_eq!(path(&one(script)), context, "{script}");
    }
    let unknown = one("cd $SOMEWHERE\ndocker build -f x .");
    assert_eq!(unknown.context.value, ContextSource::Unknown(".".into()));
    assert_eq!(dockerfile(&unknown), None);
}

#[test]
fn git_contexts() {
    let own = one("docker build \"https://github.com/$GITHUB_REPOSITORY.git#main:sub\"");
    assert_eq!(own.context.value, ContextSource::Git { own: true, subdir: "sub".into() });
    assert_eq!(dockerfile(&own), Some("sub/Dockerfile"));
    let other = one("docker build https://github.com/a/b.git");
    assert_eq!(other.context.value, ContextSource::Git { own: false, subdir: String::new() });
    assert_eq!(dockerfile(&other), None);
}

#[test]
fn buildctl_in_a_container_sees_what_is_mounted() {
    let script = "docker run --rm --privileged \\\n  -v `pwd`/oci:/tmp/work -v $HOME/.docker:/root/.docker \\\n  --entrypoint buildctl-daemonless.sh moby/buildkit:v0.11.0 \\\n  build --frontend dockerfile.v0 \\\n  --local context=/tmp/work --local dockerfile=/tmp/work/d \\\n  --opt target=t --opt build-arg:A=1 --opt filename=My.Dockerfile \\\n  --output type=image,name=a/b:$GITHUB_SHA,push=true \\\n  --export-cache type=registry,ref=a/b:c,push=true \\\n  --import-cache type=registry,ref=a/b:c\n";
    let build = one(script);
    assert_eq!(build.front, Front::Buildctl);
    assert_eq!(path(&build), "oci");
    assert_eq!(dockerfile(&build), Some("oci/d/My.Dockerfile"));
    assert_eq!(known(&build.target), Some("t"));
    assert_eq!(build.args[0].0, "A");
    assert_eq!(build.cache_to[0].value.attr("push").unwrap().span.of(script), "push=true");
    assert_eq!(known(&build.push), Some("true"));
    assert_eq!(build.tags[0].value.volatility(), Volatility::PerCommit);
    assert_eq!(build.builder.driver, Driver::Remote);
    assert_eq!(build.builder.persistent, Some(false));
    assert_eq!(build.builder.versions[0].1.value, "0.11.0");
    let plain = one(
        "buildctl --addr tcp://b:1234 build --frontend=dockerfile.v0 --local context=. --local dockerfile=.",
    );
    assert_eq!(plain.builder.persistent, None);
    assert_eq!(dockerfile(&plain), Some("Dockerfile"));
}

#[test]
fn kaniko_and_buildah() {
    let script = "/kaniko/executor --context $CI_PROJECT_DIR/app --dockerfile docker/Dockerfile --destination r/a:1 --cache=true --cache-repo=r/c --target t";
    let files = |path: &str| (path == "app/docker/Dockerfile").then_some("FROM x");
    let build = with(script, &mut ScriptEnv::new("x", System::GitlabCi), &files).remove(0);
    assert_eq!(build.front, Front::Kaniko);
    assert_eq!(path(&build), "app");
    assert_eq!(dockerfile(&build), Some("app/docker/Dockerfile"));
    assert_eq!(build.cache_to[0].value.kind(), Some("kaniko"));
    assert_eq!(build.cache_to[0].value.attr("ref").unwrap().span.of(script), "--cache-repo=r/c");
    assert_eq!(known(&build.push), Some("true"));
    let build = one(
        "docker run -v $(pwd):/workspace gcr.io/kaniko-project/executor:v1.9 --context=/workspace/a --no-push",
    );
    assert_eq!(path(&build), "a");
    assert_eq!(known(&build.push), Some("false"));
    let build = one("buildah bud --layers -f Containerfile --cache-from r/c -t x app");
    assert_eq!(build.front, Front::Buildah);
    assert_eq!(path(&build), "app");
    assert_eq!(build.cache_from[0].value.kind(), Some("buildah"));
    assert_eq!(build.builder.driver, Driver::None);
    assert_eq!(one("podman build .").front, Front::Buildah);
}

#[test]
fn commands_in_variables_wrappers_and_functions() {
    assert_eq!(path(&one("DOCKER='sudo docker'\n$DOCKER build x")), "x");
    assert_eq!(path(&one("time sudo -E docker --context c build x")), "x");
    let build = one("build() { docker build -t \"$1\" --build-arg V=$V x; }\nV=3\nbuild a\n");
    assert_eq!(build.args[0].1.value, Value::Known("3".into()));
    assert_eq!(
        builds("docker build --help\ndocker builder prune\necho docker build .\ndocker buildx ls\n").len(),
        0
    );
}

#[test]
fn variables_of_the_job_are_known_but_stand_elsewhere() {
    let script = "docker build $CACHE -t $IMAGE:1 .";
    let mut env = ScriptEnv::new("ci.yml", System::GitlabCi);
    env.vars.set_foreign("CACHE", "--cache-to type=inline");
    env.vars.set_foreign("IMAGE", "$CI_REGISTRY/x");
    let build = with(script, &mut env, &none).remove(0);
    assert_eq!(build.cache_to[0].span.of(script), "$CACHE");
    assert_eq!(build.tags[0].value.text(), "$CI_REGISTRY/x:1");
}

#[test]
fn any_text_gives_something() {
    for script in [
        "docker build",
        "docker build -t",
        "docker buildx build --cache-to",
        "docker run",
        "$(",
        "docker build '",
        "A=(",
        "A=(docker build .",
        "buildctl build --local",
        "docker run -v a kaniko --context",
    ] {
        let _ = builds(script);
    }
}

#[test]
fn compose_commands_build_what_the_files_define() {
    let compose = "services:\n  app:\n    image: r/app:$TAG\n    build:\n      context: app\n      cache_from: [r/app:c]\n      args: {A: 1, B: 2}\n  db: {image: x}\n  tool: {build: tool, profiles: [tools]}\n";
    let files = |path: &str| (path == "docker/docker-compose.yml").then_some(compose);
    let script = "cd docker\nTAG=7 docker compose build --build-arg B=3 --no-cache\ndocker compose up -d\ndocker-compose -f docker-compose.yml up --build tool\ndocker compose push app\n";
    let mut env = ScriptEnv::new("ci.sh", System::Shell);
    let all = with(script, &mut env, &files);
    let names: Vec<_> = all.iter().map(|build| (build.front, build.name.join("/"))).collect();
    assert_eq!(names, [(Front::Compose, "app".to_owned()), (Front::ComposeClassic, "tool".to_owned())]);
    let app = &all[0];
    assert_eq!((&*app.path, app.system), ("ci.sh", System::Shell));
    assert_eq!(app.context.value, ContextSource::Path("docker/app".into()));
    assert_eq!(app.context.path.as_deref(), Some("docker/docker-compose.yml"));
    assert_eq!(app.tags[0].value, Value::Known("r/app:7".into()));
    assert_eq!(app.cache_from[0].value.kind.path.as_deref(), Some("docker/docker-compose.yml"));
    let args: Vec<_> = app.args.iter().map(|(name, value)| (name.as_str(), value.value.text())).collect();
    assert_eq!(args, [("A", "1"), ("B", "3")]);
    assert_eq!(app.args[1].1.path, None);
    assert_eq!(app.no_cache.as_ref().unwrap().span.of(script), "--no-cache");
    assert_eq!(app.push.as_ref().unwrap().span.of(script), "docker compose push app");
    let (path, span) = app.defined.as_ref().unwrap();
    assert_eq!(&**path, "docker/docker-compose.yml");
    assert!(span.of(compose).starts_with("build:\n      context: app"));
    // Without the file the build is known, and nothing else of it.
    let alone = one("docker compose build web");
    assert_eq!(alone.name, ["web"]);
    assert!(alone.dockerfile.is_none());
}

#[test]
fn bake_commands_build_targets_with_overrides() {
    let hcl = "variable \"TAG\" { default = \"1\" }\ngroup \"default\" { targets = [\"a\"] }\ntarget \"a\" {\n  tags = [\"r/a:${TAG}\"]\n  cache-from = [\"r/c\"]\n}\ntarget \"b\" { context = \"b\" }\n";
    let files = |path: &str| (path == "docker-bake.hcl").then_some(hcl);
    let script = "export TAG=$GITHUB_SHA\ndocker buildx bake --push --set *.cache-to=type=gha,mode=max\ndocker buildx bake -f docker-bake.hcl b\ndocker buildx bake --print\ndocker buildx bake https://github.com/x/y.git\n";
    let all = with(script, &mut ScriptEnv::new("ci.sh", System::Shell), &files);
    assert_eq!(all.len(), 3);
    let a = &all[0];
    assert_eq!((a.front, a.name.join("")), (Front::Bake, "a".to_owned()));
    assert_eq!(a.tags[0].value.volatility(), Volatility::PerCommit);
    assert_eq!(a.cache_to[0].span.of(script), "type=gha,mode=max");
    assert_eq!(a.cache_to[0].path, None);
    assert_eq!(a.cache_from[0].path.as_deref(), Some("docker-bake.hcl"));
    assert_eq!(a.push.as_ref().unwrap().span.of(script), "--push");
    assert_eq!(path(&all[1]), "b");
    assert!(all[2].dockerfile.is_none());
}

#[test]
fn scripts_that_a_script_calls_are_its_builds() {
    let inner = "#!/bin/bash\n. \"$(dirname \"$0\")/lib.sh\"\ndocker pull r/x || true\n$CMD build --cache-to type=inline,x=$1 -t $IMAGE -f d/Dockerfile .\n";
    let library = "CMD=\"docker buildx\"\nIMAGE=r/${NAME:-n}\n";
    let files = |path: &str| match path {
        "ci/build.sh" => Some(inner),
        "ci/lib.sh" => Some(library),
        "d/Dockerfile" => Some("FROM x"),
        _ => None,
    };
    let script = "docker buildx create --use\nexport NAME=app\n./ci/build.sh v1\nbash ci/build.sh v2 && ci/missing.sh\n";
    let mut env = ScriptEnv::new("x.yml", System::GitlabCi);
    env.name = vec!["job".into()];
    env.job = "x.yml:job".into();
    let all = with(script, &mut env, &files);
    assert_eq!(all.len(), 2);
    let build = &all[0];
    assert_eq!((&*build.path, build.span.of(script)), ("x.yml", "./ci/build.sh v1"));
    assert_eq!(
        (build.system, build.front, build.job.as_str()),
        (System::GitlabCi, Front::Buildx, "x.yml:job")
    );
    assert_eq!(build.name, ["job"]);
    assert_eq!(build.builder.driver, Driver::DockerContainer);
    let to = &build.cache_to[0];
    assert_eq!((to.path.as_deref(), to.span.of(inner)), (Some("ci/build.sh"), "type=inline,x=$1"));
    assert_eq!(to.value.attr("x").unwrap().value, Value::Known("v1".into()));
    assert_eq!(all[1].cache_to[0].value.attr("x").unwrap().value, Value::Known("v2".into()));
    assert_eq!(build.tags[0].value, Value::Known("r/app".into()));
    assert_eq!(build.dockerfile.as_ref().unwrap().path.as_deref(), Some("ci/build.sh"));
    assert_eq!(build.pulled_before[0].path.as_deref(), Some("ci/build.sh"));
    assert_eq!(&*build.defined.as_ref().unwrap().0, "ci/build.sh");
    let itself = "./x.sh\ndocker build .\n. ./x.sh\n";
    let mut env = ScriptEnv::new("x.sh", System::Shell);
    assert_eq!(with(itself, &mut env, &|path: &str| (path == "x.sh").then_some(itself)).len(), 1);
    // Two scripts that call each other end.
    let (a, b) = ("./b.sh\ndocker build .\n", "./a.sh\n# docker\n");
    let files = |path: &str| match path {
        "a.sh" => Some(a),
        "b.sh" => Some(b),
        _ => None,
    };
    assert!(with(a, &mut ScriptEnv::new("a.sh", System::Shell), &files).len() < 8);
}

#[test]
fn a_script_that_is_run_again_does_what_it_did() {
    let files = |path: &str| match path {
        "lib.sh" => Some("TAG=r/$V\n"),
        "use.sh" => Some("docker buildx use ci\n"),
        "tools.sh" => Some("docker version\nexport TARGET=$TAG\n"),
        "Makefile" => Some("IMG ?= r/app\nIMG2 = $(IMG):$(T)\nimage:\n\tdocker build -t $(IMG2) .\n"),
        _ => None,
    };
    let script = "docker buildx create --name ci --driver docker-container\nV=a; . ./lib.sh; . ./tools.sh\n. ./use.sh\n\
                  docker buildx build -t $TAG --target $TARGET .\nV=b; . ./lib.sh; . ./tools.sh\ndocker buildx use default\n\
                  docker buildx build -t $TAG --target $TARGET .\n. ./use.sh; V=a; . ./lib.sh; . ./tools.sh\n\
                  docker buildx build -t $TAG --target $TARGET .\nmake image T=1\nIMG=x make image T=1\nexport IMG=y\n\
                  make image T=1\nmake image T=2\n";
    let all = with(script, &mut ScriptEnv::new("ci.yml", System::GitlabCi), &files);
    let tags: Vec<_> = all.iter().map(|build| build.tags[0].value.text()).collect();
    assert_eq!(tags, ["r/a", "r/b", "r/a", "r/app:1", "x:1", "y:1", "y:2"]);
    let targets: Vec<_> = all.iter().filter_map(|build| known(&build.target)).collect();
    assert_eq!(targets, ["r/a", "r/b", "r/a"]);
    let drivers: Vec<_> = all.iter().take(3).map(|build| build.builder.driver).collect();
    assert_eq!(drivers, [Driver::DockerContainer, Driver::Docker, Driver::DockerContainer]);
}

#[test]
fn make_runs_the_targets_and_what_they_need() {
    let makefile = "TAG ?= dev\nIMG = r/app:$(TAG)\nall: image-api push\nbuilder:\n\tdocker buildx create --use\nimage-%: builder\n\tdocker buildx build --cache-to type=inline -t $(IMG) --target $* -f $*/Dockerfile .\npush:\n\tdocker push $(IMG)\nother:\n\tdocker build other\n";
    let files = |path: &str| (path == "src/Makefile").then_some(makefile);
    let script = "TAG=7 make -C src image-web image-db V=1\ncd src && make\n";
    let all = with(script, &mut ScriptEnv::new("ci.yml", System::GithubActions), &files);
    let names: Vec<_> = all.iter().map(|build| known(&build.target).unwrap().to_owned()).collect();
    assert_eq!(names, ["web", "db", "api"]);
    assert_eq!(dockerfile(&all[0]), Some("src/web/Dockerfile"));
    assert_eq!(all[0].tags[0].value, Value::Known("r/app:7".into()));
    assert_eq!(all[0].cache_to[0].path.as_deref(), Some("src/Makefile"));
    assert_eq!(all[0].builder.driver, Driver::DockerContainer);
    assert_eq!(all[2].tags[0].value, Value::Known("r/app:dev".into()));
    assert!(all[2].push.is_some());
    assert_eq!(all[2].span.of(script), "make");
    let script = "make -C src -o image-api all\n";
    assert!(with(script, &mut ScriptEnv::new("ci.yml", System::GithubActions), &files).is_empty());
}

#[test]
fn flags_of_a_branch_are_not_certain() {
    let script = "if x; then A=--no-cache; fi\n[ -n \"$Y\" ] && B+=(--target \"dev\" --build-arg K=1)\ndocker buildx build $A \"${B[@]}\" ${P:+--push} -f ${1:-}/Dockerfile .\n";
    let build = one(script);
    for value in [&build.no_cache, &build.target, &build.push] {
        assert_eq!(known(value), None);
        assert!(value.is_some());
    }
    assert_eq!(build.args[0].1.value.known(), None);
    assert_eq!(dockerfile(&build), None);
}

#[test]
fn builds_on_machines_of_others() {
    let script = "az acr build -r reg -t app:$BUILD_ID --build-arg A=1 --file docker/Dockerfile ./src\ngcloud builds submit --project p --tag gcr.io/p/app svc\ngcloud builds submit --config x.yaml .\ndepot build --push -t a -f D .\ngcloud docker -- build -f G .\n";
    let all = builds(script);
    assert_eq!(all.len(), 4);
    assert_eq!(all[3].dockerfile.as_ref().unwrap().value, "G");
    assert_eq!(all[0].dockerfile.as_ref().unwrap().value, "docker/Dockerfile");
    assert_eq!(all[0].context.value, ContextSource::Path("src".to_owned()));
    assert_eq!((all[0].args[0].0.as_str(), all[0].builder.persistent), ("A", Some(false)));
    assert_eq!(all[1].dockerfile.as_ref().unwrap().value, "svc/Dockerfile");
    assert_eq!(all[1].tags[0].span.of(script), "gcr.io/p/app");
    assert_eq!((all[2].builder.driver, all[2].builder.persistent), (Driver::Remote, Some(true)));
}
