//! Whether a command in a branch runs: `if [ -f yarn.lock ]; then yarn; elif [ -f package-lock.json ]; then npm ci; fi` is
//! decided by the files of the context.

use super::environment::{Environment, File};
use crate::shell::{Command, GuardKind};

impl<'e> Environment<'e> {
    /// Whether `command` of [`Environment::script`] runs whenever the RUN does; `None` where that is not known. Tests for
    /// files are answered by [`Environment::files`].
    #[must_use]
    pub fn runs(&self, command: &'e Command<'e>) -> Option<bool> {
        if command.certain {
            return Some(true);
        }
        let script = self.script.filter(|_| command.guard > 0)?;
        let mut known = Some(true);
        for guard in script.guards(command) {
            let holds = match guard.kind {
                GuardKind::Met => Some(true),
                GuardKind::Unknown => None,
                GuardKind::Succeeds(number) => {
                    script.commands.get(number as usize).and_then(|test| self.test(test))
                }
                GuardKind::Fails(number) => {
                    script.commands.get(number as usize).and_then(|test| self.test(test)).map(|holds| !holds)
                }
            };
            match holds {
                Some(false) => return Some(false),
                Some(true) => {}
                None => known = None,
            }
        }
        known
    }

    /// Whether `[ -f FILE ]` and its like succeeds.
    fn test(&self, test: &'e Command<'e>) -> Option<bool> {
        let words = match test.program()? {
            "test" => test.args(),
            "[" | "[[" => test.args().split_last().map(|(_, words)| words)?,
            _ => return None,
        };
        let (words, negated) = match words {
            [not, rest @ ..] if not.text == "!" => (rest, true),
            _ => (words, false),
        };
        let [operator, file] = words else { return None };
        if !matches!(&*operator.text, "-f" | "-e" | "-r" | "-s") || !file.literal || file.glob {
            return None;
        }
        let exists = match self.file(&self.absolute(test, &file.text)?) {
            File::Text(_) => true,
            // `-e` is true of directories, too, which are not looked up.
            File::Absent if operator.text != "-e" => false,
            _ => return None,
        };
        Some(exists != negated)
    }
}
