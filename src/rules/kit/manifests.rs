//! The files that an install reads, and where they are in the context.

use super::DockerfileCx;
use super::ToolUse;
use crate::cache::{Standing, Written, WrittenKind};
use crate::context::{Pattern, path};
use crate::graph::StepId;
use std::cell::OnceCell;

/// What installs may read, by the patterns of their tools, in whatever directory.
#[derive(Debug)]
pub struct Reads<'j> {
    jobs: Vec<&'j ToolUse<'j>>,
    /// Read when first asked for: most contexts are not known.
    patterns: OnceCell<Vec<Pattern>>,
}

impl<'j> Reads<'j> {
    /// What any of `jobs` may read.
    pub fn of(jobs: impl IntoIterator<Item = &'j ToolUse<'j>>) -> Self {
        Self { jobs: jobs.into_iter().collect(), patterns: OnceCell::new() }
    }

    /// Whether `file`, a path in the context, may be among it.
    #[must_use]
    pub fn covers(&self, file: &str) -> bool {
        self.patterns.get_or_init(|| self.read()).iter().any(|pattern| pattern.covers(file))
    }

    fn read(&self) -> Vec<Pattern> {
        let of_job = |job: &&'j ToolUse<'j>| {
            let tool = job.tool;
            [&tool.lockfiles, &tool.manifests, &tool.optional, &job.named].into_iter().flatten()
        };
        let plain = |pattern: &'j String| pattern.trim_start_matches("./");
        let mut patterns: Vec<&str> = self.jobs.iter().flat_map(of_job).map(plain).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let anywhere = |pattern: &str| match pattern.starts_with("**/") {
            true => pattern.to_owned(),
            false => format!("**/{}", pattern.trim_start_matches('/')),
        };
        patterns.into_iter().filter_map(|pattern| Pattern::new(&anywhere(pattern)).ok().flatten()).collect()
    }
}

/// A context file that an install reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manifest {
    /// Below the directory in which the tool works.
    pub below: String,
    /// In the context.
    pub file: String,
}

/// Every context file that `step`, a COPY or ADD, puts where `job` looks for manifests: exactly those that are there, in
/// order, those of the directory itself first. `None` where the context, the tool's directory or the place of a file that
/// `install` names is not known.
#[must_use]
pub fn copied(
    cx: &DockerfileCx<'_>,
    step: StepId,
    install: StepId,
    job: &ToolUse<'_>,
) -> Option<Vec<Manifest>> {
    let directory = job.directory.as_deref()?;
    let files = cx.model().taken_files(step)?;
    let written = cx.model().writes(step);
    let tool = job.tool;
    // Of requirements only those are read that the command names.
    let by_name = tool.requirements && !job.named.is_empty();
    let mut patterns: Vec<Pattern> = Vec::new();
    if !by_name {
        let known = [&tool.lockfiles, &tool.manifests, &tool.optional].into_iter().flatten();
        patterns.extend(known.filter_map(|text| Pattern::new(text).ok().flatten()));
    }
    let mut named: Vec<String> = Vec::new();
    for name in &job.named {
        if name.contains(['$', '`', '*', '?']) {
            return None;
        }
        let place = if name.starts_with('/') { name.clone() } else { format!("{directory}/{name}") };
        named.push(path::clean(&place));
    }
    let workspaces = workspaces(cx, install, job);
    let is_package = |below: &str| match &workspaces {
        None => false,
        Some(None) => true,
        Some(Some(packages)) => packages.hold(path::parent(below)),
    };
    let mut found: Vec<Manifest> = Vec::new();
    for file in files {
        let Some(place) = written.iter().find_map(|written| lands(written, &file)) else { continue };
        let Some(below) = below(&place, directory) else { continue };
        let is_named = named.contains(&place);
        let is_member =
            path::base(below) == "package.json" && !below.contains("node_modules/") && is_package(below);
        let is_prose = ["README", "LICENSE"].iter().any(|prose| path::base(below).starts_with(prose));
        if is_named || is_member || (!is_prose && patterns.iter().any(|pattern| pattern.covers(below))) {
            found.push(Manifest { below: below.to_owned(), file });
        }
    }
    for name in &named {
        let own = found.iter().any(|one| path::clean(&format!("{directory}/{}", one.below)) == *name);
        if !own && !matches!(cx.model().standing(install, name), Standing::Context(_)) {
            return None;
        }
    }
    found.sort_by_key(|one| (one.below.bytes().filter(|byte| *byte == b'/').count(), one.below.clone()));
    Some(found)
}

/// Those of `found` that are not there before `taker` copies them once more.
#[must_use]
pub fn without(
    cx: &DockerfileCx<'_>,
    taker: StepId,
    job: &ToolUse<'_>,
    found: Vec<Manifest>,
) -> Vec<Manifest> {
    let Some(directory) = job.directory.as_deref() else { return found };
    let is_there = |one: &Manifest| {
        let place = path::clean(&format!("{directory}/{}", one.below));
        cx.model().standing(taker, &place) == Standing::Context(one.file.clone())
    };
    found.into_iter().filter(|one| !is_there(one)).collect()
}

/// Whether a manifest is seen to be there when the install runs, and it is the only one that the tool reads.
#[must_use]
pub fn has_some(cx: &DockerfileCx<'_>, install: StepId, job: &ToolUse<'_>) -> bool {
    let alone = job.tool.manifests.iter().all(|name| !name.contains("**"));
    let stands = |name: &String| matches!(standing(cx, install, job, name), Standing::Context(_));
    alone && plain_names(job).any(stands) || cx.model().context().is_none()
}

/// Where a copy puts the context file `file`.
fn lands(written: &Written, file: &str) -> Option<String> {
    match written.kind {
        WrittenKind::File => (written.taken == file).then(|| written.path.clone()),
        WrittenKind::Directory | WrittenKind::Unknown => {
            let rest = match written.taken.as_str() {
                "" => file,
                taken => file.strip_prefix(taken)?.strip_prefix('/')?,
            };
            Some(path::clean(&format!("{}/{rest}", written.path)))
        }
    }
}

/// The path of `place` below `directory`.
fn below<'p>(place: &'p str, directory: &str) -> Option<&'p str> {
    match directory.trim_end_matches('/') {
        "" => place.strip_prefix('/'),
        directory => place.strip_prefix(directory)?.strip_prefix('/'),
    }
}

/// The directories of a project's packages.
struct Packages(Vec<Pattern>);

impl Packages {
    fn of(globs: &[String]) -> Option<Self> {
        let plain = |glob: &String| {
            let (not, rest) = glob.strip_prefix('!').map_or(("", &**glob), |rest| ("!", rest));
            format!("{not}{}", rest.trim_start_matches("./").trim_end_matches('/'))
        };
        let patterns: Option<Vec<Pattern>> = globs
            .iter()
            .map(plain)
            .filter(|glob| !matches!(&**glob, "" | "." | "!"))
            .map(|glob| Pattern::new(&glob).ok().flatten())
            .collect();
        patterns.map(Self)
    }

    /// Whether `directory` is one of them; the project's own always is.
    fn hold(&self, directory: &str) -> bool {
        let fits = |negated: bool| {
            self.0.iter().any(|pattern| pattern.negated() == negated && pattern.matches(directory))
        };
        directory.is_empty() || fits(false) && !fits(true)
    }
}

/// Whether the project is one of several packages (npm's, yarn's, pnpm's or bun's workspaces), whose manifests are all
/// read, and which directories they are in, where that is said in a plain way.
fn workspaces(cx: &DockerfileCx<'_>, install: StepId, job: &ToolUse<'_>) -> Option<Option<Packages>> {
    let text = |name| manifest_text(cx, install, job, name);
    if job.tool.ecosystem != "javascript" {
        return None;
    }
    if let Some(yaml) = text("pnpm-workspace.yaml") {
        return Some(listed(&yaml).and_then(|globs| Packages::of(&globs)));
    }
    if text("lerna.json").is_some() {
        return Some(None);
    }
    let manifest = text("package.json").filter(|text| text.contains("\"workspaces\""))?;
    let json: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
    let found = json.get("workspaces").and_then(|all| all.get("packages").unwrap_or(all).as_array());
    let globs: Option<Vec<String>> =
        found.map(|all| all.iter().filter_map(|glob| glob.as_str().map(str::to_owned)).collect());
    Some(globs.and_then(|globs| Packages::of(&globs)))
}

/// The items below `packages:`; `None` where they are not written one in a line.
fn listed(yaml: &str) -> Option<Vec<String>> {
    let mut lines = yaml.lines().skip_while(|line| line.trim_end() != "packages:");
    lines.next()?;
    let mut found = Vec::new();
    for line in lines {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some(item) = text.strip_prefix("- ") else { break };
        let item = item.split(" #").next().unwrap_or(item).trim();
        let bare = |quote: char| item.strip_prefix(quote)?.strip_suffix(quote);
        found.push(bare('"').or_else(|| bare('\'')).unwrap_or(item).to_owned());
    }
    (!found.is_empty()).then_some(found)
}

/// What stands at `name` in the directory in which the tool works when `install` runs.
#[must_use]
pub fn standing(cx: &DockerfileCx<'_>, install: StepId, job: &ToolUse<'_>, name: &str) -> Standing {
    match (&job.directory, name.starts_with('/')) {
        (_, true) => cx.model().standing(install, &path::clean(name)),
        (Some(directory), false) => {
            cx.model().standing(install, &path::clean(&format!("{directory}/{name}")))
        }
        (None, false) => Standing::Unknown,
    }
}

fn manifest_text(cx: &DockerfileCx<'_>, install: StepId, job: &ToolUse<'_>, name: &str) -> Option<String> {
    match standing(cx, install, job, name) {
        Standing::Context(file) => cx.context_text(&file).map(|file| file.text.clone()),
        _ => None,
    }
}

/// The names of the tool's manifests and lock files that are plain names.
fn plain_names<'j>(job: &'j ToolUse<'_>) -> impl Iterator<Item = &'j String> {
    let names = [&job.tool.manifests, &job.tool.lockfiles, &job.named].into_iter().flatten();
    names.filter(|name| !name.contains(['*', '?', '[']))
}

/// Whether the install has nothing to read: the directory was copied, and none of its manifests is there.
#[must_use]
pub fn has_none(cx: &DockerfileCx<'_>, install: StepId, job: &ToolUse<'_>) -> bool {
    let patterns = [&job.tool.manifests, &job.tool.lockfiles].into_iter().flatten();
    patterns.into_iter().all(|name| !name.contains('*'))
        && plain_names(job).all(|name| standing(cx, install, job, name) == Standing::Nothing)
}

/// Whether a manifest names dependencies that are directories of the project, so that the install reads them too.
#[must_use]
pub fn has_local_dependencies(cx: &DockerfileCx<'_>, install: StepId, job: &ToolUse<'_>) -> bool {
    let signs: &[&str] = match job.tool.ecosystem.as_str() {
        "javascript" => &["\"file:", "\"link:", "\"portal:"],
        "php" => &["\"type\": \"path\"", "\"type\":\"path\""],
        "ruby" => &["path:", ":path =>", "gemspec"],
        "python" => &["path =", "path=", "editable = true", "editable=true", "file://"],
        "elixir" => &["path:"],
        "dart" => &["path:"],
        "rust" => &["path ="],
        _ => return false,
    };
    plain_names(job).any(|name| {
        manifest_text(cx, install, job, name).is_some_and(|text| signs.iter().any(|sign| text.contains(sign)))
    })
}
