//! The `build` of a service, merged over its layers: scalars replace, lists are appended, maps are merged by key
//! (compose-go `override/merge.go`); `!reset` and `!override` start anew.

use super::layers::Layer;
use super::{setting, value_of};
use crate::builds::command::context_source;
use crate::builds::value::defaulted;
use crate::builds::yaml::Node;
use crate::builds::{
    Build, CacheSpec, ContextSource, Files, Placed, Setting, Value, Vars, Volatility, cachespec, join,
    name_volatility,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A value of `build` with the layer that it is from.
struct From<'l, 'a> {
    node: &'l Arc<Node<'a>>,
    layer: &'l Layer<'a>,
}

/// Fills in everything that `build` says.
pub(super) fn fill(build: &mut Build, layers: &[Layer<'_>], vars: &Vars, files: Files<'_>) {
    place(build, layers, vars, files);
    let text = |from: &From<'_, '_>| vars.expand(&placed(from.node));
    if let Some(from) = last(layers, "dockerfile_inline") {
        let body = placed(from.node);
        build.dockerfile = None;
        build.dockerfile_inline =
            Some(setting(body.text.replace("$$", "$"), from.node.span, &from.layer.file, build));
    }
    if let Some(from) = last(layers, "target") {
        build.target = Some(setting(defaulted(text(&from).text), from.node.span, &from.layer.file, build));
    }
    for (name, field) in [("no_cache", 0), ("pull", 1)] {
        let value = last(layers, name)
            .map(|from| setting(value_of(&text(&from).text), from.node.span, &from.layer.file, build));
        match field {
            0 => build.no_cache = value,
            _ => build.pull = value,
        }
    }
    for from in all(layers, "cache_from") {
        let specs = specs(&from, vars, build);
        build.cache_from.extend(specs);
    }
    for from in all(layers, "cache_to") {
        let specs = specs(&from, vars, build);
        build.cache_to.extend(specs);
    }
    let strings = |build: &Build, name: &str| -> Vec<Setting<Value>> {
        let items = all(layers, name);
        items
            .iter()
            .map(|from| setting(value_of(&text(from).text), from.node.span, &from.layer.file, build))
            .collect()
    };
    build.platforms = strings(build, "platforms");
    build.no_cache_filter = strings(build, "no_cache_filter");
    let image = layers.iter().rev().find_map(|layer| Some(From { node: layer.node.get("image")?, layer }));
    if let Some(from) = image {
        build.tags.push(setting(value_of(&text(&from).text), from.node.span, &from.layer.file, build));
    }
    let tags = strings(build, "tags");
    build.tags.extend(tags);
    for pair in pairs(layers, "args") {
        argument(build, pair, vars);
    }
    for Pair { name, from, at } in pairs(layers, "additional_contexts") {
        let Some(at) = at else { continue };
        let text = text(&from);
        let text = text.text.get(at..).unwrap_or("");
        let source = match text.strip_prefix("service:") {
            Some(service) => ContextSource::Target(service.to_owned()),
            None => {
                context_source(defaulted(text.to_owned()).text(), |path| inside(&from.layer.directory, path))
            }
        };
        let source = setting(source, from.node.span, &from.layer.file, build);
        build.contexts.push((name, source));
    }
}

/// What `x-bake` adds when bake reads the file (facts §7.2): it replaces what `build` says.
pub(crate) fn bake_extension(build: &mut Build, layers: &[Layer<'_>], vars: &Vars) {
    for layer in layers {
        let Some(section) = layer.node.at(&["build", "x-bake"]) else { continue };
        let list = |name: &str| -> Vec<From<'_, '_>> {
            let Some(node) = section.get(name) else { return Vec::new() };
            if node.is_seq() {
                node.items().iter().map(|node| From { node, layer }).collect()
            } else {
                vec![From { node, layer }]
            }
        };
        let replace = |build: &Build, name: &str| -> Option<Vec<Setting<CacheSpec>>> {
            section.get(name)?;
            Some(list(name).iter().flat_map(|from| specs(from, vars, build)).collect())
        };
        if let Some(specs) = replace(build, "cache-from") {
            build.cache_from = specs;
        }
        if let Some(specs) = replace(build, "cache-to") {
            build.cache_to = specs;
        }
        let values = |build: &Build, name: &str| -> Option<Vec<Setting<Value>>> {
            section.get(name)?;
            let value = |from: &From<'_, '_>| {
                let text = vars.expand(&placed(from.node)).text;
                setting(value_of(&text), from.node.span, &from.layer.file, build)
            };
            Some(list(name).iter().map(value).collect())
        };
        if let Some(tags) = values(build, "tags") {
            build.tags = tags;
        }
        if let Some(platforms) = values(build, "platforms") {
            build.platforms = platforms;
        }
        if let Some(filter) = values(build, "no-cache-filter") {
            build.no_cache_filter = filter;
        }
        for (name, field) in [("no-cache", 0), ("pull", 1)] {
            let value = values(build, name).and_then(|values| values.into_iter().next());
            match (field, value) {
                (0, Some(value)) => build.no_cache = Some(value),
                (_, Some(value)) => build.pull = Some(value),
                _ => {}
            }
        }
        for from in list("output") {
            let arg = crate::builds::Arg { text: vars.expand(&placed(from.node)), ..Default::default() };
            if let Some(output) = cachespec::parse_output(&arg) {
                crate::builds::command::pushed_by(build, &output);
                build.outputs.push(output);
            }
        }
    }
}

/// Context and Dockerfile.
fn place(build: &mut Build, layers: &[Layer<'_>], vars: &Vars, files: Files<'_>) {
    let context = last(layers, "context");
    let (source, span, file) = match &context {
        Some(from) => {
            let text = defaulted(vars.expand(&placed(from.node)).text);
            let source = context_source(text.text(), |path| inside(&from.layer.directory, path));
            (source, from.node.span, from.layer.file.clone())
        }
        None => {
            let directory = layers.last().map_or("", |layer| &*layer.directory);
            (ContextSource::Path(directory.to_owned()), build.span, build.path.clone())
        }
    };
    let directory = match &source {
        ContextSource::Path(path) => Some(path.clone()),
        ContextSource::Git { own: true, subdir } => Some(subdir.clone()),
        _ => None,
    };
    let named = last(layers, "dockerfile");
    build.dockerfile = match &named {
        Some(from) => {
            let path = named_dockerfile(from, directory.as_deref(), vars, files);
            path.map(|path| setting(path, from.node.span, &from.layer.file, build))
        }
        None => directory.and_then(|directory| {
            let upper = join(&directory, "Dockerfile")?;
            let lower = join(&directory, "dockerfile").filter(|path| files(path).is_some());
            let path = if files(&upper).is_some() { upper } else { lower.unwrap_or(upper) };
            Some(setting(path, span, &file, build))
        }),
    };
    build.context = setting(source, span, &file, build);
}

/// The path that `dockerfile` names, inside of the context.
fn named_dockerfile(
    from: &From<'_, '_>,
    directory: Option<&str>,
    vars: &Vars,
    files: Files<'_>,
) -> Option<String> {
    let text = defaulted(vars.expand(&placed(from.node)).text);
    match text.known() {
        Some(text) => join(directory?, text),
        // A variable that nobody sets is empty for Compose; where the file is there, that is meant.
        None => join(directory?, &without_variables(text.text())).filter(|path| files(path).is_some()),
    }
}

/// The text with every variable that is left in it taken out.
fn without_variables(text: &str) -> String {
    use crate::builds::value::{Piece, pieces};
    pieces(text).filter_map(|piece| if let Piece::Text(text) = piece { Some(text) } else { None }).collect()
}

/// A directory relative to that of its file. Outside of the project, or with unknown parts, it is not known.
fn inside(directory: &str, path: &str) -> Option<String> {
    let path = path
        .strip_prefix("${PWD}")
        .or_else(|| path.strip_prefix("$PWD"))
        .map_or(path, |rest| rest.trim_start_matches('/'));
    if path.contains(['$', '`']) { None } else { join(directory, path) }
}

fn argument(build: &mut Build, Pair { name, from, at }: Pair<'_, '_>, vars: &Vars) {
    let span = from.node.span;
    let value = match at {
        Some(at) => {
            let text = placed(from.node);
            let text = text.slice(at..text.text.len());
            value_of(&vars.expand(&text).text)
        }
        None => match vars.get(&name) {
            Some(var) => Value::of(var.text.text.as_str()),
            None => Value::Symbolic {
                text: format!("${name}"),
                volatility: name_volatility(&name).max(Volatility::Unknown),
            },
        },
    };
    if name == "BUILDKIT_INLINE_CACHE" && value.known().is_some_and(crate::builds::command::go_true) {
        let kind = setting(Value::Known("inline".to_owned()), span, &from.layer.file, build);
        let spec = CacheSpec { kind, attrs: Vec::new(), bare: false };
        let spec = setting(spec, span, &from.layer.file, build);
        build.cache_to.push(spec);
    }
    let value = setting(value, span, &from.layer.file, build);
    build.args.push((name, value));
}

/// Cache specs of one item: a text, or a mapping of attributes.
fn specs(from: &From<'_, '_>, vars: &Vars, build: &Build) -> Vec<Setting<CacheSpec>> {
    let file = &from.layer.file;
    let mut specs = if from.node.is_map() {
        let pairs = from.node.entries().iter().filter_map(|entry| {
            let text = vars.expand(&Placed::joined(entry.value.text()?));
            Some((entry.name()?.to_owned(), Setting::new(value_of(&text.text), entry.span())))
        });
        vec![cachespec::from_pairs(from.node.span, pairs)]
    } else {
        cachespec::parse(&placed(from.node), vars).specs
    };
    if *file != build.path {
        for spec in &mut specs {
            spec.path = Some(file.clone());
            spec.value.kind.path = Some(file.clone());
            spec.value.attrs.iter_mut().for_each(|(_, value)| value.path = Some(file.clone()));
        }
    }
    specs
}

fn placed(node: &Node<'_>) -> Placed {
    node.text().map(Placed::joined).unwrap_or_default()
}

/// The value of `build.NAME` in the strongest layer that has it. `build: DIR` is its context.
fn last<'l, 'a>(layers: &'l [Layer<'a>], name: &str) -> Option<From<'l, 'a>> {
    for layer in layers.iter().rev() {
        let Some(section) = layer.node.get("build") else { continue };
        let node = match section.str() {
            Some(_) if name == "context" && !section.is_null() => Some(section),
            Some(_) => None,
            None => section.get(name),
        };
        if let Some(node) = node {
            return (node.tag.as_deref() != Some("!reset") && !node.is_null())
                .then_some(From { node, layer });
        }
        if matches!(section.tag.as_deref(), Some("!reset" | "!override")) {
            return None;
        }
    }
    None
}

/// The items of `build.NAME` of all layers; one scalar is a list of one.
fn all<'l, 'a>(layers: &'l [Layer<'a>], name: &str) -> Vec<From<'l, 'a>> {
    let mut out = Vec::new();
    for layer in layers {
        let Some(section) = layer.node.get("build") else { continue };
        if matches!(section.tag.as_deref(), Some("!reset" | "!override")) {
            out.clear();
        }
        let Some(node) = section.get(name) else { continue };
        if matches!(node.tag.as_deref(), Some("!reset" | "!override")) {
            out.clear();
        }
        if node.tag.as_deref() == Some("!reset") {
            continue;
        }
        if node.is_seq() {
            out.extend(node.items().iter().map(|node| From { node, layer }));
        } else if !node.is_null() {
            out.push(From { node, layer });
        }
    }
    out
}

/// An entry of a mapping or of a list of `key=value`.
struct Pair<'l, 'a> {
    name: String,
    from: From<'l, 'a>,
    /// Where the value starts in its node's text; `None` for a name alone.
    at: Option<usize>,
}

/// The entries of `build.NAME`, the strongest layer winning.
fn pairs<'l, 'a>(layers: &'l [Layer<'a>], name: &str) -> Vec<Pair<'l, 'a>> {
    let mut out: Vec<Pair<'l, 'a>> = Vec::new();
    let mut known: FxHashMap<String, usize> = FxHashMap::default();
    let mut put = |pair: Pair<'l, 'a>| match known.get(&pair.name).and_then(|index| out.get_mut(*index)) {
        Some(old) => *old = pair,
        None => {
            known.insert(pair.name.clone(), out.len());
            out.push(pair);
        }
    };
    for layer in layers {
        let Some(node) = layer.node.get("build").and_then(|section| section.get(name)) else { continue };
        for entry in node.entries() {
            if let Some(name) = entry.name() {
                let at = (!entry.value.is_null()).then_some(0);
                put(Pair { name: name.to_owned(), from: From { node: &entry.value, layer }, at });
            }
        }
        for item in node.items() {
            let Some(text) = item.str() else { continue };
            let at = text.find('=');
            let name = text.get(..at.unwrap_or(text.len())).unwrap_or("").to_owned();
            put(Pair { name, from: From { node: item, layer }, at: at.map(|at| at + 1) });
        }
    }
    out
}
