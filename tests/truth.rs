//! Conformance: the model replays builds that were recorded from a real BuildKit (`fixtures/truth/README.md`).
//!
//! `HITRATE_TRUTH` names another folder of scenarios. Not under the test harness, so that the closing line is always seen.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test without the harness that clippy knows

use hitrate::cache::{
    Build, Definition, Digest, Export, ExportMode, Files, NoCache, Prune, Remote, Store, Verdict,
};
use hitrate::context::{ContentId, Context, Entry, File, Ignore, Tree, own_ignore_file};
use hitrate::dockerfile;
use hitrate::graph::{Graph, ImageConfig, NamedContext, Options, Source, StepId, StepKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Default)]
struct Tally {
    scenarios: usize,
    builds: usize,
    steps: usize,
    agree: usize,
    depend: usize,
    disagreements: Vec<String>,
}

fn main() {
    let folder = std::env::var_os("HITRATE_TRUTH")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth"), PathBuf::from);
    let mut files = Vec::new();
    for theme in
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        files.extend(std::fs::read_dir(theme).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut tally = Tally::default();
    for file in files {
        let scenario: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        Replay::new(&scenario).run(&mut tally);
    }
    for disagreement in &tally.disagreements {
        println!("{disagreement}");
    }
    println!(
        "truth: {} scenarios, {} builds, {} steps: {} agree, {} depend, {} disagree",
        tally.scenarios,
        tally.builds,
        tally.steps,
        tally.agree,
        tally.depend,
        tally.disagreements.len()
    );
    assert!(tally.scenarios > 0, "no scenarios below {}", folder.display());
    assert!(tally.steps > 0 && tally.disagreements.is_empty(), "the model disagrees with BuildKit");
}

/// Which steps may be [`Verdict::Depends`]: those below a content-hashed input of a RUN that ran again, be it where an image
/// was built, by step index.
fn may_depend(graph: &Graph<'_>, ran: &dyn Fn(StepId) -> bool, rebuilt: &dyn Fn(&str) -> bool) -> Vec<bool> {
    let mut open = vec![false; graph.steps.len()];
    // Whether what a stage leaves is, in part, the output of a RUN that ran again; and whether its last step is open.
    let mut left = vec![(false, false); graph.stages.len()];
    for (index, stage) in graph.stages.iter().enumerate() {
        let of = |source: &Source| match source {
            Source::Stage(from) => left[*from],
            Source::Image(reference) => (rebuilt(reference), false),
            _ => (false, false),
        };
        let mut here = match &stage.base {
            hitrate::graph::Base::Stage(parent) => left[*parent],
            hitrate::graph::Base::Image(reference) => (rebuilt(reference), false),
            _ => (false, false),
        };
        for (id, step) in graph.steps_of(index) {
            let taken: Vec<(bool, bool)> = match &step.kind {
                StepKind::Copy(copy) => vec![of(&copy.from)],
                StepKind::Run(run) => run.mounts.iter().map(|mount| of(&mount.from)).collect(),
                _ => Vec::new(),
            };
            here.1 |= taken.iter().any(|(output, below)| *output || *below);
            here.0 |= taken.iter().any(|(output, _)| *output)
                || (matches!(step.kind, StepKind::Run(_)) && (ran(id) || here.1));
            open[id.index()] = here.1;
        }
        left[index] = here;
    }
    open
}

struct Replay<'s> {
    scenario: &'s Value,
    store: Store,
    images: BTreeMap<String, ImageConfig>,
    remotes: BTreeMap<String, Remote>,
    /// What each image was last built from.
    built: BTreeMap<String, &'s Value>,
    /// Images that were pushed anew, built with a RUN before or now.
    rebuilt: BTreeSet<String>,
}

impl<'s> Replay<'s> {
    fn new(scenario: &'s Value) -> Self {
        Self {
            scenario,
            store: Store::new(),
            images: BTreeMap::new(),
            remotes: BTreeMap::new(),
            built: BTreeMap::new(),
            rebuilt: BTreeSet::new(),
        }
    }

    fn run(mut self, tally: &mut Tally) {
        tally.scenarios += 1;
        for (reference, image) in entries(&self.scenario["images"]) {
            self.push_image(reference, image);
        }
        for (path, file) in entries(&self.scenario["http"]) {
            self.serve(path, file);
        }
        let builds = self.scenario["builds"].as_array().unwrap();
        let truths = self.scenario["truth"].as_array().unwrap();
        for (build, truth) in builds.iter().zip(truths) {
            for change in build["change"].as_array().into_iter().flatten() {
                self.change(build, change);
            }
            tally.builds += 1;
            self.build(build, truth, tally);
        }
    }

    fn change(&mut self, build: &Value, change: &'s Value) {
        match text(&change["op"]) {
            "image" => self.push_image(text(&change["ref"]), change),
            "http" => self.serve(text(&change["path"]), change),
            "prune" => {
                let args: Vec<&str> = change["args"].as_array().into_iter().flatten().map(text).collect();
                let what = match args.as_slice() {
                    ["--filter", "type==exec.cachemount"] => Prune::Mounts,
                    ["--filter", "type==regular"] => Prune::Layers,
                    ["--filter", filter] if filter.starts_with("type==") => return,
                    // Everything here was used within the hour and is far smaller than the limit (in MB).
                    ["--keep-duration" | "--keep-storage", _] => return,
                    _ => Prune::All,
                };
                self.store.prune(builder_of(build), what);
            }
            "delete_registry_tag" => self.store.remove_ref(&registry(text(&change["ref"]))),
            "delete_local_cache" => {
                let folder = ["path", "dest", "src", "dir", "name"]
                    .iter()
                    .map(|key| text(&change[*key]))
                    .find(|text| !text.is_empty());
                self.store.remove_ref(&local(folder.unwrap_or(""), ""));
            }
            // The rest is in the context and the Dockerfile that are recorded with each build.
            _ => {}
        }
    }

    fn push_image(&mut self, reference: &str, image: &'s Value) {
        let source = text(&image["dockerfile"]);
        let runs = |image: &Value| text(&image["dockerfile"]).lines().any(|line| line.starts_with("RUN "));
        if let Some(before) = self.built.insert(registry(reference), image)
            && (before["dockerfile"] != image["dockerfile"] || before["files"] != image["files"])
            && (runs(before) || runs(image))
        {
            self.rebuilt.insert(registry(reference));
        }
        let parsed = dockerfile::parse(source);
        let options = Options { images: self.images.clone(), ..Options::default() };
        let graph = Graph::new(&parsed, &options);
        let definition = Definition::new(&graph, &options, &NoCache::Never);
        let tree = tree(&image["files"]);
        let build = Build { context: Files::Known(Arc::new(tree)), ..Build::new(&definition, "images") };
        let digest = Digest::of("image", &[source.as_bytes(), image["files"].to_string().as_bytes()]);
        self.store.push_image(reference, digest, &build);
        self.store.remove_ref(&registry(reference));
        let state = &graph.stages.last().unwrap().state;
        let env =
            state.image_env.iter().map(|variable| (variable.name.to_string(), variable.value.to_string()));
        let config = ImageConfig {
            env: env.collect(),
            cwd: (state.cwd != "/").then(|| state.cwd.to_string()),
            user: (!state.user.is_empty()).then(|| state.user.to_string()),
            shell: Some(state.shell.iter().map(ToString::to_string).collect()),
        };
        self.images.insert(reference.to_owned(), config);
    }

    fn serve(&mut self, path: &str, file: &Value) {
        let content = Digest::of("served", &[file["content"].to_string().as_bytes()]);
        let modified = text(&file["last_modified"]).to_owned();
        self.remotes.insert(format!("http://127.0.0.1:8000{path}"), Remote { content, modified });
    }

    fn build(&mut self, build: &Value, truth: &Value, tally: &mut Tally) {
        let source = text(&truth["dockerfile"]);
        let parsed = dockerfile::parse(source);
        let options = self.options(build);
        let graph = Graph::new(&parsed, &options);
        let no_cache = match (&build["no_cache"], &build["no_cache_filter"]) {
            (Value::Bool(true), _) => NoCache::All,
            (_, Value::Array(stages)) => {
                NoCache::Stages(stages.iter().map(|stage| text(stage).to_owned()).collect())
            }
            _ => NoCache::Never,
        };
        let definition = Definition::new(&graph, &options, &no_cache);
        let steps = truth["steps"].as_array().unwrap();
        let status = |step: &Value| text(&step["status"]).to_owned();
        let failed = truth["exit"].as_i64() != Some(0);
        let fails_at_line = steps.iter().find(|step| status(step) == "FAILED").map(line);
        let index = hitrate::source::LineIndex::new(source);
        let line_of = |id: StepId| index.line(graph.steps[id.index()].instruction.span.start);
        let fails_at = graph
            .all_steps()
            .map(|(id, _)| id)
            .find(|id| Some(line_of(*id)) == fails_at_line.map(|line| line as u32));
        let nothing_ran =
            steps.iter().all(|step| !matches!(status(step).as_str(), "EXECUTED" | "CACHED" | "RESOLVED"));
        if failed && fails_at.is_none() && nothing_ran {
            return;
        }
        let pushed = text(&build["output"]["type"]) == "image" && flag(&build["output"]["push"]);
        let image = registry(text(&build["output"]["name"]));
        let request = Build {
            context: Files::Known(Arc::new(visible(build, &truth["context"]))),
            contexts: entries(&build["contexts"])
                .filter(|(_, value)| value.is_object())
                .map(|(name, value)| (name.to_owned(), Files::Known(Arc::new(tree(value)))))
                .collect(),
            remotes: self.remotes.clone(),
            imports: list(&build["cache_from"]).filter_map(import).collect(),
            exports: if failed { Vec::new() } else { exports(build, truth, pushed, &image) },
            pushed,
            fails_at,
            ..Build::new(&definition, builder_of(build))
        };
        let asked = self.store.clone().ask(&request);
        let outcome = self.store.simulate(&request);
        if asked != outcome {
            let name = text(&self.scenario["name"]);
            tally
                .disagreements
                .push(format!("{name} build {:?}: asked, it is told otherwise", build["label"]));
        }
        if pushed && !request.exports.iter().any(|export| export.to == image) {
            // An image without inline cache took the ref's place.
            self.store.remove_ref(&image);
        }
        let variants: Vec<&Value> = list(&self.scenario["truth_variants"][text(&build["label"])])
            .map(|variant| &variant["build"])
            .filter(|variant| variant.is_object())
            .collect();
        let ran = |id: StepId| {
            let recorded = steps.iter().find(|step| line(step) == u64::from(line_of(id)));
            recorded.is_some_and(|step| status(step) == "EXECUTED")
        };
        let may_depend = may_depend(&graph, &ran, &|image| self.rebuilt.contains(&registry(image)));
        for (id, step) in graph.all_steps() {
            let keyword = step.instruction.keyword.name();
            let truth_of =
                |truth: &'s Value| list(&truth["steps"]).find(|step| line(step) == u64::from(line_of(id)));
            let scenario_truth = list(&self.scenario["truth"]).find(|other| other["label"] == truth["label"]);
            let Some(recorded) = scenario_truth.and_then(truth_of) else { continue };
            let verdict = outcome.verdict(id);
            let said = judge(keyword, recorded, &verdict);
            let Some(right) = said else { continue };
            tally.steps += 1;
            let any_variant = variants
                .iter()
                .filter_map(|variant| {
                    list(&variant["steps"]).find(|step| line(step) == u64::from(line_of(id)))
                })
                .any(|step| judge(keyword, step, &verdict) == Some(true));
            let may_depend = may_depend[id.index()] || !variants.is_empty();
            if right || any_variant {
                tally.agree += 1;
            } else if verdict == Verdict::Depends && may_depend {
                tally.depend += 1;
            } else {
                tally.disagreements.push(format!(
                    "{} build {:?} line {}: {:?} is {} ({}), the model says {verdict:?} because {:?}",
                    text(&self.scenario["name"]),
                    text(&build["label"]),
                    line_of(id),
                    text(&recorded["text"]),
                    text(&recorded["status"]),
                    recorded["how"],
                    outcome.reason(id),
                ));
            }
        }
    }

    fn options(&self, build: &Value) -> Options {
        let mut options = Options { images: self.images.clone(), ..Options::default() };
        options.target = Some(text(&build["target"]).to_owned()).filter(|target| !target.is_empty());
        options.args = entries(&build["build_args"])
            .map(|(name, value)| (name.to_owned(), text(value).to_owned()))
            .collect();
        for (name, value) in entries(&build["opts"]) {
            match name {
                "hostname" => options.hostname = Some(text(value).to_owned()),
                "force-network-mode" => options.network = text(value).to_owned(),
                "add-hosts" => {
                    let names =
                        text(value).split(',').map(|host| host.split('=').next().unwrap_or("").to_owned());
                    options.run_meta.extend(names);
                }
                "ulimit" | "shm-size" | "cgroup-parent" => {
                    options.run_meta.push(format!("{name}={}", text(value)))
                }
                _ => {
                    if let Some(name) = name.strip_prefix("build-arg:") {
                        options.args.push((name.to_owned(), text(value).to_owned()));
                    }
                }
            }
        }
        for (name, value) in entries(&build["contexts"]) {
            let context = match value.as_str().and_then(|text| text.strip_prefix("docker-image://")) {
                Some(reference) => NamedContext::Image(reference.to_owned()),
                None => NamedContext::Directory,
            };
            options.contexts.insert(name.to_owned(), context);
        }
        options
    }
}

/// Whether the verdict is right; `None` where nothing is compared.
fn judge(keyword: &str, recorded: &Value, verdict: &Verdict) -> Option<bool> {
    let status = text(&recorded["status"]);
    if keyword == "FROM" {
        // A FROM that is fetched again for lack of its content is no verdict of the cache.
        return None;
    }
    match (status, text(&recorded["why"])) {
        ("CACHED", _) => Some(*verdict == Verdict::Cached),
        ("EXECUTED", _) => Some(*verdict == Verdict::Reruns),
        ("ABSENT", "not-in-graph") => Some(*verdict == Verdict::Skipped),
        _ => None,
    }
}

fn exports(build: &Value, truth: &Value, pushed: bool, image: &str) -> Vec<Export> {
    let refused = |kind: &str| {
        list(&truth["internal"]).any(|vertex| {
            text(&vertex["status"]) == "FAILED"
                && text(&vertex["name"]).starts_with("exporting")
                && text(&vertex["name"]).contains(kind)
        })
    };
    let of = |attrs: &Value| {
        let mode = if text(&attrs["mode"]) == "max" { ExportMode::Max } else { ExportMode::Min };
        match text(&attrs["type"]) {
            "inline" if pushed => Some(Export { to: image.to_owned(), mode: ExportMode::Inline }),
            "registry" if !refused("registry") => Some(Export { to: registry(text(&attrs["ref"])), mode }),
            "local" => Some(Export { to: local(text(&attrs["dest"]), text(&attrs["tag"])), mode }),
            _ => None,
        }
    };
    list(&build["cache_to"]).filter_map(of).collect()
}

fn import(attrs: &Value) -> Option<String> {
    match text(&attrs["type"]) {
        "registry" => Some(registry(text(&attrs["ref"]))),
        "local" => Some(local(text(&attrs["src"]), text(&attrs["tag"]))),
        _ => None,
    }
}

fn registry(reference: &str) -> String {
    let tagged = reference.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { reference.to_owned() } else { format!("{reference}:latest") }
}

fn local(folder: &str, tag: &str) -> String {
    format!("local:{}:{}", folder.trim_end_matches('/'), if tag.is_empty() { "latest" } else { tag })
}

fn builder_of(build: &Value) -> &str {
    build["builder"].as_str().unwrap_or("A")
}

fn visible(build: &Value, context: &Value) -> Tree {
    let name = build["dockerfile_name"].as_str().unwrap_or("Dockerfile");
    let ignore = [own_ignore_file(name), ".dockerignore".to_owned()]
        .iter()
        .find_map(|path| context[path.as_str()]["content"].as_str())
        .unwrap_or("")
        .to_owned();
    Context::new(tree(context), Ignore::parse(&ignore)).visible().clone()
}

fn tree(files: &Value) -> Tree {
    let mut tree = Tree::default();
    for (path, file) in entries(files) {
        let mode = |default| match &file["mode"] {
            Value::String(mode) => u32::from_str_radix(mode, 8).unwrap(),
            Value::Number(mode) => u32::try_from(mode.as_u64().unwrap()).unwrap(),
            _ => default,
        };
        let entry = match (text(&file["type"]), file) {
            ("symlink", _) => Entry::Symlink { target: text(&file["target"]).into() },
            ("dir", _) => Entry::Directory { mode: mode(0o755) },
            (_, Value::String(content)) => Entry::file(ContentId::of_bytes(content.as_bytes()), false),
            _ => {
                let content =
                    ["content", "base64", "tar"].iter().map(|key| file[*key].to_string()).collect::<String>();
                // Plain text has one identity however it is written down.
                let content = file["content"].as_str().map_or(content, str::to_owned);
                Entry::File(File {
                    mode: mode(0o644),
                    content: ContentId::of_bytes(content.as_bytes()),
                    text: None,
                })
            }
        };
        tree.insert(path, entry);
    }
    tree
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| text(value) == "true")
}

fn line(step: &Value) -> u64 {
    step["line"].as_u64().unwrap_or(0)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}
