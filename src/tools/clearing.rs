//! Commands that remove files: what `rm`, `find -delete` and a tool's own cleaning do to a cache directory.

use super::arguments::Arguments;
use super::catalog::Catalog;
use super::environment::Environment;
use super::model::Tool;
use super::path::is_within;
use super::recognise::Candidates;
use crate::shell::{Command, Word};
use crate::source::Span;

/// Something that a command removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Absolute, normalised; a part that is not known is `*`.
    pub path: String,
    /// Only what is in it goes (`DIR/*`, `find DIR -mindepth 1 -delete`), not the directory itself.
    pub contents: bool,
    /// The word that names it.
    pub span: Span,
}

/// What a removal does to a directory that is a mount point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// It removes the directory or one above it: the content goes, and then `rm` fails with EBUSY (facts §2.5).
    Busy,
    /// It empties the directory.
    Empty,
    /// It removes part of what is in it.
    Part,
}

impl Removal {
    /// What it does to the directory `path`.
    #[must_use]
    pub fn hits(&self, path: &str) -> Option<Hit> {
        if is_within(path, &self.path) {
            let itself = is_within(&self.path, path);
            return Some(if self.contents && itself { Hit::Empty } else { Hit::Busy });
        }
        is_within(&self.path, path).then_some(Hit::Part)
    }
}

/// What empties a tool's caches.
#[derive(Clone, Debug)]
pub enum Clearing<'c> {
    /// The tool's own command.
    Tool(&'c Tool),
    /// Removed files.
    Paths(Vec<Removal>),
}

impl Catalog {
    /// What `command` empties, if anything.
    #[must_use]
    pub fn clearing<'c, 'e>(
        &'c self,
        command: &'e Command<'e>,
        environment: &'e Environment<'e>,
    ) -> Option<Clearing<'c>> {
        self.candidates_of(command).clearing(command, environment)
    }
}

impl<'c> Candidates<'c> {
    /// [`Catalog::clearing`], the tools that `command` begins with being looked up before.
    #[must_use]
    pub fn clearing<'e>(
        &self,
        command: &'e Command<'e>,
        environment: &'e Environment<'e>,
    ) -> Option<Clearing<'c>> {
        if environment.runs(command) == Some(false) {
            return None;
        }
        let paths = removals(command, environment);
        if !paths.is_empty() {
            return Some(Clearing::Paths(paths));
        }
        self.cleans(command).map(Clearing::Tool)
    }

    /// The tool whose cleaning command it is.
    fn cleans(&self, command: &Command<'_>) -> Option<&'c Tool> {
        if command.opaque.is_some() {
            return None;
        }
        self.tools.iter().find_map(|&(tool, taken)| {
            if tool.defeats.commands.is_empty() {
                return None;
            }
            let valued: [&[String]; 3] = [&tool.value_flags, &tool.cwd_flags, &tool.manifest_flags];
            let arguments = Arguments::new(command.argv.get(taken..)?, &valued);
            let cleans = tool.defeats.commands.iter().any(|phrase| phrase.matches(&arguments, tool.goals));
            cleans.then_some(tool)
        })
    }
}

/// More paths than a cleanup has.
const MAX_PATHS: usize = 256;

/// What `command` removes.
#[must_use]
pub fn removals<'e>(command: &'e Command<'e>, environment: &Environment<'e>) -> Vec<Removal> {
    let args = command.args();
    match command.program() {
        Some("rm" | "unlink" | "rmdir") => {
            let mut ended = false;
            let words = args.iter().filter(|word| {
                let option = !ended && word.text.starts_with('-');
                ended |= word.text == "--";
                !option
            });
            words.flat_map(|word| paths(word, command, environment)).take(MAX_PATHS).collect()
        }
        Some("find") => {
            let deletes = args.iter().any(|word| word.text == "-delete")
                || args.windows(2).any(|pair| {
                    matches!(pair, [flag, program] if flag.text.starts_with("-exec") && program.base_name() == Some("rm"))
                });
            // Files by a name or a kind are a part of what is there.
            let all = !args.iter().any(|word| {
                matches!(
                    &*word.text,
                    "-name" | "-iname" | "-path" | "-regex" | "-mtime" | "-size" | "-empty" | "!" | "-not"
                )
            });
            if !deletes || !all {
                return Vec::new();
            }
            let roots = args.iter().take_while(|word| !word.text.starts_with(['-', '(', '!']));
            let below = |removal: Removal| Removal { contents: true, ..removal };
            roots.flat_map(|word| paths(word, command, environment)).map(below).take(MAX_PATHS).collect()
        }
        _ => Vec::new(),
    }
}

/// The paths that a word stands for.
fn paths<'e>(word: &Word<'_>, command: &'e Command<'e>, environment: &Environment<'e>) -> Vec<Removal> {
    let Some(text) = known(word, command, environment) else { return Vec::new() };
    let one = |text: String| {
        let contents = text.ends_with("/*");
        let path = text.strip_suffix("/*").unwrap_or(&text);
        let path = environment.absolute(command, if path.is_empty() { "/" } else { path })?;
        Some(Removal { path: path.replace('?', "*"), contents, span: word.span })
    };
    braces(&text).into_iter().filter_map(one).collect()
}

/// The text of a word with `$HOME` and other known variables put in.
fn known<'e>(word: &Word<'_>, command: &'e Command<'e>, environment: &Environment<'e>) -> Option<String> {
    if word.literal {
        return Some(word.text.to_string());
    }
    let rest = word.text.strip_prefix("$HOME").or_else(|| word.text.strip_prefix("${HOME}"));
    let text = match rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        Some(rest) => format!("~{rest}"),
        None => word.text.to_string(),
    };
    let lookup = |name: &str| match environment.variable(command, name) {
        super::Variable::Set(text) => Some(text),
        _ => None,
    };
    crate::shell::expand(&text, &lookup).map(std::borrow::Cow::into_owned)
}

/// `/a/{b,c}/d` as `/a/b/d` and `/a/c/d`; one level, since nobody nests them.
fn braces(text: &str) -> Vec<String> {
    let parts = text.split_once('{').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once('}')?;
        inside.contains(',').then_some((before, inside, after))
    });
    match parts {
        Some((before, inside, after)) => {
            inside.split(',').take(MAX_PATHS).map(|part| format!("{before}{part}{after}")).collect()
        }
        None => vec![text.to_owned()],
    }
}
