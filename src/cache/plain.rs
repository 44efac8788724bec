//! Commands that write nothing but what their text names.

use crate::context::{CopySelection, has_wildcards, path};
use crate::graph::RunStep;

/// Such a command: `echo`, `cp`, `mkdir` and their like.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The words that may name what is written.
    written: Vec<String>,
    cwd: String,
}

/// Programs that only print.
const READ: &[&str] = &[
    ":", "[", "cat", "cd", "date", "echo", "exit", "export", "false", "grep", "head", "id", "ls", "printf",
    "pwd", "set", "sleep", "tail", "test", "tr", "true", "uname", "wc",
];
/// Programs that write where they are told to.
const WRITE: &[&str] = &["chmod", "chown", "cp", "ln", "mkdir", "mv", "rm", "rmdir", "sort", "tee", "touch"];

impl Plain {
    /// The command of a RUN, if it is plain.
    pub(super) fn of(run: &RunStep<'_>, cwd: &str) -> Option<Self> {
        let text = match run.argv.as_slice() {
            [shell, option, text] if option == "-c" && path::base(shell) == "sh" => text,
            _ => return None,
        };
        if run.script.is_some() || text.contains(['$', '`', '*', '?', '(', '{']) {
            return None;
        }
        let mut written = Vec::new();
        for command in text.replace("2>&1", " ").replace("\\\n", " ").split(['&', '|', ';', '\n']) {
            let Some(program) = command.split_whitespace().next() else { continue };
            let names = match path::base(program) {
                "env" if command.trim() == "env" => "",
                program if READ.contains(&program) => command.split_once('>').map_or("", |(_, to)| to),
                program if WRITE.contains(&program) => command,
                _ => return None,
            };
            let words = names.split(|one: char| one.is_whitespace() || "\"'<>=,".contains(one));
            written.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        Some(Self { written, cwd: path::below_root(cwd) })
    }

    /// Whether what `selection` takes is as it was before.
    pub(super) fn leaves_alone(&self, selection: &CopySelection) -> bool {
        self.written.is_empty()
            || selection.sources.iter().all(|source| !self.may_write(source, selection.literal))
    }

    fn may_write(&self, source: &str, literal: bool) -> bool {
        let wanted = path::below_root(source);
        let is_here =
            || self.cwd.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if wanted.is_empty() || (!literal && has_wildcards(&wanted)) || is_here() {
            return true;
        }
        let last = path::base(&wanted);
        self.written.iter().map(|word| word.trim_end_matches('/')).any(|named| {
            named.split('/').any(|part| part == last)
                || wanted.split('/').any(|part| part == path::base(named))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;
    use crate::graph::{Graph, Options, StepKind};

    fn leaves_alone(command: &str, path: &str) -> Option<bool> {
        let source = format!("FROM scratch\nWORKDIR /w\nRUN {command}\n");
        let parsed = dockerfile::parse(&source);
        let graph = Graph::new(&parsed, &Options::default());
        let plain = graph.all_steps().find_map(|(_, step)| match &step.kind {
            StepKind::Run(run) => Plain::of(run, &step.state.cwd),
            _ => None,
        });
        plain.map(|plain| plain.leaves_alone(&CopySelection::of(path)))
    }

    #[test]
    fn what_a_command_leaves_alone() {
        assert_eq!(leaves_alone("true", "/"), Some(true));
        assert_eq!(leaves_alone("make", "/etc/passwd"), None);
        assert_eq!(leaves_alone("env make", "/etc/passwd"), None);
        assert_eq!(leaves_alone("grep -v x /etc/passwd > o2 || true", "/etc/passwd"), Some(true));
        assert_eq!(leaves_alone("cp x /etc/passwd && true", "/etc/passwd"), Some(false));
        assert_eq!(leaves_alone("rm -rf /etc", "/etc/passwd"), Some(false));
        assert_eq!(leaves_alone("mkdir -p /app/d", "/app"), Some(false));
        assert_eq!(leaves_alone("echo 1 > o2", "/o1"), Some(true));
        assert_eq!(leaves_alone("echo 1 > o2", "/w"), Some(false));
        assert_eq!(leaves_alone("echo 1 > o2", "/"), Some(false));
    }
}
