//! dockerd's `daemon.json` (facts §4.3; `moby:daemon/config/builder.go`). Go reads keys in any case.

use super::{Daemon, DaemonKind, Limits, Policy, Size, Stated, Worker, duration, size};
use crate::builds::yaml::{Entry, Node};
use crate::builds::{ReadError, json};

pub(super) fn read(text: &str) -> Result<Daemon, ReadError> {
    let root = json::parse(text)?;
    let mut daemon =
        Daemon { kind: DaemonKind::Dockerd, workers: Vec::new(), containerd_store: None, buildkit: None };
    if let Some(features) = entry(&root, "features") {
        for feature in features.value.entries() {
            let stated = feature.value.bool().map(|value| Stated { value, span: feature.span() });
            match feature.name() {
                Some("containerd-snapshotter") => daemon.containerd_store = stated,
                Some("buildkit") => daemon.buildkit = stated,
                _ => {}
            }
        }
    }
    if let Some(gc) = entry(&root, "builder").and_then(|builder| entry(&builder.value, "gc")) {
        daemon.workers.push(worker(gc));
    }
    Ok(daemon)
}

fn worker(section: &Entry<'_>) -> Worker {
    let mut worker = Worker {
        name: "dockerd".to_owned(),
        span: section.span(),
        enabled: None,
        gc: None,
        limits: Limits::default(),
        policies: Vec::new(),
    };
    for entry in section.value.entries() {
        let Some(key) = entry.name() else { continue };
        match key.to_ascii_lowercase().as_str() {
            "enabled" => {
                worker.gc = entry.value.bool().map(|value| Stated { value, span: entry.span() });
            }
            "policy" => worker.policies.extend(entry.value.items().iter().map(|item| policy(item))),
            _ => {
                worker.limits.take(key, limit(&entry.value), entry.value.span, entry.span());
            }
        }
    }
    worker
}

fn policy(node: &Node<'_>) -> Policy {
    let mut policy = Policy {
        span: node.span,
        all: None,
        filters: Vec::new(),
        keep_duration: None,
        limits: Limits::default(),
    };
    for entry in node.entries() {
        let Some(key) = entry.name() else { continue };
        match key.to_ascii_lowercase().as_str() {
            "all" => policy.all = entry.value.bool().map(|value| Stated { value, span: entry.span() }),
            "filter" => {
                for (filter, span) in entry.value.strings() {
                    let age = filter.strip_prefix("unused-for=").or_else(|| filter.strip_prefix("until="));
                    if let Some(age) = age {
                        policy.keep_duration = Some(Stated { value: duration(age), span });
                    }
                    policy.filters.push(Stated { value: filter.to_owned(), span });
                }
            }
            _ => {
                policy.limits.take(key, limit(&entry.value), entry.value.span, entry.span());
            }
        }
    }
    policy
}

fn limit(value: &Node<'_>) -> Option<Size> {
    value.str().and_then(size)
}

fn entry<'n, 'a>(node: &'n Node<'a>, name: &str) -> Option<&'n Entry<'a>> {
    node.entries().iter().rev().find(|entry| entry.name().is_some_and(|key| key.eq_ignore_ascii_case(name)))
}
