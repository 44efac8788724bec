//! The configuration file as it is written.

use super::schema::Selector;
use super::{ConfigError, Severity, Size};
use crate::builds::Driver;
use crate::source::{LineIndex, nearest};
use crate::tools::Tool;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The file's name.
pub const FILE_NAME: &str = "hitrate.toml";

/// `hitrate.toml`. Every key has a default; an unknown key is an error.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(title = "hitrate.toml")]
pub struct ConfigFile {
    /// Patterns (as in `.gitignore`, relative to this file) of files that are not looked at. A file named on the command
    /// line is looked at all the same.
    pub exclude: Vec<String>,
    /// Which rules run, and how severe they are.
    pub rules: RuleSettings,
    /// The same for some paths only; later entries win.
    pub overrides: Vec<Override>,
    /// What executes the builds, where no file of the project tells.
    pub builder: BuilderSettings,
    /// Settings of the rules of category `order`.
    pub order: OrderSettings,
    /// Tools that hitrate does not know, or knows otherwise, with the keys of its own `rules/tools/*.toml`. One of the
    /// name of a built-in tool replaces it.
    pub tools: Vec<Tool>,
}

/// Which rules run, and how severe they are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RuleSettings {
    /// Only these rules run: names, categories, or `all`. Without it, those run that are on by default.
    #[schemars(with = "Option<Vec<Selector>>")]
    pub select: Option<Vec<Spanned<String>>>,
    /// These rules do not run: names or categories.
    #[schemars(with = "Vec<Selector>")]
    pub ignore: Vec<Spanned<String>>,
    /// Severity by rule or category; `off` switches off, anything else switches on.
    #[schemars(with = "BTreeMap<String, Level>", extend("propertyNames" = {"$ref": "#/$defs/Selector"}))]
    pub severity: BTreeMap<Spanned<String>, Level>,
}

/// Rule settings for some paths.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Override {
    /// Patterns (as in `.gitignore`, relative to this file) of the paths.
    pub paths: Vec<String>,
    /// As in `[rules]`.
    #[schemars(with = "Option<Vec<Selector>>")]
    pub select: Option<Vec<Spanned<String>>>,
    /// As in `[rules]`.
    #[schemars(with = "Vec<Selector>")]
    pub ignore: Vec<Spanned<String>>,
    /// As in `[rules]`.
    #[schemars(with = "BTreeMap<String, Level>", extend("propertyNames" = {"$ref": "#/$defs/Selector"}))]
    pub severity: BTreeMap<Spanned<String>, Level>,
}

/// A severity, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule does not run.
    Off,
    /// An opportunity.
    Info,
    /// Time is lost on typical changes.
    Warning,
    /// The build is wrong or loses data.
    Error,
}

impl Level {
    /// The severity; `None` for off.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// What executes the builds, where no file of the project tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BuilderSettings {
    /// The buildx driver.
    pub driver: Option<Driver>,
    /// Whether the builder's local cache outlives a job.
    pub persistent: Option<bool>,
    /// Whether the Engine uses the containerd image store.
    pub containerd_store: Option<bool>,
    /// Version of BuildKit, for instance `0.25.1`.
    pub buildkit: Option<String>,
    /// Version of buildx.
    pub buildx: Option<String>,
    /// Version of the Docker Engine.
    pub engine: Option<String>,
    /// Version of Compose.
    pub compose: Option<String>,
    /// Size of the disk that holds the builder's cache.
    pub disk: Option<Size>,
}

/// Settings of the rules of category `order`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OrderSettings {
    /// Names of build args (beside the usual ones: `GIT_COMMIT`, `BUILD_DATE` …) whose value changes with every build.
    pub volatile_args: Vec<String>,
}

impl ConfigFile {
    /// Reads the text of a configuration file. `path` is for the message; `selectors` are the names of the rules and
    /// categories.
    pub fn parse(text: &str, path: &str, selectors: &[&str]) -> Result<Self, ConfigError> {
        let fail = |span: Option<std::ops::Range<usize>>, message: String| {
            let at = span.map(|span| u32::try_from(span.start).unwrap_or(u32::MAX));
            let position = at.map(|at| LineIndex::new(text).position(text, at));
            ConfigError { path: path.to_owned(), position, message }
        };
        let file: Self = toml::from_str(text).map_err(|error| fail(error.span(), plain(error.message())))?;
        let overrides = file.overrides.iter().map(|o| (&o.select, &o.ignore, &o.severity));
        let all =
            std::iter::once((&file.rules.select, &file.rules.ignore, &file.rules.severity)).chain(overrides);
        for (select, ignore, severity) in all {
            for name in select.iter().flatten().chain(ignore).chain(severity.keys()) {
                if let Some(message) = unknown_selector(name.get_ref(), selectors) {
                    return Err(fail(Some(name.span()), message));
                }
            }
        }
        for entry in &file.overrides {
            if entry.paths.is_empty() {
                return Err(fail(
                    None,
                    "an entry of `overrides` without `paths` applies to nothing".to_owned(),
                ));
            }
        }
        Ok(file)
    }
}

/// The message for a selector that selects nothing; `None` for a good one.
pub(super) fn unknown_selector(name: &str, selectors: &[&str]) -> Option<String> {
    if name == "all" || selectors.contains(&name) {
        return None;
    }
    let hint = nearest(name, selectors.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    Some(format!("there is no rule or category `{name}`{}", hint.unwrap_or_default()))
}

/// serde's message in one line; the list of everything that is allowed becomes the nearest of it.
fn plain(message: &str) -> String {
    let message = message.trim().replace('\n', " ");
    let Some((head, list)) = message.split_once(", expected ") else { return message };
    let Some((kind, name)) = head.split_once('`').map(|(kind, rest)| (kind, rest.trim_end_matches('`')))
    else {
        return message;
    };
    let what = match kind.trim() {
        "unknown field" => "unknown key",
        "unknown variant" => "unknown value",
        _ => return message,
    };
    let known: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("{what} `{name}`; did you mean `{near}`?"),
        None => format!("{what} `{name}`; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTORS: &[&str] = &["mutable-base", "order"];

    fn error(text: &str) -> String {
        ConfigFile::parse(text, FILE_NAME, SELECTORS).unwrap_err().to_string()
    }

    #[test]
    fn unknown_names_are_refused_with_their_place_and_the_nearest_known() {
        assert_eq!(error("[rulse]\n"), "hitrate.toml:1:2: unknown key `rulse`; did you mean `rules`?");
        assert_eq!(
            error("[rules]\nignore = [\n  \"mutable-bse\",\n]\n"),
            "hitrate.toml:3:3: there is no rule or category `mutable-bse`; did you mean `mutable-base`?"
        );
        assert_eq!(
            error("[rules.severity]\nmutable-base = \"warn\"\n"),
            "hitrate.toml:2:16: unknown value `warn`; known are off, info, warning, error"
        );
        assert_eq!(
            error("[builder]\ndriver = \"docker-contaner\"\n"),
            "hitrate.toml:2:10: unknown value `docker-contaner`; did you mean `docker-container`?"
        );
        assert!(error("[builder]\ndisk = \"much\"\n").starts_with("hitrate.toml:2:8: `much` is no size"));
    }

    #[test]
    fn broken_toml_is_one_line_with_a_place() {
        let message = error("[rules\n");
        assert!(message.starts_with("hitrate.toml:1:"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_full_file_is_read() {
        let text = r#"
            exclude = ["vendor/"]
            [rules]
            select = ["all"]
            ignore = ["mutable-base"]
            [rules.severity]
            mutable-base = "error"
            [[overrides]]
            paths = ["services/**"]
            select = ["order"]
            [builder]
            driver = "docker-container"
            persistent = false
            buildkit = "0.25"
            disk = "50GB"
            [order]
            volatile-args = ["MY_SHA"]
            [[tools]]
            name = "mytool"
            ecosystem = "own"
            executables = ["mytool"]
        "#;
        let file = ConfigFile::parse(text, FILE_NAME, SELECTORS).unwrap();
        assert_eq!(file.builder.driver, Some(Driver::DockerContainer));
        assert_eq!(file.builder.disk, Some(Size(50_000_000_000)));
        assert_eq!(file.order.volatile_args, ["MY_SHA"]);
        assert_eq!(file.tools[0].name, "mytool");
    }
}
