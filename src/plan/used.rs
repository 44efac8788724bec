//! What the settings in use come to: only exports that the builder makes, and imports that may find something.

use super::subject::{Subject, only_releases};
use crate::builds::{CacheSpec, Setting as Written, System, Value, Volatility};
use crate::cache::{self, Export, Setting, Support, support, text};

/// The settings in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    /// As the model takes them.
    pub(super) setting: Setting,
    /// What the default branch has written where this build imports it beside its own.
    pub(super) main: Vec<Export>,
    /// The same with the exports that only another builder makes.
    pub(super) intended: Setting,
    /// Whether only another builder makes an export, or it turns on what no file tells.
    pub(super) needs_builder: bool,
    /// In words.
    pub(super) title: String,
    /// What keeps them from doing what they say.
    pub(super) problems: Vec<String>,
    /// Whether they cannot stay as they are.
    pub(super) broken: bool,
}

/// What `subject` uses, among all builds.
pub(super) fn used(subjects: &[Subject<'_>], subject: &Subject<'_>) -> Used {
    let build = subject.build;
    let mut used = Used { title: title(subject), ..Used::default() };
    let whole = cache::setting_of(build);
    used.setting =
        Setting { fresh: subject.is_fresh(), pushed: whole.pushed, imports: Vec::new(), exports: Vec::new() };
    for export in &build.cache_to {
        match support(build, &export.value) {
            Support::Works | Support::Turns(_) => {}
            Support::Refused(why) => {
                used.problems.push(format!("the build fails: {why}"));
                used.broken = true;
                used.needs_builder = true;
                used.intended.exports.extend(exports_of(subject, export));
                continue;
            }
            Support::Dropped(why) => {
                used.problems.push(format!("nothing is exported: {why}"));
                used.broken = true;
                continue;
            }
        }
        if let Support::Turns(why) = support(build, &export.value) {
            used.problems.push(why);
            used.needs_builder = true;
        }
        if let Some(why) = refused(&export.value) {
            used.problems.push(format!("the build fails: {why}"));
            used.broken = true;
            continue;
        }
        if is_lost(subject, export) {
            used.problems.push(format!(
                "`{}` is gone with the job: nothing keeps it between runs",
                cache::ref_of(&export.value)
                    .unwrap_or_default()
                    .trim_start_matches("local:")
                    .trim_end_matches(":latest")
            ));
            used.broken = true;
            continue;
        }
        let exports = exports_of(subject, export);
        let of_default = of_default_branch(subjects, export);
        let copy = |name: String| exports.last().map(|export| Export { to: name, mode: export.mode });
        used.main.extend(of_default.into_iter().filter_map(copy));
        used.setting.exports.extend(exports.iter().cloned());
        used.intended.exports.extend(exports);
    }
    for import in &build.cache_from {
        let Some(name) = cache::ref_of(&import.value) else { continue };
        let moves = import.value.attrs.iter().find_map(|(_, value)| match &value.value {
            Value::Symbolic { text, volatility } if moves(subject, *volatility) => Some(text),
            _ => None,
        });
        if let Some(moves) = moves {
            used.problems.push(format!("`{moves}` is another one in every run, so the import finds nothing"));
            continue;
        }
        if name.starts_with("gha:")
            && only_releases(&build.trigger)
            && !is_written_by_default(subjects, &name)
        {
            used.problems.push(
                "GitHub keeps the cache of a tag to that tag: the next release does not see it".to_owned(),
            );
            continue;
        }
        used.setting.imports.push(name);
    }
    used.problems.dedup();
    used.intended.fresh = used.setting.fresh;
    used.intended.pushed = used.setting.pushed;
    used.intended.imports.clone_from(&used.setting.imports);
    used
}

/// Whether a name that changes so often is another one in the next run.
fn moves(subject: &Subject<'_>, volatility: Volatility) -> bool {
    match volatility {
        Volatility::PerCommit | Volatility::PerRun => true,
        // A branch's runs find what they left.
        Volatility::PerRelease => only_releases(&subject.build.trigger),
        Volatility::PerBranch | Volatility::Unknown | Volatility::Fixed => false,
    }
}

/// What one export of the build writes.
fn exports_of(subject: &Subject<'_>, export: &Written<CacheSpec>) -> Vec<Export> {
    let mut one = subject.build.clone();
    one.cache_to = vec![export.clone()];
    cache::setting_of(&one).exports
}

/// Why BuildKit refuses an export before the first step (facts: the exact error texts).
fn refused(spec: &CacheSpec) -> Option<String> {
    let Value::Known(compression) = &spec.attr("compression")?.value else { return None };
    let layers = matches!(spec.kind(), Some("registry" | "local"));
    let known = matches!(compression.as_str(), "gzip" | "zstd" | "estargz" | "uncompressed");
    (layers && !known).then(|| format!("there is no `compression={compression}`"))
}

/// What builds import that the default branch has written: an export that has the branch in its name, under another name in
/// that place. On a branch both are there, and they overlap.
fn of_default_branch(subjects: &[Subject<'_>], export: &Written<CacheSpec>) -> Vec<String> {
    let by_branch =
        |value: &Value| matches!(value, Value::Symbolic { volatility: Volatility::PerBranch, .. });
    if !export.value.attrs.iter().any(|(_, value)| by_branch(&value.value)) {
        return Vec::new();
    }
    let Some(own) = cache::ref_of(&export.value) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for import in subjects.iter().flat_map(|subject| &subject.build.cache_from) {
        let Some(name) = cache::ref_of(&import.value) else { continue };
        if name != own && !found.contains(&name) && differs_in_one_variable(&own, &name) {
            found.push(name);
        }
    }
    found
}

/// Whether `name` is `pattern` with something else in the place of one of its variables.
fn differs_in_one_variable(pattern: &str, name: &str) -> bool {
    pattern.match_indices('$').any(|(start, _)| {
        let Some((before, variable)) = pattern.split_at_checked(start) else { return false };
        let end = match variable.find("}}").filter(|_| variable.starts_with("${{")) {
            Some(end) => end + 2,
            None => match variable.find('}').filter(|_| variable.starts_with("${")) {
                Some(end) => end + 1,
                None => {
                    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    variable
                        .char_indices()
                        .skip(1)
                        .find(|(_, c)| !letter(*c))
                        .map_or(variable.len(), |(at, _)| at)
                }
            },
        };
        let after = variable.get(end..).unwrap_or("");
        let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        middle.is_some_and(|middle| !middle.is_empty() && !middle.contains(['/', ':']))
    })
}

/// A local cache on a machine that is thrown away, in a directory that nothing keeps.
fn is_lost(subject: &Subject<'_>, export: &Written<CacheSpec>) -> bool {
    let build = subject.build;
    if export.value.kind() != Some("local") || build.builder.persistent != Some(false) {
        return false;
    }
    let Some(dest) = export.value.attr("dest").map(|dest| text(&dest.value)) else { return true };
    // A directory that is moved over the kept one after the build begins like it.
    !build.kept.iter().any(|kept| {
        let kept = text(&kept.value).trim_end_matches('/');
        dest.starts_with(kept) || kept.starts_with(dest)
    }) && build.system != System::CircleCi
}

fn is_written_by_default(subjects: &[Subject<'_>], name: &str) -> bool {
    subjects.iter().any(|other| {
        let trigger = &other.build.trigger;
        (trigger.default_branch || trigger.any_branch || trigger.schedule)
            && other.build.cache_to.iter().any(|spec| cache::ref_of(&spec.value).as_deref() == Some(name))
    })
}

fn title(subject: &Subject<'_>) -> String {
    let build = subject.build;
    if !subject.is_fresh() {
        return "the builder's own cache, which outlives the job".to_owned();
    }
    let spec = |spec: &Written<CacheSpec>| spec_text(subject, spec);
    let from: Vec<String> = build.cache_from.iter().map(spec).collect();
    let to: Vec<String> = build.cache_to.iter().map(spec).collect();
    match (from.is_empty(), to.is_empty()) {
        (true, true) => "no cache".to_owned(),
        (false, true) => format!("from {}; exports nothing", from.join(" and ")),
        (true, false) => format!("to {}; imports nothing", to.join(" and ")),
        (false, false) => format!("from {}; to {}", from.join(" and "), to.join(" and ")),
    }
}

/// A cache setting as it would be written on a command line.
pub(super) fn spec_text(subject: &Subject<'_>, spec: &Written<CacheSpec>) -> String {
    if spec.value.bare {
        return spec.value.attr("ref").map(|name| text(&name.value).to_owned()).unwrap_or_default();
    }
    let own = spec.path.as_deref().is_none_or(|path| *path == *subject.file.path);
    let raw = if own { spec.span.of(&subject.file.text).trim() } else { "" };
    if raw.starts_with("type=") && !raw.contains('\n') {
        return raw.trim_end_matches(['"', '\'']).to_owned();
    }
    let mut parts = vec![format!("type={}", text(&spec.value.kind.value))];
    parts.extend(spec.value.attrs.iter().map(|(key, value)| format!("{key}={}", text(&value.value))));
    parts.join(",")
}
