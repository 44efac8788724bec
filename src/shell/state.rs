//! What a shell knows while it runs through a text: variables, directory, functions.

use super::expand::Arg;
use super::{Binding, Command, Cwd, GuardKind, Lookup, Script, Word, cwd};
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// Nesting that is followed; what is deeper is opaque.
pub(super) const MAX_DEPTH: u32 = 40;

/// What is known of a variable.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// This text.
    Text(Cow<'a, str>),
    /// One of these: the variable of a loop over words.
    Many(Vec<Cow<'a, str>>),
    /// It may have any value, whatever the environment says.
    Unknown,
}

/// Everything that the parsers of one text and of the texts inside it share.
pub(super) struct State<'a, 'o> {
    pub(super) script: Script<'a>,
    pub(super) lookup: Option<Lookup<'o>>,
    /// Where the next command runs, and the directories of `cd -` and `pushd`.
    pub(super) cwd: Cwd<'a>,
    pub(super) previous: Cwd<'a>,
    pub(super) pushed: Vec<Cwd<'a>>,
    /// How deep the parsers are inside each other.
    pub(super) nesting: u32,
    /// Room for the words of the next command.
    pub(super) spare: Vec<Arg<'a>>,
    variables: FxHashMap<Cow<'a, str>, Value<'a>>,
    log: Vec<(Cow<'a, str>, Option<Value<'a>>)>,
    head: u32,
    functions: Vec<Function<'a>>,
    names: FxHashMap<Cow<'a, str>, usize>,
    calls: Vec<(usize, usize)>,
}

/// A point to return to.
pub(super) struct Mark<'a> {
    log: usize,
    head: u32,
    cwd: Cwd<'a>,
    previous: Cwd<'a>,
    pushed: usize,
}

struct Function<'a> {
    /// The commands of its body.
    first: usize,
    count: usize,
    /// Number of the guard that stands for its being called.
    guard: u32,
    moves: bool,
    called: bool,
    from: Option<Cwd<'a>>,
}

impl<'a, 'o> State<'a, 'o> {
    pub(super) fn new(lookup: Option<Lookup<'o>>) -> Self {
        Self {
            script: Script::default(),
            lookup,
            cwd: Cwd::Start,
            previous: Cwd::Unknown,
            pushed: Vec::new(),
            nesting: 0,
            spare: Vec::new(),
            variables: FxHashMap::default(),
            log: Vec::new(),
            head: 0,
            functions: Vec::new(),
            names: FxHashMap::default(),
            calls: Vec::new(),
        }
    }

    /// The number of the last binding in force.
    pub(super) fn bindings(&self) -> u32 {
        self.head
    }

    /// What is known of `name`; `None` where neither the text nor the environment says.
    pub(super) fn value(&self, name: &str) -> Option<Value<'a>> {
        match self.variables.get(name) {
            Some(value) => Some(value.clone()),
            None => self
                .lookup
                .and_then(|lookup| lookup(name))
                .map(|text| Value::Text(Cow::Owned(text.into_owned()))),
        }
    }

    /// Sets a variable of the running shell without recording it as an assignment of the text.
    pub(super) fn set(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        let old = self.variables.insert(name.clone(), value);
        self.log.push((name, old));
    }

    /// `name=value` that lasts.
    pub(super) fn assign(&mut self, name: Cow<'a, str>, value: Option<Word<'a>>, exported: bool) {
        let known = match &value {
            Some(word) if word.literal => Value::Text(word.text.clone()),
            _ => Value::Unknown,
        };
        self.set(name.clone(), known);
        self.bind(name, value, exported);
    }

    fn bind(&mut self, name: Cow<'a, str>, value: Option<Word<'a>>, exported: bool) {
        self.script.bindings.push(Binding { name, value, exported, before: self.head });
        self.head = u32::try_from(self.script.bindings.len()).unwrap_or(0);
    }

    /// The binding of `name` in force, looked for among the latest.
    pub(super) fn binding(&self, name: &str) -> Option<&Binding<'a>> {
        let mut next = self.head;
        for _ in 0..64 {
            let binding = self.script.bindings.get((next as usize).checked_sub(1)?)?;
            if binding.name == name {
                return Some(binding);
            }
            next = binding.before;
        }
        None
    }

    pub(super) fn mark(&self) -> Mark<'a> {
        Mark {
            log: self.log.len(),
            head: self.head,
            cwd: self.cwd.clone(),
            previous: self.previous.clone(),
            pushed: self.pushed.len(),
        }
    }

    /// Leaves a subshell: everything is as it was at `mark`.
    pub(super) fn restore(&mut self, mark: Mark<'a>) {
        while self.log.len() > mark.log {
            match self.log.pop() {
                Some((name, Some(old))) => {
                    self.variables.insert(name, old);
                }
                Some((name, None)) => {
                    self.variables.remove(&name);
                }
                None => break,
            }
        }
        self.head = mark.head;
        self.cwd = mark.cwd;
        self.previous = mark.previous;
        self.pushed.truncate(mark.pushed);
    }

    /// Leaves a branch or a loop: what was changed since `mark` may or may not have been.
    pub(super) fn doubt(&mut self, mark: &Mark<'a>) {
        let changed: Vec<Cow<'a, str>> =
            self.log.iter().skip(mark.log).map(|(name, _)| name.clone()).collect();
        for name in changed {
            let bound = self.binding(&name).map(|binding| (binding.exported, binding.value.is_some()));
            self.variables.insert(name.clone(), Value::Unknown);
            if let Some((exported, true)) = bound {
                self.bind(name, None, exported);
            }
        }
        if self.cwd != mark.cwd {
            self.cwd = Cwd::Unknown;
        }
    }

    /// Leaves one of several branches: as [`Self::doubt`], but back in the directory of `mark` for the next branch.
    /// Tells whether this one went elsewhere.
    pub(super) fn leave(&mut self, mark: &Mark<'a>) -> bool {
        self.doubt(mark);
        let moved = self.cwd != mark.cwd;
        self.cwd = mark.cwd.clone();
        moved
    }

    pub(super) fn push(&mut self, command: Command<'a>) {
        if !self.names.is_empty()
            && let Some(&function) = command.program().and_then(|program| self.names.get(program))
        {
            self.calls.push((self.script.commands.len(), function));
            if self.functions.get(function).is_some_and(|function| function.moves) {
                self.cwd = Cwd::Unknown;
            }
        }
        self.script.commands.push(command);
    }

    /// Records that the commands from `first` on, under `guard`, are the body of the function `name`.
    pub(super) fn define(&mut self, name: Cow<'a, str>, first: usize, guard: u32, moves: bool) {
        let count = self.script.commands.len().saturating_sub(first);
        self.names.insert(name, self.functions.len());
        self.functions.push(Function { first, count, guard, moves, called: false, from: None });
    }

    /// Counts each call as the body: its commands run where the caller is, and whenever a certain caller runs.
    pub(super) fn finish(mut self) -> Script<'a> {
        let Script { commands, guards, .. } = &mut self.script;
        for (call, function) in &self.calls {
            let (Some(call), Some(function)) = (commands.get(*call), self.functions.get_mut(*function))
            else {
                continue;
            };
            function.from = match function.from.take() {
                None => Some(call.cwd.clone()),
                Some(from) if from == call.cwd => Some(from),
                Some(_) => Some(Cwd::Unknown),
            };
        }
        for function in &self.functions {
            let Some(from) = function.from.as_ref().filter(|from| **from != Cwd::Start) else { continue };
            for command in commands.iter_mut().skip(function.first).take(function.count) {
                command.cwd = cwd::within(from, &command.cwd);
            }
        }
        // A body calls what stands before it, so the calls are followed from the last to the first; a second round
        // for bodies that call what is defined after them.
        for _ in 0..2 {
            for (call, function) in self.calls.iter().rev() {
                let certain = commands.get(*call).is_some_and(|call| call.certain);
                let Some(function) =
                    self.functions.get_mut(*function).filter(|function| certain && !function.called)
                else {
                    continue;
                };
                function.called = true;
                let guard = (function.guard as usize).checked_sub(1).and_then(|at| guards.get_mut(at));
                let top = guard.is_some_and(|guard| {
                    guard.kind = GuardKind::Met;
                    guard.before == 0
                });
                for command in commands.iter_mut().skip(function.first).take(function.count) {
                    command.certain |= top && command.guard == function.guard;
                }
            }
        }
        self.script
    }
}
