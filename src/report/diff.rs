//! Unified diffs.

use similar::TextDiff;

/// The change of the file `path` from `old` to `new` as a patch that `git apply` and `patch -p1` take; `old` is `None`
/// for a file that comes to be. Empty where nothing changed.
#[must_use]
pub fn unified(path: &str, old: Option<&str>, new: &str) -> String {
    let before = if old.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
    let diff = TextDiff::from_lines(old.unwrap_or(""), new);
    diff.unified_diff().context_radius(3).header(&before, &format!("b/{path}")).to_string()
}

/// The changed lines with their signs, and `around` lines of context on either side: `(sign, line)`, the sign being
/// `-`, `+` or a blank.
pub(super) fn lines(old: &str, new: &str, around: usize) -> Vec<(char, String)> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(around).iter().enumerate() {
        if index > 0 {
            lines.push((' ', "…".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
                similar::ChangeTag::Equal => ' ',
            };
            lines.push((sign, change.value().trim_end_matches(['\n', '\r']).to_owned()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_of_a_change_and_of_a_new_file() {
        assert_eq!(
            unified("Dockerfile", Some("FROM a\nRUN x\n"), "FROM a\nRUN y\n"),
            "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n FROM a\n-RUN x\n+RUN y\n"
        );
        assert_eq!(
            unified(".dockerignore", None, ".git\n"),
            "--- /dev/null\n+++ b/.dockerignore\n@@ -0,0 +1 @@\n+.git\n"
        );
        assert_eq!(unified("x", Some("a\n"), "a\n"), "");
    }

    #[test]
    fn a_missing_newline_at_the_end_is_said() {
        let patch = unified("x", Some("a"), "b");
        assert_eq!(
            patch,
            "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
        );
    }
}
