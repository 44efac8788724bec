//! Programs that run a tool: `npx turbo`, `corepack pnpm`, `poetry run`, `bundle exec` (facts, the wrapper tables).

use crate::shell::Word;
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// A runner: its words, and its options that take a value.
struct Runner {
    words: &'static [&'static str],
    valued: &'static [&'static str],
}

const PACKAGE: &[&str] = &["-p", "--package", "-w", "--workspace", "--call"];
const ENVIRONMENT: &[&str] = &[
    "-n",
    "--name",
    "-p",
    "--prefix",
    "--python",
    "--with",
    "--env",
    "-e",
    "-C",
    "--directory",
    "--project",
    "--group",
];

const RUNNERS: &[Runner] = &[
    Runner { words: &["npx"], valued: PACKAGE },
    Runner { words: &["bunx"], valued: PACKAGE },
    Runner { words: &["pnpx"], valued: PACKAGE },
    Runner { words: &["npm", "exec"], valued: PACKAGE },
    Runner { words: &["npm", "x"], valued: PACKAGE },
    Runner { words: &["pnpm", "dlx"], valued: PACKAGE },
    Runner { words: &["pnpm", "exec"], valued: PACKAGE },
    Runner { words: &["yarn", "dlx"], valued: PACKAGE },
    Runner { words: &["yarn", "exec"], valued: PACKAGE },
    Runner { words: &["yarn", "run"], valued: &[] },
    Runner { words: &["bun", "x"], valued: PACKAGE },
    Runner { words: &["corepack"], valued: &[] },
    Runner { words: &["poetry", "run"], valued: ENVIRONMENT },
    Runner { words: &["pipenv", "run"], valued: ENVIRONMENT },
    Runner { words: &["pdm", "run"], valued: ENVIRONMENT },
    Runner { words: &["uv", "run"], valued: ENVIRONMENT },
    Runner { words: &["uv", "tool", "run"], valued: ENVIRONMENT },
    Runner { words: &["uvx"], valued: ENVIRONMENT },
    Runner { words: &["hatch", "run"], valued: ENVIRONMENT },
    Runner { words: &["rye", "run"], valued: ENVIRONMENT },
    Runner { words: &["pixi", "run"], valued: ENVIRONMENT },
    Runner { words: &["conda", "run"], valued: ENVIRONMENT },
    Runner { words: &["mamba", "run"], valued: ENVIRONMENT },
    Runner { words: &["micromamba", "run"], valued: ENVIRONMENT },
    Runner { words: &["bundle", "exec"], valued: &[] },
    Runner { words: &["mise", "exec"], valued: &[] },
    Runner { words: &["mise", "x"], valued: &[] },
    Runner { words: &["asdf", "exec"], valued: &[] },
    Runner { words: &["rbenv", "exec"], valued: &[] },
    Runner { words: &["pyenv", "exec"], valued: &[] },
    Runner { words: &["opam", "exec"], valued: &["--switch"] },
    Runner { words: &["direnv", "exec", "*"], valued: &[] },
    Runner { words: &["devbox", "run"], valued: &[] },
    Runner { words: &["dotenv"], valued: &["-e", "-c"] },
    Runner { words: &["with-contenv"], valued: &[] },
    Runner { words: &["doppler", "run"], valued: &[] },
    Runner { words: &["op", "run"], valued: &["--env-file"] },
    Runner { words: &["infisical", "run"], valued: &["--env", "--path"] },
    Runner { words: &["aws-vault", "exec", "*"], valued: &[] },
    // A wrapper script of a build tool, started as a script.
    Runner { words: &["sh"], valued: &[] },
    Runner { words: &["bash"], valued: &[] },
];

/// Runners of scripts named in `package.json` whose word may as well be a program.
const SCRIPTS: &[&str] = &["yarn", "pnpm", "bun"];

/// What a runner runs: the number of the word with which it starts, and whether the runner is one of scripts.
pub(super) fn inside(argv: &[Word<'_>]) -> Option<(usize, bool)> {
    let program = argv.first()?.base_name()?;
    if !is_runner(program) {
        return None;
    }
    let named = RUNNERS.iter().filter(|runner| runner.words.first().is_some_and(|word| *word == program));
    let longest = named.filter_map(|runner| follow(argv, runner)).max_by_key(|(words, _)| *words);
    let scripts =
        || SCRIPTS.contains(&program).then(|| after(argv, 1, &[])).flatten().map(|next| (next, true));
    longest.map(|(_, next)| (next, false)).or_else(scripts)
}

/// Whether one of [`RUNNERS`] or [`SCRIPTS`] begins with that word.
fn is_runner(program: &str) -> bool {
    static FIRST: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
        RUNNERS.iter().filter_map(|runner| runner.words.first()).chain(SCRIPTS).copied().collect()
    });
    FIRST.contains(program)
}

fn follow(argv: &[Word<'_>], runner: &Runner) -> Option<(usize, usize)> {
    let mut at = 1;
    for word in runner.words.get(1..)? {
        at = after(argv, at, runner.valued)?;
        let text: &str = &argv.get(at)?.text;
        if *word != "*" && *word != text {
            return None;
        }
        at += 1;
    }
    Some((runner.words.len(), after(argv, at, runner.valued)?))
}

/// The first word from `at` on that is not an option or its value.
fn after(argv: &[Word<'_>], mut at: usize, valued: &[&str]) -> Option<usize> {
    loop {
        let text: &str = &argv.get(at)?.text;
        if text == "--" {
            return argv.get(at + 1).map(|_| at + 1);
        }
        if !text.starts_with('-') {
            return Some(at);
        }
        at += if valued.contains(&text) { 2 } else { 1 };
    }
}

/// A package's name without its version: `turbo@2` and `@scope/x@1` are `turbo` and `@scope/x`.
pub(super) fn unversioned(word: &str) -> &str {
    match word.char_indices().skip(1).find(|(_, character)| *character == '@') {
        Some((at, _)) => word.get(..at).unwrap_or(word),
        None => word,
    }
}
