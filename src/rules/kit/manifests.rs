//! The files that an install reads, and where they are in the context.

use super::DockerfileCx;
use super::work::Job;
use crate::cache::{Written, WrittenKind};
use crate::context::{Pattern, path};
use crate::graph::StepId;

/// What installs may read, by the patterns of their tools, in whatever directory.
#[derive(Debug, Default)]
pub struct Reads(Vec<Pattern>);

impl Reads {
    /// What any of `jobs` may read.
    pub fn of<'j>(jobs: impl IntoIterator<Item = &'j Job>) -> Self {
        let mut patterns: Vec<String> = Vec::new();
        for job in jobs {
            let tool = job.tool;
            let own = [&tool.lockfiles, &tool.manifests, &tool.optional, &job.named].into_iter().flatten();
            patterns.extend(own.map(|pattern| pattern.trim_start_matches("./").to_owned()));
        }
        patterns.sort();
        patterns.dedup();
        let anywhere = |pattern: String| match pattern.starts_with("**/") {
            true => pattern,
            false => format!("**/{}", pattern.trim_start_matches('/')),
        };
        Self(
            patterns
                .into_iter()
                .filter_map(|pattern| Pattern::new(&anywhere(pattern)).ok().flatten())
                .collect(),
        )
    }

    /// Whether `file`, a path in the context, may be among it.
    #[must_use]
    pub fn covers(&self, file: &str) -> bool {
        self.0.iter().any(|pattern| pattern.covers(file))
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
/// order, those of the directory itself first. `None` where the context, the tool's directory or the place of a named
/// file is not known.
#[must_use]
pub fn copied(cx: &DockerfileCx<'_>, step: StepId, job: &Job) -> Option<Vec<Manifest>> {
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
    let workspaces = workspaces(cx, step, job);
    let mut found: Vec<Manifest> = Vec::new();
    for file in files {
        let Some(place) = written.iter().find_map(|written| lands(written, &file)) else { continue };
        let Some(below) = below(&place, directory) else { continue };
        let is_named = named.contains(&place);
        let is_member = workspaces && path::base(below) == "package.json" && !below.contains("node_modules/");
        let is_prose = ["README", "LICENSE"].iter().any(|prose| path::base(below).starts_with(prose));
        if is_named || is_member || (!is_prose && patterns.iter().any(|pattern| pattern.covers(below))) {
            found.push(Manifest { below: below.to_owned(), file });
        }
    }
    if named
        .iter()
        .any(|name| !found.iter().any(|one| format!("{directory}/{}", one.below).replace("//", "/") == *name))
    {
        return None;
    }
    found.sort_by_key(|one| (one.below.bytes().filter(|byte| *byte == b'/').count(), one.below.clone()));
    Some(found)
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

/// Whether the project is one of several packages (npm's, yarn's, pnpm's or bun's workspaces), whose manifests are all read.
fn workspaces(cx: &DockerfileCx<'_>, step: StepId, job: &Job) -> bool {
    let text = |name| manifest_text(cx, step, job, name);
    job.tool.ecosystem == "javascript"
        && (text("package.json").is_some_and(|text| text.contains("\"workspaces\""))
            || text("pnpm-workspace.yaml").is_some()
            || text("lerna.json").is_some())
}

/// The text of the file `name` in the directory in which the tool works, if `step` puts it there.
fn manifest_text(cx: &DockerfileCx<'_>, step: StepId, job: &Job, name: &str) -> Option<String> {
    let directory = job.directory.as_deref()?;
    let place = path::clean(&format!("{directory}/{name}"));
    let files = cx.model().taken_files(step)?;
    let written = cx.model().writes(step);
    let file = files.iter().find(|file| {
        path::base(file) == name
            && written.iter().any(|written| lands(written, file).is_some_and(|there| there == place))
    })?;
    cx.context_text(file).map(|file| file.text.clone())
}

/// Whether a manifest names dependencies that are directories of the project, so that the install reads them too.
#[must_use]
pub fn has_local_dependencies(cx: &DockerfileCx<'_>, step: StepId, job: &Job) -> bool {
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
    job.tool.manifests.iter().filter(|name| !name.contains('*')).any(|name| {
        manifest_text(cx, step, job, name).is_some_and(|text| signs.iter().any(|sign| text.contains(sign)))
    })
}
