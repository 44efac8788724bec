use super::*;
use crate::builds::{ContextSource, Placed, Value, Volatility};

fn of(text: &'static str) -> Vec<Build> {
    read("docker-bake.hcl", text, &|_| None).unwrap()
}

fn by<'b>(builds: &'b [Build], name: &str) -> &'b Build {
    let found = builds.iter().find(|build| build.name == [name]);
    found.unwrap_or_else(|| {
        panic!("{name} of {:?}", builds.iter().map(|build| &build.name).collect::<Vec<_>>())
    })
}

fn find(list: &[(&str, &'static str)], path: &str) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

#[test]
fn every_attribute_with_its_place() {
    let text = "target \"app\" {\n  context = \"./app\"\n  dockerfile = \"docker/Dockerfile\"\n  target = \"run\"\n  args = {\n    A = \"1\"\n    N = 2\n  }\n  contexts = { base = \"target:base\", img = \"docker-image://alpine\", d = \"lib\" }\n  cache-from = [\"type=registry,ref=r/c\", { type = \"gha\", scope = \"s\" }]\n  cache-to = [\"type=registry,ref=r/c,mode=max\"]\n  tags = [\"r/app:1\"]\n  platforms = [\"linux/amd64\"]\n  output = [\"type=registry\"]\n  no-cache-filter = [\"x\"]\n  no-cache = true\n}\n";
    let builds = of(text);
    let app = &builds[0];
    assert_eq!((app.system, app.front), (System::Bake, Front::Bake));
    assert_eq!(app.context.value, ContextSource::Path("app".into()));
    assert_eq!(app.context.span.of(text), "./app");
    assert_eq!(app.dockerfile.as_ref().unwrap().value, "app/docker/Dockerfile");
    assert_eq!(app.target.as_ref().unwrap().span.of(text), "run");
    let args: Vec<_> = app.args.iter().map(|(name, value)| (name.as_str(), value.value.text())).collect();
    assert_eq!(args, [("A", "1"), ("N", "2")]);
    assert_eq!(app.contexts[0].1.value, ContextSource::Target("base".into()));
    assert_eq!(app.contexts[2].1.value, ContextSource::Path("lib".into()));
    assert_eq!(app.cache_from[0].value.attr("ref").unwrap().span.of(text), "ref=r/c");
    assert_eq!(app.cache_from[1].value.kind(), Some("gha"));
    assert_eq!(app.cache_from[1].span.of(text), "{ type = \"gha\", scope = \"s\" }");
    assert_eq!(app.cache_to[0].value.attr("mode").unwrap().span.of(text), "mode=max");
    assert_eq!(app.push.as_ref().unwrap().value, Value::Known("true".into()));
    assert_eq!(app.no_cache.as_ref().unwrap().span.of(text), "true");
    assert_eq!(app.no_cache_filter[0].span.of(text), "x");
    assert!(app.span.of(text).starts_with("target \"app\"") && app.span.of(text).ends_with('}'));
}

#[test]
fn inheritance_merges_imports_and_replaces_exports() {
    let text = "target \"_base\" {\n  dockerfile = \"D\"\n  args = { A = \"1\", B = \"1\" }\n  cache-from = [\"type=gha\"]\n  cache-to = [\"type=gha,mode=max\"]\n  no-cache-filter = [\"a\"]\n}\ntarget \"one\" {\n  inherits = [\"_base\"]\n  args = { B = \"2\" }\n  cache-from = [\"type=gha\", \"r/x\"]\n  cache-to = [\"type=inline\"]\n  no-cache-filter = [\"b\"]\n}\ntarget \"two\" { inherits = [\"one\", \"two\"] }\n";
    let builds = of(text);
    assert_eq!(builds.len(), 1);
    let two = by(&builds, "two");
    assert_eq!(two.dockerfile.as_ref().unwrap().value, "D");
    let args: Vec<_> = two.args.iter().map(|(name, value)| (name.as_str(), value.value.text())).collect();
    assert_eq!(args, [("A", "1"), ("B", "2")]);
    assert_eq!(two.cache_from.len(), 2);
    assert_eq!(two.cache_to.len(), 1);
    assert_eq!(two.cache_to[0].value.kind(), Some("inline"));
    assert_eq!(two.no_cache_filter.len(), 2);
}

#[test]
fn groups_choose_what_is_built() {
    let text = "group \"default\" { targets = [\"a\", \"more\"] }\ngroup \"more\" { targets = [\"b\"] }\ntarget \"a\" {}\ntarget \"b\" { inherits = [\"a\"] }\ntarget \"c\" {}\ntarget \"_d\" {}\n";
    let names =
        |builds: &[Build]| -> Vec<String> { builds.iter().map(|build| build.name.join("")).collect() };
    assert_eq!(names(&of(text)), ["a", "b", "c"]);
    let ask = |targets: &[&str]| {
        let targets = targets.iter().map(|name| (*name).to_owned()).collect();
        let request =
            Request { files: vec!["x.hcl".into()], cwd: Some(String::new()), targets, ..Request::default() };
        names(&builds(&request, &|_| Some(text)).unwrap())
    };
    assert_eq!(ask(&[]), ["a", "b"]);
    assert_eq!(ask(&["c", "more", "nothing"]), ["c", "b"]);
}

#[test]
fn variables_defaults_and_what_the_environment_sets() {
    let text = "variable \"REPO\" { default = \"r/app\" }\nvariable \"TAG\" { default = \"\" }\nvariable \"GIT_COMMIT\" { default = \"dev\" }\nvariable \"GO\" { default = null }\nvariable \"DIR\" {}\nvariable \"LONG\" { default = \"${REPO}/long\" }\nX = \"x\"\ntarget \"t\" {\n  context = \"${DIR}\"\n  dockerfile = \"${TAG}Dockerfile\"\n  args = { GO = GO, SHA = \"${GIT_COMMIT}\", X = X, T = TAG, WHEN = timestamp() }\n  cache-to = [\"type=registry,ref=${REPO}:cache-${TAG}\"]\n  tags = [\"${LONG}:1\", TAG == \"\" ? \"r:a\" : \"r:b\"]\n}\n";
    let builds_ = of(text);
    let t = by(&builds_, "t");
    let args: Vec<_> = t
        .args
        .iter()
        .map(|(name, value)| (name.as_str(), value.value.text(), value.value.volatility()))
        .collect();
    assert_eq!(
        args,
        [
            ("SHA", "${GIT_COMMIT}", Volatility::PerCommit),
            ("X", "x", Volatility::Fixed),
            ("T", "${TAG}", Volatility::Unknown),
            ("WHEN", "${timestamp()}", Volatility::PerRun),
        ]
    );
    let reference = t.cache_to[0].value.attr("ref").unwrap();
    assert_eq!(reference.value.text(), "r/app:cache-${TAG}");
    assert_eq!(reference.span.of(text), "ref=${REPO}:cache-${TAG}");
    assert_eq!(t.tags[0].value, Value::Known("r/app/long:1".into()));
    assert_eq!(t.tags[1].value.known(), None);
    // Paths take the defaults.
    assert_eq!(t.dockerfile.as_ref().unwrap().value, "Dockerfile");
    assert_eq!(t.context.value, ContextSource::Path(String::new()));
    let mut vars = Vars::default();
    vars.set_foreign("TAG", "7");
    let request =
        Request { files: vec!["x.hcl".into()], cwd: Some(String::new()), targets: vec!["t".into()], vars };
    let t = &builds(&request, &|_| Some(text)).unwrap()[0];
    assert_eq!(t.cache_to[0].value.attr("ref").unwrap().value, Value::Known("r/app:cache-7".into()));
    assert_eq!(t.tags[1].value, Value::Known("r:b".into()));
}

#[test]
fn a_condition_that_is_not_known_exports_only_sometimes() {
    let text = "variable \"CI\" { default = \"\" }\ntarget \"t\" {\n  cache-to = CI != \"\" ? [\"type=gha,mode=max\"] : []\n}\n";
    let builds = of(text);
    assert_eq!(builds[0].cache_to[0].span.of(text), "type=gha,mode=max");
    assert!(builds[0].conditional_export);
    let text = "variable \"X\" { default = \"\" }\ntarget \"t\" {\n  platforms = X != \"\" && X != null ? [\"linux/arm64\"] : []\n  tags = [X != \"\" ? \"r:${X}\" : \"r:l\"]\n}\n";
    let mut request =
        Request { files: vec!["x.hcl".into()], targets: vec!["t".into()], ..Request::default() };
    assert!(self::builds(&request, &|_| Some(text)).unwrap()[0].platforms.is_empty());
    request.vars.set_foreign("X", "v");
    let t = &self::builds(&request, &|_| Some(text)).unwrap()[0];
    assert_eq!((t.platforms.len(), t.tags[0].value.text()), (1, "r:v"));
}

#[test]
fn functions_and_loops() {
    let text = "function \"cache\" {\n  params = [name]\n  result = [\"type=registry,ref=r/${name}:c\"]\n}\nfunction \"all\" {\n  params = []\n  variadic_params = \"names\"\n  result = flatten([for n in names : cache(n)])\n}\nvariable \"TAGS\" { default = \"a,b\" }\ntarget \"t\" {\n  cache-from = all(\"x\", \"y\")\n  tags = [for tag in split(\",\", TAGS) : \"r:${tag}\" if notequal(tag, \"c\")]\n  output = [join(\",\", concat([\"type=image\"], [\"push=true\"]))]\n  args = merge({ A = upper(\"x\") }, { B = format(\"%s-%s\", \"p\", \"q\") })\n}\n";
    let builds = of(text);
    let refs: Vec<_> =
        builds[0].cache_from.iter().map(|spec| spec.value.attr("ref").unwrap().value.text()).collect();
    assert_eq!(refs, ["r/x:c", "r/y:c"]);
    let tags: Vec<_> = builds[0].tags.iter().map(|tag| tag.value.text()).collect();
    assert_eq!(tags, ["r:a", "r:b"]);
    assert_eq!(builds[0].push.as_ref().unwrap().value, Value::Known("true".into()));
    let args: Vec<_> =
        builds[0].args.iter().map(|(name, value)| (name.as_str(), value.value.text())).collect();
    assert_eq!(args, [("A", "X"), ("B", "p-q")]);
}

#[test]
fn a_matrix_makes_a_target_for_each_leg() {
    let text = "target \"app\" {\n  name = \"app-${item.v}-${os}\"\n  matrix = {\n    os = [\"linux\", \"windows\"]\n    item = [{ v = \"1\", d = \"one\" }, { v = \"2\", d = \"two\" }]\n  }\n  context = item.d\n  cache-to = [\"type=registry,ref=r/c:${os}\"]\n}\ntarget \"next\" { inherits = [\"app-2-linux\"] }\ngroup \"default\" { targets = [\"app\"] }\n";
    let builds_ = of(text);
    assert_eq!(builds_.len(), 5);
    let leg = by(&builds_, "app-2-windows");
    assert_eq!(
        leg.matrix,
        [("item".to_owned(), "v=2,d=two".to_owned()), ("os".to_owned(), "windows".to_owned())]
    );
    assert_eq!(leg.context.value, ContextSource::Path("two".into()));
    assert_eq!(leg.cache_to[0].value.attr("ref").unwrap().value.text(), "r/c:windows");
    assert_eq!(by(&builds_, "next").context.value, ContextSource::Path("two".into()));
    let request = Request {
        files: vec!["x.hcl".into()],
        cwd: Some(String::new()),
        targets: vec!["app-1-linux".into()],
        ..Request::default()
    };
    assert_eq!(builds(&request, &|_| Some(text)).unwrap().len(), 1);
}

#[test]
fn json_and_overrides() {
    let hcl = "variable \"V\" { default = \"1\" }\ntarget \"a\" {\n  args = { A = \"${V}\" }\n  cache-to = [\"type=gha\"]\n}\n";
    let json = "{\"variable\": {\"V\": {\"default\": \"2\"}}, \"target\": {\"a\": {\"args\": {\"B\": \"x\\\"${V}\"}, \"cache-from\": [\"type=registry,ref=r/${V}\"]}}}";
    let list = [("d/docker-bake.hcl", hcl), ("d/docker-bake.override.json", json)];
    let builds = read("d/docker-bake.hcl", hcl, &|path| find(&list, path)).unwrap();
    let a = &builds[0];
    assert_eq!(&*a.path, "d/docker-bake.override.json");
    let args: Vec<_> = a.args.iter().map(|(name, value)| (name.as_str(), value.value.text())).collect();
    assert_eq!(args, [("A", "2"), ("B", "x\"2")]);
    assert_eq!(a.args[0].1.path.as_deref(), Some("d/docker-bake.hcl"));
    assert_eq!(a.cache_to[0].value.kind.path.as_deref(), Some("d/docker-bake.hcl"));
    assert_eq!(a.cache_from[0].value.attr("ref").unwrap().span.of(json), "ref=r/${V}");
    assert_eq!(a.context.value, ContextSource::Path("d".into()));
    assert!(read("d/docker-bake.override.json", json, &|path| find(&list, path)).unwrap().is_empty());
}

#[test]
fn compose_files_are_targets_too() {
    let compose = "services:\n  web:\n    build:\n      context: web\n      cache_from: [r/web]\n      x-bake: {platforms: [linux/arm64]}\n";
    let hcl = "target \"web\" { cache-to = [\"type=inline\"] }\n";
    let list = [("docker-compose.yml", compose), ("docker-bake.hcl", hcl)];
    let request = Request {
        files: default_files("", &|path| find(&list, path)),
        cwd: Some(String::new()),
        ..Request::default()
    };
    assert_eq!(request.files, ["docker-compose.yml", "docker-bake.hcl"]);
    let web = &builds(&request, &|path| find(&list, path)).unwrap()[0];
    assert_eq!(web.context.value, ContextSource::Path("web".into()));
    assert_eq!(web.cache_from[0].path.as_deref(), Some("docker-compose.yml"));
    assert_eq!(web.cache_to[0].path, None);
    assert_eq!(web.platforms[0].value.text(), "linux/arm64");
    assert_eq!(web.front, Front::Bake);
}

#[test]
fn overrides_of_the_command_line() {
    let mut builds = of(
        "target \"app-a\" {\n  cache-from = [\"r/x\"]\n  cache-to = [\"type=inline\"]\n}\ntarget \"db\" { cache-from = [\"r/y\"] }\n",
    );
    let text = "app*.cache-from=type=gha,scope=a\n*.cache-from+=r/z\n*.args.V=1\ndb.output=type=registry\n*.platform=linux/amd64,linux/arm64";
    let overrides: Vec<Override> =
        Placed::exact(text, 0).lines().filter_map(|line| Override::parse(&line)).collect();
    assert_eq!(overrides.len(), 5);
    apply(&overrides, &mut builds, Some(""));
    let (app, db) = (&builds[0], &builds[1]);
    assert_eq!(app.cache_from.len(), 2);
    assert_eq!(app.cache_from[0].span.of(text), "type=gha,scope=a");
    assert_eq!(db.cache_from.len(), 2);
    assert_eq!(db.args[0].1.span.of(text), "*.args.V=1");
    assert!(db.push.is_some() && app.push.is_none());
    assert_eq!(app.platforms[1].span.of(text), "linux/arm64");
}

#[test]
fn another_output_takes_back_what_the_first_said() {
    let mut builds = of("target \"app\" {\n  output = [\"type=docker\"]\n}\n");
    assert!(builds[0].load.is_some());
    let overrides: Vec<Override> = Placed::exact("*.output=type=registry,push=true", 0)
        .lines()
        .filter_map(|line| Override::parse(&line))
        .collect();
    apply(&overrides, &mut builds, Some(""));
    assert!(builds[0].load.is_none() && builds[0].push.is_some());
}

#[test]
fn bombs_and_broken_files() {
    assert_eq!(read("docker-bake.hcl", "target \"a\" {\n  x = [\n", &|_| None).unwrap_err().line, Some(2));
    let mut bomb = String::from("V0 = [\"x\", \"x\"]\n");
    for i in 1..40 {
        bomb.push_str(&format!("V{i} = flatten([V{0}, V{0}])\nW{i} = [V{0}, W{0}, W{0}]\n", i - 1));
    }
    bomb.push_str("function \"f\" {\n  params = [x]\n  result = concat(f(x), f(x))\n}\nA = \"${B}\"\nB = \"${A}${A}\"\ntarget \"t\" {\n  tags = V39\n  cache-from = W39\n  cache-to = f([\"a\"])\n  args = { A = A }\n}\n");
    let builds = read("docker-bake.hcl", &bomb, &|_| None).unwrap();
    assert_eq!(builds.len(), 1);
}

#[test]
fn a_target_that_others_inherit_from_may_be_for_building_too() {
    let builds = of(concat!(
        "target \"_base\" {\n  dockerfile = \"D\"\n  tags = [\"x\"]\n}\n",
        "target \"meta\" {\n  tags = [\"m\"]\n}\n",
        "target \"alpine\" {\n  inherits = [\"_base\", \"meta\"]\n  dockerfile = \"A\"\n  output = [\"type=docker\"]\n}\n",
        "target \"alpine-multi\" {\n  inherits = [\"alpine\"]\n  platforms = [\"linux/amd64\"]\n}\n",
    ));
    let names: Vec<_> = builds.iter().map(|build| build.name.join("/")).collect();
    assert_eq!(names, ["alpine", "alpine-multi"]);
}

#[test]
fn what_a_function_puts_together_stands_where_it_is_called() {
    let text = "function \"more\" {\n  params = []\n  result = [\"compression=zstd\"]\n}\ntarget \"t\" {\n  cache-to = [join(\",\", flatten([[\"type=registry,ref=r/x\"], more()]))]\n}\n";
    let to = &of(text)[0].cache_to[0];
    assert_eq!(to.value.attr("compression").unwrap().value.text(), "zstd");
    assert_eq!(to.span.of(text), "join(\",\", flatten([[\"type=registry,ref=r/x\"], more()]))");
}
