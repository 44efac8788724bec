//! From a command to what it does.

use super::arguments::Arguments;
use super::catalog::{Candidate, Catalog};
use super::condition::{Site, Truth, any};
use super::environment::{Environment, File};
use super::model::{Kind, Needs, Row, Tool};
use super::{package_json, requirements, runner};
use crate::shell::{Command, Opaque, Word};
use smallvec::SmallVec;

/// What a command does with a tool.
#[derive(Clone, Debug)]
pub struct Use<'c, 'e> {
    /// The tool.
    pub tool: &'c Tool,
    /// What its data says of this command.
    pub row: &'c Row,
    /// What it does.
    pub kind: Kind,
    /// What it reads of the build context.
    pub needs: Needs,
    /// The command.
    pub command: &'e Command<'e>,
    /// Number of the argument in `command.argv` after the executable.
    pub start: usize,
    /// The directory in which it works, absolute; `None` where it is not known or there are several.
    pub directory: Option<String>,
    /// Manifests named on the command line, as written (`-r FILE`, `xargs -a FILE`).
    pub named: Vec<String>,
    /// Project scripts that run with it and may read sources; `None` where the manifest is not known.
    pub scripts: Option<Vec<String>>,
    /// Whether it runs whenever the RUN does, as far as is known ([`Environment::runs`]).
    pub certain: bool,
    /// Whether it is certain that this tool is meant and not one of `rivals`.
    pub sure: bool,
    /// Other tools of the same executable that it may be.
    pub rivals: Vec<&'c Tool>,
    /// The command as the tool reads it.
    pub(super) site: Site<'c, 'e>,
}

/// The tools that a command line begins with: those of the executable of the most words.
#[derive(Clone, Debug, Default)]
pub struct Candidates<'c> {
    /// Each with the number of arguments that its executable takes.
    pub(super) tools: SmallVec<[(&'c Tool, usize); 2]>,
    /// How many words the executable has.
    words: usize,
}

/// How often a runner may stand inside a runner.
const MAX_RUNNERS: usize = 4;

impl Catalog {
    /// What `command` does, if it is a tool's command that downloads or builds, or that runs something that may. Nothing
    /// if it stands in a branch that is certainly not taken.
    #[must_use]
    pub fn recognise<'c, 'e>(
        &'c self,
        command: &'e Command<'e>,
        environment: &'e Environment<'e>,
    ) -> Option<Use<'c, 'e>> {
        self.recognise_among(self.candidates_of(command), command, environment)
    }

    /// [`Catalog::recognise`], the tools that `command` begins with being looked up before.
    #[must_use]
    pub fn recognise_among<'c, 'e>(
        &'c self,
        candidates: Candidates<'c>,
        command: &'e Command<'e>,
        environment: &'e Environment<'e>,
    ) -> Option<Use<'c, 'e>> {
        if command.opaque == Some(Opaque::Name) {
            return None;
        }
        let found = self.at(candidates, command, environment, 0, MAX_RUNNERS)?;
        let runs = environment.runs(command);
        (runs != Some(false)).then_some(Use { certain: runs == Some(true), ..found })
    }

    /// The tools that `command` begins with.
    #[must_use]
    pub fn candidates_of(&self, command: &Command<'_>) -> Candidates<'_> {
        self.longest(&command.argv, false)
    }

    fn at<'c, 'e>(
        &'c self,
        candidates: Candidates<'c>,
        command: &'e Command<'e>,
        environment: &'e Environment<'e>,
        start: usize,
        runners: usize,
    ) -> Option<Use<'c, 'e>> {
        let argv = command.argv.get(start..)?;
        let inside = runner::inside(argv).filter(|_| candidates.words < 2 && runners > 0);
        if let Some((next, script)) = inside {
            let start = start + next;
            let inner = self.longest(command.argv.get(start..).unwrap_or_default(), true);
            let inner = self.at(inner, command, environment, start, runners - 1);
            // `yarn build` is a script, `yarn turbo` the program.
            let inner =
                inner.filter(|inner| !script || matches!(&*inner.tool.ecosystem, "javascript" | "browser"));
            if inner.is_some() {
                return inner;
            }
        }
        if command.opaque.is_some() && start == 0 {
            return None;
        }
        choose(candidates, command, environment, start)
    }

    /// The tools with the most words that `argv` begins with.
    fn longest(&self, argv: &[Word<'_>], inside: bool) -> Candidates<'_> {
        let mut found = Candidates::default();
        let Some(program) = argv.first().and_then(Word::base_name) else { return found };
        let program = if inside { runner::unversioned(program) } else { program };
        let names = [Some(program), alias(program)];
        for name in names.into_iter().flatten() {
            self.candidates(name, |Candidate { tool, executable, words }| {
                let taken = if words == 1 { Some(1) } else { fits(executable, argv) };
                let Some(taken) = taken else { return };
                if words > found.words {
                    found.tools.clear();
                    found.words = words;
                }
                let known = || found.tools.iter().any(|(known, _)| known.name == tool.name);
                if words == found.words && !known() {
                    found.tools.push((tool, taken));
                }
            });
        }
        found
    }
}

impl Candidates<'_> {
    /// What a command did to its tool's settings.
    pub(super) fn settings<'e>(
        &self,
        command: &'e Command<'e>,
        environment: &'e Environment<'e>,
        memory: &mut super::Memory,
    ) {
        if command.opaque.is_some() {
            return;
        }
        for (tool, taken) in &self.tools {
            if tool.settings.is_empty() && tool.companions.is_empty() {
                continue;
            }
            let Some(args) = command.argv.get(*taken..) else { continue };
            let arguments = sorted(tool, args, &[&tool.value_flags]);
            for companion in &tool.companions {
                for phrase in companion.satisfied.iter().filter(|phrase| phrase.matches(&arguments, false)) {
                    memory.saw(&tool.name, phrase.source());
                }
            }
            let Some(words) = tool.settings.iter().filter_map(|phrase| phrase.taken(&arguments)).max() else {
                continue;
            };
            let mut rest = arguments.words.iter().skip(words);
            while let Some(word) = rest.next() {
                let (key, value) = match word.text.split_once('=') {
                    Some((key, value)) => (key, Some((value, word.literal))),
                    None => (&*word.text, rest.next().map(|value| (&*value.text, value.literal))),
                };
                match value {
                    Some((text, true)) => memory.set(&tool.name, key, Some(text)),
                    Some((text, false)) => memory.set(&tool.name, key, environment.resolve(text).as_deref()),
                    None => {}
                }
            }
        }
    }
}

/// The name under which a program's versions are listed.
fn alias(program: &str) -> Option<&'static str> {
    let numbered = |stem: &str| {
        let rest = program.strip_prefix(stem);
        rest.is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    };
    if !program.starts_with(['n', 'p']) {
        return None;
    }
    match program {
        "py" | "pypy" | "pypy3" => Some("python"),
        "nodejs" => Some("node"),
        _ if numbered("python") => Some("python"),
        _ if numbered("pip") => Some("pip"),
        _ if numbered("php") => Some("php"),
        _ => None,
    }
}

/// How many arguments the executable takes, if the command line begins with it. Options may stand between its words.
fn fits(executable: &str, argv: &[Word<'_>]) -> Option<usize> {
    let mut at = 1;
    let mut words = executable.split(' ');
    let program = words.next();
    for word in words {
        loop {
            let argument = argv.get(at)?;
            at += 1;
            let text: &str = &argument.text;
            let base = argument.base_name().unwrap_or(text);
            if [text, base, runner::unversioned(base)].iter().any(|text| super::phrase::glob(word, text)) {
                break;
            }
            if !text.starts_with(['-', '+']) {
                return None;
            }
            // The interpreter's own options with a value.
            if matches!(text, "-W" | "-X") && program == Some("python") {
                at += 1;
            }
        }
    }
    Some(at)
}

fn choose<'c, 'e>(
    candidates: Candidates<'c>,
    command: &'e Command<'e>,
    environment: &'e Environment<'e>,
    start: usize,
) -> Option<Use<'c, 'e>> {
    let many = candidates.tools.len() > 1;
    let mut chosen: Option<(Truth, Use<'c, 'e>)> = None;
    let mut rivals = Vec::new();
    let mut unsure = false;
    for (tool, taken) in candidates.tools {
        let Some(site) = site(tool, command, environment, start + taken) else { continue };
        let truth = if many && !tool.when.is_empty() {
            any(tool.when.iter().map(|condition| site.holds(condition)))
        } else {
            Truth::Unknown
        };
        let Some(found) = read(site, start + taken) else { continue };
        if truth == Truth::No {
            continue;
        }
        unsure |= truth == Truth::Unknown && !tool.when.is_empty();
        // Evidence beats the default, and the default beats what may be.
        let rank = |truth: Truth, tool: &Tool| (truth == Truth::Yes, tool.when.is_empty());
        match &chosen {
            Some((old, own)) if rank(*old, own.tool) >= rank(truth, tool) => rivals.push(tool),
            _ => {
                if let Some((_, old)) = chosen.replace((truth, found)) {
                    rivals.push(old.tool);
                }
            }
        }
    }
    let (truth, mut chosen) = chosen?;
    chosen.sure = truth == Truth::Yes || !unsure;
    chosen.rivals = if chosen.sure { Vec::new() } else { rivals };
    Some(chosen)
}

/// `args` as `tool` writes its options.
fn sorted<'e>(tool: &Tool, args: &'e [Word<'e>], valued: &[&[String]]) -> Arguments<'e> {
    let arguments = Arguments::new(args, valued);
    if tool.single_dash { arguments.unclustered() } else { arguments }
}

/// The command as `tool` reads it, its arguments from `start` on.
pub(super) fn site<'c, 'e>(
    tool: &'c Tool,
    command: &'e Command<'e>,
    environment: &'e Environment<'e>,
    start: usize,
) -> Option<Site<'c, 'e>> {
    let args: &'e [Word<'e>] = command.argv.get(start..)?;
    let valued: [&[String]; 3] = [&tool.value_flags, &tool.cwd_flags, &tool.manifest_flags];
    let arguments = sorted(tool, args, &valued);
    let program =
        start.checked_sub(1).and_then(|at| command.argv.get(at)).and_then(Word::base_name).unwrap_or("");
    let mut directory = environment.directory(command);
    for flag in &tool.cwd_flags {
        match arguments.value(flag, "") {
            Some(Ok(value)) => directory = below(directory.as_deref(), value),
            Some(Err(())) => directory = None,
            None => {}
        }
    }
    Some(Site { tool, command, environment, arguments, program, directory })
}

/// The directory that an option names; for a file (`-f sub/pom.xml`) the one that it is in.
fn below(directory: Option<&str>, value: &str) -> Option<String> {
    const FILES: [&str; 8] = [".xml", ".toml", ".gradle", ".kts", ".json", ".yml", ".yaml", ".nimble"];
    let value = if FILES.iter().any(|end| value.ends_with(end)) {
        value.rsplit_once('/').map_or(".", |(directory, _)| directory)
    } else {
        value
    };
    if value.starts_with('/') {
        return Some(super::path::normalize(value));
    }
    directory.map(|directory| super::path::normalize(&format!("{directory}/{value}")))
}

/// What the tool's data says of the command.
fn read<'c, 'e>(site: Site<'c, 'e>, start: usize) -> Option<Use<'c, 'e>> {
    let tool = site.tool;
    let row = row(&site)?;
    let mut named = named(&site, row);
    let mut needs = row.needs;
    if tool.requirements && !named.is_empty() {
        let reads = requirements::follow(&site, &mut named);
        if reads {
            needs = Needs::Sources;
        }
    }
    let fed = fed(site.command);
    if needs == Needs::None && !fed.is_empty() {
        needs = Needs::Manifests;
    }
    named.extend(fed);
    Some(Use {
        tool,
        row,
        kind: row.kind,
        needs,
        command: site.command,
        start,
        directory: site.directory.clone(),
        named,
        scripts: scripts(&site, row),
        certain: false,
        sure: true,
        rivals: Vec::new(),
        site,
    })
}

fn row<'c>(site: &Site<'c, '_>) -> Option<&'c Row> {
    let tool = site.tool;
    let arguments = &site.arguments;
    let rows = || tool.commands.iter();
    const ASKS: [&str; 7] = ["--version", "-version", "-v", "-V", "--help", "-h", "help"];
    if let [only] = arguments.all
        && ASKS.contains(&&*only.text)
    {
        return rows().find(|row| row.phrase.names(&only.text));
    }
    if arguments.words.is_empty() && ["--version", "--help"].iter().any(|flag| arguments.option(flag)) {
        return rows().find(|row| row.phrase.names("--version") || row.phrase.names("--help"));
    }
    if tool.goals {
        return goals(site);
    }
    if tool.ignore.iter().any(|phrase| phrase.matches(arguments, false)) {
        return None;
    }
    let fits = |arguments: &Arguments<'_>| {
        rows().find(|row| row.phrase.matches(arguments, false) && holds(site, row))
    };
    fits(arguments).or_else(|| {
        // The first word may be the value of an option that the data does not know: `npm --foo bar ci`.
        let first = arguments.words.first()?;
        let at = arguments.all.iter().position(|word| std::ptr::eq(word, *first))?;
        let before = at.checked_sub(1).and_then(|at| arguments.all.get(at))?;
        if !before.text.starts_with('-') || before.text.contains('=') {
            return None;
        }
        let words = arguments.words.get(1..)?.to_vec();
        let without = Arguments { words, ..arguments.clone() };
        if without.words.is_empty() || tool.ignore.iter().any(|phrase| phrase.matches(&without, false)) {
            return None;
        }
        fits(&without)
    })
}

fn holds(site: &Site<'_, '_>, row: &Row) -> bool {
    row.when.as_ref().is_none_or(|when| site.holds(when) == Truth::Yes)
}

/// The row of the strongest goal.
fn goals<'c>(site: &Site<'c, '_>) -> Option<&'c Row> {
    let tool = site.tool;
    let one = |words: Vec<&'_ Word<'_>>| {
        let arguments = Arguments { words, ..site.arguments.clone() };
        if tool.ignore.iter().any(|phrase| phrase.matches(&arguments, false)) {
            return None;
        }
        tool.commands.iter().find(|row| row.phrase.matches(&arguments, false) && holds(site, row))
    };
    if site.arguments.words.is_empty() {
        return one(Vec::new());
    }
    /// More goals than anyone gives.
    const MAX: usize = 64;
    let found = site.arguments.words.iter().take(MAX).filter_map(|word| one(vec![*word]));
    found.fold(None, |best: Option<&Row>, row| match best {
        Some(best) if best.kind >= row.kind => Some(best),
        _ => Some(row),
    })
}

/// Manifests that the command line names.
fn named(site: &Site<'_, '_>, row: &Row) -> Vec<String> {
    let tool = site.tool;
    let flags =
        site.arguments.flags.iter().filter(|flag| tool.manifest_flags.iter().any(|own| own == flag.name));
    let mut named: Vec<String> = flags.filter_map(|flag| flag.value).map(str::to_owned).collect();
    if row.named {
        let words = row.phrase.taken(&site.arguments).unwrap_or(0);
        named.extend(site.arguments.words.iter().skip(words).map(|word| word.text.to_string()));
    }
    named
}

/// The files whose lines `xargs` gives to the command.
fn fed(command: &Command<'_>) -> Vec<String> {
    let Some(xargs) = command.wrappers.iter().find(|wrapper| matches!(&*wrapper.name, "xargs" | "parallel"))
    else {
        return Vec::new();
    };
    let mut words = xargs.args.iter();
    let mut files = Vec::new();
    while let Some(word) = words.next() {
        match &*word.text {
            "-a" | "--arg-file" => files.extend(words.next().map(|file| file.text.to_string())),
            text => files.extend(text.strip_prefix("--arg-file=").map(str::to_owned)),
        }
    }
    let input = command.redirects.iter().filter(|redirect| redirect.operator == "<");
    files.extend(input.map(|redirect| redirect.target.text.to_string()));
    files
}

/// Scripts of the project that run with an install.
fn scripts(site: &Site<'_, '_>, row: &Row) -> Option<Vec<String>> {
    let none = Some(Vec::new());
    let Some(lifecycle) = &site.tool.lifecycle else { return none };
    if !row.kind.downloads() || lifecycle.skip.iter().any(|flag| site.arguments.option(flag)) {
        return none;
    }
    match site.read(&lifecycle.file) {
        File::Text(text) => Some(package_json::scripts(&text, &lifecycle.scripts)),
        File::Absent => none,
        File::Unknown => None,
    }
}
