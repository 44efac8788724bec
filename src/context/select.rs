//! What the sources of a COPY, ADD or bind mount take of a tree, and the digest of it that enters the cache key, as
//! BuildKit computes it (cache/contenthash/checksum.go; facts: "Content digest").
//!
//! The tree given is what the builder sees: [`super::Context::visible`].

use super::digest::Digest;
use super::directory::Node;
use super::go_match::{BadPattern, go_match, has_wildcards};
use super::ignore::{Above, step};
use super::path::{base, below_root};
use super::pattern::Pattern;
use super::tree::Tree;

/// The sources of one step that come from the same place, with the flags that change what they take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CopySelection {
    /// As written, variables expanded; URLs, git references and heredocs are not among them.
    pub sources: Vec<String>,
    /// `--parents`.
    pub parents: bool,
    /// The values of `--exclude`.
    pub exclude: Vec<String>,
    /// The sources are those of bind mounts: taken literally, without wildcards.
    pub literal: bool,
}

/// Why a selection cannot be taken; the build fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The source, as written, is not in the context (or ignored, or behind a link that leads nowhere).
    #[error("{0:?}: not found")]
    Missing(String),
    /// A pattern of a source or of `--exclude`, as written, is malformed.
    #[error("{0:?}: syntax error in pattern")]
    Pattern(String),
}

/// The digest of a selection: equal for two trees exactly where BuildKit's is.
///
/// # Errors
///
/// [`SelectError`] where the build would fail.
pub fn digest(tree: &Tree, selection: &CopySelection) -> Result<Digest, SelectError> {
    let selectors = selection.selectors()?;
    let mut digests = Vec::with_capacity(selectors.len());
    for selector in deduplicated(&selectors) {
        digests.push(selector.digest(tree)?);
    }
    let parts: Vec<&[u8]> = digests.iter().map(Digest::as_bytes).collect();
    Ok(Digest::of("selection", &parts))
}

/// The files and links that one source of `selection` takes, in order, by their own paths (behind links). Directories
/// without files do not show.
///
/// # Errors
///
/// [`SelectError`] where the build would fail.
pub fn files(tree: &Tree, selection: &CopySelection, source: &str) -> Result<Vec<String>, SelectError> {
    let selector = selection.selector(source)?;
    if !selector.is_filtered() {
        let place = selector.place(tree)?;
        return Ok(tree.files(&place));
    }
    let (_, included) = selector.included(tree)?;
    let mut files: Vec<String> = Vec::new();
    for entry in included.iter().filter(|entry| !entry.header) {
        if entry.followed {
            files.extend(tree.files(&follow(tree, &entry.real, &selector)?));
        } else {
            files.push(entry.real.clone());
        }
    }
    Ok(files)
}

impl CopySelection {
    /// A selection of one plain source.
    #[must_use]
    pub fn of(source: &str) -> Self {
        Self { sources: vec![source.to_owned()], ..Self::default() }
    }

    fn selectors(&self) -> Result<Vec<Selector>, SelectError> {
        self.sources.iter().map(|source| self.selector(source)).collect()
    }

    /// What BuildKit's frontend makes of one source (dockerfile2llb, convert_copy.go).
    pub(super) fn selector(&self, source: &str) -> Result<Selector, SelectError> {
        let patterns = |texts: &[String]| {
            let compile = |text: &String| Pattern::new(text).map_err(|_| SelectError::Pattern(text.clone()));
            texts.iter().map(compile).filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        };
        let mut selector = Selector {
            written: source.to_owned(),
            path: below_root(source),
            wildcard: false,
            include: None,
            exclude: (!self.exclude.is_empty()).then(|| patterns(&self.exclude)).transpose()?,
            required: None,
        };
        if self.parents {
            let (from, pattern) = source.split_once("/./").unwrap_or(("", source));
            let pattern = below_root(pattern);
            selector.path = below_root(from);
            if !has_wildcards(from) && !has_wildcards(&pattern) {
                selector.required = Some(below_root(&format!("{from}/{pattern}")));
            }
            selector.include = Some(patterns(&[pattern])?);
        }
        selector.wildcard = !self.literal && has_wildcards(&selector.path);
        if selector.wildcard {
            go_match(&selector.path, "").map_err(|BadPattern| SelectError::Pattern(source.to_owned()))?;
        }
        Ok(selector)
    }
}

/// One source, normalized.
pub(super) struct Selector {
    written: String,
    /// Below the root of the tree, with wildcards where `wildcard`.
    pub(super) path: String,
    pub(super) wildcard: bool,
    pub(super) include: Option<Vec<Pattern>>,
    exclude: Option<Vec<Pattern>>,
    /// A path of which something has to be among what is included.
    required: Option<String>,
}

/// One path that enters the digest of a filtered selection.
pub(super) struct Included {
    /// As the selection names it, below the tree's root.
    pub(super) path: String,
    /// How much of it the source itself names.
    pub(super) from: usize,
    /// Where it is.
    pub(super) real: String,
    digest: Digest,
    /// A directory's header.
    header: bool,
    /// A link that is replaced by what it leads to.
    pub(super) followed: bool,
}

/// BuildKit asks a plain source once, and one below another not at all; then sorts by path (ops/file.go,
/// `dedupeSelectors`).
fn deduplicated(selectors: &[Selector]) -> Vec<&Selector> {
    let below = |path: &str, other: &str| {
        path != other
            && (other.is_empty() || path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/')))
    };
    let mut plain: Vec<&Selector> = selectors.iter().filter(|selector| !selector.is_filtered()).collect();
    plain.sort_by(|a, b| a.path.cmp(&b.path));
    plain.dedup_by(|a, b| a.path == b.path);
    let mut kept: Vec<&Selector> = Vec::new();
    for selector in &plain {
        // Parents sort before what is below them, though not always next to it.
        let covered = |parent: &&Selector| below(&selector.path, &parent.path);
        if !kept.iter().any(covered) {
            kept.push(selector);
        }
    }
    kept.extend(selectors.iter().filter(|selector| selector.is_filtered()));
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    kept
}

impl Selector {
    pub(super) fn is_filtered(&self) -> bool {
        self.wildcard || self.include.is_some() || self.exclude.is_some()
    }

    fn missing(&self) -> SelectError {
        SelectError::Missing(self.written.clone())
    }

    /// The path that an unfiltered source leads to, behind links.
    pub(super) fn place(&self, tree: &Tree) -> Result<String, SelectError> {
        follow(tree, &self.path, self)
    }

    fn digest(&self, tree: &Tree) -> Result<Digest, SelectError> {
        if !self.is_filtered() {
            return Ok(digest_at(tree, &self.place(tree)?));
        }
        let (prefix, included) = self.included(tree)?;
        if let [only] = included.as_slice()
            && base(&only.path) == base(&self.path)
            && !self.path.is_empty()
        {
            return Ok(only.digest);
        }
        let relative = |path: &'_ str| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        let names: Vec<String> = included.iter().map(|entry| relative(&entry.path)).collect();
        let mut parts: Vec<&[u8]> = Vec::with_capacity(names.len() * 2);
        for (name, entry) in names.iter().zip(&included) {
            parts.extend([name.trim_start_matches('/').as_bytes(), entry.digest.as_bytes()]);
        }
        Ok(Digest::of("included", &parts))
    }

    /// Everything that a filtered source includes, and the part of the source that its names are relative to
    /// (checksum.go, `includedPaths`).
    pub(super) fn included(&self, tree: &Tree) -> Result<(String, Vec<Included>), SelectError> {
        let mut walk = Walk { selector: self, tree, above: Vec::new(), included: Vec::new() };
        let prefix = if self.wildcard { wildcard_prefix(&self.path) } else { self.path.as_str() };
        let real = tree.resolve(prefix, self.wildcard).ok_or_else(|| self.missing())?;
        if self.wildcard {
            walk.wildcards(prefix, &real);
        } else if real.is_empty() {
            // A root's header is never included.
            for (name, node) in &tree.root.children {
                walk.entry(node, name, name, 0);
            }
        } else {
            let node = tree.node(&real).ok_or_else(|| self.missing())?;
            walk.entry(node, prefix, &real, prefix.len());
        }
        let mut included = walk.included;
        for entry in included.iter_mut().filter(|entry| entry.followed) {
            entry.digest = digest_at(tree, &follow(tree, &entry.real, self)?);
        }
        if let Some(required) = &self.required
            && !included.iter().any(|entry| entry.path.starts_with(required.as_str()))
        {
            return Err(self.missing());
        }
        // Without wildcards the copy itself needs its source, whatever the filters leave of it.
        if !self.wildcard {
            follow(tree, &self.path, self)?;
        }
        Ok((prefix.to_owned(), included))
    }
}

/// The place behind all links of `path`, which has to exist.
fn follow(tree: &Tree, path: &str, selector: &Selector) -> Result<String, SelectError> {
    let place = tree.resolve(path, true).filter(|place| place.is_empty() || tree.node(place).is_some());
    place.ok_or_else(|| selector.missing())
}

/// The recursive digest of what is at `path`, which exists; a root has no header.
fn digest_at(tree: &Tree, path: &str) -> Digest {
    tree.node(path).map_or_else(|| tree.root.digest(), Node::digest)
}

/// The elements of a source before the first with a wildcard.
fn wildcard_prefix(path: &str) -> &str {
    let mut end = 0;
    for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
        if has_wildcards(path.get(end..at).unwrap_or_default()) {
            break;
        }
        end = at;
    }
    path.get(..end).unwrap_or_default()
}

/// A directory above the entry at hand, inside the selection.
struct Header {
    entry: Option<Included>,
    include: Option<Above>,
    exclude: Option<Above>,
}

struct Walk<'a> {
    selector: &'a Selector,
    tree: &'a Tree,
    above: Vec<Header>,
    included: Vec<Included>,
}

impl Walk<'_> {
    /// Everything below the prefix that the wildcards match, and all below that.
    fn wildcards(&mut self, prefix: &str, real: &str) {
        let directory = match self.tree.node(real) {
            None if real.is_empty() => &self.tree.root,
            Some(Node::Directory(directory)) => directory,
            _ => return,
        };
        let directory = std::sync::Arc::clone(directory);
        for (name, node) in &directory.children {
            let (path, real) = (join(prefix, name), join(real, name));
            if go_match(&self.selector.path, &path) == Ok(true) {
                self.entry(node, &path, &real, path.len());
            } else if matches!(node, Node::Directory(_)) && self.may_match_below(&path) {
                self.wildcards(&path, &real);
            }
        }
    }

    /// Wildcards do not cross a slash, but a class may match one.
    fn may_match_below(&self, path: &str) -> bool {
        let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
        self.selector.path.contains('[') || slashes(path) < slashes(&self.selector.path)
    }

    /// Includes `node`, known as `path`, as far as the patterns let it; they see the path from byte `from` on.
    fn entry(&mut self, node: &Node, path: &str, real: &str, from: usize) {
        let candidate = path.get(from..).unwrap_or_default().trim_start_matches('/');
        let parent = self.above.last();
        let include = self.selector.include.as_ref().map(|patterns| {
            step(patterns.iter(), parent.and_then(|parent| parent.include.as_ref()), candidate)
        });
        let wanted = include.as_ref().is_none_or(|(decision, _)| decision.ignored);
        let exclude = self.selector.exclude.as_ref().filter(|_| wanted).map(|patterns| {
            step(patterns.iter(), parent.and_then(|parent| parent.exclude.as_ref()), candidate)
        });
        let taken = wanted && !exclude.as_ref().is_some_and(|(decision, _)| decision.ignored);
        let included = |digest, header, followed| Included {
            path: path.to_owned(),
            from,
            real: real.to_owned(),
            digest,
            header,
            followed,
        };
        match node {
            Node::Directory(directory) => {
                let own = included(directory.header(), true, false);
                let own = if taken {
                    self.include(own);
                    None
                } else {
                    Some(own)
                };
                let (include, exclude) = (include.map(|(_, above)| above), exclude.map(|(_, above)| above));
                self.above.push(Header { entry: own, include, exclude });
                for (name, child) in &directory.children {
                    self.entry(child, &join(path, name), &join(real, name), from);
                }
                self.above.pop();
            }
            _ if taken => {
                let followed = self.above.is_empty() && matches!(node, Node::Symlink(_));
                self.include(included(node.digest(), false, followed));
            }
            _ => {}
        }
    }

    /// Adds an entry, and before it the directories above it that are not there yet.
    fn include(&mut self, entry: Included) {
        let above = self.above.iter_mut().filter_map(|header| header.entry.take());
        self.included.extend(above);
        self.included.push(entry);
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}
