//! A step's key in words: what [`super::key`] hashes, for people.

use super::model::Model;
use crate::graph::{
    Base, CopySourceKind, CopyStep, MountKind, MountStep, Origin, RunStep, Source, State, Step, StepId,
    StepKind,
};
use crate::source::Span;

/// One thing that a step's key turns on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingredient {
    /// Where in the Dockerfile it is decided.
    pub span: Option<Span>,
    /// What it is; `{line}` stands for the place of [`Self::span`].
    template: String,
}

impl Ingredient {
    fn new(span: Option<Span>, template: impl Into<String>) -> Self {
        Self { span, template: template.into() }
    }

    /// What it is, as a noun: `the step in line 4`, `ARG VERSION (line 2)`. `line` gives the 1-based line of a byte of the
    /// Dockerfile.
    #[must_use]
    pub fn name(&self, line: impl Fn(u32) -> u32) -> String {
        match self.span {
            Some(span) => self.template.replace("{line}", &format!("line {}", line(span.start))),
            None => self.template.clone(),
        }
    }
}

impl Model<'_> {
    /// What the key of a step turns on, the step below it first (facts §0.2, §1). Empty for a step that has no key of its
    /// own.
    #[must_use]
    pub fn ingredients(&self, id: StepId) -> Vec<Ingredient> {
        let Some(step) = self.graph.step(id) else { return Vec::new() };
        let mut parts = Vec::new();
        match &step.kind {
            StepKind::From => self.base(step, &mut parts),
            StepKind::Workdir(path) => {
                parts.extend(self.below(id, step));
                parts.push(Ingredient::new(None, format!("the path `{path}`")));
                user(&step.state, &mut parts);
            }
            StepKind::Run(run) => {
                parts.extend(self.below(id, step));
                self.run(run, step, &mut parts);
            }
            StepKind::Copy(copy) => {
                if !copy.links() {
                    parts.extend(self.below(id, step));
                }
                self.copy(copy, &mut parts);
            }
        }
        parts
    }

    fn base(&self, step: &Step<'_>, parts: &mut Vec<Ingredient>) {
        let Some(stage) = self.graph.stages.get(step.stage) else { return };
        match &stage.base {
            Base::Image(reference) => {
                parts.push(Ingredient::new(None, format!("the layers of the image `{reference}`")));
            }
            Base::Stage(parent) => parts.push(self.last_of(*parent)),
            Base::Named(name) => parts.push(Ingredient::new(None, format!("the content of `{name}`"))),
            Base::Scratch | Base::Invalid => {}
        }
    }

    /// The step below, by what it is; what it wrote does not count.
    fn below(&self, id: StepId, step: &Step<'_>) -> Option<Ingredient> {
        let steps = self.graph.steps_of(step.stage).take_while(|(other, _)| *other < id);
        // `WORKDIR /` makes no step.
        let below =
            steps.filter(|(_, step)| !matches!(&step.kind, StepKind::Workdir(path) if path == "/")).last();
        let (_, below) = below?;
        match (&below.kind, self.graph.stages.get(below.stage).map(|stage| &stage.base)) {
            (StepKind::From, Some(Base::Stage(parent))) => Some(self.last_of(*parent)),
            (StepKind::From, Some(Base::Image(reference))) => {
                let span = below.instruction.span;
                Some(Ingredient::new(Some(span), format!("the layers of the image `{reference}` ({{line}})")))
            }
            (StepKind::From, Some(Base::Scratch | Base::Invalid) | None) => None,
            _ => Some(Ingredient::new(Some(below.instruction.span), "the step in {line}")),
        }
    }

    fn last_of(&self, stage: usize) -> Ingredient {
        let span = self.graph.steps_of(stage).next_back().map(|(_, step)| step.instruction.span);
        let name = self.graph.stage_name(stage);
        Ingredient::new(span, format!("the last step of stage `{name}` ({{line}})"))
    }

    fn run(&self, run: &RunStep<'_>, step: &Step<'_>, parts: &mut Vec<Ingredient>) {
        let text = if step.instruction.heredocs.is_empty() { "" } else { " and of its heredocs" };
        parts.push(Ingredient::new(None, format!("the text of the command{text}, to the blank")));
        for variable in step.state.env.iter() {
            let (keyword, span) = match variable.origin {
                Origin::Arg(span) => ("ARG", span),
                Origin::Env(span) => ("ENV", span),
                Origin::Base => continue,
            };
            let name = &variable.name;
            parts.push(Ingredient::new(Some(span), format!("the value of {keyword} `{name}` ({{line}})")));
        }
        parts.push(Ingredient::new(None, format!("the working directory `{}`", step.state.cwd)));
        user(&step.state, parts);
        for (name, value) in [("network", &run.network), ("security", &run.security)] {
            if !value.is_empty() && value != "default" && value != "sandbox" {
                parts.push(Ingredient::new(None, format!("`--{name}={value}`")));
            }
        }
        for mount in &run.mounts {
            self.mount(mount, parts);
        }
        parts.push(Ingredient::new(None, format!("the platform `{}`", self.platform(step))));
    }

    fn platform(&self, step: &Step<'_>) -> &str {
        let stage = self.graph.stages.get(step.stage);
        stage.and_then(|stage| stage.platform.as_deref()).unwrap_or(&self.options().platform)
    }

    fn mount(&self, mount: &MountStep<'_>, parts: &mut Vec<Ingredient>) {
        let span = Some(mount.syntax.span);
        let target = &mount.target;
        match mount.kind {
            MountKind::Bind => {
                let what = self.files_of(&mount.from, &[mount.source.trim_start_matches('/').to_owned()]);
                parts.push(Ingredient::new(span, format!("the content of {what}, mounted at `{target}`")));
            }
            MountKind::Cache => {
                parts.push(Ingredient::new(
                    span,
                    format!("that a cache is mounted at `{target}`, not what is in it"),
                ));
            }
            MountKind::Secret => {
                parts.push(Ingredient::new(
                    span,
                    format!("that the secret `{}` is mounted, not its value", mount.id),
                ));
            }
            MountKind::Ssh => parts.push(Ingredient::new(span, "that an SSH agent is mounted, not its keys")),
            MountKind::Tmpfs => {
                parts.push(Ingredient::new(span, format!("that a tmpfs is mounted at `{target}`")))
            }
        }
    }

    fn copy(&self, copy: &CopyStep<'_>, parts: &mut Vec<Ingredient>) {
        let of_kind = |kind| copy.sources.iter().filter(move |source| source.kind == kind);
        let paths: Vec<String> =
            of_kind(CopySourceKind::Path).map(|source| source.text.to_string()).collect();
        if !paths.is_empty() {
            let what = self.files_of(&copy.from, &paths);
            parts.push(Ingredient::new(
                None,
                format!("the content of {what}, their modes and owners included"),
            ));
        }
        for source in of_kind(CopySourceKind::Http) {
            let how = if copy.checksum.is_some() {
                "the checksum"
            } else {
                "what the server says, or the content,"
            };
            parts.push(Ingredient::new(Some(source.span), format!("{how} of `{}`", source.text)));
        }
        for source in of_kind(CopySourceKind::Git) {
            parts.push(Ingredient::new(Some(source.span), format!("the commit of `{}`", source.text)));
        }
        if !copy.inline.is_empty() {
            parts.push(Ingredient::new(None, "the text of its heredocs"));
        }
        parts.push(Ingredient::new(None, format!("the destination `{}`", copy.dest)));
        for (name, value) in [("chown", &copy.chown), ("chmod", &copy.chmod)] {
            if let Some(value) = value {
                parts.push(Ingredient::new(None, format!("`--{name}={value}`")));
            }
        }
        for pattern in &copy.exclude {
            parts.push(Ingredient::new(None, format!("`--exclude={pattern}`")));
        }
    }

    /// What is taken, in words.
    fn files_of(&self, from: &Source, paths: &[String]) -> String {
        let whole = |path: &String| matches!(path.trim_matches('/'), "" | ".");
        let paths = if paths.iter().any(whole) {
            "all files".to_owned()
        } else {
            paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
        };
        match from {
            Source::Context => format!("{paths} of the context"),
            Source::Stage(stage) => format!("{paths} of stage `{}`", self.graph.stage_name(*stage)),
            Source::Image(reference) => format!("{paths} of the image `{reference}`"),
            Source::Named(name) => format!("{paths} of the context `{name}`"),
            Source::Empty | Source::Invalid => paths,
        }
    }
}

fn user(state: &State<'_>, parts: &mut Vec<Ingredient>) {
    let user =
        if state.user.is_empty() { "that of the base image".into() } else { format!("`{}`", state.user) };
    parts.push(Ingredient::new(None, format!("the user, {user}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;
    use crate::graph::Options;

    fn names(text: &str, line: u32) -> Vec<String> {
        let syntax = dockerfile::parse(text);
        let model = Model::new(&syntax, Options::default(), None);
        let lines = crate::source::LineIndex::new(text);
        let at = |offset| lines.line(offset);
        let found = model.graph.all_steps().find(|(_, step)| at(step.instruction.span.start) == line);
        model.ingredients(found.unwrap().0).iter().map(|part| part.name(at)).collect()
    }

    const TEXT: &str = "ARG GLOBAL=1\nFROM alpine:3 AS base\nARG V=1\nENV A=b\nUSER app\nWORKDIR /w\n\
        COPY --chown=app a b/ ./\nRUN --mount=type=cache,target=/c --mount=type=bind,source=x,target=y make\n\
        FROM base\nCOPY --link --from=base /out /\nADD https://example.org/f.tgz /\nRUN <<EOF\nx\nEOF\n";

    #[test]
    fn a_run_turns_on_its_text_its_environment_and_what_lies_below() {
        assert_eq!(
            names(TEXT, 8),
            [
                "the step in line 7",
                "the text of the command, to the blank",
                "the value of ARG `V` (line 3)",
                "the value of ENV `A` (line 4)",
                "the working directory `/w`",
                "the user, `app`",
                "that a cache is mounted at `/c`, not what is in it",
                "the content of `x` of the context, mounted at `/w/y`",
                "the platform `linux/amd64`",
            ]
        );
        let last = names(TEXT, 12);
        assert_eq!(last[0], "the step in line 11");
        assert_eq!(last[1], "the text of the command and of its heredocs, to the blank");
        assert!(last.contains(&"the value of ARG `V` (line 3)".to_owned()), "inherited from stage base");
    }

    #[test]
    fn a_copy_turns_on_content_and_destination() {
        assert_eq!(
            names(TEXT, 7),
            [
                "the step in line 6",
                "the content of `a`, `b/` of the context, their modes and owners included",
                "the destination `/w/`",
                "`--chown=app`",
            ]
        );
        assert_eq!(
            names(TEXT, 10),
            ["the content of `/out` of stage `base`, their modes and owners included", "the destination `/`"],
            "--link does not turn on what lies below"
        );
        assert!(names(TEXT, 11)[1].starts_with("what the server says"));
    }

    #[test]
    fn a_stage_turns_on_its_base() {
        assert_eq!(names(TEXT, 2), ["the layers of the image `alpine:3`"]);
        assert_eq!(names(TEXT, 9), ["the last step of stage `base` (line 8)"]);
        assert_eq!(names(TEXT, 6)[0], "the layers of the image `alpine:3` (line 2)");
    }
}
