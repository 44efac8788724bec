//! What a project's own scripts run: `npm run build` is `next build` where `package.json` says so.

use super::caches::CacheDir;
use super::catalog::Catalog;
use super::environment::{Environment, File};
use super::model::{Kind, Tool};
use super::package_json;
use super::recognise::Use;
use crate::shell;

/// A tool that a script runs.
#[derive(Clone, Debug)]
pub struct Inner<'c> {
    /// The tool.
    pub tool: &'c Tool,
    /// What its command does.
    pub kind: Kind,
    /// Where it caches.
    pub caches: Vec<CacheDir<'c>>,
}

/// How deep scripts may call each other.
const MAX_DEPTH: u32 = 3;
/// More commands than a script has.
const MAX_INNER: usize = 64;

impl Catalog {
    /// The tools that the script of `used` runs, if it runs one and the file that names it is known.
    #[must_use]
    pub fn script<'c, 'e>(&'c self, used: &Use<'c, 'e>, environment: &'e Environment<'e>) -> Vec<Inner<'c>> {
        let mut found = Vec::new();
        self.follow(used, environment, MAX_DEPTH, &mut found);
        found
    }

    fn follow<'c>(
        &'c self,
        used: &Use<'c, '_>,
        environment: &Environment<'_>,
        depth: u32,
        found: &mut Vec<Inner<'c>>,
    ) {
        if !used.row.script || depth == 0 {
            return;
        }
        let Some(text) = command_line(used) else { return };
        let Some(directory) = &used.directory else { return };
        let script = shell::parse_str(&text, 0, &shell::Options::default());
        for command in &script.commands {
            let environment = Environment {
                cwd: directory,
                script: Some(&script),
                memory: environment.memory,
                ..*environment
            };
            let Some(inner) = self.recognise(command, &environment) else { continue };
            if found.len() < MAX_INNER {
                let caches = self.caches(&inner, &environment);
                found.push(Inner { tool: inner.tool, kind: inner.kind, caches });
            }
            self.follow(&inner, &environment, depth - 1, found);
        }
    }
}

/// The text of the script that `used` names.
fn command_line(used: &Use<'_, '_>) -> Option<String> {
    let lifecycle = used.tool.lifecycle.as_ref()?;
    let site = &used.site;
    let File::Text(json) = site.read(&lifecycle.file) else { return None };
    let taken = used.row.phrase.taken(&site.arguments)?;
    let word = |at: usize| site.arguments.words.get(at).map(|word| &*word.text);
    let named = word(taken).and_then(|name| package_json::script(&json, name));
    named.or_else(|| package_json::script(&json, word(taken.checked_sub(1)?)?))
}
