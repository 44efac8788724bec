//! One build out of the readings of the same step under several circumstances (a push, a pull request, a tag …).

use crate::builds::{Build, CacheSpec, ContextSource, Files, Setting, Trigger, Value, Volatility};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Between the texts of a value that differs among the events.
const OR: &str = " \u{2228} ";

/// What makes two readings the same build.
type Place = (Arc<str>, Span, String, Vec<String>, usize);

/// The builds of the events so far, in order of their first reading.
#[derive(Default)]
pub(super) struct Merged {
    builds: Vec<Build>,
    by_place: FxHashMap<Place, usize>,
}

impl Merged {
    /// Adds the builds of one event. The first event has the say where one value has to be chosen.
    pub(super) fn add(&mut self, builds: Vec<Build>) {
        let mut seen: FxHashMap<(Arc<str>, Span, String), usize> = FxHashMap::default();
        for build in builds {
            // A step may start several builds at one place (a loop, bake targets): they pair up in order.
            let count = seen.entry((build.path.clone(), build.span, build.job.clone())).or_insert(0);
            *count += 1;
            let place = (build.path.clone(), build.span, build.job.clone(), build.name.clone(), *count);
            match self.by_place.get(&place).and_then(|index| self.builds.get_mut(*index)) {
                Some(have) => merge(have, build),
                None => {
                    self.by_place.insert(place, self.builds.len());
                    self.builds.push(build);
                }
            }
        }
    }

    /// All builds, by file and place. `path` and `text` are the file that was read: a value that differs among the
    /// readings is shown as it is written.
    pub(super) fn finish<'f>(self, path: &str, text: &'f str, files: Files<'f>) -> Vec<Build> {
        let texts = |wanted: &str| if wanted == path { Some(text) } else { files(wanted) };
        let mut builds = self.builds;
        for build in &mut builds {
            let home = Arc::clone(&build.path);
            let own =
                [&mut build.target, &mut build.push, &mut build.load, &mut build.no_cache, &mut build.pull];
            let lists =
                [&mut build.tags, &mut build.platforms, &mut build.no_cache_filter].into_iter().flatten();
            let args = build.args.iter_mut().map(|(_, value)| (value, true));
            let others = own.into_iter().flatten().chain(lists).map(|value| (value, false));
            for (setting, pair) in others.chain(args) {
                let Value::Symbolic { text: shown, .. } = &mut setting.value else { continue };
                if !shown.contains(OR) {
                    continue;
                }
                let Some(text) = texts(setting.path.as_deref().unwrap_or(&home)) else { continue };
                let written = setting.span.of(text);
                let value = written.split_once('=').filter(|_| pair).map_or(written, |(_, value)| value);
                value.clone_into(shown);
            }
        }
        builds.sort_by(|a, b| (&a.path, a.span).cmp(&(&b.path, b.span)));
        builds
    }
}

fn merge(have: &mut Build, new: Build) {
    have.trigger = both(&have.trigger, &new.trigger);
    have.template &= new.template;
    // What runs for sure in one of the circumstances is no exception.
    have.condition = have.condition.take().and(new.condition);
    have.conditional_export |= new.conditional_export || have.cache_to.is_empty() != new.cache_to.is_empty();
    specs(&mut have.cache_from, new.cache_from);
    specs(&mut have.cache_to, new.cache_to);
    specs(&mut have.outputs, new.outputs);
    if have.dockerfile.as_ref().map(|path| &path.value) != new.dockerfile.as_ref().map(|path| &path.value) {
        have.dockerfile = None;
    }
    if have.context.value != new.context.value {
        have.context.value = ContextSource::Unknown(String::new());
    }
    for (have, new) in [
        (&mut have.target, new.target),
        (&mut have.push, new.push),
        (&mut have.load, new.load),
        (&mut have.no_cache, new.no_cache),
        (&mut have.pull, new.pull),
    ] {
        option(have, new);
    }
    lists(&mut have.tags, new.tags);
    lists(&mut have.platforms, new.platforms);
    lists(&mut have.no_cache_filter, new.no_cache_filter);
    for (name, new) in new.args {
        match have.args.iter_mut().find(|(own, _)| *own == name) {
            Some((_, have)) => value(&mut have.value, new.value),
            None => have.args.push((name, new)),
        }
    }
    if have.builder != new.builder {
        if have.builder.driver != new.builder.driver {
            have.builder.driver = crate::builds::Driver::Unknown;
        }
        if have.builder.persistent != new.builder.persistent {
            have.builder.persistent = None;
        }
        if have.builder.containerd_store != new.builder.containerd_store {
            have.builder.containerd_store = None;
        }
    }
    if have.gha_token != new.gha_token {
        have.gha_token = None;
    }
}

/// Specs are paired by place; those that only one reading has are kept.
fn specs(have: &mut Vec<Setting<CacheSpec>>, new: Vec<Setting<CacheSpec>>) {
    if have.is_empty() {
        *have = new;
        return;
    }
    let same_shape = have.len() == new.len();
    for (index, new) in new.into_iter().enumerate() {
        let found = if same_shape {
            have.get_mut(index)
        } else {
            have.iter_mut().find(|spec| spec.span == new.span && spec.value.kind() == new.value.kind())
        };
        match found {
            Some(have) if have.value.kind() == new.value.kind() => {
                for (key, new) in new.value.attrs {
                    if let Some((_, have)) = have.value.attrs.iter_mut().find(|(own, _)| *own == key) {
                        slower(&mut have.value, &new.value);
                    }
                }
            }
            _ if same_shape => {}
            _ => have.push(new),
        }
    }
}

/// The same text in both, but the pace of the faster; another text keeps the first and takes the pace.
fn slower(have: &mut Value, new: &Value) {
    match (&mut *have, new) {
        (Value::Symbolic { volatility, .. }, new) => *volatility = (*volatility).max(new.volatility()),
        (Value::Known(text), Value::Symbolic { volatility, .. }) => {
            *have = Value::Symbolic { text: std::mem::take(text), volatility: *volatility };
        }
        (Value::Known(a), Value::Known(b)) if a != b => {
            *have = Value::Symbolic { text: std::mem::take(a), volatility: Volatility::Unknown };
        }
        _ => {}
    }
}

fn option(have: &mut Option<Setting<Value>>, new: Option<Setting<Value>>) {
    match (have.as_mut(), new) {
        (Some(have), Some(new)) => value(&mut have.value, new.value),
        // Not given under one of the events.
        (Some(have), None) => {
            let text = have.value.text().to_owned();
            let volatility = have.value.volatility().max(Volatility::Unknown);
            have.value = Value::Symbolic { text, volatility };
        }
        (None, Some(new)) => {
            let volatility = new.value.volatility().max(Volatility::Unknown);
            let value = Value::Symbolic { text: new.value.text().to_owned(), volatility };
            *have = Some(new.with(value));
        }
        (None, None) => {}
    }
}

fn value(have: &mut Value, new: Value) {
    if *have == new {
        return;
    }
    let same_text = have.text() == new.text();
    let mut volatility = have.volatility().max(new.volatility());
    if !same_text {
        volatility = volatility.max(Volatility::Unknown);
    }
    let text = if same_text { have.text().to_owned() } else { format!("{}{OR}{}", have.text(), new.text()) };
    *have = Value::Symbolic { text, volatility };
}

fn lists(have: &mut Vec<Setting<Value>>, new: Vec<Setting<Value>>) {
    if have.len() == new.len() {
        have.iter_mut().zip(new).for_each(|(have, new)| value(&mut have.value, new.value));
        return;
    }
    for new in new {
        if !have.iter().any(|have| have.value == new.value) {
            have.push(new);
        }
    }
}

fn both(a: &Trigger, b: &Trigger) -> Trigger {
    Trigger {
        pull_request: a.pull_request || b.pull_request,
        pull_request_target: a.pull_request_target || b.pull_request_target,
        any_branch: a.any_branch || b.any_branch,
        default_branch: a.default_branch || b.default_branch,
        release: a.release || b.release,
        schedule: a.schedule || b.schedule,
        manual: a.manual || b.manual,
        unknown: a.unknown || b.unknown,
    }
}
