//! What a user sets in the editor.

use crate::settings::Flags;
use serde::Deserialize;
use serde_json::Value;

/// The initialization options, or the section `hitrate` of the editor's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    /// Run only these rules: names, categories, or `all`.
    pub(super) select: Vec<String>,
    /// Do not run these rules.
    pub(super) ignore: Vec<String>,
    /// A configuration file instead of those that are found; absolute, or relative to the workspace folder.
    pub(super) configuration: Option<String>,
    /// "Runs again after …" above the steps.
    pub(super) code_lens: bool,
    /// The same at the end of their lines.
    pub(super) inlay_hints: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            select: Vec::new(),
            ignore: Vec::new(),
            configuration: None,
            code_lens: true,
            inlay_hints: false,
        }
    }
}

impl Options {
    /// Reads them; `null` is as good as nothing.
    ///
    /// # Errors
    ///
    /// What is wrong, in one line.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        // Some clients send the section, others what is in it.
        let value = value.get("hitrate").unwrap_or(value);
        match value {
            Value::Null => Ok(Self::default()),
            value => Self::deserialize(value).map_err(|error| format!("the settings of hitrate: {error}")),
        }
    }

    /// As the last layer of the settings.
    pub(super) fn flags(&self) -> Flags {
        let select = (!self.select.is_empty()).then(|| self.select.clone());
        Flags { select, ignore: self.ignore.clone(), severity: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn they_are_read_with_and_without_their_section() {
        let options = json!({ "inlayHints": true, "ignore": ["mutable-base"], "later": 1 });
        let read = Options::read(&options).unwrap();
        assert!(read.inlay_hints && read.code_lens);
        assert_eq!(Options::read(&json!({ "hitrate": options })).unwrap(), read);
        assert_eq!(Options::read(&Value::Null).unwrap(), Options::default());
        assert!(Options::read(&json!({ "codeLens": "yes" })).unwrap_err().contains("boolean"));
    }
}
