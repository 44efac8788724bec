//! The files of a project by path: rules ask for ten times as many as there are.

use crate::source::SourceFile;
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// Made when first asked for. A copy of a project may get other files, so a copy of this is empty.
#[derive(Debug, Default)]
pub(super) struct Index(OnceLock<FxHashMap<Arc<str>, Arc<SourceFile>>>);

impl Clone for Index {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Index {
    /// The file at `path` of the first of `lists` that has one.
    pub(super) fn get(&self, path: &str, lists: [&[Arc<SourceFile>]; 3]) -> Option<&Arc<SourceFile>> {
        let make = || {
            let mut files = FxHashMap::default();
            for file in lists.into_iter().flatten() {
                files.entry(Arc::clone(&file.path)).or_insert_with(|| Arc::clone(file));
            }
            files
        };
        self.0.get_or_init(make).get(path)
    }
}

#[cfg(test)]
mod tests {
    use crate::project::Project;

    #[test]
    fn a_copy_with_other_texts_knows_them() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let project = Project::in_memory([file("Dockerfile", "FROM a"), file("b/Dockerfile", "FROM b")]);
        let text = |project: &Project, path: &str| project.file(path).map(|file| file.text.clone());
        assert_eq!(text(&project, "b/Dockerfile").as_deref(), Some("FROM b"));
        assert_eq!(text(&project, "c/Dockerfile"), None);
        let other = project.with_texts([("b/Dockerfile", "FROM x"), ("c/Dockerfile", "FROM c")], None);
        assert_eq!(text(&other, "b/Dockerfile").as_deref(), Some("FROM x"));
        assert_eq!(text(&other, "c/Dockerfile").as_deref(), Some("FROM c"));
        let both = Project::in_memory([file("d/Dockerfile", "FROM d")]).surrounded(other);
        let known = ["b/Dockerfile", "c/Dockerfile", "d/Dockerfile"].map(|path| text(&both, path).is_some());
        assert_eq!(known, [true; 3]);
    }
}
