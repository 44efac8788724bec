//! Where a tool caches here: the user, the environment, the options, the settings and the directory decide.

use super::catalog::Catalog;
use super::condition::{Site, Truth};
use super::environment::{Environment, Variable};
use super::model::{Cache, Holds, HomeRule, Mount, Sharing, Tool};
use super::path::normalize;
use super::recognise::Use;
use crate::shell::Cwd;

/// A cache directory in force for a command.
#[derive(Clone, Debug)]
pub struct CacheDir<'c> {
    /// The tool whose it is: for `pipx` and `spacy` it is pip's.
    pub owner: &'c Tool,
    /// What the data says of it.
    pub cache: &'c Cache,
    /// Absolute, normalised; a part that is not known is `*`. `None` where it is not known at all.
    pub path: Option<String>,
    /// Whether it is certain that this is the path.
    pub sure: bool,
    /// Whether a variable, an option or a setting put it there.
    pub moved: bool,
    /// Whether a mount on it is good for this command.
    pub mount: Mount,
}

impl<'c> CacheDir<'c> {
    /// What it holds.
    #[must_use]
    pub fn holds(&self) -> Holds {
        self.cache.holds
    }

    /// How it may be shared, and why.
    #[must_use]
    pub fn sharing(&self) -> (Sharing, &'c str) {
        (self.owner.sharing, &self.owner.sharing_reason)
    }

    /// Why later RUNs need its content, if it is the only place where it lives.
    #[must_use]
    pub fn needed_later(&self) -> Option<&'c str> {
        self.cache.needed_later.as_deref()
    }

    /// Whether `target`, an absolute path, is this directory.
    #[must_use]
    pub fn is_at(&self, target: &str) -> bool {
        self.path.as_deref().is_some_and(|path| super::path::is_same(path, target))
    }
}

impl Catalog {
    /// The cache directories that `used` reads or writes, in the order of the data.
    #[must_use]
    pub fn caches<'c, 'e>(
        &'c self,
        used: &Use<'c, 'e>,
        environment: &'e Environment<'e>,
    ) -> Vec<CacheDir<'c>> {
        let mut found = Vec::new();
        let site = &used.site;
        for cache in &used.tool.caches {
            if !serves(cache, used) {
                continue;
            }
            let applies = site.applies(cache.when.as_ref(), cache.unless.as_ref());
            if applies == Truth::No {
                continue;
            }
            let before = found.len();
            match &cache.of {
                None => found.extend(dirs(site, used.tool, cache)),
                Some(of) => {
                    let Some(owner) = self.tool(of) else { continue };
                    // The other tool's options are not on this command line; its variables are in force.
                    let Some(theirs) = super::recognise::site(owner, used.command, environment, used.start)
                    else {
                        continue;
                    };
                    let caches =
                        owner.caches.iter().filter(|cache| cache.of.is_none() && serves(cache, used));
                    for cache in caches {
                        let truth = theirs.applies(cache.when.as_ref(), cache.unless.as_ref());
                        if truth != Truth::No {
                            let sure = truth == Truth::Yes;
                            found.extend(
                                dirs(&theirs, owner, cache)
                                    .map(|dir| CacheDir { sure: dir.sure && sure, ..dir }),
                            );
                        }
                    }
                }
            }
            for dir in found.iter_mut().skip(before) {
                dir.sure &= applies == Truth::Yes && used.sure;
                if let (Some(_), Some(mount)) = (&cache.of, cache.mount) {
                    dir.mount = mount;
                }
                if used.row.no_mount.is_some() {
                    dir.mount = Mount::No;
                }
            }
        }
        found
    }
}

/// Whether a command of this kind uses the cache.
fn serves(cache: &Cache, used: &Use<'_, '_>) -> bool {
    if cache.kinds.is_empty() {
        used.kind.downloads() || used.kind.compiles()
    } else {
        cache.kinds.contains(&used.kind)
    }
}

/// The directory of one entry: the first of its paths that resolves. Those before it that may be in force come too.
fn dirs<'c>(site: &Site<'_, '_>, owner: &'c Tool, cache: &'c Cache) -> impl Iterator<Item = CacheDir<'c>> {
    let mut found: Vec<CacheDir<'c>> = Vec::new();
    let mount = cache.mount.unwrap_or_default();
    let dir = |path, sure, moved| CacheDir { owner, cache, path, sure, moved, mount };
    let mut doubtful = false;
    for template in &cache.path {
        match resolve(site, template) {
            Resolved::No { doubtful: doubt } => doubtful |= doubt,
            Resolved::Unknown => {
                found.push(dir(None, false, true));
                break;
            }
            Resolved::At(place) => {
                found.push(dir(Some(place.path), place.sure && !doubtful, place.moved));
                break;
            }
        }
    }
    found.into_iter()
}

/// A resolved path.
struct Place {
    path: String,
    sure: bool,
    moved: bool,
}

enum Resolved {
    At(Place),
    /// A variable or option in it is not set, as far as is known.
    No {
        /// Whether the image may have set it.
        doubtful: bool,
    },
    Unknown,
}

fn resolve(site: &Site<'_, '_>, template: &str) -> Resolved {
    let mut text = String::new();
    let mut moved = false;
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        text.push_str(rest.get(..at).unwrap_or(""));
        let after = rest.get(at + 1..).unwrap_or("");
        let (name, tail) = match after.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
            Some(split) => split,
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                after.split_at_checked(end).unwrap_or((after, ""))
            }
        };
        match value(site, name) {
            Value::Set(value) => text.push_str(&value),
            Value::Unset => return Resolved::No { doubtful: site.environment.may_be_set(name) },
            Value::Unknown => return Resolved::Unknown,
        }
        moved = true;
        rest = tail;
    }
    text.push_str(rest);
    match absolute(site, &text) {
        Some((path, sure)) => Resolved::At(Place { path, sure, moved }),
        None => Resolved::Unknown,
    }
}

enum Value {
    Set(String),
    Unset,
    Unknown,
}

fn value(site: &Site<'_, '_>, name: &str) -> Value {
    if name.starts_with('-') {
        return option(site.arguments.value_of(name));
    }
    if let Some(key) = name.strip_prefix("config:") {
        let setting = site.environment.memory.and_then(|memory| memory.setting(&site.tool.name, key));
        return match setting {
            Some(Some(value)) if !value.is_empty() => Value::Set(value.to_owned()),
            Some(None) => Value::Unknown,
            _ => Value::Unset,
        };
    }
    if name == "HOME" {
        return match site.environment.home(site.command, false) {
            Some((home, true)) => Value::Set(home),
            _ => Value::Unknown,
        };
    }
    // `${MAVEN_OPTS:-Dmaven.repo.local}`: an option in the words of a variable.
    let (variable, inside) = name.split_once(':').map_or((name, None), |(name, inside)| (name, Some(inside)));
    match site.environment.variable(site.command, variable) {
        Variable::Set(text) => match inside {
            // A list of directories (GOPATH); which of them is meant is the tool's own affair.
            None if text.contains(':') => Value::Unknown,
            None => Value::Set(text.into_owned()),
            Some(flag) => {
                let word =
                    text.split_whitespace().rev().find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
                word.map_or(Value::Unset, |value| Value::Set(value.to_owned()))
            }
        },
        Variable::Unset => Value::Unset,
        Variable::Unknown => Value::Unknown,
    }
}

fn option(value: Option<Result<&str, ()>>) -> Value {
    match value {
        Some(Ok(value)) => Value::Set(value.to_owned()),
        Some(Err(())) => Value::Unknown,
        None => Value::Unset,
    }
}

/// The absolute path, and whether it is certain.
fn absolute(site: &Site<'_, '_>, text: &str) -> Option<(String, bool)> {
    if let Some(rest) = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        let (home, sure) = site.environment.home(site.command, site.tool.home == HomeRule::Passwd)?;
        return Some((normalize(&format!("{home}/{rest}")), sure));
    }
    if text.starts_with('/') {
        return Some((normalize(text), true));
    }
    let directory = site.directory.as_ref()?;
    // Without a WORKDIR an image that the data does not know has one of its own.
    let assumed = site.environment.cwd == "/"
        && site.environment.known_image().is_none()
        && !matches!(&site.command.cwd, Cwd::Path(path) if path.starts_with(['/', '~']));
    Some((normalize(&format!("{directory}/{text}")), !assumed))
}
