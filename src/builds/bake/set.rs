//! `--set PATTERN.KEY=VALUE` and the `set` input of bake-action (`bx:bake/bake.go` newOverrides, AddOverrides).

use crate::builds::command::{context_source, pushed_by};
use crate::builds::template::may_hide;
use crate::builds::value::defaulted;
use crate::builds::{Arg, Build, Placed, Setting, Value, cachespec, join};

/// The key of an override that is not known.
const ANY: &str = "?";

/// One override.
#[derive(Clone, Debug)]
pub struct Override {
    pattern: String,
    key: String,
    /// `+=`
    appends: bool,
    value: Placed,
    whole: Placed,
}

impl Override {
    /// Reads `PATTERN.KEY[.NAME]=VALUE` or `+=`. One that is nothing but an unknown expression may set any cache. `None`
    /// where it is none.
    #[must_use]
    pub fn parse(text: &Placed) -> Option<Self> {
        let Some(at) = text.text.find('=') else {
            return (!text.text.is_empty()).then(|| Self {
                pattern: "*".to_owned(),
                key: ANY.to_owned(),
                appends: true,
                value: text.clone(),
                whole: text.clone(),
            });
        };
        let name = text.text.get(..at)?;
        let appends = name.ends_with('+');
        let name = name.trim_end_matches('+').trim();
        let (pattern, key) = name.split_once('.')?;
        let value = text.slice(at + 1..text.text.len());
        Some(Self { pattern: pattern.to_owned(), key: key.to_owned(), appends, value, whole: text.clone() })
    }
}

/// Applies overrides in order to the builds whose target they match, all of which one invocation of bake starts. `cwd` is
/// where it runs.
pub fn apply(overrides: &[Override], builds: &mut [Build], cwd: Option<&str>) {
    // Who sets caches by name does not set them by what is not known.
    let named = overrides.iter().any(|over| matches!(over.key.as_str(), "cache-from" | "cache-to"));
    for build in builds {
        // The first override of a list replaces it, those after it add to it.
        let mut replaced: Vec<&str> = Vec::new();
        for over in overrides.iter().filter(|over| !named || over.key != ANY) {
            let name = build.name.last().map_or("", String::as_str);
            if glob(&over.pattern, name) {
                let first = !over.appends && !replaced.contains(&over.key.as_str());
                one(over, build, first, cwd);
                if first {
                    replaced.push(&over.key);
                }
            }
        }
    }
}

fn one(over: &Override, build: &mut Build, replace: bool, cwd: Option<&str>) {
    let span = over.whole.full_span();
    let value = || Setting::new(Value::of(over.value.text.as_str()), span);
    let arg = Arg { text: over.value.clone(), literal: false, conditional: false };
    match over.key.split_once('.').unwrap_or((&over.key, "")) {
        ("args", name) if !name.is_empty() => {
            build.args.retain(|(known, _)| known != name);
            build.args.push((name.to_owned(), value()));
        }
        ("cache-from", "") => {
            clear(&mut build.cache_from, replace);
            build.cache_from.extend(cachespec::parse_arg(&arg).specs);
        }
        ("cache-to", "") => {
            clear(&mut build.cache_to, replace);
            let specs = cachespec::parse_arg(&arg);
            build.conditional_export |= specs.conditional;
            build.cache_to.extend(specs.specs);
        }
        (ANY, _) => {
            let mut specs = cachespec::parse_arg(&arg).specs;
            specs.retain(|spec| !spec.value.bare || may_hide(&over.value.text));
            build.conditional_export |= !specs.is_empty();
            build.cache_from.extend(specs.iter().cloned());
            build.cache_to.extend(specs);
        }
        ("output", "") => {
            if replace {
                // What the outputs of the definition said of them.
                let of_outputs = |flag: &Option<Setting<Value>>| {
                    flag.as_ref().is_some_and(|flag| {
                        build.outputs.iter().any(|output| output.span.contains(flag.span))
                    })
                };
                let (pushes, loads) = (of_outputs(&build.push), of_outputs(&build.load));
                build.push = build.push.take().filter(|_| !pushes);
                build.load = build.load.take().filter(|_| !loads);
            }
            clear(&mut build.outputs, replace);
            if let Some(output) = cachespec::parse_output(&arg) {
                pushed_by(build, &output);
                build.outputs.push(output);
            }
        }
        ("tags", "") => {
            clear(&mut build.tags, replace);
            build.tags.push(value());
        }
        ("platform", "") => {
            clear(&mut build.platforms, replace);
            let parts = over.value.split(|ch| ch == ',');
            build
                .platforms
                .extend(parts.map(|part| Setting::new(Value::of(part.text.as_str()), part.full_span())));
        }
        ("target", "") => build.target = Some(Setting::new(defaulted(over.value.text.clone()), span)),
        ("no-cache", "") => build.no_cache = Some(value()),
        ("pull", "") => build.pull = Some(value()),
        ("push", "") => build.push = Some(value()),
        ("load", "") => build.load = Some(value()),
        ("context", "") => {
            let path = |path: &str| join(cwd?, path);
            let old = match &build.context.value {
                crate::builds::ContextSource::Path(path) => Some(path.clone()),
                _ => None,
            };
            let source = context_source(defaulted(over.value.text.clone()).text(), path);
            // The Dockerfile is a path inside of the context.
            if let (crate::builds::ContextSource::Path(new), Some(old), Some(file)) =
                (&source, old, &mut build.dockerfile)
            {
                let inside =
                    if old.is_empty() { Some(file.value.as_str()) } else { file.value.strip_prefix(&old) };
                if let Some(moved) = inside.and_then(|inside| join(new, inside.trim_start_matches('/'))) {
                    file.value = moved;
                }
            } else {
                build.dockerfile = None;
            }
            build.context = Setting::new(source, span);
        }
        ("dockerfile", "") => {
            let directory = match &build.context.value {
                crate::builds::ContextSource::Path(path) => Some(path.as_str()),
                _ => None,
            };
            let text = defaulted(over.value.text.clone());
            let path = text.known().and_then(|path| join(directory?, path));
            build.dockerfile = path.map(|path| Setting::new(path, span));
        }
        _ => {}
    }
}

fn clear<T>(list: &mut Vec<T>, replace: bool) {
    if replace {
        list.clear();
    }
}

/// `path.Match` of Go, as far as names of targets use it: `*` and `?`.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().take(256).collect(), name.chars().take(256).collect());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(ch) if *ch == '?' || Some(ch) == name.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((back, start)) => {
                    at = back + 1;
                    from = start + 1;
                    star = Some((back, start + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or(&[]).iter().all(|ch| *ch == '*')
}
