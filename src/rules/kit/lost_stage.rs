//! What a build loses because its export keeps no build stage, as findings tell it.

use super::{BuildCx, Cause};
use crate::builds::{CacheSpec, Setting as Written, Value};
use crate::cache::{self, ExportMode, Loss, Model};

/// The first export of that mode, where the build starts on an empty builder and imports something.
pub(in crate::rules) fn export_of<'a>(
    build: &BuildCx<'a>,
    mode: ExportMode,
) -> Option<&'a Written<CacheSpec>> {
    if build.build.builder.persistent == Some(true) || build.build.cache_from.is_empty() {
        return None;
    }
    let of_mode = |spec: &&Written<CacheSpec>| {
        let mode_known = spec.value.attr("mode").is_none_or(|mode| matches!(mode.value, Value::Known(_)));
        spec.value.kind().is_some_and(|kind| !kind.is_empty())
            && mode_known
            && cache::mode_of(&spec.value) == mode
    };
    // A max export beside it holds what this one lacks.
    let max = build.build.cache_to.iter().any(|spec| cache::mode_of(&spec.value) == ExportMode::Max);
    build.build.cache_to.iter().find(of_mode).filter(|_| !max)
}

/// What the exports in use lose against the same with `mode=max`.
pub(in crate::rules) fn lost<'a>(build: &BuildCx<'a>) -> Option<(&'a Model<'a>, Loss)> {
    let model = build.model?;
    // Judged as if the import read what the export writes; where it does not, other rules say so.
    let used = cache::read_back(cache::setting_of(build.build));
    let better = cache::with_mode(&used, ExportMode::Max);
    Some((model, cache::loss(model, &used, &better)?))
}

/// "an edit of `src/a.ts` runs 3 steps again on a fresh builder (Dockerfile lines 4, 5 and 7)".
pub(in crate::rules) fn cost(build: &BuildCx<'_>, model: &Model<'_>, loss: &Loss) -> String {
    let lines = cache_lines(build, model, loss);
    let steps =
        if loss.reruns.len() == 1 { "1 step".to_owned() } else { format!("{} steps", loss.reruns.len()) };
    format!("on a fresh builder an edit of `{}` runs {steps} too many ({lines})", loss.edit)
}

fn cache_lines(build: &BuildCx<'_>, model: &Model<'_>, loss: &Loss) -> String {
    let line = |step| {
        let start = model.graph.step(step).map(|step| step.instruction.span.start)?;
        Some(build.dockerfile?.line(start).to_string())
    };
    let lines: Vec<String> = loss.reruns.iter().filter_map(|step| line(*step)).collect();
    let path = build.dockerfile.map_or("Dockerfile", |cx| cx.path());
    match lines.split_last() {
        Some((last, rest)) if !rest.is_empty() && rest.len() < 6 => {
            format!("{path} lines {} and {last}", rest.join(", "))
        }
        Some((last, rest)) if !rest.is_empty() => {
            format!("{path} lines {} to {last}", rest.first().map_or("", String::as_str))
        }
        Some((last, _)) => format!("{path} line {last}"),
        None => path.to_owned(),
    }
}

/// The first step that runs for nothing, and the step whose file was edited.
pub(in crate::rules) fn causes(build: &BuildCx<'_>, model: &Model<'_>, loss: &Loss) -> Vec<Cause> {
    let Some(cx) = build.dockerfile else { return Vec::new() };
    let at = |step, message: String| {
        let span = model.graph.step(step).map(|step| step.instruction.span)?;
        Some(Cause { place: Some(cx.place(span)), message })
    };
    let first = loss
        .reruns
        .first()
        .and_then(|step| at(*step, "runs again although nothing that it reads changed".into()));
    let edited = at(loss.copy, format!("takes `{}`, the file that is edited", loss.edit));
    first.into_iter().chain(edited).collect()
}
