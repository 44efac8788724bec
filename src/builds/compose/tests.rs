use super::*;
use crate::builds::ContextSource;

fn find(list: &[(&str, &'static str)], path: &str) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

fn one(text: &str) -> Build {
    let mut builds = read("a/compose.yaml", text, &|_| None).unwrap();
    assert_eq!(builds.len(), 1);
    builds.remove(0)
}

#[test]
fn every_key_of_build() {
    let text = "services:\n  app:\n    image: r/app:${TAG:-1}\n    build:\n      context: ./app\n      dockerfile: docker/Dockerfile\n      target: run\n      args:\n        A: 1\n        SHA: ${GITHUB_SHA}\n        FROM_ENV:\n        BUILDKIT_INLINE_CACHE: \"1\"\n      cache_from:\n        - type=registry,ref=r/c\n        - r/app:latest\n      cache_to: [\"type=registry,ref=r/c,mode=max\"]\n      additional_contexts: [lib=../lib, base=service:base]\n      platforms: [linux/amd64]\n      no_cache: true\n      tags: [r/app:2]\n  db:\n    image: postgres\n";
    let build = one(text);
    assert_eq!(
        (build.system, build.front, build.name.as_slice()),
        (System::Compose, Front::Compose, &["app".to_owned()][..])
    );
    assert_eq!(build.context.value, ContextSource::Path("a/app".into()));
    let dockerfile = build.dockerfile.as_ref().unwrap();
    assert_eq!(
        (dockerfile.value.as_str(), dockerfile.span.of(text)),
        ("a/app/docker/Dockerfile", "docker/Dockerfile")
    );
    assert_eq!(build.target.as_ref().unwrap().span.of(text), "run");
    assert_eq!(build.args[0].1.value, Value::Known("1".into()));
    assert_eq!(build.args[1].1.value.volatility(), crate::builds::Volatility::PerCommit);
    assert_eq!(build.args[2].1.value.text(), "$FROM_ENV");
    assert_eq!(build.cache_to[0].value.attr("mode").unwrap().span.of(text), "mode=max");
    assert_eq!(build.cache_to[1].value.kind(), Some("inline"));
    assert_eq!(build.cache_from[1].value.kind(), Some("registry"));
    assert_eq!(build.contexts[0].1.value, ContextSource::Path("lib".into()));
    assert_eq!(build.contexts[1].1.value, ContextSource::Target("base".into()));
    assert_eq!(build.platforms[0].span.of(text), "linux/amd64");
    assert_eq!(build.no_cache.as_ref().unwrap().span.of(text), "true");
    let tags: Vec<_> = build.tags.iter().map(|tag| tag.value.text()).collect();
    assert_eq!(tags, ["r/app:${TAG:-1}", "r/app:2"]);
    assert!(build.span.of(text).starts_with("build:\n") && build.span.of(text).ends_with("[r/app:2]"));
}

#[test]
fn short_form_and_inline_dockerfile() {
    let text = "services:\n  a:\n    build: ./x\n";
    let build = one(text);
    assert_eq!(build.context.span.of(text), "./x");
    assert_eq!(build.dockerfile.unwrap().value, "a/x/Dockerfile");
    let text =
        "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM x\n        RUN echo $$HOME\n";
    let build = one(text);
    assert!(build.dockerfile.is_none());
    assert_eq!(build.dockerfile_inline.unwrap().value, "FROM x\nRUN echo $HOME\n");
    assert_eq!(build.context.value, ContextSource::Path("a".into()));
}

#[test]
fn anchors_and_merge_keys() {
    let text = "x-b: &b\n  context: .\n  cache_from: [r/c]\nservices:\n  one:\n    build:\n      <<: *b\n      target: t\n  two:\n    build: *b\n";
    let builds = read("compose.yml", text, &|_| None).unwrap();
    assert_eq!(builds.len(), 2);
    for build in &builds {
        assert_eq!(build.cache_from[0].span.of(text), "r/c");
        assert_eq!(build.dockerfile.as_ref().unwrap().value, "Dockerfile");
    }
    assert_eq!(builds[0].target.as_ref().unwrap().span.of(text), "t");
}

#[test]
fn overrides_merge_and_say_where_each_setting_stands() {
    let base = "services:\n  app:\n    build:\n      context: app\n      args: {A: 1, B: 2}\n      cache_from: [r/one]\n";
    let over = "services:\n  app:\n    build:\n      target: dev\n      args: [B=3]\n      cache_from: [r/two]\n  new:\n    build: new\n";
    let list = [
        ("docker-compose.yml", base),
        ("docker-compose.override.yml", over),
        ("docker-compose.prod.yml", over),
    ];
    let builds = read("docker-compose.yml", base, &|path| find(&list, path)).unwrap();
    let app = &builds[0];
    assert_eq!(&*app.path, "docker-compose.override.yml");
    assert_eq!(app.context.value, ContextSource::Path("app".into()));
    assert_eq!(app.context.path.as_deref(), Some("docker-compose.yml"));
    assert_eq!(app.target.as_ref().unwrap().path, None);
    let args: Vec<_> = app.args.iter().map(|(name, value)| (name.as_str(), value.value.text())).collect();
    assert_eq!(args, [("A", "1"), ("B", "3")]);
    assert_eq!(app.args[1].1.span.of(over), "B=3");
    assert_eq!(app.cache_from[0].path.as_deref(), Some("docker-compose.yml"));
    assert_eq!(app.cache_from[1].span.of(over), "r/two");
    assert_eq!(builds[1].name, ["new"]);
    assert!(read("docker-compose.override.yml", over, &|path| find(&list, path)).unwrap().is_empty());
    let prod = read("docker-compose.prod.yml", over, &|path| find(&list, path)).unwrap();
    assert_eq!(prod[0].context.value, ContextSource::Path("app".into()));
    assert_eq!(prod.len(), 2);
}

#[test]
fn extends_and_include() {
    let common =
        "services:\n  base:\n    build:\n      context: ctx\n      target: x\n      cache_from: [r/c]\n";
    let text = "include: [sub/more.yml]\nservices:\n  app:\n    extends: {file: common/base.yml, service: base}\n    build: {target: y}\n  next:\n    extends: app\n  loop:\n    extends: loop\n    build: .\n";
    let more = "services:\n  m:\n    build: .\n";
    let list = [("common/base.yml", common), ("sub/more.yml", more)];
    let builds = read("compose.yml", text, &|path| find(&list, path)).unwrap();
    let by = |name: &str| builds.iter().find(|build| build.name == [name]).unwrap();
    let app = by("app");
    assert_eq!(app.context.value, ContextSource::Path("common/ctx".into()));
    assert_eq!(app.target.as_ref().unwrap().value, Value::Known("y".into()));
    assert_eq!(app.cache_from[0].value.attr("ref").unwrap().path.as_deref(), Some("common/base.yml"));
    assert_eq!(by("next").context.value, app.context.value);
    assert_eq!(by("m").context.value, ContextSource::Path("sub".into()));
    assert_eq!(by("loop").context.value, ContextSource::Path(String::new()));
}

#[test]
fn environment_files_and_resets() {
    let base = "services:\n  a:\n    build: {context: $DIR, cache_from: [r/x], target: t}\n";
    let over = "services:\n  a:\n    build: {cache_from: !override [r/y], target: !reset null}\n";
    let list = [("compose.yml", base), ("compose.override.yml", over), (".env", "# c\nDIR=\"app\"\n")];
    let build = read("compose.yml", base, &|path| find(&list, path)).unwrap().remove(0);
    assert_eq!(build.context.value, ContextSource::Path("app".into()));
    assert_eq!(build.cache_from.len(), 1);
    assert_eq!(build.cache_from[0].span.of(over), "r/y");
    assert!(build.target.is_none());
}

#[test]
fn what_bake_adds() {
    let text = "services:\n  a:\n    build:\n      context: .\n      cache_from: [r/x]\n      x-bake:\n        cache-from: [\"type=gha\"]\n        cache-to: type=gha,mode=max\n        output: type=registry\n";
    let request = Request { files: vec!["compose.yml".into()], bake: true, ..Request::default() };
    let build = builds(&request, &|_| Some(text)).unwrap().remove(0);
    assert_eq!(build.cache_from[0].value.kind(), Some("gha"));
    assert_eq!(build.cache_to[0].span.of(text), "type=gha,mode=max");
    assert_eq!(build.push.unwrap().value, Value::Known("true".into()));
}

#[test]
fn profiles_services_and_errors() {
    let text = "services:\n  a: {build: .}\n  b: {build: ., profiles: [x]}\n";
    let names = |request: Request| -> Vec<String> {
        let request = Request { files: vec!["compose.yml".into()], ..request };
        builds(&request, &|_| Some(text)).unwrap().into_iter().map(|build| build.name.join("")).collect()
    };
    assert_eq!(names(Request { services: vec!["b".into()], ..Request::default() }), ["b"]);
    assert_eq!(names(Request { profiles: vec!["y".into()], ..Request::default() }), ["a"]);
    assert_eq!(names(Request { profiles: vec!["x".into()], ..Request::default() }), ["a", "b"]);
    assert_eq!(read("compose.yml", "services: [\n", &|_| None).unwrap_err().line, Some(2));
    assert!(read("compose.yml", "services:\n", &|_| None).unwrap().is_empty());
}
