//! Builds that are defined in one file and started from another: bake targets, Compose services.

use super::{Build, CacheSpec, Condition, Setting};
use crate::source::Span;
use std::sync::Arc;

impl Build {
    /// The build as `starter` starts it: name, job, trigger, builder and place are the starter's, the settings stay in the
    /// file in which they are written, and those of the starter (what its command line or inputs say) win or are added as
    /// the tools do it: lists that both have are the starter's.
    #[must_use]
    pub fn started_by(mut self, starter: &Self) -> Self {
        let home = self.path.clone();
        self.each_path(&mut |path| {
            path.get_or_insert_with(|| home.clone());
        });
        let mut foreign = starter.clone();
        let own = starter.path.clone();
        self.defined = Some(self.defined.take().unwrap_or((home, self.span)));
        self.path = starter.path.clone();
        // A setting that came home again needs no path.
        self.each_path(&mut |path| {
            if path.as_ref() == Some(&own) {
                *path = None;
            }
        });
        let last = std::mem::take(&mut self.name);
        self.name.clone_from(&starter.name);
        self.name.extend(last);
        self.span = starter.span;
        self.system = starter.system;
        self.front = starter.front;
        self.matrix = starter.matrix.iter().cloned().chain(self.matrix).collect();
        self.trigger.clone_from(&starter.trigger);
        self.condition = self.condition.or_else(|| starter.condition.clone());
        self.job.clone_from(&starter.job);
        self.builder = starter.builder.clone();
        self.template = starter.template;
        self.gha_token = starter.gha_token;
        self.mounts_kept = starter.mounts_kept;
        self.kept.clone_from(&starter.kept);
        let pulled = std::mem::take(&mut self.pulled_before);
        self.pulled_before = starter.pulled_before.iter().cloned().chain(pulled).collect();
        self.conditional_export |= starter.conditional_export;
        for (name, value) in foreign.args.drain(..) {
            self.args.retain(|(known, _)| *known != name);
            self.args.push((name, value));
        }
        replace(&mut self.cache_from, foreign.cache_from);
        replace(&mut self.cache_to, foreign.cache_to);
        replace(&mut self.outputs, foreign.outputs);
        replace(&mut self.platforms, foreign.platforms);
        replace(&mut self.no_cache_filter, foreign.no_cache_filter);
        self.push = foreign.push.or(self.push);
        self.load = foreign.load.or(self.load);
        self.pull = foreign.pull.or(self.pull);
        self.no_cache = foreign.no_cache.or(self.no_cache);
        self.target = foreign.target.or(self.target);
        self
    }

    /// The build of a script or recipe that a command of another file runs. As [`Build::started_by`], but what talks to the
    /// builder, and which builder that is, the script knows better; what it says of it stands at the command.
    #[must_use]
    pub fn called_by(self, starter: &Self) -> Self {
        let (front, own, matrix) = (self.front, self.builder.clone(), self.matrix.clone());
        let script = self.path.clone();
        let mut build = self.started_by(starter);
        build.front = front;
        build.matrix = if matrix.is_empty() { starter.matrix.clone() } else { matrix };
        if own == starter.builder {
            return build;
        }
        let versions = own.versions.into_iter().map(|(name, version)| {
            let inherited = starter
                .builder
                .versions
                .iter()
                .find(|(known, old)| *known == name && old.value == version.value);
            let path = version.path.clone().or_else(|| Some(script.clone()));
            inherited.cloned().unwrap_or((name, Setting { path, ..version }))
        });
        build.builder = super::Builder {
            set_by: own.set_by.map(|_| starter.span),
            legacy: own.legacy.map(|_| starter.span),
            versions: versions.collect(),
            ..own
        };
        build
    }

    /// Notes that the pipeline lets it run only if what `path` says at `span` holds, which no file tells. What a script says is
    /// nearer.
    pub(super) fn only_if(&mut self, path: &Arc<str>, span: Span) {
        if self.condition.is_none() {
            let path = (self.path != *path).then(|| Arc::clone(path));
            self.condition = Some(Setting { path, ..Setting::new(Condition::Pipeline, span) });
        }
    }

    /// Takes the path off the settings that stand in the build's own file.
    pub(super) fn at_home(&mut self) {
        let own = Arc::clone(&self.path);
        self.each_path(&mut |path| {
            if path.as_ref() == Some(&own) {
                *path = None;
            }
        });
    }

    /// Calls `with` for the file of every setting.
    fn each_path(&mut self, with: &mut dyn FnMut(&mut Option<Arc<str>>)) {
        fn one<T>(setting: Option<&mut Setting<T>>, with: &mut dyn FnMut(&mut Option<Arc<str>>)) {
            if let Some(setting) = setting {
                with(&mut setting.path);
            }
        }
        fn spec(spec: &mut Setting<CacheSpec>, with: &mut dyn FnMut(&mut Option<Arc<str>>)) {
            with(&mut spec.path);
            with(&mut spec.value.kind.path);
            spec.value.attrs.iter_mut().for_each(|(_, value)| with(&mut value.path));
        }
        one(self.dockerfile.as_mut(), with);
        one(self.dockerfile_inline.as_mut(), with);
        one(self.condition.as_mut(), with);
        one(self.declined.as_mut(), with);
        with(&mut self.context.path);
        self.contexts.iter_mut().for_each(|(_, context)| with(&mut context.path));
        self.args.iter_mut().for_each(|(_, value)| with(&mut value.path));
        for value in [&mut self.target, &mut self.push, &mut self.load, &mut self.no_cache, &mut self.pull] {
            one(value.as_mut(), with);
        }
        for list in [&mut self.cache_from, &mut self.cache_to, &mut self.outputs] {
            list.iter_mut().for_each(|setting| spec(setting, with));
        }
        for list in [
            &mut self.tags,
            &mut self.platforms,
            &mut self.no_cache_filter,
            &mut self.pulled_before,
            &mut self.kept,
        ] {
            list.iter_mut().for_each(|value| with(&mut value.path));
        }
        self.builder.versions.iter_mut().for_each(|(_, version)| with(&mut version.path));
    }
}

fn replace<T>(list: &mut Vec<T>, with: Vec<T>) {
    if !with.is_empty() {
        *list = with;
    }
}
