//! `chmod-after-copy`: mode or owner changed in a step of its own.

use super::words::{code, lines};
use super::{Category, DockerfileCx, Fix, Fixable, Meta, Rule, Safety, Severity, Sink};
use crate::cache::{Written, WrittenKind};
use crate::context::{Entry, go_match, path};
use crate::graph::{CopyStep, Source, Step, StepId, StepKind};
use crate::shell::{Command, Cwd, Script};

static META: Meta = Meta {
    name: "chmod-after-copy",
    category: Category::Order,
    severity: Severity::Warning,
    default_on: true,
    fix: Fixable::Sometimes(Safety::Unsafe),
    docs: include_str!("../../rules/chmod-after-copy.md"),
};

/// How many COPYs before a RUN are looked at.
const MAX_COPIES: usize = 32;

/// See the page.
pub(super) struct ChmodAfterCopy;

impl Rule for ChmodAfterCopy {
    fn meta(&self) -> &'static Meta {
        &META
    }

    // Matches text: that the files are written twice is in what the commands say, not in any key.
    fn check_dockerfile(&self, cx: &DockerfileCx<'_>, out: &mut Sink) {
        let graph = cx.graph();
        for (stage, _) in graph.reachable.iter().enumerate().filter(|(_, reached)| **reached) {
            let mut copies: Vec<Copied<'_, '_>> = Vec::new();
            for (id, step) in graph.steps_of(stage) {
                match &step.kind {
                    StepKind::Copy(copy) => {
                        if copies.len() == MAX_COPIES {
                            copies.remove(0);
                        }
                        copies.push(Copied { id, step, copy, written: cx.model().writes(id) })
                    }
                    StepKind::Run(_) => {
                        if let Some(changes) = changes(cx.facts.script(id), step)
                            && !step.onbuild
                        {
                            report(cx, &Run { step, changes }, &copies, out);
                        } else {
                            copies.clear();
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

struct Copied<'g, 'a> {
    id: StepId,
    step: &'g Step<'a>,
    copy: &'g CopyStep<'a>,
    written: &'g [Written],
}

/// A RUN that does nothing but change modes and owners.
struct Run<'g, 'a> {
    step: &'g Step<'a>,
    changes: Vec<Change<'g>>,
}

/// One `chmod` or `chown`.
struct Change<'g> {
    flag: &'static str,
    value: &'g str,
    recursive: bool,
    /// Whether it is the link that changes, not what it leads to.
    on_link: bool,
    /// Absolute and clean, with whether a glob is in it.
    targets: Vec<(String, bool)>,
}

/// What a RUN changes; `None` where it does anything else, or what it names is not known.
fn changes<'g>(script: &'g Script<'_>, step: &Step<'_>) -> Option<Vec<Change<'g>>> {
    if !script.opaque.is_empty() || script.commands.is_empty() {
        return None;
    }
    let mut changes = Vec::new();
    for command in &script.commands {
        match command.program() {
            Some("set") => {}
            Some("chmod") => changes.push(change(command, step, "chmod")?),
            Some("chown") => changes.push(change(command, step, "chown")?),
            _ => return None,
        }
    }
    (!changes.is_empty()).then_some(changes)
}

fn change<'g>(command: &'g Command<'_>, step: &Step<'_>, flag: &'static str) -> Option<Change<'g>> {
    let plain = command.certain && !command.in_loop && command.opaque.is_none() && !command.substitution;
    let here = match &command.cwd {
        Cwd::Start => step.state.cwd.to_string(),
        Cwd::Path(there) if !there.starts_with('~') => path::clean(&absolute(there, &step.state.cwd)),
        _ => return None,
    };
    // `chmod -x file` takes a mode away; the letters of options are few.
    let is_option = |text: &str| {
        text.starts_with("--")
            || text
                .strip_prefix('-')
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| b"RvcfhHLP".contains(&byte)))
    };
    let args = command.args();
    let options = || args.iter().map(|word| &*word.text).filter(|text| is_option(text));
    if !plain || options().any(|option| option.starts_with("--") && option != "--recursive") {
        return None;
    }
    let short = |letter: char| options().any(|option| !option.starts_with("--") && option.contains(letter));
    let mut words = args.iter().filter(|word| !is_option(&word.text));
    let value = words.next().filter(|word| word.literal)?;
    let mut targets = Vec::new();
    for word in words {
        if !word.literal || word.text.starts_with('~') {
            return None;
        }
        targets.push((path::clean(&absolute(&word.text, &here)), word.glob));
    }
    Some(Change {
        flag,
        value: &value.text,
        recursive: short('R') || options().any(|option| option == "--recursive"),
        on_link: short('h'),
        targets,
    })
}

fn absolute(text: &str, cwd: &str) -> String {
    if text.starts_with('/') { text.to_owned() } else { format!("{cwd}/{text}") }
}

impl Change<'_> {
    /// Whether it changes something that `written` wrote.
    fn meets(&self, written: &Written) -> bool {
        self.targets.iter().any(|(target, glob)| {
            let named = match glob {
                true => written.holds(path::parent(target)) || go_match(target, &written.path) == Ok(true),
                // `chown app /app` changes the directory and none of the files in it.
                false if !self.recursive && written.kind == WrittenKind::Directory => {
                    written.holds(target) && *target != written.path
                }
                false => written.holds(target),
            };
            // What is changed in a whole directory for the sake of one file in it is another matter.
            named && (!self.recursive || written.kind != WrittenKind::File)
                || (self.recursive && written.kind != WrittenKind::File && written.is_in(target))
        })
    }

    /// Whether it changes something that the COPY of this number wrote and that none after it wrote over.
    fn is_of(&self, copied: &Copied<'_, '_>, copies: &[Copied<'_, '_>], number: usize) -> bool {
        let over = |target: &str| {
            let mut written = copies.iter().skip(number + 1).flat_map(|later| later.written);
            written.any(|written| written.kind == WrittenKind::File && written.path == target)
        };
        copied.written.iter().any(|written| self.meets(written))
            && (self.recursive || !self.targets.iter().all(|(target, glob)| !glob && over(target)))
    }

    /// Whether it changes everything that `written` wrote.
    fn covers(&self, written: &Written) -> bool {
        let fits = match written.kind {
            WrittenKind::File => !self.recursive,
            WrittenKind::Directory => self.recursive,
            WrittenKind::Unknown => true,
        };
        fits && self.targets.iter().any(|(target, glob)| !glob && written.path == *target)
    }
}

fn report(cx: &DockerfileCx<'_>, run: &Run<'_, '_>, copies: &[Copied<'_, '_>], out: &mut Sink) {
    let met: Vec<&Copied<'_, '_>> = copies
        .iter()
        .enumerate()
        .filter(|(number, copied)| run.changes.iter().any(|change| change.is_of(copied, copies, *number)))
        .map(|(_, copied)| copied)
        .collect();
    let Some(last) = met.last() else { return };
    let recursive = run.changes.iter().any(|change| change.recursive);
    let Some(first) = run.changes.first() else { return };
    let program = first.flag;
    let numbers: Vec<u32> = met.iter().map(|copied| cx.line_of(copied.id)).collect();
    let what = match cx.model().taken_files(last.id).map(|files| files.len()) {
        Some(number) if recursive && met.len() == 1 && number > 1 => format!("all {number} files"),
        _ if recursive || met.len() > 1 || several(run, last) => "files".to_owned(),
        _ => "a file".to_owned(),
    };
    let both = run.changes.iter().any(|change| change.flag != program);
    let who = if both { "`chmod` and `chown` write".to_owned() } else { format!("`{program}` writes") };
    let message = format!("{who} {what} of {} into a second layer, in a step of its own", lines(&numbers));
    let fix = fix(cx, run, copies);
    let keyword = last.step.instruction.keyword.name();
    // Of a mode git keeps only whether it may be run.
    let plain = first.value.trim_start_matches('0');
    let executable = first.flag == "chmod" && ["+x", "a+x", "u+x", "ugo+x", "755"].contains(&plain);
    let help = match &fix {
        Some(_) if both => format!("write `{keyword} --chmod=… --chown=…` and drop this RUN"),
        Some(_) => format!("write `{keyword} --{program}={}` and drop this RUN", new_value(first)),
        None => {
            let rest = if changes_more(run, &met) { "leave them out here" } else { "drop this RUN" };
            if executable && !recursive && last.copy.from == Source::Context {
                format!("set the mode where the file comes from (`git update-index --chmod=+x`) and {rest}")
            } else {
                format!("give mode and owner with the {keyword} (`--chmod`, `--chown`) and {rest}")
            }
        }
    };
    let severity = if recursive { Severity::Warning } else { Severity::Info };
    let causes = met.iter().map(|copied| {
        let message = format!("{} writes them first", code(copied.step.instruction.args.text.as_ref(), 60));
        super::Cause { place: Some(cx.place(copied.step.instruction.span)), message }
    });
    out.report(run.step.instruction.span, message).help(help).causes(causes).fix(fix).severity(severity);
}

/// Whether the RUN changes something else than what these COPYs wrote.
fn changes_more(run: &Run<'_, '_>, copies: &[&Copied<'_, '_>]) -> bool {
    let written = || copies.iter().flat_map(|copied| copied.written);
    run.changes.iter().any(|change| {
        change.targets.iter().any(|target| {
            let alone = Change { targets: vec![target.clone()], ..*change };
            !written().any(|written| alone.meets(written))
        })
    })
}

/// Whether several files of one COPY are named.
fn several(run: &Run<'_, '_>, copied: &Copied<'_, '_>) -> bool {
    let hit = |written: &&Written| run.changes.iter().any(|change| change.meets(written));
    copied.written.iter().filter(hit).count() > 1
}

/// What the flag of the COPY has to be.
fn new_value(change: &Change<'_>) -> String {
    match change.value {
        "+x" | "a+x" | "ugo+x" if change.flag == "chmod" => "755".to_owned(),
        value => value.to_owned(),
    }
}

/// Every COPY that the RUN touches is changed by it as a whole, so that the flag says the same.
fn fix(cx: &DockerfileCx<'_>, run: &Run<'_, '_>, copies: &[Copied<'_, '_>]) -> Option<Fix> {
    let instruction = run.step.instruction;
    if !instruction.comments.is_empty() || !instruction.flags.is_empty() {
        return None;
    }
    // With `-R` the RUN changes what other COPYs put there, too.
    let missed = |change: &Change<'_>, written: &Written| {
        change.recursive
            && change.targets.iter().any(|(target, _)| written.is_in(target))
            && !change.meets(written)
    };
    let all_written = || copies.iter().flat_map(|copied| copied.written);
    if run.changes.iter().any(|change| all_written().any(|written| missed(change, written))) {
        return None;
    }
    let mut fix = Fix::needs_a_look("set it with the COPY");
    let mut targets = 0;
    for (number, copied) in copies.iter().enumerate() {
        let mut flags = String::new();
        for change in &run.changes {
            if !change.is_of(copied, copies, number) {
                continue;
            }
            let whole = copied.written.iter().all(|written| change.covers(written));
            if !whole
                || copied.copy.chmod.is_some()
                || copied.copy.chown.is_some()
                || flags.contains(change.flag)
            {
                return None;
            }
            if !says_the_same(cx, copied, change) {
                return None;
            }
            flags.push_str(&format!(" --{}={}", change.flag, new_value(change)));
            targets += copied.written.len();
        }
        if flags.is_empty() {
            continue;
        }
        fix = fix.insert(cx.path(), copied.step.instruction.keyword_span.end, flags);
    }
    // Every target is one that a COPY wrote.
    let all: usize = run.changes.iter().map(|change| change.targets.len()).sum();
    if targets != all {
        return None;
    }
    fix.remove(cx.path(), cx.syntax, instruction.span.start)
}

/// Whether `--chmod` or `--chown` gives what the command gives.
fn says_the_same(cx: &DockerfileCx<'_>, copied: &Copied<'_, '_>, change: &Change<'_>) -> bool {
    if change.flag == "chown" {
        // A name alone means the user's group to chown, and the group of that number to COPY.
        let both =
            change.value.split_once(':').is_some_and(|(user, group)| !user.is_empty() && !group.is_empty());
        let numeric = change.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        return both && !change.on_link && (numeric || !copied.copy.link);
    }
    if copied.copy.link {
        return false;
    }
    if change.value.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return true;
    }
    if new_value(change) != "755" {
        return false;
    }
    // `+x` on what is 0644 or 0755 is 0755, and git knows no other modes; a download (0600) is meant to be.
    let Some(files) = cx.model().taken_files(copied.id) else { return copied.copy.from == Source::Context };
    let tree = cx.model().context().map(|context| context.visible());
    files.iter().all(|file| match tree.and_then(|tree| tree.get(file)) {
        Some(Entry::File(file)) => matches!(file.mode & 0o777, 0o644 | 0o664 | 0o755 | 0o775),
        _ => false,
    })
}
