//! `duplicate-install`: two stages on one base do the same install, each for itself.

use super::manifests::standing;
use super::words::{code, lines};
use super::work::text;
use super::{Category, DockerfileCx, Fixable, Meta, Rule, Severity, Sink, ToolUse};
use crate::cache::{Change, Standing};
use crate::graph::{Base, MountKind, Step, StepId, StepKind};
use crate::tools::Needs;
use std::collections::BTreeMap;

static META: Meta = Meta {
    name: "duplicate-install",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Never,
    docs: include_str!("../../rules/duplicate-install.md"),
};

/// After so many RUNs that read manifests no more is looked at.
const MAX_INSTALLS: usize = 64;

/// See the page.
pub(super) struct DuplicateInstall;

impl Rule for DuplicateInstall {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        // The same stage would not do it twice.
        if cx.graph().stages.len() < 2 {
            return;
        }
        let mut known: BTreeMap<Install, Vec<Place<'_>>> = BTreeMap::new();
        let mut read = 0;
        for (id, step, ..) in cx.run_uses() {
            read += usize::from(cx.uses(id).tools.iter().any(|used| used.needs == Needs::Manifests));
            if step.onbuild || read > MAX_INSTALLS {
                continue;
            }
            let mut own: Vec<Install> = Vec::new();
            for used in &cx.uses(id).tools {
                let Some(install) = Install::of(cx, id, step, used).filter(|install| !own.contains(install))
                else {
                    continue;
                };
                let place = Place { id, stage: step.stage, used };
                own.push(install.clone());
                known.entry(install).or_default().push(place);
            }
        }
        let mut found: Vec<(Place<'_>, Vec<Place<'_>>)> = Vec::new();
        for places in known.into_values() {
            let Some((first, rest)) = places.split_first() else { continue };
            let again: Vec<Place<'_>> =
                rest.iter().filter(|place| is_another(cx, first, place)).copied().collect();
            // Of several commands of one RUN the first speaks for all.
            let told = |(other, _): &(Place<'_>, _)| other.id == first.id;
            if !again.is_empty() && !found.iter().any(told) {
                found.push((*first, again));
            }
        }
        found.sort_by_key(|(first, _)| first.id);
        for (first, again) in found {
            report(cx, &first, &again, out);
        }
    }
}

/// Where an install stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    id: StepId,
    stage: usize,
    used: &'a ToolUse<'a>,
}

/// What makes two installs the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Install {
    /// The image at the bottom, and the platform as its FROM asks for it.
    image: (String, String),
    user: String,
    tool: String,
    /// The words of the command; packages in whatever order.
    words: Vec<String>,
    /// Where it works and which files of the context it reads there; nothing for packages by name.
    reads: Vec<String>,
    /// Where it caches, which tells whose home it is, and the variables that say what is installed.
    settings: Vec<String>,
}

/// Beginnings of the names of variables that decide what tools install.
const SETTINGS: &[&str] = &[
    "APP_ENV",
    "BUNDLE_",
    "COMPOSER_",
    "MIX_ENV",
    "NODE_ENV",
    "NPM_CONFIG_",
    "PIP_",
    "PNPM_",
    "POETRY_",
    "RAILS_ENV",
    "UV_",
    "YARN_",
];

impl Install {
    fn of(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>, used: &ToolUse<'_>) -> Option<Self> {
        let command = cx.command(id, used)?;
        // What a script from elsewhere set up may decide what is installed.
        let certain =
            !cx.uses(id).opaque && command.certain && !command.substitution && !command.in_loop && used.sure;
        if !certain
            || used.row.index
            || !used.kind.downloads()
            || used.needs == Needs::Sources
            || !command.argv.iter().all(|word| word.literal)
        {
            return None;
        }
        let ecosystem = used.tool.ecosystem.as_str();
        // What is downloaded as a file may be meant for another place, or for another use.
        if matches!(ecosystem, "download" | "vcs") || used.tool.name == "apt-repository" {
            return None;
        }
        // Each image is brought up to date for its own sake, and what that downloads is up to what is in it.
        let upgrades = |word: &crate::shell::Word<'_>| {
            matches!(&*word.text, "upgrade" | "update" | "up" | "dup") || word.text.ends_with("-upgrade")
        };
        if ecosystem.starts_with("os-") && command.args().iter().any(upgrades) {
            return None;
        }
        let mut words: Vec<String> = command.args().iter().map(|word| word.text.to_string()).collect();
        words.sort();
        let mut reads = Vec::new();
        if used.needs == Needs::Manifests {
            reads.push(used.directory.clone()?);
            let tool = used.tool;
            let names = [&tool.manifests, &tool.lockfiles, &used.named].into_iter().flatten();
            for name in names.filter(|name| !name.contains(['*', '?', '['])) {
                if let Standing::Context(file) = standing(cx, id, used, name) {
                    reads.push(file);
                }
            }
            // Without the files nobody knows that they are the same.
            if reads.len() < 2 {
                return None;
            }
        }
        Some(Self {
            image: root(cx, step.stage)?,
            user: step.state.user.to_string(),
            tool: used.tool.name.clone(),
            words,
            reads,
            settings: settings(step, used),
        })
    }
}

fn settings(step: &Step<'_>, used: &ToolUse<'_>) -> Vec<String> {
    let places = used.caches.iter().map(|dir| dir.path.clone().unwrap_or_default());
    let decides = |name: &str| {
        let name = name.to_ascii_uppercase();
        SETTINGS.iter().any(|start| name.starts_with(start))
    };
    let variables = step.state.env.iter().filter(|variable| decides(&variable.name));
    let mut variables: Vec<String> =
        variables.map(|variable| format!("{}={}", variable.name, variable.value)).collect();
    variables.sort();
    places.chain(variables).collect()
}

/// The image at the bottom of a stage, with the platform as the FROM that names it asks for it.
fn root(cx: &DockerfileCx<'_>, stage: usize) -> Option<(String, String)> {
    let graph = cx.graph();
    let mut at = stage;
    loop {
        let stage = graph.stages.get(at)?;
        match &stage.base {
            Base::Stage(parent) if *parent < at => at = *parent,
            Base::Image(image) => {
                let platform = stage.from.flag("platform").and_then(|flag| flag.value.as_ref());
                let platform = platform.map_or(String::new(), |value| value.text.to_string());
                return Some((image.to_string(), platform));
            }
            _ => return None,
        }
    }
}

/// Whether `other` is done in another stage, and done once more: BuildKit runs equal steps once.
fn is_another(cx: &DockerfileCx<'_>, first: &Place<'_>, other: &Place<'_>) -> bool {
    let operation = |id: StepId| cx.model().definition().of_step.get(id.index()).copied().flatten();
    first.stage != other.stage
        && operation(first.id) != operation(other.id)
        && !stands_on(cx, other.stage, first.stage)
}

/// Whether a stage is built from another, directly or not.
fn stands_on(cx: &DockerfileCx<'_>, stage: usize, other: usize) -> bool {
    let mut at = stage;
    while let Some(Base::Stage(parent)) = cx.graph().stages.get(at).map(|stage| &stage.base) {
        if *parent == other {
            return true;
        }
        if *parent >= at {
            return false;
        }
        at = *parent;
    }
    false
}

fn report(cx: &DockerfileCx<'_>, first: &Place<'_>, again: &[Place<'_>], out: &mut Sink) {
    let graph = cx.graph();
    let Some((image, _)) = root(cx, first.stage) else { return };
    let answer = cx.model().after(&[Change::Base(Some(image.clone()))]);
    let again: Vec<&Place<'_>> = again.iter().filter(|place| answer.runs_again(place.id)).collect();
    let (Some(second), Some(command)) = (again.first(), cx.command(first.id, first.used)) else { return };
    let Some(place) = cx.command(second.id, second.used) else { return };
    let numbers: Vec<u32> = std::iter::once(first.id)
        .chain(again.iter().map(|place| place.id))
        .map(|id| cx.line_of(id))
        .collect();
    let message = format!(
        "{} is done {} times on {} ({}), each in a layer of its own",
        code(&text(command), 50),
        numbers.len(),
        code(&image, 40),
        lines(&numbers)
    );
    let names = |place: &Place<'_>| format!("`{}`", graph.stage_name(place.stage));
    let help = format!(
        "do it once, in a stage from which {} and {} are built",
        names(first),
        if again.len() == 1 { names(second) } else { "the others".to_owned() }
    );
    // With one cache mount for all, the second finds what the first downloaded.
    let mounted = |id: StepId| {
        let Some(StepKind::Run(run)) = graph.step(id).map(|step| &step.kind) else { return false };
        run.mounts.iter().any(|mount| mount.kind == MountKind::Cache)
    };
    let cheap = again.iter().all(|place| mounted(place.id));
    let mut draft = out
        .report(place.span, message)
        .help(help)
        .severity(if cheap { Severity::Info } else { Severity::Warning })
        .cause(command.span, format!("the same in {}", names(first)));
    for place in again.iter().skip(1) {
        if let Some(command) = cx.command(place.id, place.used) {
            draft = draft.cause(command.span, format!("and in {}", names(place)));
        }
    }
}
