//! Slash-separated paths, as Go's package `path` treats them: BuildKit cleans and joins every path with it.

/// The shortest path equal to `path` by text alone: no empty, `.` or inner `..` elements. A leading `/` stays, `..`
/// above it goes; a relative path may still begin with `..`; the empty path is `.`.
#[must_use]
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    if is_plain(path.strip_prefix('/').unwrap_or(path)) {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match kept.last() {
                Some(&last) if last != ".." => {
                    kept.pop();
                }
                _ if rooted => {}
                _ => kept.push(".."),
            },
            other => kept.push(other),
        }
    }
    let joined = kept.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Whether nothing about a relative path could be shortened; most are so.
#[must_use]
pub fn is_plain(path: &str) -> bool {
    let mut rest = path.as_bytes();
    let mut begins = true;
    while let [first, after @ ..] = rest {
        let shortens = match first {
            b'/' => begins,
            b'.' if begins => matches!(after, [] | [b'/', ..] | [b'.'] | [b'.', b'/', ..]),
            _ => false,
        };
        if shortens {
            return false;
        }
        begins = *first == b'/';
        rest = after;
    }
    !begins
}

/// `path` as a place below the root of a context, without a leading slash: `./a//b/../c`, `/a/c` and `../a/c` are all
/// `a/c`, the root itself is the empty text.
#[must_use]
pub fn below_root(path: &str) -> String {
    let relative = path.strip_prefix('/').unwrap_or(path);
    if is_plain(relative) {
        return relative.to_owned();
    }
    let mut cleaned = clean(&format!("/{path}"));
    cleaned.remove(0);
    cleaned
}

/// The last element of a clean relative path.
#[must_use]
pub fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory that holds a clean relative path; empty for one at the root.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The last element of `path` as Go's `path.Base` gives it: of the empty path `.`, of slashes alone `/`.
#[must_use]
pub fn go_base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/') {
        "" => "/",
        trimmed => base(trimmed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_follows_go() {
        // The table of Go's documentation and tests of path.Clean.
        for (given, expected) in [
            ("", "."),
            ("abc", "abc"),
            ("abc/def", "abc/def"),
            (".", "."),
            ("..", ".."),
            ("../../abc", "../../abc"),
            ("/abc", "/abc"),
            ("/", "/"),
            ("abc/", "abc"),
            ("abc//def//ghi", "abc/def/ghi"),
            ("//abc", "/abc"),
            ("abc/./def", "abc/def"),
            ("/./abc/def", "/abc/def"),
            ("abc/def/..", "abc"),
            ("abc/def/../..", "."),
            ("/abc/def/../../..", "/"),
            ("abc/def/../../../ghi", "../ghi"),
            ("/../abc", "/abc"),
        ] {
            assert_eq!(clean(given), expected, "{given:?}");
        }
    }

    #[test]
    fn paths_below_the_root_lose_what_leads_out() {
        for (given, expected) in
            [(".", ""), ("/", ""), ("./a//b/../c", "a/c"), ("../a/c", "a/c"), ("a/", "a"), ("a/../..", "")]
        {
            assert_eq!(below_root(given), expected, "{given:?}");
        }
    }
}
