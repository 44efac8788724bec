//! A small stand-in for the graph: walks one Dockerfile and tells what each command of its RUNs does.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)] // helpers of tests; each test file uses some

use hitrate::dockerfile::{self, Kind};
use hitrate::shell::{self, Command, Script};
use hitrate::tools::{Catalog, Clearing, Environment, File, Kind as Does, Memory, Mount, Needs, Sharing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one command does.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) text: String,
    pub(crate) tool: String,
    pub(crate) kind: Does,
    pub(crate) needs: Needs,
    pub(crate) directory: Option<String>,
    pub(crate) named: Vec<String>,
    pub(crate) scripts: Option<Vec<String>>,
    pub(crate) sure: bool,
    pub(crate) certain: bool,
    pub(crate) caches: Vec<Dir>,
    pub(crate) defeats: Vec<String>,
    pub(crate) missing: Vec<String>,
    pub(crate) inner: Vec<String>,
    pub(crate) uid: Option<u32>,
}

/// One cache directory.
#[derive(Clone, Debug)]
pub(crate) struct Dir {
    pub(crate) path: Option<String>,
    pub(crate) mount: Mount,
    pub(crate) sharing: Sharing,
    pub(crate) sure: bool,
    pub(crate) moved: bool,
    pub(crate) later: bool,
}

impl Seen {
    /// Paths on which a mount is good.
    pub(crate) fn good(&self) -> Vec<&str> {
        let good = self.caches.iter().filter(|cache| cache.mount == Mount::Yes);
        good.filter_map(|cache| cache.path.as_deref()).collect()
    }

    /// Paths on which a mount breaks something.
    pub(crate) fn bad(&self) -> Vec<&str> {
        let bad = self.caches.iter().filter(|cache| cache.mount == Mount::No);
        bad.filter_map(|cache| cache.path.as_deref()).collect()
    }
}

/// What the commands of a Dockerfile do.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) seen: Vec<Seen>,
    /// Cache directories and tools that commands clear.
    pub(crate) cleared: Vec<String>,
    /// Commands that no tool takes.
    pub(crate) unknown: Vec<String>,
}

/// Walks `text` with the files of a context.
pub(crate) fn walk(text: &str, files: &[(&str, &str)]) -> Walk {
    walk_with(Catalog::builtin(), text, files)
}

pub(crate) fn walk_with(catalog: &Catalog, text: &str, files: &[(&str, &str)]) -> Walk {
    let mut walk = Walk::default();
    let file = dockerfile::parse(text);
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let (mut image, mut user, mut cwd) = (String::new(), String::new(), String::from("/"));
    let mut memory = Memory::default();
    for instruction in file.instructions() {
        let unquoted = |word: &dockerfile::Word<'_>| word.text.trim_matches('"').to_owned();
        match &instruction.kind {
            Kind::From(from) => image = from.image.text.to_string(),
            Kind::Env(pairs) => {
                variables.extend(pairs.iter().map(|pair| (pair.key.text.to_string(), unquoted(&pair.value))));
            }
            Kind::Arg(args) => {
                let set = args
                    .iter()
                    .filter_map(|arg| Some((arg.name.text.to_string(), unquoted(arg.default.as_ref()?))));
                variables.extend(set);
            }
            Kind::User(word) => user = word.text.to_string(),
            Kind::Workdir(word) if word.text.starts_with('/') => cwd = word.text.to_string(),
            Kind::Workdir(word) => cwd = format!("{cwd}/{}", word.text),
            Kind::Run(run) => {
                let known = |name: &str| variables.get(name).map(|value| value.clone().into());
                let options = shell::Options {
                    source: text,
                    heredocs: &instruction.heredocs,
                    variables: Some(&known),
                    ..shell::Options::default()
                };
                let script = shell::from_command(&run.command, &options);
                let lookup = |name: &str| variables.get(name).cloned();
                let read = |path: &str| {
                    let name = path.strip_prefix(&format!("{}/", cwd.trim_end_matches('/'))).unwrap_or(path);
                    let found = files.iter().find(|(own, _)| *own == name);
                    found.map_or(File::Absent, |(_, text)| File::Text(Arc::from(*text)))
                };
                let environment = Environment {
                    variables: Some(&lookup),
                    user: &user,
                    cwd: &cwd,
                    image: (!image.is_empty()).then(|| image.as_str().into()),
                    script: Some(&script),
                    memory: None,
                    files: if files.is_empty() { None } else { Some(&read) },
                };
                run_commands(catalog, &script, environment, &mut memory, text, &mut walk);
            }
            _ => {}
        }
    }
    walk
}

fn run_commands(
    catalog: &Catalog,
    script: &Script<'_>,
    environment: Environment<'_>,
    memory: &mut Memory,
    text: &str,
    walk: &mut Walk,
) {
    for command in &script.commands {
        {
            let environment = Environment { memory: Some(memory), ..environment };
            one(catalog, command, &environment, text, walk);
        }
        memory.observe(&catalog.candidates_of(command), command, &environment, &[]);
    }
}

fn one(catalog: &Catalog, command: &Command<'_>, environment: &Environment<'_>, text: &str, walk: &mut Walk) {
    match catalog.clearing(command, environment) {
        Some(Clearing::Tool(tool)) => walk.cleared.push(tool.name.clone()),
        Some(Clearing::Paths(paths)) => walk
            .cleared
            .extend(paths.into_iter().map(|removal| removal.path + if removal.contents { "/*" } else { "" })),
        None => {}
    }
    let Some(used) = catalog.recognise(command, environment) else {
        let words: Vec<&str> = command.argv.iter().map(|word| &*word.text).collect();
        walk.unknown.push(words.join(" "));
        return;
    };
    let caches = catalog.caches(&used, environment);
    walk.seen.push(Seen {
        text: command.span.of(text).to_owned(),
        tool: used.tool.name.clone(),
        kind: used.kind,
        needs: used.needs,
        directory: used.directory.clone(),
        named: used.named.clone(),
        scripts: used.scripts.clone(),
        sure: used.sure,
        certain: used.certain,
        caches: caches
            .iter()
            .map(|dir| Dir {
                path: dir.path.clone(),
                mount: dir.mount,
                sharing: dir.sharing().0,
                sure: dir.sure,
                moved: dir.moved,
                later: dir.needed_later().is_some(),
            })
            .collect(),
        defeats: catalog.defeats(&used, environment).iter().map(|defeat| format!("{defeat:?}")).collect(),
        missing: catalog
            .missing_companions(&used)
            .iter()
            .map(|missing| {
                let companion = missing.companion;
                companion
                    .env
                    .clone()
                    .or(companion.flag.clone())
                    .or(companion.command.clone())
                    .unwrap_or_default()
            })
            .collect(),
        inner: catalog
            .script(&used, environment)
            .iter()
            .flat_map(|inner| inner.caches.iter().filter_map(|dir| dir.path.clone()))
            .collect(),
        uid: environment.user(command).uid,
    });
}
