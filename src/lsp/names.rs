//! The names in a Dockerfile: where stages and variables are declared, and where they are used.

use crate::dockerfile::{Dockerfile, Instruction, Kind};
use crate::graph::{Base, Graph, Options, Source, StepKind};
use crate::source::Span;
use std::collections::BTreeMap;

/// Every name with its place.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Sorted by place.
    pub(super) all: Vec<Name>,
}

/// A name that stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) span: Span,
    pub(super) means: Means,
    /// Whether it is declared here.
    pub(super) declares: bool,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Means {
    /// A stage, by index.
    Stage(usize),
    /// A variable, by the place of the declaration that gives it its value.
    Variable(Span),
}

impl Names {
    pub(super) fn new(syntax: &Dockerfile<'_>) -> Self {
        let graph = Graph::new(syntax, &Options::default());
        let mut all = Vec::new();
        stages(&graph, &mut all);
        variables(syntax, &graph, &mut all);
        all.sort_by_key(|name| (name.span, name.means, !name.declares));
        all.dedup_by_key(|name| (name.span, name.means));
        Self { all }
    }

    /// The name at byte `offset`; the end of a name counts, as the cursor behind a word does.
    pub(super) fn at(&self, offset: u32) -> Option<Name> {
        let holds = |name: &&Name| name.span.start <= offset && offset <= name.span.end;
        self.all.iter().copied().filter(|name| holds(&name)).min_by_key(|name| name.span.len())
    }

    /// Where what `means` stands for is declared.
    pub(super) fn declaration(&self, means: Means) -> Option<Name> {
        self.all.iter().copied().find(|name| name.declares && name.means == means)
    }

    /// Every place of what `means` stands for.
    pub(super) fn places(&self, means: Means) -> impl Iterator<Item = Name> {
        self.all.iter().copied().filter(move |name| name.means == means)
    }
}

fn stages(graph: &Graph<'_>, all: &mut Vec<Name>) {
    let mut put = |span: Span, stage: usize, declares| {
        if !span.is_empty() {
            all.push(Name { span, means: Means::Stage(stage), declares });
        }
    };
    for (index, stage) in graph.stages.iter().enumerate() {
        let Kind::From(from) = &stage.from.kind else { continue };
        put(from.name.as_ref().map_or(stage.from.keyword_span, |name| name.span), index, true);
        if let Base::Stage(parent) = stage.base {
            put(from.image.span, parent, false);
        }
    }
    for step in &graph.steps {
        match (&step.kind, &step.instruction.kind) {
            (StepKind::Copy(copy), Kind::Copy(syntax)) => {
                if let (Source::Stage(stage), Some(from)) = (&copy.from, &syntax.from) {
                    put(from.span, *stage, false);
                }
            }
            (StepKind::Run(run), _) => {
                for mount in &run.mounts {
                    let from = mount.syntax.option(&["from"]).and_then(|option| option.value.as_ref());
                    if let (Source::Stage(stage), Some(from)) = (&mount.from, from) {
                        put(from.span, *stage, false);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Where a variable has its value from, by name.
type InForce<'a> = BTreeMap<&'a str, Span>;

/// The variables in force, from instruction to instruction.
struct Scopes<'g, 'a> {
    graph: &'g Graph<'a>,
    /// Before the first FROM.
    globals: InForce<'a>,
    /// At the end of each stage.
    ends: Vec<InForce<'a>>,
    /// In the stage at hand.
    local: Option<InForce<'a>>,
}

impl<'g, 'a> Scopes<'g, 'a> {
    fn new(graph: &'g Graph<'a>) -> Self {
        Self { graph, globals: BTreeMap::new(), ends: Vec::new(), local: None }
    }

    /// What the text of `instruction`, the next one, may use.
    fn before(&self, instruction: &Instruction<'_>) -> &InForce<'a> {
        match (&instruction.kind, &self.local) {
            (Kind::From(_), _) | (_, None) => &self.globals,
            (_, Some(local)) => local,
        }
    }

    /// Goes past `instruction`; the names that it declares, each with where its value is from: an ARG without a default
    /// hands on the global one of its name.
    fn pass(&mut self, instruction: &'a Instruction<'a>) -> Vec<(Span, Span)> {
        let mut declared: Vec<(&'a str, Span, Span)> = Vec::new();
        match &instruction.kind {
            Kind::From(_) => {
                self.ends.extend(self.local.take());
                // Stages and FROMs go together, one by one.
                self.local = Some(match self.graph.stages.get(self.ends.len()).map(|stage| &stage.base) {
                    Some(Base::Stage(parent)) => self.ends.get(*parent).cloned().unwrap_or_default(),
                    _ => BTreeMap::new(),
                });
            }
            Kind::Arg(decls) => declared.extend(decls.iter().map(|decl| {
                let (name, span) = (&*decl.name.text, decl.name.span);
                let global =
                    self.globals.get(name).filter(|_| self.local.is_some() && decl.default.is_none());
                (name, span, global.copied().unwrap_or(span))
            })),
            Kind::Env(pairs) => {
                declared.extend(pairs.iter().map(|pair| (&*pair.key.text, pair.key.span, pair.key.span)));
            }
            _ => {}
        }
        let scope = self.local.as_mut().unwrap_or(&mut self.globals);
        scope.extend(declared.iter().map(|(name, _, from)| (*name, *from)));
        declared.into_iter().map(|(_, span, from)| (span, from)).collect()
    }
}

fn variables<'a>(syntax: &'a Dockerfile<'a>, graph: &Graph<'a>, all: &mut Vec<Name>) {
    let mut scopes = Scopes::new(graph);
    for instruction in syntax.instructions() {
        uses(syntax, instruction, scopes.before(instruction), all);
        for (span, from) in scopes.pass(instruction) {
            all.push(Name { span, means: Means::Variable(from), declares: span == from });
        }
    }
}

/// The variables in force at byte `offset`, sorted by name, with where they have their values from.
pub(super) fn in_force(syntax: &Dockerfile<'_>, offset: u32) -> Vec<(String, Span)> {
    let graph = Graph::new(syntax, &Options::default());
    let mut scopes = Scopes::new(&graph);
    let mut instructions = syntax.instructions().peekable();
    while let Some(instruction) = instructions.next_if(|instruction| instruction.span.end < offset) {
        scopes.pass(instruction);
    }
    let scope = match instructions.next() {
        Some(next) if next.span.start <= offset => scopes.before(next),
        _ => scopes.local.as_ref().unwrap_or(&scopes.globals),
    };
    scope.iter().map(|(name, span)| ((*name).to_owned(), *span)).collect()
}

/// The variables that an instruction's text uses: `$NAME` and `${NAME…}` of names in force.
fn uses(syntax: &Dockerfile<'_>, instruction: &Instruction<'_>, in_force: &InForce<'_>, all: &mut Vec<Name>) {
    if in_force.is_empty() {
        return;
    }
    let source = syntax.source;
    let text = instruction.span.of(source);
    let start = instruction.span.start as usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if escaped || byte != b'$' {
            escaped = !escaped && u32::from(byte) == u32::from(syntax.escape);
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or("");
        let brace = usize::from(rest.starts_with('{'));
        let name = rest.get(brace..).unwrap_or("");
        let name = name.get(..name.bytes().take_while(|byte| is_name(*byte)).count()).unwrap_or("");
        let span = Span::new(start + at + 1 + brace, start + at + 1 + brace + name.len());
        let commented = instruction.comments.iter().any(|comment| comment.contains(span));
        if let Some(from) = in_force.get(name).filter(|_| !name.is_empty() && !commented) {
            all.push(Name { span, means: Means::Variable(*from), declares: false });
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;

    const TEXT: &str = "ARG V=1\nFROM alpine:$V AS Build\nARG V\nARG W=${V:-2}\nENV E=$W \\\n  # $V\n  F=\\$V\n\
        RUN echo ${E#x} $PATH\nFROM build\nARG V=3\nCOPY --from=build /$V$E /\n\
        RUN --mount=from=build,target=/x echo $V\nFROM scratch\nCOPY --from=1 a b\n";

    /// `line:text` of every place of the name at `needle`, its declaration first.
    fn places(needle: &str, at: usize) -> Vec<String> {
        let syntax = dockerfile::parse(TEXT);
        let names = Names::new(&syntax);
        let offset = u32::try_from(TEXT.find(needle).unwrap() + at).unwrap();
        let Some(name) = names.at(offset) else { return Vec::new() };
        let lines = crate::source::LineIndex::new(TEXT);
        let show = |name: Name| format!("{}:{}", lines.line(name.span.start), name.span.of(TEXT));
        names.declaration(name.means).into_iter().chain(names.places(name.means)).map(show).collect()
    }

    #[test]
    fn a_stage_and_its_uses() {
        let build = ["2:Build", "2:Build", "9:build", "11:build", "12:build"];
        for (needle, at) in [("Build", 0), ("FROM build", 6), ("--from=build", 12), ("mount=from=build", 12)]
        {
            assert_eq!(places(needle, at), build, "{needle}");
        }
        assert_eq!(places("FROM build", 0), ["9:FROM", "9:FROM", "14:1"], "a stage without a name");
    }

    #[test]
    fn a_variable_is_that_of_its_scope() {
        let global = ["1:V", "1:V", "2:V", "3:V", "4:V"];
        for (needle, at) in [("ARG V=1", 4), ("$V AS", 1), ("ARG V\n", 5), ("{V:-2}", 1)] {
            assert_eq!(places(needle, at), global, "{needle}");
        }
        assert_eq!(places("ARG V=3", 4), ["10:V", "10:V", "11:V", "12:V"], "one of its own in this stage");
        assert_eq!(places("{E#x}", 1), ["5:E", "5:E", "8:E", "11:E"], "inherited with the stage");
        assert_eq!(places("$PATH", 2), [""; 0], "declared nowhere");
        assert_eq!(places("\\$V", 2), [""; 0], "escaped");
        assert_eq!(places("# $V", 3), [""; 0], "in a comment");
    }

    #[test]
    fn what_is_in_force() {
        let syntax = dockerfile::parse(TEXT);
        let at = |needle: &str| {
            let offset = u32::try_from(TEXT.find(needle).unwrap()).unwrap();
            in_force(&syntax, offset).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(at("alpine"), ["V"]);
        assert_eq!(at("echo ${E"), ["E", "F", "V", "W"]);
        assert_eq!(at("AS Build"), ["V"]);
        assert_eq!(at("a b\n"), [""; 0]);
    }
}
