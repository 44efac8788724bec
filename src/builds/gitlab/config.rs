//! Loading a pipeline: its file, what it includes locally, and jobs with `extends`, `default` and `!reference` resolved.

use super::tree::{FileId, Tree};
use crate::builds::yaml::{self, Data, Node};
use crate::builds::{Files, ReadError, join};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Files of one pipeline at most (GitLab's own limit is 150 includes).
const MAX_FILES: usize = 150;
/// Nesting of `extends` and of `!reference` (GitLab: 11 and 10).
const MAX_DEPTH: u32 = 11;
/// Nodes of scripts, each counted as often as it is referred to.
const MAX_NODES: u32 = 200_000;

/// Keywords at the top that are no jobs.
const GLOBAL: &[&str] = &[
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "spec",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "types",
];

/// A file of the pipeline.
pub(super) struct File<'f> {
    /// Its path.
    pub path: Arc<str>,
    /// Its text.
    pub text: &'f str,
    /// Values of `$[[ inputs.x ]]`.
    pub inputs: FxHashMap<String, String>,
}

/// A loaded pipeline.
pub(super) struct Config<'f> {
    /// Its files, included ones and all.
    pub files: Vec<File<'f>>,
    /// Everything merged, included files below.
    pub root: Tree<'f>,
    /// Jobs with what they extend.
    extended: RefCell<FxHashMap<String, Tree<'f>>>,
    /// Nodes that references may still lead to.
    budget: Cell<u32>,
}

impl<'f> Config<'f> {
    /// Loads a pipeline.
    pub(super) fn load(path: &str, text: &'f str, lookup: Files<'f>) -> Result<Self, ReadError> {
        let mut config = Self {
            files: Vec::new(),
            root: Tree::empty(),
            extended: RefCell::default(),
            budget: Cell::new(MAX_NODES),
        };
        let root = config.file(path, text, FxHashMap::default(), lookup, 0)?;
        config.root = root;
        Ok(config)
    }

    fn file(
        &mut self,
        path: &str,
        text: &'f str,
        given: FxHashMap<String, String>,
        lookup: Files<'f>,
        depth: u32,
    ) -> Result<Tree<'f>, ReadError> {
        let documents = yaml::parse_all(text)?;
        let id = self.files.len();
        let mut inputs = given;
        let header = documents.first().filter(|first| documents.len() > 1 && first.get("spec").is_some());
        for entry in header.and_then(|header| header.at(&["spec", "inputs"])).map_or(&[][..], Node::entries) {
            let default = entry.value.get("default").and_then(|node| node.str());
            if let (Some(name), Some(default)) = (entry.name(), default) {
                inputs.entry(name.to_owned()).or_insert_with(|| default.to_owned());
            }
        }
        self.files.push(File { path: path.into(), text, inputs });
        let Some(body) = documents.get(usize::from(header.is_some())) else { return Ok(Tree::empty()) };
        let mut tree = Tree::empty();
        if let Some(include) = body.get("include") {
            for node in if include.is_seq() { include.items() } else { std::slice::from_ref(include) } {
                if let Some(included) = self.include(path, node, lookup, depth) {
                    tree.lay(&included);
                }
            }
        }
        tree.lay(&Tree::new(id, body));
        Ok(tree)
    }

    /// A local include; what comes from elsewhere is not known.
    fn include(&mut self, from: &str, node: &Node<'f>, lookup: Files<'f>, depth: u32) -> Option<Tree<'f>> {
        if depth > MAX_DEPTH || self.files.len() >= MAX_FILES {
            return None;
        }
        let text = node.str().or_else(|| node.get("local").and_then(|local| local.str()))?;
        if text.contains("://") {
            return None;
        }
        let path = join("", text.trim_start_matches('/'))?;
        if path == from {
            return None;
        }
        let inputs = node.get("inputs").map_or(&[][..], |inputs| inputs.entries());
        let given = inputs
            .iter()
            .filter_map(|entry| Some((entry.name()?.to_owned(), entry.value.str()?.to_owned())))
            .collect();
        self.file(&path, lookup(&path)?, given, lookup, depth + 1).ok()
    }

    /// Names of the jobs, hidden ones left out, in order.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &str> {
        let is_job = |(name, tree): &&(Arc<str>, Tree<'f>)| {
            !name.starts_with('.') && !GLOBAL.contains(&&**name) && matches!(tree, Tree::Map(_))
        };
        self.root.entries().iter().filter(is_job).map(|(name, _)| &**name)
    }

    /// A job with what it extends and the defaults.
    pub(super) fn job(&self, name: &str) -> Tree<'f> {
        let mut job = self.extended(name, 0);
        let inherits = |key: &str| match job.get("inherit").and_then(|inherit| inherit.get("default")) {
            Some(tree) if tree.str() == Some("false") => false,
            Some(Tree::Leaf(_, list)) if list.is_seq() => list.strings().any(|(text, _)| text == key),
            _ => true,
        };
        let keys = ["image", "services", "before_script", "after_script", "cache", "tags"];
        let missing: Vec<&str> =
            keys.into_iter().filter(|key| job.get(key).is_none() && inherits(key)).collect();
        for key in missing {
            let default =
                self.root.get("default").and_then(|default| default.get(key)).or_else(|| self.root.get(key));
            if let Some(value) = default {
                job.insert(key, value);
            }
        }
        job
    }

    fn extended(&self, name: &str, depth: u32) -> Tree<'f> {
        let Some(own) = self.root.get(name) else { return Tree::empty() };
        let bases: Vec<&str> = match own.get("extends").and_then(Tree::leaf) {
            Some((_, node)) => node.strings().map(|(text, _)| text).collect(),
            None => return own.clone(),
        };
        if let Some(done) = self.extended.borrow().get(name) {
            return done.clone();
        }
        if depth >= MAX_DEPTH {
            return own.clone();
        }
        // Whoever extends itself meets what it has written itself.
        self.extended.borrow_mut().insert(name.to_owned(), own.clone());
        let mut tree = Tree::empty();
        for base in bases.into_iter().take(16) {
            tree.lay(&self.extended(base, depth + 1));
        }
        tree.lay(own);
        self.extended.borrow_mut().insert(name.to_owned(), tree.clone());
        tree
    }

    /// The items of a script, nested lists and references laid flat.
    pub(super) fn lines(&self, tree: Option<&Tree<'f>>) -> Vec<(FileId, Arc<Node<'f>>)> {
        let mut lines = Vec::new();
        if let Some((file, node)) = tree.and_then(Tree::leaf) {
            self.flatten(file, node, 0, &mut lines);
        }
        lines
    }

    fn flatten(
        &self,
        file: FileId,
        node: &Arc<Node<'f>>,
        depth: u32,
        lines: &mut Vec<(FileId, Arc<Node<'f>>)>,
    ) {
        let left = self.budget.get();
        if depth > MAX_DEPTH || left == 0 {
            return;
        }
        self.budget.set(left - 1);
        if let Some(target) = self.reference(node) {
            if let Some((file, node)) = target.leaf() {
                self.flatten(file, node, depth + 1, lines);
            }
            return;
        }
        match &node.data {
            Data::Scalar(_) => lines.push((file, Arc::clone(node))),
            Data::Seq(items) => items.iter().for_each(|item| self.flatten(file, item, depth + 1, lines)),
            Data::Map(_) => {}
        }
    }

    /// What `!reference [.job, key, …]` points at.
    pub(super) fn reference(&self, node: &Node<'f>) -> Option<Tree<'f>> {
        if !node.tag.as_deref().is_some_and(|tag| tag.ends_with("reference")) {
            return None;
        }
        let mut keys = node.items().iter().map(|item| item.str());
        let job = self.extended(keys.next()??, 0);
        keys.try_fold(job, |tree, key| tree.get(key?).cloned())
    }

    /// A value, references followed.
    pub(super) fn resolved(&self, tree: &Tree<'f>) -> Tree<'f> {
        let mut tree = tree.clone();
        for _ in 0..MAX_DEPTH {
            match tree.leaf().and_then(|(_, node)| self.reference(node)) {
                Some(next) => tree = next,
                None => break,
            }
        }
        tree
    }
}
