//! GitLab CI: `.gitlab-ci.yml` with local includes, `extends`, `!reference`, `default`, variables, `parallel: matrix` and
//! rules. A job is read once under each kind of pipeline in which it may run, as GitHub workflows are under their events.

mod config;
mod job;
mod rules;
mod tree;

use super::merge::Merged;
use super::{Build, Files, ReadError};
use config::Config;
use rules::Pipeline;
use tree::Tree;

/// Nesting of child pipelines.
const MAX_CHILDREN: u32 = 2;

/// The builds of a pipeline.
///
/// # Errors
/// Where the file is not YAML. Includes that are not are left out.
pub(super) fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Result<Vec<Build>, ReadError> {
    let mut merged = Merged::default();
    pipeline(path, text, files, 0, &mut merged)?;
    let mut builds = merged.finish(path, text, files);
    // Only the file at the top is started by GitLab itself.
    let template = path.contains('/');
    builds.iter_mut().for_each(|build| build.template = template);
    Ok(builds)
}

fn pipeline<'f>(
    path: &str,
    text: &'f str,
    files: Files<'f>,
    depth: u32,
    merged: &mut Merged,
) -> Result<(), ReadError> {
    let config = Config::load(path, text, files)?;
    let ranks = std::cell::OnceCell::new();
    for kind in Pipeline::ALL {
        if !job::pipeline_runs(&config, kind) {
            continue;
        }
        let mut builds = Vec::new();
        for name in config.jobs() {
            let from = builds.len();
            job::read(&config, name, kind, files, &mut builds);
            if builds.len() > from {
                let ranks = ranks.get_or_init(|| job::ranks(&config));
                let after = job::ended_before(&config, name, ranks);
                builds.iter_mut().skip(from).for_each(|build| build.after.clone_from(&after));
            }
        }
        merged.add(builds);
    }
    if depth >= MAX_CHILDREN {
        return Ok(());
    }
    for name in config.jobs() {
        let child = config
            .root
            .get(name)
            .and_then(|job| job.get("trigger"))
            .and_then(|trigger| trigger.get("include"));
        let Some((_, node)) = child.and_then(Tree::leaf) else { continue };
        for included in if node.is_seq() { node.items() } else { std::slice::from_ref(node) } {
            let local = included.str().or_else(|| included.get("local").and_then(|local| local.str()));
            let found = local.and_then(|local| super::join("", local.trim_start_matches('/')));
            if let Some(found) = found
                && found != path
                && let Some(text) = files(&found)
            {
                // A child that is not YAML is GitLab's to report.
                let _ = pipeline(&found, text, files, depth + 1, merged);
            }
        }
    }
    Ok(())
}
