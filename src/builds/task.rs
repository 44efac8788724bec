//! Taskfiles: the commands of every task as scripts, with the variables of the file and of the task.

use super::command::{ScriptEnv, may_build, names_builder};
use super::yaml::{self, Node};
use super::{Build, Files, Placed, ReadError, System, Vars, braces, join, parent};

/// The builds that the tasks of a Taskfile start. A task runs in its `dir`, relative to the Taskfile.
///
/// # Errors
/// Where the file is not YAML.
pub fn read(path: &str, text: &str, files: Files<'_>) -> Result<Vec<Build>, ReadError> {
    if !names_builder(text) {
        return Ok(Vec::new());
    }
    let Some(root) = yaml::parse(text)? else { return Ok(Vec::new()) };
    let mut env = ScriptEnv::new(path, System::Task);
    let mut file = Taskfile::new(path, text, &root, &mut env, files);
    for entry in root.get("tasks").map(|tasks| tasks.entries()).unwrap_or_default() {
        let Some(name) = entry.name() else { continue };
        let mut env = env.clone();
        env.job = format!("{path}:{name}");
        file.run(name, &entry.value, &mut env);
    }
    Ok(file.out)
}

/// The builds that `task NAME` starts: those of the task and of the tasks that it runs.
pub(super) fn called(path: &str, text: &str, name: &str, mut env: ScriptEnv, files: Files<'_>) -> Vec<Build> {
    let Ok(Some(root)) = yaml::parse(text) else { return Vec::new() };
    let mut file = Taskfile::new(path, text, &root, &mut env, files);
    let mut order = Vec::new();
    needed(&root, name, &mut order, 0);
    for (name, task) in order {
        file.run(name, task, &mut env);
    }
    file.out
}

/// Appends the tasks that one runs, and itself after them.
fn needed<'n>(root: &'n Node<'_>, name: &'n str, order: &mut Vec<(&'n str, &'n Node<'n>)>, depth: u32) {
    let Some(task) = root.at(&["tasks", name]) else { return };
    if depth > 32 || order.iter().any(|(known, _)| *known == name) {
        return;
    }
    let of = |item: &'n Node<'n>| item.get("task").map_or(item, |task| &**task).str();
    let deps = task.get("deps").map(|deps| deps.items()).unwrap_or_default();
    let cmds = task.get("cmds").map(|cmds| cmds.items()).unwrap_or_default();
    let cmds = cmds.iter().filter(|item| item.get("task").is_some());
    for need in deps.iter().chain(cmds).filter_map(|item| of(item)) {
        needed(root, need, order, depth + 1);
    }
    order.push((name, task));
}

/// What the tasks of a file have in common.
struct Taskfile<'t, 'f> {
    path: &'t str,
    text: &'t str,
    vars: Vars,
    files: Files<'f>,
    out: Vec<Build>,
}

impl<'t, 'f> Taskfile<'t, 'f> {
    fn new(path: &'t str, text: &'t str, root: &Node<'_>, env: &mut ScriptEnv, files: Files<'f>) -> Self {
        let mut vars = Vars::default();
        define(root.get("vars"), &mut vars, None);
        environment(root.get("env"), &vars, &mut env.vars);
        Self { path, text, vars, files, out: Vec::new() }
    }

    /// Runs one task in `env`, which keeps the builders that it makes.
    fn run(&mut self, name: &str, task: &Node<'_>, env: &mut ScriptEnv) {
        let mut own = self.vars.clone();
        let mut task_env = env.clone();
        define(task.get("vars"), &mut own, None);
        environment(task.get("env"), &own, &mut task_env.vars);
        task_env.name = vec![name.to_owned()];
        let directory = task.get("dir").and_then(|dir| dir.str()).map(|dir| own.value_or_default(dir));
        task_env.cwd = match &directory {
            None => Some(parent(self.path).to_owned()),
            Some(dir) => dir.known().and_then(|dir| join(parent(self.path), dir)),
        };
        for command in commands(task) {
            let Some(joined) = command.text() else { continue };
            if !may_build(&joined.text) && !joined.text.contains("{{") {
                continue;
            }
            let mut line = task_env.clone();
            braces::read(self.text, joined, &own, &mut line, self.files, &mut self.out);
            (task_env.builder, task_env.builders) = (line.builder, line.builders);
            task_env.pulled = line.pulled;
        }
        (env.builder, env.builders, env.pulled) = (task_env.builder, task_env.builders, task_env.pulled);
    }
}

/// The commands of a task: `task: command`, `task: [command, …]`, `cmd`, `cmds` with `cmd` and `defer`.
fn commands<'n, 'a>(task: &'n Node<'a>) -> Vec<&'n Node<'a>> {
    if task.str().is_some() {
        return vec![task];
    }
    let list = if task.is_seq() { Some(task) } else { task.get("cmds").map(|cmds| &**cmds) };
    let mut out: Vec<&Node<'_>> = task.get("cmd").map(|cmd| &**cmd).into_iter().collect();
    for item in list.map(Node::items).unwrap_or_default() {
        match item.get("cmd").or_else(|| item.get("defer")) {
            Some(command) => out.push(command),
            None => out.push(item),
        }
    }
    if let Some(only) = list.filter(|list| list.str().is_some()) {
        out.push(only);
    }
    out
}

/// `NAME: value` or `NAME: {sh: command}`.
fn define(section: Option<&std::sync::Arc<Node<'_>>>, vars: &mut Vars, only: Option<&str>) {
    for entry in section.map(|section| section.entries()).unwrap_or_default() {
        let Some(name) = entry.name().filter(|name| only.is_none_or(|only| only == *name)) else { continue };
        if let Some(value) = entry.value.text() {
            vars.set(name, &Placed::joined(value));
        } else if let Some(command) = entry.value.get("sh").and_then(|command| command.str()) {
            vars.set(name, &Placed::whole(format!("$({command})"), entry.value.span));
        }
    }
}

/// `env`, with the Taskfile's own variables in it filled.
fn environment(section: Option<&std::sync::Arc<Node<'_>>>, vars: &Vars, env: &mut Vars) {
    let mut all = vars.clone();
    define(section, &mut all, None);
    for entry in section.map(|section| section.entries()).unwrap_or_default() {
        if let Some(name) = entry.name()
            && let Some(var) = all.get(name)
        {
            env.put(name, var.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::{ContextSource, Value, Volatility};

    #[test]
    fn tasks_with_their_variables_and_directories() {
        let text = "version: '3'\nvars:\n  IMAGE: r/app\n  SHA: {sh: git rev-parse HEAD}\nenv:\n  DOCKER_BUILDKIT: '0'\ntasks:\n  build:\n    dir: svc\n    vars: {T: run}\n    cmds:\n      - echo\n      - cmd: docker build --target {{.T}} -t {{.IMAGE}}:{{.SHA}} .\n      - task: other\n  short: docker buildx build -t \"{{.IMAGE}}\" -f {{.TASKFILE_DIR}}/x/Dockerfile .\n";
        let builds = read("d/Taskfile.yml", text, &|_| None).unwrap();
        assert_eq!(builds.len(), 2);
        let build = &builds[0];
        assert_eq!(build.context.value, ContextSource::Path("d/svc".into()));
        assert_eq!(build.target.as_ref().unwrap().value, Value::Known("run".into()));
        assert_eq!(build.target.as_ref().unwrap().span.of(text), "{{.T}}");
        let tag = &build.tags[0].value;
        assert_eq!((tag.text(), tag.volatility()), ("r/app:$(git rev-parse HEAD)", Volatility::PerCommit));
        assert_eq!(build.builder.legacy.unwrap().of(text), "'0'".trim_matches('\''));
        assert_eq!(builds[1].tags[0].span.of(text), "{{.IMAGE}}");
    }
}
