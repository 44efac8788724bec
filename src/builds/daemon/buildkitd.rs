//! `buildkitd.toml` (facts §4.2; `cmd/buildkitd/config/config.go`).

use super::{Daemon, DaemonKind, Limits, Policy, Size, Stated, Worker, duration, size};
use crate::builds::ReadError;
use crate::source::{LineIndex, Span};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

type Entry<'e, 'i> = (&'e Spanned<DeString<'i>>, &'e Spanned<DeValue<'i>>);

pub(super) fn read(text: &str) -> Result<Daemon, ReadError> {
    let root = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| LineIndex::new(text).line(u32::try_from(span.start).unwrap_or(0)));
        ReadError { line, message: error.message().to_owned() }
    })?;
    let mut workers = Vec::new();
    let sections = root.get_ref().iter().filter(|(key, _)| &**key.get_ref() == "worker");
    for (_, section) in sections {
        let DeValue::Table(section) = section.get_ref() else { continue };
        for (name, worker_section) in section.iter() {
            if let DeValue::Table(table) = worker_section.get_ref() {
                workers.push(worker(name, worker_section, table));
            }
        }
    }
    workers.sort_by_key(|worker| worker.span);
    Ok(Daemon { kind: DaemonKind::Buildkitd, workers, containerd_store: None, buildkit: None })
}

fn worker(name: &Spanned<DeString<'_>>, section: &Spanned<DeValue<'_>>, table: &DeTable<'_>) -> Worker {
    let mut worker = Worker {
        name: name.get_ref().to_string(),
        span: span(section.span()).cover(span(name.span())),
        enabled: None,
        gc: None,
        limits: Limits::default(),
        policies: Vec::new(),
    };
    for entry in table.iter() {
        let (key, value) = entry;
        worker.span = worker.span.cover(whole(entry));
        match &**key.get_ref() {
            "enabled" => worker.enabled = boolean(entry),
            "gc" => worker.gc = boolean(entry),
            "gcpolicy" => {
                let DeValue::Array(list) = value.get_ref() else { continue };
                for item in list.iter() {
                    if let DeValue::Table(table) = item.get_ref() {
                        worker.policies.push(policy(span(item.span()), table));
                    }
                }
            }
            other => {
                worker.limits.take(other, limit(value), span(value.span()), whole(entry));
            }
        }
    }
    for policy in &worker.policies {
        worker.span = worker.span.cover(policy.span);
    }
    worker
}

fn policy(at: Span, table: &DeTable<'_>) -> Policy {
    let mut policy =
        Policy { span: at, all: None, filters: Vec::new(), keep_duration: None, limits: Limits::default() };
    for entry in table.iter() {
        let (key, value) = entry;
        policy.span = policy.span.cover(whole(entry));
        match &**key.get_ref() {
            "all" => policy.all = boolean(entry),
            "filters" => {
                let DeValue::Array(list) = value.get_ref() else { continue };
                let filter = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
                    DeValue::String(text) => {
                        Some(Stated { value: text.to_string(), span: span(item.span()) })
                    }
                    _ => None,
                };
                policy.filters.extend(list.iter().filter_map(filter));
            }
            "keepDuration" => {
                let seconds = match value.get_ref() {
                    DeValue::String(text) => duration(text),
                    DeValue::Integer(number) => number.as_str().parse().ok(),
                    _ => None,
                };
                policy.keep_duration = Some(Stated { value: seconds, span: whole(entry) });
            }
            other => {
                policy.limits.take(other, limit(value), span(value.span()), whole(entry));
            }
        }
    }
    policy
}

fn limit(value: &Spanned<DeValue<'_>>) -> Option<Size> {
    match value.get_ref() {
        DeValue::String(text) => size(text),
        DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok().map(Size::Bytes),
        _ => None,
    }
}

fn boolean(entry: Entry<'_, '_>) -> Option<Stated<bool>> {
    match entry.1.get_ref() {
        DeValue::Boolean(value) => Some(Stated { value: *value, span: whole(entry) }),
        _ => None,
    }
}

/// The key and the value.
fn whole((key, value): Entry<'_, '_>) -> Span {
    span(key.span()).cover(span(value.span()))
}

fn span(range: std::ops::Range<usize>) -> Span {
    Span::new(range.start.min(range.end), range.end)
}
