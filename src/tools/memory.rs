//! What the commands of a stage leave behind for later ones: settings, users, removed and written files.

use super::clearing::{self, Removal};
use super::environment::{Environment, User};
use super::recognise::Candidates;
use crate::shell::Command;

/// What earlier commands of a stage did. It is filled in the order of the steps, parent stages first.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    settings: Vec<(String, Vec<Setting>)>,
    users: Vec<User>,
    removed: Vec<String>,
    written: Vec<String>,
    seen: Vec<Seen>,
}

/// A key, and its value where that is known.
type Setting = (String, Option<String>);

/// A companion command that has run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    tool: String,
    phrase: String,
}

impl Memory {
    /// Takes in what `command` does, which begins with one of the tools `candidates` and removes `removals` as far as that was
    /// worked out before ([`Candidates::clearing`]). `environment` is what is in force for it; its own `memory` is not looked at.
    pub fn observe<'e>(
        &mut self,
        candidates: &Candidates<'_>,
        command: &'e Command<'e>,
        environment: &Environment<'e>,
        removals: &[Removal],
    ) {
        let mut effects = Self::default();
        {
            let before = Environment { memory: Some(&*self), ..*environment };
            effects.take(candidates, command, &before, removals);
        }
        extend(&mut self.removed, effects.removed);
        extend(&mut self.written, effects.written);
        extend(&mut self.users, effects.users);
        extend(&mut self.seen, effects.seen);
        for (tool, settings) in effects.settings {
            for (key, value) in settings {
                self.set(&tool, &key, value.as_deref());
            }
        }
    }

    fn take<'e>(
        &mut self,
        candidates: &Candidates<'_>,
        command: &'e Command<'e>,
        environment: &Environment<'e>,
        removals: &[Removal],
    ) {
        for redirect in command.redirects.iter().filter(|redirect| redirect.operator.ends_with(['>', '|'])) {
            if redirect.target.literal {
                self.written.extend(environment.absolute(command, &redirect.target.text));
            }
        }
        let words = || command.args().iter().filter(|word| word.literal && !word.text.starts_with('-'));
        match command.program() {
            // What is moved away is gone from its place.
            Some("mv") => {
                let from = words().count().saturating_sub(1);
                let paths = words().take(from).filter(|word| !word.glob);
                self.removed.extend(paths.filter_map(|word| environment.absolute(command, &word.text)));
            }
            Some("tee") => {
                self.written.extend(words().filter_map(|word| environment.absolute(command, &word.text)))
            }
            Some("useradd" | "adduser") => self.add_user(command),
            Some("rm" | "unlink") => {
                if removals.is_empty() {
                    let removals = clearing::removals(command, environment);
                    self.removed.extend(removals.into_iter().map(|removal| removal.path));
                } else {
                    self.removed.extend(removals.iter().map(|removal| removal.path.clone()));
                }
            }
            _ => candidates.settings(command, environment, self),
        }
    }

    /// Records a setting of a tool; `None` for a value that is not known.
    pub(super) fn set(&mut self, tool: &str, key: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        let at = self.settings.iter().position(|(own, _)| own == tool);
        let at = at.unwrap_or_else(|| {
            self.settings.push((tool.to_owned(), Vec::new()));
            self.settings.len() - 1
        });
        let Some((_, settings)) = self.settings.get_mut(at) else { return };
        match settings.iter().position(|(own, _)| own == key).and_then(|at| settings.get_mut(at)) {
            Some((_, own)) => *own = value,
            None => extend(settings, vec![(key.to_owned(), value)]),
        }
    }

    /// Records that a companion's equivalent has run.
    pub(super) fn saw(&mut self, tool: &str, phrase: &str) {
        let seen = Seen { tool: tool.to_owned(), phrase: phrase.to_owned() };
        if !self.seen.contains(&seen) {
            self.seen.push(seen);
        }
    }

    pub(super) fn has_seen(&self, tool: &str, phrase: &str) -> bool {
        self.seen.iter().any(|seen| seen.tool == tool && seen.phrase == phrase)
    }

    /// The last setting of `key`: `Some(None)` where it was set to something that is not known.
    pub(super) fn setting(&self, tool: &str, key: &str) -> Option<Option<&str>> {
        let (_, settings) = self.settings.iter().find(|(own, _)| own == tool)?;
        let (_, value) = settings.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(key))?;
        Some(value.as_deref())
    }

    /// Whether a command removed the file `path`, or wrote another in its place.
    pub(super) fn has_removed(&self, path: &str) -> bool {
        self.removed.iter().any(|removed| super::path::is_within(path, removed)) || self.has_written(path)
    }

    /// Whether a command wrote a file that the glob fits.
    pub(super) fn has_written(&self, file: &str) -> bool {
        self.written.iter().any(|written| super::phrase::glob(file, written))
    }

    /// A user that a command added, by name or number.
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        let number: Option<u32> = name.parse().ok();
        self.users.iter().rev().find(|user| user.name == name || number.is_some() && user.uid == number)
    }

    /// `useradd -m -u 1000 -d /srv app`, `adduser -D -h /srv app`, `adduser --system --home /srv app`.
    fn add_user(&mut self, command: &Command<'_>) {
        const VALUED: [&str; 27] = [
            "-u",
            "--uid",
            "-g",
            "--gid",
            "-G",
            "--groups",
            "-d",
            "--home",
            "--home-dir",
            "-h",
            "-s",
            "--shell",
            "-c",
            "--comment",
            "--gecos",
            "-b",
            "--base-dir",
            "-e",
            "-f",
            "-k",
            "-K",
            "-p",
            "--ingroup",
            "--firstuid",
            "--lastuid",
            "-R",
            "-Z",
        ];
        let valued: Vec<String> = VALUED.iter().map(|flag| (*flag).to_owned()).collect();
        let arguments = super::arguments::Arguments::new(command.args(), &[&valued]);
        let Some(name) = arguments.words.first().filter(|name| name.literal) else { return };
        let value = |flags: &[&str]| flags.iter().find_map(|flag| arguments.value(flag, ""));
        let number = |flags: &[&str]| value(flags).and_then(Result::ok).and_then(|text| text.parse().ok());
        let useradd = command.program() == Some("useradd");
        let homes: &[&str] = if useradd { &["-d", "--home-dir", "--home"] } else { &["-h", "--home"] };
        // Debian's `adduser --system` gives no home of its own.
        let homeless = !useradd && arguments.option("--system") && !arguments.option("-S");
        let home = match value(homes) {
            Some(home) => home.ok().map(str::to_owned),
            None if homeless => None,
            None => Some(format!("/home/{}", name.text)),
        };
        let (uid, gid) = (number(&["-u", "--uid"]), number(&["-g", "--gid"]));
        let user = User { name: name.text.to_string(), uid, gid, sure: home.is_some(), home, assumed: false };
        self.users.push(user);
    }
}

fn extend<T>(kept: &mut Vec<T>, more: Vec<T>) {
    if more.is_empty() {
        return;
    }
    let room = MAX_KEPT.saturating_sub(kept.len());
    kept.extend(more.into_iter().take(room));
}

/// Removed paths, users, settings that are kept; a script with more is not setting up a package manager.
const MAX_KEPT: usize = 256;
