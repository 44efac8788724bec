//! From the commands of a script to builds: `docker build`, `buildx`, bake, Compose, `buildctl`, kaniko, `podman`, `buildah`,
//! and what the commands before and after them say of builder, cache and push.

mod bake;
mod buildah;
mod buildctl;
mod builder;
mod compose;
mod docker;
mod env;
mod facts;
mod flags;
mod follow;
mod followed;
mod kaniko;
mod paths;
mod recipes;
mod remote;
mod run;
mod skaffold;
pub(crate) mod vars;
mod words;

pub(crate) use builder::{buildkit_version, driver_of};
pub(crate) use docker::{context_source, pushed_by, with_options};
pub use env::ScriptEnv;
pub(crate) use flags::{BUILD, Parsed};
pub use followed::Followed;
pub(crate) use paths::{Base, resolve};
pub(crate) use words::make_dollars;

use super::{Arg, Build, Builder, Condition, Driver, Files, Front, Placed, Setting, Value, join};
use crate::shell::{self, Command, Cwd, Dialect, GuardKind, Script};
use crate::source::{Joined, Span};
use std::borrow::Cow;

/// The text of a script.
#[derive(Clone, Copy, Debug)]
pub struct ScriptText<'t> {
    /// The file in which it stands.
    pub source: &'t str,
    /// The script as the shell gets it, with the way back to `source`.
    pub joined: &'t Joined<'t>,
    /// Its grammar.
    pub dialect: Dialect,
}

/// Words without which no image is built.
const BUILDERS: &[&str] = &[
    "docker", "buildx", "buildctl", "podman", "buildah", "kaniko", "bake", "nerdctl", "finch", "az acr",
    "gcloud", "depot", "skaffold",
];

/// Words by which a command may run a script or a recipe of the project.
const CALLS: &[&str] = &[
    "make", ".sh", "./", "scripts/", "script/", "ci/", "hack/", "bin/", "npm run", "yarn ", "pnpm ",
    "bun run", "just ", "task ",
];

/// Whether a script names a program that builds images: most do not, and need not be read.
#[must_use]
pub fn names_builder(script: &str) -> bool {
    has_any(script, BUILDERS)
}

/// Whether a script may build images, itself or through a script or recipe that it runs.
#[must_use]
pub fn may_build(script: &str) -> bool {
    has_any(script, BUILDERS) || has_any(script, CALLS)
}

fn has_any(script: &str, words: &[&str]) -> bool {
    words.iter().any(|word| memchr::memmem::find(script.as_bytes(), word.as_bytes()).is_some())
}

/// Splits a script into commands and appends the builds that they start to `out`. A `docker push` makes known that an
/// image is pushed for all builds of the same job in `out`, so that the scripts of one job go into one list.
pub fn read_script(text: &ScriptText<'_>, env: &mut ScriptEnv, files: Files<'_>, out: &mut Vec<Build>) {
    let script = {
        let vars = &env.vars;
        let lookup = |name: &str| -> Option<Cow<'_, str>> {
            let var = vars.get(name).filter(|var| !var.conditional)?;
            let known = matches!(Value::of(var.text.text.as_str()), Value::Known(_));
            known.then_some(Cow::Borrowed(var.text.text.as_str()))
        };
        let options = shell::Options {
            source: text.source,
            heredocs: &[],
            dialect: text.dialect,
            variables: Some(&lookup),
        };
        shell::parse(text.joined, &options)
    };
    run(&script, text, env, files, out);
}

/// The builds that a script starts.
#[must_use]
pub fn builds_in(
    script: &Script<'_>,
    text: &ScriptText<'_>,
    env: &ScriptEnv,
    files: Files<'_>,
) -> Vec<Build> {
    let mut out = Vec::new();
    run(script, text, &mut env.clone(), files, &mut out);
    out
}

/// As [`read_script`], for a script that is split already.
pub fn run(
    script: &Script<'_>,
    text: &ScriptText<'_>,
    env: &mut ScriptEnv,
    files: Files<'_>,
    out: &mut Vec<Build>,
) {
    let source = words::Source::new(text);
    vars::set_once(script, &source, &mut env.vars);
    let mut runner = Runner { script, source, env, files, out, moved: Vec::new(), tagged: Vec::new() };
    for (index, command) in script.commands.iter().enumerate() {
        let next = script.commands.get(index + 1);
        runner.command(command, next);
    }
}

struct Runner<'r, 'f> {
    script: &'r Script<'r>,
    source: words::Source<'r>,
    env: &'r mut ScriptEnv,
    files: Files<'f>,
    out: &'r mut Vec<Build>,
    /// Directories that the splitter does not know, by the depth at which a `cd` went there.
    moved: Vec<(u32, Option<String>)>,
    /// `docker tag FROM TO`.
    tagged: Vec<(String, String)>,
}

/// A command that may start a build, with what is in force for it.
struct Call<'c> {
    span: Span,
    command: &'c Command<'c>,
    /// The program and its arguments.
    argv: Vec<Arg>,
    /// Where it runs, relative to the project's root.
    cwd: Option<String>,
    /// Directories inside a container and what is mounted there (`docker run -v`).
    mounts: Vec<(String, String)>,
    /// Whether standard input is the Dockerfile or a tar, and what is known of it.
    input: Option<Input>,
}

/// What a command reads from standard input.
#[derive(Clone, Debug)]
enum Input {
    /// A text in the script.
    Text(Setting<String>),
    /// A file.
    File(Arg),
    /// The output of the command before.
    Pipe,
}

impl Runner<'_, '_> {
    fn command(&mut self, command: &Command<'_>, next: Option<&Command<'_>>) {
        vars::assignments(command, &self.source, &mut self.env.vars);
        if command.argv.is_empty() {
            return;
        }
        let mut argv = self.source.argv(command, &self.env.vars);
        unwrap(&mut argv);
        let cwd = self.cwd(command);
        if argv.first().is_some_and(|arg| arg.text.text == "cd") {
            self.cd(command, &argv, cwd.as_deref());
            return;
        }
        let call =
            Call { span: command.span, command, argv, cwd, mounts: Vec::new(), input: self.input(command) };
        let before = self.out.len();
        self.dispatch(&call, 0);
        let tolerant = next.is_some_and(|next| next.link == shell::Link::Or);
        if self.out.len() == before {
            facts::note(self, &call, tolerant);
            self.follow(&call);
        }
        if self.out.len() > before {
            self.conditional(command, before);
        }
    }

    /// Notes of the builds from `first` on what decides whether their command runs: the test of the innermost branch that
    /// has one.
    fn conditional(&mut self, command: &Command<'_>, first: usize) {
        let mut condition = None;
        for guard in self.script.guards(command) {
            match guard.kind {
                GuardKind::Met => {}
                GuardKind::Unknown => condition = condition.or(Some(command.span)),
                GuardKind::Succeeds(number) | GuardKind::Fails(number) => {
                    let test = self.script.commands.get(number as usize);
                    condition = Some(test.map_or(command.span, |test| test.span));
                    break;
                }
            }
        }
        let Some(span) = condition else { return };
        for build in self.out.iter_mut().skip(first) {
            build.condition.get_or_insert_with(|| Setting::new(Condition::Script, span));
        }
    }

    /// Finds the program, through wrappers that the splitter does not know, and its builds.
    fn dispatch(&mut self, call: &Call<'_>, depth: u32) {
        let Some(program) = call.argv.first() else { return };
        let name = program.text.text.rsplit('/').next().unwrap_or("");
        let args = call.argv.get(1..).unwrap_or(&[]);
        match name {
            "docker" | "nerdctl" | "docker.exe" | "finch" => self.docker(call, args, depth),
            "docker-buildx" | "buildx" => self.buildx(call, args),
            "docker-compose" => self.compose(call, args, Front::ComposeClassic),
            "podman" | "buildah" => self.buildah(call, args, name),
            "az" if words(args, &["acr", "build"]) => self.acr(call, args.get(2..).unwrap_or(&[])),
            "gcloud" if words(args, &["builds", "submit"]) => self.gcloud(call, args.get(2..).unwrap_or(&[])),
            "gcloud" if words(args, &["docker", "--"]) => {
                self.docker(call, args.get(2..).unwrap_or(&[]), depth);
            }
            "gcloud" if words(args, &["beta", "builds", "submit"]) => {
                self.gcloud(call, args.get(3..).unwrap_or(&[]));
            }
            "depot" if words(args, &["build"]) => self.depot(call, args.get(1..).unwrap_or(&[])),
            "skaffold" => self.skaffold(call, args),
            "podman-compose" => self.compose(call, args, Front::Other),
            "buildctl" => self.buildctl(call, args, false),
            "buildctl-daemonless.sh" => self.buildctl(call, args, true),
            "executor" if program.text.text.contains("kaniko") => self.kaniko(call, args),
            _ => {}
        }
    }

    fn docker(&mut self, call: &Call<'_>, args: &[Arg], depth: u32) {
        let parsed = flags::DOCKER.parse(args, true);
        let rest = parsed.positional.as_slice();
        let word = |index: usize| rest.get(index).map_or("", |arg: &Arg| arg.text.text.as_str());
        let after = |index: usize| rest.get(index..).unwrap_or(&[]);
        match (word(0), word(1)) {
            ("build", _) => self.build(call, after(1), Front::DockerBuild, None),
            ("image" | "builder", "build") => self.build(call, after(2), Front::DockerBuild, None),
            ("buildx", _) => self.buildx(call, after(1)),
            ("compose", _) => self.compose(call, after(1), Front::Compose),
            ("run", _) => self.docker_run(call, after(1), depth),
            ("container", "run") => self.docker_run(call, after(2), depth),
            _ => {}
        }
    }

    fn buildx(&mut self, call: &Call<'_>, args: &[Arg]) {
        self.env.is_touched = true;
        let parsed = flags::BUILDX.parse(args, true);
        let builder = parsed.value("builder").cloned();
        let rest = parsed.positional.as_slice();
        let after = rest.get(1..).unwrap_or(&[]);
        match rest.first().map_or("", |arg| arg.text.text.as_str()) {
            "build" | "b" => self.build(call, after, Front::Buildx, builder),
            "bake" | "f" => self.bake(call, after, builder),
            "create" => self.create(after, call.span),
            "use" => self.use_builder(after, builder),
            "install" => self.env.alias = true,
            "uninstall" => self.env.alias = false,
            _ => {}
        }
    }

    /// Where a command runs.
    fn cwd(&mut self, command: &Command<'_>) -> Option<String> {
        while self.moved.last().is_some_and(|(depth, _)| *depth > command.depth) {
            self.moved.pop();
        }
        match &command.cwd {
            Cwd::Start => self.env.cwd.clone(),
            Cwd::Path(path) if path.starts_with(['/', '~']) => {
                resolve(path, Base { cwd: None, here: self.env.here() })
            }
            Cwd::Path(path) => join(self.env.cwd.as_deref()?, path),
            Cwd::Each(_) => None,
            Cwd::Unknown => self.moved.last().and_then(|(_, path)| path.clone()),
        }
    }

    /// Remembers a `cd` whose target the splitter cannot know.
    fn cd(&mut self, command: &Command<'_>, argv: &[Arg], cwd: Option<&str>) {
        let target = argv.iter().skip(1).find(|arg| !matches!(arg.text.text.as_str(), "-P" | "-L" | "--"));
        let base = Base { cwd, here: self.env.here() };
        let there = target.and_then(|arg| resolve(&arg.text.text, base));
        // A second `cd` of the same list takes the place of the first.
        while self.moved.last().is_some_and(|(depth, _)| *depth >= command.depth) {
            self.moved.pop();
        }
        self.moved.push((command.depth, there));
    }

    fn input(&self, command: &Command<'_>) -> Option<Input> {
        let redirect =
            command.redirects.iter().rev().find(|redirect| {
                matches!(redirect.operator.trim_start_matches('0'), "<" | "<<" | "<<-" | "<<<")
            });
        match redirect {
            Some(redirect) if redirect.operator.ends_with("<<<") => {
                let text = redirect.target.text.to_string();
                redirect.target.literal.then(|| Input::Text(Setting::new(text, redirect.target.span)))
            }
            Some(redirect) if redirect.operator.contains("<<") => {
                let body = redirect.body?;
                let raw = self.source.raw(body);
                Some(Input::Text(Setting::new(raw.text, body)))
            }
            Some(redirect) => {
                let mut args = Vec::new();
                self.source.word(std::slice::from_ref(&redirect.target), &self.env.vars, &mut args);
                args.into_iter().next().map(Input::File)
            }
            None => (command.link == shell::Link::Pipe).then_some(Input::Pipe),
        }
    }
}

/// Takes off what stands before the program in words that came out of a variable (`DOCKER_BUILDKIT=1 docker build`), which
/// the splitter does not see.
fn unwrap(argv: &mut Vec<Arg>) {
    let assigns = |text: &str| match text.split_once('=') {
        Some((name, _)) => {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        }
        None => false,
    };
    let wraps = |text: &str| matches!(text, "sudo" | "env" | "time" | "exec" | "command" | "nice");
    // `$(SUDO) docker build`: a variable that is `sudo` or nothing.
    let sudo = |text: &str| text.starts_with('$') && text.to_ascii_lowercase().contains("sudo");
    let passed = |text: &str| assigns(text) || wraps(text) || sudo(text);
    let skip = argv.iter().take_while(|arg| passed(&arg.text.text)).count();
    if skip > 0 && skip < argv.len() {
        argv.drain(..skip);
    }
}

/// Whether arguments begin with these words.
fn words(args: &[Arg], wanted: &[&str]) -> bool {
    args.len() >= wanted.len() && args.iter().zip(wanted).all(|(arg, word)| arg.text.text == *word)
}

/// A boolean option as a setting; `None` where it is not given.
fn switch(parsed: &Parsed, name: &str) -> Option<Setting<Value>> {
    let given = parsed.last(name)?;
    let value = match &given.value {
        None => Value::Known("true".to_owned()),
        Some(arg) => arg.value(),
    };
    Some(Setting::new(sometimes(value, given.conditional), given.span))
}

/// A value that is there only sometimes is not known.
fn sometimes(value: Value, conditional: bool) -> Value {
    match value {
        Value::Known(text) if conditional => Value::Symbolic { text, volatility: super::Volatility::Unknown },
        value => value,
    }
}

/// A text as a setting at its own place.
fn setting(arg: &Arg) -> Setting<Value> {
    Setting::new(sometimes(arg.value(), arg.conditional), arg.text.full_span())
}

/// The same, defaults of unknown variables taken.
fn defaulted(arg: &Arg) -> Setting<Value> {
    let value = if arg.literal {
        Value::Known(arg.text.text.clone())
    } else {
        super::value::defaulted(arg.text.text.clone())
    };
    Setting::new(sometimes(value, arg.conditional), arg.text.full_span())
}

/// `"$@"`: whatever the script is given, which is nothing by default.
fn is_all_arguments(arg: &Arg) -> bool {
    matches!(arg.text.text.as_str(), "$@" | "$*" | "${@}" | "${*}" | "${@:1}" | "${@:2}")
}

/// Whether the text is what Go's `strconv.ParseBool` takes for true.
pub(crate) fn go_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// A builder without BuildKit.
fn without_buildkit(builder: &mut Builder, span: Span) {
    builder.legacy = Some(span);
    builder.driver = Driver::None;
}

fn placed_value(text: &Placed) -> Setting<Value> {
    Setting::new(Value::of(text.text.as_str()), text.full_span())
}

#[cfg(test)]
mod tests;
