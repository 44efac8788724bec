//! What expressions see: the contexts `github`, `env`, `matrix`, `inputs`, `steps`, `needs` and the others.

use super::event::{Event, Kind, ref_is, ref_starts};
use crate::builds::Volatility;
use crate::builds::expr::{self, Scope, Sym, Val, stand};
use crate::builds::template::Holes;
use crate::builds::yaml::{Data, Node, Style};
use crate::source::{Joined, Span};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Named values in order.
pub(super) type Values = Vec<(String, Val)>;

/// The value of this name, whatever its case.
pub(super) fn find<'v>(values: &'v [(String, Val)], name: &str) -> Option<&'v Val> {
    values.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Everything an expression can ask for at one place of a workflow.
#[derive(Clone, Debug)]
pub(super) struct Context<'e> {
    /// What started the run.
    pub event: &'e Event,
    /// Inputs of the workflow or action. `None`: nothing says what they are.
    pub inputs: Values,
    /// `env`, outer levels first.
    pub env: Values,
    /// Where the values of `env` are written: file and bytes.
    pub env_at: FxHashMap<String, (Arc<str>, Span)>,
    /// The matrix leg, if the job has a matrix; `None` inside where its values are not known.
    pub matrix: Option<Option<Values>>,
    /// Outputs of the steps so far, by the step's id.
    pub steps: FxHashMap<String, Values>,
    /// Outputs of the jobs that this one needs.
    pub needs: FxHashMap<String, Values>,
}

impl<'e> Context<'e> {
    /// A context in which nothing but the event is known.
    pub(super) fn new(event: &'e Event) -> Self {
        Self {
            event,
            inputs: Vec::new(),
            env: Vec::new(),
            env_at: FxHashMap::default(),
            matrix: None,
            steps: FxHashMap::default(),
            needs: FxHashMap::default(),
        }
    }

    /// The value of a text with `${{ … }}` in it.
    pub(super) fn text(&self, text: &str) -> Val {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(range) = next(text, at) {
            if range.start > at {
                parts.push(Val::Str(text.get(at..range.start).unwrap_or("").to_owned()));
            }
            parts.push(self.expression(text.get(range.clone()).unwrap_or("")));
            at = range.end;
        }
        match parts.len() {
            0 => Val::Str(text.to_owned()),
            // A single expression keeps its type.
            1 if at == text.len() => parts.pop().unwrap_or(Val::Null),
            _ => {
                parts.push(Val::Str(text.get(at..).unwrap_or("").to_owned()));
                Val::concat(parts)
            }
        }
    }

    /// The value of `${{ … }}`, braces included.
    pub(super) fn expression(&self, text: &str) -> Val {
        let inner = text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).unwrap_or(text).trim();
        match expr::parse(inner) {
            Some(expr) => expr.eval(self),
            None => Val::Sym(Sym::new(inner, Volatility::Unknown)),
        }
    }

    /// The value of a YAML node; mappings and sequences become objects and arrays.
    pub(super) fn node(&self, node: &Node<'_>) -> Val {
        match &node.data {
            Data::Scalar(scalar) if scalar.style == Style::Plain => match &*scalar.text.text {
                _ if node.is_null() => Val::Null,
                "true" | "True" | "TRUE" => Val::Bool(true),
                "false" | "False" | "FALSE" => Val::Bool(false),
                text => match text.parse::<f64>() {
                    Ok(number)
                        if text.starts_with(|ch: char| ch.is_ascii_digit() || ch == '-' || ch == '.') =>
                    {
                        Val::Num(number)
                    }
                    _ => self.text(text),
                },
            },
            Data::Scalar(scalar) => self.text(&scalar.text.text),
            Data::Seq(items) => Val::Array(items.iter().map(|item| self.node(item)).collect()),
            Data::Map(entries) => Val::Object(
                entries
                    .iter()
                    .filter_map(|entry| Some((entry.name()?.to_owned(), self.node(&entry.value))))
                    .collect(),
            ),
        }
    }

    /// Adds the values of an `env:` mapping in the file `path`; they see what was there before.
    pub(super) fn add_env(&mut self, env: Option<&Node<'_>>, path: &Arc<str>) {
        let Some(env) = env else { return };
        if let Some(text) = env.str() {
            // `env: ${{ fromJSON(…) }}`
            if let Val::Object(members) = self.text(text) {
                self.env.extend(members);
            }
            return;
        }
        let new: Values = env
            .entries()
            .iter()
            .filter_map(|entry| Some((entry.name()?.to_owned(), self.env_value(&entry.value))))
            .collect();
        for entry in env.entries() {
            let Some(name) = entry.name() else { continue };
            self.env_at.insert(name.to_owned(), (Arc::clone(path), entry.value.span));
        }
        for (name, value) in new {
            self.env.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
            self.env.push((name, value));
        }
    }

    fn env_value(&self, node: &Node<'_>) -> Val {
        match self.node(node) {
            // In the environment everything is text, as it is written.
            Val::Num(_) | Val::Bool(_) => Val::Str(node.str().unwrap_or("").to_owned()),
            Val::Null => Val::Str(String::new()),
            other => other,
        }
    }

    /// As [`Context::fill`], but where a condition picks among values it is the first that is not empty. With it: whether
    /// one of the others is.
    pub(super) fn fill_chosen<'a>(&self, text: &Joined<'a>, holes: &mut Holes) -> (Joined<'a>, bool) {
        let mut conditional = false;
        let filled = crate::builds::template::fill(text, holes, &next, &mut |expression, holes| {
            let value = self.expression(expression);
            let Val::Sym(sym) = &value else { return stand(&value, holes) };
            let Some(first) = sym.options.iter().find(|option| option.truthy()) else {
                return stand(&value, holes);
            };
            conditional |= sym.options.iter().any(|option| !option.truthy());
            stand(first, holes)
        });
        (filled, conditional)
    }

    /// A scalar's text with its expressions replaced, unknown ones by stand-ins.
    pub(super) fn fill<'a>(&self, text: &Joined<'a>, holes: &mut Holes) -> Joined<'a> {
        crate::builds::template::fill(text, holes, &next, &mut |expression, holes| {
            stand(&self.expression(expression), holes)
        })
    }
}

/// The next `${{ … }}` at or after `from`.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let start = from + memchr::memmem::find(text.as_bytes().get(from..)?, b"${{")?;
    let end = start + 3 + expr::end(text.get(start + 3..)?)? + 2;
    Some(start..end)
}

impl Scope for Context<'_> {
    fn lookup(&self, root: &str, path: &[String]) -> Val {
        let first = path.first().map_or("", String::as_str);
        let unknown = |volatility| Val::Sym(Sym::new(dotted(root, path), volatility));
        let within = |value: &Val| path.iter().skip(1).fold(value.clone(), |value, key| value.index(key));
        match root {
            "github" => github(self, path),
            "env" => match find(&self.env, first) {
                Some(value) => within(value),
                None => unknown(Volatility::Unknown),
            },
            "inputs" => match find(&self.inputs, first) {
                Some(value) => within(value),
                None => self.missing_input(root, path),
            },
            "matrix" => match &self.matrix {
                Some(Some(leg)) if path.is_empty() => Val::Object(leg.clone()),
                Some(Some(leg)) => find(leg, first).map_or(Val::Null, within),
                Some(None) => unknown(Volatility::Unknown),
                None => Val::Null,
            },
            "steps" => outputs(&self.steps, path).unwrap_or_else(|| unknown(Volatility::Unknown)),
            "needs" => outputs(&self.needs, path).unwrap_or_else(|| unknown(Volatility::Unknown)),
            "vars" | "secrets" | "runner" => unknown(Volatility::Fixed),
            _ => unknown(Volatility::Unknown),
        }
    }

    fn compare(&self, sym: &Sym, with: &str) -> Option<bool> {
        match sym.text.as_str() {
            "${{ github.ref }}" => ref_is(self.event, with, false),
            "${{ github.ref_name }}" => ref_is(self.event, with, true),
            _ => None,
        }
    }

    fn starts_with(&self, sym: &Sym, with: &str) -> Option<bool> {
        if sym.text == "${{ github.ref }}" { ref_starts(self.event, with) } else { None }
    }
}

impl Context<'_> {
    /// An input that nobody gave: empty, unless somebody starts this by hand or from elsewhere.
    fn missing_input(&self, root: &str, path: &[String]) -> Val {
        match self.event.kind {
            Kind::Manual | Kind::Called | Kind::Other => {
                Val::Sym(Sym::new(dotted(root, path), Volatility::Unknown))
            }
            _ => Val::Null,
        }
    }
}

fn dotted(root: &str, path: &[String]) -> String {
    let mut text = root.to_owned();
    for name in path {
        let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '*');
        if name.chars().all(plain) {
            text.push('.');
            text.push_str(name);
        } else {
            text = format!("{text}['{}']", name.replace('\'', "''"));
        }
    }
    text
}

/// `steps.ID.outputs.NAME…`, where the step's outputs are known.
fn outputs(all: &FxHashMap<String, Values>, path: &[String]) -> Option<Val> {
    let [id, kind, name, rest @ ..] = path else { return None };
    if kind != "outputs" {
        return None;
    }
    let value = find(all.get(id.as_str())?, name)?;
    Some(rest.iter().fold(value.clone(), |value, key| value.index(key)))
}

/// The `github` context. What changes how often: docs.github.com, "Contexts reference".
fn github(context: &Context<'_>, path: &[String]) -> Val {
    let event = context.event;
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let symbolic = |volatility| Val::Sym(Sym::new(dotted("github", path), volatility));
    let of_ref = match event.kind {
        Kind::PushDefault | Kind::Schedule => Volatility::Fixed,
        Kind::PushTag | Kind::Release => Volatility::PerRelease,
        _ => Volatility::PerBranch,
    };
    let pull = matches!(event.kind, Kind::PullRequest | Kind::PullRequestTarget);
    let open = matches!(event.kind, Kind::Called | Kind::Other);
    let certain = |volatility| Val::Sym(Sym { truthy: true, ..Sym::new(dotted("github", path), volatility) });
    match names.as_slice() {
        // Paths that start with it are followed as they stand.
        ["workspace"] => Val::Str(super::WORKSPACE.to_owned()),
        ["event_name"] if !event.name.is_empty() => Val::Str(event.name.clone()),
        ["ref_type"] => match event.kind {
            Kind::PushTag | Kind::Release => Val::Str("tag".into()),
            Kind::PushDefault | Kind::PushBranch | Kind::PullRequest | Kind::Schedule => {
                Val::Str("branch".into())
            }
            _ => symbolic(Volatility::Unknown),
        },
        ["ref" | "ref_name"] => certain(of_ref),
        ["head_ref" | "base_ref"] if !pull && !open => Val::Str(String::new()),
        ["head_ref"] if pull => certain(Volatility::PerBranch),
        ["head_ref"] => symbolic(Volatility::PerBranch),
        ["base_ref"] => symbolic(Volatility::Fixed),
        ["event", "inputs", name] => match find(&context.inputs, name) {
            Some(value) => value.clone(),
            None => context.missing_input("github", path),
        },
        ["event", "pull_request", ..] | ["event", "number"] if !pull && !open => Val::Null,
        ["event", "pull_request", "base", ..] => symbolic(Volatility::Fixed),
        ["event", "pull_request", "head", "sha"] | ["event", "pull_request", "merge_commit_sha"] => {
            symbolic(Volatility::PerCommit)
        }
        ["event", "pull_request", ..] | ["event", "number"] => symbolic(Volatility::PerBranch),
        ["event", "release", ..] if event.kind != Kind::Release && !open => Val::Null,
        ["event", "release", ..] => symbolic(Volatility::PerRelease),
        ["event", "repository", "updated_at" | "pushed_at"] => symbolic(Volatility::PerRun),
        ["event", "repository" | "organization", ..] => symbolic(Volatility::Fixed),
        ["event", "after" | "before" | "head_commit" | "commits", ..] => symbolic(Volatility::PerCommit),
        ["event", "workflow_run", "head_sha"] => symbolic(Volatility::PerCommit),
        ["event", "workflow_run", "head_branch"] => symbolic(Volatility::PerBranch),
        ["event", "workflow_run", ..] => symbolic(Volatility::PerRun),
        ["sha" | "workflow_sha"] => certain(Volatility::PerCommit),
        ["run_id" | "run_number" | "run_attempt"] => symbolic(Volatility::PerRun),
        [
            "repository"
            | "repository_owner"
            | "repository_id"
            | "repository_owner_id"
            | "workflow"
            | "workflow_ref"
            | "job"
            | "server_url"
            | "api_url"
            | "graphql_url"
            | "token"
            | "action_path"
            | "event_path"
            | "repositoryUrl"
            | "env"
            | "path",
            ..,
        ] => symbolic(Volatility::Fixed),
        _ => symbolic(Volatility::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind) -> Event {
        let name = match kind {
            Kind::PullRequest => "pull_request",
            Kind::Called => "",
            _ => "push",
        };
        Event { kind, name: name.into(), branch: None }
    }

    fn text(context: &Context<'_>, text: &str) -> (String, Option<Volatility>) {
        match context.text(text) {
            Val::Sym(sym) => (sym.text, Some(sym.volatility)),
            known => (known.to_text(), None),
        }
    }

    #[test]
    fn conditions_on_the_event_have_values() {
        let (push, pull) = (event(Kind::PushDefault), event(Kind::PullRequest));
        let expression = "${{ github.event_name != 'pull_request' && 'type=gha,mode=max' || '' }}";
        assert_eq!(text(&Context::new(&push), expression), ("type=gha,mode=max".into(), None));
        assert_eq!(text(&Context::new(&pull), expression), (String::new(), None));
        let branch = "x-${{ github.head_ref || github.ref_name }}";
        assert_eq!(
            text(&Context::new(&push), branch),
            ("x-${{ github.ref_name }}".into(), Some(Volatility::Fixed))
        );
        assert_eq!(
            text(&Context::new(&pull), branch),
            ("x-${{ github.head_ref }}".into(), Some(Volatility::PerBranch))
        );
    }

    #[test]
    fn what_is_known_is_put_in_and_the_rest_says_how_often_it_changes() {
        let push = event(Kind::PushBranch);
        let mut context = Context::new(&push);
        context.matrix = Some(Some(vec![("target".into(), Val::Str("api".into()))]));
        context.env = vec![("REGISTRY".into(), Val::Str("ghcr.io".into()))];
        assert_eq!(
            text(
                &context,
                "${{ env.REGISTRY }}/${{github.repository}}/${{ matrix.target }}:${{ github.sha }}"
            ),
            ("ghcr.io/${{ github.repository }}/api:${{ github.sha }}".into(), Some(Volatility::PerCommit))
        );
        assert_eq!(
            text(&context, "${{ format('{0}-{1}{{}}', matrix['target'], github.ref_name) }}"),
            ("api-${{ github.ref_name }}{}".into(), Some(Volatility::PerBranch))
        );
        assert_eq!(text(&context, "${{ matrix.target == 'API' && 1 || 2 }}"), ("1".into(), None));
        assert_eq!(
            text(&context, "${{ contains(fromJSON('[\"api\"]'), matrix.target) }}"),
            ("true".into(), None)
        );
        assert_eq!(
            text(&context, "${{ startsWith(github.ref, 'refs/tags/') && 'tag' || 'branch' }}").0,
            "branch"
        );
        assert_eq!(text(&context, "${{ matrix.none }}"), (String::new(), None));
        assert_eq!(text(&context, "${{ inputs.none || 'main' }}"), ("main".into(), None));
        assert_eq!(text(&context, "a ${{ 'it''s }}' }} b"), ("a it's }} b".into(), None));
        assert_eq!(text(&context, "${{ not an expression").0, "${{ not an expression");
    }

    #[test]
    fn an_open_condition_leaves_its_options() {
        let push = event(Kind::PushDefault);
        let context = Context::new(&push);
        let Val::Sym(sym) = context.text("${{ vars.CACHE && 'a' || '' }}") else { panic!("symbolic") };
        assert_eq!(sym.options, [Val::Str("a".into()), Val::Str(String::new())]);
        assert_eq!(sym.text, "${{ vars.CACHE && 'a' || '' }}");
    }

    #[test]
    fn bombs_end() {
        let push = event(Kind::PushDefault);
        let context = Context::new(&push);
        let deep = format!("${{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(matches!(context.text(&deep), Val::Sym(_)));
        let wide = format!("${{{{ {}1 }}}}", "1 || ".repeat(100_000));
        assert!(matches!(context.text(&wide), Val::Sym(_)));
        let mut grow = "'0123456789'".to_owned();
        for _ in 0..30 {
            grow = format!("format('{{0}}{{0}}', {grow})");
        }
        assert!(context.text(&format!("${{{{ {grow} }}}}")).to_text().len() < 200_000);
    }
}
