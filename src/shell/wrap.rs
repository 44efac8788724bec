//! Commands that run another command: which they are, and what they take for themselves.

use super::expand::Arg;
use super::lex::{Later, Parser};
use super::run::Run;
use super::text::Builder;
use super::wrappers::{Kind, Options, literal, options, wrapper};
use super::{Assignment, Cwd, Link, Opaque, Wrapper, cwd, heredoc};
use std::borrow::Cow;

/// Wrappers on one command; more are not followed.
const MAX_WRAPPERS: usize = 12;
/// Words of one wrapper that are kept.
const MAX_ARGS: usize = 16;

/// What follows a wrapper.
enum Inside {
    /// The argument with which the command starts.
    Command(usize),
    /// The argument that is a script.
    Script(usize),
    /// A script that comes on standard input.
    Input,
    /// A script that is not in the text.
    Elsewhere,
    /// Nothing: it is a command itself.
    Itself,
}

impl<'a> Parser<'_, 'a, '_> {
    /// Takes the wrappers off and records what is run.
    pub(super) fn run(&mut self, mut run: Run<'a>) {
        while let Some(name) = run.args.first().and_then(|arg| arg.word.base_name()) {
            let Some((kind, valued)) = wrapper(name) else { break };
            let name = name.to_owned();
            if run.wrappers.len() >= MAX_WRAPPERS {
                return self.record(run, Some(Opaque::Name));
            }
            if kind == Kind::Find {
                return self.find(run);
            }
            let mut wrapper = Wrapper {
                name: Cow::Owned(name),
                span: run.span,
                args: Vec::new(),
                user: None,
                login: false,
            };
            match self.inside(kind, valued, &mut run, &mut wrapper) {
                Inside::Command(next) if next < run.args.len() => {
                    let rest = run.args.split_off(next);
                    close(&mut wrapper, std::mem::replace(&mut run.args, rest));
                    run.wrappers.push(wrapper);
                }
                Inside::Script(at) => {
                    let Some(script) = run.args.get(at) else { break };
                    let text = if kind == Kind::Eval { self.joined(&run.args) } else { self.text_of(script) };
                    let Some(text) = text else { return self.record(run, Some(Opaque::Script)) };
                    let own_process = kind != Kind::Eval;
                    run.args.truncate(at);
                    close(&mut wrapper, std::mem::take(&mut run.args));
                    run.wrappers.push(wrapper);
                    return self.inner_script(&text, run, own_process);
                }
                Inside::Input => return self.input(run, wrapper),
                Inside::Elsewhere => return self.record(run, Some(Opaque::Script)),
                Inside::Command(_) | Inside::Itself => break,
            }
        }
        self.record(run, None);
    }

    /// Finds what a wrapper runs, and what it changes for it.
    fn inside(&self, kind: Kind, valued: &[&str], run: &mut Run<'a>, wrapper: &mut Wrapper<'a>) -> Inside {
        let args = &run.args;
        let found = options(args, 1, valued);
        let rest = |from: usize| args.get(from..).unwrap_or(&[]);
        let mut next = found.next;
        // An option that asks and runs nothing, or a redirection of the shell itself (`exec > log`).
        if next >= args.len() && !matches!(kind, Kind::Su | Kind::Shell | Kind::Flock) {
            return Inside::Itself;
        }
        match kind {
            Kind::Lookup if found.has(&["-v", "-V"]) => return Inside::Itself,
            Kind::Lookup | Kind::Find => {}
            Kind::Plain(operands) => {
                wrapper.user = found.value(args, &["--reuid", "-u"]).filter(|_| *wrapper.name != *"xargs");
                next += operands;
            }
            Kind::Count => {
                let number =
                    args.get(next).is_some_and(|arg| arg.word.text.bytes().all(|byte| byte.is_ascii_digit()));
                next += usize::from(number);
            }
            Kind::Assigning => {
                wrapper.login = found.has(&["-i", "--login"]) && *wrapper.name == *"sudo";
                if *wrapper.name != *"env" {
                    wrapper.user = found.value(args, &["-u", "--user"]);
                    wrapper.user = wrapper.user.take().or_else(|| {
                        let named = found.has(&["-u", "--user"]);
                        (!named).then_some(Cow::Borrowed("root"))
                    });
                }
                let directory = if *wrapper.name == *"env" { ["-C", "--chdir"] } else { ["-D", "--chdir"] };
                if found.has(&directory) {
                    let here = run.cwd.clone().unwrap_or_else(|| self.state.cwd.clone());
                    let there =
                        found.value(args, &directory).map_or(Cwd::Unknown, |to| cwd::join(&here, &to));
                    run.cwd = Some(there);
                }
                let mut env = Vec::new();
                for arg in rest(next) {
                    let Some((name, value)) = self.assigned(arg) else { break };
                    env.push(Assignment { name, value, persistent: false });
                    next += 1;
                }
                run.env.extend(env);
            }
            Kind::User => {
                let user = args.get(next).and_then(literal);
                wrapper.user = user.map(|user| Cow::Owned(user.split(':').next().unwrap_or("").to_owned()));
                next += 1;
            }
            Kind::Su => return su(args, &found, wrapper),
            Kind::Shell => {
                wrapper.login = found.has(&["-l", "-i", "--login"]);
                return match args.get(next) {
                    Some(_) if found.has(&["-c"]) => Inside::Script(next),
                    Some(_) if !found.has(&["-s"]) => Inside::Elsewhere,
                    None if found.has(&["--version", "--help", "-c"]) => Inside::Itself,
                    _ => Inside::Input,
                };
            }
            Kind::Eval => return Inside::Script(next),
            Kind::Flock => {
                if let Some(script) = found.argument(&["-c", "--command"]) {
                    return Inside::Script(script);
                }
                let after = options(args, next + 1, &["-c", "--command"]);
                if let Some(script) = after.argument(&["-c", "--command"]) {
                    return Inside::Script(script);
                }
                next += 1;
            }
            Kind::Chroot => {
                next += 1;
                run.cwd = Some(Cwd::Unknown);
            }
            Kind::Scl => {
                if args.get(1).is_none_or(|arg| arg.word.text != "enable") {
                    return Inside::Itself;
                }
                return match args.iter().position(|arg| arg.word.text == "--") {
                    Some(dashes) => Inside::Command(dashes + 1),
                    None if args.len() > 3 => Inside::Script(args.len() - 1),
                    None => Inside::Itself,
                };
            }
            Kind::Parallel => {
                if let Some(own) = args.iter().position(|arg| arg.word.text.starts_with(":::")) {
                    run.args.truncate(own);
                }
            }
        }
        Inside::Command(next)
    }

    /// `NAME=value` as an argument.
    fn assigned(&self, arg: &Arg<'a>) -> Option<(Cow<'a, str>, super::Word<'a>)> {
        let (name, value) = arg.word.text.split_once('=')?;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.is_empty();
        if !plain {
            return None;
        }
        let start = arg.word.span.start.saturating_add(u32::try_from(name.len() + 1).unwrap_or(0));
        let span = crate::source::Span { start: start.min(arg.word.span.end), end: arg.word.span.end };
        let word = super::Word { text: Cow::Owned(value.to_owned()), span, ..arg.word.clone() };
        Some((Cow::Owned(name.to_owned()), word))
    }

    /// The arguments after the first, as `eval` joins them.
    fn joined(&self, args: &[Arg<'a>]) -> Option<super::text::Inner<'a>> {
        if !args.iter().skip(1).all(|arg| arg.word.literal && arg.raw.is_some()) {
            return None;
        }
        let mut builder = Builder::default();
        let mut end = None;
        for arg in args.iter().skip(1) {
            let raw = arg.raw.as_ref()?;
            if let Some(end) = end.replace(raw.end) {
                builder.put(self.text, end, ' ');
            }
            match raw.parts.as_slice() {
                [] => builder.copy(self.text, raw.start, raw.end),
                parts => builder.parts(self.text, parts),
            }
        }
        Some(builder.finish())
    }

    /// A shell that reads its script from standard input.
    fn input(&mut self, mut run: Run<'a>, mut wrapper: Wrapper<'a>) {
        if let Some(text) = run.string.take().and_then(|string| self.text_of(&string)) {
            close(&mut wrapper, std::mem::take(&mut run.args));
            run.wrappers.push(wrapper);
            return self.inner_script(&text, run, true);
        }
        let here = run.redirects.iter().rposition(|redirect| redirect.operator.contains("<<"));
        let Some(here) = here else {
            let fed = run.link == Link::Pipe
                || run.redirects.iter().any(|redirect| redirect.operator.starts_with('<'));
            return self.record(run, fed.then_some(Opaque::Script));
        };
        let body = run.redirects.get(here).and_then(|redirect| redirect.body);
        close(&mut wrapper, run.args.clone());
        run.wrappers.push(wrapper);
        let later = Later {
            context: run.context.deeper(),
            wrappers: self.wrappers.iter().cloned().chain(std::mem::take(&mut run.wrappers)).collect(),
            env: self.env.iter().cloned().chain(std::mem::take(&mut run.env)).collect(),
            cwd: run.cwd.clone().unwrap_or_else(|| self.state.cwd.clone()),
        };
        let known = body.and_then(|body| self.heredocs.iter().find(|heredoc| heredoc.body == body));
        if let Some(found) = known {
            let text = heredoc::body(found, self.options.source, true);
            return self.later(text, later);
        }
        let Some(slot) = run.heredocs.iter().position(|(redirect, _)| *redirect == here) else { return };
        let mut later = Some(later);
        for (index, (_, mut pending)) in run.heredocs.into_iter().enumerate() {
            if index == slot {
                pending.script = later.take();
            }
            self.pending.push(pending);
        }
    }

    /// `find`, and what its `-exec` runs.
    fn find(&mut self, run: Run<'a>) {
        let context = run.context;
        let mut inner = Vec::new();
        let mut rest = run.args.as_slice();
        while let Some(at) =
            rest.iter().position(|arg| matches!(&*arg.word.text, "-exec" | "-execdir" | "-ok" | "-okdir"))
        {
            rest = rest.get(at + 1..).unwrap_or(&[]);
            let end = rest.iter().position(|arg| matches!(&*arg.word.text, ";" | "+")).unwrap_or(rest.len());
            let args: Vec<_> = rest.get(..end).unwrap_or(&[]).to_vec();
            rest = rest.get(end..).unwrap_or(&[]);
            if let (Some(first), Some(last)) = (args.first(), args.last()) {
                let span = first.word.span.cover(last.word.span);
                inner.push((args, span));
            }
        }
        let wrapper = Wrapper {
            name: Cow::Borrowed("find"),
            span: run.args.first().map_or(run.span, |arg| arg.word.span),
            args: Vec::new(),
            user: None,
            login: false,
        };
        let wrappers: Vec<_> = run.wrappers.iter().take(MAX_WRAPPERS - 1).cloned().chain([wrapper]).collect();
        let env: Vec<_> = run.env.iter().take(MAX_WRAPPERS).cloned().collect();
        let cwd = run.cwd.clone();
        self.record(run, None);
        for (args, span) in inner {
            let context = self.maybe(super::lex::Context { in_loop: true, ..context });
            let mut own = Run::new(Link::Then, context);
            own.args = args;
            own.span = span;
            own.wrappers.clone_from(&wrappers);
            own.env.clone_from(&env);
            own.cwd.clone_from(&cwd);
            self.run(own);
        }
    }
}

/// Gives a wrapper its words.
fn close<'a>(wrapper: &mut Wrapper<'a>, words: Vec<Arg<'a>>) {
    if let (Some(first), Some(last)) = (words.first(), words.last()) {
        wrapper.span = first.word.span.cover(last.word.span);
    }
    wrapper.args = words.into_iter().skip(1).take(MAX_ARGS).map(|arg| arg.word).collect();
}

/// `su [-] [USER] -c TEXT`, `su USER -c TEXT`, `runuser -u USER -- cmd`.
fn su<'a>(args: &[Arg<'a>], found: &Options<'_>, wrapper: &mut Wrapper<'a>) -> Inside {
    const LOGIN: &[&str] = &["-l", "--login"];
    const SCRIPT: &[&str] = &["-c", "--command"];
    const VALUED: &[&str] =
        &["-c", "--command", "-s", "--shell", "-g", "--group", "-G", "--supp-group", "-w"];
    wrapper.login = found.has(LOGIN);
    if found.has(&["-u", "--user"]) && *wrapper.name == *"runuser" {
        wrapper.user = found.value(args, &["-u", "--user"]);
        return Inside::Command(found.next);
    }
    let mut script = found.argument(SCRIPT);
    let mut next = found.next;
    let mut named = false;
    while let Some(arg) = args.get(next) {
        if arg.word.text == "-" {
            wrapper.login = true;
            next += 1;
        } else if arg.word.text.starts_with('-') {
            let more = options(args, next, VALUED);
            wrapper.login |= more.has(LOGIN);
            script = script.or(more.argument(SCRIPT));
            next = more.next.max(next + 1);
        } else if named {
            break;
        } else {
            named = true;
            wrapper.user = literal(arg);
            next += 1;
        }
    }
    if !named {
        wrapper.user = Some(Cow::Borrowed("root"));
    }
    script.map_or(Inside::Itself, Inside::Script)
}
