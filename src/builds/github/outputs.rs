//! Outputs of steps, as far as the step's own text tells: docker/metadata-action, and what scripts write to
//! `$GITHUB_OUTPUT` and `$GITHUB_ENV`.

use super::context::{Context, Values};
use super::held::Held;
use crate::builds::expr::{Sym, Val};
use crate::builds::yaml::Node;
use crate::builds::{Volatility, command_volatility};
use std::sync::Arc;

/// Notes the outputs of a step and what it puts into the environment.
pub(super) fn record(step: &Node<'_>, context: &mut Context<'_>, path: &Arc<str>) {
    if let Some(script) = step.get("run").and_then(|run| run.str()) {
        let outer = (step.get("env").is_some()).then(|| context.env.clone());
        context.add_env(step.get("env").map(|env| &**env), path);
        let (outputs, exported) = written(script, context);
        if let Some(outer) = outer {
            context.env = outer;
        }
        if let Some(id) = step.get("id").and_then(|id| id.str()) {
            context.steps.insert(id.to_owned(), named(outputs, &format!("steps.{id}.outputs")));
        }
        for (name, value) in named(exported, "env") {
            context.env.retain(|(own, _)| *own != name);
            context.env.push((name, value));
        }
        return;
    }
    let (Some(id), Some(uses)) =
        (step.get("id").and_then(|id| id.str()), step.get("uses").and_then(|uses| uses.str()))
    else {
        return;
    };
    let name = uses.split('@').next().unwrap_or("").to_ascii_lowercase();
    if name == "docker/metadata-action" || name.ends_with("/docker-meta") {
        let outputs = metadata(id, step, context);
        context.steps.insert(id.to_owned(), outputs);
    }
}

/// Symbolic values get the name under which others ask for them.
fn named(values: Values, prefix: &str) -> Values {
    let name = |(name, value): (String, Val)| match value {
        Val::Sym(sym) if sym.parts.is_empty() => {
            let named = Sym::new(format!("{prefix}.{name}"), sym.volatility);
            (name, Val::Sym(Sym { options: sym.options, ..named }))
        }
        other => (name, other),
    };
    values.into_iter().map(name).collect()
}

/// What a script writes to `$GITHUB_OUTPUT` (or `::set-output`) and `$GITHUB_ENV`. The value of a name that is written
/// twice is open, unless both are the same.
fn written(script: &str, context: &Context<'_>) -> (Values, Values) {
    let (mut outputs, mut exported) = (Values::new(), Values::new());
    if !["GITHUB_OUTPUT", "GITHUB_ENV", "::set-output"].iter().any(|name| script.contains(name)) {
        return (outputs, exported);
    }
    // `{ echo a=1; echo b=2; } >> $GITHUB_OUTPUT` writes on lines of its own.
    let block_output = script.contains("} >> \"$GITHUB_OUTPUT\"") || script.contains("} >> $GITHUB_OUTPUT");
    let mut assigned: Vec<(&str, Volatility)> = Vec::new();
    let mut held = Held::default();
    for line in script.lines() {
        let line = line.trim();
        held.line(line, assignment(line), context);
        if let Some((name, value)) = assignment(line).filter(|_| assigned.len() < 256) {
            assigned.push((name, volatility(value, &assigned, context)));
        }
        let (text, target) = if let Some((_, rest)) = line.split_once("::set-output name=") {
            let Some((name, value)) = rest.split_once("::") else { continue };
            add(&mut outputs, name, value.trim_end_matches('"'), &assigned, &held, context);
            continue;
        } else if line.contains("GITHUB_OUTPUT") {
            (line, &mut outputs)
        } else if line.contains("GITHUB_ENV") {
            (line, &mut exported)
        } else if block_output && line.starts_with("echo ") {
            (line, &mut outputs)
        } else {
            continue;
        };
        let Some(echoed) = echoed(text) else { continue };
        if let Some((name, value)) = echoed.split_once('=') {
            add(target, name, value, &assigned, &held, context);
        }
    }
    (outputs, exported)
}

/// What `echo` or `printf` writes, quotes and redirection taken off.
fn echoed(line: &str) -> Option<&str> {
    let start = line.find("echo ").map(|at| at + 5).or_else(|| line.find("printf ").map(|at| at + 7))?;
    let rest = line.get(start..)?.trim_start().trim_start_matches("-n ").trim_start_matches("-e ");
    let end = rest.find(">>").or_else(|| rest.find("| tee")).unwrap_or(rest.len());
    let text = rest.get(..end)?.trim();
    let inner = text.strip_prefix(['"', '\'']).unwrap_or(text);
    Some(inner.strip_suffix(['"', '\'']).unwrap_or(inner))
}

/// `NAME=value` at the start of a line.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some((name, value))
}

fn add(
    values: &mut Values,
    name: &str,
    value: &str,
    assigned: &[(&str, Volatility)],
    held: &Held<'_>,
    context: &Context<'_>,
) {
    let name = name.trim();
    let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(plain) || values.len() > 256 {
        return;
    }
    let filled = context.text(value);
    let new = if let Some(text) = held.expand_always(value, context) {
        Val::Str(text)
    } else if value.contains(['$', '`']) && !matches!(&filled, Val::Str(text) if !text.contains(['$', '`'])) {
        let own = volatility(value, assigned, context);
        Val::Sym(Sym::new(name, own.max(filled.volatility())))
    } else {
        filled
    };
    match values.iter_mut().find(|(own, _)| own == name) {
        Some((_, old)) if *old == new => {}
        Some((_, old)) => {
            let options = |value: &Val| match value {
                Val::Sym(sym) if !sym.options.is_empty() => sym.options.clone(),
                other => vec![other.clone()],
            };
            let mut all = options(old);
            all.extend(options(&new));
            all.truncate(16);
            let volatility = old.volatility().max(new.volatility()).max(Volatility::Unknown);
            *old = Val::Sym(Sym { options: all, ..Sym::new(name, volatility) });
        }
        None => values.push((name.to_owned(), new)),
    }
}

/// How often a shell value changes: the fastest of its substitutions and variables.
fn volatility(value: &str, assigned: &[(&str, Volatility)], context: &Context<'_>) -> Volatility {
    let own =
        assigned.iter().filter(|(name, _)| mentions(value, name)).map(|(_, volatility)| *volatility).max();
    let filled = context.text(value).volatility();
    let env = context
        .env
        .iter()
        .filter(|(name, _)| mentions(value, name))
        .map(|(_, value)| value.volatility())
        .max();
    let known = own.into_iter().chain(env).max();
    let text = crate::builds::Value::of(value).volatility();
    let command = command_volatility(value);
    match known {
        // A variable of the script itself is known better than by its name.
        Some(known) => known.max(filled),
        None if value.contains(['$', '`']) => text.max(filled),
        None => command.min(Volatility::Fixed).max(filled),
    }
}

fn mentions(value: &str, name: &str) -> bool {
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        rest = rest.get(at + 1..).unwrap_or("");
        let word = rest.strip_prefix('{').unwrap_or(rest);
        if let Some(tail) = word.strip_prefix(name)
            && !tail.starts_with(|ch: char| ch.is_ascii_alphanumeric() || ch == '_')
        {
            return true;
        }
    }
    false
}

/// The outputs of docker/metadata-action: tags with their image names, what the rules say of how often they change.
fn metadata(id: &str, step: &Node<'_>, context: &Context<'_>) -> Values {
    let input = |name: &str| {
        let text = step.at(&["with", name])?.str()?;
        Some(context.text(text))
    };
    let lines = |value: Option<Val>| -> Vec<Val> {
        let Some(value) = value else { return Vec::new() };
        split_lines(&value)
    };
    let rules = lines(input("tags"));
    let pace = if rules.is_empty() {
        Volatility::PerBranch
    } else {
        rules.iter().map(rule_volatility).max().unwrap_or(Volatility::Unknown)
    };
    let version = Val::Sym(Sym::new(format!("steps.{id}.outputs.version"), pace));
    let plain_flavor = input("flavor").is_none();
    let mut tags: Vec<Val> = Vec::new();
    let mut images = lines(input("images"));
    images.retain(|image| !image.to_text().contains("enable=false"));
    for image in images {
        let image = match image {
            Val::Str(text) => {
                let name =
                    text.split(',').find_map(|part| part.trim().strip_prefix("name=")).unwrap_or(&text);
                Val::Str(name.trim().to_owned())
            }
            other => other,
        };
        let mut symbolic = rules.is_empty();
        for rule in &rules {
            match literal_tag(rule).filter(|_| plain_flavor) {
                Some(tag) => tags.push(Val::concat(vec![image.clone(), Val::Str(format!(":{tag}"))])),
                None => symbolic = true,
            }
        }
        if symbolic {
            tags.push(Val::concat(vec![image.clone(), Val::Str(":".into()), version.clone()]));
        }
    }
    let symbolic = |name: &str, pace| Val::Sym(Sym::new(format!("steps.{id}.outputs.{name}"), pace));
    let tags = if tags.is_empty() {
        symbolic("tags", pace)
    } else {
        let mut parts = Vec::with_capacity(tags.len() * 2);
        for tag in tags {
            if !parts.is_empty() {
                parts.push(Val::Str("\n".into()));
            }
            parts.push(tag);
        }
        Val::concat(parts)
    };
    vec![
        ("tags".into(), tags),
        ("version".into(), version),
        // They hold the time of the run and the commit.
        ("labels".into(), symbolic("labels", Volatility::PerRun)),
        ("annotations".into(), symbolic("annotations", Volatility::PerRun)),
        ("json".into(), symbolic("json", Volatility::PerRun)),
    ]
}

/// The lines of a value, symbolic pieces kept whole.
fn split_lines(value: &Val) -> Vec<Val> {
    let parts = match value {
        Val::Sym(sym) if !sym.parts.is_empty() => sym.parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut lines: Vec<Vec<Val>> = vec![Vec::new()];
    for part in parts {
        let text = match part {
            Val::Sym(_) => {
                if let Some(line) = lines.last_mut() {
                    line.push(part.clone());
                }
                continue;
            }
            known => known.to_text(),
        };
        for (index, piece) in text.split('\n').enumerate() {
            if index > 0 {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut().filter(|_| !piece.trim().is_empty()) {
                line.push(Val::Str(piece.trim().to_owned()));
            }
        }
    }
    let lines = lines.into_iter().filter(|line| !line.is_empty()).map(Val::concat);
    lines.filter(|line| !line.to_text().starts_with('#')).collect()
}

/// The tag of `type=raw,value=x` or `x`, where it is literal and always given.
fn literal_tag(rule: &Val) -> Option<String> {
    let Val::Str(text) = rule else { return None };
    let field =
        |name: &str| text.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    let kind = field("type");
    let enabled = field("enable").is_none_or(|enable| enable == "true");
    let affixed = field("prefix").is_some() || field("suffix").is_some();
    let value = match kind {
        Some("raw") => field("value")?,
        None if !text.contains('=') => text,
        _ => return None,
    };
    (enabled && !affixed && !value.contains("{{")).then(|| value.to_owned())
}

/// How often the tag of one rule changes (docker/metadata-action, "tags input").
fn rule_volatility(rule: &Val) -> Volatility {
    let text = rule.to_text();
    let field =
        |name: &str| text.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    let kind = match (field("type"), field("event")) {
        (Some("sha"), _) => Volatility::PerCommit,
        (Some("ref"), Some("tag")) | (Some("semver" | "pep440" | "match"), _) => Volatility::PerRelease,
        (Some("ref"), _) => Volatility::PerBranch,
        (Some("schedule"), _) if text.contains("{{date") => Volatility::PerRun,
        _ => Volatility::Fixed,
    };
    let template = if text.contains("{{date") || text.contains("{{commit_date") {
        Volatility::PerRun
    } else if text.contains("{{sha") {
        Volatility::PerCommit
    } else if text.contains("{{branch") {
        Volatility::PerBranch
    } else if text.contains("{{tag") {
        Volatility::PerRelease
    } else {
        Volatility::Fixed
    };
    kind.max(template).max(rule.volatility())
}
