//! `missing-lockfile`: an install without the lock file that lies beside its manifest.

use super::manifests::standing;
use super::places::before;
use super::words::{code, list};
use super::work::text;
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink, ToolUse};
use crate::cache::Standing;
use crate::context::{Entry, path};
use crate::dockerfile::Kind;
use crate::graph::{Source, Step, StepId, StepKind};
use crate::tools::Needs;

static META: Meta = Meta {
    name: "missing-lockfile",
    category: Category::Context,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/missing-lockfile.md"),
};

/// Tools that other tools' lock files are listed for: they do not read them by themselves.
const BLIND: [&str; 6] = ["pip", "cpan", "cpanm", "conda", "micromamba", "uv-pip"];

/// Options that say that it is meant.
const MEANT: [&str; 5] =
    ["--no-package-lock", "--package-lock=false", "--no-lockfile", "--no-lock", "--skip-lock"];

/// More installs than people write into one file are not looked at.
const MAX_INSTALLS: usize = 64;

/// Steps that are looked back.
const MAX_BACK: usize = 256;

/// See the page.
pub(super) struct MissingLockfile;

impl Rule for MissingLockfile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        if cx.model().context().is_none() {
            return;
        }
        let mut questions = 0;
        let mut told: Vec<(StepId, String)> = Vec::new();
        let runs = cx.run_uses().filter(|(_, step, ..)| !step.onbuild);
        for (id, step, _, uses) in runs {
            for used in &uses.tools {
                if questions == MAX_INSTALLS {
                    return;
                }
                questions += usize::from(used.needs != Needs::None);
                let Some(missing) = missing(cx, id, step, used) else { continue };
                let place = (missing.copy, missing.lock.clone());
                if !told.contains(&place) {
                    told.push(place);
                    report(cx, id, used, &missing, out);
                }
            }
        }
    }
}

/// A lock file that is not there when its tool runs.
struct Missing {
    /// The COPY that brings the manifest.
    copy: StepId,
    /// The manifest, a path in the context.
    manifest: String,
    /// The lock file, a path in the context.
    lock: String,
    /// Whether the context leaves it out.
    ignored: bool,
}

fn missing(cx: &DockerfileCx<'_>, id: StepId, step: &Step<'_>, used: &ToolUse<'_>) -> Option<Missing> {
    let command = cx.command(id, used)?;
    let tool = used.tool;
    let meant = command.args().iter().any(|word| MEANT.contains(&&*word.text));
    let reads = used.kind.downloads() && used.named.is_empty() && used.sure && used.needs != Needs::None;
    if !command.certain || meant || !reads || BLIND.contains(&tool.name.as_str()) {
        return None;
    }
    let plain = |name: &&String| !name.contains(['*', '?', '[']);
    let stands = |name: &String| standing(cx, id, used, name);
    let locks: Vec<&String> = tool.lockfiles.iter().filter(plain).collect();
    // One of them is enough, and what nobody knows may be there.
    if locks.iter().any(|name| stands(name) != Standing::Nothing) {
        return None;
    }
    let manifest = tool.manifests.iter().filter(plain).find_map(|name| match stands(name) {
        Standing::Context(file) => Some(file),
        _ => None,
    })?;
    let context = cx.model().context()?;
    let directory = path::parent(&manifest);
    let beside =
        |name: &String| path::clean(&format!("{directory}/{name}")).trim_start_matches('/').to_owned();
    let is_file = |file: &String| matches!(context.tree().get(file), Some(Entry::File(_)));
    let lock = locks.into_iter().map(beside).find(is_file)?;
    let takes = |(other, one): &(StepId, &Step<'_>)| {
        *other < id
            && matches!(&one.kind, StepKind::Copy(copy) if copy.from == Source::Context)
            && cx.model().takes(*other, &manifest)
    };
    let mut copies = cx.graph().steps_of(step.stage).filter(takes);
    let copy = copies.next_back().map(|(copy, _)| copy)?;
    // What a RUN between them makes may be the lock file.
    let unknown = cx.facts.runs().any(|(run, ..)| copy < run && run < id && !cx.is_known(run));
    let named = |run: StepId| {
        cx.facts.script(run).commands.iter().any(|command| {
            command.argv.iter().any(|word| word.text.contains(path::base(&lock)))
                || command.redirects.iter().any(|redirect| redirect.target.text.contains(path::base(&lock)))
        })
    };
    // An earlier command of its kind may have written one: `cargo chef cook` does, from what its recipe says.
    let writes = |used_before: &ToolUse<'_>| {
        used_before.tool.name != tool.name
            && used_before.tool.ecosystem == tool.ecosystem
            && used_before.kind.downloads()
            && used_before.needs == Needs::Manifests
    };
    let written =
        before(cx, step.stage, Some(id)).take(MAX_BACK).any(|(run, _)| cx.uses(run).tools.iter().any(writes));
    if unknown || written || cx.facts.runs().any(|(run, ..)| copy < run && run <= id && named(run)) {
        return None;
    }
    let ignored = !context.sees(&lock);
    Some(Missing { copy, manifest, lock, ignored })
}

fn report(cx: &DockerfileCx<'_>, id: StepId, used: &ToolUse<'_>, missing: &Missing, out: &mut Sink) {
    let (Some(step), Some(command)) = (cx.graph().step(missing.copy), cx.command(id, used)) else { return };
    let lock = code(&missing.lock, 40);
    let late = cx
        .graph()
        .steps_of(step.stage)
        .find(|(later, _)| *later > id && cx.model().takes(*later, &missing.lock));
    let why = match late {
        _ if missing.ignored => "which the ignore file leaves out".to_owned(),
        Some((later, _)) => format!("which line {} copies too late", cx.line_of(later)),
        None => "which no COPY brings".to_owned(),
    };
    let message = format!(
        "{} (line {}) installs without {lock}, {why}: other versions in every build",
        code(&text(command), 36),
        cx.line_of(id)
    );
    let help = if missing.ignored {
        format!("take {lock} out of the ignore file, and copy it with {}", code(&missing.manifest, 40))
    } else {
        format!("copy {} before the install", list(&[code(&missing.manifest, 40), lock.clone()]))
    };
    let cause = format!("edits of {lock} are not seen here");
    out.report(step.instruction.span, message)
        .help(help)
        .cause(command.span, cause)
        .fix(fix(cx, step, missing));
}

/// The lock file beside the manifest, where they go into the same directory.
fn fix(cx: &DockerfileCx<'_>, step: &Step<'_>, missing: &Missing) -> Option<Fix> {
    let Kind::Copy(copy) = &step.instruction.kind else { return None };
    let directory = copy.dest.text.ends_with('/') || matches!(&*copy.dest.text, "." | "..");
    let source = copy.sources.iter().find(|source| path::below_root(&source.text) == missing.manifest)?;
    if missing.ignored
        || copy.json
        || !directory
        || copy.parents
        || missing.lock.contains(char::is_whitespace)
    {
        return None;
    }
    // Written as the manifest is, `./` and all.
    let name = path::base(&missing.manifest);
    let lock = format!("{}{}", source.text.strip_suffix(name)?, path::base(&missing.lock));
    Some(Fix::needs_a_look("copy the lock file too").insert(cx.path(), source.span.end, format!(" {lock}")))
}
