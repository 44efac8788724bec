//! Commands that write nothing but what their text names.

use crate::context::{CopySelection, has_wildcards, path};
use crate::graph::RunStep;
use crate::shell;

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
        let script = shell::parse_str(text, 0, &shell::Options::default());
        if !script.opaque.is_empty() {
            return None;
        }
        let mut written: Vec<String> = Vec::new();
        let mut name = |word: &str| {
            let parts = word.split(['=', ',']).filter(|part| !part.is_empty());
            written.extend(parts.map(str::to_owned));
        };
        for command in &script.commands {
            // What a compound command is redirected to is not in its commands.
            let known = command.opaque.is_none() && command.wrappers.is_empty() && command.depth == 0;
            if !known || command.argv.iter().any(|word| word.glob) {
                return None;
            }
            match command.program() {
                Some("env") if command.args().is_empty() => {}
                Some(program) if READ.contains(&program) => {}
                Some(program) if WRITE.contains(&program) => {
                    command.args().iter().for_each(|word| name(&word.text));
                }
                None if command.argv.is_empty() => {}
                _ => return None,
            }
            for redirect in &command.redirects {
                let to = &redirect.target;
                let duplicates =
                    redirect.operator.ends_with('&') && to.text.bytes().all(|b| b.is_ascii_digit());
                if redirect.operator.contains("<<") || to.glob {
                    return None;
                }
                if redirect.operator.contains('>') && !duplicates {
                    name(&to.text);
                }
            }
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
        assert_eq!(leaves_alone("echo 'a; make' 2>&1 >> o2", "/o1"), Some(true));
        assert_eq!(leaves_alone("rm pass[w]d", "/etc/passwd"), None);
        assert_eq!(leaves_alone("if true; then echo x; fi > /etc/passwd", "/etc/passwd"), None);
        assert_eq!(leaves_alone("sh -c 'rm /etc/passwd'", "/etc/passwd"), None);
        assert_eq!(leaves_alone("cp \"a b\" '/etc/passwd'", "/etc/passwd"), Some(false));
    }
}
