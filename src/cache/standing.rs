//! Which context file stands at a path of the file system when a step runs.

use super::model::Model;
use super::written::{Written, WrittenKind};
use crate::context::{Entry, path};
use crate::graph::{Base, MountKind, MountStep, Source, StepId, StepKind};

/// What is known of a path of the file system that a step finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This file of the context.
    Context(String),
    /// Nothing: its directory was copied from the context, which has no such file.
    Nothing,
    /// It may be anything.
    Unknown,
}

/// How deep `COPY --from` of `COPY --from` … is followed.
const MAX_NESTING: usize = 16;

impl Model<'_> {
    /// What stands at `place`, absolute and clean, when `step` runs. RUNs are taken not to write over what was copied; that
    /// is true of manifests and sources, and no cache key rests on it.
    #[must_use]
    pub fn standing(&self, step: StepId, place: &str) -> Standing {
        let Some(found) = self.graph.step(step) else { return Standing::Unknown };
        if let StepKind::Run(run) = &found.kind {
            for mount in run.mounts.iter().filter(|mount| mount.kind == MountKind::Bind) {
                if let Some(standing) = self.mounted(mount, place) {
                    return standing;
                }
            }
        }
        self.standing_in(found.stage, Some(step), place, 0)
    }

    fn mounted(&self, mount: &MountStep<'_>, place: &str) -> Option<Standing> {
        let rest = below(place, &mount.target)?;
        let inner = path::below_root(&format!("{}/{rest}", mount.source));
        Some(match mount.from {
            Source::Context => match self.context_has(&inner) {
                Some(true) => Standing::Context(inner),
                Some(false) => Standing::Nothing,
                None => Standing::Unknown,
            },
            Source::Stage(stage) => self.standing_in(stage, None, &format!("/{inner}"), 1),
            _ => Standing::Unknown,
        })
    }

    fn standing_in(&self, stage: usize, before: Option<StepId>, place: &str, nesting: usize) -> Standing {
        if nesting > MAX_NESTING {
            return Standing::Unknown;
        }
        let graph = &self.graph;
        let mut beside = false;
        for (id, step) in
            graph.steps_of(stage).rev().filter(|(id, _)| before.is_none_or(|before| *id < before))
        {
            if !self.visit(1) {
                return Standing::Unknown;
            }
            let StepKind::Copy(copy) = &step.kind else { continue };
            let own = self.writes(id);
            for written in own.iter().rev().filter(|written| written.holds(place)) {
                match self.taken(written, &copy.from, place, nesting) {
                    Standing::Nothing => beside = true,
                    found => return found,
                }
            }
            beside |= copy.from == Source::Context
                && own.iter().any(|written| path::parent(&written.path) == path::parent(place));
        }
        match graph.stages.get(stage).map(|stage| &stage.base) {
            Some(Base::Stage(parent)) if *parent < stage => {
                match self.standing_in(*parent, None, place, nesting + 1) {
                    Standing::Unknown if beside => Standing::Nothing,
                    found => found,
                }
            }
            _ if beside && self.context().is_some() => Standing::Nothing,
            _ => Standing::Unknown,
        }
    }

    /// What a copy put at `place`.
    fn taken(&self, written: &Written, from: &Source, place: &str, nesting: usize) -> Standing {
        if written.source.is_none() {
            return Standing::Unknown;
        }
        let rest = below(place, &written.path).unwrap_or("");
        let inner = path::below_root(&format!("{}/{rest}", written.taken));
        match from {
            Source::Context => match self.context_has(&inner) {
                Some(true) => Standing::Context(inner),
                Some(false) if written.kind != WrittenKind::Unknown => Standing::Nothing,
                _ => Standing::Unknown,
            },
            Source::Stage(stage) => self.standing_in(*stage, None, &format!("/{inner}"), nesting + 1),
            _ => Standing::Unknown,
        }
    }

    /// Whether the context has a file there; `None` where its files are not known.
    fn context_has(&self, file: &str) -> Option<bool> {
        let tree = self.context()?.visible();
        let place = tree.resolve(file, true)?;
        Some(matches!(tree.get(&place), Some(Entry::File(_))))
    }
}

/// The rest of `place` below `directory`, or the empty text for the directory itself.
fn below<'p>(place: &'p str, directory: &str) -> Option<&'p str> {
    match directory {
        "/" => place.strip_prefix('/'),
        _ if place == directory => Some(""),
        _ => place.strip_prefix(directory)?.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{ContentId, Context, Ignore, Tree};
    use crate::dockerfile::parse;
    use crate::graph::Options;
    use std::sync::Arc;

    fn standing(text: &str, place: &str) -> Standing {
        let dockerfile = parse(text);
        let files = ["package.json", "src/a.js", "web/package.json", "Dockerfile"];
        let entry = || Entry::file(ContentId::of_bytes(b""), false);
        let tree: Tree = files.iter().map(|path| (*path, entry())).collect();
        let context = Arc::new(Context::new(tree, Ignore::parse("Dockerfile")));
        let model = Model::new(&dockerfile, Options::default(), Some(context));
        let last = model.graph.all_steps().next_back().unwrap().0;
        model.standing(last, place)
    }

    #[test]
    fn files_are_followed_through_copies_stages_and_mounts() {
        let is = |text: &str, place: &str, file: &str| {
            assert_eq!(standing(text, place), Standing::Context(file.to_owned()), "{text}");
        };
        is("FROM a\nWORKDIR /app\nCOPY . .\nRUN x\n", "/app/package.json", "package.json");
        is("FROM a\nCOPY web/package*.json /app/\nRUN x\n", "/app/package.json", "web/package.json");
        is(
            "FROM a\nCOPY web /srv\nFROM b\nCOPY --from=0 /srv /app\nRUN x\n",
            "/app/package.json",
            "web/package.json",
        );
        is("FROM a AS s\nCOPY web/package.json /p.json\nFROM s\nRUN x\n", "/p.json", "web/package.json");
        is("FROM a\nRUN --mount=type=bind,target=/src x\n", "/src/web/package.json", "web/package.json");
        is(
            "FROM a\nWORKDIR /app\nCOPY --parents web/package.json ./\nRUN x\n",
            "/app/web/package.json",
            "web/package.json",
        );
    }

    #[test]
    fn what_is_not_copied_is_known_only_beside_what_is() {
        assert_eq!(standing("FROM a\nCOPY . /app\nRUN x\n", "/app/Dockerfile"), Standing::Nothing);
        assert_eq!(standing("FROM a\nCOPY package.json /app/\nRUN x\n", "/app/yarn.lock"), Standing::Nothing);
        assert_eq!(standing("FROM a\nCOPY . /app\nRUN x\n", "/srv/package.json"), Standing::Unknown);
        assert_eq!(standing("FROM a\nCOPY --from=b /x /app\nRUN x\n", "/app/y"), Standing::Unknown);
    }
}
