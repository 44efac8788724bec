//! CI files to builds: values, lines and spans of every setting, one file per system.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test

mod azure;
mod buildkite;
mod circleci;
mod cloudbuild;
mod github;
mod gitlab;
mod others;
mod survive;
mod table;

use hitrate::builds::{self, Build, CacheSpec, ContextSource, Setting, System, Value};
use hitrate::project::{FileKind, classify};
use hitrate::source::LineIndex;

/// The system that a path belongs to.
pub(crate) fn system(path: &str) -> System {
    match classify(path) {
        Some(FileKind::Build(system)) => system,
        other => panic!("{path} is {other:?}"),
    }
}

/// A project of a few files; the first is read.
pub(crate) struct Project {
    files: Vec<(&'static str, &'static str)>,
}

/// A build with the text that its spans point into.
pub(crate) struct Found {
    pub build: Build,
    pub text: &'static str,
}

impl Project {
    pub(crate) fn new(files: &[(&'static str, &'static str)]) -> Self {
        Self { files: files.to_vec() }
    }

    /// The builds of the first file.
    pub(crate) fn read(&self) -> Vec<Found> {
        let (path, text) = self.files[0];
        let lookup = |path: &str| self.text(path);
        let builds = builds::read(system(path), path, text, &lookup).expect("readable");
        builds.into_iter().map(|build| Found { text: self.text(&build.path).unwrap(), build }).collect()
    }

    fn text(&self, path: &str) -> Option<&'static str> {
        self.files.iter().find(|(own, _)| *own == path).map(|(_, text)| *text)
    }
}

/// The only build of one file.
pub(crate) fn one(path: &'static str, text: &'static str) -> Found {
    let mut found = Project::new(&[(path, text)]).read();
    assert_eq!(found.len(), 1, "builds in {path}");
    found.remove(0)
}

impl Found {
    /// The 1-based line where a span starts.
    pub(crate) fn line<T>(&self, setting: &Setting<T>) -> u32 {
        LineIndex::new(self.text).line(setting.span.start)
    }

    /// The bytes of a setting.
    pub(crate) fn of<T>(&self, setting: &Setting<T>) -> &'static str {
        setting.span.of(self.text)
    }

    pub(crate) fn dockerfile(&self) -> Option<&str> {
        self.build.dockerfile.as_ref().map(|path| path.value.as_str())
    }

    /// The context: `./path`, `git:path` for this repository, else its debug text.
    pub(crate) fn context(&self) -> String {
        match &self.build.context.value {
            ContextSource::Path(path) => format!("./{path}"),
            ContextSource::Git { own: true, subdir } => format!("git:{subdir}"),
            other => format!("{other:?}"),
        }
    }

    /// `NAME=value` of every build arg.
    pub(crate) fn args(&self) -> Vec<String> {
        self.build.args.iter().map(|(name, value)| format!("{name}={}", value.value.text())).collect()
    }

    pub(crate) fn tags(&self) -> Vec<&str> {
        self.build.tags.iter().map(|tag| tag.value.text()).collect()
    }

    pub(crate) fn from(&self) -> Vec<String> {
        self.build.cache_from.iter().map(|spec| show(&spec.value)).collect()
    }

    pub(crate) fn to(&self) -> Vec<String> {
        self.build.cache_to.iter().map(|spec| show(&spec.value)).collect()
    }
}

/// `type key=value …`
pub(crate) fn show(spec: &CacheSpec) -> String {
    let mut text = spec.kind.value.text().to_owned();
    for (key, value) in &spec.attrs {
        text.push_str(&format!(" {key}={}", value.value.text()));
    }
    text
}

/// The text of an optional value.
pub(crate) fn value(setting: &Option<Setting<Value>>) -> Option<&str> {
    setting.as_ref().map(|setting| setting.value.text())
}
