//! What is in force where a command runs.

use super::images::{self, BaseImage, Image};
use super::memory::Memory;
use crate::shell::{Command, Cwd, Script, expand};
use std::borrow::Cow;
use std::sync::Arc;

/// What is in force for the commands of one RUN.
#[derive(Clone, Copy, Default)]
pub struct Environment<'e> {
    /// ENV, ARG and what the base image's configuration is known to set. `None` of it: nothing is set.
    pub variables: Option<Variables<'e>>,
    /// USER in force, expanded; empty for the image's own.
    pub user: &'e str,
    /// WORKDIR in force, absolute; empty where it is not known.
    pub cwd: &'e str,
    /// The base image at the bottom of the stage chain.
    pub image: Option<BaseImage<'e>>,
    /// The script in which the commands stand, for what it exports.
    pub script: Option<&'e Script<'e>>,
    /// What the commands before it did to settings, users and files.
    pub memory: Option<&'e Memory>,
    /// Files that the commands see, by absolute path.
    pub files: Option<Files<'e>>,
}

/// The value of a variable, `None` where it is not set.
pub type Variables<'e> = &'e (dyn Fn(&str) -> Option<String> + 'e);

/// Looks up a file by the absolute path at which a command sees it.
pub type Files<'e> = &'e (dyn Fn(&str) -> File + 'e);

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// Its content.
    Text(Arc<str>),
    /// There is none.
    Absent,
    /// Nothing is known.
    Unknown,
}

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable<'e> {
    /// It has this value, which is not empty.
    Set(Cow<'e, str>),
    /// It is not set, or empty.
    Unset,
    /// It may have any value.
    Unknown,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Name or number, as given; `root` for `0`.
    pub name: String,
    /// Number, where it is known.
    pub uid: Option<u32>,
    /// Number of the group, where it is known.
    pub gid: Option<u32>,
    /// Home in passwd, where it is known.
    pub home: Option<String>,
    /// Whether the home is more than a convention.
    pub sure: bool,
    /// Whether it is only taken to be root: nobody says who it is, and nothing is known of the image.
    pub assumed: bool,
}

impl User {
    fn root() -> Self {
        Self {
            name: "root".into(),
            uid: Some(0),
            gid: Some(0),
            home: Some("/root".into()),
            sure: true,
            assumed: false,
        }
    }

    /// Whether it is root; `None` where that is not known.
    #[must_use]
    pub fn is_root(&self) -> Option<bool> {
        self.uid
            .map(|uid| uid == 0)
            .or_else(|| self.name.parse::<u32>().is_err().then_some(self.name == "root"))
    }
}

impl<'e> Environment<'e> {
    /// The base image, if the data knows it.
    pub(super) fn known_image(&self) -> Option<&'static Image> {
        self.image.and_then(|image| image.known)
    }

    /// What is known of `name` where `command` runs: its own prefix, the script's exports, ENV and ARG, the base image.
    #[must_use]
    pub fn variable(&self, command: &'e Command<'e>, name: &str) -> Variable<'e> {
        let own = self.script.and_then(|script| script.variable(command, name)).or_else(|| {
            let set = command.env.iter().rev().find(|set| set.name == name)?;
            Some(crate::shell::Variable { value: Some(&set.value), exported: true })
        });
        let outer = || self.outer(command, name);
        let set = |text: Cow<'e, str>| if text.is_empty() { Variable::Unset } else { Variable::Set(text) };
        match own {
            Some(variable) if variable.exported || matches!(outer(), Variable::Set(_)) => {
                match variable.value {
                    Some(word) if word.literal => set(Cow::Borrowed(&word.text)),
                    Some(word) => match self.resolve(&word.text) {
                        Some(text) => set(Cow::Owned(text.into_owned())),
                        None => Variable::Unknown,
                    },
                    None => Variable::Unknown,
                }
            }
            _ => outer(),
        }
    }

    /// Whether an image that the data does not know may have set `name`, though nothing else has.
    pub(super) fn may_be_set(&self, name: &str) -> bool {
        self.known_image().is_none() && images::is_usual(name)
    }

    fn outer(&self, command: &Command<'_>, name: &str) -> Variable<'e> {
        // `su -` and `sudo -i` start with an environment of their own.
        if command
            .wrappers
            .iter()
            .any(|wrapper| wrapper.login && matches!(&*wrapper.name, "su" | "sudo" | "runuser"))
        {
            return Variable::Unset;
        }
        let own = self.variables.and_then(|variables| variables(name));
        let image = || self.known_image()?.env.get(name).cloned();
        match own.or_else(image) {
            Some(text) if !text.is_empty() => Variable::Set(Cow::Owned(text)),
            _ => Variable::Unset,
        }
    }

    /// `text` with the variables of the environment put in; `None` where one is not known.
    pub(super) fn resolve<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let image = |name: &str| self.known_image()?.env.get(name).cloned();
        let lookup = |name: &str| {
            self.variables.and_then(|variables| variables(name)).or_else(|| image(name)).map(Cow::Owned)
        };
        expand(text, &lookup)
    }

    /// Who runs `command`: the user of its innermost wrapper that names one, else USER, else the image's.
    #[must_use]
    pub fn user(&self, command: &Command<'_>) -> User {
        let wrapped = command.wrappers.iter().rev().find_map(|wrapper| wrapper.user.as_deref());
        self.named(wrapped.unwrap_or(self.user))
    }

    /// What is known of the user `name` (`app`, `1000`, `app:staff`, `1000:1000`).
    #[must_use]
    pub fn named(&self, name: &str) -> User {
        let (name, group) = name.split_once(':').map_or((name, None), |(name, group)| (name, Some(group)));
        let image = self.known_image();
        let assumed = name.is_empty() && image.is_none();
        let name = if name.is_empty() { image.map_or("root", |image| image.user.as_str()) } else { name };
        let group: Option<u32> = group.and_then(|group| group.parse().ok());
        if matches!(name, "root" | "0" | "") {
            return User { gid: group.or(Some(0)), assumed, ..User::root() };
        }
        let number: Option<u32> = name.parse().ok();
        let made = self.memory.and_then(|memory| memory.user(name));
        let shipped = || {
            let users = &image?.users;
            users.iter().find(|user| user.name == name || number.is_some() && user.uid == number).cloned()
        };
        let known = made.cloned().or_else(|| shipped().map(User::from));
        match known {
            Some(user) => User { gid: group.or(user.gid), ..user },
            // A number without an entry has `/`; whether it has one is not known.
            None if number.is_some() => {
                User { name: name.into(), uid: number, gid: group, home: None, sure: false, assumed: false }
            }
            None => User {
                name: name.into(),
                uid: None,
                gid: group,
                home: Some(format!("/home/{name}")),
                sure: false,
                assumed: false,
            },
        }
    }

    /// The home of `command`, and whether it is certain. With `passwd` whatever `$HOME` says.
    #[must_use]
    pub fn home(&self, command: &'e Command<'e>, passwd: bool) -> Option<(String, bool)> {
        let user = self.user(command);
        let switched = command.wrappers.iter().rev().find(|wrapper| wrapper.user.is_some());
        if !passwd {
            let inner = self.script.is_some_and(|script| script.variable(command, "HOME").is_some())
                || command.env.iter().any(|set| set.name == "HOME");
            if inner || switched.is_none() {
                match self.variable(command, "HOME") {
                    Variable::Set(home) => return Some((home.trim_end_matches('/').to_owned(), true)),
                    Variable::Unknown => return None,
                    Variable::Unset => {}
                }
            }
        }
        // Whether sudo changes HOME is the policy's choice (facts, wrappers).
        let sudo = switched.is_some_and(|wrapper| *wrapper.name == *"sudo" && !wrapper.login);
        let mine = !sudo || self.named(self.user).name == user.name;
        user.home.map(|home| (home, user.sure && mine))
    }

    /// The directory in which `command` runs; `None` where it is not known or there are several.
    #[must_use]
    pub fn directory(&self, command: &'e Command<'e>) -> Option<String> {
        match &command.cwd {
            Cwd::Start if self.cwd.is_empty() => None,
            Cwd::Start => Some(super::path::normalize(self.cwd)),
            Cwd::Path(path) if path.starts_with(['/', '~']) => self.absolute(command, path),
            Cwd::Path(_) if self.cwd.is_empty() => None,
            Cwd::Path(path) => Some(super::path::normalize(&format!("{}/{path}", self.cwd))),
            Cwd::Each(_) | Cwd::Unknown => None,
        }
    }

    /// `path` as the command means it, absolute; `None` where its directory is not known.
    pub(super) fn absolute(&self, command: &'e Command<'e>, path: &str) -> Option<String> {
        if path.starts_with('/') {
            return Some(super::path::normalize(path));
        }
        if let Some(rest) = path.strip_prefix('~') {
            let (home, _) = self.home(command, false)?;
            return Some(super::path::normalize(&format!("{home}/{rest}")));
        }
        let directory = self.directory(command)?;
        Some(super::path::normalize(&format!("{directory}/{path}")))
    }

    /// The file at `path`.
    pub(super) fn file(&self, path: &str) -> File {
        self.files.map_or(File::Unknown, |files| files(path))
    }
}
