//! Azure Pipelines: scripts, the Docker and DockerCompose tasks, templates of the same repository with their parameters.

mod scope;
mod tasks;
mod walk;

use super::yaml::{self, Node};
use super::{Build, Files, ReadError, Trigger};
use scope::Scope;
use walk::{File, Walk};

/// The builds of a pipeline, or of a template by itself.
///
/// # Errors
/// Where the file is not YAML.
pub(super) fn read<'f>(path: &str, text: &'f str, files: Files<'f>) -> Result<Vec<Build>, ReadError> {
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let file = File { path: path.into(), text };
    let mut scope = Scope::default();
    scope.parameters(root.get("parameters").map(|node| &**node), &[]);
    let mut walk = Walk::new(files, trigger(&root));
    walk.pipeline(&file, &root, &mut scope, 0);
    let template = is_template(&root);
    let mut builds = walk.finish();
    builds.iter_mut().for_each(|build| build.template = template);
    builds.sort_by(|a, b| (&a.path, a.span).cmp(&(&b.path, b.span)));
    Ok(builds)
}

/// A file that only makes sense where another includes it.
fn is_template(root: &Node<'_>) -> bool {
    let own = ["trigger", "pr", "schedules", "pool", "resources", "name", "extends"];
    root.is_seq() || root.get("parameters").is_some() && !own.iter().any(|key| root.get(key).is_some())
}

/// `trigger`, `pr`, `schedules`. Without `trigger` every branch counts; pull requests of GitHub do without `pr`, too.
fn trigger(root: &Node<'_>) -> Trigger {
    let mut trigger = Trigger::default();
    match root.get("trigger") {
        None => {
            trigger.any_branch = true;
            trigger.default_branch = true;
        }
        Some(node) if node.str() == Some("none") => {}
        Some(node) => {
            let branches =
                node.at(&["branches", "include"]).or_else(|| node.get("branches").map(|node| &**node));
            let branches = if node.is_seq() { Some(&**node) } else { branches };
            let names: Vec<&str> =
                branches.iter().flat_map(|list| list.strings()).map(|(text, _)| text).collect();
            let wild = names.iter().any(|name| name.contains('*'));
            trigger.any_branch = wild || names.len() > 1;
            trigger.default_branch = wild && names.contains(&"*")
                || names
                    .iter()
                    .any(|name| matches!(*name, "main" | "master" | "refs/heads/main" | "refs/heads/master"))
                || names.len() == 1 && !wild;
            trigger.release =
                node.get("tags").is_some() || names.iter().any(|name| name.starts_with("refs/tags"));
        }
    }
    match root.get("pr") {
        Some(node) => trigger.pull_request = node.str() != Some("none"),
        None => trigger.pull_request = root.get("trigger").is_none(),
    }
    trigger.schedule = root.get("schedules").is_some();
    let none = !(trigger.any_branch
        || trigger.default_branch
        || trigger.release
        || trigger.pull_request
        || trigger.schedule);
    trigger.unknown = none;
    trigger
}
