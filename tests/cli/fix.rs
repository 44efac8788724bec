//! `--fix`, `--unsafe-fixes`, `--diff`.

use super::Folder;
use std::fs;

const BEFORE: &str = "# hitrate: ignore[mutable-base] no more\n# kept\r\nFROM alpine:3.22\n";
const AFTER: &str = "# kept\r\nFROM alpine:3.22\n";

#[test]
fn a_diff_is_a_patch_and_writes_nothing() {
    let folder = Folder::new(&[("sub/Dockerfile", BEFORE)]);
    let run = folder.run(&["check", "--diff"]);
    assert_eq!(
        run.stdout,
        "--- a/sub/Dockerfile\n+++ b/sub/Dockerfile\n@@ -1,3 +1,2 @@\n-# hitrate: ignore[mutable-base] no more\n \
         # kept\r\n FROM alpine:3.22\n"
    );
    assert_eq!(folder.read("sub/Dockerfile"), BEFORE);
}

#[test]
fn a_fix_is_written_once_with_the_same_mode_and_nothing_beside_it() {
    let folder = Folder::new(&[("Dockerfile", BEFORE)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path("Dockerfile"), fs::Permissions::from_mode(0o640)).unwrap();
    }
    let run = folder.run(&["check", "--fix"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "no findings in 1 file\n"));
    assert_eq!(folder.read("Dockerfile"), AFTER);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.path("Dockerfile")).unwrap().permissions().mode() & 0o777, 0o640);
    }
    let names: Vec<_> =
        fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let modified = fs::metadata(folder.path("Dockerfile")).unwrap().modified().unwrap();
    folder.run(&["check", "--fix"]);
    assert_eq!(fs::metadata(folder.path("Dockerfile")).unwrap().modified().unwrap(), modified);
}

#[test]
fn what_a_baseline_knows_is_not_mended() {
    let folder = Folder::new(&[("Dockerfile", BEFORE)]);
    folder.run(&["check", "--baseline", "known.json", "--write-baseline"]);
    folder.run(&["check", "--fix", "--baseline", "known.json"]);
    assert_eq!(folder.read("Dockerfile"), BEFORE);
}

#[test]
fn a_text_from_the_standard_input_comes_out_mended() {
    let folder = Folder::new(&[]);
    let run = folder.run_with_input(&["check", "--fix", "-"], BEFORE.as_bytes());
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, AFTER, ""));
    let clean = folder.run_with_input(&["check", "--fix", "-"], AFTER.as_bytes());
    assert_eq!(clean.stdout, AFTER, "unchanged text comes out too");
    assert!(!folder.path("Dockerfile").exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new(&[("Dockerfile", BEFORE)]);
    fs::set_permissions(folder.path("Dockerfile"), fs::Permissions::from_mode(0o444)).unwrap();
    folder.run(&["check", "--fix"]).failed(&["Dockerfile: is read-only"]);
    assert_eq!(folder.read("Dockerfile"), BEFORE);
}
