//! What the RUNs do: the tools they call, and whether anything in them is beyond knowing.

use super::DockerfileCx;
use crate::cache::Standing;
use crate::context::path;
use crate::graph::{Base, Step, StepId, StepKind};
use crate::shell::{Command, Cwd};
use crate::tools::{Catalog, Environment, File, Kind, Memory, Needs, Tool};

/// What one RUN does.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// The commands that a tool's data knows, in order.
    pub jobs: Vec<Job>,
    /// Whether every other command is one of the small programs that every system has ([`is_plain`]), so that nothing in
    /// it is opaque.
    pub plain: bool,
}

/// One command of a known tool. [`crate::tools::Use`] with its borrows taken off.
#[derive(Clone, Debug)]
pub struct Job {
    /// Number of the command in the step's script.
    pub command: usize,
    /// The tool.
    pub tool: &'static Tool,
    /// What it does.
    pub kind: Kind,
    /// What it reads of the build context.
    pub needs: Needs,
    /// The directory in which it works, absolute; `None` where it is not known or there are several.
    pub directory: Option<String>,
    /// Manifests named on the command line, as written.
    pub named: Vec<String>,
    /// Project scripts that run with it and may read sources; `None` where the manifest is not known.
    pub scripts: Option<Vec<String>>,
    /// Whether it is certain that this tool is meant.
    pub sure: bool,
    /// Whether it runs whenever the RUN runs.
    pub certain: bool,
}

impl Job {
    /// Whether it downloads dependencies that only manifests name, and nothing of the project runs with it as far as is
    /// known.
    #[must_use]
    pub fn is_install(&self) -> bool {
        self.kind.downloads() && !self.kind.compiles() && self.needs == Needs::Manifests
    }

    /// Whether it takes time and reads nothing of the project.
    #[must_use]
    pub fn is_free(&self) -> bool {
        (self.kind.downloads() || self.kind.compiles()) && self.needs == Needs::None
    }

    /// Whether it takes time.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        self.kind.downloads() || self.kind.compiles()
    }
}

impl Work {
    /// Whether it certainly does something that takes time.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        self.jobs.iter().any(|job| job.certain && job.is_costly())
    }

    /// Whether it certainly reads no variable but those of its tools and those that its text names: installs and
    /// downloads without project scripts, and plain programs.
    #[must_use]
    pub fn ignores_variables(&self) -> bool {
        let quiet = |job: &Job| {
            job.is_costly()
                && job.needs != Needs::Sources
                && !(job.kind.compiles() && job.needs == Needs::Manifests)
                && job.scripts.as_ref().is_none_or(Vec::is_empty)
        };
        self.plain && self.jobs.iter().all(quiet)
    }
}

impl<'a> DockerfileCx<'a> {
    /// What the RUN `step` does; nothing for any other step, or one of a stage that the target does not reach.
    #[must_use]
    pub fn work(&self, step: StepId) -> &'a Work {
        static NONE: Work = Work { jobs: Vec::new(), plain: false };
        self.facts.works.get_or_init(|| works(self)).get(step.index()).unwrap_or(&NONE)
    }

    /// The command of a job.
    #[must_use]
    pub fn command(&self, step: StepId, job: &Job) -> Option<&'a Command<'a>> {
        self.facts.script(step).commands.get(job.command)
    }
}

/// The work of every step, by index. What commands leave behind for later ones is followed through the stages.
fn works(cx: &DockerfileCx<'_>) -> Vec<Work> {
    let graph = cx.graph();
    let mut works = vec![Work::default(); graph.steps.len()];
    let mut left: Vec<Memory> = Vec::with_capacity(graph.stages.len());
    for (index, stage) in graph.stages.iter().enumerate() {
        let mut memory = match &stage.base {
            Base::Stage(parent) => left.get(*parent).cloned().unwrap_or_default(),
            _ => Memory::default(),
        };
        if graph.reachable.get(index).copied().unwrap_or(false) {
            let image = graph.base_image(index);
            for (id, step) in graph.steps_of(index).filter(|(_, step)| matches!(step.kind, StepKind::Run(_)))
            {
                if let Some(slot) = works.get_mut(id.index()) {
                    *slot = work(cx, id, step, image, &mut memory);
                }
            }
        }
        left.push(memory);
    }
    works
}

fn work(
    cx: &DockerfileCx<'_>,
    id: StepId,
    step: &Step<'_>,
    image: Option<&str>,
    memory: &mut Memory,
) -> Work {
    let catalog = Catalog::builtin();
    let script = cx.facts.script(id);
    let variables = |name: &str| step.state.get(name).map(|variable| variable.value.to_string());
    let files = |path: &str| match cx.model().standing(id, path) {
        Standing::Context(file) => {
            cx.context_text(&file).map_or(File::Unknown, |file| File::Text(file.text.as_str().into()))
        }
        Standing::Nothing => File::Absent,
        Standing::Unknown => File::Unknown,
    };
    let mut work = Work { jobs: Vec::new(), plain: script.opaque.is_empty() };
    for (number, command) in script.commands.iter().enumerate() {
        let own = Environment {
            variables: Some(&variables),
            user: &step.state.user,
            cwd: &step.state.cwd,
            image,
            script: Some(script),
            memory: None,
            files: Some(&files),
        };
        {
            let environment = Environment { memory: Some(&*memory), ..own };
            match catalog.recognise(command, &environment) {
                Some(found) => {
                    work.plain &= command.opaque.is_none() && found.kind != Kind::Run;
                    work.jobs.push(Job {
                        command: number,
                        tool: found.tool,
                        kind: found.kind,
                        needs: found.needs,
                        directory: found.directory.clone(),
                        named: found.named.clone(),
                        scripts: found.scripts.clone(),
                        sure: found.sure,
                        certain: command.certain,
                    });
                }
                None => work.plain &= is_plain(command),
            }
        }
        memory.observe(catalog, command, &own);
    }
    work
}

/// Programs that do what their arguments say and nothing else: no project file and no variable makes them do otherwise.
const PLAIN: &[&str] = &[
    ":",
    "[",
    "[[",
    "a2dismod",
    "a2enmod",
    "a2ensite",
    "addgroup",
    "adduser",
    "alternatives",
    "apt-mark",
    "arch",
    "b2sum",
    "base64",
    "basename",
    "bunzip2",
    "bzip2",
    "cat",
    "cd",
    "chgrp",
    "chmod",
    "chown",
    "chpasswd",
    "chsh",
    "cmp",
    "command",
    "cp",
    "cut",
    "date",
    "declare",
    "df",
    "diff",
    "dirname",
    "dpkg",
    "dpkg-architecture",
    "dpkg-query",
    "dpkg-reconfigure",
    "du",
    "echo",
    "env",
    "exit",
    "export",
    "expr",
    "false",
    "fc-cache",
    "file",
    "find",
    "getconf",
    "getent",
    "gpg",
    "gpg2",
    "gpgconf",
    "gpgv",
    "grep",
    "egrep",
    "fgrep",
    "groupadd",
    "groupmod",
    "groups",
    "gunzip",
    "gzip",
    "hash",
    "head",
    "hostname",
    "id",
    "install",
    "jq",
    "ldconfig",
    "let",
    "ln",
    "local",
    "locale-gen",
    "localedef",
    "ls",
    "lsb_release",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "nproc",
    "openssl",
    "passwd",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readlink",
    "realpath",
    "return",
    "rm",
    "rmdir",
    "rpm",
    "rpmkeys",
    "sed",
    "seq",
    "set",
    "setcap",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shasum",
    "shopt",
    "sleep",
    "sort",
    "stat",
    "strip",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "true",
    "truncate",
    "type",
    "ulimit",
    "umask",
    "uname",
    "uniq",
    "unlink",
    "unset",
    "unxz",
    "unzip",
    "update-alternatives",
    "update-ca-certificates",
    "update-ca-trust",
    "update-locale",
    "useradd",
    "userdel",
    "usermod",
    "wait",
    "wc",
    "which",
    "whoami",
    "xz",
    "yes",
    "zcat",
    "zip",
    "zstd",
    "unzstd",
    "7z",
    "7za",
    "awk",
    "gawk",
];

/// Whether a command that no tool's data knows is one of the small programs that every system has, or none at all.
#[must_use]
pub fn is_plain(command: &Command<'_>) -> bool {
    command.opaque.is_none()
        && (command.argv.is_empty() || command.program().is_some_and(|name| PLAIN.contains(&name)))
}

/// The words of a command as one text.
#[must_use]
pub fn text(command: &Command<'_>) -> String {
    command.argv.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ")
}

/// Whether a command of the RUN names a path that the COPY or ADD `copy` wrote, or may have written.
#[must_use]
pub fn touches(cx: &DockerfileCx<'_>, run: StepId, copy: StepId) -> bool {
    let Some(step) = cx.graph().step(run) else { return true };
    let written = cx.model().writes(copy);
    let named = |place: &str| written.iter().any(|written| written.holds(place) || written.is_in(place));
    let visible = cx.model().context().map(|context| context.visible());
    cx.facts.script(run).commands.iter().any(|command| {
        let here = match &command.cwd {
            Cwd::Start => step.state.cwd.to_string(),
            Cwd::Path(there) if there.starts_with('/') => there.to_string(),
            Cwd::Path(there) if !there.starts_with('~') => format!("{}/{there}", step.state.cwd),
            _ => return true,
        };
        let redirects = command.redirects.iter().map(|redirect| &redirect.target);
        command.args().iter().chain(redirects).any(|word| {
            let text = word
                .text
                .split_once('=')
                .filter(|(key, _)| key.starts_with('-'))
                .map_or(&*word.text, |(_, v)| v);
            if text.starts_with('-') || text.is_empty() || text.contains("://") {
                return false;
            }
            if !word.literal && !text.starts_with('/') && text.contains('/') {
                return true;
            }
            let absolute = text.starts_with('/');
            let place = path::clean(&if absolute { text.to_owned() } else { format!("{here}/{text}") });
            if absolute || text.contains('/') || text.starts_with('.') {
                return named(&place) && place != "/";
            }
            // A bare word is a path only if there is such a file.
            match visible {
                Some(_) => matches!(cx.model().standing(run, &place), Standing::Context(_)),
                None => text.contains('.') && named(&place),
            }
        })
    })
}
