//! Paths as text.

use crate::context::path::is_plain;

/// `.`, `..` and doubled or trailing slashes resolved.
#[must_use]
pub fn normalize(path: &str) -> String {
    if is_plain(path.strip_prefix('/').unwrap_or(path)) {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut joined = String::with_capacity(path.len());
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 || path.starts_with('/') {
            joined.push('/');
        }
        joined.push_str(part);
    }
    if joined.is_empty() && path.starts_with('/') {
        joined.push('/');
    }
    joined
}

/// Whether `inner` is `outer` or below it. `*` in either stands for one part.
#[must_use]
pub fn is_within(inner: &str, outer: &str) -> bool {
    let rooted =
        |path: &'_ str| path.strip_prefix('/').is_some_and(|path| is_plain(path) && !path.contains('*'));
    if rooted(inner) && rooted(outer) {
        return inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    let mut inner = inner.split('/').filter(|part| !part.is_empty());
    outer.split('/').filter(|part| !part.is_empty()).all(|outer| {
        inner.next().is_some_and(|inner| {
            inner == outer
                || inner == "*"
                || super::phrase::glob(outer, inner)
                || super::phrase::glob(inner, outer)
        })
    })
}

/// Whether two paths are the same, `*` standing for one part.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    is_within(one, other) && is_within(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_compare_by_parts() {
        assert!(is_within("/a/b/c", "/a/b") && is_within("/a/b", "/a/b") && !is_within("/a/bc", "/a/b"));
        assert!(is_within("/a/b", "/") && !is_within("/a", "/a/b"));
        assert!(is_same("/x/3.3.0/cache", "/x/*/cache"));
        assert_eq!(normalize("/a/./b//../c/"), "/a/c");
        assert_eq!(["/", "/..", "", "a/..", "./a/.b"].map(normalize), ["/", "/", "", "", "a/.b"]);
    }
}
