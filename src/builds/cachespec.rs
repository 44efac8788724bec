//! `type=registry,ref=…,mode=max`: cache imports and exports as buildx and buildctl read them (facts §7.1;
//! `util/buildflags/cache.go`).

use super::value::{Piece, pieces};
use super::{Arg, CacheSpec, Placed, Setting, Value, Vars};
use std::ops::Range;

/// What one setting text gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheSpecs {
    /// The specs: one, or several for a comma list of references, or none for empty text.
    pub specs: Vec<Setting<CacheSpec>>,
    /// Whether it is in force only sometimes: an expression that gives nothing in the other case.
    pub conditional: bool,
}

/// Reads one `--cache-from` or `--cache-to` value. Known variables are followed. The span of a spec is its text without
/// quotes around it (so that `,mode=max` may be put at its end); the span of an attribute is `key=value`, that of its kind
/// `type=…`; for a bare reference both are the reference. A spec with attributes and no type has the kind `""`; one that
/// is nothing but an unknown variable has that variable as its (symbolic) kind.
#[must_use]
pub fn parse(text: &Placed, vars: &Vars) -> CacheSpecs {
    if let Some((inner, conditional)) = chosen(text) {
        return CacheSpecs { conditional, ..parse_expanded(&vars.expand(&inner)) };
    }
    parse_expanded(&vars.expand(text))
}

/// As [`parse`] for a word of a command line.
#[must_use]
pub fn parse_arg(arg: &Arg) -> CacheSpecs {
    let mut specs = match chosen(&arg.text) {
        Some((inner, conditional)) => CacheSpecs { conditional, ..parse_expanded(&inner) },
        None => parse_expanded(&arg.text),
    };
    specs.conditional |= arg.conditional;
    specs
}

/// Reads one `--output` value: a directory alone is `type=local,dest=DIRECTORY`, `-` is `type=tar,dest=-`
/// (`util/buildflags/export.go`). `None` for an empty one.
#[must_use]
pub fn parse_output(arg: &Arg) -> Option<Setting<CacheSpec>> {
    let mut spec = parse_expanded(&arg.text).specs.into_iter().next()?;
    if spec.value.bare {
        let tar = arg.text.text == "-";
        spec.value.kind.value = Value::Known(if tar { "tar" } else { "local" }.to_owned());
        spec.value.attrs.iter_mut().for_each(|(key, _)| *key = "dest".to_owned());
    }
    Some(spec)
}

/// A spec of key-value pairs that stand apart (`{ type = "registry", ref = "…" }` of bake, `cache_to` objects of Compose).
#[must_use]
pub fn from_pairs(
    span: crate::source::Span,
    pairs: impl IntoIterator<Item = (String, Setting<Value>)>,
) -> Setting<CacheSpec> {
    let mut kind = Setting::new(Value::Known(String::new()), span);
    let mut attrs = Vec::new();
    for (key, value) in pairs {
        let key = key.trim().to_ascii_lowercase();
        if key == "type" {
            kind = value;
        } else {
            attrs.push((key, value));
        }
    }
    Setting::new(CacheSpec { kind, attrs, bare: false }, span)
}

fn parse_expanded(text: &Placed) -> CacheSpecs {
    let text = text.slice(super::placed::trimmed(&text.text, 0..text.text.len()));
    if text.text.is_empty() {
        return CacheSpecs::default();
    }
    let fields = fields(&text.text);
    let pairs = fields.iter().any(|field| equals(field_text(&text, field)).is_some());
    if !pairs {
        let mut all = pieces(&text.text);
        let symbolic =
            matches!(all.next(), Some(piece) if !matches!(piece, Piece::Text(_))) && all.next().is_none();
        let spec = |field: &Range<usize>| if symbolic { unknown(&text, field) } else { bare(&text, field) };
        let specs =
            fields.iter().filter(|field| !field_text(&text, field).trim().is_empty()).map(spec).collect();
        return CacheSpecs { specs, conditional: false };
    }
    let span = text.full_span();
    let pairs = fields.iter().filter(|field| !field.is_empty()).map(|field| {
        let whole = field_text(&text, field);
        let (key, value) = match equals(whole) {
            Some(at) => (whole.get(..at).unwrap_or(""), whole.get(at + 1..).unwrap_or("")),
            None => (whole, ""),
        };
        (key.to_owned(), Setting::new(Value::of(value.trim()), text.span(field.clone())))
    });
    CacheSpecs { specs: vec![from_pairs(span, pairs)], conditional: false }
}

fn bare(text: &Placed, field: &Range<usize>) -> Setting<CacheSpec> {
    let range = super::placed::trimmed(&text.text, field.clone());
    let span = text.span(range.clone());
    let reference = Value::of(text.text.get(range).unwrap_or(""));
    let kind = Setting::new(Value::Known("registry".to_owned()), span);
    let attrs = vec![("ref".to_owned(), Setting::new(reference, span))];
    Setting::new(CacheSpec { kind, attrs, bare: true }, span)
}

fn unknown(text: &Placed, field: &Range<usize>) -> Setting<CacheSpec> {
    let span = text.span(field.clone());
    let kind = Setting::new(Value::of(text.text.as_str()), span);
    Setting::new(CacheSpec { kind, attrs: Vec::new(), bare: false }, span)
}

fn field_text<'t>(text: &'t Placed, field: &Range<usize>) -> &'t str {
    text.text.get(field.clone()).unwrap_or("")
}

/// The fields of the CSV, the quotes around one left out. Commas inside expansions do not count.
fn fields(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut at, mut quote) = (0, 0, false);
    let mut field = |range: Range<usize>| {
        let inside = text.get(range.clone()).unwrap_or("");
        let quoted = inside.len() >= 2 && inside.starts_with('"') && inside.ends_with('"');
        out.push(if quoted { range.start + 1..range.end - 1 } else { range });
    };
    for piece in pieces(text) {
        if let Piece::Text(plain) = piece {
            for (offset, byte) in plain.bytes().enumerate() {
                match byte {
                    b'"' if quote || at + offset == start => quote = !quote,
                    b',' if !quote => {
                        field(start..at + offset);
                        start = at + offset + 1;
                    }
                    _ => {}
                }
            }
        }
        at += piece.raw().len();
    }
    field(start..text.len());
    out
}

/// Offset of the `=` that ends the key, one that stands inside an expansion not counting.
fn equals(field: &str) -> Option<usize> {
    let mut at = 0;
    for piece in pieces(field) {
        if let Piece::Text(plain) = piece
            && let Some(found) = plain.find('=')
        {
            return Some(at + found);
        }
        at += piece.raw().len();
    }
    None
}

/// The spec inside a GitHub expression that chooses: `${{ cond && 'type=…' || '' }}`. Conditional where another choice is
/// empty or there is none. Nothing where several specs stand to choose from.
fn chosen(text: &Placed) -> Option<(Placed, bool)> {
    let whole = super::placed::trimmed(&text.text, 0..text.text.len());
    let mut all = pieces(text.text.get(whole.clone())?);
    let (Some(Piece::Expression { raw, inner }), None) = (all.next(), all.next()) else { return None };
    let base = whole.start + raw.len().checked_sub(inner.len() + 2)?;
    let mut found: Option<Range<usize>> = None;
    let mut at = 0;
    while let Some(open) = inner.get(at..)?.find('\'') {
        let start = at + open + 1;
        let end = start + inner.get(start..)?.find('\'')?;
        let literal = inner.get(start..end)?;
        if literal.starts_with("type=") || literal.contains(",mode=") {
            // A second one: which is meant cannot be known.
            if found.replace(base + start..base + end).is_some() {
                return None;
            }
        }
        at = end + 1;
    }
    let format = inner.trim_start().starts_with("format(") || inner.contains(" format(");
    found.filter(|_| !format).map(|range| (text.slice(range), true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::Volatility;

    fn one(text: &str) -> CacheSpec {
        let specs = parse(&Placed::exact(text, 0), &Vars::default()).specs;
        assert_eq!(specs.len(), 1, "{text}");
        specs.into_iter().next().unwrap().value
    }

    fn known(spec: &CacheSpec, key: &str) -> String {
        spec.attr(key).and_then(|value| value.value.known()).unwrap_or("?").to_owned()
    }

    #[test]
    fn keys_are_lower_cased_and_every_attribute_has_its_span() {
        let text = "Type=registry,REF=a/b:c, mode=MAX,\"x=1,2\"";
        let spec = one(text);
        assert_eq!(spec.kind(), Some("registry"));
        assert_eq!(spec.kind.span.of(text), "Type=registry");
        assert_eq!(spec.attr("ref").unwrap().span.of(text), "REF=a/b:c");
        assert_eq!(known(&spec, "mode"), "MAX");
        assert_eq!(known(&spec, "x"), "1,2");
        assert_eq!(spec.attr("x").unwrap().span.of(text), "x=1,2");
        assert!(!spec.bare);
    }

    #[test]
    fn a_list_of_references_is_one_import_each() {
        let text = "a/b:1,c";
        let specs = parse(&Placed::exact(text, 0), &Vars::default()).specs;
        let refs: Vec<_> = specs.iter().map(|spec| known(&spec.value, "ref")).collect();
        assert_eq!(refs, ["a/b:1", "c"]);
        assert!(specs.iter().all(|spec| spec.value.bare && spec.value.kind() == Some("registry")));
        assert_eq!(specs[1].span.of(text), "c");
    }

    #[test]
    fn missing_type_and_unknown_wholes() {
        assert_eq!(one("ref=a,mode=max").kind(), Some(""));
        assert_eq!(known(&one("type=registry,ref=a,push"), "push"), "");
        assert_eq!(one("$CACHE_TO").kind(), None);
        assert_eq!(one("$IMAGE:cache").kind(), Some("registry"));
        assert!(parse(&Placed::exact("  ", 0), &Vars::default()).specs.is_empty());
    }

    #[test]
    fn expressions_are_not_cut() {
        let text = "type=gha,scope=${{ format('{0},{1}', a == b, github.ref_name) }},mode=max";
        let spec = one(text);
        let scope = spec.attr("scope").unwrap();
        assert_eq!(scope.value.volatility(), Volatility::PerBranch);
        assert_eq!(known(&spec, "mode"), "max");
    }

    #[test]
    fn an_expression_that_chooses_a_spec_is_conditional() {
        let text = "${{ github.ref == 'refs/heads/main' && 'type=gha,mode=max' || '' }}";
        let parsed = parse(&Placed::exact(text, 0), &Vars::default());
        assert!(parsed.conditional);
        assert_eq!(parsed.specs[0].span.of(text), "type=gha,mode=max");
        let two = "${{ x && 'type=gha' || 'type=inline' }}";
        assert_eq!(one(two).kind(), None);
    }

    #[test]
    fn variables_are_followed_and_keep_the_place_that_sets_them() {
        let source = "S=\"type=registry,ref=x\" R=y --cache-to type=registry,ref=$R:c";
        let mut vars = Vars::default();
        vars.set("S", &Placed::exact("type=registry,ref=x", 3));
        vars.set("R", &Placed::exact("y", 26));
        let at = source.find("type=registry,ref=$R").unwrap();
        let spec = parse(&Placed::exact(&source[at..], u32::try_from(at).unwrap()), &vars).specs.remove(0);
        assert_eq!(known(&spec.value, "ref"), "y:c");
        assert_eq!(spec.value.attr("ref").unwrap().span.of(source), "ref=$R:c");
        let spec = parse(&Placed::exact("$S", 50), &vars).specs.remove(0);
        assert_eq!(spec.span.of(source), "type=registry,ref=x");
        vars.set_foreign("S", "type=registry,ref=x");
        let spec = parse(&Placed::exact("$S", 50), &vars).specs.remove(0);
        assert_eq!(spec.value.attr("ref").unwrap().span, crate::source::Span::new(50, 52));
    }
}
