//! `skaffold.yaml`: `build.artifacts` with docker and kaniko, of the pipeline and of its profiles (facts §7.6).

use super::command::context_source;
use super::value::defaulted;
use super::yaml::{self, Node};
use super::{
    Arg, Build, Builder, CacheSpec, ContextSource, Driver, Files, Front, Placed, ReadError, Setting, System,
    Trigger, Value, Vars, cachespec, join, parent,
};

/// The builds that skaffold runs. Contexts are relative to the file, Dockerfiles to their context.
///
/// # Errors
/// Where the file is not YAML.
pub fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    sections(path, text, None, files)
}

/// The builds of one run: of the pipeline, or of the named profiles that have artifacts of their own.
///
/// # Errors
/// Where the file is not YAML.
pub fn started(path: &str, text: &str, profiles: &[&str], files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    sections(path, text, Some(profiles), files)
}

fn sections(
    path: &str,
    text: &str,
    wanted: Option<&[&str]>,
    files: Files<'_>,
) -> Result<Vec<Build>, ReadError> {
    let mut out = Vec::new();
    for root in yaml::parse_all(text)? {
        let name = root.at(&["metadata", "name"]).and_then(Node::str).map(str::to_owned);
        let main = root.get("build");
        let mut sections: Vec<(Vec<String>, &Node<'_>)> =
            main.map(|build| (Vec::new(), &**build)).into_iter().collect();
        for profile in root.get("profiles").map(|profiles| profiles.items()).unwrap_or_default() {
            let own = profile.get("name").and_then(|name| name.str()).unwrap_or("").to_owned();
            let asked = wanted.is_none_or(|names| names.contains(&own.as_str()));
            let build = profile.get("build").filter(|build| asked && build.get("artifacts").is_some());
            if let Some(build) = build {
                if wanted.is_some() {
                    // It takes the place of the pipeline's.
                    sections.clear();
                }
                sections.push((vec![own], build));
            }
        }
        for (profile, section) in sections {
            for artifact in section.get("artifacts").map(|list| list.items()).unwrap_or_default() {
                if let Some(mut build) = artifact_build(path, section, artifact, files) {
                    build.name = name.iter().chain(&profile).cloned().chain(build.name).collect();
                    out.push(build);
                }
            }
        }
    }
    Ok(out)
}

fn artifact_build(path: &str, section: &Node<'_>, artifact: &Node<'_>, files: Files<'_>) -> Option<Build> {
    // Other builders (buildpacks, jib, bazel, ko) have no Dockerfile.
    if ["buildpacks", "jib", "bazel", "ko", "custom"].iter().any(|other| artifact.get(other).is_some()) {
        return None;
    }
    let mut build = Build::new(path, artifact.span, System::Skaffold, Front::Skaffold);
    build.job = path.to_owned();
    build.trigger = Trigger { unknown: true, ..Trigger::default() };
    let empty = Vars::default();
    let value = |node: &Node<'_>| Some(Setting::new(Value::of(node.str()?), node.span));
    if let Some(image) = artifact.get("image") {
        build.name = image.str().map(str::to_owned).into_iter().collect();
        build.tags.extend(value(image));
    }
    let kaniko = artifact.get("kaniko");
    let docker = kaniko.or_else(|| artifact.get("docker"));
    let context = artifact.get("context");
    let base = parent(path);
    let directory = context.and_then(|context| context.str()).unwrap_or(".");
    let source = context_source(defaulted(directory.to_owned()).text(), |path| join(base, path));
    let span = context.map_or(artifact.span, |context| context.span);
    let dockerfile = docker.and_then(|docker| docker.get("dockerfile"));
    if let ContextSource::Path(directory) = &source {
        let name = dockerfile.and_then(|name| name.str()).unwrap_or("Dockerfile");
        let at = dockerfile.map_or(span, |name| name.span);
        build.dockerfile =
            join(directory, name).filter(|_| !name.contains(['$', '{'])).map(|path| Setting::new(path, at));
        // A Dockerfile that is not in the context is looked for beside skaffold.yaml.
        if let Some(file) = &mut build.dockerfile
            && files(&file.value).is_none()
            && let Some(beside) = join(base, name).filter(|beside| files(beside).is_some())
        {
            file.value = beside;
        }
    }
    build.context = Setting::new(source, span);
    if let Some(docker) = docker {
        build.target = docker.get("target").and_then(|target| value(target));
        build.no_cache = docker.get("noCache").and_then(|node| value(node));
        build.pull = docker.get("pullParent").and_then(|node| value(node));
        for entry in docker.get("buildArgs").map(|args| args.entries()).unwrap_or_default() {
            if let (Some(name), Some(value)) = (entry.name(), value(&entry.value)) {
                build.args.push((name.to_owned(), value));
            }
        }
        for item in docker.get("cacheFrom").map(|list| list.items()).unwrap_or_default() {
            let text = item.text().map(Placed::joined).unwrap_or_default();
            build.cache_from.extend(cachespec::parse(&text, &empty).specs);
        }
        let flags = docker.get("cliFlags").map(|list| list.items()).unwrap_or_default();
        let args: Vec<Arg> = flags
            .iter()
            .filter_map(|item| Some(Arg { text: Placed::joined(item.text()?), ..Arg::default() }))
            .collect();
        super::command::with_options(&mut build, &args);
    }
    for platform in section.get("platforms").map(|list| list.items()).unwrap_or_default() {
        build.platforms.extend(value(platform));
    }
    builder(&mut build, section, kaniko.map(|kaniko| &**kaniko));
    Some(build)
}

fn builder(build: &mut Build, section: &Node<'_>, kaniko: Option<&Node<'_>>) {
    let known = |node: &Node<'_>, text: &str| Setting::new(Value::Known(text.to_owned()), node.span);
    if let Some(kaniko) = kaniko {
        build.front = Front::Kaniko;
        build.builder = Builder { driver: Driver::None, persistent: Some(false), ..Builder::default() };
        if let Some(cache) = kaniko.get("cache") {
            let mut attrs = Vec::new();
            if let Some(repository) = cache.get("repo").and_then(|node| Some((node, node.str()?))) {
                attrs.push(("ref".to_owned(), Setting::new(Value::of(repository.1), repository.0.span)));
            }
            let spec = CacheSpec { kind: known(cache, "kaniko"), attrs, bare: false };
            build.cache_from.push(Setting::new(spec.clone(), cache.span));
            build.cache_to.push(Setting::new(spec, cache.span));
        }
        return;
    }
    let Some(local) = section.get("local") else { return };
    if let Some(push) = local.get("push") {
        build.push = push.bool().map(|on| known(push, if on { "true" } else { "false" }));
    }
    if let Some(off) = local.get("useBuildkit").filter(|on| on.bool() == Some(false)) {
        build.builder.legacy = Some(off.span);
        build.builder.driver = Driver::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_of_the_pipeline_and_of_profiles() {
        let text = "apiVersion: skaffold/v4\nkind: Config\nmetadata: {name: app}\nbuild:\n  platforms: [linux/amd64]\n  local: {push: true, useBuildkit: false}\n  artifacts:\n    - image: r/a\n      context: src/a\n      docker:\n        dockerfile: docker/Dockerfile\n        target: run\n        buildArgs: {V: '1', S: '{{.IMAGE_TAG}}'}\n        cacheFrom: [r/a:c]\n        cliFlags: ['--cache-to=type=inline']\n    - image: j\n      jib: {}\nprofiles:\n  - name: k\n    build:\n      artifacts:\n        - image: r/b\n          kaniko: {cache: {repo: r/c}}\n";
        let builds = read("d/skaffold.yaml", text, &|_| None).unwrap();
        assert_eq!(builds.len(), 2);
        let a = &builds[0];
        assert_eq!(a.name, ["app", "r/a"]);
        assert_eq!(a.dockerfile.as_ref().unwrap().value, "d/src/a/docker/Dockerfile");
        assert_eq!(a.context.span.of(text), "src/a");
        assert_eq!(a.target.as_ref().unwrap().value.text(), "run");
        assert!(a.args[1].1.value.known().is_none());
        assert_eq!(a.cache_from[0].value.attr("ref").unwrap().span.of(text), "r/a:c");
        assert_eq!(a.cache_to[0].span.of(text), "type=inline");
        assert_eq!(a.builder.legacy.unwrap().of(text), "false");
        assert_eq!(a.push.as_ref().unwrap().span.of(text), "true");
        let b = &builds[1];
        assert_eq!((b.name.join("/"), b.front), ("app/k/r/b".to_owned(), Front::Kaniko));
        assert_eq!(b.cache_to[0].value.attr("ref").unwrap().span.of(text), "r/c");
    }
}
