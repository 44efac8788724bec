//! Whether a condition of a tool file holds at a command, as far as that is known.

use super::arguments::Arguments;
use super::environment::{Environment, File, Variable};
use super::model::{Condition, Tool};
use super::{images, phrase};
use crate::shell::Command;

/// Three-valued truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Unknown,
    Yes,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// A command of a tool, with all that can be asked of it.
#[derive(Clone)]
pub(super) struct Site<'c, 'e> {
    pub(super) tool: &'c Tool,
    pub(super) command: &'e Command<'e>,
    pub(super) environment: &'e Environment<'e>,
    pub(super) arguments: Arguments<'e>,
    /// Base name of the program.
    pub(super) program: &'e str,
    /// The directory in which it works.
    pub(super) directory: Option<String>,
}

impl std::fmt::Debug for Site<'_, '_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Site");
        shown.field("tool", &self.tool.name).field("arguments", &self.arguments);
        shown.field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Site<'_, '_> {
    /// Whether `when` holds and `unless` does not.
    pub(super) fn applies(&self, when: Option<&Condition>, unless: Option<&Condition>) -> Truth {
        let when = when.map_or(Truth::Yes, |condition| self.holds(condition));
        let unless = unless.map_or(Truth::No, |condition| self.holds(condition));
        match unless {
            Truth::Yes => Truth::No,
            Truth::Unknown => when.min(Truth::Unknown),
            Truth::No => when,
        }
    }

    /// Whether all that the condition asks is so.
    pub(super) fn holds(&self, condition: &Condition) -> Truth {
        let mut truth = Truth::Yes;
        let mut and = |other: Truth| truth = truth.min(other);
        if let Some(root) = condition.root {
            let user = self.environment.user(self.command);
            and(user.is_root().map_or(Truth::Unknown, |is_root| (is_root == root).into()));
        }
        if !condition.image.is_empty() {
            and(self.image(&condition.image));
        }
        if !condition.env.is_empty() {
            and(any(condition.env.iter().map(|spec| self.variable(spec))));
        }
        if !condition.flags.is_empty() {
            and(condition.flags.iter().any(|flag| self.arguments.option(flag)).into());
        }
        if !condition.program.is_empty() {
            and(condition.program.iter().any(|program| phrase::glob(program, self.program)).into());
        }
        if let Some(words) = &condition.words {
            and(words.matches(&self.arguments, self.tool.goals).into());
        }
        if !condition.any.is_empty() {
            and(any(condition.any.iter().map(|condition| self.holds(condition))));
        }
        if !condition.settings.is_empty() {
            and(any(condition.settings.iter().map(|spec| self.setting(spec))));
        }
        if let Some(file) = &condition.file {
            and(self.file(file, condition));
        }
        if let Some(name) = &condition.nowhere {
            and(self.nowhere(name));
        }
        truth
    }

    fn image(&self, patterns: &[String]) -> Truth {
        let Some(image) = &self.environment.image else { return Truth::Unknown };
        if patterns.iter().any(|pattern| images::matches(pattern, image)) {
            return Truth::Yes;
        }
        // An image that the data does not know may stand on any of them.
        if image.known.is_some() { Truth::No } else { Truth::Unknown }
    }

    /// `NAME` or `NAME=globs`.
    pub(super) fn variable(&self, spec: &str) -> Truth {
        let (name, globs) = spec.split_once('=').map_or((spec, "*"), |(name, globs)| (name, globs));
        match self.environment.variable(self.command, name) {
            Variable::Set(value) => phrase::any_glob(globs, &value).into(),
            Variable::Unset => Truth::No,
            Variable::Unknown => Truth::Unknown,
        }
    }

    /// `key=globs`.
    pub(super) fn setting(&self, spec: &str) -> Truth {
        let (key, globs) = spec.split_once('=').unwrap_or((spec, "*"));
        match self.environment.memory.and_then(|memory| memory.setting(&self.tool.name, key)) {
            Some(Some(value)) => phrase::any_glob(globs, value).into(),
            Some(None) => Truth::Unknown,
            None => Truth::No,
        }
    }

    /// A file in the working directory.
    pub(super) fn read(&self, name: &str) -> File {
        match &self.directory {
            Some(directory) => self.environment.file(&super::path::normalize(&format!("{directory}/{name}"))),
            None => File::Unknown,
        }
    }

    /// Whether no directory from the working directory up has the file.
    fn nowhere(&self, name: &str) -> Truth {
        let Some(directory) = &self.directory else { return Truth::Unknown };
        let mut truth = Truth::Yes;
        let mut at = directory.as_str();
        loop {
            match self.environment.file(&format!("{}/{name}", at.trim_end_matches('/'))) {
                File::Text(_) => return Truth::No,
                File::Unknown => truth = Truth::Unknown,
                File::Absent => {}
            }
            match at.rfind('/') {
                Some(end) if at.len() > 1 => at = at.get(..end.max(1)).unwrap_or("/"),
                _ => return truth,
            }
        }
    }

    fn file(&self, name: &str, condition: &Condition) -> Truth {
        match self.read(name) {
            File::Unknown => Truth::Unknown,
            File::Absent => Truth::No,
            File::Text(text) => {
                let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
                let has = |wanted: &String| {
                    let wanted: String =
                        wanted.chars().filter(|character| !character.is_whitespace()).collect();
                    text.contains(&wanted)
                };
                let contains = condition.contains.is_empty() || condition.contains.iter().any(has);
                (contains && !condition.lacks.iter().any(has)).into()
            }
        }
    }
}

/// Whether one is so.
pub(super) fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    truths.max().unwrap_or(Truth::No)
}
