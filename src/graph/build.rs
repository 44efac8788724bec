//! From syntax to the graph: BuildKit's `dockerfile2llb`, one instruction after the other.

use super::options::{NamedContext, Options};
use super::stage::{Base, Stage};
use super::state::{Origin, State};
use super::step::{CopySource, CopySourceKind, CopyStep, RunStep, Source, Step, StepKind};
use crate::context::path;
use crate::dockerfile::{
    ArgDecl, Command, Copy, Dockerfile, Instruction, Kind, Pair, Problem, Run, Word, expand, heredoc,
};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// ARGs that never enter the environment (BuildKit: `nonEnvArgs`).
const NON_ENV_ARGS: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/// A variable of the global scope: those of ARG before the first FROM and the platform's.
pub(super) type Globals<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

pub(super) struct Builder<'a, 'o> {
    pub(super) dockerfile: &'a Dockerfile<'a>,
    pub(super) options: &'o Options,
    pub(super) globals: Globals<'a>,
    pub(super) stages: Vec<Stage<'a>>,
    pub(super) steps: Vec<Step<'a>>,
    pub(super) problems: Vec<Problem>,
    /// Stage names in lower case to the last stage of that name in the file (facts §3: duplicate names).
    pub(super) last_of_name: FxHashMap<String, usize>,
}

impl<'a> Builder<'a, '_> {
    /// Dispatches the instructions of one stage on top of its base's state.
    pub(super) fn dispatch_stage(&mut self, index: usize, body: &[&'a Instruction<'a>]) {
        let mut state = self.base_state(index);
        state.begin_stage();
        let mut state = Arc::new(state);
        let Some(stage) = self.stages.get(index) else { return };
        let (from, base) = (stage.from, stage.base.clone());
        self.push(index, from, false, &state, StepKind::From);
        if let Base::Stage(parent) = base {
            let triggers = self.stages.get(parent).map(|stage| stage.onbuild.clone()).unwrap_or_default();
            for inner in triggers {
                self.dispatch(index, inner, true, &mut state);
            }
        }
        for instruction in body {
            self.dispatch(index, instruction, false, &mut state);
        }
        let end = self.steps.len();
        if let Some(stage) = self.stages.get_mut(index) {
            stage.state = state;
            stage.steps.end = end;
        }
    }

    fn base_state(&self, index: usize) -> State<'a> {
        match self.stages.get(index).map(|stage| &stage.base) {
            Some(Base::Stage(parent)) => {
                self.stages.get(*parent).map(|stage| (*stage.state).clone()).unwrap_or_default()
            }
            Some(Base::Image(reference)) => self.image_state(reference),
            _ => State::default(),
        }
    }

    fn image_state(&self, reference: &str) -> State<'a> {
        let mut state = State::default();
        let Some(config) = self.options.image(reference) else { return state };
        for (name, value) in &config.env {
            state.set(Cow::Owned(name.clone()), Cow::Owned(value.clone()), Origin::Base);
        }
        if let Some(cwd) = &config.cwd {
            state.cwd = Cow::Owned(path::clean(&format!("/{cwd}")));
            state.cwd_text = state.cwd.clone();
        }
        if let Some(user) = &config.user {
            state.user = Cow::Owned(user.clone());
        }
        if let Some(shell) = &config.shell {
            state.shell = shell.iter().cloned().map(Cow::Owned).collect();
        }
        state
    }

    fn push(
        &mut self,
        stage: usize,
        instruction: &'a Instruction<'a>,
        onbuild: bool,
        state: &Arc<State<'a>>,
        kind: StepKind<'a>,
    ) {
        self.steps.push(Step { stage, instruction, onbuild, state: Arc::clone(state), kind });
    }

    fn dispatch(
        &mut self,
        stage: usize,
        instruction: &'a Instruction<'a>,
        onbuild: bool,
        state: &mut Arc<State<'a>>,
    ) {
        match &instruction.kind {
            Kind::Run(run) => {
                let run = self.run(instruction, run, state, stage);
                self.push(stage, instruction, onbuild, state, StepKind::Run(run));
            }
            Kind::Copy(copy) => {
                let copy = self.copy(instruction, copy, state, stage);
                self.push(stage, instruction, onbuild, state, StepKind::Copy(copy));
            }
            Kind::Workdir(word) => {
                let text = self.expand(word, state);
                let cwd = if text.starts_with('/') {
                    path::clean(&text)
                } else {
                    path::clean(&format!("{}/{text}", state.cwd))
                };
                let cwd: Cow<'a, str> = Cow::Owned(cwd);
                let next = Arc::make_mut(state);
                // BuildKit cleans only what it joins (`system.NormalizePath`).
                if text.starts_with('/') {
                    next.cwd_text = text;
                } else if !text.is_empty() {
                    next.cwd_text = cwd.clone();
                }
                next.cwd = cwd.clone();
                self.push(stage, instruction, onbuild, state, StepKind::Workdir(cwd));
            }
            Kind::Env(pairs) => self.env(pairs, state),
            Kind::Arg(decls) => self.arg(decls, state),
            Kind::User(word) => {
                let user = self.expand(word, state);
                Arc::make_mut(state).user = user;
            }
            Kind::Shell(words) => {
                Arc::make_mut(state).shell = words.iter().map(|word| Cow::Borrowed(&*word.text)).collect();
            }
            Kind::Onbuild(inner) if !onbuild => {
                if let Some(stage) = self.stages.get_mut(stage) {
                    stage.onbuild.push(inner);
                }
            }
            _ => {}
        }
    }

    /// All pairs see the variables as they were before the instruction.
    fn env(&mut self, pairs: &'a [Pair<'a>], state: &mut Arc<State<'a>>) {
        let values: Vec<_> = pairs
            .iter()
            .map(|pair| (self.expand(&pair.key, state), self.expand(&pair.value, state), pair.key.span))
            .collect();
        let state = Arc::make_mut(state);
        for (name, value, span) in values {
            state.set(name, value, Origin::Env(span));
        }
    }

    /// A build arg wins over the default, the default over the global scope (BuildKit: `dispatchArg`).
    fn arg(&mut self, decls: &'a [ArgDecl<'a>], state: &mut Arc<State<'a>>) {
        for decl in decls {
            let name = decl.name.text.as_ref();
            let value = match (self.options.arg(name), &decl.default) {
                (Some(value), _) => Some(Cow::Owned(value.to_owned())),
                (None, Some(default)) => Some(self.expand(default, state)),
                (None, None) => self.global(name),
            };
            if let Some(value) = value
                && !NON_ENV_ARGS.contains(&name)
            {
                Arc::make_mut(state).set(decl.name.text.clone(), value, Origin::Arg(decl.name.span));
            }
        }
    }

    pub(super) fn global(&self, name: &str) -> Option<Cow<'a, str>> {
        self.globals.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn run(
        &mut self,
        instruction: &'a Instruction<'a>,
        run: &'a Run<'a>,
        state: &State<'a>,
        stage: usize,
    ) -> RunStep<'a> {
        let mounts = run.mounts.iter().filter_map(|mount| self.mount(mount, state, stage)).collect();
        let mut script = None;
        let argv = match &run.command {
            Command::Exec(words) => words.iter().map(|word| word.text.clone()).collect(),
            Command::Shell(joined) => {
                let text = match heredoc::script(self.dockerfile.source, instruction) {
                    None => Cow::Borrowed(&*joined.text),
                    Some(heredoc::Script::Shell(text)) => text,
                    Some(heredoc::Script::File { name, content }) => {
                        script = Some(content);
                        Cow::Owned(format!("/dev/pipes/{name}"))
                    }
                };
                if script.is_some() {
                    vec![text]
                } else {
                    state.shell.iter().cloned().chain([text]).collect()
                }
            }
        };
        let network = run.network.as_ref().map(|word| word.text.clone()).filter(|mode| mode != "default");
        let security = run.security.as_ref().map(|word| word.text.clone()).filter(|mode| mode != "sandbox");
        RunStep {
            argv,
            script,
            mounts,
            network: network.unwrap_or_default(),
            security: security.unwrap_or_default(),
        }
    }

    fn copy(
        &mut self,
        instruction: &'a Instruction<'a>,
        copy: &'a Copy<'a>,
        state: &State<'a>,
        stage: usize,
    ) -> CopyStep<'a> {
        let add = instruction.keyword == crate::dockerfile::Keyword::Add;
        let from = match &copy.from {
            Some(word) => self.source(&word.text, stage),
            None => Source::Context,
        };
        if let (Source::Invalid, Some(word)) = (&from, &copy.from) {
            let message = format!("no stage {:?} is defined before this instruction", word.text).into();
            self.problems.push(Problem { span: word.span, message });
        }
        let sources = copy.sources.iter().map(|word| {
            let text = self.expand(word, state);
            let kind = if add { source_kind(&text) } else { CopySourceKind::Path };
            CopySource { text, kind, span: word.span }
        });
        let sources = sources.collect();
        let inline = instruction.heredocs.iter().map(|heredoc| {
            let body = heredoc::content(self.dockerfile.source, heredoc);
            let body = if heredoc.expand { self.expand_heredoc(body, heredoc.body, state) } else { body };
            (heredoc.name.clone(), body)
        });
        let inline = inline.collect();
        let dest_text = self.expand(&copy.dest, state);
        let dest = destination(&dest_text, &state.cwd);
        let mut expanded = |word: &'a Option<Word<'a>>| word.as_ref().map(|word| self.expand(word, state));
        let chown = expanded(&copy.chown).filter(|owner| !owner.is_empty());
        let chmod = expanded(&copy.chmod).filter(|mode| !mode.is_empty());
        let checksum = expanded(&copy.checksum);
        CopyStep {
            add,
            from,
            sources,
            inline,
            heredocs: &instruction.heredocs,
            dest,
            dest_dot: dest_text.ends_with("/."),
            chown,
            chmod,
            link: copy.link,
            parents: copy.parents,
            exclude: copy.exclude.iter().map(|word| self.expand(word, state)).collect(),
            checksum,
            keep_git_dir: copy.keep_git_dir.unwrap_or(false),
            unpack: copy.unpack.unwrap_or(add),
            unpack_remote: copy.unpack.unwrap_or(false),
        }
    }

    /// What a `--from` or `from=` names, seen from `stage` (facts §3).
    pub(super) fn source(&self, name: &str, stage: usize) -> Source {
        if let Ok(index) = name.parse::<usize>() {
            return if index < stage { Source::Stage(index) } else { Source::Invalid };
        }
        if let Some((key, context)) = self.options.context(name) {
            return match context {
                NamedContext::Image(reference) => Source::Image(reference.clone()),
                _ => Source::Named(key.to_owned()),
            };
        }
        match self.last_of_name.get(&name.to_ascii_lowercase()) {
            Some(index) if *index < stage => Source::Stage(*index),
            Some(_) => Source::Invalid,
            None if name == "scratch" => Source::Empty,
            None => Source::Image(name.to_owned()),
        }
    }

    /// Expands a word; where BuildKit would refuse it, the text stays as written and a problem is noted.
    pub(super) fn expand(&mut self, word: &'a Word<'a>, state: &State<'a>) -> Cow<'a, str> {
        let lookup = |name: &str| state.get(name).map(|variable| variable.value.clone());
        match expand::word(&word.text, self.dockerfile.escape, &lookup) {
            Ok(text) => text,
            Err(error) => {
                self.problems.push(Problem { span: word.span, message: error.to_string().into() });
                word.text.clone()
            }
        }
    }

    fn expand_heredoc(&mut self, body: Cow<'a, str>, span: Span, state: &State<'a>) -> Cow<'a, str> {
        let lookup = |name: &str| state.get(name).map(|variable| variable.value.clone());
        let expanded = heredoc::expand_body(&body, &lookup).map(|expanded| expanded.text.into_owned());
        match expanded {
            Ok(text) => Cow::Owned(text),
            Err(error) => {
                self.problems.push(Problem { span, message: error.to_string().into() });
                body
            }
        }
    }
}

/// An absolute destination, cleaned, its trailing slash kept; `.` is the working directory with a slash
/// (BuildKit: `pathRelativeToWorkingDir`).
fn destination(text: &str, cwd: &str) -> String {
    let mut clean =
        if text.starts_with('/') { path::clean(text) } else { path::clean(&format!("{cwd}/{text}")) };
    let slash = text.is_empty() || text == "." || text.ends_with('/') || text.ends_with("/.");
    if slash && !clean.ends_with('/') {
        clean.push('/');
    }
    clean
}

/// `https://host/x.git`, `git@host:x` and `git://` are git, other http addresses are downloads
/// (BuildKit: `dfgitutil.ParseGitRef`).
fn source_kind(text: &str) -> CopySourceKind {
    let http = text.starts_with("http://") || text.starts_with("https://");
    let address = text.split(['#', '?']).next().unwrap_or(text);
    let is_user =
        |user: &str| user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let scp = text.split_once('@').is_some_and(|(user, rest)| rest.contains(':') && is_user(user));
    let git = ["git://", "ssh://", "github.com/"].iter().any(|scheme| text.starts_with(scheme));
    if git || scp || (http && address.ends_with(".git")) {
        CopySourceKind::Git
    } else if http {
        CopySourceKind::Http
    } else {
        CopySourceKind::Path
    }
}
