//! Directories: `cd` and `pushd` as text.

use super::Cwd;
use std::borrow::Cow;

/// Longer paths are not directories (Linux: `PATH_MAX`).
const MAX_PATH: usize = 4096;

/// The directory after `cd target` in `from`.
pub(super) fn join<'a>(from: &Cwd<'a>, target: &str) -> Cwd<'a> {
    if target.is_empty() {
        return from.clone();
    }
    if target.starts_with(['/', '~']) {
        return path(normalize(target));
    }
    match from {
        Cwd::Start => path(normalize(target)),
        Cwd::Path(base) if base.len() + target.len() > MAX_PATH => Cwd::Unknown,
        Cwd::Path(base) => path(normalize(&format!("{base}/{target}"))),
        Cwd::Each(bases) if bases.iter().any(|base| base.len() + target.len() > MAX_PATH) => Cwd::Unknown,
        Cwd::Each(bases) => {
            let joined = bases.iter().map(|base| Cow::Owned(normalize(&format!("{base}/{target}"))));
            Cwd::Each(joined.collect())
        }
        Cwd::Unknown => Cwd::Unknown,
    }
}

/// The directory of `inner`, a place found relative to `outer`.
pub(super) fn within<'a>(outer: &Cwd<'a>, inner: &Cwd<'a>) -> Cwd<'a> {
    match inner {
        Cwd::Start => outer.clone(),
        Cwd::Path(target) => join(outer, target),
        Cwd::Each(targets) => match outer {
            Cwd::Start => Cwd::Each(targets.clone()),
            Cwd::Path(base) => {
                Cwd::Each(targets.iter().map(|target| Cow::Owned(over(base, target))).collect())
            }
            _ => Cwd::Unknown,
        },
        Cwd::Unknown => Cwd::Unknown,
    }
}

fn over(base: &str, target: &str) -> String {
    if target.starts_with(['/', '~']) { normalize(target) } else { normalize(&format!("{base}/{target}")) }
}

fn path<'a>(normal: String) -> Cwd<'a> {
    if normal == "." { Cwd::Start } else { Cwd::Path(Cow::Owned(normal)) }
}

/// `.`, `..` and doubled slashes resolved; `.` for the empty path.
pub(super) fn normalize(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." && !last.starts_with('~') => {
                    parts.pop();
                }
                None if absolute => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn paths_are_normalised() {
        for (path, normal) in [
            ("a//b/./c", "a/b/c"),
            ("/a/../..", "/"),
            ("../a", "../a"),
            ("a/..", "."),
            ("~/x/../y", "~/y"),
            ("~/..", "~/.."),
        ] {
            assert_eq!(normalize(path), normal);
        }
    }
}
