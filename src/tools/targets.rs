//! Mount targets: which break the image whatever runs, and which are meant for a tool.

use super::catalog::Catalog;
use super::model::Tool;
use super::path::is_same;
use serde::Deserialize;
use std::sync::OnceLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    path: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Vec<Target>,
}

const TEXT: &str = include_str!("../../rules/tools/common/targets.toml");

/// Why a cache mount on `target`, an absolute path, breaks the image whatever tool runs; `None` if it need not. `home` is
/// the home in force, where it is known; `/root` and the directories below `/home` count as homes always.
#[must_use]
pub fn breaking_target(target: &str, home: Option<&str>) -> Option<&'static str> {
    static TARGETS: OnceLock<Vec<Target>> = OnceLock::new();
    let targets =
        TARGETS.get_or_init(|| toml::from_str::<File>(TEXT).map(|file| file.target).unwrap_or_default());
    let homes = [Some("/root"), Some("/home/*"), home];
    let found = targets.iter().find(|known| match known.path.strip_prefix('~') {
        Some(rest) => homes.iter().flatten().any(|home| is_same(target, &format!("{home}{rest}"))),
        None => is_same(target, &known.path),
    });
    found.map(|known| known.why.as_str())
}

impl Catalog {
    /// Whether a mount on `target`, an absolute path, looks like one for `tool`: a default place of one of its caches,
    /// under whatever home or working directory, or a place where people take it to be ([`Tool::mistaken`]). It says
    /// nothing of whether the tool caches there.
    #[must_use]
    pub fn is_meant_for(&self, tool: &Tool, target: &str) -> bool {
        let own = tool.caches.iter().flat_map(|cache| &cache.path).chain(&tool.mistaken);
        let mut lent = tool.caches.iter().filter_map(|cache| self.tool(cache.of.as_ref()?));
        own.into_iter().any(|path| is_place(path, target))
            || lent.any(|tool| {
                tool.caches.iter().flat_map(|cache| &cache.path).any(|path| is_place(path, target))
            })
    }
}

/// Whether `target` ends as the path of a tool file does.
fn is_place(template: &str, target: &str) -> bool {
    if template.starts_with('/') {
        return is_same(template, target);
    }
    if template.contains('$') {
        return false;
    }
    let tail = template.strip_prefix("~/").unwrap_or(template);
    let count = tail.split('/').count();
    let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty()).collect();
    let end = parts.len().checked_sub(count).and_then(|from| parts.get(from..)).unwrap_or(&[]);
    !end.is_empty() && is_same(&end.join("/"), tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_and_databases_break() {
        assert!(breaking_target("/root", None).is_some());
        assert!(breaking_target("/home/node", None).is_some());
        assert!(breaking_target("/root/.cache", None).is_some());
        assert!(breaking_target("/srv/app/.cache", Some("/srv/app")).is_some());
        assert!(breaking_target("/var/lib/dpkg", None).is_some());
        assert!(breaking_target("/root/.npm", None).is_none());
        assert!(breaking_target("/var/cache/apt", None).is_none());
    }

    #[test]
    fn mounts_are_meant_for_tools() {
        let catalog = Catalog::builtin();
        let meant = |tool: &str, target: &str| catalog.is_meant_for(catalog.tool(tool).unwrap(), target);
        assert!(
            meant("pip", "/root/.cache/pip")
                && meant("pip", "/.cache/pip")
                && meant("pipx", "/home/a/.cache/pip")
        );
        assert!(meant("bundler", "/root/.gem") && meant("pnpm", "/root/.pnpm-store"));
        assert!(meant("yarn", "/root/.cache/yarn") && meant("cargo", "/app/target"));
        assert!(!meant("pip", "/root/.npm") && !meant("npm", "/root/.npmx"));
    }
}
