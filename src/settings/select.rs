//! Which rules run where, and how severe they are.

use super::{Level, Severity};

/// What a layer (a file, an entry of `overrides`, the command line) says about rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these; `None` leaves what the layer below says.
    pub select: Option<Vec<String>>,
    /// Not these.
    pub ignore: Vec<String>,
    /// Severity by name or category.
    pub severity: Vec<(String, Level)>,
}

/// The command line's layer, the last one.
pub type Flags = Selection;

impl Selection {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.select.is_none() && self.ignore.is_empty() && self.severity.is_empty()
    }

    /// Changes what the layers below say of one rule: whether it runs, and with which severity (`None` is its own).
    /// Within a layer `ignore` beats `severity`, which beats `select`; a name beats its category.
    pub(super) fn apply(&self, rule: &str, category: &str, runs: &mut bool, severity: &mut Option<Severity>) {
        let hit = |name: &String| name == "all" || name == category || name == rule;
        if let Some(select) = &self.select {
            *runs = select.iter().any(hit);
        }
        let general = self.severity.iter().filter(|(name, _)| name == "all");
        let by_category = self.severity.iter().filter(|(name, _)| name == category);
        let by_name = self.severity.iter().filter(|(name, _)| name == rule);
        if let Some((_, level)) = general.chain(by_category).chain(by_name).last() {
            match level.severity() {
                None => *runs = false,
                Some(level) => {
                    *runs = true;
                    *severity = Some(level);
                }
            }
        }
        if self.ignore.iter().any(hit) {
            *runs = false;
        }
    }
}
