//! Cache settings where they are written: `cache-to: type=registry,mo…` in workflows, bake and Compose files, scripts.

use crate::source::{SourceFile, Span};

/// How many lines above its first line a setting of several lines may begin.
const MAX_LINES: u32 = 24;

/// Keys that export a cache, and keys that import one.
const KEYS: [(&str, bool); 6] = [
    ("cache-to", true),
    ("cache_to", true),
    ("export-cache", true),
    ("cache-from", false),
    ("cache_from", false),
    ("import-cache", false),
];

/// A `type=…,key=value` in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec<'t> {
    /// Whether a cache is exported there, not imported.
    pub(super) export: bool,
    /// The whole of it.
    pub(super) text: &'t str,
    /// Its first byte in the file.
    pub(super) start: u32,
}

impl<'t> Spec<'t> {
    /// The one at byte `offset`, which may be empty so far.
    pub(super) fn at(file: &'t SourceFile, offset: u32) -> Option<Self> {
        let line = file.line(offset);
        let start = file.lines().start(line);
        let end = file.lines().start(line.saturating_add(1)).max(offset);
        let whole = Span { start, end }.of(&file.text);
        let column = (offset - start) as usize;
        let before = whole.get(..column)?;
        let bounds = |c: char| c.is_whitespace() || "\"'[]{}`".contains(c);
        let first = before.rfind(bounds).map_or(0, |at| at + 1);
        let rest = whole.get(first..)?;
        let mut text = rest.get(..rest.find(bounds).unwrap_or(rest.len()))?;
        let mut start = start + narrow(first);
        let export = exports(file, line, before)?;
        // `--cache-to=type=…` is one word.
        if let Some((flag, spec)) = text.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
            start += narrow(flag.len() + 1);
            text = spec;
        }
        (start <= offset).then_some(Self { export, text, start })
    }

    /// The type that it names.
    pub(super) fn kind(&self) -> Option<&'t str> {
        self.text.split(',').find_map(|field| field.strip_prefix("type="))
    }

    /// The field at byte `offset`: its key and its value, each with its place; a field without `=` has no value.
    pub(super) fn field(&self, offset: u32) -> Option<Field<'t>> {
        let mut start = self.start;
        for field in self.text.split(',') {
            let end = start + narrow(field.len());
            if offset <= end {
                let (key, value) = match field.split_once('=') {
                    Some((key, value)) => {
                        (key, Some((value, Span { start: end - narrow(value.len()), end })))
                    }
                    None => (field, None),
                };
                return Some(Field { key, key_span: Span { start, end: start + narrow(key.len()) }, value });
            }
            start = end + 1;
        }
        None
    }
}

/// One `key=value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'t> {
    pub(super) key: &'t str,
    pub(super) key_span: Span,
    pub(super) value: Option<(&'t str, Span)>,
}

/// Whether the end of `before` is in the value of a cache setting, and whether of one that exports. The setting's key
/// stands in the line, or in one above it that is indented less.
fn exports(file: &SourceFile, number: u32, before: &str) -> Option<bool> {
    let key = |text: &str| {
        let found = KEYS.iter().filter_map(|(key, export)| {
            let at = text.rfind(key)?;
            // The key itself and something behind it.
            text.get(at + key.len()..)?.starts_with(['=', ':', ' ', '"', '\'', '\t']).then_some((at, *export))
        });
        found.max().map(|(_, export)| export)
    };
    if let Some(found) = key(before) {
        return Some(found);
    }
    let mut own = indent(before);
    for above in (number.saturating_sub(MAX_LINES).max(1)..number).rev() {
        let line = file.line_text(above);
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let opens = text.ends_with(['[', '\\']);
        if indent(line) < own || opens {
            let found = key(&format!("{line} "));
            // A command goes on from line to line, and so may a list.
            if found.is_some() || !opens {
                return found;
            }
            own = own.min(indent(line));
        }
    }
    None
}

/// An item of a list belongs to what stands above it, however far it is indented.
fn indent(line: &str) -> usize {
    let text = line.trim_start();
    2 * (line.len() - text.len()) + usize::from(text.starts_with("- "))
}

pub(super) fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found at the `¦` of a text.
    fn at(text: &str) -> Option<(bool, String, String)> {
        let offset = narrow(text.find('¦').unwrap());
        let file = SourceFile::new("f", text.replacen('¦', "", 1));
        let spec = Spec::at(&file, offset)?;
        let field = spec.field(offset)?;
        Some((spec.export, spec.text.to_owned(), field.key.to_owned()))
    }

    fn found(export: bool, text: &str, key: &str) -> Option<(bool, String, String)> {
        Some((export, text.to_owned(), key.to_owned()))
    }

    #[test]
    fn in_every_kind_of_file() {
        assert_eq!(at("          cache-to: type=gha,mo¦de=max\n"), found(true, "type=gha,mode=max", "mode"));
        assert_eq!(
            at("      cache_from:\n      - type=gha\n      - type=reg¦istry\n"),
            found(false, "type=registry", "type")
        );
        assert_eq!(at("  cache-from: |\n    type=local,s¦\n"), found(false, "type=local,s", "s"));
        assert_eq!(
            at("  cache-from = [\n    \"type=local,s¦rc=x\",\n  ]\n"),
            found(false, "type=local,src=x", "src")
        );
        assert_eq!(
            at("docker buildx build --cache-from type=gha --cache-to type=gha,¦ .\n"),
            found(true, "type=gha,", "")
        );
        assert_eq!(at("docker build --cache-to=ty¦pe=inline .\n"), found(true, "type=inline", "type"));
        assert_eq!(
            at("buildctl build \\\n  --opt x=y \\\n  --export-cache \\\n  type=s3,¦bucket=b\n"),
            found(true, "type=s3,bucket=b", "bucket")
        );
        assert_eq!(at("  cache-to: ¦"), found(true, "", ""));
    }

    #[test]
    fn nowhere_else() {
        assert_eq!(at("  cache-to: type=gha\n  push: tr¦ue\n"), None);
        assert_eq!(at("  cache-t¦o: type=gha\n"), None);
        assert_eq!(at("a: b¦\n"), None);
        assert_eq!(at("¦"), None);
    }
}
