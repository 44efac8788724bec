//! Scripts and recipes that a command runs: `./ci/build.sh`, `. ./lib.sh`, `bash x.sh`, `make image`. Their builds are the
//! caller's, with its job, builder and variables.

use super::followed::Start;
use super::{Arg, Base, Call, Runner, ScriptEnv, flags, names_builder, resolve};
use crate::builds::{Build, Front, System, Var, make, parent, shell};

/// How deep scripts that call scripts are followed.
const MAX_DEPTH: u32 = 4;
/// Arguments that a script gets to know.
const MAX_ARGS: usize = 16;

/// `make` and its options.
const MAKE: flags::Flags = flags::Flags {
    valued: &[
        "directory/C",
        "file/f",
        "makefile",
        "include-dir/I",
        "jobs/j",
        "load-average/l",
        "old-file/o",
        "what-if/W",
    ],
    bools: &[
        "always-make/B",
        "environment-overrides/e",
        "ignore-errors/i",
        "keep-going/k",
        "dry-run/n",
        "print-data-base/p",
        "question/q",
        "no-builtin-rules/r",
        "no-builtin-variables/R",
        "silent/s",
        "quiet",
        "stop/S",
        "touch/t",
        "print-directory/w",
        "no-print-directory",
        "debug",
        "output-sync/O",
        "trace",
    ],
    greedy: false,
    single_dash: false,
};

impl Runner<'_, '_> {
    /// Reads what a command runs, if it is a file of the project.
    pub(super) fn follow(&mut self, call: &Call<'_>) {
        if self.env.depth >= MAX_DEPTH {
            return;
        }
        let Some((program, args)) = call.argv.split_first() else { return };
        let text = program.text.text.as_str();
        match text.rsplit('/').next().unwrap_or("") {
            "." | "source" => self.source_file(call, args),
            "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" => {
                let flags = |arg: &&Arg| arg.text.text.starts_with(['-', '+']);
                let skip = args.iter().take_while(flags).count();
                if let Some((script, rest)) = args.get(skip..).and_then(<[Arg]>::split_first) {
                    self.script(call, script, rest);
                }
            }
            "make" | "gmake" => self.make(call, args),
            "npm" | "yarn" | "pnpm" | "bun" => self.package_script(call, text, args),
            "just" => self.just(call, args),
            "task" | "go-task" => self.task(call, args),
            _ if text.contains('/') => self.script(call, program, args),
            _ => {}
        }
    }

    fn found(&self, call: &Call<'_>, file: &Arg) -> Option<String> {
        let base = Base { cwd: call.cwd.as_deref(), here: self.env.here() };
        resolve(&file.text.text, base).filter(|path| **path != *self.env.path)
    }

    /// The environment in which a file that the command runs starts.
    pub(super) fn inner(&self, path: &str, call: &Call<'_>) -> ScriptEnv {
        ScriptEnv {
            path: path.into(),
            name: Vec::new(),
            cwd: call.cwd.clone(),
            cwd_guesses: Vec::new(),
            here: Some(parent(path).to_owned()),
            pulled: Vec::new(),
            vars: self.env.vars.abroad(),
            depth: self.env.depth + 1,
            is_touched: false,
            ..self.env.clone()
        }
    }

    pub(super) fn take_over(&mut self, call: &Call<'_>, found: Vec<Build>) {
        self.env.is_touched |= !found.is_empty();
        for build in found {
            let starter = self.env.build(call.span, Front::Other);
            self.out.push(build.called_by(&starter));
        }
    }

    /// `./script ARG…`, `bash script ARG…`
    fn script(&mut self, call: &Call<'_>, script: &Arg, args: &[Arg]) {
        let Some(path) = self.found(call, script) else { return };
        let Some(text) =
            (self.files)(&path).filter(|text| names_builder(text) && shell::is_script(&path, text))
        else {
            return;
        };
        let mut env = self.inner(&path, call);
        for assignment in call.command.env.iter().filter(|assignment| assignment.value.literal) {
            env.vars.set_foreign(&assignment.name, &assignment.value.text);
        }
        // Arguments of this script are not those of the next one.
        for index in 1..10 {
            env.vars.unset(&index.to_string());
        }
        for (index, arg) in args.iter().take(MAX_ARGS).enumerate() {
            env.vars.set_foreign(&(index + 1).to_string(), &arg.text.text);
        }
        let words = args.iter().take(MAX_ARGS).cloned().collect();
        env.vars.put("@", Var { words, foreign: true, ..Var::default() });
        let mut found = Vec::new();
        self.run_script(&path, text, &mut env, &mut found);
        self.take_over(call, found);
    }

    /// Runs a script of the project, unless it is known to do nothing but set variables.
    fn run_script(&mut self, path: &str, text: &str, env: &mut ScriptEnv, found: &mut Vec<Build>) {
        let start = Start::from(&*env);
        if let Some(after) = self.env.followed.get(&start, &env.vars) {
            env.vars = after;
            return;
        }
        let before = env.vars.clone();
        shell::run(path, text, env, self.files, found);
        self.env.is_touched |= env.is_touched;
        if found.is_empty() && !env.is_touched {
            self.env.followed.put(start, before, env.vars.clone());
        }
    }

    /// `. script`: as a script, and what it sets stays set.
    fn source_file(&mut self, call: &Call<'_>, args: &[Arg]) {
        let Some(path) = args.first().and_then(|file| self.found(call, file)) else { return };
        let Some(text) = (self.files)(&path) else { return };
        let mut env = self.inner(&path, call);
        // `$0` is still the script that reads it.
        env.here = Some(self.env.here().to_owned());
        let mut found = Vec::new();
        self.run_script(&path, text, &mut env, &mut found);
        self.env.vars.adopt(&env.vars);
        if env.builder != self.env.builder {
            let (set_by, versions) =
                (env.builder.set_by.map(|_| call.span), self.env.builder.versions.clone());
            self.env.builder = crate::builds::Builder { set_by, versions, legacy: None, ..env.builder };
        }
        self.take_over(call, found);
    }

    /// `make [-C DIR] TARGET… NAME=value…`
    fn make(&mut self, call: &Call<'_>, args: &[Arg]) {
        let parsed = MAKE.parse(args, false);
        // What `-o` names is not made again: mostly the image that an earlier step of the job built.
        if parsed.last("dry-run").is_some() || parsed.last("old-file").is_some() {
            return;
        }
        let base = Base { cwd: call.cwd.as_deref(), here: self.env.here() };
        let directory = match parsed.value("directory") {
            Some(directory) => resolve(&directory.text.text, base),
            None => call.cwd.clone(),
        };
        let Some(directory) = directory else { return };
        let inside = Base { cwd: Some(&directory), here: self.env.here() };
        let named = parsed.value("file").or_else(|| parsed.value("makefile"));
        let path = match named {
            Some(file) => resolve(&file.text.text, inside),
            None => ["GNUmakefile", "makefile", "Makefile"]
                .iter()
                .filter_map(|name| crate::builds::join(&directory, name))
                .find(|path| (self.files)(path).is_some()),
        };
        let Some(path) = path.filter(|path| **path != *self.env.path || self.env.system != System::Make)
        else {
            return;
        };
        let Some(text) = (self.files)(&path) else { return };
        let mut env = self.inner(&path, call);
        env.cwd = Some(directory);
        let (mut targets, mut given) = (Vec::new(), Vec::new());
        let assigned = call.command.env.iter().filter(|assignment| assignment.value.literal);
        given.extend(
            assigned.map(|assignment| (assignment.name.to_string(), assignment.value.text.to_string())),
        );
        for arg in &parsed.positional {
            match arg.text.text.split_once('=') {
                Some((name, value)) => given.push((name.trim_end_matches(':').to_owned(), value.to_owned())),
                None => targets.push(arg.text.text.clone()),
            }
        }
        let found = make::targets(&path, text, &targets, &given, env, self.files);
        self.take_over(call, found);
    }
}
