//! The known name that was probably meant.

/// The one of `known` that is nearest to `written`, if it is near enough to be what was meant: at most a third of the
/// letters differ (transpositions count once), and case does not count. The first of equals wins.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nothing that long is a name; it keeps the quadratic distance away from hostile input.
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let distance = strsim::osa_distance(&lower, &name.to_lowercase());
        let allowed = (name.chars().count() / 3).max(1);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let known = ["zstd", "gzip", "estargz", "uncompressed"];
        assert_eq!(nearest("ztsd", known), Some("zstd"));
        assert_eq!(nearest("GZIP", known), Some("gzip"));
        assert_eq!(nearest("brotli", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
