//! `if:` of jobs and steps.

use super::context::Context;
use crate::builds::expr::{self, Scope, Sym, Val};
use crate::builds::yaml::Node;

/// Functions that only ask how the steps before went, with what they say where all is well.
const WELL: &[(&str, &str)] =
    &[("success()", "true"), ("always()", "true"), ("cancelled()", "false"), ("failure()", "false")];

impl Context<'_> {
    /// Whether `if:` lets this through: `Some(false)` only where it never does.
    pub(super) fn condition(&self, node: Option<&Node<'_>>) -> Option<bool> {
        let Some(node) = node else { return Some(true) };
        let text = node.str()?.trim();
        let value = if text.contains("${{") { self.text(text) } else { self.expression(text) };
        match value {
            Val::Sym(_) => None,
            known => Some(known.truthy()),
        }
    }

    /// Whether it is open even in the repository for which the file was written, and where nothing fails, if `if:` lets
    /// this through.
    pub(super) fn is_open(&self, node: Option<&Node<'_>>) -> bool {
        let Some(text) = node.and_then(|node| node.str()) else { return node.is_some() };
        let text = text.trim();
        let inner = text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text);
        let mut inner = inner.to_owned();
        for (function, value) in WELL {
            inner = inner.replace(function, value);
        }
        expr::parse(inner.trim()).is_none_or(|expr| matches!(expr.eval(&Home(self)), Val::Sym(_)))
    }
}

/// The repository for which a file was written: whatever name it compares its own with is its own.
struct Home<'c, 'e>(&'c Context<'e>);

impl Scope for Home<'_, '_> {
    fn lookup(&self, root: &str, path: &[String]) -> Val {
        self.0.lookup(root, path)
    }

    fn compare(&self, sym: &Sym, with: &str) -> Option<bool> {
        const OWN: &[&str] = &[
            "${{ github.repository }}",
            "${{ github.repository_owner }}",
            "${{ github.event.repository.full_name }}",
        ];
        let own = OWN.contains(&sym.text.as_str()).then_some(true);
        own.or_else(|| self.0.compare(sym, with))
    }

    fn starts_with(&self, sym: &Sym, with: &str) -> Option<bool> {
        self.0.starts_with(sym, with)
    }
}
