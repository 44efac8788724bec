//! `{{ … }}` of justfiles, Taskfiles and Go templates, filled before a shell reads the text.

use super::command::{ScriptEnv, ScriptText, read_script};
use super::template::{self, Holes};
use super::{Build, Files, Value, Vars};
use crate::shell::Dialect;
use crate::source::Joined;
use std::ops::Range;

/// Expressions that are the directory of the file.
const HERE: &[&str] = &["justfile_directory()", "justfile_dir()", ".TASKFILE_DIR", ".ROOT_DIR"];

/// The next `{{ … }}` from `from` on. `{{{{` is a literal brace pair in a justfile.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let start = from + memchr::memmem::find(text.as_bytes().get(from..)?, b"{{")?;
    let end = start + memchr::memmem::find(text.as_bytes().get(start..)?, b"}}")? + 2;
    Some(start..end)
}

/// Reads a script whose `{{ … }}` are replaced by what `vars` knows, and appends its builds.
pub(super) fn read(
    source: &str,
    joined: &Joined<'_>,
    vars: &Vars,
    env: &mut ScriptEnv,
    files: Files<'_>,
    out: &mut Vec<Build>,
) {
    let mut holes = Holes::default();
    let filled = template::fill(joined, &mut holes, &next, &mut |expression, holes| {
        if HERE.contains(&expression.trim_matches(['{', '}', ' '])) {
            // What a path may begin with: the directory of the file.
            return "${CURDIR}".to_owned();
        }
        match vars.value(expression) {
            Value::Known(text) => text,
            Value::Symbolic { text, volatility } => holes.stand_in(text, volatility).to_string(),
        }
    });
    let text = ScriptText { source, joined: &filled, dialect: Dialect::Posix };
    let before = out.len();
    read_script(&text, env, files, out);
    out.iter_mut().skip(before).for_each(|build| holes.restore(build));
}
