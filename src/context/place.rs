//! Where a COPY puts what it takes (BuildKit: `solver/llbsolver/file`, `docopy`; tonistiigi/fsutil, `copy`).

use super::path::{base, below_root};
use super::select::CopySelection;
use super::tree::{Entry, Tree};

/// Copies what the one source of `selection` takes of `tree` to `dest`, as written, of `onto`. False where that cannot be
/// told; `onto` is then of no use.
#[must_use]
pub fn place(onto: &mut Tree, tree: &Tree, selection: &CopySelection, dest: &str) -> bool {
    let Some(source) = selection.sources.first() else { return false };
    let Ok(selector) = selection.selector(source) else { return false };
    let folder = below_root(dest);
    // A link on the way leads elsewhere.
    if onto.resolve(&folder, true).as_deref() != Some(folder.as_str()) {
        return false;
    }
    let is_directory = |onto: &Tree| {
        dest.ends_with('/') || folder.is_empty() || matches!(onto.get(&folder), Some(Entry::Directory { .. }))
    };
    let inside = |name: &str| below_root(&format!("{folder}/{name}"));
    if !selector.is_filtered() {
        let Ok(place) = selector.place(tree) else { return false };
        return match tree.get(&place) {
            Some(Entry::Directory { .. }) => onto.unite(&folder, tree, &place),
            Some(entry) if is_directory(onto) => onto.insert(&inside(base(&selector.path)), entry),
            Some(entry) => onto.insert(&folder, entry),
            None => false,
        };
    }
    let Ok((prefix, included)) = selector.included(tree) else { return false };
    for entry in included {
        let Some(found) = tree.get(&entry.real).filter(|_| !entry.followed) else { return false };
        let named = if selector.wildcard { entry.from } else { prefix.len() };
        let rest = entry.path.get(named..).unwrap_or_default().trim_start_matches('/');
        let done = match (&found, rest.is_empty()) {
            // What is in a directory is copied, not the directory.
            (Entry::Directory { .. }, true) => true,
            (_, false) => onto.insert(&inside(rest), found),
            (_, true) if is_directory(onto) => onto.insert(&inside(base(&entry.path)), found),
            (_, true) => onto.insert(&folder, found),
        };
        if !done {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::digest::ContentId;
    use super::*;

    fn tree(files: &[&str]) -> Tree {
        files.iter().map(|path| (*path, Entry::file(ContentId::of_bytes(path.as_bytes()), false))).collect()
    }

    fn placed(selection: CopySelection, dest: &str) -> Option<Vec<String>> {
        let context =
            tree(&["a.txt", "b.txt", "src/main", "src/lib/x.c", "pkg/one/p.json", "pkg/two/p.json"]);
        let mut onto = tree(&["there/f"]);
        place(&mut onto, &context, &selection, dest).then(|| {
            let mut files = onto.files("");
            files.retain(|file| file != "there/f");
            files
        })
    }

    #[test]
    fn files_land_where_buildkit_puts_them() {
        let to = |source: &str, dest: &str| placed(CopySelection::of(source), dest).unwrap();
        assert_eq!(to("a.txt", "/x"), ["x"]);
        assert_eq!(to("a.txt", "/x/"), ["x/a.txt"]);
        assert_eq!(to("a.txt", "/there"), ["there/a.txt"]);
        assert_eq!(to("src", "/x"), ["x/lib/x.c", "x/main"]);
        assert_eq!(to("src", "/"), ["lib/x.c", "main"]);
        assert_eq!(to("*.txt", "/x/"), ["x/a.txt", "x/b.txt"]);
        assert_eq!(to("s*", "/x/"), ["x/lib/x.c", "x/main"]);
        assert_eq!(to("src/*", "/x/"), ["x/main", "x/x.c"]);
        assert_eq!(to("pkg/*/p.json", "/x/"), ["x/p.json"]);
        assert!(placed(CopySelection::of("missing"), "/x").is_none());
    }

    #[test]
    fn filters_keep_paths() {
        let parents = |source: &str| {
            placed(CopySelection { parents: true, ..CopySelection::of(source) }, "/x/").unwrap()
        };
        assert_eq!(parents("pkg/*/p.json"), ["x/pkg/one/p.json", "x/pkg/two/p.json"]);
        assert_eq!(parents("./src/./lib/x.c"), ["x/lib/x.c"]);
        let without = CopySelection { exclude: vec!["lib".into()], ..CopySelection::of("src") };
        assert_eq!(placed(without, "/x/").unwrap(), ["x/main"]);
    }
}
