//! What is known of a rule before it runs, and the rule itself.

use super::{Category, DockerfileCx, ProjectCx, Sink};
use crate::fix::Safety;
use crate::settings::Severity;

/// What is known of a rule before it runs.
#[derive(Debug)]
pub struct Meta {
    /// The only identifier: kebab-case, stable, says what is wrong.
    pub name: &'static str,
    /// What it is about.
    pub category: Category,
    /// Severity where nothing is configured.
    pub severity: Severity,
    /// Whether it runs where nothing is configured.
    pub default_on: bool,
    /// Whether its findings come with a fix. The examples on its page are held against it.
    pub fix: Fixable,
    /// Its page, `rules/NAME.md`.
    pub docs: &'static str,
}

impl Meta {
    /// What it finds, in one sentence: the first paragraph of its page.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut paragraphs = self.docs.split("\n\n").map(str::trim);
        let first = paragraphs.find(|text| !text.is_empty() && !text.starts_with('#'));
        first.unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where its page stands on the web.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.name)
    }
}

/// Where the page of the rule `name` stands on the web.
#[must_use]
pub fn url(name: &str) -> String {
    format!("{}/blob/main/rules/{name}.md", env!("CARGO_PKG_REPOSITORY"))
}

/// Whether a rule's findings come with a fix, and how safe the safest of them is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixable {
    /// No finding has one.
    Never,
    /// Some do.
    Sometimes(Safety),
    /// All do.
    Always(Safety),
}

/// A rule. It sees the syntax, the model and the settings; it reads no file, keeps no state between calls, and never
/// says anything that it cannot show.
pub trait Rule: Sync {
    /// What is known of it before it runs.
    fn meta(&self) -> &'static Meta;

    /// Looks at one Dockerfile. Most rules implement this one.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let _ = (cx, out);
    }

    /// Looks at everything at once: the builds, what they share, and the Dockerfiles that they build.
    fn check_project(&self, cx: &ProjectCx<'_>, out: &mut Sink) {
        let _ = (cx, out);
    }
}
