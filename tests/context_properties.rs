//! What holds of contexts whatever the ignore file and the paths are.

use hitrate::context::{
    Change, ContentId, Context, CopySelection, Entry, Ignore, Pattern, Tree, go_match, path, select,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Paths out of few names, so that patterns meet them.
fn a_path() -> impl Strategy<Value = String> {
    vec(prop::sample::select(vec!["a", "b", "ab", "a.c", "-", "é"]), 1..4).prop_map(|parts| parts.join("/"))
}

fn a_pattern() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", "ab", "*", "**", "?", "/", "/", ".", "[ab]", "[^a]", "\\*", "!", "..", "é", "^", "-", " ",
    ]);
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn an_ignore_file() -> impl Strategy<Value = String> {
    vec(a_pattern(), 0..6).prop_map(|lines| lines.join("\n"))
}

fn a_tree() -> impl Strategy<Value = Vec<String>> {
    vec(a_path(), 0..12)
}

fn tree(paths: &[String]) -> Tree {
    let entry = |path: &String| Entry::file(ContentId::of_bytes(path.as_bytes()), false);
    paths.iter().map(|path| (path, entry(path))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text: String, path: String, other: String) {
        let ignore = Ignore::parse(&text);
        let _ = ignore.decide(&path);
        let _ = (go_match(&text, &path), Pattern::new(&text), path::clean(&path));
        let mut tree = Tree::default();
        tree.insert(&path, Entry::Symlink { target: other.as_str().into() });
        let _ = tree.resolve(&other, true);
        let selection = CopySelection { exclude: vec![text], parents: path.len() % 2 == 0, ..CopySelection::of(&other) };
        let _ = select::digest(&tree, &selection);
    }

    /// The filtered tree and the decision on one path are two ways to the same answer.
    #[test]
    fn a_file_is_seen_exactly_where_it_is_not_ignored(text in an_ignore_file(), paths in a_tree()) {
        let context = Context::new(tree(&paths), Ignore::parse(&text));
        for path in context.tree().files("") {
            prop_assert_eq!(context.sees(&path), !context.ignore().decide(&path).ignored, "{}", path);
        }
    }

    #[test]
    fn a_change_by_steps_is_the_changed_context(
        text in an_ignore_file(), paths in a_tree(), changed in a_path(), to in a_path()
    ) {
        let new = Entry::file(ContentId::of_bytes(b"new"), true);
        for change in [
            Change::Edit(changed.clone()),
            Change::Chmod(changed.clone(), 0o600),
            Change::Write(changed.clone(), new),
            Change::Remove(changed.clone()),
            Change::Rename(changed.clone(), to.clone()),
        ] {
            let context = Context::new(tree(&paths), Ignore::parse(&text)).changed(std::slice::from_ref(&change));
            let again = Context::new(context.tree().clone(), context.ignore().clone());
            prop_assert!(context.visible() == again.visible(), "{:?}", change);
        }
    }

    /// An edit changes the digest of a source exactly where the source takes the file.
    #[test]
    fn a_digest_changes_exactly_with_the_files_taken(
        text in an_ignore_file(), paths in a_tree(), source in a_pattern(), exclude in a_pattern(), parents: bool
    ) {
        let context = Context::new(tree(&paths), Ignore::parse(&text));
        let selection = CopySelection { exclude: vec![exclude], parents, ..CopySelection::of(&source) };
        if let Ok(before) = select::digest(context.visible(), &selection) {
            let taken = select::files(context.visible(), &selection, &source).unwrap_or_default();
            for path in context.visible().files("") {
                let after = context.changed(&[Change::Edit(path.clone())]);
                let changed = select::digest(after.visible(), &selection) != Ok(before);
                prop_assert_eq!(changed, taken.contains(&path), "{}", path);
            }
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(mut paths in a_tree()) {
        // Of a file and a directory of one name the later stays, so such lists are no order of one tree.
        let all = paths.clone();
        paths.retain(|path| !all.iter().any(|other| other.starts_with(&format!("{path}/"))));
        let one = tree(&paths);
        paths.reverse();
        prop_assert!(one == tree(&paths));
    }
}
