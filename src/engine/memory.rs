//! What was found before, so that after a change only what it concerns is looked at again.

use super::join;
use crate::builds::Build;
use crate::project::{FileError, Project};
use crate::rules::Finding;
use crate::settings::Settings;
use crate::source::SourceFile;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the rules for single Dockerfiles found in one, before configuration and suppression; or why it could not be
/// looked at.
pub(super) type Looked = Result<Vec<Finding>, FileError>;

/// The builds of a project.
#[derive(Debug, Default)]
pub(super) struct Builds {
    pub(super) found: Vec<Build>,
    /// The files that could not be read.
    pub(super) unread: Vec<FileError>,
}

/// What one analysis leaves to the next.
pub(super) struct Learnt {
    pub(super) builds: Arc<Builds>,
    pub(super) looked: Vec<(Arc<str>, Looked)>,
    /// The Dockerfiles of which something was said that rests on others.
    pub(super) shared: BTreeSet<Arc<str>>,
}

/// The last analysis of a project that changes a little at a time.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<Last>);

#[derive(Clone, Debug)]
struct Last {
    project: Project,
    settings: Arc<Settings>,
    builds: Arc<Builds>,
    looked: BTreeMap<Arc<str>, Looked>,
    shared: BTreeSet<Arc<str>>,
}

impl Memory {
    /// What still holds in `project` under `settings`: all or nothing, as what rules see beside the text of a Dockerfile is
    /// as it was or not.
    pub(super) fn recall(&self, project: &Project, settings: &Arc<Settings>) -> Recall<'_> {
        let last = self.0.as_ref().filter(|last| {
            Arc::ptr_eq(&last.settings, settings) && last.project.has_surroundings_of(project)
        });
        let changed = last.map_or(Changed::None, |last| {
            let pairs = last.project.dockerfiles.iter().zip(&project.dockerfiles);
            let mut changed = pairs.filter(|(old, new)| !Arc::ptr_eq(old, new) && old.text != new.text);
            match (changed.next(), changed.next()) {
                (None, _) => Changed::None,
                (Some((old, _)), None) => Changed::One(&old.path),
                _ => Changed::Several,
            }
        });
        Recall(last, changed)
    }

    /// Replaces what was known.
    pub(super) fn learn(&mut self, project: &Project, settings: &Arc<Settings>, learnt: Learnt) {
        let (project, settings) = (project.clone(), Arc::clone(settings));
        let looked = learnt.looked.into_iter().collect();
        let mut shared = learnt.shared;
        // What was remembered still rests on what it rested on.
        shared.extend(self.0.take().into_iter().flat_map(|last| last.shared));
        self.0 = Some(Last { project, settings, builds: learnt.builds, looked, shared });
    }
}

/// What still holds of a [`Memory`].
#[derive(Clone, Copy)]
pub(super) struct Recall<'m>(Option<&'m Last>, Changed<'m>);

/// The Dockerfiles whose texts are others than before.
#[derive(Clone, Copy)]
enum Changed<'m> {
    None,
    One(&'m str),
    Several,
}

impl<'m> Recall<'m> {
    pub(super) const NOTHING: Self = Self(None, Changed::None);

    /// What is known of `file`, if its text is the same.
    pub(super) fn of(self, file: &SourceFile) -> Option<&'m Looked> {
        let last = self.0?;
        let before = last.project.dockerfile(&file.path)?;
        let others_are_the_same = match self.1 {
            Changed::None => true,
            Changed::One(path) => *file.path == *path,
            Changed::Several => false,
        };
        if !others_are_the_same && last.shared.contains(&file.path) {
            return None;
        }
        last.looked.get(&file.path).filter(|_| before.text == file.text)
    }

    /// The builds of `project`, read where they are not known.
    pub(super) fn builds(self, project: &Project) -> Arc<Builds> {
        match self.0 {
            Some(last) => Arc::clone(&last.builds),
            None => {
                let (found, unread) = join::builds_of(project);
                Arc::new(Builds { found, unread })
            }
        }
    }
}
