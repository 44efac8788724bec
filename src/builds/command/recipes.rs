//! Recipes that a command runs by name: `npm run image`, `just image`, `task image`.

use super::{Arg, Base, Call, Runner, resolve};
use crate::builds::{join, just, package, parent, task};

/// What the package managers do themselves.
const OWN: &[&str] = &[
    "install",
    "i",
    "ci",
    "add",
    "remove",
    "exec",
    "dlx",
    "x",
    "publish",
    "version",
    "config",
    "set",
    "workspace",
    "workspaces",
    "audit",
    "cache",
    "pack",
    "init",
    "create",
    "link",
    "login",
    "test",
    "why",
    "up",
    "upgrade",
];

const TASKFILES: &[&str] = &["Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml"];
const JUSTFILES: &[&str] = &["justfile", "Justfile", ".justfile"];

impl<'f> Runner<'_, 'f> {
    /// `npm run NAME`, `yarn NAME`, `pnpm -C DIR run NAME`
    pub(super) fn package_script(&mut self, call: &Call<'_>, program: &str, args: &[Arg]) {
        let (directory, words) = self.directory(call, args, &["-C", "--prefix", "--dir", "--cwd"]);
        let words: Vec<&str> = words.iter().map(|word| word.text.text.as_str()).collect();
        let name = match words.as_slice() {
            ["run" | "run-script", name, ..] => *name,
            [name, ..] if program != "npm" && !OWN.contains(name) => *name,
            _ => return,
        };
        let Some((path, text)) = self.beside(directory, &["package.json"]) else { return };
        let found = package::called(&path, text, name, self.inner(&path, call), self.files);
        self.take_over(call, found);
    }

    /// `just RECIPE ARGUMENT…`
    pub(super) fn just(&mut self, call: &Call<'_>, args: &[Arg]) {
        let (directory, words) = self.directory(call, args, &["-d", "--working-directory"]);
        let words: Vec<String> = words
            .iter()
            .filter(|word| !word.text.text.contains('='))
            .map(|word| word.text.text.clone())
            .collect();
        let Some((path, text)) = self.beside(directory, JUSTFILES) else { return };
        let found = just::called(&path, text, &words, self.inner(&path, call), self.files);
        self.take_over(call, found);
    }

    /// `task NAME…`
    pub(super) fn task(&mut self, call: &Call<'_>, args: &[Arg]) {
        let (directory, words) = self.directory(call, args, &["-d", "--dir"]);
        let Some((path, text)) = self.beside(directory, TASKFILES) else { return };
        let names: Vec<String> = words
            .iter()
            .map(|word| word.text.text.clone())
            .take_while(|word| word != "--")
            .filter(|word| !word.contains('='))
            .collect();
        let default = ["default".to_owned()];
        let names = if names.is_empty() { &default[..] } else { &names };
        for name in names {
            let found = task::called(&path, text, name, self.inner(&path, call), self.files);
            self.take_over(call, found);
        }
    }

    /// Where the program looks for its file, with the words that are no options. The options of `valued` name it.
    fn directory<'a>(
        &self,
        call: &Call<'_>,
        args: &'a [Arg],
        valued: &[&str],
    ) -> (Option<String>, Vec<&'a Arg>) {
        let base = Base { cwd: call.cwd.as_deref(), here: self.env.here() };
        let mut directory = call.cwd.clone();
        let mut words = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let text = arg.text.text.as_str();
            if valued.contains(&text) {
                directory = args.next().and_then(|given| resolve(&given.text.text, base));
            } else if !text.starts_with('-') || text == "--" {
                words.push(arg);
            }
        }
        (directory, words)
    }

    /// The first of these files that is there, in the directory or, as these programs look, above it.
    fn beside(&self, directory: Option<String>, names: &[&str]) -> Option<(String, &'f str)> {
        let mut directory = directory?;
        loop {
            let found = names.iter().filter_map(|name| join(&directory, name)).find_map(|path| {
                let text = (self.files)(&path)?;
                Some((path, text))
            });
            if found.is_some() || directory.is_empty() {
                return found.filter(|(path, _)| **path != *self.env.path);
            }
            directory = parent(&directory).to_owned();
        }
    }
}
