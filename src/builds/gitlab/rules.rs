//! When a job runs: `rules`, `only` and `except`, asked of one kind of pipeline at a time.

use super::tree::Tree;
use crate::builds::Trigger;
use crate::builds::yaml::{Data, Node};

/// A kind of pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pipeline {
    /// For a push to the default branch.
    Default,
    /// For a push to another branch.
    Branch,
    /// For a tag.
    Tag,
    /// For a merge request.
    MergeRequest,
    /// By time, on the default branch.
    Schedule,
}

impl Pipeline {
    /// All of them, the most telling first.
    pub(super) const ALL: [Self; 5] =
        [Self::Default, Self::Branch, Self::Tag, Self::MergeRequest, Self::Schedule];

    /// As a build's trigger.
    pub(super) fn trigger(self) -> Trigger {
        let mut trigger = Trigger::default();
        match self {
            Self::Default => trigger.default_branch = true,
            Self::Branch => trigger.any_branch = true,
            Self::Tag => trigger.release = true,
            Self::MergeRequest => trigger.pull_request = true,
            Self::Schedule => trigger.schedule = true,
        }
        trigger
    }

    /// What a predefined variable is in this pipeline.
    fn variable(self, name: &str) -> Known {
        let branch = match self {
            Self::Default | Self::Schedule => Known::DefaultBranch,
            Self::Branch => Known::OtherBranch,
            Self::Tag | Self::MergeRequest => Known::Empty,
        };
        match name {
            "CI_DEFAULT_BRANCH" => Known::DefaultBranch,
            "CI_COMMIT_BRANCH" => branch,
            "CI_COMMIT_REF_NAME" | "CI_COMMIT_REF_SLUG" => match self {
                Self::Tag => Known::Some,
                Self::MergeRequest => Known::OtherBranch,
                _ => branch,
            },
            "CI_COMMIT_TAG" if self == Self::Tag => Known::Some,
            "CI_COMMIT_TAG" => Known::Empty,
            "CI_PIPELINE_SOURCE" => match self {
                Self::MergeRequest => Known::Text("merge_request_event".into()),
                Self::Schedule => Known::Text("schedule".into()),
                _ => Known::Text("push".into()),
            },
            "CI_MERGE_REQUEST_ID" | "CI_MERGE_REQUEST_IID" | "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" => {
                if self == Self::MergeRequest { Known::Some } else { Known::Empty }
            }
            "CI_OPEN_MERGE_REQUESTS" => Known::Unknown,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME" => {
                if self == Self::MergeRequest {
                    Known::Unknown
                } else {
                    Known::Empty
                }
            }
            "CI_COMMIT_REF_PROTECTED" if self == Self::Default => Known::Text("true".into()),
            _ => Known::Unknown,
        }
    }
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// The name of the default branch.
    DefaultBranch,
    /// The name of a branch that is not the default one.
    OtherBranch,
    /// Something that is not empty.
    Some,
    /// Not set or empty.
    Empty,
    /// This text.
    Text(String),
    /// Nothing.
    Unknown,
}

impl Known {
    fn truthy(&self) -> Option<bool> {
        match self {
            Self::DefaultBranch | Self::OtherBranch | Self::Some => Some(true),
            Self::Empty => Some(false),
            Self::Text(text) => Some(!text.is_empty()),
            Self::Unknown => None,
        }
    }

    fn equals(&self, other: &Self) -> Option<bool> {
        let main = |text: &str| matches!(text, "main" | "master");
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => None,
            (Self::DefaultBranch, Self::DefaultBranch) | (Self::Empty, Self::Empty) => Some(true),
            (Self::DefaultBranch, Self::OtherBranch) | (Self::OtherBranch, Self::DefaultBranch) => {
                Some(false)
            }
            (Self::Text(a), Self::Text(b)) => Some(a == b),
            (Self::Empty, Self::Text(text)) | (Self::Text(text), Self::Empty) => Some(text.is_empty()),
            (Self::Empty, _) | (_, Self::Empty) => Some(false),
            (Self::DefaultBranch, Self::Text(text)) | (Self::Text(text), Self::DefaultBranch) => {
                main(text).then_some(true)
            }
            (Self::OtherBranch, Self::Text(text)) | (Self::Text(text), Self::OtherBranch) => {
                main(text).then_some(false)
            }
            _ => None,
        }
    }
}

/// Variables that the configuration sets itself.
pub(super) type Lookup<'v> = &'v dyn Fn(&str) -> Option<String>;

/// What a list of rules says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// `Some(false)`: never runs. `None`: that turns on what no file tells, or on somebody who starts it.
    pub runs: Option<bool>,
    /// The index of the rule that decides, or may.
    pub rule: Option<usize>,
}

/// The first rule that applies decides.
pub(super) fn rules(items: &[std::sync::Arc<Node<'_>>], pipeline: Pipeline, vars: Lookup<'_>) -> Outcome {
    let mut maybe = None;
    for (index, rule) in items.iter().enumerate() {
        let mut applies = match rule.get("if").and_then(|node| node.str()) {
            Some(text) => condition(text, pipeline, vars),
            None => Some(true),
        };
        if applies == Some(true) && (rule.get("changes").is_some() || rule.get("exists").is_some()) {
            applies = None;
        }
        let when = rule.get("when").and_then(|node| node.str());
        let never = when == Some("never");
        match (applies, never) {
            (Some(false), _) => {}
            (Some(true), true) if maybe.is_none() => return Outcome { runs: Some(false), rule: None },
            (Some(true), true) => break,
            (Some(true), false) => {
                let runs = (maybe.is_none() && when != Some("manual")).then_some(true);
                return Outcome { runs, rule: maybe.or(Some(index)) };
            }
            (None, true) => {}
            (None, false) => maybe = maybe.or(Some(index)),
        }
    }
    match maybe {
        Some(rule) => Outcome { runs: None, rule: Some(rule) },
        None => Outcome { runs: Some(false), rule: None },
    }
}

/// `only` and `except`. Without either: branches and tags.
pub(super) fn only_except(
    only: Option<&Tree<'_>>,
    except: Option<&Tree<'_>>,
    pipeline: Pipeline,
    vars: Lookup<'_>,
) -> Option<bool> {
    let wanted = match only {
        None => Some(matches!(
            pipeline,
            Pipeline::Default | Pipeline::Branch | Pipeline::Tag | Pipeline::Schedule
        )),
        Some(only) => listed(only, pipeline, vars),
    };
    let unwanted = except.map_or(Some(false), |except| listed(except, pipeline, vars));
    match (wanted, unwanted) {
        (Some(false), _) | (_, Some(true)) => Some(false),
        (Some(true), Some(false)) => Some(true),
        _ => None,
    }
}

fn listed(list: &Tree<'_>, pipeline: Pipeline, vars: Lookup<'_>) -> Option<bool> {
    let texts = |tree: &Tree<'_>| -> Vec<String> {
        tree.leaf()
            .map_or_else(Vec::new, |(_, node)| node.strings().map(|(text, _)| text.to_owned()).collect())
    };
    let refs = match list.get("refs") {
        Some(refs) => texts(refs),
        None => texts(list),
    };
    let by_refs = if refs.is_empty() { None } else { any(refs.iter().map(|name| by_ref(name, pipeline))) };
    let by_variables =
        list.get("variables").map(|list| any(texts(list).iter().map(|text| condition(text, pipeline, vars))));
    match (by_refs, by_variables) {
        (Some(false), _) if !refs.is_empty() => Some(false),
        (by_refs, Some(by_variables)) if !refs.is_empty() => match (by_refs, by_variables) {
            (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        (_, Some(by_variables)) => by_variables,
        (by_refs, None) => by_refs,
    }
}

fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for value in values {
        match value {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

fn by_ref(name: &str, pipeline: Pipeline) -> Option<bool> {
    let branch = matches!(pipeline, Pipeline::Default | Pipeline::Branch | Pipeline::Schedule);
    let name = name.split('@').next().unwrap_or(name);
    match name {
        "branches" => Some(branch),
        "tags" => Some(pipeline == Pipeline::Tag),
        "merge_requests" => Some(pipeline == Pipeline::MergeRequest),
        "schedules" => Some(pipeline == Pipeline::Schedule),
        "pushes" => Some(matches!(pipeline, Pipeline::Default | Pipeline::Branch | Pipeline::Tag)),
        "web" | "api" | "triggers" | "pipelines" | "external" | "chat" | "external_pull_requests" => {
            Some(false)
        }
        "main" | "master" => Some(matches!(pipeline, Pipeline::Default | Pipeline::Schedule)),
        _ if pipeline == Pipeline::MergeRequest => Some(false),
        _ => None,
    }
}

/// The value of an `if:` expression.
pub(super) fn condition(text: &str, pipeline: Pipeline, vars: Lookup<'_>) -> Option<bool> {
    let mut parser = Parser { rest: text, pipeline, vars, nodes: 0 };
    let value = parser.or();
    parser.space();
    if parser.rest.is_empty() { value } else { None }
}

struct Parser<'t, 'v> {
    rest: &'t str,
    pipeline: Pipeline,
    vars: Lookup<'v>,
    nodes: u32,
}

impl Parser<'_, '_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> Option<bool> {
        let mut value = self.and();
        while self.eat("||") {
            let right = self.and();
            value = match (value, right) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        value
    }

    fn and(&mut self) -> Option<bool> {
        let mut value = self.comparison();
        while self.eat("&&") {
            let right = self.comparison();
            value = match (value, right) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        value
    }

    fn comparison(&mut self) -> Option<bool> {
        self.nodes += 1;
        if self.nodes > 200 {
            self.rest = "";
            return None;
        }
        if self.eat("(") {
            let value = self.or();
            return if self.eat(")") { value } else { None };
        }
        if self.eat("!") {
            return self.comparison().map(|value| !value);
        }
        let left = self.operand();
        if self.eat("==") {
            let right = self.operand();
            left.equals(&right)
        } else if self.eat("!=") {
            let right = self.operand();
            left.equals(&right).map(|equal| !equal)
        } else if self.eat("=~") {
            self.matches(&left)
        } else if self.eat("!~") {
            self.matches(&left).map(|found| !found)
        } else {
            left.truthy()
        }
    }

    /// A pattern never matches what is not there; else only a plain `/^name$/` can be told.
    fn matches(&mut self, left: &Known) -> Option<bool> {
        self.space();
        let pattern = match self.rest.strip_prefix('/') {
            Some(rest) => {
                let end = pattern_end(rest)?;
                let pattern = rest.get(..end)?;
                self.rest = rest.get(end + 1..)?.trim_start_matches(['i', 'm', 's']);
                Some(pattern)
            }
            None => {
                self.operand();
                None
            }
        };
        match left {
            Known::Empty => Some(false),
            Known::Text(_) | Known::DefaultBranch | Known::OtherBranch => {
                let plain = pattern?.strip_prefix('^')?.strip_suffix('$')?;
                let simple =
                    plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
                if simple { left.equals(&Known::Text(plain.to_owned())) } else { None }
            }
            _ => None,
        }
    }

    fn operand(&mut self) -> Known {
        self.space();
        if let Some(rest) = self.rest.strip_prefix('$') {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let end = rest.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_')).unwrap_or(rest.len());
            let (name, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
            self.rest = rest.strip_prefix('}').unwrap_or(rest);
            return match (self.vars)(name) {
                Some(value) if value.contains('$') => Known::Unknown,
                Some(value) => Known::Text(value),
                None => self.pipeline.variable(name),
            };
        }
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote)
                && let Some((text, rest)) = rest.split_once(quote)
            {
                self.rest = rest;
                return Known::Text(text.to_owned());
            }
        }
        if self.eat("null") {
            return Known::Empty;
        }
        // Not understood: nothing is known, and the parse ends.
        self.rest = self.rest.get(self.rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or("");
        Known::Unknown
    }
}

fn pattern_end(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'/' => return Some(at),
            _ => at += 1,
        }
    }
}

/// The items of a sequence leaf.
pub(super) fn items<'t, 'f>(tree: &'t Tree<'f>) -> &'t [std::sync::Arc<Node<'f>>] {
    match tree.leaf().map(|(_, node)| &node.data) {
        Some(Data::Seq(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::yaml::parse;
    use Pipeline::{Branch, Default, MergeRequest, Tag};

    fn ask(text: &str) -> Vec<Option<bool>> {
        [Default, Branch, Tag, MergeRequest]
            .into_iter()
            .map(|kind| condition(text, kind, &|_| None))
            .collect()
    }

    #[test]
    fn conditions_are_asked_of_each_kind_of_pipeline() {
        let (yes, no, open) = (Some(true), Some(false), None);
        assert_eq!(ask("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"), [yes, no, no, no]);
        assert_eq!(ask("$CI_COMMIT_BRANCH == \"main\""), [yes, no, no, no]);
        assert_eq!(ask("$CI_COMMIT_BRANCH && $CI_COMMIT_BRANCH != 'develop'"), [open, open, no, no]);
        assert_eq!(ask("$CI_COMMIT_TAG"), [no, no, yes, no]);
        assert_eq!(ask("$CI_COMMIT_TAG =~ /^v[0-9]\\/x/ || $CI_MERGE_REQUEST_ID"), [no, no, open, yes]);
        assert_eq!(ask("$CI_PIPELINE_SOURCE == 'merge_request_event'"), [no, no, no, yes]);
        assert_eq!(ask("($CI_COMMIT_TAG == null) && $DEPLOY"), [open, open, no, open]);
        assert_eq!(ask("$A ~ garbage"), [open; 4]);
        assert_eq!(ask(&"(".repeat(100_000)), [open; 4]);
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let text = "[{if: $CI_COMMIT_TAG, when: never}, {if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}, {changes: [a], when: manual}]";
        let root = parse(text).unwrap().unwrap();
        let runs = |kind| rules(root.items(), kind, &|_| None);
        assert_eq!(runs(Tag).runs, Some(false));
        assert_eq!(runs(Default), Outcome { runs: Some(true), rule: Some(1) });
        assert_eq!(runs(Branch), Outcome { runs: None, rule: Some(2) });
    }

    #[test]
    fn only_and_except_by_name() {
        let tree = |text: &'static str| Tree::new(0, &parse(text).unwrap().unwrap());
        let all = |only: Option<&Tree<'_>>, except: Option<&Tree<'_>>| {
            [Default, Branch, Tag, MergeRequest].map(|kind| only_except(only, except, kind, &|_| None))
        };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(all(None, None), [yes, yes, yes, no]);
        assert_eq!(all(Some(&tree("[main, tags]")), None), [yes, no, yes, no].map(|v| v));
        assert_eq!(all(Some(&tree("{refs: [merge_requests]}")), None), [no, no, no, yes]);
        assert_eq!(all(None, Some(&tree("[tags]"))), [yes, yes, no, no]);
        assert_eq!(all(Some(&tree("[develop]")), None), [None, None, None, no]);
    }
}
