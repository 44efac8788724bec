//! From the declaration of a variable downwards: what it reaches that has no use for it, and how far it could move.

use super::DockerfileCx;
use crate::dockerfile::{Instruction, Keyword, Kind};
use crate::fix::Fix;
use crate::graph::StepId;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What stands below a declaration in its stage.
#[derive(Debug, Default)]
pub struct Reach {
    /// Installs and downloads that have no use for it, above everything that may have one.
    pub idle: Vec<StepId>,
    /// Where the instruction starts that is the first to use it, or that may.
    pub first_use: Option<u32>,
    /// Whether the text of that instruction names it.
    pub is_named: bool,
    /// Where the ENVs, LABELs and ARGs start that are made from it and have to stay below it.
    followers: Vec<u32>,
    /// Where the last instruction of the stage starts that makes a step.
    last_step: Option<u32>,
    /// Whether the declaration and its followers can be moved: nothing else is declared with them.
    movable: bool,
}

/// Whether `text` has `name` as a word of its own.
#[must_use]
pub fn names(text: &str, name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.match_indices(name).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        let after = text.as_bytes().get(at + name.len());
        !before.is_some_and(|byte| is_word(*byte)) && !after.is_some_and(|byte| is_word(*byte))
    })
}

/// The instructions of the stage in which the instruction at `start` stands, from it on.
pub fn below<'a>(cx: &DockerfileCx<'a>, start: u32) -> Vec<&'a Instruction<'a>> {
    let after = cx.syntax.instructions().skip_while(|one| one.span.start < start);
    let mut first = true;
    after.take_while(|one| std::mem::take(&mut first) || one.keyword != Keyword::From).collect()
}

/// Follows `name`, declared by the instruction at `start`, to the end of its stage.
#[must_use]
pub fn reach(cx: &DockerfileCx<'_>, start: u32, name: &str) -> Reach {
    let mut reach = Reach { movable: true, ..Reach::default() };
    let mut known: BTreeSet<String> = BTreeSet::from([name.to_owned()]);
    let steps: FxHashMap<u32, StepId> = cx
        .graph()
        .all_steps()
        .filter(|(_, step)| !step.onbuild)
        .map(|(id, step)| (step.instruction.span.start, id))
        .collect();
    let mut instructions = below(cx, start).into_iter();
    if let Some(own) = instructions.next() {
        reach.movable &= match &own.kind {
            Kind::Arg(decls) => decls.len() == 1,
            Kind::Env(pairs) => pairs.len() == 1,
            _ => false,
        };
    }
    for instruction in instructions {
        let at = instruction.span.start;
        let text = instruction.span.of(cx.text());
        let named = known.iter().any(|name| names(text, name));
        let is_step =
            matches!(instruction.keyword, Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir);
        if is_step {
            reach.last_step = Some(at);
        }
        if reach.first_use.is_some() {
            continue;
        }
        match &instruction.kind {
            Kind::Env(pairs) if named => {
                let made = |value: &str| known.iter().any(|name| names(value, name));
                let own: Vec<String> = pairs
                    .iter()
                    .filter(|pair| made(&pair.value.text) || known.contains(&*pair.key.text))
                    .map(|pair| pair.key.text.to_string())
                    .collect();
                reach.movable &= own.len() == pairs.len();
                extend(&mut known, own);
                reach.followers.push(at);
            }
            Kind::Arg(decls) if named => {
                reach.movable &=
                    decls.len() == 1 && !decls.iter().any(|decl| known.contains(&*decl.name.text));
                extend(&mut known, decls.iter().map(|decl| decl.name.text.to_string()));
                reach.followers.push(at);
            }
            Kind::Run(_) => match steps.get(&at).copied() {
                Some(step) if !named && cx.ignores_variables(step) => {
                    if cx.costly(step).is_some() {
                        reach.idle.push(step);
                    }
                }
                _ => (reach.first_use, reach.is_named) = (Some(at), named),
            },
            Kind::Label(_) | Kind::Expose(_) | Kind::Volume(_) | Kind::Stopsignal(_) if named => {
                reach.followers.push(at);
            }
            Kind::Onbuild(_) | Kind::Cmd(_) | Kind::Entrypoint(_) | Kind::Healthcheck(_) => {}
            _ if named => (reach.first_use, reach.is_named) = (Some(at), true),
            _ => {}
        }
    }
    reach
}

/// A variable from which more are made than this is not looked at to the end.
const MAX_NAMES: usize = 16;

fn extend(known: &mut BTreeSet<String>, more: impl IntoIterator<Item = String>) {
    let room = MAX_NAMES.saturating_sub(known.len());
    known.extend(more.into_iter().take(room));
}

impl Reach {
    /// The fix that moves the declaration at `start`, with what is made from it, to just above its first use, or to the end
    /// of the stage where there is none.
    #[must_use]
    pub fn fix(&self, cx: &DockerfileCx<'_>, start: u32, title: String) -> Option<Fix> {
        if !self.movable {
            return None;
        }
        let end = self.first_use.or(self.last_step)?;
        let mut moved = vec![start];
        moved.extend(self.followers.iter().copied().filter(|at| *at < end));
        let fix = Fix::safe(title);
        match self.first_use {
            Some(before) => fix.move_up_to(cx.path(), cx.syntax, &moved, before),
            None => fix.move_below(cx.path(), cx.syntax, &moved, end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_name_is_a_word_of_its_own() {
        assert!(names("echo ${VERSION:-x}", "VERSION") && names("$VERSION", "VERSION"));
        assert!(!names("$NODE_VERSION $VERSIONS", "VERSION"));
    }
}
