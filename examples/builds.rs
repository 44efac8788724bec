//! Prints the builds that hitrate reads out of a project's CI files: `cargo run --example builds -- DIR [--ci] [--json]`.
//! It shows how the readers of [`hitrate::builds`] are called; the library itself never touches the disk.

#![allow(clippy::print_stdout)] // it is there to print

use hitrate::builds::{self, Build, CacheSpec, ContextSource, Setting, System, Value};
use hitrate::project::{FileKind, classify_text};
use hitrate::source::LineIndex;
use std::collections::BTreeMap;
use std::path::Path;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let json = args.iter().any(|arg| arg == "--json");
    let Some(root) = args.iter().find(|arg| !arg.starts_with("--")) else {
        println!("usage: builds DIR [--ci] [--json]");
        return;
    };
    let mut texts = BTreeMap::new();
    let walk = ignore::WalkBuilder::new(root).hidden(false).git_ignore(false).build();
    for entry in walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())) {
        let path = entry.path().strip_prefix(root).unwrap_or(Path::new("")).to_string_lossy().into_owned();
        if entry.metadata().is_ok_and(|data| data.len() < 1_000_000)
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            texts.insert(path, text);
        }
    }
    let files = |path: &str| texts.get(path).map(String::as_str);
    let mut all = Vec::new();
    for (path, text) in &texts {
        let Some(FileKind::Build(system)) = classify_text(path, text) else { continue };
        if args.iter().any(|arg| arg == "--ci") && !is_ci(system) {
            continue;
        }
        match builds::read(system, path, text, &files) {
            Ok(builds) => all.extend(builds),
            Err(error) => println!("{path}: {error}"),
        }
    }
    for build in &builds::ci::called(all) {
        let line =
            |path: &str, offset: u32| texts.get(path).map_or(0, |text| LineIndex::new(text).line(offset));
        if json {
            println!("{}", as_json(build, &line));
        } else {
            print(build, &line);
        }
    }
}

/// Whether a file belongs to a CI system, and not to what such a system starts.
fn is_ci(system: System) -> bool {
    use System::{Bake, Compose, Devcontainer, Just, Make, PackageJson, Shell, Skaffold, Task};
    !matches!(system, Bake | Compose | Devcontainer | Just | Make | PackageJson | Shell | Skaffold | Task)
}

type Line<'l> = &'l dyn Fn(&str, u32) -> u32;

fn text(value: &Value) -> String {
    match value {
        Value::Known(text) => text.clone(),
        Value::Symbolic { text, volatility } => format!("{text} ({volatility:?})"),
    }
}

fn context(source: &ContextSource) -> String {
    match source {
        ContextSource::Path(path) => format!("./{path}"),
        ContextSource::Git { own, subdir } => format!("git:{}{subdir}", if *own { "own:" } else { "other:" }),
        other => format!("{other:?}"),
    }
}

fn spec(spec: &CacheSpec) -> String {
    let attrs: Vec<String> =
        spec.attrs.iter().map(|(key, value)| format!("{key}={}", text(&value.value))).collect();
    format!("{}[{}]", text(&spec.kind.value), attrs.join(" "))
}

fn print(build: &Build, line: Line<'_>) {
    let at = |path: &Option<std::sync::Arc<str>>, offset: u32| {
        let own = path.as_deref().unwrap_or(&build.path);
        let number = line(own, offset);
        if own == &*build.path { format!("@{number}") } else { format!("@{own}:{number}") }
    };
    let values = |name: &str, list: &[Setting<Value>]| {
        for item in list {
            println!("    {name}: {} {}", text(&item.value), at(&item.path, item.span.start));
        }
    };
    let single = |name: &str, value: &Option<Setting<Value>>| {
        if let Some(value) = value {
            println!("    {name}: {} {}", text(&value.value), at(&value.path, value.span.start));
        }
    };
    let template = if build.template { " (template)" } else { "" };
    println!(
        "{}:{} {:?}/{:?} {} {:?}{template}",
        build.path,
        line(&build.path, build.span.start),
        build.system,
        build.front,
        build.name.join(" > "),
        build.matrix,
    );
    println!("    job: {}", build.job);
    match (&build.dockerfile, &build.dockerfile_inline) {
        (Some(file), _) => println!("    dockerfile: {} {}", file.value, at(&file.path, file.span.start)),
        (None, Some(inline)) => println!("    dockerfile: (inline) {}", at(&inline.path, inline.span.start)),
        (None, None) => println!("    dockerfile: ?"),
    }
    println!(
        "    context: {} {}",
        context(&build.context.value),
        at(&build.context.path, build.context.span.start)
    );
    for (name, source) in &build.contexts {
        println!("    context {name}: {}", context(&source.value));
    }
    single("target", &build.target);
    for (name, value) in &build.args {
        println!("    arg {name}: {} {}", text(&value.value), at(&value.path, value.span.start));
    }
    for from in &build.cache_from {
        println!("    cache-from: {} {}", spec(&from.value), at(&from.path, from.span.start));
    }
    for to in &build.cache_to {
        let when = if build.conditional_export { " (conditional)" } else { "" };
        println!("    cache-to: {} {}{when}", spec(&to.value), at(&to.path, to.span.start));
    }
    values("tag", &build.tags);
    single("push", &build.push);
    single("load", &build.load);
    values("platform", &build.platforms);
    single("no-cache", &build.no_cache);
    values("no-cache-filter", &build.no_cache_filter);
    single("pull", &build.pull);
    for output in &build.outputs {
        println!("    output: {}", spec(&output.value));
    }
    values("pulled before", &build.pulled_before);
    values("kept", &build.kept);
    let builder = &build.builder;
    let versions: Vec<String> =
        builder.versions.iter().map(|(name, version)| format!("{name} {}", version.value)).collect();
    let set_by =
        builder.set_by.map_or(String::new(), |span| format!(" set@{}", line(&build.path, span.start)));
    println!(
        "    builder: {:?}{set_by} persistent={:?} containerd={:?} legacy={} token={:?} [{}]",
        builder.driver,
        builder.persistent,
        builder.containerd_store,
        builder.legacy.is_some(),
        build.gha_token,
        versions.join(", ")
    );
    println!("    trigger: {:?}", build.trigger);
}

fn as_json(build: &Build, line: Line<'_>) -> serde_json::Value {
    let setting = |value: &Setting<Value>| {
        let path = value.path.as_deref().unwrap_or(&build.path);
        serde_json::json!({"value": text(&value.value), "path": path, "line": line(path, value.span.start)})
    };
    let specs = |list: &[Setting<CacheSpec>]| -> Vec<serde_json::Value> {
        let one = |item: &Setting<CacheSpec>| {
            let path = item.path.as_deref().unwrap_or(&build.path);
            serde_json::json!({"value": spec(&item.value), "path": path, "line": line(path, item.span.start)})
        };
        list.iter().map(one).collect()
    };
    let args: Vec<_> =
        build.args.iter().map(|(name, value)| serde_json::json!([name, setting(value)])).collect();
    serde_json::json!({
        "path": &*build.path,
        "line": line(&build.path, build.span.start),
        "end_line": line(&build.path, build.span.end),
        "system": build.system,
        "front": build.front,
        "name": build.name,
        "matrix": build.matrix,
        "job": build.job,
        "template": build.template,
        "dockerfile": build.dockerfile.as_ref().map(|path| &path.value),
        "context": context(&build.context.value),
        "target": build.target.as_ref().map(setting),
        "args": args,
        "cache_from": specs(&build.cache_from),
        "cache_to": specs(&build.cache_to),
        "conditional_export": build.conditional_export,
        "tags": build.tags.iter().map(setting).collect::<Vec<_>>(),
        "push": build.push.as_ref().map(setting),
        "load": build.load.as_ref().map(setting),
        "platforms": build.platforms.iter().map(setting).collect::<Vec<_>>(),
        "driver": build.builder.driver,
        "persistent": build.builder.persistent,
        "gha_token": build.gha_token,
        "trigger": format!("{:?}", build.trigger),
    })
}
