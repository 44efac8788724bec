//! The `scripts` of a `package.json` or `composer.json`.

use serde_json::Value;

/// Those of `names` that the text defines.
pub(super) fn scripts(text: &str, names: &[String]) -> Vec<String> {
    let json: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    names
        .iter()
        .filter(|name| json.get("scripts").is_some_and(|all| all.get(name.as_str()).is_some()))
        .cloned()
        .collect()
}

/// The command line of the script `name`.
pub(super) fn script(text: &str, name: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    Some(json.get("scripts")?.get(name)?.as_str()?.to_owned())
}
