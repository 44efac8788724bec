//! `devcontainer.json`: `build` (or the older `dockerFile`), or the services of Compose files.

use super::command::{context_source, go_true};
use super::value::defaulted;
use super::yaml::Node;
use super::{
    Build, CacheSpec, Files, Front, Placed, ReadError, Setting, System, Trigger, Value, Vars, cachespec,
    compose, join, json, parent,
};
use std::sync::Arc;

/// The builds that opening the container starts. Paths are relative to the file.
///
/// # Errors
/// Where the file is not JSON with comments.
pub fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    let root = json::parse(text)?;
    let directory = parent(path);
    if let Some(list) = root.get("dockerComposeFile") {
        return Ok(composed(path, directory, &root, list, files));
    }
    let section = root.get("build");
    let old = root.get("dockerFile");
    let file =
        section.and_then(|section| section.get("dockerfile").or_else(|| section.get("dockerFile"))).or(old);
    let Some(file) = file else { return Ok(Vec::new()) };
    let Some(name) = file.str() else { return Ok(Vec::new()) };
    let span =
        root.entry("build").or_else(|| root.entry("dockerFile")).map_or(root.span, super::yaml::Entry::span);
    let mut build = starter(path, &root, span);
    build.front = Front::DockerBuild;
    build.dockerfile = join(directory, name).map(|path| Setting::new(path, file.span));
    let context = section.and_then(|section| section.get("context")).or_else(|| root.get("context"));
    let inside = |path: &str| join(directory, path);
    build.context = match context.and_then(|node| Some((node, node.str()?))) {
        Some((node, text)) => Setting::new(context_source(text, inside), node.span),
        None => {
            let dockerfile = build.dockerfile.as_ref().map_or(directory, |file| parent(&file.value));
            Setting::new(super::ContextSource::Path(dockerfile.to_owned()), file.span)
        }
    };
    let Some(section) = section else { return Ok(vec![build]) };
    let vars = Vars::default();
    let value = |node: &Arc<Node<'_>>| Some(Setting::new(Value::of(expanded(node.str()?)), node.span));
    build.target = section
        .get("target")
        .and_then(value)
        .map(|target| target.with(defaulted(target.value.text().to_owned())));
    for entry in section.get("args").map(|args| args.entries()).unwrap_or_default() {
        let (Some(name), Some(value)) = (entry.name(), value(&entry.value)) else { continue };
        if name == "BUILDKIT_INLINE_CACHE" && value.value.known().is_some_and(go_true) {
            let kind = value.with(Value::Known("inline".to_owned()));
            let spec = value.with(CacheSpec { kind, attrs: Vec::new(), bare: false });
            build.cache_to.push(spec);
        }
        build.args.push((name.to_owned(), value));
    }
    let listed = |name: &str| -> Vec<&Arc<Node<'_>>> {
        let node = section.get(name);
        let items = node.map(|node| node.items()).unwrap_or_default();
        node.filter(|node| node.str().is_some()).into_iter().chain(items).collect()
    };
    for item in listed("cacheFrom") {
        let text = item.text().map(Placed::joined).unwrap_or_default();
        build.cache_from.extend(cachespec::parse(&text, &vars).specs);
    }
    // `options` are words of the command line.
    let options: Vec<_> = listed("options").into_iter().filter_map(|item| item.text()).collect();
    let args: Vec<_> = options
        .into_iter()
        .map(|text| super::Arg { text: Placed::joined(text), literal: false, conditional: false })
        .collect();
    super::command::with_options(&mut build, &args);
    Ok(vec![build])
}

fn starter(path: &str, root: &Node<'_>, span: crate::source::Span) -> Build {
    let mut build = Build::new(path, span, System::Devcontainer, Front::Compose);
    build.name = root.get("name").and_then(|name| name.str()).map(str::to_owned).into_iter().collect();
    build.job = path.to_owned();
    build.trigger = Trigger { unknown: true, ..Trigger::default() };
    build
}

/// The services that the Compose files build: `runServices` and `service`, all of them where only the latter is named.
fn composed(path: &str, directory: &str, root: &Node<'_>, list: &Node<'_>, files: Files<'_>) -> Vec<Build> {
    let paths = list.strings().filter_map(|(name, _)| join(directory, name)).collect();
    let mut services: Vec<String> = Vec::new();
    if let Some(run) = root.get("runServices") {
        services.extend(run.strings().map(|(name, _)| name.to_owned()));
        services.extend(root.get("service").and_then(|name| name.str()).map(str::to_owned));
    }
    let request =
        compose::Request { files: paths, services, profiles: vec![String::new()], ..Default::default() };
    let starter = starter(path, root, list.span);
    let found = compose::builds(&request, files).unwrap_or_default();
    found.into_iter().map(|build| build.started_by(&starter)).collect()
}

/// `${localEnv:X:default}` is `${X:-default}`.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${localEnv:") {
        out.push_str(rest.get(..at).unwrap_or(""));
        let inner = rest.get(at + "${localEnv:".len()..).unwrap_or("");
        let end = inner.find('}').unwrap_or(inner.len());
        let (name, default) =
            inner.get(..end).unwrap_or("").split_once(':').unwrap_or((inner.get(..end).unwrap_or(""), ""));
        let default = if default.is_empty() { String::new() } else { format!(":-{default}") };
        out.extend(["${", name, default.as_str(), "}"]);
        rest = inner.get(end + 1..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::ContextSource;

    #[test]
    fn build_of_a_dockerfile() {
        let text = "{\n  // c\n  \"name\": \"dev\",\n  \"build\": {\n    \"dockerfile\": \"Dockerfile\",\n    \"context\": \"..\",\n    \"target\": \"dev\",\n    \"args\": {\"V\": \"${localEnv:V:1}\"},\n    \"cacheFrom\": [\"r/x\", \"type=gha\"],\n    \"options\": [\"--cache-to\", \"type=inline\", \"--platform=linux/amd64\"],\n  },\n}\n";
        let build = read(".devcontainer/devcontainer.json", text, &|_| None).unwrap().remove(0);
        assert_eq!(build.dockerfile.as_ref().unwrap().value, ".devcontainer/Dockerfile");
        assert_eq!(build.context.value, ContextSource::Path(String::new()));
        assert_eq!(build.target.as_ref().unwrap().span.of(text), "\"dev\"");
        assert_eq!(build.args[0].1.value.text(), "${V:-1}");
        assert_eq!(build.cache_from[1].value.kind(), Some("gha"));
        assert_eq!(build.cache_to[0].span.of(text), "type=inline");
        assert_eq!(build.platforms[0].value.text(), "linux/amd64");
        let old =
            read("a/.devcontainer.json", "{\"dockerFile\": \"x/Dockerfile\"}", &|_| None).unwrap().remove(0);
        assert_eq!(old.context.value, ContextSource::Path("a/x".into()));
        assert!(read("devcontainer.json", "{\"image\": \"x\"}", &|_| None).unwrap().is_empty());
    }

    #[test]
    fn services_of_compose() {
        let compose = "services:\n  app: {build: .}\n  db: {image: x}\n";
        let text = "{\"dockerComposeFile\": \"../docker-compose.yml\", \"service\": \"app\"}";
        let files = |path: &str| (path == "docker-compose.yml").then_some(compose);
        let builds = read(".devcontainer/devcontainer.json", text, &files).unwrap();
        assert_eq!(builds.len(), 1);
        assert_eq!(builds[0].system, System::Devcontainer);
        assert_eq!(builds[0].context.path.as_deref(), Some("docker-compose.yml"));
    }
}
