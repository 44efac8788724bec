//! `package.json`: the scripts, run in the package's directory.

use super::command::{ScriptEnv, ScriptText, may_build, names_builder, read_script};
use super::{Build, Files, ReadError, System, json, parent};
use crate::shell::Dialect;

/// The builds that the scripts of a package start.
///
/// # Errors
/// Where the file is not JSON.
pub fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    if !names_builder(text) {
        return Ok(Vec::new());
    }
    let root = json::parse(text)?;
    let mut out = Vec::new();
    for entry in root.get("scripts").map(|scripts| scripts.entries()).unwrap_or_default() {
        let (Some(name), Some(joined)) = (entry.name(), entry.value.text()) else { continue };
        if !names_builder(&joined.text) {
            continue;
        }
        let mut env = ScriptEnv::new(path, System::PackageJson);
        env.name = vec![name.to_owned()];
        env.job = format!("{path}:{name}");
        env.cwd = Some(parent(path).to_owned());
        let script = ScriptText { source: text, joined, dialect: Dialect::Posix };
        read_script(&script, &mut env, files, &mut out);
    }
    Ok(out)
}

/// The builds that `npm run NAME` starts.
pub(super) fn called(path: &str, text: &str, name: &str, mut env: ScriptEnv, files: Files<'_>) -> Vec<Build> {
    let mut out = Vec::new();
    let Ok(root) = json::parse(text) else { return out };
    let scripts = root.get("scripts").map(|scripts| scripts.entries()).unwrap_or_default();
    let script = scripts.iter().find(|entry| entry.name() == Some(name));
    let Some(joined) = script.and_then(|entry| entry.value.text()) else { return out };
    if may_build(&joined.text) {
        env.name = vec![name.to_owned()];
        env.cwd = Some(parent(path).to_owned());
        let script = ScriptText { source: text, joined, dialect: Dialect::Posix };
        read_script(&script, &mut env, files, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::ContextSource;

    #[test]
    fn scripts_lead_back_through_escapes() {
        let text = "{\"name\": \"x\", \"scripts\": {\"a\": \"tsc\", \"docker\": \"cd .. && docker build --cache-to \\\"type=inline\\\" -t x .\"}}";
        let builds = read("web/package.json", text, &|_| None).unwrap();
        assert_eq!(builds.len(), 1);
        assert_eq!(builds[0].name, ["docker"]);
        assert_eq!(builds[0].context.value, ContextSource::Path(String::new()));
        assert_eq!(builds[0].cache_to[0].span.of(text), "type=inline");
        assert!(read("package.json", "{docker", &|_| None).is_err());
    }
}
