//! What the commands of every RUN do with the tools that are known, worked out once per Dockerfile: the bridge from the
//! graph's steps to `tools`.

use super::DockerfileCx;
use super::places;
use crate::graph::{Base, Step, StepId};
use crate::shell::{Command, Script};
use crate::tools::{
    BaseImage, CacheDir, Candidates, Clearing, Defeat, Environment, File, Inner, Kind, Memory, Missing,
    Needs, Row, Tool, User,
};

/// What the commands of one RUN do.
#[derive(Debug, Default)]
pub struct RunUses<'a> {
    /// The commands that use a tool, in order.
    pub tools: Vec<ToolUse<'a>>,
    /// The commands that remove files or empty a tool's caches, in order: number in the script, what goes.
    pub cleared: Vec<(usize, Clearing<'a>)>,
    /// Whether a part of the RUN cannot be known (`curl … | sh`, `eval`, `./setup.sh`).
    pub opaque: bool,
}

/// One command that uses a tool.
#[derive(Debug)]
pub struct ToolUse<'a> {
    /// Number of the command in the RUN's script.
    pub command: usize,
    /// The tool.
    pub tool: &'a Tool,
    /// What its data says of this command.
    pub row: &'a Row,
    /// What it does.
    pub kind: Kind,
    /// What it reads of the build context.
    pub needs: Needs,
    /// The directory in which it works, absolute; `None` where it is not known or there are several.
    pub directory: Option<String>,
    /// Manifests named on the command line.
    pub named: Vec<String>,
    /// Project scripts that run with it; `None` where the manifest is not known.
    pub scripts: Option<Vec<String>>,
    /// Whether it is certain that this tool is meant.
    pub sure: bool,
    /// Other tools of the same executable that it may be.
    pub rivals: Vec<&'a Tool>,
    /// Who runs it.
    pub user: User,
    /// The cache directories in force.
    pub caches: Vec<CacheDir<'a>>,
    /// What empties or bypasses them on its command line and in what is in force.
    pub defeats: Vec<Defeat<'a>>,
    /// What a mount on them needs beside it.
    pub missing: Vec<Missing<'a>>,
    /// What its script of the project runs (`npm run build`), where that is known.
    pub inner: Vec<Inner<'a>>,
}

impl<'a> DockerfileCx<'a> {
    /// What the commands of the RUN `step` do with the tools that are known. Empty for any other step, for stages that the
    /// target does not reach, and for Windows.
    #[must_use]
    pub fn uses(&self, step: StepId) -> &'a RunUses<'a> {
        static NONE: RunUses<'static> = RunUses { tools: Vec::new(), cleared: Vec::new(), opaque: false };
        let all = self.facts.uses(|| compute(self));
        all.get(step.index()).unwrap_or(&NONE)
    }

    /// Every RUN that the target reaches, in file order, with its commands and what they do.
    pub fn run_uses(&self) -> impl Iterator<Item = (StepId, &'a Step<'a>, &'a Script<'a>, &'a RunUses<'a>)> {
        let cx = *self;
        self.facts.runs().map(move |(id, step, script)| (id, step, script, cx.uses(id)))
    }
}

fn compute<'a>(cx: &DockerfileCx<'a>) -> Vec<RunUses<'a>> {
    let graph = cx.graph();
    let mut all: Vec<RunUses<'a>> = graph.steps.iter().map(|_| RunUses::default()).collect();
    let mut memories: Vec<Memory> = Vec::with_capacity(graph.stages.len());
    // What a stage of Windows is copied from is Windows too, unless its platform is said.
    let for_windows = (0..graph.stages.len()).any(|stage| graph.base_image(stage).is_some_and(is_windows));
    for (index, stage) in graph.stages.iter().enumerate() {
        let mut memory = match &stage.base {
            Base::Stage(parent) => memories.get(*parent).cloned().unwrap_or_default(),
            _ => Memory::default(),
        };
        let image = graph.base_image(index);
        let windows = stage.platform.as_deref().is_some_and(|platform| platform.starts_with("windows"))
            || image.is_some_and(is_windows)
            || for_windows && stage.platform.is_none();
        if !windows && graph.reachable.get(index).copied().unwrap_or(false) {
            let image = image.map(BaseImage::from);
            for (id, step) in graph.steps_of(index) {
                let found = of_step(cx, id, step, image, &mut memory);
                if let Some(slot) = all.get_mut(id.index()) {
                    *slot = found;
                }
            }
        }
        memories.push(memory);
    }
    all
}

fn is_windows(image: &str) -> bool {
    let (name, _) = image.split_once(['@', ':']).unwrap_or((image, ""));
    ["windows/", "nanoserver", "servercore", "dotnet/framework/"].iter().any(|part| image.contains(part))
        || name.ends_with("-windows")
}

fn of_step<'a>(
    cx: &DockerfileCx<'a>,
    id: StepId,
    step: &'a Step<'a>,
    image: Option<BaseImage<'_>>,
    memory: &mut Memory,
) -> RunUses<'a> {
    let script: &'a Script<'a> = cx.facts.script(id);
    let mut found = RunUses { opaque: !script.opaque.is_empty(), ..RunUses::default() };
    let variables = |name: &str| step.state.get(name).map(|variable| variable.value.to_string());
    let files = |path: &str| match places::context_file(cx, id, path) {
        Some(Some(inside)) => {
            cx.context_text(&inside).map_or(File::Unknown, |file| File::Text(file.text.as_str().into()))
        }
        Some(None) => File::Absent,
        None => File::Unknown,
    };
    let environment = Environment {
        variables: Some(&variables),
        user: &step.state.user,
        cwd: &step.state.cwd,
        image,
        script: Some(script),
        memory: None,
        files: Some(&files),
    };
    for (number, command) in script.commands.iter().enumerate() {
        found.opaque |= command.opaque.is_some();
        let candidates = cx.settings.tools().candidates_of(command);
        let before = Environment { memory: Some(memory), ..environment };
        of_command(cx, (number, command), &candidates, &before, &mut found);
        let removals = match found.cleared.last() {
            Some((last, Clearing::Paths(removals))) if *last == number => removals.as_slice(),
            _ => &[],
        };
        memory.observe(&candidates, command, &environment, removals);
    }
    found
}

fn of_command<'a, 'e>(
    cx: &DockerfileCx<'a>,
    (number, command): (usize, &'e Command<'e>),
    candidates: &Candidates<'a>,
    environment: &'e Environment<'e>,
    found: &mut RunUses<'a>,
) {
    let catalog = cx.settings.tools();
    found.cleared.extend(candidates.clearing(command, environment).map(|clearing| (number, clearing)));
    let Some(used) = catalog.recognise_among(candidates.clone(), command, environment) else { return };
    found.tools.push(ToolUse {
        command: number,
        tool: used.tool,
        row: used.row,
        kind: used.kind,
        needs: used.needs,
        user: environment.user(command),
        caches: catalog.caches(&used, environment),
        defeats: catalog.defeats(&used, environment),
        missing: catalog.missing_companions(&used),
        inner: catalog.script(&used, environment),
        sure: used.sure,
        directory: used.directory,
        named: used.named,
        scripts: used.scripts,
        rivals: used.rivals,
    });
}
