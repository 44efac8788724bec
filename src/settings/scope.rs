//! The configuration in force for a path: defaults < file < overrides < flags.

use super::file::unknown_selector;
use super::{BuilderSettings, ConfigError, ConfigFile, Flags, OrderSettings, Selection, Severity};
use crate::tools::Catalog;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The configuration of a run: that of the nearest `hitrate.toml` above each file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Sorted by depth, deepest first; the last is the one that holds where no file was found.
    scopes: Vec<Scope>,
}

/// What one configuration file says, with the flags on top.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The directory that it holds for, relative to the project's root; `""` is the root.
    pub dir: String,
    /// Files that are not looked at.
    pub exclude: Globs,
    /// What executes the builds, where no file of the project tells.
    pub builder: BuilderSettings,
    /// Settings of the rules of category `order`.
    pub order: OrderSettings,
    /// The tools, with those that were added or changed; `None` where none was.
    tools: Option<Arc<Catalog>>,
    rules: Selection,
    overrides: Vec<(Globs, Selection)>,
    flags: Flags,
}

impl Default for Settings {
    fn default() -> Self {
        Self { scopes: vec![Scope::default()] }
    }
}

impl Settings {
    /// The settings for the given configuration files: each with the directory it stands in (relative to the project's
    /// root) and the name to use in messages.
    pub fn new(files: Vec<(String, String, ConfigFile)>, flags: &Flags) -> Result<Self, ConfigError> {
        let mut scopes = vec![Scope { flags: flags.clone(), ..Scope::default() }];
        for (dir, path, file) in files {
            scopes.push(Scope::new(dir, &path, file, flags.clone())?);
        }
        // The default stays last among equals: a file in the root itself comes before it.
        scopes.reverse();
        scopes.sort_by_key(|scope| std::cmp::Reverse(depth(&scope.dir)));
        Ok(Self { scopes })
    }

    /// The scope that holds for `path` (relative to the project's root).
    #[must_use]
    pub fn at(&self, path: &str) -> &Scope {
        static DEFAULT: std::sync::LazyLock<Scope> = std::sync::LazyLock::new(Scope::default);
        self.scopes.iter().find(|scope| below(path, &scope.dir).is_some()).unwrap_or(&DEFAULT)
    }

    /// Whether a configuration file excludes `path`.
    #[must_use]
    pub fn excludes(&self, path: &str) -> bool {
        let scope = self.at(path);
        below(path, &scope.dir).is_some_and(|path| scope.exclude.matches(path))
    }

    /// Checks names given on the command line. The message of the first that selects nothing.
    pub fn check_flags(flags: &Flags, selectors: &[&str]) -> Result<(), String> {
        let names = flags.select.iter().flatten().chain(&flags.ignore);
        names.filter_map(|name| unknown_selector(name, selectors)).next().map_or(Ok(()), Err)
    }
}

impl Scope {
    fn new(dir: String, path: &str, file: ConfigFile, flags: Flags) -> Result<Self, ConfigError> {
        let error = |message: String| ConfigError { path: path.to_owned(), position: None, message };
        let plain =
            |names: Vec<toml::Spanned<String>>| names.into_iter().map(toml::Spanned::into_inner).collect();
        let levels = |levels: BTreeMap<toml::Spanned<String>, _>| {
            levels.into_iter().map(|(name, level)| (name.into_inner(), level)).collect()
        };
        let mut overrides = Vec::new();
        for entry in file.overrides {
            let selection = Selection {
                select: entry.select.map(plain),
                ignore: plain(entry.ignore),
                severity: levels(entry.severity),
            };
            overrides.push((Globs::new(&entry.paths).map_err(error)?, selection));
        }
        let tools = (!file.tools.is_empty()).then(|| Catalog::with_tools(file.tools.iter().cloned()));
        if let Some(catalog) = &tools {
            let of = file.tools.iter().flat_map(|tool| &tool.caches).filter_map(|cache| cache.of.as_ref());
            if let Some(of) = of.into_iter().find(|of| catalog.tool(of).is_none()) {
                return Err(error(format!("there is no tool `{of}` whose caches another could use")));
            }
        }
        let tools = tools.map(Arc::new);
        Ok(Self {
            dir,
            exclude: Globs::new(&file.exclude).map_err(error)?,
            builder: file.builder,
            order: file.order,
            tools,
            rules: Selection {
                select: file.rules.select.map(plain),
                ignore: plain(file.rules.ignore),
                severity: levels(file.rules.severity),
            },
            overrides,
            flags,
        })
    }

    /// The tools that are known.
    #[must_use]
    pub fn tools(&self) -> &Catalog {
        match &self.tools {
            Some(catalog) => catalog,
            None => Catalog::builtin(),
        }
    }

    /// The severity that is configured for a rule on `path`: `None` when it does not run, `Some(None)` when it runs with
    /// its own severity.
    #[must_use]
    pub fn severity(
        &self,
        path: &str,
        rule: &str,
        category: &str,
        default_on: bool,
    ) -> Option<Option<Severity>> {
        if self.rules.is_empty() && self.overrides.is_empty() && self.flags.is_empty() {
            return default_on.then_some(None);
        }
        let (mut runs, mut severity) = (default_on, None);
        self.rules.apply(rule, category, &mut runs, &mut severity);
        let path = below(path, &self.dir).unwrap_or(path);
        for (globs, selection) in &self.overrides {
            if globs.matches(path) {
                selection.apply(rule, category, &mut runs, &mut severity);
            }
        }
        self.flags.apply(rule, category, &mut runs, &mut severity);
        runs.then_some(severity)
    }
}

/// `path` relative to `dir`, if it lies below.
fn below<'p>(path: &'p str, dir: &str) -> Option<&'p str> {
    if dir.is_empty() {
        return Some(path);
    }
    path.strip_prefix(dir)?.strip_prefix('/')
}

fn depth(dir: &str) -> usize {
    if dir.is_empty() { 0 } else { dir.matches('/').count() + 1 }
}

/// Patterns as in `.gitignore`.
#[derive(Clone, Debug, Default)]
pub struct Globs(Option<Gitignore>);

impl Globs {
    /// Reads the patterns; the message of the first that is none.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        if patterns.is_empty() {
            return Ok(Self(None));
        }
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|error| format!("`{pattern}` is no pattern: {error}"))?;
        }
        let globs = builder.build().map_err(|error| error.to_string())?;
        Ok(Self(Some(globs)))
    }

    /// Whether `path` (relative, with `/`) or a directory above it matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        self.0.as_ref().is_some_and(|globs| globs.matched_path_or_any_parents(path, false).is_ignore())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTORS: &[&str] = &["mutable-base", "cache-buster", "order", "mount"];

    fn settings(files: &[(&str, &str)], flags: &Flags) -> Settings {
        let parse = |(dir, text): &(&str, &str)| {
            let file = ConfigFile::parse(text, "hitrate.toml", SELECTORS).unwrap();
            ((*dir).to_owned(), "hitrate.toml".to_owned(), file)
        };
        Settings::new(files.iter().map(parse).collect(), flags).unwrap()
    }

    fn severity(settings: &Settings, path: &str) -> Option<Option<Severity>> {
        settings.at(path).severity(path, "mutable-base", "order", true)
    }

    #[test]
    fn the_nearest_file_holds() {
        let none = Flags::default();
        let files =
            [("", "[rules]\nignore = [\"order\"]"), ("a/b", "[rules.severity]\nmutable-base = \"error\"")];
        let settings = settings(&files, &none);
        assert_eq!(severity(&settings, "Dockerfile"), None);
        assert_eq!(severity(&settings, "a/bc/Dockerfile"), None);
        assert_eq!(severity(&settings, "a/b/c/Dockerfile"), Some(Some(Severity::Error)));
        assert_eq!(severity(&Settings::default(), "x"), Some(None));
    }

    #[test]
    fn flags_beat_overrides_beat_the_file() {
        let text = "[rules]\nselect = [\"mount\"]\n[[overrides]]\npaths = [\"old/\"]\nselect = [\"all\"]\n\
                    severity = { order = \"info\" }";
        let file = settings(&[("", text)], &Flags::default());
        assert_eq!(severity(&file, "Dockerfile"), None);
        assert_eq!(severity(&file, "old/x/Dockerfile"), Some(Some(Severity::Info)));
        let flags = Flags { ignore: vec!["mutable-base".into()], ..Flags::default() };
        assert_eq!(severity(&settings(&[("", text)], &flags), "old/x/Dockerfile"), None);
        let flags = Flags { select: Some(vec!["mutable-base".into()]), ..Flags::default() };
        assert_eq!(severity(&settings(&[("", text)], &flags), "Dockerfile"), Some(None));
    }

    #[test]
    fn a_rule_that_is_off_by_default_is_switched_on_by_a_severity() {
        let settings = settings(&[("", "[rules.severity]\ncache-buster = \"warning\"")], &Flags::default());
        let scope = settings.at("Dockerfile");
        assert_eq!(
            scope.severity("Dockerfile", "cache-buster", "order", false),
            Some(Some(Severity::Warning))
        );
    }

    #[test]
    fn patterns_are_those_of_gitignore_relative_to_the_file() {
        let settings =
            settings(&[("app", "exclude = [\"vendor/\", \"*.old\", \"!keep.old\"]")], &Flags::default());
        assert!(settings.excludes("app/vendor/Dockerfile"));
        assert!(settings.excludes("app/x/y.old"));
        assert!(!settings.excludes("app/x/keep.old"));
        assert!(!settings.excludes("vendor/Dockerfile"));
    }
}
