//! What readers are given beside their own text: other files of the project, by path; and paths among them.

use super::yaml::ParseError;

/// Looks up the text of another file by its path relative to the project's root (`ci/build.yml`); `None` where there is
/// none.
pub type Files<'f> = &'f (dyn Fn(&str) -> Option<&'f str> + 'f);

/// Why a file gives no builds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// 1-based line, where it is known.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl From<ParseError> for ReadError {
    fn from(error: ParseError) -> Self {
        Self { line: Some(error.line), message: error.message }
    }
}

/// `path` as seen from the directory `base`, both relative to the project's root, `""` being the root: `.` and `..` are
/// resolved. `None` where it leaves the project (an absolute path, too many `..`).
#[must_use]
pub fn join(base: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The directory of a file, `""` for the root.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_project() {
        assert_eq!(join("", ".").as_deref(), Some(""));
        assert_eq!(join("a/b", "../c/./d/").as_deref(), Some("a/c/d"));
        assert_eq!(join("a", "../.."), None);
        assert_eq!(join("a", "/b"), None);
        assert_eq!(parent("a/b.yml"), "a");
        assert_eq!(parent("b.yml"), "");
    }
}
