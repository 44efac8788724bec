//! The JSON schema of `hitrate.toml`, for editors.

use super::ConfigFile;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Stands in the types for whatever selects rules; [`schema`] fills in the names, which the types cannot know.
pub(super) struct Selector;

impl schemars::JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "A rule, a category, or `all`." })
    }
}

/// The schema, with the given names of rules and categories filled in.
#[must_use]
pub fn schema(selectors: &[&str]) -> Value {
    let mut schema = schemars::schema_for!(ConfigFile).to_value();
    let names: Vec<&str> = std::iter::once("all").chain(selectors.iter().copied()).collect();
    if let Some(selector) = schema.pointer_mut("/$defs/Selector").and_then(Value::as_object_mut) {
        selector.insert("enum".to_owned(), json!(names));
    }
    schema
}
