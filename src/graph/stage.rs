//! Stages: where they start from and how they are found by name.

use super::State;
use crate::dockerfile::Instruction;
use std::ops::Range;
use std::sync::Arc;

/// A stage.
#[derive(Clone, Debug)]
pub struct Stage<'a> {
    /// Its FROM.
    pub from: &'a Instruction<'a>,
    /// Its name in lower case.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Base,
    /// `--platform` after expansion; `None` is the target platform.
    pub platform: Option<String>,
    /// Its steps, a range of [`super::Graph::steps`], FROM first.
    pub steps: Range<usize>,
    /// What is in force at its end.
    pub state: Arc<State<'a>>,
    /// The instructions that a stage built from this one runs first.
    pub onbuild: Vec<&'a Instruction<'a>>,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// Another stage, by index.
    Stage(usize),
    /// An image reference after expansion.
    Image(String),
    /// A named context whose content is not known here.
    Named(String),
    /// A FROM that BuildKit refuses.
    Invalid,
}
