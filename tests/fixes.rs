//! Every fix is held against the model: on every example of every page and in every case, alone and to the end.
//!
//! What is asked of the file with a fix applied: it parses; the finding is gone and no other has come; after every change of a
//! file, an argument or the base no step runs again that did not before, and for the rules in [`FASTER`] after one change at least
//! one step fewer does; every step, the end of the image among them, finds the same files of the context at the same
//! places, the same variables, user and directory, except a step that the fix has freed from what it no longer sees;
//! no step reaches for what a new mount covers; and fixing again changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test

#[path = "rules/page.rs"]
#[allow(dead_code)] // the page's form is tested elsewhere
mod page;

use hitrate::cache::{Change, Setting, Standing, Verdict, setting_of};
use hitrate::dockerfile::{self, Kind};
use hitrate::engine::{self, Memory, Report};
use hitrate::fix::{self, Fix, Safety, Texts};
use hitrate::graph::{MountKind, StepId, StepKind};
use hitrate::project::{FileKind, Project, classify};
use hitrate::rules::{self, Category, DockerfileCx, Finding};
use hitrate::settings::{ConfigFile, FILE_NAME, Flags, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

type Files = BTreeMap<String, String>;

/// Rules whose fix saves a step after some change, by the model. Those of cache mounts save what a step does, not the step.
const FASTER: &[&str] = &[
    "broad-copy-before-install",
    "chmod-after-copy",
    "copy-without-link",
    "min-cache-multi-stage",
    "volatile-arg-early",
    "volatile-env-early",
];

/// Fixes of those that only take away what does nothing, by the start of their title.
const AS_FAST: &[(&str, &str)] = &[("copy-without-link", "drop")];

/// Rules whose fix makes a step run again after a change that it did not see, because it has to.
const MEANT_TO_RUN: &[&str] = &["missing-lockfile", "dockerignore-ineffective"];

/// Rules whose fix brings a file to a step that was without it.
const BRINGS: &[&str] = &["missing-lockfile"];

/// Rules whose fix takes files out of the context that nobody needs.
const LEAVES_OUT: &[&str] = &["context-noise", "dockerignore-ineffective", "git-context"];

#[test]
fn every_fix_keeps_what_it_must_and_saves_what_it_says() {
    engine::silence_guarded_panics();
    let mut wrong: Vec<String> = Vec::new();
    let (mut projects, mut fixes) = (0, 0);
    let mut faster: BTreeSet<&str> = BTreeSet::new();
    let mut rules_seen: BTreeSet<&str> = BTreeSet::new();
    for (name, files) in all_projects() {
        projects += 1;
        let report = analyze(&files);
        for finding in &report.findings {
            let Some(fix) = finding.fix.as_ref().filter(|_| finding.category != Category::Hitrate) else {
                continue;
            };
            fixes += 1;
            rules_seen.insert(finding.rule);
            // Equal RUNs of two stages are one step: they are mended together.
            let twins = || {
                let same = |other: &&Fix| other.title == fix.title;
                report
                    .findings
                    .iter()
                    .filter_map(|other| other.fix.as_ref())
                    .filter(same)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            let alone = prove(&files, &report, finding, std::slice::from_ref(fix));
            match alone.or_else(|message| match twins() {
                twins if twins.len() > 1 => prove(&files, &report, finding, &twins),
                _ => Err(message),
            }) {
                Ok(Proof { saves }) => {
                    if saves {
                        faster.insert(finding.rule);
                    }
                    let idle = AS_FAST
                        .iter()
                        .any(|(rule, title)| *rule == finding.rule && fix.title.starts_with(title));
                    if !saves && !idle && FASTER.contains(&finding.rule) {
                        wrong.push(format!("{name}: {}: {}: saves no step", finding.rule, fix.title));
                    }
                }
                Err(message) => wrong.push(format!("{name}: {}: {}: {message}", finding.rule, fix.title)),
            }
        }
        if let Err(message) = to_the_end(&files) {
            wrong.push(format!("{name}: {message}"));
        }
    }
    println!(
        "fixes: {fixes} of {} rules in {projects} projects; fewer steps with {faster:?}",
        rules_seen.len()
    );
    assert!(fixes > 60, "only {fixes} fixes were looked at");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every example of every page and every case, with a name.
fn all_projects() -> Vec<(String, Files)> {
    let mut found = Vec::new();
    for rule in rules::ALL {
        let meta = rule.meta();
        for example in page::examples(meta.docs).unwrap() {
            found.push((format!("rules/{}.md:{}", meta.name, example.line), example.files));
        }
    }
    for folder in ["fixtures/cases", "examples"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut cases: Vec<_> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        cases.sort();
        for case in cases {
            let mut files = Files::new();
            read(&case, "", &mut files);
            files.remove("expect.json");
            found.push((format!("{folder}/{}", case.file_name().unwrap().to_string_lossy()), files));
        }
    }
    found
}

fn read(directory: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            files.insert(name, text);
        }
    }
}

struct Proof {
    /// Whether after some change fewer steps run.
    saves: bool,
}

fn prove(files: &Files, before: &Report, finding: &Finding, fixes: &[Fix]) -> Result<Proof, String> {
    let selection = fix::select(fixes, Safety::Unsafe);
    let mut fixed = files.clone();
    for (path, edits) in &selection.edits {
        let old = files.get(&**path).map_or("", String::as_str);
        fixed.insert(path.to_string(), fix::apply(old, edits));
    }
    if fixed == *files {
        return Err("changes nothing".into());
    }
    let after = analyze(&fixed);
    if let Some(error) = after.errors.first() {
        return Err(format!("{}: {}", error.path, error.message));
    }
    findings(before, &after, finding)?;
    let mut saves = false;
    for path in files.keys().filter(|path| classify(path) == Some(FileKind::Dockerfile)) {
        let count = |text: &str| dockerfile::parse(text).problems().count();
        if count(&fixed[path]) > count(&files[path]) {
            return Err(format!("{path} does not parse any more"));
        }
        let changes = changes(files, path);
        let (Some(old), Some(new)) = (shot(files, path, &changes), shot(&fixed, path, &changes)) else {
            continue;
        };
        saves |= compare(finding, &old, &new)?;
    }
    Ok(Proof { saves })
}

/// The finding is gone, and none has come.
fn findings(before: &Report, after: &Report, fixed: &Finding) -> Result<(), String> {
    let count = |report: &Report, rule: &str| report.findings.iter().filter(|f| f.rule == rule).count();
    if count(after, fixed.rule) >= count(before, fixed.rule) {
        return Err("the finding is still there".into());
    }
    // What the fix makes worth keeping, an exporter in another file may not keep.
    let elsewhere = |f: &Finding| f.category == Category::Export && fixed.category != Category::Export;
    // Only where an ignore file holds is there something to say of it.
    let holds = |f: &Finding| fixed.rule == "git-context" && f.category == Category::Context;
    let new = |f: &&Finding| !elsewhere(f) && !holds(f) && count(after, f.rule) > count(before, f.rule);
    match after.findings.iter().find(new) {
        Some(new) => Err(format!("raises {}: {}", new.rule, new.message)),
        None => Ok(()),
    }
}

/// All fixes until none is left, and then once more.
fn to_the_end(files: &Files) -> Result<(), String> {
    for allow in [Safety::Safe, Safety::Unsafe] {
        let run = |files: &Files| {
            fix::run(
                |path| files.get(path).cloned(),
                allow,
                |changed: &Texts| {
                    let found = analyze(&overlay(files, changed)).findings;
                    found
                        .into_iter()
                        .filter(|f| f.category != Category::Hitrate)
                        .filter_map(|f| f.fix)
                        .collect()
                },
            )
        };
        let first = run(files);
        if !first.converged {
            return Err(format!("{} fixes do not come to an end", allow.name()));
        }
        let again = run(&overlay(files, &first.changed));
        if !again.changed.is_empty() {
            return Err(format!("a second run with {} fixes changes something", allow.name()));
        }
    }
    Ok(())
}

fn overlay(files: &Files, changed: &Texts) -> Files {
    let mut files = files.clone();
    files.extend(changed.iter().map(|(path, text)| (path.to_string(), text.clone())));
    files
}

fn project(files: &Files) -> Project {
    Project::in_memory(files.clone())
}

fn settings(files: &Files) -> Settings {
    let selectors: Vec<&str> = rules::selectors().collect();
    let text = files.get(FILE_NAME).map_or("[rules]\nselect = [\"all\"]\n", String::as_str);
    let file = ConfigFile::parse(text, FILE_NAME, &selectors).unwrap();
    Settings::new(vec![(String::new(), FILE_NAME.to_owned(), file)], &Flags::default()).unwrap()
}

fn analyze(files: &Files) -> Report {
    engine::analyze(&project(files), &settings(files))
}

fn look<T>(files: &Files, path: &str, look: impl FnOnce(&DockerfileCx<'_>) -> T) -> Option<T> {
    engine::look(&project(files), &Arc::new(settings(files)), &Memory::default(), path, look)
}

/// A Dockerfile as the model sees it, as plain data that two texts can be compared by.
struct Shot {
    steps: Vec<StepShot>,
    /// The steps that run again, by change.
    reruns: Vec<(String, BTreeSet<usize>)>,
    /// Environment of the image, its user and directory.
    image: (BTreeMap<String, String>, String, String),
    problems: usize,
}

struct StepShot {
    /// Stage, keyword and words without flags; equal ones are numbered.
    key: (usize, String, usize),
    /// Number among the RUNs of its stage.
    run: Option<usize>,
    text: String,
    stage: usize,
    /// Variables, user, directory.
    state: (BTreeMap<String, String>, String, String),
    /// What stands at every place of interest.
    sees: BTreeMap<String, Standing>,
    /// Targets of its cache mounts.
    mounts: BTreeSet<String>,
    /// What a `COPY --from` of a stage takes: the stage and absolute paths.
    takes: Option<(usize, Vec<String>)>,
    /// The stages that this one is built from, itself first.
    chain: Vec<usize>,
}

/// What may differ between two builds: typical edits, a new file, every argument, the bases.
fn changes(files: &Files, path: &str) -> Vec<(String, Change)> {
    let edit = |path: &str| (format!("an edit of {path}"), Change::Edit(vec![path.to_owned()]));
    let mut found = vec![("another base".to_owned(), Change::Base(None)), edit("src/a-new-file.txt")];
    found.extend(files.keys().take(24).map(|path| edit(path)));
    let of_model = look(files, path, |cx| {
        let bases = (0..cx.graph().stages.len()).filter_map(|stage| cx.graph().base_image(stage));
        let bases = bases.map(|base| (format!("another {base}"), Change::Base(Some(base.to_owned()))));
        let edits = cx.model().typical_edits().iter().map(|(_, path)| edit(path));
        let args = cx.syntax.instructions().filter_map(|instruction| match &instruction.kind {
            Kind::Arg(decls) => Some(decls.iter().map(|decl| decl.name.text.to_string())),
            _ => None,
        });
        let args = args.flatten().map(|name| (format!("another {name}"), Change::Arg(name, None)));
        edits.chain(args).chain(bases).collect::<Vec<_>>()
    });
    found.extend(of_model.into_iter().flatten());
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

fn shot(files: &Files, path: &str, changes: &[(String, Change)]) -> Option<Shot> {
    // A last RUN sees what is in the image.
    let mut files = files.clone();
    let text = files.get_mut(path)?;
    let stages = dockerfile::parse(text).instructions().filter(|i| matches!(i.kind, Kind::From(_))).count();
    if stages == 0 {
        return None;
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("RUN [\"end\"]\n");
    let bumped = bumped(text);
    look(&files, path, |cx| {
        let places = places(cx);
        let graph = cx.graph();
        let mut counts: BTreeMap<(usize, String), usize> = BTreeMap::new();
        let mut runs: BTreeMap<usize, usize> = BTreeMap::new();
        let mut steps = Vec::new();
        for (id, step) in graph.all_steps() {
            let words = words(step.instruction.args.text.as_ref(), &step.kind);
            let text = format!("{:?} {words}", step.instruction.keyword);
            let count = counts.entry((step.stage, text.clone())).or_default();
            *count += 1;
            let run = matches!(step.kind, StepKind::Run(_)).then(|| {
                let run = runs.entry(step.stage).or_default();
                *run += 1;
                *run
            });
            let env = step.state.env.iter().map(|v| (v.name.to_string(), v.value.to_string())).collect();
            let mut mounts = BTreeSet::new();
            if let StepKind::Run(run) = &step.kind {
                mounts.extend(
                    run.mounts.iter().filter(|m| m.kind == MountKind::Cache).map(|m| m.target.clone()),
                );
            }
            let takes = match &step.kind {
                StepKind::Copy(copy) => match copy.from {
                    hitrate::graph::Source::Stage(stage) => {
                        let path = |source: &hitrate::graph::CopySource<'_>| {
                            format!("/{}", source.text.trim_start_matches('/'))
                        };
                        Some((stage, copy.sources.iter().map(path).collect()))
                    }
                    _ => None,
                },
                _ => None,
            };
            let mut chain = vec![step.stage];
            while let Some(hitrate::graph::Base::Stage(parent)) =
                chain.last().map(|stage| &graph.stages[*stage].base)
            {
                chain.push(*parent);
            }
            steps.push(StepShot {
                key: (step.stage, text.clone(), *count),
                run,
                text,
                stage: step.stage,
                state: (env, step.state.user.to_string(), step.state.cwd.to_string()),
                sees: places.iter().map(|place| (place.clone(), cx.model().standing(id, place))).collect(),
                mounts,
                takes,
                chain,
            });
        }
        let mut settings = vec![(String::new(), Setting::default())];
        let ci = cx.facts.builds.iter().filter(|build| !build.template).take(4);
        settings.extend(ci.map(|build| (format!(" in {}", build.name.join("/")), setting_of(build))));
        let mut reruns = Vec::new();
        for (name, text) in &bumped {
            let answer = |cx: &DockerfileCx<'_>, old: &DockerfileCx<'_>| {
                let answer = cx.model().since(old.model(), Vec::new(), &[], &Setting::default());
                let runs = |id: &StepId| answer.is_operation(*id) && answer.verdict(*id) != Verdict::Cached;
                cx.graph().all_steps().map(|(id, _)| id).filter(runs).map(StepId::index).collect()
            };
            let mut files = files.clone();
            files.insert(path.to_owned(), text.clone());
            let set = look(&files, path, |new| answer(new, cx)).unwrap_or_default();
            reruns.push((format!("another {name}"), set));
        }
        for (label, change) in changes {
            for (place, setting) in &settings {
                let answer = cx.model().after_in(std::slice::from_ref(change), setting);
                let runs = |id: &StepId| answer.is_operation(*id) && answer.verdict(*id) != Verdict::Cached;
                let of = graph.all_steps().map(|(id, _)| id).filter(runs).map(StepId::index);
                reruns.push((format!("{label}{place}"), of.collect()));
            }
        }
        let state = &graph.stages.last().unwrap().state;
        let env = state.image_env.iter().map(|v| (v.name.to_string(), v.value.to_string())).collect();
        let image = (env, state.user.to_string(), state.cwd.to_string());
        Shot { steps, reruns, image, problems: graph.problems.len() }
    })
}

/// The text with another value of each ENV, as a release makes it.
fn bumped(text: &str) -> Vec<(String, String)> {
    let parsed = dockerfile::parse(text);
    let mut found = Vec::new();
    for instruction in parsed.instructions() {
        let Kind::Env(pairs) = &instruction.kind else { continue };
        for pair in pairs {
            let end = pair.value.span.end as usize;
            let end = end - usize::from(text[..end].ends_with(['"', '\'']));
            found.push((pair.key.text.to_string(), format!("{}9{}", &text[..end], &text[end..])));
        }
    }
    found.sort();
    found
}

/// The words of an instruction without its flags, which say how and not what.
fn words(text: &str, kind: &StepKind<'_>) -> String {
    let flags = matches!(kind, StepKind::Run(_) | StepKind::Copy(_));
    let words = text.split(|c: char| c.is_whitespace() || c == '\\').filter(|word| !word.is_empty());
    words.skip_while(|word| flags && word.starts_with("--")).collect::<Vec<_>>().join(" ")
}

/// Every place at which a COPY puts a file of the context.
fn places(cx: &DockerfileCx<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (id, _) in cx.graph().all_steps() {
        let files = cx.model().taken_files(id).unwrap_or_default();
        for written in cx.model().writes(id) {
            match written.kind {
                hitrate::cache::WrittenKind::File => drop(found.insert(written.path.clone())),
                _ => {
                    let inside = files.iter().filter_map(|file| {
                        let rest = match written.taken.as_str() {
                            "" => Some(file.as_str()),
                            taken => file.strip_prefix(taken)?.strip_prefix('/'),
                        }?;
                        Some(format!("{}/{rest}", written.path.trim_end_matches('/')))
                    });
                    found.extend(inside);
                }
            }
        }
    }
    found
}

/// Holds the two against each other; says whether fewer steps run after some change.
fn compare(finding: &Finding, old: &Shot, new: &Shot) -> Result<bool, String> {
    if new.problems > old.problems {
        return Err("BuildKit would refuse the file".into());
    }
    if old.image != new.image {
        return Err(format!(
            "the image's configuration is another one: {:?} instead of {:?}",
            new.image, old.image
        ));
    }
    let pairs = pair(old, new)?;
    let mut saves = false;
    // The steps, as the new text has them, that a change which ran them again does not run any more.
    let mut freed: BTreeSet<usize> = BTreeSet::new();
    for ((label, before), (_, after)) in old.reruns.iter().zip(&new.reruns) {
        // A COPY that stands below a RUN now follows it; what counts is what is executed.
        let more = after
            .iter()
            .filter_map(|step| pairs.get(step))
            .find(|was| old.steps[**was].run.is_some() && !before.contains(was));
        if let Some(more) = more.filter(|_| !MEANT_TO_RUN.contains(&finding.rule)) {
            return Err(format!("{label} runs `{}` again, which it did not before", old.steps[*more].text));
        }
        freed.extend(
            pairs.iter().filter(|(at, was)| before.contains(was) && !after.contains(at)).map(|(at, _)| *at),
        );
        let gone = before.iter().filter(|was| !pairs.values().any(|other| other == *was));
        saves |= gone.count() > 0;
    }
    saves |= !freed.is_empty();
    for (at, step) in new.steps.iter().enumerate().filter(|(_, step)| step.run.is_some()) {
        if let Some(was) = pairs.get(&at) {
            let free = freed.contains(&at) || LEAVES_OUT.contains(&finding.rule);
            unchanged(&old.steps[*was], step, free, BRINGS.contains(&finding.rule))?;
        }
    }
    covered(old, new, &pairs)?;
    Ok(saves)
}

/// What a step finds in force and in its place.
fn unchanged(was: &StepShot, step: &StepShot, free: bool, brings: bool) -> Result<(), String> {
    let text = &step.text;
    // What has no use for the files of a directory may run in another one.
    if was.state.1 != step.state.1 || was.state.2 != step.state.2 && !free {
        return Err(format!("`{text}` runs as another user or in another directory"));
    }
    let lost = |(name, value): &(&String, &String)| step.state.0.get(*name) != Some(*value);
    if let Some((name, _)) = was.state.0.iter().find(lost).filter(|_| !free) {
        return Err(format!("`{text}` finds another value of {name}"));
    }
    for (place, standing) in &was.sees {
        let now = step.sees.get(place).unwrap_or(&Standing::Unknown);
        let gone = free && !matches!(now, Standing::Context(_));
        // What is not known on both sides is not claimed on either.
        let vague = !matches!(standing, Standing::Context(_)) && !matches!(now, Standing::Context(_));
        let brought = brings && *standing == Standing::Nothing;
        if now != standing && !gone && !vague && !brought {
            return Err(format!("`{text}` finds {now:?} at {place} instead of {standing:?}"));
        }
    }
    Ok(())
}

/// No step that is without a new mount takes or names what is below it.
fn covered(old: &Shot, new: &Shot, pairs: &BTreeMap<usize, usize>) -> Result<(), String> {
    for (at, step) in new.steps.iter().enumerate() {
        let Some(was) = pairs.get(&at).map(|at| &old.steps[*at]) else { continue };
        for target in step.mounts.difference(&was.mounts) {
            let within = |path: &str| {
                path.strip_prefix(target.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            for later in new.steps.iter().skip(at + 1).filter(|later| !later.mounts.contains(target)) {
                let runs = later.chain.contains(&step.stage)
                    && later.run.is_some()
                    && later.text.split_whitespace().any(within);
                let takes = later.takes.as_ref().is_some_and(|(from, paths)| {
                    let of_stage = new.steps.iter().find(|step| step.stage == *from);
                    of_stage.is_some_and(|from| from.chain.contains(&step.stage))
                        && paths.iter().any(|path| within(path))
                });
                if runs || takes {
                    return Err(format!("`{}` needs what the mount on {target} hides", later.text));
                }
            }
        }
    }
    Ok(())
}

/// Which step of the old text a step of the new one is: by its words, a RUN whose words changed by its number. A COPY that is
/// new and a RUN that is gone have none.
fn pair(old: &Shot, new: &Shot) -> Result<BTreeMap<usize, usize>, String> {
    let mut pairs: BTreeMap<usize, usize> = BTreeMap::new();
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (at, step) in new.steps.iter().enumerate() {
        if let Some(was) = old.steps.iter().position(|was| was.key == step.key) {
            pairs.insert(at, was);
            taken.insert(was);
        }
    }
    for (at, step) in new.steps.iter().enumerate().filter(|(_, step)| step.run.is_some()) {
        if pairs.contains_key(&at) {
            continue;
        }
        let same = |(was, other): &(usize, &StepShot)| {
            !taken.contains(was) && other.stage == step.stage && other.run.is_some()
        };
        // A RUN that was split in two, or joined with another.
        let words = step.text.trim_start_matches("Run ");
        let part = |(_, other): &(usize, &StepShot)| {
            let theirs = other.text.trim_start_matches("Run ");
            other.stage == step.stage
                && other.run.is_some()
                && (theirs.contains(words) || words.contains(theirs))
        };
        let found =
            old.steps.iter().enumerate().find(same).or_else(|| old.steps.iter().enumerate().find(part));
        let Some((was, _)) = found else {
            return Err(format!("`{}` is a step that was not there", step.text));
        };
        pairs.insert(at, was);
        taken.insert(was);
    }
    Ok(pairs)
}

/// A Dockerfile after all fixes, unsafe ones too.
fn mended(text: &str) -> String {
    let files = Files::from([("Dockerfile".to_owned(), text.to_owned())]);
    let outcome = fix::run(
        |path| files.get(path).cloned(),
        Safety::Unsafe,
        |changed: &Texts| {
            analyze(&overlay(&files, changed)).findings.into_iter().filter_map(|f| f.fix).collect()
        },
    );
    assert!(outcome.converged, "{text}");
    overlay(&files, &outcome.changed)["Dockerfile"].clone()
}

/// The targets of the cache mounts of each RUN, in order.
fn mounts(text: &str) -> Vec<Vec<String>> {
    let parsed = dockerfile::parse(text);
    let runs = parsed.instructions().filter_map(|instruction| match &instruction.kind {
        Kind::Run(run) => Some(run),
        _ => None,
    });
    let of =
        |mount: &dockerfile::Mount<'_>| Some(mount.option(&["target"])?.value.as_ref()?.text.to_string());
    runs.map(|run| run.mounts.iter().filter_map(of).collect()).collect()
}

#[test]
fn a_cargo_target_mount_never_hides_what_a_copy_takes() {
    let takes = [
        "RUN cargo build --release\nFROM debian:13\nCOPY --from=build /app/target/release/app /app\n",
        "RUN cargo build --release\nFROM debian:13\nCOPY --from=0 /app/target/release/ /app/\n",
        "RUN cargo build --release\nRUN strip target/release/app\nFROM debian:13\nCOPY --from=build /app /app\n",
        "RUN cargo build --release\nCMD [\"./target/release/app\"]\n",
        "ENV CARGO_TARGET_DIR=/t\nRUN cargo build --release\nFROM debian:13\nCOPY --from=build /t/release/app /app\n",
        "RUN cargo build --release --target-dir /t\nFROM debian:13\nCOPY --from=build /t/release/app /app\n",
        "RUN cargo fetch\nRUN cargo build --release\nFROM debian:13\nCOPY --from=build /app/target/release/app /app\n",
    ];
    for rest in takes {
        let text = format!("FROM rust:1.90 AS build\nWORKDIR /app\nCOPY . .\n{rest}");
        let mended = mended(&text);
        for target in mounts(&mended).concat() {
            assert!(!target.ends_with("target") && target != "/t", "{mended}");
        }
        let files = Files::from([("Dockerfile".to_owned(), mended.clone())]);
        let hidden = analyze(&files).findings.iter().any(|f| f.rule == "output-in-cache-mount");
        assert!(!hidden, "{mended}");
    }
}

#[test]
fn dotnet_restore_is_mounted_where_publish_is_or_nowhere() {
    let publish = [
        "RUN dotnet restore\nCOPY . .\nRUN dotnet publish -c Release --no-restore -o /out\n",
        "RUN dotnet restore app.csproj\nCOPY . .\nRUN dotnet build --no-restore\nRUN dotnet publish --no-build -o /out\n",
        "RUN --mount=type=cache,target=/root/.nuget/packages,sharing=locked dotnet restore\nCOPY . .\nRUN dotnet publish --no-restore -o /out\n",
        "RUN --mount=type=cache,target=/root/.nuget/packages dotnet restore\nCOPY . .\nRUN dotnet publish --no-restore -o /out\n",
        "RUN dotnet restore\nFROM restored AS built\nCOPY . .\nRUN dotnet publish --no-restore -o /out\n",
    ];
    for rest in publish {
        let text = format!(
            "FROM mcr.microsoft.com/dotnet/sdk:9.0 AS restored\nWORKDIR /src\nCOPY app.csproj .\n{rest}"
        );
        let mended = mended(&text);
        let all = mounts(&mended);
        let packages = |run: &&Vec<String>| run.iter().any(|target| target == "/root/.nuget/packages");
        // `publish --no-build` takes what the build left and reads no package.
        let needing = all.len() - usize::from(rest.contains("--no-build"));
        let held = all.iter().take(needing).filter(packages).count();
        assert!(held == 0 || held == needing, "{mended}");
        assert!(held > 0 || !text.contains("--mount"), "a mount was lost: {mended}");
    }
}

#[test]
fn the_index_of_a_split_apt_get_update_never_ends_in_a_mount() {
    let splits = [
        "RUN apt-get update\nRUN apt-get install -y gcc\n",
        "RUN apt-get update && apt-get upgrade -y\nRUN apt-get install -y gcc\n",
        "RUN apt-get update && apt-get install -y curl\nCOPY x .\nRUN apt-get install -y gcc && rm -rf /var/lib/apt/lists/*\n",
        "RUN apt-get update\nFROM base\nRUN apt-get install -y gcc\n",
    ];
    for rest in splits {
        let mended = mended(&format!("FROM debian:13 AS base\n{rest}"));
        // Either they are one RUN now, or the index is in the layer for all of them.
        let index = |targets: &Vec<String>| targets.iter().any(|target| target.starts_with("/var/lib/apt"));
        let parsed = dockerfile::parse(&mended);
        let texts: Vec<&str> = parsed
            .instructions()
            .filter(|instruction| matches!(instruction.kind, Kind::Run(_)))
            .map(|instruction| instruction.span.of(&mended))
            .collect();
        let mounts = mounts(&mended);
        let refreshes = texts.iter().zip(&mounts).filter(|(text, _)| text.contains("update"));
        let in_mount = refreshes.into_iter().any(|(_, targets)| index(targets));
        let installs = texts.iter().zip(&mounts).filter(|(text, _)| !text.contains("update"));
        for (text, targets) in installs {
            assert!(!in_mount && !index(targets), "`{text}` finds no index:\n{mended}");
        }
    }
}
