//! Targets with what they inherit, expanded over their matrix, as builds (facts §7.2; `bx:bake/bake.go`).

use super::eval::{Locals, Scope, Val};
use super::parse::{Definitions, Target};
use crate::builds::command::{context_source, go_true, pushed_by};
use crate::builds::value::defaulted;
use crate::builds::{Arg, Build, CacheSpec, ContextSource, Files, Placed, Setting, Value, cachespec, join};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How long a chain of `inherits` may be.
const MAX_INHERITS: usize = 32;
/// Most legs of one matrix.
const MAX_LEGS: usize = 256;
/// Most blocks that one target may be made of.
const MAX_BLOCKS: usize = 512;

/// One leg of a target: its name and the values of its matrix.
pub(super) struct Leg {
    pub(super) name: String,
    pub(super) matrix: Vec<(String, String)>,
    pub(super) locals: Locals,
}

/// The scopes that a target is evaluated in.
#[derive(Clone, Copy)]
pub(super) struct Bake<'b, 'f> {
    pub(super) definitions: &'b Definitions,
    pub(super) scope: Scope<'b>,
    pub(super) paths: &'b [Arc<str>],
    pub(super) cwd: Option<&'b str>,
    pub(super) files: Files<'f>,
}

/// An attribute's value with the file in which it stands.
type Found = (Val, usize);

/// What is said of one attribute, the weakest first.
type Attributes = FxHashMap<String, Vec<Found>>;

impl Bake<'_, '_> {
    /// The legs of a target; one without a name of its own where it has no matrix.
    pub(super) fn legs(&self, target: &Target) -> Vec<Leg> {
        let attribute = |name: &str| {
            target.blocks.iter().rev().find_map(|block| {
                let found = block.attributes.iter().rev().find(|(key, _)| key == name)?;
                Some((&found.1, block.file))
            })
        };
        let plain = || vec![Leg { name: target.name.clone(), matrix: Vec::new(), locals: Locals::default() }];
        let Some((matrix, file)) = attribute("matrix") else { return plain() };
        let Val::Map(axes, _) = self.scope.eval(matrix, file, &Locals::default(), 0) else { return plain() };
        let mut legs = plain();
        for (axis, values) in axes {
            let Val::List(values) = values else { return plain() };
            if legs.len().saturating_mul(values.len()) > MAX_LEGS {
                return plain();
            }
            let with = |leg: &Leg, value: &Val| {
                let mut locals = leg.locals.clone();
                locals.insert(axis.clone(), value.clone());
                let mut matrix = leg.matrix.clone();
                matrix.push((axis.clone(), shown(value)));
                Leg { name: leg.name.clone(), matrix, locals }
            };
            legs = legs.iter().flat_map(|leg| values.iter().map(move |value| with(leg, value))).collect();
        }
        if let Some((name, file)) = attribute("name") {
            for leg in &mut legs {
                if let Some(name) = self.scope.eval(name, file, &leg.locals, 0).known() {
                    leg.name = name;
                }
            }
        }
        for leg in &mut legs {
            leg.matrix.sort();
        }
        legs
    }

    /// The names that a target inherits from, as far as they are known.
    pub(super) fn inherits(&self, target: &Target, locals: &Locals) -> Vec<String> {
        let mut names = Vec::new();
        for block in &target.blocks {
            if let Some((_, expr)) = block.attributes.iter().rev().find(|(key, _)| key == "inherits") {
                names.clear();
                let mut all = Vec::new();
                list(self.scope.eval(expr, block.file, locals, 0), Sides::Usual, &mut all, &mut false, 0);
                names.extend(all.iter().filter_map(Val::known));
            }
        }
        names
    }

    /// Everything that a target says, with what it inherits below it.
    fn attributes<'t>(
        &'t self,
        target: &'t Target,
        locals: &Locals,
        out: &mut Attributes,
        count: &mut usize,
        above: &mut Vec<&'t str>,
    ) {
        // A target that inherits from itself adds nothing to itself.
        if above.len() > MAX_INHERITS || *count > MAX_BLOCKS || above.contains(&target.name.as_str()) {
            return;
        }
        above.push(&target.name);
        for name in self.inherits(target, locals) {
            // A leg of a matrix may be inherited from by its own name.
            match self.definitions.target(&name) {
                Some(base) => {
                    let leg = self.legs(base).into_iter().find(|leg| leg.name == name);
                    let locals = leg.map(|leg| leg.locals).unwrap_or_default();
                    self.attributes(base, &locals, out, count, above);
                }
                None => {
                    let base = self.definitions.targets.iter().find_map(|base| {
                        let has_matrix = base
                            .blocks
                            .iter()
                            .any(|block| block.attributes.iter().any(|(key, _)| key == "matrix"));
                        let leg = self.legs(base).into_iter().find(|leg| leg.name == name);
                        Some((base, leg.filter(|_| has_matrix)?))
                    });
                    if let Some((base, leg)) = base {
                        self.attributes(base, &leg.locals, out, count, above);
                    }
                }
            }
        }
        for block in &target.blocks {
            *count += 1;
            for (name, expr) in &block.attributes {
                let value = self.scope.eval(expr, block.file, locals, 0);
                out.entry(name.clone()).or_default().push((value, block.file));
            }
        }
        above.pop();
    }

    /// Fills in what a target says over what `build` has (a Compose service of the same name, or nothing).
    pub(super) fn fill(&self, build: &mut Build, target: &Target, leg: &Leg, fresh: bool) {
        let mut attributes = Attributes::default();
        self.attributes(target, &leg.locals, &mut attributes, &mut 0, &mut Vec::new());
        self.place(build, &attributes, fresh);
        if let Some((value, file)) = scalar(&attributes, "target") {
            build.target = value
                .placed()
                .map(|text| self.setting(defaulted(text.text.clone()), text.full_span(), file, build));
        }
        for (name, file, value) in entries(&attributes, "args") {
            let null = matches!(&value, Val::Null | Val::Unset { null: true, .. });
            build.args.retain(|(known, _)| *known != name);
            let Some(text) = value.placed().filter(|_| !null) else { continue };
            let value = Value::of(text.text.as_str());
            if name == "BUILDKIT_INLINE_CACHE" && value.known().is_some_and(go_true) {
                let kind = self.setting(Value::Known("inline".to_owned()), text.full_span(), file, build);
                let spec = CacheSpec { kind, attrs: Vec::new(), bare: false };
                build.cache_to.push(self.setting(spec, text.full_span(), file, build));
            }
            let value = self.setting(value, text.full_span(), file, build);
            build.args.push((name, value));
        }
        for (name, file, value) in entries(&attributes, "contexts") {
            let Some(text) = value.placed() else { continue };
            let source = context_source(defaulted(text.text.clone()).text(), |path| self.inside(path));
            build.contexts.retain(|(known, _)| *known != name);
            build.contexts.push((name, self.setting(source, text.full_span(), file, build)));
        }
        // Imports are merged over all that is inherited, exports and outputs replaced.
        for (value, file) in attributes.get("cache-from").into_iter().flatten() {
            let (specs, _) = self.specs(value, *file, build);
            for spec in specs {
                if !build.cache_from.iter().any(|known| same_spec(&known.value, &spec.value)) {
                    build.cache_from.push(spec);
                }
            }
        }
        if let Some((value, file)) = scalar(&attributes, "cache-to") {
            let inline = build.cache_to.iter().filter(|spec| spec.value.kind() == Some("inline")).cloned();
            let inline: Vec<_> = if fresh { inline.collect() } else { Vec::new() };
            let (specs, conditional) = self.specs(value, file, build);
            build.conditional_export |= conditional;
            build.cache_to = inline.into_iter().chain(specs).collect();
        }
        if let Some((value, file)) = scalar(&attributes, "output") {
            let (specs, _) = self.outputs(value, file, build);
            build.outputs = specs;
            for output in build.outputs.clone() {
                pushed_by(build, &output);
            }
        }
        if let Some(tags) = self.values(&attributes, "tags", build) {
            build.tags = tags;
        }
        if let Some(platforms) = self.values(&attributes, "platforms", build) {
            build.platforms = platforms;
        }
        let filters = attributes.get("no-cache-filter").into_iter().flatten();
        for (value, file) in filters {
            let values = self.texts(value, *file, build);
            build.no_cache_filter.extend(values);
        }
        let switch = |name: &str| {
            let (value, file) = scalar(&attributes, name)?;
            let text = value.placed()?;
            Some(self.setting(Value::of(text.text.as_str()), text.full_span(), file, build))
        };
        let (no_cache, pull) = (switch("no-cache"), switch("pull"));
        build.no_cache = no_cache.or_else(|| build.no_cache.take());
        build.pull = pull.or_else(|| build.pull.take());
    }

    fn setting<T>(&self, value: T, span: Span, file: usize, build: &Build) -> Setting<T> {
        let path = self.paths.get(file).filter(|path| **path != build.path).cloned();
        Setting { value, span, path }
    }

    /// A directory of the project.
    fn inside(&self, path: &str) -> Option<String> {
        let path = path.strip_prefix("cwd://").unwrap_or(path);
        if path.contains("${") { None } else { join(self.cwd?, path) }
    }

    /// Context and Dockerfile (`bx:bake/bake.go` toBuildOpt): the Dockerfile is a path inside of the context.
    fn place(&self, build: &mut Build, attributes: &Attributes, fresh: bool) {
        let text = |name: &str| {
            let (value, file) = scalar(attributes, name)?;
            Some((value.placed()?, file))
        };
        let context = text("context");
        if let Some((text, file)) = &context {
            let source = context_source(defaulted(text.text.clone()).text(), |path| self.inside(path));
            build.context = self.setting(source, text.full_span(), *file, build);
        } else if fresh {
            let source = self
                .cwd
                .map_or(ContextSource::Unknown(".".to_owned()), |cwd| ContextSource::Path(cwd.to_owned()));
            build.context = Setting::new(source, build.span);
        }
        let directory = match &build.context.value {
            ContextSource::Path(path) => Some(path.clone()),
            ContextSource::Git { own: true, subdir } => Some(subdir.clone()),
            _ => None,
        };
        if let Some((text, file)) = text("dockerfile-inline") {
            build.dockerfile = None;
            build.dockerfile_inline = Some(self.setting(text.text.clone(), text.full_span(), file, build));
            return;
        }
        if build.dockerfile_inline.is_some() {
            return;
        }
        if let Some((text, file)) = text("dockerfile") {
            let value = defaulted(text.text.clone());
            let path = value.known().and_then(|path| match path.strip_prefix("cwd://") {
                Some(path) => join(self.cwd?, path),
                None => join(directory.as_deref()?, path),
            });
            build.dockerfile = path.map(|path| self.setting(path, text.full_span(), file, build));
        } else if fresh || context.is_some() {
            let directory = directory.as_deref();
            let default = directory.and_then(|directory| join(directory, "Dockerfile"));
            let lower = directory.and_then(|directory| join(directory, "dockerfile"));
            let there = |path: &String| (self.files)(path).is_some();
            let path = default.filter(|path| there(path) || !lower.as_ref().is_some_and(there)).or(lower);
            let (span, path_of) = (build.context.span, build.context.path.clone());
            build.dockerfile = path.map(|value| Setting { value, span, path: path_of });
        }
    }

    /// Cache specs out of a list of texts or objects, and whether a condition decides on them.
    fn specs(&self, value: &Val, file: usize, build: &Build) -> (Vec<Setting<CacheSpec>>, bool) {
        self.each_spec(value, file, build, Sides::All, &|text| {
            let arg = Arg { text: text.clone(), literal: false, conditional: false };
            cachespec::parse_arg(&arg).specs
        })
    }

    fn outputs(&self, value: &Val, file: usize, build: &Build) -> (Vec<Setting<CacheSpec>>, bool) {
        self.each_spec(value, file, build, Sides::Usual, &|text| {
            let arg = Arg { text: text.clone(), literal: false, conditional: false };
            cachespec::parse_output(&arg).into_iter().collect()
        })
    }

    fn each_spec(
        &self,
        value: &Val,
        file: usize,
        build: &Build,
        sides: Sides,
        parse: &dyn Fn(&Placed) -> Vec<Setting<CacheSpec>>,
    ) -> (Vec<Setting<CacheSpec>>, bool) {
        let (mut items, mut conditional) = (Vec::new(), false);
        list(value.clone(), sides, &mut items, &mut conditional, 0);
        let path = self.paths.get(file).filter(|path| **path != build.path);
        let mut specs = Vec::new();
        for item in items {
            match &item {
                Val::Map(entries, span) => {
                    let pair = |(key, value): &(String, Val)| {
                        let text = value.placed()?;
                        Some((key.clone(), Setting::new(Value::of(text.text.as_str()), text.full_span())))
                    };
                    specs.push(cachespec::from_pairs(*span, entries.iter().filter_map(pair)));
                }
                other => specs.extend(other.placed().iter().flat_map(parse)),
            }
        }
        if let Some(path) = path {
            for spec in &mut specs {
                spec.path = Some(path.clone());
                spec.value.kind.path = Some(path.clone());
                spec.value.attrs.iter_mut().for_each(|(_, value)| value.path = Some(path.clone()));
            }
        }
        (specs, conditional)
    }

    fn values(&self, attributes: &Attributes, name: &str, build: &Build) -> Option<Vec<Setting<Value>>> {
        let (value, file) = scalar(attributes, name)?;
        Some(self.texts(value, file, build))
    }

    fn texts(&self, value: &Val, file: usize, build: &Build) -> Vec<Setting<Value>> {
        let mut items = Vec::new();
        list(value.clone(), Sides::Usual, &mut items, &mut false, 0);
        let texts = items.iter().filter_map(Val::placed).filter(|text| !text.text.is_empty());
        texts.map(|text| self.setting(Value::of(text.text.as_str()), text.full_span(), file, build)).collect()
    }
}

/// The strongest value of an attribute; null is none.
fn scalar<'a>(attributes: &'a Attributes, name: &str) -> Option<(&'a Val, usize)> {
    let (value, file) = attributes
        .get(name)?
        .iter()
        .rev()
        .find(|(value, _)| !matches!(value, Val::Null | Val::Unset { null: true, .. }))?;
    Some((value, *file))
}

/// The entries of a map over all that is inherited, in order, stronger ones over weaker ones.
fn entries(attributes: &Attributes, name: &str) -> Vec<(String, usize, Val)> {
    let mut out: Vec<(String, usize, Val)> = Vec::new();
    let mut index: FxHashMap<String, usize> = FxHashMap::default();
    for (value, file) in attributes.get(name).into_iter().flatten() {
        let Val::Map(entries, _) = value else { continue };
        for (key, value) in entries {
            match index.get(key).and_then(|at| out.get_mut(*at)) {
                Some(old) => *old = (key.clone(), *file, value.clone()),
                None => {
                    index.insert(key.clone(), out.len());
                    out.push((key.clone(), *file, value.clone()));
                }
            }
        }
    }
    out
}

/// Which side of a condition that is not known counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    /// Both: what may be in force.
    All,
    /// The one that is chosen by default.
    Usual,
}

/// The items of a list, of one or both sides of a condition that is not known (`conditional` then), or one value alone.
fn list(value: Val, sides: Sides, out: &mut Vec<Val>, conditional: &mut bool, depth: u32) {
    match value {
        Val::Null => {}
        Val::List(items) => out.extend(items.into_iter().filter(|item| !matches!(item, Val::Null))),
        Val::Either(choice, span) if depth < 8 => {
            *conditional = true;
            let [otherwise, then] = choice.sides;
            match (sides, choice.usual) {
                (Sides::All, _) => {
                    list(then, sides, out, conditional, depth + 1);
                    list(otherwise, sides, out, conditional, depth + 1);
                }
                (Sides::Usual, Some(0)) => list(otherwise, sides, out, conditional, depth + 1),
                (Sides::Usual, Some(_)) => list(then, sides, out, conditional, depth + 1),
                (Sides::Usual, None) => out.push(Val::Unknown(choice.raw, span)),
            }
        }
        other => out.push(other),
    }
}

fn same_spec(a: &CacheSpec, b: &CacheSpec) -> bool {
    let pair = |(key, value): &(String, Setting<Value>)| (key.clone(), value.value.clone());
    a.kind.value == b.kind.value && a.attrs.iter().map(pair).eq(b.attrs.iter().map(pair))
}

/// A matrix value for people.
fn shown(value: &Val) -> String {
    match value {
        Val::Map(entries, _) => {
            let parts: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect();
            parts.join(",")
        }
        Val::List(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.placed().map(|text| text.text).unwrap_or_default(),
    }
}
