//! The events of `on:`, as the circumstances in which a workflow's expressions are evaluated.

use crate::builds::Trigger;
use crate::builds::yaml::Node;

/// One kind of run. A workflow is read once under each of its events, so that conditions on the event or the branch have
/// values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// What started the run.
    pub kind: Kind,
    /// `github.event_name`; empty where it is not known (a workflow that others call).
    pub name: String,
    /// The branch's name, where only one can start the run.
    pub branch: Option<String>,
}

/// What starts a run. In order of what a reader has in mind first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A push to the default branch, or to the only branch that counts.
    PushDefault,
    /// A push to another branch.
    PushBranch,
    /// A pushed tag.
    PushTag,
    /// A release.
    Release,
    /// By time.
    Schedule,
    /// `workflow_dispatch`
    Manual,
    /// `pull_request`
    PullRequest,
    /// `pull_request_target`
    PullRequestTarget,
    /// `workflow_call`: the caller's event.
    Called,
    /// Anything else.
    Other,
}

impl Event {
    fn new(kind: Kind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), branch: None }
    }

    /// The event of a file that only others start.
    pub(super) fn called() -> Self {
        Self::new(Kind::Called, "")
    }
}

/// The events of a workflow's `on:`, ordered by [`Kind`].
pub(super) fn events(on: Option<&Node<'_>>) -> Vec<Event> {
    let mut list = Vec::new();
    let Some(on) = on else { return list };
    if on.is_map() {
        for entry in on.entries() {
            add(&mut list, entry.name().unwrap_or(""), &entry.value);
        }
    } else {
        for (name, _) in on.strings() {
            add(&mut list, name, on);
        }
    }
    list.sort_by_key(|event| event.kind);
    list
}

fn add(list: &mut Vec<Event>, name: &str, config: &Node<'_>) {
    match name {
        "push" => push(list, config),
        "pull_request" => list.push(Event::new(Kind::PullRequest, name)),
        "pull_request_target" => list.push(Event::new(Kind::PullRequestTarget, name)),
        "release" => list.push(Event::new(Kind::Release, name)),
        "schedule" => list.push(Event::new(Kind::Schedule, name)),
        "workflow_dispatch" => list.push(Event::new(Kind::Manual, name)),
        "workflow_call" => list.push(Event::called()),
        _ => list.push(Event::new(Kind::Other, name)),
    }
}

fn push(list: &mut Vec<Event>, config: &Node<'_>) {
    let patterns = |key: &str| -> Option<Vec<&str>> {
        let node = config.get(key)?;
        Some(node.strings().map(|(text, _)| text).collect())
    };
    let branches = patterns("branches");
    let ignored = patterns("branches-ignore");
    let tags = config.get("tags").is_some() || config.get("tags-ignore").is_some();
    let unfiltered = branches.is_none() && ignored.is_none() && !tags;
    if let Some(branches) = branches {
        push_branches(list, &branches);
    } else if let Some(ignored) = ignored {
        if !ignored.iter().any(|name| matches!(*name, "main" | "master" | "**")) {
            list.push(Event::new(Kind::PushDefault, "push"));
        }
        list.push(Event::new(Kind::PushBranch, "push"));
    } else if unfiltered {
        list.push(Event::new(Kind::PushDefault, "push"));
        list.push(Event::new(Kind::PushBranch, "push"));
    }
    if tags || unfiltered {
        list.push(Event::new(Kind::PushTag, "push"));
    }
}

fn push_branches(list: &mut Vec<Event>, patterns: &[&str]) {
    let wanted = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
    let literal = |pattern: &&&str| !pattern.contains(['*', '?', '[', '+']);
    let main =
        wanted.clone().find(|pattern| matches!(**pattern, "main" | "master" | "trunk" | "$default-branch"));
    let names = wanted.clone().filter(literal).count();
    let all = wanted.clone().any(|pattern| matches!(*pattern, "*" | "**"));
    let wild = names < wanted.clone().count();
    let only = wanted.clone().find(literal).filter(|_| names == 1 && !wild);
    if main.is_some() || all || only.is_some() {
        let branch = main.or(only).map(|name| (*name).to_owned());
        list.push(Event { branch: branch.filter(|_| !all), ..Event::new(Kind::PushDefault, "push") });
    }
    if wild || names > 1 {
        list.push(Event::new(Kind::PushBranch, "push"));
    }
}

/// What the events are for a build's trigger.
pub(super) fn trigger<'e>(events: impl IntoIterator<Item = &'e Event>) -> Trigger {
    let mut trigger = Trigger::default();
    for event in events {
        match event.kind {
            Kind::PushDefault => trigger.default_branch = true,
            Kind::PushBranch => trigger.any_branch = true,
            Kind::PushTag | Kind::Release => trigger.release = true,
            Kind::Schedule => trigger.schedule = true,
            Kind::PullRequest => trigger.pull_request = true,
            Kind::PullRequestTarget => trigger.pull_request_target = true,
            Kind::Manual => trigger.manual = true,
            Kind::Called | Kind::Other => trigger.unknown = true,
        }
    }
    trigger
}

/// Whether `github.ref` (`refs/heads/main`) or, with `short`, `github.ref_name` (`main`) is `text` in this event; `None`
/// where that is open.
pub(super) fn ref_is(event: &Event, text: &str, short: bool) -> Option<bool> {
    let name = if short { Some(text) } else { text.strip_prefix("refs/heads/") };
    let is_default = text.contains("github.event.repository.default_branch");
    let main = matches!(name, Some("main" | "master")) || is_default;
    match event.kind {
        Kind::PushDefault | Kind::Schedule => match (&event.branch, name) {
            _ if is_default => Some(true),
            (Some(branch), Some(name)) => Some(branch == name),
            _ if main => Some(true),
            (_, None) => Some(false),
            _ => None,
        },
        Kind::PushBranch => {
            if main || name.is_none() {
                Some(false)
            } else {
                None
            }
        }
        Kind::PushTag | Kind::Release => {
            if short {
                main.then_some(false)
            } else if name.is_some() {
                Some(false)
            } else {
                None
            }
        }
        Kind::PullRequest => Some(false),
        _ => None,
    }
}

/// Whether `github.ref` starts with `prefix` in this event.
pub(super) fn ref_starts(event: &Event, prefix: &str) -> Option<bool> {
    let (kind, whole) = match prefix {
        "refs/heads/" | "refs/heads" => ("heads", true),
        "refs/tags/" | "refs/tags" => ("tags", true),
        _ if prefix.starts_with("refs/heads/") => ("heads", false),
        _ if prefix.starts_with("refs/tags/") => ("tags", false),
        _ if prefix.starts_with("refs/pull") => ("pull", true),
        _ => return None,
    };
    let own = match event.kind {
        Kind::PushDefault | Kind::PushBranch | Kind::Schedule => "heads",
        Kind::PushTag | Kind::Release => "tags",
        Kind::PullRequest => "pull",
        _ => return None,
    };
    if own != kind {
        return Some(false);
    }
    if whole {
        return Some(true);
    }
    match (&event.branch, prefix.strip_prefix("refs/heads/")) {
        (Some(branch), Some(start)) => Some(branch.starts_with(start)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::yaml::parse;

    fn kinds(on: &str) -> Vec<Kind> {
        let root = parse(on).unwrap().unwrap();
        events(root.get("on").map(|on| &**on)).into_iter().map(|event| event.kind).collect()
    }

    #[test]
    fn filters_decide_which_pushes_count() {
        use Kind::{PullRequest, PushBranch, PushDefault, PushTag, Schedule};
        assert_eq!(kinds("on: push"), [PushDefault, PushBranch, PushTag]);
        assert_eq!(kinds("on: [push, pull_request]"), [PushDefault, PushBranch, PushTag, PullRequest]);
        assert_eq!(kinds("on: {push: {branches: [main]}, pull_request: {}}"), [PushDefault, PullRequest]);
        assert_eq!(kinds("on: {push: {branches: [main, 'release/*']}}"), [PushDefault, PushBranch]);
        assert_eq!(kinds("on: {push: {branches: ['release/*']}}"), [PushBranch]);
        assert_eq!(kinds("on: {push: {tags: ['v*']}}"), [PushTag]);
        assert_eq!(kinds("on: {push: {tags: ['v*'], branches: [dev]}}"), [PushDefault, PushTag]);
        assert_eq!(
            kinds("on: {push: {branches-ignore: [main]}, schedule: [{cron: x}]}"),
            [PushBranch, Schedule]
        );
    }

    #[test]
    fn a_ref_is_known_as_far_as_the_event_tells() {
        let event = |kind, branch: Option<&str>| Event {
            branch: branch.map(str::to_owned),
            ..Event::new(kind, "push")
        };
        assert_eq!(ref_is(&event(Kind::PushDefault, Some("main")), "refs/heads/main", false), Some(true));
        assert_eq!(ref_is(&event(Kind::PushDefault, Some("main")), "dev", true), Some(false));
        assert_eq!(ref_is(&event(Kind::PushDefault, None), "refs/heads/master", false), Some(true));
        assert_eq!(ref_is(&event(Kind::PushBranch, None), "refs/heads/main", false), Some(false));
        assert_eq!(ref_is(&event(Kind::PushBranch, None), "refs/heads/x", false), None);
        assert_eq!(ref_is(&event(Kind::PushTag, None), "refs/tags/v1", false), None);
        assert_eq!(ref_is(&event(Kind::PullRequest, None), "refs/heads/main", false), Some(false));
        assert_eq!(ref_starts(&event(Kind::PushTag, None), "refs/tags/"), Some(true));
        assert_eq!(ref_starts(&event(Kind::PushTag, None), "refs/tags/v"), None);
        assert_eq!(ref_starts(&event(Kind::PushDefault, None), "refs/tags/v"), Some(false));
    }
}
