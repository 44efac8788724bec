//! `hitrate rule`.

use super::Exit;
use super::args::RuleArgs;
use super::output::Output;
use crate::rules;
use crate::source::nearest;
use std::io::Write;

pub(super) fn run(args: &RuleArgs, out: &mut Output) -> anyhow::Result<Exit> {
    let Some(name) = &args.name else {
        let width = rules::names().map(str::len).max().unwrap_or(0);
        for rule in rules::ALL {
            let meta = rule.meta();
            let (name, severity) = (meta.name, meta.severity.name());
            writeln!(out, "{name:width$}  {severity:7}  {:7}  {}", meta.category.name(), meta.summary())?;
        }
        return Ok(Exit::Clean);
    };
    let Some(rule) = rules::find(name) else {
        let hint = nearest(name, rules::names()).map(|near| format!("; did you mean `{near}`?"));
        anyhow::bail!("there is no rule `{name}`{}", hint.unwrap_or_default());
    };
    write!(out, "{}", rule.meta().docs)?;
    Ok(Exit::Clean)
}
