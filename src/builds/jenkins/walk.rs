//! From tokens to steps: blocks (`stage`, `dir`, `environment`, `withEnv`, `agent`), assignments, `sh` and `docker.build`.

use super::groovy::{Kind, Text, Token, tokens};
use crate::builds::command::ScriptEnv;
use crate::builds::lines::{self, Scripts};
use crate::builds::template::Holes;
use crate::builds::{
    Build, ContextSource, Driver, Files, Front, Placed, Setting, System, Trigger, Value, join,
};
use crate::shell::Dialect;
use crate::source::{Joined, Span};

/// Images in variables that are remembered.
const MAX_IMAGES: usize = 256;

/// Reads all steps.
pub(super) fn read(path: &str, source: &str, files: Files<'_>) -> Vec<Build> {
    let mut env = ScriptEnv::new(path, System::Jenkins);
    env.here = Some(String::new());
    env.engine.driver = Driver::Docker;
    env.builder = env.engine.clone();
    env.trigger = Trigger { any_branch: true, default_branch: true, ..Trigger::default() };
    let tokens = tokens(source);
    let mut walk = Walk {
        tokens: &tokens,
        at: 0,
        blocks: Vec::new(),
        scripts: Scripts::new(source, env, files),
        images: Vec::new(),
    };
    walk.run();
    let mut builds = walk.scripts.finish();
    builds.sort_by_key(|build| build.span);
    builds
}

/// A block that is open.
#[derive(Debug)]
enum Block {
    /// `stage('x') {`
    Stage(String),
    /// `dir('x') {`
    Directory(Option<String>),
    /// `environment {`
    Environment,
    /// `dockerfile {` of an agent, with what it sets so far.
    Dockerfile(Agent, Span),
    /// Any other.
    Other,
}

/// An agent that is built.
#[derive(Clone, Debug, Default)]
struct Agent {
    filename: Option<(String, Span)>,
    directory: Option<(String, Span)>,
    arguments: Option<(String, Span)>,
}

struct Walk<'w, 'f> {
    tokens: &'w [Token],
    at: usize,
    blocks: Vec<Block>,
    scripts: Scripts<'w, 'f>,
    /// Variables that hold what `docker.build` gives, with the build's number.
    images: Vec<(String, usize)>,
}

impl Walk<'_, '_> {
    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.kind(at) {
            Some(Kind::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn mark(&self, at: usize, mark: char) -> bool {
        matches!(self.kind(at), Some(Kind::Mark(own)) if *own == mark)
    }

    fn text(&self, at: usize) -> Option<&Text> {
        match self.kind(at) {
            Some(Kind::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn span(&self, at: usize) -> Span {
        self.tokens.get(at).map_or_else(Span::default, |token| token.span)
    }

    fn run(&mut self) {
        while self.at < self.tokens.len() {
            let at = self.at;
            self.at += 1;
            match self.kind(at) {
                Some(Kind::Mark('{')) => self.blocks.push(Block::Other),
                Some(Kind::Mark('}')) => self.close(),
                Some(Kind::Text(_)) => self.command_text(at),
                Some(Kind::Name(_)) if !(at > 0 && self.mark(at - 1, '.')) => self.step(at),
                _ => {}
            }
        }
    }

    fn close(&mut self) {
        if let Some(Block::Dockerfile(agent, span)) = self.blocks.pop() {
            self.agent(&agent, span);
        }
    }

    /// Opens the block whose `{` follows at or soon after `at`.
    fn open(&mut self, at: usize, block: Block) {
        let mut next = at;
        while matches!(self.kind(next), Some(Kind::Line)) || self.mark(next, ')') {
            next += 1;
        }
        if self.mark(next, '{') {
            self.blocks.push(block);
            self.at = next + 1;
        }
    }

    fn step(&mut self, at: usize) {
        let Some(name) = self.name(at).map(str::to_owned) else { return };
        // `name(` or `name `
        let first = if self.mark(at + 1, '(') { at + 2 } else { at + 1 };
        match name.as_str() {
            "sh" | "bat" | "powershell" | "pwsh" => self.shell(at, first),
            "stage" | "dir" => {
                let Some(text) = self.text(first).map(|text| text.text.text.to_string()) else { return };
                let block = if name == "stage" {
                    Block::Stage(text)
                } else {
                    let base = self.directory();
                    Block::Directory(
                        base.and_then(|base| join(&base, &text)).filter(|path| !path.contains('$')),
                    )
                };
                self.open(first + 1, block);
            }
            "environment" => self.open(at + 1, Block::Environment),
            "dockerfile" => {
                if self.name(at + 1) == Some("true") {
                    self.agent(&Agent::default(), self.span(at).cover(self.span(at + 1)));
                } else {
                    self.open(at + 1, Block::Dockerfile(Agent::default(), self.span(at)));
                }
            }
            "filename" | "additionalBuildArgs" => self.agent_setting(&name, first),
            "docker" => self.docker(at),
            _ if self.images.iter().any(|(image, _)| *image == name)
                && self.mark(at + 1, '.')
                && self.name(at + 2) == Some("push") =>
            {
                self.pushed(&name, at + 2);
            }
            "withEnv" => self.with_env(first),
            _ => self.assignment(at, &name),
        }
        if name == "dir" {
            self.agent_setting("dir", first);
        }
    }

    fn agent_setting(&mut self, name: &str, at: usize) {
        let Some(text) = self.text(at).map(|text| text.text.text.to_string()) else { return };
        let span = self.span(at);
        if let Some(Block::Dockerfile(agent, _)) = self.blocks.last_mut() {
            match name {
                "filename" => agent.filename = Some((text, span)),
                "dir" => agent.directory = Some((text, span)),
                "additionalBuildArgs" => agent.arguments = Some((text, span)),
                _ => {}
            }
        }
    }

    /// The working directory: that of the innermost `dir`.
    fn directory(&self) -> Option<String> {
        let inner = self.blocks.iter().rev().find_map(|block| match block {
            Block::Directory(path) => Some(path.clone()),
            _ => None,
        });
        inner.unwrap_or_else(|| Some(String::new()))
    }

    fn names(&self) -> Vec<String> {
        self.blocks
            .iter()
            .filter_map(|block| match block {
                Block::Stage(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    }

    fn prepare(&mut self) {
        self.scripts.env.name = self.names();
        self.scripts.env.cwd = self.directory();
    }

    /// `X = 'y'` in `environment` or anywhere, `def x = "y"`, `env.X = 'y'`.
    fn assignment(&mut self, at: usize, name: &str) {
        let (name, equals) = if name == "env" && self.mark(at + 1, '.') {
            (self.name(at + 2).unwrap_or("").to_owned(), at + 3)
        } else {
            (name.to_owned(), at + 1)
        };
        if !self.mark(equals, '=') || self.mark(equals + 1, '=') || name.is_empty() {
            return;
        }
        let Some(text) = self.text(equals + 1).cloned() else {
            // What a call gives is not known.
            if self.name(equals + 1).is_some() {
                self.scripts.env.vars.unset(&name);
            }
            return;
        };
        if !matches!(self.kind(equals + 2), None | Some(Kind::Line) | Some(Kind::Mark('}' | ';'))) {
            return;
        }
        let filled = self.filled(&text);
        self.scripts.env.vars.set(&name, &Placed::joined(&filled));
    }

    /// `withEnv(['A=b', …])`
    fn with_env(&mut self, first: usize) {
        let mut at = first;
        while let Some(kind) = self.kind(at) {
            match kind {
                Kind::Mark(']' | ')' | '{') => break,
                Kind::Text(text) => {
                    let filled = self.filled(&text.clone());
                    let placed = Placed::joined(&filled);
                    if let Some((name, _)) = placed.text.split_once('=') {
                        let value = placed.slice(name.len() + 1..placed.text.len());
                        self.scripts.env.vars.set(name, &value);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// The text with what Groovy replaces as the shell will see it: known variables followed, others left as variables.
    fn filled(&self, text: &Text) -> Joined<'static> {
        let mut holes = Holes::default();
        let places = text.holes.clone();
        let find = move |_: &str, from: usize| {
            let at = places.partition_point(|(start, _)| *start < from);
            places.get(at).map(|(start, end)| *start..*end)
        };
        let vars = &self.scripts.env.vars;
        let filled = crate::builds::template::fill(&text.text, &mut holes, &find, &mut |hole, _| {
            let name = hole.trim_start_matches('$').trim_start_matches('{').trim_end_matches('}').trim();
            let name = name.strip_prefix("env.").or_else(|| name.strip_prefix("params.")).unwrap_or(name);
            let name = name.strip_prefix("this.").unwrap_or(name);
            match vars.get(name).filter(|var| !var.conditional) {
                Some(var) => var.text.text.clone(),
                None if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                    format!("${{{name}}}")
                }
                // A call or the like.
                None => hole.to_owned(),
            }
        });
        lines::as_is(&filled, &mut holes)
    }

    fn shell(&mut self, at: usize, first: usize) {
        // `sh 'x'`, `sh(script: 'x', …)`, `sh label: 'l', script: 'x'`
        let mut index = first;
        let mut script = None;
        if self.text(first).is_some() {
            script = Some(first);
        } else {
            while index < first + 40 {
                if self.name(index) == Some("script") && self.mark(index + 1, ':') {
                    let mut value = index + 2;
                    while matches!(self.kind(value), Some(Kind::Line)) {
                        value += 1;
                    }
                    script = Some(value);
                    break;
                }
                match self.kind(index) {
                    None | Some(Kind::Mark('{' | '}' | ';')) => break,
                    Some(Kind::Line) if first == at + 1 && !self.mark(index.saturating_sub(1), ',') => break,
                    _ => index += 1,
                }
            }
        }
        let Some(mut index) = script else { return };
        // Pieces joined with `+` are one script.
        let mut parts = Vec::new();
        while let Some(text) = self.text(index).cloned() {
            parts.push(self.filled(&text));
            let mut next = index + 1;
            while matches!(self.kind(next), Some(Kind::Line)) && self.mark(next + 1, '+') {
                next += 1;
            }
            if !self.mark(next, '+') {
                index += 1;
                break;
            }
            // What is not a string in between is not known.
            let mut value = next + 1;
            while matches!(self.kind(value), Some(Kind::Line)) {
                value += 1;
            }
            if self.text(value).is_none()
                && let Some(name) = self.name(value)
            {
                let known = self.scripts.env.vars.get(name).map(|var| var.text.text.clone());
                let text = known.unwrap_or_else(|| format!("${{{name}}}"));
                parts.push(lines::at(&text, self.span(value)));
                value += 1;
                while !self.mark(value, '+')
                    && matches!(self.kind(value), Some(Kind::Mark('.' | '(' | ')') | Kind::Name(_)))
                {
                    value += 1;
                }
                if self.mark(value, '+') {
                    value += 1;
                }
            }
            index = value;
        }
        self.at = self.at.max(index);
        self.prepare();
        let joined = lines::end_to_end(parts.iter());
        self.scripts.run(&joined, Dialect::Posix);
    }

    /// A string that is a command that builds, for some function of the library's to run; not one that is only shown.
    fn command_text(&mut self, at: usize) {
        const COMMANDS: &[&str] = &[
            "docker build ",
            "docker buildx build ",
            "docker buildx bake",
            "docker buildx create",
            "docker buildx use",
            "docker pull ",
            "docker push ",
            "docker image build ",
            "docker compose build",
            "docker-compose build",
            "podman build ",
            "buildah build ",
            "buildah bud ",
        ];
        let Some(text) = self.text(at) else { return };
        let start = text.text.text.trim_start();
        if !COMMANDS.iter().any(|command| start.starts_with(command)) {
            return;
        }
        let mut before = at;
        while before > 0 && self.mark(before - 1, '(') {
            before -= 1;
        }
        let shown =
            ["echo", "println", "print", "error", "unstable", "description", "message", "label", "stage"];
        if before > 0 && self.name(before - 1).is_some_and(|name| shown.contains(&name)) {
            return;
        }
        let filled = self.filled(&text.clone());
        self.prepare();
        self.scripts.run(&filled, Dialect::Posix);
    }

    /// `docker.build("image", "args")`
    fn docker(&mut self, at: usize) {
        if !(self.mark(at + 1, '.') && self.name(at + 2) == Some("build")) {
            return;
        }
        let first = if self.mark(at + 3, '(') { at + 4 } else { at + 3 };
        self.prepare();
        let image = self.text(first).cloned();
        // The second argument, behind what makes up the first.
        let mut comma = first;
        let mut depth = 0_u32;
        while comma < first + 60 {
            match self.kind(comma) {
                None => return,
                Some(Kind::Mark('(')) => depth += 1,
                Some(Kind::Mark(')')) if depth == 0 => break,
                Some(Kind::Mark(')')) => depth -= 1,
                Some(Kind::Mark(',')) if depth == 0 => break,
                Some(Kind::Line) if first == at + 3 => break,
                _ => {}
            }
            comma += 1;
        }
        let mut second = comma + 1;
        while self.mark(comma, ',') && matches!(self.kind(second), Some(Kind::Line)) {
            second += 1;
        }
        let arguments = self.text(second).cloned().filter(|_| self.mark(comma, ','));
        let end = if arguments.is_some() { second } else { comma };
        let span = self.span(at).cover(self.span(end));
        let args = match &arguments {
            Some(text) => {
                let filled = self.filled(text);
                lines::around("docker build ", &filled, "")
            }
            // Arguments that are no string are not known.
            None if self.mark(comma, ',') => lines::at("docker build ${arguments}", span),
            None => lines::at("docker build .", span),
        };
        let before = self.scripts.builds.len();
        self.scripts.run(&args, Dialect::Posix);
        let unknown = self.mark(comma, ',') && arguments.is_none();
        let tag = image.map(|text| {
            let filled = self.filled(&text);
            Setting::new(Value::of(filled.text.to_string()), filled.full_span())
        });
        if let Some(build) = self.scripts.builds.get_mut(before) {
            build.span = span;
            build.tags.extend(tag);
            if unknown {
                build.dockerfile = None;
                build.context = Setting::new(ContextSource::Unknown(String::new()), span);
            }
            // `image = docker.build(…)`, and `image.push()` later; or `docker.build(…).push()`.
            let variable = at.checked_sub(2).filter(|_| self.mark(at - 1, '=')).and_then(|at| self.name(at));
            if let Some(variable) = variable.filter(|_| self.images.len() < MAX_IMAGES).map(str::to_owned) {
                self.images.push((variable, before));
            }
            let mut next = end + 1;
            while self.mark(next, ')') {
                next += 1;
            }
            if self.mark(next, '.') && self.name(next + 1) == Some("push") && self.images.len() < MAX_IMAGES {
                self.images.push((String::new(), before));
                self.pushed("", next + 1);
            }
        }
    }

    /// `image.push("tag")`, `image.push()`: the name `push` is at `at`.
    fn pushed(&mut self, variable: &str, at: usize) {
        let Some(number) = self.images.iter().rev().find(|(name, _)| name == variable).map(|(_, at)| *at)
        else {
            return;
        };
        let tag = self.text(at + 2).cloned().filter(|_| self.mark(at + 1, '('));
        let tag = tag.map(|text| self.filled(&text));
        let span = self.span(at);
        if let Some(build) = self.scripts.builds.get_mut(number) {
            build.push = Some(Setting::new(Value::Known("true".into()), span));
            if let (Some(tag), Some(first)) = (tag, build.tags.first()) {
                let image = first.value.text();
                let after_slash = image.rfind('/').map_or(0, |slash| slash + 1);
                let colon =
                    image.get(after_slash..).and_then(|name| name.find(':')).map(|at| after_slash + at);
                let name = image.get(..colon.unwrap_or(image.len())).unwrap_or(image);
                let text = format!("{name}:{}", tag.text);
                build.tags.push(Setting::new(Value::of(text), tag.full_span()));
            }
        }
    }

    /// `agent { dockerfile { filename, dir, additionalBuildArgs } }`
    fn agent(&mut self, agent: &Agent, span: Span) {
        self.prepare();
        let directory = agent.directory.as_ref().and_then(|(path, _)| join("", path)).unwrap_or_default();
        let place = agent.filename.as_ref().or(agent.directory.as_ref()).map_or(span, |(_, span)| *span);
        let text = match &agent.arguments {
            Some((arguments, span)) => lines::at(&format!("docker build {arguments} ."), *span),
            None => lines::at("docker build .", span),
        };
        let before = self.scripts.builds.len();
        self.scripts.run(&text, Dialect::Posix);
        if let Some(build) = self.scripts.builds.get_mut(before) {
            build.span = span;
            build.front = Front::DockerBuild;
            let name = agent.filename.as_ref().map_or("Dockerfile", |(name, _)| name.as_str());
            build.dockerfile = join(&directory, name).map(|path| Setting::new(path, place));
            build.context = Setting::new(ContextSource::Path(directory), place);
        }
    }
}
