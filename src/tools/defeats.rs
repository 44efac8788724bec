//! What makes a cache mount useless for a command, and what the mount needs beside it.

use super::catalog::Catalog;
use super::condition::{Site, Truth};
use super::environment::{Environment, Variable};
use super::model::{Companion, Tool};
use super::recognise::{Use, site};
use crate::source::Span;

/// Something that empties or bypasses the caches of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defeat<'c> {
    /// An option on its command line.
    Flag {
        /// The option's name.
        name: String,
        /// Its word.
        span: Span,
    },
    /// A variable.
    Variable {
        /// Name.
        name: &'c str,
        /// Value in force.
        value: String,
        /// Where it is set, if that is the command's own prefix.
        span: Option<Span>,
    },
    /// A setting that a command before it made.
    Setting {
        /// Key.
        key: &'c str,
    },
    /// A file that the image has.
    File {
        /// Its path.
        path: &'c str,
    },
}

/// What a mount needs and does not have.
#[derive(Clone, Debug)]
pub struct Missing<'c> {
    /// What.
    pub companion: &'c Companion,
    /// The tool that needs it.
    pub tool: &'c Tool,
    /// Whether it is certain.
    pub sure: bool,
}

impl Catalog {
    /// What defeats the caches of `used` on its own command line and in what is in force for it. Cleaning commands are
    /// found by [`Catalog::clearing`].
    #[must_use]
    pub fn defeats<'c, 'e>(
        &'c self,
        used: &Use<'c, 'e>,
        environment: &'e Environment<'e>,
    ) -> Vec<Defeat<'c>> {
        let mut found = Vec::new();
        of_tool(&used.site, used.tool, true, &mut found);
        for tool in used.tool.caches.iter().filter_map(|cache| self.tool(cache.of.as_ref()?)) {
            let own = tool.name == used.tool.name;
            if let Some(site) = site(tool, used.command, environment, used.start) {
                of_tool(&site, tool, own, &mut found);
            }
        }
        found
    }

    /// What the mounts of `used` need that is not there.
    #[must_use]
    pub fn missing_companions<'c>(&'c self, used: &Use<'c, '_>) -> Vec<Missing<'c>> {
        let site = &used.site;
        let missing = used.tool.companions.iter().filter_map(|companion| {
            let truth = site.applies(companion.when.as_ref(), companion.unless.as_ref());
            let wanted = truth != Truth::No && !is_there(site, companion);
            wanted.then_some(Missing { companion, tool: used.tool, sure: truth == Truth::Yes })
        });
        missing.collect()
    }
}

fn of_tool<'c>(site: &Site<'_, '_>, tool: &'c Tool, own: bool, found: &mut Vec<Defeat<'c>>) {
    let defeats = &tool.defeats;
    if own {
        for phrase in defeats.flags.iter().filter(|phrase| phrase.matches(&site.arguments, true)) {
            let mut flags = phrase.source().split([' ', '|']).filter_map(|word| site.arguments.find(word));
            if let Some(flag) = flags.next() {
                found.push(Defeat::Flag { name: flag.name.to_owned(), span: flag.word.span });
            }
        }
    }
    for spec in &defeats.env {
        let name = spec.split('=').next().unwrap_or("");
        if site.variable(spec) == Truth::Yes
            && let Variable::Set(value) = site.environment.variable(site.command, name)
        {
            let set = site.command.env.iter().rev().find(|set| set.name == name);
            found.push(Defeat::Variable {
                name,
                value: value.into_owned(),
                span: set.map(|set| set.value.span),
            });
        }
    }
    for spec in &defeats.settings {
        if site.setting(spec) == Truth::Yes {
            found.push(Defeat::Setting { key: spec.split('=').next().unwrap_or("") });
        }
    }
    for path in &defeats.files {
        let removed = site.environment.memory.is_some_and(|memory| memory.has_removed(path));
        if !removed {
            found.push(Defeat::File { path });
        }
    }
}

fn is_there(site: &Site<'_, '_>, companion: &Companion) -> bool {
    if let Some(env) = &companion.env
        && site.variable(env) != Truth::No
    {
        return true;
    }
    if let Some(flag) = &companion.flag
        && site.arguments.option(flag)
    {
        return true;
    }
    let memory = site.environment.memory;
    let seen = companion.satisfied.iter().any(|phrase| {
        phrase.matches(&site.arguments, true)
            || memory.is_some_and(|memory| memory.has_seen(&site.tool.name, phrase.source()))
    });
    let set = companion.settings.iter().any(|spec| site.setting(spec) != Truth::No);
    // `rm -f FILE`: the file may be gone already.
    let gone = companion
        .command
        .as_deref()
        .and_then(|command| command.strip_prefix("rm -f "))
        .is_some_and(|file| memory.is_some_and(|memory| memory.has_removed(file)));
    let written = companion.files.iter().any(|file| memory.is_some_and(|memory| memory.has_written(file)));
    seen || set || gone || written
}
