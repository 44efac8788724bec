//! What was found before, so that after a change only what it concerns is looked at again.

use super::join;
use crate::builds::Build;
use crate::project::{FileError, Project};
use crate::rules::Finding;
use crate::settings::Settings;
use crate::source::SourceFile;
use std::collections::BTreeMap;
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
}

impl Memory {
    /// What still holds in `project` under `settings`: all or nothing, as what rules see beside the text of a Dockerfile is
    /// as it was or not.
    pub(super) fn recall(&self, project: &Project, settings: &Arc<Settings>) -> Recall<'_> {
        Recall(self.0.as_ref().filter(|last| {
            Arc::ptr_eq(&last.settings, settings) && last.project.has_surroundings_of(project)
        }))
    }

    /// Replaces what was known.
    pub(super) fn learn(&mut self, project: &Project, settings: &Arc<Settings>, learnt: Learnt) {
        let (project, settings) = (project.clone(), Arc::clone(settings));
        let looked = learnt.looked.into_iter().collect();
        self.0 = Some(Last { project, settings, builds: learnt.builds, looked });
    }
}

/// What still holds of a [`Memory`].
#[derive(Clone, Copy)]
pub(super) struct Recall<'m>(Option<&'m Last>);

impl<'m> Recall<'m> {
    pub(super) const NOTHING: Self = Self(None);

    /// What is known of `file`, if its text is the same.
    pub(super) fn of(self, file: &SourceFile) -> Option<&'m Looked> {
        let last = self.0?;
        let before = last.project.dockerfile(&file.path)?;
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
